package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/hub"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/ticket"
)

// supported is a hall with a desk of tickets.
type supported struct {
	*hall
	*scene
}

// inSupportedHall runs a scene in a hall that has a desk of tickets.
func inSupportedHall(t *testing.T, setup ticket.Setup, run func(t *testing.T, h *supported)) {
	synctest.Test(t, func(t *testing.T) {
		h := &hall{t: t, dir: t.TempDir(), desk: &desk{}, silence: map[string]status.Silence{}, spans: map[string]status.Span{}}
		h.open()
		defer func() { closeStore(t, h.store) }()
		h.define()
		desk := deskOn(t, h.store, setup)
		h.support = desk.Desk
		h.start()
		defer func() { h.stop() }()
		desk.Explain(h.hub)
		run(t, &supported{h, desk})
	})
}

// complaints are fourteen people who write that search fails, in several
// languages, and what else comes in at the same time.
var complaints = [][2]string{
	{"Search down", "The search shows an error since a few minutes."}, {"Suche kaputt", "Die Suche funktioniert nicht mehr."},
	{"Recherche", "La recherche ne fonctionne plus depuis midi."}, {"Search 502", "Search gives 502 for all of us."},
	{"Búsqueda", "La búsqueda no funciona."}, {"検索", "検索が使えません。エラーになります。"}, {"search broken?", "Is the search broken? It times out."},
	{"Zoekfunctie", "De zoekfunctie werkt niet."}, {"Ricerca", "La ricerca non funziona da stamattina."}, {"Поиск", "Поиск не работает."},
	{"Search results missing", "The search fails with an internal server error."}, {"Haku", "Haku ei toimi."}, {"Sökning", "Sökfunktionen fungerar inte."},
	{"URGENT search", "Search is down, please help!"},
}

// everyday is what comes in anyway.
var everyday = [][2]string{
	{"Invoice", "Please send the invoice of May again."}, {"Idea", "It would be great if the search had filters."}, {"Hello", "How do I add a colleague?"},
}

// burst lets people write in.
func (h *supported) burst() {
	for n, c := range everyday {
		h.take(h.mail(fmt.Sprintf("other%d@site%d.example", n, n), c[0], c[1]))
	}
	for n, c := range complaints {
		h.take(h.mail(fmt.Sprintf("person%d@firm%d.example", n, n), c[0], c[1]))
		h.pass(20 * time.Second)
	}
	h.pass(5 * time.Second)
}

