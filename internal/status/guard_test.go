package status

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func sentinelled() Catalog {
	cat := one(Rule{})
	for _, id := range []string{"s1", "s2", "s3"} {
		cat.Monitors = append(cat.Monitors, Monitor{ID: id, Sentinel: true})
	}
	return cat
}

func TestGuardOwnConnectionGone(t *testing.T) {
	r := newRig(t, sentinelled())
	for _, s := range []string{"s1", "s2", "s3"} {
		r.see(s, 'g')
	}
	r.play("m", "gf")
	r.see("m", 'f') // would go down: waits for sentinels
	if r.asks == 0 {
		t.Error("sentinels were not asked for")
	}
	if v := r.e.monitors["m"].verdict(); v.Level != LevelUp {
		t.Errorf("level %s while waiting", v.Level)
	}
	r.pass(time.Second)
	for range 4 {
		r.see("s1", 'f')
		r.see("s2", 'f')
		r.play("m", "f")
	}
	r.want(Observed, "web", "ok@0")
	if h := r.held("m"); len(h) != 1 || !strings.Contains(h[0], "sentinels fail") {
		t.Errorf("held: %v", h)
	}
	// We are back: one failure alone does not go down, two do.
	for _, s := range []string{"s1", "s2", "s3"} {
		r.see(s, 'g')
	}
	r.play("m", "f")
	r.want(Observed, "web", "ok@0")
	for _, s := range []string{"s1", "s2", "s3"} {
		r.see(s, 'g')
	}
	r.play("m", "f")
	r.want(Observed, "web", "ok@0 down@61")
}

func TestGuardSentinelsFineLetTheOutageThrough(t *testing.T) {
	r := newRig(t, sentinelled())
	r.play("m", "gf")
	r.see("m", 'f')
	r.want(Observed, "web", "ok@0")
	r.see("s1", 'g')
	r.want(Observed, "web", "ok@0")
	r.see("s2", 'g') // two of three: decided
	r.want(Observed, "web", "ok@0 down@10")
}

func TestGuardWaitsAtMostTwoSeconds(t *testing.T) {
	r := newRig(t, sentinelled())
	r.play("m", "gf")
	r.see("m", 'f')
	r.pass(time.Second)
	r.want(Observed, "web", "ok@0")
	r.pass(time.Second)
	r.want(Observed, "web", "ok@0 down@10")
}

func TestGuardKeepsOrderBehindAWaitingResult(t *testing.T) {
	r := newRig(t, sentinelled())
	r.play("m", "gf")
	r.see("m", 'f') // 20: waits
	r.pass(time.Second)
	r.see("m", 'g') // 21, 22: must not overtake it
	r.pass(500 * time.Millisecond)
	r.see("m", 'g')
	if v := r.e.monitors["m"].verdict(); v.Level != LevelUp {
		t.Fatalf("level %s", v.Level)
	}
	r.pass(2 * time.Second)
	r.want(Observed, "web", "ok@0 down@10 ok@21")
}

func TestGuardThresholdProvesConnection(t *testing.T) {
	r := newRig(t, sentinelled())
	for _, s := range []string{"s1", "s2", "s3"} {
		r.see(s, 'f')
	}
	r.see("m", 'g')
	for range 2 {
		r.pass(time.Second)
		r.take(Result{Monitor: "m", Location: LocalLocation, Due: r.now, Started: r.now, Outcome: Failed, Cause: CauseThreshold})
	}
	r.want(Observed, "web", "ok@0 down@1")
}

func TestGuardClockJump(t *testing.T) {
	for name, c := range map[string]struct {
		jump time.Duration
		want string
	}{
		"forward a little": {20 * time.Second, "ok@0"},
		"back":             {-time.Hour, "ok@0"},
		"asleep an hour":   {time.Hour, "ok@0 ?@20 ok@3626"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, one(Rule{}))
			r.play("m", "gg")
			r.now = r.now.Add(c.jump) // the wall clock moves, the monotonic one does not
			r.see("m", 'f')
			r.pass(time.Second)
			r.see("m", 'f') // for two seconds nothing counts
			r.pass(2 * time.Second)
			held := r.held("m")
			if len(held) != 1 || !strings.Contains(held[0], "the clock jumped") {
				t.Errorf("held: %v", held)
			}
			r.pass(3 * time.Second)
			r.play("m", "gg")
			r.want(Observed, "web", c.want)
		})
	}
}

func TestGuardResultFromTheFuture(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.see("m", 'g')
	for range 5 {
		r.pass(time.Second)
		r.take(Result{Monitor: "m", Location: LocalLocation, Due: r.now.Add(time.Minute), Started: r.now, Outcome: Failed, Cause: CauseNoAnswer})
	}
	r.want(Observed, "web", "ok@0")
	if h := r.held("m"); len(h) != 1 || !strings.Contains(h[0], "due in the future") {
		t.Errorf("held: %v", h)
	}
}

func TestHoldKeepsBlipsNeverOutages(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "g")
	r.e.ids["web"].hold = hold{until: r.now.Add(10 * time.Minute), why: "shop 2.31.0"}
	r.play("m", "ffg") // confirmed without the hold, a blip under it
	r.want(Published, "web", "ok@0")
	if h := r.held("m"); !slices.Equal(h, []string{"held for a rollout: shop 2.31.0"}) {
		t.Errorf("held: %v", h)
	}
	r.play("m", "ffff") // 40…70: twice the confirmations, dated back to the first
	r.want(Published, "web", "ok@0 down@40")
	r.play("m", "gg")
	r.want(Published, "web", "ok@0 down@40 ok@80")
}

func TestHoldEndsAndTheFailureCounts(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "g")
	r.e.ids["web"].hold = hold{until: r.now.Add(15 * time.Second)}
	r.play("m", "ff") // 10, 20 under the hold
	r.play("m", "f")  // 30: the hold is over, three in a row
	r.want(Published, "web", "ok@0 down@10")
}
