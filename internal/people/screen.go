package people

import (
	"context"
	"time"

	"evenkeel/internal/access"
)

// ScreenPath begins the addresses that let a screen in; the rest is its secret.
const ScreenPath = "/console/screen/"

// MakeScreen makes a link that lets a screen see the wall and nothing else, and
// gives its path, this one time. It is listed and revoked as a token. ttl 0 is
// for ever. Errors: Forbidden, Invalid, TooMany, Unavailable.
func (t *Tokens) MakeScreen(ctx context.Context, by access.Actor, name string, ttl time.Duration) (path string, token Token, err error) {
	d := TokenDraft{Name: name, Role: access.RoleScreen, Scopes: []string{string(access.WallRead)}, TTL: ttl}
	secret, token, err := t.make(ctx, by, d, []access.Role{access.RoleScreen})
	return ScreenPath + secret, token, err
}

// Screen gives the screen behind the secret of a link, and when its link ends
// (zero = never). Errors: Unauthenticated, Unavailable.
func (t *Tokens) Screen(ctx context.Context, secret string) (access.Actor, time.Time, error) {
	k, err := t.good(ctx, secret)
	switch {
	case err != nil:
		return access.Actor{}, time.Time{}, err
	case k.actor.Role != access.RoleScreen: // the key of a machine opens no page
		t.refused.Note(access.Actor{ID: k.actor.ID, Role: k.actor.Role}, "", ReasonToken, "")
		return access.Actor{}, time.Time{}, noToken()
	}
	return k.actor, k.token.ExpiresAt, nil
}
