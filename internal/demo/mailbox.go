package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// The mailbox that the simulated customers write to, as the example file names it.
const (
	mailboxUser     = "support"
	mailboxPassword = "demo-mailbox"
)

// Mailbox is the support mailbox of the demo: a real IMAP server on loopback with
// a mailbox in memory, to which simulated customers write while things fail.
type Mailbox struct {
	Addr     netip.AddrPort
	log      *slog.Logger
	listener net.Listener
	user     *imapmemserver.User
	server   *imapserver.Server
}

// OpenMailbox opens the mailbox near an address, with folders for what was dealt
// with and what was set aside.
func OpenMailbox(log *slog.Logger, want string) (*Mailbox, error) {
	m := &Mailbox{log: log, user: imapmemserver.NewUser(mailboxUser, mailboxPassword)}
	for _, folder := range []string{"INBOX", "Spam", "Failed"} {
		if err := m.user.Create(folder, nil); err != nil {
			return nil, fmt.Errorf("make the folder %s of the simulated mailbox: %w", folder, err)
		}
	}
	var err error
	if m.listener, err = listenNear(want); err != nil {
		return nil, fmt.Errorf("listen for the simulated mailbox: %w", err)
	}
	m.Addr = m.listener.Addr().(*net.TCPAddr).AddrPort()
	memory := imapmemserver.New()
	memory.AddUser(m.user)
	m.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		Logger:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		InsecureAuth: true, // loopback only
	})
	return m, nil
}

// Run serves the mailbox and lets the customers write, until ctx ends.
func (m *Mailbox) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = m.server.Close() }) // Serve tells of it
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.write(ctx, time.Now())
	}()
	err := m.server.Serve(m.listener)
	<-done
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("serve the simulated mailbox: %w", err)
}

// write puts every letter into the mailbox at its time.
func (m *Mailbox) write(ctx context.Context, began time.Time) {
	for n, l := range standing {
		m.put(l, began.Add(-l.before), fmt.Sprintf("standing-%d", n), began)
	}
	for cycle := 0; ; cycle++ {
		if !stirs(cycle) {
			if !wait(ctx, began.Add(time.Duration(cycle+1)*Cycle)) {
				return
			}
			continue
		}
		for n, l := range letters {
			if !wait(ctx, began.Add(time.Duration(cycle)*Cycle+l.at)) {
				return
			}
			m.put(l, time.Now(), fmt.Sprintf("%d-%d", cycle, n), began)
		}
		if !wait(ctx, began.Add(time.Duration(cycle+1)*Cycle)) {
			return
		}
	}
}

// stirs reports whether customers write in a cycle: in the first, where a
// newcomer watches, and every half an hour, so that a demo left alone does not
// drown.
func stirs(cycle int) bool { return cycle%15 == 0 }

// put writes one letter.
func (m *Mailbox) put(l letter, at time.Time, mark string, began time.Time) {
	raw := l.raw(at, fmt.Sprintf("%s.%d@customers.example.net", mark, began.Unix()))
	if _, err := m.user.Append("INBOX", bytes.NewReader(raw), &imap.AppendOptions{Time: at}); err != nil {
		m.log.Warn("a simulated letter was not delivered", "err", err)
	}
}

// wait waits for a moment, and tells whether it came before ctx ended.
func wait(ctx context.Context, until time.Time) bool {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
