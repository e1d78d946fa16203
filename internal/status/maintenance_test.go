package status

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/calendar"
	"evenkeel/internal/problem"
)

func TestMaintenanceLifecycleForEveryStateAndEvent(t *testing.T) {
	states := []MaintenanceState{MaintenanceScheduled, MaintenanceInProgress, MaintenanceVerifying, MaintenanceCompleted, MaintenanceCancelled}
	events := []MaintenanceEvent{MaintenanceStart, MaintenanceVerify, MaintenanceComplete, MaintenanceCancel, MaintenanceAnnounce}
	want := map[string]MaintenanceState{
		"scheduled start":      MaintenanceInProgress,
		"scheduled cancel":     MaintenanceCancelled,
		"in_progress verify":   MaintenanceVerifying,
		"in_progress complete": MaintenanceCompleted,
		"verifying start":      MaintenanceInProgress,
		"verifying complete":   MaintenanceCompleted,
		"cancelled announce":   MaintenanceScheduled,
	}
	verbs := map[MaintenanceState]string{
		MaintenanceScheduled: "maintenance.scheduled", MaintenanceInProgress: "maintenance.started", MaintenanceVerifying: "maintenance.verifying",
		MaintenanceCompleted: "maintenance.completed", MaintenanceCancelled: "maintenance.cancelled",
	}
	for _, state := range states {
		for _, event := range events {
			o := Occurrence{ID: "w-1", State: state, Sequence: 4}
			got, err := o.On(event, minute(1), minute(2))
			next, ok := want[fmt.Sprintf("%s %s", state, event)]
			switch {
			case !ok && problem.KindOf(err) != problem.KindConflict:
				t.Errorf("%s %s gave %v, want Conflict", state, event, err)
			case ok && err != nil:
				t.Errorf("%s %s: %v", state, event, err)
			case ok && (got.Occurrence.State != next || got.Verb != verbs[next] || !got.At.Equal(minute(1)) || !got.Occurrence.ChangedAt.Equal(minute(2))):
				t.Errorf("%s %s gave %+v, want %s", state, event, got, next)
			}
		}
	}
}

func TestMaintenanceCoversItsAnnouncedTimeAlone(t *testing.T) {
	for state, want := range map[MaintenanceState]bool{
		MaintenanceScheduled: false, MaintenanceInProgress: true, MaintenanceVerifying: false, MaintenanceCompleted: false, MaintenanceCancelled: false,
	} {
		if got := (Occurrence{State: state}).Covers(); got != want {
			t.Errorf("%s covers: %t", state, got)
		}
	}
}

// steps takes an occurrence as far as time alone does, and tells each step.
func steps(o Occurrence, good bool, now time.Time) (told []string, end Occurrence) {
	for {
		step, ok := NextStep(o, good, now)
		if !ok {
			return told, o
		}
		o = step.Occurrence
		told = append(told, fmt.Sprintf("%s at %d", o.State, int(step.At.Sub(noon)/time.Minute)))
	}
}

