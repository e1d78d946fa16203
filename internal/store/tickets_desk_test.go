package store_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

func TestAnswerWaitsAndCanBeTakenBack(t *testing.T) {
	onDesks(t, func(s *scene) {
		out := s.take(s.mail("guest@theirs.example", "Re: RE: Card declined", "We tried."))
		before := s.ticket(out.Ticket)
		m, err := s.Answer(s.Context(), agent, out.Ticket, ticket.Answer{
			Text: "We are on it.", State: ticket.Solved, Files: []ticket.File{{Name: "a.txt", Type: "text/plain", Data: []byte("hello")}},
		})
		if err != nil {
			s.Fatal(err)
		}
		got := s.ticket(out.Ticket)
		if m.Sending != ticket.Timed || m.SendAt.Sub(m.At) != ticket.UndoFor || got.State != ticket.Solved || got.Unheard != 0 || got.FirstReplyAt.IsZero() || got.Files != 1 ||
			m.Subject != "Re: Card declined [TK-1]" || len(m.References) != 1 {
			s.Errorf("got %+v, %+v", m, got)
		}
		if _, err := s.Letter(s.Context(), m.ID); problem.KindOf(err) != problem.KindConflict {
			s.Errorf("a letter of what waits: %v", err)
		}
		a, body, err := s.Attachment(s.Context(), agent, m.ID, m.Attachments[0].Hash)
		if err != nil || a.Name != "a.txt" {
			s.Fatal(a, err)
		}
		if b, err := io.ReadAll(body); err != nil || string(b) != "hello" {
			s.Errorf("the file: %q, %v", b, err)
		}
		if _, _, err := s.Attachment(s.Context(), agent, out.Message, m.Attachments[0].Hash); problem.KindOf(err) != problem.KindNotFound {
			s.Errorf("a file of another message: %v", err)
		}
		if m, err = s.Undo(s.Context(), agent, m.ID); err != nil || m.Sending != ticket.TakenUp {
			s.Fatal(m, err)
		}
		after := s.ticket(out.Ticket)
		if after.State != before.State || after.Unheard != 1 || !after.UnheardAt.Equal(before.UnheardAt) || !after.FirstReplyAt.IsZero() || !after.SolvedAt.IsZero() {
			s.Errorf("after taking it back: %+v", after)
		}
		_, err = s.Undo(s.Context(), agent, m.ID)
		s.mustBe(err, problem.KindConflict)
		if verbs := s.told(out.Ticket); slices.Contains(verbs, "ticket.answered") {
			s.Errorf("told %v", verbs)
		}
	})
}

func TestAnswerIsRefusedWhenTheTicketChanged(t *testing.T) {
	onDesks(t, func(s *scene) {
		out := s.take(s.mail("guest@theirs.example", "x", "y"))
		read := s.ticket(out.Ticket)
		if _, err := s.Assign(s.Context(), clerk, out.Ticket, "clerk"); err != nil {
			s.Fatal(err)
		}
		_, err := s.Answer(s.Context(), agent, out.Ticket, ticket.Answer{Text: "x", Version: read.Version})
		s.mustBe(err, problem.KindConflict)
		for name, a := range map[string]ticket.Answer{
			"no words": {Text: " \u200b "}, "back to new": {Text: "x", State: ticket.New}, "too late": {Text: "x", SendAt: time.Now().Add(400 * 24 * time.Hour)},
			"too long": {Text: strings.Repeat("x", ticket.MaxAnswer+1)}, "too large": {Text: "x", Files: []ticket.File{{Name: "x", Data: make([]byte, ticket.MaxFileSize+1)}}},
		} {
			_, err := s.Answer(s.Context(), agent, out.Ticket, a)
			if problem.KindOf(err) != problem.KindInvalid {
				s.Errorf("%s: %v", name, err)
			}
		}
		viewer := access.Actor{ID: "person/viewer", Role: access.RoleDeveloper}
		_, err = s.Answer(s.Context(), viewer, out.Ticket, ticket.Answer{Text: "x"})
		s.mustBe(err, problem.KindForbidden)
		if _, err := s.Note(s.Context(), viewer, out.Ticket, "I know this one", []string{"agent"}); err != nil {
			s.Error(err)
		}
	})
}

