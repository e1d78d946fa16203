package status_test

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// An outage of any kind stands on our own page, in words, by itself (S1-22).
func TestBoardHeadlineSaysWhatIsWrongAndWhatIsNot(t *testing.T) {
	slow := because(status.CauseSlowAnswer)
	for _, c := range []struct {
		name  string
		zone  string
		moves func(*scene)
		want  status.Headline
	}{
		{"all well", "", func(*scene) {},
			status.Headline{Status: status.Operational, Title: "All services are working.", Lead: "No trouble in the last 90 days."}},
		{"well since a few days", "", func(s *scene) {
			s.fails("search", status.MajorOutage, at("2026-11-16T10:00Z"), at("2026-11-16T11:00Z"))
		}, status.Headline{Status: status.Operational, Title: "All services are working.", Lead: "No trouble in the last four days."}},
		{"well since this morning", "", func(s *scene) {
			s.fails("search", status.MajorOutage, at("2026-11-20T10:00Z"), at("2026-11-20T10:12Z"))
		}, status.Headline{Status: status.Operational, Title: "All services are working.", Lead: "The last trouble ended at 10:12 UTC today."}},
		{"one is slow", "", func(s *scene) { s.moves("search", at("2026-11-20T14:02Z"), status.Degraded, slow) },
			status.Headline{Status: status.Degraded, Title: "Search is slower than usual.", Rest: "Everything else is working.",
				Lead: "Since 14:02 UTC today. Our checks see slow answers."}},
		{"one is down", "", func(s *scene) {
			s.moves("search", at("2026-11-20T03:02Z"), status.MajorOutage, because(status.CauseNoAnswer))
		}, status.Headline{Status: status.MajorOutage, Title: "Search is down.", Rest: "Everything else is working.",
			Lead: "Our checks see failures on Search since 03:02 UTC. The team has been alerted."}},
		{"in another zone, since yesterday", "Europe/Berlin", func(s *scene) { s.moves("search", at("2026-11-19T22:30Z"), status.PartialOutage) },
			status.Headline{Status: status.PartialOutage, Title: "Search has a partial outage.", Rest: "Everything else is working.",
				Lead: "Our checks see failures on Search since 23:30 CET (22:30 UTC) on 19 November. The team has been alerted."}},
		{"two are down and one is slow", "", func(s *scene) {
			s.moves("search", at("2026-11-20T14:00Z"), status.MajorOutage)
			s.moves("payments", at("2026-11-20T13:00Z"), status.MajorOutage)
			s.moves("email", at("2026-11-20T12:00Z"), status.Degraded, slow)
		}, status.Headline{Status: status.MajorOutage, Title: "Search and Payments are down.", Rest: "Email is slower than usual. Everything else is working.",
			Lead: "Since 13:00 UTC today our checks see failures on Search and Payments. The team has been alerted."}},
		{"four have trouble", "", func(s *scene) {
			for _, key := range []string{"website", "search", "payments", "email"} {
				s.moves(key, at("2026-11-20T14:00Z"), status.PartialOutage)
			}
		}, status.Headline{Status: status.PartialOutage, Title: "Four services have partial outages.", Rest: "Everything else is working.",
			Lead: "Since 14:00 UTC today our checks see failures on four services. The team has been alerted."}},
		{"all are down", "", func(s *scene) {
			for _, key := range []string{"website", "search", "payments", "email", "webhooks"} {
				s.moves(key, at("2026-11-20T14:00Z"), status.MajorOutage)
			}
		}, status.Headline{Status: status.MajorOutage, Title: "All services are down.",
			Lead: "Since 14:00 UTC today our checks see failures on five services. The team has been alerted."}},
		{"a person said it", "", func(s *scene) {
			s.moves("search", at("2026-11-20T14:00Z"), status.PartialOutage, byHuman, said("Results for February are missing."))
		}, status.Headline{Status: status.PartialOutage, Title: "Search has a partial outage.", Rest: "Everything else is working.",
			Lead: "Since 14:00 UTC today. Results for February are missing."}},
		{"planned work", "", func(s *scene) {
			s.planned(status.Occurrence{ID: "m-1", Components: []string{"email"}, From: at("2026-11-20T14:00Z"), To: at("2026-11-20T23:30Z"), State: status.MaintenanceInProgress})
			s.moves("email", at("2026-11-20T14:00Z"), status.UnderMaintenance)
		}, status.Headline{Status: status.Operational, Title: "Everything is working.", Rest: "Email is in maintenance.",
			Lead: "No trouble in the last 90 days. Planned work ends at 23:30 UTC."}},
		{"one is not measured", "", func(s *scene) { s.moves("email", at("2026-11-20T14:00Z"), status.NotMeasured) },
			status.Headline{Status: status.Operational, Title: "Everything we can measure is working.", Rest: "Email is not measured right now.",
				Lead: "No trouble in the last 90 days."}},
		{"nothing is measured", "", func(s *scene) {
			for _, key := range []string{"website", "search", "payments", "email", "webhooks"} {
				s.moves(key, at("2026-11-20T14:00Z"), status.NotMeasured)
			}
		}, status.Headline{Status: status.NotMeasured, Title: "We cannot tell right now.", Lead: "Nothing has been measured since 14:00 UTC today."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, c.zone)
			s.public("Website", "Search", "Payments", "Email", "Webhooks")
			s.works("website", "search", "payments", "email", "webhooks")
			c.moves(s)
			s.load()
			same(t, c.want, s.board.Page(friday).Headline)
		})
	}
}

