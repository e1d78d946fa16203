// Package publictest holds sample models of the page for tests: a normal one as
// in the pictures of the look, one where all is well, an empty one, a hostile
// one, and large ones. Nothing but tests imports it.
package publictest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"evenkeel/internal/status"
)

// Minute is the moment the samples show: 14:32 UTC on Friday 20 November 2026.
var Minute = time.Date(2026, 11, 20, 14, 32, 0, 0, time.UTC)

// Hostile is what a name must not be able to do.
const Hostile = `"><script>alert('1')</script><b onx='2'>` + "\u202e&amp;</title>]]>"

// Formula is the usual weights.
var Formula = status.Weights{Major: 1, Partial: 0.3}

func site() status.Site {
	return status.Site{
		Name: "Northmoor", URL: "https://status.example.org", Zone: "Etc/UTC", Home: "https://www.example.org", ReportURL: "mailto:help@example.org", Weights: Formula,
	}
}

// trouble is one bad day of a sample component, so many days ago.
type trouble struct {
	ago   int
	worst status.Status
	story string
	took  time.Duration
}

// component makes a row with ninety days.
func component(seed uint64, id, name, group string, s status.Status, median time.Duration, ts ...trouble) status.PageComponent {
	c := status.PageComponent{
		ID: id, Key: "key-" + id, Name: name, Group: group, Status: s, Since: Minute.Add(-36 * time.Hour), Median: median,
		CreatedAt: Minute.AddDate(-1, 0, 0), UpdatedAt: Minute.Add(-36 * time.Hour), Uptime: 1, Line: Line(seed, median),
	}
	var all status.Tally
	for i := range 90 {
		d := status.Day{Date: day(89 - i), Worst: status.Operational, Tally: status.Tally{Up: 24 * time.Hour}}
		for _, t := range ts {
			if t.ago != 89-i {
				continue
			}
			d.Worst, d.Story = t.worst, day(t.ago).Format("2 Jan: ")+t.story
			d.Tally.Up -= t.took
			switch t.worst {
			case status.MajorOutage:
				d.Tally.Major = t.took
			case status.PartialOutage:
				d.Tally.Partial = t.took
			case status.Degraded:
				d.Tally.Degraded = t.took
			case status.UnderMaintenance:
				d.Tally.Maintenance = t.took
			}
		}
		all = all.Add(d.Tally)
		c.Days = append(c.Days, d)
	}
	out := float64(all.Major) + 0.3*float64(all.Partial)
	c.Uptime = 1 - out/float64(all.Watched())
	return c
}

func day(ago int) time.Time { return Minute.Truncate(24*time.Hour).AddDate(0, 0, -ago) }

// Line makes a latency line about a median.
func Line(seed uint64, median time.Duration) []float64 {
	if median == 0 {
		return nil
	}
	r := rand.New(rand.NewPCG(seed, 7))
	out := make([]float64, 24)
	for i := range out {
		out[i] = median.Seconds() * (0.8 + 0.2*math.Sin(float64(i)/3) + 0.3*r.Float64())
	}
	return out
}

