package app

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/hub"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/netguard"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/internal/status"
	"evenkeel/internal/ticket"
	"evenkeel/web"
	"evenkeel/web/console"
	"evenkeel/web/hooks"
)

// wings is what the house knows beside watching: incidents, who is told of
// them, and the hall where they meet.
type wings struct {
	present   *hub.Present
	room      *incident.Room
	told      *notice.Desk
	sender    *notice.Sender
	notices   *notices
	mail      mailRoom
	tickets   *ticket.Desk
	hallRules atomic.Pointer[hallRules]
	hall      *hub.Hub
	search    *journal.Singleton
	console   *console.Console
	statement func(ctx context.Context) ([]status.Statement, error)
}

// openIncidents makes the incident wing, which the watch and the board ask.
func (a *App) openIncidents(h *house) {
	w := &h.wings
	w.present = hub.NewPresent(h.store)
	w.room = incident.NewRoom(incident.RoomDeps{
		Work: h.store, Store: h.store, Components: w.present, Now: time.Now, Log: a.log.With("component", "incidents"),
		Beat: func(every time.Duration) { a.health.Beat(hub.ClockLoop, every) },
	})
	w.statement = func(ctx context.Context) ([]status.Statement, error) { return hub.Statements(ctx, h.store) }
}

// openNotices makes the wing of notices, its channels and the hall. It comes
// when the configuration is in force. Errors: Invalid, Unavailable.
func (a *App) openNotices(ctx context.Context, h *house, file config.File) error {
	w := &h.wings
	signer := signing{h.doors.box}
	w.told = notice.NewDesk(notice.DeskDeps{
		Work: h.store, Store: h.store, People: contacts{h.doors.accounts}, Signer: signer, Group: w.groupOf, Now: time.Now,
		Log: a.log,
	})
	env := notify.Env{
		Version: a.o.Version, Zone: a.env.Zone, Signer: signer, Name: naming(h.doors.accounts.Names), Standing: standing(h.board.Page), Demo: a.o.Simulated,
	}
	if file.Subscribers.AllowPrivate {
		env.Strangers = netguard.Default()
	}
	w.notices = newNotices(noticesDeps{
		Channels: notify.NewHouse(env), Simulated: a.o.Simulated, Log: a.log.With("component", "channels"), Setup: w.told.Setup,
		Person: func(ctx context.Context, email string) (string, error) {
			p, err := h.doors.accounts.ByEmail(ctx, email)
			return p.ID, err
		},
		Key: func(id string) (string, bool) {
			for _, c := range h.watch.Catalog().Components {
				if c.ID == id {
					return c.Key, true
				}
			}
			return "", false
		},
	})
	a.inner.push("channels", w.notices.close)
	if err := w.notices.apply(ctx, file); err != nil {
		return err
	}
	w.hall = hub.New(hub.Deps{
		Work: h.store, Reader: h.store, Cursors: h.store, Leases: h.store, Bell: h.latency.Bell(), Holder: a.holder,
		Record: h.store, Present: w.present, Incidents: h.store, Room: w.room, Notices: w.told, Concerns: h.store,
		Silenced: h.desk.Silenced, Now: time.Now, Log: a.log, Beat: a.health.Beat, Rest: a.health.Forget,
		TicketDeps: a.deskOfHall(h),
	})
	w.tickets.Explain(w.hall)
	w.sender = notice.NewSender(notice.SenderDeps{Desk: w.told, Channels: w.notices.Channel, Letters: w.hall, Healthy: well(a.health)})
	w.search = &journal.Singleton{
		Name: journal.SearchFollower, Holder: a.holder, Reader: h.store, Cursors: h.store, Leases: h.store, Work: h.store,
		Bell: h.latency.Bell(), Log: a.log, Handle: h.store.Index,
	}
	if err := w.present.Load(ctx); err != nil {
		return err
	}
	return w.hall.Begin(ctx)
}

// startWings starts the loops of the wings.
func (a *App) startWings(h *house) {
	w := &h.wings
	a.inner.background("hall", a.failed, w.hall.Run)
	a.inner.background("search follower", a.failed, w.search.Run)
	a.inner.background("sender", a.failed, func(ctx context.Context) error {
		return journal.Hold(ctx, h.store, "sender", a.holder, a.log, w.sender.Run)
	})
	a.inner.background("notices", a.failed, func(ctx context.Context) error { return w.notices.run(ctx, a.health) })
}

// follow lets the wings that live in memory take entries in.
func (h *house) follow(ctx context.Context, entries []journal.Sealed) error {
	if err := h.wings.present.Follow(ctx, entries); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Subject.Kind == "incident" {
			h.watch.Restate()
			break
		}
	}
	return nil
}

