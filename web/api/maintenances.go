package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Desk is what the API asks of the desk of the status wing; *status.Desk is one.
// Every method checks what the actor may do. Errors: Forbidden, NotFound,
// Conflict, Invalid, TooMany, Unavailable.
type Desk interface {
	Maintenance(ctx context.Context, by access.Actor, from, to time.Time) ([]status.Occurrence, error)
	Occurrence(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)
	Windows(ctx context.Context, by access.Actor) ([]status.Window, error)
	PlanMaintenance(ctx context.Context, by access.Actor, w status.Window) (status.Window, error)
	ChangeMaintenance(ctx context.Context, by access.Actor, w status.Window) (status.Window, error)
	CancelMaintenance(ctx context.Context, by access.Actor, key string, version int64) error
	StartMaintenance(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)
	ExtendMaintenance(ctx context.Context, by access.Actor, id string, to time.Time) (status.Occurrence, error)
	CompleteMaintenance(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)
	CallOffMaintenance(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)
	Silence(ctx context.Context, by access.Actor, s status.Silence) (status.Silence, error)
	Unsilence(ctx context.Context, by access.Actor, id string) error
	Silences(ctx context.Context, by access.Actor) ([]status.Silence, error)
}

// How much of the past and of what is ahead a list of maintenance shows unless
// it is told: together less than MaxWindow.
const (
	maintenanceBehind = 30 * 24 * time.Hour
	maintenanceAhead  = 365 * 24 * time.Hour
)

// maintenanceRoutes are everything about maintenance.
func (s *service) maintenanceRoutes(h huma.API) {
	const one = "/api/v1/maintenances/{id}"
	read, edit := access.MaintainRead, access.MaintainEdit
	register(h, s, op{http.MethodGet, "/api/v1/maintenances", "listMaintenances", "Maintenance, earliest start first", read}, listMaintenances)
	register(h, s, op{http.MethodPost, "/api/v1/maintenances", "planMaintenance", "Plan maintenance, once or recurring", edit}, planMaintenance)
	register(h, s, op{http.MethodGet, one, "getMaintenance", "One stretch of maintenance", read}, getMaintenance)
	register(h, s, op{http.MethodPatch, one, "editMaintenance", "Change it, and with it all that is ahead in its series", edit}, editMaintenance)
	register(h, s, op{http.MethodPost, one + "/extend", "extendMaintenance", "Move the end of this one", edit}, extendMaintenance)
	register(h, s, op{http.MethodPost, one + "/start", "startMaintenance", "Begin this one now", edit}, startMaintenance)
	register(h, s, op{http.MethodPost, one + "/complete", "completeMaintenance", "End this one now", edit}, completeMaintenance)
	register(h, s, op{http.MethodPost, one + "/cancel", "cancelMaintenance", "Call this one off, or its series", edit}, cancelMaintenance)
}

// series gives the windows that are defined, by key. Errors: Forbidden, Unavailable.
func (c *call) series(ctx context.Context) (map[string]status.Window, error) {
	all, err := c.Desk.Windows(ctx, c.by)
	out := make(map[string]status.Window, len(all))
	for _, w := range all {
		out[w.Key] = w
	}
	return out, err
}

// maintenanceOf shows an occurrence; w is zero when its window is gone.
func maintenanceOf(o *status.Occurrence, w status.Window) api.Maintenance {
	out := api.Maintenance{
		ID: o.ID, Series: o.Window, Recurs: w.RRule, Zone: w.Zone, Editable: w.Hand, Title: o.Title, Description: o.Text,
		Components: list(o.Components), From: o.From, To: o.To, State: string(o.State), StartedAt: maybe(o.StartedAt), EndedAt: maybe(o.EndedAt),
		ChangedAt: maybe(o.ChangedAt), Owner: o.Conduct.Owner, StartsByHand: o.Conduct.StartsByHand, EndsByHand: o.Conduct.EndsByHand,
		Remind: []float64{}, Version: w.Version,
	}
	for _, d := range o.Conduct.Reminders() {
		out.Remind = append(out.Remind, d.Seconds())
	}
	return out
}

