package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// wallEvery is how often a wall looks at measurements, in seconds.
const wallEvery = 10

// wallRoutes are the addresses of the wall and the handover.
func (c *Console) wallRoutes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: "/console/wall", Action: access.WallRead, Handler: c.handle(c.wall)},
		{Method: http.MethodGet, Path: "/console/handover", Action: access.ComponentRead, Handler: c.handle(c.handover)},
	}
}

// wallPage is the data of wall.html.
type wallPage struct {
	Verdict   Mark
	Say       string // "Major outage: Checkout and Payments API"
	Since     Stamp
	Tally     []wallCount
	Fine, All int
	AllWords  string
	Now       Stamp
	Zone      string
	Columns   []wallColumn
	Shape     string // classes that say how many columns and rows there are
	Groups    []wallGroup
	Empty     bool
	Incidents []wallIncident
	MoreOpen  int
	Changed   []wallChange
	Loose     []Loose
	MoreLoose int
	Away      bool // the record cannot be read: what is shown may be old
	Fresh     []wallFigure
	Desk      *wallDesk // nil where there is none
	Call      []wallTurn
	Alarms    string // names what is wrong now, for the sound
}

// wallCount is one figure of the tally.
type wallCount struct {
	Mark Mark
	N    int
}

// wallColumn is one column of cells under headings.
type wallColumn struct{ Blocks []wallBlock }

// wallBlock is a heading and its cells.
type wallBlock struct {
	Name      string
	More      bool
	Fine, All int
	Cells     []wallCell
}

// wallCell is one component: what it is, how it is, and why.
type wallCell struct {
	ID, Name string
	Mark     Mark
	Value    string
	Why      string
	Line     line
	Bare     bool
}

// wallGroup is one cell of a wall that has too many components for a cell each.
type wallGroup struct {
	Name, Path string
	Mark       Mark
	Fine, All  int
	Names      []string // of those in trouble
	More       int
}

// wall shows everything at once.
func (c *Console) wall(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), onWall(guestOf(r))
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	works := c.works(ctx, k.Now)
	d := wallPage{Now: k.Exact(k.Now), Zone: k.Zone.String(), Empty: len(s.components) == 0}
	d.Now.Text = k.Now.In(k.Zone).Format("15:04:05")
	cells := make(map[string]*wallCell, len(s.components))
	for _, one := range s.components {
		cell := c.cell(one, s, works, k)
		cells[one.Key] = &cell
	}
	d.count(s, cells)
	d.verdict(s, cells, k)
	c.arrange(ctx, &d, s, cells, k.Now)
	if err := c.wallSide(ctx, &d, s, g, k); err != nil {
		return err
	}
	c.wallFoot(ctx, &d, s, g, k)
	c.Page(w, r, Page{
		Title: "Wall", Section: "wall", Template: "wall", Data: d, Live: "*", Every: wallEvery, OwnHead: true, Bleed: true, Class: "is-wall",
		Keys: []Key{{[]string{"m"}, "rooms"}, {[]string{"v"}, "sound"}, {[]string{"h"}, "handover"}},
	})
	return nil
}

// onWall gives the eyes that look at the wall: a screen sees there what a viewer sees.
func onWall(g door.Guest) door.Guest {
	if g.Actor.Role == access.RoleScreen {
		g.Actor = access.Actor{ID: g.Actor.ID, Role: access.RoleViewer}
	}
	return g
}

// works gives the maintenance that is under way or was due today, by reference.
func (c *Console) works(ctx context.Context, now time.Time) map[string]status.Occurrence {
	found, err := c.deps.Record.Occurrences(ctx, now.Add(-24*time.Hour), now.Add(time.Hour))
	if err != nil { // the cell then says less
		return nil
	}
	out := make(map[string]status.Occurrence, len(found))
	for _, o := range found {
		out["maintenance/"+o.ID] = o
	}
	return out
}

// shownStatus is what the wall says of a component: what checks see, or what
// the page says, whichever is worse; while it is maintained, that.
func shownStatus(one *standing) status.Status {
	if one.Published.Origin == status.ByMaintenance {
		return status.UnderMaintenance
	}
	if one.Published.Status.Worse(one.Observed.Status) {
		return one.Published.Status
	}
	return one.Observed.Status
}

