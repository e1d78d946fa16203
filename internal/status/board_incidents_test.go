package status_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// told is what customers may know of incidents, as the wing of incidents tells it.
type told struct {
	all  map[string]status.Incident
	away error
	asks int
}

func (t *told) Public(_ context.Context, since time.Time) ([]status.Incident, error) {
	t.asks++
	var out []status.Incident
	for _, i := range t.all {
		if i.MergedInto == "" && (i.ResolvedAt.IsZero() || i.ResolvedAt.After(since)) {
			out = append(out, i)
		}
	}
	return out, t.away
}

func (t *told) Incident(_ context.Context, id string) (status.Incident, error) {
	i, ok := t.all[id]
	if !ok {
		return i, problem.NotFound("There is no incident %q.", id)
	}
	return i, t.away
}

// withIncidents gives the scene a board that hears of incidents.
func (s *scene) withIncidents(list ...status.Incident) *told {
	s.t.Helper()
	t := &told{all: map[string]status.Incident{}}
	for _, i := range list {
		t.all[i.ID] = i
	}
	s.board = status.NewBoard(status.BoardDeps{Store: s.store, Latency: s.latency, Incidents: t, Amendments: s.store, Log: slog.New(slog.DiscardHandler)})
	return t
}

// incident makes an open one that is being investigated, and names components by key.
func incident(id, name, impact, began string, keys ...string) status.Incident {
	i := status.Incident{ID: id, Name: name, Status: "investigating", Impact: impact, CreatedAt: at(began), StartedAt: at(began)}
	for _, k := range keys {
		i.Components = append(i.Components, status.IncidentComponent{Key: k, Status: status.Degraded})
	}
	i.Updates = []status.IncidentUpdate{{ID: id + "-1", Status: "investigating", Body: "We are looking.", At: at(began), CreatedAt: at(began)}}
	return i
}

// goes adds an update.
func goes(i status.Incident, state, when string) status.Incident {
	i.Status = state
	i.Updates = append([]status.IncidentUpdate{{ID: i.ID + "-" + state, Status: state, At: at(when), CreatedAt: at(when)}}, i.Updates...)
	if state == "resolved" {
		i.ResolvedAt = at(when)
	}
	return i
}

// retold is an entry that tells of a change to an incident.
func (s *scene) retold(verb, id string, a journal.Audience) {
	s.t.Helper()
	s.do(func(tx journal.Tx) error {
		return tx.Append(journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "incident", ID: id}, Audience: a})
	})
}

