package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

var _ people.Store = (*Store)(nil)

// first gives the only row of a query, or NotFound.
func first[T any](ctx context.Context, s *Store, what string, scan func(*sql.Rows, *T) error, query string, args ...any) (v T, err error) {
	found, err := list(ctx, s, s.db, scan, query, args...)
	if err == nil && len(found) == 0 {
		err = problem.NotFound("There is no such %s.", what)
	}
	if err != nil {
		return v, err
	}
	return found[0], nil
}

// grantRow is an access.Grant as it is kept: its names are for ever.
type grantRow struct {
	Role string `json:"role"`
	Kind string `json:"kind,omitempty"`
	ID   string `json:"id,omitempty"`
}

func keepGrants(grants []access.Grant) []grantRow {
	rows := make([]grantRow, len(grants))
	for i, g := range grants {
		rows[i] = grantRow{string(g.Role), g.Scope.Kind, g.Scope.ID}
	}
	return rows
}

const personColumns = `id, name, email, password_hash, totp, totp_used, recovery, subject, grants, zone,
	created_at, disabled_at, erased_at, seen_at, version`

func scanPerson(r *sql.Rows, p *people.Person) error {
	var grants []grantRow
	err := r.Scan(&p.ID, &p.Name, &p.Email, &p.PasswordHash, &p.TOTP, &p.TOTPUsed, asJSON(&p.Recovery), &p.Subject, asJSON(&grants), &p.Zone,
		into(&p.CreatedAt), into(&p.DisabledAt), into(&p.ErasedAt), into(&p.SeenAt), &p.Version)
	for _, g := range grants {
		p.Grants = append(p.Grants, access.Grant{Role: access.Role(g.Role), Scope: access.Scope{Kind: g.Kind, ID: g.ID}})
	}
	return err
}

// Person gives one account by id, erased ones included. Errors: NotFound.
func (s *Store) Person(ctx context.Context, id string) (people.Person, error) {
	return first(ctx, s, "person", scanPerson, `select `+personColumns+` from people where id = $1`, id)
}

// PersonByEmail gives the account with the address. Errors: NotFound.
func (s *Store) PersonByEmail(ctx context.Context, email string) (people.Person, error) {
	return first(ctx, s, "person", scanPerson, `select `+personColumns+` from people where email = $1 and email <> ''`, email)
}

// PersonBySubject gives the account with the OIDC subject. Errors: NotFound.
func (s *Store) PersonBySubject(ctx context.Context, subject string) (people.Person, error) {
	return first(ctx, s, "person", scanPerson, `select `+personColumns+` from people where subject = $1 and subject <> ''`, subject)
}

// People gives every account but erased ones, by name and id.
func (s *Store) People(ctx context.Context) ([]people.Person, error) {
	return list(ctx, s, s.db, scanPerson, `select `+personColumns+` from people where erased_at is null order by lower(name), id`)
}

// PutPerson inserts (Version 0) or updates an account, when it was last seen excepted.
func (s *Store) PutPerson(_ context.Context, jt journal.Tx, p people.Person) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	grants := keepGrants(p.Grants)
	if p.Version == 0 {
		_, err := t.exec(`insert into people (`+personColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1)`,
			p.ID, p.Name, p.Email, p.PasswordHash, p.TOTP, p.TOTPUsed, asJSON(&p.Recovery), p.Subject, asJSON(&grants), p.Zone,
			at(p.CreatedAt), at(p.DisabledAt), at(p.ErasedAt), at(p.SeenAt))
		return err
	}
	return t.swap("person", p.ID, `update people set name = $3, email = $4, password_hash = $5, totp = $6, totp_used = $7, recovery = $8,
		subject = $9, grants = $10, zone = $11, created_at = $12, disabled_at = $13, erased_at = $14, version = version + 1
		where id = $1 and version = $2`,
		p.ID, p.Version, p.Name, p.Email, p.PasswordHash, p.TOTP, p.TOTPUsed, asJSON(&p.Recovery), p.Subject, asJSON(&grants), p.Zone,
		at(p.CreatedAt), at(p.DisabledAt), at(p.ErasedAt))
}

// Throttle reads a throttle inside the unit of work that will change it.
func (s *Store) Throttle(_ context.Context, jt journal.Tx, key string) (people.Throttle, error) {
	found := people.Throttle{Key: key}
	t, err := s.own(jt)
	if err != nil {
		return found, err
	}
	err = t.rows(`select fails, at, until_at from throttles where key = $1`, []any{key}, func(r *sql.Rows) error {
		return r.Scan(&found.Fails, into(&found.At), into(&found.Until))
	})
	return found, err
}

// PutThrottle replaces a throttle; one with no fails is deleted.
func (s *Store) PutThrottle(_ context.Context, jt journal.Tx, v people.Throttle) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Fails == 0 {
		_, err = t.exec(`delete from throttles where key = $1`, v.Key)
		return err
	}
	_, err = t.exec(`insert into throttles (key, fails, at, until_at) values ($1, $2, $3, $4)
		on conflict (key) do update set fails = excluded.fails, at = excluded.at, until_at = excluded.until_at`,
		v.Key, v.Fails, at(v.At), at(v.Until))
	return err
}

// doorPrunes are the statements of PruneDoors: each deletes at most $2 rows that ended before $1.
var doorPrunes = []string{
	`delete from sessions where id in (select id from sessions where expires_at < $1 limit $2)`,
	`delete from links where id in (select id from links where expires_at < $1 limit $2)`,
	`delete from throttles where key in (select key from throttles where at < $1 limit $2)`,
}

// PruneDoors deletes sessions, links and throttles that ended before the moment,
// at most limit of each, and tells how many in all.
func (s *Store) PruneDoors(_ context.Context, jt journal.Tx, before time.Time, limit int) (int, error) {
	t, err := s.own(jt)
	if err != nil {
		return 0, err
	}
	if err := positive(limit); err != nil {
		return 0, err
	}
	gone := 0
	for _, query := range doorPrunes {
		n, err := t.exec(query, at(before), limit)
		if err != nil {
			return gone, err
		}
		gone += int(n)
	}
	return gone, nil
}

// SealKeys gives the names of the keys that sealed anything here, the last used first.
func (s *Store) SealKeys(ctx context.Context) ([]string, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		`select id from seal_keys order by used_at desc, id`)
}

// UseSealKey notes that a key seals from now on.
func (s *Store) UseSealKey(_ context.Context, jt journal.Tx, id string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into seal_keys (id, used_at) values ($1, $2) on conflict (id) do update set used_at = excluded.used_at`, id, at(when))
	return err
}
