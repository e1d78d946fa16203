package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/web/door"
)

const tokensPath = settingsPath + "/tokens"

// tokenRoutes are the keys of machines.
func (c *Console) tokenRoutes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: tokensPath, Action: access.TokenEdit, Handler: c.handle(c.tokens)},
		{Method: http.MethodPost, Path: tokensPath, Action: access.TokenEdit, Handler: c.sure(tokensPath, c.makeToken)},
		{Method: http.MethodPost, Path: tokensPath + "/{id}/revoke", Action: access.TokenEdit, Handler: c.sure(tokensPath, c.revokeToken)},
	}
}

// tokensPage is the data of tokens.html.
type tokensPage struct {
	Rows                    []tokenRow
	Over                    []tokenRow
	Name, Role, Scopes, TTL Field
	Known                   []string // scopes to choose from
	Wrong                   []string
	Unsure                  string
}

// tokenRow is one token.
type tokenRow struct {
	ID, Name, Role, Scopes string
	MadeBy                 string
	Made, Seen, Ends       Stamp
	Over                   string // revoked or over; "" = in force
}

// lifetimes are how long a token may last.
var lifetimes = []struct {
	value, word string
	lasts       time.Duration
}{
	{"30d", "30 days", 30 * 24 * time.Hour},
	{"90d", "90 days", 90 * 24 * time.Hour},
	{"365d", "a year", 365 * 24 * time.Hour},
	{"1d", "a day", 24 * time.Hour},
	{"never", "until it is revoked", 0},
}

// tokens lists the tokens and asks for the next one.
func (c *Console) tokens(w http.ResponseWriter, r *http.Request) error {
	return c.showTokens(w, r, people.TokenDraft{Role: access.RoleMachine, Scopes: []string{people.ScopeRead}}, "", nil)
}

func (c *Console) showTokens(w http.ResponseWriter, r *http.Request, d people.TokenDraft, ttl string, wrong error) error {
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
	page := Page{Title: "API tokens", Section: "settings", Template: "tokens", Crumbs: settingsCrumbs("API tokens"), Live: "token"}
	if wrong != nil {
		page.Code = c.deps.Problem(wrong).Status
	}
	data := tokensPage{Unsure: c.unsure(r), Known: people.Scopes()}
	data.Name = Field{Name: "name", Label: "Name", Value: d.Name, Required: true, Error: f.of("name"), Hint: "After what will use it, such as build server."}
	data.Role = Field{Kind: "select", Name: "role", Label: "Role", Error: f.of("role"), Hint: "The most it may do. Machine is for jobs and bots."}
	for _, role := range slices.Backward(people.TokenRoles()) {
		data.Role.Options = append(data.Role.Options, Option{Value: string(role), Word: roleWord(role), On: role == d.Role})
	}
	data.Scopes = Field{
		Name: "scopes", Label: "Scopes", Value: strings.Join(d.Scopes, " "), List: "scopes", Required: true, Error: f.of("scopes"),
		Hint: "What of its role it may use: * for all, read, write, a noun such as incident, or an action such as incident.update.",
	}
	data.TTL = Field{Kind: "select", Name: "ttl", Label: "Ends after", Error: f.of("ttl")}
	for _, l := range lifetimes {
		data.TTL.Options = append(data.TTL.Options, Option{Value: l.value, Word: l.word, On: l.value == ttl})
	}
	data.Wrong = f.left()
	k := c.clock(c.zoneOf(g))
	data.Rows, data.Over = tokenRows(all, names, k, func(t people.Token) bool { return t.Role != access.RoleScreen })
	page.Data = data
	c.Page(w, r, page)
	return nil
}

// tokenRows puts those tokens into words that are wanted: in force, and over.
func tokenRows(all []people.Token, names map[string]string, k Clock, want func(people.Token) bool) (rows, over []tokenRow) {
	for _, t := range all {
		if !want(t) {
			continue
		}
		row := tokenRow{
			ID: t.ID, Name: t.Name, Role: roleWord(t.Role), Scopes: strings.Join(t.Scopes, " "), MadeBy: whoWord(t.CreatedBy, names),
			Made: k.At(t.CreatedAt), Seen: k.At(t.SeenAt), Ends: k.At(t.ExpiresAt),
		}
		switch {
		case !t.RevokedAt.IsZero():
			row.Over = "revoked"
		case !t.Good(k.Now):
			row.Over = "over"
		}
		if row.Over == "" {
			rows = append(rows, row)
		} else if len(over) < maxOver {
			over = append(over, row)
		}
	}
	return rows, over
}

// maxOver bounds how many tokens or hooks that are over are still shown.
const maxOver = 50

// makeToken makes a token and shows its secret, this one time.
func (c *Console) makeToken(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	d := people.TokenDraft{Name: r.PostFormValue("name"), Role: access.Role(r.PostFormValue("role")), Scopes: strings.FieldsFunc(r.PostFormValue("scopes"), isComma)}
	ttl := r.PostFormValue("ttl")
	var secret string
	var err error
	if d.TTL, err = lifetime(ttl); err == nil {
		secret, _, err = c.deps.Doors.Tokens.Make(r.Context(), guestOf(r).Actor, d)
	}
	if err != nil {
		if !answerable(err) {
			return err
		}
		return c.showTokens(w, r, d, ttl, err)
	}
	c.showSecret(w, r, secretPage{
		What: "token", Secret: secret, Back: tokensPath,
		How: "curl -H \"Authorization: Bearer " + secret + "\" " + c.hubAddress(r) + "/api/v1/components",
	}, settingsCrumbs("API tokens", tokensPath, d.Name))
	return nil
}

func isComma(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }

// secretPage is the data of secret.html.
type secretPage struct {
	What, Secret string
	How          string // an example, as one types it
	Then         string // what to do with it, in words
	Back         string
}

// showSecret shows something that is told once.
func (c *Console) showSecret(w http.ResponseWriter, r *http.Request, data secretPage, crumbs []Crumb) {
	c.Page(w, r, Page{Title: "A new " + data.What, Section: "settings", Template: "toldonce", Data: data, Crumbs: crumbs})
}

// revokeToken ends a token.
func (c *Console) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Doors.Tokens.Revoke(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, tokensPath, &Said{Text: "The token is revoked"})
	return nil
}

// whoWord names an actor by id: people by name, everything else by what it is.
func whoWord(actor string, names map[string]string) string {
	kind, id, _ := strings.Cut(actor, "/")
	switch kind {
	case "person":
		if name := names[id]; name != "" {
			return name
		}
		return "somebody erased"
	case "token":
		return "a token"
	case "hook":
		return "a hook"
	case "hub":
		return "the hub"
	case "host":
		return "the host"
	case "visitor":
		return "a visitor"
	}
	return actor
}