// S1-22, S1-25: what a person says of an outage leads the page.
func TestHeadlineIsLedByTheWorstIncident(t *testing.T) {
	slow := incident("slow", "Searches take two to four seconds", "minor", "2026-11-20T14:02Z", "search")
	slow.Updates[0].At = at("2026-11-20T14:09Z")
	down := incident("down", "Cards are refused", "critical", "2026-11-19T22:30Z", "payments")
	for _, c := range []struct {
		name  string
		told  []status.Incident
		moves func(*scene)
		want  status.Headline
		ind   status.Indicator
		words string
	}{
		{"one, its component slow", []status.Incident{slow}, func(s *scene) { s.moves("search", at("2026-11-20T14:02Z"), status.Degraded) },
			status.Headline{Status: status.Degraded, Title: "Searches take two to four seconds.", Rest: "Everything else is working.",
				Lead: "Investigating since 14:09 UTC today. It began at 14:02 UTC today."}, status.IndicatorMinor, "Partially Degraded Service"},
		{"its impact stands although checks are good", []status.Incident{down}, nil,
			status.Headline{Status: status.MajorOutage, Title: "Cards are refused.", Rest: "Everything else is working.",
				Lead: "Investigating since 22:30 UTC yesterday."}, status.IndicatorCritical, "Major Service Outage"},
		{"identified", []status.Incident{goes(slow, "identified", "2026-11-20T14:21Z")}, nil,
			status.Headline{Status: status.Degraded, Title: "Searches take two to four seconds.", Rest: "Everything else is working.",
				Lead: "The cause was identified at 14:21 UTC today. It began at 14:02 UTC today."}, status.IndicatorMinor, "Partially Degraded Service"},
		{"two, and something that none tells of", []status.Incident{goes(slow, "monitoring", "2026-11-20T14:25Z"), down},
			func(s *scene) { s.moves("email", at("2026-11-20T14:20Z"), status.PartialOutage) },
			status.Headline{Status: status.MajorOutage, Title: "Cards are refused.", Rest: "One other incident is open. Email has a partial outage.",
				Lead: "Investigating since 22:30 UTC yesterday."}, status.IndicatorCritical, "Major Service Outage"},
		{"of no component, without impact", []status.Incident{incident("odd", "Some people cannot sign in?", "none", "2026-11-20T14:00Z")}, nil,
			status.Headline{Status: status.Operational, Title: "Some people cannot sign in?", Rest: "Our checks see no trouble.",
				Lead: "Investigating since 14:00 UTC today."}, status.IndicatorNone, "All Systems Operational"},
		{"of every component", []status.Incident{incident("all", "Nothing works", "major", "2026-11-20T14:00Z", "search", "payments", "email")}, nil,
			status.Headline{Status: status.PartialOutage, Title: "Nothing works.", Lead: "Investigating since 14:00 UTC today."}, status.IndicatorMajor, "Partial System Outage"},
		{"it is over", []status.Incident{goes(slow, "resolved", "2026-11-20T14:30Z")}, nil,
			status.Headline{Status: status.Operational, Title: "All services are working.", Lead: "No trouble in the last 90 days."}, status.IndicatorNone, "All Systems Operational"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, "")
			s.withIncidents(c.told...)
			s.public("Search", "Payments", "Email")
			s.works("search", "payments", "email")
			if c.moves != nil {
				c.moves(s)
			}
			s.load()
			p := s.board.Page(friday)
			same(t, c.want, p.Headline)
			if p.Indicator != c.ind || p.Description != c.words || p.Status != c.want.Status {
				t.Errorf("rolled up to %s %q %s, want %s %q %s", p.Indicator, p.Description, p.Status, c.ind, c.words, c.want.Status)
			}
		})
	}
}

// Atlassian's own rule looks at components alone; our page tells the incident all the same.
func TestStrictSiteRollsUpComponentsAlone(t *testing.T) {
	s := newScene(t, "")
	s.withIncidents(incident("down", "Cards are refused", "critical", "2026-11-20T14:00Z", "payments"))
	s.do(func(tx journal.Tx) error {
		return s.store.PutSite(t.Context(), tx, status.Site{Name: "Northmoor", Zone: "Etc/UTC", Strict: true, Weights: status.Weights{Major: 1}})
	})
	s.public("Payments", "Email")
	s.works("payments", "email")
	s.moves("email", at("2026-11-20T14:20Z"), status.Degraded)
	s.load()
	p := s.board.Page(friday)
	if p.Indicator != status.IndicatorMinor || p.Description != "Partially Degraded Service" || p.Status != status.MajorOutage || p.Headline.Title != "Cards are refused." {
		t.Errorf("strict: %s %q, status %s, headline %q", p.Indicator, p.Description, p.Status, p.Headline.Title)
	}
}

func TestFailuresAreOnlyThoseThatNoIncidentTellsOf(t *testing.T) {
	s := newScene(t, "")
	teller := s.withIncidents(incident("slow", "Searches are slow", "minor", "2026-11-20T14:02Z", "search"))
	s.public("Search", "Email")
	s.works("search", "email")
	s.moves("search", at("2026-11-20T14:02Z"), status.Degraded)
	s.moves("email", at("2026-11-20T14:10Z"), status.PartialOutage)
	s.load()
	if f := s.board.Page(friday).Failures; len(f) != 1 || f[0].Component != "email" {
		t.Errorf("failures %+v, want email alone", f)
	}
	teller.all["slow"] = goes(teller.all["slow"], "resolved", "2026-11-20T14:20Z")
	s.retold("incident.resolved", "slow", journal.AudiencePublic)
	s.follow()
	if f := s.board.Page(friday).Failures; len(f) != 2 {
		t.Errorf("failures %+v, want search again: the incident is over and it still fails", f)
	}
}

