package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// pollMute is how often a server without IDLE is asked, unless the
	// configuration says more often.
	pollMute = 30 * time.Second
	// clockSkew is how far a server's clock may be behind ours.
	clockSkew = time.Minute
	// noteEvery is how often it is written down that a mailbox is well.
	noteEvery = 30 * time.Second
	// crowdedBacklog is how many mails may wait for the worker before old mail is
	// not fetched any faster.
	crowdedBacklog = 2000
)

// Spec is one mailbox as it is configured.
type Spec struct {
	Name string
	Mark string // of everything the configuration says of it: another one means another owner
	// Open opens a connection. Errors: *Failure.
	Open func(ctx context.Context) (Conn, error)
	// Renew gives the moment from which the connection should be opened anew, for
	// its token ends; zero = never.
	Renew func() time.Time

	All      bool          // at the first look, fetch everything that is there
	Last     time.Duration // or what came within so long; 0 = nothing
	After    After
	Poll     time.Duration
	MaxBytes int64 // of one mail; of larger ones only the beginning is fetched
}

// owner holds the one connection to a mailbox, under the lease of its name. It is
// one goroutine.
type owner struct {
	spec   Spec
	ledger *inbox.Ledger
	spool  string // folder for large mails under way
	log    *slog.Logger
	now    func() time.Time

	lease    journal.Lease
	conn     Conn
	box      inbox.Mailbox
	noted    time.Time
	compared time.Time
	settleAt time.Time // nothing is done on the server before
	below    []uint32  // UIDs that the walk down has before it; nil until asked
	asked    bool      // below was asked for
	fetching fetching
}

// run reads the mailbox until ctx ends.
func (o *owner) run(ctx context.Context, lease journal.Lease) error {
	o.lease = lease
	defer o.fetching.drop()
	for failures := 0; ctx.Err() == nil; {
		begun := o.now()
		err := o.session(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, journal.ErrLeaseLost):
			<-ctx.Done() // whoever holds the lease for us notices
			return nil
		case err == nil, problem.KindOf(err) == problem.KindConflict: // somebody changed the row: look at it anew
			pause(ctx, settleFor)
			continue
		}
		if o.now().Sub(begun) >= wellAfter {
			failures = 0
		}
		f := failureOf("Reading the mailbox", err)
		wait := f.backOff(failures)
		failures++
		o.log.Warn("mailbox not read", "mailbox", o.spec.Name, "trouble", f.Trouble, "again_in", wait, "err", err)
		o.ill(ctx, f)
		o.rest(ctx, wait)
	}
	return nil
}

// rest waits, or until a person asks for another try.
func (o *owner) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-o.ledger.Asked():
	case <-ctx.Done():
	}
}

// ill writes down what keeps the mailbox from being read.
func (o *owner) ill(ctx context.Context, f *Failure) {
	state := inbox.BackingOff
	if f.Consent {
		state = inbox.NeedsConsent
	}
	box, err := o.ledger.Begin(ctx, o.lease, o.spec.Name)
	if err == nil {
		o.box, err = o.ledger.Move(ctx, o.lease, box, state, f.Trouble, f.Words)
	}
	if err != nil && ctx.Err() == nil {
		o.log.Warn("state of the mailbox not kept", "mailbox", o.spec.Name, "err", err)
	}
}

// session reads over one connection. It gives nil when a new one is wanted.
func (o *owner) session(ctx context.Context) (err error) {
	if o.box, err = o.ledger.Begin(ctx, o.lease, o.spec.Name); err != nil {
		return err
	}
	if o.conn, err = o.spec.Open(ctx); err != nil {
		return err
	}
	defer o.conn.Close()
	o.below, o.asked = nil, false
	if err := o.adopt(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		wake := o.ledger.Asked()
		if o.spec.After.prompt() {
			wake = o.ledger.Fated()
		}
		if o.box, err = o.ledger.Begin(ctx, o.lease, o.spec.Name); err != nil { // a person may have changed it
			return err
		}
		if err := o.catchUp(ctx); err != nil {
			return err
		}
		if err := o.chores(ctx); err != nil {
			return err
		}
		more, err := o.walkDown(ctx)
		if err != nil {
			return err
		}
		if err := o.well(ctx); err != nil {
			return err
		}
		if renew := o.spec.Renew(); !renew.IsZero() && !o.now().Before(renew) {
			return nil
		}
		if more {
			continue
		}
		if err := o.conn.Wait(ctx, o.pause(), wake); err != nil {
			return err
		}
	}
	return nil
}

// pause is how long the server is listened to before it is asked anyway: IDLE
// forgets things.
func (o *owner) pause() time.Duration {
	d := o.spec.Poll
	if !o.conn.Listens() {
		d = min(d, pollMute)
	}
	if !o.box.Backfilled() {
		d = min(d, time.Second) // the worker was behind
	}
	if renew := o.spec.Renew(); !renew.IsZero() {
		d = max(min(d, renew.Sub(o.now())), 0)
	}
	return d
}

