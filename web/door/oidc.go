package door

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// OIDC is a provider that people may sign in with (OpenID Connect Core 1.0,
// authorization code flow with PKCE).
type OIDC struct {
	Label        string // on the button: "Sign in with Label"
	Issuer       string
	ClientID     string
	ClientSecret string
	Scopes       []string // beside openid, email and profile
	RolesClaim   string   // which claim holds roles or groups; dots lead inwards: realm_access.roles
}

// The bounds of talking to a provider.
const (
	oidcWithin  = 10 * time.Second // one request
	oidcMaxBody = 1 << 20          // bytes of one answer
	oidcAgain   = 10 * time.Second // how long a provider that could not be reached is left alone
	maxClaims   = 500              // values of the roles claim that are looked at
)

// Errand is what somebody went to the provider for.
type Errand string

// The errands.
const (
	ErrandSignIn  Errand = "sign_in"
	ErrandConnect Errand = "connect" // tie the identity to the account one is signed in with
	ErrandConfirm Errand = "confirm" // prove that one is still the same person
)

// journey is what the browser carries to the provider and back, sealed.
type journey struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Next     string    `json:"x"`
	Errand   Errand    `json:"e"`
	Issuer   string    `json:"i"`
	Until    time.Time `json:"u"`
}

// provider is what was learnt of the provider, kept until the settings change.
type provider struct {
	mu     sync.Mutex
	issuer string
	found  *oidc.Provider
	err    error
	asked  time.Time
}

// Provider tells the label of the provider; "" when there is none.
func (d *Door) Provider() string {
	if o := d.settings.Load().OIDC; o != nil {
		return o.Label
	}
	return ""
}

// ProviderPath is where a journey to the provider begins.
const ProviderPath = SignInPath + "/provider"

// Way gives the address at which somebody who is signed in begins a journey for
// an errand. It carries a proof that one of our own pages showed it in this
// session: else another site could send a browser on the way and tie an
// identity of its own choice to the account.
func (d *Door) Way(s people.Session, errand Errand, next string) string {
	q := url.Values{"errand": {string(errand)}, "proof": {d.deps.Sealer.Sign("errand", []byte(string(errand)+" "+s.ID))}, "next": {next}}
	return ProviderPath + "?" + q.Encode()
}

// ErrandOf tells what a journey is for. Without an errand it is for signing in.
// Errors: Forbidden when the proof is not there.
func (d *Door) ErrandOf(r *http.Request) (Errand, error) {
	q := r.URL.Query()
	errand := Errand(q.Get("errand"))
	if errand == "" || errand == ErrandSignIn {
		return ErrandSignIn, nil
	}
	g, in := Of(r)
	if !in || !d.deps.Sealer.Verify("errand", []byte(string(errand)+" "+g.Session.ID), q.Get("proof")) {
		return "", problem.Forbidden("Begin at Your account.")
	}
	return errand, nil
}

// Depart sends the browser to the provider. next is where it goes afterwards.
// Errors: NotFound when there is no provider, Unavailable when it cannot be reached.
func (d *Door) Depart(w http.ResponseWriter, r *http.Request, errand Errand, next string) error {
	o, p, err := d.discover(r.Context())
	if err != nil {
		return err
	}
	j := journey{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: LocalPage(next), Errand: errand,
		Issuer: o.Issuer, Until: d.deps.Now().Add(oidcFor),
	}
	body, err := json.Marshal(j)
	if err != nil {
		return problem.Internal(err, "A journey could not be written.")
	}
	sealed, err := d.deps.Sealer.Seal("oidc", body)
	if err != nil {
		return err
	}
	d.set(w, r, cookieOIDC, base64.RawURLEncoding.EncodeToString(sealed), oidcFor)
	w.Header().Set("Cache-Control", "no-store")
	options := []oauth2.AuthCodeOption{oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier)}
	if errand == ErrandConfirm {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login")) // who is remembered there has proved nothing now
	}
	http.Redirect(w, r, d.oauth(r, o, p).AuthCodeURL(j.State, options...), http.StatusSeeOther)
	return nil
}

