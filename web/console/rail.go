package console

import (
	"context"
	"net/http"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/web/door"
)

// section is one row of the rail. It is shown when its page exists and the
// person may read it.
type section struct {
	id, word, icon, path string
	action               access.Action
	phone                bool // among the five at the thumb
	last                 bool // below the line
}

// sections is the rail, in order. Rooms of later issues have their rows when
// their routes exist.
var sections = []section{
	{id: "wall", word: "Wall", icon: "wall", path: "/console/wall", action: access.WallRead, phone: true},
	{id: "incidents", word: "Incidents", icon: "incident", path: "/console/incidents", action: access.IncidentRead, phone: true},
	{id: "attention", word: "Loose ends", icon: "eye", path: "/console/attention", action: access.IncidentRead},
	{id: "tickets", word: "Tickets", icon: "mail", path: "/console/tickets", action: access.TicketRead, phone: true},
	{id: "releases", word: "Releases", icon: "release", path: "/console/releases", action: access.ComponentRead},
	{id: "runbooks", word: "Run-books", icon: "book", path: "/console/runbooks", action: access.ComponentRead},
	{id: "calendar", word: "Calendar", icon: "calendar", path: "/console/calendar", action: access.MaintainRead, phone: true},
	{id: "components", word: "Components", icon: "component", path: "/console/components", action: access.ComponentRead, phone: true},
	{id: "oncall", word: "On call", icon: "call", path: "/console/oncall", action: access.OnCallRead},
	{id: "deliveries", word: "Deliveries", icon: "send", path: "/console/deliveries", action: access.DeliveryRead},
	{id: "subscribers", word: "Subscribers", icon: "people", path: "/console/subscribers", action: access.SubscriberRead},
	{id: "outbox", word: "Outbox", icon: "note", path: "/console/outbox", action: access.SubscriberRead},
	{id: "audit", word: "Audit", icon: "audit", path: "/console/audit", action: access.JournalRead},
	{id: "settings", word: "Settings", icon: "settings", path: "/console/settings", action: access.ComponentRead, last: true, phone: true},
}

// rail is what frame.html shows beside the room.
type rail struct {
	Rows  []railRow
	Call  []Turn
	Until Stamp // of the first turn
	Name  string
	Live  string
	Out   bool // signing out is possible
}

// railRow is one row: Count is "" for none, Mark says what is wrong with it.
type railRow struct {
	ID, Word, Icon, Path string
	Count                string
	Mark                 string // class of the shape beside the count; "" = nothing is wrong
	Title                string // the count in words
	Here, Phone, Last    bool
}

// railOf makes the rail for whoever asks. A count that cannot be had is left
// out: the rail never keeps a page from being shown.
func (c *Console) railOf(r *http.Request, here string) rail {
	g := guestOf(r)
	out := rail{Name: g.Person.Name, Live: liveWords(c.lag()), Out: c.paths["/console/sign-in"]}
	counts := c.counts(r.Context(), g)
	for _, s := range sections {
		if !c.paths[s.path] || !g.Actor.May(s.action) {
			continue
		}
		row := railRow{ID: s.id, Word: s.word, Icon: s.icon, Path: s.path, Here: s.id == here, Phone: s.phone, Last: s.last}
		if n, ok := counts[s.id]; ok && n.n > 0 {
			row.Count, row.Mark, row.Title = grouped(float64(n.n)), n.mark, n.title
		}
		out.Rows = append(out.Rows, row)
	}
	if c.deps.OnCall != nil && g.Actor.May(access.OnCallRead) {
		if turns, err := c.deps.OnCall(r.Context(), c.deps.Now()); err == nil && len(turns) > 0 {
			out.Call = turns[:min(len(turns), 2)]
			out.Until = c.clock(c.zoneOf(g)).At(turns[0].Until)
		}
	}
	return out
}

// liveWords says how far behind a page is, as its script does.
func liveWords(lag float64) string {
	if lag < 0.05 {
		return "Live, 0 s behind"
	}
	return "Live, " + grouped(float64(int(lag*10+0.5))/10) + " s behind"
}

// tally is the count of a row.
type tally struct {
	n     int
	mark  string
	title string
}

// counts gives the counts of the rows.
func (c *Console) counts(ctx context.Context, g door.Guest) map[string]tally {
	out := map[string]tally{}
	if s, err := c.roll.state(ctx); err == nil {
		out["components"] = tally{n: len(s.components), title: plural(len(s.components), "component", "components")}
	}
	if open, err := c.openIncidents(ctx, g.Actor); err == nil && len(open) > 0 {
		worst := Mark{}
		for _, i := range open {
			if m := markOfImpact(string(i.Impact)); worst.Class == "" || gravity[m.Class] > gravity[worst.Class] {
				worst = m
			}
		}
		out["incidents"] = tally{n: len(open), mark: worst.Class, title: plural(len(open), "open incident", "open incidents")}
	}
	if c.deps.Attention != nil && g.Actor.May(access.IncidentRead) {
		if loose, err := c.deps.Attention(ctx, g.Actor); err == nil {
			out["attention"] = tally{n: len(loose), mark: "degraded", title: plural(len(loose), "loose end", "loose ends")}
		}
	}
	if t, ok := c.deskTally(ctx, g); ok {
		out["tickets"] = t
	}
	if c.deps.Deliveries != nil && g.Actor.May(access.DeliveryRead) {
		if q, err := c.deps.Deliveries(ctx); err == nil && q.Failed > 0 {
			out["deliveries"] = tally{n: q.Failed, mark: "major", title: plural(q.Failed, "notice that was not delivered", "notices that were not delivered")}
		}
	}
	return out
}

// gravity orders the classes of marks: higher is worse.
var gravity = map[string]int{"ok": 0, "unknown": 1, "maint": 2, "degraded": 3, "partial": 4, "major": 5}

// maxOpen bounds the open incidents that are counted and shown.
const maxOpen = 100

// openIncidents gives what is open, as far as the person may see it.
func (c *Console) openIncidents(ctx context.Context, by access.Actor) ([]incident.Incident, error) {
	if c.deps.Incidents == nil || !by.May(access.IncidentRead) {
		return nil, nil
	}
	open := true
	return c.deps.Incidents.List(ctx, by, incident.Query{Open: &open, Limit: maxOpen})
}
