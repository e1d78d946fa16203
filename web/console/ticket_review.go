package console

import (
	"html/template"
	"net/http"
	"slices"

	"evenkeel/internal/ticket"
)

// heldRow is one answer that waits for review.
type heldRow struct {
	ID, Ticket, Path, Subject, To string
	At                            Stamp
	Text                          string
	Shown                         template.HTML
	Field                         string
}

// reviewPage is the data of review.html.
type reviewPage struct {
	Rows  []heldRow
	Wrong []string
}

// review lists the answers that wait for somebody to look at them.
func (c *Console) review(w http.ResponseWriter, r *http.Request) error {
	return c.showReview(w, r, nil)
}

func (c *Console) showReview(w http.ResponseWriter, r *http.Request, wrong error) error {
	ctx, g := r.Context(), guestOf(r)
	held, err := c.deps.Tickets.Review(ctx, g.Actor)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	f, _ := faultsOf(wrong)
	d := reviewPage{Wrong: append(f.rest, fieldFaults(f)...)}
	for _, m := range held[:min(len(held), ticketRows)] {
		t, _, err := c.deps.Tickets.Get(ctx, g.Actor, m.Ticket)
		if err != nil {
			return err
		}
		row := heldRow{ID: m.ID, Ticket: c.ticketName(&t), Path: ticketPath(t.ID), Subject: subjectWord(&t), At: k.At(m.At), Text: m.Text, Shown: linked(m.Text), Field: "words-" + m.ID}
		if len(m.To) > 0 {
			row.To = addressWord(m.To[0])
		}
		d.Rows = append(d.Rows, row)
	}
	page := Page{
		Title: "Answers held for review", Section: "tickets", Template: "review", Data: d, Live: "ticket", Crumbs: []Crumb{{"Tickets", ticketsPath}, {Word: "Review"}},
		Sub:  []string{"Nobody outside has them. Each goes to one requester, in their own thread, when you send it."},
		Keys: []Key{{[]string{"j", "k"}, "move"}, {[]string{"x"}, "select"}},
	}
	if wrong != nil {
		page.Code = c.formCode(wrong)
	}
	c.Page(w, r, page)
	return nil
}

// release sends, changes or drops answers that were held.
func (c *Console) release(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	ctx, g, ids := r.Context(), guestOf(r), v["id"]
	if one := v.Get("one"); one != "" {
		ids = []string{one}
	}
	said := &Said{Text: "Nothing was selected"}
	switch {
	case v.Get("drop") != "":
		said.Text = "Dropped; nobody gets it"
		_, err = c.deps.Tickets.Undo(ctx, g.Actor, v.Get("drop"))
	case v.Get("rewrite") != "":
		said.Text = "The words are changed; it still waits"
		_, err = c.deps.Tickets.Rewrite(ctx, g.Actor, v.Get("rewrite"), v.Get("words-"+v.Get("rewrite")))
	case len(ids) > 0:
		var failed []ticket.Failed
		failed, err = c.deps.Tickets.Release(ctx, g.Actor, ids)
		said.Text = plural(len(ids)-len(failed), "answer is", "answers are") + " on the way"
		if len(failed) > 0 {
			said.Bad, said.Stays = true, 30
			said.Text += ", " + plural(len(failed), "is", "are") + " not: " + cut(whys(failed)[0], 200)
		}
	}
	if _, ok := faultsOf(err); ok {
		return c.showReview(w, r, err)
	}
	if err != nil {
		return err
	}
	back := reviewPath
	if r.URL.RawQuery != "" && v.Get("ticket") != "" {
		back = ticketPath(v.Get("ticket")) + "?" + r.URL.RawQuery
	} else if v.Get("ticket") != "" {
		back = ticketPath(v.Get("ticket"))
	}
	c.See(w, r, back, said)
	return nil
}

// whys gives the reasons, each once.
func whys(failed []ticket.Failed) []string {
	var out []string
	for _, f := range failed {
		if !slices.Contains(out, f.Why) {
			out = append(out, f.Why)
		}
	}
	return out
}
