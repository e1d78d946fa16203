package console

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// ticketDeed is one act on a ticket: who does it, to which, with what form.
type ticketDeed struct {
	context.Context
	by   access.Actor
	g    door.Guest
	id   string
	form url.Values
	path string // of the ticket
	back string // the query that leads back to the same list
	next string // id of the ticket to go to; "" = stay
}

// undo is the way back by a form of the same ticket.
func (d *ticketDeed) undo(verb string, with map[string]string, words string) *Said {
	return &Said{Text: words, Undo: d.path + "/" + verb + d.back, With: with}
}

// ticketAct makes a handler of an act: the ticket is shown again, with what was
// typed, where the form was wrong.
func (c *Console) ticketAct(do func(*ticketDeed) (*Said, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := formOf(r)
		if err != nil {
			return err
		}
		g := guestOf(r)
		d := &ticketDeed{Context: r.Context(), by: g.Actor, g: g, id: r.PathValue("id"), form: v, path: ticketPath(r.PathValue("id"))}
		if r.URL.RawQuery != "" {
			d.back = "?" + r.URL.RawQuery
		}
		said, err := do(d)
		if _, ok := faultsOf(err); ok {
			return c.showTicket(w, r, v, err)
		}
		if err != nil {
			return err
		}
		path := d.path
		if d.next != "" {
			path = ticketPath(d.next)
		}
		c.See(w, r, path+d.back, said)
		return nil
	}
}

// onward goes to the ticket below when the form says which and the work is done.
func (d *ticketDeed) onward() { d.next = d.form.Get("next") }

// answer sends, times or holds an answer.
func (c *Console) answer(d *ticketDeed) (*Said, error) {
	a := ticket.Answer{Text: d.form.Get("text"), State: ticket.State(d.form.Get("then")), Version: saidNumber(d.form, "seen"), Held: d.form.Get("hold") != ""}
	if d.form.Get("send_at") != "" {
		at, err := c.momentOf(d.g, d.form, "send_at")
		if err != nil {
			return nil, err
		}
		a.SendAt = at
	}
	m, err := c.deps.Tickets.Answer(d, d.by, d.id, a)
	if err != nil {
		return nil, err
	}
	with := map[string]string{"message": m.ID}
	if m.Sending == ticket.Held {
		return d.undo("unsend", with, "Held for review"), nil
	}
	if a.State == ticket.Solved {
		d.onward()
	}
	if !a.SendAt.IsZero() {
		return d.undo("unsend", with, "Goes out at "+c.clock(c.zoneOf(d.g)).At(m.SendAt).Text), nil
	}
	return d.undo("unsend", with, "Sent"), nil
}

func (c *Console) unsend(d *ticketDeed) (*Said, error) {
	_, err := c.deps.Tickets.Undo(d, d.by, d.form.Get("message"))
	return &Said{Text: "Taken back; nobody has it"}, err
}

func (c *Console) jot(d *ticketDeed) (*Said, error) {
	people, err := c.roster(d)
	if err != nil {
		return nil, err
	}
	mentions := mentionsOf(d.form.Get("note"), people)
	if _, err := c.deps.Tickets.Note(d, d.by, d.id, d.form.Get("note"), mentions); err != nil {
		return nil, err
	}
	said := &Said{Text: "Noted for staff"}
	if len(mentions) > 0 {
		names := make([]string, len(mentions))
		for n, id := range mentions {
			names[n] = people[id]
		}
		said.Text += "; " + sentence(names, 3) + " will hear of it"
	}
	return said, nil
}

// mentionsOf finds the people whom a note names with @.
func mentionsOf(text string, people map[string]string) []string {
	text = strings.ToLower(text)
	var out []string
	for _, id := range slices.Sorted(maps.Keys(people)) {
		if name := strings.ToLower(people[id]); name != "" && strings.Contains(text, "@"+name) {
			out = append(out, id)
		}
	}
	return out
}

