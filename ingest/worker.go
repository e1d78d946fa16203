package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

const (
	// sweepEvery is how often what is old, and what nobody refers to, is cleared away.
	sweepEvery = time.Hour
	// beatEvery is what the worker promises: one batch of the largest mails.
	beatEvery = 30 * time.Second
	// lookEvery is how long the worker sleeps when nothing tells it of mail:
	// another process may have stored some.
	lookEvery = time.Second
	// workMails and workBytes are how much is read, in parallel, at once.
	workMails = 64
	workBytes = 8 << 20
	// unitsAtOnce is how many units of work they are settled in, at the same time.
	unitsAtOnce = 4
	// readWithin bounds reading one mail.
	readWithin = 30 * time.Second
	// againIn is how long the worker waits when the record does not take what it
	// found.
	againIn = time.Second
)

// Desk takes what came in.
type Desk interface {
	// Receive makes a mail a ticket, a message of one, or neither, inside the unit
	// of work. It may be run again after a serialisation failure.
	Receive(ctx context.Context, tx journal.Tx, in ticket.Incoming) (ticket.Outcome, error)
}

// Shortcut looks at a mail before the desk does; done tells that it is dealt with,
// inside the unit of work.
type Shortcut func(ctx context.Context, tx journal.Tx, m inbox.Mail, r *Reading) (done bool, fate inbox.Fate, reason string, err error)

// WorkerDeps is what a Worker needs.
type WorkerDeps struct {
	Ledger *inbox.Ledger
	Work   journal.Work
	Blobs  inbox.Blobs
	Desk   Desk
	// Read reads the source of a mail. Errors: only when the source cannot be had.
	Read func(ctx context.Context, m inbox.Mail, raw io.Reader) (*Reading, error)
	// Glance reads the top of a mail that could not be read as a whole.
	Glance func(m inbox.Mail, raw io.Reader) *Reading
	// Keep tells how long sources of mails are kept; 0 = as long as their tickets.
	Keep func() time.Duration
	// Shortcuts are asked in order before the desk is.
	Shortcuts []Shortcut
	Now       func() time.Time
	Log       *slog.Logger
	// Beat is called at least so often while the worker is well, Rest when it ends;
	// both may be missing.
	Beat func(every time.Duration)
	Rest func()
}

// Worker takes mails out of the ledger, oldest first, and gives them to the desk.
// A mail, what it became, its attachments and its fate are one unit of work. One
// process runs it at a time, under a lease that fences every write.
type Worker struct {
	d     WorkerDeps
	lease journal.Lease
	// wary is how many mails, after the worker has begun, are marked as tried before
	// they are read: one that brings the whole process down is set aside in the end.
	wary int

	mu     sync.Mutex
	counts map[Count]int64
}

// Count is a sort of mails that a worker counts.
type Count struct {
	Mailbox string
	Fate    inbox.Fate
}

// Counts gives how many mails of each sort this worker has dealt with. The map is
// the caller's.
func (w *Worker) Counts() map[Count]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.counts)
}

// counted counts mails whose fate is on disk.
func (w *Worker) counted(mails []inbox.Mail) {
	w.d.Ledger.Decided()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range mails {
		w.counts[Count{m.Mailbox, m.Fate}]++
	}
}

// NewWorker makes a Worker.
func NewWorker(d WorkerDeps) *Worker {
	if d.Beat == nil {
		d.Beat = func(time.Duration) {}
	}
	if d.Keep == nil {
		d.Keep = func() time.Duration { return 0 }
	}
	if d.Rest == nil {
		d.Rest = func() {}
	}
	return &Worker{d: d, counts: map[Count]int64{}}
}