// TestBoardBeginsWithWhatIsDefined: the first page of an empty record names every
// public component and claims nothing of any.
func TestBoardBeginsWithWhatIsDefined(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 2, 0, 0, time.UTC)
	b := status.NewBoard(status.BoardDeps{Log: slog.New(slog.DiscardHandler)})
	b.Begin(status.Definition{
		Site:   status.Site{Name: "Example", Zone: "Etc/UTC"},
		Groups: []status.DefinedGroup{{Group: status.Group{ID: "shop", Name: "Shop"}}},
		Components: []status.DefinedComponent{
			{Component: status.Component{ID: "web", Name: "Web", Group: "shop", Public: true}},
			{Component: status.Component{ID: "mail", Name: "Mail", Public: true}},
			{Component: status.Component{ID: "backup", Name: "Backup"}},
		},
	}, now)
	page := b.Page(now)
	if page.Site.Name != "Example" || page.Status != status.NotMeasured {
		t.Errorf("the page of %q says %s", page.Site.Name, page.Status)
	}
	seen := map[string]status.PageComponent{}
	for _, g := range page.Groups {
		for _, c := range g.Components {
			seen[c.ID] = c
		}
	}
	if len(seen) != 2 {
		t.Fatalf("%d components, want web and mail: %v", len(seen), seen)
	}
	for id, c := range seen {
		if c.Status != status.NotMeasured || !math.IsNaN(c.Uptime) {
			t.Errorf("%s is %s with uptime %v before anything was measured", id, c.Status, c.Uptime)
		}
	}
}

func TestBoardWithoutComponentsSaysSo(t *testing.T) {
	s := newScene(t, "")
	s.load()
	p := s.board.Page(friday)
	if p.Headline.Title != "Nothing is watched here yet." || p.Description != "All Systems Operational" || len(p.Groups) != 0 || len(p.Past) != 0 {
		t.Errorf("empty page: %+v", p)
	}
}

