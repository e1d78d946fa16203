package status

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"evenkeel/internal/problem"
)

const (
	// MaxHistoryMonths is how far back the history goes.
	MaxHistoryMonths = 36
	// MaxMonthEvents bounds the troubles, and the incidents, that one month of it tells.
	MaxMonthEvents = 300
)

// History tells the last months, newest first, the present one included, back
// to the one in which the history of the public components begins. Errors:
// Invalid, Unavailable.
func (b *Board) History(ctx context.Context, now time.Time, months int) (_ []HistoryMonth, err error) {
	defer problem.Wrap(&err, "history")
	if months < 1 || months > MaxHistoryMonths {
		return nil, problem.Invalid("months", "must be from 1 to %d.", MaxHistoryMonths)
	}
	now = minuteOf(now)
	b.mu.Lock()
	plan := b.plan
	b.mu.Unlock()
	begin := monthAfter(now, 1-months, plan.zone)
	spans, err := b.store.AllSpans(ctx, Published, begin)
	if err != nil {
		return nil, err
	}
	told, err := b.incidentsSince(ctx, &plan, begin)
	if err != nil {
		return nil, err
	}
	frozen, err := b.store.Months(ctx, "")
	if err != nil {
		return nil, err
	}
	h := chronicleOf(&plan, spans, frozen)
	h.told, h.tellers = told, tellersOf(told)
	for n := range told {
		h.born = min(h.born, told[n].StartedAt.UnixMicro())
	}
	var out []HistoryMonth
	for n := range months {
		from, to := monthAfter(now, -n, plan.zone), monthAfter(now, 1-n, plan.zone)
		if n > 0 && !to.After(time.UnixMicro(h.born)) {
			break
		}
		out = append(out, h.month(from, to, now, &plan))
	}
	return out, nil
}

// chronicle is what the history is told from.
type chronicle struct {
	stints map[string][]stint  // by component key
	net    map[[2]string]Tally // frozen months, by component key and month
	born   int64
	told   []Incident // newest start first
	tellers
}

func chronicleOf(plan *layout, spans []Span, frozen []Month) *chronicle {
	h := &chronicle{stints: map[string][]stint{}, net: map[[2]string]Tally{}, born: forever}
	for _, c := range plan.public {
		h.born = min(h.born, c.CreatedAt.UnixMicro())
	}
	for _, s := range spans {
		h.stints[s.Component] = append(h.stints[s.Component], stintOf(s))
	}
	for _, c := range plan.public {
		if list := h.stints[c.Key]; len(list) > 0 {
			h.born = min(h.born, list[0].from)
		}
	}
	for _, m := range frozen {
		h.net[[2]string{m.Component, m.Month}] = m.Net()
	}
	return h
}

// month tells one month of all public components together.
func (h *chronicle) month(from, to, now time.Time, plan *layout) HistoryMonth {
	m := HistoryMonth{Month: from}
	begin, end := from.UnixMicro(), earlier(to, now).UnixMicro()
	cells := monthDays(from, to, plan.zone)
	sum, measured := 0.0, 0
	for _, members := range plan.members {
		for _, c := range members {
			stints := h.stints[c.Key]
			t, ok := h.net[[2]string{c.Key, from.Format(monthName)}]
			if !ok {
				t = tally(stints, begin, end)
			}
			if u := Uptime(t, plan.catalog.Site.Weights); !math.IsNaN(u) {
				sum += u
				measured++
			}
			for _, run := range troubles(stints, begin) {
				// One that began before is told in the month in which it began.
				if run.from >= begin && run.from < to.UnixMicro() && h.of(c.ID, run.from, run.to) == nil {
					m.Events = append(m.Events, run.event(c))
				}
			}
			for i := range cells {
				cells[i].look(c.Name, stints)
			}
		}
	}
	m.Uptime = math.NaN()
	if measured > 0 {
		m.Uptime = sum / float64(measured)
	}
	for i := range cells {
		m.Days = append(m.Days, cells[i].day(plan.zone))
	}
	sortEvents(m.Events)
	slices.SortStableFunc(m.Events, func(a, b PastEvent) int { return dayStart(b.From, plan.zone).Compare(dayStart(a.From, plan.zone)) })
	m.Events = m.Events[:min(len(m.Events), MaxMonthEvents)]
	for n := range h.told {
		if at := h.told[n].StartedAt.UnixMicro(); at >= begin && at < to.UnixMicro() && len(m.Incidents) < MaxMonthEvents {
			m.Incidents = append(m.Incidents, h.told[n])
		}
	}
	return m
}

// monthDay is one day of the page in the making: the worst component tells it.
type monthDay struct {
	from, to int64
	start    time.Time
	worst    Status
	name     string   // of the component that was worst, for longest
	parts    dayParts // what happened to it
	others   int      // components with trouble besides
}

// monthDays makes the days of a month.
func monthDays(from, to time.Time, zone *time.Location) []monthDay {
	var days []monthDay
	y, mo, d := from.In(zone).Date()
	for at := from; at.Before(to); {
		d++
		next := earlier(firstMoment(y, mo, d, zone), to)
		if !at.Before(next) {
			continue // a date that the zone left out
		}
		days = append(days, monthDay{from: at.UnixMicro(), to: next.UnixMicro(), start: at, worst: NotMeasured})
		at = next
	}
	return days
}

// look takes one component into account.
func (d *monthDay) look(name string, stints []stint) {
	i, _ := slices.BinarySearchFunc(stints, d.from+1, func(s stint, at int64) int {
		if s.to < at {
			return -1
		}
		return 1
	})
	worst := NotMeasured
	for j := i; j < len(stints) && stints[j].from < d.to; j++ {
		if stints[j].status.Worse(worst) {
			worst = stints[j].status
		}
	}
	if !worst.Worse(Operational) {
		if worst.Worse(d.worst) {
			d.worst = worst
		}
		return
	}
	p := partsOf(stints[i:], d.from, d.to, d.start)
	sev := severity[worst]
	longer := worst == d.worst && p.by[sev].lasted > d.parts.by[sev].lasted
	if wrong(worst) && wrong(d.worst) {
		d.others++
	}
	if worst.Worse(d.worst) || longer {
		d.worst, d.name, d.parts = worst, name, p
	}
}

// day gives the finished day.
func (d *monthDay) day(zone *time.Location) Day {
	day := Day{Date: d.start, Worst: d.worst}
	if d.name == "" {
		return day
	}
	day.Story = d.parts.story(d.start.In(zone).Format("2 January"), zone) + " (" + d.name
	switch d.others {
	case 0:
	case 1:
		day.Story += " and one other"
	default:
		day.Story += " and " + strconv.Itoa(d.others) + " others"
	}
	day.Story += ")"
	return day
}
