package store

import (
	"context"
	"fmt"
	"strings"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Look gives the entries that match, in the order asked for.
func (s *Store) Look(ctx context.Context, l journal.Look) (found []journal.Sealed, err error) {
	defer problem.Wrap(&err, "look into the journal")
	if err := positive(l.Limit); err != nil {
		return nil, err
	}
	plan, err := s.plan(ctx, l)
	if err != nil {
		return nil, err
	}
	var where []string
	var args []any
	is := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	is("seq > $%d", plan.after)
	if plan.before > 0 {
		is("seq < $%d", plan.before)
	}
	if l.Subject.Kind != "" {
		is("subject_kind = $%d", l.Subject.Kind)
	}
	if l.Subject.ID != "" {
		is("subject_id = $%d", l.Subject.ID)
	}
	if verb := column("verb", plan.byVerb); wholeVerb(l.Verb) && l.Verb != "" {
		is(verb+" = $%d", l.Verb)
	} else if l.Verb != "" {
		low, high := verbRange(l.Verb)
		is(verb+" >= $%d", low)
		is(verb+" < $%d", high)
	}
	if l.Actor != "" {
		is(column("actor", plan.byActor)+" = $%d", l.Actor)
	}
	if !l.From.IsZero() {
		is("recorded_at + 0 >= $%d", at(l.From)) // plan has made it a bound of seq
	}
	if !l.To.IsZero() {
		is("recorded_at + 0 < $%d", at(l.To))
	}
	order := "seq desc"
	if l.Oldest {
		order = "seq"
	}
	args = append(args, l.Limit)
	return list(ctx, s, s.db, scanSealed,
		`select seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload
		 from journal where `+strings.Join(where, " and ")+` order by `+order+fmt.Sprintf(` limit $%d`, len(args)), args...)
}
