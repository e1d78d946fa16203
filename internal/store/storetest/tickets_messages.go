package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// wordOf gives a message with every field set, as the n-th of a ticket.
func wordOf(of string, n int) ticket.Message {
	at := base.Add(time.Duration(n) * time.Minute)
	return ticket.Message{
		ID: journal.NewID(), Ticket: of, Home: of, Form: ticket.In, From: ticket.FromRequester, Author: "a",
		Sender: ticket.Address{Name: "Guest", Address: "guest@example.org"}, To: []ticket.Address{{Address: "support@example.org"}},
		Cc: []ticket.Address{{Name: "Other", Address: "other@example.org"}}, Subject: "Karte", Text: "Zahlung für Buchung NM-4711 schlug fehl", Reply: "r", HTML: "<p>",
		Mail: "mail", Hash: fmt.Sprintf("hash%d", n), BodyHash: "body", MessageID: fmt.Sprintf("%s-%d@example.org", of, n), InReplyTo: "i@example.org",
		References: []string{"r1@example.org", "r2@example.org"}, Source: "s@example.org",
		Attachments: []ticket.Attachment{{Name: "bank-app.png", Type: "image/png", Size: 3, Hash: "h", Inline: true, ContentID: "c"}},
		Kind:        "person", Why: "because", Trust: ticket.Proven, Warnings: []string{"w"}, Sending: ticket.Timed, SendAt: at.Add(time.Second), After: ticket.Solved,
		Before: ticket.Before{State: ticket.Open, Unheard: 2, UnheardAt: at, First: true}, Mentions: []string{"p1"}, At: at,
	}
}

func putMessages(tb testing.TB, r TicketRecord, all ...*ticket.Message) {
	tb.Helper()
	withinUnit(tb, r, func(tx journal.Tx) error {
		for _, m := range all {
			if err := r.PutMessage(tb.Context(), tx, m, "Title of it"); err != nil {
				return err
			}
		}
		return nil
	})
}

func messageRoundTrip(t *testing.T, r TicketRecord) {
	ctx := t.Context()
	v := plainMatter(1)
	putTickets(t, r, &v)
	want := wordOf(v.ID, 1)
	full(t, want, "Version")
	held := wordOf(v.ID, 2)
	held.Sending, held.At = ticket.Held, base.Add(-time.Hour)
	putMessages(t, r, &want, &held)
	same(t, want, must[ticket.Message](t)(r.Message(ctx, want.ID)))
	same(t, []ticket.Message{held, want}, must[[]ticket.Message](t)(r.Messages(ctx, v.ID)))
	same(t, []ticket.Message{want}, must[[]ticket.Message](t)(r.TimedMessages(ctx, want.SendAt, 10)))
	same(t, []ticket.Message{held}, must[[]ticket.Message](t)(r.HeldMessages(ctx, 10)))
	if got := must[[]ticket.Message](t)(r.TimedMessages(ctx, want.SendAt.Add(-1e3), 10)); len(got) != 0 {
		t.Errorf("timed too early: %+v", got)
	}
	want.Text, want.Sending, want.Warnings, want.Before = "other", ticket.HandedOn, nil, ticket.Before{}
	putMessages(t, r, &want)
	withinUnit(t, r, func(tx journal.Tx) error {
		same(t, want, must[ticket.Message](t)(r.MessageForUpdate(ctx, tx, want.ID)))
		if all := must[[]ticket.Message](t)(r.MessagesForUpdate(ctx, tx, v.ID)); len(all) != 2 {
			t.Errorf("got %d", len(all))
		}
		if from := must[[]ticket.Message](t)(r.MessagesFrom(ctx, tx, "guest@example.org", 10)); len(from) != 2 {
			t.Errorf("%d messages from them", len(from))
		}
		if to := must[[]ticket.Message](t)(r.MessagesFrom(ctx, tx, "other@example.org", 10)); len(to) != 2 {
			t.Errorf("%d messages to them", len(to))
		}
		return nil
	})
}

