package door_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
	"evenkeel/web/door/doortest"
)

// sceneWith gives a scene whose door knows the provider.
func sceneWith(t *testing.T, p *doortest.Provider) *scene {
	t.Helper()
	s := newScene(t)
	s.door.Configure(door.Settings{OIDC: &door.OIDC{Label: "Example", Issuer: p.URL, ClientID: "hub", ClientSecret: doortest.Secret, Scopes: []string{"groups"}, RolesClaim: "groups"}})
	return s
}

// depart begins a journey and gives where the browser goes, and its cookie.
func (s *scene) depart(errand door.Errand, next string) (location, cookie string) {
	s.Helper()
	resp := answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.must(s.door.Depart(w, r, errand, next)) }), ask("GET", "/console/sign-in/provider"))
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
		s.Fatalf("got %d with %v", resp.StatusCode, cookies(resp))
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		s.Errorf("cookie %s", c)
	}
	return resp.Header.Get("Location"), c.Name + "=" + c.Value
}

// comeBack is the browser coming back from the provider.
func (s *scene) comeBack(address, cookie string) (i people.Identity, errand door.Errand, next string, err error) {
	s.Helper()
	u, perr := url.Parse(address)
	s.must(perr)
	answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i, errand, next, err = s.door.Return(w, r) }), ask("GET", u.RequestURI(), "Cookie", cookie))
	return i, errand, next, err
}

func TestProviderVouchesForAPerson(t *testing.T) {
	p := doortest.NewProvider(t)
	s := sceneWith(t, p)
	location, cookie := s.depart(door.ErrandSignIn, "/console/audit?q=1")
	back := p.Agree(location)
	if !strings.HasPrefix(back, "http://localhost:8080/console/sign-in/callback?") {
		t.Errorf("sent back to %s", back)
	}
	i, errand, next, err := s.comeBack(back, cookie)
	s.must(err)
	if i.Issuer != p.URL || i.Subject != "42" || i.Email != "a@example.org" || !i.Verified || i.Name != "A Person" || strings.Join(i.Claims, " ") != "ops staff" ||
		errand != door.ErrandSignIn || next != "/console/audit?q=1" {
		t.Errorf("got %+v for %s to %s", i, errand, next)
	}
	// The same journey is not made twice: the provider takes a code once.
	if _, _, _, err := s.comeBack(back, cookie); problem.KindOf(err) != problem.KindUnauthenticated {
		t.Errorf("a second time: %v", err)
	}
}

func TestProviderThatWantsTheSecretInTheForm(t *testing.T) {
	p := doortest.NewProvider(t)
	p.Post = true
	s := sceneWith(t, p)
	location, cookie := s.depart(door.ErrandSignIn, "")
	_, _, _, err := s.comeBack(p.Agree(location), cookie)
	s.must(err)
	if p.Exchanges != 1 {
		t.Errorf("%d tries with a code that is good for one", p.Exchanges)
	}
}

func TestProviderIsSentBackToThePublicAddress(t *testing.T) {
	p := doortest.NewProvider(t)
	s := newScene(t)
	s.door.Configure(door.Settings{PageURL: "https://status.example.org/page", OIDC: &door.OIDC{Issuer: p.URL, ClientID: "hub"}})
	location, _ := s.depart(door.ErrandConfirm, "https://evil.example.net/")
	u, err := url.Parse(location)
	s.must(err)
	if got := u.Query().Get("redirect_uri"); got != "https://status.example.org/console/sign-in/callback" {
		t.Errorf("sent back to %s", got)
	}
	if u.Query().Get("prompt") != "login" {
		t.Error("confirming does not ask the person again")
	}
}

