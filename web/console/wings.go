package console

import (
	"context"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/hub"
	"evenkeel/internal/notice"
)

// What the wings tell is asked for by every page of everybody: it is kept for a
// moment, so that a hundred open walls ask once.
const keptFor = 2 * time.Second

// kept keeps one answer for a moment.
type kept[T any] struct {
	mu sync.Mutex
	at time.Time
	v  T
}

// get gives the answer, asked for anew when it is old. An error is not kept.
func (k *kept[T]) get(ask func() (T, error)) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.at.IsZero() && time.Since(k.at) < keptFor {
		return k.v, nil
	}
	v, err := ask()
	if err == nil {
		k.v, k.at = v, time.Now()
	}
	return v, err
}

// looseWords are the loose ends in two words, as a wall says them.
var looseWords = map[hub.Kind]string{
	hub.Unspoken: "Not told", hub.Green: "Still open", hub.Quiet: "Update due", hub.Overdue: "Overdue", hub.Corrected: "Edited by hand", hub.Unexplained: "No reason given",
}

// AttentionOf takes the loose ends from the hub. They differ by who asks, so
// that they are not kept.
func AttentionOf(h interface {
	Attention(ctx context.Context, by access.Actor) ([]hub.Attention, error)
}) Attention {
	return func(ctx context.Context, by access.Actor) ([]Loose, error) {
		list, err := h.Attention(ctx, by)
		out := make([]Loose, 0, len(list))
		for _, a := range list {
			out = append(out, Loose{Kind: string(a.Kind), Words: looseWords[a.Kind], About: a.Words, Draft: a.Draft, Since: a.Since, Path: a.Path})
		}
		return out, err
	}
}

// DeliveriesOf takes the state of the deliveries from the desk of notices.
func DeliveriesOf(d interface {
	Health(ctx context.Context, by access.Actor) (notice.Health, error)
	Tally(ctx context.Context, by access.Actor, q notice.Query) (notice.Tally, error)
}) Deliveries {
	var k kept[Queue]
	return func(ctx context.Context) (Queue, error) {
		return k.get(func() (Queue, error) {
			var q Queue
			h, err := d.Health(ctx, access.Hub)
			if err != nil {
				return q, err
			}
			waiting := 0
			for _, c := range h.Channels {
				waiting += int(c.Waiting)
				if c.Waiting > 0 && (q.Oldest.IsZero() || c.Oldest.Before(q.Oldest)) {
					q.Oldest = c.Oldest
				}
			}
			t, err := d.Tally(ctx, access.Hub, notice.Query{States: []notice.State{notice.Retrying, notice.Failed}})
			q.Retrying, q.Failed = int(t.States[notice.Retrying]), int(t.States[notice.Failed])
			q.Waiting = max(waiting-q.Retrying, 0)
			return q, err
		})
	}
}

// OnCallOf takes the turns from the desk of notices, and names from the accounts.
func OnCallOf(d interface {
	OnCall(ctx context.Context, now time.Time) ([]notice.Turn, error)
	Rotations() []notice.Rotation
}, names func(ctx context.Context) (map[string]string, error)) OnCall {
	var k kept[[]Turn]
	return func(ctx context.Context, now time.Time) ([]Turn, error) {
		return k.get(func() ([]Turn, error) {
			turns, err := d.OnCall(ctx, now)
			if err != nil {
				return nil, err
			}
			people, err := names(ctx)
			if err != nil {
				return nil, err
			}
			called := map[string]string{}
			for _, r := range d.Rotations() {
				called[r.ID] = r.Name
			}
			out := make([]Turn, 0, len(turns))
			for _, t := range turns {
				rotation := called[t.Rotation]
				if rotation == "" {
					rotation = t.Rotation
				}
				out = append(out, Turn{Rotation: rotation, Person: people[t.Person], PersonID: t.Person, Until: t.To})
			}
			return out, nil
		})
	}
}

// PeopleOf takes names from the accounts.
func PeopleOf(names func(ctx context.Context) (map[string]string, error)) People {
	var k kept[map[string]string]
	return func(ctx context.Context, actor string) string {
		switch actor {
		case access.Hub.ID:
			return "the hub"
		case access.Host.ID:
			return "the host"
		}
		known, err := k.get(func() (map[string]string, error) { return names(ctx) })
		if err != nil {
			return ""
		}
		if name := known[actor]; name != "" {
			return name
		}
		_, id, _ := strings.Cut(actor, "/")
		return known[id]
	}
}
