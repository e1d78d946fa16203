package app

import (
	"context"
	"slices"

	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/monitors"
)

// Try runs a monitor once as a document says, without keeping it: under the same
// limits as monitors that were made in the console, and judged by nobody.
// Errors: as Check.
func (d *Definitions) Try(ctx context.Context, by access.Actor, doc status.Document) (status.Result, error) {
	if err := by.Check(access.ComponentEdit); err != nil {
		return status.Result{}, err
	}
	if err := by.Check(access.MonitorRun); err != nil {
		return status.Result{}, err
	}
	h, err := d.house()
	if err != nil {
		return status.Result{}, err
	}
	_, merged, err := d.with(ctx, h, doc)
	if err != nil {
		return status.Result{}, err
	}
	i := slices.IndexFunc(merged.Monitors, func(m config.Monitor) bool { return m.ID == doc.ID })
	if i < 0 {
		return status.Result{}, problem.Invalid("kind", "Only a monitor can be run.")
	}
	spec := merged.Monitors[i]
	if spec.Kind == "heartbeat" {
		return status.Result{}, problem.Invalid("kind", "A heartbeat is heard, not run: it waits for pings.")
	}
	probe, err := monitors.Compile(spec, d.app.console)
	if err != nil {
		return status.Result{}, err
	}
	defer probe.Close()
	return monitors.Once(ctx, probe, doc.ID, status.LocalLocation, spec.Timeout.D()), nil
}
