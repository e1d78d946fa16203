package storetest

import (
	"fmt"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// IncidentRecord is the incident wing's store with the unit of work it takes.
type IncidentRecord interface {
	journal.Work
	incident.Store
}

// Incidents runs the suite of incident.Store. open gives a fresh, empty record
// that is closed with the test.
func Incidents(t *testing.T, open func(testing.TB) IncidentRecord) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, IncidentRecord)
	}{
		{"IncidentComesBackAsWritten", incidentRoundTrip},
		{"NumbersGoUp", incidentNumbers},
		{"OldVersionIsConflict", incidentVersions},
		{"AbsentIsNotFound", incidentAbsent},
		{"OpenOnesComeOldestFirst", incidentsOpen},
		{"PagesFollowOneAnother", incidentPages},
		{"QueryNarrows", incidentQuery},
		{"LinesComeInOrder", incidentLines},
		{"PublishedDraftIsNotDropped", incidentDraftDrop},
		{"DueDraftsAreFound", incidentDueDrafts},
		{"LinesAndAlertsMove", incidentLinesMove},
		{"TemplatesAreKept", incidentTemplates},
		{"AlertsAreKept", incidentAlerts},
		{"UnitSeesWhatItWrote", incidentUnitSees},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// Trouble gives an incident with every field set, as the n-th of a test.
func Trouble(n int) incident.Incident {
	at := base.Add(time.Duration(n) * time.Minute)
	return incident.Incident{
		ID: fmt.Sprintf("incident%08d", n), Name: "Payments fail – \u201csome\u201d <of them>", State: incident.Monitoring,
		Impact: incident.ImpactMajor, Overridden: true, Worst: incident.ImpactCritical, Visibility: incident.Public, Origin: incident.ByChecks,
		Machine: true, Backfilled: true, StartedAt: at, OpenedAt: at.Add(1e3), PublishedAt: at.Add(2e3), PublishAfter: at.Add(3e3),
		MonitoringAt: at.Add(4e3), ResolvedAt: at.Add(time.Hour), NextUpdateAt: at.Add(5e3), GreenSince: at.Add(6e3), ChangedAt: at.Add(7e3),
		Components:    []incident.Affected{{Component: "pay", Status: "partial_outage", Since: at, Observed: "major_outage", ObservedAt: at}, {Component: "cart", Since: at}},
		Roles:         []incident.Duty{{Role: incident.Commander, Person: "p1", Since: at}},
		Tasks:         []incident.Task{{ID: "t1", Text: "Call the gateway", Owner: "p1", Done: true, By: "p2", At: at}},
		Links:         []incident.Link{{Ref: journal.Ref{Kind: "ticket", ID: "TK-1"}, Relation: incident.ReportedBy, By: "p1", At: at}, {URL: "https://example.org/x", Title: "Graph", Relation: incident.Related, By: "p1", At: at}},
		RunbookURL:    "https://example.org/runbook",
		Review:        incident.Review{Body: "# What we learnt", PublishedAt: at, EditedAt: at, By: "p1"},
		ReminderEvery: 20 * time.Minute, Promised: true, Lines: 3,
	}
}

// suspicionOf gives an open incident without anything special.
func suspicionOf(n int) incident.Incident {
	at := base.Add(time.Duration(n) * time.Minute)
	return incident.Incident{
		ID: fmt.Sprintf("incident%08d", n), Name: "x", State: incident.Suspected, Impact: incident.ImpactNone, Worst: incident.ImpactNone,
		Visibility: incident.Draft, Origin: incident.ByChecks, StartedAt: at, OpenedAt: at, ChangedAt: at,
	}
}

// updateOf gives an update with every field set, as the n-th of an incident.
func updateOf(of string, n int) incident.Update {
	at := base.Add(time.Duration(n) * time.Minute)
	return incident.Update{
		ID: fmt.Sprintf("%s-%d", of, n), Incident: of, Kind: incident.KindUpdate, State: incident.Identified, Body: "**We** know\n\nmore",
		Verb: "incident.noted", Facts: map[string]string{"why": "3 of 3"}, Author: "p1", CreatedAt: at, DisplayAt: at.Add(time.Second),
		PublishAt: at.Add(2e9), PublishedAt: at.Add(3e9), Deliver: true,
		Components: []incident.Change{{Component: "pay", From: "operational", To: "major_outage"}}, EditedAt: at.Add(4e9), NextUpdate: 20 * time.Minute,
	}
}

// withinUnit runs fn in a unit of work that must commit.
func withinUnit(tb testing.TB, r journal.Work, fn func(tx journal.Tx) error) {
	tb.Helper()
	if err := r.Do(tb.Context(), access.Hub, fn); err != nil {
		tb.Fatal(err)
	}
}

// enterIncidents writes incidents that must be taken.
func enterIncidents(tb testing.TB, r IncidentRecord, all ...*incident.Incident) {
	tb.Helper()
	withinUnit(tb, r, func(tx journal.Tx) error {
		for _, i := range all {
			version := i.Version
			if err := r.PutIncident(tb.Context(), tx, i); err != nil {
				i.Version = version
				return err
			}
		}
		return nil
	})
}

// writeLines writes lines that must be taken.
func writeLines(tb testing.TB, r IncidentRecord, all ...*incident.Update) {
	tb.Helper()
	withinUnit(tb, r, func(tx journal.Tx) error {
		for _, u := range all {
			if err := r.PutUpdate(tb.Context(), tx, u); err != nil {
				return err
			}
		}
		return nil
	})
}

func incidentRoundTrip(t *testing.T, r IncidentRecord) {
	want := Trouble(1)
	full(t, want, "Number", "MergedInto", "Version")
	enterIncidents(t, r, &want)
	if want.Number != 1 || want.Version != 1 {
		t.Fatalf("got number %d and version %d", want.Number, want.Version)
	}
	same(t, want, must[incident.Incident](t)(r.Incident(t.Context(), want.ID)))
	same(t, want, must[incident.Incident](t)(r.IncidentByNumber(t.Context(), 1)))

	want.Name, want.MergedInto, want.ResolvedAt, want.Components, want.Links = "y", "other", time.Time{}, want.Components[:1], nil
	enterIncidents(t, r, &want)
	if want.Version != 2 {
		t.Fatalf("got version %d", want.Version)
	}
	same(t, want, must[incident.Incident](t)(r.Incident(t.Context(), want.ID)))
	bare := suspicionOf(2)
	enterIncidents(t, r, &bare)
	same(t, bare, must[incident.Incident](t)(r.Incident(t.Context(), bare.ID)))
}

func incidentNumbers(t *testing.T, r IncidentRecord) {
	last := int64(0)
	for n := range 5 {
		i := suspicionOf(n)
		enterIncidents(t, r, &i)
		if i.Number <= last {
			t.Fatalf("number %d after %d", i.Number, last)
		}
		last = i.Number
	}
}

func incidentVersions(t *testing.T, r IncidentRecord) {
	i := suspicionOf(1)
	enterIncidents(t, r, &i)
	stale := i
	enterIncidents(t, r, &i)
	err := r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutIncident(t.Context(), tx, &stale) })
	wantKind(t, err, problem.KindConflict)
	again := suspicionOf(1)
	err = r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutIncident(t.Context(), tx, &again) })
	wantKind(t, err, problem.KindConflict)
	u := updateOf(i.ID, 1)
	writeLines(t, r, &u)
	old := u
	writeLines(t, r, &u)
	err = r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutUpdate(t.Context(), tx, &old) })
	wantKind(t, err, problem.KindConflict)
}

