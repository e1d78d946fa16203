package incident_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// sees lets checks see components in a status, all from now, in one batch.
func (p *place) sees(status string, keys ...string) {
	p.tb.Helper()
	var list []incident.Suspicion
	for _, key := range keys {
		list = append(list, incident.Suspicion{Component: key, Status: status, Since: time.Now(), Why: "http: 502, 3 of 3 locations"})
	}
	p.suspects(list...)
}

func (p *place) suspects(list ...incident.Suspicion) {
	p.tb.Helper()
	for _, x := range list {
		if x.Component != "nothing" && x.Status != "not_measured" {
			p.comps.set(x.Component, func(c *incident.Component) { c.Observed = x.Status })
		}
	}
	err := p.store.Do(p.tb.Context(), access.Hub, func(tx journal.Tx) error { return p.Suspect(p.tb.Context(), tx, list) })
	if err != nil {
		p.tb.Fatal(err)
	}
}

// open gives those that are not over.
func (p *place) open() []incident.Incident {
	p.tb.Helper()
	all, err := p.Open(p.tb.Context(), operator)
	if err != nil {
		p.tb.Fatal(err)
	}
	return all
}

// only gives the one that is open.
func (p *place) only() incident.Incident {
	p.tb.Helper()
	all := p.open()
	if len(all) != 1 {
		p.tb.Fatalf("%d incidents are open, want 1: %+v", len(all), all)
	}
	return all[0]
}

// ticking runs the clock of incidents for as long as fn takes, in virtual time.
func ticking(t *testing.T, fn func(t *testing.T, p *place)) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		lease, _, err := p.store.Acquire(ctx, "incidents", "h1", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		go func() { done <- p.Run(ctx, lease) }()
		fn(t, p)
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

// wait lets virtual time pass.
func wait(d time.Duration) { <-time.After(d) }

func TestThirtyComponentsBehindOneGatewayAreOneIncident(t *testing.T) {
	p := newPlace(t)
	var keys []string
	for n := range 30 {
		key := fmt.Sprintf("service%02d", n)
		p.comps.add(incident.Component{Key: key, ID: key, Name: "Service " + key[7:], Public: true, Needs: []string{"gateway"}, Policy: "auto"})
		keys = append(keys, key)
	}
	p.sees("major_outage", keys[0])
	p.sees("major_outage", keys[1:10]...)
	p.sees("major_outage", "gateway")
	p.sees("partial_outage", keys[10:]...)
	i := p.only()
	if len(i.Components) != 31 || i.State != incident.Suspected || i.Impact != incident.ImpactCritical || !i.Machine || i.Seen() {
		t.Fatalf("got %+v", i)
	}
	if i.Name != "Gateway not available" {
		t.Errorf("it is called %q", i.Name)
	}
	if n := strings.Count(p.verbs(), "suspected"); n != 1 {
		t.Errorf("%d suspicions were told", n)
	}
	_, lines := p.got(i.ID)
	drafts := 0
	for _, u := range lines {
		if u.Kind == incident.KindUpdate {
			drafts++
			if u.Author != access.Hub.ID || !u.PublishedAt.IsZero() || !strings.Contains(u.Body, "and 28 others") {
				t.Errorf("got %+v", u)
			}
		}
	}
	if drafts != 1 {
		t.Errorf("%d drafts wait, want 1", drafts)
	}
}

func TestUnrelatedFailuresAreApart(t *testing.T) {
	p := newPlace(t)
	p.sees("major_outage", "pay")
	p.sees("degraded_performance", "search")
	if all := p.open(); len(all) != 2 {
		t.Fatalf("got %+v", all)
	}
}

func TestSiblingsJoinAndParentTiesSuspicionsTogether(t *testing.T) {
	p := newPlace(t)
	p.comps.set("cart", func(c *incident.Component) { c.Needs = []string{"search"} }) // no longer a sibling of pay
	p.sees("partial_outage", "pay")
	p.sees("partial_outage", "cart")
	if len(p.open()) != 2 {
		t.Fatal("two failures without a tie are one")
	}
	p.comps.set("cart", func(c *incident.Component) { c.Needs = []string{"gateway"} })
	p.sees("major_outage", "gateway")
	i := p.only()
	if len(i.Components) != 3 {
		t.Fatalf("got %+v", i)
	}
	all, err := p.List(t.Context(), operator, incident.Query{Limit: 10})
	if err != nil || len(all) != 2 {
		t.Fatalf("got %v, %v", all, err)
	}
	for _, old := range all {
		if old.ID != i.ID && old.MergedInto != i.ID {
			t.Errorf("got %+v", old)
		}
	}
}

func TestLateFailureJoinsOnlyWhatExplainsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.sees("major_outage", "gateway")
		wait(time.Hour)
		p.sees("major_outage", "pay") // what it needs is down still
		if len(p.only().Components) != 2 {
			t.Fatal("the child of what is down is apart")
		}
		p.sees("operational", "gateway")
		wait(time.Hour)
		p.sees("major_outage", "cart") // a sibling, but long after
		if len(p.open()) != 2 {
			t.Fatal("a failure an hour later was joined")
		}
	})
}

