package notice

import (
	"context"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/journal"
)

// fanBatch is how many subscribers one unit of work looks at: few enough that
// the only writer of SQLite is not held up, as the record of the checks waits too.
const fanBatch = 250

// spread writes the rows of subscribers, event by event in their order, in small
// units with a durable position, until ctx ends.
func (s *Sender) spread(ctx context.Context) {
	l, end := s.loops.begin("subscribers", s.desk.now())
	defer end()
	for ctx.Err() == nil {
		wake := s.desk.wake.Wait()
		more, err := s.fan(ctx)
		l.looked(err, s.desk.now())
		if err != nil && ctx.Err() == nil {
			s.log.Warn("subscribers not planned for", "err", err)
		}
		if !more {
			l.rest(ctx, lookEvery, wake)
		}
	}
}

// fan does the next unit of the oldest fan-out. more is false when there is none.
func (s *Sender) fan(ctx context.Context) (more bool, err error) {
	store := s.desk.store
	f, ok, err := store.NextFan(ctx)
	if err != nil || !ok {
		return false, err
	}
	events, err := s.events(ctx, []string{f.Event})
	if err != nil {
		return false, err
	}
	e, from := events[f.Event], f.At
	listeners, err := s.listeners(ctx, e, f)
	if err != nil {
		return false, err
	}
	config, now := s.desk.setup.Load(), s.desk.now()
	rows := make([]Delivery, 0, len(listeners))
	var others []Delivery
	for _, l := range listeners {
		channel := config.channelOf(l.Mode)
		row := newRow(e, channel, l.Ref(), now)
		if channel == "" {
			row.State, row.Reason, row.NextAt = Suppressed, "no channel for "+string(l.Mode)+" is set up", time.Time{}
		}
		switch {
		case l.ConfirmedAt.After(f.PlannedAt): // subscribed since
		case l.Wants(e):
			rows = append(rows, row)
		case row.State == Queued:
			others = append(others, row)
		}
	}
	heard, err := s.heard(ctx, others)
	if err != nil {
		return false, err
	}
	rows = append(rows, heard...)
	f.Told += int64(len(rows))
	f.Passed += int64(len(listeners) - len(rows))
	f.Done = len(listeners) < fanBatch
	if n := len(listeners); n > 0 {
		f.At = listeners[n-1].ID
	}
	if err := s.unit(ctx, func(tx journal.Tx) error {
		if len(rows) > 0 {
			if err := store.AddDeliveries(ctx, tx, rows); err != nil {
				return err
			}
		}
		return store.MoveFan(ctx, tx, f, from)
	}); err != nil {
		return false, err
	}
	s.desk.wake.Ring()
	return true, nil
}

// listeners gives the next subscribers who may hear of an event. That a component
// has changed, without a word of anybody, is for machines: webhooks alone hear it.
func (s *Sender) listeners(ctx context.Context, e Event, f Fan) ([]Subscriber, error) {
	if e.Kind != ComponentChanged {
		return s.desk.store.Listeners(ctx, f.At, f.PlannedAt, fanBatch)
	}
	return s.desk.store.Subscribers(ctx, SubscriberQuery{Mode: ByWebhook, State: Active, After: f.At, Limit: fanBatch})
}

// heard gives those of the rows whose recipient was told of the same subject
// before: who heard that it began must hear how it ends, even when it no longer
// touches what they asked for.
func (s *Sender) heard(ctx context.Context, rows []Delivery) ([]Delivery, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	lanes := make([]int64, len(rows))
	for i, r := range rows {
		lanes[i] = r.Lane
	}
	known, err := s.desk.store.Heard(ctx, lanes)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r Delivery) bool { return !slices.Contains(known, r.Lane) }), nil
}

// impacts is the order of impacts, as subscribers choose among them.
var impacts = []string{"none", "minor", "major", "critical"}

// Wants reports whether the subscriber asked for events like e.
func (s Subscriber) Wants(e Event) bool {
	if s.Incident != "" {
		return e.Subject == journal.Ref{Kind: "incident", ID: s.Incident}
	}
	if e.Subject.Kind == "maintenance" || strings.HasPrefix(e.Kind, "maintenance.") {
		if !s.Maintenance {
			return false
		}
	} else if max(slices.Index(impacts, e.Content.Impact), 0) < slices.Index(impacts, s.MinImpact) {
		return false
	}
	everything := len(s.Components) == 0 && len(s.Groups) == 0
	pageWide := len(e.Components) == 0 && len(e.Groups) == 0
	return everything || pageWide || shares(s.Components, e.Components) || shares(s.Groups, e.Groups)
}
