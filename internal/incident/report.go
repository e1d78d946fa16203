package incident

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// Report is what several people who wrote in say of one thing.
type Report struct {
	Component string // key; "" when it is none that is known
	Topic     string // what they write of, in a word
	Since     time.Time
	People    int
	Why       string // for staff: what they have in common
}

// Report takes what people write, inside the unit of work of whoever read it, and
// gives the incident that it belongs to: the open one of the component, or a
// related one, or a suspected one that it opens, even while every check is well.
// Nothing of it is published by itself. In an incident that is there already only
// a fact is noted.
func (r *Room) Report(ctx context.Context, tx journal.Tx, x Report) (Incident, error) {
	s, err := r.suspects(ctx, tx)
	if err != nil {
		return Incident{}, err
	}
	c, defined := s.known[x.Component]
	h := s.reported(x)
	if h == nil {
		if h, err = s.begin(ByTickets, x.Since); err != nil {
			return Incident{}, err
		}
		if h.i.Name = "Reports of trouble"; x.Topic != "" {
			h.i.Name = "Reports of trouble with " + clip(x.Topic, MaxName/2)
		}
	}
	h.touched = true
	if defined && h.i.affected(x.Component) == nil && h.i.Machine && len(h.i.Components) < MaxComponents {
		h.i.Components = append(h.i.Components, Affected{
			Component: x.Component, Since: moment(x.Since), Status: reportedStatus, Observed: measured(c.Observed),
		})
		h.i.weigh()
		if h.i.RunbookURL == "" {
			h.i.RunbookURL = c.Runbook
		}
	}
	if h.i.Lines < MaxFacts {
		facts := map[string]string{"people": strconv.Itoa(x.People), "why": clip(x.Why, MaxReason)}
		if x.Component != "" {
			facts["component"] = x.Component
		}
		if err := h.put(&Update{Kind: KindFact, Verb: "ticket.burst", Facts: facts, DisplayAt: moment(x.Since)}); err != nil {
			return Incident{}, err
		}
	}
	if err := s.settle(); err != nil {
		return Incident{}, err
	}
	return *h.i, nil
}

// reportedStatus is what a burst of letters makes of a component until a person
// says more: something is wrong, nobody knows how much.
const reportedStatus = "degraded_performance"

// reported finds the open incident that people write about: one that has the
// component, or a related one; without a component the youngest that letters opened
// under the same name. Private ones explain nothing.
func (s *suspects) reported(x Report) *suspect {
	var found *suspect
	for _, h := range s.open {
		if h.i.MergedInto != "" || h.i.Visibility == Private {
			continue
		}
		if x.Component != "" && h.i.affected(x.Component) != nil {
			return h
		}
		if x.Component == "" && h.i.Origin == ByTickets && len(h.i.Components) == 0 && near(h.i.StartedAt, x.Since) {
			found = h
		}
	}
	if found == nil && x.Component != "" {
		return s.host(Suspicion{Component: x.Component, Status: reportedStatus, Since: x.Since})
	}
	return found
}

// Withdraw drops what letters alone made the machine suspect, inside a unit of
// work: a person says that it is none. What a person has in hand, what customers
// see and what checks or alerts opened stays; done says whether it was dropped.
func (r *Room) Withdraw(ctx context.Context, tx journal.Tx, id string) (done bool, err error) {
	i, err := r.store.IncidentForUpdate(ctx, tx, id)
	if err != nil || i.Origin != ByTickets || i.State != Suspected || !i.Machine || i.MergedInto != "" || i.troubled() {
		return false, err
	}
	h := &hand{Room: r, ctx: ctx, tx: tx, by: access.Hub, now: tx.Now(), i: &i}
	if err := h.drop(); err != nil {
		return false, err
	}
	return true, h.keep()
}

// Remark writes a fact for staff into the timeline, inside the unit of work of
// whoever knows it: what another wing has to say of the incident. It takes it over
// from nobody.
func (r *Room) Remark(ctx context.Context, tx journal.Tx, id, verb string, facts map[string]string) error {
	i, err := r.store.IncidentForUpdate(ctx, tx, id)
	if err != nil || i.MergedInto != "" || i.Lines >= MaxFacts {
		return err
	}
	h := &hand{Room: r, ctx: ctx, tx: tx, by: access.Hub, now: tx.Now(), i: &i}
	if err := h.put(&Update{Kind: KindFact, Verb: verb, Facts: facts}); err != nil {
		return err
	}
	return h.keep()
}

// troubled reports whether checks see one of its components in trouble.
func (i *Incident) troubled() bool {
	return slices.ContainsFunc(i.Components, func(a Affected) bool { return wrong(a.Observed) })
}

// heardOf reports whether all that is known of the incident is what people wrote:
// checks have seen nothing of it since it began, so that they cannot see its end.
func (i *Incident) heardOf(a Affected) bool {
	return i.Origin == ByTickets && !a.ObservedAt.After(i.StartedAt)
}

// reportedWords is what the machine proposes to say of it, Markdown.
func reportedWords(i *Incident, known map[string]Component) string {
	names := publicNames(i.Components, known)
	if len(names) == 0 {
		return "Customers have told us of trouble since " + clock(i.StartedAt) + ". We are looking into it."
	}
	return fmt.Sprintf("Customers have told us of trouble with %s since %s. We are looking into it.", escaped(names), clock(i.StartedAt))
}