func TestBoardTellsTheStoryOfEachDay(t *testing.T) {
	s := newScene(t, "Europe/Berlin")
	s.public("Search")
	s.works("search")
	s.fails("search", status.MajorOutage, at("2026-09-22T01:10Z"), at("2026-09-22T01:24Z"), said("network fault"))
	s.fails("search", status.UnderMaintenance, at("2026-11-01T04:00Z"), at("2026-11-01T04:20Z"))
	s.fails("search", status.PartialOutage, at("2026-11-06T08:12Z"), at("2026-11-06T08:44Z"))
	s.fails("search", status.Degraded, at("2026-11-07T08:00Z"), at("2026-11-07T08:10Z"))
	s.fails("search", status.Degraded, at("2026-11-07T09:00Z"), at("2026-11-07T09:20Z"))
	s.fails("search", status.Degraded, at("2026-11-09T20:00Z"), at("2026-11-12T02:00Z"), because(status.CauseSlowAnswer))
	s.fails("search", status.NotMeasured, at("2026-11-13T08:00Z"), at("2026-11-13T08:02Z"))
	s.fails("search", status.NotMeasured, at("2026-11-14T08:00Z"), at("2026-11-14T10:00Z"))
	s.moves("search", at("2026-11-15T08:00Z"), status.Degraded)
	s.fails("search", status.MajorOutage, at("2026-11-15T09:00Z"), at("2026-11-15T09:00Z").Add(20*time.Second))
	s.moves("search", at("2026-11-20T13:02Z"), status.Degraded, because(status.CauseSlowAnswer))
	s.load()
	same(t, []string{
		"major_outage/ 22 Sep: major outage for 14 min, network fault",
		"under_maintenance/ 1 Nov: planned maintenance for 20 min",
		"partial_outage/ 6 Nov: partial outage for 32 min",
		"degraded_performance/ 7 Nov: degraded 2 times, 30 min in all",
		"degraded_performance/ 9 Nov: slow for 3 h",
		"degraded_performance/ 10 Nov: slow all day",
		"degraded_performance/ 11 Nov: slow all day",
		"degraded_performance/ 12 Nov: slow for 3 h",
		"operational/ 14 Nov: not measured for 2 h",
		"major_outage/ 15 Nov: major outage for less than a minute, degraded for 1 h",
		"degraded_performance/ 20 Nov: slow since 14:02",
	}, s.stories("search"))
	days := s.row("search").Days
	if len(days) != status.BarDays || days[89].Date.Format(time.RFC3339) != "2026-11-20T00:00:00+01:00" || days[0].Date.Format(time.RFC3339) != "2026-08-23T00:00:00+02:00" {
		t.Errorf("days run from %s to %s", days[0].Date, days[len(days)-1].Date)
	}
}

func TestBoardMarksDaysBeforeAComponentExisted(t *testing.T) {
	s := newScene(t, "")
	s.component(status.Component{ID: "new", Name: "New", Public: true, CreatedAt: at("2026-11-18T10:00Z")})
	s.moves("new", at("2026-11-18T10:00Z"), status.NotMeasured)
	s.moves("new", at("2026-11-18T10:01Z"), status.Operational)
	s.load()
	row := s.row("new")
	for i, d := range row.Days {
		if d.Before != (i < 87) || d.Before && d.Worst != status.NotMeasured || !d.Before && d.Worst != status.Operational {
			t.Errorf("day %d: %+v", i, d)
		}
	}
	if row.Uptime != 1 {
		t.Errorf("uptime %v, want 1: time before it existed counts on neither side", row.Uptime)
	}
	past := s.board.Page(friday).Past
	if len(past) != 1 || past[0].From.Format("2 Jan") != "18 Nov" || past[0].To.Format("2 Jan") != "20 Nov" {
		t.Errorf("the past goes back to what is known: %+v", past)
	}
}

