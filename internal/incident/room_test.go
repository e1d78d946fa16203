package incident_test

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/incident/incidenttest"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// place is a room with a record in memory and a few components.
type place struct {
	*incident.Room
	tb    testing.TB
	store *incidenttest.Store
	comps *components
}

// components is what the room knows of components.
type components struct {
	mu   sync.Mutex
	list []incident.Component
}

// Known gives them.
func (c *components) Known() []incident.Component {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.list)
}

// add adds one.
func (c *components) add(one incident.Component) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, one)
}

// set changes one.
func (c *components) set(key string, change func(*incident.Component)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.list[slices.IndexFunc(c.list, func(one incident.Component) bool { return one.Key == key })])
}

func newPlace(tb testing.TB) *place {
	p := &place{tb: tb, store: incidenttest.New(), comps: &components{list: []incident.Component{
		{Key: "gateway", ID: "gateway", Name: "Gateway", Public: true, Policy: "auto", Runbook: "https://example.org/gateway"},
		{Key: "pay", ID: "pay", Name: "Payments", Group: "core", Public: true, Needs: []string{"gateway"}, Policy: "auto"},
		{Key: "cart", ID: "cart", Name: "Cart", Group: "core", Public: true, Needs: []string{"gateway"}, Policy: "auto"},
		{Key: "search", ID: "search", Name: "Search", Public: true, Policy: "auto"},
		{Key: "ledger", ID: "ledger", Name: "Ledger", Policy: "auto"},
		{Key: "mail", ID: "mail", Name: "Mail", Public: true, Policy: "manual"},
	}}}
	p.Room = incident.NewRoom(incident.RoomDeps{
		Work: p.store, Store: p.store, Components: p.comps, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	return p
}

// The people of the tests.
var (
	operator  = access.Actor{ID: "p-operator", Role: access.RoleOperator}
	developer = access.Actor{ID: "p-developer", Role: access.RoleDeveloper}
	viewer    = access.Actor{ID: "p-viewer", Role: access.RoleViewer}
	client    = access.Actor{ID: "p-client", Role: access.RoleClient}
)

// declared opens an incident that must be opened.
func (p *place) declared(d incident.Declaration) incident.Incident {
	p.tb.Helper()
	if d.Name == "" {
		d.Name = "Payments fail"
	}
	i, err := p.Declare(p.tb.Context(), operator, d)
	if err != nil {
		p.tb.Fatal(err)
	}
	return i
}

// public opens an incident that customers see.
func (p *place) public(d incident.Declaration) incident.Incident {
	p.tb.Helper()
	d.Publish, d.Body, d.Deliver = true, "We are looking into it.", true
	return p.declared(d)
}

// published publishes an update that must go out.
func (p *place) published(id string, pub incident.Publication) incident.Incident {
	p.tb.Helper()
	if pub.Body == "" && pub.UpdateID == "" {
		pub.Body = "More."
	}
	i, _, err := p.Publish(p.tb.Context(), operator, id, pub)
	if err != nil {
		p.tb.Fatal(err)
	}
	return i
}

// got reads an incident and its lines.
func (p *place) got(id string) (incident.Incident, []incident.Update) {
	p.tb.Helper()
	i, lines, err := p.Get(p.tb.Context(), operator, id)
	if err != nil {
		p.tb.Fatal(err)
	}
	return i, lines
}

// entries gives the journal, and verbs its verbs.
func (p *place) entries() []journal.Sealed {
	p.tb.Helper()
	all, err := p.store.After(p.tb.Context(), 0, 1_000_000)
	if err != nil {
		p.tb.Fatal(err)
	}
	return all
}

func (p *place) verbs() string {
	var verbs []string
	for _, e := range p.entries() {
		verbs = append(verbs, strings.TrimPrefix(e.Verb, "incident."))
	}
	return strings.Join(verbs, " ")
}

// wantKind fails unless err is of the kind.
func wantKind(tb testing.TB, err error, want problem.Kind) {
	tb.Helper()
	if got := problem.KindOf(err); got != want {
		tb.Fatalf("got %q (%v), want %q", got, err, want)
	}
}

func TestIncidentDeclaredAndDrivenToItsEnd(t *testing.T) { // S1-25
	p := newPlace(t)
	i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "partial_outage"}}})
	if i.State != incident.Investigating || i.Impact != incident.ImpactMajor || i.Visibility != incident.Public || !i.Seen() || i.Number != 1 {
		t.Fatalf("got %+v", i)
	}
	if i.Label() != "INC-1" || len(i.ID) < 12 {
		t.Errorf("got label %s and id %s", i.Label(), i.ID)
	}
	if due := i.NextUpdateAt.Sub(i.PublishedAt); due != incident.UpdateEvery {
		t.Errorf("the next update is due after %s", due)
	}
	i = p.published(i.ID, incident.Publication{State: incident.Identified, NextUpdate: 10 * time.Minute, Components: []incident.Affected{{Component: "pay", Status: "major_outage"}, {Component: "cart", Status: "degraded_performance"}}})
	if i.Impact != incident.ImpactCritical || len(i.Components) != 2 {
		t.Fatalf("got %+v", i)
	}
	i = p.published("INC-1", incident.Publication{State: incident.Monitoring, Components: []incident.Affected{{Component: "pay", Status: "degraded_performance"}}})
	if i.Impact != incident.ImpactMinor || i.MonitoringAt.IsZero() {
		t.Fatalf("got %+v", i)
	}
	i, u, err := p.Resolve(t.Context(), operator, "1", incident.Publication{Body: "It is over.", Deliver: true})
	if err != nil {
		t.Fatal(err)
	}
	if i.Open() || i.Impact != incident.ImpactCritical || i.ResolvedAt.IsZero() || !i.NextUpdateAt.IsZero() {
		t.Fatalf("got %+v", i)
	}
	if len(u.Components) != 2 || u.Components[0].To != "operational" || i.Components[0].Status != "degraded_performance" {
		t.Errorf("the end says %+v of %+v", u.Components, i.Components)
	}
	if _, err := p.WriteReview(t.Context(), operator, i.ID, "# What we learnt", "", i.Version); err != nil {
		t.Fatal(err)
	}
	if i, err = p.PublishReview(t.Context(), operator, i.ID, true); err != nil || i.State != incident.Postmortem {
		t.Fatalf("got %+v, %v", i, err)
	}
	if got, want := p.verbs(), "declared published updated updated resolved noted reviewed"; got != want {
		t.Errorf("the journal says %s, want %s", got, want)
	}
	for _, e := range p.entries() {
		if e.Audience == journal.AudiencePublic && e.Verb == "incident.declared" {
			t.Error("customers learn of a declaration")
		}
	}
}

