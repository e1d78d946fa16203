package ticket

import (
	"context"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Move puts a ticket into a state by hand. Errors: Invalid; Conflict for a state
// that does not follow.
func (d *Desk) Move(ctx context.Context, by access.Actor, id string, to State) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error { return h.moveTo(to) })
}

// MoveIn is Move inside somebody else's unit of work: an impairment that is over
// is solved by the hall.
func (d *Desk) MoveIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, to State) error {
	return d.within(ctx, tx, by, id, access.TicketAnswer, func(h *hand) error { return h.moveTo(to) })
}

func (h *hand) moveTo(to State) error {
	event, err := h.t.towards(to)
	if err != nil {
		return err
	}
	return h.move(event)
}

// Assign gives a ticket to a person, by person id; "" gives it back to all.
func (d *Desk) Assign(ctx context.Context, by access.Actor, id, person string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error { return h.assign(person) })
}

func (h *hand) assign(person string) error {
	person, err := key("assignee", person)
	if err != nil || person == h.t.Assignee {
		return err
	}
	if person != "" && h.staff != nil {
		if _, err := h.staff.Colleague(h.ctx, person); problem.KindOf(err) == problem.KindNotFound {
			return problem.Invalid("assignee", "There is no such person.")
		} else if err != nil {
			return err
		}
	}
	was := h.t.Assignee
	h.t.Assignee = person
	if h.t.State == New && person != "" {
		if err := h.move(Take); err != nil {
			return err
		}
	}
	return h.tell("assigned", map[string]string{"person": person, "was": was})
}

// Prioritise says how much a ticket matters. Errors: Invalid.
func (d *Desk) Prioritise(ctx context.Context, by access.Actor, id string, p Priority) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error { return h.prioritise(p) })
}

func (h *hand) prioritise(p Priority) error {
	if !slices.Contains([]Priority{Low, Normal, High, Urgent}, p) {
		return problem.Invalid("priority", "A priority is low, normal, high or urgent, not %q.", p)
	}
	if p == h.t.Priority {
		return nil
	}
	was := h.t.Priority
	h.t.Priority = p
	return h.tell("prioritised", map[string]string{"priority": string(p), "was": string(was)})
}

// Tag adds tags to a ticket and takes others away. Errors: Invalid.
func (d *Desk) Tag(ctx context.Context, by access.Actor, id string, add, remove []string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error { return h.tag(add, remove) })
}

func (h *hand) tag(add, remove []string) error {
	gone, err := labels("tags", remove, MaxTags, MaxTag)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(h.t.Tags), func(t string) bool { return slices.Contains(gone, t) })
	want, err := labels("tags", append(left, add...), MaxTags, MaxTag)
	if err != nil || slices.Equal(want, h.t.Tags) {
		return err
	}
	h.t.Tags = want
	return h.tell("tagged", nil) // tags are words of people: the journal does not have them
}

// Queue moves a ticket to another queue. Errors: Invalid.
func (d *Desk) Queue(ctx context.Context, by access.Actor, id, queue string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error { return h.queueUp(queue) })
}

func (h *hand) queueUp(queue string) error {
	if !slices.ContainsFunc(h.setup.Queues, func(q Queue) bool { return q.ID == queue }) {
		return problem.Invalid("queue", "There is no queue %q.", queue)
	}
	if queue == h.t.Queue {
		return nil
	}
	was := h.t.Queue
	h.t.Queue = queue
	return h.tell("queued", map[string]string{"was": was})
}

// Retitle changes the subject of a ticket, as staff see it and as answers bear it.
// Errors: Invalid.
func (d *Desk) Retitle(ctx context.Context, by access.Actor, id, subject string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) (err error) {
		if h.t.Subject, err = line("subject", subject, MaxSubject, false); err != nil {
			return err
		}
		return h.tell("retitled", nil)
	})
}

// Snooze takes a ticket out of sight until a moment, or until its requester writes;
// the zero time brings it back. Errors: Invalid.
func (d *Desk) Snooze(ctx context.Context, by access.Actor, id string, until time.Time) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error { return h.snooze(until) })
}

func (h *hand) snooze(until time.Time) error {
	until = moment(until)
	switch {
	case until.IsZero():
	case !until.After(h.now) || until.Sub(h.now) > MaxSnooze:
		return problem.Invalid("until", "A ticket can be out of sight for at most %d days.", int(MaxSnooze.Hours()/24))
	case h.t.State.Over():
		return problem.Conflict("A ticket that is %s is out of sight already.", h.t.State)
	}
	h.t.SnoozedUntil = until
	return h.tell("snoozed", map[string]string{"on": yes(!until.IsZero())})
}