func TestBoardUptimeOfBarsIsExact(t *testing.T) {
	s := newScene(t, "Europe/Berlin")
	s.public("Search")
	s.works("search")
	s.fails("search", status.MajorOutage, at("2026-11-06T08:12Z"), at("2026-11-06T08:44Z"))
	s.fails("search", status.MajorOutage, at("2026-11-20T10:00Z"), at("2026-11-20T10:10Z"))
	s.load()
	watched := friday.Sub(at("2026-08-22T22:00Z"))
	want := 1 - float64(42*time.Minute)/float64(watched)
	if got := s.row("search").Uptime; math.Abs(got-want) > 1e-15 {
		t.Errorf("uptime %v, want %v", got, want)
	}
	tally, uptime, err := s.board.Uptime(t.Context(), "search", at("2026-08-22T22:00Z"), friday)
	if err != nil || math.Abs(uptime-want) > 1e-15 || tally.Total() != watched || tally.Major != 42*time.Minute {
		t.Errorf("Uptime gave %+v, %v, %v", tally, uptime, err)
	}
}

func TestBoardShowsPublicComponentsAlone(t *testing.T) {
	s := newScene(t, "")
	s.public("Search")
	s.component(status.Component{ID: "vault", Name: "Secret vault", Group: "inside"})
	s.do(func(tx journal.Tx) error {
		return s.store.PutGroup(t.Context(), tx, status.Group{Key: "inside", ID: "inside", Name: "Inside"})
	})
	s.works("search", "vault")
	s.moves("vault", at("2026-11-20T14:00Z"), status.MajorOutage)
	s.planned(status.Occurrence{ID: "m-1", Title: "Vault", Components: []string{"vault"}, From: friday, To: friday.Add(time.Hour), State: status.MaintenanceScheduled})
	s.planned(status.Occurrence{ID: "m-2", Title: "Both", Components: []string{"vault", "search"}, From: friday, To: friday.Add(time.Hour), State: status.MaintenanceScheduled})
	s.load()
	p := s.board.Page(friday)
	if p.Status != status.Operational || len(p.Groups) != 1 || len(p.Failures) != 0 {
		t.Errorf("a component that is not public shows: %+v", p)
	}
	if len(p.Ahead) != 1 || !slices.Equal(p.Ahead[0].Components, []string{"search"}) {
		t.Errorf("maintenance ahead: %+v", p.Ahead)
	}
	if text := fmt.Sprintf("%+v", p); strings.Contains(strings.ToLower(text), "vault") {
		t.Errorf("its name is on the page")
	}
	if _, err := s.board.Component(t.Context(), "vault", friday); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("its page gave %v, want NotFound", err)
	}
	if _, err := s.board.Component(t.Context(), "nobody", friday); problem.KindOf(err) != problem.KindNotFound {
		t.Errorf("an unknown page gave %v, want NotFound", err)
	}
	if _, _, err := s.board.Uptime(t.Context(), "vault", ago(day), friday); err != nil {
		t.Errorf("staff may ask for its uptime: %v", err)
	}
}

func TestBoardGroupsRollUp(t *testing.T) {
	s := newScene(t, "")
	s.do(func(tx journal.Tx) error {
		if err := s.store.PutGroup(t.Context(), tx, status.Group{Key: "g2", ID: "messages", Name: "Messages", Position: 2}); err != nil {
			return err
		}
		return s.store.PutGroup(t.Context(), tx, status.Group{Key: "g1", ID: "apps", Name: "Apps", Position: 1})
	})
	s.component(status.Component{ID: "email", Name: "Email", Group: "messages", Public: true, Position: 1})
	s.component(status.Component{ID: "website", Name: "Website", Group: "apps", Public: true, Position: 2})
	s.component(status.Component{ID: "api", Name: "API", Public: true, Position: 3})
	s.works("email", "website", "api")
	s.moves("email", at("2026-11-20T14:00Z"), status.PartialOutage)
	s.load()
	p := s.board.Page(friday)
	var got []string
	for _, g := range p.Groups {
		got = append(got, fmt.Sprintf("%s %s %s", g.ID, g.Status, g.Components[0].ID))
	}
	same(t, []string{" operational api", "apps operational website", "messages partial_outage email"}, got)
	if p.Status != status.PartialOutage || p.Indicator != status.IndicatorMajor || p.Description != "Partial System Outage" {
		t.Errorf("page: %s, %s, %s", p.Status, p.Indicator, p.Description)
	}
	if !p.Changed.Equal(at("2026-11-20T14:00Z")) {
		t.Errorf("changed %s", p.Changed)
	}
}