func incidentAbsent(t *testing.T, r IncidentRecord) {
	_, err := r.Incident(t.Context(), "nothing")
	wantKind(t, err, problem.KindNotFound)
	_, err = r.IncidentByNumber(t.Context(), 99)
	wantKind(t, err, problem.KindNotFound)
	_, err = r.Update(t.Context(), "nothing")
	wantKind(t, err, problem.KindNotFound)
	_ = r.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
		_, err := r.IncidentForUpdate(t.Context(), tx, "nothing")
		wantKind(t, err, problem.KindNotFound)
		_, err = r.UpdateForUpdate(t.Context(), tx, "nothing")
		wantKind(t, err, problem.KindNotFound)
		_, err = r.AlertForUpdate(t.Context(), tx, "h", "f", base)
		wantKind(t, err, problem.KindNotFound)
		return nil
	})
	_, err = r.Incidents(t.Context(), incident.Query{})
	wantKind(t, err, problem.KindInvalid)
}

// incidentIDs gives the ids in order.
func incidentIDs(all []incident.Incident) []string {
	out := make([]string, len(all))
	for n := range all {
		out[n] = all[n].ID
	}
	return out
}

func incidentsOpen(t *testing.T, r IncidentRecord) {
	a, b, over, merged := suspicionOf(2), suspicionOf(1), suspicionOf(3), suspicionOf(4)
	over.State, merged.MergedInto = incident.Resolved, a.ID
	enterIncidents(t, r, &a, &b, &over, &merged)
	same(t, []string{b.ID, a.ID}, incidentIDs(must[[]incident.Incident](t)(r.OpenIncidents(t.Context()))))
	withinUnit(t, r, func(tx journal.Tx) error {
		same(t, []string{b.ID, a.ID}, incidentIDs(must[[]incident.Incident](t)(r.OpenForUpdate(t.Context(), tx))))
		return nil
	})
}

