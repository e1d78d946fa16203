package storetest

import (
	"testing"
	"time"

	"evenkeel/internal/hub"
	"evenkeel/internal/journal"
)

// ConcernRecord is the hall's store with the unit of work it takes.
type ConcernRecord interface {
	journal.Work
	hub.Concerns
}

// Concerns runs the suite of hub.Concerns. open gives a fresh, empty record that
// is closed with the test.
func Concerns(t *testing.T, open func(testing.TB) ConcernRecord) {
	r := open(t)
	a := hub.Concern{
		ID: "quiet-i1", Kind: hub.Quiet, Subject: journal.Ref{Kind: "incident", ID: "i1"}, Since: base.Add(time.Hour), RaisedAt: base.Add(2 * time.Hour),
		Until: base.Add(3 * time.Hour), Facts: map[string]string{"by": "p1"},
	}
	full(t, a)
	b := hub.Concern{ID: "green-i2", Kind: hub.Green, Subject: journal.Ref{Kind: "incident", ID: "i2"}, Since: base, RaisedAt: base}
	put := func(c hub.Concern) (fresh bool) {
		withinUnit(t, r, func(tx journal.Tx) (err error) {
			fresh, err = r.PutConcern(t.Context(), tx, c)
			return err
		})
		return fresh
	}
	if !put(a) || !put(b) {
		t.Fatal("a new concern is not new")
	}
	same(t, []hub.Concern{b, a}, must[[]hub.Concern](t)(r.Concerns(t.Context())))
	again := a
	again.RaisedAt, again.Facts = base.Add(9*time.Hour), nil
	if put(again) {
		t.Fatal("the same concern is new twice")
	}
	a.Facts = nil
	same(t, []hub.Concern{b, a}, must[[]hub.Concern](t)(r.Concerns(t.Context())))
	drop := func(id string) (was bool) {
		withinUnit(t, r, func(tx journal.Tx) (err error) {
			was, err = r.DropConcern(t.Context(), tx, id)
			return err
		})
		return was
	}
	if !drop(a.ID) || drop(a.ID) {
		t.Fatal("a concern is dropped once")
	}
	same(t, []hub.Concern{b}, must[[]hub.Concern](t)(r.Concerns(t.Context())))
}
