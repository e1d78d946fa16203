package console

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

// Doors is what signing in and the settings of who may come in stand on. The
// zero value leaves those rooms out.
type Doors struct {
	Door     *door.Door
	Accounts *people.Accounts
	Tokens   *people.Tokens
	Hooks    *people.Hooks
	PageURL  func() string // the public address of the hub, for addresses that are shown; "" = wherever it is asked
}

// The pages of signing in.
const (
	codePath    = door.SignInPath + "/code"
	confirmPath = "/console/account/confirm"
)

// signInRoutes are the ways in and out.
func (c *Console) signInRoutes() []door.Route {
	if c.deps.Doors.Door == nil {
		return nil
	}
	open := func(method, path string, fn func(http.ResponseWriter, *http.Request) error) door.Route {
		return door.Route{Method: method, Path: path, Way: door.WayOpen, Handler: c.handle(fn)}
	}
	return []door.Route{
		open(http.MethodGet, door.SignInPath, c.signInForm),
		open(http.MethodPost, door.SignInPath, c.signIn),
		open(http.MethodGet, codePath, c.codeForm),
		open(http.MethodPost, codePath, c.code),
		open(http.MethodPost, door.SignInPath+"/demo", c.signInDemo),
		open(http.MethodGet, door.ProviderPath, c.depart),
		open(http.MethodGet, door.CallbackPath, c.comeBack),
		open(http.MethodGet, people.LinkPath+"{secret}", c.welcomeForm),
		open(http.MethodPost, people.LinkPath+"{secret}", c.welcome),
		{Method: http.MethodPost, Path: "/console/sign-out", Handler: c.handle(c.signOut)},
		{Method: http.MethodGet, Path: confirmPath, Handler: c.handle(c.confirmForm)},
		{Method: http.MethodPost, Path: confirmPath, Handler: c.handle(c.confirmSelf)},
	}
}

// signInPage is the data of sign_in.html.
type signInPage struct {
	Next     string
	Email    Field
	Password Field
	Wrong    []string
	Shut     string // why nobody can sign in over this connection
	Provider string
	Away     string // where the provider is begun with
	Demo     []demoPerson
	Name     string // of the page
}

// demoPerson is somebody whom a visitor of the demo may become.
type demoPerson struct{ ID, Name, Role string }

// signInForm asks who one is.
func (c *Console) signInForm(w http.ResponseWriter, r *http.Request) error {
	if _, in := door.Of(r); in {
		http.Redirect(w, r, door.Next(r), http.StatusSeeOther)
		return nil
	}
	c.askWho(w, r, door.Next(r), "", nil)
	return nil
}

// askWho shows the sign-in page, with what was wrong the time before.
func (c *Console) askWho(w http.ResponseWriter, r *http.Request, next, email string, wrong error) {
	d := c.deps.Doors.Door
	data := signInPage{Next: next, Provider: d.Provider(), Away: door.ProviderPath + "?next=" + url.QueryEscape(next)}
	page := Page{Title: "Sign in", Template: "signin", Bare: true}
	if err := d.MaySignIn(r); err != nil {
		data.Shut = problem.Public(err)
	}
	data.Email = Field{Kind: "email", Name: "email", Label: "E-mail address", Value: email, Auto: "username", Required: true, Focus: email == ""}
	data.Password = Field{Kind: "password", Name: "password", Label: "Password", Auto: "current-password", Required: true, Focus: email != ""}
	if wrong != nil {
		data.Wrong, page.Code = c.wrongOf(w, wrong)
	}
	for _, p := range d.Demo(r) {
		one := demoPerson{ID: p.ID, Name: p.Name}
		if len(p.Grants) > 0 {
			one.Role = roleWord(p.Grants[0].Role)
		}
		data.Demo = append(data.Demo, one)
	}
	page.Data = data
	c.Page(w, r, page)
}

// wrongOf says what is wrong, with the code that fits. A wait is told to
// machines too.
func (c *Console) wrongOf(w http.ResponseWriter, err error) ([]string, int) {
	if wait, ok := errors.AsType[*people.Wait](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.For.Seconds()))))
	}
	p := c.deps.Problem(err)
	if f, ok := faultsOf(err); ok {
		return f.left(), p.Status
	}
	return []string{p.Detail}, p.Status
}

