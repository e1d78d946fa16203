package notice

import (
	"context"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/problem"
)

// job is one message that is about to be sent: its rows, the first of which
// gives it its id.
type job struct {
	rows    []Delivery
	message Message
	// verdict is set instead of message when there is nothing to send: what happens
	// to the rows, and why.
	verdict deliveryInput
	reason  string
	until   time.Time // the end of the claim
	missed  int       // dead letters in a row that the subscriber has had
}

// compose makes jobs of rows that are due: it looks up events, recipients,
// threads and links, a few queries for all. Rows that cannot be looked up now
// are left out.
func (s *Sender) compose(ctx context.Context, spec ChannelSpec, batches [][]Delivery) ([]job, error) {
	var ids, subscribers []string
	var lanes []int64
	var alerts []string
	for _, rows := range batches {
		for _, r := range rows {
			ids = append(ids, r.Event)
		}
		if id, ok := strings.CutPrefix(rows[0].Recipient, "subscriber/"); ok {
			subscribers = append(subscribers, id)
		}
		switch head := rows[0]; {
		case head.Alert != "" && !slices.Contains(alerts, head.Alert):
			alerts = append(alerts, head.Alert)
		case head.Alert == "" && !head.Gather && head.Subject.Kind != "component": // a component is no case: it goes on for ever
			lanes = append(lanes, head.Lane)
		}
	}
	events, err := s.events(ctx, ids)
	if err != nil {
		return nil, err
	}
	known := map[string]Subscriber{}
	if len(subscribers) > 0 {
		found, err := s.desk.store.SubscribersByID(ctx, subscribers)
		if err != nil {
			return nil, err
		}
		for _, v := range found {
			known[v.Ref()] = v
		}
	}
	marks, err := s.desk.store.ThreadMarks(ctx, lanes, alerts)
	if err != nil {
		return nil, err
	}
	jobs := make([]job, 0, len(batches))
	for _, rows := range batches {
		j := job{rows: rows}
		if err := s.address(ctx, spec, &j, events, known); err != nil {
			s.log.Warn("recipient not looked up", "recipient", rows[0].Recipient, "err", err)
			continue
		}
		j.message.Thread = threadOf(rows[0], marks)
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// threadOf gives the mark of the first message of the same case to the same
// recipient: of the same alert where there is one, for a component has many.
func threadOf(row Delivery, marks []Delivery) string {
	for _, m := range marks {
		if m.Lane == row.Lane && m.Alert == row.Alert {
			return m.Mark
		}
	}
	return ""
}

// address fills in the message of a job, or says why it is not sent. Errors:
// only what may pass.
func (s *Sender) address(ctx context.Context, spec ChannelSpec, j *job, events map[string]Event, known map[string]Subscriber) error {
	head := j.rows[0]
	e, ok := events[head.Event]
	if !ok {
		j.verdict, j.reason = doFail, "the event is no longer kept"
		return nil
	}
	place := s.desk.setup.Load().Place
	j.message = Message{
		Delivery: head, Event: e, To: Recipient{Ref: head.Recipient}, Page: place.Page, Hub: place.Hub, PageName: place.PageName,
		Simulated: place.Simulated, Attempt: head.Attempts + 1,
	}
	for _, r := range j.rows[1:] {
		if e, ok := events[r.Event]; ok {
			j.message.Also = append(j.message.Also, e)
		}
	}
	kind, id, _ := strings.Cut(head.Recipient, "/")
	if head.Alert != "" {
		j.message.Acknowledge = s.link(PathAcknowledge, toAcknowledge, head.Alert, head.Recipient)
	}
	switch kind {
	case "subscriber":
		s.subscriber(j, known[head.Recipient])
	case "person":
		if err := s.person(ctx, spec, j, id); err != nil {
			return err
		}
	}
	if by := e.Content.Facts["by"]; by != "" && kind != "subscriber" {
		who, err := s.desk.people.Contact(ctx, by)
		if err != nil && !missing(err) {
			return err
		}
		j.message.By = who.Name
	}
	return nil
}

// subscriber addresses a job to a subscriber who still wants to be told.
func (s *Sender) subscriber(j *job, to Subscriber) {
	kind := j.rows[0].Kind
	switch opening := kind == kindConfirm || kind == kindChallenge; {
	case to.ID == "" || to.Address == "":
		j.verdict, j.reason = doDrop, "the subscription was erased"
	case to.State == Ended:
		j.verdict, j.reason = doDrop, "the subscription has ended: "+to.EndReason
	case to.State == Pending && !opening:
		j.verdict, j.reason = doDrop, "the subscription was not confirmed"
	case to.State == Active && opening:
		j.verdict, j.reason = doDrop, "the subscription is confirmed already"
	}
	j.missed = to.Failures
	m := &j.message
	m.Event = m.Event.public()
	for i := range m.Also {
		m.Also[i] = m.Also[i].public()
	}
	m.To.Address = to.Address
	m.Manage = s.link(PathManage, toManage, to.ID, "")
	m.Unsubscribe = s.link(PathUnsubscribe, toUnsubscribe, to.ID, "")
	if kind == kindConfirm {
		m.Confirm = s.link(PathConfirm, toConfirm, to.ID, "")
	}
}

// public gives the event without what is for staff alone, so that no channel can
// show it by mistake.
func (e Event) public() Event {
	e.Content.Staff, e.Content.Console, e.Content.Runbook = "", "", ""
	e.Suppress, e.Alert = "", ""
	return e
}

// person addresses a job to one of the staff. Only channels that write to people
// get the address; for others it says who is meant.
func (s *Sender) person(ctx context.Context, spec ChannelSpec, j *job, id string) error {
	to, err := s.desk.people.Contact(ctx, id)
	writes := writesToPeople(spec.Kind)
	switch {
	case missing(err) && writes:
		j.verdict, j.reason = doFail, "this person cannot be reached: "+problem.Public(err)
		return nil
	case err != nil && !missing(err):
		return err
	}
	j.message.To.Name = to.Name
	if writes {
		j.message.To.Address = to.Address
	}
	return nil
}

// writesToPeople reports whether a channel of that kind needs an address; the
// others have a place of their own.
func writesToPeople(kind string) bool { return slices.Contains([]string{"mail", "outbox"}, kind) }

// link gives a signed link below the page; "" while the page has no address.
func (s *Sender) link(path string, p purpose, id, who string) string {
	page := s.desk.setup.Load().Place.Page
	if page == "" {
		return ""
	}
	return page + path + s.desk.token(p, id, who)
}

// eventCache bounds how many events are kept in memory between batches.
const eventCache = 256

// events gives events by id, from memory where they are: the deliveries of one
// event come thousands at a time.
func (s *Sender) events(ctx context.Context, ids []string) (map[string]Event, error) {
	out := make(map[string]Event, 8)
	var ask []string
	s.mu.Lock()
	for _, id := range ids {
		if _, ok := out[id]; ok {
			continue
		}
		if e, ok := s.cache[id]; ok {
			out[id] = e
		} else if !slices.Contains(ask, id) {
			ask = append(ask, id)
		}
	}
	s.mu.Unlock()
	if len(ask) == 0 {
		return out, nil
	}
	found, err := s.desk.store.Events(ctx, ask)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache)+len(found) > eventCache {
		clear(s.cache)
	}
	for _, e := range found {
		out[e.ID] = e
		if len(s.cache) < eventCache {
			s.cache[e.ID] = e
		}
	}
	return out, nil
}
