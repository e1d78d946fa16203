package procedure_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"evenkeel/internal/release/procedure"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// daily is a procedure in the manner of S2: pipeline, sign-offs, vote, train.
func daily(t testing.TB) *procedure.Definition {
	t.Helper()
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	d := &procedure.Definition{
		ID: "daily", Title: "Daily", Identity: procedure.ByDigest, OneRoleEach: true,
		Environments: []procedure.Environment{{ID: "preprod", Order: 1}, {ID: "production", Order: 2, Blessed: true}},
		Train: &procedure.Train{
			Days: []time.Weekday{1, 2, 3, 4, 5}, Zone: kolkata, Departs: 17 * time.Hour, Vote: time.Hour, Window: time.Hour, Holidays: []string{"2026-11-25"},
		},
		Bless: []string{"unit", "coverage", "signed"},
		Gates: []procedure.Gate{
			{ID: "unit", Title: "Unit tests", Manager: "qa", Waive: []string{"qa"}, Check: procedure.Reported{Suite: "unit", MaxAge: 24 * time.Hour}},
			{ID: "coverage", Title: "Coverage", Manager: "qa", Check: procedure.Reported{Suite: "coverage", Ratchet: "coverage", Slack: 0.5, AtLeast: map[string]float64{"coverage": 60}}},
			{ID: "signed", Title: "Sign-off", Manager: "manager", Check: procedure.Signed{Roles: map[string]int{"module_lead": 1, "qa": 1, "sre": 1}}},
			{ID: "vote", Title: "Go or no-go", Manager: "release_manager", Check: procedure.Voted{Roles: map[string]int{"sre": 1, "qa": 1}, Vetoes: []string{"qa"}}},
			{ID: "said", Title: "Notes and plan", Manager: "sre", Check: procedure.Filled{Fields: []string{"downtime", "recovery", "sanity_owner", "oncall"}}},
			{ID: "backup", Title: "Backup", Manager: "sre", Check: procedure.BackedUp{}},
			{ID: "freeze", Title: "Freeze", Manager: "release_manager", Check: procedure.Unfrozen{Env: "production"}},
			{ID: "window", Title: "Window", Manager: "sre", Check: procedure.Windowed{}},
			{ID: "lint", Title: "Issues", Manager: "module_lead", Check: procedure.Linted{Issue: true, Approved: true}},
		},
		Stages: []procedure.Stage{
			{ID: "build", Title: "Build", Owner: "developer", To: "preprod", Gates: []string{"unit", "coverage"}},
			{ID: "release", Title: "Release", Owner: "sre", To: "production", Gates: []string{"signed", "vote", "said", "backup", "freeze", "window", "lint"}},
		},
	}
	if faults := d.Check(); len(faults) > 0 {
		t.Fatalf("faults %v", faults)
	}
	return d
}

// ready is a candidate that everything speaks for, at its departure.
func ready() (procedure.Facts, time.Time) {
	now := time.Date(2026, 11, 23, 11, 31, 0, 0, time.UTC) // 17:01 in Kolkata, a Monday
	f := procedure.Facts{
		Release: procedure.Release{
			ID: "r1", Kind: procedure.Regular, Downtime: "zero_downtime", Data: procedure.DataNone, Recovery: "none", SanityOwner: "person/q", Author: "person/dev",
		},
		Candidate: procedure.Candidate{ID: "c1", Number: 1, Bits: map[string]string{"shop": "sha256:aa"}, Commits: map[string]string{"shop": "5ddba2b"}},
		Evidence: []procedure.Evidence{
			{ID: "e1", Suite: "unit", Module: "shop", About: "sha256:aa", Passed: true, At: now.Add(-time.Hour)},
			{ID: "e2", Suite: "coverage", Module: "shop", About: "sha256:aa", Passed: true, Figures: map[string]float64{"coverage": 71}, At: now.Add(-time.Hour)},
		},
		Ballots: []procedure.Ballot{{
			ID: "b1", Gate: "vote", About: "c1", Opens: now.Add(-time.Hour), Closes: now.Add(-time.Minute), Votes: []procedure.Vote{
				{ID: "v1", Role: "sre", By: "person/s", Word: procedure.Go, At: now.Add(-30 * time.Minute)},
				{ID: "v2", Role: "qa", By: "person/q", Word: procedure.Go, At: now.Add(-29 * time.Minute)},
			},
		}},
		Changes: []procedure.Change{{ID: "x", Kind: "feature", Issue: "TK-1", Approved: "person/m"}},
		OnCall:  1,
	}
	for _, role := range []string{"module_lead", "qa", "sre"} {
		f.Signoffs = append(f.Signoffs, procedure.Signoff{Gate: "signed", Role: role, By: "person/" + role, Accept: true, About: "c1", At: now.Add(-time.Hour)})
	}
	return f, now
}

