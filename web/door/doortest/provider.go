package doortest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Secret is what a client and its provider share. It has characters that are
// written differently on the way.
const Secret = "the client's secret"

// Provider is an OpenID Connect provider that does what it is told, and checks what
// a provider must: the client's secret, the code and its PKCE verifier.
type Provider struct {
	*httptest.Server
	tb  testing.TB
	key *rsa.PrivateKey

	mu        sync.Mutex
	Claims    map[string]any              // of the next token
	Info      map[string]any              // of userinfo; nil = off
	Change    func(map[string]any)        // of the claims, last
	Sign      func(map[string]any) string // in place of a good signature
	codes     map[string]url.Values       // code → what was asked for with it
	Down      bool
	Post      bool // the client's secret is wanted in the form
	Exchanges int  // tries to trade a code
}

// NewProvider starts a provider that ends with the test. Its clients are called
// "hub" and know Secret.
func NewProvider(t testing.TB) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{tb: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) { p.answer(w, p.Info) })
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	p.Claims = map[string]any{"sub": "42", "email": "a@example.org", "email_verified": true, "name": "A Person", "groups": []string{"ops", "staff"}}
	return p
}

func (p *Provider) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.tb.Error(err)
	}
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	if p.Down {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	d := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	}
	if p.Post {
		d["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	}
	if p.Info != nil {
		d["userinfo_endpoint"] = p.URL + "/userinfo"
	}
	p.answer(w, d)
}

// Agree is what a person does at the provider: it gives the address that the
// browser is sent back to.
func (p *Provider) Agree(location string) string {
	p.tb.Helper()
	u, err := url.Parse(location)
	if err != nil {
		p.tb.Fatal(err)
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "hub" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" ||
		!strings.Contains(q.Get("scope"), "openid") {
		p.tb.Errorf("asked %s", location)
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	return q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Exchanges++
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code")) // a code works once
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, secret := r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	if !p.Post {
		id, secret, _ = r.BasicAuth()
		secret, _ = url.QueryUnescape(secret) // RFC 6749 section 2.3.1
	}
	switch {
	case !known, id != "hub" || secret != Secret, asked.Get("redirect_uri") != r.PostFormValue("redirect_uri"),
		base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"):
		w.WriteHeader(http.StatusBadRequest)
		p.answer(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := maps.Clone(p.Claims)
	maps.Copy(claims, map[string]any{"iss": p.URL, "aud": "hub", "nonce": asked.Get("nonce"), "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix()})
	if p.Change != nil {
		p.Change(claims)
	}
	sign := p.signed
	if p.Sign != nil {
		sign = p.Sign
	}
	p.answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": sign(claims)})
}

// signed is a token with a good signature.
func (p *Provider) signed(claims map[string]any) string {
	return p.SignedWith(p.key, jose.RS256, claims)
}

// SignedWith is a token signed in another way.
func (p *Provider) SignedWith(key any, alg jose.SignatureAlgorithm, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		p.tb.Error(err)
		return ""
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		p.tb.Error(err)
	}
	return text
}
