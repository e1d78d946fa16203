package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

var _ ticket.Store = (*Store)(nil)
var _ ticket.Blobs = (*Store)(nil)

// ticketColumns are read and written in this order.
const ticketColumns = `id, number, subject, state, priority, kind, way, queue, mailbox, requester, assignee, tags, fields, components,
	incident, template, secret, root, messages, files, unheard, unheard_at, last_at, last_from, created_at, first_reply_at, solved_at,
	closed_at, snoozed_until, due_at, due, warned_at, overdue, breached_at, resting_since, rested_us, rested_unheard_us, wake_at,
	automatic, quiet, still_broken, merged_into, was, undeliverable, changed_at, version`

// ticketsOwn are columns that only the store knows.
const ticketsOwn = `urgency, turn`

// liveCondition is the where clause of the partial indexes of what is not over.
const liveCondition = `state in ('new', 'open', 'pending', 'on_hold')`

func scanTicket(r *sql.Rows, t *ticket.Ticket) error { return r.Scan(ticketTargets(t)...) }

// ticketTargets gives where the columns of a ticket go.
func ticketTargets(t *ticket.Ticket) []any {
	return []any{&t.ID, &t.Number, &t.Subject, &t.State, &t.Priority, &t.Kind, &t.Way, &t.Queue, &t.Mailbox, &t.Requester, &t.Assignee,
		asJSON(&t.Tags), asJSON(&t.Fields), asJSON(&t.Components), &t.Incident, &t.Template, &t.Secret, &t.Root,
		&t.Messages, &t.Files, &t.Unheard, into(&t.UnheardAt), into(&t.LastAt), &t.LastFrom, into(&t.CreatedAt), into(&t.FirstReplyAt), into(&t.SolvedAt),
		into(&t.ClosedAt), into(&t.SnoozedUntil), into(&t.DueAt), &t.Due, into(&t.WarnedAt), &t.Overdue, into(&t.BreachedAt), into(&t.RestingSince),
		lasting(&t.Rested), lasting(&t.RestedUnheard), into(&t.WakeAt), &t.Automatic, &t.Quiet, &t.StillBroken, &t.MergedInto, &t.Was, &t.Undeliverable,
		into(&t.ChangedAt), &t.Version}
}

// urgencies are the priorities in their order.
var urgencies = []ticket.Priority{ticket.Low, ticket.Normal, ticket.High, ticket.Urgent}

// Ticket gives one, by id. Errors: NotFound, Unavailable.
func (s *Store) Ticket(ctx context.Context, id string) (ticket.Ticket, error) {
	found, err := list(ctx, s, s.db, scanTicket, `select `+ticketColumns+` from tickets where id = $1`, id)
	return only(found, err, "ticket", id)
}

// TicketByNumber gives one by what staff call it. Errors: NotFound, Unavailable.
func (s *Store) TicketByNumber(ctx context.Context, number int64) (ticket.Ticket, error) {
	found, err := list(ctx, s, s.db, scanTicket, `select `+ticketColumns+` from tickets where number = $1`, number)
	return only(found, err, "ticket", strconv.FormatInt(number, 10))
}

// TicketForUpdate reads one inside the unit of work. Errors: NotFound.
func (s *Store) TicketForUpdate(_ context.Context, jt journal.Tx, id string) (ticket.Ticket, error) {
	found, err := listIn(s, jt, scanTicket, `select `+ticketColumns+` from tickets where id = $1`, id)
	return only(found, err, "ticket", id)
}

// MergedTickets gives those that were merged into a ticket.
func (s *Store) MergedTickets(_ context.Context, jt journal.Tx, id string) ([]ticket.Ticket, error) {
	return listIn(s, jt, scanTicket, `select `+ticketColumns+` from tickets where merged_into = $1 and merged_into <> '' order by number`, id)
}

// PutTicket inserts (Version 0; it gets its number) or updates.
func (s *Store) PutTicket(_ context.Context, jt journal.Tx, v *ticket.Ticket) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	urgency := max(0, slices.Index(urgencies, v.Priority))
	values := []any{v.ID, v.Version, v.Subject, string(v.State), string(v.Priority), string(v.Kind), string(v.Way), v.Queue, v.Mailbox, v.Requester,
		v.Assignee, asJSON(&v.Tags), asJSON(&v.Fields), asJSON(&v.Components), v.Incident, v.Template, v.Secret, v.Root, v.Messages, v.Files,
		v.Unheard, at(v.UnheardAt), at(v.LastAt), string(v.LastFrom), at(v.CreatedAt), at(v.FirstReplyAt), at(v.SolvedAt), at(v.ClosedAt),
		at(v.SnoozedUntil), at(v.DueAt), string(v.Due), at(v.WarnedAt), v.Overdue, at(v.BreachedAt), at(v.RestingSince), micros(v.Rested),
		micros(v.RestedUnheard), at(v.WakeAt), v.Automatic, v.Quiet, v.StillBroken, v.MergedInto, string(v.Was), v.Undeliverable, at(v.ChangedAt), urgency, v.Turn()}
	if v.Version == 0 {
		values[1] = 1
		err = t.one(s.dialect.insertTicket, values, &v.Number)
	} else {
		err = t.swap("ticket", v.ID, updateTicket, values...)
	}
	if err != nil {
		return err
	}
	fresh := v.Version == 0
	v.Version++
	if err := t.putLabels("tag", "ticket_tags", v.ID, v.Tags, fresh); err != nil {
		return err
	}
	return t.putLabels("component", "ticket_components", v.ID, v.Components, fresh)
}