func TestIncidentResolveTwiceSaysOneMoreWord(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{})
	first := p.published(i.ID, incident.Publication{State: incident.Resolved})
	second := p.published(i.ID, incident.Publication{Body: "All charges were paid back.", State: incident.Resolved})
	if !second.ResolvedAt.Equal(first.ResolvedAt) {
		t.Errorf("a word afterwards moved the end from %s to %s", first.ResolvedAt, second.ResolvedAt)
	}
}

func TestIncidentUpdateAfterTheEndConflicts(t *testing.T) {
	p := newPlace(t)
	i := p.published(p.public(incident.Declaration{}).ID, incident.Publication{State: incident.Resolved})
	_, _, err := p.Publish(t.Context(), operator, i.ID, incident.Publication{Body: "x", State: incident.Monitoring})
	wantKind(t, err, problem.KindConflict)
	i, _, err = p.Reopen(t.Context(), operator, i.ID, incident.Publication{Body: "It is back."})
	if err != nil || i.State != incident.Investigating || !i.ResolvedAt.IsZero() || i.NextUpdateAt.IsZero() {
		t.Fatalf("got %+v, %v", i, err)
	}
}

func TestIncidentStaleVersionConflicts(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{})
	p.published(i.ID, incident.Publication{Version: i.Version})
	_, _, err := p.Publish(t.Context(), operator, i.ID, incident.Publication{Body: "x", Version: i.Version})
	wantKind(t, err, problem.KindConflict)
}