func TestHeldAnswersWaitForAPerson(t *testing.T) {
	onDesks(t, func(s *scene) {
		out := s.take(s.mail("guest@theirs.example", "x", "y"))
		m, err := s.Answer(s.Context(), agent, out.Ticket, ticket.Answer{Text: "It is over.", State: ticket.Solved, Held: true})
		if err != nil {
			s.Fatal(err)
		}
		if got := s.ticket(out.Ticket); got.State != ticket.New || got.Unheard != 1 {
			s.Errorf("before the review: %+v", got)
		}
		if m, err = s.Rewrite(s.Context(), clerk, m.ID, "It is over, really."); err != nil || m.Text != "It is over, really." {
			s.Fatal(m, err)
		}
		if held, err := s.Review(s.Context(), agent); err != nil || len(held) != 1 {
			s.Errorf("%d wait, %v", len(held), err)
		}
		failed, err := s.Release(s.Context(), agent, []string{m.ID, m.ID, "x"})
		if err != nil || len(failed) != 2 || failed[0].Kind != problem.KindConflict || failed[1].Kind != problem.KindNotFound {
			s.Errorf("got %+v, %v", failed, err)
		}
		l, err := s.Letter(s.Context(), m.ID)
		if got := s.ticket(out.Ticket); err != nil || got.State != ticket.Solved || l.Text != m.Text || l.Automatic {
			s.Errorf("after it: %+v, %+v, %v", got, l, err)
		}
	})
}

// Every message that was ever kept is in exactly one ticket, whatever is merged,
// un-merged, split and done in bulk, and taken back.
func TestNoMessageIsEverLost(t *testing.T) {
	onDesks(t, func(s *scene) {
		var ids []string
		want := map[string]bool{}
		write := func(id string) {
			t := s.ticket(id)
			in := s.mail(fmt.Sprintf("guest%d@theirs.example", len(want)%4), "More", fmt.Sprint("more ", len(want)))
			in.Delivered = append(in.Delivered, s.ReplyAddress(&t))
			want[s.take(in).Message] = true
		}
		for n := range 6 {
			out := s.take(s.mail(fmt.Sprintf("guest%d@theirs.example", n%4), "Matter", fmt.Sprint("matter ", n)))
			ids, want[out.Message] = append(ids, out.Ticket), true
			write(out.Ticket)
		}
		check := func(what string) {
			s.Helper()
			seen := map[string]bool{}
			for _, id := range ids {
				t := s.ticket(id)
				all := s.messages(id)
				var unheard int64
				for _, m := range all {
					if seen[m.ID] || m.Ticket != id {
						s.Fatalf("%s: message %s is twice", what, m.ID)
					}
					seen[m.ID] = true
					if m.Form == ticket.In {
						unheard++
					}
				}
				if t.Messages != int64(len(all)) || t.MergedInto != "" && len(all) > 0 {
					s.Fatalf("%s: %s counts %d messages and has %d", what, s.Label(t.Number), t.Messages, len(all))
				}
			}
			for id := range want {
				if !seen[id] {
					s.Fatalf("%s: message %s is lost", what, id)
				}
			}
		}
		check("at first")
		x := uint32(7)
		pick := func(n int) int {
			x = x*1664525 + 1013904223
			return int(x>>16) % n
		}
		done := map[string]int{}
		for range 60 {
			a, b := ids[pick(len(ids))], ids[pick(len(ids))]
			var err error
			what := []string{"merge", "unmerge", "split", "write", "bulk", "answer"}[pick(6)]
			switch what {
			case "merge":
				_, err = s.Merge(s.Context(), agent, a, b)
			case "unmerge":
				_, err = s.Unmerge(s.Context(), agent, a)
			case "split":
				if all := s.messages(a); len(all) > 1 {
					var n ticket.Ticket
					if n, err = s.Split(s.Context(), agent, a, []string{all[pick(len(all))].ID}); err == nil {
						ids = append(ids, n.ID)
					}
				}
			case "write":
				write(a)
			case "bulk":
				d, berr := s.Bulk(s.Context(), agent, []string{a, b}, ticket.Action{State: ticket.Solved, AddTags: []string{"done"}, Note: "all"})
				for _, id := range d.Tickets {
					all := s.messages(id)
					want[all[len(all)-1].ID] = true
				}
				if err = berr; err == nil && d.Undo != "" && pick(2) == 0 {
					_, err = s.UndoBulk(s.Context(), agent, d.Undo)
				}
			default:
				var m ticket.Message
				if m, err = s.Answer(s.Context(), agent, a, ticket.Answer{Text: "x", Now: true}); err == nil {
					want[m.ID] = true
				}
			}
			if k := problem.KindOf(err); k != "" && k != problem.KindConflict && k != problem.KindInvalid {
				s.Fatalf("%s: %v", what, err)
			} else if k == "" {
				done[what]++
			}
			check(what)
		}
		if len(done) != 6 {
			s.Errorf("only %v were tried", done)
		}
	})
}

