package config

import (
	"net/url"
	"strings"
	"time"
)

// SignIn is how people come into the console. Accounts, their roles and second
// factors are made in the console, or with evenkeel admin person.
type SignIn struct {
	Session   Duration `yaml:"session"`    // a session ends after it, however busy; default 14d
	Idle      Duration `yaml:"idle"`       // a session ends when it was not used for so long; default 3d
	PlainHTTP bool     `yaml:"plain_http"` // passwords may travel without TLS from other machines: only where the network itself is safe; default false
	OIDC      OIDC     `yaml:"oidc"`       // sign-in with a provider, beside passwords
}

// OIDC is an OpenID Connect provider. It sends people back to
// /console/sign-in/callback, which must be registered there.
type OIDC struct {
	Issuer       string              `yaml:"issuer"`        // e.g. https://id.example.org; empty = off
	Name         string              `yaml:"name"`          // on the button; default the issuer's host
	ClientID     string              `yaml:"client_id"`     // required with an issuer
	ClientSecret Secret              `yaml:"client_secret"` // left out for a public client; PKCE is always used
	Scopes       []string            `yaml:"scopes"`        // beside openid, email and profile
	RolesClaim   string              `yaml:"roles_claim"`   // claim that holds roles or groups; dots lead inwards, e.g. realm_access.roles; default groups
	Roles        map[string][]string `yaml:"roles"`         // value of that claim → roles here, e.g. operations: [operator]. With it, people get an account by themselves and roles follow the provider; without, an admin adds people first
}

// The bounds of sessions.
const (
	DefaultSession    = Duration(14 * 24 * time.Hour)
	DefaultIdle       = Duration(3 * 24 * time.Hour)
	MaxSession        = Duration(90 * 24 * time.Hour)
	DefaultRolesClaim = "groups"
	maxRoles          = 200
)

// fill replaces what the file leaves out.
func (s *SignIn) fill() {
	if s.Session == 0 {
		s.Session = DefaultSession
	}
	if s.Idle == 0 {
		s.Idle = min(DefaultIdle, s.Session)
	}
	if s.OIDC.Issuer == "" {
		return
	}
	if s.OIDC.RolesClaim == "" {
		s.OIDC.RolesClaim = DefaultRolesClaim
	}
	if s.OIDC.Name == "" {
		s.OIDC.Name = s.OIDC.Issuer
		if u, err := url.Parse(s.OIDC.Issuer); err == nil && u.Host != "" {
			s.OIDC.Name = u.Hostname()
		}
	}
}

// signIn checks how people come in.
func (c *checker) signIn() {
	in, s := c.f.SignIn, c.at("sign_in")
	s.atMost(".session", in.Session, MaxSession)
	if in.Session < Duration(time.Minute) {
		s.add(".session", "at least 1m", "%s is too short to work in", in.Session)
	}
	if in.Idle > in.Session {
		s.add(".idle", "make it shorter", "is longer than a session of %s", in.Session)
	}
	o, s := in.OIDC, c.at("sign_in.oidc")
	if o.Issuer == "" {
		if o.ClientID != "" || o.ClientSecret.Given() || len(o.Roles) > 0 {
			s.add(".issuer", "e.g. https://id.example.org", "which provider is it?")
		}
		return
	}
	s.issuer(o.Issuer)
	if o.ClientID == "" {
		s.add(".client_id", "what the provider calls this hub", "a provider needs a client id")
	}
	if o.ClientSecret.Given() {
		s.secret(".client_secret", o.ClientSecret)
	}
	s.oneLine(".name", o.Name, MaxName)
	for i, scope := range o.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\n") {
			s.in(".scopes", i).add("", "one scope an entry", "%q is no scope", clip(scope))
		}
	}
	if len(o.Roles) > maxRoles {
		s.add(".roles", "", "%d values are more than the %d that are allowed", len(o.Roles), maxRoles)
		return
	}
	for _, claim := range sortedKeys(o.Roles) {
		for i, role := range o.Roles[claim] {
			if c.o.Roles != nil {
				s.in(".roles."+claim, i).oneOf("", role, c.o.Roles...)
			}
		}
	}
}

// issuer checks the address of a provider: what it says of itself must not be
// forged on the way.
func (s spot) issuer(raw string) {
	u, err := url.Parse(raw)
	loopback := err == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127."))
	switch {
	case len(raw) > MaxURL || err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		s.add(".issuer", "as the provider's discovery document has it, e.g. https://id.example.org", "expected an https address")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback):
		s.add(".issuer", "http is for a provider on this machine", "expected an https address")
	}
}
