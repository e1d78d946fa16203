package ticket

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// sum signs for tests.
type sum struct{}

func (sum) Sign(text string) []byte { s := sha256.Sum256([]byte("house" + text)); return s[:] }

// house is a desk that only signs.
func house() *Desk {
	d := NewDesk(DeskDeps{Signer: sum{}})
	d.Setup(Setup{Mailboxes: []Mailbox{{Name: "help", From: Address{Address: "support+help@example.org"}}}})
	return d
}

func TestReplyAddressIsReadBackAndHoldsForOneTicketAndPerson(t *testing.T) {
	d := house()
	v := &Ticket{ID: "t1", Number: 4107, Secret: "s", Mailbox: "help"}
	other := &Ticket{ID: "t2", Number: 4107, Secret: "s", Mailbox: "help"}
	mine, theirs := d.StaffAddress(v, "p1"), d.ReplyAddress(v)
	if local, _, _ := strings.Cut(mine, "@"); len(local) > 64 || !strings.HasPrefix(mine, "support+tp.4107.") || !strings.HasPrefix(theirs, "support+tk.4107.") {
		t.Errorf("addresses %s, %s", mine, theirs)
	}
	for name, c := range map[string]struct {
		address string
		t       *Ticket
		person  string
		want    bool
	}{
		"the requester's":              {theirs, v, "", true},
		"in capitals":                  {strings.ToUpper(theirs), v, "", true},
		"a person's":                   {mine, v, "p1", true},
		"a person's for another":       {mine, v, "p2", false},
		"a person's for the requester": {mine, v, "", false},
		"the requester's for a person": {theirs, v, "p1", false},
		"for another ticket":           {theirs, other, "", false},
		"after it was erased":          {theirs, &Ticket{ID: "t1", Number: 4107}, "", false},
	} {
		k, ok := readToken(c.address)
		if !ok || d.opens(k, c.t, c.person) != c.want {
			t.Errorf("%s: read %v %+v", name, ok, k)
		}
	}
	for _, address := range []string{"", "support@example.org", "support+tk@example.org", "support+tk.4107@example.org", "support+tk.0.aaaaaaaaaaaaaaaa@example.org",
		"support+tk.+7.aaaaaaaaaaaaaaaa@example.org", "support+tx.7.aaaaaaaaaaaaaaaa@example.org", "support+tk.7.short@example.org", "support+tk.99999999999999999999.aaaaaaaaaaaaaaaa@e.org"} {
		if k, ok := readToken(address); ok {
			t.Errorf("%q is read as %+v", address, k)
		}
	}
}

func TestNumbersInSubjects(t *testing.T) {
	for subject, want := range map[string][]int64{
		"Re: [TK-4107] card": {4107}, "[tk-1][TK-2]": {1, 2}, "TK-4107": nil, "[TK-]": nil, "[TK-+1]": nil, "[TK-0]": nil, "[TK-12": nil,
		"[TK-9999999999999999]": nil, "[TK-[TK-3]": {3}, "": nil,
	} {
		if got := numbersIn(subject, "TK"); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", subject, got, want)
		}
	}
}

func TestNearestReferenceIsFollowedFirst(t *testing.T) {
	in := &Incoming{MessageID: "own", InReplyTo: "c", References: []string{"a", "b", "c", "own"}}
	if got := answered(in); !slices.Equal(got, []string{"c", "b", "a"}) {
		t.Errorf("got %v", got)
	}
	known := []Known{{Ticket: "1", MessageID: "a"}, {Ticket: "2", MessageID: "b", Form: Out}, {Ticket: "3", MessageID: "own"}}
	got := clues(in, known, "TK")
	if len(got) != 2 || got[0].ticket != "2" || !got[0].ours || got[1].ticket != "1" {
		t.Errorf("got %+v", got)
	}
}

