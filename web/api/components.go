package api

import (
	"context"
	"math"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/status"
)

// nothing is a request without parameters.
type nothing struct{}

// components lists every component with what the page says and what checks see.
func components(ctx context.Context, c *call, _ *nothing) (*api.Components, error) {
	open, err := c.Record.OpenSpans(ctx)
	if err != nil {
		return nil, err
	}
	type key struct {
		component string
		track     status.Track
	}
	spans := make(map[key]status.Span, len(open))
	for _, s := range open {
		spans[key{s.Component, s.Track}] = s
	}
	monitors := make(map[string][]string)
	for _, m := range c.catalog.Monitors {
		monitors[m.Component] = append(monitors[m.Component], m.ID)
	}
	out := &api.Components{Components: make([]api.Component, 0, len(c.catalog.Components))}
	for _, comp := range c.catalog.Components {
		published, observed := spans[key{comp.Key, status.Published}], spans[key{comp.Key, status.Observed}]
		publish := comp.Publish
		if publish == "" {
			publish = status.PublishAuto
		}
		out.Components = append(out.Components, api.Component{
			ID: comp.ID, Name: comp.Name, Description: comp.Description, Group: comp.Group, Needs: list(comp.Needs), Public: comp.Public,
			Runbook: comp.Runbook, Publish: string(publish), Status: statusOf(published), Observed: statusOf(observed),
			Since: published.From, Why: published.Public, Monitors: list(monitors[comp.ID]),
		})
	}
	return out, nil
}

// statusOf is the status of an open span; without one nothing was measured.
func statusOf(s status.Span) string {
	if s.Status == "" {
		return string(status.NotMeasured)
	}
	return string(s.Status)
}

// list makes an empty list of none, because a list is never null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// componentWindow names a component and a stretch of time.
type componentWindow struct {
	ID string `path:"id" maxLength:"64"`
	Window
}

// uptime gives the exact tally of a component.
func uptime(ctx context.Context, c *call, in *componentWindow) (*api.Uptime, error) {
	from, to, err := in.resolve(c.now, MaxWindow)
	if err != nil {
		return nil, err
	}
	if _, err := c.component(in.ID); err != nil {
		return nil, err
	}
	t, figure, err := c.Board.Uptime(ctx, in.ID, from, to)
	if err != nil {
		return nil, err
	}
	out := &api.Uptime{
		Component: in.ID, From: from, To: to, Up: t.Up.Seconds(), Degraded: t.Degraded.Seconds(), Down: t.Outage().Seconds(),
		Partial: t.Partial.Seconds(), Major: t.Major.Seconds(), Maintenance: t.Maintenance.Seconds(), Unmeasured: t.Unmeasured.Seconds(),
	}
	if !math.IsNaN(figure) {
		out.Uptime = &figure
	}
	return out, nil
}

// spanWindow names a component, a track and a stretch of time.
type spanWindow struct {
	ID    string `path:"id" maxLength:"64"`
	Track string `query:"track" enum:"observed,published" default:"published"`
	Window
}

// spans gives the history of a component.
func spans(ctx context.Context, c *call, in *spanWindow) (*api.Spans, error) {
	from, to, err := in.resolve(c.now, MaxWindow)
	if err != nil {
		return nil, err
	}
	comp, err := c.component(in.ID)
	if err != nil {
		return nil, err
	}
	found, err := c.Record.Spans(ctx, comp.Key, status.Track(in.Track), from, to)
	if err != nil {
		return nil, err
	}
	out := &api.Spans{Component: in.ID, From: from, To: to, Spans: make([]api.Span, 0, len(found))}
	for _, s := range found {
		out.Spans = append(out.Spans, api.Span{
			ID: s.ID, Track: string(s.Track), From: s.From, To: maybe(s.To), Status: string(s.Status), Origin: string(s.Origin),
			Public: s.Public, Staff: s.Staff, Ref: s.Ref,
		})
	}
	return out, nil
}

// maybe gives null for a moment that has not come.
func maybe(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
