package app

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/netguard"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/monitors"
)

// probeEnv is what probes get of the outside. It lives as long as the hub, so
// that connections survive a reload.
func (a *App) probeEnv(file config.File) (monitors.Env, error) {
	guard, err := netguard.New(netguard.Options{
		AllowPrivate: file.Probe.AllowPrivate == nil || *file.Probe.AllowPrivate, Deny: file.Probe.Deny,
	})
	if err != nil {
		return monitors.Env{}, err
	}
	zone, err := time.LoadLocation(file.Page.TimeZone)
	if err != nil {
		return monitors.Env{}, problem.Invalid("page.time_zone", "%v", err)
	}
	agent := file.Probe.UserAgent
	if agent == "" {
		agent = "evenkeel/" + a.o.Version
	}
	return monitors.NewEnv(monitors.Env{Guard: guard, UserAgent: agent, DataDir: file.Data, Zone: zone, Pings: a.pings}), nil
}

// startRunner makes the runner with the monitors of the catalog; it probes only
// while this process holds the lease.
func (a *App) startRunner(ctx context.Context, h *house, file config.File) error {
	alive, err := h.store.Alive(ctx)
	if err != nil {
		return err
	}
	if !alive.IsZero() { // nobody could hear pings since
		a.env.Offline = monitors.Absence{From: alive, To: time.Now().UTC()}
		a.console.Offline = a.env.Offline
	}
	a.pings.use(h.store)
	h.runner, err = monitors.NewRunner(monitors.RunnerDeps{
		Observe: h.watch.Observe, Log: a.log.With("component", "monitors"), Registerer: h.metrics,
		Concurrency: a.config.Load().Probe.Concurrency, Calibrate: true,
	})
	if err != nil {
		return err
	}
	a.inner.push("probes", func(context.Context) error { h.runner.Close(); return nil })
	return a.setJobs(h, file)
}

// setJobs compiles the monitors of the file under the keys of the catalog and
// hands them to the runner, which keeps what has not changed.
func (a *App) setJobs(h *house, file config.File) error {
	specs := make(map[string]config.Monitor, len(file.Monitors)+len(file.Sentinels))
	for _, m := range file.Monitors {
		specs[m.ID] = m
	}
	for _, m := range file.Sentinels {
		specs[m.ID] = m
	}
	jobs := make([]monitors.Job, 0, len(specs))
	tokens := make(map[string]string)
	for _, m := range h.watch.Catalog().Monitors {
		spec, ok := specs[m.ID]
		if !ok {
			continue // defined by another replica's newer file; this one does not know how to probe it
		}
		env := a.env
		if file.Made(config.KindMonitor, m.ID) {
			env = a.console
		}
		probe, err := monitors.Compile(spec, env)
		if err != nil {
			for _, j := range jobs {
				j.Probe.Close()
			}
			return err
		}
		jobs = append(jobs, monitors.Job{
			Key: m.Key, ID: m.ID, Component: m.Component, Kind: m.Kind, Location: status.LocalLocation,
			Interval: m.Interval, Timeout: spec.Timeout.D(), Sentinel: m.Sentinel, Mark: spec.Fingerprint(), Probe: probe,
		})
		if spec.Kind == "heartbeat" {
			token, err := a.env.Secret("token", spec.Token)
			if err != nil {
				return err
			}
			tokens[token] = m.Key
		}
	}
	h.runner.Set(jobs)
	a.pings.expect(tokens, h.runner)
	return nil
}

// watchUnder probes and judges for as long as this process holds the lease.
func (a *App) watchUnder(ctx context.Context, h *house, l journal.Lease) error {
	a.watching.Store(true)
	defer a.watching.Store(false)
	if err := a.pings.load(ctx); err != nil {
		a.log.Warn("earlier pings are not known yet", "err", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	if h.store.Engine() == "postgresql" { // other replicas may take signals too
		g.Go(func() error { return a.pings.refresh(ctx) })
	}
	g.Go(func() error { return h.watch.Run(ctx, l) })
	g.Go(func() error { return h.runner.Run(ctx) })
	g.Go(func() error { return a.keepHeads(ctx, h.store) })
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-h.watch.NeedSentinels():
				h.runner.Sentinels()
			}
		}
	})
	return g.Wait()
}
