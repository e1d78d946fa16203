package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"evenkeel/internal/inbox"
)

const (
	// openWithin bounds connecting, securing and signing in.
	openWithin = time.Minute
	// SilentFor is how long a server may say nothing while an answer is due.
	SilentFor = time.Minute
	// IdleFor is how long IDLE lasts: servers and NATs cut quiet connections, some
	// after ten minutes.
	IdleFor = 9 * time.Minute
	// settleFor is how long further news are waited for before they are fetched.
	settleFor = 200 * time.Millisecond
)

// Server is where a mailbox is and how we get in.
type Server struct {
	Address  string // host:port
	Host     string // that the certificate must be for
	TLS      bool   // from the first byte
	StartTLS bool   // before signing in; neither = in the clear
	Config   *tls.Config
	Folder   string
	SignIn   SignIn
	ReadOnly bool // open the folder without the right to change it
}

// Open connects, secures the connection, signs in and opens the folder.
func (s Server) Open(ctx context.Context) (Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, openWithin, errSilent)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.enter(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// connect gives a connection over which secrets may pass.
func (s Server) connect(ctx context.Context) (*imapConn, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, failureOf("Connecting to "+s.Address, err)
	}
	c := &imapConn{wire: newWire(raw), news: make(chan struct{}, 1)}
	defer c.wire.until(ctx)()
	options := &imapclient.Options{TLSConfig: s.tls(c), UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(m *imapclient.UnilateralDataMailbox) {
			if m.NumMessages != nil {
				c.tell()
			}
		},
	}}
	switch {
	case s.TLS:
		secured := tls.Client(c.wire, s.tls(c))
		if err := secured.HandshakeContext(ctx); err != nil {
			c.wire.Close()
			return nil, failureOf("Securing the connection to "+s.Address, c.wire.cause(err))
		}
		c.client = imapclient.New(secured, options)
	case s.StartTLS:
		if c.client, err = imapclient.NewStartTLS(c.wire, options); err != nil {
			c.wire.Close()
			f := failureOf("Securing the connection to "+s.Address, c.wire.cause(err))
			if f.Refusal {
				f.Trouble, f.Words = inbox.Untrusted, f.Words+". It offers no STARTTLS: use imaps://, or say ?tls=none when nobody can listen in"
			}
			return nil, f
		}
	default:
		c.client = imapclient.New(c.wire, options)
	}
	if err := c.client.WaitGreeting(); err != nil {
		c.Close()
		return nil, failureOf("Waiting for the greeting of "+s.Address, c.wire.cause(err))
	}
	return c, nil
}

// tls is how the connection is secured; c remembers how it was.
func (s Server) tls(c *imapConn) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.Config != nil {
		config = s.Config.Clone()
	}
	config.ServerName, config.NextProtos = s.Host, []string{"imap"}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		c.secured.Store(&state)
		return nil
	}
	return config
}

// enter signs in and opens the folder.
func (s Server) enter(ctx context.Context, c *imapConn) error {
	defer c.wire.until(ctx)()
	if c.client.State() == imap.ConnStateNotAuthenticated {
		if err := s.SignIn.with(ctx, c.client); err != nil {
			return c.signInFailure(err)
		}
	}
	data, err := c.client.Select(s.Folder, &imap.SelectOptions{ReadOnly: s.ReadOnly}).Wait()
	if err != nil {
		f := failureOf("Opening the folder "+s.Folder, c.wire.cause(err))
		if f.Refusal {
			f.Trouble = inbox.Missing
		}
		return f
	}
	c.folder = Folder{Validity: data.UIDValidity, Next: uint32(data.UIDNext), Messages: data.NumMessages}
	for cap := range c.client.Caps() {
		c.folder.Caps = append(c.folder.Caps, string(cap))
	}
	slices.Sort(c.folder.Caps)
	if c.folder.Validity == 0 {
		return &Failure{Trouble: inbox.Strange, Words: "The server gives no UIDVALIDITY for " + s.Folder + ": its mails cannot be told apart"}
	}
	return nil
}

