package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// What fits at the side of a wall.
const (
	wallIncidents = 3
	wallChanges   = 7
	wallLoose     = 5
	wallTurns     = 2
)

// unpublishedFor is how long the page may lag behind what checks see before the
// wall calls it a loose end.
const unpublishedFor = time.Minute

// wallIncident is one open incident.
type wallIncident struct {
	Path, Name string
	Mark       Mark
	Age        Stamp
	Due        Stamp  // the next update
	DueIn      string // 8:52
	Late       bool
	State      string
	Who        string // "nobody assigned"
	Nobody     bool
}

// wallChange is one line of "Changed".
type wallChange struct {
	At   Stamp
	What string
	Note string
	Mark Mark
	Path string
}

// wallFigure is one figure of "Freshness".
type wallFigure struct {
	Name, Value, Note string
	Mark              Mark // set when something is wrong
	Path              string
}

// wallTurn is who is on call.
type wallTurn struct{ Person, Note string }

// wallSide fills the column at the right. While the record is away the wall
// stands with what it knows, and says so.
func (c *Console) wallSide(ctx context.Context, d *wallPage, s *state, g door.Guest, k Clock) error {
	open, err := c.openIncidents(ctx, g.Actor)
	if d.Away = problem.KindOf(err) == problem.KindUnavailable; err != nil && !d.Away {
		return err
	}
	// Worst first, the oldest of equals first: what is at the top is what to do.
	slices.SortStableFunc(open, func(a, b incident.Incident) int {
		if n := gravity[markOfImpact(string(b.Impact)).Class] - gravity[markOfImpact(string(a.Impact)).Class]; n != 0 {
			return n
		}
		return a.StartedAt.Compare(b.StartedAt)
	})
	for _, i := range open[:min(len(open), wallIncidents)] {
		d.Incidents = append(d.Incidents, incidentCell(i, k))
	}
	d.MoreOpen = max(len(open)-wallIncidents, 0)
	for _, i := range open {
		d.Alarms += " " + i.ID
	}
	for _, e := range c.roll.changes(ctx) {
		if line, ok := c.changeLine(e, s, k); ok && !slices.ContainsFunc(d.Changed, func(x wallChange) bool { return x.What == line.What && x.Note == line.Note }) {
			if d.Changed = append(d.Changed, line); len(d.Changed) == wallChanges {
				break
			}
		}
	}
	loose, err := c.looseEnds(ctx, s, g, k.Now)
	if err != nil {
		if problem.KindOf(err) != problem.KindUnavailable {
			return err
		}
		d.Away = true
	}
	d.Desk = c.wallDesk(ctx, g, k)
	d.Loose, d.MoreLoose = loose[:min(len(loose), wallLoose)], max(len(loose)-wallLoose, 0)
	return nil
}

// stateWord is the state of an incident as it is read.
func stateWord(s incident.State) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

func incidentCell(i incident.Incident, k Clock) wallIncident {
	out := wallIncident{Path: "/console/incidents/" + i.ID, Name: i.Name, Mark: markOfImpact(string(i.Impact)), Age: k.At(i.StartedAt), State: stateWord(i.State)}
	old := max(k.Now.Sub(i.StartedAt), time.Second)
	if old > time.Minute {
		old = old.Truncate(time.Minute)
	}
	out.Age.Age = length(old.Truncate(time.Second))
	if out.Mark.Class == "unknown" {
		out.Mark = Mark{"degraded", out.Mark.Word}
	}
	if !i.NextUpdateAt.IsZero() {
		out.Due, out.Late = k.At(i.NextUpdateAt), i.NextUpdateAt.Before(k.Now)
		out.DueIn = left(i.NextUpdateAt.Sub(k.Now))
	}
	out.Nobody = !slices.ContainsFunc(i.Roles, func(d incident.Duty) bool { return d.Person != "" })
	if out.Nobody {
		out.Who = "nobody assigned"
	}
	return out
}

// looseEnds gives what staff should look at: the hub's list, or what this page
// can see by itself where the hub keeps none.
func (c *Console) looseEnds(ctx context.Context, s *state, g door.Guest, now time.Time) ([]Loose, error) {
	if c.deps.Attention != nil && g.Actor.May(access.IncidentRead) {
		return c.deps.Attention(ctx, g.Actor)
	}
	var out []Loose
	for _, one := range s.components {
		since := one.Observed.From
		if one.Differs() && one.Observed.Status.Worse(one.Published.Status) && now.Sub(since) > unpublishedFor {
			m := markOf(one.Observed.Status)
			out = append(out, Loose{
				Kind: "unpublished", Words: "Not published", About: one.Name + ", " + m.Short() + " for " + length(now.Sub(since).Truncate(time.Minute)),
				Since: since, Path: "/console/components/" + one.ID,
			})
		}
	}
	return out, nil
}

