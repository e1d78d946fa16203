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

// TicketRecord is the ticket wing's store with the unit of work it takes.
type TicketRecord interface {
	journal.Work
	ticket.Store
}

// Tickets runs the suite of ticket.Store. open gives a fresh, empty record that is
// closed with the test.
func Tickets(t *testing.T, open func(testing.TB) TicketRecord) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, TicketRecord)
	}{
		{"TicketComesBackAsWritten", ticketRoundTrip},
		{"NumbersGoUp", ticketNumbers},
		{"OldVersionIsConflict", ticketVersions},
		{"AbsentIsNotFound", ticketAbsent},
		{"PagesFollowOneAnother", ticketPages},
		{"QueryNarrows", ticketQuery},
		{"TalliesCountWhatIsLive", ticketTallies},
		{"DueAndStaleAreFound", ticketsDue},
		{"MessageComesBackAsWritten", messageRoundTrip},
		{"SameMailTwiceIsConflict", messageOnce},
		{"MessagesAreKnown", messagesKnown},
		{"MessagesMove", messagesMove},
		{"WordsAreFound", messagesFound},
		{"DroppedWordsAreNotFound", messagesDropped},
		{"RequestersAreKept", requestersKept},
		{"AnswersAreCounted", acknowledgementsCounted},
		{"SmallThingsAreKept", ticketSmallThings},
		{"LastTicketTakesItsRequester", ticketDropped},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// Matter gives a ticket with every field set, as the n-th of a test.
func Matter(n int) ticket.Ticket {
	at := base.Add(time.Duration(n) * time.Minute)
	return ticket.Ticket{
		ID: journal.NewID(), Subject: "Karte abgelehnt – \u201ctwice\u201d <of them>", State: ticket.Pending, Priority: ticket.High, Kind: ticket.Request, Way: ticket.ByMail,
		Queue: "support", Mailbox: "help", Requester: fmt.Sprintf("requester%d", n), Assignee: "p1", Tags: []string{"refund", "vip"},
		Fields: map[string]string{"plan": "paid"}, Components: []string{"cart", "pay"}, Incident: "incident1", Template: "t1", Secret: "s", Root: fmt.Sprintf("root%d@example.org", n),
		Messages: 3, Files: 1, Unheard: 2, UnheardAt: at.Add(1e3), LastAt: at.Add(2e3), LastFrom: ticket.FromRequester, CreatedAt: at, FirstReplyAt: at.Add(3e3),
		SolvedAt: at.Add(4e3), ClosedAt: at.Add(5e3), SnoozedUntil: at.Add(6e3), DueAt: at.Add(time.Hour), Due: ticket.NextReply, WarnedAt: at.Add(8e3), Overdue: true,
		BreachedAt: at.Add(9e3), RestingSince: at.Add(10e3), Rested: time.Minute, RestedUnheard: time.Second, WakeAt: at.Add(11e3), Automatic: true, Quiet: true,
		StillBroken: true, Was: ticket.Open, Undeliverable: "mailbox full", ChangedAt: at.Add(12e3),
	}
}

// plainMatter gives an open ticket without anything special.
func plainMatter(n int) ticket.Ticket {
	at := base.Add(time.Duration(n) * time.Minute)
	return ticket.Ticket{
		ID: journal.NewID(), Subject: "x", State: ticket.Open, Priority: ticket.Normal, Kind: ticket.Request, Way: ticket.ByForm, Queue: "support",
		CreatedAt: at, LastAt: at, LastFrom: ticket.FromMachine, ChangedAt: at,
	}
}

func putTickets(tb testing.TB, r TicketRecord, all ...*ticket.Ticket) {
	tb.Helper()
	withinUnit(tb, r, func(tx journal.Tx) error {
		for _, t := range all {
			if err := r.PutTicket(tb.Context(), tx, t); err != nil {
				return err
			}
		}
		return nil
	})
}

func ticketRoundTrip(t *testing.T, r TicketRecord) {
	want := Matter(1)
	full(t, want, "Number", "MergedInto", "Version")
	putTickets(t, r, &want)
	if want.Number != 1 || want.Version != 1 {
		t.Fatalf("got number %d and version %d", want.Number, want.Version)
	}
	same(t, want, must[ticket.Ticket](t)(r.Ticket(t.Context(), want.ID)))
	same(t, want, must[ticket.Ticket](t)(r.TicketByNumber(t.Context(), 1)))
	want.Subject, want.MergedInto, want.Tags, want.Components, want.DueAt, want.Fields = "y", "other", []string{"vip", "x"}, nil, time.Time{}, nil
	putTickets(t, r, &want)
	if want.Version != 2 {
		t.Fatalf("got version %d", want.Version)
	}
	withinUnit(t, r, func(tx journal.Tx) error {
		same(t, want, must[ticket.Ticket](t)(r.TicketForUpdate(t.Context(), tx, want.ID)))
		same(t, []ticket.Ticket{want}, must[[]ticket.Ticket](t)(r.MergedTickets(t.Context(), tx, "other")))
		return nil
	})
	for tag, n := range map[string]int{"vip": 1, "x": 1, "refund": 0} {
		got := must[[]ticket.Ticket](t)(r.Tickets(t.Context(), ticket.Query{Tag: tag, Merged: true, Limit: 10}))
		if len(got) != n {
			t.Errorf("tag %s finds %d", tag, len(got))
		}
	}
	bare := plainMatter(2)
	putTickets(t, r, &bare)
	same(t, bare, must[ticket.Ticket](t)(r.Ticket(t.Context(), bare.ID)))
}

func ticketNumbers(t *testing.T, r TicketRecord) {
	last := int64(0)
	for n := range 5 {
		v := plainMatter(n)
		putTickets(t, r, &v)
		if v.Number <= last {
			t.Fatalf("number %d after %d", v.Number, last)
		}
		last = v.Number
	}
}

func ticketVersions(t *testing.T, r TicketRecord) {
	v := plainMatter(1)
	putTickets(t, r, &v)
	old := v
	putTickets(t, r, &v)
	wantKind(t, r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutTicket(t.Context(), tx, &old) }), problem.KindConflict)
	m := wordOf(v.ID, 1)
	putMessages(t, r, &m)
	stale := m
	putMessages(t, r, &m)
	wantKind(t, r.Do(t.Context(), access.Hub, func(tx journal.Tx) error { return r.PutMessage(t.Context(), tx, &stale, "") }), problem.KindConflict)
}

