package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/ticket"
)

// The desk shows queues with their counts, the list with its clocks, and the
// burst above it (3, Desk and Ties).
func TestDeskShowsQueuesListAndBurst(t *testing.T) {
	s := atTheDesk(t)
	read, burst := s.story()
	page := get(t, s.c, access.RoleSupport, "/console/tickets").Body.String()
	for _, want := range []string{
		"Unassigned", "Breaching soon", "Bounced or automatic", "Card declined twice, then charged", "Guest, NM-86012", "overdue by", "reply in", "with a file",
		"These 9 look like one: Payments API", "<em>declined</em>", "Mail 4 s ago", "Show the 9",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the desk lacks %q", want)
		}
	}
	if n := strings.Count(page, `tk new in"`); n != len(burst) {
		t.Errorf("%d rows are dashed, not %d", n, len(burst))
	}
	page = get(t, s.c, access.RoleSupport, "/console/tickets/"+read.ID+"?view=unassigned").Body.String()
	for _, want := range []string{
		"First reply due in", "Is the booking safe?", "Signature, 2 lines", "Quoted, 3 lines", "bank-app.png", "2 remote images not loaded", "Booking NM-88190 is not paid on our side",
		"What we know", "Card payments fail for about one customer", "About the sender", "Proven", `aria-current="true"`, "Thank you",
		`href="https://example.org/booking/NM-88190"`, "Undo for 10 s",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the pane lacks %q", want)
		}
	}
}

// Every act of the desk is a plain form that says what it did (3, Desk).
func TestTicketIsWorkedByForms(t *testing.T) {
	s := atTheDesk(t)
	read, _ := s.story()
	at := "/console/tickets/" + read.ID
	do := func(verb string, pairs ...string) string {
		t.Helper()
		v := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		w := post(t, s.c, access.RoleSupport, at+"/"+verb, v)
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", verb, w.Code, w.Body)
		}
		return w.Header().Get("Location")
	}
	now := func() ticket.Ticket {
		t.Helper()
		x, _, err := s.desk.Get(t.Context(), support, read.ID)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	do("assign", "me", "1")
	do("priority", "priority", "high")
	do("tags", "tags", "Cards, refund")
	do("queue", "queue", "plant")
	do("title", "subject", "Card charged twice")
	do("field", "name", "plan", "value", "paid")
	do("note", "note", "Ask @SRE on call about the ledger.")
	do("snooze", "for", "1h")
	do("snooze", "for", "")
	i := payments(t, s.room)
	do("link", "number", incidentName(i))
	if x := now(); x.Assignee != "p1" || x.Priority != ticket.High || strings.Join(x.Tags, " ") != "cards refund" || x.Queue != "plant" || x.Subject != "Card charged twice" || x.Fields["plan"] != "paid" || x.Incident != i.ID {
		t.Errorf("the ticket is %+v", x)
	}
	do("concern", "parts", "Ledger, Checkout")
	if x := now(); strings.Join(x.Components, " ") != "checkout ledger" {
		t.Errorf("it is about %q", x.Components)
	}
	do("calm", "automatic", "1")
	if !now().Automatic {
		t.Error("it still has clocks")
	}
	do("calm")
	do("tags", "tags", "cards")
	if x := now(); strings.Join(x.Tags, " ") != "cards" {
		t.Errorf("the tags are %q", x.Tags)
	}
	do("unlink")
	do("answer", "text", "Your booking is safe.", "then", "pending")
	messages, err := s.desk.Messages(t.Context(), support, read.ID)
	if err != nil {
		t.Fatal(err)
	}
	sent := messages[len(messages)-1]
	if sent.Sending != ticket.Timed || sent.Text != "Your booking is safe." || now().State != ticket.Pending {
		t.Errorf("the answer is %+v in a ticket that is %s", sent, now().State)
	}
	page := get(t, s.c, access.RoleSupport, at).Body.String()
	if !strings.Contains(page, "Goes out at") || !strings.Contains(page, "SRE on call") {
		t.Error("the answer does not say when it goes out, or from whom")
	}
	do("unsend", "message", sent.ID)
	if page = get(t, s.c, access.RoleSupport, at).Body.String(); !strings.Contains(page, "Taken back") || !strings.Contains(page, ">Your booking is safe.</textarea>") {
		t.Error("what was taken back is not there to be mended")
	}
	if to := do("move", "state", "solved", "next", "the-next"); to != "/console/tickets/the-next" {
		t.Errorf("after closing it goes to %s", to)
	}
	if now().State != ticket.Solved {
		t.Errorf("it is %s", now().State)
	}
	stale := post(t, s.c, access.RoleSupport, at+"/answer", url.Values{"text": {"typed in vain"}, "seen": {"1"}})
	if stale.Code != http.StatusConflict || !strings.Contains(stale.Body.String(), "typed in vain") {
		t.Errorf("a stale answer: %d", stale.Code)
	}
	empty := post(t, s.c, access.RoleSupport, at+"/answer", url.Values{"text": {" "}})
	if empty.Code != http.StatusUnprocessableEntity {
		t.Errorf("an empty answer: %d", empty.Code)
	}
}