// Normal is the page of the pictures: one component slow, maintenance ahead.
func Normal() *status.Page {
	network := trouble{59, status.MajorOutage, "major outage for 14 min", 14 * time.Minute}
	search := component(4, "search", "Search", "platform", status.Degraded, 2900*time.Millisecond, network,
		trouble{14, status.PartialOutage, "partial outage for 32 min", 32 * time.Minute}, trouble{0, status.Degraded, "slow since 14:02", 30 * time.Minute})
	search.Since = Minute.Add(-30 * time.Minute)
	search.Why = "Answers have been slower than usual since 14:02 UTC."
	search.Description = "Finds boats and berths by place and date."
	webhooks := component(8, "webhooks", "Webhooks", "messages", status.Operational, 190*time.Millisecond,
		trouble{42, status.Degraded, "degraded for 6 h", 6 * time.Hour}, trouble{41, status.Degraded, "degraded for 2 h", 2 * time.Hour})
	for i := range 13 {
		webhooks.Days[i] = status.Day{Date: webhooks.Days[i].Date, Worst: status.NotMeasured, Before: true}
	}
	p := &status.Page{
		Site: site(), Seq: 4711, At: Minute, Changed: Minute.Add(7*time.Second - 30*time.Minute), Status: status.Degraded, Indicator: status.IndicatorMinor,
		Description: "Partially Degraded Service", Weights: Formula, Sparklines: true,
		Headline: status.Headline{Status: status.Degraded, Title: "Search is slower than usual.", Rest: "Everything else is working.", Lead: "Since 14:02 UTC today. The team has been alerted."},
		Groups: []status.PageGroup{
			{ID: "apps", Name: "Apps", Status: status.Operational, Position: 1, Components: []status.PageComponent{
				component(1, "website", "Website", "apps", status.Operational, 212*time.Millisecond, network),
				component(2, "dashboard", "Owner dashboard", "apps", status.Operational, 264*time.Millisecond, network, trouble{19, status.UnderMaintenance, "planned maintenance for 20 min", 20 * time.Minute}),
			}},
			{ID: "platform", Name: "Platform", Status: status.Degraded, Position: 2, Components: []status.PageComponent{
				component(3, "api", "Bookings API", "platform", status.Operational, 88*time.Millisecond, network),
				search,
				component(5, "payments", "Payments", "platform", status.Operational, 340*time.Millisecond, trouble{33, status.UnderMaintenance, "planned maintenance for 25 min", 25 * time.Minute}, trouble{23, status.PartialOutage, "partial outage for 21 min", 21 * time.Minute}),
			}},
			{ID: "messages", Name: "Messages", Status: status.Operational, Position: 3, Components: []status.PageComponent{
				component(6, "email", "Email", "messages", status.Operational, 4100*time.Millisecond, trouble{8, status.Degraded, "degraded for 38 min", 38 * time.Minute}),
				component(7, "sms", "Text messages", "messages", status.Operational, 2600*time.Millisecond, trouble{78, status.PartialOutage, "partial outage for 50 min", 50 * time.Minute}, trouble{77, status.Degraded, "degraded for 3 h", 3 * time.Hour}),
				webhooks,
			}},
		},
		Failures: []status.Failure{{Component: "search", Name: "Search", Status: status.Degraded, Since: Minute.Add(-30 * time.Minute),
			Text: "Our checks see slow answers on Search since 14:02 UTC. The team has been alerted."}},
		Ahead: []status.Occurrence{
			{ID: "m-118-20261122T0500Z", Window: "m-118", Title: "Payments database upgrade", Text: "Card payments may be refused for up to five minutes in this half hour. Bookings are kept and charged afterwards.",
				Components: []string{"payments"}, From: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC), State: status.MaintenanceScheduled},
			{ID: "m-119-20261124T2200Z", Window: "m-119", Title: "Text messages move to a second carrier", Text: "Messages sent in this time may arrive up to ten minutes late. None is lost.",
				Components: []string{"sms"}, From: time.Date(2026, 11, 24, 22, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 24, 23, 30, 0, 0, time.UTC), State: status.MaintenanceScheduled},
		},
		Past: []status.PastDay{
			{From: day(0), To: day(0), Events: []status.PastEvent{{Component: "search", Name: "Search", Status: status.Degraded, From: Minute.Add(-30 * time.Minute), Text: "Answers have been slower than usual since 14:02 UTC."}}},
			{From: day(7), To: day(1)},
			{From: day(8), To: day(8), Events: []status.PastEvent{{Component: "email", Name: "Email", Status: status.Degraded, From: day(8).Add(9 * time.Hour), To: day(8).Add(9*time.Hour + 38*time.Minute), Text: "Confirmations were late for 38 min."}}},
			{From: day(13), To: day(9)},
			{From: day(14), To: day(14), Events: []status.PastEvent{{Component: "search", Name: "Search", Status: status.PartialOutage, From: day(14).Add(9*time.Hour + 12*time.Minute), To: day(14).Add(9*time.Hour + 44*time.Minute), Text: "Our checks had wrong answers for 32 min."}}},
		},
	}
	return p
}

// Well is the page when all is well, with maintenance going on.
func Well() *status.Page {
	p := Normal()
	p.Status, p.Indicator, p.Description, p.Failures = status.UnderMaintenance, status.IndicatorMaintenance, "Service Under Maintenance", nil
	p.Headline = status.Headline{Status: status.Operational, Title: "Everything is working.", Rest: "Text messages are in maintenance.", Lead: "Planned work on text messages ends at 23:30 UTC."}
	s := &p.Groups[1].Components[1]
	s.Status, s.Why, s.Median, s.Line = status.Operational, "", 190*time.Millisecond, Line(4, 190*time.Millisecond)
	p.Groups[1].Status = status.Operational
	sms := &p.Groups[2].Components[1]
	sms.Status, sms.Since = status.UnderMaintenance, Minute.Add(-20*time.Minute)
	p.Groups[2].Status = status.UnderMaintenance
	work := p.Ahead[1]
	work.From, work.To, work.State, work.StartedAt = Minute.Add(-32*time.Minute), Minute.Add(58*time.Minute), status.MaintenanceInProgress, Minute.Add(-32*time.Minute)
	done := p.Ahead[0]
	done.ID, done.State, done.From, done.To, done.EndedAt = "m-110-20261101T0500Z", status.MaintenanceCompleted, day(19), day(19).Add(20*time.Minute), day(19).Add(20*time.Minute)
	p.Current, p.Ahead, p.Finished = []status.Occurrence{work}, p.Ahead[:1], []status.Occurrence{done}
	return p
}

