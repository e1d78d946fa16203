package people

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// TokenPrefix begins every API token, so that scanners of leaked secrets find it.
const TokenPrefix = "ek_"

// MaxTokens bounds the tokens that are in force.
const MaxTokens = 1000

// TokenDraft is what is said of a token to make.
type TokenDraft struct {
	Name   string
	Role   access.Role // of a person, or machine
	Scopes []string
	TTL    time.Duration // 0 = for ever
}

// Tokens is the service of API tokens: keys of machines, which are never
// people. It is safe for concurrent use.
type Tokens struct {
	Deps
	refused *Refusals
	known   cache[tokenActor]
}

type tokenActor struct {
	token Token
	actor access.Actor
}

// NewTokens makes the service. Refusals are noted in refused.
func NewTokens(d Deps, refused *Refusals) *Tokens { return &Tokens{Deps: d, refused: refused} }

// TokenRoles lists the roles that a token may have.
func TokenRoles() []access.Role { return append(access.People(), access.RoleMachine) }

// Make makes a token and gives its secret, this one time. Errors: Forbidden,
// Invalid, TooMany, Unavailable.
func (t *Tokens) Make(ctx context.Context, by access.Actor, d TokenDraft) (secret string, token Token, err error) {
	return t.make(ctx, by, d, TokenRoles())
}

func (t *Tokens) make(ctx context.Context, by access.Actor, d TokenDraft, roles []access.Role) (secret string, token Token, err error) {
	if err := by.CheckOn(access.TokenEdit); err != nil {
		return "", Token{}, err
	}
	if token, err = t.drafted(d, roles); err != nil {
		return "", Token{}, err
	}
	all, err := t.Store.Tokens(ctx)
	if err != nil {
		return "", Token{}, err
	}
	if n := len(slices.DeleteFunc(all, func(o Token) bool { return !o.Good(t.now()) })); n >= MaxTokens {
		return "", Token{}, problem.TooMany("There are %d tokens already; revoke what is not used.", n)
	}
	secret = freshToken()
	token.Hash, token.CreatedBy = hashOf(secret), by.ID
	err = t.Work.Do(ctx, by.As(access.TokenEdit), func(tx journal.Tx) error {
		if err := t.Store.AddToken(ctx, tx, token); err != nil {
			return err
		}
		return tx.Append(tokenEntry("token.made", token))
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, token, nil
}

// drafted checks what was said of a token. Errors: Invalid.
func (t *Tokens) drafted(d TokenDraft, roles []access.Role) (Token, error) {
	name, bad := checkName(d.Name)
	if bad != nil {
		return Token{}, problem.Invalid("name", "Name the token after what will use it.")
	}
	if !slices.Contains(roles, d.Role) {
		return Token{}, problem.Invalid("role", "%q is no role of a token.", clip(string(d.Role)))
	}
	scopes, err := checkScopes(d.Scopes)
	if err != nil {
		return Token{}, err
	}
	if d.TTL < 0 {
		return Token{}, problem.Invalid("ttl", "A token lasts some time, or for ever.")
	}
	now := t.now()
	token := Token{ID: journal.NewID(), Name: name, Role: d.Role, Scopes: scopes, CreatedAt: now}
	if d.TTL > 0 {
		token.ExpiresAt = now.Add(d.TTL)
	}
	return token, nil
}

func tokenEntry(verb string, t Token) journal.Entry {
	return journal.Entry{
		Verb: verb, Subject: journal.Ref{Kind: "token", ID: t.ID}, Audience: journal.AudienceStaff,
		Payload: map[string]string{"role": string(t.Role)},
	}
}

// Good reports whether a token works at that moment.
func (t Token) Good(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// List gives every token, newest first, with those that are over. Errors:
// Forbidden, Unavailable.
func (t *Tokens) List(ctx context.Context, by access.Actor) ([]Token, error) {
	if err := by.CheckOn(access.TokenEdit); err != nil {
		return nil, err
	}
	return t.Store.Tokens(ctx)
}

// Revoke ends a token, at once in this process and within seconds in others.
// Errors: Forbidden, Conflict when it is over already, Unavailable.
func (t *Tokens) Revoke(ctx context.Context, by access.Actor, id string) error {
	if err := by.CheckOn(access.TokenEdit); err != nil {
		return err
	}
	all, err := t.Store.Tokens(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(o Token) bool { return o.ID == id })
	if i < 0 {
		return problem.NotFound("There is no such token.")
	}
	err = t.Work.Do(ctx, by.As(access.TokenEdit), func(tx journal.Tx) error {
		if err := t.Store.RevokeToken(ctx, tx, id, tx.Now()); err != nil {
			return err
		}
		return tx.Append(tokenEntry("token.revoked", all[i]))
	})
	t.known.clear()
	return err
}

// Actor gives who is behind an API token: a machine with its role, limited to
// its scopes. Errors: Unauthenticated, Unavailable.
func (t *Tokens) Actor(ctx context.Context, bearer string) (access.Actor, error) {
	k, err := t.good(ctx, bearer)
	return k.actor, err
}

// good gives a token that works, and notes that it was used. Errors:
// Unauthenticated, Unavailable.
func (t *Tokens) good(ctx context.Context, bearer string) (tokenActor, error) {
	if !tokenShaped(bearer) { // no question to the database about what cannot be one
		t.refused.Note(access.Visitor, "", ReasonToken, "")
		return tokenActor{}, noToken()
	}
	now, hash := t.now(), hashOf(bearer)
	k, epoch, ok := t.known.find(hash, now)
	if !ok {
		token, err := t.Store.TokenByHash(ctx, hash)
		if problem.KindOf(err) == problem.KindNotFound {
			t.refused.Note(access.Visitor, "", ReasonToken, "")
			return tokenActor{}, noToken()
		}
		if err != nil {
			return tokenActor{}, err
		}
		k = tokenActor{token, token.Actor()}
	}
	if !k.token.Good(now) {
		t.refused.Note(access.Actor{ID: k.actor.ID, Role: k.actor.Role}, "", ReasonToken, "")
		return tokenActor{}, noToken()
	}
	if now.Sub(k.token.SeenAt) >= seenEvery {
		k.token.SeenAt, ok = now, false
		if err := t.Work.Do(ctx, access.Hub, func(tx journal.Tx) error { return t.Store.SeeToken(ctx, tx, k.token.ID, now) }); err != nil && ctx.Err() == nil {
			t.Log.Warn("the use of a token was not noted", "token", k.token.ID, "err", err)
		}
	}
	if !ok {
		t.known.keep(hash, k, epoch, now)
	}
	return k, nil
}

func noToken() error {
	return problem.Unauthenticated("This token is not good: it may be mistyped, over or revoked.")
}

// Actor gives the token as one who acts.
func (t Token) Actor() access.Actor {
	return access.Actor{ID: tokenPrefix + t.ID, Role: t.Role, Grants: &access.Grants{
		List: []access.Grant{{Role: t.Role}}, Limit: limits(t.Scopes),
	}}
}

// checksum makes the last characters of a token, which tell a typing error
// from a token without asking anybody.
func checksum(body string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body)))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum)
}

// freshToken makes the secret of a token: prefix, 130 random bits, checksum.
func freshToken() string {
	body := rand.Text()
	return TokenPrefix + body + checksum(body)
}

// tokenShaped reports whether a string can be a token of ours.
func tokenShaped(s string) bool {
	rest, ok := strings.CutPrefix(s, TokenPrefix)
	return ok && len(rest) > secretLength && rest[secretLength:] == checksum(rest[:secretLength])
}
