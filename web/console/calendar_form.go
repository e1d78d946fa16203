package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Limits of the planning form.
const (
	// maxChoices is how many components the form lists with ticks; beyond it
	// they are named in a field.
	maxChoices = 240
	// previewed is how many dates of a rule are shown.
	previewed = 5
)

// planPage is the data of plan.html.
type planPage struct {
	Path, Do     string
	Wrong        []string
	Title, Text  Field
	Once, Recurs bool
	From, To     Field
	Start, Lasts Field
	Zone         Field
	Zones        []string
	Repeats      Field
	Every        Field
	Days         []Option
	Nth, Weekday Field
	Date, Rule   Field
	Groups       []choiceGroup
	Names        Field // in place of Groups where there are too many
	ByHand       Field
	EndByHand    Field
	Remind       Field
	Dates        []previewDate
	Overlaps     []calendarWork
	Previewed    bool
	Version      int64
	Cancel       string // form that cancels the whole window; "" for a new one
	NoneChosen   string // fault of the components
}

// choiceGroup is a group of components to tick.
type choiceGroup struct {
	Name    string
	Choices []Option
}

// previewDate is one time at which a window happens.
type previewDate struct{ Local, UTC string }

// zonesOffered are suggested in the zone field beside the page's and the person's.
var zonesOffered = []string{"Etc/UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "America/New_York", "America/Chicago", "America/Los_Angeles", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney"}

// planForm asks what is planned.
func (c *Console) planForm(w http.ResponseWriter, r *http.Request) error {
	k := c.clock(c.zoneOf(guestOf(r)))
	from := k.Now.In(k.Zone).Truncate(time.Hour).Add(24 * time.Hour)
	if day, err := time.ParseInLocation(time.DateOnly, r.URL.Query().Get("day"), k.Zone); err == nil {
		from = day.Add(5 * time.Hour)
	}
	v := url.Values{
		"when": {"once"}, "from": {from.Format("2006-01-02T15:04")}, "to": {from.Add(time.Hour).Format("2006-01-02T15:04")}, "zone": {k.Zone.String()},
		"start": {from.Format("2006-01-02T15:04")}, "lasts": {"1h"}, "repeats": {"weekly"}, "every": {"1"}, "days": {weekdays[(int(from.Weekday())+6)%7].code},
		"nth": {"1"}, "weekday": {"SU"}, "monthday": {"1"}, "remind": {"24h, 1h"},
	}
	if id := r.URL.Query().Get("component"); id != "" {
		v["components"] = []string{id}
	}
	return c.planPage(w, r, v, status.Window{}, nil, nil)
}

// plan plans maintenance, or previews it.
func (c *Console) plan(w http.ResponseWriter, r *http.Request) error {
	return c.savePlan(w, r, status.Window{})
}

// changeForm asks what is to change about a window.
func (c *Console) changeForm(w http.ResponseWriter, r *http.Request) error {
	win, err := c.windowOf(r)
	if err != nil {
		return err
	}
	return c.planPage(w, r, valuesOf(win, c.zoneOf(guestOf(r))), win, nil, nil)
}

// change changes a window, or previews it.
func (c *Console) change(w http.ResponseWriter, r *http.Request) error {
	win, err := c.windowOf(r)
	if err != nil {
		return err
	}
	return c.savePlan(w, r, win)
}

// windowOf finds a window that was planned here. Errors: NotFound, Conflict.
func (c *Console) windowOf(r *http.Request) (status.Window, error) {
	if c.deps.Planner == nil {
		return status.Window{}, noDesk()
	}
	windows, err := c.deps.Planner.Windows(r.Context(), guestOf(r).Actor)
	if err != nil {
		return status.Window{}, err
	}
	i := slices.IndexFunc(windows, func(w status.Window) bool { return w.Key == r.PathValue("key") })
	switch {
	case i < 0:
		return status.Window{}, problem.NotFound("There is no such maintenance window; it may be over.")
	case !windows[i].Hand:
		return status.Window{}, problem.Conflict("%s is defined in %s; change it there.", windows[i].Title, c.originOf("window", windows[i].ID))
	}
	return windows[i], nil
}

