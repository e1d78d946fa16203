package console

import (
	"net/http"
	"strings"

	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// bulk does one thing to many tickets. What did not fit is said ticket by
// ticket; all of it can be taken back.
func (c *Console) bulk(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	ctx, g, ids := r.Context(), guestOf(r), v["id"]
	if len(ids) == 0 {
		return c.backToDesk(w, r, problem.Invalid("", "No ticket is selected. x selects the one you are on."))
	}
	act := ticket.Action{}
	words := ""
	switch v.Get("do") {
	case "mine":
		act.Assignee, words = &g.Person.ID, "are yours"
	case "assign":
		person := v.Get("person")
		act.Assignee, words = &person, "are with "+c.name(ctx, person)
		if person == "" {
			words = "are nobody's"
		}
	case "solve":
		act.State, words = ticket.Solved, "closed"
	case "prioritise":
		act.Priority = ticket.Priority(v.Get("priority"))
		words = "are " + strings.ToLower(wordOf(priorityOptions, v.Get("priority")))
	case "queue":
		act.Queue, words = v.Get("queue"), "are in "+c.queueWord(v.Get("queue"))
	case "tag":
		act.AddTags, words = listOf(v.Get("tag")), "are tagged"
	case "link":
		incident := v.Get("incident")
		act.Incident, words = &incident, "are linked"
	case "answer", "answersolve":
		act.Answer, words = &ticket.Answer{Text: v.Get("text")}, "are answered"
		if v.Get("do") == "answersolve" {
			act.Answer.State, words = ticket.Solved, "are answered and closed"
		}
	default:
		return c.backToDesk(w, r, problem.Invalid("", "Choose what is to be done."))
	}
	out, err := c.deps.Tickets.Bulk(ctx, g.Actor, ids, act)
	return c.bulkDone(w, r, out, words, err)
}

// bulkDone says what became of an act on many.
func (c *Console) bulkDone(w http.ResponseWriter, r *http.Request, out ticket.Done, words string, err error) error {
	if err != nil {
		return c.backToDesk(w, r, err)
	}
	back := r.PostFormValue("back")
	said := &Said{Text: plural(len(out.Tickets), "ticket", "tickets") + " " + words}
	if len(out.Tickets) == 1 {
		said.Text = strings.Replace(said.Text, " are ", " is ", 1)
	}
	if out.Undo != "" {
		said.Undo, said.With = ticketsPath+"/bulk/undo", map[string]string{"token": out.Undo, "back": back}
	}
	if len(out.Failed) > 0 {
		said.Bad, said.Stays = true, 30
		said.Text += ", " + plural(len(out.Failed), "did not", "did not") + ": " + cut(strings.Join(whys(out.Failed), " "), 300)
	}
	c.See(w, r, back, said)
	return nil
}

// backToDesk shows the list again with what was wrong, or gives the error on.
func (c *Console) backToDesk(w http.ResponseWriter, r *http.Request, err error) error {
	if _, ok := faultsOf(err); !ok {
		return err
	}
	return c.showDesk(w, r, nil, nil, err)
}

func (c *Console) undoBulk(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	out, err := c.deps.Tickets.UndoBulk(r.Context(), guestOf(r).Actor, v.Get("token"))
	if err != nil {
		return c.backToDesk(w, r, err)
	}
	said := &Said{Text: plural(len(out.Tickets), "ticket stands", "tickets stand") + " as before"}
	if len(out.Failed) > 0 {
		said.Bad, said.Stays = true, 30
		said.Text += ", " + plural(len(out.Failed), "does not", "do not") + ": " + cut(strings.Join(whys(out.Failed), " "), 300)
	}
	c.See(w, r, v.Get("back"), said)
	return nil
}
