package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

func TestJournalIsLookedIntoByColumns(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		s := open(t)
		for n, verb := range []string{"incident.declared", "incident.updated", "incidents.other", "incident.updated", "person.added"} {
			by := access.Host
			if n%2 == 1 {
				by = access.Actor{ID: "p1", Role: access.RoleSRE}
			}
			if err := s.Do(t.Context(), by, func(tx journal.Tx) error {
				return tx.Append(journal.Entry{Verb: verb, Subject: journal.Ref{Kind: strings.Split(verb, ".")[0], ID: fmt.Sprint(n / 2)}, Audience: journal.AudienceStaff})
			}); err != nil {
				t.Fatal(err)
			}
		}
		storetest.Seal(t, s)
		for name, c := range map[string]struct {
			look journal.Look
			want string
		}{
			"all":        {journal.Look{}, "[5 4 3 2 1]"},
			"oldest":     {journal.Look{Oldest: true, After: 1, Limit: 2}, "[2 3]"},
			"before":     {journal.Look{Before: 3}, "[2 1]"},
			"noun":       {journal.Look{Verb: "incident."}, "[4 2 1]"},
			"verb":       {journal.Look{Verb: "incident.updated"}, "[4 2]"},
			"actor":      {journal.Look{Actor: "p1"}, "[4 2]"},
			"subject":    {journal.Look{Subject: journal.Ref{Kind: "incident", ID: "0"}}, "[2 1]"},
			"kind":       {journal.Look{Subject: journal.Ref{Kind: "incident"}}, "[4 2 1]"},
			"not before": {journal.Look{From: time.Now().Add(time.Hour)}, "[]"},
			"until":      {journal.Look{To: time.Now().Add(time.Hour), Verb: "person."}, "[5]"},
		} {
			if c.look.Limit == 0 {
				c.look.Limit = 10
			}
			found, err := s.Look(t.Context(), c.look)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := []int64{}
			for _, e := range found {
				got = append(got, e.Seq)
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("%s: got %v, want %s", name, got, c.want)
			}
		}
	})
}
