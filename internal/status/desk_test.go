package status_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/status/statustest"
)

// The people of these scenes.
var (
	operator = access.Actor{ID: "person/1", Role: access.RoleOperator}
	viewer   = access.Actor{ID: "person/2", Role: access.RoleViewer}
	// webmaster may do what an operator may, on the website alone.
	webmaster = access.Actor{ID: "person/3", Role: access.RoleOperator, Grants: &access.Grants{List: []access.Grant{
		{Role: access.RoleOperator, Scope: access.Scope{Kind: "component", ID: "web"}},
	}}}
)

// office is a house with a desk, and people who speak through incidents.
type office struct {
	*house
	desk *status.Desk
	said atomic.Pointer[[]status.Statement]
	mute atomic.Bool // what people say cannot be read
}

func openOffice(t *testing.T, def status.Definition) *office {
	o := &office{house: &house{t: t, store: statustest.New(time.Now), latency: &statustest.Latency{}, began: time.Now()}}
	o.said.Store(&[]status.Statement{})
	o.reopen()
	o.apply(def)
	o.start()
	return o
}

// reopen makes a Watch and a Desk as a process does when it starts.
func (o *office) reopen() {
	o.t.Helper()
	log := slog.New(slog.DiscardHandler)
	o.watch = status.NewWatch(status.WatchDeps{
		Work: o.store, Store: o.store, Latency: o.latency, Calendar: statustest.Calendar{}, Log: log, Now: time.Now,
		Statements: func(context.Context) ([]status.Statement, error) {
			if o.mute.Load() {
				return nil, problem.Unavailable(nil, "the database is away")
			}
			return *o.said.Load(), nil
		},
	})
	if err := o.watch.Load(o.t.Context()); err != nil {
		o.t.Fatalf("load: %v", err)
	}
	o.desk = o.another(o.watch)
}

// another makes a desk: of this process, or of a replica that does not watch.
func (o *office) another(w *status.Watch) *status.Desk {
	return status.NewDesk(status.DeskDeps{
		Work: o.store, Store: o.store, Calendar: statustest.Calendar{}, Watch: w, Now: time.Now,
	})
}

// say lets incidents say something, and waits until the watch has heard it.
func (o *office) say(said ...status.Statement) {
	o.said.Store(&said)
	o.watch.Restate()
	o.rest(50 * time.Millisecond)
}

// sealed gives the journal since an entry, as followers read it.
func (o *office) sealed(from int) []journal.Sealed {
	var out []journal.Sealed
	for i, e := range o.store.Entries()[from:] {
		out = append(out, journal.Sealed{Seq: int64(from + i + 1), Entry: e})
	}
	return out
}

func (o *office) count(verb string) (n int) {
	for _, v := range o.verbs() {
		if v == verb {
			n++
		}
	}
	return n
}

// last gives the newest entry of a verb.
func (o *office) last(verb string) journal.Entry {
	o.t.Helper()
	all := o.store.Entries()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Verb == verb {
			return all[i]
		}
	}
	o.t.Fatalf("no entry %s", verb)
	return journal.Entry{}
}

func wantKind(t *testing.T, err error, kind problem.Kind) {
	t.Helper()
	if problem.KindOf(err) != kind {
		t.Errorf("got %v, want %s", err, kind)
	}
}

func two() status.Definition {
	def := small()
	def.Components = append(def.Components, status.DefinedComponent{Component: status.Component{ID: "db", Name: "Database", Public: true}})
	return def
}

