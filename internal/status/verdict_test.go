package status

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// at gives a moment s seconds into the test's day.
func at(s int) time.Time { return time.Date(2026, 11, 21, 3, 0, s, 0, time.UTC) }

// run steps a streak through outcomes, one every ten seconds, written as
// letters: g good, s slow, f failed, i inconclusive.
func run(r Rule, s Streak, letters string) Streak {
	for i, l := range letters {
		s, _ = step(r.Defaults(), s, outcome(l), at(10*i))
	}
	return s
}

func outcome(letter rune) Outcome {
	return map[rune]Outcome{'g': OK, 's': Slow, 'f': Failed, 'i': Inconclusive}[letter]
}

func TestStepConfirmsRecoversAndDatesBack(t *testing.T) {
	unknown := Streak{Level: LevelUnknown}
	for name, c := range map[string]struct {
		rule    Rule
		letters string
		want    Level
		since   int // seconds; -1 = not asked
	}{
		"first good is up":                          {Rule{}, "g", LevelUp, 0},
		"first failure tells nothing":               {Rule{}, "f", LevelUnknown, -1},
		"two failures from unknown":                 {Rule{}, "ff", LevelDown, 0},
		"one blip is not believed":                  {Rule{}, "gfg", LevelUp, -1},
		"down dates back to the first failure":      {Rule{}, "ggff", LevelDown, 20},
		"confirm 3":                                 {Rule{Confirm: 3}, "gffgff", LevelUp, -1},
		"confirm 1":                                 {Rule{Confirm: 1}, "gf", LevelDown, 10},
		"inconclusive neither advances nor breaks":  {Rule{}, "gfif", LevelDown, 10},
		"inconclusive alone changes nothing":        {Rule{}, "giiii", LevelUp, -1},
		"one good result does not recover":          {Rule{}, "gffg", LevelDown, -1},
		"recovery dates back to its first good one": {Rule{}, "gffgg", LevelUp, 30},
		"recovery starts anew after a failure":      {Rule{}, "gffgfgg", LevelUp, 50},
		"slow three times":                          {Rule{}, "gsss", LevelSlow, 10},
		"slow is broken by good":                    {Rule{}, "gssgs", LevelUp, -1},
		"slow is broken by failed":                  {Rule{}, "gssfs", LevelUp, -1},
		"slow breaks a streak of failures":          {Rule{}, "gfsf", LevelUp, -1},
		"good again needs two":                      {Rule{}, "gsssgsg", LevelSlow, -1},
		"good again dates back":                     {Rule{}, "gsssgg", LevelUp, 40},
		"slow to down":                              {Rule{}, "gsssff", LevelDown, 40},
		"down to slow when all answers are slow":    {Rule{}, "gffss", LevelSlow, 30},
		"down to up when only some are slow":        {Rule{}, "gffsg", LevelUp, 30},
		"slow from the first answer on":             {Rule{SlowFor: 1}, "s", LevelSlow, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := run(c.rule, unknown, c.letters)
			if s.Level != c.want {
				t.Fatalf("%s: level %s, want %s", c.letters, s.Level, c.want)
			}
			if c.since >= 0 && !s.First.Equal(at(c.since)) {
				t.Errorf("%s: since %s, want %s", c.letters, s.First, at(c.since))
			}
		})
	}
}

// model is the rule said again, from the whole history and without state: the
// level after n results is found by looking back from each of them.
func model(r Rule, outcomes []Outcome) Level {
	r = r.Defaults()
	level := LevelUnknown
	var tail []Outcome // conclusive results since the last change of level
	last := func(n int, ok func(Outcome) bool) bool {
		return len(tail) >= n && !slices.ContainsFunc(tail[len(tail)-n:], func(o Outcome) bool { return !ok(o) })
	}
	failed := func(o Outcome) bool { return o == Failed }
	slow := func(o Outcome) bool { return o == Slow }
	good := func(o Outcome) bool { return o == OK }
	answer := func(o Outcome) bool { return o != Failed }
	for _, o := range outcomes {
		if o == Inconclusive {
			continue
		}
		tail = append(tail, o)
		before := level
		switch {
		case level != LevelDown && last(r.Confirm, failed):
			level = LevelDown
		case level == LevelDown && last(r.Recover, answer) && last(r.Recover, slow):
			level = LevelSlow
		case level == LevelDown && last(r.Recover, answer):
			level = LevelUp
		case level == LevelSlow && last(r.Recover, good):
			level = LevelUp
		case level == LevelUnknown && answer(o) && (o == OK || r.SlowFor > 1):
			level = LevelUp
			if o == Slow {
				before = level // a slow first answer counts towards slow
				tail = []Outcome{Slow}
			}
		case (level == LevelUp || level == LevelUnknown) && last(r.SlowFor, slow):
			level = LevelSlow
		}
		if level != before {
			tail = nil
		}
	}
	return level
}

