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

func TestPublicEditWithoutReasonIsToldSo(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "partial_outage"}}})
	_, lines := p.got(i.ID)
	ctx := t.Context()
	if _, err := p.Edit(ctx, operator, lines[0].ID, "Other words.", "", lines[0].Version); err != nil {
		t.Fatal(err)
	}
	_, err := p.Edit(ctx, operator, lines[0].ID, "Late words.", "", lines[0].Version)
	wantKind(t, err, problem.KindConflict)
	if _, err := p.Rename(ctx, operator, i.ID, "Payments fail in part", "It was not all of them."); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range p.entries() {
		if e.Verb == "incident.edited" {
			told = append(told, e.Payload["what"]+" "+e.Payload["reason"]+" "+string(e.Audience))
		}
	}
	if got, want := strings.Join(told, ", "), "update 0 public, name 1 public"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := p.Explain(ctx, developer, i.ID, "A typing error."); err != nil {
		t.Fatal(err)
	}
	_, lines = p.got(i.ID)
	if last := lines[len(lines)-1]; last.Verb != "incident.explained" || last.Facts["reason"] != "A typing error." {
		t.Errorf("got %+v", last)
	}
}

func TestWithdrawnIncidentNeedsAReasonAndIsSeenNoMore(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{})
	_, err := p.SetVisibility(t.Context(), operator, i.ID, incident.Private, "")
	wantKind(t, err, problem.KindInvalid)
	i, err = p.SetVisibility(t.Context(), operator, i.ID, incident.Private, "It was a drill.")
	if err != nil || i.Seen() || i.Visibility != incident.Private {
		t.Fatalf("got %+v, %v", i, err)
	}
	list, err := p.store.Incidents(t.Context(), incident.Query{Seen: true, Limit: 10})
	if err != nil || len(list) != 0 {
		t.Fatalf("got %v, %v", list, err)
	}
}

func TestComponentsAreReplacedWhole(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{Components: []incident.Affected{{Component: "pay", Status: "major_outage"}, {Component: "cart", Status: "partial_outage"}}})
	since := i.Components[1].Since
	i, err := p.SetComponents(t.Context(), operator, i.ID, []incident.Affected{{Component: "cart", Status: "partial_outage"}, {Component: "search", Status: "degraded_performance"}}, "x")
	if err != nil || len(i.Components) != 2 || i.Impact != incident.ImpactMajor || !i.Components[0].Since.Equal(since) {
		t.Fatalf("got %+v, %v", i, err)
	}
	for _, list := range [][]incident.Affected{{{Component: "nothing", Status: "major_outage"}}, {{Component: "pay", Status: "on_fire"}}, {{Component: "pay"}, {Component: "pay"}}} {
		_, err := p.SetComponents(t.Context(), operator, i.ID, list, "x")
		wantKind(t, err, problem.KindInvalid)
	}
}

func TestNotesAreForStaffAndTheirOwners(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{})
	n, err := p.Note(t.Context(), developer, i.ID, "It is the certificate.")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := p.store.UpdatesOf(t.Context(), []string{i.ID}); err != nil || len(list) != 1 {
		t.Fatalf("a note stands among the public updates: %v, %v", list, err)
	}
	_, err = p.Edit(t.Context(), operator, n.ID, "x", "", 0)
	wantKind(t, err, problem.KindForbidden)
}

