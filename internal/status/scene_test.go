package status_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
	"evenkeel/internal/status/statustest"
)

// friday is when the board tests happen: 15:32 in Berlin.
var friday = time.Date(2026, 11, 20, 14, 32, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return friday.Add(-d) }

const day = 24 * time.Hour

// scene is a record and the board that shows it.
type scene struct {
	t       testing.TB
	store   *statustest.Store
	latency *statustest.Latency
	board   *status.Board
	spans   int
	seen    int
}

func newScene(t testing.TB, zone string) *scene {
	s := &scene{t: t, store: statustest.New(func() time.Time { return friday }), latency: &statustest.Latency{}}
	s.board = s.newBoard()
	s.do(func(tx journal.Tx) error {
		site := status.Site{Name: "Northmoor status", URL: "https://status.example.org", Zone: zone, Weights: status.Weights{Major: 1, Partial: 0.3}}
		if err := s.store.PutSite(t.Context(), tx, site); err != nil {
			return err
		}
		return s.store.PutAlive(t.Context(), tx, friday)
	})
	return s
}

func (s *scene) newBoard() *status.Board {
	return status.NewBoard(status.BoardDeps{Store: s.store, Latency: s.latency, Log: slog.New(slog.DiscardHandler)})
}

func (s *scene) do(fn func(journal.Tx) error) {
	s.t.Helper()
	if err := s.store.Do(s.t.Context(), access.Hub, fn); err != nil {
		s.t.Fatal(err)
	}
}

// component defines a component that was made a year ago.
func (s *scene) component(c status.Component) {
	s.t.Helper()
	if c.Key == "" {
		c.Key = c.ID
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = ago(365 * day)
	}
	s.do(func(tx journal.Tx) error {
		if err := s.store.PutComponent(s.t.Context(), tx, c); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "component.added", Subject: journal.Ref{Kind: "component", ID: c.Key}, Audience: journal.AudiencePublic})
	})
}

// public defines public components by their names.
func (s *scene) public(names ...string) {
	s.t.Helper()
	for i, name := range names {
		s.component(status.Component{ID: strings.ToLower(name), Name: name, Public: true, Position: i})
	}
}

// moves lets a component's published timeline go on. Statuses stand between the
// moments at which they begin.
func (s *scene) moves(key string, from time.Time, st status.Status, more ...func(*status.Span)) {
	s.t.Helper()
	span := status.Span{ID: fmt.Sprintf("span-%d", s.spans), Component: key, Track: status.Published, From: from, Status: st, Origin: status.ByMachine}
	s.spans++
	for _, fn := range more {
		fn(&span)
	}
	open := s.open(key)
	cut := status.Splice(open, span)
	if cut.Empty() {
		s.t.Fatalf("%s is %s already", key, st)
	}
	s.do(func(tx journal.Tx) error {
		var err error
		if cut.Drop != nil {
			err = s.store.DropSpan(s.t.Context(), tx, open.ID, open.Version)
		}
		if cut.End != nil {
			err = s.store.EndSpan(s.t.Context(), tx, open.ID, open.Version, cut.End.To)
		}
		if err != nil {
			return err
		}
		if err := s.store.AddSpan(s.t.Context(), tx, *cut.Open); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: key}, Audience: journal.AudiencePublic,
			Payload: map[string]string{"track": "published", "to": string(st)}})
	})
}

// open gives the open published span of a component.
func (s *scene) open(key string) status.Span {
	s.t.Helper()
	spans, err := s.store.OpenSpans(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, sp := range spans {
		if sp.Component == key && sp.Track == status.Published {
			return sp
		}
	}
	return status.Span{}
}

// fails lets a component work for a year but for one stretch.
func (s *scene) fails(key string, st status.Status, from, to time.Time, more ...func(*status.Span)) {
	s.t.Helper()
	s.moves(key, from, st, more...)
	s.moves(key, to, status.Operational)
}

// works lets components work since they were made.
func (s *scene) works(keys ...string) {
	s.t.Helper()
	for _, key := range keys {
		s.moves(key, ago(365*day), status.Operational)
	}
}

// planned records maintenance.
func (s *scene) planned(o status.Occurrence) {
	s.t.Helper()
	s.do(func(tx journal.Tx) error {
		if err := s.store.PutOccurrence(s.t.Context(), tx, o); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "maintenance.scheduled", Subject: journal.Ref{Kind: "maintenance", ID: o.ID}, Audience: journal.AudiencePublic})
	})
}

// load lets the board read everything.
func (s *scene) load() {
	s.t.Helper()
	s.seen = len(s.store.Entries())
	if err := s.board.Load(s.t.Context(), int64(s.seen)); err != nil {
		s.t.Fatal(err)
	}
}

// follow lets the board read what came since.
func (s *scene) follow() {
	s.t.Helper()
	var sealed []journal.Sealed
	for i, e := range s.store.Entries()[s.seen:] {
		sealed = append(sealed, journal.Sealed{Seq: int64(s.seen + i + 1), Entry: e})
	}
	s.seen += len(sealed)
	if err := s.board.Follow(s.t.Context(), sealed); err != nil {
		s.t.Fatal(err)
	}
}

// row finds a component on the page of friday.
func (s *scene) row(id string) status.PageComponent {
	s.t.Helper()
	for _, g := range s.board.Page(friday).Groups {
		for _, c := range g.Components {
			if c.ID == id {
				return c
			}
		}
	}
	s.t.Fatalf("%s is not on the page", id)
	return status.PageComponent{}
}

// stories lists the days of a component that have one.
func (s *scene) stories(id string) []string {
	s.t.Helper()
	var out []string
	for _, d := range s.row(id).Days {
		if d.Story != "" {
			out = append(out, string(d.Worst)+"/ "+d.Story)
		}
	}
	return out
}

func because(c status.Cause) func(*status.Span) { return func(s *status.Span) { s.Cause = c } }
func said(text string) func(*status.Span)       { return func(s *status.Span) { s.Public = text } }
func byHuman(s *status.Span)                    { s.Origin = status.ByHuman }

// same compares pages; NaN equals NaN.
func same(t testing.TB, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02T15:04Z", clock)
	if err != nil {
		panic(err)
	}
	return t
}