// TestStatementIsOnTheRecordAtOnce: what an incident says of a component is
// committed within 50 ms of being heard, and an incident that is over leaves the
// page to the checks.
func TestStatementIsOnTheRecordAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.play("web-http", "gg")
		o.say(
			status.Statement{Component: "web", Status: status.PartialOutage, Ref: "incident/7", From: o.began.Add(10 * time.Second)},
			status.Statement{Component: "db", Status: status.Degraded, Ref: "incident/7", From: time.Now()},
			status.Statement{Component: "gone", Status: status.Degraded, Ref: "incident/7", From: time.Now()},
		)
		o.want(status.Published, "web", "not_measured@0 operational@1 partial_outage@10")
		o.want(status.Observed, "web", "not_measured@0 operational@1")
		o.want(status.Published, "db", "not_measured@0 degraded_performance@21")
		if e := o.last("component.moved"); e.Payload["origin"] != "human" || e.Payload["ref"] != "incident/7" || e.Audience != journal.AudiencePublic {
			t.Errorf("entry %+v", e)
		}
		before := o.store.Commits()
		o.watch.Restate()
		o.rest(time.Second)
		if got := o.store.Commits(); got != before {
			t.Errorf("hearing the same again wrote %d times", got-before)
		}
		o.say()
		o.want(status.Published, "web", "not_measured@0 operational@1 partial_outage@10 operational@22")
		o.halt()
	})
}

// TestStatementThatCannotBeReadIsReadAgain: a database that is away for a moment
// costs a moment, and the page stays as it was meanwhile.
func TestStatementThatCannotBeReadIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, small())
		o.play("web-http", "g")
		o.mute.Store(true)
		o.say(status.Statement{Component: "web", Status: status.MajorOutage, Ref: "incident/7", From: o.began.Add(5 * time.Second)})
		o.want(status.Published, "web", "not_measured@0 operational@1")
		o.mute.Store(false)
		o.rest(2 * time.Second)
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@5")
		// A nudge that was lost: it is read again by itself.
		o.said.Store(&[]status.Statement{})
		o.rest(31 * time.Second)
		if got := o.line(status.Published, "web"); strings.HasSuffix(got, "major_outage@5") {
			t.Errorf("the word that nobody gives any more still stands: %s", got)
		}
		o.halt()
	})
}

// TestStatementOutlivesTheHub: a restart does not cut what a person said.
func TestStatementOutlivesTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, small())
		o.play("web-http", "g")
		o.say(status.Statement{Component: "web", Status: status.PartialOutage, Ref: "incident/7", From: time.Now()})
		o.halt()
		o.rest(time.Minute)
		o.reopen()
		o.start()
		o.play("web-http", "gg")
		o.want(status.Published, "web", "not_measured@0 operational@1 partial_outage@11")
		o.halt()
		o.said.Store(&[]status.Statement{}) // the incident ends while nobody watches
		o.rest(time.Minute)
		o.reopen()
		o.start()
		o.play("web-http", "g")
		o.want(status.Published, "web", "not_measured@0 operational@1 partial_outage@11 not_measured@152 operational@153")
		o.halt()
	})
}

// TestStatusByHand: a person gives a component a status apart from any incident,
// at any replica, and takes it back.
func TestStatusByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.play("web-http", "g")
		idle := status.NewWatch(status.WatchDeps{Work: o.store, Store: o.store, Latency: o.latency, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		if err := idle.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		elsewhere := o.another(idle)
		seen := len(o.store.Entries())
		if _, err := elsewhere.Say(t.Context(), webmaster, "web", status.MajorOutage, time.Time{}, "customers call"); err != nil {
			t.Fatal(err)
		}
		o.rest(time.Second)
		o.want(status.Published, "web", "not_measured@0 operational@1") // the hub that watches has not heard yet
		if err := o.desk.Follow(t.Context(), o.sealed(seen)); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11")
		if _, err := o.desk.Say(t.Context(), operator, "web", status.Degraded, time.Time{}, ""); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 degraded_performance@12")
		if said, err := o.desk.Sayings(t.Context(), viewer); err != nil || len(said) != 1 || said[0].By != operator.ID {
			t.Errorf("%+v, %v", said, err)
		}
		o.rest(10 * time.Second)
		if err := o.desk.Unsay(t.Context(), operator, "web"); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 degraded_performance@12 operational@22")

		_, err := o.desk.Say(t.Context(), viewer, "web", status.Degraded, time.Time{}, "")
		wantKind(t, err, problem.KindForbidden)
		_, err = o.desk.Say(t.Context(), webmaster, "db", status.Degraded, time.Time{}, "")
		wantKind(t, err, problem.KindForbidden)
		_, err = o.desk.Say(t.Context(), operator, "web", status.NotMeasured, time.Time{}, "")
		wantKind(t, err, problem.KindInvalid)
		_, err = o.desk.Say(t.Context(), operator, "web", status.Degraded, time.Time{}, strings.Repeat("x", status.MaxReason+1))
		wantKind(t, err, problem.KindInvalid)
		_, err = o.desk.Say(t.Context(), operator, "nope", status.Degraded, time.Time{}, "")
		wantKind(t, err, problem.KindNotFound)
		wantKind(t, o.desk.Unsay(t.Context(), operator, "web"), problem.KindConflict)
		if got := fmt.Sprint(o.count("component.stated"), o.count("component.unstated")); got != "2 1" {
			t.Errorf("stated and unstated %s times", got)
		}
		o.halt()
	})
}