// proposals gives those in a state.
func (h *supported) proposals(state ticket.ProposalState) []ticket.Proposal {
	h.t.Helper()
	list, err := h.hub.Proposals(h.t.Context(), agent, []ticket.ProposalState{state}, 100)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func TestHallBurstOfLettersIsSuspectedThoughEveryCheckIsGreen(t *testing.T) {
	inSupportedHall(t, support(), func(t *testing.T, h *supported) {
		h.burst()
		i := h.only()
		if i.State != incident.Suspected || i.Origin != incident.ByTickets || i.Seen() || len(i.Components) != 1 || i.Components[0].Component != "k-search" {
			t.Fatalf("got %+v", i)
		}
		open := h.proposals(ticket.Proposed)
		if len(open) != 1 || open[0].Kind != ticket.Burst || open[0].Incident != i.ID || len(open[0].Tickets) != len(complaints) {
			t.Fatalf("got %+v", open)
		}
		for _, m := range open[0].Members {
			if len(m.Reasons) == 0 {
				t.Errorf("%s is in it without a reason", m.Ticket)
			}
		}
		h.pass(20 * time.Minute) // checks are green all the time, and it is neither published nor dropped
		if i := h.only(); i.State != incident.Suspected || i.Seen() {
			t.Errorf("after twenty minutes %+v", i)
		}
	})
}

func TestHallAnswersEveryRequesterOnceWhenItIsOver(t *testing.T) {
	inSupportedHall(t, support(), func(t *testing.T, h *supported) {
		h.burst()
		p := h.proposals(ticket.Proposed)[0]
		if _, err := h.hub.Accept(t.Context(), agent, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.hub.Accept(t.Context(), agent, p.ID); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("accepted twice: %v", err)
		}
		w, err := h.hub.Waiting(t.Context(), agent, p.Incident)
		if err != nil || w.Waiting != len(complaints) || w.StillBroken != 0 {
			t.Fatalf("%+v, %v", w, err)
		}
		// One of them writes a second time, from the same address, in a ticket of its own.
		again := h.take(h.mail("person0@firm0.example", "Search still down", "The search is still down for us."))
		h.pass(5 * time.Second)
		publish := func(state incident.State, body string) incident.Update {
			_, u, err := h.room.Publish(t.Context(), operator, p.Incident, incident.Publication{State: state, Body: body, Deliver: true})
			if err != nil {
				t.Fatal(err)
			}
			h.pass(time.Minute)
			return u
		}
		u := publish(incident.Investigating, "We see failures of **search**.")
		if links := h.proposals(ticket.Proposed); len(links) == 0 || !slices.Contains(links[0].Tickets, again.Ticket) {
			// The newcomer joined the burst, or is proposed by itself: somebody decides either way.
			if _, err := h.Link(t.Context(), agent, again.Ticket, p.Incident); err != nil {
				t.Fatal(err)
			}
		} else if _, err := h.hub.Accept(t.Context(), agent, links[0].ID); err != nil {
			t.Fatal(err)
		}
		if n := len(h.events("ticket.answer")); n != 0 {
			t.Errorf("%d answers before anybody chose so", n)
		}
		if n, err := h.hub.Tell(t.Context(), operator, p.Incident, u.ID); err != nil || n != len(complaints) {
			t.Errorf("told %d, %v", n, err)
		}
		if _, err := h.hub.Tell(t.Context(), operator, p.Incident, u.ID); problem.KindOf(err) != problem.KindConflict {
			t.Errorf("told twice: %v", err)
		}
		publish(incident.Resolved, "A broken index was rebuilt. Search works again.")
		h.stop()
		h.start() // and nothing is said twice after a restart
		h.pass(time.Minute)
		answers := h.events("ticket.answer")
		if len(answers) != 2*len(complaints) {
			t.Fatalf("%d answers, want %d", len(answers), 2*len(complaints))
		}
		who := map[string]int{}
		for _, e := range answers[len(complaints):] {
			who[e.Content.Facts[notice.FactRequester]]++
			l, to, err := h.hub.Letter(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if len(l.References) == 0 || l.InReplyTo == "" || !strings.Contains(l.Text, "rebuilt. Search works again.") || !strings.Contains(l.Text, "/incidents/"+p.Incident) ||
				to.Address == "" || l.From.Address != "support@ours.example" || l.ReplyTo.Address == l.From.Address || strings.Contains(l.Text, "**") {
				t.Errorf("letter %+v to %+v", l, to)
			}
		}
		for id, n := range who {
			if n != 1 {
				t.Errorf("%s is told %d times", id, n)
			}
		}
		done, err := h.hall.store.CountTickets(t.Context(), ticket.Query{Incident: p.Incident, States: []ticket.State{ticket.Solved}}, 100)
		if err != nil || done != len(complaints)+1 {
			t.Errorf("%d are solved, %v", done, err)
		}
	})
}

func TestHallHearsThatItIsStillBroken(t *testing.T) {
	inSupportedHall(t, support(), func(t *testing.T, h *supported) {
		h.burst()
		p := h.proposals(ticket.Proposed)[0]
		p, err := h.hub.Accept(t.Context(), agent, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, state := range []incident.State{incident.Investigating, incident.Resolved} {
			if _, _, err := h.room.Publish(t.Context(), operator, p.Incident, incident.Publication{State: state, Body: "Search.", Deliver: true}); err != nil {
				t.Fatal(err)
			}
			h.pass(time.Minute)
		}
		answers := h.events("ticket.answer")
		reply := func(n int, text string) string {
			l, to, err := h.hub.Letter(t.Context(), answers[n])
			if err != nil {
				t.Fatal(err)
			}
			in := h.mail(to.Address, l.Subject, text)
			in.InReplyTo, in.References = l.MessageID, append(l.References, l.MessageID)
			out := h.take(in)
			h.pass(10 * time.Second)
			return out.Ticket
		}
		thanks, doubt := reply(0, "Thank you, it works again."), reply(1, "No, it is still not working: search is down here.")
		reply(2, "Same here, the search still gives an error.")
		for id, want := range map[string]bool{thanks: false, doubt: true} {
			got, _, err := h.Get(t.Context(), agent, id)
			if err != nil || got.StillBroken != want || got.State != ticket.Open {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
		if w, err := h.hub.Waiting(t.Context(), agent, p.Incident); err != nil || w.StillBroken != 2 || w.Wrote != len(complaints) {
			t.Errorf("%+v, %v", w, err)
		}
		h.pass(time.Minute)
		list, err := h.hub.Attention(t.Context(), operator)
		if err != nil || !slices.ContainsFunc(list, func(a hub.Attention) bool {
			return a.Kind == hub.StillBroken && strings.Contains(a.Words, "2 of 14 who wrote say that it is still broken")
		}) {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestHallAnswersAreHeldWhereTheMailboxAsksForReview(t *testing.T) {
	setup := support()
	setup.Mailboxes[0].Review = true
	inSupportedHall(t, setup, func(t *testing.T, h *supported) {
		h.burst()
		p := h.proposals(ticket.Proposed)[0]
		if _, err := h.hub.Accept(t.Context(), agent, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.room.Publish(t.Context(), operator, p.Incident, incident.Publication{State: incident.Resolved, Body: "Over.", Deliver: true}); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		if n := len(h.events("ticket.answer")); n != 0 {
			t.Fatalf("%d answers went out unseen", n)
		}
		held, err := h.Review(t.Context(), agent)
		if err != nil || len(held) != len(complaints) {
			t.Fatalf("%d are held, %v", len(held), err)
		}
		ids := []string{}
		for _, m := range held {
			ids = append(ids, m.ID)
		}
		if failed, err := h.Release(t.Context(), agent, ids); err != nil || len(failed) > 0 {
			t.Fatalf("%v, %v", failed, err)
		}
		h.pass(time.Minute)
		if n := len(h.events("ticket.answer")); n != len(complaints) {
			t.Errorf("%d answers went out", n)
		}
	})
}

func TestHallProposalsCanBeDismissedAndTakenBack(t *testing.T) {
	inSupportedHall(t, support(), func(t *testing.T, h *supported) {
		h.burst()
		p := h.proposals(ticket.Proposed)[0]
		if _, err := h.hub.Dismiss(t.Context(), agent, p.ID); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		if list := h.opened(); len(list) != 0 {
			t.Errorf("the suspicion stays: %+v", list)
		}
		h.take(h.mail("late@firm.example", "search", "The search is down."))
		h.pass(time.Minute)
		if list := h.proposals(ticket.Proposed); len(list) != 0 {
			t.Errorf("it is asked again: %+v", list)
		}
		if got, err := h.hub.Undo(t.Context(), agent, p.ID); err != nil || got.State != ticket.Proposed {
			t.Fatalf("%+v, %v", got, err)
		}
		got, err := h.hub.Accept(t.Context(), agent, p.ID)
		if err != nil || got.Incident == "" || len(got.Did) != len(complaints) {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err = h.hub.Undo(t.Context(), agent, p.ID); err != nil || got.State != ticket.Undone {
			t.Fatalf("%+v, %v", got, err)
		}
		if n, err := h.hall.store.CountTickets(t.Context(), ticket.Query{Incident: ticket.AnyIncident}, 100); err != nil || n != 0 {
			t.Errorf("%d are linked still, %v", n, err)
		}
	})
}

func TestHallProposesToLinkWhatAnOpenIncidentExplains(t *testing.T) {
	inSupportedHall(t, support(), func(t *testing.T, h *supported) {
		h.see(status.MajorOutage, "gateway")
		h.pass(2 * time.Second)
		i := h.only()
		if _, _, err := h.room.Publish(t.Context(), operator, i.ID, incident.Publication{State: incident.Investigating, Body: "The **gateway** fails.", Deliver: true}); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		in := h.mail("ann@firm.example", "Gateway error", "Your gateway does not work, we get errors.")
		out := h.take(in)
		h.take(h.mail("bob@firm.example", "Gateway feature", "It would be great if the gateway had a dark theme."))
		h.pass(5 * time.Second)
		links := h.proposals(ticket.Proposed)
		if len(links) != 1 || links[0].Kind != ticket.Link || links[0].Incident != i.ID || links[0].Tickets[0] != out.Ticket {
			t.Fatalf("got %+v", links)
		}
		if got, _, err := h.Get(t.Context(), agent, out.Ticket); err != nil || got.Incident != "" || !slices.Equal(got.Components, []string{"k-gateway"}) {
			t.Errorf("nothing is linked silently, and the component is known: %+v, %v", got, err)
		}
		word, err := h.hub.PublicWord(t.Context(), "k-gateway")
		if err != nil || !strings.Contains(word, "The gateway fails.") {
			t.Errorf("public word %q, %v", word, err)
		}
		sentence, page, err := h.hub.Explain(t.Context(), nil, ticket.Ticket{ID: "new"}, ticket.Message{Subject: in.Subject, Reply: in.Reply, Kind: ticket.KindPerson})
		if err != nil || !strings.Contains(sentence, "The gateway fails.") || page != "https://status.example.org/incidents/"+i.ID {
			t.Errorf("explained by %q at %q, %v", sentence, page, err)
		}
		h.pass(time.Minute)
		second := h.take(h.mail("cleo@shop.example", "Gateway down", "The gateway is down for us too."))
		h.pass(5 * time.Second)
		grown := h.proposals(ticket.Proposed)
		if len(grown) != 1 || grown[0].ID != links[0].ID || !slices.Equal(grown[0].Tickets, []string{out.Ticket, second.Ticket}) || !strings.HasPrefix(grown[0].Reason, "2 mails") {
			t.Fatalf("one key answers for all who wrote: %+v", grown)
		}
		if _, err := h.hub.Accept(t.Context(), agent, links[0].ID); err != nil {
			t.Fatal(err)
		}
		for _, id := range grown[0].Tickets {
			if got, _, err := h.Get(t.Context(), agent, id); err != nil || got.Incident != i.ID {
				t.Errorf("%+v, %v", got, err)
			}
		}
		third := h.take(h.mail("dan@other.example", "Gateway broken", "The gateway is broken, nothing works."))
		h.pass(5 * time.Second)
		if next := h.proposals(ticket.Proposed); len(next) != 1 || next[0].ID == links[0].ID || !slices.Equal(next[0].Tickets, []string{third.Ticket}) {
			t.Errorf("what was decided about does not grow: %+v", next)
		}
	})
}

// TestHallImpairmentOpensOneTicket (S1-23): one while it lasts, outside the clocks
// of customers, solved by itself.
func TestHallImpairmentOpensOneTicket(t *testing.T) {
	inSupportedHall(t, support(), func(t *testing.T, h *supported) {
		impairments := func(states ...ticket.State) []ticket.Ticket {
			list, err := h.hall.store.Tickets(t.Context(), ticket.Query{Kinds: []ticket.Kind{ticket.Impairment}, States: states, Sort: ticket.Newest, Limit: 50})
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		h.see(status.PartialOutage, "search")
		h.pass(5 * time.Second)
		h.see(status.MajorOutage, "search")
		h.pass(5 * time.Second)
		list := impairments()
		if len(list) != 1 || list[0].Queue != "plant" || list[0].State.Over() || !list[0].DueAt.IsZero() || list[0].Incident == "" {
			t.Fatalf("got %+v", list)
		}
		h.see(status.Operational, "search")
		h.pass(5 * time.Second)
		if list := impairments(ticket.Solved); len(list) != 1 {
			t.Fatalf("got %+v", impairments())
		}
		h.see(status.MajorOutage, "search")
		h.pass(5 * time.Second)
		if list := impairments(); len(list) != 2 {
			t.Errorf("the next one is %+v", list)
		}
		if n := len(h.events("ticket.answer")); n != 0 {
			t.Errorf("%d answers to nobody", n)
		}
	})
}

func TestHallBounceClosesTheSubscription(t *testing.T) {
	inSupportedHall(t, support(), func(t *testing.T, h *supported) {
		s := notice.Subscriber{ID: journal.NewID(), Mode: notice.ByMail, Address: "gone@firm.example", State: notice.Active, MinImpact: "none", CreatedAt: time.Now(), ChangedAt: time.Now()}
		h.hall.do(func(tx journal.Tx) error { return h.hall.store.PutSubscriber(t.Context(), tx, &s) })
		in := h.mail("mailer-daemon@firm.example", "Undelivered", "550 5.1.1 user unknown")
		in.Kind, in.Answerable = ticket.KindBounce, false
		in.Bounce = &ticket.Bounce{Recipient: "gone@firm.example", Hard: true, Code: "5.1.1"}
		h.take(in)
		h.pass(5 * time.Second)
		got, err := h.hall.store.SubscriberIn(t.Context(), nil, s.ID)
		if err != nil || got.State != notice.Ended || got.EndReason != "bounced" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
