package store

import (
	"context"
	"database/sql"
	"errors"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

const tallyColumns = `up_us, degraded_us, partial_us, major_us, maintenance_us, unmeasured_us`

// tallyTargets are the scan targets for tallyColumns.
func tallyTargets(t *status.Tally) []any {
	return []any{lasting(&t.Up), lasting(&t.Degraded), lasting(&t.Partial), lasting(&t.Major), lasting(&t.Maintenance), lasting(&t.Unmeasured)}
}

// tallyValues are the arguments for tallyColumns.
func tallyValues(t status.Tally) []any {
	return []any{micros(t.Up), micros(t.Degraded), micros(t.Partial), micros(t.Major), micros(t.Maintenance), micros(t.Unmeasured)}
}

// Months gives the frozen months of a component with their corrections, oldest
// first; component "" gives all, by component.
func (s *Store) Months(ctx context.Context, component string) (months []status.Month, err error) {
	err = s.snapshot(ctx, func(q querier) error {
		months, err = s.months(ctx, q, component)
		return err
	})
	return months, err
}

// MonthsInside is Months of one component as the unit of work sees them.
func (s *Store) MonthsInside(_ context.Context, jt journal.Tx, component string) ([]status.Month, error) {
	t, err := s.own(jt)
	if err != nil {
		return nil, err
	}
	return within(t, func(q querier) ([]status.Month, error) { return s.months(t.ctx, q, component) })
}

func (s *Store) months(ctx context.Context, q querier, component string) ([]status.Month, error) {
	months, err := list(ctx, s, q, func(r *sql.Rows, m *status.Month) error {
		return r.Scan(append([]any{&m.Component, &m.Month, into(&m.FrozenAt)}, tallyTargets(&m.Tally)...)...)
	}, `select component, month, frozen_at, `+tallyColumns+` from months where $1 = '' or component = $1 order by component, month`, component)
	if err != nil {
		return nil, err
	}
	corrections, err := list(ctx, s, q, func(r *sql.Rows, c *status.Correction) error {
		return r.Scan(append([]any{&c.ID, &c.Component, &c.Month, into(&c.At), &c.Reason, &c.Actor}, tallyTargets(&c.Delta)...)...)
	}, `select id, component, month, at, reason, actor, `+tallyColumns+` from corrections where $1 = '' or component = $1
		order by component, month, at, id`, component)
	if err != nil {
		return nil, err
	}
	for i := range months { // both lists are in the same order
		m := &months[i]
		for len(corrections) > 0 && corrections[0].Component == m.Component && corrections[0].Month == m.Month {
			m.Corrections = append(m.Corrections, corrections[0])
			corrections = corrections[1:]
		}
	}
	return months, nil
}

// PutMonth freezes a month once. Errors: Conflict when it is frozen already.
func (s *Store) PutMonth(_ context.Context, jt journal.Tx, m status.Month) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into months (component, month, frozen_at, `+tallyColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		append([]any{m.Component, m.Month, at(m.FrozenAt)}, tallyValues(m.Tally)...)...)
	return err
}

// AddCorrection adds a signed adjustment to a frozen month. Errors: NotFound
// when the month is not frozen, Conflict when the correction is there already.
func (s *Store) AddCorrection(_ context.Context, jt journal.Tx, c status.Correction) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	var one int
	err = t.one(`select 1 from months where component = $1 and month = $2`, []any{c.Component, c.Month}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return problem.NotFound("The month %s of %s is not frozen yet.", c.Month, c.Component)
	}
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into corrections (id, component, month, at, reason, actor, `+tallyColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		append([]any{c.ID, c.Component, c.Month, at(c.At), c.Reason, c.Actor}, tallyValues(c.Delta)...)...)
	return err
}
