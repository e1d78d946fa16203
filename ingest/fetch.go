package ingest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"time"

	"evenkeel/internal/inbox"
	"evenkeel/internal/problem"
)

const (
	// sizeWindow is how many mails the server is asked the sizes of at once.
	sizeWindow = 500
	// batchMails and batchBytes are how much is fetched, and kept in one unit of
	// work, at once.
	batchMails = 200
	batchBytes = 8 << 20
	// unsized is how many mails are fetched without asking for their sizes before.
	unsized = 16
	// fetchTries is how often a mail is asked for before the others go on without it.
	fetchTries = 3
)

// fetching is what the owner remembers of mails that were hard to fetch.
type fetching struct {
	single bool           // one at a time: one of a batch cut the connection
	tries  map[uint32]int // by UID: how often the connection broke on it without getting further
	long   *long          // a large mail under way
}

// drop gives up a large mail under way.
func (f *fetching) drop() {
	if f.long != nil {
		f.long.close()
		f.long = nil
	}
}

// fetch brings mails into the ledger, batch by batch. mark says of each mail what
// the caller knows; moved is called with the UIDs of a batch before it is kept, to
// move the cursor. Mails that the server received before the mailbox's own
// beginning are left alone.
func (o *owner) fetch(ctx context.Context, uids []uint32, mark func(*inbox.Mail), moved func([]uint32)) error {
	for len(uids) > 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		window := uids[:min(len(uids), sizeWindow)]
		uids = uids[len(window):]
		wanted, sizes, err := o.sized(ctx, window)
		if err != nil {
			return err
		}
		for len(window) > 0 {
			batch := o.batch(window, sizes)
			window = window[len(batch):]
			var arrivals []inbox.Arrival
			for some := within(batch, wanted); len(some) > 0; {
				n := len(some)
				if o.fetching.single {
					n = 1
				}
				got, err := o.gather(ctx, some[:n])
				if err != nil {
					return err
				}
				arrivals = append(arrivals, got...)
				some = some[n:]
			}
			o.fetching.single = false
			for i := range arrivals {
				mark(&arrivals[i].Mail)
			}
			if err := o.keep(ctx, arrivals, batch, moved); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep stores a batch with the cursor.
func (o *owner) keep(ctx context.Context, arrivals []inbox.Arrival, batch []uint32, moved func([]uint32)) error {
	slices.SortFunc(arrivals, func(a, b inbox.Arrival) int { return cmp.Compare(a.Mail.UID, b.Mail.UID) }) // large ones came last
	was := o.box
	moved(batch)
	if len(arrivals) == 0 && o.box == was {
		return nil
	}
	box, _, err := o.ledger.Keep(ctx, o.lease, o.box, arrivals)
	if err != nil {
		o.box = was
		return err
	}
	o.box = box
	for _, uid := range batch {
		delete(o.fetching.tries, uid)
	}
	return nil
}

// sized asks for sizes, and leaves out mails that are older than the mailbox's
// beginning. A few mails above the cursor are not asked about: they are new.
func (o *owner) sized(ctx context.Context, window []uint32) (wanted map[uint32]bool, sizes map[uint32]int64, err error) {
	if len(window) <= unsized && window[0] > o.box.Last && o.box.Last > 0 {
		return nil, nil, nil
	}
	items, err := o.conn.Sizes(ctx, window)
	if err != nil {
		return nil, nil, err
	}
	wanted, sizes = make(map[uint32]bool, len(items)), make(map[uint32]int64, len(items))
	live := window[0] > o.box.Last && o.box.Last > 0
	for _, i := range items {
		sizes[i.UID] = i.Size
		wanted[i.UID] = live || o.box.From.IsZero() || i.Received.IsZero() || !i.Received.Before(o.box.From)
	}
	return wanted, sizes, nil
}

// batch gives how many of the window are fetched at once.
func (o *owner) batch(window []uint32, sizes map[uint32]int64) []uint32 {
	total := int64(0)
	for n, uid := range window {
		size := min(sizes[uid], ChunkBytes)
		if n > 0 && (n == batchMails || total+size > batchBytes) {
			return window[:n]
		}
		total += size
	}
	return window
}

// within narrows UIDs to those wanted; nil wants all.
func within(uids []uint32, wanted map[uint32]bool) []uint32 {
	if wanted == nil {
		return uids
	}
	out := make([]uint32, 0, len(uids))
	for _, uid := range uids {
		if wanted[uid] {
			out = append(out, uid)
		}
	}
	return out
}

// gather fetches mails. One that the server refuses, or that cuts the connection
// again and again, arrives without bytes.
func (o *owner) gather(ctx context.Context, uids []uint32) (arrivals []inbox.Arrival, err error) {
	if len(uids) == 1 && o.fetching.tries[uids[0]] >= fetchTries {
		return []inbox.Arrival{o.unfetchable(uids[0], fmt.Sprintf("the connection broke %d times while the server was giving it", fetchTries))}, nil
	}
	var large []Item
	err = o.conn.Fetch(ctx, uids, func(i Item) error {
		if len(i.Bytes) == ChunkBytes {
			large = append(large, i)
			return nil
		}
		arrivals = append(arrivals, o.arrival(i, i.Bytes))
		return nil
	})
	for n := 0; err == nil && n < len(large); n++ {
		var a inbox.Arrival
		if a, err = o.fetchLong(ctx, large[n]); err == nil {
			arrivals = append(arrivals, a)
		}
	}
	if err == nil {
		return arrivals, nil
	}
	switch f := failureOf("Fetching mails", err); {
	case ctx.Err() != nil || f.Trouble == inbox.Unkept:
		return nil, err
	case f.Refusal && len(uids) == 1:
		return []inbox.Arrival{o.unfetchable(uids[0], f.Words)}, nil
	case f.Refusal: // one of them is refused: which?
		arrivals = arrivals[:0]
		for n := range uids {
			some, err := o.gather(ctx, uids[n:n+1])
			if err != nil {
				return nil, err
			}
			arrivals = append(arrivals, some...)
		}
		return arrivals, nil
	case len(uids) == 1:
		if o.fetching.tries == nil {
			o.fetching.tries = map[uint32]int{}
		}
		o.fetching.tries[uids[0]]++
	}
	o.fetching.single = true
	return nil, err
}

// arrival is a mail that was fetched whole.
func (o *owner) arrival(i Item, raw []byte) inbox.Arrival {
	sum := sha256.Sum256(raw)
	return inbox.Arrival{Mail: o.mail(i, hex.EncodeToString(sum[:]), int64(len(raw))), Raw: raw}
}

// mail is the row of a mail that waits for the worker.
func (o *owner) mail(i Item, hash string, size int64) inbox.Mail {
	received := i.Received
	if received.IsZero() {
		received = o.now()
	}
	return inbox.Mail{
		Validity: o.box.Validity, Epoch: o.box.Epoch, UID: i.UID, Hash: hash, Size: size, ReceivedAt: received,
		Fate: inbox.Waiting, Settled: o.spec.After.nothing(),
	}
}

// unfetchAgain is when a mail that the server would not give is asked for again.
const unfetchAgain = time.Hour

// unfetchable is a mail whose bytes could not be had.
func (o *owner) unfetchable(uid uint32, why string) inbox.Arrival {
	o.log.Warn("mail not fetched", "mailbox", o.spec.Name, "uid", uid, "why", why)
	m := o.mail(Item{UID: uid}, "", 0)
	m.Fate, m.Reason, m.Attempts, m.NextAt = inbox.Unfetchable, why, 1, o.now().Add(unfetchAgain)
	return inbox.Arrival{Mail: m}
}

// long is a mail that does not fit into one chunk, on its way into a file. It
// outlives the connection, so that a slow line gets further with every try.
type long struct {
	validity, uid uint32
	file          *os.File
	sum           hash.Hash
	size          int64
}

// Write adds to the mail.
func (l *long) Write(p []byte) (int, error) {
	n, err := l.file.Write(p)
	l.sum.Write(p[:n])
	l.size += int64(n)
	return n, err
}

func (l *long) close() {
	_ = l.file.Close()
	_ = os.Remove(l.file.Name())
}

// fetchLong fetches the rest of a large mail, chunk by chunk, and stages it. Of one
// that is larger than the limit the beginning alone is kept, and said so.
func (o *owner) fetchLong(ctx context.Context, i Item) (inbox.Arrival, error) {
	l := o.fetching.long
	if l == nil || l.validity != o.box.Validity || l.uid != i.UID {
		o.fetching.drop()
		file, err := os.CreateTemp(o.spool, "mail-*")
		if err != nil {
			return inbox.Arrival{}, problem.Unavailable(err, "The folder for mails under way cannot be written; the disk may be full.")
		}
		l = &long{validity: o.box.Validity, uid: i.UID, file: file, sum: sha256.New()}
		o.fetching.long = l
		if _, err := l.Write(i.Bytes); err != nil {
			return inbox.Arrival{}, o.spoolFull(err)
		}
	}
	for l.size <= o.spec.MaxBytes {
		was := l.size
		n, err := o.conn.Chunk(ctx, i.UID, l.size, l)
		if l.size > was {
			delete(o.fetching.tries, i.UID) // it got further
		}
		if err != nil {
			if l.size-was < n {
				return inbox.Arrival{}, o.spoolFull(err)
			}
			return inbox.Arrival{}, err
		}
		if n == 0 {
			break
		}
	}
	defer o.fetching.drop()
	if l.size > o.spec.MaxBytes {
		a := o.arrival(i, i.Bytes)
		a.Mail.Reason, a.Mail.Settled = fmt.Sprintf("it is larger than %d MB: only its beginning was fetched", o.spec.MaxBytes>>20), true
		return a, nil
	}
	hash := hex.EncodeToString(l.sum.Sum(nil))
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return inbox.Arrival{}, o.spoolFull(err)
	}
	if err := o.ledger.Stage(ctx, hash, l.file); err != nil {
		return inbox.Arrival{}, err
	}
	return inbox.Arrival{Mail: o.mail(i, hash, l.size), Staged: true}, nil
}

// spoolFull tells of a file that cannot be written. It is begun anew.
func (o *owner) spoolFull(err error) error {
	o.fetching.drop()
	return problem.Unavailable(err, "A large mail could not be put on the disk, which may be full; it stays on the server.")
}
