package public

import (
	"bytes"
	"html/template"
	"strconv"
	"time"

	"evenkeel/internal/status"
)

// Bounds of the front page: beyond them it says how many more there are.
const (
	maxFailures   = 8
	maxAhead      = 8
	maxAgain      = 4     // later occurrences of one window
	maxWorkText   = 4_000 // letters about maintenance, altogether
	maxDayEvents  = 6
	foldBeyond    = 40 // components: larger pages fold their groups
	maxRowsCached = 50_000
)

// frontPage is the data of front.html.
type frontPage struct {
	frame
	Open         []incidentView
	OpenWord     string // "Open incident", "Three open incidents"
	MoreOpen     []incidentView
	Failures     []failureView
	MoreFailures int
	Current      []workView
	Groups       []groupView
	FirstDay     string
	Lines        bool
	Key          template.HTML
	Formula      formulaView
	Ahead        []workView
	MoreAhead    int
	Past         []pastView
	Mail         *tellView // the form of the subscribe section; nil when mail is off
}

// failureView is a confirmed failure that nobody has explained yet.
type failureView struct {
	ID, Name, Text, Class, Mark, Word string
	Since                             template.HTML
}

// groupView is a heading and its rows, rendered.
type groupView struct {
	Name, Class, Mark, Sum string
	Fold, Open             bool
	Bars                   template.HTML // of a folded group: the worst of each day
	Rows                   []template.HTML
}

// formulaView is the printed formula.
type formulaView struct {
	Until template.HTML
	Text  string
}

// pastView is a day of the past, or a stretch of quiet ones.
type pastView struct {
	When   string
	Events []eventView
	More   int
}

// eventView is one thing of the past in short: an incident, or a trouble of one
// component that none tells of.
type eventView struct {
	Href, Name, Text, Class, Mark, Word string
	Of                                  string        // the components of an incident
	When                                template.HTML // its day, where that does not stand beside it
	Span                                template.HTML
}

// row is all that a component's row shows. It is a plain value, so that equal
// rows need not be rendered again.
type row struct {
	ID, Name, Class, Mark, Word string
	Bars, Line                  template.HTML
	Median, Uptime, Formula     string
}

// rows renders rows and remembers them while they stand on the page: of a
// thousand, a change touches one. It belongs to the one goroutine that renders.
type rows struct {
	stage stage
	kept  map[row]template.HTML
	next  map[row]template.HTML
	buf   bytes.Buffer
}

// begin starts a page: what it does not use is forgotten at the end.
func (r *rows) begin() { r.next = make(map[row]template.HTML, len(r.kept)+16) }

// end forgets the rows that the page did not use.
func (r *rows) end() { r.kept, r.next = r.next, nil }

// render gives the row of a component; told are the incidents that tell of it,
// newest first. Errors: Internal.
func (r *rows) render(c status.PageComponent, formula string, told []status.Incident) (template.HTML, error) {
	l := lookOf(c.Status)
	v := row{
		ID: c.ID, Name: c.Name, Class: l.class, Mark: l.class, Word: l.word, Line: sparkline(c.Line),
		Bars: bars(c.Days, "/components/"+pathID(c.ID)+"#changes", told), Uptime: uptimeShort(c.Uptime), Formula: formula,
	}
	if c.Status != status.Operational {
		v.Class += " bad"
	}
	if c.Median > 0 {
		v.Median = seconds(c.Median.Seconds())
	}
	out, ok := r.kept[v]
	if !ok {
		r.buf.Reset()
		if err := r.stage.write(&r.buf, "row", &v); err != nil {
			return "", err
		}
		out = template.HTML(bytes.TrimSpace(r.buf.Bytes()))
	}
	if len(r.next) < maxRowsCached {
		r.next[v] = out
	}
	return out, nil
}

// front renders the front page. Errors: Internal.
func (s stage) front(p *status.Page, rows *rows) (sheet, error) {
	c := clockIn(p.Site.Zone)
	kind := "front"
	if len(p.Incidents) > 0 {
		kind = "open"
	}
	d := frontPage{frame: s.frame(kind, p, p.Headline.Status, trimDot(p.Headline.Title)), Lines: p.Sparklines, Key: barKey()}
	d.Here = "status"
	d.Verdict.Say, d.Verdict.Rest = p.Headline.Title, p.Headline.Rest
	d.Verdict.Lead = template.HTML(template.HTMLEscapeString(p.Headline.Lead))
	d.Formula.Text = formulaText(p.Weights, "over the last 90 days")
	s.addOpen(&d, p, c)
	d.Mail = s.tell(tellAll())
	for i, f := range p.Failures {
		if i == maxFailures {
			d.MoreFailures = len(p.Failures) - maxFailures
			break
		}
		l := lookOf(f.Status)
		d.Failures = append(d.Failures, failureView{ID: f.Component, Name: f.Name, Text: f.Text, Class: l.class, Mark: l.class, Word: l.word, Since: c.since(f.Since, p.At)})
	}
	works := &purse{maxWorkText}
	for _, o := range p.Current {
		d.Current = append(d.Current, s.work(p, c, o, works))
	}
	d.Ahead, d.MoreAhead = s.ahead(p, c, works)
	for _, day := range p.Past {
		d.Past = append(d.Past, past(p, c, day))
	}
	if err := d.components(p, rows); err != nil {
		return sheet{}, err
	}
	d.FirstDay = firstDay(p.At, c)
	return s.page(kind, d)
}

