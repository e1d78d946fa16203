package journal_test

import (
	"errors"
	"strings"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/problem"
)

// chained makes a journal of n entries by an actor.
func chained(t *testing.T, n int, verb string) *journaltest.Memory {
	t.Helper()
	m := journaltest.New()
	for range n {
		e := journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "test", ID: "a"}, Audience: journal.AudienceStaff}
		if err := m.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return tx.Append(e) }); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestKeptHeadsShowThatTheWholeChainWasMadeAnew(t *testing.T) {
	m := chained(t, 5, "test.happened")
	var kept []journal.Head
	all, err := m.After(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i, day := range []string{"2026-11-20", "2026-11-21"} {
		kept = append(kept, journal.Head{Date: day, Seq: all[2*i+1].Seq, Hash: all[2*i+1].Hash})
		lines.WriteString(kept[i].String() + "\n\n# carried away\n")
	}
	read, err := journal.ReadHeads(strings.NewReader(lines.String()))
	if err != nil || len(read) != 2 || read[0] != kept[0] || read[1] != kept[1] {
		t.Fatalf("%v became %v, %v", kept, read, err)
	}
	if err := journal.VerifyHeads(t.Context(), m, read); err != nil {
		t.Errorf("the same journal: %v", err)
	}
	for what, c := range map[string]struct {
		journal *journaltest.Memory
		at      int64
	}{"made anew": {chained(t, 5, "test.forged"), 2}, "cut off": {chained(t, 0, ""), 1}} {
		if err := journal.Verify(t.Context(), c.journal); err != nil {
			t.Fatalf("%s: the chain by itself does not hold: %v", what, err)
		}
		broken, ok := errors.AsType[*journal.Broken](journal.VerifyHeads(t.Context(), c.journal, read))
		if !ok || broken.Seq != c.at {
			t.Errorf("%s: found %v, want a break at %d", what, broken, c.at)
		}
	}
	kept[1].Seq = kept[0].Seq
	if err := journal.VerifyHeads(t.Context(), m, kept); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("two hashes of one entry: %v", err)
	}
}

func FuzzReadHeads(f *testing.F) {
	f.Add("2026-11-21 12 " + journal.Genesis + "\n# x\n\n2026-11-22 13 " + journal.Genesis)
	f.Add("2026-13-21 12 x")
	f.Add("2026-11-21 -1 " + journal.Genesis)
	f.Fuzz(func(t *testing.T, text string) {
		heads, err := journal.ReadHeads(strings.NewReader(text))
		if err != nil && problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%q gives %v", text, err)
		}
		for _, h := range heads {
			again, err := journal.ReadHeads(strings.NewReader(h.String()))
			if err != nil || len(again) != 1 || again[0] != h {
				t.Errorf("%v is read as %v, %v", h, again, err)
			}
		}
	})
}
