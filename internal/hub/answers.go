package hub

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/markup"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/internal/ticket/cluster"
)

const (
	// maxSummary is how much of an update the desk is shown, in characters.
	maxSummary = 280
	// doubtedWithin is how long after the end of an incident a reply counts as word
	// that it is not over.
	doubtedWithin = 7 * 24 * time.Hour
	// kindUpdate and kindResolution are what answers of the hall are besides words.
	kindUpdate     = "update"
	kindResolution = "resolution"
)

// summary gives the beginning of what was published, in one line.
func summary(body string) string { return markup.Summary(body, maxSummary) }

// answerAll tells everybody who wrote about an incident that it is over: one
// answer each, in their own thread, inside the unit of work that moves the
// follower's cursor. It is held for review where the mailbox asks for that.
func (h *Hub) answerAll(ctx context.Context, tx journal.Tx, e journal.Sealed) error {
	if !h.policy().Answer || e.Payload["backfilled"] == "1" {
		return nil
	}
	i, err := h.Incidents.Incident(ctx, e.Subject.ID)
	if err != nil || i.Backfilled || i.MergedInto != "" {
		return err
	}
	words, err := h.saidBy(ctx, e.Payload["update"])
	if err != nil {
		return err
	}
	_, err = h.answerLinked(ctx, tx, access.Hub, &i, kindResolution, e.Payload["update"], words)
	return err
}

// Tell answers everybody who wrote about an incident with an update of it that was
// published, in their own threads: the choice of whoever published it. It gives how
// many are answered. Errors: Forbidden, NotFound, Conflict when the update was not
// published or was told already, Unavailable.
func (h *Hub) Tell(ctx context.Context, by access.Actor, incidentID, update string) (people int, err error) {
	if err := by.Check(access.TicketAnswer); err != nil {
		return 0, err
	}
	if !h.given() {
		return 0, errNoDesk()
	}
	i, err := h.Room.Find(ctx, by, incidentID)
	if err != nil {
		return 0, err
	}
	err = h.Work.Do(ctx, by.As(access.TicketAnswer), func(tx journal.Tx) error {
		u, err := h.Incidents.UpdateForUpdate(ctx, tx, update)
		switch {
		case err != nil:
			return err
		case u.Incident != i.ID || u.Kind != incident.KindUpdate || u.PublishedAt.IsZero():
			return problem.Conflict("This update is not published.")
		}
		if told, err := h.toldOf(ctx, &i, update); err != nil {
			return err
		} else if told {
			return problem.Conflict("Those who wrote in were told of this update already.")
		}
		people, err = h.answerLinked(ctx, tx, by, &i, kindUpdate, u.ID, u.Body)
		return err
	})
	return people, err
}

// toldOf reports whether requesters were answered with an update of an incident.
func (h *Hub) toldOf(ctx context.Context, i *incident.Incident, update string) (bool, error) {
	lines, err := h.Incidents.Updates(ctx, i.ID)
	return slices.ContainsFunc(lines, func(u incident.Update) bool {
		return u.Verb == factAnswered && u.Facts["update"] == update
	}), err
}

// factAnswered is the line of a timeline that says that requesters were answered.
const factAnswered = "ticket.answered"

// saidBy gives the words of an update; "" when there is none.
func (h *Hub) saidBy(ctx context.Context, update string) (string, error) {
	if update == "" {
		return "", nil
	}
	u, err := h.Incidents.Update(ctx, update)
	if missing(err) {
		return "", nil
	}
	return u.Body, err
}

