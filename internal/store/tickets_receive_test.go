package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

func TestMailOpensOneTicketAndTheReplyJoinsIt(t *testing.T) {
	onDesks(t, func(s *scene) {
		first := s.mail("guest@theirs.example", "Card declined", "We tried to pay twice.")
		out := s.take(first)
		if !out.Opened || out.Muted || out.Ticket == "" || out.Message == "" {
			s.Fatalf("got %+v", out)
		}
		got := s.ticket(out.Ticket)
		if got.Number != 1 || got.State != ticket.New || got.Subject != "Card declined" || got.Unheard != 1 || got.Messages != 1 || got.Queue != "support" || got.Root != first.MessageID {
			s.Errorf("got %+v", got)
		}
		again := s.take(first)
		if !again.Repeats || again.Ticket != out.Ticket || again.Message != out.Message || again.Opened {
			s.Errorf("the same mail again: %+v", again)
		}
		other := first
		other.Mailbox, other.Hash, other.Mail = "sales", "another", journal.NewID()
		if twice := s.take(other); !twice.Repeats || twice.Ticket != out.Ticket {
			s.Errorf("the same mail through another mailbox: %+v", twice)
		}
		reply := s.mail("guest@theirs.example", "Re: Card declined", "It works now.")
		reply.InReplyTo = first.MessageID
		if joined := s.take(reply); joined.Ticket != out.Ticket || joined.Opened {
			s.Errorf("the reply: %+v", joined)
		}
		all := s.messages(out.Ticket)
		if len(all) != 2 || all[0].From != ticket.FromRequester || all[1].Text != "It works now." {
			s.Errorf("got %+v", all)
		}
		if verbs := s.told(out.Ticket); !slices.Equal(verbs, []string{"ticket.opened", "ticket.received"}) {
			s.Errorf("told %v", verbs)
		}
	})
}

func TestMailWithoutMessageIDIsKnownByItsBytes(t *testing.T) {
	onDesks(t, func(s *scene) {
		in := s.mail("guest@theirs.example", "x", "y")
		in.MessageID = ""
		out := s.take(in)
		if again := s.take(in); !again.Repeats || again.Ticket != out.Ticket {
			s.Errorf("got %+v", again)
		}
		in.Hash = "another"
		if next := s.take(in); !next.Opened {
			s.Errorf("got %+v", next)
		}
	})
}

// answered is a ticket that was answered once, with the answer.
func (s *scene) answered() (ticket.Ticket, ticket.Message) {
	s.Helper()
	out := s.take(s.mail("guest@theirs.example", "Card declined", "We tried to pay twice."))
	m, err := s.Answer(s.Context(), agent, out.Ticket, ticket.Answer{Text: "We look into it.", State: ticket.Pending, Now: true})
	if err != nil {
		s.Fatal(err)
	}
	return s.ticket(out.Ticket), m
}

