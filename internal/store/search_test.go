package store_test

import (
	"strconv"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

func TestJournalIsFoundByWords(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		s := open(t)
		for n, subject := range []string{"checkout-web", "search", "checkout-api"} {
			storetest.Append(t, s, journal.Entry{
				ID: strconv.Itoa(n), Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: subject},
				Audience: journal.AudiencePublic, Payload: map[string]string{"to": "major_outage"},
			})
		}
		storetest.Seal(t, s)
		entries, err := s.After(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return s.Index(t.Context(), tx, entries) }); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string][]int64{
			"checkout": {3, 1}, "moved checkout": {3, 1}, "checkout ap": {3}, "CHECKOUT-web": {1}, "ap checkout": nil, "nothing": nil,
			"major outage": {3, 2, 1}, "'; drop table journal --": nil, `"`: nil, "": nil,
		} {
			found, err := s.Find(t.Context(), journal.WordsOf(text), 100, 10)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			var got []int64
			for _, e := range found {
				got = append(got, e.Seq)
			}
			if len(got) != len(want) {
				t.Errorf("%q: found %v, want %v", text, got, want)
				continue
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%q: found %v, want %v", text, got, want)
				}
			}
		}
		if found, err := s.Find(t.Context(), []string{"component"}, 3, 1); err != nil || len(found) != 1 || found[0].Seq != 2 {
			t.Errorf("a page on: %v, %v", found, err)
		}
	})
}

// BenchmarkFindInMillion shows that a search stays quick in a long journal.
func BenchmarkFindInMillion(b *testing.B) {
	const entries, chunk = 1_000_000, 5000
	s := openWith(b, store.Options{DataDir: b.TempDir()})
	for from := 0; from < entries; from += chunk {
		err := s.Do(b.Context(), access.Hub, func(tx journal.Tx) error {
			for n := from; n < from+chunk; n++ {
				verb, subject := "component.moved", "web-"+strconv.Itoa(n%1000)
				if n%1000 == 0 {
					verb = "incident.published"
				}
				if err := tx.Append(journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "component", ID: subject}, Audience: journal.AudienceStaff}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		sealed, err := s.After(b.Context(), int64(from), chunk)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Do(b.Context(), access.Hub, func(tx journal.Tx) error { return s.Index(b.Context(), tx, sealed) }); err != nil {
			b.Fatal(err)
		}
	}
	for name, text := range map[string]string{"rare": "incident published", "common": "component moved", "mixed": "moved web 777", "none": "moved nowhere", "beginning": "mov", "long beginning": "compone"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Find(b.Context(), journal.WordsOf(text), 1<<60, 50); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
