package status_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/status/statustest"
)

// house is a whole Watch on in-memory engines, inside a bubble of virtual time.
type house struct {
	t       *testing.T
	store   *statustest.Store
	latency *statustest.Latency
	watch   *status.Watch
	stop    context.CancelFunc
	done    chan error
	began   time.Time
}

func build(t *testing.T) *house {
	h := &house{t: t, store: statustest.New(time.Now), latency: &statustest.Latency{}, began: time.Now()}
	h.open()
	return h
}

// watching plays a story in virtual time: a house with that definition, whose
// Watch runs from before the story until after it.
func watching(t *testing.T, def status.Definition, story func(t *testing.T, h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(def)
		h.start()
		story(t, h)
		h.halt()
	})
}

// open makes a Watch as a process does when it starts.
func (h *house) open() {
	h.watch = status.NewWatch(status.WatchDeps{
		Work: h.store, Store: h.store, Latency: h.latency, Calendar: statustest.Calendar{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err := h.watch.Load(h.t.Context()); err != nil {
		h.t.Fatalf("load: %v", err)
	}
}

// start runs the Watch until halt or the end of the test.
func (h *house) start() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop, h.done = stop, make(chan error, 1)
	lease := h.store.Lease()
	go func() { h.done <- h.watch.Run(ctx, lease) }()
	h.rest(time.Second)
}

// halt stops the Watch cleanly.
func (h *house) halt() {
	h.t.Helper()
	h.stop()
	if err := <-h.done; err != nil {
		h.t.Fatalf("run: %v", err)
	}
}

// rest lets virtual time go by.
func (h *house) rest(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

func (h *house) apply(def status.Definition) status.Plan {
	h.t.Helper()
	p, err := h.watch.Apply(h.t.Context(), access.Host, def)
	if err != nil {
		h.t.Fatalf("apply: %v", err)
	}
	return p
}

// play gives one result of a monitor every interval.
func (h *house) play(monitor, letters string) {
	for _, l := range letters {
		r := status.Result{Monitor: monitor, Location: status.LocalLocation, Due: time.Now(), Started: time.Now(), Latency: 20 * time.Millisecond}
		switch l {
		case 'f':
			r.Outcome, r.Cause, r.Reason = status.Failed, status.CauseNoAnswer, "connection refused"
		case 's':
			r.Outcome, r.Cause = status.Slow, status.CauseSlowAnswer
		case 'i':
			r.Outcome, r.Cause = status.Inconclusive, status.CauseSelf
		}
		h.watch.Observe([]status.Result{r})
		h.rest(10 * time.Second)
	}
}

// line writes a timeline as stored: status and second since the beginning.
func (h *house) line(track status.Track, component string) string {
	h.t.Helper()
	spans, err := h.store.Spans(context.Background(), component, track, h.began.AddDate(-1, 0, 0), time.Now().AddDate(1, 0, 0))
	if err != nil || len(spans) == 0 {
		h.t.Fatalf("%d spans: %v", len(spans), err)
	}
	var b strings.Builder
	for i, s := range spans {
		if i > 0 && !spans[i-1].To.Equal(s.From) || s.Open() != (i == len(spans)-1) {
			h.t.Fatalf("spans do not tile: %+v", spans)
		}
		fmt.Fprintf(&b, " %s@%d", s.Status, int(s.From.Sub(h.began)/time.Second))
	}
	return strings.TrimSpace(b.String())
}

func (h *house) want(track status.Track, component, want string) {
	h.t.Helper()
	if got := h.line(track, component); got != want {
		h.t.Errorf("%s track of %s:\n got %s\nwant %s", track, component, got, want)
	}
}

func (h *house) verbs() []string {
	var out []string
	for _, e := range h.store.Entries() {
		out = append(out, e.Verb)
	}
	return out
}

func small() status.Definition {
	return status.Definition{
		Site:       status.Site{Name: "Example", Zone: "Etc/UTC", Weights: status.Weights{Major: 1, Partial: 0.3}},
		Components: []status.DefinedComponent{{Component: status.Component{ID: "web", Name: "Website", Public: true}}},
		Monitors: []status.DefinedMonitor{{
			Monitor: status.Monitor{ID: "web-http", Component: "web", Kind: "http", Interval: 10 * time.Second, Locations: []string{status.LocalLocation}},
			Mark:    "a",
		}},
	}
}

// TestWatchRecordsAnOutage: an outage is on the record and the page by itself (S1-21, S1-22).
func TestWatchRecordsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(small())
		h.start()
		h.play("web-http", "ggffffggg") // 1, 11; failed 21…51; good from 61
		for _, track := range []status.Track{status.Observed, status.Published} {
			h.want(track, "web", "not_measured@0 operational@1 major_outage@21 operational@61")
		}
		decisions, err := h.store.Decisions(t.Context(), "web-http", 10)
		if err != nil || len(decisions) != 2 {
			t.Fatalf("%d decisions, %v", len(decisions), err)
		}
		if d := decisions[1]; d.To != status.LevelDown || !strings.Contains(d.Staff, "connection refused") || strings.Contains(d.Public, "refused") {
			t.Errorf("decision %+v", d)
		}
		if last, ok := h.watch.Last("web-http"); !ok || last.Outcome != status.OK {
			t.Errorf("last result %+v", last)
		}
		h.halt()
		verbs := h.verbs()
		for verb, want := range map[string]int{"setup.applied": 1, "component.added": 1, "monitor.added": 1, "hub.started": 1, "hub.stopped": 1, "component.moved": 8} {
			got := 0
			for _, v := range verbs {
				if v == verb {
					got++
				}
			}
			if got != want {
				t.Errorf("%d entries %s, want %d: %v", got, verb, want, verbs)
			}
		}
	})
}

