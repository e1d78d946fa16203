package status_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/status/statustest"
)

func TestBoardLatencyLines(t *testing.T) {
	s := newScene(t, "")
	s.public("Search", "Email")
	s.works("search", "email")
	s.do(func(tx journal.Tx) error {
		for _, m := range []status.Monitor{
			{Key: "beat", ID: "beat", Component: "search", Kind: "heartbeat", Public: true},
			{Key: "find", ID: "find", Component: "search", Public: true, Rule: status.Rule{Slow: time.Second}},
			{Key: "hidden", ID: "hidden", Component: "email"},
		} {
			m.Interval, m.Locations = time.Minute, []string{status.LocalLocation}
			if err := s.store.PutMonitor(t.Context(), tx, m, ""); err != nil {
				return err
			}
		}
		var yesterday [24]status.Histogram
		yesterday[20].Add(400 * time.Millisecond)
		return s.store.PutDay(t.Context(), tx, status.DayRow{Monitor: "find", Location: status.LocalLocation, Day: at("2026-11-19T00:00Z"), Packed: status.PackDay(yesterday)})
	})
	for i := range 60 {
		due := friday.Add(-time.Duration(i+1) * time.Minute)
		latency := 200 * time.Millisecond
		if i < 5 {
			latency = 2 * time.Second
		}
		s.latency.Record([]status.Result{
			{Monitor: "find", Location: status.LocalLocation, Due: due, Latency: latency},
			{Monitor: "find", Location: status.LocalLocation, Due: due.Add(time.Second), Latency: time.Minute, Outcome: status.Failed},
			{Monitor: "hidden", Location: status.LocalLocation, Due: due, Latency: latency},
		})
	}
	s.load()
	if err := s.board.Refresh(t.Context(), friday); err != nil {
		t.Fatal(err)
	}
	row := s.row("search")
	near := func(got, want float64) bool { return math.Abs(got-want) < want*0.04 }
	if len(row.Line) != 24 || !near(row.Line[5], 0.4) || !near(row.Line[22], 0.2) || !near(row.Line[23], 0.2) || !math.IsNaN(row.Line[10]) {
		t.Errorf("line %v", row.Line)
	}
	if !near(row.Median.Seconds(), 2) {
		t.Errorf("median of the last five minutes is %s, want about 2 s", row.Median)
	}
	if email := s.row("email"); email.Line != nil || email.Median != 0 {
		t.Errorf("a monitor that is not public is drawn: %v", email.Line)
	}
	page, err := s.board.Component(t.Context(), "search", friday)
	if err != nil {
		t.Fatal(err)
	}
	var charts []string
	for _, ch := range page.Charts {
		if ch.Monitor == "find" {
			charts = append(charts, fmt.Sprintf("%s %d %s %g", ch.Span, len(ch.Median), ch.Step, ch.Limit))
			if n := len(ch.Median); n != len(ch.P95) || !ch.From.Before(ch.To) {
				t.Errorf("chart %s has %d medians and %d percentiles", ch.Span, n, len(ch.P95))
			}
		}
	}
	same(t, []string{"24h 288 5m0s 1", "7d 168 1h0m0s 1", "90d 90 24h0m0s 1"}, charts)
	last := page.Charts[3]
	if !near(last.Median[287], 2) || !near(last.Median[280], 0.2) {
		t.Errorf("the last five minutes are %v", last.Median[280:])
	}
	if week := page.Charts[4]; !near(week.Median[167], 0.2) || !near(week.P95[167], 2) {
		t.Errorf("the running hour is %v, %v", week.Median[167], week.P95[167])
	}
	if quarter := page.Charts[5]; !near(quarter.Median[88], 0.4) || !near(quarter.Median[89], 0.2) {
		t.Errorf("the last two days are %v", quarter.Median[88:])
	}
}

// deaf is a Latency that cannot be reached.
type deaf struct{ statustest.Latency }

func (*deaf) Samples(context.Context, status.SampleQuery) ([]status.Sample, error) {
	return nil, problem.Unavailable(nil, "away")
}

