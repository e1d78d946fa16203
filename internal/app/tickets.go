package app

import (
	"context"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// ticketLoop is the desk's clock as /readyz names it.
const ticketLoop = "clock of tickets"

// openTickets makes the ticket wing. The keys of the house and the accounts are
// there; the hall is not yet.
func (a *App) openTickets(h *house) {
	h.wings.tickets = ticket.NewDesk(ticket.DeskDeps{
		Work: h.store, Store: h.store, Blobs: h.store, Signer: signing{h.doors.box}, Staff: colleagues{h.doors.accounts}, Mails: h.wings.mail.ledger,
		Now: time.Now, Log: a.log.With("component", "tickets"),
		Beat: func(every time.Duration) { a.health.Beat(ticketLoop, every) },
	})
}

// configureTickets puts what a configuration says of the desk into effect. Errors:
// Invalid.
func (a *App) configureTickets(h *house, file config.File) error {
	setup, err := deskSetup(file)
	if err == nil {
		h.wings.tickets.Setup(setup)
	}
	return err
}

// startTickets starts the clock of tickets.
func (a *App) startTickets(h *house) {
	a.inner.background("tickets", a.failed, func(ctx context.Context) error {
		return journal.Hold(ctx, h.store, ticket.ClockLease, a.holder, a.log, func(ctx context.Context, l journal.Lease) error {
			defer a.health.Forget(ticketLoop)
			return h.wings.tickets.Run(ctx, l)
		})
	})
}

// deskSetup gives what a configuration says of the desk. Errors: Invalid.
func deskSetup(file config.File) (ticket.Setup, error) {
	d := file.Desk
	s := ticket.Setup{
		Prefix: d.Prefix, Acknowledgement: d.Acknowledgement, CloseAfter: d.CloseAfter.D(), ReopenWithin: d.ReopenWithin.D(),
		Keep: d.Keep.D(),
	}
	if page, err := url.Parse(file.Page.URL); err == nil {
		s.Domain = page.Hostname()
	}
	for _, q := range d.Queues {
		s.Queues = append(s.Queues, ticket.Queue{ID: q.ID, Name: q.Name, Kinds: kinds(q.Kinds)})
	}
	for _, m := range file.Mailboxes {
		box := ticket.Mailbox{Name: m.Name, Queue: m.Queue, Acknowledge: m.Acknowledge != nil && *m.Acknowledge, Review: file.Answers != config.AnswersAuto}
		if from, err := mail.ParseAddress(m.From); err == nil {
			box.From = ticket.Address{Name: from.Name, Address: strings.ToLower(from.Address)}
		}
		s.Mailboxes = append(s.Mailboxes, box)
	}
	hours, err := openHours(d)
	if err != nil {
		return s, err
	}
	for _, c := range d.Clocks {
		p := ticket.Promise{Queues: c.Queues, FirstReply: c.FirstReply.D(), NextReply: c.NextReply.D(), Solution: c.Solution.D(), Warn: c.Warn.D()}
		for _, word := range c.Priorities {
			p.Priorities = append(p.Priorities, ticket.Priority(word))
		}
		if !c.Always {
			p.Hours = hours
		}
		s.Promises = append(s.Promises, p)
	}
	for _, f := range d.Fields {
		s.Fields = append(s.Fields, ticket.Field{ID: f.ID, Name: f.Name, Options: f.Options})
	}
	for _, r := range d.Replies {
		s.Replies = append(s.Replies, ticket.SavedReply{ID: "file:" + r.Name, Name: r.Name, Body: r.Body, File: true})
	}
	for _, t := range d.Templates {
		s.Templates = append(s.Templates, ticket.Template{
			ID: t.ID, Name: t.Name, Kind: ticket.Kind(t.Kind), Queue: t.Queue, Priority: ticket.Priority(t.Priority), Subject: t.Subject, Text: t.Text, Tags: t.Tags,
			Fields: t.Fields,
		})
	}
	return s, nil
}

// kinds gives the kinds of tickets behind their words.
func kinds(words []string) (out []ticket.Kind) {
	for _, w := range words {
		out = append(out, ticket.Kind(w))
	}
	return out
}

// openHours gives the hours in which clocks run; nil for always. Errors: Invalid.
func openHours(d config.Desk) (*ticket.Hours, error) {
	if len(d.Hours) == 0 && len(d.Holidays) == 0 {
		return nil, nil
	}
	open := d.Hours
	if len(open) == 0 {
		open = []config.OpenHours{{To: "24:00"}}
	}
	var week [7][]ticket.Span
	for _, h := range open {
		from, err := config.ParseClock(h.From)
		if err != nil {
			return nil, err
		}
		to, err := config.ParseClock(h.To)
		if err != nil {
			return nil, err
		}
		for day := range week {
			if len(h.Days) == 0 || onDay(h.Days, time.Weekday(day)) {
				week[day] = append(week[day], ticket.Span{From: int(from.Minutes()), To: int(to.Minutes())})
			}
		}
	}
	return ticket.NewHours(d.Zone, week, d.Holidays)
}

// onDay reports whether one of the words is the day.
func onDay(words []string, day time.Weekday) bool {
	for _, w := range words {
		if d, ok := config.ParseDay(w); ok && d == day {
			return true
		}
	}
	return false
}

// colleagues are the accounts as the desk sees them.
type colleagues struct{ accounts *people.Accounts }

// Colleague gives one, by person id. Errors: NotFound.
func (c colleagues) Colleague(ctx context.Context, person string) (ticket.Colleague, error) {
	p, err := c.accounts.Person(ctx, person)
	return colleagueOf(p, err)
}

// ColleagueAt gives the one with the mail address. Errors: NotFound.
func (c colleagues) ColleagueAt(ctx context.Context, address string) (ticket.Colleague, error) {
	p, err := c.accounts.ByEmail(ctx, address)
	return colleagueOf(p, err)
}

func colleagueOf(p people.Person, err error) (ticket.Colleague, error) {
	if err == nil && !p.Active() {
		err = problem.NotFound("This account is closed.")
	}
	if err != nil {
		return ticket.Colleague{}, err
	}
	return ticket.Colleague{ID: p.ID, Name: p.Name, Address: p.Email, Actor: p.Actor()}, nil
}