func (c *Console) assignTicket(d *ticketDeed) (*Said, error) {
	person := d.form.Get("person")
	if d.form.Get("me") != "" {
		person = d.g.Person.ID
	}
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.Assign(d, d.by, d.id, person)
	words := c.ticketName(&t) + " is nobody's"
	if person != "" {
		words = c.ticketName(&t) + " is with " + c.name(d, person)
	}
	return d.undo("assign", map[string]string{"person": was.Assignee}, words), err
}

func (c *Console) moveTicket(d *ticketDeed) (*Said, error) {
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.Move(d, d.by, d.id, ticket.State(d.form.Get("state")))
	if err != nil {
		return nil, err
	}
	back := was.State
	if back == ticket.New { // nobody goes back to not having looked
		back = ticket.Open
	}
	words := c.ticketName(&t) + ": " + strings.ToLower(ticketStates[t.State])
	if t.State == ticket.Solved || t.State == ticket.Closed {
		words = c.ticketName(&t) + " closed"
		d.onward()
	}
	return d.undo("move", map[string]string{"state": string(back)}, words), nil
}

func (c *Console) prioritise(d *ticketDeed) (*Said, error) {
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.Prioritise(d, d.by, d.id, ticket.Priority(d.form.Get("priority")))
	return d.undo("priority", map[string]string{"priority": string(was.Priority)}, c.ticketName(&t)+": "+strings.ToLower(wordOf(priorityOptions, string(t.Priority)))), err
}

func (c *Console) queueTicket(d *ticketDeed) (*Said, error) {
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.Queue(d, d.by, d.id, d.form.Get("queue"))
	return d.undo("queue", map[string]string{"queue": was.Queue}, c.ticketName(&t)+" is in "+c.queueWord(t.Queue)), err
}

func (c *Console) tagTicket(d *ticketDeed) (*Said, error) {
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	wanted := listOf(strings.ToLower(d.form.Get("tags")))
	gone := slices.DeleteFunc(slices.Clone(was.Tags), func(tag string) bool { return slices.Contains(wanted, tag) })
	t, err := c.deps.Tickets.Tag(d, d.by, d.id, wanted, gone)
	return d.undo("tags", map[string]string{"tags": strings.Join(was.Tags, ", ")}, c.ticketName(&t)+" is tagged"), err
}

