package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const mailboxesPath = "/console/mailboxes"

// ledgerRows are the mails of one page of a ledger.
const ledgerRows = 100

// mailboxRoutes are the addresses of mailboxes: every mail and its fate.
func (c *Console) mailboxRoutes() []door.Route {
	if c.deps.Mails == nil {
		return nil
	}
	one, mail := mailboxesPath+"/{name}", mailboxesPath+"/{name}/mails/{id}"
	return []door.Route{
		{Method: http.MethodGet, Path: mailboxesPath, Action: access.MailboxRead, Handler: c.handle(c.mailboxes)},
		{Method: http.MethodGet, Path: one, Action: access.MailboxRead, Handler: c.handle(c.ledger)},
		{Method: http.MethodPost, Path: one + "/walk", Action: access.MailboxRun, Handler: c.handle(c.walkBack)},
		{Method: http.MethodGet, Path: mail + "/raw", Action: access.MailRaw, Handler: c.handle(c.mailRaw)},
		{Method: http.MethodPost, Path: mail + "/retry", Action: access.MailboxRun, Handler: c.handle(c.retryMail)},
		{Method: http.MethodPost, Path: mail + "/aside", Action: access.MailboxRun, Handler: c.handle(c.setMailAside)},
	}
}

func mailboxPath(name string) string { return mailboxesPath + "/" + url.PathEscape(name) }

// mailboxMarks say what the owner of a mailbox is doing.
var mailboxMarks = map[inbox.State]Mark{
	inbox.Connecting: {"unknown", "Connecting"}, inbox.Listening: {"ok", "Listening"}, inbox.Polling: {"ok", "Looking every minute"},
	inbox.Backfilling: {"maint", "Fetching older mail"}, inbox.BackingOff: {"major", "Not reached"}, inbox.NeedsConsent: {"major", "Needs somebody to sign in"},
	inbox.Off: {"unknown", "Not configured any more"},
}

// fateWords say what became of a mail, in the order of the tabs.
var fateWords = []Option{
	{Value: string(inbox.Waiting), Word: "Waits"}, {Value: string(inbox.SetAside), Word: "Set aside"}, {Value: string(inbox.Unfetchable), Word: "Not to be had"},
	{Value: string(inbox.Opened), Word: "Opened a ticket"}, {Value: string(inbox.Joined), Word: "Joined a ticket"}, {Value: string(inbox.Muted), Word: "Automatic"},
	{Value: string(inbox.Bounced), Word: "Bounce"}, {Value: string(inbox.Automation), Word: "Moved a component"}, {Value: string(inbox.Repeated), Word: "Repeats another"},
}

// mailboxRow is one mailbox.
type mailboxRow struct {
	Name, Path          string
	Mark                Mark
	Reason              string
	Since, OK, Compared Stamp
	Waiting, Aside, Gap string
	Oldest              Stamp
	Older               string // how far the walk down has come
}

