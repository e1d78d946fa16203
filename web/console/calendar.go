package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// calendarRoutes are the addresses of the calendar.
func (c *Console) calendarRoutes() []door.Route {
	get, post := http.MethodGet, http.MethodPost
	return []door.Route{
		{Method: get, Path: "/console/calendar", Action: access.MaintainRead, Handler: c.handle(c.calendar)},
		{Method: get, Path: "/console/calendar/new", Action: access.MaintainEdit, Handler: c.handle(c.planForm)},
		{Method: post, Path: "/console/calendar/new", Action: access.MaintainEdit, Handler: c.handle(c.plan)},
		{Method: get, Path: "/console/calendar/{id}", Action: access.MaintainRead, Handler: c.handle(c.work)},
		{Method: post, Path: "/console/calendar/{id}/start", Action: access.MaintainEdit, Handler: c.handle(c.startWork)},
		{Method: post, Path: "/console/calendar/{id}/extend", Action: access.MaintainEdit, Handler: c.handle(c.extendWork)},
		{Method: post, Path: "/console/calendar/{id}/complete", Action: access.MaintainEdit, Handler: c.handle(c.completeWork)},
		{Method: post, Path: "/console/calendar/{id}/call-off", Action: access.MaintainEdit, Handler: c.handle(c.callOffWork)},
		{Method: get, Path: "/console/windows/{key}/edit", Action: access.MaintainEdit, Handler: c.handle(c.changeForm)},
		{Method: post, Path: "/console/windows/{key}/edit", Action: access.MaintainEdit, Handler: c.handle(c.change)},
		{Method: post, Path: "/console/windows/{key}/cancel", Action: access.MaintainEdit, Handler: c.handle(c.cancelWindow)},
	}
}

// calendarPage is the data of calendar.html.
type calendarPage struct {
	Month               string
	Before, After, Here string // addresses
	Days                []string
	Weeks               [][]calendarDay
	List                []calendarWork
	Windows             []windowRow
	CanPlan             bool
	Zone                string
}

// calendarDay is one day of the month.
type calendarDay struct {
	Number  int
	Date    string // 2006-01-02, for planning on that day
	Words   string // Sunday 22 November
	Other   bool   // of the month before or after
	Today   bool
	Works   []calendarWork
	More    int
	Weekend bool
}

// calendarWork is one piece of maintenance.
type calendarWork struct {
	ID, Title, Names string
	Mark             Mark
	From, To         Stamp
	Clock            string // 05:00 to 06:30
	Lasts            string
}

// windowRow is one window that recurs.
type windowRow struct {
	Key, Title, Rule, Names string
	Origin                  string
	CanEdit                 bool
}

// maxDayWorks is how many pieces of maintenance a day of the month lists.
const maxDayWorks = 3

// monthLayout names a month in addresses.
const monthLayout = "2006-01"

// calendar shows a month of maintenance and lists it.
func (c *Console) calendar(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	now := k.Now.In(k.Zone)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, k.Zone)
	if t, err := time.ParseInLocation(monthLayout, r.URL.Query().Get("month"), k.Zone); err == nil && t.Year() > 2000 && t.Year() < 2200 {
		first = t
	}
	from := first.AddDate(0, 0, -(int(first.Weekday())+6)%7) // weeks begin on Monday
	to := first.AddDate(0, 1, 0)
	for to.Weekday() != time.Monday {
		to = to.AddDate(0, 0, 1)
	}
	works, err := c.deps.Record.Occurrences(ctx, from, to)
	if err != nil {
		return err
	}
	slices.SortStableFunc(works, func(a, b status.Occurrence) int { return a.From.Compare(b.From) })
	d := calendarPage{
		Month: first.Format("January 2006"), Before: with(r.URL, "month", first.AddDate(0, -1, 0).Format(monthLayout)),
		After: with(r.URL, "month", first.AddDate(0, 1, 0).Format(monthLayout)), Here: "/console/calendar", Zone: k.Zone.String(),
		Days:    []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
		CanPlan: c.deps.Planner != nil && g.Actor.May(access.MaintainEdit),
	}
	for day := from; day.Before(to); {
		var week []calendarDay
		for range 7 {
			next := day.AddDate(0, 0, 1)
			one := calendarDay{
				Number: day.Day(), Date: day.Format(time.DateOnly), Words: day.Format("Monday 2 January"), Other: day.Month() != first.Month(),
				Today: day.Format(time.DateOnly) == now.Format(time.DateOnly), Weekend: day.Weekday() == time.Saturday || day.Weekday() == time.Sunday,
			}
			for _, o := range works {
				if !o.From.Before(next) || !o.To.After(day) {
					continue
				}
				if len(one.Works) == maxDayWorks {
					one.More++
					continue
				}
				one.Works = append(one.Works, workOf(o, s, k))
			}
			week, day = append(week, one), next
		}
		d.Weeks = append(d.Weeks, week)
	}
	for _, o := range works {
		if o.From.Before(first.AddDate(0, 1, 0)) && o.To.After(first) {
			d.List = append(d.List, workOf(o, s, k))
		}
	}
	if d.Windows, err = c.windowRows(r, s); err != nil {
		return err
	}
	page := Page{
		Title: "Calendar", Section: "calendar", Template: "calendar", Data: d, Live: "maintenance window setup", Bleed: true,
		Sub:  []string{"Maintenance, in " + k.Zone.String()},
		Keys: []Key{{[]string{"[", "]"}, "month before, after"}, {[]string{"t"}, "this month"}},
	}
	if d.CanPlan {
		page.Keys = append(page.Keys, Key{[]string{"n"}, "plan maintenance"})
		page.Actions = []Action{{Word: "Plan maintenance", Icon: "plus", Path: "/console/calendar/new", Key: "n", Primary: true}}
	}
	c.Page(w, r, page)
	return nil
}

