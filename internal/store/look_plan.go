package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/journal"
)

const (
	// disorder is how long after another an entry may have been recorded and still
	// stand before it in the journal: units that take long, and clocks of replicas
	// that differ.
	disorder = 5 * time.Minute
	// few is how many entries are sorted gladly. Of more there are so many that the
	// newest that fit are found sooner by walking back from the head.
	few = 25_000
)

// lookPlan is by which index a Look is answered. Both engines would choose by
// what columns hold on average, which is wrong for a journal in which the hub
// itself writes nearly everything.
type lookPlan struct {
	after, before int64 // bounds of Seq; before 0 = none
	byActor       bool
	byVerb        bool
}

// plan decides how to answer a Look. It costs a few lookups.
func (s *Store) plan(ctx context.Context, l journal.Look) (p lookPlan, err error) {
	p = lookPlan{after: l.After, before: l.Before}
	if !l.From.IsZero() {
		seq, err := s.seqAt(ctx, `select seq from journal where recorded_at < $1 order by recorded_at desc limit 1`, l.From.Add(-disorder))
		if err != nil {
			return p, err
		}
		p.after = max(p.after, seq)
	}
	if !l.To.IsZero() {
		seq, err := s.seqAt(ctx, `select seq from journal where recorded_at >= $1 order by recorded_at limit 1`, l.To.Add(disorder))
		if err != nil {
			return p, err
		}
		if seq > 0 && (p.before == 0 || seq < p.before) {
			p.before = seq
		}
	}
	if l.Subject.ID != "" { // nothing is narrower
		return p, nil
	}
	low, high := verbRange(l.Verb)
	actor, verb := few, few
	if l.Actor != "" && l.Verb != "" {
		if actor, err = s.countTo(ctx, `select count(*) from (select 1 from journal where actor = $1 limit $2) as first_ones`, l.Actor, few); err != nil {
			return p, err
		}
	}
	if l.Verb != "" {
		if verb, err = s.countTo(ctx, `select count(*) from (select 1 from journal where verb >= $1 and verb < $2 limit $3) as first_ones`, low, high, few); err != nil {
			return p, err
		}
	}
	// A whole verb or an actor is kept in the order of the journal, so many do no harm.
	p.byVerb = l.Verb != "" && (verb < few || wholeVerb(l.Verb)) && verb <= actor
	p.byActor = l.Actor != "" && !p.byVerb
	return p, nil
}

// seqAt gives the Seq that a query finds for a moment; 0 for none.
func (s *Store) seqAt(ctx context.Context, query string, when time.Time) (int64, error) {
	found, err := list(ctx, s, s.db, func(r *sql.Rows, seq *int64) error { return r.Scan(seq) }, query, at(when))
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0], nil
}

// countTo gives what a counting query counts.
func (s *Store) countTo(ctx context.Context, query string, args ...any) (int, error) {
	found, err := list(ctx, s, s.db, func(r *sql.Rows, n *int) error { return r.Scan(n) }, query, args...)
	if err != nil {
		return 0, err
	}
	return found[0], nil
}

// wholeVerb tells a verb from a noun and its dot.
func wholeVerb(verb string) bool { return verb == "" || verb[len(verb)-1] != '.' }

// verbRange gives the verbs that one, or a noun and its dot, stands for: at
// least low and below high.
func verbRange(verb string) (low, high string) {
	if wholeVerb(verb) {
		return verb, verb + "\x01"
	}
	return verb, verb[:len(verb)-1] + "/" // the byte after the dot
}

// column gives a column for a condition; an index on it is used only if use is true.
func column(name string, use bool) string {
	if use {
		return name
	}
	return name + " || ''"
}
