package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// measured is one stretch of probing seen from both sides.
type measured struct {
	stats  targetStats
	cpuPer float64 // CPU seconds per 1,000 probes
	share  float64 // of one core
	rss    int64
	extra  float64
}

// stretch measures a process that probes the targets for one window.
func stretch(ctx context.Context, targets string, pid int, interval, window time.Duration) (measured, error) {
	if err := control(targets, "reset"); err != nil {
		return measured{}, err
	}
	before, err := cpu(pid)
	if err != nil {
		return measured{}, err
	}
	began := time.Now()
	if err := pause(ctx, window); err != nil {
		return measured{}, err
	}
	after, err := cpu(pid)
	if err != nil {
		return measured{}, err
	}
	took := time.Since(began)
	var m measured
	if err := fetch(fmt.Sprintf("http://%s/ctl/stats?interval=%s", targets, interval), &m.stats); err != nil {
		return measured{}, err
	}
	if m.stats.Hits == 0 {
		return measured{}, errors.New("nothing was probed")
	}
	m.cpuPer = (after - before).Seconds() / float64(m.stats.Hits) * 1000
	m.share = (after - before).Seconds() / took.Seconds()
	m.rss, err = rss(pid)
	return m, err
}

// probesAt compares hub and raw loop at a rate, kept and fresh, in alternation.
func probesAt(rate, n int, interval time.Duration) func(context.Context, *lab) error {
	return func(ctx context.Context, l *lab) error {
		for _, kept := range []bool{true, false} {
			if err := compareProbing(ctx, l, rate, n, interval, kept); err != nil {
				return err
			}
		}
		return nil
	}
}

// startOver is how long a hub is left alone after its start: the first verdicts
// have moved the page by then, and it has been compressed well, which takes the
// one processor for tens of milliseconds at a time.
const startOver = 12 * time.Second

func compareProbing(ctx context.Context, l *lab, rate, n int, interval time.Duration, kept bool) (err error) {
	slot := 10 * time.Millisecond
	if rate <= 100 {
		slot = 50 * time.Millisecond
	}
	tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", fmt.Sprint(n))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tp.stop()) }()
	base := "http://" + addr + "/t/"
	var ours, raw, oursP99, rawP99 []float64
	missed := 0
	window := max(l.window, interval+2*time.Second)
	for range l.rounds {
		h, err := startHub(ctx, l.hub, hubOptions{monitors: n, components: min(n, 100), interval: interval, base: base, kept: kept})
		if err != nil {
			return err
		}
		warm := interval + startOver
		m, err := onceWarm(ctx, addr, h.pid(), interval, window, warm)
		if err := errors.Join(err, h.close()); err != nil {
			return err
		}
		ours, oursP99, missed = append(ours, m.cpuPer), append(oursP99, m.stats.GapP99), missed+m.stats.Missed
		rp, _, err := start(ctx, 0, true, os.Stderr, []string{"GOMAXPROCS=1"}, self(), "rawloop", "-base", base, "-n", fmt.Sprint(n),
			"-interval", interval.String(), "-slot", slot.String(), fmt.Sprintf("-kept=%t", kept))
		if err != nil {
			return err
		}
		m, err = onceWarm(ctx, addr, rp.pid(), interval, window, warm)
		if err := errors.Join(err, rp.stop()); err != nil {
			return err
		}
		raw, rawP99 = append(raw, m.cpuPer), append(rawP99, m.stats.GapP99)
	}
	word, goal := "kept", "≤ 0.30 s; ≤ 2.5x"
	if rate >= 1000 {
		goal = "≤ 0.15 s; ≤ 2.5x"
	}
	if !kept {
		word, goal = "fresh", "shown"
	}
	l.add(fmt.Sprintf("CPU per 1,000 probes at %d/s, %s", rate, word), fmt.Sprintf("%.3f s", median(ours)), fmt.Sprintf("raw loop %.3f s", median(raw)),
		fmt.Sprintf("%.2fx", median(ratios(ours, raw))), goal)
	l.add(fmt.Sprintf("schedule deviation p99 at %d/s, %s", rate, word), fmt.Sprintf("%.1f ms, %d missed", median(oursP99), missed),
		fmt.Sprintf("raw loop %.1f ms", median(rawP99)), fmt.Sprintf("%.2fx", median(ratios(oursP99, rawP99))), "≤ 1.5x")
	return nil
}

func onceWarm(ctx context.Context, targets string, pid int, interval, window, warm time.Duration) (measured, error) {
	if err := pause(ctx, warm); err != nil {
		return measured{}, err
	}
	return stretch(ctx, targets, pid, interval, window)
}

