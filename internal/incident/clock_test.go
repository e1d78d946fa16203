package incident_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
)

func TestScheduledUpdateGoesOutByItself(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "major_outage"}}})
		u, err := p.Draft(t.Context(), operator, i.ID, incident.Wording{
			Body: "It is over.", State: incident.Resolved, Deliver: true, PublishAt: time.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		wait(time.Hour - 2*time.Second)
		if got, _ := p.got(i.ID); !got.Open() {
			t.Fatal("it went out early")
		}
		wait(4 * time.Second)
		got, lines := p.got(i.ID)
		last := lines[len(lines)-1]
		if got.State != incident.Resolved || last.ID != u.ID || last.Author != operator.ID || !last.Deliver || !last.PublishAt.IsZero() || len(last.Components) != 1 {
			t.Fatalf("got %+v, %+v", got, last)
		}
		wait(time.Hour)
		if _, again := p.got(i.ID); len(again) != len(lines) {
			t.Error("it went out twice")
		}
	})
}

func TestScheduledUpdateThatNoLongerFitsBecomesADraft(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		i := p.public(incident.Declaration{})
		u, err := p.Draft(t.Context(), operator, i.ID, incident.Wording{Body: "We keep watching.", State: incident.Monitoring, PublishAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		other, err := p.Draft(t.Context(), operator, i.ID, incident.Wording{Body: "Not this one.", PublishAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Schedule(t.Context(), operator, other.ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		p.published(i.ID, incident.Publication{State: incident.Resolved})
		wait(2 * time.Hour)
		got, err := p.Line(t.Context(), operator, u.ID)
		if err != nil || !got.PublishAt.IsZero() || !got.PublishedAt.IsZero() {
			t.Errorf("got %+v, %v", got, err)
		}
		if i, _ := p.got(i.ID); i.State != incident.Resolved {
			t.Errorf("got %+v", i)
		}
		_, err = p.Schedule(t.Context(), operator, u.ID, time.Now().Add(-time.Hour))
		wantKind(t, err, problem.KindInvalid)
		_, err = p.Schedule(t.Context(), operator, u.ID, time.Now().Add(2*incident.MaxAhead))
		wantKind(t, err, problem.KindInvalid)
	})
}

func TestClockWhoseLeaseWasLostWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		lease, _, err := p.store.Acquire(t.Context(), "incidents", "h1", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		p.sees("major_outage", "pay")
		p.store.Seize("incidents", "h2")
		done := make(chan error, 1)
		go func() { done <- p.Run(t.Context(), lease) }()
		wait(2 * incident.DefaultPublishAfter)
		wantKind(t, <-done, problem.KindConflict)
		if i := p.only(); i.Seen() {
			t.Errorf("an old lease published %+v", i)
		}
	})
}

// A clock that dies at any moment leaves each step done or not done; the next
// holder of the lease goes on.
func TestClockKilledBetweenStepsLosesAndRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		for range 20 {
			i := p.public(incident.Declaration{})
			if _, err := p.Draft(t.Context(), operator, i.ID, incident.Wording{Body: "Over.", State: incident.Resolved, PublishAt: time.Now().Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 30 {
			ctx, stop := context.WithCancel(t.Context())
			lease, ok, err := p.store.Acquire(ctx, "incidents", string(rune('a'+n)), time.Second)
			if err != nil || !ok {
				t.Fatalf("%v, %v", ok, err)
			}
			done := make(chan error, 1)
			go func() { done <- p.Run(ctx, lease) }()
			wait(3*time.Second + time.Duration(n)*137*time.Microsecond)
			stop()
			<-done
		}
		if open := p.open(); len(open) != 0 {
			t.Errorf("%d were not published", len(open))
		}
		resolved := 0
		for _, e := range p.entries() {
			if e.Verb == "incident.resolved" {
				resolved++
			}
		}
		if resolved != 20 {
			t.Errorf("%d were resolved, want 20", resolved)
		}
	})
}

func TestClockWaitsWhileTheDatabaseIsAway(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("major_outage", "pay")
		p.store.SetAway(context.DeadlineExceeded)
		wait(2 * incident.DefaultPublishAfter)
		p.store.SetAway(nil)
		wait(2 * time.Second)
		if i := p.only(); !i.Seen() {
			t.Errorf("got %+v", i)
		}
	})
}
