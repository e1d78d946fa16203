package ingest

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/inbox"
)

// fake is a mail server without a network, for hours that pass in a moment.
type fake struct {
	mu       sync.Mutex
	validity uint32
	next     uint32
	mails    map[uint32]letterAt
	hidden   map[uint32]bool // not shown by UIDs
	refused  map[uint32]bool // NO
	moved    map[string][]uint32
	openErr  error
	opened   []time.Time
	news     chan struct{}
}

type letterAt struct {
	raw  string
	at   time.Time
	seen bool
}

func newFake() *fake {
	return &fake{validity: 7, next: 1, mails: map[uint32]letterAt{}, hidden: map[uint32]bool{}, refused: map[uint32]bool{}, moved: map[string][]uint32{}, news: make(chan struct{}, 1)}
}

// put lays mails into the folder; the server received them at a moment.
func (f *fake) put(at time.Time, mails ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, raw := range mails {
		f.mails[f.next] = letterAt{raw: raw, at: at.UTC().Truncate(time.Second)}
		f.next++
	}
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// with changes the server.
func (f *fake) with(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
}

// left gives the UIDs that are in the folder.
func (f *fake) left() []uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.uids(1, 0)
}

func (f *fake) uids(from, to uint32) (out []uint32) {
	for uid := range f.mails {
		if uid >= from && (to == 0 || uid <= to) && !f.hidden[uid] {
			out = append(out, uid)
		}
	}
	slices.Sort(out)
	return out
}

// spec is the mailbox of this server.
func (f *fake) spec(mark string) Spec {
	return Spec{
		Name: "support", Mark: mark, Renew: func() time.Time { return time.Time{} }, All: true, Poll: time.Minute, MaxBytes: config.DefaultMailBytes,
		Open: func(context.Context) (Conn, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.opened = append(f.opened, time.Now())
			if f.openErr != nil {
				return nil, f.openErr
			}
			return &fakeConn{fake: f, folder: Folder{Validity: f.validity, Next: f.next}}, nil
		},
	}
}

type fakeConn struct {
	*fake
	folder Folder
}

func (c *fakeConn) Folder() Folder { return c.folder }
func (c *fakeConn) Listens() bool  { return true }
func (c *fakeConn) Close()         {}

func (c *fakeConn) UIDs(_ context.Context, from, to uint32) ([]uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.uids(from, to), nil
}

func (c *fakeConn) Sizes(_ context.Context, uids []uint32) (out []Item, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, uid := range uids {
		if m, there := c.mails[uid]; there {
			out = append(out, Item{UID: uid, Size: int64(len(m.raw)), Received: m.at})
		}
	}
	return out, nil
}

func (c *fakeConn) Fetch(_ context.Context, uids []uint32, take func(Item) error) error {
	for _, uid := range uids {
		c.mu.Lock()
		m, there := c.mails[uid]
		no := c.refused[uid]
		c.mu.Unlock()
		switch {
		case no:
			return &Failure{Trouble: inbox.Strange, Refusal: true, Words: "the server answered NO"}
		case !there:
			continue
		}
		if err := take(Item{UID: uid, Received: m.at, Bytes: []byte(m.raw[:min(len(m.raw), ChunkBytes)])}); err != nil {
			return err
		}
	}
	return nil
}

func (c *fakeConn) Chunk(_ context.Context, uid uint32, offset int64, w io.Writer) (int64, error) {
	c.mu.Lock()
	raw := c.mails[uid].raw
	c.mu.Unlock()
	offset = min(offset, int64(len(raw)))
	n, err := w.Write([]byte(raw[offset:min(offset+ChunkBytes, int64(len(raw)))]))
	return int64(n), err
}

func (c *fakeConn) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	t := time.NewTimer(min(d, IdleFor))
	defer t.Stop()
	select {
	case <-c.news:
	case <-wake:
		pause(ctx, settleFor)
	case <-t.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.openErr != nil {
		return c.openErr
	}
	return ctx.Err()
}

func (c *fakeConn) Touch(context.Context) error { return nil }

func (c *fakeConn) Seen(_ context.Context, uids []uint32) error {
	return c.each(uids, func(uid uint32, m letterAt) { m.seen = true; c.mails[uid] = m })
}

func (c *fakeConn) Move(_ context.Context, uids []uint32, folder string) error {
	if folder == "Forbidden" {
		return &Failure{Trouble: inbox.Strange, Refusal: true, Words: "the server answered NO"}
	}
	return c.each(uids, func(uid uint32, _ letterAt) { delete(c.mails, uid); c.moved[folder] = append(c.moved[folder], uid) })
}

func (c *fakeConn) Delete(_ context.Context, uids []uint32) error {
	return c.each(uids, func(uid uint32, _ letterAt) { delete(c.mails, uid) })
}

func (c *fakeConn) each(uids []uint32, fn func(uint32, letterAt)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, uid := range uids {
		if m, there := c.mails[uid]; there {
			fn(uid, m)
		}
	}
	return nil
}

var _ Conn = (*fakeConn)(nil)
