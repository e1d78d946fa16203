package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"evenkeel/internal/inbox"
	"evenkeel/internal/problem"
)

const (
	// tokenWithin bounds one request for a token.
	tokenWithin = 30 * time.Second
	// tokenLife is the part of a token's life after which it is renewed.
	tokenLife = 0.8
)

// Vault keeps what a mailbox's sign-in must remember, sealed.
type Vault interface {
	// Recall gives what was kept. Errors: NotFound, Unavailable.
	Recall(ctx context.Context, mailbox string) ([]byte, error)
	// Keep replaces it; when it gives nil, it is on disk. Errors: Unavailable.
	Keep(ctx context.Context, mailbox string, secret []byte) error
}

// Tokens gives access tokens for one mailbox, and renews them. A provider may
// replace the refresh token with every renewal: the new one is kept before the
// access token is used, so that no crash loses it.
type Tokens struct {
	Mailbox string
	Config  oauth2.Config
	First   string // refresh token of the configuration
	Client  *http.Client
	Vault   Vault
	Now     func() time.Time

	mu     sync.Mutex
	access string
	until  time.Time
}

// keptToken is what the vault holds.
type keptToken struct {
	First   string `json:"first"` // of the configuration when it was kept: another one there means that somebody consented anew
	Refresh string `json:"refresh"`
}

// Access gives a token that is good for a while. Errors: *Failure; with Consent
// when the provider wants a person.
func (t *Tokens) Access(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.access != "" && t.Now().Before(t.until) {
		return t.access, nil
	}
	ctx, cancel := context.WithTimeout(ctx, tokenWithin)
	defer cancel()
	refresh, err := t.refresh(ctx)
	if err != nil {
		return "", err
	}
	begun := t.Now()
	token, err := t.Config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, t.Client), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return "", tokenFailure(err)
	}
	if token.RefreshToken != "" && token.RefreshToken != refresh {
		secret, err := json.Marshal(keptToken{First: t.First, Refresh: token.RefreshToken})
		if err == nil {
			err = t.Vault.Keep(ctx, t.Mailbox, secret)
		}
		if err != nil {
			return "", failureOf("Keeping the new refresh token", err)
		}
	}
	t.access, t.until = token.AccessToken, begun.Add(time.Duration(float64(token.Expiry.Sub(begun))*tokenLife))
	if token.Expiry.IsZero() {
		t.until = begun.Add(tokenWithin)
	}
	return t.access, nil
}

// Renew gives the moment from which a connection should be opened with a new
// token; zero when none was had yet.
func (t *Tokens) Renew() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.until
}

// Forget lets the next Access ask for a new token.
func (t *Tokens) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.access = ""
}

// refresh gives the newest refresh token: the one that was kept, unless the
// configuration has another than it had then.
func (t *Tokens) refresh(ctx context.Context) (string, error) {
	secret, err := t.Vault.Recall(ctx, t.Mailbox)
	switch problem.KindOf(err) {
	case "":
	case problem.KindNotFound:
		return t.First, nil
	default:
		return "", failureOf("Recalling the refresh token", err)
	}
	var kept keptToken
	if err := json.Unmarshal(secret, &kept); err != nil || kept.First != t.First {
		return t.First, nil
	}
	return kept.Refresh, nil
}

// tokenFailure puts an answer of the provider into words (RFC 6749, section 5.2).
func tokenFailure(err error) *Failure {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return failureOf("Asking for a token", err)
	}
	switch answer.ErrorCode {
	case "invalid_grant":
		return &Failure{Trouble: inbox.Refused, Consent: true, Words: "The provider does not take the refresh token any more: consent anew and put the new one into the configuration"}
	case "invalid_client", "unauthorized_client":
		return &Failure{Trouble: inbox.Refused, Consent: true, Words: "The provider does not take client_id and client_secret any more: the secret may have expired"}
	}
	f := &Failure{Trouble: inbox.Unreachable, Words: "The provider gave no token: " + words(answer.ErrorCode+" "+answer.ErrorDescription), Err: err}
	if answer.Response != nil && answer.Response.StatusCode < http.StatusInternalServerError {
		f.Trouble = inbox.Refused
	}
	return f
}