func TestImpactOverrideStandsUntilTakenBack(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{Impact: incident.ImpactMinor, Components: []incident.Affected{{Component: "pay", Status: "major_outage"}}})
	if i.Impact != incident.ImpactMinor {
		t.Fatalf("got %s", i.Impact)
	}
	i, err := p.SetImpact(t.Context(), operator, i.ID, incident.ImpactAuto, "it is worse than we said")
	if err != nil || i.Impact != incident.ImpactCritical || i.Overridden {
		t.Fatalf("got %+v, %v", i, err)
	}
}

func TestDraftIsSeenByNobodyUntilPublished(t *testing.T) {
	p := newPlace(t)
	i := p.declared(incident.Declaration{Body: "A first draft."})
	if i.Seen() || i.Visibility != incident.Draft {
		t.Fatalf("got %+v", i)
	}
	for _, e := range p.entries() {
		if e.Audience == journal.AudiencePublic {
			t.Fatalf("%s of a draft is public", e.Verb)
		}
	}
	u, err := p.Draft(t.Context(), developer, i.ID, incident.Wording{Body: "A better one.", State: incident.Identified, Deliver: true})
	if err != nil {
		t.Fatal(err)
	}
	_, lines := p.got(i.ID)
	if len(lines) != 1 || lines[0].Body != "A better one." {
		t.Fatalf("there is one draft, got %+v", lines)
	}
	_, _, err = p.Publish(t.Context(), developer, i.ID, incident.Publication{UpdateID: u.ID})
	wantKind(t, err, problem.KindForbidden)
	i, u, err = p.Publish(t.Context(), operator, i.ID, incident.Publication{UpdateID: u.ID, Deliver: true})
	if err != nil || !i.Seen() || i.State != incident.Identified || u.Body != "A better one." || !u.Deliver {
		t.Fatalf("got %+v %+v, %v", i, u, err)
	}
	_, _, err = p.Publish(t.Context(), operator, i.ID, incident.Publication{UpdateID: u.ID})
	wantKind(t, err, problem.KindConflict)
	wantKind(t, p.DropDraft(t.Context(), operator, u.ID), problem.KindConflict)
}

func TestPrivateIncidentIsNotThereForOthers(t *testing.T) {
	p := newPlace(t)
	i := p.declared(incident.Declaration{Private: true, Components: []incident.Affected{{Component: "pay", Status: "major_outage"}}})
	i = p.published(i.ID, incident.Publication{Deliver: true})
	if i.Seen() || !i.PublishedAt.IsZero() {
		t.Fatalf("customers see %+v", i)
	}
	_, lines := p.got(i.ID)
	u := lines[len(lines)-1]
	if u.Deliver {
		t.Error("an update of a private incident is delivered")
	}
	ctx := t.Context()
	_, _, err := p.Get(ctx, developer, i.ID)
	wantKind(t, err, problem.KindNotFound)
	_, _, err = p.Get(ctx, viewer, "INC-1")
	wantKind(t, err, problem.KindNotFound)
	_, err = p.Line(ctx, developer, u.ID)
	wantKind(t, err, problem.KindNotFound)
	_, err = p.Note(ctx, developer, i.ID, "x")
	wantKind(t, err, problem.KindNotFound)
	err = p.DropDraft(ctx, developer, u.ID)
	wantKind(t, err, problem.KindNotFound)
	if strings.Contains(problem.Public(err), i.ID) {
		t.Error("the answer tells the id of a private incident")
	}
	_, err = p.Alerts(ctx, viewer, i.ID, 10)
	wantKind(t, err, problem.KindNotFound)
	list, err := p.List(ctx, developer, incident.Query{Limit: 10})
	if err != nil || len(list) != 0 {
		t.Fatalf("got %v, %v", list, err)
	}
	if open, err := p.Open(ctx, developer); err != nil || len(open) != 0 {
		t.Fatalf("got %v, %v", open, err)
	}
	if list, err = p.List(ctx, operator, incident.Query{Limit: 10}); err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v", list, err)
	}
	_, err = p.SetVisibility(ctx, operator, i.ID, incident.Public, "x")
	wantKind(t, err, problem.KindConflict)
	_, err = p.Declare(ctx, developer, incident.Declaration{Name: "x", Private: true})
	wantKind(t, err, problem.KindForbidden)
}