func messageOnce(t *testing.T, r TicketRecord) {
	v := plainMatter(1)
	putTickets(t, r, &v)
	one := wordOf(v.ID, 1)
	putMessages(t, r, &one)
	twin := one
	twin.ID, twin.Version = journal.NewID(), 0
	wantKind(t, r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutMessage(t.Context(), tx, &twin, "") }), problem.KindConflict)
	twin.Version, twin.BodyHash = 0, "another"
	putMessages(t, r, &twin)
	for n, form := range []ticket.Form{ticket.Out, ticket.Out, ticket.Note, ticket.Note} { // ours are not from outside
		m := ticket.Message{ID: journal.NewID(), Ticket: v.ID, Home: v.ID, Form: form, Text: "same", At: base.Add(time.Duration(n))}
		putMessages(t, r, &m)
	}
}

func messagesKnown(t *testing.T, r TicketRecord) {
	v := plainMatter(1)
	putTickets(t, r, &v)
	one, two, bare := wordOf(v.ID, 1), wordOf(v.ID, 2), wordOf(v.ID, 3)
	two.Form, bare.MessageID = ticket.Out, ""
	putMessages(t, r, &one, &two, &bare)
	withinUnit(t, r, func(tx journal.Tx) error {
		ids := []string{"nobody@example.org", one.MessageID, two.MessageID, "x", "y"}
		got := must[[]ticket.Known](t)(r.KnownMessages(t.Context(), tx, ids))
		slices.SortFunc(got, func(a, b ticket.Known) int { return len(a.Form) - len(b.Form) })
		same(t, []ticket.Known{
			{Ticket: v.ID, Message: one.ID, MessageID: one.MessageID, BodyHash: "body", Form: ticket.In, From: ticket.FromRequester},
			{Ticket: v.ID, Message: two.ID, MessageID: two.MessageID, BodyHash: "body", Form: ticket.Out, From: ticket.FromRequester},
		}, got)
		if none := must[[]ticket.Known](t)(r.KnownMessages(t.Context(), tx, nil)); len(none) != 0 {
			t.Errorf("got %v", none)
		}
		if k := must[ticket.Known](t)(r.KnownByHash(t.Context(), tx, bare.Hash)); k.Message != bare.ID {
			t.Errorf("got %+v", k)
		}
		return nil
	})
}

func messagesMove(t *testing.T, r TicketRecord) {
	a, b := plainMatter(1), plainMatter(2)
	putTickets(t, r, &a, &b)
	one, two := wordOf(a.ID, 1), wordOf(a.ID, 2)
	putMessages(t, r, &one, &two)
	withinUnit(t, r, func(tx journal.Tx) error {
		if err := r.MoveMessages(t.Context(), tx, []string{one.ID}, b.ID, false); err != nil {
			return err
		}
		return r.MoveMessages(t.Context(), tx, []string{two.ID}, b.ID, true)
	})
	got := must[[]ticket.Message](t)(r.Messages(t.Context(), b.ID))
	if len(got) != 2 || got[0].Home != a.ID || got[1].Home != b.ID || got[0].Version != 2 {
		t.Errorf("got %+v", got)
	}
	wantKind(t, r.Do(t.Context(), access.Hub, func(tx journal.Tx) error {
		return r.MoveMessages(t.Context(), tx, []string{journal.NewID()}, b.ID, false)
	}), problem.KindConflict)
}

// words gives a term of a search.
func words(in ticket.Place, s ...string) ticket.Term { return ticket.Term{Words: s, In: in} }