func TestMergeAndUnmergeGiveBackWhatWas(t *testing.T) {
	onDesks(t, func(s *scene) {
		first := s.mail("guest@theirs.example", "One", "1")
		a, b, c := s.take(first).Ticket, s.take(s.mail("guest@theirs.example", "Two", "2")).Ticket, s.take(s.mail("guest@theirs.example", "Three", "3")).Ticket
		if _, err := s.Merge(s.Context(), agent, a, b); err != nil {
			s.Fatal(err)
		}
		reply := s.mail("guest@theirs.example", "Re: One", "late")
		reply.InReplyTo = first.MessageID
		if out := s.take(reply); out.Ticket != b {
			s.Errorf("a reply to what was merged: %+v", out)
		}
		if _, err := s.Merge(s.Context(), agent, b, c); err != nil {
			s.Fatal(err)
		}
		if n := len(s.messages(c)); n != 4 || s.ticket(a).State != ticket.Closed {
			s.Errorf("%d messages, %+v", n, s.ticket(a))
		}
		_, err := s.Note(s.Context(), agent, a, "x", nil)
		s.mustBe(err, problem.KindConflict)
		_, err = s.Merge(s.Context(), agent, a, c)
		s.mustBe(err, problem.KindConflict)
		_, err = s.Merge(s.Context(), agent, c, c)
		s.mustBe(err, problem.KindInvalid)
		got, err := s.Unmerge(s.Context(), agent, b) // with what was merged into it
		if err != nil || got.State != ticket.New || len(s.messages(b)) != 3 || len(s.messages(c)) != 1 {
			s.Errorf("got %+v, %v", got, err)
		}
		if got, err = s.Unmerge(s.Context(), agent, a); err != nil || got.State != ticket.New || len(s.messages(a)) != 1 || len(s.messages(b)) != 2 {
			s.Errorf("got %+v, %v", got, err)
		}
		_, err = s.Unmerge(s.Context(), agent, a)
		s.mustBe(err, problem.KindConflict)
	})
}

