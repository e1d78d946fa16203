package console

import (
	"net/http"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const screensPath = settingsPath + "/screens"

// screenRoutes are the links that show the wall on a screen.
func (c *Console) screenRoutes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: screensPath, Action: access.TokenEdit, Handler: c.handle(c.screens)},
		{Method: http.MethodPost, Path: screensPath, Action: access.TokenEdit, Handler: c.sure(screensPath, c.makeScreen)},
		{Method: http.MethodPost, Path: screensPath + "/{id}/revoke", Action: access.TokenEdit, Handler: c.sure(screensPath, c.revokeScreen)},
		{Method: http.MethodGet, Path: people.ScreenPath + "{secret}", Way: door.WayOpen, Handler: c.handle(c.enterScreen)},
	}
}

// screensPage is the data of screens.html.
type screensPage struct {
	Rows, Over []tokenRow
	Name, TTL  Field
	Wrong      []string
	Unsure     string
}

// screens lists the screens and asks for the next one.
func (c *Console) screens(w http.ResponseWriter, r *http.Request) error {
	return c.showScreens(w, r, "", "never", nil)
}

func (c *Console) showScreens(w http.ResponseWriter, r *http.Request, name, ttl string, wrong error) error {
	g := guestOf(r)
	all, err := c.deps.Doors.Tokens.List(r.Context(), g.Actor)
	if err != nil {
		return err
	}
	names, err := c.deps.Doors.Accounts.Names(r.Context())
	if err != nil {
		return err
	}
	f, _ := faultsOf(wrong)
	d := screensPage{Unsure: c.unsure(r)}
	d.Name = Field{Name: "name", Label: "Name", Value: name, Required: true, Error: f.of("name"), Hint: "Where it hangs, such as operations room."}
	d.TTL = Field{Kind: "select", Name: "ttl", Label: "Ends after", Error: f.of("ttl")}
	for _, l := range lifetimes {
		d.TTL.Options = append(d.TTL.Options, Option{Value: l.value, Word: l.word, On: l.value == ttl})
	}
	d.Wrong = f.left()
	d.Rows, d.Over = tokenRows(all, names, c.clock(c.zoneOf(g)), func(t people.Token) bool { return t.Role == access.RoleScreen })
	page := Page{Title: "Screens", Section: "settings", Template: "screens", Data: d, Crumbs: settingsCrumbs("Screens"), Live: "token"}
	if wrong != nil {
		page.Code = c.deps.Problem(wrong).Status
	}
	c.Page(w, r, page)
	return nil
}

// makeScreen makes a link for a screen and shows it, this one time.
func (c *Console) makeScreen(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	lasts, err := lifetime(v.Get("ttl"))
	var path string
	if err == nil {
		path, _, err = c.deps.Doors.Tokens.MakeScreen(r.Context(), guestOf(r).Actor, v.Get("name"), lasts)
	}
	if err != nil {
		if !answerable(err) {
			return err
		}
		return c.showScreens(w, r, v.Get("name"), v.Get("ttl"), err)
	}
	c.showSecret(w, r, secretPage{What: "link", Secret: c.hubAddress(r) + path, Back: screensPath, Then: "Open it once in the browser of the screen: it shows the wall from then on."},
		settingsCrumbs("Screens", screensPath, v.Get("name")))
	return nil
}

// lifetime reads how long a token or a link lasts. Errors: Invalid.
func lifetime(value string) (time.Duration, error) {
	for _, l := range lifetimes {
		if l.value == value {
			return l.lasts, nil
		}
	}
	return 0, problem.Invalid("ttl", "Choose when it ends.")
}

// revokeScreen ends the link of a screen.
func (c *Console) revokeScreen(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Doors.Tokens.Revoke(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, screensPath, &Said{Text: "The screen sees nothing any more"})
	return nil
}

// enterScreen turns the link of a screen into its cookie, and shows the wall.
func (c *Console) enterScreen(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Doors.Door.EnterScreen(w, r, r.PathValue("secret")); err != nil {
		return err
	}
	http.Redirect(w, r, Home, http.StatusSeeOther)
	return nil
}