func TestBoardPastCollapsesQuietDays(t *testing.T) {
	s := newScene(t, "")
	s.public("Search", "Email")
	s.works("search", "email")
	s.fails("search", status.PartialOutage, at("2026-11-06T09:12Z"), at("2026-11-06T09:44Z"), because(status.CauseBadAnswer))
	s.fails("email", status.Degraded, at("2026-11-12T09:00Z"), at("2026-11-12T09:38Z"), because(status.CauseSlowAnswer))
	s.moves("email", at("2026-11-19T09:00Z"), status.Degraded)
	s.moves("email", at("2026-11-19T09:10Z"), status.MajorOutage, because(status.CauseNoAnswer))
	s.load()
	var got []string
	for _, d := range s.board.Page(friday).Past {
		line := d.From.Format("2 Jan") + " to " + d.To.Format("2 Jan")
		for _, e := range d.Events {
			line += fmt.Sprintf("; %s %s %s (%s)", e.Name, e.Status, e.From.Format("15:04"), e.Text)
			if !e.To.IsZero() {
				line += " " + e.To.Sub(e.From).String()
			}
		}
		got = append(got, line)
	}
	same(t, []string{
		"20 Nov to 20 Nov",
		"19 Nov to 19 Nov; Email major_outage 09:00 (Our checks had no answer.)",
		"13 Nov to 18 Nov",
		"12 Nov to 12 Nov; Email degraded_performance 09:00 (Answers were slower than usual.) 38m0s",
		"7 Nov to 11 Nov",
		"6 Nov to 6 Nov; Search partial_outage 09:12 (Some of our checks had wrong answers.) 32m0s",
	}, got)
}

// Planned downtime is announced on the page (S0-17).
func TestBoardPutsMaintenanceWhereItBelongs(t *testing.T) {
	s := newScene(t, "")
	s.public("Search")
	s.works("search")
	list := []string{"search"}
	for _, o := range []status.Occurrence{
		{ID: "soon", From: friday.Add(day), To: friday.Add(day + time.Hour), State: status.MaintenanceScheduled},
		{ID: "far", From: friday.Add(31 * day), To: friday.Add(31*day + time.Hour), State: status.MaintenanceScheduled},
		{ID: "now", From: ago(time.Hour), To: friday.Add(time.Hour), State: status.MaintenanceInProgress, StartedAt: ago(time.Hour)},
		{ID: "checking", From: ago(2 * time.Hour), To: ago(time.Minute), State: status.MaintenanceVerifying, StartedAt: ago(2 * time.Hour)},
		{ID: "done", From: ago(3 * day), To: ago(3*day - time.Hour), State: status.MaintenanceCompleted, EndedAt: ago(3*day - time.Hour)},
		{ID: "off", From: friday.Add(2 * day), To: friday.Add(3 * day), State: status.MaintenanceCancelled, ChangedAt: ago(day)},
		{ID: "old", From: ago(40 * day), To: ago(40*day - time.Hour), State: status.MaintenanceCompleted, EndedAt: ago(40*day - time.Hour)},
	} {
		o.Components = list
		s.planned(o)
	}
	s.load()
	p := s.board.Page(friday)
	ids := func(list []status.Occurrence) (out []string) {
		for _, o := range list {
			out = append(out, o.ID)
		}
		return out
	}
	same(t, []string{"soon"}, ids(p.Ahead))
	same(t, []string{"checking", "now"}, ids(p.Current))
	same(t, []string{"off", "done"}, ids(p.Finished))
}