func TestWatchEntriesNameSpanTrackAndAudience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(small())
		h.start()
		h.play("web-http", "gff")
		h.halt()
		for _, e := range h.store.Entries() {
			if e.Verb != "component.moved" || e.Payload["to"] != string(status.MajorOutage) {
				continue
			}
			want := journal.AudienceStaff
			if e.Payload["track"] == string(status.Published) {
				want = journal.AudiencePublic
			}
			if e.Audience != want || e.Subject.ID != "web" || e.Payload["from"] != string(status.Operational) || e.Payload["span"] == "" {
				t.Errorf("entry %+v", e)
			}
			if late := e.RecordedAt.Sub(e.EffectiveAt); late < 10*time.Second {
				t.Errorf("recorded %s after it became true, want the time of a confirmation", late)
			}
		}
	})
}

func TestWatchGoesOnWhileTheDatabaseIsAway(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		h.play("web-http", "gg")
		h.store.GoAway(true)
		h.play("web-http", "ffffggggffgg") // failed 21…51, good from 61, failed 101, 111, good from 121
		if v, _ := h.watch.Verdict("web-http"); v.Level != status.LevelUp {
			t.Errorf("level %s while the database is away", v.Level)
		}
		if h.watch.Stats().Behind != 1 {
			t.Errorf("stats %+v", h.watch.Stats())
		}
		h.store.GoAway(false)
		h.rest(30 * time.Second)
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@21 operational@61 major_outage@101 operational@121")
	})
}

func TestWatchCommitThatNobodyHeardOf(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		h.play("web-http", "ggf")
		h.store.LoseAnswer()
		h.play("web-http", "fffgg")
		h.rest(20 * time.Second)
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@21 operational@61")
	})
}

func TestWatchStopsWhenTheLeaseIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(small())
		h.start()
		h.play("web-http", "gg")
		before := h.store.Commits()
		h.store.Usurp()
		h.play("web-http", "ff")
		select {
		case err := <-h.done:
			if problem.KindOf(err) != problem.KindConflict {
				t.Errorf("run ended with %v, want a Conflict", err)
			}
		default:
			t.Fatal("still running without the lease")
		}
		if after := h.store.Commits(); after != before {
			t.Errorf("%d commits under an old lease", after-before)
		}
		h.want(status.Published, "web", "not_measured@0 operational@1")
		h.stop()
	})
}

func TestWatchRestartMeasuresNoGapAndKeepsStreaks(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		h.play("web-http", "gff") // down since 11
		h.halt()                  // at 31
		h.rest(10 * time.Minute)
		h.open()
		h.start()                 // at 632
		h.play("web-http", "gfg") // 632, 642, 652: one good result does not recover
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 not_measured@31 major_outage@632")
		h.play("web-http", "gg")
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11 not_measured@31 major_outage@632 operational@652")
	})
}

func TestWatchCrashLosesAtMostAliveEvery(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		h.play("web-http", "ggggg") // alive at 0, with the first verdict at 1, then at 11, …, 51
		h.store.GoAway(true)        // from here on nothing is written, as after kill -9
		h.stop()
		<-h.done
		h.store.GoAway(false)
		h.rest(time.Minute)
		h.open()
		h.start()
		h.play("web-http", "g")
		h.want(status.Published, "web", "not_measured@0 operational@1 not_measured@51 operational@112")
	})
}

func TestWatchStreaksAreWrittenInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := small()
		def.Monitors = nil
		for i := range 200 {
			def.Monitors = append(def.Monitors, status.DefinedMonitor{Monitor: status.Monitor{
				ID: fmt.Sprintf("m%d", i), Component: "web", Kind: "tcp", Interval: 10 * time.Second, Locations: []string{status.LocalLocation},
			}})
		}
		h := build(t)
		h.apply(def)
		h.start()
		all := func(o status.Outcome) {
			for i := range 200 { // one batch every 5 ms
				h.watch.Observe([]status.Result{{Monitor: fmt.Sprintf("m%d", i), Location: status.LocalLocation, Due: time.Now(), Started: time.Now(), Outcome: o, Cause: status.CauseNoAnswer}})
				h.rest(5 * time.Millisecond)
			}
		}
		all(status.OK)
		h.rest(9 * time.Second)
		before := h.store.Commits()
		all(status.Failed) // 200 streaks begin within a second, none crosses
		h.rest(2 * time.Second)
		if n := h.store.Commits() - before; n > 8 {
			t.Errorf("%d commits for 200 streaks in a second, want about four and a sign of life", n)
		}
		streaks, err := h.store.Streaks(t.Context())
		if err != nil || len(streaks) != 200 || streaks[0].Fails != 1 {
			t.Errorf("%d streaks, %v", len(streaks), err)
		}
		h.halt()
	})
}

func TestWatchObserveNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(small()) // nobody runs: the inbox fills
		batch := make([]status.Result, 1000)
		for i := range batch {
			batch[i] = status.Result{Monitor: "web-http", Location: status.LocalLocation, Due: time.Now(), Started: time.Now()}
		}
		for range 20 {
			h.watch.Observe(batch)
		}
		if got, want := h.watch.Dropped(), uint64(20_000-status.MaxInbox); got != want {
			t.Errorf("dropped %d, want %d", got, want)
		}
		h.start()
		h.halt()
	})
}

func TestWatchConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := small()
		def.Components[0].Publish, def.Components[0].PublishAfter = status.PublishAfterConfirm, time.Hour
		h := build(t)
		h.apply(def)
		h.start()
		if err := h.watch.Confirm(t.Context(), access.Visitor, "web"); problem.KindOf(err) != problem.KindForbidden {
			t.Errorf("a visitor confirms: %v", err)
		}
		if err := h.watch.Confirm(t.Context(), access.Host, "web"); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("confirming nothing: %v", err)
		}
		if err := h.watch.Confirm(t.Context(), access.Host, "nope"); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("confirming an unknown component: %v", err)
		}
		h.play("web-http", "gff")
		h.want(status.Published, "web", "not_measured@0 operational@1")
		if err := h.watch.Confirm(t.Context(), access.Host, "web"); err != nil {
			t.Fatal(err)
		}
		h.rest(time.Second)
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@11")
		h.halt()
		if !slices.Contains(h.verbs(), "component.confirmed") {
			t.Error("the confirmation is not in the journal")
		}
	})
}

func TestWatchConfirmedTroubleSurvivesRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := small()
		def.Components[0].Publish, def.Components[0].PublishAfter = status.PublishAfterConfirm, time.Hour
		h := build(t)
		h.apply(def)
		h.start()
		h.play("web-http", "gff")
		if err := h.watch.Confirm(t.Context(), access.Host, "web"); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time, what is open is not measured
			h.halt()
			h.rest(30 * time.Second)
			h.open()
			h.start()
		}
		h.play("web-http", "f")
		if got := h.line(status.Published, "web"); !strings.HasSuffix(got, " not_measured@31 major_outage@93") {
			t.Errorf("published %s", got)
		}
		h.halt()
	})
}

func TestWatchHoldIsBoundedAndNamed(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		if err := h.watch.Hold("nope", time.Now(), ""); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("hold of an unknown component: %v", err)
		}
		h.play("web-http", "g")
		if err := h.watch.Hold("web", time.Now().Add(1000*time.Hour), "shop 2.31.0"); err != nil {
			t.Fatal(err)
		}
		h.play("web-http", "ffg")
		h.want(status.Published, "web", "not_measured@0 operational@1")
		h.play("web-http", strings.Repeat("g", 360)) // the hold is over after MaxHold
		h.play("web-http", "ff")
		h.want(status.Published, "web", "not_measured@0 operational@1 major_outage@3641")
	})
}

func TestWatchSentinelsAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := small()
		def.Monitors = append(def.Monitors, status.DefinedMonitor{Monitor: status.Monitor{
			ID: "outside", Kind: "icmp", Sentinel: true, Interval: time.Minute, Locations: []string{status.LocalLocation},
		}})
		h := build(t)
		h.apply(def)
		h.start()
		h.play("web-http", "gf")
		go func() { // the runner: asked for, the sentinel answers within a second
			<-h.watch.NeedSentinels()
			h.rest(time.Second)
			h.watch.Observe([]status.Result{{
				Monitor: "outside", Location: status.LocalLocation, Due: time.Now(), Started: time.Now(), Outcome: status.Failed, Cause: status.CauseNoAnswer,
			}})
		}()
		h.play("web-http", "f")
		h.want(status.Published, "web", "not_measured@0 operational@1")
		if v, _ := h.watch.Verdict("web-http"); v.Level != status.LevelUp || !strings.Contains(v.Held, "sentinels fail") {
			t.Errorf("verdict %+v", v)
		}
		h.halt()
	})
}

func TestWatchDayRows(t *testing.T) {
	watching(t, small(), func(t *testing.T, h *house) {
		h.play("web-http", strings.Repeat("g", 2*360))
		h.rest(time.Hour)
		rows, err := h.store.Days(t.Context(), "web-http", h.began.Truncate(24*time.Hour), h.began.AddDate(0, 0, 2))
		if err != nil || len(rows) != 1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		hours, err := status.UnpackDay(rows[0].Packed)
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		for i := range hours {
			n += hours[i].Count()
		}
		if n != 720 {
			t.Errorf("%d samples in the day row, want 720", n)
		}
	})
}

func TestWatchFreezesMonths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t) // on 1 January 2000, as every bubble
		h.apply(small())
		h.start()
		h.play("web-http", "gffgg")
		h.halt()
		frozenAfter := func(off time.Duration) []status.Month {
			h.rest(off)
			h.open()
			h.start()
			h.rest(5 * time.Second)
			h.halt()
			months, err := h.store.Months(t.Context(), "web")
			if err != nil {
				t.Fatal(err)
			}
			return months
		}
		if months := frozenAfter(33 * 24 * time.Hour); len(months) != 0 {
			t.Errorf("on 3 February: %+v", months)
		}
		months := frozenAfter(2 * 24 * time.Hour)
		if len(months) != 1 || months[0].Month != "2000-01" {
			t.Fatalf("on 5 February: %+v", months)
		}
		if got := months[0].Tally; got.Total() != 31*24*time.Hour || got.Major != 20*time.Second {
			t.Errorf("tally %+v", got)
		}
	})
}

func TestWatchPrunesInBites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(small())
		h.watch.Keep(status.Retention{Decisions: time.Hour})
		h.start()
		h.play("web-http", "gffgg")
		h.rest(3 * time.Hour)
		left, err := h.store.Decisions(t.Context(), "web-http", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range left {
			if time.Since(d.At) > 2*time.Hour {
				t.Errorf("decision of %s is kept", d.At)
			}
		}
		h.halt()
	})
}

// TestWatchChaos plays results at random while the database goes away, commits
// without being heard, and the hub stops, crashes and starts. At the end the
// record tiles time and says what the checks said last.
func TestWatchChaos(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				h := build(t)
				h.apply(small())
				h.start()
				for range 120 {
					switch rng.IntN(14) {
					case 0:
						h.store.GoAway(true)
					case 1, 2:
						h.store.GoAway(false)
					case 3:
						h.store.LoseAnswer()
					case 4:
						h.store.GoAway(false)
						h.halt()
						h.rest(time.Duration(rng.IntN(100)) * time.Second)
						h.open()
						h.start()
					case 5: // a crash: the last writes are lost
						h.store.GoAway(true)
						h.stop()
						<-h.done
						h.store.GoAway(false)
						h.open()
						h.start()
					case 6, 7:
						h.play("web-http", "ff")
					case 8, 9:
						h.play("web-http", "gg")
					case 10:
						h.rest(2 * time.Minute)
					default:
						h.play("web-http", string("gsfi"[rng.IntN(4)]))
					}
				}
				h.store.GoAway(false)
				h.play("web-http", "ffff")
				h.rest(30 * time.Second)
				for _, track := range []status.Track{status.Observed, status.Published} {
					if got := h.line(track, "web"); !strings.Contains(got[strings.LastIndex(got, " "):], "major_outage") {
						t.Errorf("%s ends %s", track, got[strings.LastIndex(got, " "):])
					}
				}
				h.halt()
			})
		})
	}
}