func state(t *testing.T, b procedure.Board, gate string) procedure.State {
	t.Helper()
	g, ok := b.Gate(gate)
	if !ok {
		t.Fatalf("the board has no gate %s", gate)
	}
	return g.State
}

func TestReadyCandidateMayGo(t *testing.T) {
	d := daily(t)
	f, now := ready()
	b := procedure.Evaluate(d, &f, now)
	if ok, why := b.May("production"); !ok {
		t.Errorf("refused: %+v", why)
	}
	if ok, why := b.Blessable(d); !ok {
		t.Errorf("not blessable: %+v", why)
	}
	if ok, why := b.May("elsewhere"); ok || len(why) != 1 {
		t.Errorf("an environment that is not there: %v %+v", ok, why)
	}
}

// TestNothingKnownLetsNothingThrough: S2-02, gates fail closed.
func TestNothingKnownLetsNothingThrough(t *testing.T) {
	d := daily(t)
	b := procedure.Evaluate(d, &procedure.Facts{}, start)
	for _, s := range b.Stages {
		for _, g := range s.Gates {
			if g.State.Open() && g.Gate.ID != "freeze" {
				t.Errorf("%s is %s when nothing is known", g.Gate.ID, g.State)
			}
			if !g.State.Open() && g.Turn == "" {
				t.Errorf("%s waits for nobody", g.Gate.ID)
			}
		}
	}
}

// TestNewBitsVoidWhatWasSaid: S2-23, S2-30: evidence, sign-offs and votes are of one candidate.
func TestNewBitsVoidWhatWasSaid(t *testing.T) {
	d := daily(t)
	f, now := ready()
	f.Candidate = procedure.Candidate{ID: "c2", Number: 2, Bits: map[string]string{"shop": "sha256:bb"}, Commits: map[string]string{"shop": "5ddba2b"}}
	b := procedure.Evaluate(d, &f, now)
	for gate, want := range map[string]procedure.State{"unit": procedure.Stale, "coverage": procedure.Stale, "signed": procedure.Waiting, "vote": procedure.Waiting} {
		if got := state(t, b, gate); got != want {
			t.Errorf("%s is %s, want %s", gate, got, want)
		}
	}
	for i := range f.Evidence {
		f.Evidence[i].Commit = "5ddba2b"
	}
	d.CarryRebuild = true
	if got := state(t, procedure.Evaluate(d, &f, now), "unit"); got != procedure.Passed {
		t.Errorf("a rebuild of the same commit, where the procedure carries it over: %s", got)
	}
}

