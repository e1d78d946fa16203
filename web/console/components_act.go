package console

import (
	"net/http"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// noDesk is what is said where nobody can act on components.
func noDesk() error {
	return problem.Unavailable(nil, "The hub is still starting; try again in a moment.")
}

// confirm publishes what checks see of a component.
func (c *Console) confirm(w http.ResponseWriter, r *http.Request) error {
	_, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	if err := c.deps.Watch.Confirm(r.Context(), guestOf(r).Actor, one.ID); err != nil {
		return err
	}
	c.See(w, r, "/console/components/"+one.ID, &Said{Text: one.Name + ": what checks see is published"})
	return nil
}

// lengthOf reads how long something is to last from one of our own choices.
func lengthOf(r *http.Request) (time.Duration, error) {
	d, err := time.ParseDuration(r.PostFormValue("lasts"))
	if err != nil || d <= 0 {
		return 0, problem.Invalid("lasts", "Choose how long it lasts.")
	}
	return d, nil
}

// silence keeps the alerts of a component quiet for a while.
func (c *Console) silence(w http.ResponseWriter, r *http.Request) error {
	_, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	return c.quieten(w, r, status.Silence{Components: []string{one.Key}}, one.Name, "/console/components/"+one.ID)
}

// quieten silences for as long as the form says what s names, and says so of what.
func (c *Console) quieten(w http.ResponseWriter, r *http.Request, s status.Silence, what, back string) error {
	if c.deps.Desk == nil {
		return noDesk()
	}
	lasts, err := lengthOf(r)
	if err != nil {
		return err
	}
	s.To, s.Reason = c.deps.Now().Add(lasts), r.PostFormValue("reason")
	if s, err = c.deps.Desk.Silence(r.Context(), guestOf(r).Actor, s); err != nil {
		return err
	}
	c.See(w, r, back, &Said{
		Text: what + " is silenced for " + length(lasts), Undo: "/console/silences/" + s.ID + "/end", With: map[string]string{"back": back},
	})
	return nil
}

// unsilence ends a silence before its time.
func (c *Console) unsilence(w http.ResponseWriter, r *http.Request) error {
	if c.deps.Desk == nil {
		return noDesk()
	}
	if err := c.deps.Desk.Unsilence(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, r.PostFormValue("back"), &Said{Text: "Alerts are no longer kept quiet"})
	return nil
}

// hold declares a rollout: single blips of the component are not told.
func (c *Console) hold(w http.ResponseWriter, r *http.Request) error {
	_, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	if c.deps.Desk == nil {
		return noDesk()
	}
	lasts, back := time.Duration(0), "/console/components/"+one.ID
	if r.PostFormValue("end") == "" {
		if lasts, err = lengthOf(r); err != nil {
			return err
		}
	}
	if _, err := c.deps.Desk.Hold(r.Context(), guestOf(r).Actor, one.ID, lasts, r.PostFormValue("reason")); err != nil {
		return err
	}
	said := &Said{Text: "The hold on " + one.Name + " has ended"}
	if lasts > 0 {
		said = &Said{Text: "Blips of " + one.Name + " are held for " + length(lasts), Undo: back + "/hold", With: map[string]string{"end": "1"}}
	}
	c.See(w, r, back, said)
	return nil
}

// say gives a component a status on the page by hand.
func (c *Console) say(w http.ResponseWriter, r *http.Request) error {
	_, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	if c.deps.Desk == nil {
		return noDesk()
	}
	st := status.Status(r.PostFormValue("status"))
	if _, err := c.deps.Desk.Say(r.Context(), guestOf(r).Actor, one.ID, st, time.Time{}, r.PostFormValue("reason")); err != nil {
		return err
	}
	back := "/console/components/" + one.ID
	c.See(w, r, back, &Said{Text: "The page says of " + one.Name + ": " + markOf(st).Word, Undo: back + "/unsay"})
	return nil
}

// unsay takes back what was said by hand.
func (c *Console) unsay(w http.ResponseWriter, r *http.Request) error {
	_, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	if c.deps.Desk == nil {
		return noDesk()
	}
	if err := c.deps.Desk.Unsay(r.Context(), guestOf(r).Actor, one.ID); err != nil {
		return err
	}
	c.See(w, r, "/console/components/"+one.ID, &Said{Text: "The page follows the checks of " + one.Name + " again"})
	return nil
}

// falseAlarmPage is the data of falsealarm.html.
type falseAlarmPage struct {
	ID, Name string
	From, To Field
	Reason   Field
	Zone     string
	Wrong    []string
}

// localLayout is how fields of date and time write a moment.
const localLayout = "2006-01-02T15:04:05"

// falseAlarmForm asks which time was a false alarm, and why.
func (c *Console) falseAlarmForm(w http.ResponseWriter, r *http.Request) error {
	_, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	from, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("from"))
	to, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("to"))
	zone := c.zoneOf(guestOf(r))
	values := [2]string{}
	for i, t := range []time.Time{from, to} {
		if !t.IsZero() {
			values[i] = t.In(zone).Format(localLayout)
		}
	}
	if !to.IsZero() { // the field has whole seconds; the stretch must lie inside
		values[1] = to.Add(time.Second - time.Microsecond).In(zone).Format(localLayout)
	}
	c.falseAlarmPage(w, r, one, values[0], values[1], "", nil)
	return nil
}