// Every way of pointing at a ticket, by everybody who might.
func TestOnlyWhoHasAPartEntersATicket(t *testing.T) {
	onDesks(t, func(s *scene) {
		old, ours := s.answered()
		theirs := s.messages(old.ID)[0].MessageID
		address := s.ReplyAddress(&old)
		forged := strings.Replace(address, "@", "x@", 1)
		swapped := strings.Replace(address, "+tk.", "+tp.", 1)
		token := "Re: [" + s.Label(old.Number) + "] card"
		other := s.ticket(s.take(s.mail("else@theirs.example", "Another", "matter")).Ticket)
		borrowed := strings.Replace(s.ReplyAddress(&other), fmt.Sprintf("tk.%d.", other.Number), fmt.Sprintf("tk.%d.", old.Number), 1)
		const requester, stranger = "guest@theirs.example", "stranger@evil.example"
		for name, c := range map[string]struct {
			from, subject, inReplyTo, delivered string
			trust                               ticket.Trust
			kind                                string
			joins, mute                         bool
		}{
			"requester by our Message-ID":             {from: requester, inReplyTo: ours.MessageID, joins: true},
			"requester by their own":                  {from: requester, inReplyTo: theirs, joins: true},
			"requester by the subject":                {from: requester, subject: token, joins: true},
			"requester by the address":                {from: requester, delivered: address, joins: true},
			"requester by nothing":                    {from: requester},
			"second address of theirs by the address": {from: "second@theirs.example", delivered: strings.ToUpper(address), joins: true},
			"stranger by our Message-ID":              {from: stranger, inReplyTo: ours.MessageID},
			"stranger by their Message-ID":            {from: stranger, inReplyTo: theirs},
			"stranger by the subject":                 {from: stranger, subject: token},
			"stranger by a forged address":            {from: stranger, delivered: forged},
			"stranger by another's code":              {from: stranger, delivered: borrowed},
			"stranger as staff":                       {from: stranger, delivered: swapped},
			"requester's name, proven false":          {from: requester, subject: token, trust: ticket.Disputed},
			"the same by our Message-ID":              {from: requester, inReplyTo: ours.MessageID, trust: ticket.Disputed},
			"automatic answer to our mail":            {from: "autoreply@theirs.example", inReplyTo: ours.MessageID, kind: "auto_reply", joins: true, mute: true},
			"automatic answer by the subject":         {from: stranger, subject: token, kind: "auto_reply"},
			"requester's out of office":               {from: requester, subject: token, kind: "auto_reply", joins: true, mute: true},
		} {
			in := s.mail(c.from, c.subject, "text of "+name)
			in.InReplyTo, in.Trust = c.inReplyTo, c.trust
			if c.kind != "" {
				in.Kind = c.kind
			}
			if c.delivered != "" {
				in.Delivered = append(in.Delivered, c.delivered)
			}
			before := s.ticket(old.ID)
			out := s.take(in)
			if joined := out.Ticket == old.ID; joined != c.joins || out.Opened == c.joins || c.joins && out.Muted != c.mute {
				s.Errorf("%s: %+v", name, out)
			}
			after := s.ticket(old.ID)
			if moved := after.Unheard > before.Unheard; moved != (c.joins && !c.mute) {
				s.Errorf("%s: it moves the ticket: %v", name, moved)
			}
			if !c.joins && (c.subject != "" || c.inReplyTo != "") && !strings.Contains(out.Reason, s.Label(old.Number)) {
				s.Errorf("%s: the new ticket does not say what it refers to: %q", name, out.Reason)
			}
		}
	})
}

func TestCopiedPeopleTakePart(t *testing.T) {
	onDesks(t, func(s *scene) {
		first := s.mail("guest@theirs.example", "Card declined", "We tried to pay twice.")
		first.Cc = []ticket.Address{{Address: "Partner@theirs.example"}}
		out := s.take(first)
		reply := s.mail("partner@theirs.example", "Re: Card declined", "So did I.")
		reply.References = []string{"x@y", first.MessageID}
		joined := s.take(reply)
		all := s.messages(out.Ticket)
		if joined.Ticket != out.Ticket || len(all) != 2 || all[1].From != ticket.FromOther {
			s.Errorf("got %+v, %+v", joined, all)
		}
	})
}