func TestBulkTellsEachOutcomeAndGoesBack(t *testing.T) {
	onDesks(t, func(s *scene) {
		var ids []string
		for n := range 4 {
			ids = append(ids, s.take(s.mail(fmt.Sprintf("guest%d@theirs.example", n), "x", fmt.Sprint(n))).Ticket)
		}
		if _, err := s.Tag(s.Context(), agent, ids[0], []string{"Old  Tag"}, nil); err != nil {
			s.Fatal(err)
		}
		phone, err := s.Open(s.Context(), agent, ticket.Opening{Way: ticket.ByPhone, Subject: "Called", Phone: "1234"})
		if err != nil {
			s.Fatal(err)
		}
		me, incident := "agent", "incident1"
		d, err := s.Bulk(s.Context(), agent, append(ids, ids[0], phone.ID, "TK-999"), ticket.Action{
			State: ticket.Solved, Assignee: &me, Priority: ticket.High, Queue: "plant", AddTags: []string{"outage"}, Incident: &incident,
			Answer: &ticket.Answer{Text: "Dear {{name}}, {{number}} is over."},
		})
		if err != nil || len(d.Tickets) != 4 || len(d.Failed) != 2 || d.Failed[0].ID != phone.ID || d.Failed[1].Kind != problem.KindNotFound || d.Undo == "" {
			s.Fatalf("got %+v, %v", d, err)
		}
		got, all := s.ticket(ids[0]), s.messages(ids[0])
		if got.State != ticket.Solved || got.Assignee != "agent" || got.Priority != ticket.High || got.Queue != "plant" || got.Incident != incident ||
			!slices.Equal(got.Tags, []string{"old tag", "outage"}) || all[1].Text != "Dear Guest guest0@theirs.example, "+s.Label(got.Number)+" is over." {
			s.Errorf("got %+v, %q", got, all[1].Text)
		}
		if _, err := s.Prioritise(s.Context(), clerk, ids[1], ticket.Urgent); err != nil { // somebody changed it since
			s.Fatal(err)
		}
		_, err = s.UndoBulk(s.Context(), clerk, d.Undo)
		s.mustBe(err, problem.KindNotFound)
		back, err := s.UndoBulk(s.Context(), agent, d.Undo)
		if err != nil || len(back.Tickets) != 4 || len(back.Failed) != 0 {
			s.Fatalf("got %+v, %v", back, err)
		}
		got = s.ticket(ids[0])
		if got.State != ticket.New || got.Assignee != "" || got.Priority != ticket.Normal || got.Queue != "support" || got.Incident != "" || got.Unheard != 1 ||
			!slices.Equal(got.Tags, []string{"old tag"}) || s.messages(ids[0])[1].Sending != ticket.TakenUp {
			s.Errorf("taken back: %+v", got)
		}
		if got := s.ticket(ids[1]); got.Priority != ticket.Urgent || got.State != ticket.New {
			s.Errorf("what changed since: %+v", got)
		}
		_, err = s.UndoBulk(s.Context(), agent, d.Undo)
		s.mustBe(err, problem.KindNotFound)
		_, err = s.Bulk(s.Context(), agent, ids, ticket.Action{})
		s.mustBe(err, problem.KindInvalid)
	})
}