// Whatever happens, a board that followed the journal shows what a board that
// reads everything shows, byte for byte: replicas must agree.
func TestBoardThatFollowsEqualsBoardThatLoads(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 6))
	s := newScene(t, "America/New_York")
	s.public("Website", "Search", "Payments", "Email")
	keys := []string{"website", "search", "payments", "email"}
	s.works(keys...)
	s.load()
	all := []status.Status{status.Operational, status.Degraded, status.PartialOutage, status.MajorOutage, status.UnderMaintenance, status.NotMeasured}
	now := friday.Add(-80 * day)
	for i := range 300 {
		now = now.Add(time.Duration(dice.Int64N(int64(12 * time.Hour)))).Truncate(time.Microsecond)
		key := keys[dice.IntN(len(keys))]
		if st := all[dice.IntN(len(all))]; s.open(key).Status != st {
			s.moves(key, now.Add(-time.Duration(dice.IntN(120))*time.Minute), st)
		}
		if i%40 == 0 {
			s.component(status.Component{ID: fmt.Sprintf("c%d", i), Name: fmt.Sprintf("C %d", i), Public: i%80 == 0, Position: dice.IntN(9)})
			s.planned(status.Occurrence{ID: fmt.Sprintf("m-%d", i), Components: keys[:1], From: now, To: now.Add(time.Hour), State: status.MaintenanceScheduled})
		}
		s.follow()
		if i%7 == 0 {
			if err := s.board.Refresh(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
		if i%10 != 0 {
			continue
		}
		fresh := s.newBoard()
		if err := fresh.Load(t.Context(), int64(s.seen)); err != nil {
			t.Fatal(err)
		}
		if err := fresh.Refresh(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if err := s.board.Refresh(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		same(t, fresh.Page(now), s.board.Page(now))
		same(t, s.board.Page(now), s.board.Page(now))
		if t.Failed() {
			t.Fatalf("after step %d", i)
		}
	}
}

func TestBoardPageRollsOverAtLocalMidnight(t *testing.T) {
	s := newScene(t, "Europe/Berlin")
	s.public("Search")
	s.works("search")
	s.fails("search", status.MajorOutage, at("2026-11-20T10:00Z"), at("2026-11-20T10:10Z"))
	s.load()
	before := s.board.Page(at("2026-11-20T22:59Z")).Groups[0].Components[0].Days
	after := s.board.Page(at("2026-11-20T23:00Z")).Groups[0].Components[0].Days
	if before[89].Worst != status.MajorOutage || after[88].Worst != status.MajorOutage || after[89].Worst != status.Operational {
		t.Errorf("at 23:59 today was %s; at midnight yesterday is %s and today %s", before[89].Worst, after[88].Worst, after[89].Worst)
	}
	same(t, before, s.board.Page(at("2026-11-20T22:59Z")).Groups[0].Components[0].Days)
	same(t, s.board.Page(friday), s.board.Page(friday.Add(59*time.Second)))
}

func TestBoardFollowReadsOnlyWhatIsTouched(t *testing.T) {
	s := newScene(t, "")
	s.public("Search")
	s.works("search")
	s.load()
	s.store.GoAway(true)
	staff := []journal.Sealed{
		{Seq: 90, Entry: journal.Entry{Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "search"}, Payload: map[string]string{"track": "observed"}}},
		{Seq: 91, Entry: journal.Entry{Verb: "month.frozen", Subject: journal.Ref{Kind: "component", ID: "search"}}},
		{Seq: 92, Entry: journal.Entry{Verb: "hub.started", Subject: journal.Ref{Kind: "hub", ID: "hub"}}},
	}
	if err := s.board.Follow(t.Context(), staff); err != nil {
		t.Errorf("entries that change nothing visitors see gave %v", err)
	}
	before := s.board.Page(friday)
	if before.Seq != 92 {
		t.Errorf("seq %d, want 92", before.Seq)
	}
	moved := []journal.Sealed{{Seq: 93, Entry: journal.Entry{Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "search"}, Payload: map[string]string{"track": "published"}}}}
	if err := s.board.Follow(t.Context(), moved); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("without a database Follow gave %v, want Unavailable", err)
	}
	same(t, before, s.board.Page(friday))
}
