package notice_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

func berlin(t *testing.T, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestTurnsFollowTheWallClockOverSummerTime(t *testing.T) {
	daily := notice.Rotation{ID: "day", Zone: "Europe/Berlin", Start: berlin(t, "2026-03-27 09:00"), Turn: 24 * time.Hour, People: []string{"ada", "bob", "cyd"}}
	for at, want := range map[string]string{
		"2026-03-27 09:00": "ada", "2026-03-28 08:59": "ada", "2026-03-28 09:00": "bob",
		"2026-03-29 08:59": "bob", "2026-03-29 09:00": "cyd", // the night of 28 to 29 March has 23 hours
		"2026-03-30 08:59": "cyd", "2026-03-30 09:00": "ada",
		"2026-10-25 08:59": want(daily, berlin(t, "2026-10-24 12:00")), // and this one 25
		"2026-03-27 08:59": "cyd", "2026-03-25 10:00": "bob",           // before it began the order runs backwards
	} {
		if got, _ := daily.OnCallAt(berlin(t, at), nil); got != want {
			t.Errorf("at %s %s is on call, want %s", at, got, want)
		}
	}
	turns := daily.Turns(berlin(t, "2026-03-27 09:00"), berlin(t, "2026-03-31 09:00"), nil)
	var got []time.Duration
	for _, turn := range turns {
		got = append(got, turn.To.Sub(turn.From))
	}
	if len(got) != 4 || got[0] != 24*time.Hour || got[1] != 23*time.Hour || got[2] != 24*time.Hour || got[3] != 24*time.Hour {
		t.Errorf("turns last %v", got)
	}
	hourly := daily
	hourly.Turn = 7 * time.Hour
	if a, b := hourly.Turns(berlin(t, "2026-03-28 09:00"), berlin(t, "2026-03-30 09:00"), nil), 47*time.Hour; a[len(a)-1].To.Sub(a[0].From) != b {
		t.Errorf("turns in hours cover %v", a[len(a)-1].To.Sub(a[0].From))
	}
}

// want is who was on call at another moment.
func want(r notice.Rotation, at time.Time) string {
	person, _ := r.OnCallAt(at, nil)
	return person
}

// S2-21: an on-call group that covers the time without gaps.
func TestTurnsTileTime(t *testing.T) {
	for _, r := range []notice.Rotation{
		{ID: "r", Zone: "Europe/Berlin", Start: berlin(t, "2026-01-05 02:30"), Turn: 7 * 24 * time.Hour, People: []string{"ada", "bob"}},
		{ID: "r", Zone: "America/New_York", Start: berlin(t, "2026-01-05 02:30"), Turn: 24 * time.Hour, People: []string{"ada", "bob"},
			Hours: &notice.Hours{Zone: "America/New_York", From: 22 * time.Hour, To: 2*time.Hour + 30*time.Minute}},
		{ID: "r", Zone: "UTC", Start: berlin(t, "2026-01-05 02:30"), Turn: 90 * time.Minute, People: []string{"ada"}},
		{ID: "r", Zone: "UTC", Turn: time.Hour},
		{ID: "r", Zone: "UTC", Turn: time.Hour, People: []string{"ada", "bob"}}, // began in the year 1
		{ID: "r", Zone: "UTC", People: []string{"ada"}},
	} {
		from, to := berlin(t, "2026-02-20 11:11"), berlin(t, "2026-04-20 22:22")
		overrides := []notice.Override{{ID: "o1", Rotation: "r", Person: "cyd", From: berlin(t, "2026-03-28 20:00"), To: berlin(t, "2026-03-29 20:00")}}
		turns := r.Turns(from, to, overrides)
		at := from
		for i, turn := range turns {
			if !turn.From.Equal(at) || !turn.From.Before(turn.To) {
				t.Fatalf("%+v: turn %d goes from %v to %v, want from %v", r, i, turn.From, turn.To, at)
			}
			at = turn.To
			for _, inside := range []time.Time{turn.From, turn.From.Add(turn.To.Sub(turn.From) / 2), turn.To.Add(-time.Microsecond)} {
				if person, override := r.OnCallAt(inside, overrides); person != turn.Person || override != turn.Override {
					t.Fatalf("%+v: at %v %q is on call, the turn says %q", r, inside, person, turn.Person)
				}
			}
		}
		if !at.Equal(to) {
			t.Fatalf("%+v: turns end at %v, want %v", r, at, to)
		}
	}
}

func TestHoursHoldByTheWallClock(t *testing.T) {
	night := &notice.Hours{Zone: "Europe/Berlin", Days: []time.Weekday{time.Friday}, From: 22 * time.Hour, To: 6 * time.Hour}
	for at, want := range map[string]bool{
		"2026-03-27 21:59": false, "2026-03-27 22:00": true, "2026-03-28 05:59": true, "2026-03-28 06:00": false,
		"2026-03-28 22:30": false, "2026-03-27 03:00": false,
	} {
		if got := night.Hold(berlin(t, at)); got != want {
			t.Errorf("at %s: %v", at, got)
		}
	}
	whole := &notice.Hours{Zone: "Europe/Berlin", Days: []time.Weekday{time.Sunday}}
	for at, want := range map[string]bool{"2026-03-28 23:59": false, "2026-03-29 00:00": true, "2026-03-29 23:59": true, "2026-03-30 00:00": false} {
		if got := whole.Hold(berlin(t, at)); got != want {
			t.Errorf("at %s: %v", at, got)
		}
	}
}

func TestOverridePutsSomebodyElseOnCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := duty()
		s.Rotations = []notice.Rotation{{ID: "main", Name: "Main", Zone: "UTC", Start: time.Now(), Turn: 24 * time.Hour, People: []string{"ada", "bob"}}}
		s.Routes[0].To = []notice.Target{{Rotation: "main"}}
		h := build(t, s)
		ctx, now := context.Background(), time.Now()
		o, err := h.desk.Override(ctx, operator, notice.Override{Rotation: "main", Person: "cyd", From: now.Add(-time.Hour), To: now.Add(2 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		turns, err := h.desk.OnCall(ctx, now.Add(time.Hour))
		if err != nil || len(turns) != 1 || turns[0].Person != "cyd" || turns[0].Override != o.ID || !turns[0].To.Equal(o.To) {
			t.Fatalf("got %+v, %v", turns, err)
		}
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(time.Second)
		if got := h.channels["mail"].attempts(); len(got) != 1 || got[0].To.Ref != "person/cyd" {
			t.Fatalf("told %+v", got)
		}
		if err := h.desk.DropOverride(ctx, operator, "main", o.ID); err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.desk.DropOverride(ctx, operator, "main", o.ID), problem.KindNotFound)
		if turns, err = h.desk.OnCall(ctx, now.Add(time.Hour)); err != nil || turns[0].Person != "ada" {
			t.Fatalf("got %+v, %v", turns, err)
		}
		for name, bad := range map[string]notice.Override{
			"backwards":   {Rotation: "main", Person: "cyd", From: now.Add(time.Hour), To: now},
			"in the past": {Rotation: "main", Person: "cyd", From: now.Add(-2 * time.Hour), To: now.Add(-time.Hour)},
			"for ever":    {Rotation: "main", Person: "cyd", From: now, To: now.Add(91 * 24 * time.Hour)},
		} {
			if _, err := h.desk.Override(ctx, operator, bad); problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("%s: got %v", name, err)
			}
		}
		for name, bad := range map[string]notice.Override{
			"no rotation": {Rotation: "absent", Person: "cyd", From: now, To: now.Add(time.Hour)},
			"nobody":      {Rotation: "main", Person: "eve", From: now, To: now.Add(time.Hour)},
		} {
			if _, err := h.desk.Override(ctx, operator, bad); problem.KindOf(err) != problem.KindNotFound {
				t.Errorf("%s: got %v", name, err)
			}
		}
		_, err = h.desk.Override(ctx, access.Actor{ID: "eve", Role: access.RoleViewer}, o)
		wantKind(t, err, problem.KindForbidden)
		if got := h.verbs("rotation"); len(got) != 2 || got[0] != "oncall.overridden" || got[1] != "oncall.restored" {
			t.Errorf("journal: %v", got)
		}
	})
}
