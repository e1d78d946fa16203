package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reloadable is a configuration of two components and what the test adds.
func reloadable(a, b *target, extra string) string {
	return fmt.Sprintf(`
page: {name: Example Ltd}
components:
  - {id: alpha, name: Alpha}
%[3]s
monitors:
  - {id: alpha, component: alpha, kind: http, url: "%[1]s", interval: 1s, confirm: 100, recover: 1}
  # %[2]s
`, a.url(), b.url(), extra)
}

// TestReloadKeepsWhatIsKnown: a change of the file takes effect by itself and
// costs nothing that was learnt; a bad file costs nothing at all.
func TestReloadKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	s, a, b := newSite(t), newTarget(t), newTarget(t)
	first := reloadable(a, b, "") + fmt.Sprintf(`  - {id: beta, component: beta, kind: http, url: "%s", interval: 1s, confirm: 1, recover: 1}`, b.url())
	first = strings.Replace(first, "monitors:", "  - {id: beta, name: Beta}\nmonitors:", 1)
	h := boot(t, s, first)
	h.awaitShown("alpha", "operational")
	h.awaitShown("beta", "operational")
	a.turns(fails)
	h.await("a streak of failures", func() bool { return h.streak("alpha") >= 3 })
	b.turns(fails)
	h.awaitShown("beta", "major_outage")
	outage := find(t, h.spans("beta", "published"), "major_outage")
	runs, _ := h.metric(`evenkeel_probe_runs_total{outcome="ok"}`)

	t.Log("a bad file changes nothing, and says so")
	streak := h.streak("alpha")
	s.rewrite(t, h.path, strings.Replace(first, "interval: 1s", "intervall: 1s", 1)+"\nnonsense: true\n")
	h.await("the file to be refused", func() bool { c := h.check("configuration"); return c.Name != "" && !c.OK })
	if c := h.check("configuration"); !strings.Contains(c.Detail, "intervall") || !strings.Contains(c.Detail, "evenkeel.yaml:") {
		t.Errorf("/readyz says %q", c.Detail)
	}
	if code, _ := h.readiness(); code != http.StatusOK {
		t.Errorf("a refused file makes the hub unready: %d", code)
	}
	if ok, _ := h.metric("evenkeel_config_last_reload_successful"); ok != 0 {
		t.Errorf("evenkeel_config_last_reload_successful is %v", ok)
	}
	if h.shown("beta") != "major_outage" || h.streak("alpha") < streak {
		t.Error("a bad file changed something")
	}

	t.Log("a good file renames beta and keeps its outage and its streak")
	second := strings.NewReplacer("{id: beta, name: Beta}", "{id: gamma, name: Gamma, was: beta}", "{id: beta, component: beta,", "{id: gamma, was: beta, component: gamma,").Replace(first)
	s.rewrite(t, h.path, second)
	h.await("gamma to be shown", func() bool { return h.shown("gamma") == "major_outage" && h.check("configuration").OK })
	if got := find(t, h.spans("gamma", "published"), "major_outage"); got.ID != outage.ID || !got.From.Equal(outage.From) {
		t.Errorf("before the rename %+v, after it %+v", outage, got)
	}
	if got := h.shown("beta"); got != "" {
		t.Errorf("beta is still shown as %s", got)
	}
	if got := h.streak("alpha"); got < streak {
		t.Errorf("the streak of alpha was %d and is %d", streak, got)
	}
	if now, _ := h.metric(`evenkeel_probe_runs_total{outcome="ok"}`); now < runs {
		t.Errorf("probes counted: %v before, %v after", runs, now)
	}
	b.turns(works)
	h.awaitShown("gamma", "operational")

	t.Log("a removed component leaves the page, and comes back with its history")
	s.rewrite(t, h.path, reloadable(a, b, ""))
	h.await("gamma to leave", func() bool {
		return h.shown("gamma") == "" && h.get("/components/gamma").code == http.StatusNotFound
	})
	if strings.Contains(h.get("/").body, "Gamma") {
		t.Error("the front page still shows gamma")
	}
	probed := b.seen()
	h.await("two rounds of alpha", func() bool { return h.streak("alpha") >= streak+2 })
	if now := b.seen(); now > probed+1 {
		t.Errorf("what was removed was probed %d times more", now-probed)
	}
	s.rewrite(t, h.path, strings.NewReplacer("was: beta, ", "", ", was: beta", "").Replace(second))
	h.awaitShown("gamma", "operational")
	spans := h.spans("gamma", "published")
	if got := find(t, spans, "major_outage"); got.ID != outage.ID {
		t.Errorf("it came back with %v", history(spans))
	}
	gone := false
	for _, span := range spans {
		gone = gone || span.Status == "not_measured" && span.From.After(outage.From)
	}
	if !gone {
		t.Errorf("the time in between was not left out: %v", history(spans))
	}
	h.stop()
	entries := s.read(t)
	if count(entries, "component.renamed") != 1 || count(entries, "component.removed") != 1 {
		t.Errorf("the journal tells of %d renames and %d removals", count(entries, "component.renamed"), count(entries, "component.removed"))
	}
}

// streak gives how many results in a row speak for a change of a monitor.
func (h hub) streak(monitor string) int {
	h.tb.Helper()
	if v := h.monitor(monitor).Verdict; v != nil {
		return v.Streak
	}
	return 0
}

// TestHangupReloads: SIGHUP reads the file again, even one that has not changed.
func TestHangupReloads(t *testing.T) {
	t.Parallel()
	a := newTarget(t)
	h := launch(t, newSite(t).config(t, reloadable(a, a, "")))
	h.awaitShown("alpha", "operational")
	before, ok := h.metric("evenkeel_config_last_reload_success_timestamp_seconds")
	if !ok {
		t.Fatal("the time of the last reload is not told")
	}
	h.await("the clock to move on", func() bool { return float64(time.Now().UnixMilli())/1000 > before+0.01 })
	h.signal(syscall.SIGHUP)
	h.await("the file to be read again", func() bool {
		now, _ := h.metric("evenkeel_config_last_reload_success_timestamp_seconds")
		return now > before
	})
	if code := h.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
