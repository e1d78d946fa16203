package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const peoplePath = settingsPath + "/people"

// peopleRoutes are the accounts.
func (c *Console) peopleRoutes() []door.Route {
	edit := func(path, back string, fn func(http.ResponseWriter, *http.Request) error) door.Route {
		return door.Route{Method: http.MethodPost, Path: path, Action: access.PersonEdit, Handler: c.sure(back, fn)}
	}
	one := peoplePath + "/{id}"
	return []door.Route{
		{Method: http.MethodGet, Path: peoplePath, Action: access.PersonRead, Handler: c.handle(c.people)},
		{Method: http.MethodGet, Path: peoplePath + "/new", Action: access.PersonEdit, Handler: c.sure(peoplePath+"/new", c.newPerson)},
		edit(peoplePath, peoplePath+"/new", c.addPerson),
		{Method: http.MethodGet, Path: one, Action: access.PersonRead, Handler: c.handle(c.person)},
		edit(one, peoplePath, c.changePerson),
		edit(one+"/link", peoplePath, c.linkPerson),
		edit(one+"/disable", peoplePath, c.act("is kept out", (*people.Accounts).Disable)),
		edit(one+"/enable", peoplePath, c.act("may come in again", (*people.Accounts).Enable)),
		edit(one+"/factor", peoplePath, c.dropFactor),
		edit(one+"/erase", peoplePath, c.erasePerson),
	}
}

// peoplePage is the data of people.html.
type peoplePage struct {
	Rows    []personRow
	Query   string
	Tabs    []Tab
	CanEdit bool
}

// personRow is one account in the list.
type personRow struct {
	ID, Name, Email string
	Roles           []string
	Factor          bool
	State           string // "", disabled, invited
	Seen            Stamp
}

// people lists the accounts.
func (c *Console) people(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	all, err := c.deps.Doors.Accounts.List(r.Context(), g.Actor)
	if err != nil {
		return err
	}
	q, show := strings.TrimSpace(cut(r.URL.Query().Get("q"), 100)), r.URL.Query().Get("show")
	data := peoplePage{Query: q, CanEdit: g.Actor.MayOn(access.PersonEdit)}
	k := c.clock(c.zoneOf(g))
	off := 0
	for _, p := range all {
		if !p.Active() {
			off++
		}
		if p.Active() == (show == "disabled") || q != "" && !matches(p.Name+" "+p.Email+" "+strings.Join(grantWords(p.Grants), " "), q) {
			continue
		}
		row := personRow{ID: p.ID, Name: p.Name, Email: p.Email, Roles: grantWords(p.Grants), Factor: p.TOTP != nil, Seen: k.At(p.SeenAt)}
		switch {
		case !p.Active():
			row.State = "disabled"
		case p.PasswordHash == "" && p.Subject == "":
			row.State = "invited"
		}
		data.Rows = append(data.Rows, row)
	}
	data.Tabs = []Tab{
		{Word: "May come in", Path: peoplePath, Count: strconv.Itoa(len(all) - off), Here: show != "disabled"},
		{Word: "Kept out", Path: peoplePath + "?show=disabled", Count: strconv.Itoa(off), Here: show == "disabled"},
	}
	page := Page{Title: "People", Section: "settings", Template: "peoplelist", Data: data, Live: "person", Crumbs: settingsCrumbs("People")}
	if data.CanEdit {
		page.Actions = []Action{{Word: "Add a person", Icon: "plus", Path: peoplePath + "/new", Key: "n", Primary: true}}
	}
	c.Page(w, r, page)
	return nil
}

// grantRows is how many grants the form has room for at once.
const grantRows = 4

// personPage is the data of person.html.
type personPage struct {
	ID, Version        string
	Name, Email, Zone  Field
	Grants             []grantFields
	GrantsWrong        string
	Wrong              []string
	CanEdit            bool
	New, Self          bool
	Disabled, Invited  bool
	Factor, Connected  bool
	Made, Seen         Stamp
	Sessions           []sessionRow
	Unsure             string // where the proof is asked for first; "" = not needed
	Known              []string
	Erase              Field
	ErasePath, Journal string
}

// grantFields are the fields of one grant.
type grantFields struct {
	N     int
	Roles []Option
	Kinds []Option
	ID    string
}

// newPerson asks who is to be added.
func (c *Console) newPerson(w http.ResponseWriter, r *http.Request) error {
	c.showPerson(w, r, people.Person{}, people.Draft{}, nil)
	return nil
}

// person shows an account.
func (c *Console) person(w http.ResponseWriter, r *http.Request) error {
	p, err := c.personOf(r)
	if err != nil {
		return err
	}
	c.showPerson(w, r, p, people.Draft{Name: p.Name, Email: p.Email, Zone: p.Zone, Grants: p.Grants}, nil)
	return nil
}