func TestMaintenanceGoesByTheClock(t *testing.T) {
	planned := Occurrence{From: minute(0), To: minute(30), State: MaintenanceScheduled}
	running := Occurrence{From: minute(0), To: minute(30), State: MaintenanceInProgress, StartedAt: minute(0)}
	verifying := Occurrence{From: minute(0), To: minute(30), State: MaintenanceVerifying, StartedAt: minute(0)}
	for _, c := range []struct {
		name string
		o    Occurrence
		good bool
		now  int
		want []string
	}{
		{"not yet", planned, true, -1, nil},
		{"on time", planned, true, 0, []string{"in_progress at 0"}},
		{"noticed a little late, it counts from the plan", planned, true, 1, []string{"in_progress at 0"}},
		{"noticed late, it explains nothing away", planned, true, 9, []string{"in_progress at 9"}},
		{"under way", running, true, 29, nil},
		{"over, and checks are good", running, true, 30, []string{"verifying at 30", "completed at 30"}},
		{"over, and checks are not good", running, false, 30, []string{"verifying at 30"}},
		{"waiting for good checks", verifying, false, 44, nil},
		{"good at last", verifying, true, 40, []string{"completed at 40"}},
		{"waited long enough", verifying, false, 45, []string{"completed at 45"}},
		{"slept through", planned, false, 500, []string{"in_progress at 500", "verifying at 500", "completed at 500"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := steps(c.o, c.good, minute(c.now))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	prolonged := verifying
	prolonged.To = minute(60)
	if got, _ := steps(prolonged, true, minute(40)); len(got) != 1 || got[0] != "in_progress at 40" {
		t.Errorf("prolonged while verifying: %v", got)
	}
}

// reconciled plays Reconcile on a record of occurrences.
type reconciled struct {
	t     *testing.T
	known []Occurrence
}

func (r *reconciled) plan(now time.Time, windows ...Window) []string {
	r.t.Helper()
	revisions, errs := Reconcile(windows, r.known, calendar.New(), now)
	if len(errs) > 0 {
		r.t.Fatal(errs)
	}
	var told []string
	for _, rev := range revisions {
		told = append(told, rev.Verb+" "+rev.Occurrence.ID)
		r.put(rev.Occurrence)
	}
	if again, _ := Reconcile(windows, r.known, calendar.New(), now); len(again) > 0 {
		r.t.Fatalf("a second look changes again: %v", again)
	}
	return told
}

func (r *reconciled) put(o Occurrence) {
	for i := range r.known {
		if r.known[i].ID == o.ID {
			r.known[i] = o
			return
		}
	}
	r.known = append(r.known, o)
}

func (r *reconciled) get(id string) Occurrence {
	r.t.Helper()
	for _, o := range r.known {
		if o.ID == id {
			return o
		}
	}
	r.t.Fatalf("there is no occurrence %s", id)
	return Occurrence{}
}

func (r *reconciled) expect(got []string, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Error(diff)
	}
}

func TestMaintenanceOneOffFollowsItsWindow(t *testing.T) {
	r := &reconciled{t: t}
	w := Window{Key: "db", Title: "Upgrade", Components: []string{"payments"}, From: minute(60), To: minute(90)}
	id := "db-20261120t130000z"
	r.expect(r.plan(minute(0), w), "maintenance.scheduled "+id)
	r.expect(r.plan(minute(1), w))

	w.From, w.To = minute(120), minute(150)
	r.expect(r.plan(minute(2), w), "maintenance.changed "+id)
	if o := r.get(id); !o.From.Equal(minute(120)) || o.Sequence != 1 || !o.ChangedAt.Equal(minute(2)) {
		t.Errorf("moved: %+v", o)
	}
	r.expect(r.plan(minute(3)), "maintenance.cancelled "+id)
	r.expect(r.plan(minute(3)))
	w.From, w.To = minute(60), minute(90)
	r.expect(r.plan(minute(4), w), "maintenance.scheduled "+id)
	if o := r.get(id); o.State != MaintenanceScheduled || o.Sequence != 3 || !o.From.Equal(minute(60)) {
		t.Errorf("announced again: %+v", o)
	}

	_, running := steps(r.get(id), false, minute(60))
	r.put(running)
	w.To = minute(100)
	r.expect(r.plan(minute(70), w), "maintenance.changed "+id)
	if o := r.get(id); o.State != MaintenanceInProgress || !o.To.Equal(minute(100)) {
		t.Errorf("prolonged: %+v", o)
	}
	r.expect(r.plan(minute(80)), "maintenance.completed "+id)
	if o := r.get(id); !o.EndedAt.Equal(minute(80)) {
		t.Errorf("its window went while it was under way: %+v", o)
	}
	r.expect(r.plan(minute(85), w))
	w.From, w.To = minute(300), minute(330)
	r.expect(r.plan(minute(90), w), "maintenance.scheduled db-20261120t170000z")
}

func TestMaintenanceInThePastIsNotMadeUp(t *testing.T) {
	r := &reconciled{t: t}
	r.expect(r.plan(minute(100), Window{Key: "db", From: minute(0), To: minute(30)}))
	r.expect(r.plan(minute(100), Window{Key: "db", From: minute(90), To: minute(130)}), "maintenance.scheduled db-20261120t133000z")
	slept := Occurrence{ID: "old", Window: "gone", From: minute(0), To: minute(30), State: MaintenanceScheduled}
	r.put(slept)
	r.expect(r.plan(minute(100), Window{Key: "db", From: minute(90), To: minute(130)}))
}

func TestMaintenanceRecursAcrossTheChangeOfClocks(t *testing.T) {
	r := &reconciled{t: t}
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	w := Window{Key: "weekly", Title: "Restart", Components: []string{"api"}, RRule: "FREQ=WEEKLY;BYDAY=SU", Zone: "Europe/Berlin", Start: "2026-01-04T05:00", Duration: 30 * time.Minute}
	r.expect(r.plan(now, w), "maintenance.scheduled weekly-20261025t040000z", "maintenance.scheduled weekly-20261101t040000z",
		"maintenance.scheduled weekly-20261108t040000z", "maintenance.scheduled weekly-20261115t040000z", "maintenance.scheduled weekly-20261122t040000z")
	if o := r.get("weekly-20261025t040000z"); o.To.Sub(o.From) != 30*time.Minute {
		t.Errorf("it lasts %s", o.To.Sub(o.From))
	}
	r.expect(r.plan(now.AddDate(0, 0, 7), w), "maintenance.scheduled weekly-20261129t040000z")

	// The hour moves: what was planned is called off, what is over stays.
	w.Start = "2026-01-04T06:00"
	now = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
	r.expect(r.plan(now, w),
		"maintenance.scheduled weekly-20261115t050000z", "maintenance.scheduled weekly-20261122t050000z",
		"maintenance.scheduled weekly-20261129t050000z", "maintenance.scheduled weekly-20261206t050000z", "maintenance.scheduled weekly-20261213t050000z",
		"maintenance.cancelled weekly-20261115t040000z", "maintenance.cancelled weekly-20261122t040000z", "maintenance.cancelled weekly-20261129t040000z")

	// New words reach every one ahead, under the same name.
	w.Title = "Restart of the API"
	for _, told := range r.plan(now, w) {
		if told[:19] != "maintenance.changed" {
			t.Errorf("new words gave %s", told)
		}
	}
}

func TestMaintenanceWithABadRuleStaysAsItWas(t *testing.T) {
	known := []Occurrence{{ID: "weekly-1", Window: "weekly", From: minute(60), To: minute(90), State: MaintenanceScheduled}}
	good := Window{Key: "db", From: minute(60), To: minute(90)}
	revisions, errs := Reconcile([]Window{{Key: "weekly", ID: "weekly", RRule: "FREQ=SECONDLY", Zone: "Etc/UTC", Start: "2026-01-01T00:00"}, good}, known, calendar.New(), minute(0))
	if len(errs) != 1 || errs[0].Field != "maintenance.weekly.rrule" {
		t.Errorf("problems: %v", errs)
	}
	if len(revisions) != 1 || revisions[0].Occurrence.Window != "db" {
		t.Errorf("revisions: %v", revisions)
	}
}
