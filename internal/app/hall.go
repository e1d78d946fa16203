package app

import (
	"context"

	"evenkeel/ingest"
	"evenkeel/internal/config"
	"evenkeel/internal/hub"
	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
)

// hallRules is what a configuration says of how the hall treats tickets.
type hallRules struct {
	policy   hub.Policy
	aliases  map[string][]string // by component id
	triggers []hub.Trigger
}

// configureHall puts what a configuration says of the hall into effect.
func (a *App) configureHall(h *house, file config.File) {
	r := &hallRules{policy: hub.DefaultPolicy, aliases: map[string][]string{}}
	if said := file.Desk.Suspect; said != nil {
		r.policy.Suspect = *said
	}
	if said := file.Desk.Impairments; said != nil {
		r.policy.Impair = *said
	}
	for _, c := range file.Components {
		if len(c.Aliases) > 0 {
			r.aliases[c.ID] = c.Aliases
		}
	}
	for _, box := range file.Mailboxes {
		for _, t := range box.Automation {
			r.triggers = append(r.triggers, hub.Trigger{Mailbox: box.Name, To: t.To, Component: t.Component, From: t.From})
		}
	}
	h.wings.hallRules.Store(r)
}

// automate lets mails to automation addresses move components, before the desk
// sees them.
func (w *wings) automate(ctx context.Context, tx journal.Tx, _ inbox.Mail, r *ingest.Reading) (bool, inbox.Fate, string, error) {
	done, words, err := w.hall.Automate(ctx, tx, r.Incoming)
	return done, inbox.Automation, words, err
}

// deskOfHall gives the hall the desk of tickets.
func (a *App) deskOfHall(h *house) hub.TicketDeps {
	w := &h.wings
	return hub.TicketDeps{
		Desk: w.tickets, Tickets: h.store, Proposed: h.store, Mails: h.store,
		Policy:   func() hub.Policy { return w.hallRules.Load().policy },
		Aliases:  func(id string) []string { return w.hallRules.Load().aliases[id] },
		Triggers: func() []hub.Trigger { return w.hallRules.Load().triggers },
		Sayings:  h.desk,
	}
}