// signIn takes an address and a password.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) error {
	d := c.deps.Doors
	if err := d.Door.MaySignIn(r); err != nil {
		return err
	}
	if _, err := formOf(r); err != nil {
		return err
	}
	next, email := door.Next(r), r.PostFormValue("email")
	entry, pending, err := d.Accounts.SignIn(r.Context(), email, r.PostFormValue("password"), d.Door.Caller(r))
	switch {
	case err != nil && !answerable(err):
		return err
	case err != nil:
		c.askWho(w, r, next, cut(email, people.MaxEmail), err)
		return nil
	case pending != "":
		d.Door.SetStep(w, r, pending)
		http.Redirect(w, r, codePath+"?next="+url.QueryEscape(next), http.StatusSeeOther)
		return nil
	}
	return c.comeIn(w, r, entry, next)
}

// answerable reports errors that are told on the form itself.
func answerable(err error) bool {
	switch problem.KindOf(err) {
	case problem.KindUnauthenticated, problem.KindTooMany, problem.KindInvalid, problem.KindConflict:
		return true
	}
	return false
}

// comeIn gives the browser its session, ending the one it had, and goes on.
func (c *Console) comeIn(w http.ResponseWriter, r *http.Request, e people.Entry, next string) error {
	if before, ok := door.Of(r); ok && before.Session.ID != "" && before.Session.ID != e.Session.ID {
		if err := c.deps.Doors.Accounts.SignOut(r.Context(), before.Person, before.Session); err != nil {
			return err
		}
	}
	c.deps.Doors.Door.Enter(w, r, e)
	http.Redirect(w, r, door.LocalPage(next), http.StatusSeeOther)
	return nil
}

// codePage is the data of code.html.
type codePage struct {
	Next  string
	Code  Field
	Wrong []string
}

// codeForm asks for a code of the second factor.
func (c *Console) codeForm(w http.ResponseWriter, r *http.Request) error {
	if c.deps.Doors.Door.Step(r) == "" {
		http.Redirect(w, r, door.SignInPath+"?next="+url.QueryEscape(door.Next(r)), http.StatusSeeOther)
		return nil
	}
	c.askCode(w, r, nil)
	return nil
}

func (c *Console) askCode(w http.ResponseWriter, r *http.Request, wrong error) {
	data := codePage{Next: door.Next(r), Code: Field{
		Name: "code", Label: "Code", Auto: "one-time-code", Required: true, Focus: true,
		Hint: "Six digits from your app. Without the device, one of your recovery codes.",
	}}
	page := Page{Title: "Second factor", Template: "signincode", Bare: true}
	if wrong != nil {
		data.Wrong, page.Code = c.wrongOf(w, wrong)
	}
	page.Data = data
	c.Page(w, r, page)
}

// code takes a code of the second factor.
func (c *Console) code(w http.ResponseWriter, r *http.Request) error {
	d := c.deps.Doors
	if _, err := formOf(r); err != nil {
		return err
	}
	entry, err := d.Accounts.SecondStep(r.Context(), d.Door.Step(r), r.PostFormValue("code"), d.Door.Caller(r))
	switch {
	case err != nil && !answerable(err):
		return err
	case err != nil:
		c.askCode(w, r, err)
		return nil
	}
	return c.comeIn(w, r, entry, door.Next(r))
}

// signInDemo lets a visitor of the demo become somebody.
func (c *Console) signInDemo(w http.ResponseWriter, r *http.Request) error {
	d, id := c.deps.Doors, r.PostFormValue("person")
	for _, p := range d.Door.Demo(r) {
		if p.ID != id {
			continue
		}
		entry, err := d.Accounts.SignInDemo(r.Context(), id, d.Door.Caller(r))
		if err != nil {
			return err
		}
		return c.comeIn(w, r, entry, door.Next(r))
	}
	return problem.NotFound("There is nobody to become here.")
}

// depart sends the browser to the provider: to sign in, to connect the account
// one is signed in with, or to confirm that it is still the same person.
func (c *Console) depart(w http.ResponseWriter, r *http.Request) error {
	d := c.deps.Doors.Door
	if err := d.MaySignIn(r); err != nil {
		return err
	}
	errand, err := d.ErrandOf(r)
	if err != nil {
		return err
	}
	if _, in := door.Of(r); in && errand == door.ErrandSignIn {
		http.Redirect(w, r, door.Next(r), http.StatusSeeOther)
		return nil
	}
	return d.Depart(w, r, errand, r.URL.Query().Get("next"))
}

