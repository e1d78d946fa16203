package status

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Window is planned maintenance as it was defined: one-off (From, To) or
// recurring (RRule with Zone and Duration).
type Window struct {
	Key         string
	ID          string
	Title       string
	Description string // for visitors, Markdown
	Components  []string
	From, To    time.Time     // one-off
	RRule       string        // RFC 5545 RRULE, without DTSTART
	Zone        string        // IANA zone in which RRule and Start are read
	Start       string        // local first start, 2006-01-02T15:04, of a recurring window
	Duration    time.Duration // of each occurrence of a recurring window
	Sequence    int           // RFC 5545 SEQUENCE: grows with every change
	Conduct     Conduct
	Hand        bool // planned at the desk; else it stands in the file, which alone may change it
	RemovedAt   time.Time
	Version     int64
}

// MaintenanceState is the lifecycle of one occurrence, design section 5.
type MaintenanceState string

// The states.
const (
	MaintenanceScheduled  MaintenanceState = "scheduled"
	MaintenanceInProgress MaintenanceState = "in_progress"
	MaintenanceVerifying  MaintenanceState = "verifying"
	MaintenanceCompleted  MaintenanceState = "completed"
	MaintenanceCancelled  MaintenanceState = "cancelled"
)

// Occurrence is one concrete stretch of maintenance.
type Occurrence struct {
	ID         string // stable: window key and the start it was first planned for
	Window     string // window key
	Title      string
	Text       string
	Components []string // component IDs
	From, To   time.Time
	State      MaintenanceState
	StartedAt  time.Time
	EndedAt    time.Time
	Sequence   int
	CreatedAt  time.Time // when it was planned
	ChangedAt  time.Time // when anything about it was last revised
	Conduct    Conduct
	Pinned     bool      // a person revised its times or called it off: those no longer follow its window
	RemindedAt time.Time // when people were reminded of it last
	NaggedAt   time.Time // when its owner was last told that it is overdue
	Version    int64
}

// entry is the journal entry of a revision of a person's or the clock's.
func (r Revision) entry() journal.Entry {
	o := &r.Occurrence
	e := journal.Entry{
		Verb: r.Verb, Subject: journal.Ref{Kind: "maintenance", ID: o.ID}, EffectiveAt: r.At, Audience: journal.AudiencePublic,
		Payload: map[string]string{
			"window": o.Window, "state": string(o.State), "sequence": strconv.Itoa(o.Sequence),
			"from": o.From.UTC().Format(time.RFC3339), "to": o.To.UTC().Format(time.RFC3339),
		},
	}
	maps.Copy(e.Payload, r.Facts)
	if r.Verb == "maintenance.overdue" || r.Verb == "maintenance.arranged" {
		e.Audience = journal.AudienceStaff
	}
	return e
}

const (
	// PlanAhead is how far ahead occurrences of recurring windows are made. The
	// page shows 30 days; the rest is for calendars.
	PlanAhead = 35 * 24 * time.Hour
	// MaxPlanned bounds the occurrences of one recurring window within PlanAhead.
	MaxPlanned = 200
	// VerifyAtMost is how long a finished maintenance waits for good checks
	// before it counts as completed all the same: what checks see is shown then.
	VerifyAtMost = 15 * time.Minute
	// startGrace is how late a start may be noticed and still count from the
	// planned moment. Later than that it counts from when it was noticed:
	// maintenance never explains away what was already seen.
	startGrace = time.Minute
)

// MaintenanceEvent is what can happen to an occurrence.
type MaintenanceEvent string

// The events.
const (
	MaintenanceStart    MaintenanceEvent = "start"    // the work begins, or goes on after all
	MaintenanceVerify   MaintenanceEvent = "verify"   // the planned time is over; checks must be good
	MaintenanceComplete MaintenanceEvent = "complete" // it is over
	MaintenanceCancel   MaintenanceEvent = "cancel"   // it will not be
	MaintenanceAnnounce MaintenanceEvent = "announce" // it was called off and will be after all
)

// maintenanceTable is the whole lifecycle, design section 5: what is not in it
// is a Conflict.
var maintenanceTable = map[MaintenanceState]map[MaintenanceEvent]MaintenanceState{
	MaintenanceScheduled: {
		MaintenanceStart:  MaintenanceInProgress,
		MaintenanceCancel: MaintenanceCancelled,
	},
	MaintenanceInProgress: {
		MaintenanceVerify:   MaintenanceVerifying,
		MaintenanceComplete: MaintenanceCompleted,
	},
	MaintenanceVerifying: {
		MaintenanceStart:    MaintenanceInProgress,
		MaintenanceComplete: MaintenanceCompleted,
	},
	MaintenanceCompleted: {},
	MaintenanceCancelled: {
		MaintenanceAnnounce: MaintenanceScheduled,
	},
}