func TestScopedRightsReachNoFurther(t *testing.T) {
	p := newPlace(t)
	of := func(kind, id string) access.Actor {
		return access.Actor{ID: "p-scoped", Role: access.RoleOperator, Grants: &access.Grants{List: []access.Grant{
			{Role: access.RoleViewer}, {Role: access.RoleOperator, Scope: access.Scope{Kind: kind, ID: id}},
		}}}
	}
	pay, core := of("component", "pay"), of("group", "core")
	i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "major_outage"}}})
	for _, by := range []access.Actor{pay, core} {
		if _, _, err := p.Publish(t.Context(), by, i.ID, incident.Publication{Body: "x"}); err != nil {
			t.Fatal(err)
		}
		_, _, err := p.Publish(t.Context(), by, i.ID, incident.Publication{Body: "x", Components: []incident.Affected{{Component: "search", Status: "major_outage"}}})
		wantKind(t, err, problem.KindForbidden)
	}
	both := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay"}, {Component: "cart"}}})
	_, _, err := p.Publish(t.Context(), pay, both.ID, incident.Publication{Body: "x"})
	wantKind(t, err, problem.KindForbidden)
	if _, _, err = p.Publish(t.Context(), core, both.ID, incident.Publication{Body: "x"}); err != nil {
		t.Fatal(err)
	}
	none := p.public(incident.Declaration{})
	_, _, err = p.Publish(t.Context(), core, none.ID, incident.Publication{Body: "x"})
	wantKind(t, err, problem.KindForbidden)

	p.declared(incident.Declaration{Private: true, Components: []incident.Affected{{Component: "search"}}})
	mine := p.declared(incident.Declaration{Private: true, Components: []incident.Affected{{Component: "pay"}}})
	list, err := p.List(t.Context(), pay, incident.Query{Limit: 2})
	if err != nil || len(list) != 2 || list[0].ID != mine.ID || list[1].Visibility == incident.Private {
		t.Fatalf("got %+v, %v", list, err)
	}
}

