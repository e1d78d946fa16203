package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/web/door"
)

// MaxFound bounds each block of what a jump finds.
const MaxFound = 12

// find is one thing that can be jumped to or done.
type find struct {
	Word, Why, Icon, Path string
	Mark                  Mark
}

// findings is one block of them.
type findings struct {
	Title string
	Finds []find
}

// jumpPage is the data of go.html.
type jumpPage struct {
	Query  string
	Blocks []findings
}

// deed is something that can be begun from anywhere.
type deed struct {
	word, icon, path string
	action           access.Action
}

// deeds are offered when their page exists and the person may do them.
var deeds = []deed{
	{"Declare an incident", "incident", "/console/incidents/new", access.IncidentDeclare},
	{"New ticket", "mail", ticketsPath + "/new", access.TicketOpen},
	{"Plan maintenance", "calendar", "/console/calendar/new", access.MaintainEdit},
	{"Add a component", "plus", "/console/components/new", access.ComponentEdit},
	{"Add a monitor", "plus", "/console/monitors/new", access.ComponentEdit},
	{"Hand over the shift", "print", "/console/handover", access.ComponentRead},
	{"Monitors", "probe", "/console/monitors", access.MonitorRead},
	{"Sessions and password", "key", "/console/account", access.PageRead},
}

// jump answers the palette: rooms, deeds, components, and incidents by number.
func (c *Console) jump(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	q := strings.TrimSpace(cut(r.URL.Query().Get("q"), 100))
	data := jumpPage{Query: q}
	add := func(title string, finds []find) {
		if len(finds) > 0 {
			data.Blocks = append(data.Blocks, findings{title, finds[:min(len(finds), MaxFound)]})
		}
	}
	incidents, err := c.findIncidents(r.Context(), g, q)
	if err != nil {
		return err
	}
	add("Incidents", incidents)
	tickets, err := c.findTickets(r.Context(), g, q)
	if err != nil {
		return err
	}
	add("Tickets", tickets)
	components, err := c.findComponents(r.Context(), q)
	if err != nil {
		return err
	}
	add("Components", components)
	add("Do", c.findDeeds(g, q))
	add("Rooms", c.findRooms(g, q))
	c.Page(w, r, Page{Title: "Jump or do", Template: "go", Data: data})
	return nil
}

func (c *Console) findRooms(g door.Guest, q string) []find {
	var out []find
	for _, s := range sections {
		if c.paths[s.path] && g.Actor.May(s.action) && matches(s.word, q) {
			out = append(out, find{Word: s.word, Icon: s.icon, Path: s.path})
		}
	}
	return out
}

func (c *Console) findDeeds(g door.Guest, q string) []find {
	var out []find
	for _, d := range deeds {
		if c.paths[d.path] && g.Actor.May(d.action) && matches(d.word, q) {
			out = append(out, find{Word: d.word, Icon: d.icon, Path: d.path})
		}
	}
	return out
}

// findComponents finds by name and id; without a question, those in trouble.
func (c *Console) findComponents(ctx context.Context, q string) ([]find, error) {
	s, err := c.roll.state(ctx)
	if err != nil {
		return nil, err
	}
	var out []find
	for _, one := range s.components {
		m := markOf(one.Status())
		if q == "" && gravity[m.Class] < gravity["degraded"] || q != "" && !matches(one.Name, q) && !matches(one.ID, q) {
			continue
		}
		out = append(out, find{Word: one.Name, Why: one.Group, Mark: m, Path: "/console/components/" + one.ID})
	}
	return out, nil
}

// findIncidents finds open ones by name, and any by number.
func (c *Console) findIncidents(ctx context.Context, g door.Guest, q string) ([]find, error) {
	open, err := c.openIncidents(ctx, g.Actor)
	if err != nil {
		return nil, err
	}
	number, _ := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(q), "INC-"), 10, 64)
	var out []find
	for _, i := range open {
		if q == "" || matches(i.Name, q) || i.Number == number {
			out = append(out, find{Word: i.Name, Why: incidentName(i), Mark: markOfImpact(string(i.Impact)), Path: "/console/incidents/" + i.ID})
		}
	}
	if number > 0 && len(out) == 0 && c.paths["/console/incidents"] {
		out = append(out, find{Word: "INC-" + strconv.FormatInt(number, 10), Icon: "incident", Path: "/console/incidents/" + strconv.FormatInt(number, 10)})
	}
	return out, nil
}

// incidentName is what staff call an incident.
func incidentName(i incident.Incident) string { return "INC-" + strconv.FormatInt(i.Number, 10) }

// matches reports whether every word of a question begins a word of the text,
// or stands in it when it is long enough to mean something.
func matches(text, q string) bool {
	text = strings.ToLower(text)
	for word := range strings.FieldsSeq(strings.ToLower(q)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