type maintenanceQuery struct {
	From      time.Time `query:"from" doc:"Those that touch the window from here; 30 days ago by default"`
	To        time.Time `query:"to" doc:"A year ahead by default"`
	State     string    `query:"state" enum:"scheduled,in_progress,verifying,completed,cancelled"`
	Component string    `query:"component" maxLength:"64" doc:"Id"`
	Series    string    `query:"series" maxLength:"64"`
	After     string    `query:"after" maxLength:"160" doc:"The next of the page before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func listMaintenances(ctx context.Context, c *call, in *maintenanceQuery) (*api.Maintenances, error) {
	if in.To.IsZero() {
		in.To = c.now.Add(maintenanceAhead)
	}
	if in.From.IsZero() {
		in.From = c.now.Add(-maintenanceBehind)
	}
	from, to, err := Window{in.From, in.To}.resolve(c.now, MaxWindow)
	if err != nil {
		return nil, err
	}
	after, err := readPlace(in.After)
	if err != nil {
		return nil, err
	}
	found, err := c.Desk.Maintenance(ctx, c.by, from, to)
	if err != nil {
		return nil, err
	}
	windows, err := c.series(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b status.Occurrence) int { return placeOf(&a).compare(placeOf(&b)) })
	out := &api.Maintenances{Maintenances: []api.Maintenance{}}
	for n := range found {
		o := &found[n]
		if in.State != "" && string(o.State) != in.State || in.Component != "" && !slices.Contains(o.Components, in.Component) ||
			in.Series != "" && o.Window != in.Series || in.After != "" && placeOf(o).compare(after) <= 0 {
			continue
		}
		if len(out.Maintenances) == in.Limit {
			last := out.Maintenances[in.Limit-1]
			out.Next = place{last.From, last.ID}.String()
			break
		}
		out.Maintenances = append(out.Maintenances, maintenanceOf(o, windows[o.Window]))
	}
	return out, nil
}

// place is where an occurrence stands in the list: pages end at one.
type place struct {
	from time.Time
	id   string
}

func placeOf(o *status.Occurrence) place { return place{o.From, o.ID} }

func (p place) compare(q place) int {
	if n := p.from.Compare(q.from); n != 0 {
		return n
	}
	return strings.Compare(p.id, q.id)
}

// String writes the place as the next of a page.
func (p place) String() string { return strconv.FormatInt(p.from.UnixMicro(), 36) + "." + p.id }

// readPlace reads where a page ended; zero for "". Errors: Invalid.
func readPlace(text string) (place, error) {
	if text == "" {
		return place{}, nil
	}
	at, id, _ := strings.Cut(text, ".")
	micro, err := strconv.ParseInt(at, 36, 64)
	if err != nil || id == "" {
		return place{}, problem.Invalid("after", "This is not the next of a page.")
	}
	return place{time.UnixMicro(micro).UTC(), id}, nil
}

// MaintenanceID names an occurrence.
type MaintenanceID struct {
	ID string `path:"id" maxLength:"128"`
}

func getMaintenance(ctx context.Context, c *call, in *MaintenanceID) (*api.Maintenance, error) {
	o, err := c.Desk.Occurrence(ctx, c.by, in.ID)
	return c.maintained(ctx, o, err)
}

// maintained shows what an act made of an occurrence.
func (c *call) maintained(ctx context.Context, o status.Occurrence, err error) (*api.Maintenance, error) {
	if err != nil {
		return nil, err
	}
	windows, err := c.series(ctx)
	if err != nil {
		return nil, err
	}
	out := maintenanceOf(&o, windows[o.Window])
	return &out, nil
}

type newMaintenance struct {
	Body api.NewMaintenance
}

// reminders reads when people are reminded; nil stays nil.
func reminders(list []float64) []time.Duration {
	if list == nil {
		return nil
	}
	out := make([]time.Duration, len(list))
	for n, s := range list {
		out[n] = seconds(s)
	}
	return out
}

func planMaintenance(ctx context.Context, c *call, in *newMaintenance) (*api.PlannedMaintenance, error) {
	b := &in.Body
	w, err := c.Desk.PlanMaintenance(ctx, c.by, status.Window{
		Title: b.Title, Description: b.Description, Components: b.Components, From: b.From, To: b.To,
		RRule: b.Recurs, Zone: b.Zone, Start: b.Start, Duration: seconds(b.Duration),
		Conduct: status.Conduct{Owner: b.Owner, StartsByHand: b.StartsByHand, EndsByHand: b.EndsByHand, Remind: reminders(b.Remind)},
	})
	if err != nil {
		return nil, err
	}
	return c.planned(ctx, w)
}

// planned shows what is known of a series from now on.
func (c *call) planned(ctx context.Context, w status.Window) (*api.PlannedMaintenance, error) {
	to := c.now.Add(status.PlanAhead)
	if w.To.After(to) {
		to = w.To
	}
	found, err := c.Desk.Maintenance(ctx, c.by, c.now.Add(-status.MaxMaintenance), to)
	if err != nil {
		return nil, err
	}
	out := &api.PlannedMaintenance{Series: w.Key, Maintenances: []api.Maintenance{}}
	for n := range found {
		if found[n].Window == w.Key && !found[n].Over() {
			out.Maintenances = append(out.Maintenances, maintenanceOf(&found[n], w))
		}
	}
	return out, nil
}

type editedMaintenance struct {
	MaintenanceID
	Body api.EditedMaintenance
}

func editMaintenance(ctx context.Context, c *call, in *editedMaintenance) (*api.PlannedMaintenance, error) {
	o, err := c.Desk.Occurrence(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	windows, err := c.series(ctx)
	if err != nil {
		return nil, err
	}
	w, ok := windows[o.Window]
	if !ok {
		return nil, problem.Conflict("What it was planned as is gone; plan it anew.")
	}
	amend(&w, &in.Body)
	if w, err = c.Desk.ChangeMaintenance(ctx, c.by, w); err != nil {
		return nil, err
	}
	return c.planned(ctx, w)
}

// amend takes what an edit says into a window.
func amend(w *status.Window, b *api.EditedMaintenance) {
	take(&w.Title, b.Title)
	take(&w.Description, b.Description)
	take(&w.From, b.From)
	take(&w.To, b.To)
	take(&w.RRule, b.Recurs)
	take(&w.Zone, b.Zone)
	take(&w.Start, b.Start)
	take(&w.Conduct.Owner, b.Owner)
	take(&w.Conduct.StartsByHand, b.StartsByHand)
	take(&w.Conduct.EndsByHand, b.EndsByHand)
	if b.Duration != nil {
		w.Duration = seconds(*b.Duration)
	}
	if b.Components != nil {
		w.Components = b.Components
	}
	if b.Remind != nil {
		w.Conduct.Remind = reminders(b.Remind)
	}
	if b.Version != 0 {
		w.Version = b.Version
	}
}

// take replaces a value where another was given.
func take[T any](old, given *T) {
	if given != nil {
		*old = *given
	}
}

type extendedMaintenance struct {
	MaintenanceID
	Body api.MovedEnd
}

func extendMaintenance(ctx context.Context, c *call, in *extendedMaintenance) (*api.Maintenance, error) {
	o, err := c.Desk.ExtendMaintenance(ctx, c.by, in.ID, in.Body.To)
	return c.maintained(ctx, o, err)
}

func startMaintenance(ctx context.Context, c *call, in *MaintenanceID) (*api.Maintenance, error) {
	o, err := c.Desk.StartMaintenance(ctx, c.by, in.ID)
	return c.maintained(ctx, o, err)
}

func completeMaintenance(ctx context.Context, c *call, in *MaintenanceID) (*api.Maintenance, error) {
	o, err := c.Desk.CompleteMaintenance(ctx, c.by, in.ID)
	return c.maintained(ctx, o, err)
}

type cancelledMaintenance struct {
	MaintenanceID
	Body *api.Cancelled
}

func cancelMaintenance(ctx context.Context, c *call, in *cancelledMaintenance) (*api.Maintenance, error) {
	if in.Body == nil || !in.Body.Series {
		o, err := c.Desk.CallOffMaintenance(ctx, c.by, in.ID)
		return c.maintained(ctx, o, err)
	}
	o, err := c.Desk.Occurrence(ctx, c.by, in.ID)
	if err != nil {
		return nil, err
	}
	windows, err := c.series(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Desk.CancelMaintenance(ctx, c.by, o.Window, windows[o.Window].Version); err != nil {
		return nil, err
	}
	return getMaintenance(ctx, c, &in.MaintenanceID)
}