// What does not hold is refused: state, nonce, signature, issuer, audience, time, code.
func TestAnswerOfProviderThatDoesNotHoldIsRefused(t *testing.T) {
	for name, attack := range map[string]func(p *doortest.Provider, back, cookie *string){
		"another state":   func(_ *doortest.Provider, back, _ *string) { *back = strings.Replace(*back, "state=", "state=X", 1) },
		"no state":        func(_ *doortest.Provider, back, _ *string) { *back = strings.Replace(*back, "state=", "stat=", 1) },
		"no cookie":       func(_ *doortest.Provider, _, cookie *string) { *cookie = "" },
		"a forged cookie": func(_ *doortest.Provider, _, cookie *string) { *cookie = (*cookie)[:len(*cookie)-3] + "AAA" },
		"another code":    func(_ *doortest.Provider, back, _ *string) { *back = strings.Replace(*back, "code=", "code=X", 1) },
		"refused there":   func(_ *doortest.Provider, back, _ *string) { *back += "&error=access_denied" },
		"another issuer":  func(_ *doortest.Provider, back, _ *string) { *back += "&iss=https%3A%2F%2Fevil.example.net" },
		"another nonce":   func(p *doortest.Provider, _, _ *string) { p.Change = func(c map[string]any) { c["nonce"] = "x" } },
		"no nonce":        func(p *doortest.Provider, _, _ *string) { p.Change = func(c map[string]any) { delete(c, "nonce") } },
		"token of another": func(p *doortest.Provider, _, _ *string) {
			p.Change = func(c map[string]any) { c["iss"] = "https://evil.example.net" }
		},
		"token for another": func(p *doortest.Provider, _, _ *string) { p.Change = func(c map[string]any) { c["aud"] = "other" } },
		"token for several": func(p *doortest.Provider, _, _ *string) {
			p.Change = func(c map[string]any) { c["aud"], c["azp"] = []string{"hub", "other"}, "other" }
		},
		"an old token": func(p *doortest.Provider, _, _ *string) {
			p.Change = func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }
		},
		"no signature": func(p *doortest.Provider, _, _ *string) {
			p.Sign = func(c map[string]any) string {
				head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
				body, _ := json.Marshal(c)
				return head + "." + base64.RawURLEncoding.EncodeToString(body) + "."
			}
		},
		"another's signature": func(p *doortest.Provider, _, _ *string) {
			p.Sign = func(c map[string]any) string {
				other, err := rsa.GenerateKey(rand.Reader, 2048)
				if err != nil {
					t.Error(err)
				}
				return p.SignedWith(other, jose.RS256, c)
			}
		},
		"signed with the client's secret": func(p *doortest.Provider, _, _ *string) {
			p.Sign = func(c map[string]any) string {
				return p.SignedWith([]byte(strings.Repeat(doortest.Secret, 2)), jose.HS256, c)
			}
		},
		"no token": func(p *doortest.Provider, _, _ *string) { p.Sign = func(map[string]any) string { return "" } },
	} {
		t.Run(name, func(t *testing.T) {
			p := doortest.NewProvider(t)
			s := sceneWith(t, p)
			location, cookie := s.depart(door.ErrandSignIn, "")
			back := p.Agree(location)
			attack(p, &back, &cookie)
			i, _, _, err := s.comeBack(back, cookie)
			if problem.KindOf(err) != problem.KindUnauthenticated || i.Subject != "" {
				t.Errorf("got %+v, %v", i, err)
			}
		})
	}
}

// A code that was stolen on the way is worth nothing without the browser that began.
func TestStolenCodeIsWorthNothing(t *testing.T) {
	p := doortest.NewProvider(t)
	s := sceneWith(t, p)
	location, _ := s.depart(door.ErrandSignIn, "")
	stolen := p.Agree(location)
	_, thief := s.depart(door.ErrandSignIn, "")
	if _, _, _, err := s.comeBack(stolen, thief); problem.KindOf(err) != problem.KindUnauthenticated {
		t.Errorf("got %v", err)
	}
	s.refusals(people.ReasonIdentity)
}

