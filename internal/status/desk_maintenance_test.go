package status_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// after gives a moment so long after the scene began.
func (o *office) after(d time.Duration) time.Time { return o.began.Add(d) }

func (o *office) plan(w status.Window) status.Window {
	o.t.Helper()
	planned, err := o.desk.PlanMaintenance(o.t.Context(), operator, w)
	if err != nil {
		o.t.Fatal(err)
	}
	o.rest(50 * time.Millisecond)
	return planned
}

// only gives the one occurrence there is.
func (o *office) only() status.Occurrence {
	o.t.Helper()
	all, err := o.desk.Maintenance(o.t.Context(), viewer, o.began, o.after(1000*time.Hour))
	if err != nil || len(all) != 1 {
		o.t.Fatalf("%d occurrences, %v: %+v", len(all), err, all)
	}
	return all[0]
}

// told lists the journal of maintenance: verb and minute since the beginning.
func (o *office) told() []string {
	var out []string
	for _, e := range o.store.Entries() {
		if verb, ok := strings.CutPrefix(e.Verb, "maintenance."); ok {
			out = append(out, fmt.Sprintf("%s@%d", verb, int(e.RecordedAt.Sub(o.began)/time.Minute)))
		}
	}
	return out
}

func (o *office) wantTold(want ...string) {
	o.t.Helper()
	if diff := cmp.Diff(want, o.told()); diff != "" {
		o.t.Errorf("the journal of maintenance (-want +got):\n%s", diff)
	}
}

// good plays good results until a moment since the beginning.
func (o *office) good(until time.Duration) {
	for time.Now().Before(o.after(until)) {
		o.play("web-http", "g")
	}
}

func upgrade(o *office, from, to time.Duration) status.Window {
	return status.Window{Title: "Upgrade", Description: "We upgrade.", Components: []string{"web"}, From: o.after(from), To: o.after(to),
		Conduct: status.Conduct{Remind: []time.Duration{}}}
}

// TestMaintenanceByHandRunsByItself: planned at the desk, extended while it runs,
// and completed when checks are good; the page and calendars follow.
func TestMaintenanceByHandRunsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.good(time.Minute)
		w := o.plan(upgrade(o, 5*time.Minute, 15*time.Minute))
		if w.Key == "" || !w.Hand || w.Conduct.Owner != operator.ID {
			t.Errorf("planned %+v", w)
		}
		first := o.only()
		if first.State != status.MaintenanceScheduled || first.Window != w.Key || first.Title != "Upgrade" {
			t.Errorf("occurrence %+v", first)
		}
		o.good(10 * time.Minute)
		o.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@300")
		if _, err := o.desk.ExtendMaintenance(t.Context(), operator, first.ID, o.after(20*time.Minute)); err != nil {
			t.Fatal(err)
		}
		o.good(21 * time.Minute)
		o.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@300 operational@1200")
		done := o.only()
		if done.ID != first.ID || done.State != status.MaintenanceCompleted || done.Sequence <= first.Sequence {
			t.Errorf("afterwards %+v", done)
		}
		o.wantTold("scheduled@1", "started@5", "extended@10", "verifying@20", "completed@20")
		if e := o.last("maintenance.extended"); e.Actor.ID != operator.ID || e.Payload["sequence"] != "1" {
			t.Errorf("entry %+v", e)
		}
		windows, err := o.desk.Windows(t.Context(), viewer)
		if err != nil || len(windows) != 1 || !windows[0].To.Equal(o.after(20*time.Minute)) {
			t.Errorf("the window did not follow: %+v, %v", windows, err)
		}
		o.halt()
	})
}

