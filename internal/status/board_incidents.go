package status

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Incidents tells what customers may know of incidents. Updates come newest
// first; components by key.
type Incidents interface {
	// Public gives those that are open or ended after since. Errors: Unavailable.
	Public(ctx context.Context, since time.Time) ([]Incident, error)
	// Incident gives one, however old. Of one that another took the place of it
	// tells MergedInto alone. Errors: NotFound, for one that customers do not see
	// too, and Unavailable.
	Incident(ctx context.Context, id string) (Incident, error)
}

// Amendments tells what was corrected by hand; the store does.
type Amendments interface {
	// Amendments gives the false alarms marked for a component, newest first.
	Amendments(ctx context.Context, component string, limit int) ([]Amendment, error)
}

const (
	// MaxIncidents bounds the incidents that the board keeps: every open one, and
	// of those that are over the newest.
	MaxIncidents = 1000
	// MaxRecent bounds the list of incidents, open and over, on a page.
	MaxRecent = 50
	// MaxIncidentFacts bounds what an incident's page tells of what checks saw,
	// and maxFactComponents of how many components.
	MaxIncidentFacts  = 60
	maxFactComponents = 20
	// factsAhead is how long before an incident a change may lie that is told with it.
	factsAhead = time.Minute
	// MaxComponentIncidents and MaxRectified bound what a component's page lists.
	MaxComponentIncidents = 20
	MaxRectified          = 20
	// maxIncidentID bounds an id that is looked up, in bytes.
	maxIncidentID = 100
	// maxMerges bounds how many incidents in a row took one another's place.
	maxMerges = 10
)

// incidents are those that the board keeps, by id.
type incidents map[string]Incident

// readIncidents reads all that the page shows.
func (b *Board) readIncidents(ctx context.Context, next *Board) error {
	next.incidents = incidents{}
	if b.told == nil {
		return nil
	}
	list, err := b.told.Public(ctx, next.from)
	if err != nil {
		return err
	}
	for _, i := range bounded(list) {
		i.UpdatedAt = i.seenChange()
		next.incidents[i.ID] = i
	}
	return nil
}

// seenChange is when customers last had something new to read. What staff alone
// did since does not move it: the page would tell that they did something.
func (i *Incident) seenChange() time.Time {
	at := later(i.StartedAt, i.ResolvedAt)
	for n := range i.Updates {
		u := &i.Updates[n]
		at = later(at, later(u.At, later(u.CreatedAt, u.EditedAt)))
	}
	return later(at, later(i.Review.PublishedAt, i.Review.EditedAt))
}

// bounded gives the open incidents and the newest others.
func bounded(list []Incident) []Incident {
	if len(list) <= MaxIncidents {
		return list
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y Incident) int {
		if x.Open() != y.Open() {
			if x.Open() {
				return -1
			}
			return 1
		}
		return y.StartedAt.Compare(x.StartedAt)
	})
	return list[:MaxIncidents]
}

// rereadIncidents reads again those that entries touched. The time of each is
// that of a change that its updates do not tell, such as of its name.
func (b *Board) rereadIncidents(ctx context.Context, next *Board, ids map[string]time.Time) error {
	if b.told == nil || len(ids) == 0 {
		return nil
	}
	if len(ids) > maxTouched {
		return b.readIncidents(ctx, next)
	}
	next.incidents = maps.Clone(next.incidents)
	for id, edited := range ids {
		i, err := b.told.Incident(ctx, id)
		switch {
		case problem.KindOf(err) == problem.KindNotFound || err == nil && i.MergedInto != "":
			delete(next.incidents, id)
		case err != nil:
			return err
		case i.Open() || time.UnixMicro(i.ended()).After(next.from):
			i.UpdatedAt = later(i.seenChange(), edited)
			next.incidents[id] = i
		}
	}
	return nil
}

// touchIncident notes the incident that an entry may have changed; ok is false
// for an entry about something else.
func (t *touched) touchIncident(e *journal.Sealed) (ok bool) {
	if e.Subject.Kind != "incident" {
		return false
	}
	var edited time.Time
	if e.Verb == "incident.edited" && e.Audience == journal.AudiencePublic {
		edited = e.RecordedAt
	}
	t.incidents[e.Subject.ID] = later(t.incidents[e.Subject.ID], edited)
	return true
}

