package console

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// repliesPage is the data of replies.html.
type repliesPage struct {
	Rows        []replyRow
	CanEdit     bool
	ID, Version string // of the one that is being changed
	Name, Body  Field
	Wrong       []string
}

// replyRow is one saved reply.
type replyRow struct {
	ID, Version, Name, Body string
	File                    bool
}

// savedReplies lists what is kept to be sent again; id=ID opens one.
func (c *Console) savedReplies(w http.ResponseWriter, r *http.Request) error {
	return c.showReplies(w, r, ticket.SavedReply{ID: cut(r.URL.Query().Get("id"), 64)}, nil)
}

func (c *Console) showReplies(w http.ResponseWriter, r *http.Request, s ticket.SavedReply, wrong error) error {
	g := guestOf(r)
	list, err := c.deps.Tickets.Replies(r.Context(), g.Actor)
	if err != nil {
		return err
	}
	d := repliesPage{CanEdit: g.Actor.MayOn(access.TicketSetup)}
	known := false
	for _, x := range list {
		d.Rows = append(d.Rows, replyRow{x.ID, strconv.FormatInt(x.Version, 10), x.Name, cut(x.Body, templateShown), x.File})
		if x.ID == s.ID && !x.File {
			known = true
			if wrong == nil {
				s = x
			}
		}
	}
	if s.ID != "" && !known {
		return problem.NotFound("There is no such reply.")
	}
	f, _ := faultsOf(wrong)
	d.ID, d.Version = s.ID, strconv.FormatInt(s.Version, 10)
	d.Name = Field{Name: "name", Label: "Name", Value: s.Name, Required: true, Error: f.of("name"), Hint: "For staff."}
	d.Body = Field{Kind: "area", Name: "body", Label: "Reply", Value: s.Body, Rows: 8, Required: true, Error: f.of("body"), Hint: "Filled in when it is used: " + variableWords() + "."}
	d.Wrong = f.left()
	page := Page{
		Title: "Saved replies", Section: "tickets", Template: "replies", Data: d, Bleed: true, Crumbs: []Crumb{{"Tickets", ticketsPath}, {Word: "Saved replies"}}, Sub: []string{"Words that are sent often."},
	}
	if wrong != nil {
		page.Code = c.formCode(wrong)
	}
	c.Page(w, r, page)
	return nil
}

// variableWords lists the variables as they are written.
func variableWords() string {
	var names []string
	for _, v := range ticket.Variables() {
		names = append(names, "{{"+v+"}}")
	}
	return sentence(names, len(names))
}

// putReply keeps a reply.
func (c *Console) putReply(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	s := ticket.SavedReply{ID: v.Get("id"), Name: v.Get("name"), Body: v.Get("body"), Version: saidNumber(v, "version")}
	_, err = c.deps.Tickets.SaveReply(r.Context(), guestOf(r).Actor, s)
	if _, ok := faultsOf(err); ok {
		return c.showReplies(w, r, s, err)
	}
	if err != nil {
		return err
	}
	c.See(w, r, repliesPath, &Said{Text: "Kept: " + cut(s.Name, 60)})
	return nil
}

func (c *Console) dropReply(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	if err := c.deps.Tickets.DropReply(r.Context(), guestOf(r).Actor, r.PathValue("id"), saidNumber(v, "version")); err != nil {
		return err
	}
	c.See(w, r, repliesPath, &Said{Text: "Deleted"})
	return nil
}

// fillReply gives a saved reply with its variables filled in for a ticket.
func (c *Console) fillReply(w http.ResponseWriter, r *http.Request) error {
	text, err := c.written(r.Context(), guestOf(r), r.PathValue("id"), r.PathValue("reply"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) // whoever hung up does not want it
	return nil
}

// written gives a saved reply as it reads in a ticket.
func (c *Console) written(ctx context.Context, g door.Guest, id, reply string) (string, error) {
	all, err := c.deps.Tickets.Replies(ctx, g.Actor)
	if err != nil {
		return "", err
	}
	for _, s := range all {
		if s.ID == reply {
			return c.deps.Tickets.Written(ctx, g.Actor, id, s.Body, g.Person.Name)
		}
	}
	return "", problem.NotFound("There is no such reply.")
}
