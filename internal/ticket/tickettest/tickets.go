package tickettest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

func sum(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// Ticket gives one, by id.
func (s *Store) Ticket(_ context.Context, id string) (ticket.Ticket, error) {
	return find(s, s.tickets, id)
}

// TicketForUpdate is Ticket: units of work never overlap.
func (s *Store) TicketForUpdate(_ context.Context, _ journal.Tx, id string) (ticket.Ticket, error) {
	return find(s, s.tickets, id)
}

// TicketByNumber gives one by what staff call it.
func (s *Store) TicketByNumber(_ context.Context, number int64) (ticket.Ticket, error) {
	for _, t := range s.all() {
		if t.Number == number {
			return t, nil
		}
	}
	return ticket.Ticket{}, problem.NotFound("There is no such ticket.")
}

// all gives copies of all tickets.
func (s *Store) all() []ticket.Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copied(slices.Collect(maps.Values(s.tickets)))
}

// PutTicket inserts or updates.
func (s *Store) PutTicket(_ context.Context, tx journal.Tx, t *ticket.Ticket) error {
	if t.Version == 0 {
		s.mu.Lock()
		s.last++
		t.Number = s.last
		s.mu.Unlock()
	}
	return put(s, tx, s.tickets, t.ID, t, func(t *ticket.Ticket) *int64 { return &t.Version })
}

// Tickets gives a page of those that match.
func (s *Store) Tickets(_ context.Context, q ticket.Query) ([]ticket.Ticket, error) {
	found := s.matching(q)
	slices.SortFunc(found, func(a, b ticket.Ticket) int { return compare(&a, &b, q.Sort) })
	if q.After.Given() {
		found = slices.DeleteFunc(found, func(t ticket.Ticket) bool { return !behind(&t, q) })
	}
	return found[:min(len(found), q.Limit)], nil
}

// compare orders two tickets.
func compare(a, b *ticket.Ticket, order ticket.Sort) int {
	switch order {
	case ticket.Latest:
		return cmp.Or(b.LastAt.Compare(a.LastAt), cmp.Compare(b.Number, a.Number))
	case ticket.Newest:
		return cmp.Compare(b.Number, a.Number)
	case ticket.Oldest:
		return cmp.Compare(a.Number, b.Number)
	default:
		return cmp.Or(cmp.Compare(a.Turn(), b.Turn()), cmp.Compare(a.Number, b.Number))
	}
}

// behind reports whether a ticket comes after a cursor.
func behind(t *ticket.Ticket, q ticket.Query) bool {
	at := t.Cursor(q.Sort)
	switch q.Sort {
	case ticket.Latest:
		return at.At < q.After.At || at.At == q.After.At && at.Number < q.After.Number
	case ticket.Newest:
		return at.Number < q.After.Number
	case ticket.Oldest:
		return at.Number > q.After.Number
	default:
		return at.At > q.After.At || at.At == q.After.At && at.Number > q.After.Number
	}
}

// matching gives the tickets that fit all but the words of a query.
func (s *Store) matching(q ticket.Query) []ticket.Ticket {
	senders := map[string]bool{}
	if q.Sender != "" {
		s.mu.Lock()
		for _, m := range s.messages {
			if m.Sender.Address == q.Sender {
				senders[m.Ticket] = true
			}
		}
		s.mu.Unlock()
	}
	return slices.DeleteFunc(s.all(), func(t ticket.Ticket) bool { return !fits(&t, q) || q.Sender != "" && !senders[t.ID] })
}

