package monitors

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
)

// authKeys are the options of kinds that speak HTTP.
var authKeys = []string{"auth"}

// tokenMargin is how long before it expires a token is no longer used.
const tokenMargin = 10 * time.Second

// Auth is who a probe says it is: nobody, a name and password, a bearer token,
// or a token fetched by the OAuth2 client-credentials grant and kept until it
// expires. Safe for concurrent use.
type Auth struct {
	fixed string // the Authorization header when it never changes

	grant *clientcredentials.Config // nil when there is no token to fetch
	http  *http.Client
	mu    sync.Mutex
	token *oauth2.Token
}

// Auth compiles the block auth: at most one way. Errors: Invalid.
func (e *Env) Auth(spec config.Monitor) (*Auth, error) {
	var found problem.Errors
	var ways int
	a := &Auth{}
	if spec.Auth.Username != "" || spec.Auth.Password != (config.Secret{}) {
		ways++
		password, err := e.Secret("auth.password", spec.Auth.Password)
		found = collect(found, err)
		a.fixed = "Basic " + base64.StdEncoding.EncodeToString([]byte(spec.Auth.Username+":"+password))
		e.hide(a.fixed[len("Basic "):])
	}
	if spec.Auth.Bearer != (config.Secret{}) {
		ways++
		bearer, err := e.Secret("auth.bearer", spec.Auth.Bearer)
		found = collect(found, err)
		a.fixed = "Bearer " + bearer
	}
	if o := spec.Auth.OAuth2; o.TokenURL != "" || o.ClientID != "" {
		ways++
		secret, err := e.Secret("auth.oauth2.client_secret", o.ClientSecret)
		found = collect(found, err)
		if u, err := url.Parse(o.TokenURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			found = append(found, problem.Invalid("auth.oauth2.token_url", "is not an http or https URL"))
		}
		if o.ClientID == "" {
			found = append(found, problem.Invalid("auth.oauth2.client_id", "is needed"))
		}
		conf, err := e.TLS(spec)
		if err == nil { // the kind reports problems of the block tls itself
			conf.ServerName = "" // that one is the target's
			a.http = &http.Client{Transport: &http.Transport{
				DialContext: (&net.Dialer{ControlContext: e.Guard.ControlContext}).DialContext, TLSClientConfig: conf,
				DisableKeepAlives: true, MaxResponseHeaderBytes: maxProxyAnswer,
			}}
		}
		a.grant = &clientcredentials.Config{ClientID: o.ClientID, ClientSecret: secret, TokenURL: o.TokenURL, Scopes: o.Scopes}
	}
	if ways == 0 {
		return e.shared.nobody, nil
	}
	if ways > 1 {
		found = append(found, problem.Invalid("auth", "name one way only: a username, bearer or oauth2"))
	}
	return a, found.Err()
}

// Fetches reports whether Header may have to ask a token endpoint.
func (a *Auth) Fetches() bool { return a.grant != nil }

// Header gives the value of the Authorization header, "" for none. A token is
// fetched when there is none or it is about to expire; that time belongs to no
// phase. Errors are for Run.FailErr.
func (a *Auth) Header(ctx context.Context, run *Run) (string, error) {
	if a.grant == nil {
		return a.fixed, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == nil || (!a.token.Expiry.IsZero() && time.Until(a.token.Expiry) < tokenMargin) {
		token, err := a.grant.Token(context.WithValue(ctx, oauth2.HTTPClient, a.http))
		if err != nil {
			if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
				return "", fmt.Errorf("the token endpoint answers with status %d %s", refused.Response.StatusCode, refused.ErrorCode)
			}
			return "", fmt.Errorf("fetching a token: %w", err)
		}
		a.token = token
		run.Log("fetched a token, valid until %s", token.Expiry.UTC().Format(time.RFC3339))
	}
	run.hide(a.token.AccessToken)
	run.Skip()
	return a.token.Type() + " " + a.token.AccessToken, nil
}

// Reject forgets a token that the target did not accept, so that the next run
// fetches another.
func (a *Auth) Reject() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token = nil
}

// useBasic signs in with a name and password that stand in the URL.
func (a *Auth) useBasic(env *Env, username, password string) error {
	if strings.ContainsRune(username, ':') {
		return problem.Invalid("url", "a username cannot contain a colon")
	}
	env.hide(password)
	a.fixed = "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
	env.hide(a.fixed[len("Basic "):])
	return nil
}