// probesMost offers about 70 % of what one core should do and computes the full-core rate from the CPU used.
func probesMost(ctx context.Context, l *lab) (err error) {
	for _, c := range []struct {
		kept bool
		n    int
		goal string
	}{{true, 8400, "≥ 12,000/s, none missed"}, {false, 3150, "≥ 4,500/s, none missed"}} {
		tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", fmt.Sprint(c.n))
		if err != nil {
			return err
		}
		var most []float64
		var offered measured
		for range min(l.rounds, 3) {
			h, err := startHub(ctx, l.hub, hubOptions{monitors: c.n, components: 100, interval: time.Second, base: "http://" + addr + "/t/", kept: c.kept})
			if err != nil {
				return errors.Join(err, tp.stop())
			}
			m, err := onceWarm(ctx, addr, h.pid(), time.Second, l.window, 4*time.Second)
			if err == nil {
				m.extra, err = h.metric("evenkeel_ticks_missed_total")
			}
			if err := errors.Join(err, h.close()); err != nil {
				return errors.Join(err, tp.stop())
			}
			most, offered = append(most, 1000/m.cpuPer), m
		}
		word := "kept"
		if !c.kept {
			word = "fresh"
		}
		l.add("probes per second on one core, "+word, fmt.Sprintf("%.0f/s (from %.3f s per 1,000 at %d/s)", median(most), 1000/median(most), c.n),
			fmt.Sprintf("%.0f%% of the core, %.0f ticks missed", offered.share*100, offered.extra), "", c.goal)
		if err := tp.stop(); err != nil {
			return err
		}
	}
	return nil
}

// hangingTenth lets every tenth target hang and looks at the others' schedule.
func hangingTenth(ctx context.Context, l *lab) (err error) {
	const n = 1000
	tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", fmt.Sprint(n))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tp.stop()) }()
	var with, without []float64
	for range l.rounds {
		h, err := startHub(ctx, l.hub, hubOptions{monitors: n, components: 100, interval: time.Second, base: "http://" + addr + "/t/", kept: true})
		if err != nil {
			return err
		}
		for _, k := range []string{"0", "10"} {
			err := control(addr, "set?hang="+k)
			var m measured
			if err == nil {
				m, err = onceWarm(ctx, addr, h.pid(), time.Second, l.window, 3*time.Second)
			}
			if err != nil {
				return errors.Join(err, h.close())
			}
			if k == "0" {
				without = append(without, m.stats.GapP99)
			} else {
				with = append(with, m.stats.GapP99)
			}
		}
		if err := errors.Join(control(addr, "set?hang=0"), h.close()); err != nil {
			return err
		}
	}
	l.add("schedule deviation p99 with a tenth of 1,000 targets hanging", fmt.Sprintf("%.1f ms", median(with)),
		fmt.Sprintf("none hanging %.1f ms", median(without)), fmt.Sprintf("%.2fx", median(ratios(with, without))), "no other tick delayed")
	return nil
}

// accuracy compares recorded latency with what a delayed target really took:
// its own clock, because its sleep is never exact.
func accuracy(ctx context.Context, l *lab) (err error) {
	const n = 1000
	tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", fmt.Sprint(n))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tp.stop()) }()
	if err := control(addr, "set?delay=50ms"); err != nil {
		return err
	}
	var errs []float64
	var took float64
	for range min(l.rounds, 3) {
		h, err := startHub(ctx, l.hub, hubOptions{monitors: n, components: 100, interval: time.Second, base: "http://" + addr + "/t/", kept: true})
		if err != nil {
			return err
		}
		some, real, err := recorded(ctx, h, addr, n, l.window)
		if err := errors.Join(err, h.close()); err != nil {
			return err
		}
		errs, took = append(errs, some...), real
	}
	l.add("recorded latency of a 50 ms target at 1,000/s", fmt.Sprintf("median %.2f ms more, p99 %.2f ms (%d samples)", median(errs), quantile(errs, 0.99), len(errs)),
		fmt.Sprintf("the target's own %.2f ms", took), "", "≤ 0.3 ms median")
	return nil
}

// recorded reads samples of every fiftieth monitor and gives how much more than
// the target's own time they say, in ms, and that time.
func recorded(ctx context.Context, h *hub, targets string, n int, window time.Duration) (errs []float64, took float64, err error) {
	if err := pause(ctx, 5*time.Second); err != nil {
		return nil, 0, err
	}
	if err := control(targets, "reset"); err != nil {
		return nil, 0, err
	}
	from := time.Now().UTC()
	if err := pause(ctx, window); err != nil {
		return nil, 0, err
	}
	var s targetStats
	if err := fetch(fmt.Sprintf("http://%s/ctl/stats?interval=1s", targets), &s); err != nil {
		return nil, 0, err
	}
	to := time.Now().UTC()
	if err := pause(ctx, 2*time.Second); err != nil { // until the last ones are recorded
		return nil, 0, err
	}
	for i := 0; i < n; i += 50 {
		var got struct {
			Samples []struct {
				Latency float64 `json:"latency_s"`
			} `json:"samples"`
		}
		err := fetch(fmt.Sprintf("%s/api/v1/monitors/m-%d/samples?from=%s&to=%s", h.admin, i, from.Format(time.RFC3339), to.Format(time.RFC3339)), &got)
		if err != nil {
			return nil, 0, err
		}
		for _, one := range got.Samples {
			errs = append(errs, one.Latency*1000-s.Took)
		}
	}
	return errs, s.Took, nil
}

