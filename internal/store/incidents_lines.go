package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// updateColumns are read and written in this order.
const updateColumns = `id, incident, kind, state, body, verb, facts, author, created_at, display_at, publish_at, published_at,
	deliver, components, edited_at, next_us, version`

func scanUpdate(r *sql.Rows, u *incident.Update) error {
	return r.Scan(&u.ID, &u.Incident, &u.Kind, &u.State, &u.Body, &u.Verb, asJSON(&u.Facts), &u.Author, into(&u.CreatedAt), into(&u.DisplayAt),
		into(&u.PublishAt), into(&u.PublishedAt), &u.Deliver, asJSON(&u.Components), into(&u.EditedAt), lasting(&u.NextUpdate), &u.Version)
}

// Updates gives all lines of one incident, oldest first by DisplayAt.
func (s *Store) Updates(ctx context.Context, id string) ([]incident.Update, error) {
	return list(ctx, s, s.db, scanUpdate,
		`select `+updateColumns+` from incident_updates where incident = $1 order by display_at, created_at, id`, id)
}

// updatesAtOnce is how many incidents one query asks for.
const updatesAtOnce = 200

// UpdatesOf gives the published updates of several incidents, by incident then DisplayAt.
func (s *Store) UpdatesOf(ctx context.Context, ids []string) ([]incident.Update, error) {
	var out []incident.Update
	for len(ids) > 0 {
		n := min(len(ids), updatesAtOnce)
		args := make([]any, n)
		places := make([]string, n)
		for i, id := range ids[:n] {
			args[i], places[i] = id, "$"+strconv.Itoa(i+1)
		}
		page, err := list(ctx, s, s.db, scanUpdate, `select `+updateColumns+` from incident_updates
			where incident in (`+strings.Join(places, `, `)+`) and kind = 'update' and published_at is not null
			order by incident, display_at, created_at, id`, args...)
		if err != nil {
			return nil, err
		}
		out, ids = append(out, page...), ids[n:]
	}
	return out, nil
}

// Update gives one line. Errors: NotFound, Unavailable.
func (s *Store) Update(ctx context.Context, id string) (incident.Update, error) {
	all, err := list(ctx, s, s.db, scanUpdate, `select `+updateColumns+` from incident_updates where id = $1`, id)
	return updateOf(all, err, id)
}

// UpdateForUpdate reads one line inside the unit of work. Errors: NotFound.
func (s *Store) UpdateForUpdate(_ context.Context, jt journal.Tx, id string) (incident.Update, error) {
	all, err := listIn(s, jt, scanUpdate, `select `+updateColumns+` from incident_updates where id = $1`, id)
	return updateOf(all, err, id)
}

func updateOf(all []incident.Update, err error, id string) (incident.Update, error) {
	if err == nil && len(all) == 0 {
		err = problem.NotFound("There is no update %q.", id)
	}
	if err != nil {
		return incident.Update{}, err
	}
	return all[0], nil
}

// DraftsForUpdate gives the unpublished updates of an incident, oldest first.
func (s *Store) DraftsForUpdate(_ context.Context, jt journal.Tx, id string) ([]incident.Update, error) {
	return listIn(s, jt, scanUpdate, `select `+updateColumns+` from incident_updates
		where incident = $1 and kind = 'update' and published_at is null order by created_at, id`, id)
}

// DueUpdates gives drafts whose PublishAt has come, oldest first, at most limit.
func (s *Store) DueUpdates(ctx context.Context, now time.Time, limit int) ([]incident.Update, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanUpdate, `select `+updateColumns+` from incident_updates
		where publish_at is not null and published_at is null and publish_at <= $1 order by publish_at, id limit $2`, at(now), limit)
}

// PutUpdate inserts (Version 0) or updates a line.
func (s *Store) PutUpdate(_ context.Context, jt journal.Tx, u *incident.Update) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	values := []any{u.ID, u.Incident, string(u.Kind), string(u.State), u.Body, u.Verb, asJSON(&u.Facts), u.Author, at(u.CreatedAt), at(u.DisplayAt),
		at(u.PublishAt), at(u.PublishedAt), u.Deliver, asJSON(&u.Components), at(u.EditedAt), micros(u.NextUpdate)}
	if u.Version == 0 {
		_, err = t.exec(`insert into incident_updates (`+updateColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)`, values...)
	} else {
		err = t.swap("update", u.ID, `update incident_updates set incident = $2, kind = $3, state = $4, body = $5, verb = $6, facts = $7,
			author = $8, created_at = $9, display_at = $10, publish_at = $11, published_at = $12, deliver = $13, components = $14,
			edited_at = $15, next_us = $16, version = version + 1 where id = $1 and version = $17`, append(values, u.Version)...)
	}
	if err == nil {
		u.Version++
	}
	return err
}

// DropUpdate deletes a draft; Conflict when it was published or changed.
func (s *Store) DropUpdate(_ context.Context, jt journal.Tx, id string, version int64) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("draft", id, `delete from incident_updates where id = $1 and version = $2 and kind = 'update' and published_at is null`, id, version)
}

// MoveLines hangs every line and every alert of one incident on another.
func (s *Store) MoveLines(_ context.Context, jt journal.Tx, from, to string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if _, err := t.exec(`update incident_updates set incident = $2, version = version + 1 where incident = $1`, from, to); err != nil {
		return err
	}
	_, err = t.exec(`update incident_alerts set incident = $2 where incident = $1`, from, to)
	return err
}

// Templates gives all, by name.
func (s *Store) Templates(ctx context.Context) ([]incident.Template, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, t *incident.Template) error {
		return r.Scan(&t.ID, &t.Name, &t.Title, &t.Body, &t.State, &t.Impact, &t.Version)
	}, `select id, name, title, body, state, impact, version from incident_templates order by name, id`)
}

// PutTemplate inserts (Version 0) or updates.
func (s *Store) PutTemplate(_ context.Context, jt journal.Tx, v *incident.Template) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Version == 0 {
		_, err = t.exec(`insert into incident_templates (id, name, title, body, state, impact, version) values ($1, $2, $3, $4, $5, $6, 1)`,
			v.ID, v.Name, v.Title, v.Body, string(v.State), string(v.Impact))
	} else {
		err = t.swap("template", v.ID, `update incident_templates set name = $3, title = $4, body = $5, state = $6, impact = $7,
			version = version + 1 where id = $1 and version = $2`, v.ID, v.Version, v.Name, v.Title, v.Body, string(v.State), string(v.Impact))
	}
	if err == nil {
		v.Version++
	}
	return err
}

// DropTemplate deletes a template.
func (s *Store) DropTemplate(_ context.Context, jt journal.Tx, id string, version int64) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("template", id, `delete from incident_templates where id = $1 and version = $2`, id, version)
}
