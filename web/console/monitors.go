package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// monitorRoutes are the addresses of monitors.
func (c *Console) monitorRoutes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: "/console/monitors", Action: access.MonitorRead, Handler: c.handle(c.monitorList)},
		{Method: http.MethodGet, Path: "/console/monitors/{id}", Action: access.MonitorRead, Handler: c.handle(c.monitorRoom)},
		{Method: http.MethodPost, Path: "/console/monitors/{id}/silence", Action: access.AlertSilence, Handler: c.handle(c.silenceMonitor)},
		{Method: http.MethodPost, Path: "/console/monitors/{id}/run", Action: access.MonitorRun, Handler: c.handle(c.runMonitor)},
	}
}

// monitorRow is one monitor in a list.
type monitorRow struct {
	ID, Name, Kind string
	Component      string
	Path           string // of the component
	Mark           Mark
	Why            string
	Value          string
	Every          string
	Heard          Stamp
	Silent         bool
	Line           line
	CanRun         bool
	Sentinel       bool
}

// monitorsPage is the data of monitors.html.
type monitorsPage struct {
	Query string
	Show  string
	Tabs  []Tab
	Rows  []monitorRow
	Found int
	Pager Pager
	None  bool
}

// monitorRow says how a monitor is, and why.
func (c *Console) monitorRow(ctx context.Context, m *status.Monitor, s *state, k Clock) monitorRow {
	row := monitorRow{ID: m.ID, Name: m.Name, Kind: kindWord(m.Kind), Every: "every " + length(m.Interval), Sentinel: m.Sentinel, CanRun: c.deps.Runner != nil && m.Kind != "heartbeat"}
	if row.Name == "" {
		row.Name = m.ID
	}
	if one := s.byID[m.Component]; one != nil {
		row.Component, row.Path = one.Name, "/console/components/"+one.ID
	}
	row.Mark = markOfLevel(status.LevelUnknown)
	row.Why = "not heard of yet"
	if v, ok := c.verdict(m); ok {
		row.Mark = markOfLevel(v.Level)
		row.Why = c.explain(m, v, k)
	}
	if c.deps.Watch != nil {
		if last, ok := c.deps.Watch.Last(m.Key); ok {
			row.Heard = k.At(last.Started)
			if last.HasValue && m.Unit != "" {
				row.Value = measure(last.Value, m.Unit)
			} else if last.Latency > 0 {
				row.Value = latency(last.Latency)
			}
		}
		row.Silent = c.silent(m, k.Now)
	}
	row.Line = c.sparks.of(ctx, m, k.Now)
	return row
}

// kindWord is a kind of check as people say it.
func kindWord(kind string) string {
	words := map[string]string{
		"http": "HTTP", "tcp": "TCP", "tls": "TLS", "dns": "DNS", "icmp": "ping", "grpc": "gRPC", "redis": "Redis", "postgres": "PostgreSQL",
		"mongodb": "MongoDB", "smtp": "SMTP", "imap": "IMAP", "kubernetes": "Kubernetes", "exec": "program", "heartbeat": "heartbeat",
		"statuspage": "status page", "prometheus": "Prometheus value", "sql": "SQL value", "redis_length": "Redis length",
	}
	if w, ok := words[kind]; ok {
		return w
	}
	return kind
}

// explain says why a monitor has its level, in a line for staff.
func (c *Console) explain(m *status.Monitor, v status.MonitorVerdict, k Clock) string {
	var parts []string
	last, heard := status.Result{}, false
	if c.deps.Watch != nil {
		last, heard = c.deps.Watch.Last(m.Key)
	}
	rule := m.Rule.Defaults()
	switch v.Level {
	case status.LevelDown:
		if heard && last.Reason != "" {
			parts = append(parts, last.Reason)
		}
		parts = append(parts, plural(v.Streak, "result", "results")+" in a row, "+grouped(float64(rule.Confirm))+" needed")
	case status.LevelSlow:
		parts = append(parts, "above "+length(rule.Slow)+", "+grouped(float64(rule.SlowFor))+" in a row needed")
	case status.LevelUp:
		if heard && last.Outcome == status.Failed {
			parts = append(parts, last.Reason+", "+grouped(float64(v.Streak))+" of "+grouped(float64(rule.Confirm))+" needed to go down")
		} else {
			parts = append(parts, "good")
		}
	default:
		parts = append(parts, "nothing can be said")
	}
	if !v.Since.IsZero() {
		parts = append(parts, "since "+k.Exact(v.Since).Text)
	}
	if v.Flapping {
		parts = append(parts, "flapping: shown at its worst until it is steady")
	}
	if v.Held != "" {
		parts = append(parts, v.Held)
	}
	return strings.Join(parts, "; ")
}