func TestActsOnTickets(t *testing.T) {
	onDesks(t, func(s *scene) {
		id := s.take(s.mail("guest@theirs.example", "x", "y")).Ticket
		ctx := s.Context()
		for name, act := range map[string]func() error{
			"assign to nobody we know": func() error { _, err := s.Assign(ctx, agent, id, "stranger"); return err },
			"priority":                 func() error { _, err := s.Prioritise(ctx, agent, id, "top"); return err },
			"queue":                    func() error { _, err := s.Queue(ctx, agent, id, "nowhere"); return err },
			"title":                    func() error { _, err := s.Retitle(ctx, agent, id, " "); return err },
			"tags":                     func() error { _, err := s.Tag(ctx, agent, id, []string{strings.Repeat("x", 41)}, nil); return err },
			"snooze":                   func() error { _, err := s.Snooze(ctx, agent, id, time.Now().Add(-time.Hour)); return err },
			"field":                    func() error { _, err := s.SetField(ctx, agent, id, "colour", "red"); return err },
			"choice":                   func() error { _, err := s.SetField(ctx, agent, id, "plan", "gold"); return err },
			"component":                func() error { _, err := s.Concern(ctx, agent, id, []string{"a b"}); return err },
			"incident":                 func() error { _, err := s.Link(ctx, agent, id, "a b"); return err },
			"state":                    func() error { _, err := s.Move(ctx, agent, id, "gone"); return err },
		} {
			if err := act(); problem.KindOf(err) != problem.KindInvalid {
				s.Errorf("%s: %v", name, err)
			}
		}
		must := func(_ ticket.Ticket, err error) {
			s.Helper()
			if err != nil {
				s.Fatal(err)
			}
		}
		must(s.Assign(ctx, agent, "tk-1", "clerk"))
		must(s.Prioritise(ctx, agent, "#1", ticket.Urgent))
		must(s.Queue(ctx, agent, "1", "plant"))
		must(s.Retitle(ctx, agent, id, "Paid twice"))
		must(s.Tag(ctx, agent, id, []string{"b", "a", "A"}, nil))
		must(s.Tag(ctx, agent, id, []string{"c"}, []string{"b"}))
		must(s.SetField(ctx, agent, id, "plan", "paid"))
		must(s.Concern(ctx, agent, id, []string{"pay", "cart", "pay"}))
		must(s.Link(ctx, agent, id, "incident1"))
		must(s.Snooze(ctx, agent, id, time.Now().Add(time.Hour)))
		got := s.ticket(id)
		if got.State != ticket.Open || got.Assignee != "clerk" || got.Priority != ticket.Urgent || got.Queue != "plant" || got.Subject != "Paid twice" ||
			!slices.Equal(got.Tags, []string{"a", "c"}) || got.Fields["plan"] != "paid" || !slices.Equal(got.Components, []string{"cart", "pay"}) ||
			got.Incident != "incident1" || got.SnoozedUntil.IsZero() {
			s.Errorf("got %+v", got)
		}
		if linked, people, err := s.Waiting(ctx, agent, "incident1"); err != nil || len(linked) != 1 || people != 1 {
			s.Errorf("waiting: %d, %d, %v", len(linked), people, err)
		}
		must(s.Unlink(ctx, agent, id))
		must(s.SetField(ctx, agent, id, "plan", ""))
		must(s.Snooze(ctx, agent, id, time.Time{}))
		if got := s.ticket(id); got.Incident != "" || len(got.Fields) != 0 || !got.SnoozedUntil.IsZero() {
			s.Errorf("got %+v", got)
		}
		want := []string{"opened", "moved", "assigned", "prioritised", "queued", "retitled", "tagged", "tagged", "fielded", "concerned", "linked", "snoozed", "unlinked", "fielded", "snoozed"}
		for i := range want {
			want[i] = "ticket." + want[i]
		}
		if verbs := s.told(id); !slices.Equal(verbs, want) {
			s.Errorf("told %v", verbs)
		}
	})
}

func TestRightsAreNarrowedToComponents(t *testing.T) {
	onDesks(t, func(s *scene) {
		payer := access.Actor{ID: "person/payer", Grants: &access.Grants{List: []access.Grant{{Role: access.RoleSupport, Scope: access.Scope{Kind: "component", ID: "pay"}}}}}
		var ids []string
		for n := range 5 {
			ids = append(ids, s.take(s.mail("guest@theirs.example", "x", fmt.Sprint(n))).Ticket)
		}
		if _, err := s.Concern(s.Context(), agent, ids[3], []string{"pay"}); err != nil {
			s.Fatal(err)
		}
		page, err := s.List(s.Context(), payer, ticket.Query{Sort: ticket.Oldest, Limit: 2})
		if err != nil || len(page.Tickets) != 1 || page.Tickets[0].ID != ids[3] {
			s.Errorf("sees %+v, %v", page.Tickets, err)
		}
		_, _, err = s.Get(s.Context(), payer, ids[0])
		s.mustBe(err, problem.KindNotFound)
		_, err = s.Move(s.Context(), payer, ids[0], ticket.Closed)
		s.mustBe(err, problem.KindForbidden)
		if _, err = s.Move(s.Context(), payer, ids[3], ticket.Closed); err != nil {
			s.Error(err)
		}
		_, err = s.List(s.Context(), access.Visitor, ticket.Query{Limit: 1})
		s.mustBe(err, problem.KindForbidden)
	})
}