// Run works until ctx ends. It is made to be run by journal.Hold.
func (w *Worker) Run(ctx context.Context, lease journal.Lease) error {
	w.lease, w.wary = lease, workMails
	defer w.d.Rest()
	swept := time.Time{}
	for ctx.Err() == nil {
		came := w.d.Ledger.Came()
		if now := w.d.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			w.sweep(ctx, now)
		}
		done, err := w.round(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, journal.ErrLeaseLost):
			<-ctx.Done()
		case err != nil:
			w.d.Log.Warn("mails not worked on", "err", err)
			pause(ctx, againIn)
		case done:
			w.d.Beat(beatEvery)
		default:
			w.d.Beat(beatEvery)
			w.sleep(ctx, came)
		}
	}
	return nil
}

// sweep clears away what is old.
func (w *Worker) sweep(ctx context.Context, now time.Time) {
	before := time.Time{}
	if keep := w.d.Keep(); keep > 0 {
		before = now.Add(-keep)
	}
	if err := w.d.Ledger.Sweep(ctx, w.lease, before); err != nil && ctx.Err() == nil {
		w.d.Log.Warn("old mail not cleared away", "err", err)
	}
}

func (w *Worker) sleep(ctx context.Context, came <-chan struct{}) {
	t := time.NewTimer(lookEvery)
	defer t.Stop()
	select {
	case <-came:
	case <-t.C:
	case <-ctx.Done():
	}
}

// task is one mail on its way through the worker.
type task struct {
	mail   inbox.Mail
	twin   string // id of the mail that it repeats
	read   *Reading
	err    error    // it could not be read
	glance *Reading // when that was the last try
}

// round works on what waits; done tells that there was something.
func (w *Worker) round(ctx context.Context) (done bool, err error) {
	mails, err := w.d.Ledger.Waiting(ctx, workMails)
	if err != nil || len(mails) == 0 {
		w.wary = 0
		return false, err
	}
	mails = mails[:w.much(mails)]
	if w.wary > 0 {
		mails = mails[:1]
		w.wary--
		if mails[0], err = w.brace(ctx, mails[0]); err != nil || mails[0].Fate != inbox.Waiting {
			return true, err
		}
	}
	tasks, err := w.tasks(ctx, mails)
	if err != nil {
		return false, err
	}
	w.readAll(ctx, tasks)
	for _, t := range tasks {
		if t.err != nil && t.mail.Attempts+1 >= inbox.MaxAttempts {
			t.glance = w.glance(ctx, t.mail)
		}
	}
	defer func() {
		for _, t := range tasks {
			t.read.drop()
		}
	}()
	return true, w.settleAll(ctx, tasks)
}