// openConsole makes the staff's side of the door.
func (a *App) openConsole(h *house, seq int64) web.Inside {
	w, d := &h.wings, &h.doors
	problemOf := a.web.Problem
	var outbox console.Outbox
	if a.o.Simulated {
		outbox = lettersOf(w.notices.Channels.Outbox())
	}
	w.console = console.New(console.Deps{
		Log: a.log.With("component", "console"), Now: time.Now, Version: a.o.Version, Shelf: a.web.Shelf(), Problem: problemOf,
		Record: h.store, Journal: h.store, Watch: h.watch, Samples: h.latency, Runner: h.runner, Health: a.health, Incidents: w.room,
		Attention: console.AttentionOf(w.hall), Deliveries: console.DeliveriesOf(w.told), OnCall: console.OnCallOf(w.told, d.accounts.Names),
		Desk: h.desk, Planner: h.desk, Definitions: a.definitions, People: console.PeopleOf(d.accounts.Names),
		Doors: console.Doors{Door: d.door, Accounts: d.accounts, Tokens: d.tokens, Hooks: d.hooks, PageURL: func() string { return a.config.Load().Page.URL }},
		Audit: console.Audit{Browser: h.store, Index: h.store, Verifier: d.verifier}, Lag: h.follower.Lag,
		Room: w.room, Told: w.told, Channels: w.told, Rota: w.told, Subscribers: w.told, Outbox: outbox,
		Tickets: w.tickets, Blobs: h.store, Mails: w.mail.ledger, Proposals: w.hall, PublicWord: w.hall.PublicWord,
	})
	w.console.Begin(seq)
	return web.Inside{
		Door: d.door, Console: w.console, Alerts: w.told, Desk: h.desk, Notices: w.told, Incidents: w.room, Journal: h.store, Replies: h.store, Bell: h.latency.Bell(),
		Tickets: w.tickets, Mails: w.mail.ledger, Proposals: w.hall, Reports: w.tickets,
		Hooks: hooks.New(hooks.Deps{
			Doors: d.hooks, Alarms: w.room, Parts: w.present, Problem: a.web.Fail, Now: time.Now, Log: a.log.With("component", "hooks"),
			Slack: hooks.SlackDeps{
				Settings: w.notices.slackSettings, People: d.accounts, Incidents: w.room, Alerts: w.told, Page: h.board, Reply: w.notices.replySlack,
				Tickets: w.tickets,
			},
		}),
	}
}

// lettersOf gives what the demo's channels kept instead of sending.
func lettersOf(o *notify.Outbox) console.Outbox {
	return func() []console.Letter {
		kept := o.Messages()
		out := make([]console.Letter, len(kept))
		for i, m := range kept {
			out[i] = console.Letter{
				ID: m.ID, At: m.At, Channel: m.Channel, Kind: m.Kind, To: m.To, Event: m.Event, Subject: m.Subject, Text: m.Text, JSON: m.JSON,
			}
			for _, f := range m.Header {
				out[i].Header = append(out[i].Header, console.Heading{Name: f.Name, Value: f.Value})
			}
		}
		return out
	}
}

// groupOf gives the group of a component, by key and id.
func (w *wings) groupOf(component string) string {
	for _, c := range w.present.Known() {
		if c.Key == component {
			return c.Group
		}
	}
	return ""
}

// contacts finds where to write to somebody.
type contacts struct{ accounts *people.Accounts }

// Contact gives the address of a person, by id or actor id. Errors: NotFound
// when they have none any more, Unavailable.
func (c contacts) Contact(ctx context.Context, id string) (notice.Recipient, error) {
	if person, ok := people.PersonOf(access.Actor{ID: id}); ok {
		id = person
	}
	p, err := c.accounts.Person(ctx, id)
	if err != nil {
		return notice.Recipient{}, err
	}
	if p.Email == "" || !p.DisabledAt.IsZero() {
		return notice.Recipient{}, problem.NotFound("This account has no address any more.")
	}
	return notice.Recipient{Ref: "person/" + p.ID, Name: p.Name, Address: p.Email}, nil
}

// signing makes the signatures of links and webhooks with the house's keys.
type signing struct{ box *secret.Box }

// Sign gives the code of a text.
func (s signing) Sign(text string) []byte { return []byte(s.box.Sign("notices", []byte(text))) }

// sends gives the totals of every channel that is open, or was used.
func (w *wings) sends() []notice.Sends {
	out := w.sender.Stats()
	for id := range *w.notices.channels.Load() {
		used := slices.ContainsFunc(out, func(n notice.Sends) bool { return n.Channel == id })
		if !used && id != config.ChannelDeadman { // heartbeats are no notices
			out = append(out, notice.Sends{Channel: id})
		}
	}
	return out
}

// lags tells how far the followers of the wings are behind.
func (w *wings) lags() map[string]time.Duration {
	out := map[string]time.Duration{"search follower": w.search.Lag()}
	for _, f := range w.hall.Followers() {
		out[fmt.Sprintf("%s follower", f.Name)] = f.Lag()
	}
	return out
}
