package publictest

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Board is a read model that gives one page and what can be derived from it.
type Board struct {
	mu    sync.Mutex
	page  *status.Page
	away  error
	Reads int // of components and months
}

// NewBoard makes a board of a page.
func NewBoard(p *status.Page) *Board { return &Board{page: p} }

// Show changes the page.
func (b *Board) Show(p *status.Page) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page = p
}

// Fail makes everything that needs the record give an error; nil mends it.
func (b *Board) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = err
}

// Page gives the page.
func (b *Board) Page(time.Time) *status.Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.page
}

func (b *Board) read() (*status.Page, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Reads++
	return b.page, b.away
}

// Component gives a page of a component with charts, months and changes.
func (b *Board) Component(_ context.Context, id string, _ time.Time) (*status.ComponentPage, error) {
	p, err := b.read()
	if err != nil {
		return nil, err
	}
	for _, g := range p.Groups {
		for _, c := range g.Components {
			if c.ID == id {
				return componentPage(p, c), nil
			}
		}
	}
	return nil, problem.NotFound("There is no component %q.", id)
}

// Incident gives the page of an incident that the page knows.
func (b *Board) Incident(_ context.Context, id string, _ time.Time) (*status.IncidentPage, error) {
	p, err := b.read()
	if err != nil {
		return nil, err
	}
	if id == Merged {
		return &status.IncidentPage{Page: p, MovedTo: Slow().ID}, nil
	}
	for _, i := range p.Recent {
		if i.ID != id {
			continue
		}
		out := &status.IncidentPage{Page: p, Incident: i}
		for _, c := range i.Components {
			out.Facts = append(out.Facts, status.IncidentFact{At: i.StartedAt, ID: c.ID, Name: c.Name, Status: status.Degraded})
			if !i.Open() {
				out.Facts = append(out.Facts, status.IncidentFact{At: i.ResolvedAt, ID: c.ID, Name: c.Name, Status: status.Operational})
			}
		}
		return out, nil
	}
	return nil, problem.NotFound("There is no such incident on this page.")
}

// Merged is the id of an incident whose place Slow took.
const Merged = "merged0000000000"