func TestPastIsToldByIncidentsAndWhatTheyLeaveOut(t *testing.T) {
	s := newScene(t, "")
	over := goes(incident("over", "Searches were slow", "minor", "2026-11-18T09:00Z", "search"), "resolved", "2026-11-18T09:40Z")
	s.withIncidents(over, incident("now", "Mail is late", "minor", "2026-11-20T13:00Z", "email"))
	s.public("Search", "Email")
	s.works("search", "email")
	s.fails("search", status.Degraded, at("2026-11-18T08:58Z"), at("2026-11-18T09:45Z")) // told by it
	s.fails("search", status.Degraded, at("2026-11-18T15:00Z"), at("2026-11-18T15:05Z")) // not
	s.fails("email", status.Degraded, at("2026-11-18T09:10Z"), at("2026-11-18T09:20Z"))  // another component
	s.load()
	p := s.board.Page(friday)
	var got []string
	for _, d := range p.Past {
		if d.Quiet() {
			continue
		}
		line := d.From.Format("2 Jan:")
		for _, i := range d.Incidents {
			line += " " + i.ID + "(" + i.Components[0].Name + ")"
		}
		for _, e := range d.Events {
			line += " " + e.Component + e.From.Format("@15:04")
		}
		got = append(got, line)
	}
	same(t, []string{"20 Nov: now(Email)", "18 Nov: over(Search) email@09:10 search@15:00"}, got)
	if len(p.Incidents) != 1 || len(p.Recent) != 2 || p.Recent[0].ID != "now" {
		t.Errorf("open %v, recent %v", p.Incidents, p.Recent)
	}
	months, err := s.board.History(t.Context(), friday, 1)
	if err != nil {
		t.Fatal(err)
	}
	if m := months[0]; len(m.Incidents) != 2 || len(m.Events) != 2 {
		t.Errorf("November has incidents %v and events %v", m.Incidents, m.Events)
	}
}

func TestBoardReadsAgainOnlyTheIncidentThatChanged(t *testing.T) {
	s := newScene(t, "")
	teller := s.withIncidents(incident("a", "A", "minor", "2026-11-20T14:00Z", "search"), incident("b", "B", "minor", "2026-11-20T14:01Z", "search"))
	s.public("Search")
	s.works("search")
	s.load()
	asked := teller.asks
	teller.all["a"] = goes(teller.all["a"], "identified", "2026-11-20T14:30Z")
	teller.all["b"] = goes(teller.all["b"], "identified", "2026-11-20T14:30Z") // nobody says so yet
	s.retold("incident.updated", "a", journal.AudiencePublic)
	s.follow()
	states := map[string]string{}
	for _, i := range s.board.Page(friday).Incidents {
		states[i.ID] = i.Status
	}
	same(t, map[string]string{"a": "identified", "b": "investigating"}, states)
	if teller.asks != asked {
		t.Error("everything was read again for one incident")
	}
	teller.away = problem.Unavailable(nil, "away")
	s.retold("incident.updated", "b", journal.AudiencePublic)
	if err := s.board.Follow(t.Context(), []journal.Sealed{{Seq: 99, Entry: journal.Entry{Verb: "incident.updated", Subject: journal.Ref{Kind: "incident", ID: "b"}}}}); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("follow gave %v, want unavailable", err)
	}
}

func TestWhatStaffDoDoesNotMoveThePage(t *testing.T) {
	s := newScene(t, "")
	i := incident("a", "A", "minor", "2026-11-20T14:00Z", "search")
	teller := s.withIncidents(i)
	s.public("Search")
	s.works("search")
	s.load()
	before := s.board.Page(friday)
	i.UpdatedAt = friday // as the record has it after a note
	teller.all["a"] = i
	s.retold("incident.noted", "a", journal.AudienceStaff)
	s.follow()
	if after := s.board.Page(friday); !after.Changed.Equal(before.Changed) {
		t.Errorf("a note for staff moved the page from %s to %s", before.Changed, after.Changed)
	}
	i.Name = "Another name"
	teller.all["a"] = i
	s.retold("incident.edited", "a", journal.AudiencePublic)
	s.follow()
	if after := s.board.Page(friday); !after.Changed.After(before.Changed) || after.Incidents[0].Name != "Another name" {
		t.Errorf("an edit of the name shows as %+v", after.Incidents[0])
	}
}