func (*deaf) Hours(context.Context, status.SampleQuery) ([]status.Hour, error) {
	return nil, problem.Unavailable(nil, "away")
}

func TestBoardWithoutSamplesShowsEverythingElse(t *testing.T) {
	s := newScene(t, "")
	s.public("Search")
	s.works("search")
	s.do(func(tx journal.Tx) error {
		var yesterday [24]status.Histogram
		yesterday[20].Add(400 * time.Millisecond)
		if err := s.store.PutDay(t.Context(), tx, status.DayRow{Monitor: "find", Location: "local", Day: at("2026-11-19T00:00Z"), Packed: status.PackDay(yesterday)}); err != nil {
			return err
		}
		return s.store.PutMonitor(t.Context(), tx, status.Monitor{Key: "find", ID: "find", Component: "search", Public: true, Interval: time.Minute, Locations: []string{"local"}}, "")
	})
	s.board = status.NewBoard(status.BoardDeps{Store: s.store, Latency: &deaf{}, Log: slog.New(slog.DiscardHandler)})
	s.load()
	if err := s.board.Refresh(t.Context(), friday); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("Refresh gave %v, want Unavailable", err)
	}
	if row := s.row("search"); row.Line != nil || row.Status != status.Operational {
		t.Errorf("row: %+v", row)
	}
	page, err := s.board.Component(t.Context(), "search", friday)
	if err != nil {
		t.Fatal(err)
	}
	if week := page.Charts[1]; math.IsNaN(week.Median[167-18]) {
		t.Errorf("what SQL keeps is not drawn: %v", week.Median)
	}
}

// Numbers such as queue depth are charted beside latency (S1-20, S4-30).
func TestBoardChartsValues(t *testing.T) {
	s := newScene(t, "")
	s.public("Queue")
	s.works("queue")
	s.fails("queue", status.MajorOutage, at("2026-11-20T10:00Z"), at("2026-11-20T10:10Z"))
	s.do(func(tx journal.Tx) error {
		return s.store.PutMonitor(t.Context(), tx, status.Monitor{Key: "depth", ID: "depth", Component: "queue", Public: true, Unit: "jobs", Interval: time.Minute, Locations: []string{"local"}}, "")
	})
	for i := range 10 {
		s.latency.Record([]status.Result{{Monitor: "depth", Location: "local", Due: friday.Add(-time.Duration(i+1) * time.Minute), Value: float64(i), HasValue: true}})
	}
	s.load()
	page, err := s.board.Component(t.Context(), "queue", friday)
	if err != nil {
		t.Fatal(err)
	}
	hours, week := page.Charts[0], page.Charts[1]
	if hours.Unit != "jobs" || hours.Median[287] != 0 || hours.Median[286] != 4 || hours.P95[286] != 6 {
		t.Errorf("24 h: %s %v", hours.Unit, hours.Median[284:])
	}
	if week.Median[167] != 4.5 || week.P95[167] != 9 {
		t.Errorf("7 d: %v, %v", week.Median[167], week.P95[167])
	}
	same(t, []status.Shade{{From: at("2026-11-20T10:00Z"), To: at("2026-11-20T10:10Z"), Status: status.MajorOutage}}, hours.Shades)
}

