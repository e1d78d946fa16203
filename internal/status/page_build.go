package status

import (
	"slices"
	"time"
)

const (
	// MaxSparklines is up to how many components the front page shows latency
	// lines; with more they are on the components' own pages.
	MaxSparklines = 40
	// PastDays is how many days the front page tells one by one.
	PastDays = 15
	// AheadFor is how far ahead maintenance is shown.
	AheadFor = 30 * 24 * time.Hour
	// FinishedFor is how long maintenance is shown when it is over.
	FinishedFor = 30 * 24 * time.Hour
	// MaxFinished bounds how many of those are shown.
	MaxFinished = 50
)

// frame gives the days that the page of now shows. Must be called under the lock.
func (b *Board) frame(now time.Time) *days {
	if b.days == nil || !b.days.holds(now) || b.days.zone.String() != b.plan.zone.String() {
		b.days = daysUntil(now, b.plan.zone)
	}
	return b.days
}

// build makes the page of a minute. Must be called under the lock.
func (b *Board) build(now time.Time) *Page {
	f := b.frame(now)
	site := b.plan.catalog.Site
	p := &Page{Site: site, Seq: b.seq, At: now, Weights: site.Weights}
	total := len(b.plan.public)
	p.Sparklines = total > 0 && total <= MaxSparklines
	say := saying{now: now, zone: b.plan.zone, all: make([]shown, 0, total), calm: b.calmDays(f)}
	b.addIncidents(p)
	on := openOn(p.Incidents)
	all := make([]PageComponent, 0, total)
	statuses := make([]Status, 0, total)
	for i, g := range b.plan.groups {
		members := b.plan.members[i]
		if len(members) == 0 {
			continue
		}
		first := len(all)
		for _, c := range members {
			s := b.strips[c.Key]
			all = append(all, b.component(f, s, now, p.Sparklines))
			x := &all[len(all)-1]
			sh := shown{id: c.ID, name: c.Name, status: x.Status, since: x.Since, stint: s.last()}
			say.all = append(say.all, sh)
			x.Why = say.why(sh)
			if wrong(x.Status) && !on[c.ID] {
				p.Failures = append(p.Failures, Failure{Component: c.ID, Name: c.Name, Status: x.Status, Since: x.Since, Text: say.failure(sh)})
			}
			statuses = append(statuses, x.Status)
			say.ended = max(say.ended, endOfTrouble(s.stints, f.at[0]))
			p.Changed = later(p.Changed, x.UpdatedAt)
		}
		p.Groups = append(p.Groups, pageGroup(g, all[first:len(all):len(all)]))
	}
	components := Worst(statuses...)
	p.Status = components
	for n := range p.Incidents {
		p.Status = Worst(p.Status, p.Incidents[n].Worst())
	}
	rolled := p.Status
	if site.Strict {
		rolled = components
	}
	p.Indicator, p.Description = IndicatorOf(rolled), Describe(rolled)
	b.addWorks(p, now)
	say.works, say.open = p.Current, p.Incidents
	p.Headline = say.headline()
	slices.SortStableFunc(p.Failures, func(x, y Failure) int { return severity[y.Status] - severity[x.Status] })
	p.Past = b.past(f)
	return p
}

// component makes one row of the page.
func (b *Board) component(f *days, s *strip, now time.Time, lines bool) PageComponent {
	c, last := s.component, s.last()
	p := PageComponent{
		ID: c.ID, Key: c.Key, Name: c.Name, Description: c.Description, Group: c.Group, Position: c.Position,
		Status: last.status, Since: s.since(), CreatedAt: c.CreatedAt, UpdatedAt: later(c.CreatedAt, time.UnixMicro(last.from).UTC()),
		Days: f.look(s),
	}
	p.Uptime = Uptime(f.uptime(s, now), b.plan.catalog.Site.Weights)
	if lines {
		l := b.lines[c.Key]
		p.Line, p.Median = l.hours, l.median
	}
	return p
}

