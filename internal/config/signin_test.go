package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSignInDefaults(t *testing.T) {
	f, err := Parse("evenkeel.yaml", []byte("page: {name: Example}\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.SignIn.Session != DefaultSession || f.SignIn.Idle != DefaultIdle || f.SignIn.PlainHTTP || f.SignIn.OIDC.RolesClaim != "" || f.KeyFile != "" {
		t.Errorf("got %+v, key file %q", f.SignIn, f.KeyFile)
	}
	src := "page: {name: Example}\nkey_file: keys/hub.key\nsign_in:\n  session: 12h\n  oidc:\n    issuer: https://id.example.org/realm\n    client_id: hub\n    client_secret: {env: HUB_SECRET}\n    roles: {ops: [operator, sre]}\n"
	f, err = Parse(filepath.Join("dir", "evenkeel.yaml"), []byte(src), Options{Environ: []string{"HUB_SECRET=x"}, Roles: []string{"operator", "sre"}})
	if err != nil {
		t.Fatal(err)
	}
	o := f.SignIn.OIDC
	if f.SignIn.Idle != Duration(12*time.Hour) || o.Name != "id.example.org" || o.RolesClaim != "groups" || len(o.Roles["ops"]) != 2 || f.KeyFile != filepath.Join("dir", "keys", "hub.key") {
		t.Errorf("got %+v, key file %q", f.SignIn, f.KeyFile)
	}
	if text := o.ClientSecret.String(); !strings.Contains(text, "HUB_SECRET") {
		t.Errorf("the secret says %q", text)
	}
}

func TestSignInMistakes(t *testing.T) {
	for _, row := range []struct{ name, block, path, reason string }{
		{"too long", "session: 91d", "sign_in.session", "more than the 90d"},
		{"too short", "session: 30s", "sign_in.session", "too short"},
		{"idle beyond", "session: 1h, idle: 2h", "sign_in.idle", "longer than a session"},
		{"no issuer", "oidc: {client_id: hub}", "sign_in.oidc.issuer", "which provider"},
		{"no client", "oidc: {issuer: https://id.example.org}", "sign_in.oidc.client_id", "needs a client id"},
		{"plain issuer", "oidc: {issuer: http://id.example.org, client_id: hub}", "sign_in.oidc.issuer", "expected an https address"},
		{"no address", "oidc: {issuer: id.example.org, client_id: hub}", "sign_in.oidc.issuer", "expected an https address"},
		{"secret not set", "oidc: {issuer: https://id.example.org, client_id: hub, client_secret: {env: NOT_SET}}", "sign_in.oidc.client_secret", "NOT_SET is not set"},
		{"two scopes in one", "oidc: {issuer: https://id.example.org, client_id: hub, scopes: [a b]}", "sign_in.oidc.scopes[0]", "is no scope"},
		{"unknown role", "oidc: {issuer: https://id.example.org, client_id: hub, roles: {ops: [operater]}}", "sign_in.oidc.roles.ops[0]", "is not known here"},
		{"machine role", "oidc: {issuer: https://id.example.org, client_id: hub, roles: {ops: [machine]}}", "sign_in.oidc.roles.ops[0]", "is not known here"},
		{"unknown key", "pasword: x", "sign_in.pasword", "unknown key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse("evenkeel.yaml", []byte("page: {name: Example}\nsign_in: {"+row.block+"}\n"), Options{Roles: []string{"operator", "admin"}})
			problems, ok := errors.AsType[Problems](err)
			if !ok || len(problems) != 1 || problems[0].Path != row.path || !strings.Contains(problems[0].Reason, row.reason) || problems[0].Line == 0 {
				t.Errorf("got %v, want %s: … %s", err, row.path, row.reason)
			}
		})
	}
	if _, err := Parse("evenkeel.yaml", []byte("page: {name: Example}\nsign_in: {oidc: {issuer: 'http://127.0.0.1:5556/dex', client_id: hub}}\n"), Options{}); err != nil {
		t.Errorf("a provider on this machine: %v", err)
	}
}
