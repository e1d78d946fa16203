package people

import (
	"context"
	"time"

	"evenkeel/internal/journal"
)

// Store keeps people, sessions, links, tokens, hooks and throttles. Writes take
// the unit of work they belong to; reads without one see what is committed.
// Lookups give NotFound for what is not there. Errors besides: Unavailable.
type Store interface {
	// Person gives one account by id, erased ones included.
	Person(ctx context.Context, id string) (Person, error)
	// PersonByEmail gives the account with the address, which must be in lower case.
	PersonByEmail(ctx context.Context, email string) (Person, error)
	// PersonBySubject gives the account with the OIDC subject.
	PersonBySubject(ctx context.Context, subject string) (Person, error)
	// People gives every account but erased ones, by name and id.
	People(ctx context.Context) ([]Person, error)
	// PutPerson inserts (Version 0) or updates an account, SeenAt excepted.
	// Errors: Conflict when the version is old, or the address or subject taken.
	PutPerson(ctx context.Context, tx journal.Tx, p Person) error

	// Session gives the session with that hash.
	Session(ctx context.Context, hash []byte) (Session, error)
	// Sessions gives the sessions of a person, or of everybody when it is "", newest first.
	Sessions(ctx context.Context, person string) ([]Session, error)
	AddSession(ctx context.Context, tx journal.Tx, s Session) error
	// SwapSession gives a session another secret and moment of strength. Errors:
	// Conflict when it is gone or has another secret already.
	SwapSession(ctx context.Context, tx journal.Tx, id string, old, hash []byte, strong time.Time) error
	// EndSession deletes one session. Errors: NotFound.
	EndSession(ctx context.Context, tx journal.Tx, id string) error
	// EndSessions deletes the sessions of a person but the one to keep ("" keeps
	// none), and gives the ids of those it deleted.
	EndSessions(ctx context.Context, tx journal.Tx, person, keep string) ([]string, error)
	// SeeSession notes when a session and its person were last seen.
	SeeSession(ctx context.Context, tx journal.Tx, id, person string, at time.Time) error

	// Link gives the link with that hash, used ones included.
	Link(ctx context.Context, hash []byte) (Link, error)
	AddLink(ctx context.Context, tx journal.Tx, l Link) error
	// UseLink marks a link as used. Errors: Conflict when it was used before.
	UseLink(ctx context.Context, tx journal.Tx, id string, at time.Time) error
	// DropLinks deletes the unused links of a person.
	DropLinks(ctx context.Context, tx journal.Tx, person string) error

	// TokenByHash gives the token with that hash, revoked ones included.
	TokenByHash(ctx context.Context, hash []byte) (Token, error)
	// Tokens gives every token, newest first, revoked ones included.
	Tokens(ctx context.Context) ([]Token, error)
	AddToken(ctx context.Context, tx journal.Tx, t Token) error
	// RevokeToken ends a token. Errors: Conflict when it is gone or revoked already.
	RevokeToken(ctx context.Context, tx journal.Tx, id string, at time.Time) error
	// SeeToken notes when a token was last seen.
	SeeToken(ctx context.Context, tx journal.Tx, id string, at time.Time) error

	// HookByHash gives the hook with that hash, revoked ones included.
	HookByHash(ctx context.Context, hash []byte) (Hook, error)
	// Hooks gives every hook, newest first, revoked ones included.
	Hooks(ctx context.Context) ([]Hook, error)
	AddHook(ctx context.Context, tx journal.Tx, h Hook) error
	// RevokeHook ends a hook. Errors: Conflict when it is gone or revoked already.
	RevokeHook(ctx context.Context, tx journal.Tx, id string, at time.Time) error
	// SeeHook notes when a hook was last seen.
	SeeHook(ctx context.Context, tx journal.Tx, id string, at time.Time) error

	// Throttle reads a throttle inside the unit of work that will change it; the
	// zero Throttle when there is none.
	Throttle(ctx context.Context, tx journal.Tx, key string) (Throttle, error)
	// PutThrottle replaces a throttle; one with no fails is deleted.
	PutThrottle(ctx context.Context, tx journal.Tx, t Throttle) error

	// SealKeys gives the names of the keys that sealed anything here, the last used first.
	SealKeys(ctx context.Context) ([]string, error)
	// UseSealKey notes that a key seals from now on.
	UseSealKey(ctx context.Context, tx journal.Tx, id string, at time.Time) error

	// PruneDoors deletes at most limit rows each of sessions that expired, and
	// links and throttles that ended, before the moment. It tells how many in all.
	PruneDoors(ctx context.Context, tx journal.Tx, before time.Time, limit int) (int, error)
}

// Sealer encrypts secrets at rest and signs what travels through browsers; a
// purpose names what a value is and whose. *secret.Box is one.
type Sealer interface {
	// ID names the key that seals now; Knows reports whether one opens.
	ID() string
	Knows(id string) bool
	Seal(purpose string, plain []byte) ([]byte, error)
	// Unseal opens what was sealed for the same purpose. Errors: Invalid, Conflict.
	Unseal(purpose string, sealed []byte) ([]byte, error)
	// Stale reports whether a newer key is there to seal with.
	Stale(sealed []byte) bool
	Sign(purpose string, message []byte) string
	Verify(purpose string, message []byte, code string) bool
}
