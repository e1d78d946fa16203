package ticket

import (
	"context"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Action is what is done to many tickets at once: everything that is set.
type Action struct {
	State    State
	Assignee *string // "" = nobody
	Priority Priority
	Queue    string
	AddTags  []string
	DropTags []string
	Incident *string // "" = none
	Snooze   time.Time
	Note     string
	Answer   *Answer // to each of them, in its own thread
}

// Done is what became of an act on many tickets.
type Done struct {
	Tickets []string // ids of those it changed
	Failed  []Failed // by what was asked for
	Undo    string   // takes all of it back for BulkKept; "" when nothing changed
}

// Bulk does one thing to many tickets, each in a unit of work of its own: what
// does not fit one of them does not keep it from the others. Answers wait for
// UndoFor. Errors: Invalid; Forbidden as a whole.
func (d *Desk) Bulk(ctx context.Context, by access.Actor, ids []string, a Action) (Done, error) {
	needs := a.needs()
	if len(needs) == 0 {
		return Done{}, problem.Invalid("action", "Say what to do with them.")
	}
	for _, act := range needs {
		if err := by.Check(act); err != nil {
			return Done{}, err
		}
	}
	if len(ids) == 0 || len(ids) > MaxBulk {
		return Done{}, problem.Invalid("tickets", "Choose 1 to %d tickets.", MaxBulk)
	}
	var done Done
	var undo []Undo
	seen := map[string]bool{}
	for _, asked := range ids {
		var u Undo
		t, err := d.change(ctx, by, asked, needs[0], func(h *hand) (err error) {
			if seen[h.t.ID] {
				return nil
			}
			u = Undo{Ticket: h.t.ID, Was: h.t.standing()}
			for _, act := range needs[1:] {
				if err := allows(by, act, h.t); err != nil {
					return err
				}
			}
			u.Message, err = h.do(a)
			return err
		})
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			done.Failed = append(done.Failed, Failed{ID: asked, Why: problem.Public(err), Kind: problem.KindOf(err)})
			continue
		}
		if seen[t.ID] {
			continue
		}
		seen[t.ID] = true
		u.Now = t.standing()
		undo = append(undo, u)
		done.Tickets = append(done.Tickets, t.ID)
	}
	if len(undo) == 0 {
		return done, ctx.Err()
	}
	b := Bulk{ID: journal.NewID(), Actor: by.ID, Undo: undo}
	err := d.work.Do(context.WithoutCancel(ctx), by.As(needs[0]), func(tx journal.Tx) error {
		b.At = tx.Now()
		return d.store.PutBulk(ctx, tx, b)
	})
	if err == nil {
		done.Undo = b.ID
	}
	return done, err
}

// needs gives the rights that an action asks for.
func (a Action) needs() (acts []access.Action) {
	if a.State != "" || a.Assignee != nil || a.Priority != "" || a.Queue != "" || len(a.AddTags)+len(a.DropTags) > 0 || !a.Snooze.IsZero() || a.Answer != nil {
		acts = append(acts, access.TicketAnswer)
	}
	if a.Incident != nil {
		acts = append(acts, access.TicketLink)
	}
	if a.Note != "" {
		acts = append(acts, access.TicketNote)
	}
	return acts
}

// do does an action to one ticket, and gives the answer that was written.
func (h *hand) do(a Action) (message string, err error) {
	steps := []func() error{
		func() error { return when(a.Incident != nil, func() error { return h.link(*a.Incident) }) },
		func() error { return when(a.Assignee != nil, func() error { return h.assign(*a.Assignee) }) },
		func() error { return when(a.Priority != "", func() error { return h.prioritise(a.Priority) }) },
		func() error { return when(a.Queue != "", func() error { return h.queueUp(a.Queue) }) },
		func() error {
			return when(len(a.AddTags)+len(a.DropTags) > 0, func() error { return h.tag(a.AddTags, a.DropTags) })
		},
		func() error {
			return when(a.Note != "", func() error { _, err := h.note(a.Note, nil); return err })
		},
		func() error {
			return when(a.Answer != nil, func() error {
				answer := *a.Answer
				answer.Version = 0
				if answer.State == "" {
					answer.State = a.State
				}
				who, err := h.store.RequesterForUpdate(h.ctx, h.tx, h.t.Requester)
				if err = absentIsNil(err); err != nil {
					return err
				}
				answer.Text = h.setup.written(answer.Text, h.t, who, "")
				m, err := h.answer(answer)
				message = m.ID
				return err
			})
		},
		func() error { return when(a.State != "" && a.Answer == nil, func() error { return h.moveTo(a.State) }) },
		func() error { return when(!a.Snooze.IsZero(), func() error { return h.snooze(a.Snooze) }) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return "", err
		}
	}
	return message, nil
}

