package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// overCondition is the where clause of the partial index of what is over.
const overCondition = `state in ('solved', 'closed')`

// LiveTallies counts the tickets that are not over, by what tells views apart.
func (s *Store) LiveTallies(ctx context.Context, now time.Time) ([]ticket.Tally, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, t *ticket.Tally) error {
		return r.Scan(&t.Automatic, &t.State, &t.Queue, &t.Kind, &t.Assignee, &t.Count, &t.Snoozed)
	}, `select automatic, state, queue, kind, assignee, count(*), count(*) filter (where snoozed_until > $1) from tickets
		where `+liveCondition+` group by automatic, state, queue, kind, assignee`, at(now))
}

// CountTickets tells how many match; it stops counting at most.
func (s *Store) CountTickets(ctx context.Context, q ticket.Query, most int) (int, error) {
	if err := positive(most); err != nil {
		return 0, err
	}
	w, _, err := s.narrowed(ctx, q)
	if err != nil {
		return 0, err
	}
	limit := w.arg(most)
	found, err := list(ctx, s, s.db, func(r *sql.Rows, n *int) error { return r.Scan(n) },
		`select count(*) from (select 1 from tickets t`+w.text()+` limit `+limit+`) as counted`, w.args...)
	if err != nil {
		return 0, err
	}
	return found[0], nil
}

// Tickets gives a page of those that match, in the order of q.Sort.
func (s *Store) Tickets(ctx context.Context, q ticket.Query) ([]ticket.Ticket, error) {
	if err := positive(q.Limit); err != nil {
		return nil, err
	}
	if len(q.Text) > 0 {
		return nil, problem.Internal(nil, "Tickets are found by words with FindMessages.")
	}
	w, _, err := s.narrowed(ctx, q)
	if err != nil {
		return nil, err
	}
	order := ` order by turn, number`
	a, n := q.After.At, q.After.Number
	switch q.Sort {
	case ticket.Latest:
		order = ` order by last_at desc, number desc`
		if q.After.Given() {
			w.add(`(last_at < %s or last_at = %s and number < %s)`, a, a, n)
			w.add(`last_at <= %s`, a)
		}
	case ticket.Newest:
		order = ` order by created_at desc, number desc`
		if q.After.Given() {
			w.add(`(created_at < %s or created_at = %s and number < %s)`, a, a, n)
			w.add(`created_at <= %s`, a)
		}
	case ticket.Oldest:
		order = ` order by created_at, number`
		if q.After.Given() {
			w.add(`(created_at > %s or created_at = %s and number > %s)`, a, a, n)
			w.add(`created_at >= %s`, a)
		}
	default:
		if q.After.Given() {
			w.add(`(turn > %s or turn = %s and number > %s)`, a, a, n)
			w.add(`turn >= %s`, a)
		}
	}
	limit := w.arg(q.Limit)
	return list(ctx, s, s.db, scanTicket, `select `+ticketColumns+` from tickets t`+w.text()+order+` limit `+limit, w.args...)
}

// fewMost is how many tickets still count as few: then they are looked at one by
// one, whatever the order of the list.
const fewMost = 2_000

// narrowed gives the conditions of a query but those on words and pages, and
// whether they leave few tickets. What is rare is asked for as a list of tickets;
// what is common is asked of each ticket along the order of the page.
func (s *Store) narrowed(ctx context.Context, q ticket.Query) (w *where, few bool, err error) {
	w = whereTicket(q)
	for _, c := range []struct {
		value, from, each string
	}{
		{q.Tag, `select ticket from ticket_tags where tag = %s`, `select 1 from ticket_tags l where l.tag = %s and l.ticket = t.id`},
		{q.Component, `select ticket from ticket_components where component = %s`, `select 1 from ticket_components l where l.component = %s and l.ticket = t.id`},
		{q.Sender, `select ticket from ticket_messages where sender = %s and sender <> ''`, `select 1 from ticket_messages l where l.ticket = t.id and l.sender = %s`},
		{q.Requester, `select id from tickets where requester = %s`, ``},
		{idOf(q.Incident), `select id from tickets where incident = %s and incident <> ''`, ``},
	} {
		if c.value == "" {
			continue
		}
		rare, err := s.few(ctx, strings.ReplaceAll(c.from, `%s`, `$1`), c.value)
		if err != nil {
			return nil, false, err
		}
		few = few || rare
		switch {
		case c.each == "": // the condition itself has an index
		case rare:
			w.add(`t.id in (`+c.from+`)`, c.value)
		default:
			w.add(`exists (`+c.each+`)`, c.value)
		}
	}
	return w, few || q.Number != 0, nil
}

