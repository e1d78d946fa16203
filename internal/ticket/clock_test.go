package ticket

import (
	"testing"
	"time"
)

// promised is a setup with one promise for all.
func promised(h *Hours) *Setup {
	return &Setup{Promises: []Promise{
		{Priorities: []Priority{Urgent}, FirstReply: 10 * time.Minute, Warn: time.Minute},
		{FirstReply: time.Hour, NextReply: 2 * time.Hour, Solution: 8 * time.Hour, Warn: 15 * time.Minute, Hours: h},
	}}
}

// asked is a ticket that somebody wrote at a moment.
func asked(now time.Time) *Ticket {
	return &Ticket{State: New, Kind: Request, Priority: Normal, CreatedAt: now, Unheard: 1, UnheardAt: now}
}

func (t *Ticket) expect(tb testing.TB, what string, clock Clock, due, wake time.Time) {
	tb.Helper()
	if t.Due != clock || !t.DueAt.Equal(due) || !t.WakeAt.Equal(wake) {
		tb.Errorf("%s: %q at %s, wakes %s; want %q at %s, %s", what, t.Due, t.DueAt, t.WakeAt, clock, due, wake)
	}
}

func TestClocksFollowTheTurn(t *testing.T) {
	s, now := promised(nil), at(t, "2026-11-20T10:00:00Z")
	after := func(m int) time.Time { return now.Add(time.Duration(m) * time.Minute) }
	v := asked(now)
	v.wind(s, now)
	v.expect(t, "asked", FirstReply, after(60), after(45))

	v.State, v.Unheard, v.UnheardAt, v.FirstReplyAt = Pending, 0, time.Time{}, after(20)
	v.wind(s, after(20))
	v.expect(t, "answered", NoClock, time.Time{}, time.Time{})

	v.State, v.Unheard, v.UnheardAt = Open, 1, after(50)
	v.wind(s, after(50))
	v.expect(t, "asked again", NextReply, after(170), after(155)) // the solution comes later: 480 and the 30 it rested

	v.State = OnHold
	v.wind(s, after(60))
	v.expect(t, "on hold", NoClock, time.Time{}, time.Time{})
	v.State = Open
	v.wind(s, after(90))
	v.expect(t, "back", NextReply, after(200), after(185))

	v.SnoozedUntil = after(150)
	v.wind(s, after(100))
	v.expect(t, "snoozed", NoClock, time.Time{}, after(150))
	v.SnoozedUntil = time.Time{}
	v.wind(s, after(150))
	v.expect(t, "awake", NextReply, after(250), after(235))

	v.Unheard, v.UnheardAt = 0, time.Time{}
	v.wind(s, after(160))
	v.expect(t, "answered and still ours", Solution, after(480+30+30+50), after(480+30+30+50-15))

	v.State, v.SolvedAt = Solved, after(170)
	v.wind(s, after(170))
	v.expect(t, "solved", NoClock, time.Time{}, after(170).Add(DefaultCloseAfter))
}

func TestClocksHeedPriorityKindAndHours(t *testing.T) {
	now := at(t, "2026-11-20T16:30:00+01:00")
	s := promised(office(t, "Europe/Berlin"))
	v := asked(now)
	v.wind(s, now)
	v.expect(t, "on Friday evening", FirstReply, at(t, "2026-11-23T09:30:00+01:00"), at(t, "2026-11-23T09:15:00+01:00"))
	v.Priority = Urgent
	v.wind(s, now)
	v.expect(t, "urgent, round the clock", FirstReply, now.Add(10*time.Minute), now.Add(9*time.Minute))
	for name, change := range map[string]func(*Ticket){
		"impairment": func(v *Ticket) { v.Kind = Impairment }, "task": func(v *Ticket) { v.Kind = Task }, "deletion": func(v *Ticket) { v.Kind = Deletion },
		"automatic": func(v *Ticket) { v.Automatic = true }, "old mail": func(v *Ticket) { v.Quiet = true }, "merged": func(v *Ticket) { v.MergedInto = "x" },
	} { // S1-23: impairments are outside customer clocks
		v := asked(now)
		change(v)
		v.wind(s, now)
		v.expect(t, name, NoClock, time.Time{}, time.Time{})
	}
}

func TestWarningAndBreachAreSaidOnce(t *testing.T) {
	s, now := promised(nil), at(t, "2026-11-20T10:00:00Z")
	v := asked(now)
	v.wind(s, now)
	v.WarnedAt = now.Add(45 * time.Minute)
	v.wind(s, v.WarnedAt)
	v.expect(t, "warned", FirstReply, now.Add(time.Hour), now.Add(time.Hour))
	v.Overdue = true
	v.wind(s, now.Add(time.Hour))
	v.expect(t, "broken", FirstReply, now.Add(time.Hour), time.Time{})
	v.FirstReplyAt, v.Unheard, v.UnheardAt = now.Add(2*time.Hour), 0, time.Time{}
	v.wind(s, now.Add(2*time.Hour))
	if v.Overdue || !v.WarnedAt.IsZero() || v.Due != Solution {
		t.Errorf("after the late answer: %+v", v)
	}
}