func (c *Console) falseAlarmPage(w http.ResponseWriter, r *http.Request, one *standing, from, to, reason string, err error) {
	f, _ := faultsOf(err)
	d := falseAlarmPage{ID: one.ID, Name: one.Name, Zone: c.zoneOf(guestOf(r)).String()}
	d.From = Field{Kind: "datetime-local", Name: "from", Label: "From", Value: from, Required: true, Error: f.of("from")}
	d.To = Field{Kind: "datetime-local", Name: "to", Label: "To", Value: to, Required: true, Error: f.of("to")}
	d.Reason = Field{Kind: "area", Name: "reason", Label: "Why it was none", Value: reason, Required: true, Error: f.of("reason"), Hint: "It is shown beside the corrected figure, with your name for colleagues.", Focus: true}
	page := Page{
		Title: "Mark a false alarm", Section: "components", Template: "falsealarm",
		Crumbs: []Crumb{{"Components", "/console/components"}, {one.Name, "/console/components/" + one.ID}, {Word: "False alarm"}},
	}
	if err != nil {
		d.Wrong, page.Code = f.left(), http.StatusUnprocessableEntity
	}
	page.Data = d
	c.Page(w, r, page)
}

// falseAlarm marks trouble that was none, in the open.
func (c *Console) falseAlarm(w http.ResponseWriter, r *http.Request) error {
	_, one, err := c.standingOf(r)
	if err != nil {
		return err
	}
	if c.deps.Desk == nil {
		return noDesk()
	}
	zone, reason := c.zoneOf(guestOf(r)), r.PostFormValue("reason")
	from, ferr := momentIn(r.PostFormValue("from"), zone, "from")
	to, terr := momentIn(r.PostFormValue("to"), zone, "to")
	switch {
	case ferr != nil:
		err = ferr
	case terr != nil:
		err = terr
	default:
		_, err = c.deps.Desk.FalseAlarm(r.Context(), guestOf(r).Actor, one.ID, from, to, reason)
	}
	if _, ours := faultsOf(err); err != nil && ours {
		c.falseAlarmPage(w, r, one, r.PostFormValue("from"), r.PostFormValue("to"), reason, err)
		return nil
	} else if err != nil {
		return err
	}
	c.See(w, r, "/console/components/"+one.ID+"#corrections", &Said{Text: "Marked as a false alarm; the page shows the correction"})
	return nil
}

// momentIn reads a field of date and time in a zone. Errors: Invalid.
func momentIn(value string, zone *time.Location, field string) (time.Time, error) {
	for _, layout := range []string{localLayout, "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, value, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, problem.Invalid(field, "Give a date and a time.")
}

// undoFalseAlarm takes a correction back.
func (c *Console) undoFalseAlarm(w http.ResponseWriter, r *http.Request) error {
	if c.deps.Desk == nil {
		return noDesk()
	}
	if err := c.deps.Desk.UndoFalseAlarm(r.Context(), guestOf(r).Actor, r.PathValue("id"), r.PostFormValue("reason")); err != nil {
		return err
	}
	c.See(w, r, r.PostFormValue("back"), &Said{Text: "The correction was taken back"})
	return nil
}