// TestMaintenanceStartedEarlyAndCompletedByHand, while checks fail: the page
// tells the truth as soon as it is over.
func TestMaintenanceStartedEarlyAndCompletedByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.good(time.Minute)
		o.plan(upgrade(o, time.Hour, 2*time.Hour))
		id := o.only().ID
		if _, err := o.desk.StartMaintenance(t.Context(), operator, id); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		o.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@61")
		o.play("web-http", "ff")
		if _, err := o.desk.CompleteMaintenance(t.Context(), operator, id); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		o.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@61 major_outage@81")
		_, err := o.desk.StartMaintenance(t.Context(), operator, id)
		wantKind(t, err, problem.KindConflict)
		_, err = o.desk.ExtendMaintenance(t.Context(), operator, id, o.after(5*time.Hour))
		wantKind(t, err, problem.KindConflict)
		o.rest(2 * time.Hour) // its planned time comes and goes
		o.wantTold("scheduled@1", "started@1", "completed@1")
		if got := o.only(); got.Sequence != 1 || !got.From.Equal(got.StartedAt) {
			t.Errorf("calendars were not told that it began early: %+v", got)
		}
		o.halt()
	})
}

// TestRecurringMaintenance: previewed, one of them called off for good, another
// extended, the rest cancelled with the series.
func TestRecurringMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		nightly := status.Window{Title: "Backup", Components: []string{"web"}, RRule: "FREQ=DAILY", Zone: "Etc/UTC", Start: "2000-01-01T02:00",
			Duration: time.Hour, Conduct: status.Conduct{Remind: []time.Duration{}}}
		o.plan(upgrade(o, 25*time.Hour, 27*time.Hour))
		p, err := o.desk.Preview(t.Context(), viewer, nightly)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Next) != status.Previewed || !p.Next[1].From.Equal(o.after(26*time.Hour)) || !p.Next[1].To.Equal(o.after(27*time.Hour)) {
			t.Errorf("next %+v", p.Next)
		}
		if len(p.Overlaps) != 1 || p.Overlaps[0].Title != "Upgrade" {
			t.Errorf("overlaps %+v", p.Overlaps)
		}
		w := o.plan(nightly)
		of := func() []status.Occurrence {
			list, err := o.store.OccurrencesOf(t.Context(), w.Key)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		all := of()
		if len(all) != 35 {
			t.Fatalf("%d occurrences within the horizon, want 35", len(all))
		}
		if _, err := o.desk.CallOffMaintenance(t.Context(), operator, all[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.ExtendMaintenance(t.Context(), operator, all[1].ID, all[1].To.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		o.rest(90 * time.Minute) // windows were expanded anew meanwhile
		again := of()
		if again[0].State != status.MaintenanceCancelled || !again[1].To.Equal(all[1].To.Add(time.Hour)) {
			t.Errorf("a person's word did not last: %+v, %+v", again[0], again[1])
		}
		o.rest(time.Hour) // 02:30: the one called off would run
		if got := o.line(status.Published, "web"); strings.Contains(got, "under_maintenance") {
			t.Errorf("maintenance that was called off is on the page: %s", got)
		}
		// Its words are changed: those a person moved follow in words, not in time.
		w.Title = "Nightly backup"
		if w, err = o.desk.ChangeMaintenance(t.Context(), operator, w); err != nil {
			t.Fatal(err)
		}
		_, err = o.desk.ChangeMaintenance(t.Context(), operator, status.Window{Key: w.Key, Title: "x", Components: w.Components, RRule: w.RRule,
			Zone: w.Zone, Start: w.Start, Duration: w.Duration, Version: 1})
		wantKind(t, err, problem.KindConflict)
		again = of()
		if got := again[1]; got.Title != "Nightly backup" || !got.To.Equal(all[1].To.Add(time.Hour)) {
			t.Errorf("after the change %+v", got)
		}
		if err := o.desk.CancelMaintenance(t.Context(), operator, w.Key, w.Version); err != nil {
			t.Fatal(err)
		}
		o.rest(2 * time.Hour)
		for _, x := range of() {
			if !x.Over() {
				t.Errorf("left over: %+v", x)
			}
		}
		o.halt()
	})
}

// TestMaintenanceReminds: a day and an hour before by default, never twice, and
// not when people have just heard of it.
func TestMaintenanceReminds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		w := upgrade(o, 48*time.Hour, 49*time.Hour)
		w.Conduct.Remind = nil
		o.plan(w)
		o.rest(47*time.Hour + 30*time.Minute)
		o.wantTold("scheduled@0", "reminded@1440", "reminded@2820")
		if e := o.last("maintenance.reminded"); e.Payload["ahead_s"] != "3600" || e.Audience != "public" {
			t.Errorf("entry %+v", e)
		}
		soon := upgrade(o, 48*time.Hour, 49*time.Hour)
		soon.Components, soon.Conduct.Remind = []string{"db"}, nil
		o.plan(soon) // half an hour ahead: the announcement is the reminder
		o.rest(20 * time.Minute)
		o.wantTold("scheduled@0", "reminded@1440", "reminded@2820", "scheduled@2850")
		o.halt()
	})
}

