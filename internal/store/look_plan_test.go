package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/journal"
)

// However a Look is answered, it gives what looking at every entry gives: for
// entries recorded out of order, hardly any and very many of a kind.
func TestLookGivesWhatLookingAtEverythingGives(t *testing.T) {
	for name, open := range openRaw {
		t.Run(name, func(t *testing.T) {
			s, db := open(t)
			random := rand.New(rand.NewPCG(1, 2))
			verbs := []string{"component.moved", "component.moved", "component.moved", "incident.updated", "incident.declared", "token.made"}
			actors := []string{"hub", "hub", "hub", "host", "person/1", "person/2"}
			start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			const n = 400
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			for seq := 1; seq <= n; seq++ {
				verb := verbs[random.IntN(len(verbs))]
				kind, _, _ := strings.Cut(verb, ".")
				recorded := start.Add(time.Duration(seq)*time.Minute - time.Duration(random.IntN(240))*time.Second)
				if _, err := tx.Exec(`insert into journal (seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload)
					values ($1, $2, $3, $4, 'machine', $5, $6, $7, $8, $8, 'staff', '{}')`,
					seq, fmt.Sprintf("%064d", seq), fmt.Sprint("id", seq), actors[random.IntN(len(actors))], verb, kind, fmt.Sprint(random.IntN(4)), recorded.UnixMicro()); err != nil {
					t.Fatal(err)
				}
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			all, err := s.After(t.Context(), 0, n)
			if err != nil {
				t.Fatal(err)
			}
			pick := func(from ...string) string { return from[random.IntN(len(from))] }
			moment := func() time.Time {
				if random.IntN(2) == 0 {
					return time.Time{}
				}
				return start.Add(time.Duration(random.IntN(n+20)-10) * time.Minute)
			}
			for range 200 {
				l := journal.Look{
					Verb: pick("", "", "component.", "incident.", "token.", "hook.", "token.made", "incident.updated"), Actor: pick("", "", "hub", "person/1", "nobody"),
					Subject: journal.Ref{Kind: pick("", "", "component", "token")}, From: moment(), To: moment(), Limit: 1 + random.IntN(60), Oldest: random.IntN(2) == 0,
				}
				if l.Subject.Kind != "" {
					l.Subject.ID = pick("", "1")
				}
				if random.IntN(3) == 0 {
					l.Before, l.After = int64(random.IntN(n)), int64(random.IntN(n))
				}
				got, err := s.Look(t.Context(), l)
				if err != nil {
					t.Fatal(err)
				}
				if want := looked(all, l); !slices.Equal(seqs(got), want) {
					t.Errorf("%+v gives %v, want %v", l, seqs(got), want)
				}
			}
		})
	}
}

// looked answers a Look by looking at every entry.
func looked(all []journal.Sealed, l journal.Look) []int64 {
	var out []int64
	for _, e := range all {
		noun := strings.HasSuffix(l.Verb, ".")
		switch {
		case e.Seq <= l.After, l.Before > 0 && e.Seq >= l.Before,
			l.Subject.Kind != "" && e.Subject.Kind != l.Subject.Kind, l.Subject.ID != "" && e.Subject.ID != l.Subject.ID,
			noun && !strings.HasPrefix(e.Verb, l.Verb), !noun && l.Verb != "" && e.Verb != l.Verb, l.Actor != "" && e.Actor.ID != l.Actor,
			!l.From.IsZero() && e.RecordedAt.Before(l.From), !l.To.IsZero() && !e.RecordedAt.Before(l.To):
			continue
		}
		out = append(out, e.Seq)
	}
	if !l.Oldest {
		slices.Reverse(out)
	}
	return out[:min(len(out), l.Limit)]
}

func seqs(entries []journal.Sealed) []int64 {
	var out []int64
	for _, e := range entries {
		out = append(out, e.Seq)
	}
	return out
}
