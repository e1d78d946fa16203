package statuspage

import (
	"net/http"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Around the present, how much maintenance a list shows.
const (
	workBehind = 90 * 24 * time.Hour
	workAhead  = 365 * 24 * time.Hour
)

// workStates are the states of maintenance; an incident in one of them is some.
var workStates = map[string]bool{"scheduled": true, "in_progress": true, "verifying": true, "completed": true}

// wordOf is a status in the vocabulary of the shapes.
func wordOf(s string) status.Status {
	if s == "" || status.Status(s) == status.NotMeasured {
		return status.Operational
	}
	return status.Status(s)
}

// workOf shows maintenance as the incident that it is to Statuspage.
func (c *call) workOf(o *status.Occurrence) shownIncident {
	state := o.State
	if state == status.MaintenanceCancelled {
		state = status.MaintenanceCompleted // there is no word for it
	}
	changed := o.ChangedAt
	if changed.IsZero() {
		changed = o.From
	}
	out := shownIncident{
		ID: o.ID, PageID: c.page, Name: o.Title, Status: string(state), Impact: "maintenance", CreatedAt: moment(changed), UpdatedAt: moment(changed),
		StartedAt: moment(o.From), ResolvedAt: moment(o.EndedAt), Shortlink: c.catalog.Site.URL + "/maintenance/" + o.ID,
		Components: []shownComponent{}, Metadata: map[string]any{}, ScheduledFor: moment(o.From), ScheduledUntil: moment(o.To),
		RemindPrior: len(o.Conduct.Reminders()) > 0, RemindedAt: moment(o.RemindedAt), AutoInProgress: !o.Conduct.StartsByHand, AutoCompleted: !o.Conduct.EndsByHand,
		sort: o.From,
	}
	body := o.Text
	if body == "" {
		body = o.Title
	}
	out.Updates = []shownUpdate{{
		ID: o.ID + "-1", IncidentID: o.ID, Status: string(state), Body: body, CreatedAt: moment(changed), UpdatedAt: moment(changed), DisplayAt: moment(changed),
		Affected: []shownAffected{}, Deliver: true,
	}}
	for _, id := range o.Components {
		if comp, err := c.defined(id); err == nil {
			st := status.Operational
			if o.Covers() {
				st = status.UnderMaintenance
			}
			out.Components = append(out.Components, c.componentOf(comp, st))
		}
	}
	return out
}

// works gives maintenance in one of the states, or all, the newest start first.
func (c *call) works(of []status.MaintenanceState) ([]shownIncident, error) {
	found, err := c.Desk.Maintenance(c.ctx, c.by, c.now.Add(-workBehind), c.now.Add(workAhead))
	if err != nil {
		return nil, err
	}
	out := []shownIncident{}
	for n := range found {
		if of == nil || slices.Contains(of, found[n].State) {
			out = append(out, c.workOf(&found[n]))
		}
	}
	slices.SortStableFunc(out, func(a, b shownIncident) int { return b.sort.Compare(a.sort) })
	return out, nil
}

// listed serves a list of maintenance.
func (c *call) listed(of ...status.MaintenanceState) (int, any, error) {
	from, to, err := c.sheet()
	if err != nil {
		return 0, nil, err
	}
	all, err := c.works(of)
	return http.StatusOK, part(all, from, to), err
}

func scheduled(c *call) (int, any, error) {
	return c.listed(status.MaintenanceScheduled, status.MaintenanceInProgress, status.MaintenanceVerifying)
}

func upcoming(c *call) (int, any, error) { return c.listed(status.MaintenanceScheduled) }

func active(c *call) (int, any, error) {
	return c.listed(status.MaintenanceInProgress, status.MaintenanceVerifying)
}

// work shows one stretch of maintenance. Errors: NotFound.
func (c *call) work(id string) (int, any, error) {
	o, err := c.Desk.Occurrence(c.ctx, c.by, id)
	if problem.KindOf(err) == problem.KindNotFound {
		err = problem.NotFound("There is no incident %q.", id)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.workOf(&o), nil
}

// ids gives the components that a request names.
func (in *sent) ids() []string {
	ids := slices.Clone(in.ComponentIDs)
	for id := range in.Components {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// plan plans maintenance.
func (c *call) plan(in *sent) (int, any, error) {
	if err := c.by.Check(access.MaintainRead); err != nil { // the answer shows it, so ask before anything is done
		return 0, nil, err
	}
	if in.ScheduledFor == nil || in.ScheduledUntil == nil {
		return 0, nil, problem.Invalid("incident.scheduled_until", "Maintenance needs scheduled_for and scheduled_until.")
	}
	w := status.Window{Title: textOf(in.Name), Description: textOf(in.Body), Components: in.ids(), From: *in.ScheduledFor, To: *in.ScheduledUntil}
	c.conduct(&w, in)
	w, err := c.Desk.PlanMaintenance(c.ctx, c.by, w)
	if err != nil {
		return 0, nil, err
	}
	o, err := c.occurrenceOf(w)
	if err != nil {
		return 0, nil, err
	}
	if textOf(in.Status) == string(status.MaintenanceInProgress) && o.State == status.MaintenanceScheduled {
		if o, err = c.Desk.StartMaintenance(c.ctx, c.by, o.ID); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusCreated, c.workOf(&o), nil
}

// conduct reads how maintenance is carried out.
func (c *call) conduct(w *status.Window, in *sent) {
	if in.AutoInProgress != nil {
		w.Conduct.StartsByHand = !bool(*in.AutoInProgress)
	}
	if in.AutoCompleted != nil {
		w.Conduct.EndsByHand = !bool(*in.AutoCompleted)
	}
	if in.RemindPrior != nil {
		w.Conduct.Remind = []time.Duration{}
		if *in.RemindPrior {
			w.Conduct.Remind = []time.Duration{time.Hour} // as Statuspage does
		}
	}
}

// occurrenceOf finds the occurrence of what happens once. Errors: NotFound.
func (c *call) occurrenceOf(w status.Window) (status.Occurrence, error) {
	found, err := c.Desk.Maintenance(c.ctx, c.by, w.From, w.To)
	if err != nil {
		return status.Occurrence{}, err
	}
	for _, o := range found {
		if o.Window == w.Key {
			return o, nil
		}
	}
	return status.Occurrence{}, problem.NotFound("The maintenance that was planned is not there.")
}

// editWork changes maintenance, then moves it on.
func (c *call) editWork(id string) (int, any, error) {
	o, err := c.Desk.Occurrence(c.ctx, c.by, id)
	if err != nil {
		return c.work(id)
	}
	var in sent
	if err := c.read("incident", &in); err != nil {
		return 0, nil, err
	}
	if err := c.amend(&o, &in); err != nil {
		return 0, nil, err
	}
	state := status.MaintenanceState(textOf(in.Status))
	switch {
	case state == "" || state == o.State:
	case state == status.MaintenanceInProgress:
		_, err = c.Desk.StartMaintenance(c.ctx, c.by, id)
	case state == status.MaintenanceCompleted:
		_, err = c.Desk.CompleteMaintenance(c.ctx, c.by, id)
	default:
		err = problem.Invalid("incident.status", "Maintenance that is %s cannot become %q this way.", o.State, state)
	}
	if err != nil {
		return 0, nil, err
	}
	return c.work(id)
}

// amend changes what was planned. The end of what is under way is moved alone.
func (c *call) amend(o *status.Occurrence, in *sent) error {
	if in.ScheduledUntil != nil && o.State != status.MaintenanceScheduled && !in.ScheduledUntil.Equal(o.To) {
		if _, err := c.Desk.ExtendMaintenance(c.ctx, c.by, o.ID, *in.ScheduledUntil); err != nil {
			return err
		}
	}
	windows, err := c.Desk.Windows(c.ctx, c.by)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(windows, func(w status.Window) bool { return w.Key == o.Window })
	if at < 0 {
		return nil
	}
	is, w := windows[at], windows[at]
	if in.Name != nil {
		w.Title = *in.Name
	}
	if in.Body != nil && *in.Body != "" {
		w.Description = *in.Body
	}
	if ids := in.ids(); len(ids) > 0 {
		w.Components = ids
	}
	if o.State == status.MaintenanceScheduled && w.RRule == "" {
		if in.ScheduledFor != nil {
			w.From = in.ScheduledFor.UTC()
		}
		if in.ScheduledUntil != nil {
			w.To = in.ScheduledUntil.UTC()
		}
	}
	c.conduct(&w, in)
	same := w.Title == is.Title && w.Description == is.Description && slices.Equal(w.Components, is.Components) && w.From.Equal(is.From) && w.To.Equal(is.To)
	if same && in.AutoInProgress == nil && in.AutoCompleted == nil && in.RemindPrior == nil {
		return nil
	}
	_, err = c.Desk.ChangeMaintenance(c.ctx, c.by, w)
	return err
}

// callOff ends what is under way, and cancels what is ahead.
func (c *call) callOff(id string) (int, any, error) {
	o, err := c.Desk.Occurrence(c.ctx, c.by, id)
	if err != nil {
		return c.work(id)
	}
	if o.State == status.MaintenanceScheduled {
		o, err = c.Desk.CallOffMaintenance(c.ctx, c.by, id)
	} else {
		o, err = c.Desk.CompleteMaintenance(c.ctx, c.by, id)
	}
	return http.StatusOK, c.workOf(&o), err
}
