package console

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"time"

	"evenkeel/internal/ticket"
)

// stateOptions are the states of a ticket that a person can choose, in the words
// of a desk.
var stateOptions = []Option{
	{Value: string(ticket.Open), Word: "Open, our turn"}, {Value: string(ticket.Pending), Word: "Waiting on them"},
	{Value: string(ticket.OnHold), Word: "On hold, somebody else's turn"}, {Value: string(ticket.Solved), Word: "Solved"}, {Value: string(ticket.Closed), Word: "Closed"},
}

// ticketStates say where a ticket stands in a word or two.
var ticketStates = map[ticket.State]string{
	ticket.New: "New", ticket.Open: "Open", ticket.Pending: "Waiting on them", ticket.OnHold: "On hold", ticket.Solved: "Solved", ticket.Closed: "Closed",
}

// priorityOptions are the priorities, from most to least.
var priorityOptions = []Option{
	{Value: string(ticket.Urgent), Word: "Urgent"}, {Value: string(ticket.High), Word: "High"}, {Value: string(ticket.Normal), Word: "Normal"}, {Value: string(ticket.Low), Word: "Low"},
}

// inWords say how somebody reached us, with a picture.
var inWords = map[ticket.Way]struct{ word, icon string }{
	ticket.ByMail: {"mail", "mail"}, ticket.ByForm: {"form on the page", "globe"}, ticket.ByAPI: {"API", "term"}, ticket.BySlack: {"Slack", "note"},
	ticket.ByPhone: {"telephone", "call"}, ticket.ByMachine: {"the machine", "probe"},
}

// ticketKinds name what is no request of a customer.
var ticketKinds = map[ticket.Kind]string{ticket.Impairment: "Impairment", ticket.Task: "Task", ticket.Deletion: "Deletion request"}

// clockWords name a promise: in a row of the list, in the head, and once it is broken.
var clockWords = map[ticket.Clock][2]string{
	ticket.FirstReply: {"reply in", "First reply due in"}, ticket.NextReply: {"reply in", "Reply due in"}, ticket.Solution: {"due", "Solution due in"},
}

// mailKinds say what the classifier takes a mail for.
var mailKinds = map[string]string{
	"auto_reply": "Automatic reply", "bounce": "Bounce", "delay": "Delivery delayed", "feedback": "Complaint report", "list": "Mailing list",
	"calendar": "Calendar", "report": "Report", "spam": "Spam", "own": "Our own mail",
}

// soonOf is how long before it runs out a reply clock warns.
const soonOf = 20 * time.Minute

// dueTone says how near a promise is.
func dueTone(due, now time.Time) string {
	switch {
	case due.IsZero():
		return ""
	case due.Before(now):
		return "late"
	case due.Before(now.Add(soonOf)):
		return "soon"
	}
	return ""
}

// span writes a time that runs out as a list does: 19 m, 1 h 36 m, 3 d.
func span(d time.Duration) string {
	d = d.Abs().Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d m", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d m", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	}
}

// heavy writes a size: 214 kB, 1.2 MB.
func heavy(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
}

// addressWord writes an address as people read it.
func addressWord(a ticket.Address) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Address
}

// webLink finds addresses in plain text.
var webLink = regexp.MustCompile(`https?://[^\s<>"'\x60{}|\\^]+`)

// linked gives plain text with its addresses as links that vouch for nothing.
func linked(text string) template.HTML {
	var b strings.Builder
	at := 0
	for _, m := range webLink.FindAllStringIndex(text, -1) {
		end := m[0] + len(strings.TrimRight(text[m[0]:m[1]], ".,;:!?)]"))
		b.WriteString(template.HTMLEscapeString(text[at:m[0]]))
		address := template.HTMLEscapeString(text[m[0]:end])
		b.WriteString(`<a href="` + address + `" rel="nofollow noopener noreferrer" target="_blank">` + address + `</a>`)
		at = end
	}
	b.WriteString(template.HTMLEscapeString(text[at:]))
	return template.HTML(b.String())
}

// folded is a part of a message that is shown when asked for.
type folded struct {
	Lines string
	Text  template.HTML
}

// foldedOf makes one of text; nil when there is none.
func foldedOf(text string) *folded {
	text = strings.Trim(text, "\n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return &folded{Lines: plural(strings.Count(text, "\n")+1, "line", "lines"), Text: linked(text)}
}

// foldsOf parts what is left of a message beside the reply in it: a signature,
// and what was quoted. Where the reply is not at the top, the whole of it is
// quoted.
func foldsOf(text, reply string) (signature, quoted *folded) {
	text, reply = strings.ReplaceAll(text, "\r\n", "\n"), strings.TrimSpace(strings.ReplaceAll(reply, "\r\n", "\n"))
	rest, top := strings.CutPrefix(strings.TrimSpace(text), reply)
	if !top {
		return nil, foldedOf(text)
	}
	lines := strings.Split(rest, "\n")
	at := len(lines)
	for n, l := range lines {
		if strings.HasPrefix(l, ">") || strings.HasPrefix(l, "-----") || strings.HasPrefix(l, "_____") || strings.HasSuffix(strings.TrimSpace(l), ":") {
			at = n
			break
		}
	}
	sign := strings.TrimLeft(strings.Join(lines[:at], "\n"), "\n")
	sign = strings.TrimPrefix(strings.TrimPrefix(sign, "-- \n"), "--\n")
	return foldedOf(sign), foldedOf(strings.Join(lines[at:], "\n"))
}
