package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/store"
	"evenkeel/internal/telemetry"
	"evenkeel/internal/testkit"
)

// patience bounds waiting for something that a hub does by itself. Nothing takes
// so long; a busy machine may.
const patience = time.Minute

// site is what a hub of these tests stands on.
type site struct {
	data     string // folder
	database string // URL; "" = SQLite in the folder
	redis    string // URL; "" = in process
}

// newSite gives a hub a folder of its own and what is built in.
func newSite(tb testing.TB) site {
	tb.Helper()
	return site{data: tb.TempDir()}
}

// config writes a configuration file beside the data folder: text, on this site.
func (s site) config(tb testing.TB, text string) (path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "evenkeel.yaml")
	s.rewrite(tb, path, text)
	return path
}

// rewrite replaces the configuration file, as an editor would.
func (s site) rewrite(tb testing.TB, path, text string) {
	tb.Helper()
	head := fmt.Sprintf("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata: %q\ndatabase: {url: %q}\nredis: {url: %q}\nlog: {format: text}\n", s.data, s.database, s.redis)
	if err := os.WriteFile(path+".new", []byte(head+text), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		tb.Fatal(err)
	}
}

// read opens the record of the site for looking, and checks the chain of its
// journal. It gives every entry, oldest first.
func (s site) read(tb testing.TB) []journal.Sealed {
	tb.Helper()
	st, err := store.Open(tb.Context(), store.Options{URL: s.database, DataDir: s.data, Log: telemetry.NewLogger(tb.Output(), "warn", "text"), ReadOnly: true})
	if err != nil {
		tb.Fatal(err)
	}
	defer st.Close(tb.Context())
	if err := journal.Verify(tb.Context(), st); err != nil {
		tb.Errorf("the journal does not verify: %v", err)
	}
	var all []journal.Sealed
	for {
		last := int64(0)
		if n := len(all); n > 0 {
			last = all[n-1].Seq
		}
		some, err := st.After(tb.Context(), last, 1000)
		if err != nil {
			tb.Fatal(err)
		}
		if len(some) == 0 {
			return all
		}
		all = append(all, some...)
	}
}

// count tells how many entries have the verb.
func count(entries []journal.Sealed, verb string) (n int) {
	for _, e := range entries {
		if e.Verb == verb {
			n++
		}
	}
	return n
}

// hub is a running hub as others see it: two addresses.
type hub struct {
	tb    testing.TB
	page  string // base URL of the public listener
	admin string // base URL of the admin listener
}

// booted is a hub that runs inside the test.
type booted struct {
	hub
	app  *app.App
	path string // of its configuration file
}

// boot starts a hub inside the test with this configuration. It is stopped with the test.
func boot(tb testing.TB, s site, text string) *booted {
	tb.Helper()
	return bootFile(tb, s.config(tb, text))
}

// bootFile is boot with a configuration file that is there already.
func bootFile(tb testing.TB, path string) *booted {
	tb.Helper()
	load := func() (config.File, error) { return app.LoadConfig(path, nil) }
	file, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	a, err := app.New(app.Options{Config: file, Path: path, Version: "test", Log: telemetry.NewLogger(tb.Output(), "info", "text"), Load: load})
	if err != nil {
		tb.Fatal(err)
	}
	b := &booted{hub: hub{tb: tb, page: "http://" + a.Addr(), admin: "http://" + a.AdminAddr()}, app: a, path: path}
	tb.Cleanup(func() { _ = a.Stop(context.WithoutCancel(tb.Context())) }) // a second stop; what the first gave counts
	if err := a.Start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return b
}

// stop ends the hub as SIGTERM would.
func (b *booted) stop() {
	b.tb.Helper()
	if err := b.app.Stop(context.WithoutCancel(b.tb.Context())); err != nil {
		b.tb.Errorf("stop: %v", err)
	}
}

// answer is what a hub said.
type answer struct {
	code   int
	header http.Header
	body   string
}