// arrange gives the incidents of the page, newest start first, with their
// components named. One that affects none but components that are not public is
// nobody's business.
func (l *layout) arrange(all incidents) []Incident {
	out := make([]Incident, 0, len(all))
	for _, i := range all {
		if i, ok := l.named(i); ok {
			out = append(out, i)
		}
	}
	newestFirst(out)
	return out[:min(len(out), MaxIncidents)]
}

// newestFirst sorts by start.
func newestFirst(list []Incident) {
	slices.SortFunc(list, func(x, y Incident) int {
		return cmp.Or(y.StartedAt.Compare(x.StartedAt), cmp.Compare(x.ID, y.ID))
	})
}

// named names the public components of an incident and leaves out the others; ok
// is false when it has none but others.
func (l *layout) named(i Incident) (_ Incident, ok bool) {
	before := len(i.Components)
	var kept []IncidentComponent
	for _, a := range i.Components {
		if c := l.byKey[a.Key]; c != nil {
			a.ID, a.Name = c.ID, c.Name
			kept = append(kept, a)
		}
	}
	i.Components = kept
	i.Updates = slices.Clone(i.Updates)
	for n := range i.Updates {
		var moves []IncidentMove
		for _, m := range i.Updates[n].Moves {
			if c := l.byKey[m.Key]; c != nil {
				m.ID, m.Name = c.ID, c.Name
				moves = append(moves, m)
			}
		}
		i.Updates[n].Moves = moves
	}
	return i, before == 0 || len(kept) > 0
}

// addIncidents puts incidents on the page.
func (b *Board) addIncidents(p *Page) {
	for n := range b.shownIncidents {
		i := &b.shownIncidents[n]
		p.Changed = later(p.Changed, i.UpdatedAt)
		if i.Open() {
			p.Incidents = append(p.Incidents, *i)
		}
	}
	slices.SortStableFunc(p.Incidents, func(x, y Incident) int { return severity[y.Worst()] - severity[x.Worst()] })
	p.Recent = b.shownIncidents[:min(len(b.shownIncidents), MaxRecent)]
}

// openOn gives the components, by ID, that open incidents tell of.
func openOn(open []Incident) map[string]bool {
	on := map[string]bool{}
	for n := range open {
		for _, c := range open[n].Components {
			on[c.ID] = true
		}
	}
	return on
}

// coverSlack is how long a trouble may outlast the incident that tells of it: an
// incident is called over a little before its last check is good.
const coverSlack = time.Hour

// tellers tells which troubles of components are told by incidents.
type tellers map[string][]*Incident // by component ID

func tellersOf(list []Incident) tellers {
	t := tellers{}
	for n := range list {
		for _, c := range list[n].Components {
			t[c.ID] = append(t[c.ID], &list[n])
		}
	}
	return t
}

// of gives the incident that tells of a stretch of trouble of a component; nil
// when none does.
func (t tellers) of(id string, from, to int64) *Incident {
	for _, i := range t[id] {
		end := i.ended()
		if from < end && to > i.StartedAt.UnixMicro() && (end == forever || to != forever && to-end <= coverSlack.Microseconds()) {
			return i
		}
	}
	return nil
}

// incidentsSince gives the incidents that lasted beyond a moment, newest start
// first: from memory where it remembers that far.
func (b *Board) incidentsSince(ctx context.Context, plan *layout, since time.Time) ([]Incident, error) {
	b.mu.Lock()
	from, shown := b.from, b.shownIncidents
	b.mu.Unlock()
	if b.told == nil || !since.Before(from) {
		return shown, nil
	}
	list, err := b.told.Public(ctx, since)
	if err != nil {
		return nil, err
	}
	all := make(incidents, len(list))
	for _, i := range list {
		all[i.ID] = i
	}
	return plan.arrange(all), nil
}