// Return reads what the provider sent back with the browser, and gives whom it
// vouches for. Errors: Unauthenticated when it does not hold; Unavailable.
func (d *Door) Return(w http.ResponseWriter, r *http.Request) (people.Identity, Errand, string, error) {
	j, err := d.journey(r)
	d.set(w, r, cookieOIDC, "", 0) // each journey is made once
	if err != nil {
		return people.Identity{}, "", "", err
	}
	o, p, err := d.discover(r.Context())
	if err != nil {
		return people.Identity{}, j.Errand, j.Next, err
	}
	i, err := d.identity(r, o, p, j)
	return i, j.Errand, j.Next, err
}

// journey opens the cookie of a journey and compares it with what came back.
func (d *Door) journey(r *http.Request) (j journey, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(d.value(r, cookieOIDC))
	if err == nil {
		var body []byte
		if body, err = d.deps.Sealer.Unseal("oidc", sealed); err == nil {
			err = json.Unmarshal(body, &j)
		}
	}
	q := r.URL.Query()
	switch {
	case err != nil || !d.deps.Now().Before(j.Until):
		return j, problem.Unauthenticated("That took too long, or cookies are off. Sign in again.")
	case subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(j.State)) != 1,
		q.Has("iss") && q.Get("iss") != j.Issuer: // RFC 9207
		return j, d.doubt(errors.New("state or issuer does not match"))
	case q.Get("error") != "":
		return j, problem.Unauthenticated("The provider did not sign you in.")
	}
	return j, nil
}

// doubt journals and tells that an answer of the provider does not hold.
func (d *Door) doubt(err error) error {
	d.deps.Refused.Note(access.Visitor, "", people.ReasonIdentity, "")
	d.deps.Log.Warn("the answer of the sign-in provider does not hold", "err", err)
	return &problem.Error{Kind: problem.KindUnauthenticated, Msg: "The provider's answer does not hold. Sign in again.", Err: err}
}

// identity trades the code for an identity and verifies it (OpenID Connect Core
// section 3.1.3.7).
func (d *Door) identity(r *http.Request, o *OIDC, p *oidc.Provider, j journey) (people.Identity, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(r.Context(), d.client), oidcWithin)
	defer cancel()
	oauth := d.oauth(r, o, p)
	token, err := oauth.Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(j.Verifier))
	if err != nil {
		if _, refused := errors.AsType[*oauth2.RetrieveError](err); refused {
			return people.Identity{}, d.doubt(err)
		}
		return people.Identity{}, problem.Unavailable(err, "The sign-in provider cannot be reached just now.")
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.VerifierContext(ctx, &oidc.Config{ClientID: o.ClientID}).Verify(ctx, raw)
	if err != nil {
		return people.Identity{}, d.doubt(err)
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return people.Identity{}, d.doubt(err)
	}
	if azp, _ := claims["azp"].(string); len(id.Audience) > 1 && azp != o.ClientID {
		return people.Identity{}, d.doubt(errors.New("the token is for somebody else"))
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(j.Nonce)) != 1 {
		return people.Identity{}, d.doubt(errors.New("nonce does not match"))
	}
	d.askMore(ctx, o, p, oauth2.StaticTokenSource(token), id.Subject, claims)
	out := people.Identity{Issuer: id.Issuer, Subject: id.Subject, Claims: rolesIn(claims, o.RolesClaim)}
	out.Email, _ = claims["email"].(string)
	out.Name, _ = claims["name"].(string)
	switch v := claims["email_verified"].(type) {
	case bool:
		out.Verified = v
	case string: // as some providers write it
		out.Verified = v == "true"
	}
	return out, nil
}

