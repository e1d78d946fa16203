package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/people"
	"evenkeel/internal/secret"
	"evenkeel/internal/store"
	"evenkeel/web/door"
)

// once runs a command line that must succeed, and gives the one line it prints.
func once(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := evenkeel(t, args...)
	line := strings.TrimSuffix(out, "\n")
	if code != exitOK || line == "" || strings.Contains(line, "\n") {
		t.Fatalf("%v: exit %d, %q, %q", args, code, out, errs)
	}
	return line
}

func TestAdminPersonVerbs(t *testing.T) {
	dir := t.TempDir()
	link := once(t, "admin", "person", "add", "night@example.org", "--name", "Night operator", "--role", "operator,viewer", "--role", "sre:component:shop", "--data", dir, "--url", "https://status.example.org/")
	if !strings.HasPrefix(link, "https://status.example.org"+people.LinkPath) {
		t.Errorf("link %s", link)
	}
	if line := once(t, "admin", "person", "list", "--data", dir); !strings.Contains(line, "Night operator  night@example.org  viewer,operator,sre:component:shop  invited") {
		t.Errorf("listed as %q", line)
	}
	var card people.Card
	if err := json.Unmarshal([]byte(once(t, "admin", "person", "list", "--json", "--data", dir)), &card); err != nil || card.State != "invited" || len(card.Roles) != 3 {
		t.Errorf("got %+v, %v", card, err)
	}
	if again := once(t, "admin", "person", "link", "Night@Example.org", "--data", dir); again == link || !strings.HasPrefix(again, "http://127.0.0.1:8080/console/welcome/") {
		t.Errorf("second link %s", again)
	}
	if said := once(t, "admin", "person", "disable", card.ID, "--data", dir); said != "Night operator <night@example.org> is disabled." {
		t.Error(said)
	}
	if said := once(t, "admin", "person", "enable", "night@example.org", "--data", dir); said != "Night operator <night@example.org> is invited." {
		t.Error(said)
	}
	for _, row := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "it needs EMAIL", []string{"admin", "person", "add", "--data", dir}},
		{exitUsage, "email: Write an e-mail address", []string{"admin", "person", "add", "nobody", "--data", dir}},
		{exitUsage, "is no role of a person", []string{"admin", "person", "add", "a@example.org", "--role", "machine", "--data", dir}},
		{exitFailed, "Another account has this address", []string{"admin", "person", "add", "night@example.org", "--data", dir}},
		{exitFailed, "There is no person", []string{"admin", "person", "link", "nobody@example.org", "--data", dir}},
		{exitFailed, "There is no person", []string{"admin", "person", "disable", "nobody@example.org", "--data", dir}},
	} {
		if code, _, errs := evenkeel(t, row.args...); code != row.code || !strings.Contains(errs, row.want) {
			t.Errorf("%v: exit %d, %q", row.args, code, errs)
		}
	}
}

func TestAdminTokenIsPrintedAlone(t *testing.T) {
	dir := t.TempDir()
	if token := once(t, "admin", "token", "create", "--role", "machine", "--scopes", "read,incident", "--ttl", "90d", "--data", dir); !strings.HasPrefix(token, people.TokenPrefix) || strings.ContainsAny(token, " \t") {
		t.Errorf("printed %q", token)
	}
	code, out, _ := evenkeel(t, "admin", "token", "create", "--role", "operator", "--scopes", "*", "--json", "--data", dir)
	var made struct {
		ID, Token, Role string
		Scopes          []string
		Ends            *time.Time
	}
	if err := json.Unmarshal([]byte(out), &made); code != exitOK || err != nil || made.ID == "" || made.Role != "operator" || made.Scopes[0] != "*" || made.Ends != nil {
		t.Errorf("exit %d, %q, %v", code, out, err)
	}
	for _, row := range []struct {
		want string
		args []string
	}{
		{"it needs --role", []string{"--scopes", "*"}},
		{"it needs --scopes", []string{"--role", "machine"}},
		{"is no role of a token", []string{"--role", "host", "--scopes", "*"}},
		{"is no scope", []string{"--role", "machine", "--scopes", "reed"}},
		{"--ttl:", []string{"--role", "machine", "--scopes", "*", "--ttl", "90"}},
		{"no time at all", []string{"--role", "machine", "--scopes", "*", "--ttl", "0"}},
	} {
		if code, _, errs := evenkeel(t, append([]string{"admin", "token", "create", "--data", dir}, row.args...)...); code != exitUsage || !strings.Contains(errs, row.want) {
			t.Errorf("%v: exit %d, %q", row.args, code, errs)
		}
	}
}

func TestAdminHookIsPrintedAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "evenkeel.yaml")
	if err := os.WriteFile(file, []byte("page: {name: Example, url: 'https://status.example.org/'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := once(t, "admin", "hook", "create", "alertmanager", "--map", "service=checkout:shop-checkout", "-c", file, "--data", dir)
	if !strings.HasPrefix(url, "https://status.example.org/hooks/alertmanager/") {
		t.Errorf("printed %q", url)
	}
	if code, _, errs := evenkeel(t, "admin", "hook", "create", "nothing", "--data", dir); code != exitUsage || !strings.Contains(errs, "is no source of hooks") {
		t.Errorf("exit %d, %q", code, errs)
	}
	if code, _, errs := evenkeel(t, "admin", "hook", "create", "slack", "--map", "x", "--data", dir); code != exitUsage || !strings.Contains(errs, "--map") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestAdminFirstLinkUntilThereIsAnAdmin(t *testing.T) {
	dir := t.TempDir()
	if link := once(t, "admin", "first-link", "--data", dir); !strings.Contains(link, people.LinkPath) {
		t.Errorf("printed %q", link)
	}
	once(t, "admin", "person", "add", "admin@example.org", "--role", "admin", "--data", dir)
	if code, _, errs := evenkeel(t, "admin", "first-link", "--data", dir); code != exitFailed || !strings.Contains(errs, "There is an admin already") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestAdminKeyRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), secret.FileName)
	before, err := secret.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	id := once(t, "admin", "key", "rotate", path)
	after, err := secret.Read(path)
	if err != nil || after.ID() != id || !after.Knows(before.ID()) {
		t.Errorf("told %s, holds %s: %v", id, after.ID(), err)
	}
	if code, _, _ := evenkeel(t, "admin", "key", "rotate", path+".none"); code != exitFailed {
		t.Errorf("exit %d for a file that is not there", code)
	}
}

// A running hub has its SQLite folder to itself; it does the errand then.
func TestAdminThroughARunningHub(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), store.Options{DataDir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t.Context(), s)
	box, err := secret.Open(filepath.Join(dir, secret.FileName))
	if err != nil {
		t.Fatal(err)
	}
	deps := people.Deps{Work: s, Store: s, Sealer: box, Log: log, Now: time.Now}
	refused := people.NewRefusals(s, log, time.Now)
	clerk := people.Clerk{Accounts: people.NewAccounts(deps, refused), Tokens: people.NewTokens(deps, refused), Hooks: people.NewHooks(deps, refused)}
	up := false
	hatch := door.NewHatch(dir, func() (people.Clerk, bool) { return clerk, up })
	mux := http.NewServeMux()
	mux.Handle("POST "+door.HatchPath, hatch)
	srv := httptest.NewServer(mux)
	defer srv.Close()

	if code, _, errs := evenkeel(t, "admin", "token", "create", "--role", "machine", "--scopes", "*", "--data", dir); code != exitFailed || !strings.Contains(errs, "another") {
		t.Errorf("without the hatch: exit %d, %q", code, errs)
	}
	if err := hatch.Open(srv.Listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "hub.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is for others too: %v, %v", info.Mode(), err)
	}
	if code, _, errs := evenkeel(t, "admin", "token", "create", "--role", "machine", "--scopes", "*", "--data", dir); code != exitFailed || !strings.Contains(errs, "still starting") {
		t.Errorf("while it starts: exit %d, %q", code, errs)
	}
	up = true
	token := once(t, "admin", "token", "create", "--role", "machine", "--scopes", "*", "--data", dir)
	if _, err := clerk.Tokens.Actor(t.Context(), token); err != nil {
		t.Errorf("the hub does not know %q: %v", token, err)
	}
	if code, _, errs := evenkeel(t, "admin", "person", "add", "nobody", "--data", dir); code != exitUsage || !strings.Contains(errs, "Write an e-mail address") {
		t.Errorf("a mistake: exit %d, %q", code, errs)
	}

	// Nobody else gets through: the secret stands in the folder alone.
	for _, authorization := range []string{"", "Bearer x", "Bearer "} {
		r, err := http.NewRequest(http.MethodPost, srv.URL+door.HatchPath, strings.NewReader(`{"do":"person list"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q gets %d", authorization, resp.StatusCode)
		}
	}

	// A hub that was killed leaves its file behind; the database is opened then.
	srv.Close()
	if err := closeStore(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	once(t, "admin", "person", "add", "late@example.org", "--data", dir)
	if err := hatch.Close(); err != nil {
		t.Error(err)
	}
	if err := hatch.Close(); err != nil {
		t.Error(err)
	}
}