// personOf finds the account that an address names.
func (c *Console) personOf(r *http.Request) (people.Person, error) {
	if err := guestOf(r).Actor.CheckOn(access.PersonRead); err != nil {
		return people.Person{}, err
	}
	p, err := c.deps.Doors.Accounts.Person(r.Context(), r.PathValue("id"))
	if err == nil && !p.ErasedAt.IsZero() {
		err = problem.NotFound("This person was erased.")
	}
	return p, err
}

// showPerson shows the form of an account, with what was wrong with it.
func (c *Console) showPerson(w http.ResponseWriter, r *http.Request, p people.Person, d people.Draft, wrong error) {
	g := guestOf(r)
	data := personPage{
		ID: p.ID, Version: strconv.FormatInt(p.Version, 10), New: p.ID == "", CanEdit: g.Actor.MayOn(access.PersonEdit), Self: p.ID == g.Person.ID,
		Disabled: !p.DisabledAt.IsZero(), Invited: p.PasswordHash == "" && p.Subject == "", Factor: p.TOTP != nil, Connected: p.Subject != "",
	}
	page := Page{Title: p.Name, Section: "settings", Template: "accountof", Bleed: true, Crumbs: settingsCrumbs("People", peoplePath, p.Name)}
	if data.New {
		page.Title, page.Crumbs = "Add a person", settingsCrumbs("People", peoplePath, "Add a person")
	}
	f, _ := faultsOf(wrong)
	if wrong != nil {
		page.Code = c.deps.Problem(wrong).Status
	}
	lock := !data.CanEdit
	data.Name = Field{Name: "name", Label: "Name", Value: d.Name, Required: true, Error: f.of("name"), Focus: data.New, Locked: lock, Hint: "As colleagues see it beside what the person does."}
	data.Email = Field{Kind: "email", Name: "email", Label: "E-mail address", Value: d.Email, Required: true, Error: f.of("email"), Locked: lock, Hint: "For signing in, and for notices when on call."}
	data.Zone = Field{Name: "zone", Label: "Time zone", Value: d.Zone, Optional: true, Error: f.of("zone"), Locked: lock, Place: c.roll.zone().String()}
	data.GrantsWrong = f.of("grants")
	data.Grants = grantForm(d.Grants)
	data.Erase = Field{Name: "confirm", Label: "Type the name to erase the person", Required: true, Error: f.of("confirm")}
	data.Wrong = f.left()
	data.Known = c.scopesKnown(r)
	k := c.clock(c.zoneOf(g))
	data.Made, data.Seen = k.At(p.CreatedAt), k.At(p.SeenAt)
	data.Journal = auditPath + "?subject=person%2F" + p.ID
	if data.CanEdit {
		data.Unsure = c.unsure(r)
	}
	if p.ID != "" {
		sessions, err := c.deps.Doors.Accounts.Sessions(r.Context(), g.Actor, p.ID)
		if err != nil {
			c.Fail(w, r, err)
			return
		}
		for _, s := range sessions {
			data.Sessions = append(data.Sessions, c.sessionRow(k, s, g.Session.ID))
		}
	}
	page.Data = data
	c.Page(w, r, page)
}

// grantForm gives the fields of the grants a person holds, and of a few more.
func grantForm(have []access.Grant) []grantFields {
	var rows []grantFields
	for i := range max(grantRows, len(have)+2) {
		var g access.Grant
		if i < len(have) {
			g = have[i]
		}
		row := grantFields{N: i + 1, ID: g.Scope.ID, Roles: []Option{{Word: "No role", On: g.Role == ""}}}
		for _, role := range access.People() {
			row.Roles = append(row.Roles, Option{Value: string(role), Word: roleWord(role), On: role == g.Role})
		}
		for _, kind := range []Option{{Value: "", Word: "everywhere"}, {Value: "component", Word: "for component"}, {Value: "group", Word: "for group"}, {Value: "product", Word: "for product"}} {
			kind.On = kind.Value == g.Scope.Kind
			row.Kinds = append(row.Kinds, kind)
		}
		rows = append(rows, row)
	}
	return rows
}