func TestComponentPageHasUptimeMonthsAndChanges(t *testing.T) {
	s := newScene(t, "Europe/Berlin")
	s.component(status.Component{ID: "db", Name: "Database", Public: true, Position: 1})
	s.component(status.Component{ID: "search", Name: "Search", Public: true, Needs: []string{"db", "vault"}})
	s.works("search", "db")
	s.fails("search", status.MajorOutage, at("2026-09-10T08:00Z"), at("2026-09-10T09:00Z"), func(sp *status.Span) { sp.Staff = "10.0.0.7 refused" })
	s.fails("search", status.PartialOutage, at("2026-11-20T10:00Z"), at("2026-11-20T11:00Z"))
	frozen := status.Month{Component: "search", Month: "2026-09", Tally: status.Tally{Up: 719 * time.Hour, Major: time.Hour}}
	s.do(func(tx journal.Tx) error {
		if err := s.store.PutMonth(t.Context(), tx, frozen); err != nil {
			return err
		}
		return s.store.AddCorrection(t.Context(), tx, status.Correction{ID: "x", Component: "search", Month: "2026-09", Delta: status.Tally{Up: 30 * time.Minute, Major: -30 * time.Minute}, Reason: "The check was wrong."})
	})
	s.load()
	p, err := s.board.Component(t.Context(), "search", friday)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range p.Rows {
		if r.Tally.Total() != r.To.Sub(r.From) {
			t.Errorf("%s: %+v does not sum to its window", r.Label, r.Tally)
		}
		rows = append(rows, fmt.Sprintf("%s from %s %.6f", r.Label, r.From.Format("2006-01-02T15:04"), r.Uptime))
	}
	same(t, []string{
		"24 hours from 2026-11-19T14:32 0.987500", "7 days from 2026-11-13T23:00 0.998120", "30 days from 2026-10-21T22:00 0.999579",
		"90 days from 2026-08-22T22:00 0.999396", "365 days from 2025-11-20T23:00 0.999851",
	}, rows)
	var months []string
	for _, m := range p.Months {
		months = append(months, fmt.Sprintf("%s %t %d %s", m.Month.Format("2006-01"), m.Frozen, len(m.Corrections), m.Tally.Major))
	}
	if len(months) != 13 {
		t.Errorf("%d months, want 13", len(months))
	}
	same(t, []string{"2026-11 false 0 0s", "2026-10 false 0 0s", "2026-09 true 1 30m0s"}, months[:3])
	if len(p.Needs) != 1 || p.Needs[0].ID != "db" {
		t.Errorf("needs: %+v", p.Needs)
	}
	if len(p.Changes) != 5 || p.Changes[0].Status != status.Operational || p.Changes[1].Status != status.PartialOutage {
		t.Errorf("changes: %+v", p.Changes)
	}
	if strings.Contains(fmt.Sprintf("%+v", p), "10.0.0.7") {
		t.Error("the page has a line for staff")
	}
	if p.Component.ID != "search" || p.Page.Site.Name == "" {
		t.Errorf("component %+v", p.Component)
	}
}

func TestHistoryTellsMonths(t *testing.T) {
	s := newScene(t, "Europe/Berlin")
	s.public("Search", "Email")
	s.works("search", "email")
	s.fails("search", status.MajorOutage, at("2026-10-05T08:00Z"), at("2026-10-05T08:14Z"))
	s.fails("email", status.MajorOutage, at("2026-10-05T08:00Z"), at("2026-10-05T08:10Z"))
	s.fails("email", status.UnderMaintenance, at("2026-10-18T04:00Z"), at("2026-10-18T04:25Z"))
	s.do(func(tx journal.Tx) error {
		return s.store.PutMonth(t.Context(), tx, status.Month{Component: "search", Month: "2026-10", Tally: status.Tally{Up: 9 * time.Hour, Major: time.Hour}})
	})
	s.load()
	months, err := s.board.History(t.Context(), friday, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(months) != 3 || months[0].Month.Format("2006-01") != "2026-11" || months[0].Uptime != 1 || len(months[0].Days) != 30 {
		t.Fatalf("months: %d, newest %+v", len(months), months[0])
	}
	october := months[1]
	if len(october.Days) != 31 || len(october.Events) != 2 || october.Events[0].Name != "Email" {
		t.Errorf("october has %d days and %+v", len(october.Days), october.Events)
	}
	email := 1 - float64(10*time.Minute)/float64(745*time.Hour-25*time.Minute)
	if want := (0.9 + email) / 2; math.Abs(october.Uptime-want) > 1e-12 {
		t.Errorf("uptime %v, want the mean of a frozen and a counted month, %v", october.Uptime, want)
	}
	var stories []string
	for _, d := range october.Days {
		if d.Story != "" {
			stories = append(stories, d.Story)
		}
	}
	same(t, []string{"5 October: major outage for 14 min (Search and one other)", "18 October: planned maintenance for 25 min (Email)"}, stories)
	if _, err := s.board.History(t.Context(), friday, 0); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("no months gave %v, want Invalid", err)
	}
}