// Empty is the page of a hub with nothing defined.
func Empty() *status.Page {
	return &status.Page{
		Site: status.Site{Name: "Northmoor status", Zone: "Etc/UTC"}, At: Minute, Changed: Minute, Status: status.NotMeasured, Indicator: status.IndicatorNone,
		Description: "All Systems Operational", Weights: Formula, Headline: status.Headline{Status: status.NotMeasured, Title: "Nothing is watched yet."},
	}
}

// Bad is the page with every foreign string hostile, in a zone that is not UTC.
func Bad() *status.Page {
	p := Troubled()
	p.Failures = Normal().Failures
	p.Incidents = []status.Incident{hostile(Slow())}
	done := hostile(Finished())
	done.ID = "over000000000000"
	p.Recent = append([]status.Incident{p.Incidents[0], done}, p.Recent[1:]...)
	for n := range p.Recent {
		p.Recent[n] = hostile(p.Recent[n])
	}
	p.Past = Normal().Past
	p.Past[0].Incidents = p.Recent[:2]
	p.Site.Name, p.Site.Zone, p.Site.Simulated = Hostile, "Pacific/Chatham", true
	p.Site.Home, p.Site.ReportURL = "javascript:alert(1)", "javascript:alert(2)"
	p.Headline = status.Headline{Status: status.MajorOutage, Title: Hostile, Rest: Hostile, Lead: Hostile}
	p.Description = Hostile
	for g := range p.Groups {
		p.Groups[g].Name = Hostile
		for c := range p.Groups[g].Components {
			comp := &p.Groups[g].Components[c]
			comp.Name, comp.Description, comp.Why = Hostile, Hostile, Hostile
			comp.Line[3], comp.Line[4] = math.NaN(), math.NaN()
			comp.Uptime = math.NaN()
			for d := range comp.Days {
				if comp.Days[d].Story != "" {
					comp.Days[d].Story = Hostile
				}
			}
		}
	}
	p.Groups[0].Components[0].ID = `a"b<c>`
	p.Failures[0].Name, p.Failures[0].Text = Hostile, Hostile
	for i := range p.Ahead {
		p.Ahead[i].Title, p.Ahead[i].Text = Hostile, Markdown
	}
	p.Ahead[0].ID = `x"/..<y>`
	now := p.Ahead[0]
	now.ID, now.State = "now", status.MaintenanceInProgress
	p.Current = []status.Occurrence{now}
	for i := range p.Past {
		for e := range p.Past[i].Events {
			p.Past[i].Events[e].Name, p.Past[i].Events[e].Text = Hostile, Hostile
		}
	}
	return p
}

// places make distinct, plausible names.
var places = [...]string{"Aberdeen", "Bergen", "Cadiz", "Dover", "Esbjerg", "Faro", "Genoa", "Hull", "Izmir", "Jarrow", "Kiel", "Lisbon", "Malmo", "Naples", "Oban", "Porto", "Quimper", "Riga", "Skagen", "Turku", "Umea", "Varna", "Whitby", "Xabia", "Ystad", "Zadar"}

var services = [...]string{"ticket gate", "booking search", "berth planner", "payment relay", "invoice archive", "weather feed", "crane control", "customs desk", "photo store", "price engine", "crew roster", "map tiles"}

// Large is a page of n components with distinct names and 0 to 4 bad days each,
// drawn from a fixed seed.
func Large(n int) *status.Page {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	p := Well()
	p.Sparklines = n <= 40
	p.Groups, p.Ahead = nil, p.Ahead[:1]
	kinds := []status.Status{status.Degraded, status.PartialOutage, status.MajorOutage, status.UnderMaintenance}
	words := map[status.Status]string{status.Degraded: "degraded for %d min", status.PartialOutage: "partial outage for %d min", status.MajorOutage: "major outage for %d min", status.UnderMaintenance: "planned maintenance for %d min"}
	for i := range n {
		if i%25 == 0 {
			p.Groups = append(p.Groups, status.PageGroup{ID: fmt.Sprintf("g%d", i/25), Name: places[i/25%len(places)] + fmt.Sprintf(" harbour %d", i/25+1), Status: status.Operational, Position: i/25 + 1, CreatedAt: day(300), UpdatedAt: day(3)})
		}
		var ts []trouble
		for range r.IntN(5) {
			k, took := kinds[r.IntN(len(kinds))], 1+r.IntN(120)
			ts = append(ts, trouble{1 + r.IntN(88), k, fmt.Sprintf(words[k], took), time.Duration(took) * time.Minute})
		}
		name := fmt.Sprintf("%s %s %d", places[r.IntN(len(places))], services[r.IntN(len(services))], i+1)
		c := component(uint64(i), fmt.Sprintf("c-%04d", i), name, "", status.Operational, time.Duration(20+r.IntN(900))*time.Millisecond, ts...)
		if !p.Sparklines {
			c.Line, c.Median = nil, 0
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Components = append(g.Components, c)
	}
	p.Headline.Rest, p.Status, p.Current, p.Finished = "", status.Operational, nil, nil
	return p
}
