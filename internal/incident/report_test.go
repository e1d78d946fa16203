package incident_test

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
)

// hears lets several people write of a component.
func (p *place) hears(component string, people int) (out incident.Incident) {
	p.tb.Helper()
	err := p.store.Do(p.tb.Context(), access.Hub, func(tx journal.Tx) (err error) {
		out, err = p.Report(p.tb.Context(), tx, incident.Report{Component: component, Topic: component, Since: time.Now(), People: people, Why: "they write of it"})
		return err
	})
	if err != nil {
		p.tb.Fatal(err)
	}
	return out
}

func TestReportsOpenASuspicionThatChecksCannotEnd(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("operational", "search")
		i := p.hears("search", 5)
		if i.State != incident.Suspected || i.Origin != incident.ByTickets || !i.PublishAfter.IsZero() || i.Seen() {
			t.Fatalf("got %+v", i)
		}
		_, lines, err := p.Get(t.Context(), operator, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		draft := ""
		for _, u := range lines {
			if u.Kind == incident.KindUpdate {
				draft = u.Body
			}
		}
		if !strings.HasPrefix(draft, "Customers have told us of trouble with ") || strings.Contains(draft, "checks") {
			t.Errorf("the draft says %q, which checks have not seen", draft)
		}
		seen := map[string]incident.Suspicion{"search": {Component: "search", Status: "operational", Since: time.Now().Add(-time.Hour)}}
		if err := p.store.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return p.Reconcile(t.Context(), tx, seen) }); err != nil {
			t.Fatal(err)
		}
		wait(2 * time.Hour)
		if i := p.only(); i.State != incident.Suspected || !i.GreenSince.IsZero() || i.Seen() {
			t.Errorf("after two hours %+v", i)
		}
	})
}

func TestReportsJoinWhatIsOpenAlready(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("major_outage", "search")
		before := p.only()
		if i := p.hears("search", 5); i.ID != before.ID || i.Origin != incident.ByChecks {
			t.Errorf("got %+v", i)
		}
		p.only()
	})
}

func TestChecksThatSeeItTooMakeItAnOrdinarySuspicion(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		p.sees("operational", "search")
		i := p.hears("search", 5)
		wait(time.Minute)
		p.sees("major_outage", "search")
		if now := p.only(); now.ID != i.ID || now.PublishAfter.IsZero() || now.Impact != incident.ImpactCritical {
			t.Errorf("got %+v", now)
		}
		wait(time.Minute)
		p.sees("operational", "search")
		if now := p.only(); now.GreenSince.IsZero() {
			t.Errorf("checks saw it begin and end: %+v", now)
		}
	})
}

func TestWithdrawDropsOnlyWhatLettersAloneOpened(t *testing.T) {
	ticking(t, func(t *testing.T, p *place) {
		withdraw := func(id string) (done bool) {
			err := p.store.Do(t.Context(), access.Hub, func(tx journal.Tx) (err error) {
				done, err = p.Withdraw(t.Context(), tx, id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return done
		}
		i := p.hears("search", 5)
		if !withdraw(i.ID) || len(p.open()) != 0 {
			t.Errorf("it stays: %+v", p.open())
		}
		p.sees("major_outage", "pay")
		if byChecks := p.only(); withdraw(byChecks.ID) {
			t.Error("what checks opened was dropped")
		}
	})
}