// TestMaintenanceRemindsOnceAfterASleep: of the reminders that came due while
// nobody watched only the newest is given.
func TestMaintenanceRemindsOnceAfterASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		w := upgrade(o, 48*time.Hour, 49*time.Hour)
		w.Conduct.Remind = nil
		o.plan(w)
		o.halt()
		o.rest(47*time.Hour + 10*time.Minute)
		o.reopen()
		o.start()
		o.rest(10 * time.Minute)
		o.wantTold("scheduled@0", "reminded@2830")
		o.halt()
	})
}

// TestOverdueMaintenanceNagsItsOwner: what must be completed by hand waits for
// its owner, who hears of it every hour; what must be begun by hand and is not
// never was.
func TestOverdueMaintenanceNagsItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.good(time.Minute)
		w := upgrade(o, 10*time.Minute, 20*time.Minute)
		w.Conduct.EndsByHand, w.Conduct.Owner = true, "person/9"
		o.plan(w)
		o.good(150 * time.Minute)
		o.wantTold("scheduled@1", "started@10", "verifying@20", "overdue@25", "overdue@85", "overdue@145")
		if e := o.last("maintenance.overdue"); e.Payload["owner"] != "person/9" || e.Payload["late"] != "end" || e.Audience != "staff" {
			t.Errorf("entry %+v", e)
		}
		o.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@600 operational@1200") // no longer than announced
		if since, late := o.only().Overdue(true, time.Now()); !late || !since.Equal(o.after(20*time.Minute)) {
			t.Errorf("overdue %t since %s", late, since)
		}
		if _, err := o.desk.CompleteMaintenance(t.Context(), operator, o.only().ID); err != nil {
			t.Fatal(err)
		}
		byHand := upgrade(o, 160*time.Minute, 170*time.Minute)
		byHand.Components, byHand.Conduct.StartsByHand = []string{"db"}, true
		o.plan(byHand)
		o.good(175 * time.Minute)
		if got := o.told()[6:]; !slices.Equal(got, []string{"completed@150", "scheduled@150", "overdue@165", "cancelled@170"}) {
			t.Errorf("begun by hand, or not at all: %v", got)
		}
		o.halt()
	})
}

// TestMaintenanceOverdueWhileChecksFail: it waits for good checks, and says so.
func TestMaintenanceOverdueWhileChecksFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.good(time.Minute)
		o.plan(upgrade(o, 5*time.Minute, 10*time.Minute))
		o.good(8 * time.Minute)
		for time.Now().Before(o.after(30 * time.Minute)) {
			o.play("web-http", "f")
		}
		o.wantTold("scheduled@1", "started@5", "verifying@10", "overdue@15", "completed@25")
		o.halt()
	})
}