func TestStormWithoutRelationsIsBounded(t *testing.T) {
	p := newPlace(t)
	for n := range 3 * incident.MaxSuspicions {
		key := fmt.Sprintf("lone%02d", n)
		p.comps.add(incident.Component{Key: key, ID: key, Name: key, Public: true})
	}
	for n := range 3 * incident.MaxSuspicions {
		p.sees("major_outage", fmt.Sprintf("lone%02d", n))
	}
	if n := len(p.open()); n != incident.MaxSuspicions {
		t.Errorf("%d incidents are open, want %d", n, incident.MaxSuspicions)
	}
}

func TestMaintenanceOpensNothing(t *testing.T) {
	p := newPlace(t)
	p.suspects(incident.Suspicion{Component: "pay", Status: "major_outage", Since: time.Now(), Quiet: true})
	if all := p.open(); len(all) != 0 {
		t.Fatalf("got %+v", all)
	}
}

func TestNotMeasuredChangesNothing(t *testing.T) {
	p := newPlace(t)
	p.sees("not_measured", "pay")
	if len(p.open()) != 0 {
		t.Fatal("what cannot be told opened an incident")
	}
	p.sees("major_outage", "pay")
	p.sees("not_measured", "pay")
	if i := p.only(); i.Components[0].Observed != "major_outage" || !i.GreenSince.IsZero() {
		t.Fatalf("got %+v", i)
	}
}

func TestSuspicionThatNobodySawIsDropped(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("major_outage", "pay")
		i := p.only()
		wait(2 * time.Minute)
		p.sees("operational", "pay")
		if got := p.only(); got.GreenSince.IsZero() {
			t.Errorf("nothing is proposed: %+v", got)
		}
		wait(incident.DropAfter + 2*time.Second)
		got, lines := p.got(i.ID)
		if got.Open() || got.Seen() || got.State != incident.Resolved || got.PublishAfter != (time.Time{}) {
			t.Errorf("got %+v", got)
		}
		for _, u := range lines {
			if u.Kind == incident.KindUpdate {
				t.Errorf("the machine's draft stays: %+v", u)
			}
		}
		if got, want := p.verbs(), "suspected seen proposed undrafted dropped"; got != want {
			t.Errorf("the journal says %s, want %s", got, want)
		}
	})
}

func TestMachineSaysNothingOfWhatComesAndGoes(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		for range 10 {
			p.sees("major_outage", "pay")
			wait(3 * time.Minute)
			p.sees("operational", "pay")
			wait(time.Minute)
		}
		p.sees("major_outage", "pay")
		if i := p.only(); i.Seen() {
			t.Errorf("published: %+v", i)
		}
		wait(incident.DefaultPublishAfter + 2*time.Second)
		if i := p.only(); !i.Seen() {
			t.Errorf("what stays is not published: %+v", i)
		}
	})
}

