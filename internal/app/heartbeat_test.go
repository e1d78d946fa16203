package app_test

import (
	"net/http"
	"strings"
	"testing"

	"evenkeel/internal/api"
)

// TestHeartbeat (S1-20): a job tells how it does, and its silence is noticed.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	const token = "a-token-of-the-nightly-job"
	h := boot(t, newSite(t), `
page: {name: Example Ltd}
components: [{id: backup, name: Backup}]
monitors:
  - {id: nightly, component: backup, kind: heartbeat, interval: 1s, schedule: {every: 3s}, grace: 2s, token: `+token+`, confirm: 1, recover: 1}
`)
	ping := func(signal, log string) {
		t.Helper()
		if a := h.ask(http.MethodPost, h.page+"/ping/"+token+signal, log); a.code != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("ping %q: %d %s", signal, a.code, a.body)
		}
	}
	last := func() api.Result {
		if r := h.monitor("nightly").Last; r != nil {
			return *r
		}
		return api.Result{}
	}

	h.await("the hub to listen", func() bool { return last().Outcome == "inconclusive" })
	if got := h.component("backup").Status; got != "not_measured" {
		t.Errorf("before the first ping: %s", got)
	}
	ping("/start", "")
	ping("", "all rows written")
	h.awaitShown("backup", "operational")
	if r := last(); r.Latency <= 0 {
		t.Errorf("the run between start and success took %v s", r.Latency)
	}

	ping("/fail", "disk "+secret+" is full")
	h.awaitShown("backup", "major_outage")
	if r := last(); !strings.Contains(r.Reason, "is full") {
		t.Errorf("staff read %q", r.Reason)
	}
	if a := h.get("/components/backup"); a.code != http.StatusOK || strings.Contains(a.body, secret) || strings.Contains(a.body, token) {
		t.Errorf("visitors read the log of the job: %d", a.code)
	}

	ping("/0", "")
	h.awaitShown("backup", "operational")
	ping("/23", "")
	h.awaitShown("backup", "major_outage")
	if r := last(); r.Code != 23 {
		t.Errorf("exit code %d", r.Code)
	}
	ping("/log", "a line in between changes nothing")
	ping("", "")
	h.awaitShown("backup", "operational")

	h.await("the silence to be noticed", func() bool { return h.shown("backup") == "major_outage" })
	if r := last(); !strings.Contains(r.Reason, "no success since") {
		t.Errorf("staff read %q", r.Reason)
	}

	for _, path := range []string{"/ping/nobody-has-this-token", "/ping/" + token + "/256", "/ping/" + token + "/dance"} {
		if a := h.get(path); a.code != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.code)
		}
	}
}