// idOf gives an incident that is asked for by id.
func idOf(incident string) string {
	if incident == ticket.AnyIncident {
		return ""
	}
	return incident
}

// few tells whether a query gives few rows.
func (s *Store) few(ctx context.Context, query, value string) (bool, error) {
	found, err := list(ctx, s, s.db, func(r *sql.Rows, n *int) error { return r.Scan(n) },
		`select count(*) from (select 1 from (`+query+`) as found limit $2) as counted`, value, fewMost+1)
	return err == nil && found[0] <= fewMost, err
}

// whereTicket gives the conditions that have a column of the ticket.
func whereTicket(q ticket.Query) *where {
	w := &where{}
	live, over := len(q.States) > 0, len(q.States) > 0 // the partial indexes want to be told
	for _, s := range q.States {
		live, over = live && !s.Over(), over && s.Over()
	}
	if live || q.Overdue || !q.DueBefore.IsZero() {
		w.add(liveCondition)
	}
	if over {
		w.add(overCondition)
	}
	anyOf(w, `state`, q.States, false)
	anyOf(w, `state`, q.NotStates, true)
	anyOf(w, `kind`, q.Kinds, false)
	anyOf(w, `way`, q.Ways, false)
	anyOf(w, `queue`, q.Queues, false)
	for _, c := range []struct{ column, value string }{
		{`priority`, string(q.Priority)}, {`queue`, q.Queue}, {`requester`, q.Requester}, {`mailbox`, q.Mailbox},
	} {
		if c.value != "" {
			w.add(c.column+` = %s`, c.value)
		}
	}
	if q.Assignee == ticket.Nobody {
		w.add(`assignee = ''`)
	} else if q.Assignee != "" {
		w.add(`assignee = %s`, q.Assignee)
	}
	if q.Incident == ticket.AnyIncident {
		w.add(`t.id in (select id from tickets where incident <> '')`)
	} else if q.Incident != "" {
		w.add(`incident = %s and incident <> ''`, q.Incident)
	}
	if q.Number != 0 {
		w.add(`number = %s`, q.Number)
	}
	whether(w, q.Unheard, `unheard > 0`)
	whether(w, q.Automatic, `automatic`)
	if q.Broken != nil && *q.Broken {
		w.add(`t.id in (select id from tickets where still_broken)`)
	} else if q.Broken != nil {
		w.add(`not still_broken`)
	}
	if q.Snoozed != nil && *q.Snoozed {
		w.add(`t.id in (select id from tickets where snoozed_until is not null and snoozed_until > %s)`, at(q.Now))
	} else if q.Snoozed != nil {
		w.add(`coalesce(snoozed_until, 0) <= %s`, at(q.Now))
	}
	if q.Files {
		w.add(`files > 0`)
	}
	if q.Overdue {
		w.add(`overdue and turn <= %s`, at(q.Now))
	}
	if !q.Merged {
		w.add(`merged_into = ''`)
	}
	if !q.DueBefore.IsZero() {
		w.add(`due_at is not null and turn <= %s`, at(q.DueBefore))
	}
	if !q.From.IsZero() {
		w.add(`created_at >= %s`, at(q.From))
	}
	if !q.To.IsZero() {
		w.add(`created_at < %s`, at(q.To))
	}
	if !q.SolvedFrom.IsZero() {
		w.add(`t.id in (select id from tickets where solved_at is not null and solved_at >= %s)`, at(q.SolvedFrom))
	}
	return w
}

// anyOf asks for one of several values, or none of them.
func anyOf[T ~string](w *where, column string, values []T, not bool) {
	if len(values) == 0 {
		return
	}
	places := make([]string, len(values))
	for i, v := range values {
		places[i] = w.arg(string(v))
	}
	in := ` in (`
	if not {
		in = ` not in (`
	}
	w.conditions = append(w.conditions, column+in+strings.Join(places, `, `)+`)`)
}

// whether asks for a condition, or its contrary.
func whether(w *where, want *bool, condition string) {
	switch {
	case want == nil:
	case *want:
		w.add(condition)
	default:
		w.add(`not (` + condition + `)`)
	}
}

// clone gives a copy to which more can be added.
func (w *where) clone() *where {
	return &where{conditions: slices.Clone(w.conditions), args: slices.Clone(w.args)}
}
