package status_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// full is a definition with one of everything.
func full() status.Definition {
	def := small()
	def.Groups = []status.DefinedGroup{{Group: status.Group{ID: "apps", Name: "Apps"}}}
	def.Components[0].Group = "apps"
	def.Components = append(def.Components, status.DefinedComponent{Component: status.Component{ID: "db", Name: "Database"}})
	def.Components[0].Needs = []string{"db"}
	def.Windows = []status.Window{{
		ID: "weekly", Title: "Weekly work", Components: []string{"db"}, RRule: "FREQ=WEEKLY", Zone: "Europe/Berlin", Start: "2000-01-02T05:00", Duration: time.Hour,
	}}
	return def
}

// fields lists the fields that an error complains of.
func fields(t *testing.T, err error) []string {
	t.Helper()
	es, ok := errors.AsType[problem.Errors](err)
	if !ok {
		t.Fatalf("got %v, want a list of problems", err)
	}
	var out []string
	for _, e := range es {
		out = append(out, e.Field)
	}
	return out
}

func TestPlanListsAllProblemsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		def := full()
		def.Site.Zone = "Mars/Olympus"
		def.Site.Weights.Partial = 1.5
		def.Components[0].Group = "nowhere"
		def.Components[0].Needs = []string{"db", "db", "gone", "web"}
		def.Components[1].Publish = "perhaps"
		def.Components = append(def.Components, status.DefinedComponent{Component: status.Component{ID: "db"}}, status.DefinedComponent{Component: status.Component{ID: "No Id"}})
		m := def.Monitors[0]
		m.Interval, m.Locations, m.Component = time.Millisecond, nil, "gone"
		m.Rule = status.Rule{Confirm: -1, Quorum: 2, Fails: status.UnderMaintenance, FlapCount: 1, FlapWithin: time.Second}
		def.Monitors = append(def.Monitors, m)
		def.Windows[0].RRule = "FREQ=SECONDLY"
		def.Windows = append(def.Windows, status.Window{ID: "once", From: h.began, To: h.began})
		_, err := h.watch.Plan(t.Context(), def)
		got := fields(t, err)
		for _, want := range []string{
			"page.time_zone", "page.uptime.partial", "components[0].group", "components[0].needs", "components[1].publish", "components[2].id", "components[3].id",
			"monitors[1].id", "monitors[1].component", "monitors[1].interval", "monitors[1].locations", "monitors[1].confirm", "monitors[1].quorum",
			"monitors[1].fails", "monitors[1].flap.changes", "monitors[1].flap.within", "maintenance[0].rrule", "maintenance[1].components", "maintenance[1].to",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("no problem at %s: %v", want, got)
			}
		}
		if _, err := h.watch.Apply(t.Context(), access.Host, def); err == nil || len(h.store.Entries()) != 0 {
			t.Error("a bad definition changed something")
		}
	})
}

// TestPlanNamesTheCircleOfNeeds: the dependencies of components have no circle (S1-20).
func TestPlanNamesTheCircleOfNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		def := full()
		def.Components = append(def.Components, status.DefinedComponent{Component: status.Component{ID: "disk", Needs: []string{"web"}}})
		def.Components[1].Needs = []string{"disk"}
		_, err := h.watch.Plan(t.Context(), def)
		if got := fields(t, err); len(got) != 1 || !strings.Contains(err.Error(), "web needs db needs disk needs web") {
			t.Errorf("got %v", err)
		}
	})
}

func TestPlanRenameClashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(full())
		def := full()
		def.Components[0].Was = "db" // still there
		def.Monitors = append(def.Monitors, def.Monitors[0], def.Monitors[0])
		def.Monitors[1].ID, def.Monitors[1].Was = "m2", "old"
		def.Monitors[2].ID, def.Monitors[2].Was = "m3", "old"
		_, err := h.watch.Plan(t.Context(), def)
		if got := fields(t, err); !slices.Equal(got, []string{"components[0].was", "monitors[2].was"}) {
			t.Errorf("problems at %v", got)
		}
	})
}

func says(p status.Plan) []string {
	var out []string
	for _, c := range p.Changes {
		s := fmt.Sprintf("%s %s %s", c.Kind, c.ID, c.What)
		if c.Was != "" {
			s += " was " + c.Was
		}
		if c.Detail != "" {
			s += ": " + c.Detail
		}
		out = append(out, s)
	}
	return out
}

func TestApplyTwiceChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		p := h.apply(full())
		want := []string{"site site added", "group apps added", "component web added", "component db added", "monitor web-http added", "window weekly added"}
		if got := says(p); !slices.Equal(got, want) {
			t.Errorf("first plan %q", got)
		}
		n := len(h.store.Entries())
		if p := h.apply(full()); !p.Empty() {
			t.Errorf("second plan %q", says(p))
		}
		if len(h.store.Entries()) != n {
			t.Error("applying the same again wrote to the journal")
		}
	})
}

func TestApplyTellsWhatDiffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(full())
		def := full()
		def.Site.ReportURL = "mailto:support@example.org"
		def.Components[1].Name = "Ledger"
		def.Monitors[0].Rule.Confirm = 5
		def.Windows[0].Duration = 2 * time.Hour
		if got := says(h.apply(def)); !slices.Equal(got, []string{"site site changed: report_url", "component db changed: name", "monitor web-http changed: rule", "window weekly changed: duration"}) {
			t.Errorf("plan %q", got)
		}
		def.Monitors[0].Mark = "b"
		if got := says(h.apply(def)); !slices.Equal(got, []string{"monitor web-http changed: how it probes"}) {
			t.Errorf("plan %q", got)
		}
		if w := h.watch.Catalog().Windows[0]; w.Sequence != 1 {
			t.Errorf("sequence %d after one change, want 1", w.Sequence)
		}
	})
}

// TestApplyRenameKeepsHistory: was: keeps key, spans and streaks.
func TestApplyRenameKeepsHistory(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		h.play("web-http", "gff")
		def := small()
		def.Components[0].ID, def.Components[0].Was = "shop", "web"
		def.Monitors[0].ID, def.Monitors[0].Was, def.Monitors[0].Component = "shop-http", "web-http", "shop"
		if got := says(h.apply(def)); !slices.Equal(got, []string{"component shop renamed was web", "monitor shop-http renamed was web-http: component"}) {
			t.Errorf("plan %q", got)
		}
		if p := h.apply(def); !p.Empty() { // was: stays in the file and means nothing any more
			t.Errorf("second plan %q", says(p))
		}
		c := h.watch.Catalog()
		if c.Components[0].Key != "web" || c.Components[0].ID != "shop" || c.Monitors[0].Key != "web-http" {
			t.Errorf("catalog %+v", c)
		}
		h.play("web-http", "gg")
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 operational@31")
		// A new component under the old id gets a key of its own.
		def.Components = append(def.Components, status.DefinedComponent{Component: status.Component{ID: "web", Name: "New website"}})
		def.Components[0].Was = ""
		def.Monitors[0].Was = ""
		h.apply(def)
		if keys := h.watch.Catalog().Components; keys[0].Key == keys[1].Key || !slices.ContainsFunc(keys, func(c status.Component) bool { return c.Key == "web-2" && c.ID == "web" }) {
			t.Errorf("components %+v", keys)
		}
	})
}

// TestApplyRemovalKeepsHistory: a component that is commented out and comes
// back goes on where it was; the time between is not measured.
func TestApplyRemovalKeepsHistory(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		h.play("web-http", "ggg")
		def := small()
		def.Components, def.Monitors = nil, nil
		if got := says(h.apply(def)); !slices.Equal(got, []string{"component web removed", "monitor web-http removed"}) {
			t.Errorf("plan %q", got)
		}
		h.play("web-http", "fff") // a stranger now
		if n := h.watch.Stats().Strangers; n != 3 {
			t.Errorf("%d results of strangers, want 3", n)
		}
		if got := says(h.apply(small())); !slices.Equal(got, []string{"component web added", "monitor web-http added"}) {
			t.Errorf("plan %q", got)
		}
		h.play("web-http", "gg")
		h.want(status.Published, "web", "not_measured@0 operational@1 not_measured@31 operational@61")
	})
}

func TestApplyNeedsTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		if _, err := h.watch.Apply(t.Context(), access.Hub, small()); problem.KindOf(err) != problem.KindForbidden {
			t.Errorf("the hub itself applies: %v", err)
		}
	})
}

func TestApplyWhileTheDatabaseIsAwayChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(small())
		h.store.GoAway(true)
		def := small()
		def.Components[0].Name = "Shop"
		if _, err := h.watch.Apply(t.Context(), access.Host, def); problem.KindOf(err) != problem.KindUnavailable {
			t.Errorf("apply: %v", err)
		}
		if h.watch.Catalog().Components[0].Name != "Website" {
			t.Error("the catalog changed")
		}
	})
}