func ticketAbsent(t *testing.T, r TicketRecord) {
	ctx := t.Context()
	_, err := r.Ticket(ctx, "x")
	wantKind(t, err, problem.KindNotFound)
	_, err = r.TicketByNumber(ctx, 7)
	wantKind(t, err, problem.KindNotFound)
	_, err = r.Message(ctx, "x")
	wantKind(t, err, problem.KindNotFound)
	_, err = r.Requester(ctx, "x")
	wantKind(t, err, problem.KindNotFound)
	withinUnit(t, r, func(tx journal.Tx) error {
		_, err := r.RequesterOf(ctx, tx, "x@example.org")
		wantKind(t, err, problem.KindNotFound)
		_, err = r.KnownByHash(ctx, tx, "x")
		wantKind(t, err, problem.KindNotFound)
		_, err = r.Bulk(ctx, tx, "x")
		wantKind(t, err, problem.KindNotFound)
		return nil
	})
	_, err = r.Tickets(ctx, ticket.Query{})
	wantKind(t, err, problem.KindInvalid)
}

func ticketPages(t *testing.T, r TicketRecord) {
	want := map[ticket.Sort][]int64{}
	var all []ticket.Ticket
	for n := range 23 {
		v := plainMatter(n % 5) // many at one moment
		if n%3 == 0 {
			v.DueAt, v.Due = base.Add(time.Duration(n%4)*time.Hour), ticket.FirstReply
		}
		putTickets(t, r, &v)
		all = append(all, v)
	}
	order := func(s ticket.Sort, less func(a, b ticket.Ticket) int) {
		sorted := slices.Clone(all)
		slices.SortFunc(sorted, less)
		for _, v := range sorted {
			want[s] = append(want[s], v.Number)
		}
	}
	byNumber := func(a, b ticket.Ticket) int { return int(a.Number - b.Number) }
	byAge := func(a, b ticket.Ticket) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return byNumber(a, b)
	}
	order(ticket.Oldest, byAge)
	order(ticket.Newest, func(a, b ticket.Ticket) int { return byAge(b, a) })
	order(ticket.Latest, func(a, b ticket.Ticket) int {
		if c := b.LastAt.Compare(a.LastAt); c != 0 {
			return c
		}
		return byNumber(b, a)
	})
	order(ticket.Nearest, func(a, b ticket.Ticket) int {
		if a.Turn() != b.Turn() {
			return int(min(1, max(-1, a.Turn()-b.Turn())))
		}
		return byNumber(a, b)
	})
	for sort, numbers := range want {
		var got []int64
		q := ticket.Query{States: []ticket.State{ticket.Open}, Sort: sort, Limit: 4}
		for {
			page := must[[]ticket.Ticket](t)(r.Tickets(t.Context(), q))
			for _, v := range page {
				got = append(got, v.Number)
			}
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].Cursor(sort)
		}
		if !slices.Equal(got, numbers) {
			t.Errorf("%s: got %v, want %v", sort, got, numbers)
		}
	}
}

