package console

import (
	"net/http"
	"net/url"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// newTicketPage is the data of ticketnew.html.
type newTicketPage struct {
	Templates                                                        []Tab
	Template                                                         string
	Name, Address, Phone, Subject, Text, Part, Queue, Priority, Mine Field
	Known                                                            []Option
	Wrong                                                            []string
}

// newTicket shows the form of a ticket for somebody who called, or by template.
func (c *Console) newTicket(w http.ResponseWriter, r *http.Request) error {
	return c.showNewTicket(w, r, r.URL.Query(), nil)
}

func (c *Console) showNewTicket(w http.ResponseWriter, r *http.Request, v url.Values, wrong error) error {
	g, rules := guestOf(r), c.deps.Tickets.Rules()
	s, err := c.roll.state(r.Context())
	if err != nil {
		return err
	}
	f, _ := faultsOf(wrong)
	d := newTicketPage{Template: v.Get("template")}
	base := ticket.Template{Priority: ticket.Normal}
	for _, t := range rules.Templates {
		d.Templates = append(d.Templates, Tab{Word: t.Name, Path: ticketsPath + "/new?template=" + url.QueryEscape(t.ID), Here: t.ID == d.Template})
		if t.ID == d.Template {
			base = t
		}
	}
	value := func(name, otherwise string) string {
		if v.Has(name) {
			return v.Get(name)
		}
		return otherwise
	}
	var parts []string
	for _, one := range s.components {
		d.Known = append(d.Known, Option{Value: one.Name})
		if one.ID == v.Get("component") {
			parts = append(parts, one.Name)
		}
	}
	d.Name = Field{Name: "name", Label: "Who calls", Value: v.Get("name"), Optional: true, Auto: "off", Focus: true, Error: f.of("name")}
	d.Address = Field{Name: "address", Label: "Their mail address", Kind: "email", Value: v.Get("address"), Optional: true, Auto: "off", Error: f.of("address"), Hint: "They are answered there. A requester who is known is found by it."}
	d.Phone = Field{Name: "phone", Label: "Telephone", Kind: "tel", Value: v.Get("phone"), Optional: true, Auto: "off", Error: f.of("phone")}
	d.Subject = Field{Name: "subject", Label: "Subject", Value: value("subject", base.Subject), Required: true, Error: f.of("subject")}
	d.Text = Field{Kind: "area", Name: "text", Label: "What they say", Value: value("text", base.Text), Rows: 8, Error: f.of("text")}
	d.Part = Field{Name: "part", Label: "Component", Value: value("part", strings.Join(parts, "")), List: "components", Optional: true, Auto: "off", Error: f.of("components", "part")}
	queues := []Option{{Word: "As it fits"}}
	for _, q := range rules.Queues {
		queues = append(queues, Option{Value: q.ID, Word: q.Name})
	}
	d.Queue = Field{Kind: "select", Name: "queue", Label: "Queue", Options: options(queues, value("queue", base.Queue)), Error: f.of("queue")}
	d.Priority = Field{Kind: "select", Name: "priority", Label: "Priority", Options: options(priorityOptions, value("priority", string(base.Priority))), Error: f.of("priority")}
	if g.Actor.May(access.TicketAnswer) {
		d.Mine = Field{Kind: "check", Name: "mine", Label: "I look after it", Value: value("mine", "1")}
	} else {
		d.Mine = Field{Kind: "check", Name: "mine", Label: "I look after it", Locked: true}
	}
	d.Wrong = f.left()
	page := Page{
		Title: "New ticket", Section: "tickets", Template: "ticketnew", Data: d, Crumbs: []Crumb{{"Tickets", ticketsPath}, {Word: "New"}},
		Sub: []string{"For somebody who called, wrote by another way, or for ourselves when nobody is named."},
	}
	if wrong != nil {
		page.Code = c.formCode(wrong)
	}
	c.Page(w, r, page)
	return nil
}

// openTicket opens it.
func (c *Console) openTicket(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	ctx, g := r.Context(), guestOf(r)
	word := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	o := ticket.Opening{
		Way: ticket.ByPhone, Queue: word("queue"), From: ticket.Address{Name: word("name"), Address: word("address")}, Phone: word("phone"), Subject: word("subject"),
		Text: v.Get("text"), Priority: ticket.Priority(word("priority")), Template: word("template"),
	}
	if v.Get("mine") != "" {
		o.Assignee = g.Person.ID
	}
	if name := word("part"); name != "" {
		s, err := c.roll.state(ctx)
		if err != nil {
			return err
		}
		one := componentCalled(s, name)
		if one == nil {
			return c.showNewTicket(w, r, v, problem.Invalid("components", "There is no component %q.", cut(name, 64)))
		}
		o.Components = []string{one.Key}
	}
	t, err := c.deps.Tickets.Open(ctx, g.Actor, o)
	if _, ok := faultsOf(err); ok {
		return c.showNewTicket(w, r, v, err)
	}
	if err != nil {
		return err
	}
	c.See(w, r, ticketPath(t.ID), &Said{Text: c.ticketName(&t) + " is open"})
	return nil
}