func TestStaffActByMailOnlyWhenItIsProven(t *testing.T) {
	onDesks(t, func(s *scene) {
		old, ours := s.answered()
		mine, hers := s.StaffAddress(&old, "agent"), s.StaffAddress(&old, "clerk")
		for name, c := range map[string]struct {
			from, delivered string
			trust           ticket.Trust
			form            ticket.Form // of the message; "" = a new ticket
		}{
			"own address, proven":          {"agent@ours.example", mine, ticket.Proven, ticket.Out},
			"own address, nothing proven":  {"agent@ours.example", mine, ticket.Unproven, ticket.Note},
			"own address, proven false":    {"agent@ours.example", mine, ticket.Disputed, ticket.Note},
			"address of a colleague":       {"agent@ours.example", hers, ticket.Proven, ticket.Note},
			"somebody else's":              {"stranger@evil.example", mine, ticket.Proven, ""},
			"no address, a reference only": {"agent@ours.example", "", ticket.Proven, ticket.Note},
		} {
			in := s.mail(c.from, "Re: Card declined", "answer of "+name)
			in.Trust, in.InReplyTo, in.Reply = c.trust, ours.MessageID, "short answer"
			if c.delivered != "" {
				in.Delivered = append(in.Delivered, c.delivered)
			}
			out := s.take(in)
			if c.form == "" {
				if !out.Opened || out.Ticket == old.ID {
					s.Errorf("%s: %+v", name, out)
				}
				continue
			}
			m, err := s.Message(s.Context(), chief, out.Message)
			if err != nil || out.Ticket != old.ID || m.Form != c.form {
				s.Errorf("%s: %+v, %+v, %v", name, out, m, err)
			}
			if c.form == ticket.Out && (m.Author != agent.ID || m.Text != "short answer" || m.Sending != ticket.HandedOn || m.MessageID == in.MessageID) {
				s.Errorf("%s: %+v", name, m)
			}
			if c.form == ticket.Note && !slices.ContainsFunc(m.Warnings, func(w string) bool {
				return strings.Contains(w, "nverified") || strings.Contains(w, "not this person's")
			}) {
				s.Errorf("%s: the note does not say that it is unverified: %v", name, m.Warnings)
			}
			if again := s.take(in); !again.Repeats {
				s.Errorf("%s again: %+v", name, again)
			}
		}
	})
}

func TestAutomaticMailOpensNothingToDo(t *testing.T) {
	onDesks(t, func(s *scene) {
		for _, kind := range []string{"auto_reply", "list", "calendar", "own", "delay", "report", "feedback", "spam", "bounce"} {
			in := s.mail("machine@theirs.example", "Automatic "+kind, "text "+kind)
			in.Kind = kind
			out := s.take(in)
			got := s.ticket(out.Ticket)
			if !out.Muted || !got.Automatic || got.Unheard != 0 || !got.DueAt.IsZero() || s.messages(out.Ticket)[0].Form != ticket.Mute {
				s.Errorf("%s: %+v, %+v", kind, out, got)
			}
		}
		page, err := s.List(s.Context(), agent, limited(ticket.ViewAutomatic.Query(agent, time.Now(), time.Now())))
		if err != nil || len(page.Tickets) != 9 {
			s.Errorf("the view has %d, %v", len(page.Tickets), err)
		}
		for _, v := range []ticket.BuiltIn{ticket.ViewUnassigned, ticket.ViewOpen} {
			if page, err := s.List(s.Context(), agent, limited(v.Query(agent, time.Now(), time.Now()))); err != nil || len(page.Tickets) != 0 {
				s.Errorf("%s has %d, %v", v, len(page.Tickets), err)
			}
		}
	})
}

// limited asks for enough of a query.
func limited(q ticket.Query) ticket.Query { q.Limit = 100; return q }

func TestBounceMarksWhomItDidNotReach(t *testing.T) {
	onDesks(t, func(s *scene) {
		old, ours := s.answered()
		in := s.mail("mailer-daemon@theirs.example", "Undelivered", "5.1.1 no such user")
		in.Kind, in.Bounce = ticket.KindBounce, &ticket.Bounce{Recipient: "Guest@theirs.example", Hard: true, Code: "5.1.1", Original: ours.MessageID}
		out := s.take(in)
		got, who, err := s.Get(s.Context(), agent, old.ID)
		if err != nil || out.Ticket != old.ID || !out.Muted || got.Undeliverable == "" || who.Bad == "" || got.State != ticket.Pending {
			s.Errorf("got %+v, %+v, %+v, %v", out, got, who, err)
		}
		if verbs := s.told(old.ID); !slices.Contains(verbs, "ticket.bounced") {
			s.Errorf("told %v", verbs)
		}
		strange := s.mail("mailer-daemon@evil.example", "Undelivered", "5.1.1")
		strange.Kind, strange.Bounce = ticket.KindBounce, &ticket.Bounce{Recipient: "else@theirs.example", Hard: true}
		if out := s.take(strange); out.Ticket == old.ID || !s.ticket(out.Ticket).Automatic {
			s.Errorf("got %+v", out)
		}
	})
}

