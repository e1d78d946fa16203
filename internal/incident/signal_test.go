package incident_test

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// hook is the actor of a door for a foreign system.
var hook = access.Actor{ID: "hook-1", Role: access.RoleMachine}

// alert gives a firing alert.
func alert(fingerprint, component string) incident.Signal {
	return incident.Signal{
		Source: "hook-1", Fingerprint: fingerprint, StartsAt: time.Now().Add(-time.Minute), Firing: true, Component: component,
		Status: "partial_outage", Name: "HighErrorRate", Why: "errors at 36 %",
	}
}

func (p *place) signals(list ...incident.Signal) {
	p.tb.Helper()
	if err := p.Signals(p.tb.Context(), hook, list); err != nil {
		p.tb.Fatal(err)
	}
}

func TestAlertOpensOneSuspicionHoweverOftenItIsSent(t *testing.T) {
	p := newPlace(t)
	a := alert("f1", "pay")
	p.comps.set("pay", func(c *incident.Component) { c.Observed = "operational" })
	p.signals(a, a)
	p.signals(a)
	i := p.only()
	if i.Origin != incident.ByAlert || i.State != incident.Suspected || i.Impact != incident.ImpactMajor || i.Components[0].Observed != "operational" {
		t.Fatalf("got %+v", i)
	}
	if !i.GreenSince.IsZero() {
		t.Error("the end is proposed while the alert fires")
	}
	alerts, err := p.Alerts(t.Context(), viewer, i.ID, 10)
	if err != nil || len(alerts) != 1 || !alerts[0].Firing {
		t.Errorf("got %+v, %v", alerts, err)
	}
	p.sees("major_outage", "cart")
	if i = p.only(); len(i.Components) != 2 {
		t.Errorf("what checks see of a sibling is apart: %+v", i)
	}
}

func TestAlertsThatEndProposeTheEnd(t *testing.T) {
	p := newPlace(t)
	a, b := alert("f1", "pay"), alert("f2", "pay")
	p.signals(a, b)
	a.Firing = false
	p.signals(a)
	if i := p.only(); !i.GreenSince.IsZero() {
		t.Errorf("the end is proposed while an alert fires: %+v", i)
	}
	p.signals() // absence says nothing
	if i := p.only(); !i.GreenSince.IsZero() {
		t.Errorf("absence was taken for an end: %+v", i)
	}
	b.Firing = false
	p.signals(b)
	i := p.only()
	if i.GreenSince.IsZero() {
		t.Errorf("nothing is proposed: %+v", i)
	}
	a.Firing = true
	p.signals(a) // late: its end came first
	if again := p.only(); again.Version != i.Version {
		t.Errorf("an alert that is over fires again: %+v", again)
	}
	a.StartsAt = time.Now()
	p.signals(a)
	if again := p.only(); !again.GreenSince.IsZero() {
		t.Errorf("a new start is no alert: %+v", again)
	}
}

func TestAlertsWithoutComponentGatherAndAreNeverPublished(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.signals(alert("f1", ""), alert("f2", "strange"))
		i := p.only()
		if i.Name != "HighErrorRate" || len(i.Components) != 0 || !i.PublishAfter.IsZero() {
			t.Fatalf("got %+v", i)
		}
		wait(time.Hour)
		if i = p.only(); i.Seen() {
			t.Errorf("got %+v", i)
		}
		p.signals(alert("f3", ""))
		if len(p.open()) != 2 {
			t.Error("an alert an hour later was joined")
		}
	})
}

func TestAlertJoinsWhatAPersonHasInHand(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "degraded_performance"}}})
	a := alert("f1", "pay")
	a.Status = "major_outage"
	p.signals(a)
	got := p.only()
	if got.ID != i.ID || got.Impact != incident.ImpactMinor {
		t.Errorf("got %+v", got)
	}
	_, lines := p.got(i.ID)
	if last := lines[len(lines)-1]; last.Verb != "alert.firing" || last.Facts["why"] != "errors at 36 %" {
		t.Errorf("got %+v", last)
	}
}

func TestSignalsAreChecked(t *testing.T) {
	p := newPlace(t)
	for name, spoil := range map[string]func(*incident.Signal){
		"no source":       func(x *incident.Signal) { x.Source = "" },
		"odd fingerprint": func(x *incident.Signal) { x.Fingerprint = "a b" },
		"no start":        func(x *incident.Signal) { x.StartsAt = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			x := alert("f1", "pay")
			spoil(&x)
			wantKind(t, p.Signals(t.Context(), hook, []incident.Signal{x}), problem.KindInvalid)
		})
	}
	wantKind(t, p.Signals(t.Context(), hook, make([]incident.Signal, incident.MaxSignals+1)), problem.KindTooMany)
	long := alert("f1", "pay")
	long.Name, long.Why, long.Status = strings.Repeat("é", 10_000)+"\x00", strings.Repeat("x", 1<<20), "on fire"
	p.signals(long)
	if i := p.only(); i.Impact != incident.ImpactMinor {
		t.Errorf("got %+v", i)
	}
}

func TestOldAlertsAreForgotten(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		old := incident.Alert{Source: "hook-1", Fingerprint: "f1", StartsAt: time.Now(), Incident: "i1", At: time.Now().AddDate(0, 0, -100)}
		firing, fresh := old, old
		firing.Fingerprint, firing.Firing = "f2", true
		fresh.Fingerprint, fresh.At = "f3", time.Now()
		err := p.store.Do(p.tb.Context(), hook, func(tx journal.Tx) error {
			for _, a := range []incident.Alert{old, firing, fresh} {
				if err := p.store.PutAlert(p.tb.Context(), tx, a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wait(time.Minute)
		alerts, err := p.store.Alerts(p.tb.Context(), "i1", 10)
		if err != nil || len(alerts) != 2 {
			t.Errorf("got %+v, %v", alerts, err)
		}
	})
}
