package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
)

// updateForm is the next update, as it is drafted.
type updateForm struct {
	Draft     string // id of the draft; "" = the machine's words, kept nowhere
	Body      string
	By        string // who drafted it; "" = the machine
	At        Stamp
	States    []Option
	Rows      []affectedRow
	Deliver   bool
	CanTell   bool // customers can be told of it
	Promises  []Option
	Schedule  string
	Templates []Tab
	Changes   int // components of which it says something new
}

// draftRow is an update that will go out by itself.
type draftRow struct {
	ID, Body, State, By string
	At                  Stamp
	In                  string // how long until then
	Deliver             bool
	Soon                bool // it was sent, and is held so that it can be taken back
}

// updateForm drafts the next update: what somebody typed, a template, the draft
// that is kept, or the machine's own words, in this order. An Invalid error
// comes with a form all the same.
func (c *Console) updateForm(r *http.Request, i *incident.Incident, lines []incident.Update, s *state, sent url.Values) (*updateForm, error) {
	ctx, g := r.Context(), guestOf(r)
	k := c.clock(c.zoneOf(g))
	f := &updateForm{
		At: k.Exact(k.Now), CanTell: i.Visibility != incident.Private && !i.Backfilled, Deliver: true,
		Promises: append(promiseOptions(i.ReminderEvery), Option{Word: "promise nothing"}),
	}
	words, err := c.deps.Room.Propose(ctx, g.Actor, i.ID)
	if err != nil {
		return nil, err
	}
	for n := range lines {
		if u := &lines[n]; u.Kind == incident.KindUpdate && u.PublishedAt.IsZero() && u.PublishAt.IsZero() {
			f.Draft, f.At = u.ID, k.Exact(later(u.EditedAt, u.CreatedAt))
			words.Body, words.State, words.Deliver, words.Components = u.Body, orState(u.State, words.State), u.Deliver, nil
			for _, change := range u.Components {
				words.Components = append(words.Components, incident.Affected{Component: change.Component, Status: change.To})
			}
			if u.Author != access.Hub.ID {
				f.By = c.name(ctx, u.Author)
			}
		}
	}
	var wrong error
	if id := r.URL.Query().Get("template"); id != "" && r.Method == http.MethodGet {
		filled, err := c.filled(r, id, i.ID, nil)
		if _, invalid := faultsOf(err); err != nil && !invalid {
			return nil, err
		}
		wrong, words.Body, words.State = err, filled.Body, orState(filled.State, words.State)
	}
	f.Body, f.Deliver = words.Body, words.Deliver
	says := map[string]string{}
	for _, a := range words.Components {
		says[a.Component] = a.Status
	}
	if sent.Has("body") {
		f.Body, words.State, f.Deliver, f.Schedule = sent.Get("body"), incident.State(sent.Get("state")), sent.Get("deliver") != "", sent.Get("publish_at")
		says = map[string]string{}
		for n, key := range sent["component"] {
			if n < len(sent["status"]) {
				says[key] = sent["status"][n]
			}
		}
	}
	for _, st := range sayable {
		f.States = append(f.States, Option{Value: string(st), Word: stateWord(st), On: st == words.State})
	}
	for _, a := range i.Components {
		on := a.Status
		if to, ok := says[a.Component]; ok {
			on = to
		}
		row := affectedRow{Key: a.Component, Name: a.Component, Statuses: statusOptions(on, Option{Word: "Says nothing"})}
		if one := s.byKey[a.Component]; one != nil {
			row.Name = one.Name
		}
		if on != a.Status {
			f.Changes++
		}
		f.Rows = append(f.Rows, row)
	}
	if f.Templates, err = c.templateTabs(r); err != nil {
		return nil, err
	}
	return f, wrong
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func orState(s, other incident.State) incident.State {
	if s == "" {
		return other
	}
	return s
}

// scheduled gives the updates that will go out by themselves, the next one first.
func (c *Console) scheduled(ctx context.Context, i *incident.Incident, lines []incident.Update, k Clock) []draftRow {
	var out []draftRow
	for n := range lines {
		u := &lines[n]
		if u.Kind != incident.KindUpdate || !u.PublishedAt.IsZero() || u.PublishAt.IsZero() {
			continue
		}
		rest := u.PublishAt.Sub(k.Now)
		out = append(out, draftRow{
			ID: u.ID, Body: cut(u.Body, 200), State: stateWord(orState(u.State, i.State)), By: c.name(ctx, u.Author), At: k.Exact(u.PublishAt),
			In: left(max(rest, 0)), Deliver: u.Deliver, Soon: rest <= incident.UndoFor,
		})
	}
	slices.SortStableFunc(out, func(a, b draftRow) int { return strings.Compare(a.At.ISO, b.At.ISO) })
	return out
}

// saidOf reads what a form says of components: those of which it says something
// else than the incident does.
func saidOf(i *incident.Incident, v url.Values) []incident.Affected {
	said := map[string]string{}
	for _, a := range i.Components {
		said[a.Component] = a.Status
	}
	var out []incident.Affected
	for n, key := range v["component"] {
		if n < len(v["status"]) && v["status"][n] != said[key] {
			out = append(out, incident.Affected{Component: key, Status: v["status"][n]})
		}
	}
	return out
}

// updateAct reads the form of the next update and does something with it; a form
// that is wrong is shown again with what was typed.
func (c *Console) updateAct(w http.ResponseWriter, r *http.Request, do func(i *incident.Incident, v url.Values) (*Said, error)) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	i, _, err := c.deps.Room.Get(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	said, err := do(&i, v)
	if _, ok := faultsOf(err); ok {
		return c.showIncident(w, r, v, err)
	}
	if err != nil {
		return err
	}
	c.See(w, r, incidentsPath+"/"+i.ID, said)
	return nil
}

// publishUpdate sends the next update: it goes out in ten seconds, unless
// somebody takes it back.
func (c *Console) publishUpdate(w http.ResponseWriter, r *http.Request) error {
	return c.updateAct(w, r, func(i *incident.Incident, v url.Values) (*Said, error) {
		version, err := strconv.ParseInt(v.Get("version"), 10, 64)
		if err != nil {
			return nil, problem.Invalid("", "The form is of an older page. Look at the incident again.")
		}
		p := incident.Publication{
			UpdateID: v.Get("draft"), Body: v.Get("body"), State: incident.State(v.Get("state")), Deliver: v.Get("deliver") != "",
			Components: saidOf(i, v), Version: version,
		}
		if p.State == incident.Resolved {
			p.Components = nil // what is over says so of each
		}
		p.NextUpdate, _ = time.ParseDuration(v.Get("next")) // none given: as promised before
		u, err := c.deps.Room.Hold(r.Context(), guestOf(r).Actor, i.ID, p)
		if err != nil {
			return nil, err
		}
		return &Said{Text: "It goes out in ten seconds", Undo: incidentsPath + "/" + i.ID + "/unsend", With: map[string]string{"draft": u.ID}}, nil
	})
}

// releaseUpdate publishes an update that waits, at once.
func (c *Console) releaseUpdate(d *deedOn) (*Said, error) {
	i, u, err := c.deps.Room.Release(d, d.by, d.form.Get("draft"))
	switch {
	case err != nil:
		return nil, err
	case !i.Seen():
		return &Said{Text: "The update stands; staff alone see it"}, nil
	}
	return &Said{Text: stateWord(u.State) + " is published"}, nil
}

// takeBack makes an update that waits a draft again, words and all.
func (c *Console) takeBack(d *deedOn) (*Said, error) {
	_, err := c.deps.Room.Schedule(d, d.by, d.form.Get("draft"), time.Time{})
	return &Said{Text: "It is a draft again; customers have not seen it"}, err
}

// wordingOf reads a draft.
func wordingOf(i *incident.Incident, v url.Values) incident.Wording {
	w := incident.Wording{
		UpdateID: v.Get("draft"), Body: v.Get("body"), State: incident.State(v.Get("state")), Deliver: v.Get("deliver") != "", Components: saidOf(i, v),
	}
	w.NextUpdate, _ = time.ParseDuration(v.Get("next")) // none given: as the incident says
	// A draft says something of each component it names, or does not name it.
	kept := w.Components[:0]
	for _, a := range w.Components {
		if a.Status != "" {
			kept = append(kept, a)
		}
	}
	w.Components = kept
	return w
}

// keepDraft keeps the next update for staff to see.
func (c *Console) keepDraft(w http.ResponseWriter, r *http.Request) error {
	return c.updateAct(w, r, func(i *incident.Incident, v url.Values) (*Said, error) {
		u, err := c.deps.Room.Draft(r.Context(), guestOf(r).Actor, i.ID, wordingOf(i, v))
		return &Said{Text: "The draft is kept; customers have not seen it", Undo: incidentsPath + "/" + i.ID + "/undraft", With: map[string]string{"draft": u.ID}}, err
	})
}

// scheduleUpdate lets the next update go out by itself.
func (c *Console) scheduleUpdate(w http.ResponseWriter, r *http.Request) error {
	return c.updateAct(w, r, func(i *incident.Incident, v url.Values) (*Said, error) {
		g := guestOf(r)
		words := wordingOf(i, v)
		at, err := c.momentOf(g, v, "publish_at")
		if err != nil {
			return nil, err
		}
		if at.IsZero() {
			return nil, problem.Invalid("publish_at", "Choose when it goes out.")
		}
		words.PublishAt = at
		u, err := c.deps.Room.Draft(r.Context(), g.Actor, i.ID, words)
		return &Said{Text: "It goes out by itself at " + c.clock(c.zoneOf(g)).At(at).Text, Undo: incidentsPath + "/" + i.ID + "/undraft", With: map[string]string{"draft": u.ID}}, err
	})
}