// comeBack takes what the provider sent along with the browser.
func (c *Console) comeBack(w http.ResponseWriter, r *http.Request) error {
	d := c.deps.Doors
	identity, errand, next, err := d.Door.Return(w, r)
	if err == nil {
		var entry people.Entry
		if entry, err = c.vouched(r, identity, errand); err == nil {
			return c.comeIn(w, r, entry, next)
		}
	}
	if kind := problem.KindOf(err); kind == problem.KindUnauthenticated || kind == problem.KindForbidden || kind == problem.KindUnavailable {
		if _, in := door.Of(r); !in {
			c.askWho(w, r, door.LocalPage(next), "", err)
			return nil
		}
	}
	return err
}

// vouched does what somebody went to the provider for.
func (c *Console) vouched(r *http.Request, i people.Identity, errand door.Errand) (people.Entry, error) {
	g, in := door.Of(r)
	accounts := c.deps.Doors.Accounts
	switch {
	case errand == door.ErrandSignIn:
		return accounts.SignInOIDC(r.Context(), i, c.deps.Doors.Door.Caller(r))
	case !in:
		return people.Entry{}, problem.Unauthenticated("Your session ended meanwhile. Sign in again.")
	case errand == door.ErrandConnect:
		return accounts.Connect(r.Context(), g.Person, g.Session, i)
	default:
		return accounts.ConfirmOIDC(r.Context(), g.Person, g.Session, i)
	}
}

// signOut ends the session of this browser.
func (c *Console) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Doors.Door.Leave(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, door.SignInPath, http.StatusSeeOther)
	return nil
}

// confirmPage is the data of confirm.html.
type confirmPage struct {
	Next           string
	Password, Code Field
	HasPassword    bool
	HasCode        bool
	Provider, Away string
	Wrong          []string
}

// confirmForm asks somebody who is signed in to prove it once more.
func (c *Console) confirmForm(w http.ResponseWriter, r *http.Request) error {
	c.askAgain(w, r, nil)
	return nil
}

func (c *Console) askAgain(w http.ResponseWriter, r *http.Request, wrong error) {
	g := guestOf(r)
	data := confirmPage{Next: door.Next(r), HasPassword: g.Person.PasswordHash != "", HasCode: g.Person.TOTP != nil}
	page := Page{Title: "Is it still you?", Template: "confirmself", Bare: true}
	if g.Person.Subject != "" {
		data.Provider = c.deps.Doors.Door.Provider()
		data.Away = c.deps.Doors.Door.Way(g.Session, door.ErrandConfirm, data.Next)
	}
	data.Password = Field{Kind: "password", Name: "password", Label: "Password", Auto: "current-password", Focus: !data.HasCode}
	data.Code = Field{Name: "code", Label: "Or a code of your app", Auto: "one-time-code", Optional: true}
	if wrong != nil {
		data.Wrong, page.Code = c.wrongOf(w, wrong)
	}
	page.Data = data
	c.Page(w, r, page)
}

// confirmSelf takes the proof.
func (c *Console) confirmSelf(w http.ResponseWriter, r *http.Request) error {
	d, g := c.deps.Doors, guestOf(r)
	if _, err := formOf(r); err != nil {
		return err
	}
	entry, err := d.Accounts.Confirm(r.Context(), g.Person, g.Session, r.PostFormValue("password"), r.PostFormValue("code"), d.Door.Caller(r))
	switch {
	case err != nil && !answerable(err):
		return err
	case err != nil:
		c.askAgain(w, r, err)
		return nil
	}
	return c.comeIn(w, r, entry, door.Next(r))
}

// sure asks for the proof first when the last one is old, before anything that
// gives rights away. back is where to go on.
func (c *Console) sure(back string, fn func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return c.handle(func(w http.ResponseWriter, r *http.Request) error {
		if c.deps.Doors.Accounts.Strong(guestOf(r).Session) {
			return fn(w, r)
		}
		http.Redirect(w, r, confirmPath+"?next="+url.QueryEscape(back), http.StatusSeeOther)
		return nil
	})
}

// unsure tells the templates of settings whether the proof must come first.
func (c *Console) unsure(r *http.Request) string {
	if c.deps.Doors.Accounts.Strong(guestOf(r).Session) {
		return ""
	}
	return confirmPath + "?next=" + url.QueryEscape(r.URL.RequestURI())
}

