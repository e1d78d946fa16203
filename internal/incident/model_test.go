package incident_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// model is what must be true of one incident, told by the simplest means.
type model struct {
	id      string
	state   incident.State
	seen    bool // customers see it
	private bool
	taken   bool // a person has it in hand
	merged  bool
}

// told is what each act does to a state; the same table as in DESIGN.md, written
// down once more by somebody else.
func (m *model) allows(act string) (incident.State, bool) {
	working := m.state == incident.Suspected || m.state == incident.Investigating || m.state == incident.Identified || m.state == incident.Monitoring
	switch {
	case m.merged:
		return "", false
	case act == "resolve":
		return incident.Resolved, working || m.state == incident.Resolved
	case act == "reopen":
		return incident.Investigating, !working
	case act == "review":
		return incident.Postmortem, !working
	case act == "drop":
		return incident.Resolved, m.state == incident.Suspected
	default:
		return incident.State(act), working
	}
}

func TestRandomLivesFollowTheModel(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { live(t, rand.New(rand.NewPCG(seed, 2))) })
		})
	}
}

// live drives a few incidents by random acts and compares them with their models.
func live(t *testing.T, random *rand.Rand) {
	p := newPlace(t)
	ctx := t.Context()
	var all []*model
	begin := func(d incident.Declaration) {
		i := p.declared(d)
		all = append(all, &model{id: i.ID, state: i.State, seen: d.Publish && !d.Private, private: d.Private, taken: true})
	}
	begin(incident.Declaration{Body: "x", Publish: true})
	acts := []string{
		"investigating", "identified", "monitoring", "resolve", "reopen", "review", "drop", "merge", "declare", "private", "note", "fail", "well", "wait",
	}
	for range 200 {
		m := all[random.IntN(len(all))]
		act := acts[random.IntN(len(acts))]
		next, ok := m.allows(act)
		var err error
		switch act {
		case "investigating", "identified", "monitoring", "resolve":
			says := incident.State(act)
			if act == "resolve" {
				says = incident.Resolved
			}
			_, _, err = p.Publish(ctx, operator, m.id, incident.Publication{Body: "x", State: says, Deliver: true})
		case "reopen":
			_, _, err = p.Reopen(ctx, operator, m.id, incident.Publication{Body: "x"})
		case "review":
			if _, err = p.WriteReview(ctx, operator, m.id, "x", "because", 0); err == nil {
				_, err = p.PublishReview(ctx, operator, m.id, true)
			}
			m.taken = m.taken || ok
		case "drop":
			_, err = p.Drop(ctx, operator, m.id)
		case "merge":
			into := all[random.IntN(len(all))]
			was, _ := p.got(into.id)
			ours, _ := p.got(m.id)
			ok = into != m && !m.merged && !into.merged && m.private == into.private && (!m.seen || into.seen) && (!ours.Open() || was.Open())
			if _, err = p.Merge(ctx, operator, m.id, into.id); ok {
				m.merged, into.taken = true, true
				next = m.state
			}
			if k := problem.KindOf(err); !ok && k == problem.KindInvalid && into == m {
				err = problem.Conflict("")
			}
		case "declare":
			begin(incident.Declaration{Private: random.IntN(3) == 0, Body: "x", Publish: random.IntN(2) == 0})
			continue
		case "private":
			if m.merged || random.IntN(4) > 0 {
				continue
			}
			if _, err = p.SetVisibility(ctx, operator, m.id, incident.Private, "x"); err != nil {
				t.Fatal(err)
			}
			m.private, m.seen, m.taken = true, false, true
			continue
		case "note":
			if _, err := p.Note(ctx, developer, m.id, "x"); !m.private && !m.merged && err != nil {
				t.Fatal(err)
			}
			continue
		case "fail", "well":
			before := len(p.open())
			p.sees(map[string]string{"fail": "major_outage", "well": "operational"}[act], "pay")
			for _, i := range p.open()[min(before, len(p.open())):] {
				all = append(all, &model{id: i.ID, state: incident.Suspected})
			}
			all = p.adopt(all)
			continue
		case "wait":
			wait(time.Duration(random.IntN(60)) * time.Second)
			continue
		}
		if ok != (err == nil) || err != nil && problem.KindOf(err) != problem.KindConflict {
			t.Fatalf("%s of %+v: got %v, want ok %v", act, *m, err, ok)
		}
		if ok {
			m.state = next
			if act != "review" && act != "merge" && act != "drop" {
				m.seen = m.seen || !m.private
			}
			m.taken = true
		}
		p.agree(all)
	}
	p.audiences()
}

// adopt adds models of incidents that the machine opened.
func (p *place) adopt(all []*model) []*model {
	known := map[string]bool{}
	for _, m := range all {
		known[m.id] = true
	}
	for _, i := range p.open() {
		if !known[i.ID] {
			all = append(all, &model{id: i.ID, state: i.State})
		}
	}
	return all
}

// agree compares every incident with its model, and looks at what always holds.
func (p *place) agree(all []*model) {
	p.tb.Helper()
	for _, m := range all {
		i, lines := p.got(m.id)
		if i.State != m.state || i.Seen() != (m.seen && !m.merged) || (i.MergedInto != "") != m.merged || i.Machine == m.taken || (i.Visibility == incident.Private) != m.private {
			p.tb.Fatalf("got %+v, want %+v", i, *m)
		}
		if over := i.State == incident.Resolved || i.State == incident.Postmortem; over == i.ResolvedAt.IsZero() {
			p.tb.Fatalf("%s ended at %s", i.State, i.ResolvedAt)
		}
		if !i.Open() && !i.NextUpdateAt.IsZero() {
			p.tb.Fatalf("an update is due of %+v", i)
		}
		if len(lines) != i.Lines {
			p.tb.Fatalf("%d lines are counted, %d are there", i.Lines, len(lines))
		}
		worst := incident.ImpactNone
		for _, a := range i.Components {
			if x := incident.ImpactOf(a.Status); x.Worse(worst) {
				worst = x
			}
		}
		if i.Open() && i.Impact != worst {
			p.tb.Fatalf("the impact is %s, the components say %s", i.Impact, worst)
		}
		for _, u := range lines {
			if u.Deliver && !u.PublishedAt.IsZero() && m.private && !m.seen && u.PublishedAt.After(i.ChangedAt) {
				p.tb.Fatalf("%+v of a private incident is delivered", u)
			}
		}
	}
}

// audiences checks that customers hear of an incident only between its
// publication and its end, merge or withdrawal.
func (p *place) audiences() {
	p.tb.Helper()
	seen := map[string]bool{}
	for _, e := range p.entries() {
		if e.Verb == "incident.published" {
			seen[e.Subject.ID] = true
		}
		if e.Audience == journal.AudiencePublic && !seen[e.Subject.ID] {
			p.tb.Fatalf("%s is public before anything was published", e.Verb)
		}
	}
}