func TestGatesOneByOne(t *testing.T) {
	for name, c := range map[string]struct {
		gate  string
		spoil func(f *procedure.Facts, now *time.Time)
		want  procedure.State
	}{
		"S2-23 a report that is too old": {"unit", func(f *procedure.Facts, _ *time.Time) { f.Evidence[0].At = f.Evidence[0].At.Add(-24 * time.Hour) }, procedure.Stale},
		"a report that failed":           {"unit", func(f *procedure.Facts, _ *time.Time) { f.Evidence[0].Passed = false }, procedure.Failed},
		"a newer report that runs": {"unit", func(f *procedure.Facts, now *time.Time) {
			f.Evidence = append(f.Evidence, procedure.Evidence{ID: "e3", Suite: "unit", Module: "shop", About: "sha256:aa", Running: true, At: *now})
		}, procedure.Running},
		"S0-13 a failure of the test": {"unit", func(f *procedure.Facts, _ *time.Time) {
			f.Evidence[0].Passed = false
			f.Triages = []procedure.Triage{{Gate: "unit", Evidence: "e1", Why: "flaky"}}
		}, procedure.Triaged},
		"S0-13 a genuine failure": {"unit", func(f *procedure.Facts, _ *time.Time) {
			f.Evidence[0].Passed = false
			f.Triages = []procedure.Triage{{Gate: "unit", Evidence: "e1", Genuine: true, Why: "it is ours"}}
		}, procedure.Failed},
		"a waiver by who may": {"unit", func(f *procedure.Facts, _ *time.Time) {
			f.Evidence[0].Passed = false
			f.Waivers = []procedure.Waiver{{Gate: "unit", About: "c1", Role: "qa", Why: "known"}}
		}, procedure.Waived},
		"a waiver by who may not": {"unit", func(f *procedure.Facts, _ *time.Time) {
			f.Evidence[0].Passed = false
			f.Waivers = []procedure.Waiver{{Gate: "unit", About: "c1", Role: "manager", Why: "hurry"}}
		}, procedure.Failed},
		"a waiver that ran out": {"unit", func(f *procedure.Facts, now *time.Time) {
			f.Evidence[0].Passed = false
			f.Waivers = []procedure.Waiver{{Gate: "unit", About: "c1", Role: "qa", Why: "known", Until: *now}}
		}, procedure.Failed},
		"S3-05 coverage that went down": {"coverage", func(f *procedure.Facts, _ *time.Time) {
			f.Before = &procedure.Candidate{Figures: map[string]float64{"shop.coverage": 72}}
		}, procedure.Failed},
		"S3-05 coverage that went down a little": {"coverage", func(f *procedure.Facts, _ *time.Time) {
			f.Before = &procedure.Candidate{Figures: map[string]float64{"shop.coverage": 71.4}}
		}, procedure.Passed},
		"coverage below the least":   {"coverage", func(f *procedure.Facts, _ *time.Time) { f.Evidence[1].Figures["coverage"] = 59 }, procedure.Failed},
		"coverage that says nothing": {"coverage", func(f *procedure.Facts, _ *time.Time) { f.Evidence[1].Figures = nil }, procedure.Failed},
		"S2-12 one person in two roles": {"signed", func(f *procedure.Facts, _ *time.Time) {
			f.Signoffs[1].By = f.Signoffs[0].By
		}, procedure.Waiting},
		"somebody declines": {"signed", func(f *procedure.Facts, _ *time.Time) { f.Signoffs[2].Accept, f.Signoffs[2].Why = false, "no" }, procedure.Failed},
		"S2-25 a veto": {"vote", func(f *procedure.Facts, _ *time.Time) {
			f.Ballots[0].Votes = append(f.Ballots[0].Votes, procedure.Vote{ID: "v3", Role: "qa", By: "person/q2", Word: procedure.Veto, Why: "smoke", At: f.Ballots[0].Votes[1].At})
		}, procedure.Failed},
		"S2-25 a veto that was lifted": {"vote", func(f *procedure.Facts, _ *time.Time) {
			f.Ballots[0].Votes = append(f.Ballots[0].Votes, procedure.Vote{ID: "v3", Role: "qa", By: "person/q2", Word: procedure.Veto, Why: "smoke", At: f.Ballots[0].Votes[1].At})
			f.Ballots[0].Lifted = []string{"v3"}
		}, procedure.Passed},
		"a veto of who has none is a no": {"vote", func(f *procedure.Facts, _ *time.Time) {
			f.Ballots[0].Votes[0].Word = procedure.Veto
		}, procedure.Failed},
		"S2-07 no quorum":      {"vote", func(f *procedure.Facts, _ *time.Time) { f.Ballots[0].Votes = f.Ballots[0].Votes[:1] }, procedure.Failed},
		"a vote after closing": {"vote", func(f *procedure.Facts, now *time.Time) { f.Ballots[0].Votes[1].At = *now }, procedure.Failed},
		"a vote that is open":  {"vote", func(f *procedure.Facts, now *time.Time) { f.Ballots[0].Closes = now.Add(time.Minute) }, procedure.Running},
		"S2-22 a mind that changed": {"vote", func(f *procedure.Facts, _ *time.Time) {
			last := f.Ballots[0].Votes[0]
			last.ID, last.Word, last.Why, last.At = "v9", procedure.NoGo, "graphs", last.At.Add(10*time.Minute)
			f.Ballots[0].Votes = append(f.Ballots[0].Votes, last)
		}, procedure.Failed},
		"S0-12 nobody says downtime": {"said", func(f *procedure.Facts, _ *time.Time) { f.Release.Downtime = "" }, procedure.Waiting},
		"S2-21 nobody is on call":    {"said", func(f *procedure.Facts, _ *time.Time) { f.OnCall = 0 }, procedure.Waiting},
		"S1-19 data without a backup": {"backup", func(f *procedure.Facts, _ *time.Time) {
			f.Release.Data = procedure.DataAdditive
		}, procedure.Waiting},
		"S1-19 nobody says whether data change": {"backup", func(f *procedure.Facts, _ *time.Time) { f.Release.Data = procedure.DataUnknown }, procedure.Waiting},
		"S4-12 a freeze": {"freeze", func(f *procedure.Facts, now *time.Time) {
			f.Freezes = []procedure.Freeze{{ID: "z", Env: "production", From: now.Add(-time.Hour), To: now.Add(time.Hour), Allow: []string{"bugfix", "docs"}, Why: "after 4.0"}}
		}, procedure.Failed},
		"S4-13 a freeze that allows it": {"freeze", func(f *procedure.Facts, now *time.Time) {
			f.Freezes = []procedure.Freeze{{ID: "z", From: now.Add(-time.Hour), To: now.Add(time.Hour), Allow: []string{"feature"}, Why: "after 4.0"}}
		}, procedure.Passed},
		"S4-15 fast track": {"freeze", func(f *procedure.Facts, now *time.Time) {
			f.Changes[0].FastTrack = "person/m"
			f.Freezes = []procedure.Freeze{{ID: "z", From: now.Add(-time.Hour), To: now.Add(time.Hour), Allow: []string{"fast_track"}, Why: "after 4.0"}}
		}, procedure.Passed},
		"a freeze elsewhere": {"freeze", func(f *procedure.Facts, now *time.Time) {
			f.Freezes = []procedure.Freeze{{ID: "z", Env: "staging", From: now.Add(-time.Hour), Why: "x"}}
		}, procedure.Passed},
		"S2-07 before the train":          {"window", func(_ *procedure.Facts, now *time.Time) { *now = now.Add(-2 * time.Minute) }, procedure.Waiting},
		"S2-07 after the window":          {"window", func(_ *procedure.Facts, now *time.Time) { *now = now.Add(time.Hour) }, procedure.Waiting},
		"S2-07 on a holiday":              {"window", func(_ *procedure.Facts, now *time.Time) { *now = now.Add(48 * time.Hour) }, procedure.Waiting},
		"S2-07 on a Saturday":             {"window", func(_ *procedure.Facts, now *time.Time) { *now = now.Add(5 * 24 * time.Hour) }, procedure.Waiting},
		"S2-14 a change without an issue": {"lint", func(f *procedure.Facts, _ *time.Time) { f.Changes[0].Issue = "" }, procedure.Failed},
		"S2-17 a change nobody approved":  {"lint", func(f *procedure.Facts, _ *time.Time) { f.Changes[0].Approved = "" }, procedure.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			d := daily(t)
			f, now := ready()
			c.spoil(&f, &now)
			b := procedure.Evaluate(d, &f, now)
			if got := state(t, b, c.gate); got != c.want {
				g, _ := b.Gate(c.gate)
				t.Errorf("%s is %s (%s), want %s", c.gate, got, g.Why, c.want)
			}
			if ok, _ := b.May("production"); ok != c.want.Open() {
				t.Errorf("may go: %v", ok)
			}
		})
	}
}