// client asks hubs. A hub that is paused must not stop the test.
var client = &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// ask makes a request; an answer of code 0 is none at all.
func (h hub) ask(method, address, body string) answer {
	h.tb.Helper()
	req, err := http.NewRequestWithContext(h.tb.Context(), method, address, strings.NewReader(body))
	if err != nil {
		h.tb.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{body: err.Error()}
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// get gives what visitors get at a path.
func (h hub) get(path string) answer {
	h.tb.Helper()
	return h.ask(http.MethodGet, h.page+path, "")
}

// manage decodes what the management API says at a path. It reports whether it
// said anything.
func (h hub) manage(path string, into any) bool {
	h.tb.Helper()
	a := h.ask(http.MethodGet, h.admin+path, "")
	if a.code != http.StatusOK {
		return false
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		h.tb.Fatalf("%s: %v in %s", path, err, a.body)
	}
	return true
}

// await looks until done says so.
func (h hub) await(what string, done func() bool) {
	h.tb.Helper()
	testkit.Await(h.tb, what, patience, done)
}

// summary is /api/v2/summary.json, as its consumers read it.
type summary struct {
	Status     struct{ Indicator, Description string }
	Components []struct{ ID, Name, Status string }
}

// shown gives the status of a component in /api/v2/summary.json; "" when it is
// not there.
func (h hub) shown(component string) string {
	h.tb.Helper()
	var s summary
	if a := h.get("/api/v2/summary.json"); a.code == http.StatusOK {
		if err := json.Unmarshal([]byte(a.body), &s); err != nil {
			h.tb.Fatalf("%v in %s", err, a.body)
		}
	}
	for _, c := range s.Components {
		if c.ID == component {
			return c.Status
		}
	}
	return ""
}

// awaitShown waits until the page shows a component in a status that was
// measured: the JSON cannot tell operational from not measured.
func (h hub) awaitShown(component, status string) {
	h.tb.Helper()
	h.await(component+" to be shown as "+status, func() bool {
		return h.shown(component) == status && h.component(component).Status == status
	})
}

// component gives a component of the management API; empty when there is none.
func (h hub) component(id string) api.Component {
	h.tb.Helper()
	var all api.Components
	h.manage("/api/v1/components", &all)
	for _, c := range all.Components {
		if c.ID == id {
			return c
		}
	}
	return api.Component{}
}

// monitor gives a monitor of the management API; empty when there is none.
func (h hub) monitor(id string) api.Monitor {
	h.tb.Helper()
	var all api.Monitors
	h.manage("/api/v1/monitors", &all)
	for _, m := range all.Monitors {
		if m.ID == id {
			return m
		}
	}
	return api.Monitor{}
}

// level gives what the hub says of a monitor; "" before the first result.
func (h hub) level(monitor string) string {
	h.tb.Helper()
	if v := h.monitor(monitor).Verdict; v != nil {
		return v.Level
	}
	return ""
}

// spans gives the history of a component on a track, from the last hour on, and
// checks that its spans tile time.
func (h hub) spans(component, track string) []api.Span {
	h.tb.Helper()
	var s api.Spans
	if !h.manage("/api/v1/components/"+component+"/spans?track="+track+"&from="+url.QueryEscape(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)), &s) {
		h.tb.Fatalf("no spans of %s", component)
	}
	for i, span := range s.Spans {
		last := i == len(s.Spans)-1
		switch {
		case last != (span.To == nil):
			h.tb.Errorf("%s %s: span %d of %d ends %v", component, track, i, len(s.Spans), span.To)
		case !last && !span.To.Equal(s.Spans[i+1].From):
			h.tb.Errorf("%s %s: span %d ends %v, the next begins %v", component, track, i, span.To, s.Spans[i+1].From)
		case !last && !span.From.Before(*span.To):
			h.tb.Errorf("%s %s: span %d from %v to %v", component, track, i, span.From, span.To)
		}
	}
	return s.Spans
}

// history is the statuses of spans, in order.
func history(spans []api.Span) []string {
	var out []string
	for _, s := range spans {
		out = append(out, s.Status)
	}
	return out
}

// find gives the newest span with a status.
func find(tb testing.TB, spans []api.Span, status string) api.Span {
	tb.Helper()
	for _, s := range slices.Backward(spans) {
		if s.Status == status {
			return s
		}
	}
	tb.Fatalf("no span of %s in %v", status, history(spans))
	return api.Span{}
}

// readiness is what /readyz says on the admin listener.
func (h hub) readiness() (code int, report telemetry.Report) {
	h.tb.Helper()
	a := h.ask(http.MethodGet, h.admin+"/readyz", "")
	if a.code != 0 {
		if err := json.Unmarshal([]byte(a.body), &report); err != nil {
			h.tb.Fatalf("%v in %s", err, a.body)
		}
	}
	return a.code, report
}

// check gives a named check of /readyz; empty when it is not there.
func (h hub) check(name string) telemetry.Check {
	h.tb.Helper()
	_, report := h.readiness()
	for _, c := range report.Checks {
		if c.Name == name {
			return c
		}
	}
	return telemetry.Check{}
}

// metric gives a line of /metrics by its name and labels, as it is written there.
func (h hub) metric(name string) (value float64, ok bool) {
	h.tb.Helper()
	for line := range strings.Lines(h.ask(http.MethodGet, h.admin+"/metrics", "").body) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			if _, err := fmt.Sscan(rest, &value); err != nil {
				h.tb.Fatalf("%q: %v", line, err)
			}
			return value, true
		}
	}
	return 0, false
}

// watches reports whether this hub holds the lease to watch.
func (h hub) watches() bool {
	h.tb.Helper()
	held, _ := h.metric("evenkeel_watching")
	return held == 1
}