// addOpen puts open incidents on the page, the worst first: their newest word in
// full, and the story so far as there is room.
func (s stage) addOpen(d *frontPage, p *status.Page, c clock) {
	text := &purse{maxFrontText}
	told := p.Incidents[:min(len(p.Incidents), maxOpen)]
	for n := range told {
		v := s.incidentView(c, &told[n], p.At, text)
		v.Tell = s.tell(tellIncident(v.ID))
		d.Open = append(d.Open, v)
	}
	for n := range told { // the newest word of each comes first
		s.earlier(&d.Open[n], c, &told[n], p.At, text)
	}
	for n := len(told); n < min(len(p.Incidents), maxOpen+maxNamed); n++ {
		i := &p.Incidents[n]
		d.MoreOpen = append(d.MoreOpen, incidentView{Href: incidentPath(i.ID), Title: i.Name, Class: incidentClass(i)})
	}
	d.OpenWord = "Open incident"
	if len(p.Incidents) > 1 {
		d.OpenWord = count(len(p.Incidents), "open incident", "open incidents")
	}
}

// ahead makes the views of planned work: one for each window, which names the
// days on which it comes again. more counts what did not fit.
func (s stage) ahead(p *status.Page, c clock, text *purse) (views []workView, more int) {
	at := map[string]int{}
	for _, o := range p.Ahead {
		i, again := at[o.Window]
		switch {
		case again && len(views[i].Again) < maxAgain:
			views[i].Again = append(views[i].Again, againView{maintenancePath(o.ID), o.From.In(c.zone).Format(dateLayout)})
		case again || len(views) == maxAhead:
			more++
		default:
			at[o.Window] = len(views)
			views = append(views, s.work(p, c, o, text))
		}
	}
	return views, more
}

// components renders every row.
func (d *frontPage) components(p *status.Page, rows *rows) error {
	total := 0
	for _, g := range p.Groups {
		total += len(g.Components)
	}
	title := d.Formula.Text
	if total > foldBeyond {
		title = "" // a thousand times the same; it is printed below
	}
	told := map[string][]status.Incident{} // by component, newest first
	for _, i := range p.Recent {
		for _, c := range i.Components {
			told[c.ID] = append(told[c.ID], i)
		}
	}
	rows.begin()
	defer rows.end()
	for _, g := range p.Groups {
		if len(g.Components) == 0 {
			continue
		}
		l := lookOf(g.Status)
		v := groupView{Name: g.Name, Class: l.class, Mark: l.class, Fold: total > foldBeyond && g.Name != "", Open: g.Status.Worse(status.Operational)}
		trouble := 0
		for _, c := range g.Components {
			if c.Status != status.Operational {
				trouble++
			}
			html, err := rows.render(c, title, told[c.ID])
			if err != nil {
				return err
			}
			v.Rows = append(v.Rows, html)
		}
		v.Sum = groupSum(len(g.Components), trouble, g.Status)
		if v.Fold {
			v.Class = groupClass(v.Class, trouble)
			v.Bars = bars(worstDays(g.Components), "", nil)
		}
		d.Groups = append(d.Groups, v)
	}
	return nil
}

// groupClass makes a folded group with trouble stand out as its rows do.
func groupClass(class string, trouble int) string {
	if trouble > 0 {
		return class + " bad"
	}
	return class
}

// worstDays gives the worst of each day over several components, without stories.
func worstDays(all []status.PageComponent) []status.Day {
	out := make([]status.Day, barDays)
	for i := range out {
		out[i].Worst = status.NotMeasured
	}
	for _, c := range all {
		days := c.Days[max(0, len(c.Days)-barDays):]
		for i := range days {
			if at, s := &out[barDays-len(days)+i], shownStatus(&days[i]); s != at.Worst && s.Worse(at.Worst) {
				at.Worst = s
			}
		}
	}
	return out
}

// groupSum says in a few words how a folded group is.
func groupSum(all, trouble int, s status.Status) string {
	if trouble == 0 {
		return "All " + strconv.Itoa(all) + " operational"
	}
	return lookOf(s).word + ", " + strconv.Itoa(trouble) + " of " + strconv.Itoa(all)
}

// past makes the view of a past day.
func past(p *status.Page, c clock, day status.PastDay) pastView {
	v := pastView{When: c.days(day.From, day.To)}
	for i := range day.Incidents {
		v.Events = append(v.Events, incidentEvent(c, &day.Incidents[i], p.At))
	}
	for _, e := range day.Events {
		v.Events = append(v.Events, event(c, e, p.At))
	}
	if n := len(v.Events); n > maxDayEvents {
		v.Events, v.More = v.Events[:maxDayEvents], n-maxDayEvents
	}
	return v
}

// event makes the view of one trouble.
func event(c clock, e status.PastEvent, now time.Time) eventView {
	l := lookOf(e.Status)
	v := eventView{Href: "/components/" + pathID(e.Component), Name: e.Name, Text: e.Text, Class: l.class, Mark: l.class, Word: l.word}
	if e.To.IsZero() {
		v.Span = "since " + c.since(e.From, now)
	} else {
		v.Span = template.HTML(length(e.To.Sub(e.From))) + ", " + c.hours(e.From, e.To)
	}
	return v
}

// firstDay names the oldest of the ninety bars.
func firstDay(at time.Time, c clock) string {
	return at.In(c.zone).AddDate(0, 0, 1-barDays).Format(dateLayout)
}

// trimDot takes the full stop off a sentence that becomes a title.
func trimDot(s string) string {
	if n := len(s); n > 0 && s[n-1] == '.' {
		return s[:n-1]
	}
	return s
}
