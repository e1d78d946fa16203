package notice

import (
	"time"

	"evenkeel/internal/problem"
)

// alertInput is what can happen to an alert.
type alertInput string

const (
	inFire        alertInput = "fire"     // it began, or is told again
	inWorse       alertInput = "worse"    // told again, and worse than before
	inSmother     alertInput = "smother"  // it began, but something it needs is down
	inClear       alertInput = "clear"    // it is over by itself
	inAcknowledge alertInput = "ack"      // somebody is on it
	inSilence     alertInput = "silence"  // somebody wants quiet until a moment
	inWake        alertInput = "wake"     // that moment came, or somebody wants to hear of it again
	inClose       alertInput = "close"    // somebody ends it
	unborn        AlertState = "unopened" // before it exists
)

// alertTable is every transition of an alert; what is missing is refused.
// Suppression keeps an alert from being raised, never one that was told of from
// being over: nobody may be left with a bad word that is not taken back.
var alertTable = map[AlertState]map[alertInput]AlertState{
	unborn: {inFire: Firing, inWorse: Firing, inSmother: Smothered},
	Firing: {inFire: Firing, inWorse: Firing, inSmother: Firing, inClear: Over, inAcknowledge: Acknowledged,
		inSilence: Silenced, inClose: Over},
	Acknowledged: {inFire: Acknowledged, inWorse: Firing, inSmother: Acknowledged, inClear: Over, inAcknowledge: Acknowledged,
		inSilence: Silenced, inClose: Over},
	Silenced: {inFire: Silenced, inWorse: Silenced, inSmother: Silenced, inClear: Over, inAcknowledge: Acknowledged,
		inSilence: Silenced, inWake: Firing, inClose: Over},
	Smothered: {inFire: Firing, inWorse: Firing, inSmother: Smothered, inClear: Over, inAcknowledge: Acknowledged,
		inSilence: Silenced, inWake: Firing, inClose: Over},
	Over: {},
}

// move takes the alert through the table. An alert that begins to fire counts
// its reminders and steps from now. Errors: Conflict for what cannot happen.
func (a *Alert) move(in alertInput, now time.Time) error {
	from := a.State
	if from == "" {
		from = unborn
	}
	to, ok := alertTable[from][in]
	if !ok {
		return problem.Conflict("The alert is %s.", from)
	}
	if to == Firing && from != Firing {
		a.FiringAt, a.Step, a.Reminders = now, 0, 0
		a.AckedAt, a.AckedBy = time.Time{}, ""
	}
	if to != Silenced {
		a.Until = time.Time{}
	}
	if to == Firing || to == Acknowledged {
		a.Reason = ""
	}
	if to == Over {
		a.OverAt = now
	}
	a.State = to
	return nil
}

// remindMost is how much longer than the first the wait between two reminders
// becomes, at most.
const remindMost = 8

// reminderAt gives when the reminder after n is due: waits double from
// Route.Remind up to eight times as long.
func (a *Alert) reminderAt(r Route, n int) time.Time {
	at := a.FiringAt
	for i, factor := 0, time.Duration(1); i <= n; i++ {
		at = at.Add(r.Remind * factor)
		factor = min(factor*2, remindMost)
	}
	return at
}

// stepAt gives when the next step of the escalation is due; zero when there is none.
func (a *Alert) stepAt(r Route) time.Time {
	if a.Step >= len(r.Escalate) {
		return time.Time{}
	}
	return a.FiringAt.Add(r.Escalate[a.Step].After)
}

// schedule sets when the clock must look at the alert again.
func (a *Alert) schedule(r Route) {
	a.NextAt = time.Time{}
	switch a.State {
	case Silenced:
		a.NextAt = a.Until
	case Firing:
		if r.Remind > 0 {
			a.NextAt = a.reminderAt(r, a.Reminders)
		}
		a.NextAt = earlier(a.NextAt, a.stepAt(r))
	}
	if a.Open() && a.Subject.Kind == drillKind {
		a.NextAt = earlier(a.NextAt, a.OpenedAt.Add(drillFor))
	}
}

// earlier gives the earlier of two moments, either of which may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// due is what the clock finds an alert to need now.
type due struct {
	wake    bool // its silence is over
	end     bool // a drill has lasted long enough
	targets []Target
	steps   int  // of the escalation, newly taken
	remind  bool // those who know already
}

// due takes what has come due at now, and moves the alert's counters past it: a
// hub that was away for hours sends one reminder, not all it missed.
func (a *Alert) due(r Route, now time.Time) due {
	var d due
	if a.Open() && a.Subject.Kind == drillKind && !now.Before(a.OpenedAt.Add(drillFor)) {
		return due{end: true}
	}
	switch a.State {
	case Silenced:
		d.wake = !now.Before(a.Until)
	case Firing:
		for r.Remind > 0 && !now.Before(a.reminderAt(r, a.Reminders)) {
			d.remind = true
			a.Reminders++
		}
		for at := a.stepAt(r); !at.IsZero() && !now.Before(at); at = a.stepAt(r) {
			d.targets = append(d.targets, r.Escalate[a.Step].To...)
			d.steps++
			a.Step++
		}
	}
	return d
}

// reached gives the targets that reminders go to: the route's own, and those of
// every step taken before.
func (a *Alert) reached(r Route, before int) []Target {
	out := append([]Target(nil), r.To...)
	for _, s := range r.Escalate[:min(before, len(r.Escalate))] {
		out = append(out, s.To...)
	}
	return out
}
