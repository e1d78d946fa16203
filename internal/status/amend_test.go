package status_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// tally is how the time of the website divides, by its spans.
func (o *office) tally(from, to time.Time) status.Tally {
	o.t.Helper()
	spans, err := o.store.Spans(o.t.Context(), "web", status.Published, from, to)
	if err != nil {
		o.t.Fatal(err)
	}
	return status.TallyOf(spans, from, to)
}

// TestFalseAlarmIsCorrectedInTheOpen: the page's past is relabelled by a person's
// word, what checks saw stands, the journal says who, and it can be undone.
func TestFalseAlarmIsCorrectedInTheOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.play("web-http", "gffffffggsssgg") // 1; down 11–71; up; slow 91–121
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 operational@71 degraded_performance@91 operational@121")
		observed := o.line(status.Observed, "web")
		a, err := o.desk.FalseAlarm(t.Context(), operator, "web", o.after(21*time.Second), o.after(101*time.Second), " our own proxy was at fault ")
		if err != nil {
			t.Fatal(err)
		}
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 operational@21 operational@71 operational@91 degraded_performance@101 operational@121")
		if got := o.line(status.Observed, "web"); got != observed {
			t.Errorf("what checks saw was changed: %s", got)
		}
		spans, _ := o.store.Spans(t.Context(), "web", status.Published, o.after(30*time.Second), o.after(31*time.Second))
		if s := spans[0]; s.Origin != status.ByHuman || s.Ref != "correction/"+a.ID || s.Public != "" {
			t.Errorf("corrected span %+v", s)
		}
		if d := a.Delta(); d.Up != 60*time.Second || d.Major != -50*time.Second || d.Degraded != -10*time.Second || d.Total() != 0 {
			t.Errorf("delta %+v", d)
		}
		e := o.last("uptime.corrected")
		if e.Actor.ID != operator.ID || e.Subject != (journal.Ref{Kind: "component", ID: "web"}) || e.Audience != journal.AudiencePublic ||
			e.Payload["correction"] != a.ID || e.Payload["major_us"] != "-50000000" {
			t.Errorf("entry %+v", e)
		}
		o.play("web-http", "ff") // the engine never noticed
		if got := o.line(status.Published, "web"); !strings.HasSuffix(got, "operational@121 major_outage@141") {
			t.Errorf("published %s", got)
		}
		if err := o.desk.UndoFalseAlarm(t.Context(), operator, a.ID, "it was the shop after all"); err != nil {
			t.Fatal(err)
		}
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 major_outage@21 operational@71 degraded_performance@91 degraded_performance@101 operational@121 major_outage@141")
		if list, err := o.desk.Amendments(t.Context(), viewer, "web"); err != nil || len(list) != 1 || list[0].UndoneBy != operator.ID || list[0].Reason != "our own proxy was at fault" {
			t.Errorf("%+v, %v", list, err)
		}
		wantKind(t, o.desk.UndoFalseAlarm(t.Context(), operator, a.ID, "again"), problem.KindConflict)
		if o.count("uptime.restored") != 1 {
			t.Error("the journal does not tell that it was undone")
		}
		o.halt()
	})
}

func TestFalseAlarmIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.play("web-http", "gffffggff") // down 11–51, and again since 71
		for _, c := range []struct {
			name     string
			from, to time.Duration
			reason   string
			kind     problem.Kind
		}{
			{"that still runs", 60 * time.Second, 80 * time.Second, "x", problem.KindConflict},
			{"without reason", 11 * time.Second, 31 * time.Second, " ", problem.KindInvalid},
			{"with endless reason", 11 * time.Second, 31 * time.Second, strings.Repeat("x", status.MaxReason+1), problem.KindInvalid},
			{"backwards", 31 * time.Second, 11 * time.Second, "x", problem.KindInvalid},
			{"of ages", -24 * 400 * time.Hour, 31 * time.Second, "x", problem.KindInvalid},
			{"where nothing was wrong", 52 * time.Second, 60 * time.Second, "x", problem.KindInvalid},
		} {
			_, err := o.desk.FalseAlarm(t.Context(), operator, "web", o.after(c.from), o.after(c.to), c.reason)
			if problem.KindOf(err) != c.kind {
				t.Errorf("%s: %v, want %s", c.name, err, c.kind)
			}
		}
		before := o.line(status.Published, "web")
		_, err := o.desk.FalseAlarm(t.Context(), viewer, "web", o.after(11*time.Second), o.after(31*time.Second), "x")
		wantKind(t, err, problem.KindForbidden)
		_, err = o.desk.FalseAlarm(t.Context(), operator, "nope", o.after(11*time.Second), o.after(31*time.Second), "x")
		wantKind(t, err, problem.KindNotFound)
		_, err = o.desk.FalseAlarm(t.Context(), webmaster, "db", o.after(11*time.Second), o.after(31*time.Second), "x")
		wantKind(t, err, problem.KindForbidden)
		wantKind(t, o.desk.UndoFalseAlarm(t.Context(), operator, "nope", "x"), problem.KindNotFound)
		if got := o.line(status.Published, "web"); got != before || o.count("uptime.corrected") != 0 {
			t.Errorf("refused, and yet it changed: %s", got)
		}
		// What still runs is ended by a person's word first; then it can be marked.
		if _, err := o.desk.Say(t.Context(), operator, "web", status.Operational, time.Time{}, "a false alarm"); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		if _, err := o.desk.FalseAlarm(t.Context(), operator, "web", o.after(0), time.Now().Add(time.Hour), "all of it"); err != nil {
			t.Error(err)
		}
		if got := o.tally(o.began, time.Now()); got.Outage() != 0 {
			t.Errorf("outage is left: %+v", got)
		}
		o.halt()
	})
}

