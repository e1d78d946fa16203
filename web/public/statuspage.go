package public

import (
	"encoding/json"
	"slices"
	"time"

	"evenkeel/internal/status"
)

// The shapes of Atlassian Statuspage's public API, version 2: every key is
// present, what is empty is null, lists are never null, times are RFC 3339 with
// milliseconds.

type v2Page struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	TimeZone  string `json:"time_zone"`
	UpdatedAt v2Time `json:"updated_at"`
}

type v2Status struct {
	Indicator   status.Indicator `json:"indicator"`
	Description string           `json:"description"`
}

type v2Component struct {
	ID            string        `json:"id"`
	Name          string        `json:"name"`
	Status        status.Status `json:"status"`
	CreatedAt     v2Time        `json:"created_at"`
	UpdatedAt     v2Time        `json:"updated_at"`
	Position      int           `json:"position"`
	Description   *string       `json:"description"`
	Showcase      bool          `json:"showcase"`
	StartDate     *string       `json:"start_date"`
	GroupID       *string       `json:"group_id"`
	PageID        string        `json:"page_id"`
	Group         bool          `json:"group"`
	OnlyIfTrouble bool          `json:"only_show_if_degraded"`
	Components    *[]string     `json:"components,omitempty"` // of a group only
}

type v2Update struct {
	ID            string       `json:"id"`
	Status        string       `json:"status"`
	Body          string       `json:"body"`
	IncidentID    string       `json:"incident_id"`
	CreatedAt     v2Time       `json:"created_at"`
	UpdatedAt     v2Time       `json:"updated_at"`
	DisplayAt     v2Time       `json:"display_at"`
	Affected      []v2Affected `json:"affected_components"`
	Notifications bool         `json:"deliver_notifications"`
	CustomTweet   *string      `json:"custom_tweet"`
	TweetID       *string      `json:"tweet_id"`
}

type v2Affected struct {
	Code      string        `json:"code"`
	Name      string        `json:"name"`
	OldStatus status.Status `json:"old_status"`
	NewStatus status.Status `json:"new_status"`
}

type v2Incident struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Status       string        `json:"status"`
	CreatedAt    v2Time        `json:"created_at"`
	UpdatedAt    v2Time        `json:"updated_at"`
	MonitoringAt *v2Time       `json:"monitoring_at"`
	ResolvedAt   *v2Time       `json:"resolved_at"`
	Impact       string        `json:"impact"`
	Shortlink    string        `json:"shortlink"`
	StartedAt    v2Time        `json:"started_at"`
	PageID       string        `json:"page_id"`
	Updates      []v2Update    `json:"incident_updates"`
	Components   []v2Component `json:"components"`
	Reminders    *string       `json:"reminder_intervals"`
}

type v2Maintenance struct {
	v2Incident
	ScheduledFor   v2Time `json:"scheduled_for"`
	ScheduledUntil v2Time `json:"scheduled_until"`
}

// v2Time writes RFC 3339 with milliseconds and Z, as consumers demand.
type v2Time time.Time

// MarshalJSON writes the moment.
func (t v2Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(v2Layout)+2)
	b = append(b, '"')
	b = time.Time(t).UTC().AppendFormat(b, v2Layout)
	return append(b, '"'), nil
}

const v2Layout = "2006-01-02T15:04:05.000Z"

// v2Listed is how many incidents and maintenances a list gives at most.
const v2Listed = status.MaxRecent

// v2PageID is the id of the page: the host it is reached at, "page" without one.
func v2PageID(s status.Site) string { return orElse(hostOf(s.URL), "page") }

// v2 is one page in those shapes.
type v2 struct {
	page        v2Page
	status      v2Status
	components  []v2Component
	byID        map[string]int
	incidents   []v2Incident // newest start first
	unresolved  []v2Incident
	upcoming    []v2Maintenance
	active      []v2Maintenance
	maintenance []v2Maintenance // all, newest first
	text        purse           // what updates may still tell in full
}

// v2PageOf tells what the page is.
func v2PageOf(p *status.Page) v2Page {
	return v2Page{
		ID: v2PageID(p.Site), Name: p.Site.Name, URL: orElse(p.Site.URL, "http://localhost"), TimeZone: orElse(p.Site.Zone, "Etc/UTC"),
		UpdatedAt: v2Time(p.Changed),
	}
}