// History gives months with the events of the page.
func (b *Board) History(_ context.Context, now time.Time, months int) ([]status.HistoryMonth, error) {
	p, err := b.read()
	if err != nil {
		return nil, err
	}
	var out []status.HistoryMonth
	for i := range months {
		first := time.Date(now.Year(), now.Month()-time.Month(i), 1, 0, 0, 0, 0, time.UTC)
		m := status.HistoryMonth{Month: first, Uptime: 0.99991}
		for d := first; d.Month() == first.Month(); d = d.AddDate(0, 0, 1) {
			m.Days = append(m.Days, status.Day{Date: d, Worst: status.Operational})
		}
		for _, n := range p.Recent {
			if n.StartedAt.Year() == first.Year() && n.StartedAt.Month() == first.Month() {
				m.Incidents = append(m.Incidents, n)
				m.Days[n.StartedAt.Day()-1].Worst, m.Days[n.StartedAt.Day()-1].Story = n.Worst(), n.Name
			}
		}
		for _, past := range p.Past {
			for _, e := range past.Events {
				if e.From.Year() == first.Year() && e.From.Month() == first.Month() {
					m.Events = append(m.Events, e)
					m.Days[e.From.Day()-1].Worst, m.Days[e.From.Day()-1].Story = e.Status, e.Text
				}
			}
		}
		if i == 2 {
			m.Uptime = math.NaN()
			for d := range m.Days {
				m.Days[d].Worst, m.Days[d].Before = status.NotMeasured, true
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// Uptime gives a fixed tally.
func (b *Board) Uptime(_ context.Context, id string, from, to time.Time) (status.Tally, float64, error) {
	if _, err := b.read(); err != nil {
		return status.Tally{}, 0, err
	}
	return status.Tally{Up: to.Sub(from) - time.Hour, Major: time.Hour}, 1 - float64(time.Hour)/float64(to.Sub(from)), nil
}

// componentPage makes a page of one component.
func componentPage(p *status.Page, c status.PageComponent) *status.ComponentPage {
	tally := status.Tally{Up: 23*time.Hour + 30*time.Minute, Degraded: 30 * time.Minute}
	out := &status.ComponentPage{Page: p, Component: c}
	for _, i := range p.Recent {
		if i.Affects(c.ID) {
			out.Incidents = append(out.Incidents, i)
		}
	}
	if len(out.Incidents) > 0 {
		out.Corrected = []status.Rectification{
			{At: p.At.AddDate(0, 0, -2), From: p.At.AddDate(0, 0, -3), To: p.At.AddDate(0, 0, -3).Add(20 * time.Minute), Delta: status.Tally{Up: 20 * time.Minute, Major: -20 * time.Minute}, Reason: "A certificate of our own checks had expired; " + c.Name + " was fine."},
			{At: p.At.AddDate(0, 0, -30), From: p.At.AddDate(0, 0, -31), To: p.At.AddDate(0, 0, -31).Add(time.Hour), Delta: status.Tally{Up: time.Hour, Degraded: -time.Hour}, Reason: "Marked by mistake.", Undone: p.At.AddDate(0, 0, -29)},
		}
	}
	for i, label := range []string{"24 hours", "7 days", "30 days", "90 days", "12 months"} {
		t := tally
		t.Up += time.Duration(i) * 24 * time.Hour
		t.Major = time.Duration(i) * 14 * time.Minute
		out.Rows = append(out.Rows, status.UptimeRow{Label: label, To: p.At, Tally: t, Uptime: 1 - float64(t.Major)/float64(t.Watched())})
	}
	for i := range 3 {
		out.Months = append(out.Months, status.MonthRow{Month: time.Date(p.At.Year(), p.At.Month()-time.Month(i), 1, 0, 0, 0, 0, time.UTC), Tally: tally, Uptime: 0.99987, Frozen: i > 0})
	}
	out.Months[2].Corrections = []status.Correction{{ID: "1", Reason: c.Name}}
	if c.Since.Before(p.At) {
		out.Changes = append(out.Changes, status.Span{From: c.Since, Status: c.Status, Public: c.Why})
	}
	at := c.Since
	for i := len(c.Days) - 1; i >= 0; i-- {
		d := c.Days[i]
		if d.Story == "" || !d.Date.Before(at.Truncate(24*time.Hour)) {
			continue
		}
		end := d.Date.Add(9*time.Hour + 44*time.Minute)
		out.Changes = append(out.Changes, status.Span{From: end, To: at, Status: status.Operational})
		at = end.Add(-32 * time.Minute)
		out.Changes = append(out.Changes, status.Span{From: at, To: end, Status: d.Worst, Public: d.Story})
	}
	for _, spec := range []struct {
		span string
		all  time.Duration
		step time.Duration
	}{{"24h", 24 * time.Hour, 5 * time.Minute}, {"7d", 7 * 24 * time.Hour, time.Hour}, {"90d", 90 * 24 * time.Hour, 24 * time.Hour}} {
		out.Charts = append(out.Charts, chart(p, c, spec.span, spec.all, spec.step))
	}
	for _, g := range p.Groups {
		for _, n := range g.Components {
			if n.ID != c.ID && n.Group == "apps" {
				out.Needs = append(out.Needs, n)
			}
		}
	}
	return out
}

// chart makes a day that is calm and, when the component is slow, ends badly.
func chart(p *status.Page, c status.PageComponent, span string, all, step time.Duration) status.Chart {
	r := rand.New(rand.NewPCG(uint64(all), 3))
	n := int(all / step)
	ch := status.Chart{Monitor: c.ID + "-http", Name: c.Name + " answers", Span: span, Unit: "s", From: p.At.Add(-all), To: p.At, Step: step, Limit: 1}
	calm := min(0.19, max(0.02, c.Median.Seconds()))
	for i := range n {
		m := calm * (0.8 + 0.2*math.Sin(float64(i)/40) + 0.1*r.Float64())
		high := m * (1.5 + r.Float64())
		if since := p.At.Sub(ch.From.Add(time.Duration(i) * step)); c.Status == status.Degraded && since < 40*time.Minute {
			rise := 1 - float64(max(0, since-10*time.Minute))/float64(30*time.Minute)
			m, high = 0.2+2.7*rise, 0.4+3*rise
		}
		if i == n/3 || i == n/3+1 {
			m, high = math.NaN(), math.NaN()
		}
		ch.Median, ch.P95 = append(ch.Median, m), append(ch.P95, high)
	}
	if c.Status != status.Operational {
		ch.Shades = append(ch.Shades, status.Shade{From: c.Since, Status: c.Status})
	}
	return ch
}