func TestDutiesTasksAndLinks(t *testing.T) {
	p := newPlace(t)
	i, ctx := p.public(incident.Declaration{}), t.Context()
	for _, who := range []string{"p1", "p2", "p2", ""} {
		if _, err := p.Assign(ctx, developer, i.ID, incident.Commander, who); err != nil {
			t.Fatal(err)
		}
	}
	_, err := p.Assign(ctx, developer, i.ID, "hero", "p1")
	wantKind(t, err, problem.KindInvalid)
	_, err = p.Assign(ctx, developer, i.ID, incident.Scribe, "somebody with a name")
	wantKind(t, err, problem.KindInvalid)
	task, err := p.AddTask(ctx, developer, i.ID, " Tell\nthe gateway ", "p1")
	if err != nil || task.Text != "Tell the gateway" {
		t.Fatalf("got %+v, %v", task, err)
	}
	if task, err = p.TickTask(ctx, operator, i.ID, task.ID, true); err != nil || !task.Done || task.By != operator.ID {
		t.Fatalf("got %+v, %v", task, err)
	}
	if err := p.DropTask(ctx, operator, i.ID, task.ID); err != nil {
		t.Fatal(err)
	}
	wantKind(t, p.DropTask(ctx, operator, i.ID, task.ID), problem.KindNotFound)

	ticket := incident.Link{Ref: journal.Ref{Kind: "ticket", ID: "TK-4107"}, Relation: incident.ReportedBy}
	for range 2 {
		if i, err = p.Link(ctx, developer, i.ID, ticket); err != nil || len(i.Links) != 1 {
			t.Fatalf("got %+v, %v", i.Links, err)
		}
	}
	if i, err = p.Link(ctx, developer, i.ID, incident.Link{URL: "https://example.org/graph?a=1", Title: "Graph"}); err != nil || len(i.Links) != 2 {
		t.Fatalf("got %+v, %v", i.Links, err)
	}
	for name, bad := range map[string]incident.Link{
		"nothing": {}, "itself": {Ref: journal.Ref{Kind: "incident", ID: i.ID}}, "plain http": {URL: "http://example.org"},
		"script": {URL: "javascript:alert(1)"}, "credentials": {URL: "https://user:word@example.org"}, "no host": {URL: "https:///x"},
		"relation": {URL: "https://example.org", Relation: "married_to"}, "kind": {Ref: journal.Ref{Kind: "Ticket No", ID: "1"}},
		"line end": {URL: "https://example.org/\nx"}, "long": {URL: "https://example.org/" + strings.Repeat("x", incident.MaxURL)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Link(ctx, developer, i.ID, bad)
			wantKind(t, err, problem.KindInvalid)
		})
	}
	if i, err = p.Unlink(ctx, developer, i.ID, ticket); err != nil || len(i.Links) != 1 {
		t.Fatalf("got %+v, %v", i.Links, err)
	}
	_, err = p.Unlink(ctx, developer, i.ID, ticket)
	wantKind(t, err, problem.KindNotFound)
	for _, e := range p.entries() {
		for _, v := range e.Payload {
			if strings.Contains(v, "example.org") {
				t.Errorf("the journal holds an address: %v", e.Payload)
			}
		}
	}
}

func TestMergeMovesEverything(t *testing.T) {
	p := newPlace(t)
	ctx := t.Context()
	gone := p.public(incident.Declaration{Name: "Cart fails", StartedAt: time.Now().Add(-time.Hour), Components: []incident.Affected{{Component: "cart", Status: "major_outage"}}})
	stays := p.public(incident.Declaration{Name: "Payments fail", Components: []incident.Affected{{Component: "pay", Status: "partial_outage"}}})
	if _, err := p.Link(ctx, operator, gone.ID, incident.Link{Ref: journal.Ref{Kind: "ticket", ID: "TK-1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Link(ctx, operator, gone.ID, incident.Link{Ref: journal.Ref{Kind: "incident", ID: stays.ID}, Relation: incident.Duplicate}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.AddTask(ctx, operator, gone.ID, "Call them", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Assign(ctx, operator, gone.ID, incident.Commander, "p1"); err != nil {
		t.Fatal(err)
	}
	got, err := p.Merge(ctx, operator, gone.ID, stays.Label())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Components) != 2 || got.Impact != incident.ImpactCritical || len(got.Links) != 1 || len(got.Tasks) != 1 || len(got.Roles) != 1 || !got.StartedAt.Equal(gone.StartedAt) {
		t.Errorf("got %+v", got)
	}
	old, lines := p.got(gone.ID)
	if old.MergedInto != stays.ID || old.Open() || old.Seen() || len(lines) != 0 {
		t.Errorf("got %+v with %d lines", old, len(lines))
	}
	_, lines = p.got(stays.ID)
	updates := 0
	for _, u := range lines {
		if u.Kind == incident.KindUpdate {
			updates++
		}
	}
	if updates != 2 {
		t.Errorf("%d updates are there, want 2", updates)
	}
	_, _, err = p.Publish(ctx, operator, gone.ID, incident.Publication{Body: "x"})
	wantKind(t, err, problem.KindConflict)
	_, err = p.Merge(ctx, operator, stays.ID, gone.ID)
	wantKind(t, err, problem.KindConflict)
	for _, e := range p.entries() {
		if e.Verb == "incident.merged" && (e.Subject.ID != gone.ID || e.Payload["into"] != stays.ID || e.Audience != journal.AudiencePublic) {
			t.Errorf("got %+v", e)
		}
	}
}

func TestMergeKeepsSecretsAndWhatWasSeen(t *testing.T) {
	p := newPlace(t)
	public, draft := p.public(incident.Declaration{}), p.declared(incident.Declaration{})
	private := p.declared(incident.Declaration{Private: true})
	over := p.published(p.public(incident.Declaration{}).ID, incident.Publication{State: incident.Resolved})
	for name, c := range map[string]struct {
		from, into incident.Incident
		want       problem.Kind
	}{
		"private into public":  {private, public, problem.KindConflict},
		"public into private":  {public, private, problem.KindConflict},
		"public into a draft":  {public, draft, problem.KindConflict},
		"open into what ended": {draft, over, problem.KindConflict},
		"into itself":          {draft, draft, problem.KindInvalid},
		"into nothing":         {draft, incident.Incident{ID: "nothing"}, problem.KindNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Merge(t.Context(), operator, c.from.ID, c.into.ID)
			wantKind(t, err, c.want)
		})
	}
	scoped := access.Actor{ID: "p-s", Role: access.RoleReleaseManager} // may update, may not see private ones
	_, err := p.Merge(t.Context(), scoped, draft.ID, private.ID)
	wantKind(t, err, problem.KindNotFound)
}

