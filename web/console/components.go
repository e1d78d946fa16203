package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// MaxRows is how many rows of a list are on one page.
const MaxRows = 60

// componentRoutes are the addresses of components.
func (c *Console) componentRoutes() []door.Route {
	get, post := http.MethodGet, http.MethodPost
	return []door.Route{
		{Method: get, Path: "/console/components", Action: access.ComponentRead, Handler: c.handle(c.componentList)},
		{Method: get, Path: "/console/components/{id}", Action: access.ComponentRead, Handler: c.handle(c.componentRoom)},
		{Method: post, Path: "/console/components/{id}/confirm", Action: access.StatusConfirm, Handler: c.handle(c.confirm)},
		{Method: post, Path: "/console/components/{id}/say", Action: access.StatusConfirm, Handler: c.handle(c.say)},
		{Method: post, Path: "/console/components/{id}/unsay", Action: access.StatusConfirm, Handler: c.handle(c.unsay)},
		{Method: post, Path: "/console/components/{id}/hold", Action: access.AlertSilence, Handler: c.handle(c.hold)},
		{Method: post, Path: "/console/components/{id}/silence", Action: access.AlertSilence, Handler: c.handle(c.silence)},
		{Method: post, Path: "/console/silences/{id}/end", Action: access.AlertSilence, Handler: c.handle(c.unsilence)},
		{Method: get, Path: "/console/components/{id}/false-alarm", Action: access.MonthCorrect, Handler: c.handle(c.falseAlarmForm)},
		{Method: post, Path: "/console/components/{id}/false-alarm", Action: access.MonthCorrect, Handler: c.handle(c.falseAlarm)},
		{Method: post, Path: "/console/corrections/{id}/undo", Action: access.MonthCorrect, Handler: c.handle(c.undoFalseAlarm)},
	}
}

// componentsPage is the data of components.html.
type componentsPage struct {
	Query  string
	Group  string
	Groups []Option
	Tabs   []Tab
	Rows   []componentRow
	Found  int
	Pager  Pager
	None   bool // nothing is defined at all
	CanAdd bool
	Show   string
}

// componentRow is one component in the list.
type componentRow struct {
	ID, Name, Group string
	Measured        Mark
	Published       Mark
	Differs         bool
	Trouble         string // class that tints the row; "" when it needs no eyes
	Why             string
	Since           Stamp
	Line            line
	Checks          string
	Private         bool
}

// shows are the filters of the list, in order.
var shows = []struct {
	id, word string
	fits     func(c *Console, one *standing, quiet map[string]bool) bool
}{
	{"", "All", func(*Console, *standing, map[string]bool) bool { return true }},
	{"trouble", "In trouble", func(_ *Console, one *standing, _ map[string]bool) bool {
		return gravity[markOf(shownStatus(one)).Class] >= gravity["degraded"]
	}},
	{"work", "In maintenance", func(_ *Console, one *standing, _ map[string]bool) bool {
		return shownStatus(one) == status.UnderMaintenance
	}},
	{"differs", "Measured and published differ", func(_ *Console, one *standing, _ map[string]bool) bool { return one.Differs() }},
	{"unknown", "No verdict", func(_ *Console, one *standing, _ map[string]bool) bool {
		return shownStatus(one) == status.NotMeasured
	}},
	{"silenced", "Silenced", func(_ *Console, one *standing, quiet map[string]bool) bool { return quiet[one.Key] }},
}