func TestIncidentsThatCustomersDoNotSeeAreNowhere(t *testing.T) {
	s := newScene(t, "")
	hidden := incident("hidden", "The back office is down", "critical", "2026-11-20T14:00Z", "backup")
	both := incident("both", "Two things", "minor", "2026-11-20T14:05Z", "search", "backup")
	both.Updates[0].Moves = []status.IncidentMove{{Key: "backup", To: status.MajorOutage}, {Key: "search", From: status.Operational, To: status.Degraded}}
	teller := s.withIncidents(hidden, both)
	s.public("Search")
	s.component(status.Component{ID: "backup", Name: "Backup"})
	s.works("search", "backup")
	s.load()
	p := s.board.Page(friday)
	if len(p.Incidents) != 1 || len(p.Incidents[0].Components) != 1 || len(p.Incidents[0].Updates[0].Moves) != 1 || p.Status != status.Degraded {
		t.Errorf("the page tells %+v, status %s", p.Incidents, p.Status)
	}
	if _, err := s.board.Incident(t.Context(), "hidden", friday); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("the page of what is not public: %v", err)
	}
	delete(teller.all, "both") // made private
	s.retold("incident.edited", "both", journal.AudiencePublic)
	s.follow()
	if p := s.board.Page(friday); len(p.Incidents)+len(p.Recent) != 0 {
		t.Errorf("a private incident is on the page: %+v", p.Recent)
	}
	if _, err := s.board.Incident(t.Context(), "both", friday); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("the page of a private incident: %v", err)
	}
}

func TestIncidentPageTellsWhatChecksSaw(t *testing.T) {
	s := newScene(t, "")
	s.withIncidents(goes(incident("over", "Searches were slow", "minor", "2026-11-18T09:00Z", "search"), "resolved", "2026-11-18T10:00Z"))
	s.public("Search")
	s.works("search")
	s.fails("search", status.Degraded, at("2026-11-18T07:00Z"), at("2026-11-18T07:05Z")) // long before
	s.moves("search", at("2026-11-18T09:00Z"), status.Degraded)
	s.moves("search", at("2026-11-18T09:10Z"), status.PartialOutage, byHuman) // the incident itself said so
	s.moves("search", at("2026-11-18T09:38Z"), status.Operational)
	s.fails("search", status.Degraded, at("2026-11-19T07:00Z"), at("2026-11-19T07:05Z")) // after it
	s.load()
	p, err := s.board.Incident(t.Context(), "over", friday)
	if err != nil {
		t.Fatal(err)
	}
	same(t, []status.IncidentFact{
		{At: at("2026-11-18T09:00Z"), ID: "search", Name: "Search", Status: status.Degraded},
		{At: at("2026-11-18T09:38Z"), ID: "search", Name: "Search", Status: status.Operational},
	}, p.Facts)
}

func TestMergedIncidentLeadsToTheOneThatStands(t *testing.T) {
	s := newScene(t, "")
	s.withIncidents(incident("c", "C", "minor", "2026-11-20T14:00Z", "search"),
		status.Incident{ID: "a", MergedInto: "b"}, status.Incident{ID: "b", MergedInto: "c"},
		status.Incident{ID: "x", MergedInto: "y"}, status.Incident{ID: "y", MergedInto: "x"}, status.Incident{ID: "z", MergedInto: "private"})
	s.public("Search")
	s.works("search")
	s.load()
	p, err := s.board.Incident(t.Context(), "a", friday)
	if err != nil || p.MovedTo != "c" {
		t.Errorf("a leads to %q: %v", p.MovedTo, err)
	}
	for _, id := range []string{"x", "z", "", strings.Repeat("q", 500), "nobody"} {
		if _, err := s.board.Incident(t.Context(), id, friday); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("%.10q gives %v, want not found", id, err)
		}
	}
}

