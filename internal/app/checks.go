package app

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/telemetry"
)

// checksEvery is how often the parts are asked how they are.
const checksEvery = 2 * time.Second

// pingWithin bounds asking the database for a sign of life.
const pingWithin = time.Second

// followerLate is the lag at which a follower counts as behind.
const followerLate = 15 * time.Second

// senderLate is how long a loop that sends notices may be without success, and
// pageLate how old the shown page may be: it is rendered every minute.
const (
	senderLate = 30 * time.Second
	pageLate   = 3 * time.Minute
)

// checkHealth tells /readyz how the parts are, until ctx ends.
func (a *App) checkHealth(ctx context.Context, h *house) error {
	p := &pulse{moved: time.Now()}
	tick := time.NewTicker(checksEvery)
	defer tick.Stop()
	for {
		a.checkOnce(ctx, h, p)
		select {
		case <-ctx.Done():
			a.health.Need("database", false, "the hub is stopping")
			return nil
		case <-tick.C:
		}
	}
}

func (a *App) checkOnce(ctx context.Context, h *house, p *pulse) {
	bounded, cancel := context.WithTimeout(ctx, pingWithin)
	err := h.store.Ping(bounded)
	cancel()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		why := "no sign of life within " + pingWithin.String()
		if problem.KindOf(err) == problem.KindUnavailable {
			why = problem.Public(err)
		}
		a.health.Need("database", false, "nothing can be stored, pages are served as they were kept: "+why)
	} else {
		a.health.Need("database", true, h.store.Engine())
	}
	l := h.latency.Health()
	a.health.Note("redis", l.OK, l.Detail)
	lags := h.wings.lags()
	lags["page follower"], lags["sealer"] = h.follower.Lag(), h.sealer.Lag()
	for name, lag := range lags {
		a.health.Need(name, lag < followerLate, fmt.Sprintf("%.1f s behind", lag.Seconds()))
	}
	a.checkSender(h)
	a.checkMail(ctx, h)
	fresh := a.web.Fresh()
	a.health.Need("page", time.Since(fresh) < pageLate, "shown as of "+fresh.Format(time.RFC3339))
	stats := h.watch.Stats()
	a.health.Note("recorder", stats.Behind == 0 || err == nil, fmt.Sprintf("%d components wait for the record", stats.Behind))
	a.checkSchedule(h, p, time.Now())
	a.health.Beat("checks", checksEvery)
}

// checkSender reports the loops that send notices, while they run here.
func (a *App) checkSender(h *house) {
	loop, behind := h.wings.sender.Lag()
	detail := "all loops that send look for work, or another replica sends"
	if loop != "" {
		detail = fmt.Sprintf("%s has not got on for %.0f s", loop, behind.Seconds())
	}
	a.health.Need("sender", behind < senderLate, detail)
}

// pulse notices whether the scheduler goes on probing.
type pulse struct {
	runs  int64
	moved time.Time
}

// checkSchedule reports the scheduler while this process watches: it is stale
// when no probe has finished for three of the shortest intervals and a timeout.
func (a *App) checkSchedule(h *house, p *pulse, now time.Time) {
	stats := h.runner.Stats()
	if !a.watching.Load() {
		p.moved = now
		a.health.Note("schedule", true, "another replica watches, or the lease is not taken yet")
		return
	}
	if stats.Runs != p.runs || stats.Monitors == 0 {
		p.runs, p.moved = stats.Runs, now
	}
	shortest := time.Minute
	for _, m := range h.watch.Catalog().Monitors {
		shortest = min(shortest, m.Interval)
	}
	silent := now.Sub(p.moved)
	a.health.Need("schedule", silent < 3*shortest+15*time.Second, fmt.Sprintf("%d monitors in %d slots, the last probe finished %.0f s ago", stats.Monitors, stats.Slots, silent.Seconds()))
}

// adminOptions is what the admin listener serves.
func (a *App) adminOptions() telemetry.AdminOptions {
	o := telemetry.AdminOptions{Registry: a.registry, Health: a.health, Log: a.log, Reload: a.Reload, Pprof: a.config.Load().Pprof, API: a.web.Admin(),
		Series: func(w io.Writer) error {
			if h := a.house.Load(); h != nil {
				return h.runner.WriteMetrics(w)
			}
			return nil
		}}
	if path, err := filepath.Abs(a.o.Path); a.o.Path != "" && err == nil {
		o.ConfigPath = path
	}
	return o
}
