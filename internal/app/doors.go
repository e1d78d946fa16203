package app

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/web/door"
)

// doors is everything about who may come in.
type doors struct {
	box      *secret.Box
	refused  *people.Refusals
	accounts *people.Accounts
	tokens   *people.Tokens
	hooks    *people.Hooks
	verifier *journal.Verifier
	door     *door.Door
}

// openBox opens the keys that seal secrets: the file that is named, or the one
// in the data folder, which is made when there is none.
func openBox(file config.File) (*secret.Box, error) {
	if file.KeyFile != "" {
		return secret.Read(file.KeyFile)
	}
	return secret.Open(filepath.Join(file.Data, secret.FileName))
}

// openDoors makes them, with the keys that the house has opened. Errors: Invalid, Unavailable.
func (a *App) openDoors(ctx context.Context, h *house, file config.File) (err error) {
	d := &h.doors
	log := a.log.With("component", "people")
	deps := people.Deps{Work: h.store, Store: h.store, Sealer: d.box, Log: log, Now: time.Now, Demo: a.o.Simulated,
		Beat: func(every time.Duration) { a.health.Beat("accounts", every) },
	}
	d.refused = people.NewRefusals(h.store, log, time.Now)
	d.refused.Beat = func(every time.Duration) { a.health.Beat("refusals", every) }
	d.accounts, d.tokens, d.hooks = people.NewAccounts(deps, d.refused), people.NewTokens(deps, d.refused), people.NewHooks(deps, d.refused)
	d.verifier = journal.NewVerifier(h.store, time.Now)
	proxies, err := door.ParseProxies(file.Proxies)
	if err != nil {
		return err
	}
	deps2 := door.Deps{
		Accounts: d.accounts, Tokens: d.tokens, Refused: d.refused, Sealer: d.box, Proxies: proxies, Log: log, Now: time.Now, Fail: a.web.Fail,
	}
	if a.o.DemoMark != "" {
		deps2.Demo = door.LocalDemo(a.o.DemoMark, func(r *http.Request) ([]people.Person, error) {
			return d.accounts.List(r.Context(), access.Host)
		})
	}
	d.door = door.New(deps2)
	if err := a.configureDoors(h, file); err != nil {
		return err
	}
	switch err := d.accounts.SameKey(ctx); problem.KindOf(err) {
	case "":
		a.health.Note("key file", true, "")
	case problem.KindConflict: // nobody with a second factor can come in, and everything else goes on
		a.health.Note("key file", false, problem.Public(err))
		a.log.Error("the key file is another one than what was sealed with", "err", err)
	default:
		return err
	}
	a.inner.background("refusals", a.failed, d.refused.Run)
	a.inner.background("accounts", a.failed, d.accounts.Run)
	a.inner.background("journal verifier", a.failed, d.verifier.Run)
	return nil
}

// configureDoors makes true what a configuration says about coming in.
func (a *App) configureDoors(h *house, file config.File) error {
	roles := map[string][]access.Role{}
	for value, names := range file.SignIn.OIDC.Roles {
		for _, n := range names {
			roles[value] = append(roles[value], access.Role(n))
		}
	}
	h.doors.accounts.Configure(people.Settings{
		Issuer: file.Page.Name, Session: file.SignIn.Session.D(), Idle: file.SignIn.Idle.D(), Roles: roles,
	})
	s := door.Settings{PageURL: file.Page.URL, PlainHTTP: file.SignIn.PlainHTTP}
	if o := file.SignIn.OIDC; o.Issuer != "" {
		clientSecret, err := a.env.Secret("sign_in.oidc.client_secret", o.ClientSecret)
		if err != nil {
			return err
		}
		s.OIDC = &door.OIDC{
			Label: o.Name, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: clientSecret, Scopes: o.Scopes, RolesClaim: o.RolesClaim,
		}
	}
	h.doors.door.Configure(s)
	return nil
}

// clerk does errands of the command line while the record is there.
func (a *App) clerk() (people.Clerk, bool) {
	h := a.house.Load()
	if h == nil {
		return people.Clerk{}, false
	}
	return people.Clerk{Accounts: h.doors.accounts, Tokens: h.doors.tokens, Hooks: h.doors.hooks, Base: a.base()}, true
}

// FirstLink gives the address at which the first admin chooses a password;
// "" when there is an admin already. It works once, for a day.
// Errors: Unavailable.
func (a *App) FirstLink(ctx context.Context) (string, error) {
	h := a.house.Load()
	if h == nil {
		return "", nil
	}
	path, needed, err := h.doors.accounts.FirstLink(ctx)
	if err != nil || !needed {
		return "", err
	}
	return a.base() + path, nil
}

// base is the address at which browsers reach this hub.
func (a *App) base() string {
	address := a.config.Load().Page.URL
	if address == "" || a.o.Simulated {
		address = "http://" + a.Addr()
	}
	return address
}

// demoRoles are the people of the demo: one of each role.
func (a *App) castDemo(ctx context.Context, h *house) error {
	there, err := h.doors.accounts.List(ctx, access.Host)
	if err != nil || len(there) > 0 {
		return err
	}
	for _, r := range access.People() {
		name := strings.ReplaceAll(string(r), "_", " ")
		d := people.Draft{
			Name: strings.ToUpper(name[:1]) + name[1:], Email: strings.ReplaceAll(string(r), "_", "-") + "@example.org", Grants: []access.Grant{{Role: r}},
		}
		if r == access.RoleSRE {
			d.Name = "SRE on call"
		}
		if r == access.RoleQA {
			d.Name = "QA"
		}
		if _, err := h.doors.accounts.Add(ctx, access.Host, d); err != nil {
			return fmt.Errorf("add %s: %w", r, err)
		}
	}
	return nil
}