// well writes down, now and then, that the mailbox is being read and up to date.
func (o *owner) well(ctx context.Context) (err error) {
	state := inbox.Polling
	switch {
	case !o.box.Backfilled():
		state = inbox.Backfilling
	case o.conn.Listens():
		state = inbox.Listening
	}
	now := o.now()
	if o.box.State == state && now.Sub(o.noted) < noteEvery {
		return nil
	}
	o.noted, o.box.OKAt = now, now
	if o.box.State != state || o.box.Reason != "" {
		o.box, err = o.ledger.Move(ctx, o.lease, o.box, state, inbox.NoTrouble, "")
		return err
	}
	o.box, err = o.ledger.Note(ctx, o.lease, o.box)
	return err
}

// adopt takes over the folder's numbers: at the first look, and when the server
// has begun to count anew.
func (o *owner) adopt(ctx context.Context) (err error) {
	f, now := o.conn.Folder(), o.now()
	next := f.Next
	switch {
	case o.box.Validity == 0:
		if next == 0 {
			if next, err = o.nextUID(ctx); err != nil {
				return err
			}
		}
		o.box.Validity, o.box.Last, o.box.BackfillTo, o.box.Floor = f.Validity, next-1, next, next
		if o.spec.All || o.spec.Last > 0 {
			o.box.Floor = 1
		}
		if !o.spec.All {
			o.box.From = now.Add(-o.spec.Last - clockSkew) // the server's clock is another one, and tells whole seconds
		}
	case o.box.Validity != f.Validity:
		o.box.Validity, o.box.Epoch = f.Validity, 0
		o.renumber()
		o.log.Warn("the server has begun to count anew; everything is looked at again", "mailbox", o.spec.Name, "uidvalidity", f.Validity)
	case next != 0 && next <= o.box.Last:
		o.box.Epoch++
		o.renumber()
		o.log.Warn("the server counts from a lower number than before; everything is looked at again", "mailbox", o.spec.Name, "uidnext", next)
	default:
		return nil
	}
	o.box, err = o.ledger.Note(ctx, o.lease, o.box)
	return err
}

// renumber sends the cursor back to the beginning. What is known by its bytes is a
// duplicate; what is older than the last good look is old news.
func (o *owner) renumber() {
	o.box.Last, o.box.BackfillTo, o.box.Floor = 0, 1, 1
	if quiet := o.box.OKAt.Add(-clockSkew); quiet.After(o.box.QuietTo) {
		o.box.QuietTo = quiet
	}
}

// nextUID finds what the next UID will be, for servers that do not say.
func (o *owner) nextUID(ctx context.Context) (uint32, error) {
	uids, err := o.conn.UIDs(ctx, 1, 0)
	if err != nil || len(uids) == 0 {
		return 1, err
	}
	return uids[len(uids)-1] + 1, nil
}

// catchUp fetches everything above the cursor.
func (o *owner) catchUp(ctx context.Context) error {
	uids, err := o.conn.UIDs(ctx, o.box.Last+1, 0)
	if err != nil {
		return err
	}
	return o.fetch(ctx, uids, func(m *inbox.Mail) { m.Quiet = m.ReceivedAt.Before(o.box.QuietTo) }, func(batch []uint32) {
		o.box.Last = batch[len(batch)-1]
	})
}

// walkWindow is how many older mails are fetched between two looks at new ones.
const walkWindow = 500

// walkDown fetches one window of older mails, quietly. more tells that another one
// should follow at once.
func (o *owner) walkDown(ctx context.Context) (more bool, err error) {
	if o.box.Backfilled() {
		return false, nil
	}
	if waiting, _, err := o.ledger.Backlog(ctx); err != nil || waiting > crowdedBacklog {
		return false, err
	}
	if !o.asked {
		if o.below, err = o.conn.UIDs(ctx, max(o.box.Floor, 1), o.box.BackfillTo-1); err != nil {
			return false, err
		}
		o.asked = true
	}
	window := o.below[max(0, len(o.below)-walkWindow):]
	o.below = o.below[:len(o.below)-len(window)]
	unknown, err := o.ledger.Unkept(ctx, o.box, window)
	if err != nil {
		return false, err
	}
	if err := o.fetch(ctx, unknown, func(m *inbox.Mail) { m.Quiet = true }, func([]uint32) {}); err != nil {
		return false, err
	}
	o.box.BackfillTo = max(o.box.Floor, 1)
	if len(o.below) > 0 {
		o.box.BackfillTo = window[0]
	}
	if o.box, err = o.ledger.Note(ctx, o.lease, o.box); err != nil {
		return false, err
	}
	o.log.Info("older mail fetched", "mailbox", o.spec.Name, "to_uid", o.box.BackfillTo, "left", len(o.below))
	if o.box.Backfilled() {
		o.below, o.asked = nil, false
	}
	return !o.box.Backfilled(), nil
}
