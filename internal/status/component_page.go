package status

import (
	"context"
	"time"

	"evenkeel/internal/problem"
)

const (
	// MaxChanges bounds the changes of status that a component's page lists.
	MaxChanges = 50
	// MonthRows is how many months it lists, the present one included.
	MonthRows = 13
)

// uptimePeriods are the periods of the uptime table: whole days, today included,
// but for the first, which is the last 24 hours.
var uptimePeriods = [...]struct {
	label string
	days  int
}{{"24 hours", 0}, {"7 days", 7}, {"30 days", 30}, {"90 days", BarDays}, {"365 days", 365}}

// Component makes a component's own page. Errors: NotFound for one that is not
// known or not public, Unavailable.
func (b *Board) Component(ctx context.Context, id string, now time.Time) (_ *ComponentPage, err error) {
	defer problem.Wrap(&err, "component page")
	now = minuteOf(now)
	b.mu.Lock()
	plan := b.plan
	page := b.build(now)
	told := b.shownIncidents
	b.mu.Unlock()
	c := plan.public[id]
	if c == nil {
		return nil, problem.NotFound("There is no component %q on this page.", id)
	}
	year := dayBounds(now, 365, plan.zone)
	from := earlier(year[0], monthAfter(now, 1-MonthRows, plan.zone))
	spans, err := b.store.Spans(ctx, c.Key, Published, from, endOfTime)
	if err != nil {
		return nil, err
	}
	frozen, err := b.store.Months(ctx, c.Key)
	if err != nil {
		return nil, err
	}
	p := &ComponentPage{Page: page, Changes: changesOf(spans), Incidents: incidentsOf(told, id)}
	if p.Corrected, err = b.rectifications(ctx, c.Key, frozen, plan.zone); err != nil {
		return nil, err
	}
	rows := page.byID()
	p.Component = *rows[id]
	for _, need := range c.Needs {
		if x := rows[need]; x != nil {
			p.Needs = append(p.Needs, *x)
		}
	}
	for _, period := range uptimePeriods {
		since := now.Add(-24 * time.Hour)
		if period.days > 0 {
			since = year[len(year)-1-period.days]
		}
		p.Rows = append(p.Rows, uptimeRow(period.label, spans, since, now, page.Weights))
	}
	p.Months = monthRows(c, spans, frozen, now, plan.zone, page.Weights)
	p.Charts, err = b.charts(ctx, &plan, c, spans, now)
	return p, err
}

// byID finds the components of the page.
func (p *Page) byID() map[string]*PageComponent {
	rows := map[string]*PageComponent{}
	for i := range p.Groups {
		for j := range p.Groups[i].Components {
			x := &p.Groups[i].Components[j]
			rows[x.ID] = x
		}
	}
	return rows
}

// changesOf lists spans newest first, without what only staff may read.
func changesOf(spans []Span) []Span {
	var out []Span
	for i := len(spans) - 1; i >= 0 && len(out) < MaxChanges; i-- {
		s := spans[i]
		s.Staff = ""
		out = append(out, s)
	}
	return out
}

// uptimeRow is one period of the table.
func uptimeRow(label string, spans []Span, from, to time.Time, w Weights) UptimeRow {
	t := TallyOf(spans, from, to)
	return UptimeRow{Label: label, From: from.UTC(), To: to, Tally: t, Uptime: Uptime(t, w)}
}

// monthRows lists the months of a component, newest first, from the present one
// back to the one in which its history begins. A frozen month is as it was
// frozen, with its corrections, whatever became of the spans.
func monthRows(c *Component, spans []Span, frozen []Month, now time.Time, zone *time.Location, w Weights) []MonthRow {
	born := c.CreatedAt
	if len(spans) > 0 {
		born = earlier(born, spans[0].From)
	}
	closed := map[string]Month{}
	for _, m := range frozen {
		closed[m.Month] = m
	}
	var rows []MonthRow
	for n := range MonthRows {
		from, to := monthAfter(now, -n, zone), monthAfter(now, 1-n, zone)
		row := MonthRow{Month: from}
		m, ok := closed[from.Format(monthName)]
		switch {
		case ok:
			row.Tally, row.Frozen, row.Corrections = m.Net(), true, m.Corrections
		case !to.After(born):
			continue
		default:
			row.Tally = TallyOf(spans, from, earlier(to, now))
		}
		row.Uptime = Uptime(row.Tally, w)
		rows = append(rows, row)
	}
	return rows
}
