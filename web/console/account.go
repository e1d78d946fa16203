package console

import (
	"encoding/base64"
	"html/template"
	"net/http"

	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const (
	accountPath = "/console/account"
	factorPath  = accountPath + "/second-factor"
)

// accountRoutes are what people change about themselves. They ask for no role.
func (c *Console) accountRoutes() []door.Route {
	if c.deps.Doors.Door == nil {
		return nil
	}
	post := func(path string, fn func(http.ResponseWriter, *http.Request) error) door.Route {
		return door.Route{Method: http.MethodPost, Path: path, Handler: c.handle(fn)}
	}
	return []door.Route{
		{Method: http.MethodGet, Path: accountPath, Handler: c.handle(c.account)},
		post(accountPath, c.changeOwn),
		post(accountPath+"/password", c.changePassword),
		{Method: http.MethodGet, Path: factorPath, Handler: c.sure(factorPath, c.factorForm)},
		{Method: http.MethodPost, Path: factorPath, Handler: c.sure(factorPath, c.confirmFactor)},
		{Method: http.MethodPost, Path: factorPath + "/remove", Handler: c.sure(accountPath, c.removeFactor)},
		{Method: http.MethodPost, Path: accountPath + "/recovery", Handler: c.sure(accountPath, c.freshRecovery)},
		post(accountPath+"/sessions/{id}/end", c.endOwnSession),
		post(accountPath+"/sessions/end-others", c.endOthers),
	}
}

// accountPage is the data of account.html.
type accountPage struct {
	Wrong                []string
	Name, Zone           Field
	Email                string
	Roles                []string
	HasPassword          bool
	Current, Next, Again Field
	HasFactor            bool
	RecoveryLeft         int
	Provider             string // "" = there is none
	Connected            bool
	Away                 string
	Sessions             []sessionRow
	Others               int // sessions beside this one
}

// sessionRow is one browser that is signed in.
type sessionRow struct {
	ID, Agent, Network, Way string
	Person                  string // in the list of everybody's
	PersonPath              string
	Begun, Seen, Ends       Stamp
	Here                    bool
}

// wayWords say how somebody came in.
var wayWords = map[people.Way]string{
	people.WayPassword: "password", people.WayCode: "password and code", people.WayRecovery: "password and recovery code",
	people.WayOIDC: "provider", people.WayLink: "link", people.WayDemo: "demo",
}

func (c *Console) sessionRow(k Clock, s people.Session, here string) sessionRow {
	return sessionRow{
		ID: s.ID, Agent: browserOf(s.Agent), Network: s.Network, Way: wayWords[s.Way],
		Begun: k.At(s.CreatedAt), Seen: k.At(s.SeenAt), Ends: k.At(s.ExpiresAt), Here: s.ID == here,
	}
}

// account shows what one can change about oneself.
func (c *Console) account(w http.ResponseWriter, r *http.Request) error {
	return c.showAccount(w, r, "", nil)
}

// showAccount shows the page, with what was wrong with one of its forms.
func (c *Console) showAccount(w http.ResponseWriter, r *http.Request, form string, wrong error) error {
	g, d := guestOf(r), c.deps.Doors
	if g.Person.ID == "" {
		return problem.Forbidden("A machine has no account.")
	}
	sessions, err := d.Accounts.Sessions(r.Context(), g.Actor, g.Person.ID)
	if err != nil {
		return err
	}
	f, ok := faultsOf(wrong)
	data, page := accountPage{}, Page{Title: "Your account", Section: "settings", Template: "account", Crumbs: settingsCrumbs("Your account")}
	if wrong != nil {
		page.Code = c.deps.Problem(wrong).Status
		if !ok {
			data.Wrong = []string{problem.Public(wrong)}
		}
	}
	name, zone := g.Person.Name, g.Person.Zone
	if form == "own" {
		name, zone = r.PostFormValue("name"), r.PostFormValue("zone")
	}
	data.Name = Field{Name: "name", Label: "Name", Value: name, Auto: "name", Required: true, Error: f.of("name"), Hint: "As colleagues see it beside what you do."}
	data.Zone = Field{Name: "zone", Label: "Time zone", Value: zone, Optional: true, Error: f.of("zone"), Place: c.roll.zone().String(), Hint: "Such as Europe/Vienna. Left empty, times are in the page's zone."}
	data.HasPassword = g.Person.PasswordHash != ""
	data.Current = Field{Kind: "password", Name: "current", Label: "Password now", Auto: "current-password", Required: true, Error: f.of("current")}
	data.Next = Field{Kind: "password", Name: "password", Label: "New password", Auto: "new-password", Required: true, Error: f.of("password")}
	data.Again = Field{Kind: "password", Name: "again", Label: "New password once more", Auto: "new-password", Required: true, Error: f.of("again")}
	data.Wrong = append(data.Wrong, f.left()...)
	data.Email, data.Roles = g.Person.Email, grantWords(g.Person.Grants)
	data.HasFactor, data.RecoveryLeft = g.Person.TOTP != nil, len(g.Person.Recovery)
	data.Provider, data.Connected = d.Door.Provider(), g.Person.Subject != ""
	data.Away = d.Door.Way(g.Session, door.ErrandConnect, accountPath)
	k := c.clock(c.zoneOf(g))
	for _, s := range sessions {
		data.Sessions = append(data.Sessions, c.sessionRow(k, s, g.Session.ID))
	}
	data.Others = len(sessions) - 1
	page.Data = data
	c.Page(w, r, page)
	return nil
}

// changeOwn changes one's name and zone.
func (c *Console) changeOwn(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	_, err := c.deps.Doors.Accounts.ChangeOwn(r.Context(), guestOf(r).Person, r.PostFormValue("name"), r.PostFormValue("zone"))
	if err != nil {
		return c.again(w, r, "own", err)
	}
	c.See(w, r, accountPath, &Said{Text: "Your account is changed"})
	return nil
}

// again shows the page with a form that was not taken; other errors pass.
func (c *Console) again(w http.ResponseWriter, r *http.Request, form string, err error) error {
	if !answerable(err) {
		return err
	}
	return c.showAccount(w, r, form, err)
}

// changePassword changes one's password.
func (c *Console) changePassword(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	d, g, next := c.deps.Doors, guestOf(r), r.PostFormValue("password")
	if next != r.PostFormValue("again") {
		return c.again(w, r, "password", problem.Invalid("again", "The two are not the same."))
	}
	entry, err := d.Accounts.ChangePassword(r.Context(), g.Person, g.Session, r.PostFormValue("current"), next, d.Door.Caller(r))
	if err != nil {
		return c.again(w, r, "password", err)
	}
	d.Door.Enter(w, r, entry)
	c.See(w, r, accountPath, &Said{Text: "Your password is changed; other browsers are signed out"})
	return nil
}

// factorPage is the data of factor.html.
type factorPage struct {
	Secret string
	QR     template.URL
	Sealed string
	Code   Field
	Wrong  []string
}

// factorForm offers a second factor.
func (c *Console) factorForm(w http.ResponseWriter, r *http.Request) error {
	offer, err := c.deps.Doors.Accounts.OfferTOTP(guestOf(r).Person)
	if err != nil {
		return err
	}
	return c.showFactor(w, r, offer, nil)
}

func (c *Console) showFactor(w http.ResponseWriter, r *http.Request, offer people.Enrolment, wrong error) error {
	f, _ := faultsOf(wrong)
	page := Page{Title: "Set up a second factor", Section: "settings", Template: "factor", Crumbs: settingsCrumbs("Your account", accountPath, "Second factor")}
	if wrong != nil {
		page.Code = c.deps.Problem(wrong).Status
	}
	data := factorPage{
		Secret: offer.Secret, Sealed: offer.Sealed,
		QR:   template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(offer.QR)),
		Code: Field{Name: "code", Label: "Code that the app shows now", Auto: "one-time-code", Required: true, Focus: true, Error: f.of("code")},
	}
	data.Wrong = f.left()
	page.Data = data
	c.Page(w, r, page)
	return nil
}

