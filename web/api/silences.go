package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// silenceRoutes are everything about alerts that rest.
func (s *service) silenceRoutes(h huma.API) {
	register(h, s, op{http.MethodGet, "/api/v1/silences", "listSilences", "Silences that hold, lie ahead or ended within a day", access.ComponentRead}, listSilences)
	register(h, s, op{http.MethodPost, "/api/v1/silences", "addSilence", "Keep alerts of components or monitors quiet for a while", access.AlertSilence}, addSilence)
	register(h, s, op{http.MethodDelete, "/api/v1/silences/{id}", "endSilence", "End a silence now", access.AlertSilence}, endSilence)
}

// silenceOf shows a silence.
func (c *call) silenceOf(s *status.Silence) api.Silence {
	out := api.Silence{
		ID: s.ID, Components: c.ids().all(s.Components), Monitors: []string{}, From: s.From, To: s.To, Reason: s.Reason, By: s.By,
		Holds: s.Holds(c.now), EndedAt: maybe(s.EndedAt), EndedBy: s.EndedBy,
	}
	for _, key := range s.Monitors {
		id := key // one that is gone is named by its key
		for _, m := range c.catalog.Monitors {
			if m.Key == key {
				id = m.ID
			}
		}
		out.Monitors = append(out.Monitors, id)
	}
	return out
}

func listSilences(ctx context.Context, c *call, _ *struct{}) (*api.Silences, error) {
	found, err := c.Desk.Silences(ctx, c.by)
	if err != nil {
		return nil, err
	}
	out := &api.Silences{Silences: make([]api.Silence, 0, len(found))}
	for n := range found {
		out.Silences = append(out.Silences, c.silenceOf(&found[n]))
	}
	return out, nil
}

type newSilence struct{ Body api.NewSilence }

func addSilence(ctx context.Context, c *call, in *newSilence) (*api.Silence, error) {
	b := &in.Body
	s := status.Silence{From: b.From, To: b.To, Reason: b.Reason}
	if b.Lasts > 0 {
		if !b.To.IsZero() {
			return nil, problem.Invalid("lasts_s", "Give to or lasts_s, not both.")
		}
		from := c.now
		if b.From.After(from) {
			from = b.From
		}
		s.To = from.Add(time.Duration(b.Lasts * float64(time.Second)))
	}
	var errs problem.Errors
	for n, id := range b.Components {
		if comp, err := c.component(id); err == nil {
			s.Components = append(s.Components, comp.Key)
		} else {
			errs = append(errs, problem.Invalid("components["+strconv.Itoa(n)+"]", "There is no component %q.", id))
		}
	}
	for n, id := range b.Monitors {
		if m, err := c.monitor(id); err == nil {
			s.Monitors = append(s.Monitors, m.Key)
		} else {
			errs = append(errs, problem.Invalid("monitors["+strconv.Itoa(n)+"]", "There is no monitor %q.", id))
		}
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	s, err := c.Desk.Silence(ctx, c.by, s)
	if err != nil {
		return nil, err
	}
	out := c.silenceOf(&s)
	out.Holds = !b.From.After(c.now) // one that begins now does so a moment after the request came
	return &out, nil
}

func endSilence(ctx context.Context, c *call, in *RowID) (*nothing, error) {
	return nil, c.Desk.Unsilence(ctx, c.by, in.ID)
}
