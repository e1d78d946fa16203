package ticket

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// DeskDeps is what a Desk stands on.
type DeskDeps struct {
	Work   journal.Work
	Store  Store
	Blobs  Blobs
	Signer Signer
	Staff  Staff
	Now    func() time.Time // wall clock
	Log    *slog.Logger
	// Mails may be missing, where raw mails are kept nowhere.
	Mails Mails
	// Beat is called by the clock after every tick that went well, which comes at
	// least so often; nil = nobody listens.
	Beat func(every time.Duration)
}

// Desk is the service of tickets: what comes in, what staff do, what time does.
// Every change is one unit of work with its journal entries. All methods are safe
// for concurrent use; they take the id of a ticket or what staff call it (TK-4107).
// Every method can give Forbidden, NotFound, Conflict when somebody was first, and
// Unavailable; its comment names what comes besides.
type Desk struct {
	work  journal.Work
	store Store
	blobs Blobs
	sign  Signer
	staff Staff
	wall  func() time.Time
	log   *slog.Logger
	beat  func(every time.Duration)

	explainer Explainer
	mails     Mails

	setup   atomic.Pointer[Setup]
	tallies tallies
}

// NewDesk makes a Desk that knows of no queue until Setup.
func NewDesk(d DeskDeps) *Desk {
	if d.Beat == nil {
		d.Beat = func(time.Duration) {}
	}
	k := &Desk{
		work: d.Work, store: d.Store, blobs: d.Blobs, sign: d.Signer, staff: d.Staff, wall: d.Now, log: d.Log, beat: d.Beat,
		mails: d.Mails,
	}
	k.setup.Store(&Setup{})
	return k
}

// Setup puts what the configuration says into effect.
func (d *Desk) Setup(s Setup) { d.setup.Store(&s) }

// Rules gives what is in effect. It must not be written.
func (d *Desk) Rules() *Setup { return d.setup.Load() }

// Explain tells the desk who knows the trouble that tickets are about. It is
// called once, before anything comes in.
func (d *Desk) Explain(e Explainer) { d.explainer = e }

// now is the wall clock as it is recorded.
func (d *Desk) now() time.Time { return moment(d.wall()) }

// moment cuts a time to what is recorded: UTC, whole microseconds.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// hand is one unit of work on one ticket: it gathers what is to be written.
type hand struct {
	*Desk
	ctx   context.Context
	tx    journal.Tx
	by    access.Actor
	now   time.Time
	setup *Setup
	t     *Ticket
}

// take begins work on a ticket inside a unit of work.
func (d *Desk) take(ctx context.Context, tx journal.Tx, by access.Actor, t *Ticket) *hand {
	return &hand{Desk: d, ctx: ctx, tx: tx, by: by, now: tx.Now(), setup: d.Rules(), t: t}
}

// change runs fn on one ticket in a unit of work and writes it back.
func (d *Desk) change(ctx context.Context, by access.Actor, id string, act access.Action, fn func(*hand) error) (Ticket, error) {
	if err := by.Check(act); err != nil {
		return Ticket{}, err
	}
	id, err := d.locate(ctx, id)
	if err != nil {
		return Ticket{}, err
	}
	var out Ticket
	err = d.work.Do(ctx, by.As(act), func(tx journal.Tx) error {
		t, err := d.store.TicketForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		h := d.take(ctx, tx, by, &t)
		if err := h.admit(act); err != nil {
			return err
		}
		if err := fn(h); err != nil {
			return err
		}
		if err := h.keep(); err != nil {
			return err
		}
		out = t
		return nil
	})
	return out, err
}

// locate gives the id behind an id or a number.
func (d *Desk) locate(ctx context.Context, id string) (string, error) {
	if number, ok := d.numbered(id); ok {
		t, err := d.store.TicketByNumber(ctx, number)
		return t.ID, err
	}
	return id, nil
}

// numbered reads what staff call a ticket: TK-4107, tk4107, #4107, 4107.
func (d *Desk) numbered(s string) (int64, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	s = strings.TrimPrefix(s, strings.ToUpper(d.Rules().prefix()))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "#")
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0 && len(s) <= 15 && s[0] != '+'
}

// Label is what staff and customers call a ticket.
func (d *Desk) Label(number int64) string { return d.Rules().label(number) }

func (s *Setup) label(number int64) string { return s.prefix() + "-" + strconv.FormatInt(number, 10) }