func TestMachinePublishesAndResolvesWhenNobodyComes(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("major_outage", "pay")
		wait(incident.DefaultPublishAfter - 2*time.Second)
		if i := p.only(); i.Seen() {
			t.Fatalf("published too early: %+v", i)
		}
		wait(4 * time.Second)
		i := p.only()
		if !i.Seen() || i.State != incident.Investigating || !i.Machine || i.Impact != incident.ImpactCritical {
			t.Fatalf("got %+v", i)
		}
		_, lines := p.got(i.ID)
		if u := lines[len(lines)-1]; u.Kind != incident.KindUpdate || !u.Deliver || !strings.HasPrefix(u.Body, "Our checks have seen failures of Payments since ") {
			t.Errorf("got %+v", u)
		}
		p.sees("major_outage", "cart") // a sibling, but late: apart
		wait(time.Minute)
		p.sees("operational", "pay", "cart")
		wait(incident.ResolveAfter + 2*time.Second)
		i, lines = p.got(i.ID)
		if i.State != incident.Resolved || i.Impact != incident.ImpactCritical {
			t.Fatalf("got %+v", i)
		}
		if u := lines[len(lines)-1]; u.State != incident.Resolved || !strings.Contains(u.Body, "It lasted 11 minutes.") || !u.Deliver {
			t.Errorf("got %+v", u)
		}
	})
}

func TestMachineTellsWhenItGrowsAfterPublication(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.comps.set("gateway", func(c *incident.Component) { c.PublishAfter = time.Minute })
		p.sees("partial_outage", "gateway")
		wait(time.Minute + 2*time.Second)
		before := p.only()
		p.sees("major_outage", "pay")
		i := p.only()
		if i.Impact != incident.ImpactCritical || before.Impact != incident.ImpactMajor || len(i.Components) != 2 {
			t.Fatalf("got %+v", i)
		}
		_, lines := p.got(i.ID)
		u := lines[len(lines)-1]
		if u.Kind != incident.KindUpdate || u.Deliver || !strings.Contains(u.Body, "Payments too") || len(u.Components) != 1 {
			t.Errorf("got %+v", u)
		}
		p.sees("major_outage", "gateway") // worse
		if i = p.only(); i.Components[0].Status != "major_outage" {
			t.Errorf("got %+v", i.Components)
		}
	})
}

func TestPoliciesDecideWhenTheMachineSpeaks(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("major_outage", "mail")   // manual
		p.sees("major_outage", "ledger") // not public
		p.comps.set("search", func(c *incident.Component) { c.Policy = "after_confirm" })
		p.comps.set("search", func(c *incident.Component) { c.PublishAfter = time.Minute })
		p.sees("major_outage", "search")
		wait(2 * time.Minute)
		seen := ""
		for _, i := range p.open() {
			if i.Seen() {
				seen += i.Components[0].Component
			}
		}
		if seen != "search" {
			t.Errorf("customers see %q", seen)
		}
		wait(time.Hour)
		for _, i := range p.open() {
			if i.Seen() && i.Components[0].Component != "search" {
				t.Errorf("customers see %+v", i)
			}
		}
	})
}

func TestNothingIsPublishedDuringMaintenanceOrAfterRecovery(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("major_outage", "pay")
		p.comps.set("pay", func(c *incident.Component) { c.Status = "under_maintenance" })
		wait(incident.DefaultPublishAfter + time.Minute)
		if i := p.only(); i.Seen() {
			t.Errorf("maintenance was published as %+v", i)
		}
		p.comps.set("pay", func(c *incident.Component) { c.Status = "major_outage" })
		wait(2 * time.Second)
		if i := p.only(); !i.Seen() {
			t.Errorf("after maintenance it is not published: %+v", i)
		}
	})
	ticking(t, func(t *testing.T, p *place) {
		p.sees("major_outage", "pay")
		wait(incident.DefaultPublishAfter - time.Second)
		p.sees("operational", "pay")
		wait(time.Minute)
		if i := p.only(); i.Seen() {
			t.Errorf("what is well again was published: %+v", i)
		}
	})
}