// scopesKnown lists keys that grants can be narrowed to, to choose from.
func (c *Console) scopesKnown(r *http.Request) []string {
	if c.deps.Record == nil {
		return nil
	}
	catalog, err := c.deps.Record.Catalog(r.Context(), false)
	if err != nil {
		return nil // the form works without
	}
	const most = 500
	var keys []string
	for _, one := range catalog.Components {
		keys = append(keys, one.Key)
	}
	for _, one := range catalog.Groups {
		keys = append(keys, one.Key)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	return keys[:min(len(keys), most)]
}

// draftOf reads the form of an account.
func draftOf(r *http.Request) people.Draft {
	d := people.Draft{Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Zone: strings.TrimSpace(r.PostFormValue("zone"))}
	roles, kinds, ids := r.PostForm["role"], r.PostForm["kind"], r.PostForm["scope"]
	for i, role := range roles[:min(len(roles), people.MaxGrants+1)] {
		if role == "" {
			continue
		}
		g := access.Grant{Role: access.Role(role)}
		if i < len(kinds) && kinds[i] != "" {
			g.Scope.Kind = kinds[i]
			if i < len(ids) {
				g.Scope.ID = strings.TrimSpace(ids[i])
			}
		}
		d.Grants = append(d.Grants, g)
	}
	return d
}

// addPerson adds an account and shows the link that lets the person in.
func (c *Console) addPerson(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	by, draft := guestOf(r).Actor, draftOf(r)
	p, err := c.deps.Doors.Accounts.Add(r.Context(), by, draft)
	if err != nil {
		if !answerable(err) {
			return err
		}
		c.showPerson(w, r, people.Person{}, draft, err)
		return nil
	}
	return c.showLink(w, r, p)
}

// changePerson changes an account.
func (c *Console) changePerson(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	p, err := c.personOf(r)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 64) // no number is an old version
	draft := draftOf(r)
	next, err := c.deps.Doors.Accounts.Change(r.Context(), guestOf(r).Actor, p.ID, version, draft)
	if err != nil {
		if !answerable(err) {
			return err
		}
		c.showPerson(w, r, p, draft, err)
		return nil
	}
	c.See(w, r, peoplePath+"/"+p.ID, &Said{Text: next.Name + " is changed"})
	return nil
}

// linkPage is the data of link.html.
type linkPage struct {
	Name, Address, Lasts string
	Reset                bool
	Back                 string
}

// linkPerson makes a link that lets the person in.
func (c *Console) linkPerson(w http.ResponseWriter, r *http.Request) error {
	p, err := c.personOf(r)
	if err != nil {
		return err
	}
	return c.showLink(w, r, p)
}

// showLink makes a link and shows it, this one time.
func (c *Console) showLink(w http.ResponseWriter, r *http.Request, p people.Person) error {
	path, err := c.deps.Doors.Accounts.Link(r.Context(), guestOf(r).Actor, p.ID)
	if err != nil {
		return err
	}
	data := linkPage{Name: p.Name, Address: c.hubAddress(r) + path, Lasts: length(people.InviteLinkFor), Back: peoplePath + "/" + p.ID}
	if p.PasswordHash != "" {
		data.Reset, data.Lasts = true, length(people.ResetLinkFor)
	}
	c.Page(w, r, Page{Title: "A link for " + p.Name, Section: "settings", Template: "personlink", Data: data, Crumbs: settingsCrumbs("People", peoplePath, p.Name, data.Back, "Link")})
	return nil
}

// personAct is something simple that can be done to an account.
type personAct func(*people.Accounts, context.Context, access.Actor, string) (people.Person, error)

// act does something simple to an account and says so.
func (c *Console) act(said string, do personAct) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := do(c.deps.Doors.Accounts, r.Context(), guestOf(r).Actor, r.PathValue("id"))
		if err != nil {
			return err
		}
		c.See(w, r, peoplePath+"/"+p.ID, &Said{Text: p.Name + " " + said})
		return nil
	}
}

// dropFactor takes a lost second factor off.
func (c *Console) dropFactor(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := c.deps.Doors.Accounts.DropSecondFactor(r.Context(), guestOf(r).Actor, id); err != nil {
		return err
	}
	c.See(w, r, peoplePath+"/"+id, &Said{Text: "The second factor is off; the person is signed out"})
	return nil
}

// erasePerson erases an account once its name was typed.
func (c *Console) erasePerson(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	p, err := c.personOf(r)
	if err != nil {
		return err
	}
	if strings.TrimSpace(r.PostFormValue("confirm")) != p.Name {
		c.showPerson(w, r, p, people.Draft{Name: p.Name, Email: p.Email, Zone: p.Zone, Grants: p.Grants},
			problem.Invalid("confirm", "This is not the name. Nothing was erased."))
		return nil
	}
	if err := c.deps.Doors.Accounts.Erase(r.Context(), guestOf(r).Actor, p.ID); err != nil {
		return err
	}
	c.See(w, r, peoplePath, &Said{Text: "The person is erased"})
	return nil
}