// Another site cannot send a browser on the way to tie an identity to an account.
func TestErrandOfAnotherSiteIsRefused(t *testing.T) {
	p := doortest.NewProvider(t)
	s := sceneWith(t, p)
	e, other := s.entry("p"), s.entry("other")
	errand := func(address string, e people.Entry) (door.Errand, error) {
		r := ask("GET", address)
		if e.Person.ID != "" {
			r = door.With(r, door.Guest{Actor: e.Person.Actor(), Person: e.Person, Session: e.Session})
		}
		return s.door.ErrandOf(r)
	}
	good := s.door.Way(e.Session, door.ErrandConnect, "/console/account")
	if got, err := errand(good, e); err != nil || got != door.ErrandConnect {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := errand(door.ProviderPath, people.Entry{}); err != nil || got != door.ErrandSignIn {
		t.Errorf("signing in: %s, %v", got, err)
	}
	for name, try := range map[string]struct {
		address string
		as      people.Entry
	}{
		"without a proof":     {door.ProviderPath + "?errand=connect", e},
		"in another session":  {good, other},
		"signed out":          {good, people.Entry{}},
		"for another errand":  {strings.Replace(good, "errand=connect", "errand=confirm", 1), e},
		"for nothing we know": {door.ProviderPath + "?errand=steal&proof=x", e},
	} {
		if got, err := errand(try.address, try.as); problem.KindOf(err) != problem.KindForbidden {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestProviderTellsTheRestApart(t *testing.T) {
	p := doortest.NewProvider(t)
	p.Claims = map[string]any{"sub": "42", "name": "From the token"}
	p.Info = map[string]any{"sub": "42", "email": "late@example.org", "email_verified": "true", "name": "Not this one", "groups": "ops"}
	s := sceneWith(t, p)
	location, cookie := s.depart(door.ErrandSignIn, "")
	i, _, _, err := s.comeBack(p.Agree(location), cookie)
	s.must(err)
	if i.Email != "late@example.org" || !i.Verified || i.Name != "From the token" || len(i.Claims) != 1 || i.Claims[0] != "ops" {
		t.Errorf("got %+v", i)
	}
	// What is told of somebody else is not believed.
	p.Info["sub"] = "43"
	location, cookie = s.depart(door.ErrandSignIn, "")
	if i, _, _, err = s.comeBack(p.Agree(location), cookie); err != nil || i.Email != "" {
		t.Errorf("got %+v, %v", i, err)
	}
}

func TestRolesClaimLeadsInwards(t *testing.T) {
	p := doortest.NewProvider(t)
	p.Claims["realm_access"] = map[string]any{"roles": []any{"ops", 7, "sre"}}
	s := newScene(t)
	s.door.Configure(door.Settings{OIDC: &door.OIDC{Issuer: p.URL, ClientID: "hub", ClientSecret: doortest.Secret, RolesClaim: "realm_access.roles"}})
	location, cookie := s.depart(door.ErrandSignIn, "")
	i, _, _, err := s.comeBack(p.Agree(location), cookie)
	s.must(err)
	if strings.Join(i.Claims, " ") != "ops sre" {
		t.Errorf("got %v", i.Claims)
	}
}

func TestProviderThatIsAwayIsSaid(t *testing.T) {
	p := doortest.NewProvider(t)
	p.Down = true
	s := sceneWith(t, p)
	var err error
	answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = s.door.Depart(w, r, door.ErrandSignIn, "") }), ask("GET", "/"))
	if problem.KindOf(err) != problem.KindUnavailable || strings.Contains(problem.Public(err), p.URL) {
		t.Errorf("got %v", err)
	}
	s.door.Configure(door.Settings{})
	answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = s.door.Depart(w, r, door.ErrandSignIn, "") }), ask("GET", "/"))
	if problem.KindOf(err) != problem.KindNotFound || s.door.Provider() != "" {
		t.Errorf("without a provider: %v", err)
	}
}