// valuesOf fills the form from a window.
func valuesOf(w status.Window, zone *time.Location) url.Values {
	if z, err := time.LoadLocation(w.Zone); err == nil && w.Zone != "" {
		zone = z
	}
	v := url.Values{"title": {w.Title}, "description": {w.Description}, "zone": {zone.String()}, "components": w.Components, "when": {"once"}, "repeats": {"weekly"}, "every": {"1"}}
	p := patternOf(w.RRule)
	if w.RRule != "" {
		v.Set("when", "recurs")
		v.Set("repeats", p.Kind)
		v.Set("every", p.Every)
		v["days"] = p.Days
		v.Set("rrule", p.Rule)
		v.Set("start", w.Start)
		v.Set("lasts", shortDuration(w.Duration))
	} else {
		v.Set("from", w.From.In(zone).Format("2006-01-02T15:04"))
		v.Set("to", w.To.In(zone).Format("2006-01-02T15:04"))
	}
	v.Set("nth", p.Nth)
	v.Set("weekday", p.Weekday)
	v.Set("monthday", p.Date)
	if w.Conduct.StartsByHand {
		v.Set("starts_by_hand", "1")
	}
	if w.Conduct.EndsByHand {
		v.Set("ends_by_hand", "1")
	}
	var ahead []string
	for _, d := range w.Conduct.Reminders() {
		ahead = append(ahead, shortDuration(d))
	}
	v.Set("remind", strings.Join(ahead, ", "))
	v.Set("version", strconv.FormatInt(w.Version, 10))
	return v
}

// shortDuration writes 1h30m, as the fields read it.
func shortDuration(d time.Duration) string {
	s := d.String()
	if cut, ok := strings.CutSuffix(s, "m0s"); ok {
		s = cut + "m"
	}
	if cut, ok := strings.CutSuffix(s, "h0m"); ok {
		s = cut + "h"
	}
	return s
}