func fits(t *ticket.Ticket, q ticket.Query) bool {
	is := func(want *bool, got bool) bool { return want == nil || *want == got }
	return (len(q.States) == 0 || slices.Contains(q.States, t.State)) && !slices.Contains(q.NotStates, t.State) &&
		(len(q.Kinds) == 0 || slices.Contains(q.Kinds, t.Kind)) && (len(q.Ways) == 0 || slices.Contains(q.Ways, t.Way)) &&
		(q.Priority == "" || t.Priority == q.Priority) && (q.Queue == "" || t.Queue == q.Queue) && (len(q.Queues) == 0 || slices.Contains(q.Queues, t.Queue)) &&
		(q.Assignee == "" || q.Assignee == t.Assignee || q.Assignee == ticket.Nobody && t.Assignee == "") &&
		(q.Requester == "" || t.Requester == q.Requester) && (q.Mailbox == "" || t.Mailbox == q.Mailbox) && (q.Tag == "" || slices.Contains(t.Tags, q.Tag)) &&
		(q.Component == "" || slices.Contains(t.Components, q.Component)) &&
		(q.Incident == "" || t.Incident == q.Incident || q.Incident == ticket.AnyIncident && t.Incident != "") &&
		(q.Number == 0 || t.Number == q.Number) && is(q.Unheard, t.Unheard > 0) && is(q.Automatic, t.Automatic) && is(q.Snoozed, t.SnoozedUntil.After(q.Now)) &&
		is(q.Broken, t.StillBroken) && (!q.Files || t.Files > 0) && (!q.Overdue || t.Overdue) && (q.Merged || t.MergedInto == "") &&
		(q.DueBefore.IsZero() || !t.DueAt.IsZero() && t.DueAt.Before(q.DueBefore)) && (q.From.IsZero() || !t.CreatedAt.Before(q.From)) &&
		(q.To.IsZero() || t.CreatedAt.Before(q.To)) && (q.SolvedFrom.IsZero() || !t.SolvedAt.Before(q.SolvedFrom))
}

// CountTickets counts those that match.
func (s *Store) CountTickets(_ context.Context, q ticket.Query, most int) (int, error) {
	return min(len(s.matching(q)), most), nil
}

// LiveTallies counts what is not over.
func (s *Store) LiveTallies(_ context.Context, now time.Time) ([]ticket.Tally, error) {
	counts := map[ticket.Tally][2]int{}
	for _, t := range s.all() {
		if t.State.Over() || t.MergedInto != "" {
			continue
		}
		key := ticket.Tally{State: t.State, Queue: t.Queue, Kind: t.Kind, Assignee: t.Assignee, Automatic: t.Automatic}
		n := counts[key]
		n[0]++
		if t.SnoozedUntil.After(now) {
			n[1]++
		}
		counts[key] = n
	}
	var out []ticket.Tally
	for t, n := range counts {
		t.Count, t.Snoozed = n[0], n[1]
		out = append(out, t)
	}
	return out, nil
}

// MergedTickets gives those that were merged into a ticket.
func (s *Store) MergedTickets(_ context.Context, _ journal.Tx, into string) ([]ticket.Ticket, error) {
	return slices.DeleteFunc(s.all(), func(t ticket.Ticket) bool { return t.MergedInto != into }), nil
}

// ids gives the ids of tickets that fit, oldest number first.
func (s *Store) ids(limit int, fits func(*ticket.Ticket) bool) ([]string, error) {
	all := s.all()
	slices.SortFunc(all, func(a, b ticket.Ticket) int { return cmp.Compare(a.Number, b.Number) })
	var out []string
	for n := range all {
		if fits(&all[n]) && len(out) < limit {
			out = append(out, all[n].ID)
		}
	}
	return out, nil
}

// DueTickets gives those whose moment has come.
func (s *Store) DueTickets(_ context.Context, now time.Time, limit int) ([]string, error) {
	return s.ids(limit, func(t *ticket.Ticket) bool { return !t.WakeAt.IsZero() && !t.WakeAt.After(now) })
}

// StaleTickets gives those that were closed before a moment.
func (s *Store) StaleTickets(_ context.Context, before time.Time, limit int) ([]string, error) {
	return s.ids(limit, func(t *ticket.Ticket) bool { return !t.ClosedAt.IsZero() && t.ClosedAt.Before(before) })
}

// TicketsOf gives those of a requester.
func (s *Store) TicketsOf(_ context.Context, _ journal.Tx, requester string, limit int) ([]string, error) {
	return s.ids(limit, func(t *ticket.Ticket) bool { return t.Requester == requester })
}

