package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

var _ incident.Store = (*Store)(nil)

// incidentColumns are read and written in this order.
const incidentColumns = `id, number, name, state, impact, overridden, worst, visibility, origin, machine, backfilled,
	started_at, opened_at, published_at, publish_after, monitoring_at, resolved_at, next_update_at, green_since, changed_at,
	merged_into, components, duties, tasks, links, runbook, review, reminder_us, promised, lines, version`

// openCondition is the where clause of the partial index incidents_open.
const openCondition = `state not in ('resolved', 'postmortem') and merged_into = ''`

func scanIncident(r *sql.Rows, i *incident.Incident) error {
	return r.Scan(&i.ID, &i.Number, &i.Name, &i.State, &i.Impact, &i.Overridden, &i.Worst, &i.Visibility, &i.Origin, &i.Machine, &i.Backfilled,
		into(&i.StartedAt), into(&i.OpenedAt), into(&i.PublishedAt), into(&i.PublishAfter), into(&i.MonitoringAt), into(&i.ResolvedAt),
		into(&i.NextUpdateAt), into(&i.GreenSince), into(&i.ChangedAt),
		&i.MergedInto, asJSON(&i.Components), asJSON(&i.Roles), asJSON(&i.Tasks), asJSON(&i.Links), &i.RunbookURL, asJSON(&i.Review),
		lasting(&i.ReminderEvery), &i.Promised, &i.Lines, &i.Version)
}

// incidentOf gives the one incident of a query. Errors: NotFound.
func incidentOf(all []incident.Incident, err error, what string, which any) (incident.Incident, error) {
	if err == nil && len(all) == 0 {
		err = problem.NotFound("There is no incident with the %s %v.", what, which)
	}
	if err != nil {
		return incident.Incident{}, err
	}
	return all[0], nil
}

// Incident gives one, by id. Errors: NotFound, Unavailable.
func (s *Store) Incident(ctx context.Context, id string) (incident.Incident, error) {
	all, err := list(ctx, s, s.db, scanIncident, `select `+incidentColumns+` from incidents where id = $1`, id)
	return incidentOf(all, err, "id", id)
}

// IncidentByNumber gives one by what staff call it. Errors: NotFound, Unavailable.
func (s *Store) IncidentByNumber(ctx context.Context, number int64) (incident.Incident, error) {
	all, err := list(ctx, s, s.db, scanIncident, `select `+incidentColumns+` from incidents where number = $1`, number)
	return incidentOf(all, err, "number", number)
}

// IncidentForUpdate reads one inside the unit of work. Errors: NotFound.
func (s *Store) IncidentForUpdate(_ context.Context, jt journal.Tx, id string) (incident.Incident, error) {
	all, err := listIn(s, jt, scanIncident, `select `+incidentColumns+` from incidents where id = $1`, id)
	return incidentOf(all, err, "id", id)
}

// OpenIncidents gives every incident that is not over, oldest first.
func (s *Store) OpenIncidents(ctx context.Context) ([]incident.Incident, error) {
	return list(ctx, s, s.db, scanIncident, `select `+incidentColumns+` from incidents where `+openCondition+` order by started_at, number`)
}

// OpenForUpdate is OpenIncidents inside the unit of work.
func (s *Store) OpenForUpdate(_ context.Context, jt journal.Tx) ([]incident.Incident, error) {
	return listIn(s, jt, scanIncident, `select `+incidentColumns+` from incidents where `+openCondition+` order by started_at, number`)
}

// Incidents gives a page of those that match, newest start first. Errors:
// Invalid for a limit that is not positive.
func (s *Store) Incidents(ctx context.Context, q incident.Query) ([]incident.Incident, error) {
	if err := positive(q.Limit); err != nil {
		return nil, err
	}
	var w where
	if q.Component != "" {
		w.add(`id in (select incident from incident_components where component = %s)`, q.Component)
	}
	if len(q.States) > 0 {
		places := make([]string, len(q.States))
		for n, st := range q.States {
			places[n] = w.arg(string(st))
		}
		w.add(`state in (` + strings.Join(places, `, `) + `)`)
	}
	if number, ok := q.Number(); ok {
		w.add(`number = %s`, number)
	} else if q.Text != "" {
		w.add(`lower(name) like lower(%s) escape '!'`, "%"+likely(q.Text)+"%")
	}
	if q.Seen {
		w.add(`visibility = 'public' and published_at is not null and merged_into = ''`)
	}
	if q.NoPrivate {
		w.add(`visibility <> 'private'`)
	}
	if q.Open != nil {
		if *q.Open {
			w.add(openCondition)
		} else {
			w.add(`not (` + openCondition + `)`)
		}
	}
	if !q.From.IsZero() {
		w.add(`(resolved_at is null or resolved_at >= %s)`, at(q.From))
	}
	if !q.To.IsZero() {
		w.add(`started_at < %s`, at(q.To))
	}
	if !q.Before.IsZero() {
		w.add(`(started_at < %s or (started_at = %s and number < %s))`, at(q.Before), at(q.Before), q.BeforeNumber)
	}
	limit := w.arg(q.Limit)
	return list(ctx, s, s.db, scanIncident,
		`select `+incidentColumns+` from incidents`+w.text()+` order by started_at desc, number desc limit `+limit, w.args...)
}