func TestSearchIsTyped(t *testing.T) {
	onDesks(t, func(s *scene) {
		one := s.mail("zoe@firm.example", "Karte abgelehnt", "Fehler 502 beim Bezahlen für Buchung NM-4711")
		one.Attachments = []ticket.Attachment{{Name: "screenshot.png", Type: "image/png", Size: 1, Hash: "h"}}
		a, b := s.take(one).Ticket, s.take(s.mail("guest@theirs.example", "Invoice", "Please send the invoice for error reports")).Ticket
		if _, err := s.Bulk(s.Context(), agent, []string{b}, ticket.Action{State: ticket.Pending, AddTags: []string{"vip"}, Assignee: new("agent"), Incident: new("incident1")}); err != nil {
			s.Fatal(err)
		}
		for typed, want := range map[string][]string{
			"": {b, a}, "502": {a}, "fehler fur": {a}, "FÜR": {a}, "bezahl": {a}, `"fehler 502"`: {a}, `"502 fehler"`: nil, "from:zoe": {a}, "from:firm": {a}, "-from:zoe invoice": {b},
			"subject:karte": {a}, "subject:fehler": nil, "to:support invoice": {b}, "screenshot": {a}, "has:attachment": {a}, "is:new": {a}, "is:pending": {b}, "-is:new": {b}, "is:mine": {b},
			"is:unassigned": {a}, "is:waiting": {b, a}, "tag:VIP": {b}, "queue:support": {b, a}, "queue:x": nil, "assignee:me": {b}, "assignee:none": {a}, "incident:any": {b},
			"incident:incident1": {b}, "before:2020-01-01": nil, "after:1d": {b, a}, "TK-1": {a}, "nm-4711": {a}, "requester:zoe@firm.example": {a}, "way:mail kind:request priority:normal": {b, a},
			"error -invoice": nil, "err": {b}, "is:live": {b, a}, "is:over": nil, "mailbox:help": {b, a}, "component:pay": nil, "is:overdue": nil, "is:linked vip": nil, "-is:automatic": {b, a},
		} {
			page, err := s.Search(s.Context(), agent, typed, "", ticket.Cursor{}, 10)
			var got []string
			for _, v := range page.Tickets {
				got = append(got, v.ID)
			}
			slices.Sort(got)
			slices.Sort(want)
			if err != nil || !slices.Equal(got, want) {
				s.Errorf("%q: %d found, %v; want %d", typed, len(got), err, len(want))
			}
		}
		for _, typed := range []string{"is:sad", "colour:red", "before:christmas", "-invoice", "-tag:vip", "has:wings", "-is:mine", strings.Repeat("x ", 400), strings.Repeat("x", 3000)} {
			if _, err := s.Search(s.Context(), agent, typed, "", ticket.Cursor{}, 10); problem.KindOf(err) != problem.KindInvalid {
				s.Errorf("%.20q: %v", typed, err)
			}
		}
	})
}