// ramp watches how long the last of many monitors waits for its first probe.
func ramp(ctx context.Context, l *lab) error {
	for _, n := range []int{1000, 10000} {
		tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", fmt.Sprint(n))
		if err != nil {
			return err
		}
		if err := control(addr, "reset"); err != nil {
			return errors.Join(err, tp.stop())
		}
		const interval = 10 * time.Second
		h, err := startHub(ctx, l.hub, hubOptions{monitors: n, components: 100, interval: interval, base: "http://" + addr + "/t/", kept: true})
		if err != nil {
			return errors.Join(err, tp.stop())
		}
		var s targetStats
		err = pause(ctx, interval+3*time.Second)
		if err == nil {
			err = fetch(fmt.Sprintf("http://%s/ctl/stats?interval=%s", addr, interval), &s)
		}
		if err := errors.Join(err, h.close(), tp.stop()); err != nil {
			return err
		}
		l.add(fmt.Sprintf("last first probe of %d monitors at 10 s", n), fmt.Sprintf("%.1f s, %d of %d probed", s.LastFirst, s.Targets, n), "interval 10 s", "", "within one interval")
	}
	return nil
}

// detection breaks one target at changing moments and waits for API and open page.
func detection(ctx context.Context, l *lab) (err error) {
	tp, addr, err := start(ctx, 1, true, os.Stderr, nil, self(), "targets", "-n", "100")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tp.stop()) }()
	h, err := startHub(ctx, l.hub, hubOptions{monitors: 100, components: 100, interval: 10 * time.Second, base: "http://" + addr + "/t/", kept: true, confirm: 1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := pause(ctx, 12*time.Second); err != nil {
		return err
	}
	live, err := openLive(ctx, h.url)
	if err != nil {
		return err
	}
	defer live.Body.Close()
	rings := make(chan struct{}, 64)
	go func() {
		defer close(rings)
		lines := bufio.NewScanner(live.Body)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "id:") {
				select {
				case rings <- struct{}{}:
				default:
				}
			}
		}
	}()
	var api, page []float64
	for i := range 2 * l.rounds {
		if err := pause(ctx, time.Duration(i*1370%10000)*time.Millisecond); err != nil {
			return err
		}
		if err := control(addr, fmt.Sprintf("set?fail=%d", i)); err != nil {
			return err
		}
		broke := time.Now()
		want := fmt.Sprintf("component-%d", i)
		pageAt := time.Duration(0)
		for apiAt := time.Duration(0); apiAt == 0 || pageAt == 0; {
			select {
			case <-rings:
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
			if apiAt == 0 {
				if bad, err := componentBad(h.url, want); err != nil {
					return err
				} else if bad {
					apiAt = time.Since(broke)
					api = append(api, apiAt.Seconds())
				}
			}
			if pageAt == 0 && apiAt > 0 {
				body, err := get(h.url + "/")
				if err != nil {
					return err
				}
				if strings.Contains(body, fmt.Sprintf("Service number %d ", i)) || strings.Contains(body, "checks see failures") {
					pageAt = time.Since(broke)
					page = append(page, pageAt.Seconds())
				}
			}
			if time.Since(broke) > 30*time.Second {
				return fmt.Errorf("an outage of %s was not shown within 30 s", want)
			}
		}
		if err := control(addr, "set?fail=-1"); err != nil {
			return err
		}
		if err := pause(ctx, 11*time.Second); err != nil {
			return err
		}
	}
	l.add("outage to API, 10 s interval", fmt.Sprintf("median %.1f s, most %.1f s (%d)", median(api), quantile(api, 1), len(api)), "half the interval 5.0 s", "", "median ≤ 5.3 s, most ≤ 11.3 s")
	l.add("outage to open page, 10 s interval", fmt.Sprintf("median %.1f s, most %.1f s", median(page), quantile(page, 1)), "half the interval 5.0 s", "", "median ≤ 5.3 s, most ≤ 11.3 s")
	return nil
}

func openLive(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/live", nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

func componentBad(url, id string) (bool, error) {
	var summary struct {
		Components []struct{ ID, Status string }
	}
	if err := fetch(url+"/api/v2/summary.json", &summary); err != nil {
		return false, err
	}
	for _, c := range summary.Components {
		if c.ID == id {
			return c.Status == "major_outage", nil
		}
	}
	return false, fmt.Errorf("summary.json knows no %s", id)
}

func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return string(raw), err
}