func incidentPages(t *testing.T, r IncidentRecord) {
	var want []string
	for n := range 7 {
		i := suspicionOf(n)
		i.StartedAt = base.Add(time.Duration(n/3) * time.Hour) // several begin at one moment
		enterIncidents(t, r, &i)
		want = append([]string{i.ID}, want...)
	}
	var got []string
	q := incident.Query{Limit: 2}
	for {
		page := must[[]incident.Incident](t)(r.Incidents(t.Context(), q))
		if len(page) == 0 {
			break
		}
		got = append(got, incidentIDs(page)...)
		last := page[len(page)-1]
		q.Before, q.BeforeNumber = last.StartedAt, last.Number
	}
	same(t, want, got)
}

func incidentQuery(t *testing.T, r IncidentRecord) {
	seen, open, private, merged := Trouble(1), suspicionOf(2), suspicionOf(3), Trouble(4)
	seen.State, private.Name = incident.Resolved, "Payments, privately"
	open.Components = []incident.Affected{{Component: "cart", Since: base}}
	private.Visibility, private.State, private.ResolvedAt = incident.Private, incident.Resolved, base.Add(10*time.Minute)
	merged.MergedInto = seen.ID
	enterIncidents(t, r, &seen, &open, &private, &merged)
	yes, no := true, false
	for name, c := range map[string]struct {
		q    incident.Query
		want []string
	}{
		"all":        {incident.Query{}, []string{merged.ID, private.ID, open.ID, seen.ID}},
		"seen":       {incident.Query{Seen: true}, []string{seen.ID}},
		"open":       {incident.Query{Open: &yes}, []string{open.ID}},
		"over":       {incident.Query{Open: &no}, []string{merged.ID, private.ID, seen.ID}},
		"component":  {incident.Query{Component: "cart"}, []string{merged.ID, open.ID, seen.ID}},
		"state":      {incident.Query{States: []incident.State{incident.Suspected, incident.Postmortem}}, []string{open.ID}},
		"states":     {incident.Query{States: []incident.State{incident.Monitoring, incident.Suspected}}, []string{merged.ID, open.ID}},
		"title":      {incident.Query{Text: "FAIL \u2013 \u201cSOME"}, []string{merged.ID, seen.ID}},
		"no pattern": {incident.Query{Text: "Payments%"}, []string{}},
		"label":      {incident.Query{Text: " inc-2"}, []string{open.ID}},
		"number":     {incident.Query{Text: "1"}, []string{seen.ID}},
		"no private": {incident.Query{NoPrivate: true}, []string{merged.ID, open.ID, seen.ID}},
		"from":       {incident.Query{From: base.Add(11 * time.Minute)}, []string{merged.ID, open.ID, seen.ID}},
		"to":         {incident.Query{To: base.Add(3 * time.Minute)}, []string{open.ID, seen.ID}},
		"together":   {incident.Query{Seen: true, Component: "cart", From: base, To: base.Add(time.Hour), Open: &no}, []string{seen.ID}},
	} {
		c.q.Limit = 10
		t.Run(name, func(t *testing.T) {
			same(t, c.want, incidentIDs(must[[]incident.Incident](t)(r.Incidents(t.Context(), c.q))))
		})
	}
	open.Components = nil
	enterIncidents(t, r, &open)
	same(t, []string{merged.ID, seen.ID}, incidentIDs(must[[]incident.Incident](t)(r.Incidents(t.Context(), incident.Query{Component: "cart", Limit: 10}))))
}