// windowFrom reads the form. What the wing can say of a window it says itself;
// here is only what is no window at all.
func windowFrom(v url.Values, is status.Window) (status.Window, problem.Errors) {
	var errs problem.Errors
	fail := func(err error) {
		if f, ok := err.(*problem.Error); ok {
			errs = append(errs, f)
		}
	}
	w := is
	w.Title, w.Description, w.Zone = v.Get("title"), v.Get("description"), strings.TrimSpace(v.Get("zone"))
	w.Components = nil
	for _, id := range append(v["components"], strings.FieldsFunc(v.Get("names"), func(r rune) bool { return strings.ContainsRune(", \r\n\t", r) })...) {
		if !slices.Contains(w.Components, id) {
			w.Components = append(w.Components, id)
		}
	}
	if version, err := strconv.ParseInt(v.Get("version"), 10, 64); err == nil && is.Key != "" {
		w.Version = version
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil || w.Zone == "" || w.Zone == "Local" {
		fail(problem.Invalid("zone", "%q is no time zone, such as Europe/London.", cut(w.Zone, 40)))
		zone = time.UTC
	}
	w.From, w.To, w.RRule, w.Start, w.Duration = time.Time{}, time.Time{}, "", "", 0
	if v.Get("when") == "recurs" {
		w.RRule, w.Start = patternFrom(v).String(), v.Get("start")
		if w.Duration, err = time.ParseDuration(strings.ReplaceAll(v.Get("lasts"), " ", "")); err != nil || w.Duration <= 0 {
			fail(problem.Invalid("lasts", "Say how long it lasts, such as 90m or 1h30m."))
		}
	} else {
		if w.From, err = momentIn(v.Get("from"), zone, "from"); err != nil {
			fail(err)
		}
		if w.To, err = momentIn(v.Get("to"), zone, "to"); err != nil {
			fail(err)
		}
	}
	w.Conduct.StartsByHand, w.Conduct.EndsByHand = v.Get("starts_by_hand") != "", v.Get("ends_by_hand") != ""
	w.Conduct.Remind = []time.Duration{}
	for part := range strings.FieldsFuncSeq(v.Get("remind"), func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := time.ParseDuration(part)
		if err != nil {
			fail(problem.Invalid("remind", "%q is no length of time, such as 24h.", cut(part, 20)))
			break
		}
		w.Conduct.Remind = append(w.Conduct.Remind, d)
	}
	return w, errs
}

// savePlan plans or changes a window, or shows what it would mean.
func (c *Console) savePlan(w http.ResponseWriter, r *http.Request, is status.Window) error {
	if c.deps.Planner == nil {
		return noDesk()
	}
	v, err := formOf(r)
	if err != nil {
		return err
	}
	by := guestOf(r).Actor
	win, errs := windowFrom(v, is)
	if len(errs) > 0 {
		return c.planPage(w, r, v, is, nil, errs)
	}
	if v.Get("do") == "preview" {
		p, err := c.deps.Planner.Preview(r.Context(), by, win)
		if _, ours := faultsOf(err); err != nil && !ours {
			return err
		}
		return c.planPage(w, r, v, is, &p, err)
	}
	if is.Key == "" {
		win, err = c.deps.Planner.PlanMaintenance(r.Context(), by, win)
	} else {
		win, err = c.deps.Planner.ChangeMaintenance(r.Context(), by, win)
	}
	if _, ours := faultsOf(err); err != nil && ours {
		return c.planPage(w, r, v, is, nil, err)
	} else if err != nil {
		return err
	}
	said := &Said{Text: win.Title + " is planned"}
	if is.Key != "" {
		said.Text = win.Title + " was changed"
	} else {
		said.Undo, said.With = "/console/windows/"+win.Key+"/cancel", map[string]string{"version": strconv.FormatInt(win.Version, 10)}
	}
	month := ""
	if !win.From.IsZero() {
		month = "?month=" + win.From.In(c.zoneOf(guestOf(r))).Format(monthLayout)
	}
	c.See(w, r, "/console/calendar"+month, said)
	return nil
}

// cancelWindow cancels a window with everything of it that is still ahead.
func (c *Console) cancelWindow(w http.ResponseWriter, r *http.Request) error {
	win, err := c.windowOf(r)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil {
		version = win.Version
	}
	if err := c.deps.Planner.CancelMaintenance(r.Context(), guestOf(r).Actor, win.Key, version); err != nil {
		return err
	}
	c.See(w, r, "/console/calendar", &Said{Text: win.Title + " is cancelled"})
	return nil
}

// planPage shows the form with what was typed, what is wrong, and what it would mean.
func (c *Console) planPage(w http.ResponseWriter, r *http.Request, v url.Values, is status.Window, p *status.Preview, failed error) error {
	s, err := c.roll.state(r.Context())
	if err != nil {
		return err
	}
	g := guestOf(r)
	f, _ := faultsOf(failed)
	d := planPage{Path: r.URL.Path, Do: "Plan it", Recurs: v.Get("when") == "recurs", Zones: slices.Compact(append([]string{c.zoneOf(g).String(), s.zone.String()}, zonesOffered...))}
	d.Once = !d.Recurs
	field := func(kind, name, label string) Field {
		return Field{Kind: kind, Name: name, Label: label, Value: v.Get(name), Error: f.of(name)}
	}
	options := func(name string, list ...[2]string) Field {
		out := field("select", name, "")
		for _, o := range list {
			out.Options = append(out.Options, Option{Value: o[0], Word: o[1], On: o[0] == v.Get(name)})
		}
		return out
	}
	d.Title = field("text", "title", "What is done")
	d.Title.Hint, d.Title.Required = "Customers read it.", true
	d.Text = field("area", "description", "More for customers")
	d.Text.Optional, d.Text.Rows, d.Text.Hint = true, 4, "An empty line begins a paragraph."
	d.From, d.To = field("datetime-local", "from", "From"), field("datetime-local", "to", "To")
	d.Start, d.Lasts = field("datetime-local", "start", "First time"), field("text", "lasts", "Lasts")
	if d.Lasts.Error == "" {
		d.Lasts.Error = f.of("duration")
	}
	d.Lasts.Hint = "Such as 90m or 1h30m."
	d.Zone = field("text", "zone", "Time zone")
	d.Zone.List, d.Zone.Hint = "zones", "Local times keep their clock over the change of summer time."
	d.Repeats = options("repeats", [2]string{"daily", "by the day"}, [2]string{"weekly", "by the week"}, [2]string{"monthly", "by the month, on a weekday"}, [2]string{"date", "by the month, on a date"}, [2]string{"rule", "as an RRULE"})
	d.Repeats.Label = "Repeats"
	d.Every = field("number", "every", "Every")
	d.Every.Hint = "1 is each day, week or month."
	for _, day := range weekdays {
		d.Days = append(d.Days, Option{Value: day.code, Word: day.short, Hint: day.word, On: slices.Contains(v["days"], day.code)})
	}
	var which, days [][2]string
	for _, n := range nths {
		which = append(which, [2]string{n.code, n.word})
	}
	for _, day := range weekdays {
		days = append(days, [2]string{day.code, day.word})
	}
	d.Nth, d.Weekday = options("nth", which...), options("weekday", days...)
	d.Nth.Label, d.Weekday.Label = "The", "Weekday of the month"
	d.Date = field("number", "monthday", "Day of the month")
	d.Rule = field("text", "rrule", "RRULE")
	d.Rule.Place, d.Rule.Hint = "FREQ=MONTHLY;BYDAY=2TU", "RFC 5545, without DTSTART."
	d.ByHand = field("check", "starts_by_hand", "A person begins it")
	d.ByHand.Hint = "It does not begin by itself, and is called off when nobody begins it in its time."
	d.EndByHand = field("check", "ends_by_hand", "A person ends it")
	d.EndByHand.Hint = "It stays open until somebody says that it is done; its owner is told when it is overdue."
	d.Remind = field("text", "remind", "Remind people before")
	d.Remind.Optional, d.Remind.Hint = true, "Such as 24h, 1h. Empty for never."
	chosen := append(slices.Clone(v["components"]), strings.Fields(v.Get("names"))...)
	d.NoneChosen = f.of("components")
	if len(s.components) <= maxChoices {
		d.Groups = choicesOf(s, chosen)
	} else {
		d.Names = Field{Kind: "area", Name: "names", Label: "Components", Value: strings.Join(chosen, " "), Hint: "Ids with spaces between them.", Error: d.NoneChosen, Rows: 3}
	}
	if p != nil && failed == nil {
		d.Previewed = true
		zone, _ := time.LoadLocation(v.Get("zone")) // it was checked
		for _, next := range p.Next[:min(len(p.Next), previewed)] {
			d.Dates = append(d.Dates, previewDate{
				Local: next.From.In(zone).Format("Mon 2 Jan 2006 15:04") + " to " + next.To.In(zone).Format("15:04 MST"),
				UTC:   next.From.UTC().Format("Mon 2 Jan 15:04") + " to " + next.To.UTC().Format("15:04 UTC"),
			})
		}
		for _, o := range p.Overlaps {
			d.Overlaps = append(d.Overlaps, workOf(o, s, c.clock(c.zoneOf(g))))
		}
	}
	page := Page{
		Title: "Plan maintenance", Section: "calendar", Template: "plan", Bleed: true,
		Crumbs: []Crumb{{"Calendar", "/console/calendar"}, {Word: "Plan maintenance"}},
	}
	if is.Key != "" {
		page.Title, d.Do, d.Cancel = "Change maintenance", "Save the change", "/console/windows/"+is.Key+"/cancel"
		page.Crumbs[1].Word = cut(is.Title, 60)
		d.Version, _ = strconv.ParseInt(v.Get("version"), 10, 64)
	}
	if d.Wrong = f.left(); failed != nil {
		page.Code = http.StatusUnprocessableEntity
	}
	page.Data = d
	c.Page(w, r, page)
	return nil
}

// choicesOf lists components by group, to be ticked.
func choicesOf(s *state, chosen []string) []choiceGroup {
	var out []choiceGroup
	for _, g := range append(slices.Clone(s.groups), status.Group{Name: "Others"}) {
		one := choiceGroup{Name: g.Name}
		for _, comp := range s.components {
			if comp.Group == g.ID {
				one.Choices = append(one.Choices, Option{Value: comp.ID, Word: comp.Name, On: slices.Contains(chosen, comp.ID)})
			}
		}
		if len(one.Choices) > 0 {
			out = append(out, one)
		}
	}
	return out
}
