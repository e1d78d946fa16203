package hub

import (
	"context"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

// heldAfter is how long nothing must excuse a failure any more before its
// alarm, which rested, is raised: what it needs has recovered, and it gets the
// time to follow.
const heldAfter = 2 * time.Minute

// keepHeld remembers that the alarm of an incident rests, and why.
func (h *Hub) keepHeld(ctx context.Context, tx journal.Tx, incidentID, why string) error {
	c := Concern{Kind: held, Subject: journal.Ref{Kind: "incident", ID: incidentID}, Since: tx.Now(), Facts: map[string]string{"why": why}}
	c.ID = c.id()
	return h.raise(ctx, tx, c)
}

// unhold raises alarms that rested because of something that is over, for what
// fails still: suppression keeps an alarm from being raised twice, never from
// being raised at all.
func (h *Hub) unhold(ctx context.Context, lease journal.Lease, is []Concern, clear map[string]time.Time) error {
	now := h.now()
	for _, c := range is {
		if c.Kind != held {
			continue
		}
		i, err := h.Incidents.Incident(ctx, c.Subject.ID)
		if err != nil && !missing(err) {
			return err
		}
		over := err != nil || !i.Open() || !i.GreenSince.IsZero()
		if !over {
			why, err := h.restful(ctx, failingKeys(&i))
			if err != nil {
				return err
			}
			if why != "" {
				delete(clear, c.ID)
				continue
			}
			if since, ok := clear[c.ID]; !ok {
				clear[c.ID] = now
				continue
			} else if now.Sub(since) < heldAfter {
				continue
			}
		}
		delete(clear, c.ID)
		seq, _, err := h.Reader.Head(ctx)
		if err != nil {
			return err
		}
		if err := h.commit(ctx, lease, func(tx journal.Tx) error {
			if err := h.lower(ctx, tx, c); err != nil || over {
				return err
			}
			return h.refire(ctx, tx, &i, seq)
		}); err != nil {
			return err
		}
	}
	return nil
}

// failingKeys gives the components of an incident that checks see in trouble.
func failingKeys(i *incident.Incident) []string {
	var keys []string
	for _, a := range i.Components {
		if failing(a.Observed) {
			keys = append(keys, a.Component)
		}
	}
	return keys
}

// refire raises the alarm of an incident that rested. seq is the head of the journal.
func (h *Hub) refire(ctx context.Context, tx journal.Tx, i *incident.Incident, seq int64) error {
	s, keys := h.Present.scene.Load(), keysOf(i)
	lines, err := h.staffLines(ctx, s, i, "")
	if err != nil {
		return err
	}
	ev := notice.Event{
		ID: journal.NewID(), Seq: seq, Kind: "component.down", Subject: journal.Ref{Kind: "incident", ID: i.ID}, Alarm: notice.AlarmFire,
		Audience: notice.ToStaff, Severity: severityOf(i, journal.Sealed{}), At: tx.Now(),
		Content: notice.Content{
			Title: i.Name, Status: worstOf(i), Impact: string(i.Impact), Staff: lines, Console: "/console/incidents/" + i.ID,
			Runbook: i.RunbookURL, Names: s.names(keys, false), From: i.StartedAt, Facts: map[string]string{"label": i.Label()},
		},
	}
	s.concern(&ev, keys)
	return h.plan(ctx, tx, ev)
}
