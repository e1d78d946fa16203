package people

import (
	"context"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Errand is what whoever holds the machine asks for on its command line. It
// travels as JSON when a hub is running and has the database to itself.
type Errand struct {
	Do      string            `json:"do"`               // one of the words below
	Person  string            `json:"person,omitempty"` // id or address
	Name    string            `json:"name,omitempty"`   // of a person, token or hook
	Email   string            `json:"email,omitempty"`
	Zone    string            `json:"zone,omitempty"`
	Roles   []string          `json:"roles,omitempty"` // role, or role:kind:key
	Scopes  []string          `json:"scopes,omitempty"`
	TTL     time.Duration     `json:"ttl,omitempty"`    // 0 = for ever
	Source  string            `json:"source,omitempty"` // of a hook
	Mapping map[string]string `json:"mapping,omitempty"`
}

// The errands.
const (
	DoPersonAdd     = "person add"
	DoPersonList    = "person list"
	DoPersonLink    = "person link"
	DoPersonDisable = "person disable"
	DoPersonEnable  = "person enable"
	DoTokenCreate   = "token create"
	DoHookCreate    = "hook create"
	DoFirstLink     = "first link"
)

// Done is what came of an errand: what of it applies.
type Done struct {
	People []Card    `json:"people,omitempty"`
	ID     string    `json:"id,omitempty"`     // of the token or hook
	Path   string    `json:"path,omitempty"`   // of a link or hook, below the address of the hub
	Secret string    `json:"secret,omitempty"` // of a token
	Ends   time.Time `json:"ends,omitzero"`    // when the link or token does
	Base   string    `json:"base,omitempty"`   // address of the running hub, for Path; "" when none did the errand
}

// Card is a person as a command line shows one.
type Card struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Email        string    `json:"email"`
	Roles        []string  `json:"roles"`
	State        string    `json:"state"` // active, invited, disabled
	SecondFactor bool      `json:"second_factor"`
	SeenAt       time.Time `json:"seen_at,omitzero"`
}

// Clerk does errands as the host.
type Clerk struct {
	Accounts *Accounts
	Tokens   *Tokens
	Hooks    *Hooks
	Base     string // address at which browsers reach the hub that runs; "" = none runs
}

// Do does one errand. Errors: Invalid for one it does not know, and those of
// the services.
func (c Clerk) Do(ctx context.Context, e Errand) (Done, error) {
	done, err := c.do(ctx, e)
	done.Base = c.Base
	return done, err
}

func (c Clerk) do(ctx context.Context, e Errand) (Done, error) {
	switch e.Do {
	case DoPersonAdd:
		return c.addPerson(ctx, e)
	case DoPersonList:
		all, err := c.Accounts.List(ctx, access.Host)
		done := Done{People: make([]Card, len(all))}
		for i, p := range all {
			done.People[i] = cardOf(p)
		}
		return done, err
	case DoPersonLink:
		return c.link(ctx, e)
	case DoPersonDisable:
		return c.person(ctx, e, c.Accounts.Disable)
	case DoPersonEnable:
		return c.person(ctx, e, c.Accounts.Enable)
	case DoTokenCreate:
		secret, t, err := c.Tokens.Make(ctx, access.Host, TokenDraft{Name: e.Name, Role: access.Role(strings.Join(e.Roles, ",")), Scopes: e.Scopes, TTL: e.TTL})
		return Done{ID: t.ID, Secret: secret, Ends: t.ExpiresAt}, err
	case DoHookCreate:
		path, h, err := c.Hooks.Make(ctx, access.Host, HookDraft{Source: e.Source, Name: e.Name, Mapping: e.Mapping})
		return Done{ID: h.ID, Path: path}, err
	case DoFirstLink:
		path, needed, err := c.Accounts.FirstLink(ctx)
		if err == nil && !needed {
			err = problem.Conflict("There is an admin already; make a link for a person instead.")
		}
		return Done{Path: path, Ends: c.Accounts.now().Add(FirstLinkFor)}, err
	}
	return Done{}, problem.Invalid("do", "There is no errand %q.", clip(e.Do))
}

// cardOf shows a person.
func cardOf(p Person) Card {
	card := Card{ID: p.ID, Name: p.Name, Email: p.Email, Roles: []string{}, State: "active", SecondFactor: p.TOTP != nil, SeenAt: p.SeenAt}
	for _, g := range p.Grants {
		card.Roles = append(card.Roles, rolesOf([]access.Grant{g}))
	}
	switch {
	case !p.Active():
		card.State = "disabled"
	case p.PasswordHash == "" && p.Subject == "":
		card.State = "invited"
	}
	return card
}

// addPerson adds a person and makes the link that lets them in.
func (c Clerk) addPerson(ctx context.Context, e Errand) (Done, error) {
	d := Draft{Name: e.Name, Email: e.Email, Zone: e.Zone}
	for _, word := range e.Roles {
		d.Grants = append(d.Grants, grantOf(word))
	}
	p, err := c.Accounts.Add(ctx, access.Host, d)
	if err != nil {
		return Done{}, err
	}
	return c.link(ctx, Errand{Person: p.ID})
}

// grantOf reads role, or role:kind:key.
func grantOf(word string) access.Grant {
	role, scope, _ := strings.Cut(strings.TrimSpace(word), ":")
	kind, key, _ := strings.Cut(scope, ":")
	return access.Grant{Role: access.Role(role), Scope: access.Scope{Kind: kind, ID: key}}
}

// find gives the person that an errand names, by id or address.
func (c Clerk) find(ctx context.Context, e Errand) (Person, error) {
	p, err := c.Accounts.ByEmail(ctx, e.Person)
	if problem.KindOf(err) == problem.KindNotFound {
		p, err = c.Accounts.Person(ctx, e.Person)
	}
	if problem.KindOf(err) == problem.KindNotFound || err == nil && !p.ErasedAt.IsZero() {
		err = problem.NotFound("There is no person %q; evenkeel admin person list shows them.", clip(e.Person))
	}
	return p, err
}

// link makes a link for a person.
func (c Clerk) link(ctx context.Context, e Errand) (Done, error) {
	p, err := c.find(ctx, e)
	if err != nil {
		return Done{}, err
	}
	path, err := c.Accounts.Link(ctx, access.Host, p.ID)
	lasts := InviteLinkFor
	if p.PasswordHash != "" {
		lasts = ResetLinkFor
	}
	return Done{People: []Card{cardOf(p)}, Path: path, Ends: c.Accounts.now().Add(lasts)}, err
}

// person does something to the person that an errand names.
func (c Clerk) person(ctx context.Context, e Errand, do func(context.Context, access.Actor, string) (Person, error)) (Done, error) {
	p, err := c.find(ctx, e)
	if err == nil {
		p, err = do(ctx, access.Host, p.ID)
	}
	if err != nil {
		return Done{}, err
	}
	return Done{People: []Card{cardOf(p)}}, nil
}