// A mail is answered by itself once, and only so many times an hour; never what no
// person wrote.
func TestAcknowledgementIsBounded(t *testing.T) {
	onDesks(t, func(s *scene) {
		setup := support()
		setup.Mailboxes[0].Acknowledge = true
		s.Setup(setup)
		acknowledged := func(out ticket.Outcome) bool {
			return slices.ContainsFunc(s.messages(out.Ticket), func(m ticket.Message) bool { return m.Kind == ticket.KindAcknowledgement })
		}
		first := s.take(s.mail("guest@theirs.example", "One", "1"))
		all := s.messages(first.Ticket)
		got := s.ticket(first.Ticket)
		if len(all) != 2 || got.Messages != 2 || got.Unheard != 1 || !got.FirstReplyAt.IsZero() || !strings.Contains(all[1].Text, s.Label(got.Number)) ||
			all[1].Sending != ticket.HandedOn || all[1].InReplyTo != all[0].MessageID || all[1].Subject != "Re: One ["+s.Label(got.Number)+"]" {
			s.Fatalf("got %+v, %+v", got, all)
		}
		l, err := s.Letter(s.Context(), all[1].ID)
		if err != nil || !l.Automatic || l.To.Address != "guest@theirs.example" || l.ReplyTo.Address != s.ReplyAddress(&got) {
			s.Errorf("the letter: %+v, %v", l, err)
		}
		reply := s.mail("guest@theirs.example", "Re: One", "thanks")
		reply.InReplyTo = all[1].MessageID
		s.take(reply)
		if len(s.messages(first.Ticket)) != 3 {
			s.Error("a reply was acknowledged")
		}
		yes := 0
		for n := range 5 {
			if acknowledged(s.take(s.mail("guest@theirs.example", "More", fmt.Sprint("more ", n)))) {
				yes++
			}
		}
		if yes != 2 {
			s.Errorf("one sender was answered %d times more", yes)
		}
		yes = 0
		for n := range 40 {
			if acknowledged(s.take(s.mail(fmt.Sprintf("guest%d@flood.example", n), "Flood", fmt.Sprint("flood ", n)))) {
				yes++
			}
		}
		if yes != 20 {
			s.Errorf("one domain was answered %d times", yes)
		}
		for name, change := range map[string]func(*ticket.Incoming){
			"automatic":      func(in *ticket.Incoming) { in.Kind = "list" },
			"not answerable": func(in *ticket.Incoming) { in.Answerable = false },
			"old mail":       func(in *ticket.Incoming) { in.Quiet = true },
			"other mailbox":  func(in *ticket.Incoming) { in.Mailbox = "sales" },
			"ourselves":      func(in *ticket.Incoming) { in.From.Address = "sales@ours.example" },
		} {
			in := s.mail(strings.ReplaceAll(name, " ", "")+"@single.example", name, name)
			change(&in)
			if out := s.take(in); acknowledged(out) {
				s.Errorf("%s was answered", name)
			}
		}
	})
}

func TestReplyReopensWhatWasDone(t *testing.T) {
	onDesks(t, func(s *scene) {
		old, ours := s.answered()
		reply := func() ticket.Outcome {
			in := s.mail("guest@theirs.example", "Re: x", fmt.Sprint("still broken ", s.mails))
			in.InReplyTo = ours.MessageID
			return s.take(in)
		}
		for _, to := range []ticket.State{ticket.Pending, ticket.OnHold, ticket.Solved, ticket.Closed} {
			if _, err := s.Move(s.Context(), agent, old.ID, to); err != nil {
				s.Fatal(to, err)
			}
			if out := reply(); out.Ticket != old.ID || s.ticket(old.ID).State != ticket.Open {
				s.Errorf("after %s: %+v", to, out)
			}
		}
		if verbs := s.told(old.ID); !slices.Contains(verbs, "ticket.reopened") {
			s.Errorf("told %v", verbs)
		}
		setup := support()
		setup.ReopenWithin = time.Nanosecond
		s.Setup(setup)
		if _, err := s.Move(s.Context(), agent, old.ID, ticket.Closed); err != nil {
			s.Fatal(err)
		}
		out := reply()
		if out.Ticket == old.ID || !out.Opened || !strings.Contains(out.Reason, s.Label(old.Number)) {
			s.Errorf("long after it was closed: %+v", out)
		}
	})
}