// imapConn is Conn over go-imap. The library's rules: one goroutine sends commands,
// every FETCH is drained, and only closing the wire ends what hangs.
type imapConn struct {
	wire   *wire
	client *imapclient.Client
	folder Folder
	news   chan struct{} // the server told of mails; one is enough

	secured atomic.Pointer[tls.ConnectionState] // nil = in the clear
}

// tell is called on the goroutine that decodes: it must not wait.
func (c *imapConn) tell() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

func (c *imapConn) Folder() Folder { return c.folder }

func (c *imapConn) Close() {
	c.wire.Close()
	_ = c.client.Close() // waits for the decoder; the wire is closed already
}

// UIDs asks by plain SEARCH, which every server knows. Asked for n:*, servers give
// the last mail even when its UID is below n (RFC 9051 6.4.4).
func (c *imapConn) UIDs(ctx context.Context, from, to uint32) ([]uint32, error) {
	if to != 0 && to < from {
		return nil, nil
	}
	defer c.wire.until(ctx)()
	var set imap.UIDSet
	set.AddRange(imap.UID(from), imap.UID(to))
	data, err := c.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
	if err != nil {
		return nil, failureOf("Asking for new mail", c.wire.cause(err))
	}
	found := data.AllUIDs()
	out := make([]uint32, 0, len(found))
	for _, uid := range found {
		if uint32(uid) >= from && (to == 0 || uint32(uid) <= to) {
			out = append(out, uint32(uid))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (c *imapConn) Sizes(ctx context.Context, uids []uint32) (out []Item, err error) {
	err = c.fetch(ctx, uids, &imap.FetchOptions{UID: true, InternalDate: true, RFC822Size: true}, func(i Item) error {
		out = append(out, i)
		return nil
	})
	return out, err
}

func (c *imapConn) Fetch(ctx context.Context, uids []uint32, take func(Item) error) error {
	return c.fetch(ctx, uids, &imap.FetchOptions{UID: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section(0)}}, take)
}

func (c *imapConn) Chunk(ctx context.Context, uid uint32, offset int64, w io.Writer) (n int64, err error) {
	err = c.fetch(ctx, []uint32{uid}, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section(offset)}}, func(i Item) error {
		written, err := w.Write(i.Bytes)
		n = int64(written)
		return err
	})
	return n, err
}

// section asks for a piece of the raw mail without marking it as read.
func section(offset int64) *imap.FetchItemBodySection {
	return &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: offset, Size: ChunkBytes}}
}

// fetch asks for nothing that a server could get wrong beyond repair: envelopes
// and body structures of strange mails break parsers and connections.
func (c *imapConn) fetch(ctx context.Context, uids []uint32, what *imap.FetchOptions, take func(Item) error) error {
	if len(uids) == 0 {
		return nil
	}
	defer c.wire.until(ctx)()
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	cmd := c.client.Fetch(set, what)
	var failed error
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		if failed != nil {
			continue
		}
		item, err := readItem(data)
		switch {
		case err == errTooLong:
			c.wire.Close() // draining it could take for ever
			failed = &Failure{Trouble: inbox.Strange, Words: "The server sent more of a mail than it was asked for"}
		case err != nil:
			failed = failureOf("Reading a mail", c.wire.cause(err))
		case item.UID != 0:
			failed = take(item)
		}
	}
	if err := cmd.Close(); err != nil && failed == nil {
		failed = failureOf("Reading mails", c.wire.cause(err))
	}
	return failed
}

// errTooLong tells of a literal that is longer than what was asked for.
var errTooLong = errors.New("longer than asked for")

