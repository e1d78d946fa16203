package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// monitorSilences adds what keeps the alerts of one monitor quiet, and whether
// this person may do so. A sentinel has no component, and raises no alerts.
func (c *Console) monitorSilences(ctx context.Context, d *monitorPage, m *status.Monitor, s *state, g door.Guest, k Clock) error {
	one := s.byID[m.Component]
	if c.deps.Desk == nil || one == nil {
		return nil
	}
	silences, err := c.deps.Desk.Silences(ctx, g.Actor)
	if err != nil {
		return err
	}
	for _, x := range silences {
		if x.Holds(k.Now) && slices.Contains(x.Monitors, m.Key) {
			d.Silences = append(d.Silences, silenceRow{ID: x.ID, Reason: x.Reason, By: c.name(ctx, x.By), Until: k.At(x.To)})
		}
	}
	d.CanSilence = mayOn(g.Actor, access.AlertSilence, one)
	for _, f := range silenceFor {
		d.SilenceFor = append(d.SilenceFor, Option{Value: f.d.String(), Word: f.word, On: f.d == time.Hour})
	}
	return nil
}

// silenceMonitor keeps quiet what one monitor reports, for a while.
func (c *Console) silenceMonitor(w http.ResponseWriter, r *http.Request) error {
	_, m, err := c.monitorOf(r)
	if err != nil {
		return err
	}
	return c.quieten(w, r, status.Silence{Monitors: []string{m.Key}}, "The monitor", "/console/monitors/"+url.PathEscape(m.ID))
}