func TestEveryActNeedsItsRight(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{})
	_, lines := p.got(i.ID)
	u, ctx := lines[0].ID, t.Context()
	for name, act := range map[string]func(access.Actor) error{
		"declare": func(by access.Actor) error { _, err := p.Declare(ctx, by, incident.Declaration{Name: "x"}); return err },
		"publish": func(by access.Actor) error {
			_, _, err := p.Publish(ctx, by, i.ID, incident.Publication{Body: "x"})
			return err
		},
		"resolve": func(by access.Actor) error {
			_, _, err := p.Resolve(ctx, by, i.ID, incident.Publication{Body: "x"})
			return err
		},
		"reopen": func(by access.Actor) error {
			_, _, err := p.Reopen(ctx, by, i.ID, incident.Publication{Body: "x"})
			return err
		},
		"draft":      func(by access.Actor) error { _, err := p.Draft(ctx, by, i.ID, incident.Wording{Body: "x"}); return err },
		"schedule":   func(by access.Actor) error { _, err := p.Schedule(ctx, by, u, time.Time{}); return err },
		"drop draft": func(by access.Actor) error { return p.DropDraft(ctx, by, u) },
		"edit":       func(by access.Actor) error { _, err := p.Edit(ctx, by, u, "x", "", 0); return err },
		"explain":    func(by access.Actor) error { _, err := p.Explain(ctx, by, i.ID, "x"); return err },
		"rename":     func(by access.Actor) error { _, err := p.Rename(ctx, by, i.ID, "x", ""); return err },
		"impact": func(by access.Actor) error {
			_, err := p.SetImpact(ctx, by, i.ID, incident.ImpactMinor, "")
			return err
		},
		"components": func(by access.Actor) error { _, err := p.SetComponents(ctx, by, i.ID, nil, ""); return err },
		"start":      func(by access.Actor) error { _, err := p.SetStart(ctx, by, i.ID, i.StartedAt, ""); return err },
		"run-book":   func(by access.Actor) error { _, err := p.SetRunbook(ctx, by, i.ID, ""); return err },
		"promise":    func(by access.Actor) error { _, err := p.Promise(ctx, by, i.ID, time.Hour); return err },
		"visibility": func(by access.Actor) error {
			_, err := p.SetVisibility(ctx, by, i.ID, incident.Private, "x")
			return err
		},
		"note":      func(by access.Actor) error { _, err := p.Note(ctx, by, i.ID, "x"); return err },
		"assign":    func(by access.Actor) error { _, err := p.Assign(ctx, by, i.ID, incident.Scribe, "p"); return err },
		"task":      func(by access.Actor) error { _, err := p.AddTask(ctx, by, i.ID, "x", ""); return err },
		"tick":      func(by access.Actor) error { _, err := p.TickTask(ctx, by, i.ID, "x", true); return err },
		"drop task": func(by access.Actor) error { return p.DropTask(ctx, by, i.ID, "x") },
		"link": func(by access.Actor) error {
			_, err := p.Link(ctx, by, i.ID, incident.Link{URL: "https://example.org"})
			return err
		},
		"unlink": func(by access.Actor) error {
			_, err := p.Unlink(ctx, by, i.ID, incident.Link{URL: "https://example.org"})
			return err
		},
		"merge":      func(by access.Actor) error { _, err := p.Merge(ctx, by, i.ID, i.ID); return err },
		"review":     func(by access.Actor) error { _, err := p.WriteReview(ctx, by, i.ID, "x", "", 0); return err },
		"publish it": func(by access.Actor) error { _, err := p.PublishReview(ctx, by, i.ID, true); return err },
		"drop":       func(by access.Actor) error { _, err := p.Drop(ctx, by, i.ID); return err },
		"back-fill":  func(by access.Actor) error { _, err := p.Backfill(ctx, by, incident.Past{}); return err },
		"template": func(by access.Actor) error {
			_, err := p.PutTemplate(ctx, by, incident.Template{Name: "x", Body: "x"})
			return err
		},
		"no template": func(by access.Actor) error { return p.DropTemplate(ctx, by, "x", 1) },
		"signals":     func(by access.Actor) error { return p.Signals(ctx, by, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			wantKind(t, act(viewer), problem.KindForbidden)
			wantKind(t, act(client), problem.KindForbidden)
			wantKind(t, act(access.Visitor), problem.KindForbidden)
		})
	}
	for name, look := range map[string]func(access.Actor) error{
		"get":       func(by access.Actor) error { _, _, err := p.Get(ctx, by, i.ID); return err },
		"find":      func(by access.Actor) error { _, err := p.Find(ctx, by, i.ID); return err },
		"list":      func(by access.Actor) error { _, err := p.List(ctx, by, incident.Query{Limit: 1}); return err },
		"open":      func(by access.Actor) error { _, err := p.Open(ctx, by); return err },
		"line":      func(by access.Actor) error { _, err := p.Line(ctx, by, u); return err },
		"templates": func(by access.Actor) error { _, err := p.Templates(ctx, by); return err },
		"propose":   func(by access.Actor) error { _, err := p.Propose(ctx, by, i.ID); return err },
		"alerts":    func(by access.Actor) error { _, err := p.Alerts(ctx, by, i.ID, 1); return err },
	} {
		t.Run(name, func(t *testing.T) {
			wantKind(t, look(client), problem.KindForbidden)
			wantKind(t, look(access.Visitor), problem.KindForbidden)
			wantKind(t, look(viewer), "")
		})
	}
}
