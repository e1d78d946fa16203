package api

import (
	"context"

	"evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// monitors lists every monitor.
func monitors(_ context.Context, c *call, _ *nothing) (*api.Monitors, error) {
	out := &api.Monitors{Monitors: make([]api.Monitor, 0, len(c.catalog.Monitors))}
	for _, m := range c.catalog.Monitors {
		v := api.Monitor{
			ID: m.ID, Component: m.Component, Name: m.Name, Kind: m.Kind, Interval: m.Interval.Seconds(), Locations: list(m.Locations), Sentinel: m.Sentinel, Unit: m.Unit,
		}
		if verdict, ok := c.Watch.Verdict(m.Key); ok {
			v.Verdict = &api.Verdict{Level: string(verdict.Level), Since: maybe(verdict.Since), Streak: verdict.Streak, Flapping: verdict.Flapping, Held: verdict.Held}
		}
		if last, ok := c.Watch.Last(m.Key); ok {
			v.Last = result(last)
		}
		out.Monitors = append(out.Monitors, v)
	}
	return out, nil
}

// result shows one run.
func result(r status.Result) *api.Result {
	out := &api.Result{
		Due: r.Due, Started: r.Started, Location: r.Location, Outcome: r.Outcome.String(), Latency: r.Latency.Seconds(),
		Phases: make(map[string]float64, status.PhaseCount), Code: r.Code, Reason: r.Reason, Log: []string{},
	}
	for i, d := range r.Phases {
		out.Phases[status.PhaseNames[i]] = d.Seconds()
	}
	if r.HasValue {
		out.Value = &r.Value
	}
	if r.Facts != nil && r.Facts.Log != nil {
		out.Log = r.Facts.Log
	}
	return out
}

// sampleWindow names a monitor, a location and a stretch of time.
type sampleWindow struct {
	ID       string `path:"id" maxLength:"64"`
	Location string `query:"location" maxLength:"64" default:"local"`
	Window
}

// samples gives what is kept of a monitor.
func samples(ctx context.Context, c *call, in *sampleWindow) (*api.Samples, error) {
	from, to, err := in.resolve(c.now, MaxSampleSpan)
	if err != nil {
		return nil, err
	}
	m, err := c.monitor(in.ID)
	if err != nil {
		return nil, err
	}
	found, err := c.Samples.Samples(ctx, status.SampleQuery{Monitor: m.Key, Location: in.Location, Interval: m.Interval, Values: m.Unit != "", From: from, To: to})
	if err != nil {
		return nil, err
	}
	out := &api.Samples{Monitor: in.ID, Location: in.Location, From: from, To: to, Samples: make([]api.Sample, 0, len(found))}
	for _, s := range found {
		v := api.Sample{At: s.Due, Outcome: s.Outcome.String(), Latency: s.Latency.Seconds()}
		if m.Unit != "" {
			v.Value = &s.Value
		}
		out.Samples = append(out.Samples, v)
	}
	return out, nil
}

// monitorLimit names a monitor and how much of it is wanted.
type monitorLimit struct {
	ID    string `path:"id" maxLength:"64"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// decisions gives the diary of a monitor.
func decisions(ctx context.Context, c *call, in *monitorLimit) (*api.Decisions, error) {
	m, err := c.monitor(in.ID)
	if err != nil {
		return nil, err
	}
	found, err := c.Record.Decisions(ctx, m.Key, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &api.Decisions{Monitor: in.ID, Decisions: make([]api.Decision, 0, len(found))}
	for _, d := range found {
		out.Decisions = append(out.Decisions, api.Decision{
			ID: d.ID, At: d.At, Effective: d.Effective, From: string(d.From), To: string(d.To), Held: d.Held, Staff: d.Staff, Public: d.Public,
		})
	}
	return out, nil
}

// oneMonitor names a monitor.
type oneMonitor struct {
	ID string `path:"id" maxLength:"64"`
}

// run runs a monitor now and shows what it found.
func run(ctx context.Context, c *call, in *oneMonitor) (*api.Result, error) {
	m, err := c.monitor(in.ID)
	if err != nil {
		return nil, err
	}
	if c.Runner == nil {
		return nil, problem.Unavailable(nil, "This hub does not probe now.")
	}
	r, err := c.Runner.RunOnce(ctx, m.Key)
	if err != nil {
		return nil, err
	}
	return result(r), nil
}
