package status_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/status"
)

// works gives the definition of small with one window on web.
func works(from, to time.Time) status.Definition {
	def := small()
	def.Windows = []status.Window{{ID: "move", Title: "Move", Components: []string{"web"}, From: from, To: to}}
	return def
}

func (h *house) states() string {
	occs, err := h.store.Occurrences(h.t.Context(), h.began.AddDate(-1, 0, 0), h.began.AddDate(1, 0, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, o := range occs {
		out = append(out, string(o.State))
	}
	return strings.Join(out, " ")
}

func TestMaintenanceWholeLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(works(h.began.Add(60*time.Second), h.began.Add(120*time.Second)))
		h.start()
		h.play("web-http", "gggg") // to 41
		if got := h.states(); got != "scheduled" {
			t.Fatalf("states %q", got)
		}
		h.play("web-http", "fff") // failed 41, 51, 61; in maintenance from 60
		if got := h.states(); got != "in_progress" {
			t.Fatalf("states %q", got)
		}
		h.want(status.Observed, "web", "not_measured@0 operational@1 major_outage@41")
		h.play("web-http", "ggggggg") // good from 71; verifying at 120, completed at once
		h.rest(2 * time.Second)
		if got := h.states(); got != "completed" {
			t.Errorf("states %q", got)
		}
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@41 under_maintenance@60 operational@120")
		h.halt()
		var verbs []string
		for _, v := range h.verbs() {
			if strings.HasPrefix(v, "maintenance.") {
				verbs = append(verbs, v)
			}
		}
		if want := []string{"maintenance.scheduled", "maintenance.started", "maintenance.verifying", "maintenance.completed"}; !slices.Equal(verbs, want) {
			t.Errorf("verbs %v, want %v", verbs, want)
		}
	})
}

func TestMaintenanceStandsThroughARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		def := works(h.began.Add(30*time.Second), h.began.Add(300*time.Second))
		h.apply(def)
		h.start()
		h.play("web-http", "gggggg") // to 61
		h.halt()
		h.rest(time.Minute)
		h.open()
		h.start() // 122
		h.play("web-http", "gg")
		h.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@30")
		h.want(status.Observed, "web", "not_measured@0 operational@1 not_measured@61 operational@122")
		h.play("web-http", strings.Repeat("g", 17)) // to 312
		h.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@30 operational@300")
		h.halt()
	})
}

func TestMaintenanceThatEndedWhileTheHubWasOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(works(h.began.Add(30*time.Second), h.began.Add(100*time.Second)))
		h.start()
		h.play("web-http", "gggggg") // to 61
		h.halt()
		h.rest(10 * time.Minute)
		h.open()
		h.start() // 662
		h.play("web-http", "gg")
		h.want(status.Published, "web", "not_measured@0 operational@1 under_maintenance@30 not_measured@100 operational@662")
		h.halt()
	})
}

func TestMaintenanceIsCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(works(h.began.Add(30*time.Second), h.began.Add(100*time.Second)))
		h.start()
		h.play("web-http", "ggggg") // to 51
		h.apply(small())            // the window is gone: what is under way is over
		h.rest(2 * time.Second)
		if got := h.states(); got != "completed" {
			t.Errorf("states %q", got)
		}
		if got := h.line(status.Published, "web"); !strings.HasPrefix(got, "not_measured@0 operational@1 under_maintenance@30 operational@5") {
			t.Errorf("published %s", got)
		}
		h.halt()
	})
}

func TestMaintenanceRecursAndIsPlannedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		def := small()
		def.Windows = []status.Window{{
			ID: "nightly", Title: "Nightly", Components: []string{"web"}, RRule: "FREQ=DAILY", Zone: "Etc/UTC",
			Start: h.began.Add(time.Hour).UTC().Format("2006-01-02T15:04"), Duration: 10 * time.Minute,
		}}
		h.apply(def)
		h.start()
		h.rest(2 * time.Second)
		if n := len(strings.Fields(h.states())); n != 35 {
			t.Errorf("%d occurrences planned, want 35 days", n)
		}
		h.play("web-http", "g")
		h.rest(25 * time.Hour)
		if got := strings.Fields(h.states()); got[0] != "completed" || len(got) != 36 {
			t.Errorf("after a day: %v", got)
		}
		h.halt()
	})
}