// monitorShows are the filters of the list.
var monitorShows = []struct {
	id, word string
	fits     func(monitorRow) bool
}{
	{"", "All", func(monitorRow) bool { return true }},
	{"trouble", "In trouble", func(r monitorRow) bool { return gravity[r.Mark.Class] >= gravity["degraded"] }},
	{"silent", "Silent", func(r monitorRow) bool { return r.Silent }},
	{"unknown", "No verdict", func(r monitorRow) bool { return r.Mark.Class == "unknown" }},
	{"sentinels", "Sentinels", func(r monitorRow) bool { return r.Sentinel }},
}

// monitorList lists monitors, those that are sought.
func (c *Console) monitorList(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := monitorsPage{Query: cut(r.URL.Query().Get("q"), 100), Show: r.URL.Query().Get("show"), None: len(s.catalog.Monitors) == 0}
	var sought []monitorRow
	byID := map[string]*status.Monitor{}
	for i := range s.catalog.Monitors {
		m := &s.catalog.Monitors[i]
		byID[m.ID] = m
		row := monitorRow{ID: m.ID, Name: m.Name, Sentinel: m.Sentinel, Mark: markOfLevel(status.LevelUnknown), Kind: m.Kind}
		if one := s.byID[m.Component]; one != nil {
			row.Component = one.Name
		}
		if !matches(row.Name+" "+row.ID+" "+row.Component+" "+row.Kind, d.Query) {
			continue
		}
		if v, ok := c.verdict(m); ok {
			row.Mark = markOfLevel(v.Level)
		}
		row.Silent = c.deps.Watch != nil && c.silent(m, k.Now)
		sought = append(sought, row)
	}
	var found []monitorRow
	for _, show := range monitorShows {
		var fits []monitorRow
		for _, row := range sought {
			if show.fits(row) {
				fits = append(fits, row)
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
	slices.SortStableFunc(found, func(a, b monitorRow) int {
		return cmp.Compare(max(gravity[b.Mark.Class], gravity["maint"]), max(gravity[a.Mark.Class], gravity["maint"]))
	})
	d.Found = len(found)
	found, d.Pager = paged(r.URL, found)
	for _, row := range found {
		d.Rows = append(d.Rows, c.monitorRow(ctx, byID[row.ID], s, k))
	}
	c.Page(w, r, Page{
		Title: "Monitors", Section: "components", Template: "monitors", Data: d, Live: "component monitor setup definition", Every: 30,
		Crumbs: []Crumb{{"Components", "/console/components"}, {Word: "Monitors"}},
		Keys:   []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	})
	return nil
}

// phaseRow is one phase of a run.
type phaseRow struct {
	Word, Value string
	From, Wide  string // on a bar 1000 wide
	Class       string
}

// runView is one run in full.
type runView struct {
	Mark     Mark
	At       Stamp
	Latency  string
	Code     int
	Reason   string
	Location string
	Phases   []phaseRow
	Log      []string
	ByHand   bool
}

// decisionRow is one line of a monitor's diary.
type decisionRow struct {
	At        Stamp
	Effective Stamp
	From, To  Mark
	Words     string
	Held      string
}

// monitorPage is the data of monitor.html.
type monitorPage struct {
	Row       monitorRow
	Rule      []figure
	Last      *runView
	Hand      *runView
	Decisions []decisionRow
	Ranges    []Tab
	Chart     chart
	Hours     []string
	Origin    string
	Locations []string
	CanRun    bool
	CanEdit   bool

	CanSilence bool
	Silences   []silenceRow // that hold, of the monitor alone
	SilenceFor []Option
}

// maxDecisions bounds the diary on the page.
const maxDecisions = 50

// monitorRoom shows one monitor: its verdict explained, its last run with its
// phases and log, and its diary.
func (c *Console) monitorRoom(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	s, m, err := c.monitorOf(r)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := monitorPage{Row: c.monitorRow(ctx, m, s, k), Rule: ruleWords(m), Locations: m.Locations, CanRun: c.deps.Runner != nil && g.Actor.May(access.MonitorRun)}
	d.Origin = c.originOf("monitor", m.ID)
	if c.deps.Watch != nil {
		if last, ok := c.deps.Watch.Last(m.Key); ok {
			d.Last = runViewOf(last, m, k)
		}
	}
	if hand, ok := c.runs.take(m.Key, g.Actor.ID, k.Now); ok {
		d.Hand = runViewOf(hand, m, k)
		d.Hand.ByHand = true
	}
	diary, err := c.deps.Record.Decisions(ctx, m.Key, maxDecisions)
	if err != nil {
		return err
	}
	for _, x := range diary {
		d.Decisions = append(d.Decisions, decisionRow{
			At: k.Exact(x.At), Effective: k.Exact(x.Effective), From: markOfLevel(x.From), To: markOfLevel(x.To), Words: x.Staff, Held: x.Held,
		})
	}
	if err := c.monitorSilences(ctx, &d, m, s, g, k); err != nil {
		return err
	}
	span := rangeOf(r.URL.Query().Get("range"))
	for i, x := range ranges {
		id := x.id
		if i == 0 {
			id = ""
		}
		d.Ranges = append(d.Ranges, Tab{Word: x.word, Path: with(r.URL, "range", id), Here: x.id == span.id})
	}
	if d.Chart.Empty = true; c.deps.Samples != nil {
		d.Chart, d.Hours = c.chartOf(ctx, m, k, span.d), axis(k, span.d)
	}
	crumbs := []Crumb{{"Components", "/console/components"}}
	if one := s.byID[m.Component]; one != nil {
		crumbs = append(crumbs, Crumb{one.Name, "/console/components/" + one.ID})
		d.CanEdit = d.Origin == "" && mayOn(g.Actor, access.ComponentEdit, one) && c.deps.Definitions != nil
	}
	page := Page{
		Title: d.Row.Name, Section: "components", Template: "monitor", Data: d, Mark: d.Row.Mark, Bleed: true, Crumbs: append(crumbs, Crumb{Word: d.Row.Name}),
		Sub: []string{d.Row.Kind, d.Row.Every}, Live: "component monitor setup definition", Every: 15,
		Facts: []Fact{{Word: "Verdict", Mark: d.Row.Mark}, {Word: "Now", Value: cmp.Or(d.Row.Value, "–")}, {Word: "Heard", Value: d.Row.Heard.Age + " ago"}},
	}
	if !d.Row.Heard.Any() {
		page.Facts[2].Value = "not yet"
	}
	if d.CanRun && d.Row.CanRun {
		page.Actions = append(page.Actions, Action{Word: "Run now", Icon: "run", Path: "/console/monitors/" + m.ID + "/run", Key: "r", Post: true, Primary: true})
		page.Keys = append(page.Keys, Key{[]string{"r"}, "run now"})
	}
	if d.CanSilence {
		page.Keys = append(page.Keys, Key{[]string{"s"}, "silence"})
	}
	if d.CanEdit {
		page.Actions = append(page.Actions, Action{Word: "Edit", Icon: "edit", Path: "/console/monitors/" + m.ID + "/edit", Key: "e"})
	}
	c.Page(w, r, page)
	return nil
}

// monitorOf finds a monitor by the ID in the address. Errors: NotFound, Unavailable.
func (c *Console) monitorOf(r *http.Request) (*state, *status.Monitor, error) {
	s, err := c.roll.state(r.Context())
	if err != nil {
		return nil, nil, err
	}
	m := s.monitors[r.PathValue("id")]
	if m == nil {
		return nil, nil, problem.NotFound("There is no monitor %q; it may have been renamed.", cut(r.PathValue("id"), 64))
	}
	return s, m, nil
}

// ruleWords say how results become a verdict.
func ruleWords(m *status.Monitor) []figure {
	r := m.Rule.Defaults()
	out := []figure{
		{Word: "Down after", Value: plural(r.Confirm, "failure", "failures") + " in a row"},
		{Word: "Back after", Value: plural(r.Recover, "good result", "good results") + " in a row"},
	}
	if r.Slow > 0 {
		out = append(out, figure{Word: "Slow above", Value: length(r.Slow) + ", " + plural(r.SlowFor, "time", "times") + " in a row"})
	}
	if r.Fails != "" {
		out = append(out, figure{Word: "A failure means", Value: strings.ToLower(markOf(r.Fails).Word)})
	}
	if len(m.Locations) > 1 {
		need := r.Quorum
		if need == 0 {
			need = len(m.Locations)/2 + 1
		}
		out = append(out, figure{Word: "Must agree", Value: grouped(float64(need)) + " of " + plural(len(m.Locations), "location", "locations")})
	}
	return append(out, figure{Word: "Flapping from", Value: plural(r.FlapCount, "change", "changes") + " in " + length(r.FlapWithin)})
}

// phaseWords are the phases of a run, in order.
var phaseWords = [status.PhaseCount]string{"name", "connect", "TLS", "wait", "transfer"}

func runViewOf(x status.Result, m *status.Monitor, k Clock) *runView {
	v := &runView{At: k.Exact(x.Started), Latency: latency(x.Latency), Code: x.Code, Reason: x.Reason, Location: x.Location}
	switch x.Outcome {
	case status.OK:
		v.Mark = Mark{"ok", "Good"}
	case status.Slow:
		v.Mark = Mark{"degraded", "Slow"}
	case status.Failed:
		v.Mark = Mark{"major", "Failed"}
	default:
		v.Mark = Mark{"unknown", "Inconclusive"}
	}
	if x.HasValue && m.Unit != "" {
		v.Latency = measure(x.Value, m.Unit)
	}
	var sum time.Duration
	for _, p := range x.Phases {
		sum += p
	}
	at := 0.0
	for i, p := range x.Phases {
		if p <= 0 || sum <= 0 {
			continue
		}
		wide := float64(p) / float64(sum) * trackWide
		v.Phases = append(v.Phases, phaseRow{
			Word: phaseWords[i], Value: latency(p), From: decimal(at), Wide: decimal(max(wide-2, 1)), Class: "p" + decimal(float64(i)),
		})
		at += wide
	}
	if x.Facts != nil {
		v.Log = x.Facts.Log
	}
	return v
}

// decimal writes a number for a drawing.
func decimal(v float64) string {
	return strings.TrimSuffix(strings.ReplaceAll(grouped(float64(int(v*10))/10), ",", ""), ".0")
}

// Limits of running by hand.
const (
	maxRuns  = 128
	runsKept = 10 * time.Minute
	// runWithin bounds a run by hand, whatever its own timeout says.
	runWithin = 25 * time.Second
)

// runs keeps what runs by hand found until the page that shows it is fetched,
// and for as long as somebody looks at it.
type runs struct {
	mu   sync.Mutex
	kept map[[2]string]handRun // by monitor and actor
}

type handRun struct {
	result status.Result
	at     time.Time
}

func newRuns() *runs { return &runs{kept: map[[2]string]handRun{}} }

func (r *runs) put(monitor, actor string, x status.Result, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, old := range r.kept {
		if now.Sub(old.at) > runsKept || len(r.kept) >= maxRuns {
			delete(r.kept, key)
		}
	}
	r.kept[[2]string{monitor, actor}] = handRun{x, now}
}

func (r *runs) take(monitor, actor string, now time.Time) (status.Result, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x, ok := r.kept[[2]string{monitor, actor}]
	return x.result, ok && now.Sub(x.at) <= runsKept
}

// runMonitor runs a monitor now, beside its schedule. What it finds is shown to
// who asked and judged by nobody.
func (c *Console) runMonitor(w http.ResponseWriter, r *http.Request) error {
	_, m, err := c.monitorOf(r)
	if err != nil {
		return err
	}
	if c.deps.Runner == nil {
		return noDesk()
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), runWithin, problem.Unavailable(nil, "The run took too long."))
	defer cancel()
	x, err := c.deps.Runner.RunOnce(ctx, m.ID)
	if err != nil {
		return err
	}
	c.runs.put(m.Key, guestOf(r).Actor.ID, x, c.deps.Now())
	c.See(w, r, "/console/monitors/"+m.ID, &Said{Text: "Ran " + cmp.Or(m.Name, m.ID) + ": " + x.Outcome.String()})
	return nil
}