func TestCountsAndViews(t *testing.T) {
	onDesks(t, func(s *scene) {
		var ids []string
		for n := range 6 {
			ids = append(ids, s.take(s.mail("guest@theirs.example", "x", fmt.Sprint(n))).Ticket)
		}
		auto := s.mail("list@theirs.example", "x", "list")
		auto.Kind = "list"
		s.take(auto)
		for i, a := range []ticket.Action{{Assignee: new("agent")}, {State: ticket.Pending}, {State: ticket.Solved}, {Snooze: time.Now().Add(time.Hour)}} {
			if d, err := s.Bulk(s.Context(), agent, []string{ids[i]}, a); err != nil || len(d.Failed) > 0 {
				s.Fatal(d, err)
			}
		}
		midnight := time.Now().Add(-time.Hour)
		c, err := s.Counts(s.Context(), agent, midnight)
		if err != nil {
			s.Fatal(err)
		}
		for v, want := range map[ticket.BuiltIn]int{
			ticket.ViewMine: 1, ticket.ViewUnassigned: 2, ticket.ViewOpen: 4, ticket.ViewPending: 1, ticket.ViewSolved: 1, ticket.ViewAutomatic: 1, ticket.ViewSnoozed: 1,
			ticket.ViewBreaching: 0,
		} {
			page, err := s.List(s.Context(), agent, limited(v.Query(agent, time.Now(), midnight)))
			if err != nil || len(page.Tickets) != want || c.BuiltIn[v] != want {
				s.Errorf("%s: %d in the list, %d counted, want %d, %v", v, len(page.Tickets), c.BuiltIn[v], want, err)
			}
		}
		mine, err := s.SaveView(s.Context(), agent, ticket.View{Name: "Owners", Query: "tag:owner", Sort: ticket.Latest}, false)
		if err != nil {
			s.Fatal(err)
		}
		if _, err := s.SaveView(s.Context(), agent, ticket.View{Name: "All", Query: "is:open"}, true); err != nil {
			s.Fatal(err)
		}
		if theirs, err := s.SavedViews(s.Context(), clerk); err != nil || len(theirs) != 1 || theirs[0].Name != "All" {
			s.Errorf("the clerk sees %+v, %v", theirs, err)
		}
		mine.Name = "Owners of houses"
		if mine, err = s.SaveView(s.Context(), agent, mine, false); err != nil || mine.Version != 2 {
			s.Error(mine, err)
		}
		_, err = s.SaveView(s.Context(), clerk, mine, false)
		s.mustBe(err, problem.KindNotFound)
		_, err = s.SaveView(s.Context(), agent, ticket.View{Name: "x", Query: "is:sad"}, false)
		s.mustBe(err, problem.KindInvalid)
		s.mustBe(s.DropView(s.Context(), clerk, mine.ID), problem.KindNotFound)
		if err := s.DropView(s.Context(), agent, mine.ID); err != nil {
			s.Error(err)
		}
	})
}

func TestSavedRepliesAndPresence(t *testing.T) {
	onDesks(t, func(s *scene) {
		setup := support()
		setup.Replies = []ticket.SavedReply{{ID: "file:Thanks", Name: "Thanks", Body: "Thank you, {{first_name}}. {{unknown}} {{subject}}"}}
		s.Setup(setup)
		in := s.mail("guest@theirs.example", "{{agent}}", "y")
		in.From.Name = "Zoë {{number}} Miller"
		id := s.take(in).Ticket
		if body, err := s.Written(s.Context(), agent, id, setup.Replies[0].Body, "Anna"); err != nil || body != "Thank you, Zoë. {{unknown}} {{agent}}" {
			s.Errorf("got %q, %v", body, err)
		}
		_, err := s.SaveReply(s.Context(), agent, ticket.SavedReply{Name: "thanks", Body: "x"})
		s.mustBe(err, problem.KindConflict)
		r, err := s.SaveReply(s.Context(), agent, ticket.SavedReply{Name: "Sorry", Body: "Sorry."})
		if err != nil {
			s.Fatal(err)
		}
		if all, err := s.Replies(s.Context(), clerk); err != nil || len(all) != 2 || !all[0].File {
			s.Errorf("got %+v, %v", all, err)
		}
		s.mustBe(s.DropReply(s.Context(), agent, r.ID, 7), problem.KindConflict)
		if err := s.DropReply(s.Context(), agent, r.ID, r.Version); err != nil {
			s.Error(err)
		}
		if others, err := s.Writing(s.Context(), agent, id, true); err != nil || len(others) != 0 {
			s.Errorf("got %+v, %v", others, err)
		}
		if others, err := s.Writing(s.Context(), clerk, id, false); err != nil || len(others) != 1 || !others[0].Writing || others[0].Person != agent.ID {
			s.Errorf("got %+v, %v", others, err)
		}
		if others, err := s.Present(s.Context(), agent, id); err != nil || len(others) != 1 || others[0].Writing {
			s.Errorf("got %+v, %v", others, err)
		}
	})
}

