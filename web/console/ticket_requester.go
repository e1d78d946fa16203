package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// requesterTickets are the tickets that a requester's page lists.
const requesterTickets = 100

// requesterPage is the data of requester.html.
type requesterPage struct {
	Path, Version                       string
	Facts                               []Fact
	Rows                                []ticketRow
	Many                                string
	Pager                               Pager
	Blocked, Erased, CanEdit, CanErase  bool
	Word                                string // what must be typed to erase them
	Name, Address, Others, Phone, Notes Field
	Wrong                               []string
}

// requester shows somebody outside: who they are, and what they wrote.
func (c *Console) requester(w http.ResponseWriter, r *http.Request) error {
	return c.showRequester(w, r, nil, nil)
}

func (c *Console) showRequester(w http.ResponseWriter, r *http.Request, sent url.Values, wrong error) error {
	ctx, g := r.Context(), guestOf(r)
	who, list, err := c.deps.Tickets.Requester(ctx, g.Actor, r.PathValue("id"), requesterTickets)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := requesterPage{
		Path: requestersPath + "/" + url.PathEscape(who.ID), Version: strconv.FormatInt(who.Version, 10), Blocked: who.Blocked, Erased: !who.ErasedAt.IsZero(),
		CanEdit: g.Actor.May(access.TicketAnswer), CanErase: g.Actor.May(access.TicketErase), Many: plural(len(list), "ticket", "tickets"), Word: eraseWord(&who),
	}
	for n := range list {
		d.Rows = append(d.Rows, c.ticketRow(&list[n], map[string]ticket.Requester{who.ID: who}, nil, k))
	}
	fact := func(word, value string) {
		if value != "" {
			d.Facts = append(d.Facts, Fact{Word: word, Value: value})
		}
	}
	fact("Mail", who.Address)
	fact("Also", strings.Join(who.Others, ", "))
	fact("Telephone", who.Phone)
	fact("Notes", who.Notes)
	fact("Known since", k.Day(who.CreatedAt).Text)
	follows, err := c.followsOf(ctx, g, who.Address)
	if err != nil {
		return err
	}
	fact("Follows", follows)
	fact("Mail to them", who.Bad)
	if who.Blocked {
		fact("Blocked", "What they send is kept and opens nothing.")
	}
	if d.Erased {
		fact("Erased", k.Day(who.ErasedAt).Text)
	}
	f, _ := faultsOf(wrong)
	value := func(name, otherwise string) string {
		if sent.Has(name) {
			return sent.Get(name)
		}
		return otherwise
	}
	d.Name = Field{Name: "name", Label: "Name", Value: value("name", who.Name), Optional: true, Error: f.of("name")}
	d.Address = Field{Name: "address", Label: "Mail address", Kind: "email", Value: value("address", who.Address), Optional: true, Auto: "off", Error: f.of("address")}
	d.Others = Field{Name: "others", Label: "Further addresses, with commas between", Value: value("others", strings.Join(who.Others, ", ")), Optional: true, Auto: "off", Error: f.of("others")}
	d.Phone = Field{Name: "phone", Label: "Telephone", Kind: "tel", Value: value("phone", who.Phone), Optional: true, Auto: "off", Error: f.of("phone")}
	d.Notes = Field{Kind: "area", Name: "notes", Label: "Notes for staff", Value: value("notes", who.Notes), Rows: 3, Optional: true, Error: f.of("notes")}
	d.Wrong = f.left()
	page := Page{
		Title: requesterName(&who), Section: "tickets", Template: "requester", Data: d, Live: "ticket requester", Bleed: true, Crumbs: []Crumb{{"Tickets", ticketsPath}, {Word: "Requester"}},
		Keys: []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	}
	if wrong != nil {
		page.Code = c.formCode(wrong)
	}
	c.Page(w, r, page)
	return nil
}

// requesterName is what a requester is called.
func requesterName(who *ticket.Requester) string {
	switch {
	case !who.ErasedAt.IsZero():
		return "Erased"
	case who.Name != "":
		return who.Name
	case who.Address != "":
		return who.Address
	case who.Phone != "":
		return who.Phone
	}
	return "Somebody"
}

// eraseWord is what must be typed before somebody is erased.
func eraseWord(who *ticket.Requester) string {
	if who.Address != "" {
		return who.Address
	}
	return "erase"
}

func (c *Console) editRequester(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	who, err := c.deps.Tickets.EditRequester(r.Context(), guestOf(r).Actor, r.PathValue("id"), ticket.About{
		Name: v.Get("name"), Address: v.Get("address"), Others: listOf(v.Get("others")), Phone: v.Get("phone"), Notes: v.Get("notes"), Version: saidNumber(v, "version"),
	})
	if _, ok := faultsOf(err); ok {
		return c.showRequester(w, r, v, err)
	}
	if err != nil {
		return err
	}
	c.See(w, r, requestersPath+"/"+url.PathEscape(who.ID), &Said{Text: "Kept"})
	return nil
}

func (c *Console) blockRequester(w http.ResponseWriter, r *http.Request) error {
	block := r.PostFormValue("block") != ""
	who, err := c.deps.Tickets.Block(r.Context(), guestOf(r).Actor, r.PathValue("id"), block)
	if err != nil {
		return err
	}
	path, back := requestersPath+"/"+url.PathEscape(who.ID), map[string]string{}
	words := "Blocked: what they send is kept and opens nothing"
	if !block {
		words, back = "Their mail opens tickets again", map[string]string{"block": "1"}
	}
	c.See(w, r, path, &Said{Text: words, Undo: path + "/block", With: back})
	return nil
}

// eraseRequester erases somebody for good, once their address was typed.
func (c *Console) eraseRequester(w http.ResponseWriter, r *http.Request) error {
	ctx, g, id := r.Context(), guestOf(r), r.PathValue("id")
	who, _, err := c.deps.Tickets.Requester(ctx, g.Actor, id, 1)
	if err != nil {
		return err
	}
	if strings.TrimSpace(r.PostFormValue("word")) != eraseWord(&who) {
		return c.showRequester(w, r, nil, problem.Invalid("", "Nothing was erased: what you wrote is not %s.", eraseWord(&who)))
	}
	if err := c.deps.Tickets.Erase(ctx, g.Actor, id); err != nil {
		return err
	}
	c.See(w, r, requestersPath+"/"+url.PathEscape(id), &Said{Text: "Erased for good"})
	return nil
}