func workOf(o status.Occurrence, s *state, k Clock) calendarWork {
	from, to := o.From.In(k.Zone), o.To.In(k.Zone)
	end := to.Format("15:04")
	if from.Format(time.DateOnly) != to.Format(time.DateOnly) {
		end = to.Format("Mon 2 Jan 15:04")
	}
	return calendarWork{
		ID: o.ID, Title: o.Title, Names: namesOf(s, o.Components), Mark: markOfWork(o.State), From: k.Day(o.From), To: k.Day(o.To),
		Clock: from.Format("15:04") + " to " + end, Lasts: length(o.To.Sub(o.From)),
	}
}

// windowRows lists what recurs, with who may change it.
func (c *Console) windowRows(r *http.Request, s *state) ([]windowRow, error) {
	if c.deps.Planner == nil {
		return nil, nil
	}
	g := guestOf(r)
	windows, err := c.deps.Planner.Windows(r.Context(), g.Actor)
	if err != nil {
		return nil, err
	}
	var out []windowRow
	for _, w := range windows {
		if w.RRule == "" {
			continue
		}
		row := windowRow{Key: w.Key, Title: w.Title, Rule: ruleInWords(w), Names: namesOf(s, w.Components), CanEdit: w.Hand && g.Actor.May(access.MaintainEdit)}
		if !w.Hand {
			row.Origin = c.originOf("window", w.ID)
		}
		out = append(out, row)
	}
	return out, nil
}

// originOf says where the file defines something, such as "evenkeel.yaml, line
// 12"; "" for what was made in the console.
func (c *Console) originOf(kind, id string) string {
	if c.deps.Definitions == nil {
		return "the configuration file"
	}
	file, line, ok := c.deps.Definitions.Place(kind, id)
	if !ok {
		return ""
	}
	return file + ", line " + strconv.Itoa(line)
}

// workPage is the data of work.html.
type workPage struct {
	ID, Title, Text, Names string
	Components             []find
	Mark                   Mark
	From, To               Stamp
	FromUTC, ToUTC         string
	Lasts                  string
	Started, Ended         Stamp
	Overdue                string // since when it waits for a person; "" when it does not
	Owner                  string
	Conduct                []string
	Recurs                 string // in words; "" for a one-off
	Window                 string // key, when it can be changed here
	Version                int64
	Origin                 string // where in the file its window stands
	CanStart, CanExtend    bool
	CanComplete, CanCall   bool
	Extend                 Field
	Quick                  []Option // ends that are one click away
}

