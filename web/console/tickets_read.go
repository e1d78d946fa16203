package console

import (
	"context"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/status"
	"evenkeel/internal/ticket"
	"evenkeel/web/door"
)

// Limits of the reading pane.
const (
	// shownMessages are shown at the end of a long thread; earlier ones are folded.
	shownMessages = 6
	// shownText bounds the words of one message on the page, in letters; its source
	// has all of them.
	shownText = 40_000
	// maxSavedShown bounds the saved replies that are offered.
	maxSavedShown = 40
	// undoFor is how long an answer can be taken back, in seconds.
	undoFor = int(ticket.UndoFor / time.Second)
)

// ticketPane is the data of ticket.html: one ticket as it is read and answered.
type ticketPane struct {
	ID, Label, Path, Subject string
	Back                     string // the query that leads back to the same list: "?view=mine"
	Next                     string // id of the ticket below, where one goes after closing
	Over, Mine               bool
	State, Priority, Queue   string
	Assignee                 string
	Way                      *wordIcon
	Parts                    []partTag
	Tags                     []string
	Incident                 *linkWord
	Due                      Stamp
	DueWord, DueIn, DueTone  string
	Snoozed                  Stamp
	Alarms                   []alarmLine
	Wrong                    []string
	Proposed                 *proposalView
	Earlier, Messages        []messageView
	EarlierWord              string
	Known                    []knownView
	Promise                  string
	Sender                   *senderView
	Others                   []string
	Reply                    *replyBox
	NoteField, NoteText      string
	May                      map[string]bool

	States, Priorities, Queues, People, Open, Snoozes []Option
	Fields                                            []Field
	PartNames                                         string
	Automatic                                         bool
}

// wordIcon is a word with its picture; linkWord one that leads somewhere.
type wordIcon struct{ Word, Icon string }
type linkWord struct{ Word, Path string }

// partTag is a component that a ticket is about.
type partTag struct {
	Word, Path string
	Mark       Mark
}

// alarmLine is something that whoever answers must know.
type alarmLine struct{ Class, Words string }

// messageView is one message of a thread.
type messageView struct {
	ID, Class, Kind, Name, Address string
	Trust                          *trustView
	Marks                          []string
	At                             Stamp
	Way, Why                       string
	Text                           template.HTML
	Erased                         bool
	Signature, Quoted              *folded
	Files                          []fileView
	HTML, Images, Remote, Raw      string
	Warnings                       []string
	Sending                        *sendingView
	Split                          string
}

// trustView says what the proofs of a mail say of its sender.
type trustView struct{ Class, Shape, Word, Hint string }

// fileView is one attachment.
type fileView struct{ Name, Size, Path string }

// sendingView says how far an answer has come.
type sendingView struct {
	Words, Tone, Path string
	At                Stamp
	Undo, Release     string // where forms lead
	Ticket            string
}

// knownView is what is known of a component that a ticket is about.
type knownView struct {
	Name     string
	Mark     Mark
	Words    string
	Incident *linkWord
	Public   string
	Next     Stamp
}

// senderView is what is known of who wrote.
type senderView struct {
	Path, All string
	Facts     []Fact
}

// replyBox is the form of an answer.
type replyBox struct {
	To, Nobody  string
	Field, Text string
	Seen        string
	Held        bool
	Saved       []savedRow
	Undo        int
	Zone        string
}

// savedRow is a saved reply that can be put into an answer.
type savedRow struct{ Name, Text, Path, Fill string }

// ticketRights are what one may do at the desk, by the words of its templates.
var ticketRights = map[string]access.Action{
	"answer": access.TicketAnswer, "note": access.TicketNote, "link": access.TicketLink, "open": access.TicketOpen, "erase": access.TicketErase,
	"setup": access.TicketSetup, "mail": access.MailboxRead, "run": access.MailboxRun, "raw": access.MailRaw,
}