// welcomePage is the data of welcome.html.
type welcomePage struct {
	First, Reset          bool
	Person                string
	Name, Email, Password Field
	Wrong                 []string
	Lasts                 string
}

// welcomeForm shows what a link is good for. It does not use it.
func (c *Console) welcomeForm(w http.ResponseWriter, r *http.Request) error {
	d := c.deps.Doors
	if err := d.Door.MaySignIn(r); err != nil {
		return err
	}
	welcome, err := d.Accounts.Welcome(r.Context(), r.PathValue("secret"), d.Door.Caller(r))
	if err != nil {
		return c.deadLink(w, r, err)
	}
	c.greet(w, r, welcome, people.Acceptance{Name: welcome.Name}, nil)
	return nil
}

func (c *Console) greet(w http.ResponseWriter, r *http.Request, welcome people.Welcome, typed people.Acceptance, wrong error) {
	data := welcomePage{First: welcome.Purpose == people.PurposeFirst, Reset: welcome.Purpose == people.PurposeReset, Person: cmp.Or(welcome.Name, welcome.Email)}
	page := Page{Title: "Welcome", Template: "welcome", Bare: true}
	if data.Reset {
		page.Title = "A new password"
	}
	var f faults
	if wrong != nil {
		var ok bool
		if f, ok = faultsOf(wrong); !ok {
			data.Wrong, page.Code = c.wrongOf(w, wrong)
		} else {
			page.Code = c.deps.Problem(wrong).Status
		}
	}
	data.Name = Field{Name: "name", Label: "Your name", Value: typed.Name, Auto: "name", Required: true, Error: f.of("name"), Hint: "As colleagues see it beside what you do."}
	data.Email = Field{Kind: "email", Name: "email", Label: "E-mail address", Value: typed.Email, Auto: "username", Required: true, Error: f.of("email"), Hint: "You sign in with it."}
	if !data.First {
		data.Email.Value, data.Email.Locked, data.Email.Hint = welcome.Email, true, ""
	}
	data.Password = Field{
		Kind: "password", Name: "password", Label: "Password", Auto: "new-password", Required: true, Error: f.of("password"),
		Hint: "At least " + strconv.Itoa(people.MinPassword) + " characters. A few words in a row are easy to keep.",
	}
	data.Wrong = append(data.Wrong, f.left()...)
	page.Data = data
	c.Page(w, r, page)
}

// welcome uses a link.
func (c *Console) welcome(w http.ResponseWriter, r *http.Request) error {
	d := c.deps.Doors
	if err := d.Door.MaySignIn(r); err != nil {
		return err
	}
	if _, err := formOf(r); err != nil {
		return err
	}
	typed := people.Acceptance{Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Password: r.PostFormValue("password")}
	entry, pending, err := d.Accounts.Accept(r.Context(), r.PathValue("secret"), typed, d.Door.Caller(r))
	switch {
	case err != nil && !answerable(err):
		return c.deadLink(w, r, err)
	case err != nil:
		welcome, werr := d.Accounts.Welcome(r.Context(), r.PathValue("secret"), d.Door.Caller(r))
		if werr != nil {
			return c.deadLink(w, r, werr)
		}
		c.greet(w, r, welcome, typed, err)
		return nil
	case pending != "":
		d.Door.SetStep(w, r, pending)
		http.Redirect(w, r, codePath, http.StatusSeeOther)
		return nil
	}
	return c.comeIn(w, r, entry, door.Start)
}

// deadLink says that a link is not good; other errors pass.
func (c *Console) deadLink(w http.ResponseWriter, r *http.Request, err error) error {
	if problem.KindOf(err) != problem.KindNotFound {
		return err
	}
	p := c.deps.Problem(err)
	c.Page(w, r, Page{Title: "This link is not good", Template: "deadlink", Data: p.Detail, Code: p.Status, Bare: true})
	return nil
}

// hubAddress is how this hub is called from outside, for addresses that are
// shown to be copied.
func (c *Console) hubAddress(r *http.Request) string {
	if c.deps.Doors.PageURL != nil {
		if u := c.deps.Doors.PageURL(); u != "" {
			return u
		}
	}
	return c.deps.Doors.Door.Address(r)
}