func FuzzStepAgainstModel(f *testing.F) {
	f.Add(uint8(2), uint8(2), uint8(3), []byte("gfgffsgsssggfsfsiif"))
	f.Add(uint8(1), uint8(1), uint8(1), []byte("fsgfsg"))
	f.Add(uint8(3), uint8(4), uint8(2), []byte("ffsfffgggsgsggg"))
	f.Fuzz(func(t *testing.T, confirm, back, slowFor uint8, raw []byte) {
		r := Rule{Confirm: 1 + int(confirm%5), Recover: 1 + int(back%5), SlowFor: 1 + int(slowFor%5)}
		s := Streak{Level: LevelUnknown}
		var seen []Outcome
		for i, b := range raw {
			o := Outcome(b % 4)
			seen = append(seen, o)
			before := s
			var did crossing
			s, did = step(r, s, o, at(i))
			if want := model(r, seen); s.Level != want {
				t.Fatalf("after %v with %+v: %s, want %s", seen, r, s.Level, want)
			}
			if (did == crossed) != (s.Level != before.Level) {
				t.Fatalf("after %v: crossing %d from %s to %s", seen, did, before.Level, s.Level)
			}
			if s.First.After(at(i)) || did == crossed && s.First.Before(before.First) {
				t.Fatalf("after %v: streak began %s", seen, s.First)
			}
			if s.Fails < 0 || s.Goods < 0 || s.Slows < 0 || s.Fails > 0 && s.Goods > 0 {
				t.Fatalf("after %v: counts %+v", seen, s)
			}
		}
	})
}

// TestStepSurvivesRestart: a streak cut into two at any point ends where the
// whole one does.
func TestStepSurvivesRestart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		letters := make([]rune, 30)
		for i := range letters {
			letters[i] = []rune("ggsfi")[rng.IntN(5)]
		}
		whole := run(Rule{}, Streak{Level: LevelUnknown}, string(letters))
		cut := rng.IntN(len(letters))
		half := run(Rule{}, Streak{Level: LevelUnknown}, string(letters[:cut]))
		again := run(Rule{}, half, string(letters[cut:]))
		if again.Level != whole.Level || again.Fails != whole.Fails || again.Goods != whole.Goods || again.Slows != whole.Slows {
			t.Fatalf("%s cut at %d: %+v, want %+v", string(letters), cut, again, whole)
		}
	}
}

func TestQuorumNeedsStrictMajority(t *testing.T) {
	up, slow, down := LevelUp, LevelSlow, LevelDown
	for name, c := range map[string]struct {
		quorum int
		levels []Level
		want   Level
		since  int
		short  bool
	}{
		"nobody has an opinion":           {0, nil, LevelUnknown, -1, false},
		"one alone decides":               {0, []Level{down}, down, 0, false},
		"one of two is no majority":       {0, []Level{down, up}, up, -1, true},
		"two of two":                      {0, []Level{down, down}, down, 1, false},
		"one of three":                    {0, []Level{up, down, up}, up, -1, true},
		"two of three":                    {0, []Level{down, up, down}, down, 2, false},
		"two of four is no majority":      {0, []Level{down, down, up, up}, up, -1, true},
		"slow and down make slow":         {0, []Level{down, slow, up}, slow, 1, false},
		"quorum 1: any location":          {1, []Level{up, up, down}, down, 2, false},
		"quorum 2 with one that is up":    {2, []Level{up}, up, -1, false},
		"quorum 2 with one that is down":  {2, []Level{down}, LevelUnknown, -1, true},
		"quorum 3 of four, two down":      {3, []Level{down, down, up, up}, up, -1, true},
		"all up, since a majority was up": {0, []Level{up, up, up}, up, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			var ops []opinion
			for i, l := range c.levels {
				ops = append(ops, opinion{level: l, since: at(i)})
			}
			a := agree(c.quorum, ops)
			if a.level != c.want || a.short != c.short {
				t.Fatalf("got %s short %t, want %s short %t", a.level, a.short, c.want, c.short)
			}
			if c.since >= 0 && !a.since.Equal(at(c.since)) {
				t.Errorf("since %s, want %s", a.since, at(c.since))
			}
		})
	}
}