// pane reads everything that is shown of one ticket. back is the query of the
// list it was opened from.
func (c *Console) pane(ctx context.Context, g door.Guest, t *ticket.Ticket, who *ticket.Requester, back url.Values, sent url.Values) (*ticketPane, error) {
	messages, err := c.deps.Tickets.Messages(ctx, g.Actor, t.ID)
	if err != nil {
		return nil, err
	}
	s, err := c.roll.state(ctx)
	if err != nil {
		return nil, err
	}
	k := c.clock(c.zoneOf(g))
	p := &ticketPane{
		ID: t.ID, Label: c.ticketName(t), Path: ticketPath(t.ID), Subject: subjectWord(t), State: ticketStates[t.State], Tags: t.Tags,
		Over: t.State == ticket.Solved || t.State == ticket.Closed, Mine: t.Assignee == g.Person.ID && g.Person.ID != "", Snoozed: k.At(t.SnoozedUntil),
		May: rightsOf(g, ticketRights), NoteText: sent.Get("note"),
	}
	if len(back) > 0 {
		p.Back = "?" + back.Encode()
	}
	if t.Priority != ticket.Normal {
		p.Priority = wordOf(priorityOptions, string(t.Priority))
	}
	if way, ok := inWords[t.Way]; ok {
		p.Way = &wordIcon{way.word, way.icon}
		if t.Mailbox != "" {
			p.Way.Word = t.Mailbox
		}
	}
	if t.Assignee != "" {
		p.Assignee = c.name(ctx, t.Assignee)
	}
	p.due(t, k)
	p.alarms(t)
	if err := c.paneParts(ctx, p, g, t, s, k); err != nil {
		return nil, err
	}
	if err := c.paneForms(ctx, p, g, t, who, messages, sent); err != nil {
		return nil, err
	}
	if err := c.paneThread(ctx, p, g, t, messages, k); err != nil {
		return nil, err
	}
	if p.Sender, err = c.senderOf(ctx, g, t, k); err != nil {
		return nil, err
	}
	return p, c.paneOthers(ctx, p, g, t)
}

// subjectWord is a subject that can be read.
func subjectWord(t *ticket.Ticket) string {
	if s := strings.TrimSpace(t.Subject); s != "" {
		return s
	}
	return "No subject"
}

// due fills in the clock that runs.
func (p *ticketPane) due(t *ticket.Ticket, k Clock) {
	if t.DueAt.IsZero() || p.Over {
		return
	}
	p.Due, p.DueIn, p.DueTone, p.DueWord = k.At(t.DueAt), span(t.DueAt.Sub(k.Now)), dueTone(t.DueAt, k.Now), clockWords[t.Due][1]
	if p.DueTone == "late" {
		p.DueWord = strings.TrimSuffix(p.DueWord, " due in") + " overdue by"
	}
}

// alarms says what whoever answers must know.
func (p *ticketPane) alarms(t *ticket.Ticket) {
	if t.Undeliverable != "" {
		p.Alarms = append(p.Alarms, alarmLine{"major", "Answers do not reach the requester: " + t.Undeliverable})
	}
	if t.StillBroken {
		p.Alarms = append(p.Alarms, alarmLine{"major", "They say it is still broken although the incident was resolved."})
	}
	if t.Automatic {
		p.Alarms = append(p.Alarms, alarmLine{"maint", "Automatic mail: nobody waits for an answer."})
	}
}

