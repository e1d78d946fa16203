package app_test

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/store"
	"evenkeel/internal/telemetry"
	"evenkeel/internal/testkit"
)

// TestFirstPageStandsBeforeTheRecordIsWritten: visitors of a new hub see the page
// that its file describes while the record is still being made, and not a page
// that says nothing. It claims no more than is known: nothing was measured yet.
func TestFirstPageStandsBeforeTheRecordIsWritten(t *testing.T) {
	t.Parallel()
	shop, s := newTarget(t), newSite(t)
	s.database = testkit.Postgres(t)
	made, err := store.Open(t.Context(), store.Options{URL: s.database, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	release := locked(t, s.database, "components")

	path := s.config(t, `
page: {name: Example Ltd}
components: [{id: shop, name: Web shop}]
monitors: [{id: shop, component: shop, kind: http, url: "`+shop.url()+`", interval: 1s}]
`)
	load := func() (config.File, error) { return app.LoadConfig(path, nil) }
	file, err := load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(app.Options{Config: file, Path: path, Version: "test", Log: telemetry.NewLogger(t.Output(), "info", "text"), Load: load})
	if err != nil {
		t.Fatal(err)
	}
	h := &booted{hub: hub{tb: t, page: "http://" + a.Addr(), admin: "http://" + a.AdminAddr()}, app: a, path: path}
	risen := make(chan error, 1)
	go func() { risen <- a.Start(t.Context()) }()

	h.await("the first page", func() bool { return h.get("/").code == http.StatusOK })
	if body := h.get("/").body; !strings.Contains(body, "<b>Web shop</b><i>Not measured</i>") {
		t.Errorf("the first page does not show what the file describes: %s", body)
	}
	if status := h.shown("shop"); status != "operational" { // the shapes have no word for not measured
		t.Errorf("summary.json says %q", status)
	}
	if code, _ := h.readiness(); code != http.StatusServiceUnavailable {
		t.Errorf("a hub without its record says that it is ready: %d", code)
	}
	select {
	case err := <-risen:
		t.Fatalf("the record was there before anybody could write it: %v", err)
	default:
	}

	release()
	if err := <-risen; err != nil {
		t.Fatal(err)
	}
	defer h.stop()
	h.awaitShown("shop", "operational")
	h.await("the page to say so", func() bool { return strings.Contains(h.get("/").body, "<b>Web shop</b><i>Operational</i>") })
}

// locked keeps everybody from a table until it is released.
func locked(t *testing.T, database, table string) (release func()) {
	t.Helper()
	program, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("SKIP: psql is not installed")
	}
	cmd := exec.CommandContext(t.Context(), program, "-X", "-q", "-v", "ON_ERROR_STOP=1", database)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "begin; lock table "+table+" in access exclusive mode;\n\\echo locked\n"); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil || said != "locked\n" {
		t.Fatalf("psql says %q, %v", said, err)
	}
	return func() {
		t.Helper()
		if _, err := io.WriteString(in, "rollback;\n\\q\n"); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}