// componentList lists components, those that are sought.
func (c *Console) componentList(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	quiet, err := c.silencedKeys(ctx, g)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	d := componentsPage{
		Query: cut(q.Get("q"), 100), Group: q.Get("group"), Show: q.Get("show"), None: len(s.components) == 0,
		CanAdd: g.Actor.May(access.ComponentEdit) && c.deps.Definitions != nil,
	}
	d.Groups = append(d.Groups, Option{Word: "Every group", On: d.Group == ""})
	for _, group := range s.groups {
		d.Groups = append(d.Groups, Option{Value: group.ID, Word: group.Name, On: group.ID == d.Group})
	}
	sought := slices.DeleteFunc(slices.Clone(s.components), func(one *standing) bool {
		return d.Group != "" && one.Group != d.Group || !matches(one.Name+" "+one.ID+" "+one.Description, d.Query)
	})
	var found []*standing
	for _, show := range shows {
		var fits []*standing
		for _, one := range sought {
			if show.fits(c, one, quiet) {
				fits = append(fits, one)
			}
		}
		if show.id != "" && show.id != d.Show && len(fits) == 0 {
			continue
		}
		d.Tabs = append(d.Tabs, Tab{Word: show.word, Count: grouped(float64(len(fits))), Path: with(r.URL, "show", show.id, "from", ""), Here: show.id == d.Show})
		if show.id == d.Show {
			found = fits
		}
	}
	d.Found = len(found)
	// What is worse comes first; the rest keeps the order of the page.
	slices.SortStableFunc(found, func(a, b *standing) int {
		return cmp.Compare(urgency(b), urgency(a))
	})
	found, d.Pager = paged(r.URL, found)
	works := c.works(ctx, k.Now)
	for _, one := range found {
		cell := c.drawn(ctx, one, c.cell(one, s, works, k), false, k.Now)
		row := componentRow{
			ID: one.ID, Name: one.Name, Group: s.groupName(one.Group), Measured: markOf(one.Observed.Status), Published: markOf(one.Published.Status),
			Differs: one.Differs(), Why: cell.Why, Since: k.At(one.Published.From), Line: cell.Line, Checks: plural(len(one.Monitors), "check", "checks"), Private: !one.Public,
		}
		if gravity[cell.Mark.Class] >= gravity["degraded"] {
			row.Trouble = cell.Mark.Class
		}
		if row.Line.Value == "" {
			row.Line.Value = "–"
		}
		d.Rows = append(d.Rows, row)
	}
	page := Page{
		Title: "Components", Section: "components", Template: "components", Data: d, Live: "component monitor maintenance setup definition", Every: 30,
		Sub:   []string{plural(len(s.components), "component", "components") + ", " + plural(len(s.catalog.Monitors), "check", "checks")},
		Facts: countFacts(s),
		Keys:  []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	}
	page.Actions = append(page.Actions, Action{Word: "Monitors", Icon: "probe", Path: "/console/monitors"})
	if d.CanAdd {
		page.Actions = append(page.Actions, Action{Word: "Add a component", Icon: "plus", Path: "/console/components/new", Key: "n"})
	}
	c.Page(w, r, page)
	return nil
}

// urgency orders components in a list: trouble before the rest.
func urgency(one *standing) int {
	n := gravity[markOf(shownStatus(one)).Class]
	if n < gravity["degraded"] {
		return 0
	}
	return n
}

// countFacts are the large figures of the head.
func countFacts(s *state) []Fact {
	n := map[string]int{}
	for _, one := range s.components {
		n[markOf(shownStatus(one)).Class]++
	}
	var out []Fact
	for _, st := range []status.Status{status.MajorOutage, status.PartialOutage, status.Degraded, status.Operational} {
		m := markOf(st)
		if n[m.Class] > 0 {
			out = append(out, Fact{Word: m.Word, Mark: Mark{Class: m.Class, Word: grouped(float64(n[m.Class]))}})
		}
	}
	return out
}

// groupName gives the name of a group by ID.
func (s *state) groupName(id string) string {
	for _, g := range s.groups {
		if g.ID == id {
			return g.Name
		}
	}
	return ""
}

// paged gives one page of a list, and where the others are.
func paged[T any](u *url.URL, all []T) ([]T, Pager) {
	from, _ := strconv.Atoi(u.Query().Get("from"))
	if from < 0 || from >= len(all) {
		from = 0
	}
	to := min(from+MaxRows, len(all))
	var p Pager
	if from > 0 {
		before := ""
		if from > MaxRows {
			before = strconv.Itoa(from - MaxRows)
		}
		p.Before = with(u, "from", before)
	}
	if to < len(all) {
		p.After = with(u, "from", strconv.Itoa(to))
	}
	p.Words = grouped(float64(from+1)) + " to " + grouped(float64(to)) + " of " + grouped(float64(len(all)))
	return all[from:to], p
}

// silenceFor are the lengths that the forms offer.
var silenceFor = []struct {
	word string
	d    time.Duration
}{{"30 minutes", 30 * time.Minute}, {"1 hour", time.Hour}, {"4 hours", 4 * time.Hour}, {"8 hours", 8 * time.Hour}, {"1 day", 24 * time.Hour}, {"3 days", 72 * time.Hour}, {"7 days", 7 * 24 * time.Hour}}

// holdFor are those of a rollout.
var holdFor = []struct {
	word string
	d    time.Duration
}{{"10 minutes", 10 * time.Minute}, {"20 minutes", 20 * time.Minute}, {"30 minutes", 30 * time.Minute}, {"1 hour", time.Hour}}