func messagesFound(t *testing.T, r TicketRecord) {
	a, b := plainMatter(1), plainMatter(2)
	b.State = ticket.Closed
	putTickets(t, r, &a, &b)
	one, two, three := wordOf(a.ID, 1), wordOf(b.ID, 2), wordOf(a.ID, 3)
	two.Text, two.Sender = "ログインできません after the update, error 502", ticket.Address{Name: "Zoë", Address: "zoe@firm.example"}
	three.Text = "card declined twice"
	putMessages(t, r, &one, &two, &three)
	not := words("", "card")
	not.Not = true
	begin := words("", "upd")
	begin.Beginning = true
	for name, c := range map[string]struct {
		q    ticket.Query
		want []string
	}{
		"a word":            {ticket.Query{Text: []ticket.Term{words("", "zahlung")}}, []string{a.ID}},
		"without accent":    {ticket.Query{Text: []ticket.Term{words("", "fur")}}, []string{a.ID}},
		"two words":         {ticket.Query{Text: []ticket.Term{words("", "502"), words("", "error")}}, []string{b.ID}},
		"of two messages":   {ticket.Query{Text: []ticket.Term{words("", "zahlung"), words("", "card")}}, nil},
		"a phrase":          {ticket.Query{Text: []ticket.Term{words("", "card", "declined")}}, []string{a.ID}},
		"no phrase":         {ticket.Query{Text: []ticket.Term{words("", "declined", "card")}}, nil},
		"the beginning":     {ticket.Query{Text: []ticket.Term{begin}}, []string{b.ID}},
		"no beginning":      {ticket.Query{Text: []ticket.Term{words("", "upd")}}, nil},
		"without blanks":    {ticket.Query{Text: []ticket.Term{{Words: ticket.WordsOf("グイン")}}}, []string{b.ID}},
		"left out":          {ticket.Query{Text: []ticket.Term{words("", "title"), not}}, []string{b.ID, a.ID}},
		"the sender":        {ticket.Query{Text: []ticket.Term{words(ticket.InSender, "zoe")}}, []string{b.ID}},
		"sender's domain":   {ticket.Query{Text: []ticket.Term{words(ticket.InSender, "firm", "example")}}, []string{b.ID}},
		"not a sender":      {ticket.Query{Text: []ticket.Term{words(ticket.InSender, "card")}}, nil},
		"whom it went to":   {ticket.Query{Text: []ticket.Term{words(ticket.InAddressee, "other")}}, []string{a.ID, b.ID}},
		"the subject":       {ticket.Query{Text: []ticket.Term{words(ticket.InSubject, "karte")}}, []string{a.ID, b.ID}},
		"the title":         {ticket.Query{Text: []ticket.Term{words(ticket.InSubject, "title", "of")}}, []string{a.ID, b.ID}},
		"with a condition":  {ticket.Query{Text: []ticket.Term{words("", "karte")}, States: []ticket.State{ticket.Closed}}, []string{b.ID}},
		"with another":      {ticket.Query{Text: []ticket.Term{words("", "zahlung")}, States: []ticket.State{ticket.Closed}}, nil},
		"every ticket once": {ticket.Query{Text: []ticket.Term{words("", "title")}}, []string{a.ID, b.ID}},
	} {
		q := c.q
		q.Limit = 10
		var got []string
		found, _, err := r.FindMessages(t.Context(), q)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, f := range found {
			got = append(got, f.Ticket.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	q := ticket.Query{Text: []ticket.Term{words("", "title")}, Limit: 1}
	first, next, err := r.FindMessages(t.Context(), q)
	if err != nil || len(first) != 1 || next != first[0].Message {
		t.Fatalf("the first page: %+v, %q, %v", first, next, err)
	}
	q.After = ticket.Cursor{Message: next}
	if second, _, err := r.FindMessages(t.Context(), q); err != nil || len(second) != 1 || second[0].Ticket.ID != b.ID {
		t.Errorf("the next page: %+v, %v", second, err)
	}
	_, _, err = r.FindMessages(t.Context(), ticket.Query{Text: []ticket.Term{not}, Limit: 1})
	wantKind(t, err, problem.KindInvalid)
}

func messagesDropped(t *testing.T, r TicketRecord) {
	v := plainMatter(1)
	putTickets(t, r, &v)
	one, two := wordOf(v.ID, 1), wordOf(v.ID, 2)
	putMessages(t, r, &one, &two)
	find := func() int {
		found, _, err := r.FindMessages(t.Context(), ticket.Query{Text: []ticket.Term{words("", "zahlung")}, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	drop := func(id string) {
		withinUnit(t, r, func(tx journal.Tx) error { return r.DropMessage(t.Context(), tx, id) })
	}
	drop(one.ID)
	if find() != 1 {
		t.Error("the other one went too")
	}
	drop(two.ID)
	if find() != 0 || len(must[[]ticket.Message](t)(r.Messages(t.Context(), v.ID))) != 0 {
		t.Error("something is left")
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		more, err := r.IndexWords(t.Context(), tx, 10)
		if more {
			t.Error("words are missing without a restore")
		}
		return err
	})
}