func TestHumanWordWins(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		ctx := p.tb.Context()
		p.sees("major_outage", "pay")
		i := p.only()
		if _, err := p.Note(ctx, developer, i.ID, "Looking."); err != nil {
			t.Fatal(err)
		}
		if i = p.only(); !i.Machine || i.PublishAfter.IsZero() {
			t.Errorf("a note took the incident over: %+v", i)
		}
		if _, err := p.Draft(ctx, developer, i.ID, incident.Wording{Body: "I think it is the database."}); err != nil {
			t.Fatal(err)
		}
		if i = p.only(); !i.Machine {
			t.Errorf("who may not speak to customers took the incident over: %+v", i)
		}
		if _, err := p.Assign(ctx, operator, i.ID, incident.Commander, "p1"); err != nil {
			t.Fatal(err)
		}
		if i = p.only(); i.Machine || !i.PublishAfter.IsZero() {
			t.Fatalf("the machine still has %+v", i)
		}
		wait(time.Hour)
		if i = p.only(); i.Seen() {
			t.Fatalf("the machine published %+v", i)
		}
		i = p.published(i.ID, incident.Publication{Body: "Some cards fail.", State: incident.Identified, Components: []incident.Affected{{Component: "pay", Status: "degraded_performance"}}})
		p.sees("partial_outage", "pay")
		p.sees("major_outage", "pay")
		p.sees("major_outage", "gateway")
		if i = p.only(); i.Impact != incident.ImpactMinor || i.Components[0].Status != "degraded_performance" || i.Components[0].Observed != "major_outage" {
			t.Errorf("the machine spoke over a person: %+v", i)
		}
		if len(i.Components) != 2 || i.Components[1].Status != "" {
			t.Errorf("what fails besides is not proposed: %+v", i.Components)
		}
		p.sees("operational", "pay", "gateway")
		wait(time.Hour)
		if i = p.only(); i.GreenSince.IsZero() || i.State != incident.Identified {
			t.Errorf("the end is the person's to say: %+v", i)
		}
		w, err := p.Propose(ctx, viewer, i.ID)
		if err != nil || w.State != incident.Resolved || !strings.Contains(w.Body, "Payments and Gateway have been working normally since") {
			t.Errorf("got %+v, %v", w, err)
		}
		p.sees("partial_outage", "pay")
		if i = p.only(); !i.GreenSince.IsZero() {
			t.Errorf("the end is proposed although it fails: %+v", i)
		}
	})
}

func TestPrivateIncidentExplainsNothingToCustomers(t *testing.T) {
	p := newPlace(t)
	private := p.declared(incident.Declaration{Private: true, Components: []incident.Affected{{Component: "pay", Status: "major_outage"}}})
	p.sees("major_outage", "pay")
	p.sees("major_outage", "cart")
	all := p.open()
	if len(all) != 2 {
		t.Fatalf("got %+v", all)
	}
	i, _ := p.got(private.ID)
	if len(i.Components) != 1 || i.Components[0].Observed != "major_outage" {
		t.Errorf("got %+v", i.Components)
	}
}

func TestDroppedByHandStaysDropped(t *testing.T) {
	p := newPlace(t)
	p.sees("major_outage", "pay")
	i, err := p.Drop(t.Context(), operator, p.only().ID)
	if err != nil || i.Open() {
		t.Fatalf("got %+v, %v", i, err)
	}
	p.sees("major_outage", "pay")
	if n := len(p.open()); n != 1 {
		t.Errorf("%d are open after a new verdict, want 1", n)
	}
	published := p.public(incident.Declaration{})
	_, err = p.Drop(t.Context(), operator, published.ID)
	wantKind(t, err, problem.KindConflict)
}

func TestSuspectTwiceIsOnce(t *testing.T) {
	p := newPlace(t)
	x := incident.Suspicion{Component: "pay", Status: "major_outage", Since: time.Now()}
	p.suspects(x, x)
	p.suspects(x)
	i := p.only()
	if _, lines := p.got(i.ID); len(lines) != 2 { // the fact and the draft
		t.Errorf("got %+v", lines)
	}
	if i.Components[0].Status != "major_outage" {
		t.Errorf("got %+v", i)
	}
	p.suspects(incident.Suspicion{Component: "nothing", Status: "operational"})
}