// answerLinked answers the requesters of an incident, each once, in the ticket in
// which they wrote last; their others are noted. Who cannot be written to is noted
// too, and keeps nobody else from an answer.
func (h *Hub) answerLinked(ctx context.Context, tx journal.Tx, by access.Actor, i *incident.Incident, kind, update, words string) (people int, err error) {
	linked, err := h.linked(ctx, i.ID)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(linked, func(a, b ticket.Ticket) int { return b.LastAt.Compare(a.LastAt) })
	answered := map[string]string{} // ticket by requester
	for n := range linked {
		t := &linked[n]
		if t.Requester == "" || t.Kind != ticket.Request || t.Automatic || t.State == ticket.Closed {
			continue
		}
		if in, ok := answered[t.Requester]; ok {
			if err := h.noted(ctx, tx, by, t, kind, fmt.Sprintf("The requester was answered in %s about %s.", in, i.Label())); err != nil {
				return people, err
			}
			continue
		}
		switch err := h.answerOne(ctx, tx, by, t, i, kind, words); problem.KindOf(err) {
		case "":
			answered[t.Requester] = h.Desk.Label(t.Number)
			people++
		case problem.KindConflict, problem.KindInvalid:
			if err := h.noted(ctx, tx, by, t, "", fmt.Sprintf("The requester was not told about %s: %s", i.Label(), problem.Public(err))); err != nil {
				return people, err
			}
		default:
			return people, err
		}
	}
	if people == 0 {
		return 0, nil
	}
	return people, h.Room.Remark(ctx, tx, i.ID, factAnswered, map[string]string{"people": strconv.Itoa(people), "kind": kind, "update": update})
}

// answerOne writes to one requester.
func (h *Hub) answerOne(ctx context.Context, tx journal.Tx, by access.Actor, t *ticket.Ticket, i *incident.Incident, kind, words string) error {
	who, err := h.Tickets.Requester(ctx, t.Requester)
	if err != nil {
		return err
	}
	switch {
	case who.Blocked:
		return problem.Conflict("They are blocked.")
	case who.Bad != "":
		return problem.Conflict("%s", who.Bad)
	}
	a := ticket.Answer{Text: h.letterText(who.Name, i, kind, words), Kind: kind, Now: true, Held: h.reviewed(t.Mailbox)}
	if kind == kindResolution {
		a.State = ticket.Solved
	}
	_, err = h.Desk.AnswerIn(ctx, tx, by, t.ID, a)
	return err
}

// noted leaves a note in a ticket instead of an answer; with a resolution the
// ticket is solved.
func (h *Hub) noted(ctx context.Context, tx journal.Tx, by access.Actor, t *ticket.Ticket, kind, words string) error {
	if _, err := h.Desk.NoteIn(ctx, tx, by, t.ID, words); err != nil {
		return err
	}
	if kind != kindResolution || t.State.Over() {
		return nil
	}
	return h.Desk.MoveIn(ctx, tx, by, t.ID, ticket.Solved)
}

// reviewed reports whether what the hub writes in the name of a mailbox waits for
// a person.
func (h *Hub) reviewed(mailbox string) bool {
	for _, m := range h.Desk.Rules().Mailboxes {
		if m.Name == mailbox {
			return m.Review
		}
	}
	return false
}

// letterText is what a requester reads about an incident: what was published, and
// no more.
func (h *Hub) letterText(name string, i *incident.Incident, kind, words string) string {
	var b strings.Builder
	s := h.Present.scene.Load()
	about := cmp.Or(strings.Join(s.names(keysOf(i), true), ", "), i.Name)
	if name = strings.TrimSpace(name); name != "" {
		fmt.Fprintf(&b, "Hello %s,\n\n", name)
	} else {
		b.WriteString("Hello,\n\n")
	}
	fmt.Fprintf(&b, "you wrote to us about trouble with %s.", about)
	if kind == kindResolution {
		b.WriteString(" It is over.")
	}
	b.WriteString("\n\n")
	if words = strings.TrimSpace(markup.Text(words)); words != "" {
		b.WriteString(words + "\n\n")
	}
	if kind == kindResolution && !i.ResolvedAt.IsZero() {
		fmt.Fprintf(&b, "It lasted from %s to %s.\n\n", moment(i.StartedAt), moment(i.ResolvedAt))
	}
	if page := h.pageOf(i); page != "" {
		b.WriteString(page + "\n\n")
	}
	if kind == kindResolution {
		b.WriteString("If it still does not work for you, answer this mail.\n")
	} else {
		b.WriteString("You need not answer. We write again when it is over.\n")
	}
	return b.String()
}