// FuzzThread: whatever a mail says, clues are bounded and no address that this
// house did not make opens a ticket.
func FuzzThread(f *testing.F) {
	d := house()
	v := &Ticket{ID: "t1", Number: 4107, Secret: "s", Mailbox: "help"}
	real := d.ReplyAddress(v)
	f.Add("a", "b c d", "support+tk.4107.aaaaaaaaaaaaaaaa@example.org", "Re: [TK-4107] x")
	f.Add("", "", real, "[TK-1][TK-2][TK-3][TK-4][TK-5][TK-6][TK-7][TK-8][TK-9][TK-10]")
	f.Add("\x00", "\xff", "support+tp.4107."+strings.Repeat("z", 16)+"@x", "[TK-99999999999999999999]")
	f.Fuzz(func(t *testing.T, inReplyTo, references, delivered, subject string) {
		in := Incoming{
			Way: ByMail, MessageID: "own", InReplyTo: inReplyTo, References: strings.Fields(references), Delivered: strings.Fields(delivered), Subject: subject,
			From: Address{Name: subject, Address: delivered}, Text: references, Kind: KindPerson,
		}
		in.clean(moment(at(t, "2026-11-21T00:00:00Z")))
		var known []Known
		for i, id := range answered(&in) {
			known = append(known, Known{Ticket: string(rune('a' + i%26)), MessageID: id})
		}
		if len(known) >= MaxReferences {
			t.Fatalf("%d Message-IDs would be looked up", len(known))
		}
		found := clues(&in, known, "TK")
		if len(found) > 4*maxClues {
			t.Fatalf("%d clues", len(found))
		}
		for _, c := range found {
			if c.by == byAddress && (d.opens(c.token, v, "") || d.opens(c.token, v, "p1")) && !strings.Contains(strings.ToLower(delivered), strings.SplitN(real, "@", 2)[0]) {
				t.Fatalf("%q opens a ticket", delivered)
			}
		}
	})
}

// FuzzWords: words are what both engines take, and bounded.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"Zahlung für Buchung NM-4711", "ログインできません x 一", "e\u0301te\u0301 ñ İ ß", "\x00\xff", "नमस्ते दुनिया", "ไม่สามารถ", strings.Repeat("a", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := Message{Text: s, Subject: s, Sender: Address{Name: s, Address: s}, Cc: []Address{{Name: s}}}
		for _, w := range m.Words(s) {
			if w == "" || len(w) > 4*maxWord+8 || strings.ContainsAny(w, " '\"\\\x00:&|!()<>*") {
				t.Fatalf("the word %q of %q", w, s)
			}
		}
		if n := len(WordsOf(s)); n > maxIndexed+1 {
			t.Fatalf("%d words", n)
		}
	})
}

func TestWordsAreFoundAsTheyAreTyped(t *testing.T) {
	for text, want := range map[string]string{
		"Zahlung für Straße": "zahlung fur strasse", "ÉTÉ e\u0301te\u0301": "ete ete", "login-502, OK.": "login 502 ok", "a@b.example": "a b example",
		"ログイン": "ログ グイ イン", "東": "東", "x東京y": "x 東京 y", "ÄÖÜ ŁÓDŹ": "aou lodz", "Ωμέγα": "ωμεγα", "": "", "…": "",
	} {
		if got := strings.Join(WordsOf(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzParse: a search is read or refused, and what is read is bounded.
func FuzzParse(f *testing.F) {
	d := NewDesk(DeskDeps{Now: func() time.Time { return time.Unix(0, 0) }})
	for _, s := range []string{`from:zoe "card declined" -is:closed`, `tag:"a b" x:y`, `before:2026-11-21 after:7d TK-4107`, `"`, `-`, `-"`, `from:`, `:`, `a:"b`, "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		q, err := d.Parse(access.Hub, typed)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("%q: %v", typed, err)
			}
			return
		}
		if len(q.Text) > MaxTerms {
			t.Fatalf("%d terms", len(q.Text))
		}
		for _, term := range q.Text {
			if len(term.Words) == 0 {
				t.Fatalf("a term without words in %q", typed)
			}
		}
	})
}