func TestFlapHoldsTheWorstUntilCalm(t *testing.T) {
	r := Rule{FlapCount: 4, FlapWithin: time.Hour}.Defaults()
	f, level := flap{}, LevelUp
	move := func(to Level, after time.Duration) bool {
		var started bool
		f, started = f.moved(r, level, to, at(0).Add(after))
		level = to
		return started
	}
	for i, to := range []Level{LevelDown, LevelUp, LevelSlow} {
		if move(to, time.Duration(i)*time.Minute) {
			t.Fatalf("flapping after %d changes", i+1)
		}
	}
	if !move(LevelUp, 3*time.Minute) {
		t.Fatal("not flapping after 4 changes within the hour")
	}
	if got := f.shows(LevelUp); got != LevelDown {
		t.Errorf("shows %s, want the worst of the window, down", got)
	}
	if move(LevelSlow, 5*time.Minute) {
		t.Error("flapping began twice")
	}
	if _, done := f.calmed(r, at(0).Add(19*time.Minute)); done {
		t.Error("calm after 14 minutes, want a quarter of the hour")
	}
	calm, done := f.calmed(r, at(0).Add(20*time.Minute))
	if !done || calm.on || calm.shows(LevelUp) != LevelUp {
		t.Errorf("after 15 steady minutes: done %t, %+v", done, calm)
	}
}

func TestFlapForgetsOldChanges(t *testing.T) {
	r := Rule{}.Defaults()
	f, level := flap{}, LevelUp
	for i := range 40 { // every 12 minutes: five in an hour
		to := LevelDown
		if level == LevelDown {
			to = LevelUp
		}
		var started bool
		if f, started = f.moved(r, level, to, at(0).Add(time.Duration(i)*12*time.Minute)); started {
			t.Fatalf("flapping at change %d", i)
		}
		level = to
	}
	if len(f.changes) > r.FlapCount {
		t.Errorf("%d changes kept, want at most %d", len(f.changes), r.FlapCount)
	}
}

func TestFlapSurvivesRestart(t *testing.T) {
	r := Rule{FlapCount: 3}.Defaults()
	f := recall([]time.Time{at(0), at(60)})
	f, started := f.moved(r, LevelUp, LevelDown, at(120))
	if !started || f.shows(LevelUp) != LevelDown {
		t.Errorf("third change after a restart: flapping %t, shows %s", started, f.shows(LevelUp))
	}
}

func TestRollUpOfMonitors(t *testing.T) {
	p := func(l Level, fails ...Status) part {
		x := part{level: l}
		if len(fails) > 0 {
			x.fails = fails[0]
		}
		return x
	}
	for name, c := range map[string]struct {
		parts []part
		want  Status
	}{
		"no monitor":                         {nil, NotMeasured},
		"all unknown":                        {[]part{p(LevelUnknown), p(LevelUnknown)}, NotMeasured},
		"all up":                             {[]part{p(LevelUp), p(LevelUp)}, Operational},
		"unknown does not count":             {[]part{p(LevelUp), p(LevelUnknown)}, Operational},
		"one slow":                           {[]part{p(LevelUp), p(LevelSlow)}, Degraded},
		"some down":                          {[]part{p(LevelUp), p(LevelDown)}, PartialOutage},
		"all down":                           {[]part{p(LevelDown), p(LevelDown)}, MajorOutage},
		"all known down":                     {[]part{p(LevelDown), p(LevelUnknown)}, MajorOutage},
		"down and slow":                      {[]part{p(LevelDown), p(LevelSlow)}, PartialOutage},
		"only monitor, its failure is minor": {[]part{p(LevelDown, Degraded)}, Degraded},
		"a failure that means all":           {[]part{p(LevelDown, MajorOutage), p(LevelUp)}, MajorOutage},
		"minor one down beside others up":    {[]part{p(LevelDown, Degraded), p(LevelUp)}, Degraded},
		"minor one and another down":         {[]part{p(LevelDown, Degraded), p(LevelDown)}, MajorOutage},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rollUp(c.parts); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestWorstIndicatorAndDescription(t *testing.T) {
	for _, c := range []struct {
		all       []Status
		worst     Status
		indicator Indicator
		text      string
	}{
		{nil, NotMeasured, IndicatorNone, "All Systems Operational"},
		{[]Status{NotMeasured, Operational}, Operational, IndicatorNone, "All Systems Operational"},
		{[]Status{Operational, UnderMaintenance}, UnderMaintenance, IndicatorMaintenance, "Service Under Maintenance"},
		{[]Status{Degraded, UnderMaintenance}, Degraded, IndicatorMinor, "Partially Degraded Service"},
		{[]Status{PartialOutage, Degraded}, PartialOutage, IndicatorMajor, "Partial System Outage"},
		{[]Status{MajorOutage, PartialOutage, Operational}, MajorOutage, IndicatorCritical, "Major Service Outage"},
	} {
		worst := Worst(c.all...)
		if worst != c.worst || IndicatorOf(worst) != c.indicator || Describe(worst) != c.text {
			t.Errorf("%v: %s %s %q, want %s %s %q", c.all, worst, IndicatorOf(worst), Describe(worst), c.worst, c.indicator, c.text)
		}
	}
}