func ticketQuery(t *testing.T, r TicketRecord) {
	yes, no := true, false
	one, two, three := Matter(1), plainMatter(2), plainMatter(3)
	one.SnoozedUntil, two.SnoozedUntil = base.Add(time.Hour), base.Add(-time.Hour)
	three.State, three.Queue, three.SolvedAt, three.MergedInto = ticket.Solved, "plant", base, ""
	putTickets(t, r, &one, &two, &three)
	m := wordOf(two.ID, 1)
	putMessages(t, r, &m)
	for name, c := range map[string]struct {
		q    ticket.Query
		want []int64
	}{
		"all":           {ticket.Query{}, []int64{1, 2, 3}},
		"states":        {ticket.Query{States: []ticket.State{ticket.Open, ticket.Solved}}, []int64{2, 3}},
		"live":          {ticket.Query{States: []ticket.State{ticket.Pending}}, []int64{1}},
		"not":           {ticket.Query{NotStates: []ticket.State{ticket.Open}}, []int64{1, 3}},
		"kinds":         {ticket.Query{Kinds: []ticket.Kind{ticket.Task}}, nil},
		"ways":          {ticket.Query{Ways: []ticket.Way{ticket.ByMail}}, []int64{1}},
		"priority":      {ticket.Query{Priority: ticket.High}, []int64{1}},
		"queue":         {ticket.Query{Queue: "plant"}, []int64{3}},
		"queues":        {ticket.Query{Queues: []string{"plant", "support"}}, []int64{1, 2, 3}},
		"assignee":      {ticket.Query{Assignee: "p1"}, []int64{1}},
		"nobody":        {ticket.Query{Assignee: ticket.Nobody}, []int64{2, 3}},
		"requester":     {ticket.Query{Requester: "requester1"}, []int64{1}},
		"mailbox":       {ticket.Query{Mailbox: "help"}, []int64{1}},
		"tag":           {ticket.Query{Tag: "vip"}, []int64{1}},
		"component":     {ticket.Query{Component: "cart"}, []int64{1}},
		"incident":      {ticket.Query{Incident: "incident1"}, []int64{1}},
		"any incident":  {ticket.Query{Incident: ticket.AnyIncident}, []int64{1}},
		"sender":        {ticket.Query{Sender: "guest@example.org"}, []int64{2}},
		"number":        {ticket.Query{Number: 2}, []int64{2}},
		"unheard":       {ticket.Query{Unheard: &yes}, []int64{1}},
		"heard":         {ticket.Query{Unheard: &no}, []int64{2, 3}},
		"automatic":     {ticket.Query{Automatic: &yes}, []int64{1}},
		"broken":        {ticket.Query{Broken: &yes}, []int64{1}},
		"snoozed":       {ticket.Query{Snoozed: &yes, Now: base}, []int64{1}},
		"awake":         {ticket.Query{Snoozed: &no, Now: base}, []int64{2, 3}},
		"files":         {ticket.Query{Files: true}, []int64{1}},
		"overdue":       {ticket.Query{Overdue: true, Now: base.Add(24 * time.Hour)}, []int64{1}},
		"due":           {ticket.Query{DueBefore: base.Add(2 * time.Hour)}, []int64{1}},
		"created":       {ticket.Query{From: base.Add(2 * time.Minute), To: base.Add(3 * time.Minute)}, []int64{2}},
		"solved":        {ticket.Query{SolvedFrom: base}, []int64{1, 3}},
		"several":       {ticket.Query{Queue: "support", Priority: ticket.Normal}, []int64{2}},
		"contradiction": {ticket.Query{Queue: "plant", Priority: ticket.High}, nil},
	} {
		q := c.q
		q.Sort, q.Limit = ticket.Oldest, 10
		var got []int64
		for _, v := range must[[]ticket.Ticket](t)(r.Tickets(t.Context(), q)) {
			got = append(got, v.Number)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if n := must[int](t)(r.CountTickets(t.Context(), q, 2)); n != min(2, len(c.want)) {
			t.Errorf("%s: counted %d of %v", name, n, c.want)
		}
	}
}

func ticketTallies(t *testing.T, r TicketRecord) {
	a, b, c, d := plainMatter(1), plainMatter(2), plainMatter(3), plainMatter(4)
	b.Assignee, b.SnoozedUntil = "p1", base.Add(time.Hour)
	c.State, d.Incident = ticket.Closed, "i"
	putTickets(t, r, &a, &b, &c, &d)
	got := must[[]ticket.Tally](t)(r.LiveTallies(t.Context(), base))
	slices.SortFunc(got, func(x, y ticket.Tally) int { return len(x.Assignee) - len(y.Assignee) })
	same(t, []ticket.Tally{
		{State: ticket.Open, Queue: "support", Kind: ticket.Request, Count: 2}, {State: ticket.Open, Queue: "support", Kind: ticket.Request, Assignee: "p1", Count: 1, Snoozed: 1},
	}, got)
}

func ticketsDue(t *testing.T, r TicketRecord) {
	a, b, c := plainMatter(1), plainMatter(2), plainMatter(3)
	a.WakeAt, b.WakeAt = base.Add(2*time.Hour), base.Add(time.Hour)
	c.ClosedAt = base
	putTickets(t, r, &a, &b, &c)
	if got := must[[]string](t)(r.DueTickets(t.Context(), base.Add(2*time.Hour), 10)); !slices.Equal(got, []string{b.ID, a.ID}) {
		t.Errorf("due: %v", got)
	}
	if got := must[[]string](t)(r.DueTickets(t.Context(), base, 10)); len(got) != 0 {
		t.Errorf("due too early: %v", got)
	}
	if got := must[[]string](t)(r.StaleTickets(t.Context(), base.Add(1e3), 10)); !slices.Equal(got, []string{c.ID}) {
		t.Errorf("stale: %v", got)
	}
}

func requestersKept(t *testing.T, r TicketRecord) {
	ctx := t.Context()
	put := func(v *ticket.Requester) error {
		return r.Do(ctx, access.Hub, func(tx journal.Tx) error {
			w := *v
			err := r.PutRequester(ctx, tx, &w)
			*v = keepIf(err, w, *v)
			return err
		})
	}
	want := ticket.Requester{
		ID: "r1", Name: "Guest", Address: "guest@example.org", Others: []string{"g@firm.example"}, Phone: "1", Notes: "n", Bad: "b", Blocked: true,
		CreatedAt: base, ErasedAt: base,
	}
	full(t, want, "Version")
	if err := put(&want); err != nil {
		t.Fatal(err)
	}
	same(t, want, must[ticket.Requester](t)(r.Requester(ctx, "r1")))
	same(t, []ticket.Requester{want}, must[[]ticket.Requester](t)(r.Requesters(ctx, []string{"r1", "r9"})))
	of := func(address string) (id string) {
		withinUnit(t, r, func(tx journal.Tx) error {
			v, err := r.RequesterOf(ctx, tx, address)
			if problem.KindOf(err) == problem.KindNotFound {
				return nil
			}
			id = v.ID
			return err
		})
		return id
	}
	if of("guest@example.org") != "r1" || of("g@firm.example") != "r1" || of("x@example.org") != "" {
		t.Error("addresses lead elsewhere")
	}
	other := ticket.Requester{ID: "r2", Name: "Anna", Address: "g@firm.example", CreatedAt: base}
	wantKind(t, put(&other), problem.KindConflict)
	want.Others, want.Address, want.ErasedAt = nil, "new@example.org", time.Time{}
	if err := put(&want); err != nil {
		t.Fatal(err)
	}
	if of("guest@example.org") != "" || of("new@example.org") != "r1" {
		t.Error("old addresses stay")
	}
	if err := put(&other); err != nil {
		t.Fatal(err)
	}
	for beginning, ids := range map[string][]string{"new@": {"r1"}, "g": {"r2", "r1"}, "an": {"r2"}, "zz": nil} {
		var got []string
		for _, v := range must[[]ticket.Requester](t)(r.FindRequesters(ctx, beginning, 10)) {
			got = append(got, v.ID)
		}
		if !slices.Equal(got, ids) {
			t.Errorf("%q finds %v, want %v", beginning, got, ids)
		}
	}
}

// keepIf gives what was made, unless it failed.
func keepIf[T any](err error, made, was T) T {
	if err != nil {
		return was
	}
	return made
}

func acknowledgementsCounted(t *testing.T, r TicketRecord) {
	ctx := t.Context()
	withinUnit(t, r, func(tx journal.Tx) error {
		for n, c := range [][2]string{{"r1", "a.example"}, {"r1", "a.example"}, {"r2", "a.example"}, {"r3", "b.example"}} {
			if err := r.PutAcknowledged(ctx, tx, c[0], c[1], base.Add(time.Duration(n)*time.Minute)); err != nil {
				return err
			}
		}
		same(t, ticket.Answered{Requester: 2, Domain: 3, All: 4}, must[ticket.Answered](t)(r.Acknowledged(ctx, tx, "r1", "a.example", base.Add(-1))))
		same(t, ticket.Answered{Requester: 1, Domain: 2, All: 3}, must[ticket.Answered](t)(r.Acknowledged(ctx, tx, "r1", "a.example", base)))
		if err := r.PruneTickets(ctx, tx, base, base.Add(2*time.Minute), base); err != nil {
			return err
		}
		same(t, ticket.Answered{All: 1}, must[ticket.Answered](t)(r.Acknowledged(ctx, tx, "r1", "a.example", base.Add(-1))))
		return nil
	})
}

func ticketSmallThings(t *testing.T, r TicketRecord) {
	ctx := t.Context()
	view := ticket.View{ID: "v", Name: "Owners", Query: "tag:owner", Sort: ticket.Latest, Owner: "person/1"}
	reply := ticket.SavedReply{ID: "s", Name: "Thanks", Body: "Thank you, {{name}}."}
	bulk := ticket.Bulk{ID: "b", Actor: "person/1", At: base, Undo: []ticket.Undo{{Ticket: "t", Was: ticket.Standing{State: ticket.New, Tags: []string{"x"}}, Message: "m"}}}
	withinUnit(t, r, func(tx journal.Tx) error {
		for _, p := range []ticket.Presence{
			{Ticket: "t", Person: "p1", Writing: true, Until: base.Add(time.Minute)}, {Ticket: "t", Person: "p2", Until: base},
			{Ticket: "t", Person: "p1", Until: base.Add(2 * time.Minute)}, {Ticket: "u", Person: "p3", Until: base.Add(time.Minute)},
		} {
			if err := r.PutPresence(ctx, tx, p); err != nil {
				return err
			}
		}
		if err := r.PutView(ctx, tx, &view); err != nil {
			return err
		}
		if err := r.PutSavedReply(ctx, tx, &reply); err != nil {
			return err
		}
		if err := r.PutBulk(ctx, tx, bulk); err != nil {
			return err
		}
		same(t, bulk, must[ticket.Bulk](t)(r.Bulk(ctx, tx, "b")))
		return nil
	})
	same(t, []ticket.Presence{{Ticket: "t", Person: "p1", Until: base.Add(2 * time.Minute)}}, must[[]ticket.Presence](t)(r.Present(ctx, "t", base)))
	same(t, []ticket.View{view}, must[[]ticket.View](t)(r.Views(ctx)))
	same(t, []ticket.SavedReply{reply}, must[[]ticket.SavedReply](t)(r.SavedReplies(ctx)))
	wantKind(t, r.Do(ctx, access.Hub, func(tx journal.Tx) error { return r.DropView(ctx, tx, "v", 9) }), problem.KindConflict)
	withinUnit(t, r, func(tx journal.Tx) error {
		view.Name, reply.Body = "All owners", "Thanks."
		if err := r.PutView(ctx, tx, &view); err != nil {
			return err
		}
		if err := r.PutSavedReply(ctx, tx, &reply); err != nil {
			return err
		}
		if err := r.DropView(ctx, tx, "v", view.Version); err != nil {
			return err
		}
		if err := r.DropSavedReply(ctx, tx, "s", reply.Version); err != nil {
			return err
		}
		if err := r.PruneTickets(ctx, tx, base.Add(time.Hour), base, base); err != nil {
			return err
		}
		_, err := r.Bulk(ctx, tx, "b")
		wantKind(t, err, problem.KindNotFound)
		return nil
	})
	if len(must[[]ticket.View](t)(r.Views(ctx)))+len(must[[]ticket.SavedReply](t)(r.SavedReplies(ctx)))+len(must[[]ticket.Presence](t)(r.Present(ctx, "t", base))) != 0 {
		t.Error("something is left")
	}
}

func ticketDropped(t *testing.T, r TicketRecord) {
	ctx := t.Context()
	who := ticket.Requester{ID: "r1", Address: "guest@example.org", CreatedAt: base}
	a, b := Matter(1), plainMatter(2)
	a.Requester, b.Requester = "r1", "r1"
	withinUnit(t, r, func(tx journal.Tx) error { return r.PutRequester(ctx, tx, &who) })
	putTickets(t, r, &a, &b)
	drop := func(id string) {
		withinUnit(t, r, func(tx journal.Tx) error {
			if ids := must[[]string](t)(r.TicketsOf(ctx, tx, "r1", 10)); len(ids) == 0 {
				t.Error("no tickets")
			}
			return r.DropTicket(ctx, tx, id)
		})
	}
	drop(a.ID)
	must[ticket.Requester](t)(r.Requester(ctx, "r1"))
	drop(b.ID)
	_, err := r.Requester(ctx, "r1")
	wantKind(t, err, problem.KindNotFound)
	if got := must[[]ticket.Ticket](t)(r.Tickets(ctx, ticket.Query{Tag: "vip", Limit: 1})); len(got) != 0 {
		t.Errorf("a tag leads to %+v", got)
	}
}