// confirmFactor puts an offered second factor in force.
func (c *Console) confirmFactor(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	d, g, sealed := c.deps.Doors, guestOf(r), r.PostFormValue("sealed")
	entry, codes, err := d.Accounts.ConfirmTOTP(r.Context(), g.Person, g.Session, sealed, r.PostFormValue("code"))
	if err != nil {
		if !answerable(err) {
			return err
		}
		offer, again := d.Accounts.OfferedTOTP(g.Person, sealed)
		if again != nil { // too old: begin with another one
			if offer, again = d.Accounts.OfferTOTP(g.Person); again != nil {
				return again
			}
		}
		return c.showFactor(w, r, offer, err)
	}
	d.Door.Enter(w, r, entry)
	c.showRecovery(w, r, codes)
	return nil
}

// showRecovery tells recovery codes, this one time.
func (c *Console) showRecovery(w http.ResponseWriter, r *http.Request, codes []string) {
	c.Page(w, r, Page{
		Title: "Recovery codes", Section: "settings", Template: "recovery", Data: codes,
		Crumbs: settingsCrumbs("Your account", accountPath, "Recovery codes"),
	})
}

// freshRecovery replaces the recovery codes.
func (c *Console) freshRecovery(w http.ResponseWriter, r *http.Request) error {
	d, g := c.deps.Doors, guestOf(r)
	entry, codes, err := d.Accounts.NewRecovery(r.Context(), g.Person, g.Session)
	if err != nil {
		return err
	}
	d.Door.Enter(w, r, entry)
	c.showRecovery(w, r, codes)
	return nil
}

// removeFactor takes the second factor off.
func (c *Console) removeFactor(w http.ResponseWriter, r *http.Request) error {
	d, g := c.deps.Doors, guestOf(r)
	entry, err := d.Accounts.RemoveTOTP(r.Context(), g.Person, g.Session)
	if err != nil {
		return err
	}
	d.Door.Enter(w, r, entry)
	c.See(w, r, accountPath, &Said{Text: "The second factor is off; a password alone lets you in now"})
	return nil
}

// endOwnSession signs another browser of one's own out.
func (c *Console) endOwnSession(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	own, err := c.deps.Doors.Accounts.Sessions(r.Context(), g.Actor, g.Person.ID)
	if err != nil {
		return err
	}
	for _, s := range own {
		if s.ID == r.PathValue("id") {
			if err := c.deps.Doors.Accounts.EndSession(r.Context(), g.Actor, s.ID); err != nil {
				return err
			}
			c.See(w, r, accountPath, &Said{Text: "That browser is signed out"})
			return nil
		}
	}
	return problem.NotFound("There is no such session of yours; it may be over already.")
}

// endOthers signs every browser of one's own but this one out.
func (c *Console) endOthers(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	if err := c.deps.Doors.Accounts.EndOthers(r.Context(), g.Person, g.Session); err != nil {
		return err
	}
	c.See(w, r, accountPath, &Said{Text: "Other browsers are signed out"})
	return nil
}