// TestFalseAlarmCorrectsFrozenMonths: what was frozen stays, and gets signed
// corrections with the reason; their sum is what the spans say.
func TestFalseAlarmCorrectsFrozenMonths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two()) // on 1 January 2000
		o.play("web-http", "g")
		o.halt()
		january := time.Date(2000, 1, 31, 23, 59, 0, 0, time.UTC)
		o.rest(time.Until(january))
		o.reopen()
		o.start()
		o.play("web-http", "ggffffffffffgg") // an outage over midnight
		o.halt()
		o.rest(5 * 24 * time.Hour)
		o.reopen()
		o.start()
		o.rest(10 * time.Second)
		month := func() status.Month {
			months, err := o.store.Months(t.Context(), "web")
			if err != nil || len(months) != 1 {
				t.Fatalf("%+v, %v", months, err)
			}
			return months[0]
		}
		frozen := month()
		if frozen.Tally.Major == 0 {
			t.Fatalf("frozen %+v", frozen.Tally)
		}
		a, err := o.desk.FalseAlarm(t.Context(), operator, "web", january, january.Add(time.Hour), "a test of the alarm")
		if err != nil {
			t.Fatal(err)
		}
		from, to := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)
		got := month()
		if got.Tally != frozen.Tally || len(got.Corrections) != 1 || got.Corrections[0].Reason != "a test of the alarm" || got.Corrections[0].Actor != operator.ID {
			t.Errorf("the month %+v", got)
		}
		if net := got.Net(); net.Major != 0 || net.Up != o.tally(from, to).Up || net.Total() != frozen.Tally.Total() {
			t.Errorf("net %+v, spans %+v", net, o.tally(from, to))
		}
		if o.count("month.corrected") != 1 || o.last("month.corrected").Payload["correction"] != a.ID {
			t.Error("the journal does not tell of the month")
		}
		if err := o.desk.UndoFalseAlarm(t.Context(), operator, a.ID, "it was real"); err != nil {
			t.Fatal(err)
		}
		if got := month(); got.Net() != frozen.Tally || len(got.Corrections) != 2 {
			t.Errorf("undone: %+v", got)
		}
		// A month that somebody corrected otherwise is not corrected below nothing.
		fix := status.Correction{Component: "web", Month: "2000-01", Reason: "by agreement", Delta: status.Tally{Up: frozen.Tally.Major, Major: -frozen.Tally.Major}}
		if err := status.CorrectMonth(t.Context(), o.store, o.store, operator, fix); err != nil {
			t.Fatal(err)
		}
		_, err = o.desk.FalseAlarm(t.Context(), operator, "web", january, january.Add(time.Hour), "again")
		wantKind(t, err, problem.KindConflict)
		if got := o.tally(from, to); got.Major != frozen.Tally.Major {
			t.Errorf("refused, and yet the spans changed: %+v", got)
		}
		o.halt()
	})
}

// TestFalseAlarmsKeepTheTimeline is the property behind: whatever is marked and
// undone, in whatever order, spans tile time, nothing but trouble is touched, and
// when everything is undone all is as it was.
func TestFalseAlarmsKeepTheTimeline(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 11))
				def := two()
				def.Monitors[0].Rule.FlapCount = status.MaxConfirm
				o := openOffice(t, def)
				for range 20 {
					o.play("web-http", []string{"gg", "ff", "ffff", "ssss", "gggg"}[rng.IntN(5)])
				}
				o.play("web-http", "gg")
				now := time.Now()
				first := o.tally(o.began, now)
				var marked []status.Amendment
				lost := time.Duration(0) // trouble that is marked now
				for range 15 {
					if len(marked) > 0 && rng.IntN(3) == 0 {
						i := rng.IntN(len(marked))
						if err := o.desk.UndoFalseAlarm(t.Context(), operator, marked[i].ID, "undone"); err != nil {
							t.Fatal(err)
						}
						lost -= marked[i].Delta().Up
						marked = append(marked[:i], marked[i+1:]...)
					} else {
						from := time.Duration(rng.Int64N(int64(now.Sub(o.began))))
						a, err := o.desk.FalseAlarm(t.Context(), operator, "web", o.after(from), o.after(from+time.Duration(rng.IntN(100))*time.Second+1000), "marked")
						switch problem.KindOf(err) {
						case "":
							marked = append(marked, a)
							lost += a.Delta().Up
						case problem.KindInvalid: // nothing was wrong there
						default:
							t.Fatal(err)
						}
					}
					o.line(status.Published, "web") // it tiles
					if got := o.tally(o.began, now); got.Up != first.Up+lost || got.Unmeasured != first.Unmeasured || got.Total() != first.Total() {
						t.Fatalf("tally %+v after marking %s of %+v", got, lost, first)
					}
				}
				for _, a := range marked {
					if err := o.desk.UndoFalseAlarm(t.Context(), operator, a.ID, "undone"); err != nil {
						t.Fatal(err)
					}
				}
				if got := o.tally(o.began, now); got != first {
					t.Errorf("everything undone: %+v, was %+v", got, first)
				}
				o.halt()
			})
		})
	}
}