// incidentsOf gives those that affected a component, by ID, newest start first.
func incidentsOf(list []Incident, id string) []Incident {
	var out []Incident
	for n := range list {
		if list[n].Affects(id) && len(out) < MaxComponentIncidents {
			out = append(out, list[n])
		}
	}
	return out
}

// rectifications tells what was corrected by hand of a component, newest first:
// false alarms, and frozen months for other reasons.
func (b *Board) rectifications(ctx context.Context, key string, frozen []Month, zone *time.Location) ([]Rectification, error) {
	var out []Rectification
	told := map[string]bool{}
	if b.amended != nil {
		list, err := b.amended.Amendments(ctx, key, MaxRectified)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out = append(out, Rectification{At: a.At, From: a.From, To: a.To, Delta: a.Delta(), Reason: a.Reason, Undone: a.UndoneAt})
			told[a.At.String()], told[a.UndoneAt.String()] = true, true
		}
	}
	for _, m := range frozen {
		from, err := time.ParseInLocation(monthName, m.Month, zone)
		if err != nil {
			continue // a row that no binary of ours wrote
		}
		from = monthStart(from, zone)
		for _, c := range m.Corrections {
			if !told[c.At.String()] { // those of a false alarm carry its moment
				out = append(out, Rectification{At: c.At, From: from, To: monthAfter(from, 1, zone), Delta: c.Delta, Reason: c.Reason})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Rectification) int { return y.At.Compare(x.At) })
	return out[:min(len(out), MaxRectified)], nil
}

// Incident makes an incident's own page, however old it is. Errors: NotFound,
// also for one that customers do not see, Unavailable.
func (b *Board) Incident(ctx context.Context, id string, now time.Time) (_ *IncidentPage, err error) {
	defer problem.Wrap(&err, "incident page")
	now = minuteOf(now)
	absent := problem.NotFound("There is no such incident on this page.")
	if id == "" || len(id) > maxIncidentID || b.told == nil {
		return nil, absent
	}
	b.mu.Lock()
	plan := b.plan
	page := b.build(now)
	i, known := b.incidents[id]
	b.mu.Unlock()
	if !known {
		if i, err = b.told.Incident(ctx, id); err != nil {
			if problem.KindOf(err) == problem.KindNotFound {
				err = absent
			}
			return nil, err
		}
	}
	p := &IncidentPage{Page: page}
	if i.MergedInto != "" {
		p.MovedTo, err = b.successor(ctx, i.MergedInto)
		return p, err
	}
	i, ok := plan.named(i)
	if !ok {
		return nil, absent
	}
	p.Incident = i
	p.Facts, err = b.facts(ctx, &i, now)
	return p, err
}

// successor follows incidents that took one another's place to the one that
// stands. Errors: NotFound, Unavailable.
func (b *Board) successor(ctx context.Context, id string) (string, error) {
	for range maxMerges {
		i, err := b.told.Incident(ctx, id)
		if err != nil {
			return "", err
		}
		if i.MergedInto == "" {
			return id, nil
		}
		id = i.MergedInto
	}
	return "", problem.NotFound("There is no such incident on this page.")
}

// facts tells how the components of an incident changed while it was open, by
// what the page said; what the incident itself made of them stands in its updates.
func (b *Board) facts(ctx context.Context, i *Incident, now time.Time) ([]IncidentFact, error) {
	to := now
	if !i.ResolvedAt.IsZero() {
		to = i.ResolvedAt
	}
	var out []IncidentFact
	for n, c := range i.Components {
		if n == maxFactComponents {
			break
		}
		begin := i.StartedAt.Add(-factsAhead)
		spans, err := b.store.Spans(ctx, c.Key, Published, begin, to)
		if err != nil {
			return nil, err
		}
		before := NotMeasured
		for _, s := range spans {
			fresh := !s.From.Before(begin) && s.Status != before
			before = s.Status
			if fresh && s.Origin != ByHuman && s.Status != NotMeasured {
				out = append(out, IncidentFact{At: s.From, ID: c.ID, Name: c.Name, Status: s.Status})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y IncidentFact) int { return x.At.Compare(y.At) })
	return out[:min(len(out), MaxIncidentFacts)], nil
}