// cell says in a few words how a component is.
func (c *Console) cell(one *standing, s *state, works map[string]status.Occurrence, k Clock) wallCell {
	st := shownStatus(one)
	cell := wallCell{ID: one.ID, Name: one.Name, Mark: markOf(st)}
	switch st {
	case status.UnderMaintenance:
		cell.Value, cell.Why = "in work", "planned work"
		if o, ok := works[one.Published.Ref]; ok {
			cell.Why = "planned work to " + k.At(o.To).Text
		}
	case status.Operational:
		cell.Why = "ok, " + c.agreement(one)
	case status.NotMeasured:
		cell.Why = "nothing checks it"
		if len(one.Monitors) > 0 {
			cell.Why = "no verdict since " + k.At(one.Observed.From).Text
		}
	default:
		cell.Why = c.reason(one, s)
		switch st {
		case status.MajorOutage:
			cell.Value = "failing"
		case status.PartialOutage:
			cell.Value = c.share(one)
		}
	}
	return cell
}

// agreement says how many checks or locations speak for a component.
func (c *Console) agreement(one *standing) string {
	if len(one.Monitors) == 1 {
		if n := len(one.Monitors[0].Locations); n > 1 {
			return plural(n, "location", "locations")
		}
	}
	return plural(len(one.Monitors), "check", "checks")
}

// share says how many of a component's checks fail: "1 of 3".
func (c *Console) share(one *standing) string {
	down := 0
	for _, m := range one.Monitors {
		if v, ok := c.verdict(m); ok && v.Level == status.LevelDown {
			down++
		}
	}
	if down == 0 {
		return "partial"
	}
	return grouped(float64(down)) + " of " + grouped(float64(len(one.Monitors)))
}

// reason says in a few words why a component is in trouble.
func (c *Console) reason(one *standing, s *state) string {
	if kind, key, ok := strings.Cut(one.Observed.Ref, "/"); ok && kind == "component" && s.byKey[key] != nil {
		return "needs " + s.byKey[key].Name
	}
	if one.Observed.Status == status.Operational || one.Observed.Status == status.NotMeasured {
		return "a person says so; checks are good"
	}
	return reasonOf(one.Observed.Staff)
}

// reasonOf takes the reason out of a line for staff, which begins with the
// monitor and its level and goes on with counts.
func reasonOf(line string) string {
	if _, after, ok := strings.Cut(line, ": "); ok {
		line = after
	}
	line, _, _ = strings.Cut(line, "; ")
	return line
}

// verdict gives what the engine says of a monitor.
func (c *Console) verdict(m *status.Monitor) (status.MonitorVerdict, bool) {
	if c.deps.Watch == nil {
		return status.MonitorVerdict{}, false
	}
	return c.deps.Watch.Verdict(m.Key)
}

// lead gives the monitor whose line stands for a component: the worst one, the
// first of equals.
func (c *Console) lead(one *standing) *status.Monitor {
	var best *status.Monitor
	worst := -1
	for _, m := range one.Monitors {
		weight := 0
		if v, ok := c.verdict(m); ok {
			weight = gravity[markOfLevel(v.Level).Class]
		}
		if weight > worst {
			best, worst = m, weight
		}
	}
	return best
}

// count makes the tally, worst first.
func (d *wallPage) count(s *state, cells map[string]*wallCell) {
	n := map[string]int{}
	var alarms []string
	for _, one := range s.components {
		class := cells[one.Key].Mark.Class
		n[class]++
		if gravity[class] > gravity["maint"] {
			alarms = append(alarms, one.ID+":"+class)
		}
	}
	d.Fine, d.All, d.Alarms = n["ok"], len(s.components), strings.Join(alarms, " ")
	d.AllWords = grouped(float64(d.All))
	for _, st := range []status.Status{status.MajorOutage, status.PartialOutage, status.Degraded, status.UnderMaintenance, status.NotMeasured} {
		if m := markOf(st); n[m.Class] > 0 {
			d.Tally = append(d.Tally, wallCount{Mark: m, N: n[m.Class]})
		}
	}
}

