package ingest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"evenkeel/ingest/kind"
	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/inbox"
	"evenkeel/internal/inbox/inboxtest"
	"evenkeel/internal/journal"
	"evenkeel/internal/testkit"
	"evenkeel/internal/ticket"
)

// soon bounds what a test waits for.
const soon = 20 * time.Second

// scene is a mail room over a store in memory: mailboxes, the ledger, a worker and
// a desk that remembers what it was given.
type scene struct {
	t      testing.TB
	store  *inboxtest.Store
	ledger *inbox.Ledger
	fleet  *Fleet
	desk   *deskLog
	spool  string
	stop   func()
	broken func(inbox.Mail) error // of the reader; nil = it reads everything
}

func newScene(t testing.TB) *scene {
	s := &scene{t: t, store: inboxtest.New(), desk: &deskLog{}, spool: t.TempDir()}
	s.ledger = inbox.NewLedger(inbox.Deps{Work: s.store, Store: s.store, Now: time.Now, Log: s.log()})
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *scene) log() *slog.Logger {
	if os.Getenv("INGEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

// start starts owners and worker; stop ends them.
func (s *scene) start(specs ...Spec) {
	ctx, cancel := context.WithCancel(context.Background())
	s.fleet = NewFleet(FleetDeps{Ledger: s.ledger, Leases: s.store, Holder: journal.NewHolder(), Spool: s.spool, Now: time.Now, Log: s.log()})
	s.fleet.Setup(specs)
	reader := &Reader{Spool: s.spool, Now: time.Now, Own: func(string) kind.Own { return kind.Own{} }}
	read := func(ctx context.Context, m inbox.Mail, raw io.Reader) (*Reading, error) {
		if s.broken != nil {
			if err := s.broken(m); err != nil {
				return nil, err
			}
		}
		return reader.Read(ctx, m, raw)
	}
	worker := NewWorker(WorkerDeps{Ledger: s.ledger, Work: s.store, Blobs: s.store, Desk: s.desk, Read: read, Glance: reader.Glance, Now: time.Now, Log: s.log()})
	var all sync.WaitGroup
	all.Go(func() { _ = s.fleet.Run(ctx) })
	all.Go(func() { _ = journal.Hold(ctx, s.store, "mail", journal.NewHolder(), s.log(), worker.Run) })
	s.stop = func() { cancel(); all.Wait() }
}

// deskLog is a desk that remembers. A unit of work that did not commit is forgotten
// by asking the ledger what it says.
type deskLog struct {
	mu  sync.Mutex
	got []ticket.Incoming
	err func(ticket.Incoming) error
}

func (d *deskLog) Receive(_ context.Context, _ journal.Tx, in ticket.Incoming) (ticket.Outcome, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		if err := d.err(in); err != nil {
			return ticket.Outcome{}, err
		}
	}
	d.got = append(d.got, in)
	return ticket.Outcome{Ticket: journal.NewID(), Message: journal.NewID(), Opened: true}, nil
}

// subjects gives what came, sorted.
func (d *deskLog) subjects() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]string, len(d.got))
	for i, in := range d.got {
		out[i] = in.Subject
	}
	slices.Sort(out)
	return out
}

func (d *deskLog) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.got)
}

// await waits until the desk has n mails and nothing waits.
func (s *scene) await(n int) {
	s.t.Helper()
	testkit.Await(s.t, fmt.Sprintf("%d mails at the desk", n), soon, func() bool {
		waiting, _, _ := s.ledger.Backlog(context.Background())
		return s.desk.count() >= n && waiting == 0
	})
	if got := s.desk.count(); got != n {
		s.t.Errorf("%d mails at the desk, want %d", got, n)
	}
}

// box gives the mailbox as the ledger has it.
func (s *scene) box() inbox.Mailbox {
	m, err := s.ledger.Mailbox(context.Background(), access.Host, "support")
	if err != nil {
		return inbox.Mailbox{}
	}
	return m
}

// awaitState waits for a state of the mailbox.
func (s *scene) awaitState(want inbox.State) inbox.Mailbox {
	s.t.Helper()
	testkit.Await(s.t, "the mailbox to be "+string(want), soon, func() bool { return s.box().State == want })
	return s.box()
}

// mails gives the ledger, oldest first.
func (s *scene) mails() []inbox.Mail {
	s.t.Helper()
	list, err := s.ledger.Mails(context.Background(), access.Host, inbox.Query{Limit: inbox.MaxPage})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

// spec is a mailbox of a Dovecot, or of whatever answers at the address.
func spec(mark string, server Server) Spec {
	return Spec{
		Name: "support", Mark: mark, Open: server.Open, Renew: func() time.Time { return time.Time{} }, All: true, Poll: time.Minute,
		MaxBytes: config.DefaultMailBytes,
	}
}

// secure is the server of a Dovecot by TLS.
func secure(t testing.TB, d *testkit.Dovecot) Server {
	return Server{
		Address: d.IMAPS, Host: "localhost", TLS: true, Folder: "INBOX", Config: trusting(t, d.Certificate),
		SignIn: SignIn{User: testkit.DovecotUser, Password: testkit.DovecotPassword},
	}
}

func trusting(t testing.TB, c testkit.Certificate) *tls.Config {
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// letter is an ordinary mail.
func letter(n int) string {
	return fmt.Sprintf("From: Ann <ann%d@example.org>\r\nTo: support@example.org\r\nSubject: Mail %03d\r\nMessage-ID: <mail-%d@example.org>\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n\r\nIt does not work, number %d.\r\n", n, n, n, n)
}

// letters gives letters from to to.
func letters(from, to int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for n := from; n <= to; n++ {
			if !yield(letter(n)) {
				return
			}
		}
	}
}