// TestMaintenanceOfTheFileIsLocked: its window may not be changed at the desk;
// what happens on the night itself may, and a reload does not undo it.
func TestMaintenanceOfTheFileIsLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := two()
		o := openOffice(t, def)
		def.Windows = []status.Window{{ID: "move", Title: "Move", Components: []string{"web"}, From: o.after(10 * time.Minute), To: o.after(20 * time.Minute)}}
		o.apply(def)
		o.good(time.Minute)
		windows, err := o.desk.Windows(t.Context(), viewer)
		if err != nil || len(windows) != 1 || windows[0].Hand {
			t.Fatalf("%+v, %v", windows, err)
		}
		changed := windows[0]
		changed.Title = "Mine"
		_, err = o.desk.ChangeMaintenance(t.Context(), operator, changed)
		wantKind(t, err, problem.KindConflict)
		wantKind(t, o.desk.CancelMaintenance(t.Context(), operator, "move", 1), problem.KindConflict)
		wantKind(t, o.desk.CancelMaintenance(t.Context(), operator, "nope", 1), problem.KindNotFound)

		id := o.only().ID
		if _, err := o.desk.StartMaintenance(t.Context(), operator, id); err != nil {
			t.Fatal(err)
		}
		o.good(5 * time.Minute)
		if _, err := o.desk.ExtendMaintenance(t.Context(), operator, id, o.after(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		def.Windows[0].Description = "It takes longer."
		o.apply(def)
		o.good(25 * time.Minute)
		if got := o.only(); got.State != status.MaintenanceInProgress || got.Text != "It takes longer." || !got.To.Equal(o.after(30*time.Minute)) {
			t.Errorf("after the reload %+v", got)
		}
		o.good(31 * time.Minute)
		o.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@61 operational@1800")
		o.halt()
	})
}

// TestMaintenanceByHandFollowsARename of its component, and outlives a reload of
// a file that does not know it.
func TestMaintenanceByHandFollowsARename(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := two()
		o := openOffice(t, def)
		o.good(time.Minute)
		o.plan(upgrade(o, 5*time.Minute, 10*time.Minute))
		def.Components[0].Component.ID, def.Components[0].Was = "shop", "web"
		def.Monitors[0].Component = "shop"
		o.apply(def)
		o.good(7 * time.Minute)
		if got := o.only().Components; !slices.Equal(got, []string{"shop"}) {
			t.Errorf("it covers %v", got)
		}
		o.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@300")
		o.halt()
	})
}

func TestMaintenanceByHandIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		base := func(change func(*status.Window)) status.Window {
			w := upgrade(o, time.Hour, 2*time.Hour)
			change(&w)
			return w
		}
		recurring := func(w *status.Window) {
			w.From, w.To = time.Time{}, time.Time{}
			w.RRule, w.Zone, w.Start, w.Duration = "FREQ=DAILY", "Etc/UTC", "2000-01-01T02:00", time.Hour
		}
		for _, c := range []struct {
			name, field string
			w           status.Window
		}{
			{"no title", "title", base(func(w *status.Window) { w.Title = " " })},
			{"two lines", "title", base(func(w *status.Window) { w.Title = "a\nb" })},
			{"endless words", "description", base(func(w *status.Window) { w.Description = strings.Repeat("x", status.MaxDescription+1) })},
			{"of nothing", "components", base(func(w *status.Window) { w.Components = nil })},
			{"of something unknown", "components", base(func(w *status.Window) { w.Components = []string{"nope"} })},
			{"backwards", "to", base(func(w *status.Window) { w.To = w.From })},
			{"over", "to", base(func(w *status.Window) { w.From, w.To = o.after(-2*time.Hour), o.after(-time.Hour) })},
			{"endless", "to", base(func(w *status.Window) { w.To = w.From.AddDate(0, 2, 0) })},
			{"once and again", "rrule", base(func(w *status.Window) {
				w.RRule, w.Zone, w.Start, w.Duration = "FREQ=DAILY", "Etc/UTC", "2000-01-01T02:00", time.Hour
			})},
			{"no such rule", "rrule", base(func(w *status.Window) { recurring(w); w.RRule = "FREQ=NEVER" })},
			{"no such zone", "zone", base(func(w *status.Window) { recurring(w); w.Zone = "Mars/Olympus" })},
			{"into its own next one", "duration", base(func(w *status.Window) { recurring(w); w.Duration = 25 * time.Hour })},
			{"lasting nothing", "duration", base(func(w *status.Window) { recurring(w); w.Duration = 0 })},
			{"reminding late", "remind", base(func(w *status.Window) { w.Conduct.Remind = []time.Duration{time.Second} })},
			{"reminding all day", "remind", base(func(w *status.Window) {
				w.Conduct.Remind = slices.Repeat([]time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour}, 3)
			})},
		} {
			_, err := o.desk.PlanMaintenance(t.Context(), operator, c.w)
			es, ok := errors.AsType[problem.Errors](err)
			if c.name == "reminding all day" { // each counts once
				ok, es = err == nil, problem.Errors{{Field: "remind"}}
			}
			if !ok || !slices.ContainsFunc(es, func(e *problem.Error) bool { return e.Field == c.field }) {
				t.Errorf("%s: %v, want a problem with %s", c.name, err, c.field)
			}
		}
		for _, by := range []access.Actor{viewer, {ID: "person/4", Role: access.RoleSupport}} {
			_, err := o.desk.PlanMaintenance(t.Context(), by, base(func(*status.Window) {}))
			wantKind(t, err, problem.KindForbidden)
		}
		_, err := o.desk.PlanMaintenance(t.Context(), webmaster, base(func(w *status.Window) { w.Components = []string{"web", "db"} }))
		wantKind(t, err, problem.KindForbidden)
		mine, err := o.desk.PlanMaintenance(t.Context(), webmaster, base(func(*status.Window) {}))
		if err != nil {
			t.Fatal(err)
		}
		mine.Components = []string{"db"} // may not be moved onto what is another's
		_, err = o.desk.ChangeMaintenance(t.Context(), webmaster, mine)
		wantKind(t, err, problem.KindForbidden)
		o.halt()
	})
}

