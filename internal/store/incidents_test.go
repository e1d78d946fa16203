package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/incident/incidenttest"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

func TestStoreKeepsIncidents(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Incidents(t, func(tb testing.TB) storetest.IncidentRecord { return open(tb) })
	})
	t.Run("memory", func(t *testing.T) {
		storetest.Incidents(t, func(testing.TB) storetest.IncidentRecord { return incidenttest.New() })
	})
}

func TestStoreKeepsConcerns(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Concerns(t, func(tb testing.TB) storetest.ConcernRecord { return open(tb) })
	})
}

// People and the machine write to one incident at the same time: each act is
// there once, none is lost, and whoever was too late hears Conflict.
func TestActsOnOneIncidentCollideAndNoneIsLost(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		s := open(t)
		comps := fixedComponents{{Key: "pay", ID: "pay", Name: "Payments", Public: true}}
		room := incident.NewRoom(incident.RoomDeps{Work: s, Store: s, Components: comps, Now: time.Now, Log: quiet()})
		i, err := room.Declare(t.Context(), operator, incident.Declaration{
			Name: "Payments fail", Body: "We are looking into it.", Publish: true, Components: []incident.Affected{{Component: "pay", Status: "major_outage"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var done atomic.Int64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for k := range 10 {
					var err error
					switch n % 4 {
					case 0:
						_, err = room.Note(t.Context(), operator, i.ID, "x")
					case 1:
						_, _, err = room.Publish(t.Context(), operator, i.ID, incident.Publication{Body: "x"})
					case 2:
						_, err = room.Rename(t.Context(), operator, i.ID, fmt.Sprintf("Name %d %d", n, k), "x")
					default:
						status := []string{"major_outage", "operational"}[k%2]
						err = s.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
							return room.Suspect(t.Context(), tx, []incident.Suspicion{{Component: "pay", Status: status, Since: time.Now()}})
						})
					}
					switch kind := problem.KindOf(err); {
					case err == nil && n%4 != 3:
						done.Add(1)
					case kind != "" && kind != problem.KindConflict && kind != problem.KindUnavailable:
						t.Errorf("act %d: %v", n%4, err)
					}
				}
			})
		}
		all.Wait()
		got, lines, err := room.Get(t.Context(), operator, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		acts := int64(0)
		for _, u := range lines {
			if u.Verb != "component.moved" && u.Verb != "incident.proposed" {
				acts++
			}
		}
		if acts != done.Load()+1 || got.Lines != len(lines) {
			t.Errorf("%d acts went well, %d are there; %d lines are counted of %d", done.Load()+1, acts, got.Lines, len(lines))
		}
	})
}