// Over reports whether nothing more will happen to it by itself.
func (o Occurrence) Over() bool {
	return o.State == MaintenanceCompleted || o.State == MaintenanceCancelled
}

// Covers reports whether its components are in maintenance now. A verifying one
// covers them no longer: its planned and announced time is over.
func (o Occurrence) Covers() bool { return o.State == MaintenanceInProgress }

// Revision is a changed occurrence with the journal verb of the change and the
// moment from which it holds.
type Revision struct {
	Occurrence Occurrence
	Verb       string
	At         time.Time
	Facts      map[string]string // for the journal, beside what every revision tells
}

// maintenanceVerbs names the change into a state in the journal.
var maintenanceVerbs = map[MaintenanceState]string{
	MaintenanceScheduled:  "maintenance.scheduled",
	MaintenanceInProgress: "maintenance.started",
	MaintenanceVerifying:  "maintenance.verifying",
	MaintenanceCompleted:  "maintenance.completed",
	MaintenanceCancelled:  "maintenance.cancelled",
}

// On gives the occurrence after the event, which holds from at and is recorded
// now. Errors: Conflict when the event does not fit its state.
func (o Occurrence) On(event MaintenanceEvent, at, now time.Time) (Revision, error) {
	next, ok := maintenanceTable[o.State][event]
	if !ok {
		return Revision{}, problem.Conflict("Maintenance that is %s cannot %s.", o.State, event)
	}
	o.State, o.ChangedAt = next, now
	switch event {
	case MaintenanceStart:
		if o.StartedAt.IsZero() {
			o.StartedAt = at
		}
	case MaintenanceComplete:
		o.EndedAt = at
	case MaintenanceCancel, MaintenanceAnnounce:
		o.Sequence++
	}
	return Revision{Occurrence: o, Verb: maintenanceVerbs[next], At: at}, nil
}

// NextStep gives what time alone now does to an occurrence; ok is false when
// nothing is due. good tells whether checks see all of its components well,
// which ends the verifying. Call it again with what it gave: one that was slept
// through takes several steps.
func NextStep(o Occurrence, good bool, now time.Time) (step Revision, ok bool) {
	event, at := MaintenanceEvent(""), now
	switch {
	case o.State == MaintenanceScheduled && o.Conduct.StartsByHand:
		if now.Before(o.To) {
			return Revision{}, false
		}
		event = MaintenanceCancel // nobody began it in its time
	case o.State == MaintenanceScheduled && !now.Before(o.From):
		event = MaintenanceStart
		if now.Sub(o.From) <= startGrace {
			at = o.From
		}
	case o.State == MaintenanceInProgress && !now.Before(o.To):
		event, at = MaintenanceVerify, later(o.To, o.StartedAt)
	case o.State == MaintenanceVerifying && now.Before(o.To):
		event = MaintenanceStart // it was prolonged
	case o.State == MaintenanceVerifying && o.Conduct.EndsByHand:
		return Revision{}, false
	case o.State == MaintenanceVerifying && !now.Before(o.To.Add(VerifyAtMost)):
		event, at = MaintenanceComplete, later(o.To.Add(VerifyAtMost), o.StartedAt)
	case o.State == MaintenanceVerifying && good:
		event = MaintenanceComplete
	default:
		return Revision{}, false
	}
	step, err := o.On(event, at, now)
	return step, err == nil
}

// KnownOccurrences reads what Reconcile must know: everything ahead, under way,
// and of the last year.
func KnownOccurrences(ctx context.Context, store Store, now time.Time) ([]Occurrence, error) {
	return store.Occurrences(ctx, knownSince(now), endOfTime)
}

// knownSince is how far back Reconcile must know.
func knownSince(now time.Time) time.Time { return now.AddDate(-1, 0, 0) }

// endOfTime is later than anything that is planned.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Reconcile compares the windows that are defined with the occurrences that are
// known and gives what must change: new ones, edited ones with a higher
// sequence, and cancelled ones whose window is gone or moved. One under way
// whose window is gone ends now. What is over stays as it was. A window whose
// rule cannot be expanded is reported and its occurrences stay as they are.
func Reconcile(windows []Window, known []Occurrence, cal Calendar, now time.Time) ([]Revision, problem.Errors) {
	r := reconciling{now: now, byID: make(map[string]*Occurrence, len(known)), kept: map[string]bool{}}
	for i := range known {
		r.byID[known[i].ID] = &known[i]
	}
	var errs problem.Errors
	for i := range windows {
		w := &windows[i]
		if !w.RemovedAt.IsZero() {
			continue
		}
		starts, err := w.starts(cal, now)
		if err != nil {
			errs = append(errs, err)
			r.keepAll(w.Key, known)
			continue
		}
		if w.RRule == "" {
			r.once(w, known)
			continue
		}
		for _, at := range starts {
			r.want(w, occurrenceID(w.Key, at), at, at.Add(w.Duration))
		}
	}
	for i := range known {
		// One whose planned time is over is left to NextStep.
		if o := &known[i]; !o.Over() && !r.kept[o.ID] && o.To.After(now) {
			r.end(o)
		}
	}
	return r.revisions, errs
}