// One act on many says what did not fit, and is taken back as a whole.
func TestBulkIsTakenBackAsAWhole(t *testing.T) {
	s := atTheDesk(t)
	_, burst := s.story()
	v := url.Values{"id": append(append([]string{}, burst...), "nothing"), "do": {"solve"}, "back": {"/console/tickets?view=open"}}
	w := post(t, s.c, access.RoleSupport, "/console/tickets/bulk", v)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/console/tickets?view=open" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Location"))
	}
	page := get(t, s.c, access.RoleSupport, "/console/tickets?view=solved", w.Result().Cookies()...).Body.String()
	if !strings.Contains(page, "9 tickets closed, 1 did not") || strings.Count(page, `<li id="TK-`) != len(burst) {
		t.Errorf("what was done is not said, or not done: %d rows", strings.Count(page, `<li id="TK-`))
	}
	w = post(t, s.c, access.RoleSupport, "/console/tickets/bulk/undo", url.Values{"token": {hidden(t, page, "token")}, "back": {"/console/tickets"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("undo: %d %s", w.Code, w.Body)
	}
	for _, id := range burst {
		if x, _, err := s.desk.Get(t.Context(), support, id); err != nil || x.State != ticket.New {
			t.Errorf("%s is %s: %v", id, x.State, err)
		}
	}
	if w = post(t, s.c, access.RoleSupport, "/console/tickets/bulk", url.Values{"do": {"solve"}}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "No ticket is selected") {
		t.Errorf("without any: %d", w.Code)
	}
}

// Answers that were held go out one by one, changed or dropped.
func TestHeldAnswersAreReviewed(t *testing.T) {
	s := atTheDesk(t)
	_, burst := s.story()
	var held []string
	for _, id := range burst[:3] {
		m, err := s.desk.Answer(t.Context(), support, id, ticket.Answer{Text: "It is over.", Held: true})
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, m.ID)
	}
	if page := get(t, s.c, access.RoleSupport, "/console/tickets").Body.String(); !strings.Contains(page, "Held for review") {
		t.Error("the desk does not say that answers wait")
	}
	page := get(t, s.c, access.RoleSupport, reviewPath).Body.String()
	if strings.Count(page, `class="hold"`) != 3 {
		t.Fatal("not all are listed")
	}
	do := func(v url.Values) {
		t.Helper()
		if w := post(t, s.c, access.RoleSupport, reviewPath+"/release", v); w.Code != http.StatusSeeOther {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	do(url.Values{"rewrite": {held[0]}, "words-" + held[0]: {"It is over for you."}})
	do(url.Values{"drop": {held[1]}})
	do(url.Values{"id": {held[0], held[2]}})
	for n, want := range []struct {
		text    string
		sending ticket.Sending
	}{{"It is over for you.", ticket.HandedOn}, {"It is over.", ticket.TakenUp}, {"It is over.", ticket.HandedOn}} {
		if m, err := s.desk.Message(t.Context(), support, held[n]); err != nil || m.Text != want.text || m.Sending != want.sending {
			t.Errorf("answer %d is %q, %s: %v", n, m.Text, m.Sending, err)
		}
	}
}

// A ticket is opened for who calls, by template too, and a requester is known,
// changed, blocked and erased.
func TestTicketForWhoCallsAndTheirPage(t *testing.T) {
	s := atTheDesk(t)
	w := post(t, s.c, access.RoleSupport, ticketsPath, url.Values{"name": {"Owner, Fell Cottage"}, "address": {"owner@example.org"}, "phone": {"0123"}, "subject": {"No heating"}, "text": {"Since noon."}, "part": {"Ledger"}, "mine": {"1"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	x, who, err := s.desk.Get(t.Context(), support, strings.TrimPrefix(w.Header().Get("Location"), ticketsPath+"/"))
	if err != nil || x.Way != ticket.ByPhone || x.Assignee != "p1" || x.Components[0] != "ledger" || who.Phone != "0123" {
		t.Errorf("%+v %+v %v", x, who, err)
	}
	if bad := post(t, s.c, access.RoleSupport, ticketsPath, url.Values{"subject": {""}, "text": {"typed in vain"}}); bad.Code != http.StatusUnprocessableEntity || !strings.Contains(bad.Body.String(), "typed in vain") {
		t.Errorf("without a subject: %d", bad.Code)
	}
	if page := get(t, s.c, access.RoleSupport, ticketsPath+"/new?template=erase").Body.String(); !strings.Contains(page, "Delete the data of a customer") {
		t.Error("the template is not filled in (S4-32)")
	}
	path := requestersPath + "/" + who.ID
	do := func(verb string, v url.Values, code int) string {
		t.Helper()
		w := post(t, s.c, access.RoleManager, path+verb, v)
		if w.Code != code {
			t.Fatalf("%s: %d %s", verb, w.Code, w.Body)
		}
		return w.Body.String()
	}
	page := get(t, s.c, access.RoleManager, path).Body.String()
	if !strings.Contains(page, `name="address" value="owner@example.org"`) {
		t.Error("the form would take their address away")
	}
	do("", url.Values{"version": {hidden(t, page, "version")}, "name": {"Owner of Fell Cottage"}, "address": {"owner@example.org"}, "notes": {"Calls at noon."}}, http.StatusSeeOther)
	do("", url.Values{"version": {"1"}, "name": {"late"}}, http.StatusConflict)
	do("/block", url.Values{"block": {"1"}}, http.StatusSeeOther)
	if page = get(t, s.c, access.RoleSupport, path).Body.String(); !strings.Contains(page, "Calls at noon.") || !strings.Contains(page, "opens nothing") || strings.Contains(page, "Erase for good") {
		t.Error("the page is not as it should be")
	}
	if body := do("/erase", url.Values{"word": {"yes"}}, http.StatusUnprocessableEntity); !strings.Contains(body, "Nothing was erased") {
		t.Error("it does not say that nothing was erased")
	}
	do("/erase", url.Values{"word": {"owner@example.org"}}, http.StatusSeeOther)
	if page = get(t, s.c, access.RoleManager, path).Body.String(); strings.Contains(page, "owner@example.org") || !strings.Contains(page, "Erased") {
		t.Error("something is left of them")
	}
}

// Searches are kept as views; saved replies are kept, filled in and dropped.
func TestViewsAndSavedReplies(t *testing.T) {
	s := atTheDesk(t)
	read, _ := s.story()
	if page := get(t, s.c, access.RoleSupport, ticketsPath+"?q=invoice").Body.String(); strings.Count(page, `<li id="TK-`) != 1 || !strings.Contains(page, "Keep this search") {
		t.Error("the search finds something else")
	}
	if page := get(t, s.c, access.RoleSupport, ticketsPath+"?q=is:strange").Body.String(); !strings.Contains(page, "does not know") {
		t.Error("a wrong search is not explained")
	}
	w := post(t, s.c, access.RoleSupport, ticketsPath+"/views", url.Values{"name": {"Invoices"}, "q": {"invoice"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	page := get(t, s.c, access.RoleSupport, w.Header().Get("Location")).Body.String()
	if strings.Count(page, `<li id="TK-`) != 1 || !strings.Contains(page, "Forget this view") {
		t.Error("the view shows something else")
	}
	if w = post(t, s.c, access.RoleSupport, ticketsPath+"/views/drop", url.Values{"id": {hidden(t, page, "id")}}); w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
	if w = post(t, s.c, access.RoleSupport, repliesPath, url.Values{"name": {"Safe"}, "body": {"Dear {{first_name}}, {{number}} is safe."}}); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w = post(t, s.c, access.RoleSupport, repliesPath, url.Values{"name": {""}, "body": {"typed in vain"}}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "typed in vain") {
		t.Errorf("%d", w.Code)
	}
	list, err := s.desk.Replies(t.Context(), support)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d replies: %v", len(list), err)
	}
	own := list[1]
	if text := get(t, s.c, access.RoleSupport, ticketPath(read.ID)+"/saved/"+own.ID).Body.String(); text != "Dear Guest,, "+s.desk.Label(read.Number)+" is safe." {
		t.Errorf("it reads %q", text)
	}
	if page = get(t, s.c, access.RoleSupport, ticketPath(read.ID)+"?saved="+own.ID).Body.String(); !strings.Contains(page, " is safe.</textarea>") {
		t.Error("without a script it is not put into the answer")
	}
	if page = get(t, s.c, access.RoleSupport, repliesPath+"?id="+own.ID).Body.String(); !strings.Contains(page, "{{first_name}}") || !strings.Contains(page, "evenkeel.yaml") {
		t.Error("the page of replies lacks something")
	}
	if w = post(t, s.c, access.RoleSupport, repliesPath+"/"+own.ID+"/drop", url.Values{"version": {"1"}}); w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
}

// A proposal is shown, explained, accepted and taken back; nothing of it happens
// before (3, Ties).
func TestProposalIsDecided(t *testing.T) {
	s := atTheDesk(t)
	_, burst := s.story()
	page := get(t, s.c, access.RoleSupport, ticketsPath+"?proposal=prop-1").Body.String()
	if strings.Count(page, `<li id="TK-`) != len(burst) || !strings.Contains(page, "0.82") || !strings.Contains(page, "says card, declined") {
		t.Error("the proposal does not show its tickets with the reasons")
	}
	accept := func(verb string) {
		t.Helper()
		if w := post(t, s.c, access.RoleSupport, ticketsPath+"/proposals/prop-1/"+verb, url.Values{"back": {ticketsPath}}); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", verb, w.Code, w.Body)
		}
	}
	accept("accept")
	if page = get(t, s.c, access.RoleSupport, ticketsPath).Body.String(); strings.Contains(page, "look like one") {
		t.Error("it is still proposed")
	}
	accept("undo")
	if page = get(t, s.c, access.RoleDeveloper, ticketsPath).Body.String(); !strings.Contains(page, "look like one") || strings.Contains(page, "/accept") {
		t.Error("who may not decide is shown the buttons, or nothing")
	}
}

// The ledger tells of every mail, and of one that was set aside what to do.
func TestLedgerTellsOfEveryMail(t *testing.T) {
	s := atTheDesk(t)
	_, burst := s.story()
	s.mails.keep(burst...)
	page := get(t, s.c, access.RoleSupport, mailboxesPath+"/support").Body.String()
	for _, want := range []string{"UIDVALIDITY 7", "nothing missing", "the parser gave up: 12,000 parts", "Try again", "Opened a ticket", "4999"} {
		if !strings.Contains(page, want) {
			t.Errorf("the ledger lacks %q", want)
		}
	}
	if page = get(t, s.c, access.RoleSupport, mailboxesPath+"/support?q=4001").Body.String(); strings.Count(page, `id="mail-`) != 1 {
		t.Error("a UID is not found")
	}
	if w := post(t, s.c, access.RoleSupport, mailboxesPath+"/support/mails/mail-aside/retry", nil); w.Code != http.StatusSeeOther || s.mails.list[len(s.mails.list)-1].Fate != "waiting" {
		t.Errorf("%d", w.Code)
	}
	if w := get(t, s.c, access.RoleDeveloper, mailboxesPath); w.Code != http.StatusForbidden {
		t.Errorf("a developer gets %d", w.Code)
	}
	if w := get(t, s.c, access.RoleSupport, mailboxesPath); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// What a spreadsheet would take for a formula is not one in an export.
func TestExportHoldsNoFormulas(t *testing.T) {
	s := atTheDesk(t)
	s.receive(letter("=cmd|' /C calc'!A0", `=HYPERLINK("https://example.net")`, "text", time.Minute))
	w := get(t, s.c, access.RoleSupport, ticketsPath+"/export?format=csv&q=is:live")
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Disposition"), "tickets.csv") {
		t.Fatalf("%d %s", w.Code, w.Header())
	}
	for _, bad := range []string{",=", "\n=", `,"=`} {
		if strings.Contains(w.Body.String(), bad) {
			t.Errorf("a cell begins a formula: %s", w.Body)
		}
	}
	if w = get(t, s.c, access.RoleSupport, ticketsPath+"/export?format=json"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"messages"`) {
		t.Errorf("json: %d %s", w.Code, w.Body)
	}
	if w = get(t, s.c, access.RoleSupport, ticketsPath+"/export?format=exe"); w.Code != http.StatusBadRequest {
		t.Errorf("another format: %d", w.Code)
	}
}

// What a page of the desk costs beside the record.
func BenchmarkDesk(b *testing.B) {
	s := atTheDesk(b)
	read, _ := s.story()
	for n := range 60 {
		s.receive(letter(fmt.Sprintf("Guest %d", n), fmt.Sprintf("Number %d", n), "It fails.", time.Duration(n)*time.Minute))
	}
	for b.Loop() {
		if w := get(b, s.c, access.RoleSupport, "/console/tickets/"+read.ID); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