func TestTemplatesOpenTasks(t *testing.T) { // S4-30, S4-32: operational tasks and deletion requests are tickets by template
	onDesks(t, func(s *scene) {
		setup := support()
		setup.Templates = []ticket.Template{{ID: "dlq", Kind: ticket.Task, Queue: "plant", Priority: ticket.High, Subject: "Dead letters", Text: "Look at them.", Tags: []string{"dlq"}},
			{ID: "deletion", Kind: ticket.Deletion, Subject: "Delete data", Priority: ticket.Normal}}
		setup.Promises = []ticket.Promise{{FirstReply: time.Hour, Solution: time.Hour}}
		s.Setup(setup)
		got, err := s.Open(s.Context(), agent, ticket.Opening{Way: ticket.ByAPI, Template: "dlq", Subject: "Dead letters of shop", Tags: []string{"shop"}})
		if err != nil || got.Kind != ticket.Task || got.Queue != "plant" || got.Priority != ticket.High || got.Subject != "Dead letters of shop" || !got.DueAt.IsZero() ||
			!slices.Equal(got.Tags, []string{"dlq", "shop"}) || s.messages(got.ID)[0].Form != ticket.Note || s.messages(got.ID)[0].Text != "Look at them." {
			s.Errorf("got %+v, %v", got, err)
		}
		impairment, err := s.Open(s.Context(), access.Hub, ticket.Opening{Way: ticket.ByMachine, Kind: ticket.Impairment, Subject: "Payments are down", Components: []string{"pay"}}) // S1-23
		if err != nil || impairment.Queue != "plant" || !impairment.DueAt.IsZero() || s.messages(impairment.ID)[0].From != ticket.FromMachine {
			s.Errorf("got %+v, %v", impairment, err)
		}
		phone, err := s.Open(s.Context(), agent, ticket.Opening{Way: ticket.ByPhone, Subject: "Called", Text: "Cannot pay", From: ticket.Address{Name: "Zoë", Address: "Zoe@firm.example"}})
		if err != nil || phone.DueAt.IsZero() || phone.Requester == "" || s.messages(phone.ID)[0].From != ticket.FromRequester || s.messages(phone.ID)[0].Author != agent.ID {
			s.Errorf("got %+v, %v", phone, err)
		}
		m, err := s.Answer(s.Context(), agent, phone.ID, ticket.Answer{Text: "Done.", Now: true})
		if err != nil || m.InReplyTo != phone.Root || m.To[0].Address != "zoe@firm.example" {
			s.Errorf("got %+v, %v", m, err)
		}
		_, err = s.Answer(s.Context(), agent, got.ID, ticket.Answer{Text: "x"})
		s.mustBe(err, problem.KindConflict)
		_, err = s.Open(s.Context(), agent, ticket.Opening{Template: "none", Subject: "x"})
		s.mustBe(err, problem.KindInvalid)
	})
}

func TestExportIsWholeAndSafe(t *testing.T) {
	onDesks(t, func(s *scene) {
		for n := range 7 {
			s.take(s.mail("guest@theirs.example", "=cmd()\",x", fmt.Sprint("text ", n)))
		}
		var b bytes.Buffer
		if err := s.Export(s.Context(), agent, ticket.Query{Sort: ticket.Oldest}, ticket.CSV, &b); err != nil {
			s.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != 8 || rows[1][2] != "'=cmd()\",x" || rows[7][0] != "7" {
			s.Errorf("got %v, %v", rows, err)
		}
		b.Reset()
		if err := s.Export(s.Context(), agent, ticket.Query{Sort: ticket.Newest}, ticket.JSON, &b); err != nil {
			s.Fatal(err)
		}
		var first ticket.Row
		if err := json.Unmarshal([]byte(strings.SplitN(b.String(), "\n", 2)[0]), &first); err != nil || first.Number != 7 || first.Messages[0].Text != "text 6" || first.Address != "guest@theirs.example" {
			s.Errorf("got %+v, %v", first, err)
		}
	})
}