// TestStandingVetoWinsWhateverTheCount: S2-25, over random ballots.
func TestStandingVetoWinsWhateverTheCount(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	k := procedure.Voted{Roles: map[string]int{"qa": 1}, Vetoes: []string{"qa"}}
	for range 2000 {
		b := procedure.Ballot{ID: "b", Opens: start, Closes: start.Add(time.Hour)}
		for i := range r.IntN(12) {
			b.Votes = append(b.Votes, procedure.Vote{
				ID: string(rune('a' + i)), Role: []string{"qa", "sre", "manager"}[r.IntN(3)], By: string(rune('A' + r.IntN(5))),
				Word: []procedure.Word{procedure.Go, procedure.NoGo, procedure.Veto}[r.IntN(3)], At: start.Add(time.Duration(r.IntN(70)) * time.Minute),
			})
		}
		tally := k.Count(b, r.IntN(2) == 0)
		seen := map[[2]string]bool{}
		for _, v := range tally.Current {
			if seen[[2]string{v.By, v.Role}] {
				t.Fatalf("%s counts twice as %s", v.By, v.Role)
			}
			seen[[2]string{v.By, v.Role}] = true
		}
		vetoed := slices.ContainsFunc(tally.Current, func(v procedure.Vote) bool { return v.Word == procedure.Veto && v.Role == "qa" })
		if vetoed && tally.Outcome() == procedure.OutcomeGo {
			t.Fatalf("a standing veto and still go: %+v", b)
		}
	}
}