// settleAll settles mails in units of work that run at the same time.
func (w *Worker) settleAll(ctx context.Context, tasks []*task) error {
	units := lanes(tasks, unitsAtOnce)
	errs := make([]error, len(units))
	var all sync.WaitGroup
	for i, unit := range units {
		if len(unit) > 0 {
			all.Go(func() { errs[i] = w.settle(ctx, unit) })
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// much gives how many of the mails are taken on together: one at least.
func (w *Worker) much(mails []inbox.Mail) int {
	total := int64(0)
	for n, m := range mails {
		if total += m.Size; n > 0 && total > workBytes {
			return n
		}
	}
	return len(mails)
}

// brace marks a mail as tried before it is read. One that was tried too often is
// set aside unread.
func (w *Worker) brace(ctx context.Context, m inbox.Mail) (inbox.Mail, error) {
	if m.Attempts >= inbox.MaxAttempts {
		m.Fate, m.Reason = inbox.SetAside, "this hub ended each time while it was being read"
		return m, w.aside(ctx, m)
	}
	m.Attempts++
	err := w.d.Ledger.Rewrite(ctx, w.lease, []inbox.Mail{m})
	m.Version++
	m.Attempts-- // what becomes of it says whether that counts
	return m, err
}

// tasks finds out which mails are known already by their bytes.
func (w *Worker) tasks(ctx context.Context, mails []inbox.Mail) ([]*task, error) {
	hashes := make([]string, len(mails))
	for i, m := range mails {
		hashes[i] = m.Hash
	}
	known, err := w.d.Ledger.Known(ctx, hashes)
	if err != nil {
		return nil, err
	}
	tasks, first := make([]*task, len(mails)), make(map[string]string, len(mails))
	for i, m := range mails {
		t := &task{mail: m}
		tasks[i] = t
		if twin, there := known[m.Hash]; there {
			t.twin = twin.ID
		} else if id, there := first[m.Hash]; there {
			t.twin = id
		} else {
			first[m.Hash] = m.ID
		}
	}
	return tasks, nil
}

// readAll reads the mails that are new, on as many goroutines as there are
// processors.
func (w *Worker) readAll(ctx context.Context, tasks []*task) {
	next := make(chan *task, len(tasks))
	for _, t := range tasks {
		if t.twin == "" {
			next <- t
		}
	}
	close(next)
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(next)) {
		all.Go(func() {
			for t := range next {
				t.read, t.err = w.readOne(ctx, t.mail)
			}
		})
	}
	all.Wait()
}

// readOne reads one mail. Whatever it holds, there is a reading or an error.
func (w *Worker) readOne(ctx context.Context, m inbox.Mail) (r *Reading, err error) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			w.d.Log.Error("reading a mail panicked", "mail", m.ID, "panic", p, "stack", string(debug.Stack()))
			r.drop()
			r, err = nil, fmt.Errorf("the reader failed inside this hub: %v", p)
		}
	}()
	raw, _, err := w.d.Blobs.OpenBlob(ctx, m.Hash)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	return w.d.Read(ctx, m, raw)
}