// newV2 translates a page.
func newV2(p *status.Page) *v2 {
	id := v2PageID(p.Site)
	v := &v2{
		page:   v2PageOf(p),
		status: v2Status{Indicator: p.Indicator, Description: p.Description},
		byID:   map[string]int{}, components: []v2Component{}, incidents: []v2Incident{}, unresolved: []v2Incident{}, text: purse{maxV2Text},
		upcoming: []v2Maintenance{}, active: []v2Maintenance{}, maintenance: []v2Maintenance{},
	}
	for _, g := range p.Groups {
		v.group(g, id)
	}
	for n := range p.Incidents { // first, because their text matters most
		v.unresolved = append(v.unresolved, v.incident(p, &p.Incidents[n]))
	}
	for n := range p.Recent {
		i := &p.Recent[n]
		if at := slices.IndexFunc(v.unresolved, func(u v2Incident) bool { return u.ID == i.ID }); at >= 0 {
			v.incidents = append(v.incidents, v.unresolved[at])
		} else {
			v.incidents = append(v.incidents, v.incident(p, i))
		}
	}
	for _, o := range p.Current {
		v.active = append(v.active, v.work(p, o))
	}
	for _, o := range p.Ahead {
		v.upcoming = append(v.upcoming, v.work(p, o))
	}
	for _, o := range slices.Backward(p.Ahead) {
		v.maintenance = append(v.maintenance, v.work(p, o))
	}
	v.maintenance = append(v.maintenance, v.active...)
	for _, o := range p.Finished {
		v.maintenance = append(v.maintenance, v.work(p, o))
	}
	if len(v.maintenance) > v2Listed {
		v.maintenance = v.maintenance[:v2Listed]
	}
	return v
}

// group adds a group and its components. Components without a group stand by themselves.
func (v *v2) group(g status.PageGroup, page string) {
	var parent *string
	if g.ID != "" {
		parent = &g.ID
		row := v2Component{
			ID: g.ID, Name: g.Name, Status: v2Shown(g.Status), CreatedAt: v2Time(g.CreatedAt), UpdatedAt: v2Time(g.UpdatedAt),
			Position: g.Position, PageID: page, Group: true,
		}
		ids := make([]string, len(g.Components))
		for i, c := range g.Components {
			ids[i] = c.ID
		}
		row.Components = &ids
		v.components = append(v.components, row)
	}
	for _, c := range g.Components {
		row := v2Component{
			ID: c.ID, Name: c.Name, Status: v2Shown(c.Status), CreatedAt: v2Time(c.CreatedAt), UpdatedAt: v2Time(c.UpdatedAt),
			Position: c.Position, GroupID: parent, PageID: page, Showcase: true,
		}
		if c.Description != "" {
			row.Description = &c.Description
		}
		if !c.CreatedAt.IsZero() {
			day := c.CreatedAt.UTC().Format(time.DateOnly)
			row.StartDate = &day
		}
		v.byID[c.ID] = len(v.components)
		v.components = append(v.components, row)
	}
}

// v2Shown is a status in the vocabulary of the shapes, which has no word for
// not measured: nothing is known to be wrong.
func v2Shown(s status.Status) status.Status {
	if s == status.NotMeasured || s == "" {
		return status.Operational
	}
	return s
}

// named gives components by id, in the order of the ids.
func (v *v2) named(ids []string) []v2Component {
	out := make([]v2Component, 0, len(ids))
	for _, id := range ids {
		if i, ok := v.byID[id]; ok {
			out = append(out, v.components[i])
		}
	}
	return out
}

// v2Maybe gives null for a moment that has not come.
func v2Maybe(t time.Time) *v2Time {
	if t.IsZero() {
		return nil
	}
	v := v2Time(t)
	return &v
}

// The documents. The list of components is in two of them, and large: it is
// written once.
type (
	v2Summary struct {
		Page         v2Page          `json:"page"`
		Components   json.RawMessage `json:"components"`
		Incidents    []v2Incident    `json:"incidents"`
		Maintenances []v2Maintenance `json:"scheduled_maintenances"`
		Status       v2Status        `json:"status"`
	}
	v2StatusOnly struct {
		Page   v2Page   `json:"page"`
		Status v2Status `json:"status"`
	}
	v2Components struct {
		Page       v2Page          `json:"page"`
		Components json.RawMessage `json:"components"`
	}
	v2Incidents struct {
		Page      v2Page       `json:"page"`
		Incidents []v2Incident `json:"incidents"`
	}
	v2Maintenances struct {
		Page         v2Page          `json:"page"`
		Maintenances []v2Maintenance `json:"scheduled_maintenances"`
	}
)

// v2Sheets writes every document of the API, by path. Errors: Internal.
func v2Sheets(p *status.Page) (map[string]sheet, error) {
	v := newV2(p)
	components, err := json.Marshal(v.components)
	if err != nil {
		return nil, err
	}
	planned := append(slices.Clone(v.active), v.upcoming...)
	out := make(map[string]sheet, 8)
	for path, document := range map[string]any{
		"summary":                         v2Summary{v.page, components, v.unresolved, planned, v.status},
		"status":                          v2StatusOnly{v.page, v.status},
		"components":                      v2Components{v.page, components},
		"incidents":                       v2Incidents{v.page, v.incidents},
		"incidents/unresolved":            v2Incidents{v.page, v.unresolved},
		"scheduled-maintenances":          v2Maintenances{v.page, v.maintenance},
		"scheduled-maintenances/upcoming": v2Maintenances{v.page, v.upcoming},
		"scheduled-maintenances/active":   v2Maintenances{v.page, v.active},
	} {
		body, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		out["/api/v2/"+path+".json"] = sheet{body: append(body, '\n'), kind: typeJSON, open: true}
	}
	return out, nil
}
