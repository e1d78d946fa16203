package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// incidentRef names an incident in the journal.
func incidentRef(id string) journal.Ref { return journal.Ref{Kind: "incident", ID: id} }

// saysWord is what an incident says of a component, in words.
func saysWord(st string) string {
	if st == "" {
		return "not spoken of"
	}
	return strings.ToLower(markOf(status.Status(st)).Word)
}

// deedOn is one act on an incident: who does it, to which, with what form.
type deedOn struct {
	context.Context
	by   access.Actor
	g    door.Guest
	id   string
	form url.Values
	path string // of the room
}

// why is the reason that a form gives.
func (d *deedOn) why() incident.Reason { return incident.Reason(d.form.Get("reason")) }

// undo is the way back by a form of the same room.
func (d *deedOn) undo(verb string, with map[string]string, words string) *Said {
	return &Said{Text: words, Undo: d.path + "/" + verb, With: with}
}

// incidentAct makes a handler of an act: the room is shown again, with what was
// typed, where the form was wrong.
func (c *Console) incidentAct(do func(*deedOn) (*Said, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := formOf(r)
		if err != nil {
			return err
		}
		g := guestOf(r)
		d := &deedOn{Context: r.Context(), by: g.Actor, g: g, id: r.PathValue("id"), form: v, path: incidentsPath + "/" + url.PathEscape(r.PathValue("id"))}
		said, err := do(d)
		if _, ok := faultsOf(err); ok {
			return c.showIncident(w, r, v, err)
		}
		if err != nil {
			return err
		}
		c.See(w, r, d.path, said)
		return nil
	}
}

func (c *Console) dropDraft(d *deedOn) (*Said, error) {
	return &Said{Text: "The draft is gone"}, c.deps.Room.DropDraft(d, d.by, d.form.Get("draft"))
}

func (c *Console) editLine(d *deedOn) (*Said, error) {
	version, err := strconv.ParseInt(d.form.Get("line_version"), 10, 64)
	if err != nil {
		return nil, problem.Invalid("", "The form is of an older page. Look at the line again.")
	}
	_, err = c.deps.Room.Edit(d, d.by, d.form.Get("line"), d.form.Get("words"), d.why(), version)
	return &Said{Text: "The words are changed"}, err
}

func (c *Console) reopen(d *deedOn) (*Said, error) {
	i, _, err := c.deps.Room.Reopen(d, d.by, d.id, incident.Publication{Body: d.form.Get("reopen"), Deliver: d.form.Get("deliver") != ""})
	return &Said{Text: incidentName(i) + " is open again"}, err
}

func (c *Console) dropSuspicion(d *deedOn) (*Said, error) {
	i, err := c.deps.Room.Drop(d, d.by, d.id)
	return &Said{Text: incidentName(i) + " is dropped; customers never saw it"}, err
}

func (c *Console) note(d *deedOn) (*Said, error) {
	_, err := c.deps.Room.Note(d, d.by, d.id, d.form.Get("note"))
	return &Said{Text: "Noted for staff"}, err
}

// setComponent changes what the incident says of one component, adds one or
// takes one off, without an update.
func (c *Console) setComponent(d *deedOn) (*Said, error) {
	i, _, err := c.deps.Room.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	s, err := c.roll.state(d)
	if err != nil {
		return nil, err
	}
	key, st := d.form.Get("key"), d.form.Get("status")
	if typed := d.form.Get("name"); key == "" && typed != "" {
		one := componentCalled(s, typed)
		if one == nil {
			return nil, problem.Invalid("components", "There is no component %q.", cut(typed, 64))
		}
		key = one.Key
	}
	name := key
	if one := s.byKey[key]; one != nil {
		name = one.Name
	}
	off := d.form.Get("off") != ""
	var list []incident.Affected
	was, known := "", false
	for _, a := range i.Components {
		if a.Component == key {
			if was, known = a.Status, true; off {
				continue
			}
			a.Status = st
		}
		list = append(list, a)
	}
	if !known && !off {
		list = append(list, incident.Affected{Component: key, Status: st})
	}
	why := d.why()
	if one := s.byKey[key]; why == "" && one != nil && string(one.Observed.Status) == st {
		why = "As checks see it."
	}
	if _, err := c.deps.Room.SetComponents(d, d.by, d.id, list, why); err != nil {
		return nil, err
	}
	back := map[string]string{"key": key, "status": was}
	switch {
	case off:
		return d.undo("component", back, name+" is none of it any more"), nil
	case !known:
		return d.undo("component", map[string]string{"key": key, "off": "1"}, name+" is affected: "+saysWord(st)), nil
	}
	return d.undo("component", back, name+" is "+saysWord(st)+" on the page"), nil
}

func (c *Console) assign(d *deedOn) (*Said, error) {
	person := d.form.Get("person")
	if d.form.Get("me") != "" {
		person = d.g.Person.ID
	}
	i, _, err := c.deps.Room.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	duty, was := d.form.Get("duty"), ""
	for _, has := range i.Roles {
		if has.Role == duty {
			was = has.Person
		}
	}
	_, err = c.deps.Room.Assign(d, d.by, d.id, duty, person)
	words := dutyWord(duty) + ": nobody"
	if person != "" {
		words = dutyWord(duty) + ": " + c.name(d, person)
	}
	return d.undo("duty", map[string]string{"duty": duty, "person": was}, words), err
}

func (c *Console) addTask(d *deedOn) (*Said, error) {
	t, err := c.deps.Room.AddTask(d, d.by, d.id, d.form.Get("task"), d.form.Get("owner"))
	return d.undo("tick", map[string]string{"task_id": t.ID, "off": "1"}, "Added to what is to do"), err
}