// mailboxes lists them.
func (c *Console) mailboxes(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	list, err := c.deps.Mails.Mailboxes(r.Context(), g.Actor)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	rows := make([]mailboxRow, 0, len(list))
	for _, m := range list {
		row, _, err := c.mailboxRow(r, g, m, k)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	c.Page(w, r, Page{
		Title: "Mailboxes", Section: "tickets", Template: "mailboxes", Data: rows, Live: "mailbox mail ticket", Every: 30, Crumbs: []Crumb{{"Tickets", ticketsPath}, {Word: "Mailboxes"}},
		Sub:  []string{"Every mail that a mailbox ever showed is listed with what became of it. Mailboxes are set up in the configuration file."},
		Keys: []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	})
	return nil
}

func (c *Console) mailboxRow(r *http.Request, g door.Guest, m inbox.Mailbox, k Clock) (mailboxRow, inbox.Tally, error) {
	t, err := c.deps.Mails.Tally(r.Context(), g.Actor, m.Name)
	row := mailboxRow{
		Name: m.Name, Path: mailboxPath(m.Name), Mark: mailboxMarks[m.State], Reason: m.Reason, Since: k.At(m.Since), OK: k.At(m.OKAt), Compared: k.At(m.ComparedAt),
		Waiting: counted(t.Waiting), Oldest: k.At(t.Oldest), Aside: counted(t.Fates[inbox.SetAside] + t.Fates[inbox.Unfetchable]), Gap: counted(m.Gap),
	}
	if m.State == inbox.Backfilling && !m.Backfilled() {
		row.Older = fmt.Sprintf("older mail down to UID %d of %d", m.BackfillTo, m.Last)
	}
	return row, t, err
}

// counted writes a count; "" for none.
func counted(n int64) string {
	if n == 0 {
		return ""
	}
	return grouped(float64(n))
}

// ledgerPage is the data of ledger.html.
type ledgerPage struct {
	mailboxRow
	Tabs     []Tab
	Query    string
	Fate     string
	Rows     []mailRow
	Pager    Pager
	Narrowed bool
	CanRun   bool
	CanRaw   bool
	Back     string
	UIDs     string
	Zone     string
}

// mailRow is one mail of a ledger.
type mailRow struct {
	ID, Path           string
	At, Stored         Stamp
	UID, MessageID     string
	Size, Kind, Fate   string
	Bad                bool
	Reason             string
	TicketPath         string
	Raw                string
	CanRetry, CanAside bool
	Attempts           string
	Quiet              bool
}

// ledger lists the mails of a mailbox, newest first.
func (c *Console) ledger(w http.ResponseWriter, r *http.Request) error {
	ctx, g, q, name := r.Context(), guestOf(r), r.URL.Query(), r.PathValue("name")
	m, err := c.deps.Mails.Mailbox(ctx, g.Actor, name)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	row, tally, err := c.mailboxRow(r, g, m, k)
	if err != nil {
		return err
	}
	d := ledgerPage{
		mailboxRow: row, Query: strings.TrimSpace(q.Get("q")), Fate: q.Get("fate"), CanRun: g.Actor.May(access.MailboxRun), CanRaw: g.Actor.May(access.MailRaw),
		Back: r.URL.RequestURI(), UIDs: fmt.Sprintf("UIDVALIDITY %d, up to UID %d", m.Validity, m.Last), Zone: k.Zone.String(),
	}
	look := ledgerQuery(name, d.Query, d.Fate)
	look.Before, look.Limit = q.Get("before"), ledgerRows+1
	d.Narrowed = d.Query != "" || d.Fate != ""
	d.Tabs = ledgerTabs(r.URL, d.Fate, tally)
	mails, err := c.deps.Mails.Mails(ctx, g.Actor, look)
	if err != nil {
		return err
	}
	for n := range mails[:min(len(mails), ledgerRows)] {
		d.Rows = append(d.Rows, mailRowOf(&mails[n], &d, k))
	}
	if len(mails) > ledgerRows {
		d.Pager.After = with(r.URL, "before", mails[ledgerRows-1].ID)
	}
	if look.Before != "" {
		d.Pager.Before = with(r.URL, "before", "")
	}
	page := Page{
		Title: name, Section: "tickets", Template: "ledger", Data: d, Live: "mailbox mail ticket", Every: 30, Mark: row.Mark,
		Crumbs: []Crumb{{"Tickets", ticketsPath}, {"Mailboxes", mailboxesPath}, {Word: name}}, Sub: []string{d.UIDs},
		Keys: []Key{{[]string{"j", "k"}, "move"}},
	}
	if row.Waiting != "" {
		page.Facts = append(page.Facts, Fact{Word: "Waiting", Value: row.Waiting})
	}
	if row.Aside != "" {
		page.Facts = append(page.Facts, Fact{Word: "Set aside", Value: row.Aside, Tone: "late"})
	}
	if row.OK.Any() {
		page.Facts = append(page.Facts, Fact{Word: "In step with the server", Stamp: row.OK})
	}
	c.Page(w, r, page)
	return nil
}

// ledgerQuery reads what somebody seeks: a UID, a hash, or a Message-ID.
func ledgerQuery(name, words, fate string) inbox.Query {
	q := inbox.Query{Mailbox: name}
	if fate != "" {
		q.Fates = []inbox.Fate{inbox.Fate(fate)}
	}
	uid, err := strconv.ParseUint(words, 10, 32)
	switch {
	case words == "":
	case err == nil:
		q.UID = uint32(uid)
	case len(words) == 64 && !strings.ContainsAny(words, "@<"):
		q.Hash = strings.ToLower(words)
	default:
		q.MessageID = strings.Trim(words, "<>")
	}
	return q
}

func ledgerTabs(u *url.URL, fate string, t inbox.Tally) []Tab {
	all := int64(0)
	for _, n := range t.Fates {
		all += n
	}
	tabs := []Tab{{Word: "All", Path: with(u, "fate", "", "before", ""), Count: counted(all), Here: fate == ""}}
	for _, f := range fateWords {
		if n := t.Fates[inbox.Fate(f.Value)]; n > 0 || fate == f.Value {
			tabs = append(tabs, Tab{Word: f.Word, Path: with(u, "fate", f.Value, "before", ""), Count: counted(n), Here: fate == f.Value})
		}
	}
	return tabs
}

func mailRowOf(m *inbox.Mail, p *ledgerPage, k Clock) mailRow {
	row := mailRow{
		ID: m.ID, Path: p.Path + "/mails/" + url.PathEscape(m.ID), At: k.At(m.ReceivedAt), Stored: k.Exact(m.StoredAt), UID: strconv.FormatUint(uint64(m.UID), 10),
		MessageID: m.MessageID, Size: heavy(m.Size), Kind: strings.ToLower(mailKinds[m.Kind]), Fate: wordOf(fateWords, string(m.Fate)), Reason: m.Reason, Quiet: m.Quiet,
		Bad: m.Fate == inbox.SetAside || m.Fate == inbox.Unfetchable,
	}
	if m.Ticket != "" {
		row.TicketPath = ticketPath(m.Ticket)
	}
	if m.Attempts > 0 {
		row.Attempts = plural(m.Attempts, "try", "tries")
	}
	kept := m.Hash != "" && m.GoneAt.IsZero()
	if p.CanRaw && kept {
		row.Raw = row.Path + "/raw"
	}
	row.CanRetry = p.CanRun && (m.Fate == inbox.Unfetchable || kept && (m.Fate == inbox.SetAside || m.Fate == inbox.Muted && m.Ticket == ""))
	row.CanAside = p.CanRun && m.Fate == inbox.Waiting
	return row
}

// mailRaw hands out the source of a mail.
func (c *Console) mailRaw(w http.ResponseWriter, r *http.Request) error {
	body, size, err := c.deps.Mails.Raw(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	defer body.Close()
	c.rawMail(w, r, body, size, "mail-"+r.PathValue("id"))
	return nil
}

func (c *Console) retryMail(w http.ResponseWriter, r *http.Request) error {
	_, err := c.deps.Mails.Retry(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	return c.backToLedger(w, r, err, "It is read again")
}

func (c *Console) setMailAside(w http.ResponseWriter, r *http.Request) error {
	_, err := c.deps.Mails.SetAside(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	return c.backToLedger(w, r, err, "Set aside")
}

// walkBack fetches older mail, quietly.
func (c *Console) walkBack(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	var from time.Time
	if v.Get("all") == "" {
		if from, err = time.ParseInLocation(time.DateOnly, v.Get("from"), c.zoneOf(guestOf(r))); err != nil {
			return problem.Invalid("from", "Choose the day from which older mail is fetched.")
		}
	}
	err = c.deps.Mails.WalkBack(r.Context(), guestOf(r).Actor, r.PathValue("name"), from)
	return c.backToLedger(w, r, err, "Older mail is being fetched; nobody gets an automatic answer for it")
}

// backToLedger goes back to where the form was.
func (c *Console) backToLedger(w http.ResponseWriter, r *http.Request, err error, words string) error {
	if err != nil {
		return err
	}
	back := r.PostFormValue("back")
	if back == "" {
		back = mailboxPath(r.PathValue("name"))
	}
	c.See(w, r, back, &Said{Text: words})
	return nil
}
