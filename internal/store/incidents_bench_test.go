package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/hub"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/store"
)

// fixedComponents is a catalog for incidents that needs no watch.
type fixedComponents []incident.Component

func (c fixedComponents) Known() []incident.Component { return c }

// manyIncidents fills a record with n incidents of three updates each over
// three years; the newest few are open.
func manyIncidents(tb testing.TB, n int) (*store.Store, *incident.Room) {
	s := openWith(tb, store.Options{DataDir: tb.TempDir()})
	var comps fixedComponents
	for k := range 1000 {
		comps = append(comps, incident.Component{Key: fmt.Sprintf("k%04d", k), ID: fmt.Sprintf("k%04d", k), Name: fmt.Sprintf("Component %d", k), Public: true})
	}
	begin := time.Now().UTC().Truncate(time.Microsecond).AddDate(-3, 0, 0)
	ctx := context.Background()
	for from := 0; from < n; from += 200 {
		if err := s.Do(ctx, access.Hub, func(tx journal.Tx) error {
			for k := from; k < min(from+200, n); k++ {
				at := begin.Add(time.Duration(k) * (3 * 365 * 24 * time.Hour / time.Duration(n)))
				i := incident.Incident{
					ID: fmt.Sprintf("incident%08d", k), Name: fmt.Sprintf("Trouble %d with payments in some regions", k), State: incident.Resolved,
					Impact: incident.ImpactMajor, Worst: incident.ImpactMajor, Visibility: incident.Public, Origin: incident.ByPerson,
					StartedAt: at, OpenedAt: at, PublishedAt: at, ResolvedAt: at.Add(time.Hour), ChangedAt: at, Lines: 3,
					Components: []incident.Affected{{Component: comps[k%1000].Key, Status: "partial_outage", Since: at}, {Component: comps[(k*7+1)%1000].Key, Status: "degraded_performance", Since: at}},
				}
				if n-k <= 5 {
					i.State, i.ResolvedAt = incident.Investigating, time.Time{}
				}
				if err := s.PutIncident(ctx, tx, &i); err != nil {
					return err
				}
				for u := range 3 {
					if err := s.PutUpdate(ctx, tx, &incident.Update{
						ID: fmt.Sprintf("%s-%d", i.ID, u), Incident: i.ID, Kind: incident.KindUpdate, State: incident.Investigating, Author: "p1",
						Body: "We have found the cause and are returning to the previous version.", CreatedAt: at, DisplayAt: at.Add(time.Duration(u) * time.Minute), PublishedAt: at,
					}); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			tb.Fatal(err)
		}
	}
	room := incident.NewRoom(incident.RoomDeps{Work: s, Store: s, Components: comps, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	return s, room
}

// BenchmarkIncidents measures what pages ask for with 10,000 incidents.
func BenchmarkIncidents(b *testing.B) {
	s, room := manyIncidents(b, 10_000)
	ctx := context.Background()
	open := true
	for name, q := range map[string]incident.Query{
		"first page":       {Limit: 50},
		"page in the past": {Limit: 50, Before: time.Now().AddDate(-2, 0, 0)},
		"open":             {Limit: 50, Open: &open},
		"of a component":   {Limit: 50, Component: "k0500"},
		"seen in a month":  {Limit: 500, Seen: true, From: time.Now().AddDate(0, -1, 0)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if list, err := room.List(ctx, operator, q); err != nil || len(list) == 0 {
					b.Fatalf("%d, %v", len(list), err)
				}
			}
		})
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := room.Get(ctx, operator, "INC-5000"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("publish", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := room.Publish(ctx, operator, "INC-10000", incident.Publication{Body: "More."}); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if i, err := room.Find(ctx, operator, "INC-10000"); err != nil || i.Lines > incident.MaxLines {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
	b.Run("public page of 92 days", func(b *testing.B) {
		page := hub.Page{Incidents: s}
		for b.Loop() {
			if list, err := page.Public(ctx, time.Now().AddDate(0, 0, -92)); err != nil || len(list) < 500 {
				b.Fatalf("%d, %v", len(list), err)
			}
		}
	})
	b.Run("tick", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.OpenIncidents(ctx); err != nil {
				b.Fatal(err)
			}
			if _, err := s.DueUpdates(ctx, time.Now(), 100); err != nil {
				b.Fatal(err)
			}
		}
	})
}