// TestHoldReachesWhoeverWatches: a rollout declared at the desk holds blips, and
// ends by itself or by hand.
func TestHoldReachesWhoeverWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, small())
		o.play("web-http", "g")
		if _, err := o.desk.Hold(t.Context(), operator, "web", time.Hour, "shop 2.31.0"); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		o.play("web-http", "ffg")
		o.want(status.Published, "web", "not_measured@0 operational@1")
		if _, err := o.desk.Hold(t.Context(), operator, "web", 0, ""); err != nil {
			t.Fatal(err)
		}
		o.rest(50 * time.Millisecond)
		o.play("web-http", "ff")
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@41")
		_, err := o.desk.Hold(t.Context(), operator, "web", 2*status.MaxHold, "")
		wantKind(t, err, problem.KindInvalid)
		_, err = o.desk.Hold(t.Context(), viewer, "web", time.Minute, "")
		wantKind(t, err, problem.KindForbidden)
		o.halt()
	})
}

// TestConfirmationReachesWhoeverWatches: a person may confirm at a hub that does
// not watch; the one that does publishes it.
func TestConfirmationReachesWhoeverWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := small()
		def.Components[0].Publish, def.Components[0].PublishAfter = status.PublishAfterConfirm, time.Hour
		o := openOffice(t, def)
		o.play("web-http", "gff")
		o.want(status.Published, "web", "not_measured@0 operational@1")
		idle := status.NewWatch(status.WatchDeps{Work: o.store, Store: o.store, Latency: o.latency, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		if err := idle.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := len(o.store.Entries())
		if err := idle.Confirm(t.Context(), operator, "web"); err != nil {
			t.Fatal(err)
		}
		for range 2 { // entries may come twice
			if err := o.desk.Follow(t.Context(), o.sealed(seen)); err != nil {
				t.Fatal(err)
			}
		}
		o.rest(50 * time.Millisecond)
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11")
		wantKind(t, idle.Confirm(t.Context(), operator, "web"), problem.KindConflict)
		wantKind(t, o.watch.Confirm(t.Context(), operator, "web"), problem.KindConflict)
		o.halt()
	})
}

// TestSilencedMonitorExcusesWhatItAloneReports: a component is told of as soon
// as a monitor fails that is not silenced.
func TestSilencedMonitorExcusesWhatItAloneReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := two()
		other := def.Monitors[0]
		other.ID = "web-other"
		def.Monitors = append(def.Monitors, other)
		o := openOffice(t, def)
		o.play("web-http", "g")
		o.play("web-other", "g")
		if _, err := o.desk.Silence(t.Context(), operator, status.Silence{Monitors: []string{"web-http"}, To: time.Now().Add(time.Hour), Reason: "a flaky target"}); err != nil {
			t.Fatal(err)
		}
		if _, ok := o.desk.Silenced("web", time.Now()); ok {
			t.Error("silenced while nothing fails")
		}
		o.play("web-http", "ff")
		if s, ok := o.desk.Silenced("web", time.Now()); !ok || s.Monitors[0] != "web-http" {
			t.Errorf("told of a silenced monitor: %+v", s)
		}
		o.play("web-other", "ff")
		if _, ok := o.desk.Silenced("web", time.Now()); ok {
			t.Error("what fails besides is not told")
		}
		o.halt()
	})
}

