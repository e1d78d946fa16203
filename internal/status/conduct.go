package status

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Conduct is how maintenance is carried out: who answers for it, what happens
// by itself, and when people are reminded. The zero value means nobody, all of
// it, and DefaultReminders.
type Conduct struct {
	Owner        string          // actor id of who is told when it is overdue; "" = nobody
	StartsByHand bool            // it does not begin at its time by itself
	EndsByHand   bool            // it is not completed by itself: its owner must
	Remind       []time.Duration // before the start; nil = DefaultReminders, empty = never
}

// DefaultReminders is when people are reminded of maintenance unless its
// conduct says otherwise.
var DefaultReminders = []time.Duration{24 * time.Hour, time.Hour}

const (
	// MaxReminders bounds how often people are reminded of one maintenance, and
	// MaxRemindAhead how long before it.
	MaxReminders   = 5
	MaxRemindAhead = 30 * 24 * time.Hour
	// OverdueAfter is how long after the moment at which a person should have
	// begun or completed it a maintenance counts as overdue, and NagEvery how
	// often its owner is told again.
	OverdueAfter = 5 * time.Minute
	NagEvery     = time.Hour
)

// Reminders gives when people are reminded before the start, the earliest first.
func (c Conduct) Reminders() []time.Duration {
	if c.Remind == nil {
		return DefaultReminders
	}
	return c.Remind
}

// same reports whether two conducts are alike.
func (c Conduct) same(d Conduct) bool {
	return c.Owner == d.Owner && c.StartsByHand == d.StartsByHand && c.EndsByHand == d.EndsByHand &&
		(c.Remind == nil) == (d.Remind == nil) && slices.Equal(c.Remind, d.Remind)
}

// ordered gives the conduct with its reminders in order, each once.
func (c Conduct) ordered() Conduct {
	if c.Remind != nil {
		c.Remind = slices.Compact(slices.SortedFunc(slices.Values(c.Remind), func(a, b time.Duration) int { return int(b - a) }))
	}
	c.Owner = strings.TrimSpace(c.Owner)
	return c
}

// NextWord gives what is to be said about an occurrence now although nothing
// happens to it: a reminder before its start, or to its owner that it is
// overdue. good tells whether checks see all of its components well.
//
// Of reminders that came due while nobody looked only the newest is given, and
// none that came due before the announcement or its last change: people have
// just heard of it.
func NextWord(o Occurrence, good bool, now time.Time) (word Revision, ok bool) {
	if o.State == MaintenanceScheduled && now.Before(o.From) {
		heard := later(o.ChangedAt, o.RemindedAt)
		ahead := time.Duration(0)
		for _, before := range o.Conduct.Reminders() {
			if at := o.From.Add(-before); at.After(heard) && !now.Before(at) && (ahead == 0 || before < ahead) {
				ahead = before
			}
		}
		if ahead == 0 {
			return Revision{}, false
		}
		o.RemindedAt = now
		return Revision{Occurrence: o, Verb: "maintenance.reminded", At: now, Facts: map[string]string{"ahead_s": seconds(ahead)}}, true
	}
	since, late := o.overdue(good, now)
	if late == "" || now.Before(since.Add(OverdueAfter)) || !o.NaggedAt.IsZero() && now.Before(o.NaggedAt.Add(NagEvery)) {
		return Revision{}, false
	}
	o.NaggedAt = now
	facts := map[string]string{"late": late, "overdue_s": seconds(now.Sub(since))}
	if o.Conduct.Owner != "" {
		facts["owner"] = o.Conduct.Owner
	}
	return Revision{Occurrence: o, Verb: "maintenance.overdue", At: now, Facts: facts}, true
}

// seconds writes a duration for the journal.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// overdue tells since when an occurrence waits for a person, and for what: to
// start or to end it; "" when it does not.
func (o Occurrence) overdue(good bool, now time.Time) (since time.Time, late string) {
	switch {
	case o.State == MaintenanceScheduled && o.Conduct.StartsByHand && now.After(o.From):
		return o.From, "start"
	case (o.State == MaintenanceVerifying || o.State == MaintenanceInProgress) && now.After(o.To) && (o.Conduct.EndsByHand || !good):
		return o.To, "end"
	}
	return time.Time{}, ""
}

// Overdue reports since when maintenance waits for a person to begin or to
// complete it; false when it does not. good tells whether checks see its
// components well.
func (o Occurrence) Overdue(good bool, now time.Time) (since time.Time, ok bool) {
	since, late := o.overdue(good, now)
	return since, late != ""
}
