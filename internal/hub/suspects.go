package hub

import (
	"context"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// suspect is the follower that turns what checks see into suspicions: a
// confirmed verdict, and what stands when maintenance is over.
func (h *Hub) suspect(ctx context.Context, tx journal.Tx, entries []journal.Sealed) error {
	list, err := h.suspicions(ctx, entries)
	if err != nil || len(list) == 0 {
		return err
	}
	return h.Room.Suspect(ctx, tx, list)
}

// suspicions reads entries.
func (h *Hub) suspicions(ctx context.Context, entries []journal.Sealed) ([]incident.Suspicion, error) {
	var list []incident.Suspicion
	stands := map[string]standing{}
	for _, e := range entries {
		if e.Verb != "component.moved" {
			continue
		}
		key := e.Subject.ID
		observed := e.Payload["track"] == string(status.Observed)
		if !observed && e.Payload["from"] != string(status.UnderMaintenance) {
			continue
		}
		is, ok := stands[key]
		if !ok {
			var err error
			if is, err = h.standing(ctx, key); err != nil {
				return nil, err
			}
			stands[key] = is
		}
		x := incident.Suspicion{Component: key, Status: e.Payload["to"], Since: e.EffectiveAt, Quiet: is.rests}
		if !observed { // maintenance is over: what do checks say of it?
			x.Status, x.Since = string(is.observed.Status), is.observed.From
		}
		if x.Status == string(is.observed.Status) {
			x.Why = is.observed.Staff
		}
		list = append(list, x)
	}
	return list, nil
}

// standing is how a component stands now, from the record.
type standing struct {
	observed, published status.Span
	rests               bool // it is in maintenance: alerts rest
}

// standing reads a component's present from the record: a follower may be ahead
// of what this process has in memory.
func (h *Hub) standing(ctx context.Context, key string) (standing, error) {
	spans, err := openSpans(ctx, h.Record, key)
	if err != nil {
		return standing{}, err
	}
	var is standing
	for _, s := range spans {
		if s.Track == status.Observed {
			is.observed = s
		} else {
			is.published = s
		}
	}
	is.rests = is.published.Status == status.UnderMaintenance
	return is, nil
}