// pageGroup rolls components up under their heading.
func pageGroup(g Group, members []PageComponent) PageGroup {
	p := PageGroup{ID: g.ID, Name: g.Name, Components: members, CreatedAt: g.CreatedAt, UpdatedAt: g.CreatedAt, Position: g.Position, Status: NotMeasured}
	for i := range members {
		p.Status = Worst(p.Status, members[i].Status)
		p.UpdatedAt = later(p.UpdatedAt, members[i].UpdatedAt)
	}
	return p
}

// endOfTrouble gives when the newest trouble ended that lasts beyond a moment;
// 0 when there was none, or when it still lasts.
func endOfTrouble(stints []stint, after int64) int64 {
	for i := len(stints) - 1; i >= 0 && stints[i].to > after; i-- {
		if wrong(stints[i].status) && stints[i].to != forever {
			return stints[i].to
		}
	}
	return 0
}

// calmDays is of how many of the shown days anything is known.
func (b *Board) calmDays(f *days) int {
	born := forever
	for _, s := range b.strips {
		born = min(born, s.born())
	}
	n := BarDays
	for n > 0 && f.at[BarDays-n+1] <= born {
		n--
	}
	return n
}

// addWorks puts maintenance of public components on the page.
func (b *Board) addWorks(p *Page, now time.Time) {
	for _, o := range b.works {
		o, visible := b.visible(o)
		if !visible {
			continue
		}
		p.Changed = later(p.Changed, later(o.ChangedAt, o.EndedAt))
		switch {
		case o.State == MaintenanceInProgress || o.State == MaintenanceVerifying:
			p.Current = append(p.Current, o)
		case o.State == MaintenanceScheduled && o.From.Before(now.Add(AheadFor)):
			p.Ahead = append(p.Ahead, o)
		case o.Over() && overSince(o).After(now.Add(-FinishedFor)):
			p.Finished = append(p.Finished, o)
		}
	}
	slices.SortStableFunc(p.Finished, func(x, y Occurrence) int { return overSince(y).Compare(overSince(x)) })
	p.Finished = p.Finished[:min(len(p.Finished), MaxFinished)]
}

// overSince is when maintenance ended or was cancelled.
func overSince(o Occurrence) time.Time {
	if !o.EndedAt.IsZero() {
		return o.EndedAt
	}
	return later(o.ChangedAt, earlier(o.From, o.To))
}

// visible gives maintenance with public components alone; one without any is
// nobody's business.
func (b *Board) visible(o Occurrence) (Occurrence, bool) {
	hidden := func(id string) bool { return b.plan.public[id] == nil }
	if slices.ContainsFunc(o.Components, hidden) {
		o.Components = slices.DeleteFunc(slices.Clone(o.Components), hidden)
	}
	return o, len(o.Components) > 0
}

// past tells the last days, newest first; quiet days in a row are one line.
// Days before anything was watched are left out.
func (b *Board) past(f *days) []PastDay {
	first := BarDays - min(PastDays, b.calmDays(f))
	events := make([][]PastEvent, BarDays)
	tell := tellersOf(b.shownIncidents)
	for i := range b.plan.groups {
		for _, c := range b.plan.members[i] {
			for _, t := range troubles(b.strips[c.Key].stints, f.at[first]) {
				if tell.of(c.ID, t.from, t.to) != nil {
					continue
				}
				d := f.dayOf(t.from, first)
				events[d] = append(events[d], t.event(c))
			}
		}
	}
	began := make([][]Incident, BarDays)
	for n := range b.shownIncidents {
		at := b.shownIncidents[n].StartedAt.UnixMicro()
		if at >= f.at[first] && at < f.at[BarDays] {
			d := f.dayOf(at, first)
			began[d] = append(began[d], b.shownIncidents[n])
		}
	}
	var past []PastDay
	for d := BarDays - 1; d >= first; d-- {
		day := PastDay{From: f.bounds[d], To: f.bounds[d], Incidents: began[d], Events: events[d]}
		if n := len(past); n > 0 && day.Quiet() && past[n-1].Quiet() {
			past[n-1].From = day.From
			continue
		}
		sortEvents(day.Events)
		past = append(past, day)
	}
	return past
}

// dayOf gives the index of the shown day of a moment, from first on.
func (f *days) dayOf(at int64, first int) int {
	d, exact := slices.BinarySearch(f.at[:BarDays], at)
	if !exact {
		d--
	}
	return max(d, first)
}