// PutIncident inserts (Version 0; it gets its number) or updates.
func (s *Store) PutIncident(_ context.Context, jt journal.Tx, i *incident.Incident) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if i.Version == 0 {
		if err := t.one(`update incident_numbers set last = last + 1 where id = 1 returning last`, nil, &i.Number); err != nil {
			return err
		}
	}
	values := []any{i.ID, i.Version, i.Name, string(i.State), string(i.Impact), i.Overridden, string(i.Worst), string(i.Visibility), string(i.Origin),
		i.Machine, i.Backfilled, at(i.StartedAt), at(i.OpenedAt), at(i.PublishedAt), at(i.PublishAfter), at(i.MonitoringAt), at(i.ResolvedAt),
		at(i.NextUpdateAt), at(i.GreenSince), at(i.ChangedAt), i.MergedInto, asJSON(&i.Components), asJSON(&i.Roles), asJSON(&i.Tasks), asJSON(&i.Links),
		i.RunbookURL, asJSON(&i.Review), micros(i.ReminderEvery), i.Promised, i.Lines}
	if i.Version == 0 {
		values[1] = i.Number
		_, err = t.exec(`insert into incidents (`+incidentColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
			$16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, 1)`, values...)
	} else {
		err = t.swap("incident", i.ID, `update incidents set name = $3, state = $4, impact = $5, overridden = $6, worst = $7, visibility = $8,
			origin = $9, machine = $10, backfilled = $11, started_at = $12, opened_at = $13, published_at = $14, publish_after = $15,
			monitoring_at = $16, resolved_at = $17, next_update_at = $18, green_since = $19, changed_at = $20, merged_into = $21,
			components = $22, duties = $23, tasks = $24, links = $25, runbook = $26, review = $27, reminder_us = $28, promised = $29, lines = $30,
			version = version + 1 where id = $1 and version = $2`, values...)
	}
	if err != nil {
		return err
	}
	i.Version++
	return t.putIncidentComponents(i)
}

// putIncidentComponents makes the rows by which incidents are found by component.
func (t *tx) putIncidentComponents(i *incident.Incident) error {
	had := map[string]bool{}
	err := t.rows(`select component from incident_components where incident = $1`, []any{i.ID}, func(r *sql.Rows) error {
		var key string
		err := r.Scan(&key)
		had[key] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range i.Components {
		if had[a.Component] {
			delete(had, a.Component)
			continue
		}
		if _, err := t.exec(`insert into incident_components (component, incident) values ($1, $2)`, a.Component, i.ID); err != nil {
			return err
		}
	}
	for key := range had {
		if _, err := t.exec(`delete from incident_components where component = $1 and incident = $2`, key, i.ID); err != nil {
			return err
		}
	}
	return nil
}

// listIn is list inside a unit of work.
func listIn[T any](s *Store, jt journal.Tx, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	t, err := s.own(jt)
	if err != nil {
		return nil, err
	}
	var out []T
	err = t.rows(query, args, func(r *sql.Rows) error {
		var v T
		if err := scan(r, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	return out, err
}

// where gathers the conditions of a query that asks for some of several things.
type where struct {
	conditions []string
	args       []any
}

// add adds a condition; each %s in it stands for the next argument.
func (w *where) add(condition string, args ...any) {
	places := make([]any, len(args))
	for n, a := range args {
		places[n] = w.arg(a)
	}
	w.conditions = append(w.conditions, fmt.Sprintf(condition, places...))
}

// arg adds an argument and gives its place.
func (w *where) arg(a any) string {
	w.args = append(w.args, a)
	return fmt.Sprintf("$%d", len(w.args))
}

// text gives the where clause; empty without conditions.
func (w *where) text() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return ` where ` + strings.Join(w.conditions, ` and `)
}
