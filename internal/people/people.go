// Package people is the wing of who may come in: accounts, their grants,
// sessions, tokens of machines, and doors for hooks. It knows no HTTP and no
// SQL. Names and addresses live in rows that can be erased; the journal and
// every other wing know a person by id.
package people

import (
	"strings"
	"time"

	"evenkeel/internal/access"
)

// Person is one account.
type Person struct {
	ID           string
	Name         string   // as colleagues call them; "" when erased
	Email        string   // unique, lower case; "" when erased
	PasswordHash string   // argon2id; "" = none: signs in by link or OIDC
	TOTP         []byte   // sealed secret; nil = no second factor
	TOTPUsed     int64    // the last time step that was used: a code works once
	Recovery     []string // SHA-256 of the codes that stand in for a lost device, hex; each works once
	Subject      string   // issuer|subject of OIDC; "" = none
	Grants       []access.Grant
	Zone         string // IANA; "" = the page's
	CreatedAt    time.Time
	DisabledAt   time.Time
	ErasedAt     time.Time
	SeenAt       time.Time // to a few minutes
	Version      int64
}

// Active reports whether the person may sign in.
func (p Person) Active() bool { return p.DisabledAt.IsZero() && p.ErasedAt.IsZero() }

// Holds reports whether the person has the role, everywhere.
func (p Person) Holds(role access.Role) bool {
	for _, g := range p.Grants {
		if g.Role == role && g.Scope == (access.Scope{}) {
			return true
		}
	}
	return false
}

// Actor gives the person as one who acts, with all grants.
func (p Person) Actor() access.Actor {
	a := access.Actor{ID: personPrefix + p.ID, Role: access.RoleAnyone, Grants: &access.Grants{List: p.Grants}}
	if len(p.Grants) > 0 {
		a.Role = p.Grants[0].Role
	}
	return a
}

// Session is one browser that is signed in. Only the hash of its secret is kept.
type Session struct {
	ID        string // names it in lists; not the secret
	Hash      []byte // SHA-256 of the secret in the cookie
	Person    string
	Way       Way    // how the person came in
	Agent     string // shortened User-Agent, for the list of sessions
	Network   string // where it was made: an address, or the /64 of one
	CreatedAt time.Time
	SeenAt    time.Time // to a few minutes
	ExpiresAt time.Time
	Strong    time.Time // when a second factor or password was last given
}

// Way is how somebody came in.
type Way string

// The ways.
const (
	WayPassword Way = "password"
	WayCode     Way = "code"     // password and a code of the second factor
	WayRecovery Way = "recovery" // password and a recovery code
	WayOIDC     Way = "oidc"
	WayLink     Way = "link" // a first, invite or reset link
	WayDemo     Way = "demo"
)

// Token is the key of a machine. Only the hash of its secret is kept.
type Token struct {
	ID        string
	Name      string
	Hash      []byte
	Role      access.Role
	Scopes    []string // actions, nouns, read, write or *
	CreatedBy string   // actor id
	CreatedAt time.Time
	ExpiresAt time.Time // zero = never
	RevokedAt time.Time
	SeenAt    time.Time // to a few minutes
}

// Hook is a door for one foreign system: /hooks/{source}/{token}.
type Hook struct {
	ID        string
	Source    string // alertmanager, slack, …
	Name      string
	Hash      []byte // SHA-256 of the token in the address
	Mapping   map[string]string
	CreatedBy string // actor id
	CreatedAt time.Time
	RevokedAt time.Time
	SeenAt    time.Time // to a few minutes
}

// Actor gives the hook as one who acts: a machine, everywhere.
func (h Hook) Actor() access.Actor {
	return access.Actor{ID: hookPrefix + h.ID, Role: access.RoleMachine}
}

// The kinds of actor ids in the journal, and of subjects there.
const (
	personPrefix = "person/"
	tokenPrefix  = "token/"
	hookPrefix   = "hook/"
)

// PersonOf gives the id of the person who acted; ok is false for machines, the
// hub and the host: a machine is never a person.
func PersonOf(actor access.Actor) (id string, ok bool) {
	return strings.CutPrefix(actor.ID, personPrefix)
}
