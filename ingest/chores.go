package ingest

import (
	"context"
	"time"

	"evenkeel/internal/inbox"
)

const (
	// compareEvery is how often the ledger is compared with the server.
	compareEvery = time.Hour
	// choreBatch is how many mails one chore takes on at once.
	choreBatch = 200
	// settleAgain is how long the server is left alone after it refused to move,
	// mark or delete.
	settleAgain = 10 * time.Minute
	// recordWithin bounds writing down what was done on the server.
	recordWithin = 5 * time.Second
	// quietAfter is the age from which a mail that was missed is brought in quietly.
	quietAfter = 24 * time.Hour
)

// chores does what is due besides fetching what is new.
func (o *owner) chores(ctx context.Context) error {
	if now := o.now(); now.Sub(o.compared) >= compareEvery && now.Sub(o.box.ComparedAt) >= compareEvery || o.box.ComparedAt.IsZero() {
		if err := o.compare(ctx); err != nil {
			return err
		}
		o.compared = now
	}
	if err := o.retry(ctx); err != nil {
		return err
	}
	return o.settle(ctx)
}

// compare looks whether the ledger knows every mail that the server shows, and
// fetches what it does not.
func (o *owner) compare(ctx context.Context) (err error) {
	gap := 0
	if from := max(o.box.Floor, o.box.BackfillTo, 1); from <= o.box.Last {
		there, err := o.conn.UIDs(ctx, from, o.box.Last)
		if err != nil {
			return err
		}
		unknown, err := o.ledger.Unkept(ctx, o.box, there)
		if err != nil {
			return err
		}
		old := o.now().Add(-quietAfter)
		if err := o.fetch(ctx, unknown, func(m *inbox.Mail) {
			gap++
			m.Quiet = m.ReceivedAt.Before(old) || m.ReceivedAt.Before(o.box.QuietTo)
		}, func([]uint32) {}); err != nil {
			return err
		}
	}
	if gap > 0 {
		o.log.Warn("the ledger did not know mails that are on the server; they were fetched", "mailbox", o.spec.Name, "count", gap)
	}
	o.box, err = o.ledger.Compared(ctx, o.lease, o.box, gap)
	return err
}

// retry asks again for mails that the server would not give.
func (o *owner) retry(ctx context.Context) error {
	due, err := o.ledger.Unfetched(ctx, o.box, choreBatch)
	if err != nil {
		return err
	}
	for _, m := range due {
		delete(o.fetching.tries, m.UID)
		got, err := o.gather(ctx, []uint32{m.UID})
		if err != nil {
			return err
		}
		if len(got) == 1 && got[0].Mail.Hash != "" {
			if err := o.ledger.Fetched(ctx, o.lease, m, got[0]); err != nil {
				return err
			}
			continue
		}
		m.Attempts++
		m.NextAt = o.now().Add(unfetchAgain)
		if len(got) == 0 {
			m.Reason, m.NextAt = "it is not on the server any more", time.Time{}
		}
		if err := o.ledger.Rewrite(ctx, o.lease, []inbox.Mail{m}); err != nil {
			return err
		}
	}
	return nil
}

// After is what happens on the server once a mail has its fate.
type After struct {
	Seen   bool
	Move   string // folder
	Delete bool
	Wait   time.Duration // before it is deleted
	Spam   string        // folder for what is marked as spam; "" = as others
	Failed string        // folder for what could not be read; "" = it stays
}

// nothing reports whether mails simply stay as they are.
func (a After) nothing() bool { return a == After{} }

// prompt reports whether something is done as soon as a mail has its fate.
func (a After) prompt() bool {
	return !a.nothing() && (a.Wait == 0 || a.Spam != "" || a.Failed != "")
}

// act is one thing to do to mails.
type act struct {
	seen, delete bool
	move         string
}

// of gives what to do to one mail.
func (a After) of(m inbox.Mail) act {
	switch {
	case m.Fate == inbox.SetAside:
		return act{move: a.Failed}
	case m.Kind == "spam" && a.Spam != "":
		return act{move: a.Spam}
	default:
		return act{seen: a.Seen, move: a.Move, delete: a.Delete}
	}
}

// settle does on the server what follows a mail's fate. A server that refuses is
// left alone for a while: nothing is lost by it.
func (o *owner) settle(ctx context.Context) error {
	if o.spec.After.nothing() || o.now().Before(o.settleAt) {
		return nil
	}
	for {
		mails, err := o.ledger.Unsettled(ctx, o.box, inbox.Unsettled{
			Before: o.now().Add(-o.spec.After.Wait), Spam: o.spec.After.Spam != "", Failed: o.spec.After.Failed != "", Limit: choreBatch,
		})
		if err != nil || len(mails) == 0 {
			return err
		}
		by := map[act][]inbox.Mail{}
		for _, m := range mails {
			do := o.spec.After.of(m)
			by[do] = append(by[do], m)
		}
		for do, some := range by {
			if err := o.do(ctx, do, some); err != nil {
				f := failureOf("Settling mails", err)
				if !f.Refusal {
					return err
				}
				o.settleAt = o.now().Add(settleAgain)
				o.log.Warn("mails could not be settled on the server", "mailbox", o.spec.Name, "err", err)
				return nil
			}
		}
	}
}

// do does one thing to mails, and writes down that it was done.
func (o *owner) do(ctx context.Context, do act, mails []inbox.Mail) (err error) {
	uids := make([]uint32, len(mails))
	for i := range mails {
		uids[i] = mails[i].UID
		mails[i].Settled = true
	}
	switch {
	case do.move != "":
		err = o.conn.Move(ctx, uids, do.move)
	case do.delete:
		err = o.conn.Delete(ctx, uids)
	case do.seen:
		err = o.conn.Seen(ctx, uids)
	}
	if err != nil {
		return err
	}
	// It was done: a stop must not leave it to be done again.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer stop()
	return o.ledger.Rewrite(ctx, o.lease, mails)
}