// starts gives when a recurring window begins, from the one that may be under
// way to PlanAhead; none for a one-off.
func (w *Window) starts(cal Calendar, now time.Time) ([]time.Time, *problem.Error) {
	if w.RRule == "" {
		return nil, nil
	}
	starts, err := cal.Between(w.RRule, w.Zone, w.Start, now.Add(-w.Duration), now.Add(PlanAhead))
	if err != nil {
		return nil, problem.Invalid("maintenance."+w.ID+".rrule", "%s", problem.Public(err))
	}
	if len(starts) > MaxPlanned {
		starts = starts[:MaxPlanned]
	}
	return starts, nil
}

// occurrenceID is the window's key and the start: 20261122t050000z.
func occurrenceID(window string, start time.Time) string {
	return window + "-" + start.UTC().Format("20060102t150405z")
}

// reconciling gathers revisions.
type reconciling struct {
	now       time.Time
	byID      map[string]*Occurrence
	kept      map[string]bool
	revisions []Revision
}

// once plans the one occurrence of a one-off window. One that is still ahead, or
// under way, follows the window wherever it moves and keeps its ID, so that
// calendars move it too.
func (r *reconciling) once(w *Window, known []Occurrence) {
	id := occurrenceID(w.Key, w.From)
	for i := range known {
		o := &known[i]
		if o.Window == w.Key && o.From.Equal(w.From) && o.To.Equal(w.To) { // moved here, and perhaps over already
			id = o.ID
		}
	}
	for i := range known {
		o := &known[i]
		started := o.State == MaintenanceInProgress || o.State == MaintenanceVerifying
		if o.Window == w.Key && (o.State == MaintenanceScheduled || started && (o.Pinned || !w.From.After(r.now))) {
			id = o.ID
			break
		}
	}
	r.want(w, id, w.From, w.To)
}

// want makes sure that an occurrence is as its window says.
func (r *reconciling) want(w *Window, id string, from, to time.Time) {
	from, to = from.UTC(), to.UTC()
	r.kept[id] = true
	o, exists := r.byID[id]
	switch {
	case !exists:
		if to.After(r.now) {
			fresh := Occurrence{
				ID: id, Window: w.Key, Title: w.Title, Text: w.Description, Components: slices.Clone(w.Components),
				From: from, To: to, State: MaintenanceScheduled, Sequence: w.Sequence, CreatedAt: r.now, ChangedAt: r.now, Conduct: w.Conduct,
			}
			r.add(fresh, maintenanceVerbs[MaintenanceScheduled])
		}
		return
	case o.State == MaintenanceCompleted, o.State == MaintenanceCancelled && (o.Pinned || !to.After(r.now)):
		return
	case o.Pinned:
		from, to = o.From, o.To
	}
	is := *o
	if is.State == MaintenanceCancelled {
		// A cancelled one never covered its components, so it can be announced again.
		step, err := is.On(MaintenanceAnnounce, r.now, r.now)
		if err != nil {
			return
		}
		is = step.Occurrence
	}
	verb := maintenanceVerbs[MaintenanceScheduled]
	if is.State == o.State {
		verb = "maintenance.changed"
	}
	same := is.Title == w.Title && is.Text == w.Description && slices.Equal(is.Components, w.Components) && is.From.Equal(from) && is.To.Equal(to)
	if same && is.State == o.State && is.Conduct.same(w.Conduct) {
		return
	}
	is.Title, is.Text, is.Components, is.From, is.To = w.Title, w.Description, slices.Clone(w.Components), from, to
	is.Conduct = w.Conduct
	if same && is.State == o.State { // visitors see no change
		r.add(is, "maintenance.arranged")
		return
	}
	if is.Sequence == o.Sequence {
		is.Sequence++
	}
	is.ChangedAt = r.now
	r.add(is, verb)
}

// end lets an occurrence go whose window is gone or moved: one ahead is
// cancelled, one under way is over.
func (r *reconciling) end(o *Occurrence) {
	event := MaintenanceCancel
	if o.State != MaintenanceScheduled {
		event = MaintenanceComplete
	}
	if step, err := o.On(event, r.now, r.now); err == nil {
		r.revisions = append(r.revisions, step)
	}
}

func (r *reconciling) add(o Occurrence, verb string) {
	r.revisions = append(r.revisions, Revision{Occurrence: o, Verb: verb, At: r.now})
}

// keepAll leaves the occurrences of a window alone.
func (r *reconciling) keepAll(window string, known []Occurrence) {
	for i := range known {
		if known[i].Window == window {
			r.kept[known[i].ID] = true
		}
	}
}