// changeWords are the verbs that the wall tells, in words. A verb that is not
// here is told on the audit page alone.
var changeWords = map[string]string{
	"maintenance.scheduled": "planned", "maintenance.started": "maintenance began", "maintenance.completed": "maintenance ended",
	"maintenance.cancelled": "maintenance called off", "maintenance.changed": "maintenance moved", "maintenance.extended": "maintenance extended",
	"maintenance.overdue": "maintenance overdue", "setup.applied": "applied", "definition.put": "defined in the console", "definition.removed": "removed in the console",
	"component.confirmed": "confirmed", "component.silenced": "silenced", "component.unsilenced": "no longer silenced", "component.stated": "stated by a person",
	"month.corrected": "month corrected", "uptime.corrected": "uptime corrected", "hub.started": "started", "hub.stopped": "stopped",
	"incident.declared": "declared", "incident.suspected": "suspected", "incident.published": "published", "incident.updated": "updated", "incident.moved": "moved on",
	"incident.resolved": "resolved", "incident.reopened": "reopened", "incident.merged": "merged", "alert.acknowledged": "acknowledged", "alert.escalated": "escalated",
}

// changeLine writes one entry for "Changed"; ok is false for what is not told.
func (c *Console) changeLine(e journal.Sealed, s *state, k Clock) (wallChange, bool) {
	out := wallChange{At: k.At(e.EffectiveAt)}
	if e.EffectiveAt.IsZero() || e.Subject.Kind == "incident" { // what people say is new when they say it, whatever it is about
		out.At = k.At(e.RecordedAt)
	}
	one := s.byKey[e.Subject.ID]
	switch {
	case e.Verb == "component.moved":
		if e.Payload["track"] != string(status.Observed) || one == nil || e.Payload["from"] == e.Payload["to"] {
			return wallChange{}, false
		}
		to := status.Status(e.Payload["to"])
		if to == status.NotMeasured || e.Payload["from"] == string(status.NotMeasured) && to == status.Operational {
			return wallChange{}, false // a start says it once for all
		}
		m := markOf(to)
		out.What, out.Note, out.Mark, out.Path = one.Name, m.Short(), m, "/console/components/"+one.ID
		return out, true
	case changeWords[e.Verb] == "", e.Payload["backfilled"] != "" && e.Verb != "incident.declared":
		return wallChange{}, false
	}
	out.Note = changeWords[e.Verb]
	if e.Payload["backfilled"] != "" {
		out.Note = "entered, long over"
	}
	switch e.Subject.Kind {
	case "component":
		if one == nil {
			return wallChange{}, false
		}
		out.What, out.Path = one.Name, "/console/components/"+one.ID
	case "incident":
		out.What, out.Path = "Incident", "/console/incidents/"+e.Subject.ID
		if n := e.Payload["number"]; n != "" {
			out.What = "INC-" + n
		}
	case "maintenance":
		out.What, out.Path = "Maintenance", "/console/calendar/"+e.Subject.ID
	case "setup":
		out.What = "Configuration"
	case "hub":
		out.What = "The hub"
	default:
		out.What = stateWord(incident.State(e.Subject.Kind))
	}
	return out, true
}

// wallFoot fills the lower edge: whether what is shown is fresh, and who is on call.
func (c *Console) wallFoot(ctx context.Context, d *wallPage, s *state, g door.Guest, k Clock) {
	d.Fresh = append(d.Fresh, c.checksFigure(s, k.Now))
	if c.deps.Health != nil {
		d.Fresh = append(d.Fresh, c.loopsFigure())
	}
	if c.deps.Deliveries != nil && g.Actor.May(access.DeliveryRead) {
		if q, err := c.deps.Deliveries(ctx); err == nil {
			d.Fresh = append(d.Fresh, deliveriesFigure(q, k.Now))
		}
	}
	lag := c.lag()
	journalOf := wallFigure{Name: "Journal", Value: grouped(float64(int(lag*10+0.5))/10) + " s behind", Note: "entry " + grouped(float64(c.changed.Load()))}
	if lag > behindLate {
		journalOf.Mark = markOf(status.Degraded)
	}
	d.Fresh = append(d.Fresh, journalOf)
	page := wallFigure{Name: "Record", Value: age(max(k.Now.Sub(s.at), 0)) + " old", Note: plural(d.All, "component", "components")}
	if k.Now.Sub(s.at) > 3*rollFresh {
		page.Mark = markOf(status.Degraded)
	}
	d.Fresh = append(d.Fresh, page)
	if c.deps.Health != nil {
		d.Fresh = append(d.Fresh, c.storesFigure())
	}
	if c.deps.OnCall == nil || !g.Actor.May(access.OnCallRead) {
		return
	}
	turns, err := c.deps.OnCall(ctx, k.Now)
	if err != nil {
		return
	}
	for _, t := range turns[:min(len(turns), wallTurns)] {
		note := t.Rotation
		if !t.Until.IsZero() {
			note += ", to " + k.At(t.Until).Text
		}
		d.Call = append(d.Call, wallTurn{Person: t.Person, Note: note})
	}
}