func readItem(data *imapclient.FetchMessageData) (i Item, err error) {
	for part := data.Next(); part != nil; part = data.Next() {
		switch part := part.(type) {
		case imapclient.FetchItemDataUID:
			i.UID = uint32(part.UID)
		case imapclient.FetchItemDataInternalDate:
			i.Received = part.Time.UTC().Truncate(time.Microsecond)
		case imapclient.FetchItemDataRFC822Size:
			i.Size = part.Size
		case imapclient.FetchItemDataBodySection:
			if part.Literal == nil {
				continue
			}
			size := part.Literal.Size()
			if size > ChunkBytes {
				return i, errTooLong
			}
			i.Bytes = make([]byte, size)
			if _, err := io.ReadFull(part.Literal, i.Bytes); err != nil {
				return i, err
			}
		}
	}
	return i, nil
}

func (c *imapConn) Listens() bool { return c.client.Caps().Has(imap.CapIdle) }

// Wait listens by IDLE for nine minutes at most, or sleeps where there is none.
func (c *imapConn) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	d = min(d, IdleFor)
	var idle *imapclient.IdleCommand
	if c.Listens() {
		begun := c.wire.until(ctx)
		var err error
		idle, err = c.client.Idle()
		begun()
		if err != nil {
			return failureOf("Beginning to listen", c.wire.cause(err))
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.news:
		pause(ctx, settleFor)
	case <-wake:
		pause(ctx, settleFor)
	case <-timer.C:
	case <-c.client.Closed():
	case <-ctx.Done():
	}
	if idle == nil {
		return c.Touch(ctx)
	}
	defer c.wire.until(ctx)()
	err := idle.Close()
	if err == nil {
		err = idle.Wait()
	}
	if err != nil {
		return failureOf("Listening", c.wire.cause(err))
	}
	return nil
}

func (c *imapConn) Touch(ctx context.Context) error {
	defer c.wire.until(ctx)()
	if err := c.client.Noop().Wait(); err != nil {
		return failureOf("Asking for a sign of life", c.wire.cause(err))
	}
	return nil
}

// uidSet gives UIDs as the library wants them.
func uidSet(uids []uint32) (set imap.UIDSet) {
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

func (c *imapConn) Seen(ctx context.Context, uids []uint32) error {
	return c.flag(ctx, uids, imap.FlagSeen, "Marking mails as read")
}

func (c *imapConn) flag(ctx context.Context, uids []uint32, flag imap.Flag, doing string) error {
	defer c.wire.until(ctx)()
	err := c.client.Store(uidSet(uids), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	if err != nil {
		return failureOf(doing, c.wire.cause(err))
	}
	return nil
}

// Move uses MOVE (RFC 6851), or COPY and deletes the originals. A folder that is
// not there is made.
func (c *imapConn) Move(ctx context.Context, uids []uint32, folder string) error {
	defer c.wire.until(ctx)()
	once := func() error {
		if c.client.Caps().Has(imap.CapMove) {
			_, err := c.client.Move(uidSet(uids), folder).Wait()
			return err
		}
		_, err := c.client.Copy(uidSet(uids), folder).Wait()
		return err
	}
	err := once()
	if answer, ok := errors.AsType[*imap.Error](err); ok && answer.Type == imap.StatusResponseTypeNo {
		if made := c.client.Create(folder, nil).Wait(); made == nil {
			err = once()
		}
	}
	if err != nil {
		return failureOf("Moving mails to "+folder, c.wire.cause(err))
	}
	if c.client.Caps().Has(imap.CapMove) {
		return nil
	}
	return c.Delete(ctx, uids)
}

// Delete marks mails as deleted, and expunges them where that can be said of these
// alone (RFC 4315): a plain EXPUNGE would take what other people have marked.
func (c *imapConn) Delete(ctx context.Context, uids []uint32) error {
	if err := c.flag(ctx, uids, imap.FlagDeleted, "Deleting mails"); err != nil {
		return err
	}
	if !c.client.Caps().Has(imap.CapUIDPlus) {
		return nil
	}
	defer c.wire.until(ctx)()
	if err := c.client.UIDExpunge(uidSet(uids)).Close(); err != nil {
		return failureOf("Deleting mails", c.wire.cause(err))
	}
	return nil
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