// insertTicket writes a ticket whose number the engine finds by an expression.
func insertTicket(number string) string {
	columns := strings.TrimPrefix(strings.TrimSuffix(ticketColumns, `, version`), `id, number, `)
	return `insert into tickets (id, version, ` + columns + `, ` + ticketsOwn + `, number) values (` + placesOf(1, ticketValues) + `, ` + number + `) returning number`
}

// ticketValues is how many values PutTicket writes, the number left out.
const ticketValues = 47

// updateTicket writes a ticket that is there.
var updateTicket = func() string {
	columns := strings.Split(strings.TrimPrefix(strings.TrimSuffix(ticketColumns, `, version`), `id, number, `)+`, `+ticketsOwn, `,`)
	for i, c := range columns {
		columns[i] = strings.TrimSpace(c) + ` = $` + strconv.Itoa(i+3)
	}
	return `update tickets set ` + strings.Join(columns, `, `) + `, version = version + 1 where id = $1 and version = $2`
}()

// placesOf gives "$from, $from+1, …", n of them.
func placesOf(from, n int) string {
	places := make([]string, n)
	for i := range places {
		places[i] = `$` + strconv.Itoa(from+i)
	}
	return strings.Join(places, `, `)
}

// putLabels makes the rows by which tickets are found by tag or component.
func (t *tx) putLabels(column, table, id string, want []string, fresh bool) error {
	if fresh && len(want) == 0 {
		return nil
	}
	var had []string
	if !fresh {
		err := t.rows(`select `+column+` from `+table+` where ticket = $1`, []any{id}, func(r *sql.Rows) error {
			var label string
			err := r.Scan(&label)
			had = append(had, label)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, label := range want {
		if slices.Contains(had, label) {
			continue
		}
		if _, err := t.exec(`insert into `+table+` (`+column+`, ticket) values ($1, $2)`, label, id); err != nil {
			return err
		}
	}
	for _, label := range had {
		if slices.Contains(want, label) {
			continue
		}
		if _, err := t.exec(`delete from `+table+` where `+column+` = $1 and ticket = $2`, label, id); err != nil {
			return err
		}
	}
	return nil
}

// DropTicket deletes one whose messages are gone. The requester goes with their
// last ticket.
func (s *Store) DropTicket(_ context.Context, jt journal.Tx, id string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	var requester string
	err = t.one(`select requester from tickets where id = $1`, []any{id}, &requester)
	if errors.Is(err, sql.ErrNoRows) {
		return problem.NotFound("There is no ticket %q.", id)
	}
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`delete from ticket_tags where ticket = $1`, `delete from ticket_components where ticket = $1`, `delete from ticket_presence where ticket = $1`,
		`delete from tickets where id = $1`,
	} {
		if _, err := t.exec(statement, id); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		`delete from requester_addresses where requester = $1 and not exists (select 1 from tickets where requester = $1)`,
		`delete from requesters where id = $1 and not exists (select 1 from tickets where requester = $1)`,
	} {
		if _, err := t.exec(statement, requester); err != nil {
			return err
		}
	}
	return nil
}

// DueTickets gives the ids of tickets whose WakeAt has come, oldest first.
func (s *Store) DueTickets(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanText, `select id from tickets where wake_at is not null and wake_at <= $1 order by wake_at limit $2`, at(now), limit)
}

// StaleTickets gives the ids of tickets that were closed before a moment.
func (s *Store) StaleTickets(ctx context.Context, before time.Time, limit int) ([]string, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanText, `select id from tickets where closed_at is not null and closed_at < $1 order by closed_at limit $2`, at(before), limit)
}

// TicketsOf gives the ids of all tickets of a requester, oldest first.
func (s *Store) TicketsOf(_ context.Context, jt journal.Tx, requester string, limit int) ([]string, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return listIn(s, jt, scanText, `select id from tickets where requester = $1 order by number limit $2`, requester, limit)
}

// scanText reads one text.
func scanText(r *sql.Rows, v *string) error { return r.Scan(v) }
