package ticket

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
)

// Format is how tickets are exported.
type Format string

// The formats.
const (
	CSV  Format = "csv"  // one row a ticket (RFC 4180), names first
	JSON Format = "json" // one object a line, with its messages
)

// exportPage is how many tickets are read at once.
const exportPage = 200

// Row is a ticket as it is exported.
type Row struct {
	Number     int64             `json:"number"`
	ID         string            `json:"id"`
	Subject    string            `json:"subject"`
	State      State             `json:"state"`
	Priority   Priority          `json:"priority"`
	Kind       Kind              `json:"kind"`
	Way        Way               `json:"way"`
	Queue      string            `json:"queue"`
	Assignee   string            `json:"assignee"`
	Name       string            `json:"requester_name"`
	Address    string            `json:"requester_address"`
	Tags       []string          `json:"tags"`
	Components []string          `json:"components"`
	Incident   string            `json:"incident"`
	Fields     map[string]string `json:"fields,omitempty"`
	Messages   []Line            `json:"messages,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	FirstReply time.Time         `json:"first_reply_at,omitzero"`
	SolvedAt   time.Time         `json:"solved_at,omitzero"`
	Breached   time.Time         `json:"breached_at,omitzero"`
}

// Line is one message as it is exported.
type Line struct {
	At      time.Time `json:"at"`
	Form    Form      `json:"form"`
	From    From      `json:"from"`
	Sender  string    `json:"sender,omitempty"`
	Author  string    `json:"author,omitempty"`
	Subject string    `json:"subject,omitempty"`
	Text    string    `json:"text"`
	Files   []string  `json:"files,omitempty"`
}

// Export writes the tickets that match, all of them, as they are read. Errors:
// Invalid, and what w gives.
func (d *Desk) Export(ctx context.Context, by access.Actor, q Query, f Format, w io.Writer) error {
	if err := by.CheckOn(access.TicketRead); err != nil {
		return err
	}
	table := csv.NewWriter(w)
	lines := json.NewEncoder(w)
	if f == CSV {
		if err := table.Write([]string{
			"number", "id", "subject", "state", "priority", "kind", "way", "queue", "assignee", "requester_name", "requester_address", "tags", "components",
			"incident", "created_at", "first_reply_at", "solved_at", "breached_at",
		}); err != nil {
			return err
		}
	}
	q.Limit = exportPage
	for {
		page, err := d.List(ctx, by, q)
		if err != nil {
			return err
		}
		for i := range page.Tickets {
			t := &page.Tickets[i]
			r := rowOf(t, page.Requesters[t.Requester])
			if f == CSV {
				err = table.Write(r.cells())
			} else if r.Messages, err = d.lines(ctx, t.ID); err == nil {
				err = lines.Encode(r)
			}
			if err != nil {
				return err
			}
		}
		if table.Flush(); table.Error() != nil || !page.Next.Given() {
			return table.Error()
		}
		q.After = page.Next
	}
}

// lines gives the messages of a ticket as they are exported.
func (d *Desk) lines(ctx context.Context, id string) ([]Line, error) {
	all, err := d.store.Messages(ctx, id)
	out := make([]Line, len(all))
	for i, m := range all {
		out[i] = Line{At: m.At, Form: m.Form, From: m.From, Sender: m.Sender.Address, Author: m.Author, Subject: m.Subject, Text: m.Text}
		for _, a := range m.Attachments {
			out[i].Files = append(out[i].Files, a.Name)
		}
	}
	return out, err
}

func rowOf(t *Ticket, who Requester) Row {
	return Row{
		Number: t.Number, ID: t.ID, Subject: t.Subject, State: t.State, Priority: t.Priority, Kind: t.Kind, Way: t.Way, Queue: t.Queue, Assignee: t.Assignee,
		Name: who.Name, Address: who.Address, Tags: t.Tags, Components: t.Components, Incident: t.Incident, Fields: t.Fields, CreatedAt: t.CreatedAt,
		FirstReply: t.FirstReplyAt, SolvedAt: t.SolvedAt, Breached: t.BreachedAt,
	}
}

// cells gives the row for a table. What a spreadsheet would take for a formula
// gets a quote before it.
func (r *Row) cells() []string {
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	out := []string{
		strconv.FormatInt(r.Number, 10), r.ID, r.Subject, string(r.State), string(r.Priority), string(r.Kind), string(r.Way), r.Queue, r.Assignee,
		r.Name, r.Address, strings.Join(r.Tags, " "), strings.Join(r.Components, " "), r.Incident, when(r.CreatedAt), when(r.FirstReply), when(r.SolvedAt),
		when(r.Breached),
	}
	for i, c := range out {
		if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
			out[i] = "'" + c
		}
	}
	return out
}
