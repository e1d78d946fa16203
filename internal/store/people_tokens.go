package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/people"
)

const tokenColumns = `id, name, hash, role, scopes, created_by, created_at, expires_at, revoked_at, seen_at`

func scanToken(r *sql.Rows, v *people.Token) error {
	return r.Scan(&v.ID, &v.Name, &v.Hash, &v.Role, asJSON(&v.Scopes), &v.CreatedBy, into(&v.CreatedAt), into(&v.ExpiresAt), into(&v.RevokedAt), into(&v.SeenAt))
}

// TokenByHash gives the token with that hash, revoked ones included. Errors: NotFound.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (people.Token, error) {
	return first(ctx, s, "token", scanToken, `select `+tokenColumns+` from tokens where hash = $1`, hash)
}

// Tokens gives every token, newest first, revoked ones included.
func (s *Store) Tokens(ctx context.Context) ([]people.Token, error) {
	return list(ctx, s, s.db, scanToken, `select `+tokenColumns+` from tokens order by created_at desc, id desc`)
}

// AddToken records a token.
func (s *Store) AddToken(_ context.Context, jt journal.Tx, v people.Token) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into tokens (`+tokenColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		v.ID, v.Name, v.Hash, string(v.Role), asJSON(&v.Scopes), v.CreatedBy, at(v.CreatedAt), at(v.ExpiresAt), at(v.RevokedAt), at(v.SeenAt))
	return err
}

// RevokeToken ends a token. Errors: Conflict when it is gone or revoked already.
func (s *Store) RevokeToken(_ context.Context, jt journal.Tx, id string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("token", id, `update tokens set revoked_at = $2 where id = $1 and revoked_at is null`, id, at(when))
}

// SeeToken notes when a token was last seen.
func (s *Store) SeeToken(_ context.Context, jt journal.Tx, id string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`update tokens set seen_at = $2 where id = $1 and (seen_at is null or seen_at < $2)`, id, at(when))
	return err
}

const hookColumns = `id, source, name, hash, mapping, created_by, created_at, revoked_at, seen_at`

func scanHook(r *sql.Rows, v *people.Hook) error {
	return r.Scan(&v.ID, &v.Source, &v.Name, &v.Hash, asJSON(&v.Mapping), &v.CreatedBy, into(&v.CreatedAt), into(&v.RevokedAt), into(&v.SeenAt))
}

// HookByHash gives the hook with that hash, revoked ones included. Errors: NotFound.
func (s *Store) HookByHash(ctx context.Context, hash []byte) (people.Hook, error) {
	return first(ctx, s, "hook", scanHook, `select `+hookColumns+` from hooks where hash = $1`, hash)
}

// Hooks gives every hook, newest first, revoked ones included.
func (s *Store) Hooks(ctx context.Context) ([]people.Hook, error) {
	return list(ctx, s, s.db, scanHook, `select `+hookColumns+` from hooks order by created_at desc, id desc`)
}

// AddHook records a hook.
func (s *Store) AddHook(_ context.Context, jt journal.Tx, v people.Hook) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into hooks (`+hookColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		v.ID, v.Source, v.Name, v.Hash, asJSON(&v.Mapping), v.CreatedBy, at(v.CreatedAt), at(v.RevokedAt), at(v.SeenAt))
	return err
}

// RevokeHook ends a hook. Errors: Conflict when it is gone or revoked already.
func (s *Store) RevokeHook(_ context.Context, jt journal.Tx, id string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("hook", id, `update hooks set revoked_at = $2 where id = $1 and revoked_at is null`, id, at(when))
}

// SeeHook notes when a hook was last seen.
func (s *Store) SeeHook(_ context.Context, jt journal.Tx, id string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`update hooks set seen_at = $2 where id = $1 and (seen_at is null or seen_at < $2)`, id, at(when))
	return err
}