// paneParts fills in what the ticket is about, and what we know of that.
func (c *Console) paneParts(ctx context.Context, p *ticketPane, g door.Guest, t *ticket.Ticket, s *state, k Clock) error {
	open, err := c.openIncidents(ctx, g.Actor)
	if err != nil {
		return err
	}
	if t.Incident != "" {
		p.Incident = &linkWord{Word: "incident", Path: incidentsPath + "/" + url.PathEscape(t.Incident)}
		if c.deps.Room != nil {
			if i, _, err := c.deps.Room.Get(ctx, g.Actor, t.Incident); err == nil {
				p.Incident.Word = incidentName(i)
				if i.Open() {
					p.Promise = "An answer in this thread goes out when " + incidentName(i) + " resolves."
				}
			}
		}
	}
	for n := range open {
		i := &open[n]
		o := Option{Value: i.ID, Word: incidentName(*i) + " " + cut(i.Name, 48)}
		if slices.ContainsFunc(i.Components, func(a incident.Affected) bool { return slices.Contains(t.Components, a.Component) }) {
			p.Open = slices.Insert(p.Open, 0, o)
		} else {
			p.Open = append(p.Open, o)
		}
	}
	p.Open = p.Open[:min(len(p.Open), 6)]
	for _, key := range t.Components {
		one := s.byKey[key]
		if one == nil {
			p.Parts = append(p.Parts, partTag{Word: key})
			continue
		}
		tag := partTag{Word: one.Name, Path: "/console/components/" + one.ID}
		known := knownView{Name: one.Name}
		if one.Observed.Status != status.Operational && one.Observed.Status != status.NotMeasured {
			tag.Mark = markOf(one.Observed.Status)
			known.Mark = tag.Mark
			known.Words = strings.ToLower(tag.Mark.Word) + " since " + k.Exact(one.Observed.From).Text + "."
		} else {
			known.Words = one.Name + " looks well to our checks."
		}
		p.Parts = append(p.Parts, tag)
		for n := range open {
			if i := &open[n]; slices.ContainsFunc(i.Components, func(a incident.Affected) bool { return a.Component == key }) {
				known.Incident, known.Next = &linkWord{incidentName(*i) + " is open.", incidentsPath + "/" + i.ID}, k.At(i.NextUpdateAt)
				if p.Promise == "" && t.Incident == "" {
					p.Promise = "An answer in this thread is sent when " + incidentName(*i) + " resolves, if you link it."
				}
				break
			}
		}
		if c.deps.PublicWord != nil {
			if known.Public, err = c.deps.PublicWord(ctx, key); err != nil {
				return err
			}
		}
		p.Known = append(p.Known, known)
	}
	return nil
}

// paneThread turns the messages into what is shown.
func (c *Console) paneThread(ctx context.Context, p *ticketPane, g door.Guest, t *ticket.Ticket, messages []ticket.Message, k Clock) error {
	told, err := c.toldAnswers(ctx, g, t)
	if err != nil {
		return err
	}
	for n := range messages {
		view := c.messageView(ctx, p, &messages[n], k)
		if view.Sending != nil && messages[n].Sending == ticket.HandedOn {
			if d, ok := told[messages[n].ID]; ok {
				view.Sending.follow(d, k)
			}
		}
		if n > 0 && p.May["answer"] && messages[n].Form == ticket.In {
			view.Split = p.Path + "/split" + p.Back
		}
		p.Messages = append(p.Messages, view)
	}
	if over := len(p.Messages) - shownMessages; over > 1 {
		p.Earlier, p.Messages = p.Messages[:over], p.Messages[over:]
		p.EarlierWord = plural(over, "earlier message", "earlier messages")
	}
	return nil
}

// messageView shows one message.
func (c *Console) messageView(ctx context.Context, p *ticketPane, m *ticket.Message, k Clock) messageView {
	path := p.Path + "/messages/" + url.PathEscape(m.ID)
	v := messageView{ID: m.ID, Class: string(m.Form), At: k.Exact(m.At), Warnings: m.Warnings}
	switch m.Form {
	case ticket.Note:
		v.Kind = "Note"
	case ticket.Mute:
		v.Kind, v.Why = mailKinds[m.Kind], m.Why
		if v.Kind == "" {
			v.Kind = "Automatic mail"
		}
	case ticket.Out:
		v.Kind = "Answer"
		if m.From == ticket.FromMachine {
			v.Kind = "Automatic answer"
		}
	}
	switch {
	case m.Author != "":
		v.Name = c.name(ctx, m.Author)
	case m.Sender.Address != "" || m.Sender.Name != "":
		v.Name = addressWord(m.Sender)
		if m.Sender.Name != "" {
			v.Address = m.Sender.Address
		}
	}
	if m.Form == ticket.In {
		v.Trust = trustOf(m.Trust)
		if m.From == ticket.FromOther {
			v.Marks = append(v.Marks, "Copied in")
		}
	}
	if m.Mail != "" {
		v.Way = "mail"
	}
	words := m.Reply
	if strings.TrimSpace(words) == "" {
		words = m.Text
	} else {
		v.Signature, v.Quoted = foldsOf(cut(m.Text, shownText), cut(m.Reply, shownText))
	}
	v.Text = linked(strings.TrimSpace(cut(words, shownText)))
	v.Erased = m.Text == "" && m.Hash == "" && m.Form == ticket.In
	for n, a := range m.Attachments {
		if a.Inline && m.HTML != "" {
			continue
		}
		name := a.Name
		if name == "" {
			name = "file " + strconv.Itoa(n+1)
		}
		v.Files = append(v.Files, fileView{Name: cut(name, 60), Size: heavy(a.Size), Path: path + "/files/" + strconv.Itoa(n)})
	}
	if m.HTML != "" {
		v.HTML = path + "/html"
		if n := remoteImages(m.HTML); n > 0 {
			v.Remote, v.Images = plural(n, "remote image not loaded", "remote images not loaded"), v.HTML+"?images=1"
		}
	}
	if m.Hash != "" && p.May["raw"] {
		v.Raw = path + "/raw"
	}
	v.sending(p, m, k)
	return v
}