func incidentLines(t *testing.T, r IncidentRecord) {
	i, j := suspicionOf(1), suspicionOf(2)
	enterIncidents(t, r, &i, &j)
	first, second, other := updateOf(i.ID, 1), updateOf(i.ID, 2), updateOf(j.ID, 3)
	full(t, first, "Version")
	note, draft := updateOf(i.ID, 4), updateOf(i.ID, 5)
	note.Kind, draft.PublishedAt = incident.KindNote, time.Time{}
	writeLines(t, r, &second, &first, &other, &note, &draft)
	same(t, []incident.Update{first, second, note, draft}, must[[]incident.Update](t)(r.Updates(t.Context(), i.ID)))
	same(t, []incident.Update{first, second, other}, must[[]incident.Update](t)(r.UpdatesOf(t.Context(), []string{j.ID, i.ID})))
	same(t, first, must[incident.Update](t)(r.Update(t.Context(), first.ID)))
	first.Body, first.EditedAt = "less", base
	writeLines(t, r, &first)
	same(t, first, must[incident.Update](t)(r.Update(t.Context(), first.ID)))
	withinUnit(t, r, func(tx journal.Tx) error {
		same(t, []incident.Update{draft}, must[[]incident.Update](t)(r.DraftsForUpdate(t.Context(), tx, i.ID)))
		return nil
	})
}

func incidentDraftDrop(t *testing.T, r IncidentRecord) {
	i := suspicionOf(1)
	enterIncidents(t, r, &i)
	draft, told := updateOf(i.ID, 1), updateOf(i.ID, 2)
	draft.PublishedAt = time.Time{}
	writeLines(t, r, &draft, &told)
	drop := func(u incident.Update, version int64) error {
		return r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.DropUpdate(t.Context(), tx, u.ID, version) })
	}
	wantKind(t, drop(told, told.Version), problem.KindConflict)
	wantKind(t, drop(draft, draft.Version+1), problem.KindConflict)
	if err := drop(draft, draft.Version); err != nil {
		t.Fatal(err)
	}
	same(t, []incident.Update{told}, must[[]incident.Update](t)(r.Updates(t.Context(), i.ID)))
}

func incidentDueDrafts(t *testing.T, r IncidentRecord) {
	i := suspicionOf(1)
	enterIncidents(t, r, &i)
	soon, now, later, told, never := updateOf(i.ID, 1), updateOf(i.ID, 2), updateOf(i.ID, 3), updateOf(i.ID, 4), updateOf(i.ID, 5)
	for _, u := range []*incident.Update{&soon, &now, &later, &never} {
		u.PublishedAt = time.Time{}
	}
	soon.PublishAt, now.PublishAt, later.PublishAt, told.PublishAt, never.PublishAt = base.Add(-1e9), base, base.Add(1e3), base, time.Time{}
	writeLines(t, r, &now, &soon, &later, &told, &never)
	same(t, []incident.Update{soon, now}, must[[]incident.Update](t)(r.DueUpdates(t.Context(), base, 10)))
	same(t, []incident.Update{soon}, must[[]incident.Update](t)(r.DueUpdates(t.Context(), base, 1)))
}

func incidentLinesMove(t *testing.T, r IncidentRecord) {
	i, j := suspicionOf(1), suspicionOf(2)
	enterIncidents(t, r, &i, &j)
	u := updateOf(i.ID, 1)
	writeLines(t, r, &u)
	a := incident.Alert{Source: "h1", Fingerprint: "f1", StartsAt: base, Firing: true, Incident: i.ID, At: base}
	withinUnit(t, r, func(tx journal.Tx) error { return r.PutAlert(t.Context(), tx, a) })
	withinUnit(t, r, func(tx journal.Tx) error { return r.MoveLines(t.Context(), tx, i.ID, j.ID) })
	if got := must[[]incident.Update](t)(r.Updates(t.Context(), i.ID)); len(got) != 0 {
		t.Fatalf("%d lines stayed", len(got))
	}
	if got := must[[]incident.Update](t)(r.Updates(t.Context(), j.ID)); len(got) != 1 || got[0].Version != 2 {
		t.Fatalf("got %+v", got)
	}
	if got := must[[]incident.Alert](t)(r.Alerts(t.Context(), j.ID, 10)); len(got) != 1 {
		t.Fatalf("got %+v", got)
	}
}