func TestOldIncidentIsFoundAndOldMonthsTellTheirs(t *testing.T) {
	s := newScene(t, "")
	s.withIncidents(goes(incident("old", "Long ago", "major", "2026-03-02T09:00Z", "search"), "resolved", "2026-03-02T10:00Z"))
	s.public("Search")
	s.works("search")
	s.load()
	if p := s.board.Page(friday); len(p.Recent) != 0 {
		t.Errorf("the page tells %v", p.Recent)
	}
	if p, err := s.board.Incident(t.Context(), "old", friday); err != nil || p.Incident.Components[0].Name != "Search" {
		t.Errorf("the page of an old incident: %+v %v", p, err)
	}
	months, err := s.board.History(t.Context(), friday, 12)
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(months, func(m status.HistoryMonth) bool { return m.Month.Month() == time.March })
	if n < 0 || len(months[n].Incidents) != 1 {
		t.Errorf("March is missing its incident")
	}
}

func TestIncidentsLeaveWithTheDaysThatAreShown(t *testing.T) {
	s := newScene(t, "")
	s.withIncidents(goes(incident("old", "Long ago", "major", "2026-09-02T09:00Z", "search"), "resolved", "2026-09-02T10:00Z"), incident("open", "Still open", "minor", "2026-08-25T09:00Z", "search"))
	s.public("Search")
	s.works("search")
	s.load()
	if got := len(s.board.Page(friday).Recent); got != 2 {
		t.Fatalf("%d incidents, want 2", got)
	}
	later := friday.AddDate(0, 0, 40)
	if err := s.board.Refresh(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if p := s.board.Page(later); len(p.Recent) != 1 || p.Recent[0].ID != "open" {
		t.Errorf("after forty days the page tells %v", p.Recent)
	}
}

func TestComponentPageTellsItsIncidentsAndCorrections(t *testing.T) {
	s := newScene(t, "")
	s.withIncidents(incident("now", "Searches are slow", "minor", "2026-11-20T14:00Z", "search"), incident("mail", "Mail is late", "minor", "2026-11-20T14:00Z", "email"))
	s.public("Search", "Email")
	s.works("search", "email")
	s.do(func(tx journal.Tx) error {
		a := status.Amendment{ID: "x", Component: "search", From: at("2026-10-02T10:00Z"), To: at("2026-10-02T10:20Z"), At: at("2026-11-04T09:00Z"), Reason: "A certificate of ours had expired.", By: "ada",
			Was: []status.Amended{{From: at("2026-10-02T10:00Z"), To: at("2026-10-02T10:20Z"), Status: status.MajorOutage}}}
		if err := s.store.PutAmendment(t.Context(), tx, a); err != nil {
			return err
		}
		delta := status.Tally{Up: 20 * time.Minute, Major: -20 * time.Minute}
		if err := s.store.PutMonth(t.Context(), tx, status.Month{Component: "search", Month: "2026-10", Tally: status.Tally{Up: time.Hour, Major: time.Hour}, FrozenAt: at("2026-11-03T00:00Z")}); err != nil {
			return err
		}
		if err := s.store.AddCorrection(t.Context(), tx, status.Correction{ID: "c1", Component: "search", Month: "2026-10", At: a.At, Delta: delta, Reason: a.Reason}); err != nil {
			return err
		}
		return s.store.AddCorrection(t.Context(), tx, status.Correction{ID: "c2", Component: "search", Month: "2026-10", At: at("2026-11-05T09:00Z"), Delta: delta, Reason: "Counted twice."})
	})
	s.load()
	p, err := s.board.Component(t.Context(), "search", friday)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Incidents) != 1 || p.Incidents[0].ID != "now" {
		t.Errorf("incidents %v", p.Incidents)
	}
	var got []string
	for _, r := range p.Corrected {
		got = append(got, r.At.Format("2 Jan")+" "+r.Reason+" "+r.Delta.Major.String())
	}
	same(t, []string{"5 Nov Counted twice. -20m0s", "4 Nov A certificate of ours had expired. -20m0s"}, got)
}