// trustOf says what the proofs of a mail say of its sender; nothing where there
// are none.
func trustOf(t ticket.Trust) *trustView {
	switch t {
	case ticket.Proven:
		return &trustView{"", "ok", "Proven", "The sender's domain vouches for this mail (DMARC, or DKIM in line with From)."}
	case ticket.Signed:
		return &trustView{"", "ok", "Proven", "The sender's domain vouches for this mail, and it came to the reply address that only they were given."}
	case ticket.Disputed:
		return &trustView{"major", "major", "Not proven", "The sender's domain says that this mail is not theirs. Do not act on it without asking another way."}
	}
	return nil
}

// sending says where an answer of ours stands.
func (v *messageView) sending(p *ticketPane, m *ticket.Message, k Clock) {
	undo := ""
	if p.May["answer"] {
		undo = p.Path + "/unsend" + p.Back
	}
	switch m.Sending {
	case ticket.Held:
		v.Class += " held"
		v.Sending = &sendingView{Words: "Held for review. Nobody outside has it.", Undo: undo, Ticket: p.ID}
		if undo != "" {
			v.Sending.Release = reviewPath + "/release" + p.Back
		}
	case ticket.Timed:
		v.Class += " timed"
		v.Sending = &sendingView{Words: "Goes out at", At: k.Exact(m.SendAt), Undo: undo}
	case ticket.HandedOn:
		v.Sending = &sendingView{Words: "On its way"}
	case ticket.TakenUp:
		v.Class += " gone"
		v.Sending = &sendingView{Words: "Taken back; it was not sent."}
	}
}

// follow says what the delivery of an answer says.
func (v *sendingView) follow(d notice.Delivery, k Clock) {
	v.Path = "/console/deliveries/" + url.PathEscape(d.ID)
	switch d.State {
	case notice.Sent:
		v.Words, v.At = "Sent", k.Exact(d.SentAt)
		if d.Attempts > 1 {
			v.Words = "Sent, perhaps twice: the mail server's first answer was lost."
		}
	case notice.Failed:
		v.Words, v.Tone = "Not delivered: "+d.Reason, "late"
	case notice.Suppressed:
		v.Words, v.Tone = "Not sent: "+d.Reason, "soon"
	case notice.Retrying:
		v.Words, v.At, v.Tone = "Not taken yet: "+d.Reason+"; again at", k.Exact(d.NextAt), "soon"
	}
}

// toldAnswers gives the delivery of each answer of a ticket, by message.
func (c *Console) toldAnswers(ctx context.Context, g door.Guest, t *ticket.Ticket) (map[string]notice.Delivery, error) {
	out := map[string]notice.Delivery{}
	if c.deps.Told == nil || !g.Actor.May(access.DeliveryRead) {
		return out, nil
	}
	list, err := c.deps.Told.Deliveries(ctx, g.Actor, notice.Query{Subject: journal.Ref{Kind: "ticket", ID: t.ID}, Limit: maxAnswersTold})
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		_, event, err := c.deps.Told.Delivery(ctx, g.Actor, d.ID)
		if err != nil {
			return nil, err
		}
		if m := event.Content.Facts["message"]; m != "" {
			if _, known := out[m]; !known { // newest first
				out[m] = d
			}
		}
	}
	return out, nil
}

// maxAnswersTold bounds the deliveries that are looked at for one ticket.
const maxAnswersTold = 20