func TestBackfilledIncidentIsToldToNobody(t *testing.T) {
	p := newPlace(t)
	from := time.Now().UTC().Truncate(time.Microsecond).Add(-48 * time.Hour)
	past := incident.Past{
		Declaration: incident.Declaration{Name: "Search was slow", StartedAt: from, Components: []incident.Affected{{Component: "search", Status: "degraded_performance"}}},
		ResolvedAt:  from.Add(36 * time.Minute), Review: "# Why",
		Updates: []incident.PastUpdate{
			{State: incident.Resolved, Body: "Over.", At: from.Add(36 * time.Minute)},
			{State: incident.Investigating, Body: "Slow.", At: from.Add(7 * time.Minute)},
			{State: incident.Monitoring, Body: "Better.", At: from.Add(30 * time.Minute)},
		},
	}
	i, err := p.Backfill(t.Context(), operator, past)
	if err != nil {
		t.Fatal(err)
	}
	if !i.Backfilled || !i.Seen() || i.State != incident.Postmortem || i.Impact != incident.ImpactMinor || !i.MonitoringAt.Equal(from.Add(30*time.Minute)) {
		t.Errorf("got %+v", i)
	}
	_, lines := p.got(i.ID)
	if len(lines) != 3 || lines[0].State != incident.Investigating || lines[2].State != incident.Resolved {
		t.Errorf("got %+v", lines)
	}
	for _, u := range lines {
		if u.Deliver {
			t.Errorf("%+v is delivered", u)
		}
	}
	for _, e := range p.entries() {
		if !e.EffectiveAt.Equal(from) || e.Payload["deliver"] == "1" {
			t.Errorf("%s holds from %s and delivers %q", e.Verb, e.EffectiveAt, e.Payload["deliver"])
		}
	}
	_, _, err = p.Publish(t.Context(), operator, i.ID, incident.Publication{Body: "x", State: incident.Resolved})
	wantKind(t, err, problem.KindConflict)
}

func TestBackfillRefusesImpossibleTimes(t *testing.T) {
	p := newPlace(t)
	now := time.Now()
	for name, past := range map[string]incident.Past{
		"no start":       {ResolvedAt: now.Add(-time.Hour)},
		"no end":         {Declaration: incident.Declaration{StartedAt: now.Add(-time.Hour)}},
		"end in future":  {Declaration: incident.Declaration{StartedAt: now.Add(-time.Hour)}, ResolvedAt: now.Add(time.Hour)},
		"end at first":   {Declaration: incident.Declaration{StartedAt: now.Add(-time.Hour)}, ResolvedAt: now.Add(-2 * time.Hour)},
		"update earlier": {Declaration: incident.Declaration{StartedAt: now.Add(-time.Hour)}, ResolvedAt: now, Updates: []incident.PastUpdate{{State: incident.Resolved, Body: "x", At: now.Add(-2 * time.Hour)}}},
		"odd state":      {Declaration: incident.Declaration{StartedAt: now.Add(-time.Hour)}, ResolvedAt: now, Updates: []incident.PastUpdate{{State: incident.Suspected, Body: "x", At: now}}},
	} {
		t.Run(name, func(t *testing.T) {
			past.Name = "x"
			_, err := p.Backfill(t.Context(), operator, past)
			wantKind(t, err, problem.KindInvalid)
		})
	}
}

