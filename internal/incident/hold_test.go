package incident_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
)

// held sends an update that is held.
func (p *place) held(id string, pub incident.Publication) incident.Update {
	p.tb.Helper()
	u, err := p.Hold(p.tb.Context(), operator, id, pub)
	if err != nil {
		p.tb.Fatal(err)
	}
	return u
}

func TestHeldUpdateGoesOutAfterTenSecondsAsItWasSent(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "major_outage"}}})
		before := p.verbs()
		u := p.held(i.ID, incident.Publication{
			Body: "Half of it is back.", State: incident.Identified, Deliver: true, NextUpdate: time.Hour,
			Components: []incident.Affected{{Component: "pay", Status: "partial_outage"}},
		})
		wait(incident.UndoFor - time.Second)
		if got, _ := p.got(i.ID); got.State != incident.Investigating || p.verbs() != before+" scheduled" {
			t.Fatalf("it went out early: %s, %s", got.State, p.verbs())
		}
		wait(3 * time.Second)
		got, lines := p.got(i.ID)
		last := lines[len(lines)-1]
		if got.State != incident.Identified || got.Components[0].Status != "partial_outage" || !got.Promised || got.NextUpdateAt.Sub(last.DisplayAt) != time.Hour {
			t.Errorf("the incident is %+v", got)
		}
		if last.ID != u.ID || !last.Deliver || last.Author != operator.ID || last.Components[0].From != "major_outage" {
			t.Errorf("the update is %+v", last)
		}
		if p.verbs() != before+" scheduled updated" {
			t.Errorf("told %s", p.verbs())
		}
	})
}

func TestHeldUpdateIsTakenBackOrSentAtOnce(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		i := p.public(incident.Declaration{})
		u := p.held(i.ID, incident.Publication{Body: "Too soon.", State: incident.Resolved, Deliver: true})
		if _, err := p.Schedule(t.Context(), operator, u.ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		wait(time.Minute)
		if got, _ := p.got(i.ID); !got.Open() {
			t.Fatal("what was taken back went out")
		}
		_, _, err := p.Release(t.Context(), operator, u.ID)
		wantKind(t, err, problem.KindConflict)

		again := p.held(i.ID, incident.Publication{UpdateID: u.ID, Body: "Now it is.", State: incident.Resolved, Deliver: true})
		if again.ID != u.ID {
			t.Errorf("the draft %s became %s", u.ID, again.ID)
		}
		got, out, err := p.Release(t.Context(), operator, u.ID)
		if err != nil || got.Open() || !out.Deliver || out.Body != "Now it is." {
			t.Fatalf("got %+v, %+v, %v", got, out, err)
		}
		_, err = p.Schedule(t.Context(), operator, u.ID, time.Time{})
		wantKind(t, err, problem.KindConflict)
		wait(time.Minute)
		_, lines := p.got(i.ID)
		if n := len(lines); lines[n-1].ID != u.ID {
			t.Error("it went out twice")
		}
	})
}

func TestHeldUpdateIsCheckedWhenItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "major_outage"}}})
		refuse := func(kind problem.Kind, pub incident.Publication) {
			t.Helper()
			before := p.verbs()
			_, err := p.Hold(t.Context(), operator, i.ID, pub)
			wantKind(t, err, kind)
			if p.verbs() != before {
				t.Errorf("a refused update left %s", p.verbs())
			}
		}
		refuse(problem.KindInvalid, incident.Publication{})
		refuse(problem.KindInvalid, incident.Publication{Body: "x", State: incident.Suspected, Components: []incident.Affected{{Component: "nothing", Status: "major_outage"}}})
		refuse(problem.KindInvalid, incident.Publication{Body: "x", Components: []incident.Affected{{Component: "pay", Status: "on fire"}}})
		refuse(problem.KindInvalid, incident.Publication{Body: "x", NextUpdate: 2 * incident.MaxAhead})
		refuse(problem.KindInvalid, incident.Publication{Body: "x", At: time.Now()})
		refuse(problem.KindInvalid, incident.Publication{Body: "x", Impact: incident.ImpactMinor})
		refuse(problem.KindConflict, incident.Publication{Body: "x", Version: i.Version + 1})
		_, err := p.Hold(t.Context(), developer, i.ID, incident.Publication{Body: "x"})
		wantKind(t, err, problem.KindForbidden)

		// An update that changes components and says nothing needs no words.
		p.held(i.ID, incident.Publication{Components: []incident.Affected{{Component: "pay", Status: "partial_outage"}}})
		if got, _ := p.got(i.ID); got.Components[0].Status != "major_outage" {
			t.Error("trying it changed the incident")
		}
		p.published(i.ID, incident.Publication{State: incident.Resolved})
		refuse(problem.KindConflict, incident.Publication{Body: "x", State: incident.Monitoring})
	})
}

// A hub that is killed while updates are held sends each of them once, later.
func TestHubKilledWhileUpdatesAreHeldLosesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		const many = 12
		for range many {
			p.held(p.public(incident.Declaration{}).ID, incident.Publication{Body: "Over.", State: incident.Resolved, Deliver: true})
		}
		for n := range 16 {
			ctx, stop := context.WithCancel(t.Context())
			lease, ok, err := p.store.Acquire(ctx, "incidents", string(rune('a'+n)), time.Second)
			if err != nil || !ok {
				t.Fatalf("%v, %v", ok, err)
			}
			done := make(chan error, 1)
			go func() { done <- p.Run(ctx, lease) }()
			wait(2*time.Second + time.Duration(n)*211*time.Microsecond)
			stop()
			<-done
		}
		sent := 0
		for _, e := range p.entries() {
			if e.Verb == "incident.resolved" && e.Payload["deliver"] == "1" {
				sent++
			}
		}
		if sent != many || len(p.open()) != 0 {
			t.Errorf("%d of %d went out, %d stay open", sent, many, len(p.open()))
		}
	})
}

func TestOnlyAPromiseIsPublic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		i := p.public(incident.Declaration{})
		if i.Promised || i.NextUpdateAt.IsZero() {
			t.Errorf("nobody promised, and got %+v", i)
		}
		if i = p.published(i.ID, incident.Publication{NextUpdate: time.Hour}); !i.Promised {
			t.Errorf("got %+v", i)
		}
		if i = p.published(i.ID, incident.Publication{}); i.Promised {
			t.Errorf("an old promise stands: %+v", i)
		}
		if i, _ = p.Promise(t.Context(), operator, i.ID, time.Hour); !i.Promised {
			t.Errorf("got %+v", i)
		}
		if i = p.published(i.ID, incident.Publication{State: incident.Resolved}); i.Promised {
			t.Errorf("what is over promises: %+v", i)
		}
	})
}