// listOf reads words with commas between.
func listOf(text string) []string {
	var out []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

func (c *Console) retitle(d *ticketDeed) (*Said, error) {
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.Retitle(d, d.by, d.id, d.form.Get("subject"))
	return d.undo("title", map[string]string{"subject": was.Subject}, c.ticketName(&t)+" has another subject"), err
}

func (c *Console) setField(d *ticketDeed) (*Said, error) {
	name := d.form.Get("name")
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.SetField(d, d.by, d.id, name, d.form.Get("value"))
	return d.undo("field", map[string]string{"name": name, "value": was.Fields[name]}, c.ticketName(&t)+": "+name+" is set"), err
}

// concern says what components a ticket is about, by their names.
func (c *Console) concern(d *ticketDeed) (*Said, error) {
	s, err := c.roll.state(d)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, name := range listOf(d.form.Get("parts")) {
		one := componentCalled(s, name)
		if one == nil {
			return nil, problem.Invalid("parts", "There is no component %q.", cut(name, 64))
		}
		keys = append(keys, one.Key)
	}
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.Concern(d, d.by, d.id, keys)
	return d.undo("concern", map[string]string{"parts": strings.Join(partNames(s, was.Components), ", ")}, c.ticketName(&t)+" is about "+sentence(partNames(s, t.Components), 3)), err
}

// partNames names components by their keys.
func partNames(s *state, keys []string) []string {
	var names []string
	for _, key := range keys {
		if one := s.byKey[key]; one != nil {
			names = append(names, one.Name)
		}
	}
	return names
}

// calm says that automatic mail is a person's after all, or the other way round.
func (c *Console) calm(d *ticketDeed) (*Said, error) {
	automatic := d.form.Get("automatic") != ""
	t, err := c.deps.Tickets.Calm(d, d.by, d.id, automatic)
	words, back := c.ticketName(&t)+" is a person's: it has clocks now", map[string]string{"automatic": "1"}
	if automatic {
		words, back = c.ticketName(&t)+" is automatic: nobody waits for an answer", nil
	}
	return d.undo("calm", back, words), err
}

// snooze lets a ticket rest for a while, or wakes it.
func (c *Console) snooze(d *ticketDeed) (*Said, error) {
	var until time.Time
	if rests := d.form.Get("for"); rests != "" {
		lasts, err := time.ParseDuration(rests)
		if err != nil || lasts <= 0 {
			return nil, problem.Invalid("for", "Choose how long it rests.")
		}
		until = c.deps.Now().UTC().Add(lasts)
	}
	t, err := c.deps.Tickets.Snooze(d, d.by, d.id, until)
	if until.IsZero() {
		return &Said{Text: c.ticketName(&t) + " is awake"}, err
	}
	d.onward()
	return d.undo("snooze", map[string]string{"for": ""}, c.ticketName(&t)+" rests until "+c.clock(c.zoneOf(d.g)).At(until).Text), err
}

// linkTicket ties a ticket to an incident, by id or number.
func (c *Console) linkTicket(d *ticketDeed) (*Said, error) {
	id := d.form.Get("incident")
	if id == "" {
		id = strings.TrimSpace(d.form.Get("number"))
	}
	if id == "" {
		return nil, problem.Invalid("number", "Choose an incident, or write its number, such as INC-231.")
	}
	name := id
	if c.deps.Room != nil {
		i, _, err := c.deps.Room.Get(d, d.by, id)
		if problem.KindOf(err) == problem.KindNotFound {
			return nil, problem.Invalid("number", "There is no incident %s.", cut(id, 40))
		}
		if err != nil {
			return nil, err
		}
		id, name = i.ID, incidentName(i)
	}
	t, err := c.deps.Tickets.Link(d, d.by, d.id, id)
	return d.undo("unlink", nil, c.ticketName(&t)+" is linked to "+name), err
}

func (c *Console) unlinkTicket(d *ticketDeed) (*Said, error) {
	was, _, err := c.deps.Tickets.Get(d, d.by, d.id)
	if err != nil {
		return nil, err
	}
	t, err := c.deps.Tickets.Unlink(d, d.by, d.id)
	return d.undo("link", map[string]string{"incident": was.Incident}, c.ticketName(&t)+" is linked to nothing"), err
}

// mergeTickets moves all of a ticket into another, and goes there.
func (c *Console) mergeTickets(d *ticketDeed) (*Said, error) {
	into, _, err := c.deps.Tickets.Get(d, d.by, strings.TrimSpace(d.form.Get("into")))
	if problem.KindOf(err) == problem.KindNotFound {
		return nil, problem.Invalid("into", "There is no ticket %s.", cut(d.form.Get("into"), 40))
	}
	if err != nil {
		return nil, err
	}
	if _, err := c.deps.Tickets.Merge(d, d.by, d.id, into.ID); err != nil {
		return nil, err
	}
	d.next = into.ID
	return &Said{Text: "Merged into " + c.ticketName(&into), Undo: ticketPath(into.ID) + "/unmerge" + d.back, With: map[string]string{"merged": d.id}}, nil
}

func (c *Console) unmerge(d *ticketDeed) (*Said, error) {
	t, err := c.deps.Tickets.Unmerge(d, d.by, d.form.Get("merged"))
	d.next = t.ID
	return &Said{Text: c.ticketName(&t) + " stands by itself again"}, err
}

func (c *Console) split(d *ticketDeed) (*Said, error) {
	t, err := c.deps.Tickets.Split(d, d.by, d.id, []string{d.form.Get("message")})
	if err != nil {
		return nil, err
	}
	from := d.id
	d.next = t.ID
	return &Said{Text: "Now a ticket of its own: " + c.ticketName(&t), Undo: ticketPath(t.ID) + "/merge" + d.back, With: map[string]string{"into": from}}, nil
}

// writing tells others that somebody writes on a ticket.
func (c *Console) writing(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.deps.Tickets.Writing(r.Context(), guestOf(r).Actor, r.PathValue("id"), true); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
