package app_test

import (
	"database/sql"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // to hold a table that the hub wants to write

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
	db, err := sql.Open("pgx", s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	holding, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holding.ExecContext(t.Context(), `lock table components in access exclusive mode`); err != nil {
		t.Fatal(err)
	}

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
	if body := h.get("/").body; !strings.Contains(body, "Web shop") || !strings.Contains(body, "Not measured") {
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

	if err := holding.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-risen; err != nil {
		t.Fatal(err)
	}
	defer h.stop()
	h.awaitShown("shop", "operational")
	if body := h.get("/").body; strings.Contains(body, "Not measured") {
		t.Errorf("the page goes on to say that nothing is measured: %s", body)
	}
}