// TestPersonAndClockWriteTheSameMaintenance: acts at the desk, at this hub and at
// another, while the database goes away and commits without being heard. In the
// end the hub still watches, spans tile, and memory and record agree.
func TestPersonAndClockWriteTheSameMaintenance(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 3))
				o := openOffice(t, two())
				seen := 0
				for range 150 {
					entries := o.sealed(seen) // as the follower of the journal does, a little later
					seen += len(entries)
					if err := o.desk.Follow(t.Context(), entries); err != nil {
						seen -= len(entries)
					}
					all, _ := o.desk.Maintenance(t.Context(), viewer, o.began, o.after(1000*time.Hour))
					var id string
					if len(all) > 0 {
						id = all[rng.IntN(len(all))].ID
					}
					switch rng.IntN(12) {
					case 0:
						from := time.Since(o.began) + time.Duration(rng.IntN(300))*time.Second
						_, _ = o.desk.PlanMaintenance(t.Context(), operator, upgrade(o, from, from+time.Duration(1+rng.IntN(300))*time.Second))
					case 1:
						_, _ = o.desk.ExtendMaintenance(t.Context(), operator, id, time.Now().Add(time.Duration(rng.IntN(200))*time.Second))
					case 2:
						_, _ = o.desk.StartMaintenance(t.Context(), operator, id)
					case 3:
						_, _ = o.desk.CompleteMaintenance(t.Context(), operator, id)
					case 4:
						_, _ = o.desk.CallOffMaintenance(t.Context(), operator, id)
					case 5:
						o.store.GoAway(true)
					case 6, 7:
						o.store.GoAway(false)
					case 8:
						o.store.LoseAnswer()
					default:
						o.play("web-http", string("gf"[rng.IntN(2)])+"g")
					}
				}
				o.store.GoAway(false)
				o.watch.Replan()
				o.rest(time.Minute)
				o.good(time.Since(o.began) + 20*time.Minute)
				for _, x := range mustOccurrences(o) {
					if x.State == status.MaintenanceInProgress && !time.Now().Before(x.To) || x.State == status.MaintenanceScheduled && time.Now().After(x.From) {
						t.Errorf("stuck: %+v", x)
					}
				}
				if got := o.line(status.Published, "web"); !strings.HasSuffix(got[:strings.LastIndex(got, "@")], "operational") {
					t.Errorf("published %s", got)
				}
				o.halt() // the lease was never taken for lost
			})
		})
	}
}

func mustOccurrences(o *office) []status.Occurrence {
	o.t.Helper()
	all, err := o.desk.Maintenance(o.t.Context(), viewer, o.began, o.after(1000*time.Hour))
	if err != nil {
		o.t.Fatal(err)
	}
	return all
}