// SetField says one more thing of a ticket; "" takes it away. Errors: Invalid.
func (d *Desk) SetField(ctx context.Context, by access.Actor, id, field, value string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error {
		given := map[string]string{}
		for k, v := range h.t.Fields { // those that the configuration dropped stay as they are
			given[k] = v
		}
		checked, err := h.setup.fields(map[string]string{field: value})
		if err != nil {
			return err
		}
		if delete(given, field); checked[field] != "" {
			given[field] = checked[field]
		}
		if len(given) > MaxFields {
			return problem.Invalid("fields", "%d are too many; %d are allowed.", len(given), MaxFields)
		}
		h.t.Fields = given
		return h.tell("fielded", map[string]string{"field": h.plain(field)})
	})
}

// Concern says what components a ticket is about, by key. Errors: Invalid.
func (d *Desk) Concern(ctx context.Context, by access.Actor, id string, components []string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error { return h.concern(components) })
}

// ConcernIn is Concern inside somebody else's unit of work: the hall's guess.
func (d *Desk) ConcernIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, components []string) error {
	return d.within(ctx, tx, by, id, access.TicketAnswer, func(h *hand) error { return h.concern(components) })
}

func (h *hand) concern(components []string) error {
	want, err := keys("components", components, MaxComponents)
	if err != nil || slices.Equal(want, h.t.Components) {
		return err
	}
	h.t.Components = want
	return h.tell("concerned", nil)
}

// Note writes what only staff see. mentions are person ids who are told. Errors:
// Invalid.
func (d *Desk) Note(ctx context.Context, by access.Actor, id, body string, mentions []string) (Message, error) {
	var out Message
	_, err := d.change(ctx, by, id, access.TicketNote, func(h *hand) (err error) {
		out, err = h.note(body, mentions)
		return err
	})
	return out, err
}

// NoteIn is Note inside somebody else's unit of work.
func (d *Desk) NoteIn(ctx context.Context, tx journal.Tx, by access.Actor, id, body string) (Message, error) {
	var out Message
	err := d.within(ctx, tx, by, id, access.TicketNote, func(h *hand) (err error) {
		out, err = h.note(body, nil)
		return err
	})
	return out, err
}

func (h *hand) note(body string, mentions []string) (m Message, err error) {
	if body, err = text("text", body, MaxAnswer, false); err != nil {
		return m, err
	}
	if mentions, err = keys("mentions", mentions, MaxMentions); err != nil {
		return m, err
	}
	m = Message{Form: Note, From: FromStaff, Author: h.by.ID, Text: body, Reply: body, Mentions: mentions, Kind: KindPerson}
	if h.by.ID == access.Hub.ID {
		m.From = FromMachine
	}
	if err := h.put(&m); err != nil {
		return m, err
	}
	more := map[string]string{"message": m.ID}
	for i, person := range mentions {
		if i == 0 {
			more["person"] = person
		}
	}
	if len(mentions) > 0 {
		more["mentions"] = cutKeys(mentions)
	}
	return m, h.tell("noted", more)
}

// Link says that a ticket belongs to an incident, by id. A link to another one is
// replaced. Errors: Invalid.
func (d *Desk) Link(ctx context.Context, by access.Actor, id, incident string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketLink, func(h *hand) error { return h.link(incident) })
}

// LinkIn is Link inside somebody else's unit of work; "" unlinks.
func (d *Desk) LinkIn(ctx context.Context, tx journal.Tx, by access.Actor, id, incident string) error {
	return d.within(ctx, tx, by, id, access.TicketLink, func(h *hand) error { return h.link(incident) })
}

// Unlink says that it does not belong to any.
func (d *Desk) Unlink(ctx context.Context, by access.Actor, id string) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketLink, func(h *hand) error { return h.link("") })
}

func (h *hand) link(incident string) error {
	incident, err := key("incident", incident)
	if err != nil || incident == h.t.Incident {
		return err
	}
	was := h.t.Incident
	h.t.Incident, h.t.StillBroken = incident, false
	if incident == "" {
		return h.tell("unlinked", map[string]string{"incident": was})
	}
	return h.tell("linked", map[string]string{"was": was})
}

// BreakIn notes that the requester says, after the incident was resolved, that
// it is still broken; or that they do not any more.
func (d *Desk) BreakIn(ctx context.Context, tx journal.Tx, by access.Actor, id string, broken bool) error {
	return d.within(ctx, tx, by, id, access.TicketLink, func(h *hand) error {
		if h.t.StillBroken == broken {
			return nil
		}
		h.t.StillBroken = broken
		return h.tell("doubted", map[string]string{"still_broken": yes(broken)})
	})
}

// Calm says that a ticket which automatic mail opened is a person's after all, or
// the other way round.
func (d *Desk) Calm(ctx context.Context, by access.Actor, id string, automatic bool) (Ticket, error) {
	return d.change(ctx, by, id, access.TicketAnswer, func(h *hand) error {
		if h.t.Automatic == automatic {
			return nil
		}
		h.t.Automatic = automatic
		return h.tell("sorted", map[string]string{"automatic": yes(automatic)})
	})
}

// PersonOf gives the id of the person behind an actor; "" for a machine.
func PersonOf(by access.Actor) string {
	id, ok := strings.CutPrefix(by.ID, "person/")
	if !ok {
		return ""
	}
	return id
}