func incidentTemplates(t *testing.T, r IncidentRecord) {
	b := incident.Template{ID: "t2", Name: "B", Title: "{{component}} fails", Body: "x", State: incident.Identified, Impact: incident.ImpactMinor}
	a := incident.Template{ID: "t1", Name: "A", Title: "y", Body: "z", State: incident.Investigating, Impact: incident.ImpactNone}
	full(t, b, "Version")
	put := func(v *incident.Template) error {
		return r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutTemplate(t.Context(), tx, v) })
	}
	for _, v := range []*incident.Template{&b, &a} {
		if err := put(v); err != nil {
			t.Fatal(err)
		}
	}
	same(t, []incident.Template{a, b}, must[[]incident.Template](t)(r.Templates(t.Context())))
	stale := a
	a.Body = "other"
	if err := put(&a); err != nil {
		t.Fatal(err)
	}
	wantKind(t, put(&stale), problem.KindConflict)
	twin := incident.Template{ID: "t3", Name: "B", Body: "x"}
	wantKind(t, put(&twin), problem.KindConflict)
	drop := func(v incident.Template) error {
		return r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.DropTemplate(t.Context(), tx, v.ID, v.Version) })
	}
	wantKind(t, drop(stale), problem.KindConflict)
	if err := drop(a); err != nil {
		t.Fatal(err)
	}
	same(t, []incident.Template{b}, must[[]incident.Template](t)(r.Templates(t.Context())))
}

func incidentAlerts(t *testing.T, r IncidentRecord) {
	a := incident.Alert{Source: "h1", Fingerprint: "f1", StartsAt: base, Firing: true, Component: "pay", Status: "major_outage", Incident: "i1", At: base}
	b := a
	b.Fingerprint, b.At = "f2", base.Add(time.Minute)
	full(t, a)
	for _, v := range []incident.Alert{a, b} {
		withinUnit(t, r, func(tx journal.Tx) error { return r.PutAlert(t.Context(), tx, v) })
	}
	same(t, []incident.Alert{b, a}, must[[]incident.Alert](t)(r.Alerts(t.Context(), "i1", 10)))
	same(t, []incident.Alert{b}, must[[]incident.Alert](t)(r.Alerts(t.Context(), "i1", 1)))
	b.Firing, b.At = false, base.Add(2*time.Minute)
	withinUnit(t, r, func(tx journal.Tx) error {
		if err := r.PutAlert(t.Context(), tx, b); err != nil {
			return err
		}
		same(t, b, must[incident.Alert](t)(r.AlertForUpdate(t.Context(), tx, "h1", "f2", base)))
		same(t, []incident.Alert{a}, must[[]incident.Alert](t)(r.FiringForUpdate(t.Context(), tx, "i1")))
		return nil
	})
	withinUnit(t, r, func(tx journal.Tx) error {
		n, err := r.PruneAlerts(t.Context(), tx, base.Add(time.Hour), 10)
		if n != 1 {
			t.Errorf("pruned %d", n)
		}
		return err
	})
	same(t, []incident.Alert{a}, must[[]incident.Alert](t)(r.Alerts(t.Context(), "i1", 10)))
}

func incidentUnitSees(t *testing.T, r IncidentRecord) {
	i := suspicionOf(1)
	withinUnit(t, r, func(tx journal.Tx) error {
		fresh := suspicionOf(1)
		if err := r.PutIncident(t.Context(), tx, &fresh); err != nil {
			return err
		}
		u := updateOf(fresh.ID, 1)
		u.PublishedAt = time.Time{}
		if err := r.PutUpdate(t.Context(), tx, &u); err != nil {
			return err
		}
		same(t, []string{i.ID}, incidentIDs(must[[]incident.Incident](t)(r.OpenForUpdate(t.Context(), tx))))
		same(t, fresh, must[incident.Incident](t)(r.IncidentForUpdate(t.Context(), tx, i.ID)))
		same(t, u, must[incident.Update](t)(r.UpdateForUpdate(t.Context(), tx, u.ID)))
		return nil
	})
}