// TestTrainKeepsItsHourThroughSummerTime: 17:00 local is 17:00 local.
func TestTrainKeepsItsHourThroughSummerTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	train := procedure.Train{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Zone: berlin, Departs: 17 * time.Hour, Window: 30 * time.Minute, Vote: time.Hour, Close: 10 * time.Minute}
	at := time.Date(2026, 3, 27, 20, 0, 0, 0, time.UTC)
	for range 400 {
		next, open := train.Departure(at)
		if open || next.In(berlin).Hour() != 17 || next.In(berlin).Minute() != 0 {
			t.Fatalf("after %s: %s, open %v", at, next.In(berlin), open)
		}
		if _, open := train.Departure(next); !open {
			t.Fatalf("%s is closed at its departure", next)
		}
		opens, closes := train.Ballot(next)
		if next.Sub(opens) != time.Hour || next.Sub(closes) != 10*time.Minute {
			t.Fatalf("ballot %s to %s", opens, closes)
		}
		at = next.Add(31 * time.Minute)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	d := daily(t)
	d.Gates[0].Manager = ""
	d.Stages[0].To = "nowhere"
	d.Stages[1].Gates = append(d.Stages[1].Gates, "ghost")
	d.Gates = append(d.Gates, procedure.Gate{ID: "idle", Manager: "qa", Check: procedure.Runs{Env: "moon"}})
	d.Stages[0].Tasks = []procedure.Task{{ID: "a", After: []string{"b"}}, {ID: "b", After: []string{"a", "c"}}, {ID: "t", Kind: procedure.TaskTimer}}
	d.Bless = append(d.Bless, "spirit")
	var got []string
	for _, f := range d.Check() {
		got = append(got, f.Path)
	}
	want := []string{
		"gates[0].manager", "stages[0].to", "stages[0].tasks[2].wait", "stages[0].tasks[1].after", "stages[0].tasks",
		"stages[1].gates[7]", "bless[3]", "gates[9].id", "gates[9].env",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults %q\nwant   %q", got, want)
	}
}

// BenchmarkTrainOfTwenty evaluates twenty modules with forty gates each: at most 10 ms.
func BenchmarkTrainOfTwenty(b *testing.B) {
	d := daily(b)
	for len(d.Gates) < 40 {
		g := d.Gates[len(d.Gates)%4]
		g.ID += string(rune('A' + len(d.Gates)))
		d.Gates = append(d.Gates, g)
		d.Stages[1].Gates = append(d.Stages[1].Gates, g.ID)
	}
	f, now := ready()
	for i := range 200 {
		e := f.Evidence[i%2]
		e.ID += string(rune(i))
		f.Evidence = append(f.Evidence, e)
	}
	b.ReportAllocs()
	for b.Loop() {
		for range 20 {
			procedure.Evaluate(d, &f, now)
		}
	}
}
