package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// erasedMails notes which raw mails were to go.
type erasedMails struct{ ids []string }

func (e *erasedMails) EraseMails(_ context.Context, _ journal.Tx, ids []string) error {
	e.ids = append(e.ids, ids...)
	return nil
}

// Erasing a requester leaves nothing of them: no row of any table holds their name,
// address or words, no search finds them, no blob is left.
func TestEraseLeavesNothing(t *testing.T) {
	for name, open := range openRaw {
		t.Run(name, func(t *testing.T) {
			s, db := open(t)
			mails := &erasedMails{}
			d := ticket.NewDesk(ticket.DeskDeps{Work: s, Store: s, Blobs: s, Signer: key("secret"), Staff: roster{}, Mails: mails, Now: time.Now, Log: quiet()})
			d.Setup(support())
			c := &scene{T: t, Desk: d, store: s}
			const secret = "xyzzy"
			in := c.mail(secret+"@"+secret+".example", "Subject "+secret, "Words "+secret)
			in.From.Name = "Name " + secret
			in.Attachments = []ticket.Attachment{{Name: secret + ".txt", Type: "text/plain", Size: 5, Hash: "h" + secret}}
			var out ticket.Outcome
			if err := s.Do(t.Context(), access.Hub, func(tx journal.Tx) (err error) {
				if err := s.PutBlob(t.Context(), tx, "h"+secret, []byte(secret)); err != nil {
					return err
				}
				out, err = d.Receive(t.Context(), tx, in)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Answer(t.Context(), agent, out.Ticket, ticket.Answer{Text: "Dear " + secret, Now: true}); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Note(t.Context(), agent, out.Ticket, secret+" called", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Tag(t.Context(), agent, out.Ticket, []string{secret}, nil); err != nil {
				t.Fatal(err)
			}
			who := c.ticket(out.Ticket).Requester
			if _, err := d.EditRequester(t.Context(), agent, who, ticket.About{Name: secret, Address: in.From.Address, Others: []string{"second@" + secret + ".example"}, Phone: secret, Notes: secret}); err != nil {
				t.Fatal(err)
			}
			// Somebody else's ticket, in which they were copied and wrote.
			theirs := c.mail("friend@theirs.example", "Another", "matter of a friend")
			theirs.Cc = []ticket.Address{{Name: secret, Address: in.From.Address}}
			other := c.take(theirs).Ticket
			reply := c.mail("second@"+secret+".example", "Re: Another", secret+" too")
			old := c.ticket(other)
			reply.Delivered = append(reply.Delivered, d.ReplyAddress(&old))
			if joined := c.take(reply); joined.Ticket != other {
				t.Fatalf("got %+v", joined)
			}
			// And one that was merged away.
			merged := c.take(c.mail(in.From.Address, "Merged", secret)).Ticket
			if _, err := d.Merge(t.Context(), agent, merged, out.Ticket); err != nil {
				t.Fatal(err)
			}
			// And one that was merged into another's, with an answer that bears their name.
			strange := c.take(c.mail(in.From.Address, "Strange", "strange "+secret)).Ticket
			if _, err := d.Answer(t.Context(), agent, strange, ticket.Answer{Text: "Dear " + secret, Now: true}); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Merge(t.Context(), agent, strange, other); err != nil {
				t.Fatal(err)
			}
			// And somebody else's that was merged into one of theirs.
			guest := c.take(c.mail("third@theirs.example", "Third", "words of a third")).Ticket
			if _, err := d.Merge(t.Context(), agent, guest, out.Ticket); err != nil {
				t.Fatal(err)
			}
			if left := holding(t, db, name, secret); len(left) == 0 {
				t.Fatal("nothing holds the word before")
			}

			if err := d.Erase(t.Context(), agent, who); problem.KindOf(err) != problem.KindForbidden {
				t.Fatalf("an agent erased: %v", err)
			}
			for range 2 { // it can be called again
				if err := d.Erase(t.Context(), chief, who); err != nil {
					t.Fatal(err)
				}
			}
			if left := holding(t, db, name, secret); len(left) > 0 {
				t.Errorf("left in %v", left)
			}
			page, err := d.Search(t.Context(), chief, secret, "", ticket.Cursor{}, 10)
			if err != nil || len(page.Tickets) != 0 {
				t.Errorf("a search finds %d, %v", len(page.Tickets), err)
			}
			if _, _, err := s.OpenBlob(t.Context(), "h"+secret); problem.KindOf(err) != problem.KindNotFound {
				t.Errorf("the blob: %v", err)
			}
			if len(mails.ids) != 4 {
				t.Errorf("%d raw mails went, want 4", len(mails.ids))
			}
			if all := c.messages(other); len(all) != 1 || len(all[0].Cc) != 0 || c.ticket(other).Messages != 1 {
				t.Errorf("the friend's ticket: %+v", all)
			}
			if page, err := d.Search(t.Context(), chief, "friend", "", ticket.Cursor{}, 10); err != nil || len(page.Tickets) != 1 {
				t.Errorf("the friend is not found any more: %v", err)
			}
			if got := c.ticket(guest); got.MergedInto != "" || got.Messages != 1 || c.messages(guest)[0].Text != "words of a third" {
				t.Errorf("the third's ticket: %+v", got)
			}
			if err := journal.Verify(t.Context(), s); err != nil {
				t.Error(err)
			}
			again := c.take(c.mail(in.From.Address, "Again", "back"))
			if !again.Opened || c.ticket(again.Ticket).Requester == who {
				t.Errorf("back again: %+v", again)
			}
		})
	}
}

// holding gives the tables in which some text holds a word.
func holding(t *testing.T, db *sql.DB, engine, word string) (out []string) {
	t.Helper()
	query := `select table_name, column_name from information_schema.columns where table_schema = 'public'`
	if engine == "sqlite" {
		query = `select t.name, c.name from pragma_table_list t join pragma_table_info(t.name) c where t.schema = 'main' and t.type in ('table', 'shadow') and t.name not like 'sqlite_%'`
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		var n int
		text := fmt.Sprintf(`select count(*) from %q where cast(%q as text) like $1`, c[0], c[1])
		if err := db.QueryRowContext(t.Context(), text, "%"+word+"%").Scan(&n); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if n > 0 && !strings.HasPrefix(c[0], "ticket_words_") { // the index keeps what was deleted until it is merged: search is asked instead
			out = append(out, c[0]+"."+c[1])
		}
	}
	return out
}

func TestErasingATicketKeepsItsNumber(t *testing.T) {
	onDesks(t, func(s *scene) {
		id := s.take(s.mail("guest@theirs.example", "x", "y")).Ticket
		if err := s.EraseTicket(s.Context(), chief, "TK-1"); err != nil {
			s.Fatal(err)
		}
		got := s.ticket(id)
		if got.Number != 1 || got.State != ticket.Closed || got.Messages != 0 || strings.Contains(got.Subject, "x") || !got.DueAt.IsZero() {
			s.Errorf("got %+v", got)
		}
		if next := s.take(s.mail("guest@theirs.example", "x", "z")); s.ticket(next.Ticket).Number != 2 {
			s.Errorf("the next one: %+v", next)
		}
	})
}