// askMore adds what the provider tells apart from the token, where the token
// says too little. What the token says stays.
func (d *Door) askMore(ctx context.Context, o *OIDC, p *oidc.Provider, token oauth2.TokenSource, subject string, claims map[string]any) {
	_, hasEmail := claims["email"]
	if p.UserInfoEndpoint() == "" || hasEmail && (o.RolesClaim == "" || inward(claims, o.RolesClaim) != nil) {
		return
	}
	info, err := p.UserInfo(ctx, token)
	var more map[string]any
	if err == nil && info.Subject == subject { // OpenID Connect Core section 5.3.2
		err = info.Claims(&more)
	}
	if err != nil {
		d.deps.Log.Warn("the sign-in provider tells nothing more of a person", "err", err)
		return
	}
	for k, v := range more {
		if _, told := claims[k]; !told {
			claims[k] = v
		}
	}
}

// inward follows dots into nested claims.
func inward(claims map[string]any, path string) any {
	if v, ok := claims[path]; ok { // some names hold dots themselves
		return v
	}
	var at any = claims
	for part := range strings.SplitSeq(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[part]
	}
	return at
}

// rolesIn gives the values of the roles claim: one text, or a list of them.
func rolesIn(claims map[string]any, path string) (out []string) {
	if path == "" {
		return nil
	}
	switch v := inward(claims, path).(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v[:min(len(v), maxClaims)] {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// oauth gives the client's side of the flow.
func (d *Door) oauth(r *http.Request, o *OIDC, p *oidc.Provider) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID, "email", "profile"}
	for _, s := range o.Scopes {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	endpoint := p.Endpoint()
	endpoint.AuthStyle = authStyle(o, p)
	return &oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret, Endpoint: endpoint, RedirectURL: d.Address(r) + CallbackPath, Scopes: scopes}
}

// authStyle is how the provider wants to be told the client's secret. Trying it
// out would use up the code, which is good for one try.
func authStyle(o *OIDC, p *oidc.Provider) oauth2.AuthStyle {
	var d struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	_ = p.Claims(&d)                                                                  // was read as this document before
	basic := len(d.Methods) == 0 || slices.Contains(d.Methods, "client_secret_basic") // the default, OpenID Connect Discovery section 3
	if o.ClientSecret != "" && basic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

// Address is how browsers call this hub: the configured address, else what this
// one called. Without a trailing slash.
func (d *Door) Address(r *http.Request) string {
	if u, err := url.Parse(d.settings.Load().PageURL); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	if d.deps.Proxies.Secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// discover gives the provider, asking it about itself once. Errors: NotFound, Unavailable.
func (d *Door) discover(ctx context.Context) (*OIDC, *oidc.Provider, error) {
	o := d.settings.Load().OIDC
	if o == nil {
		return nil, nil, problem.NotFound("There is no sign-in provider.")
	}
	k := &d.provider
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.issuer != o.Issuer {
		k.issuer, k.found, k.err = o.Issuer, nil, nil
	}
	if k.found != nil {
		return o, k.found, nil
	}
	if now := d.deps.Now(); k.err == nil || now.Sub(k.asked) > oidcAgain {
		k.asked = now
		// What the provider learns keeps its client beyond this request.
		ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, d.client), oidcWithin)
		defer cancel()
		k.found, k.err = oidc.NewProvider(ctx, o.Issuer)
	}
	if k.err != nil {
		return nil, nil, problem.Unavailable(k.err, "The sign-in provider cannot be reached just now.")
	}
	return o, k.found, nil
}

// newClient makes what talks to a provider.
func newClient() *http.Client {
	return &http.Client{Timeout: oidcWithin, Transport: boundedTransport{http.DefaultTransport}}
}

// boundedTransport cuts answers off, so that a provider cannot fill the memory.
type boundedTransport struct{ http.RoundTripper }

// RoundTrip asks, and bounds the body of the answer.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, oidcMaxBody), resp.Body}
	}
	return resp, err
}