// admit refuses whoever may not do this to the ticket as it stands.
func (h *hand) admit(act access.Action) error {
	if h.t.MergedInto != "" {
		return problem.Conflict("%s was merged into another ticket.", h.setup.label(h.t.Number))
	}
	return allows(h.by, act, h.t)
}

// allows checks an action on a ticket. A right that is narrowed to components
// must cover all that the ticket is about; one about none needs it everywhere.
func allows(by access.Actor, act access.Action, t *Ticket) error {
	if by.MayOn(act) {
		return nil
	}
	if len(t.Components) == 0 {
		return by.CheckOn(act)
	}
	scopes := make([]access.Scope, len(t.Components))
	for i, key := range t.Components {
		scopes[i] = access.Scope{Kind: "component", ID: key}
	}
	return by.CheckOn(act, scopes...)
}

// keep winds the clocks and writes the ticket.
func (h *hand) keep() error {
	h.t.ChangedAt = h.now
	h.t.wind(h.setup, h.now)
	return h.store.PutTicket(h.ctx, h.tx, h.t)
}

// tell appends a journal entry about the ticket.
func (h *hand) tell(verb string, more map[string]string) error {
	payload := map[string]string{
		"number": strconv.FormatInt(h.t.Number, 10), "state": string(h.t.State), "kind": string(h.t.Kind), "way": string(h.t.Way),
	}
	for key, value := range map[string]string{"queue": h.t.Queue, "incident": h.t.Incident, "components": cutKeys(h.t.Components)} {
		if value != "" {
			payload[key] = value
		}
	}
	for key, value := range more {
		payload[key] = value
	}
	return h.tx.Append(journal.Entry{
		Verb: "ticket." + verb, Subject: journal.Ref{Kind: "ticket", ID: h.t.ID}, Audience: journal.AudienceStaff, Payload: payload,
	})
}

// move takes an event and tells what it changed, if anything.
func (h *hand) move(e Event) error {
	was := h.t.State
	next, err := h.t.after(e)
	if err != nil || next == was {
		return err
	}
	h.t.enter(next, h.now)
	verb := "moved"
	if was.Over() && !next.Over() {
		verb = "reopened"
	}
	return h.tell(verb, map[string]string{"was": string(was)})
}

// put writes a new message of the ticket.
func (h *hand) put(m *Message) error {
	m.Ticket, m.Home = h.t.ID, h.t.ID
	if m.ID == "" {
		m.ID = journal.NewID()
	}
	if m.At.IsZero() {
		m.At = h.now
	}
	h.t.count(m)
	return h.store.PutMessage(h.ctx, h.tx, m, h.t.Subject)
}

// count adds a message to what the ticket says of its messages.
func (t *Ticket) count(m *Message) {
	t.Messages++
	for _, a := range m.Attachments {
		if !a.Inline {
			t.Files++
		}
	}
	if m.Form != Note && !m.At.Before(t.LastAt) {
		t.LastAt, t.LastFrom = m.At, m.From
	}
	if m.Form == In {
		if t.Unheard++; t.UnheardAt.IsZero() {
			t.UnheardAt = m.At
		}
	}
}

// recount makes what the ticket says of its messages anew from all of them.
func (t *Ticket) recount(all []Message) {
	t.Messages, t.Files, t.Unheard = 0, 0, 0
	t.LastAt, t.LastFrom, t.UnheardAt, t.FirstReplyAt = t.CreatedAt, FromMachine, time.Time{}, time.Time{}
	for i := range all {
		m := &all[i]
		t.count(m)
		if m.spoken() && m.From == FromStaff {
			t.Unheard, t.UnheardAt = 0, time.Time{}
			if t.FirstReplyAt.IsZero() {
				t.FirstReplyAt = m.At
			}
		}
	}
}

// spoken reports whether a message of ours goes out, or has.
func (m *Message) spoken() bool {
	return m.Form == Out && (m.Sending == HandedOn || m.Sending == Timed)
}

// cutKeys joins keys for a payload: as many as fit.
func cutKeys(keys []string) string {
	length := -1
	for n, key := range keys {
		if length += 1 + len(key); length > journal.MaxPayloadValue {
			keys = keys[:n]
			break
		}
	}
	return strings.Join(keys, ",")
}

// labels cleans a list of short words, each once, sorted.
func labels(field string, all []string, most, length int) ([]string, error) {
	var out []string
	for _, s := range all {
		s, err := line(field, strings.ToLower(s), length, true)
		if err != nil {
			return nil, err
		}
		if s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > most {
		return nil, problem.Invalid(field, "%d are too many; %d are allowed.", len(out), most)
	}
	return out, nil
}