// work shows one piece of maintenance and what can be done with it.
func (c *Console) work(w http.ResponseWriter, r *http.Request) error {
	if c.deps.Planner == nil {
		return noDesk()
	}
	o, err := c.deps.Planner.Occurrence(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.workPage(w, r, o, "", nil)
}

func (c *Console) workPage(w http.ResponseWriter, r *http.Request, o status.Occurrence, to string, failed error) error {
	ctx, g := r.Context(), guestOf(r)
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := workPage{
		ID: o.ID, Title: o.Title, Text: o.Text, Mark: markOfWork(o.State), From: k.Day(o.From), To: k.Day(o.To), FromUTC: o.From.UTC().Format("Mon 2 Jan 15:04 UTC"),
		ToUTC: o.To.UTC().Format("Mon 2 Jan 15:04 UTC"), Lasts: length(o.To.Sub(o.From)), Started: k.Exact(o.StartedAt), Ended: k.Exact(o.EndedAt),
		Conduct: conductWords(o.Conduct), Version: o.Version,
	}
	if o.Conduct.Owner != "" {
		d.Owner = c.name(ctx, o.Conduct.Owner)
	}
	for _, id := range o.Components {
		one := find{Word: id, Path: "/console/components/" + id}
		if is := s.byID[id]; is != nil {
			one.Word, one.Mark = is.Name, markOf(shownStatus(is))
		}
		d.Components = append(d.Components, one)
	}
	if since, late := o.Overdue(true, k.Now); late {
		d.Overdue = length(k.Now.Sub(since).Truncate(time.Minute))
	}
	windows, err := c.deps.Planner.Windows(ctx, g.Actor)
	if err != nil {
		return err
	}
	may := g.Actor.May(access.MaintainEdit)
	for _, win := range windows {
		if win.Key != o.Window {
			continue
		}
		if win.RRule != "" {
			d.Recurs = ruleInWords(win)
		}
		if win.Hand && may {
			d.Window, d.Version = win.Key, win.Version
		} else if !win.Hand {
			d.Origin = c.originOf("window", win.ID)
		}
	}
	running := o.State == status.MaintenanceInProgress || o.State == status.MaintenanceVerifying
	d.CanStart, d.CanCall = may && o.State == status.MaintenanceScheduled, may && o.State == status.MaintenanceScheduled
	d.CanComplete, d.CanExtend = may && running, may && !o.Over()
	if to == "" {
		to = o.To.In(k.Zone).Format("2006-01-02T15:04")
	}
	f, _ := faultsOf(failed)
	d.Extend = Field{Kind: "datetime-local", Name: "to", Label: "New end, " + k.Zone.String(), Value: to, Required: true, Error: f.of("to")}
	from := o.To
	if from.Before(k.Now) {
		from = k.Now
	}
	for _, by := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		end := from.Add(by).Truncate(time.Minute)
		d.Quick = append(d.Quick, Option{Value: end.In(k.Zone).Format("2006-01-02T15:04"), Word: "+" + length(by)})
	}
	page := Page{
		Title: o.Title, Section: "calendar", Template: "work", Data: d, Mark: d.Mark, Bleed: true, Live: "maintenance window component",
		Crumbs: []Crumb{{"Calendar", "/console/calendar"}, {Word: cut(o.Title, 60)}}, Sub: []string{d.Mark.Word},
		Facts: []Fact{{Word: "From", Value: d.From.Text}, {Word: "To", Value: d.To.Text}, {Word: "Lasts", Value: d.Lasts}},
	}
	if running {
		page.Facts = append(page.Facts, Fact{Word: "Ends in", Due: Stamp{Text: d.To.Text, UTC: d.To.UTC, ISO: d.To.ISO, Age: left(o.To.Sub(k.Now))}})
	}
	if failed != nil {
		page.Code = http.StatusUnprocessableEntity
	}
	c.Page(w, r, page)
	return nil
}

// conductWords say how maintenance is carried out.
func conductWords(c status.Conduct) []string {
	var out []string
	if c.StartsByHand {
		out = append(out, "begins when a person says so")
	} else {
		out = append(out, "begins by itself")
	}
	if c.EndsByHand {
		out = append(out, "ends when a person says so")
	} else {
		out = append(out, "ends by itself once checks are good")
	}
	var ahead []string
	for _, d := range c.Reminders() {
		ahead = append(ahead, length(d))
	}
	if len(ahead) > 0 {
		out = append(out, "people are reminded "+strings.Join(ahead, " and ")+" before")
	}
	return out
}

// workAct does something to an occurrence and says so on its page.
func (c *Console) workAct(w http.ResponseWriter, r *http.Request, said string, do func(Planner, access.Actor, string) (status.Occurrence, error)) error {
	if c.deps.Planner == nil {
		return noDesk()
	}
	o, err := do(c.deps.Planner, guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	c.See(w, r, "/console/calendar/"+o.ID, &Said{Text: o.Title + " " + said})
	return nil
}

// startWork begins maintenance now.
func (c *Console) startWork(w http.ResponseWriter, r *http.Request) error {
	return c.workAct(w, r, "has begun", func(p Planner, by access.Actor, id string) (status.Occurrence, error) {
		return p.StartMaintenance(r.Context(), by, id)
	})
}

// completeWork ends maintenance now.
func (c *Console) completeWork(w http.ResponseWriter, r *http.Request) error {
	return c.workAct(w, r, "is done", func(p Planner, by access.Actor, id string) (status.Occurrence, error) {
		return p.CompleteMaintenance(r.Context(), by, id)
	})
}

// callOffWork cancels one occurrence.
func (c *Console) callOffWork(w http.ResponseWriter, r *http.Request) error {
	return c.workAct(w, r, "is called off", func(p Planner, by access.Actor, id string) (status.Occurrence, error) {
		return p.CallOffMaintenance(r.Context(), by, id)
	})
}

// extendWork moves the end of maintenance. The way back is the end it had.
func (c *Console) extendWork(w http.ResponseWriter, r *http.Request) error {
	if c.deps.Planner == nil {
		return noDesk()
	}
	g := guestOf(r)
	before, err := c.deps.Planner.Occurrence(r.Context(), g.Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	zone := c.zoneOf(g)
	to, err := momentIn(r.PostFormValue("to"), zone, "to")
	var o status.Occurrence
	if err == nil {
		o, err = c.deps.Planner.ExtendMaintenance(r.Context(), g.Actor, before.ID, to)
	}
	if problem.KindOf(err) == problem.KindInvalid {
		return c.workPage(w, r, before, r.PostFormValue("to"), err)
	} else if err != nil {
		return err
	}
	path := "/console/calendar/" + o.ID
	c.See(w, r, path, &Said{
		Text: o.Title + " ends " + o.To.In(zone).Format("Mon 2 Jan 15:04"), Undo: path + "/extend", With: map[string]string{"to": before.To.In(zone).Format(localLayout)},
	})
	return nil
}