func TestDeclarationIsChecked(t *testing.T) {
	p := newPlace(t)
	for name, d := range map[string]incident.Declaration{
		"no name":           {},
		"only invisible":    {Name: "\u200b\u202e\x00"},
		"long name":         {Name: strings.Repeat("x", incident.MaxName+1)},
		"no UTF-8":          {Name: "\xff\xfe"},
		"state":             {Name: "x", State: incident.Suspected},
		"over already":      {Name: "x", State: incident.Resolved},
		"impact":            {Name: "x", Impact: "awful"},
		"future":            {Name: "x", StartedAt: time.Now().Add(time.Hour)},
		"unknown component": {Name: "x", Components: []incident.Affected{{Component: "nothing", Status: "major_outage"}}},
		"unknown status":    {Name: "x", Components: []incident.Affected{{Component: "pay", Status: "under_maintenance"}}},
		"twice":             {Name: "x", Components: []incident.Affected{{Component: "pay"}, {Component: "pay"}}},
		"run-book":          {Name: "x", Runbook: "http://example.org"},
		"long body":         {Name: "x", Body: strings.Repeat("x", incident.MaxBody+1), Publish: true},
		"huge body":         {Name: "x", Body: strings.Repeat("x", 1<<20), Publish: true},
		"nothing said":      {Name: "x", Publish: true, Body: " \n"},
		"promise":           {Name: "x", Publish: true, Body: "x", NextUpdate: -time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Declare(t.Context(), operator, d)
			wantKind(t, err, problem.KindInvalid)
		})
	}
	if list, err := p.List(t.Context(), operator, incident.Query{Limit: 10}); err != nil || len(list) != 0 {
		t.Errorf("what was refused is there: %v, %v", list, err)
	}
	i := p.declared(incident.Declaration{Name: "  Pay\u202ements\n fail\x07 ", Components: []incident.Affected{{Component: "gateway"}}})
	if i.Name != "Payments fail" || i.RunbookURL != "https://example.org/gateway" {
		t.Errorf("got %q, %q", i.Name, i.RunbookURL)
	}
}

func TestLimitsOfOneIncidentHold(t *testing.T) {
	p := newPlace(t)
	i, ctx := p.public(incident.Declaration{}), t.Context()
	var err error
	for range incident.MaxTasks + 1 {
		_, err = p.AddTask(ctx, operator, i.ID, "x", "")
	}
	wantKind(t, err, problem.KindTooMany)
	for range incident.MaxDrafts + 1 {
		_, err = p.Draft(ctx, operator, i.ID, incident.Wording{Body: "x", PublishAt: time.Now().Add(time.Hour)})
	}
	wantKind(t, err, problem.KindTooMany)
	err = p.store.Do(ctx, operator, func(tx journal.Tx) error {
		full, err := p.store.IncidentForUpdate(ctx, tx, i.ID)
		if err != nil {
			return err
		}
		full.Lines = incident.MaxLines
		return p.store.PutIncident(ctx, tx, &full)
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Note(ctx, operator, i.ID, "x")
	wantKind(t, err, problem.KindTooMany)
	if got := p.published(i.ID, incident.Publication{State: incident.Resolved}); got.State != incident.Resolved {
		t.Errorf("a full timeline keeps %+v open", got)
	}
}

func TestDeclaredAsItIsFound(t *testing.T) {
	p := newPlace(t)
	for _, state := range []incident.State{"", incident.Identified, incident.Monitoring, incident.Resolved} {
		i := p.public(incident.Declaration{State: state})
		want := state
		if want == "" {
			want = incident.Investigating
		}
		if i.State != want || !i.Seen() || i.MonitoringAt.IsZero() != (state != incident.Monitoring) || i.ResolvedAt.IsZero() != (state != incident.Resolved) {
			t.Errorf("declared as %q it is %+v", state, i)
		}
	}
	if i := p.declared(incident.Declaration{State: incident.Monitoring}); i.State != incident.Monitoring || i.MonitoringAt.IsZero() {
		t.Errorf("got %+v", i)
	}
}

func TestListPagesAndRefusesEndlessOnes(t *testing.T) {
	p := newPlace(t)
	for range 5 {
		p.declared(incident.Declaration{StartedAt: time.Unix(1_700_000_000, 0)})
	}
	var got []int64
	q := incident.Query{Limit: 2}
	for {
		page, err := p.List(t.Context(), viewer, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, i := range page {
			got = append(got, i.Number)
		}
		q.Before, q.BeforeNumber = page[len(page)-1].StartedAt, page[len(page)-1].Number
	}
	if len(got) != 5 || got[0] != 5 || got[4] != 1 {
		t.Errorf("got %v", got)
	}
	for _, limit := range []int{-1, 0, incident.MaxPage + 1} {
		_, err := p.List(t.Context(), viewer, incident.Query{Limit: limit})
		wantKind(t, err, problem.KindInvalid)
	}
}
