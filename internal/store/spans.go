package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

const spanColumns = `id, component, track, from_at, to_at, status, origin, cause, public_text, staff_text, ref, version`

func scanSpan(r *sql.Rows, s *status.Span) error {
	return r.Scan(&s.ID, &s.Component, &s.Track, into(&s.From), into(&s.To), &s.Status, &s.Origin, &s.Cause, &s.Public, &s.Staff, &s.Ref, &s.Version)
}

// OpenSpans gives the open span of every component in both tracks, by component and track.
func (s *Store) OpenSpans(ctx context.Context) ([]status.Span, error) {
	return list(ctx, s, s.db, scanSpan, `select `+spanColumns+` from spans where to_at is null order by component, track`)
}

// Spans gives the spans of one component and track that touch [from, to), in order of time.
func (s *Store) Spans(ctx context.Context, component string, track status.Track, from, to time.Time) ([]status.Span, error) {
	return s.spans(ctx, s.db, component, track, from, to)
}

// SpansInside is Spans as the unit of work sees them.
func (s *Store) SpansInside(_ context.Context, jt journal.Tx, component string, track status.Track, from, to time.Time) ([]status.Span, error) {
	t, err := s.own(jt)
	if err != nil {
		return nil, err
	}
	return within(t, func(q querier) ([]status.Span, error) { return s.spans(t.ctx, q, component, track, from, to) })
}

func (s *Store) spans(ctx context.Context, q querier, component string, track status.Track, from, to time.Time) ([]status.Span, error) {
	return list(ctx, s, q, scanSpan, `select `+spanColumns+` from spans
		where component = $1 and track = $2 and from_at < $4 and (to_at is null or to_at > $3) order by from_at`,
		component, string(track), from.UnixMicro(), to.UnixMicro())
}

// AllSpans gives the spans of all components in a track that end after from, by component, then time.
func (s *Store) AllSpans(ctx context.Context, track status.Track, from time.Time) ([]status.Span, error) {
	return list(ctx, s, s.db, scanSpan, `select `+spanColumns+` from spans
		where track = $1 and (to_at is null or to_at > $2) order by component, from_at`,
		string(track), from.UnixMicro())
}

// AddSpan inserts a span; its version becomes 1. Errors: Conflict when the
// track has an open span already, or another that starts at that moment.
func (s *Store) AddSpan(_ context.Context, jt journal.Tx, v status.Span) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into spans (`+spanColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)`,
		v.ID, v.Component, string(v.Track), at(v.From), at(v.To), string(v.Status), string(v.Origin), int64(v.Cause), v.Public, v.Staff, v.Ref)
	return err
}

// EndSpan sets the end of an open span. Errors: Conflict when it is not open at that version.
func (s *Store) EndSpan(_ context.Context, jt journal.Tx, id string, version int64, to time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("span", id, `update spans set to_at = $3, version = version + 1 where id = $1 and version = $2 and to_at is null`,
		id, version, at(to))
}

// DropSpan deletes an open span that a back-dated one replaces whole. Errors: Conflict as EndSpan.
func (s *Store) DropSpan(_ context.Context, jt journal.Tx, id string, version int64) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("span", id, `delete from spans where id = $1 and version = $2 and to_at is null`, id, version)
}