// moment writes a time for people who may be anywhere.
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// doubt looks at a reply in a ticket whose incident is over: when it says that the
// trouble is not, the ticket says so, and the incident hears of it.
func (h *Hub) doubt(ctx context.Context, tx journal.Tx, e journal.Sealed) error {
	if e.Payload["from"] != string(ticket.FromRequester) {
		return nil
	}
	t, err := h.Tickets.TicketForUpdate(ctx, tx, e.Subject.ID)
	if err != nil || t.Incident == "" || t.StillBroken || t.MergedInto != "" {
		return err
	}
	i, err := h.Incidents.Incident(ctx, t.Incident)
	if missing(err) || err == nil && (i.Open() || i.ResolvedAt.IsZero()) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := h.Tickets.Message(ctx, e.Payload["message"])
	if err != nil || m.Kind != ticket.KindPerson || m.At.Sub(i.ResolvedAt) > doubtedWithin {
		return err
	}
	if later, err := h.afterEnd(ctx, &t, &m, &i); err != nil || !later {
		return err
	}
	said := h.reader().Read(cluster.Text{ID: m.ID, Body: cmp.Or(m.Reply, m.Text), Sender: m.Sender.Address, At: m.At})
	if !said.Complains() {
		return nil
	}
	if err := h.Desk.BreakIn(ctx, tx, access.Hub, t.ID, true); err != nil {
		return err
	}
	return h.Room.Remark(ctx, tx, i.ID, "ticket.doubted", map[string]string{"ticket": h.Desk.Label(t.Number)})
}

// afterEnd reports whether a message was written after an incident was over: by its
// time, or because it answers our word of that. Mail servers tell whole seconds, by
// clocks of their own.
func (h *Hub) afterEnd(ctx context.Context, t *ticket.Ticket, m *ticket.Message, i *incident.Incident) (bool, error) {
	if !m.At.Before(i.ResolvedAt) {
		return true, nil
	}
	all, err := h.Tickets.Messages(ctx, t.ID)
	return slices.ContainsFunc(all, func(ours ticket.Message) bool {
		return ours.Kind == kindResolution && ours.MessageID != "" && (m.InReplyTo == ours.MessageID || slices.Contains(m.References, ours.MessageID))
	}), err
}

// Waiting tells how many people who wrote about an incident wait for word of it,
// how many wrote at all, and how many say that it is still broken. Errors:
// Forbidden, Unavailable.
func (h *Hub) Waiting(ctx context.Context, by access.Actor, incidentID string) (w Waiting, err error) {
	if err := by.Check(access.TicketRead); err != nil || !h.given() {
		return w, err
	}
	linked, err := h.linked(ctx, incidentID)
	if err != nil {
		return w, err
	}
	wrote, waits, doubts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for n := range linked {
		t := &linked[n]
		if t.Kind != ticket.Request || t.Automatic {
			continue
		}
		who := cmp.Or(t.Requester, t.ID)
		wrote[who] = true
		waits[who] = waits[who] || !t.State.Over()
		doubts[who] = doubts[who] || t.StillBroken
	}
	return Waiting{Tickets: len(linked), Wrote: len(wrote), Waiting: count(waits), StillBroken: count(doubts)}, nil
}

// Waiting is how many people an incident touches, as far as they wrote in.
type Waiting struct {
	Tickets     int // linked
	Wrote       int // different requesters
	Waiting     int // whose ticket is not over
	StillBroken int // who say so after the end
}

// count counts what is true.
func count(of map[string]bool) (n int) {
	for _, is := range of {
		if is {
			n++
		}
	}
	return n
}
