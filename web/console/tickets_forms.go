package console

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// snoozes are how long a ticket can rest.
var snoozes = []Option{
	{Value: "1h", Word: "1 hour"}, {Value: "4h", Word: "4 hours"}, {Value: "24h", Word: "1 day"}, {Value: "72h", Word: "3 days"}, {Value: "168h", Word: "1 week"}, {Value: "", Word: "No longer"},
}

// paneForms fills in what can be done with a ticket.
func (c *Console) paneForms(ctx context.Context, p *ticketPane, g door.Guest, t *ticket.Ticket, who *ticket.Requester, messages []ticket.Message, sent url.Values) error {
	if !p.May["answer"] && !p.May["note"] {
		return nil
	}
	notes, outs := 0, 0
	var last *ticket.Message
	for n := range messages {
		switch m := &messages[n]; {
		case m.Form == ticket.Note:
			notes++
		case m.Form == ticket.Out && m.Sending != ticket.TakenUp:
			outs++
			last = m
		case m.Form == ticket.Out, m.Form == ticket.In:
			last = m
		}
	}
	p.NoteField = "note-" + strconv.Itoa(notes)
	if !p.May["answer"] {
		return nil
	}
	people, err := c.roster(ctx)
	if err != nil {
		return err
	}
	p.People = peopleOptions(people, t.Assignee)
	p.States, p.Priorities, p.Snoozes = options(stateOptions, string(t.State)), options(priorityOptions, string(t.Priority)), snoozes
	setup := c.deps.Tickets.Rules()
	for _, q := range setup.Queues {
		p.Queues = append(p.Queues, Option{Value: q.ID, Word: q.Name, On: q.ID == t.Queue})
	}
	p.Queue, p.Automatic = c.queueWord(t.Queue), t.Automatic
	names := make([]string, 0, len(p.Parts))
	for _, part := range p.Parts {
		names = append(names, part.Word)
	}
	p.PartNames = strings.Join(names, ", ")
	for _, f := range setup.Fields {
		field := Field{Name: f.ID, Label: f.Name, Value: t.Fields[f.ID]}
		if len(f.Options) > 0 {
			field.Options = append(field.Options, Option{Word: "–"})
			for _, v := range f.Options {
				field.Options = append(field.Options, Option{Value: v, Word: v, On: v == field.Value})
			}
		}
		p.Fields = append(p.Fields, field)
	}
	if t.MergedInto != "" || t.Requester == "" {
		return nil
	}
	return c.paneReply(ctx, p, g, t, who, last, outs, sent)
}

// paneReply makes the form of an answer.
func (c *Console) paneReply(ctx context.Context, p *ticketPane, g door.Guest, t *ticket.Ticket, who *ticket.Requester, last *ticket.Message, outs int, sent url.Values) error {
	// A field of another name begins empty: after an answer, and for another ticket.
	box := &replyBox{Field: "reply-" + strconv.FormatInt(t.Number, 10) + "-" + strconv.Itoa(outs), Seen: strconv.FormatInt(t.Version, 10), Undo: undoFor, Zone: c.zoneOf(g).String()}
	p.Reply = box
	switch {
	case who.Address == "" && !who.ErasedAt.IsZero():
		box.Nobody = "Who wrote this was erased; there is nobody to answer."
	case who.Address == "":
		box.Nobody = "No mail address is known; answer by telephone and note it below."
	default:
		box.To = who.Address
		if who.Name != "" {
			box.To = who.Name + " <" + who.Address + ">"
		}
	}
	switch {
	case sent.Has("text"):
		box.Text = sent.Get("text")
	case sent.Get("saved") != "":
		var err error
		if box.Text, err = c.written(ctx, g, t.ID, sent.Get("saved")); err != nil {
			return err
		}
	case last != nil && last.Form == ticket.Out && last.Sending == ticket.TakenUp:
		box.Text = last.Text // taken back, to be mended
	}
	saved, err := c.deps.Tickets.Replies(ctx, g.Actor)
	if err != nil {
		return err
	}
	for _, s := range saved[:min(len(saved), maxSavedShown)] {
		box.Saved = append(box.Saved, savedRow{
			Name: s.Name, Text: cut(strings.Join(strings.Fields(s.Body), " "), 90), Path: p.Path + with(&url.URL{RawQuery: strings.TrimPrefix(p.Back, "?")}, "saved", s.ID),
			Fill: p.Path + "/saved/" + url.PathEscape(s.ID),
		})
	}
	return nil
}