// said gives messages that fit, oldest first.
func (s *Store) said(fits func(*ticket.Message) bool) []ticket.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ticket.Message
	for _, m := range s.messages {
		if fits(&m) {
			out = append(out, copied(m))
		}
	}
	slices.SortFunc(out, func(a, b ticket.Message) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Messages gives all of one ticket, oldest first.
func (s *Store) Messages(_ context.Context, id string) ([]ticket.Message, error) {
	return s.said(func(m *ticket.Message) bool { return m.Ticket == id }), nil
}

// MessagesForUpdate is Messages.
func (s *Store) MessagesForUpdate(ctx context.Context, _ journal.Tx, id string) ([]ticket.Message, error) {
	return s.Messages(ctx, id)
}

// Message gives one.
func (s *Store) Message(_ context.Context, id string) (ticket.Message, error) {
	return find(s, s.messages, id)
}

// MessageForUpdate is Message.
func (s *Store) MessageForUpdate(_ context.Context, _ journal.Tx, id string) (ticket.Message, error) {
	return find(s, s.messages, id)
}

// PutMessage inserts or updates.
func (s *Store) PutMessage(_ context.Context, tx journal.Tx, m *ticket.Message, _ string) error {
	return put(s, tx, s.messages, m.ID, m, func(m *ticket.Message) *int64 { return &m.Version })
}

// DropMessage deletes one.
func (s *Store) DropMessage(_ context.Context, tx journal.Tx, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(s, tx, s.messages, id, nil)
	return nil
}

// MoveMessages hangs messages on another ticket.
func (s *Store) MoveMessages(_ context.Context, tx journal.Tx, ids []string, to string, home bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		m := s.messages[id]
		if m.Ticket = to; home {
			m.Home = to
		}
		set(s, tx, s.messages, id, &m)
	}
	return nil
}

// KnownMessages gives what is known of Message-IDs.
func (s *Store) KnownMessages(_ context.Context, _ journal.Tx, messageIDs []string) ([]ticket.Known, error) {
	var out []ticket.Known
	for _, m := range s.said(func(m *ticket.Message) bool { return m.MessageID != "" && slices.Contains(messageIDs, m.MessageID) }) {
		out = append(out, knownOf(&m))
	}
	return out, nil
}

// KnownByHash is KnownMessages by what no other message from outside has.
func (s *Store) KnownByHash(_ context.Context, _ journal.Tx, once string) (ticket.Known, error) {
	for _, m := range s.said(func(m *ticket.Message) bool { return m.Hash == once || m.MessageID+" "+m.BodyHash == once }) {
		return knownOf(&m), nil
	}
	return ticket.Known{}, problem.NotFound("This was not heard before.")
}

func knownOf(m *ticket.Message) ticket.Known {
	return ticket.Known{Ticket: m.Ticket, Message: m.ID, MessageID: m.MessageID, BodyHash: m.BodyHash, Form: m.Form, From: m.From}
}

// TimedMessages gives answers whose moment has come.
func (s *Store) TimedMessages(_ context.Context, now time.Time, limit int) ([]ticket.Message, error) {
	found := s.said(func(m *ticket.Message) bool { return m.Sending == ticket.Timed && !m.SendAt.After(now) })
	return found[:min(len(found), limit)], nil
}

// HeldMessages gives answers that wait for review.
func (s *Store) HeldMessages(_ context.Context, limit int) ([]ticket.Message, error) {
	found := s.said(func(m *ticket.Message) bool { return m.Sending == ticket.Held })
	return found[:min(len(found), limit)], nil
}

// MessagesFrom gives the messages of an address.
func (s *Store) MessagesFrom(_ context.Context, _ journal.Tx, address string, limit int) ([]ticket.Message, error) {
	found := s.said(func(m *ticket.Message) bool {
		in := func(list []ticket.Address) bool {
			return slices.ContainsFunc(list, func(a ticket.Address) bool { return a.Address == address })
		}
		return m.Sender.Address == address || in(m.To) || in(m.Cc)
	})
	return found[:min(len(found), limit)], nil
}

