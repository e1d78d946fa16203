package ingest

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/testkit"
)

// memory is an IMAP server in this process.
type memory struct {
	t    *testing.T
	addr string
	user *imapmemserver.User
}

func newMemory(t *testing.T) *memory {
	m := &memory{t: t, user: imapmemserver.NewUser("support", "secret")}
	m.create("INBOX")
	users := imapmemserver.New()
	users.AddUser(m.user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return users.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}}, InsecureAuth: true,
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return m
}

func (m *memory) create(folder string) {
	if err := m.user.Create(folder, nil); err != nil {
		m.t.Fatal(err)
	}
}

// put lays mails into a folder.
func (m *memory) put(folder string, mails ...string) {
	m.t.Helper()
	for _, raw := range mails {
		if _, err := m.user.Append(folder, sized{strings.NewReader(raw)}, &imap.AppendOptions{}); err != nil {
			m.t.Fatal(err)
		}
	}
}

type sized struct{ *strings.Reader }

func (s sized) Size() int64 { return s.Reader.Size() }

// plain is a server in the clear, at an address.
func plain(addr string) Server {
	return Server{Address: addr, Host: "localhost", Folder: "INBOX", SignIn: SignIn{User: "support", Password: "secret"}}
}

// proxy stands between client and server, and does harm.
type proxy struct {
	addr  string
	mu    sync.Mutex
	conns []net.Conn
	// cutAfter is how many bytes of the server get through before the connection is
	// cut; 0 = all. It counts anew with each connection.
	cutAfter atomic.Int64
	frozen   atomic.Bool // nothing gets through, and nothing is closed
	opened   atomic.Int64
	// change may rewrite what the server says.
	change atomic.Pointer[func([]byte) []byte]
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			p.opened.Add(1)
			p.mu.Lock()
			p.conns = append(p.conns, c, s)
			p.mu.Unlock()
			all.Go(func() { p.pass(s, c, false) })
			all.Go(func() { p.pass(c, s, true) })
		}
	})
	t.Cleanup(func() { l.Close(); p.cut(); all.Wait() })
	return p
}

// cut cuts every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) pass(to, from net.Conn, harm bool) {
	defer to.Close()
	defer from.Close()
	buffer, passed := make([]byte, 16<<10), int64(0)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if p.frozen.Load() {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		out := buffer[:n]
		if harm {
			if change := p.change.Load(); change != nil {
				out = (*change)(out)
			}
			if limit := p.cutAfter.Load(); limit > 0 && passed+int64(len(out)) > limit {
				_, _ = to.Write(out[:max(0, limit-passed)])
				return
			}
			passed += int64(len(out))
		}
		if _, err := to.Write(out); err != nil {
			return
		}
	}
}

// A server that drops the connection in the middle of a literal, again and again:
// nothing is lost, nothing comes twice.
func TestConnectionCutMidLiteralLosesNothing(t *testing.T) {
	m := newMemory(t)
	for n := range 20 {
		m.put("INBOX", letter(n))
	}
	p := newProxy(t, m.addr)
	p.cutAfter.Store(2000) // some way into the bodies
	s := newScene(t)
	s.fleet.Setup([]Spec{spec("a", plain(p.addr))})
	testkit.Await(t, "two tries", soon, func() bool { return p.opened.Load() >= 2 })
	if s.desk.count() > 0 && len(s.desk.subjects()) > 20 {
		t.Errorf("got %v", s.desk.subjects())
	}
	p.cutAfter.Store(0)
	s.await(20)
	if got := s.desk.subjects(); len(slices.Compact(got)) != 20 {
		t.Errorf("got %v", got)
	}
}

// One mail on which the connection always breaks is left out after three tries, and
// the mailbox goes on; when the server can give it, it comes.
func TestMailThatCutsTheConnectionIsLeftOutForAWhile(t *testing.T) {
	m := newMemory(t)
	poison := strings.Replace(letter(2), "It does not work", "POISON", 1)
	m.put("INBOX", letter(1), poison, letter(3))
	p := newProxy(t, m.addr)
	cut := func(b []byte) []byte {
		if i := strings.Index(string(b), "POISON"); i >= 0 {
			p.cutAfter.Store(1)
			defer time.AfterFunc(50*time.Millisecond, func() { p.cutAfter.Store(0) })
			return b[:0]
		}
		return b
	}
	p.change.Store(&cut)
	s := newScene(t)
	s.fleet.Setup([]Spec{spec("a", plain(p.addr))})
	s.await(2)
	list := s.mails()
	if len(list) != 3 {
		t.Fatalf("got %+v", list)
	}
	i := slices.IndexFunc(list, func(m inbox.Mail) bool { return m.Fate == inbox.Unfetchable })
	if i < 0 || list[i].UID != 2 || list[i].Reason == "" || list[i].NextAt.IsZero() {
		t.Fatalf("got %+v", list)
	}
	p.change.Store(nil)
	if _, err := s.ledger.Retry(t.Context(), access.Host, list[i].ID); err != nil {
		t.Fatal(err)
	}
	s.await(3)
	if m := s.mails()[i]; m.Fate != inbox.Opened || m.Hash == "" {
		t.Errorf("got %+v", m)
	}
}

// The numbers of the folder begin anew: everything is looked at again, and nothing
// comes twice.
func TestFolderThatCountsAnewIsRescanned(t *testing.T) {
	m := newMemory(t)
	m.put("INBOX", letter(1), letter(2))
	s := newScene(t)
	s.fleet.Setup([]Spec{spec("a", plain(m.addr))})
	s.await(2)
	was := s.box()
	s.stop()
	if err := m.user.Delete("INBOX"); err != nil {
		t.Fatal(err)
	}
	m.create("INBOX")
	m.put("INBOX", letter(2), letter(3), letter(1))
	s.start(spec("a", plain(m.addr)))
	s.await(3)
	if box := s.box(); box.Validity == was.Validity || box.Last != 3 {
		t.Errorf("got %+v", box)
	}
	fates := map[inbox.Fate]int{}
	for _, m := range s.mails() {
		fates[m.Fate]++
	}
	if fates[inbox.Opened] != 3 || fates[inbox.Repeated] != 2 {
		t.Errorf("got %v", fates)
	}
}