// verdict says the worst in a sentence.
func (d *wallPage) verdict(s *state, cells map[string]*wallCell, k Clock) {
	worst := "ok"
	for _, cell := range cells {
		if gravity[cell.Mark.Class] > gravity[worst] {
			worst = cell.Mark.Class
		}
	}
	var names []string
	var since time.Time
	for _, one := range s.components {
		cell := cells[one.Key]
		if cell.Mark.Class != worst {
			continue
		}
		d.Verdict = cell.Mark
		names = append(names, one.Name)
		from := one.Observed.From
		if shownStatus(one) == one.Published.Status && !from.After(one.Published.From) {
			from = one.Published.From
		}
		if since.IsZero() || from.Before(since) {
			since = from
		}
	}
	switch {
	case d.Empty:
		d.Verdict, d.Say = Mark{"unknown", "Nothing watched"}, "Nothing is watched yet"
	case worst == "ok":
		d.Say = "All " + plural(d.All, "component is fine", "components are fine")
		if d.All == 1 {
			d.Say = "The one component is fine"
		}
	default:
		d.Say = d.Verdict.Word + ": " + sentence(names, 2)
		d.Since = k.At(since)
	}
}

// sentence lists names as a sentence does, at most so many of them.
func sentence(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and " + grouped(float64(len(names)-most)) + " more"
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// arrange puts the cells into columns, or groups into cells when there are too many.
func (c *Console) arrange(ctx context.Context, d *wallPage, s *state, cells map[string]*wallCell, now time.Time) {
	var groups []status.Group
	var members [][]*standing
	add := func(g status.Group) {
		var of []*standing
		for _, one := range s.components {
			if one.Group == g.ID {
				of = append(of, one)
			}
		}
		if len(of) > 0 {
			groups, members = append(groups, g), append(members, of)
		}
	}
	for _, g := range s.groups {
		add(g)
	}
	add(status.Group{Name: "Others"})
	if len(groups) == 1 && groups[0].ID == "" {
		groups[0].Name = "Components"
	}
	sizes := make([]int, len(members))
	for i, of := range members {
		sizes[i] = len(of)
	}
	plan, ok := planWall(sizes)
	if !ok {
		for i, of := range members {
			d.Groups = append(d.Groups, groupCell(groups[i], of, cells))
		}
		d.Shape = "many"
		return
	}
	d.Shape = "cols-" + grouped(float64(plan.Columns)) + " rows-" + grouped(float64(plan.Rows))
	for _, column := range plan.places {
		var col wallColumn
		for _, b := range column {
			blk := wallBlock{Name: groups[b.group].Name, More: b.more, All: len(members[b.group])}
			for _, one := range members[b.group] {
				if cells[one.Key].Mark.Class == "ok" {
					blk.Fine++
				}
			}
			for _, one := range members[b.group][b.from : b.from+b.count] {
				blk.Cells = append(blk.Cells, c.drawn(ctx, one, *cells[one.Key], plan.Bare, now))
			}
			col.Blocks = append(col.Blocks, blk)
		}
		d.Columns = append(d.Columns, col)
	}
}

// drawn gives a cell its line and its measurement.
func (c *Console) drawn(ctx context.Context, one *standing, cell wallCell, bare bool, now time.Time) wallCell {
	cell.Bare = bare
	if m := c.lead(one); m != nil {
		l := c.sparks.of(ctx, m, now)
		if cell.Value == "" && cell.Mark.Class != "unknown" {
			cell.Value = l.Value
		}
		if !bare {
			cell.Line = l
		}
	}
	return cell
}

// maxNames is how many names of components in trouble a group's cell lists.
const maxNames = 3

func groupCell(g status.Group, of []*standing, cells map[string]*wallCell) wallGroup {
	out := wallGroup{Name: g.Name, Path: "/console/components?group=" + g.ID, Mark: markOf(status.Operational), All: len(of)}
	bad := slices.Clone(of)
	slices.SortStableFunc(bad, func(a, b *standing) int {
		return gravity[cells[b.Key].Mark.Class] - gravity[cells[a.Key].Mark.Class]
	})
	for _, one := range bad {
		cell := cells[one.Key]
		if cell.Mark.Class == "ok" {
			out.Fine++
			continue
		}
		if gravity[cell.Mark.Class] > gravity[out.Mark.Class] {
			out.Mark = cell.Mark
		}
		if len(out.Names) < maxNames {
			out.Names = append(out.Names, one.Name)
		} else {
			out.More++
		}
	}
	return out
}