// FindMessages gives the tickets of messages that hold all words.
func (s *Store) FindMessages(_ context.Context, q ticket.Query) (out []ticket.Found, next string, err error) {
	seen := map[string]bool{}
	fitting := s.matching(q)
	for _, m := range slices.Backward(s.said(func(*ticket.Message) bool { return true })) {
		n := slices.IndexFunc(fitting, func(t ticket.Ticket) bool { return t.ID == m.Ticket })
		if n < 0 || seen[m.Ticket] || q.After.Message != "" && m.ID >= q.After.Message {
			continue
		}
		if len(out) == q.Limit {
			return out, out[len(out)-1].Message, nil
		}
		words := m.Words(fitting[n].Subject)
		if slices.ContainsFunc(q.Text, func(t ticket.Term) bool { return holds(words, t) == t.Not }) {
			continue
		}
		seen[m.Ticket] = true
		out = append(out, ticket.Found{Ticket: fitting[n], Message: m.ID})
	}
	return out, "", nil
}

// holds reports whether the words of a term follow one another somewhere.
func holds(words []string, t ticket.Term) bool {
	want := t.Marked()
	for at := range words {
		if at+len(want) > len(words) {
			return false
		}
		n := 0
		for n < len(want) && (words[at+n] == want[n] || n == len(want)-1 && t.Beginning && strings.HasPrefix(words[at+n], want[n])) {
			n++
		}
		if n == len(want) {
			return true
		}
	}
	return false
}

// IndexWords has nothing to do: words are looked for as they stand.
func (s *Store) IndexWords(context.Context, journal.Tx, int) (more bool, err error) {
	return false, nil
}

// Requester gives one.
func (s *Store) Requester(_ context.Context, id string) (ticket.Requester, error) {
	return find(s, s.requesters, id)
}

// Requesters gives several.
func (s *Store) Requesters(_ context.Context, ids []string) ([]ticket.Requester, error) {
	return s.people(func(r *ticket.Requester) bool { return slices.Contains(ids, r.ID) }), nil
}

// people gives requesters that fit, by name.
func (s *Store) people(fits func(*ticket.Requester) bool) []ticket.Requester {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ticket.Requester
	for _, r := range s.requesters {
		if fits(&r) {
			out = append(out, copied(r))
		}
	}
	slices.SortFunc(out, func(a, b ticket.Requester) int { return cmp.Compare(a.Name+a.ID, b.Name+b.ID) })
	return out
}

// RequesterForUpdate is Requester.
func (s *Store) RequesterForUpdate(_ context.Context, _ journal.Tx, id string) (ticket.Requester, error) {
	return find(s, s.requesters, id)
}

// RequesterOf gives the one an address belongs to.
func (s *Store) RequesterOf(_ context.Context, _ journal.Tx, address string) (ticket.Requester, error) {
	for _, r := range s.people(func(r *ticket.Requester) bool { return r.Address == address || slices.Contains(r.Others, address) }) {
		return r, nil
	}
	return ticket.Requester{}, problem.NotFound("Nobody has this address.")
}

// FindRequesters gives those whose address or name begins so.
func (s *Store) FindRequesters(_ context.Context, beginning string, limit int) ([]ticket.Requester, error) {
	found := s.people(func(r *ticket.Requester) bool {
		return strings.HasPrefix(r.Address, beginning) || strings.HasPrefix(strings.ToLower(r.Name), beginning)
	})
	return found[:min(len(found), limit)], nil
}

// PutRequester inserts or updates.
func (s *Store) PutRequester(_ context.Context, tx journal.Tx, r *ticket.Requester) error {
	for _, address := range append([]string{r.Address}, r.Others...) {
		taken := s.people(func(o *ticket.Requester) bool {
			return address != "" && o.ID != r.ID && (o.Address == address || slices.Contains(o.Others, address))
		})
		if len(taken) > 0 {
			return problem.Conflict("This address belongs to somebody else.")
		}
	}
	return put(s, tx, s.requesters, r.ID, r, func(r *ticket.Requester) *int64 { return &r.Version })
}

// DropTicket deletes one.
func (s *Store) DropTicket(_ context.Context, tx journal.Tx, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(s, tx, s.tickets, id, nil)
	return nil
}
