package hooks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/markup"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// maxListed is how many things an answer lists.
const maxListed = 20

// Incidents is what commands do to incidents; *incident.Room does.
type Incidents interface {
	Find(ctx context.Context, by access.Actor, id string) (incident.Incident, error)
	Open(ctx context.Context, by access.Actor) ([]incident.Incident, error)
	Declare(ctx context.Context, by access.Actor, d incident.Declaration) (incident.Incident, error)
	Note(ctx context.Context, by access.Actor, id, body string) (incident.Update, error)
	Publish(ctx context.Context, by access.Actor, id string, p incident.Publication) (incident.Incident, incident.Update, error)
}

// Alerts is what commands do to alerts, and who is on call; *notice.Desk does.
type Alerts interface {
	Alerts(ctx context.Context, by access.Actor, q notice.AlertQuery) ([]notice.Alert, error)
	Acknowledge(ctx context.Context, by access.Actor, id string) (notice.Alert, error)
	OnCall(ctx context.Context, now time.Time) ([]notice.Turn, error)
	Rotations() []notice.Rotation
}

// Page is what the public page says.
type Page interface {
	Page(now time.Time) *status.Page
}

// command is one word that /evenkeel understands.
type command struct {
	word, args, does string
	run              func(i *Inbound, ctx context.Context, by access.Actor, args string) (string, error)
}

// commands are all of them. Status and help are for anybody in the workspace:
// they say what the public page says.
func commands() []command {
	return []command{
		{"status", "", "what the page says now", nil},
		{"incidents", "", "what is open", (*Inbound).listIncidents},
		{"ack", "[ID]", "acknowledge an alert, by its id or that of its incident", (*Inbound).acknowledge},
		{"declare", "TITLE", "open an incident; nobody outside hears of it until you publish", (*Inbound).declare},
		{"note", "ID TEXT", "a note for staff", (*Inbound).note},
		{"update", "ID [STATE] TEXT", "publish an update and tell subscribers; STATE is investigating, identified, monitoring or resolved", (*Inbound).update},
		{"oncall", "", "who is on call", (*Inbound).onCall},
		{"ticket", "[TEXT]", "open a ticket; without TEXT, those that are yours", (*Inbound).ticket},
		{"help", "", "this list", nil},
	}
}

// command does what a line says and gives the answer.
func (i *Inbound) command(ctx context.Context, user, line string) string {
	word, args, _ := strings.Cut(strings.TrimSpace(unescape(line)), " ")
	word, args = strings.ToLower(word), strings.TrimSpace(args)
	switch word {
	case "status":
		return i.status()
	case "", "help":
		return help()
	}
	all := commands()
	n := slices.IndexFunc(all, func(c command) bool { return c.word == word })
	if n < 0 {
		return "I do not know " + markup.Plain(word) + ".\n" + help()
	}
	by, err := i.asked.who(ctx, user)
	if err != nil {
		return trouble(err)
	}
	answer, err := all[n].run(i, ctx, by, args)
	if err != nil {
		if problem.KindOf(err) == problem.KindInternal {
			i.Log.Error("a command from slack failed", "command", word, "err", err)
		}
		return trouble(err)
	}
	return answer
}

// entities turns back what Slack escapes in the text of a command.
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// unescape gives the text as it was typed: Slack escapes three characters, and
// may wrap addresses and names as <url|label>, <@id|name>, <#id|name>.
func unescape(s string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<")
		out.WriteString(before)
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, ">")
		if !closed {
			out.WriteString("<" + rest)
			break
		}
		target, label, labelled := strings.Cut(inner, "|")
		switch {
		case strings.HasPrefix(target, "@") && labelled, strings.HasPrefix(target, "#") && labelled:
			out.WriteString(target[:1] + label)
		default:
			out.WriteString(target)
		}
		s = after
	}
	return entities.Replace(out.String())
}

// trouble gives the words for an error.
func trouble(err error) string {
	if problem.KindOf(err) == problem.KindUnavailable {
		return "The hub cannot do this just now. Please try again in a moment."
	}
	return markup.Plain(problem.Public(err))
}

func help() string {
	var out strings.Builder
	out.WriteString("*/evenkeel* understands:\n")
	for _, c := range commands() {
		out.WriteString("• `" + strings.TrimSpace(c.word+" "+c.args) + "` " + c.does + "\n")
	}
	return out.String()
}

// status says what the public page says.
func (i *Inbound) status() string {
	p := i.Slack.Page.Page(i.Now())
	if p == nil {
		return "The page is being made. Please try again in a moment."
	}
	var out strings.Builder
	out.WriteString("*" + markup.Plain(p.Headline.Title) + "* " + markup.Plain(p.Headline.Rest))
	listed := 0
	for _, g := range p.Groups {
		for _, c := range g.Components {
			if c.Status == status.Operational || c.Status == status.NotMeasured {
				continue
			}
			if listed++; listed <= maxListed {
				fmt.Fprintf(&out, "\n• %s: %s", markup.Plain(c.Name), strings.ReplaceAll(string(c.Status), "_", " "))
			}
		}
	}
	if listed > maxListed {
		fmt.Fprintf(&out, "\nand %d more", listed-maxListed)
	}
	if page := i.Slack.Settings().Page; page != "" {
		out.WriteString("\n<" + page + "|The status page>")
	}
	return out.String()
}

// title names an incident, with a link into the console.
func (i *Inbound) title(x *incident.Incident) string {
	name := x.Label() + " " + markup.Plain(x.Name)
	if page := i.Slack.Settings().Page; page != "" {
		return "<" + page + "/console/incidents/" + x.ID + "|" + name + ">"
	}
	return name
}