// TestSilenceRestsAlertsAlone: it is answered from memory, ends by itself or by
// hand, is bounded, and touches neither page nor checks.
func TestSilenceRestsAlertsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		o.play("web-http", "g")
		seen := len(o.store.Entries())
		s, err := o.desk.Silence(t.Context(), webmaster, status.Silence{Components: []string{"web"}, To: time.Now().Add(time.Hour), Reason: " a move "})
		if err != nil {
			t.Fatal(err)
		}
		if s.Reason != "a move" || s.By != webmaster.ID || s.ID == "" {
			t.Errorf("kept as %+v", s)
		}
		elsewhere := o.another(o.watch)
		if err := elsewhere.Follow(t.Context(), o.sealed(seen)); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*status.Desk{o.desk, elsewhere} {
			if got, ok := d.Silenced("web", time.Now()); !ok || got.ID != s.ID {
				t.Errorf("silenced %t by %+v", ok, got)
			}
			if _, ok := d.MonitorSilenced("web-http", "web", time.Now()); !ok {
				t.Error("its monitors are not")
			}
			if _, ok := d.Silenced("db", time.Now()); ok {
				t.Error("another component is")
			}
			if _, ok := d.Silenced("web", time.Now().Add(time.Hour)); ok {
				t.Error("it does not end by itself")
			}
		}
		o.play("web-http", "ff")
		o.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11")
		if e := o.last("component.silenced"); e.Subject.ID != "web" || e.Payload["silence"] != s.ID || e.Audience != journal.AudienceStaff {
			t.Errorf("entry %+v", e)
		}
		if err := o.desk.Unsilence(t.Context(), webmaster, s.ID); err != nil {
			t.Fatal(err)
		}
		if _, ok := o.desk.Silenced("web", time.Now()); ok {
			t.Error("silenced after it was ended")
		}
		wantKind(t, o.desk.Unsilence(t.Context(), webmaster, s.ID), problem.KindConflict)
		if list, err := o.desk.Silences(t.Context(), viewer); err != nil || len(list) != 1 || list[0].EndedBy != webmaster.ID {
			t.Errorf("listed %+v, %v", list, err)
		}
		hour := time.Now().Add(time.Hour)
		for name, c := range map[string]struct {
			by   access.Actor
			s    status.Silence
			kind problem.Kind
		}{
			"of nothing":         {operator, status.Silence{To: hour, Reason: "x"}, problem.KindInvalid},
			"without reason":     {operator, status.Silence{Components: []string{"web"}, To: hour, Reason: "  "}, problem.KindInvalid},
			"too long":           {operator, status.Silence{Components: []string{"web"}, To: time.Now().Add(8 * 24 * time.Hour), Reason: "x"}, problem.KindInvalid},
			"over already":       {operator, status.Silence{Components: []string{"web"}, To: time.Now(), Reason: "x"}, problem.KindInvalid},
			"of an unknown one":  {operator, status.Silence{Components: []string{"nope"}, To: hour, Reason: "x"}, problem.KindNotFound},
			"of an unknown one ": {operator, status.Silence{Monitors: []string{"nope"}, To: hour, Reason: "x"}, problem.KindNotFound},
			"of another's":       {webmaster, status.Silence{Components: []string{"web", "db"}, To: hour, Reason: "x"}, problem.KindForbidden},
			"by a reader":        {viewer, status.Silence{Monitors: []string{"web-http"}, To: hour, Reason: "x"}, problem.KindForbidden},
			"of far too many":    {operator, status.Silence{Components: slices.Repeat([]string{"web"}, 101), To: hour, Reason: "x"}, problem.KindInvalid},
		} {
			if _, err := o.desk.Silence(t.Context(), c.by, c.s); problem.KindOf(err) != c.kind {
				t.Errorf("%s: %v, want %s", name, err, c.kind)
			}
		}
		o.halt()
	})
}