// behindLate is the lag, in seconds, from which the wall marks it.
const behindLate = 2.0

// checksFigure says how many monitors are heard of on time.
func (c *Console) checksFigure(s *state, now time.Time) wallFigure {
	f := wallFigure{Name: "Checks", Path: "/console/monitors?show=silent"}
	if c.deps.Watch == nil {
		f.Value, f.Note = grouped(float64(len(s.catalog.Monitors))), "defined"
		return f
	}
	silent := 0
	for i := range s.catalog.Monitors {
		if c.silent(&s.catalog.Monitors[i], now) {
			silent++
		}
	}
	f.Value, f.Note = grouped(float64(len(s.catalog.Monitors)-silent))+" heard", "all on time"
	if silent > 0 {
		f.Value, f.Note, f.Mark = grouped(float64(silent))+" silent", "of "+grouped(float64(len(s.catalog.Monitors))), markOf(status.Degraded)
	}
	return f
}

// silentGrace is how much longer than three intervals a monitor may be silent.
const silentGrace = 15 * time.Second

// silent reports whether nothing was heard of a monitor for three intervals.
func (c *Console) silent(m *status.Monitor, now time.Time) bool {
	last, ok := c.deps.Watch.Last(m.Key)
	if !ok {
		return now.Sub(m.CreatedAt) > 3*m.Interval+silentGrace
	}
	return now.Sub(last.Started) > 3*m.Interval+silentGrace
}

func (c *Console) loopsFigure() wallFigure {
	report := c.deps.Health.Report()
	f := wallFigure{Name: "Loops"}
	good := 0
	for _, check := range report.Checks {
		if check.OK {
			good++
		} else if f.Note == "" {
			f.Note, f.Mark = check.Name, markOf(status.Degraded)
			if check.Required {
				f.Mark = markOf(status.MajorOutage)
			}
		}
	}
	f.Value = grouped(float64(good)) + " of " + grouped(float64(len(report.Checks)))
	if f.Note == "" {
		f.Note = "all report"
	}
	return f
}

// deliveryLate is the age from which a waiting notice is marked.
const deliveryLate = 30 * time.Second

func deliveriesFigure(q Queue, now time.Time) wallFigure {
	f := wallFigure{Name: "Deliveries", Value: "none waiting", Note: "all told", Path: "/console/deliveries"}
	if n := q.Waiting + q.Retrying; n > 0 {
		f.Value, f.Note = grouped(float64(n))+" waiting", "oldest "+age(max(now.Sub(q.Oldest), 0))
		if q.Retrying > 0 {
			f.Note += ", " + grouped(float64(q.Retrying)) + " retrying"
		}
		if q.Retrying > 0 || now.Sub(q.Oldest) > deliveryLate {
			f.Mark = markOf(status.Degraded)
		}
	}
	if q.Failed > 0 {
		f.Note, f.Mark = grouped(float64(q.Failed))+" not delivered", markOf(status.MajorOutage)
	}
	return f
}

// storesFigure says whether the engines are there.
func (c *Console) storesFigure() wallFigure {
	report := c.deps.Health.Report()
	f := wallFigure{Name: "Stores"}
	all, good := 0, 0
	var names []string
	for _, name := range []string{"database", "redis"} {
		engine, ok := report.Engines[name]
		if !ok {
			continue
		}
		all++
		names = append(names, engine)
		bad := false
		for _, check := range report.Checks {
			bad = bad || check.Name == name && !check.OK
		}
		if bad {
			f.Mark = markOf(status.MajorOutage)
		} else {
			good++
		}
	}
	f.Value, f.Note = grouped(float64(good))+" of "+grouped(float64(all)), cut(strings.Join(names, ", "), 26)
	return f
}