// queueWord names a queue.
func (c *Console) queueWord(id string) string {
	for _, q := range c.deps.Tickets.Rules().Queues {
		if q.ID == id {
			return q.Name
		}
	}
	return id
}

// senderOf tells what is known of who wrote.
func (c *Console) senderOf(ctx context.Context, g door.Guest, t *ticket.Ticket, k Clock) (*senderView, error) {
	if t.Requester == "" {
		return nil, nil
	}
	who, past, err := c.deps.Tickets.Requester(ctx, g.Actor, t.Requester, historyShown)
	if kind := problem.KindOf(err); kind == problem.KindNotFound || kind == problem.KindForbidden {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := &senderView{Path: requestersPath + "/" + url.PathEscape(who.ID), All: "Their page"}
	if len(past) > 1 {
		v.All = "All " + plural(len(past), "ticket", "tickets")
		if len(past) == historyShown {
			v.All = "All their tickets"
		}
	}
	fact := func(word, value string) {
		if value != "" {
			v.Facts = append(v.Facts, Fact{Word: word, Value: value})
		}
	}
	if !who.ErasedAt.IsZero() {
		fact("Erased", k.Day(who.ErasedAt).Text)
		return v, nil
	}
	fact("Telephone", who.Phone)
	fact("Notes", cut(who.Notes, 300))
	fact("History", historyWord(past, t, k))
	follows, err := c.followsOf(ctx, g, who.Address)
	if err != nil {
		return nil, err
	}
	fact("Follows", follows)
	fact("Mail", who.Bad)
	if who.Blocked {
		fact("Blocked", "What they send is kept and opens nothing.")
	}
	return v, nil
}

// historyShown bounds the tickets of a requester that are counted beside one.
const historyShown = 50

// historyWord sums up what somebody wrote before.
func historyWord(past []ticket.Ticket, t *ticket.Ticket, k Clock) string {
	if len(past) <= 1 {
		return "This is their first ticket"
	}
	first, solved := past[len(past)-1], ticket.Ticket{}
	for _, o := range past {
		if o.ID != t.ID && o.SolvedAt.After(solved.SolvedAt) {
			solved = o
		}
	}
	words := plural(len(past), "ticket", "tickets")
	if len(past) == historyShown {
		words = "At least " + words
	}
	words += " since " + first.CreatedAt.In(k.Zone).Format("2 Jan 2006")
	if !solved.SolvedAt.IsZero() {
		words += ", last solved " + solved.SolvedAt.In(k.Zone).Format("2 Jan") + " in " + length(max(solved.SolvedAt.Sub(solved.CreatedAt), 0).Truncate(time.Minute))
	}
	return words
}

// followsOf says what somebody asked to be told of, for who may read that.
func (c *Console) followsOf(ctx context.Context, g door.Guest, address string) (string, error) {
	if c.deps.Subscribers == nil || address == "" || !g.Actor.May(access.SubscriberRead) {
		return "", nil
	}
	found, err := c.deps.Subscribers.Subscribers(ctx, g.Actor, notice.SubscriberQuery{Search: address, State: notice.Active, Limit: 5})
	if err != nil {
		return "", err
	}
	s, err := c.roll.state(ctx)
	if err != nil {
		return "", err
	}
	for _, one := range found {
		if !strings.EqualFold(one.Address, address) {
			continue
		}
		if len(one.Components)+len(one.Groups) == 0 {
			return "Everything, by " + wordOf(modeWords, string(one.Mode)), nil
		}
		var names []string
		for _, key := range one.Components {
			if part := s.byKey[key]; part != nil {
				names = append(names, part.Name)
			}
		}
		names = append(names, one.Groups...)
		return sentence(names, 4) + ", by " + strings.ToLower(wordOf(modeWords, string(one.Mode))), nil
	}
	return "", nil
}

// paneOthers says who else has the ticket open, and that we have.
func (c *Console) paneOthers(ctx context.Context, p *ticketPane, g door.Guest, t *ticket.Ticket) error {
	if !p.May["note"] {
		return nil
	}
	others, err := c.deps.Tickets.Writing(ctx, g.Actor, t.ID, false)
	if err != nil {
		return err
	}
	for _, o := range others {
		does := " reads this ticket"
		if o.Writing {
			does = " is writing on this ticket"
		}
		p.Others = append(p.Others, c.name(ctx, o.Person)+does)
	}
	return nil
}
