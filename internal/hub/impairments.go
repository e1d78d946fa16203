package hub

import (
	"context"
	"fmt"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
	"evenkeel/internal/ticket"
)

// impair opens a ticket when a component goes down, one while it lasts, and solves
// it when all is well again (S1-23). Maintenance is no impairment, and degraded
// performance alone none either.
func (h *Hub) impair(ctx context.Context, tx journal.Tx, e journal.Sealed) error {
	if !h.policy().Impair || e.Payload["track"] != string(status.Observed) {
		return nil
	}
	key, now := e.Subject.ID, status.Status(e.Payload["to"])
	open, err := h.impairment(ctx, key)
	if err != nil {
		return err
	}
	switch {
	case now.Outage() && open == nil:
		is, err := h.standing(ctx, key)
		if err != nil || is.rests {
			return err
		}
		return h.openImpairment(ctx, tx, key, now, is)
	case now == status.Operational && open != nil:
		return h.endImpairment(ctx, tx, open, e)
	}
	return nil
}

// impairment gives the open ticket of a component that is not well; nil when there
// is none.
func (h *Hub) impairment(ctx context.Context, key string) (*ticket.Ticket, error) {
	list, err := h.Tickets.Tickets(ctx, ticket.Query{
		Component: key, Kinds: []ticket.Kind{ticket.Impairment}, NotStates: []ticket.State{ticket.Solved, ticket.Closed}, Sort: ticket.Newest, Limit: 1,
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// openImpairment opens the ticket of a component.
func (h *Hub) openImpairment(ctx context.Context, tx journal.Tx, key string, now status.Status, is standing) error {
	name := key
	if c, ok := h.Present.scene.Load().component(key); ok {
		name = c.Name
	}
	word := strings.ReplaceAll(string(now), "_", " ")
	text := fmt.Sprintf("%s has been in %s since %s.", name, word, moment(is.observed.From))
	if is.observed.Staff != "" {
		text += "\n\n" + is.observed.Staff
	}
	o := ticket.Opening{
		Way: ticket.ByMachine, Kind: ticket.Impairment, Subject: name + ": " + word, Text: text, Components: []string{key}, Priority: ticket.High,
	}
	open, err := h.Incidents.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	for n := range open {
		for _, a := range open[n].Components {
			if a.Component == key {
				o.Incident = open[n].ID
			}
		}
	}
	_, err = h.Desk.OpenIn(ctx, tx, access.Hub, o)
	return err
}

// endImpairment solves the ticket of a component that is well again.
func (h *Hub) endImpairment(ctx context.Context, tx journal.Tx, t *ticket.Ticket, e journal.Sealed) error {
	if _, err := h.Desk.NoteIn(ctx, tx, access.Hub, t.ID, "All is well again since "+moment(e.EffectiveAt)+"."); err != nil {
		return err
	}
	return h.Desk.MoveIn(ctx, tx, access.Hub, t.ID, ticket.Solved)
}

// tieImpairments links the open tickets of components to the incident that came
// about them later. They are the machine's own: nobody is asked.
func (h *Hub) tieImpairments(ctx context.Context, tx journal.Tx, incidentID string) error {
	i, err := h.Incidents.Incident(ctx, incidentID)
	if err != nil || !i.Open() {
		return err
	}
	for _, a := range i.Components {
		t, err := h.impairment(ctx, a.Component)
		if err != nil {
			return err
		}
		if t == nil || t.Incident != "" {
			continue
		}
		if err := h.Desk.LinkIn(ctx, tx, access.Hub, t.ID, i.ID); err != nil {
			return err
		}
	}
	return nil
}