// settle gives mails to the desk in one unit of work, or each in its own when that
// fails. An error means that the record does not take them now.
func (w *Worker) settle(ctx context.Context, tasks []*task) error {
	for _, t := range tasks {
		if err := t.read.stage(ctx, w.d.Blobs); err != nil {
			return err
		}
	}
	err := w.unit(ctx, tasks)
	if err == nil || passing(err) || ctx.Err() != nil {
		return err
	}
	if len(tasks) > 1 {
		for i := range tasks {
			if err := w.settle(ctx, tasks[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	t := tasks[0]
	w.d.Log.Error("mail not taken", "mail", t.mail.ID, "mailbox", t.mail.Mailbox, "attempts", t.mail.Attempts+1, "err", err)
	return w.fail(ctx, t.mail, "it could not be taken in: "+problem.Public(err))
}

// passing reports whether an error is nobody's fault but the moment's. A Conflict is
// the mail's own: one that lasts must not hold up the others.
func passing(err error) bool {
	return problem.KindOf(err) == problem.KindUnavailable || errors.Is(err, journal.ErrLeaseLost) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// unit is one unit of work for some mails.
func (w *Worker) unit(ctx context.Context, tasks []*task) error {
	var decided []inbox.Mail
	err := w.commit(ctx, func(tx journal.Tx) error {
		decided = decided[:0] // anew with every run
		for _, t := range tasks {
			m := t.mail
			if err := w.decide(ctx, tx, t, &m); err != nil {
				return err
			}
			decided = append(decided, m)
		}
		return w.d.Ledger.Decide(ctx, tx, decided)
	})
	if err == nil {
		w.counted(decided)
	}
	return err
}

// commit runs one unit of work under the lease. A panic in it is the fault of the
// mails that it is about, and not the end of the hub.
func (w *Worker) commit(ctx context.Context, fn func(journal.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.d.Log.Error("taking mails in panicked", "panic", p, "stack", string(debug.Stack()))
			err = problem.Internal(fmt.Errorf("%v", p), "The desk failed inside this hub.")
		}
	}()
	return journal.UnderLease(ctx, w.d.Work, w.lease, fn)
}

// decide finds one mail's fate.
func (w *Worker) decide(ctx context.Context, tx journal.Tx, t *task, m *inbox.Mail) error {
	m.NextAt = time.Time{}
	switch {
	case t.twin != "":
		m.Fate, m.Of, m.Reason = inbox.Repeated, t.twin, "the same bytes came before"
		return nil
	case t.err != nil:
		m.Failed(tx.Now(), t.err.Error())
		if m.Fate != inbox.SetAside {
			return nil
		}
		t.glance.Incoming.Warnings = unreadable(m.Reason)
		return w.receive(ctx, tx, t.glance, m)
	}
	for _, look := range w.d.Shortcuts {
		done, fate, reason, err := look(ctx, tx, *m, t.read)
		if err != nil || done {
			m.Fate, m.Reason, m.Kind, m.MessageID = fate, reason, t.read.Incoming.Kind, clipID(t.read.Incoming.MessageID)
			return err
		}
	}
	return w.receive(ctx, tx, t.read, m)
}

// receive gives a reading to the desk, and its attachments a place.
func (w *Worker) receive(ctx context.Context, tx journal.Tx, r *Reading, m *inbox.Mail) error {
	out, err := w.d.Desk.Receive(ctx, tx, r.Incoming)
	if err != nil {
		return err
	}
	m.Ticket, m.Message, m.Kind, m.MessageID = out.Ticket, out.Message, r.Incoming.Kind, clipID(r.Incoming.MessageID)
	if out.Message != "" && !out.Repeats {
		if err := r.put(ctx, tx, w.d.Blobs); err != nil {
			return err
		}
	}
	if m.Fate == inbox.SetAside {
		return nil
	}
	m.Fate, m.Reason = fateOf(out, r.Incoming), out.Reason
	return nil
}

// fateOf gives the ledger's word for what the desk did.
func fateOf(out ticket.Outcome, in ticket.Incoming) inbox.Fate {
	switch {
	case out.Repeats:
		return inbox.Repeated
	case in.Bounce != nil && in.Kind == "bounce":
		return inbox.Bounced
	case out.Muted || out.Ticket == "":
		return inbox.Muted
	case out.Opened:
		return inbox.Opened
	}
	return inbox.Joined
}

// maxMessageID bounds a Message-ID as it is kept.
const maxMessageID = 998

func clipID(id string) string { return id[:min(len(id), maxMessageID)] }

// fail counts a try that failed, and sets the mail aside after the last one.
func (w *Worker) fail(ctx context.Context, m inbox.Mail, reason string) error {
	m.Failed(w.d.Now().UTC().Truncate(time.Microsecond), reason)
	if m.Fate == inbox.SetAside {
		return w.aside(ctx, m)
	}
	return w.d.Ledger.Rewrite(ctx, w.lease, []inbox.Mail{m})
}

// aside sets a mail aside with a ticket that says so, or without when even that
// fails: no sender is ignored because of the form of a mail.
func (w *Worker) aside(ctx context.Context, m inbox.Mail) error {
	top := w.glance(ctx, m)
	defer w.counted([]inbox.Mail{m})
	err := w.commit(ctx, func(tx journal.Tx) error {
		m := m
		if err := w.receive(ctx, tx, top, &m); err != nil {
			return err
		}
		return w.d.Ledger.Decide(ctx, tx, []inbox.Mail{m})
	})
	if err == nil || passing(err) {
		return err
	}
	w.d.Log.Error("no ticket for a mail that was set aside", "mail", m.ID, "err", err)
	return w.commit(ctx, func(tx journal.Tx) error { return w.d.Ledger.Decide(ctx, tx, []inbox.Mail{m}) })
}

// glance looks at the top of a mail that could not be read.
func (w *Worker) glance(ctx context.Context, m inbox.Mail) *Reading {
	raw, _, err := w.d.Blobs.OpenBlob(ctx, m.Hash)
	if err != nil {
		return w.d.Glance(m, strings.NewReader(""))
	}
	defer raw.Close()
	return w.d.Glance(m, raw)
}