func (i *Inbound) listIncidents(ctx context.Context, by access.Actor, _ string) (string, error) {
	open, err := i.Slack.Incidents.Open(ctx, by)
	if err != nil {
		return "", err
	}
	if len(open) == 0 {
		return "No incident is open.", nil
	}
	var out strings.Builder
	for n := range open {
		if n == maxListed {
			fmt.Fprintf(&out, "and %d more", len(open)-n)
			break
		}
		x := &open[n]
		seen := ""
		if !x.Seen() {
			seen = ", not public"
		}
		fmt.Fprintf(&out, "• %s: %s, impact %s%s, since %s\n", i.title(x), x.State, x.Impact, seen, x.StartedAt.UTC().Format("2 Jan 15:04 UTC"))
	}
	return out.String(), nil
}

// acknowledge acknowledges the alert that is named, or the only one that fires.
func (i *Inbound) acknowledge(ctx context.Context, by access.Actor, id string) (string, error) {
	alerts, err := i.Slack.Alerts.Alerts(ctx, by, notice.AlertQuery{Open: true, Limit: notice.MaxPage})
	if err != nil {
		return "", err
	}
	fits := func(a notice.Alert) bool { return a.State == notice.Firing }
	if id != "" {
		subject := journal.Ref{}
		if x, err := i.Slack.Incidents.Find(ctx, by, id); err == nil {
			subject = journal.Ref{Kind: "incident", ID: x.ID}
		}
		fits = func(a notice.Alert) bool { return a.ID == id || a.Subject == subject }
	}
	var found []notice.Alert
	for _, a := range alerts {
		if fits(a) {
			found = append(found, a)
		}
	}
	switch {
	case len(found) == 0 && id == "":
		return "Nothing asks to be acknowledged.", nil
	case len(found) == 0:
		return "", problem.NotFound("No open alert is %s, or belongs to it.", id)
	case len(found) > 1:
		var out strings.Builder
		out.WriteString("Which one?\n")
		for n, a := range found {
			if n == maxListed {
				break
			}
			fmt.Fprintf(&out, "• `ack %s` %s %s, since %s\n", a.ID, a.Severity, markup.Plain(a.Subject.String()), a.OpenedAt.UTC().Format("2 Jan 15:04 UTC"))
		}
		return out.String(), nil
	}
	if _, err := i.Slack.Alerts.Acknowledge(ctx, by, found[0].ID); err != nil {
		return "", err
	}
	return "Acknowledged. It is yours.", nil
}

func (i *Inbound) declare(ctx context.Context, by access.Actor, title string) (string, error) {
	x, err := i.Slack.Incidents.Declare(ctx, by, incident.Declaration{Name: title})
	if err != nil {
		return "", err
	}
	return "Opened " + i.title(&x) + ". Nobody outside hears of it yet: `update " + x.Label() + " TEXT` publishes.", nil
}

func (i *Inbound) note(ctx context.Context, by access.Actor, args string) (string, error) {
	id, text, _ := strings.Cut(args, " ")
	if _, err := i.Slack.Incidents.Note(ctx, by, id, strings.TrimSpace(text)); err != nil {
		return "", err
	}
	return "Noted in " + markup.Plain(id) + ".", nil
}

// spoken are the states that an update can begin with.
var spoken = []incident.State{incident.Investigating, incident.Identified, incident.Monitoring, incident.Resolved}

func (i *Inbound) update(ctx context.Context, by access.Actor, args string) (string, error) {
	id, text, _ := strings.Cut(args, " ")
	text = strings.TrimSpace(text)
	p := incident.Publication{Deliver: true}
	if word, rest, _ := strings.Cut(text, " "); slices.Contains(spoken, incident.State(strings.ToLower(word))) {
		p.State, text = incident.State(strings.ToLower(word)), strings.TrimSpace(rest)
	}
	if text == "" {
		return "", problem.Invalid("text", "An update needs words: update ID [STATE] TEXT.")
	}
	p.Body = text
	x, _, err := i.Slack.Incidents.Publish(ctx, by, id, p)
	if err != nil {
		return "", err
	}
	if !x.Seen() {
		return "Written in " + i.title(&x) + ", which only staff see.", nil
	}
	return "Published in " + i.title(&x) + ": " + string(x.State) + ".", nil
}

func (i *Inbound) onCall(ctx context.Context, by access.Actor, _ string) (string, error) {
	if err := by.Check(access.OnCallRead); err != nil {
		return "", err
	}
	turns, err := i.Slack.Alerts.OnCall(ctx, i.Now())
	if err != nil {
		return "", err
	}
	if len(turns) == 0 {
		return "There are no rotations.", nil
	}
	names, err := i.Slack.People.Names(ctx)
	if err != nil {
		return "", err
	}
	rotations := map[string]string{}
	for _, r := range i.Slack.Alerts.Rotations() {
		rotations[r.ID] = r.Name
	}
	var out strings.Builder
	for _, t := range turns {
		who := "nobody"
		if t.Person != "" {
			who = names[t.Person]
			if who == "" {
				who = "somebody without an account"
			}
		}
		instead := ""
		if t.Override != "" {
			instead = ", standing in"
		}
		fmt.Fprintf(&out, "• *%s*: %s%s, until %s\n", markup.Plain(rotations[t.Rotation]), markup.Plain(who), instead, t.To.UTC().Format("2 Jan 15:04 UTC"))
	}
	return out.String(), nil
}