func (c *Console) tickTask(d *deedOn) (*Said, error) {
	id := d.form.Get("task_id")
	if d.form.Get("off") != "" {
		return &Said{Text: "Taken off the list"}, c.deps.Room.DropTask(d, d.by, d.id, id)
	}
	done := d.form.Get("done") != ""
	t, err := c.deps.Room.TickTask(d, d.by, d.id, id, done)
	if !done {
		return d.undo("tick", map[string]string{"task_id": id, "done": "1"}, "To do again: "+cut(t.Text, 60)), err
	}
	return d.undo("tick", map[string]string{"task_id": id}, "Done: "+cut(t.Text, 60)), err
}

func (c *Console) addLink(d *deedOn) (*Said, error) {
	l := incident.Link{Relation: d.form.Get("relation"), Title: strings.TrimSpace(d.form.Get("link_title"))}
	to := strings.TrimSpace(d.form.Get("link"))
	kind, id, isRef := strings.Cut(to, "/")
	switch {
	case strings.Contains(to, "://"):
		l.URL = to
	case strings.HasPrefix(strings.ToUpper(to), "INC-"):
		other, _, err := c.deps.Room.Get(d, d.by, to)
		if err != nil {
			return nil, err
		}
		l.Ref = incidentRef(other.ID)
	case isRef:
		l.Ref = journal.Ref{Kind: kind, ID: id}
	default:
		return nil, problem.Invalid("link", "Write an address with https://, INC-231, or a kind and an id such as ticket/TK-4107.")
	}
	_, err := c.deps.Room.Link(d, d.by, d.id, l)
	return d.undo("unlink", map[string]string{"kind": l.Ref.Kind, "ref": l.Ref.ID, "url": l.URL}, "Linked"), err
}

func (c *Console) unlink(d *deedOn) (*Said, error) {
	l := incident.Link{Ref: journal.Ref{Kind: d.form.Get("kind"), ID: d.form.Get("ref")}, URL: d.form.Get("url")}
	_, err := c.deps.Room.Unlink(d, d.by, d.id, l)
	back := map[string]string{"link": l.URL}
	if l.URL == "" {
		back["link"] = l.Ref.String()
	}
	return d.undo("link", back, "The link is gone"), err
}

func (c *Console) setRunbook(d *deedOn) (*Said, error) {
	_, err := c.deps.Room.SetRunbook(d, d.by, d.id, strings.TrimSpace(d.form.Get("runbook")))
	return &Said{Text: "The run-book is set"}, err
}

func (c *Console) rename(d *deedOn) (*Said, error) {
	i, err := c.deps.Room.Rename(d, d.by, d.id, d.form.Get("name"), d.why())
	return &Said{Text: "It is called " + cut(i.Name, 80) + " now"}, err
}

func (c *Console) setImpact(d *deedOn) (*Said, error) {
	i, err := c.deps.Room.SetImpact(d, d.by, d.id, incident.Impact(d.form.Get("impact")), d.why())
	return &Said{Text: "Impact: " + markOfImpact(string(i.Impact)).Word}, err
}

func (c *Console) setStart(d *deedOn) (*Said, error) {
	at, err := c.momentOf(d.g, d.form, "started_at")
	if err != nil {
		return nil, err
	}
	_, err = c.deps.Room.SetStart(d, d.by, d.id, at, d.why())
	return &Said{Text: "It began at " + c.clock(c.zoneOf(d.g)).At(at).Text}, err
}

func (c *Console) makePrivate(d *deedOn) (*Said, error) {
	i, err := c.deps.Room.SetVisibility(d, d.by, d.id, incident.Private, d.why())
	return &Said{Text: incidentName(i) + " is for staff only now"}, err
}

func (c *Console) promise(d *deedOn) (*Said, error) {
	every, err := time.ParseDuration(d.form.Get("every"))
	if err != nil {
		return nil, problem.Invalid("every", "Choose how often.")
	}
	_, err = c.deps.Room.Promise(d, d.by, d.id, every)
	return &Said{Text: "An update is due every " + length(every)}, err
}

func (c *Console) explainEdit(d *deedOn) (*Said, error) {
	_, err := c.deps.Room.Explain(d, d.by, d.id, d.why())
	return &Said{Text: "The reason is kept"}, err
}

// merge lets another incident take the place of this one, and goes there.
func (c *Console) merge(d *deedOn) (*Said, error) {
	into := d.form.Get("into")
	if into == "" {
		return nil, problem.Invalid("into", "Choose the incident that stays.")
	}
	stays, err := c.deps.Room.Merge(d, d.by, d.id, into)
	if err != nil {
		return nil, err
	}
	d.path = incidentsPath + "/" + stays.ID
	return &Said{Text: "Merged into " + incidentName(stays)}, nil
}

// writeReview keeps the postmortem, and publishes it when asked to.
func (c *Console) writeReview(d *deedOn) (*Said, error) {
	version, _ := strconv.ParseInt(d.form.Get("version"), 10, 64) // none: whatever it is now
	if _, err := c.deps.Room.WriteReview(d, d.by, d.id, d.form.Get("review"), d.why(), version); err != nil {
		return nil, err
	}
	if d.form.Get("publish") == "" {
		return &Said{Text: "The postmortem is kept"}, nil
	}
	_, err := c.deps.Room.PublishReview(d, d.by, d.id, d.form.Get("deliver") != "")
	return &Said{Text: "The postmortem is published"}, err
}