// when runs fn if it is asked for.
func when(asked bool, fn func() error) error {
	if !asked {
		return nil
	}
	return fn()
}

// standing gives the part of a ticket that acts on many can change.
func (t *Ticket) standing() Standing {
	return Standing{
		State: t.State, Priority: t.Priority, Queue: t.Queue, Assignee: t.Assignee, Incident: t.Incident, Tags: slices.Clone(t.Tags), Snoozed: t.SnoozedUntil,
		SolvedAt: t.SolvedAt, ClosedAt: t.ClosedAt,
	}
}

// UndoBulk takes an act on many tickets back, by whoever did it: of each ticket
// that which still is as the act made it. Notes stay; answers that have left
// cannot be taken back and are told. Errors: NotFound when it is too long ago.
func (d *Desk) UndoBulk(ctx context.Context, by access.Actor, id string) (Done, error) {
	if err := by.Check(access.TicketNote); err != nil {
		return Done{}, err
	}
	var b Bulk
	err := d.work.Do(ctx, by.As(access.TicketNote), func(tx journal.Tx) (err error) {
		if b, err = d.store.Bulk(ctx, tx, id); err != nil {
			return err
		}
		if b.Actor != by.ID || tx.Now().Sub(b.At) > BulkKept {
			return problem.NotFound("There is nothing to take back.")
		}
		return d.store.DropBulk(ctx, tx, id) // whoever was first does it
	})
	if err != nil {
		return Done{}, err
	}
	var done Done
	for _, u := range b.Undo {
		_, err := d.change(ctx, by, u.Ticket, access.TicketNote, func(h *hand) error { return h.goBack(u) })
		if err != nil {
			done.Failed = append(done.Failed, Failed{ID: u.Ticket, Why: problem.Public(err), Kind: problem.KindOf(err)})
			continue
		}
		done.Tickets = append(done.Tickets, u.Ticket)
	}
	return done, nil
}

// goBack puts back what an act changed, as far as nobody changed it since.
func (h *hand) goBack(u Undo) error {
	t, was, made := h.t, u.Was, u.Now
	stands := t.State == made.State && t.State != was.State
	if u.Message != "" {
		m, err := h.store.MessageForUpdate(h.ctx, h.tx, u.Message)
		if err != nil {
			return err
		}
		if m.Sending != Timed && m.Sending != Held {
			return problem.Conflict("The answer is on its way already.")
		}
		if err := h.takeBack(&m); err != nil {
			return err
		}
	}
	back := func(same bool, put func()) {
		if same {
			put()
		}
	}
	back(t.Priority == made.Priority, func() { t.Priority = was.Priority })
	back(t.Queue == made.Queue, func() { t.Queue = was.Queue })
	back(t.Assignee == made.Assignee, func() { t.Assignee = was.Assignee })
	back(t.Incident == made.Incident, func() { t.Incident = was.Incident })
	back(slices.Equal(t.Tags, made.Tags), func() { t.Tags = was.Tags })
	back(t.SnoozedUntil.Equal(made.Snoozed), func() { t.SnoozedUntil = was.Snoozed })
	back(stands, func() {
		t.enter(was.State, h.now)
		t.SolvedAt, t.ClosedAt = was.SolvedAt, was.ClosedAt
	})
	return h.tell("restored", map[string]string{"was": string(made.State)})
}