func TestBlockedSenderOpensNothing(t *testing.T) {
	onDesks(t, func(s *scene) {
		out := s.take(s.mail("guest@theirs.example", "x", "y"))
		if _, err := s.Block(s.Context(), agent, s.ticket(out.Ticket).Requester, true); err != nil {
			s.Fatal(err)
		}
		if out := s.take(s.mail("guest@theirs.example", "x", "z")); out.Ticket != "" || out.Message != "" || !out.Muted {
			s.Errorf("got %+v", out)
		}
	})
}

// The same mail through two doors at the same moment is one ticket, and no sender
// becomes two people.
func TestMailsThatRaceAreNeverDoubled(t *testing.T) {
	onDesks(t, func(s *scene) {
		var mails []ticket.Incoming
		for n := range 30 {
			in := s.mail(fmt.Sprintf("guest%d@theirs.example", n%3), "Race", fmt.Sprint("race ", n/2))
			in.MessageID = fmt.Sprintf("race%d@theirs.example", n/2)
			mails = append(mails, in)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]string{}
		for _, in := range mails {
			all.Go(func() {
				for try := 0; ; try++ {
					var out ticket.Outcome
					err := s.store.Do(s.Context(), access.Hub, func(tx journal.Tx) (err error) {
						out, err = s.Receive(s.Context(), tx, in)
						return err
					})
					if problem.KindOf(err) == problem.KindConflict && try < 5 {
						continue
					}
					if err != nil {
						s.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if was := seen[in.MessageID]; was != "" && was != out.Ticket {
						s.Errorf("%s is in %s and %s", in.MessageID, was, out.Ticket)
					}
					seen[in.MessageID] = out.Ticket
					return
				}
			})
		}
		all.Wait()
		page, err := s.List(s.Context(), chief, limited(ticket.Query{Sort: ticket.Oldest}))
		if err != nil || len(page.Tickets) != 15 || len(page.Requesters) != 3 {
			s.Errorf("%d tickets of %d people, %v", len(page.Tickets), len(page.Requesters), err)
		}
	})
}

func TestFormsOpenTicketsAndProveNothing(t *testing.T) {
	onDesks(t, func(s *scene) {
		old, _ := s.answered()
		got, err := s.Submit(s.Context(), ticket.Incoming{
			Way: ticket.ByForm, Mailbox: "help", From: ticket.Address{Address: "Guest@Theirs.example"}, Subject: "[" + s.Label(old.Number) + "]",
			Text: "It is down.", Components: []string{"pay"}, Delivered: []string{s.ReplyAddress(&old)}, InReplyTo: old.Root,
		})
		if err != nil || got.ID == old.ID || got.Requester != old.Requester || got.Way != ticket.ByForm || !slices.Equal(got.Components, []string{"pay"}) {
			s.Errorf("got %+v, %v", got, err)
		}
		for name, in := range map[string]ticket.Incoming{
			"no address": {Text: "x"}, "no words": {From: ticket.Address{Address: "a@b.example"}},
			"two addresses": {From: ticket.Address{Address: "a@b.example, c@d.example"}, Text: "x"}, "a line break": {From: ticket.Address{Address: "a@b.example\r\nBcc: c@d.example"}, Text: "x"},
			"unknown field": {From: ticket.Address{Address: "a@b.example"}, Text: "x", Fields: map[string]string{"x": "y"}},
			"no choice":     {From: ticket.Address{Address: "a@b.example"}, Text: "x", Fields: map[string]string{"plan": "gold"}},
		} {
			if _, err := s.Submit(s.Context(), in); problem.KindOf(err) != problem.KindInvalid {
				s.Errorf("%s: %v", name, err)
			}
		}
	})
}
