package console

import (
	"context"
	"fmt"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/status"
)

// stepsOf are the states that the head of an incident shows, in order.
var stepsOf = []incident.State{incident.Investigating, incident.Identified, incident.Monitoring, incident.Resolved, incident.Postmortem}

// sayable are the states that an update can put an incident into.
var sayable = stepsOf[:4]

// impactWords are the impacts a person can choose.
var impactWords = []Option{
	{Value: string(incident.ImpactAuto), Word: "Follows the components"}, {Value: "none", Word: "None"}, {Value: "minor", Word: "Minor"},
	{Value: "major", Word: "Major"}, {Value: "critical", Word: "Critical"},
}

// sayableStatus are what an incident can say of a component.
var sayableStatus = []status.Status{status.Operational, status.Degraded, status.PartialOutage, status.MajorOutage}

// dutyWords are the duties in an incident, in order.
var dutyWords = []struct{ id, word string }{
	{incident.Commander, "Commander"}, {incident.Communications, "Updates"}, {incident.Scribe, "Scribe"},
}

// relationWords are how a link relates to an incident.
var relationWords = []Option{
	{Value: incident.Related, Word: "Related"}, {Value: incident.CausedBy, Word: "Caused by"}, {Value: incident.FixedBy, Word: "Fixed by"},
	{Value: incident.ReportedBy, Word: "Reported by"}, {Value: incident.Duplicate, Word: "Duplicate of"},
}

// promises are how soon the next update can be promised.
var promises = []struct {
	word string
	d    time.Duration
}{{"15 minutes", 15 * time.Minute}, {"30 minutes", 30 * time.Minute}, {"1 hour", time.Hour}, {"2 hours", 2 * time.Hour}, {"4 hours", 4 * time.Hour}, {"1 day", 24 * time.Hour}}

// options gives choices with one of them chosen.
func options(list []Option, on string) []Option {
	out := make([]Option, len(list))
	for n, o := range list {
		o.On = o.Value == on
		out[n] = o
	}
	return out
}

// wordOf gives the word of a choice, or the value where there is none.
func wordOf(list []Option, value string) string {
	for _, o := range list {
		if o.Value == value {
			return o.Word
		}
	}
	return value
}

// statusOptions are what can be said of a component; first is a choice before them.
func statusOptions(on string, first ...Option) []Option {
	out := append([]Option{}, first...)
	for _, st := range sayableStatus {
		out = append(out, Option{Value: string(st), Word: markOf(st).Word})
	}
	return options(out, on)
}

// promiseOptions are how soon the next update comes.
func promiseOptions(on time.Duration) []Option {
	if on == 0 {
		on = incident.UpdateEvery
	}
	out := make([]Option, 0, len(promises)+1)
	known := false
	for _, p := range promises {
		known = known || p.d == on
		out = append(out, Option{Value: p.d.String(), Word: p.word, On: p.d == on})
	}
	if !known {
		out = append(out, Option{Value: on.String(), Word: length(on), On: true})
	}
	return out
}

// incidentMark is the shape beside an incident: that of its impact; one without
// impact that is open is a warning, not an unknown.
func incidentMark(i *incident.Incident) Mark {
	m := markOfImpact(string(i.Impact))
	switch {
	case !i.Open() && m.Class == "unknown":
		return Mark{"ok", m.Word}
	case m.Class == "unknown":
		return Mark{"degraded", m.Word}
	}
	return m
}

// visibilityWord says who sees an incident.
func visibilityWord(i *incident.Incident) string {
	switch {
	case i.Visibility == incident.Private:
		return "Staff only"
	case i.Seen():
		return "Public"
	default:
		return "Not published"
	}
}

// openedWords say who wrote an incident down.
var openedWords = map[incident.Origin]string{
	incident.ByPerson: "opened by a person", incident.ByChecks: "opened by the checks", incident.ByAlert: "opened by an alert",
	incident.ByTickets: "opened by mails of customers", incident.ByImport: "taken over from another page",
}

// The lanes of a timeline, in their fixed order.
const (
	laneProbes = iota
	lanePeople
	laneTickets
	laneDeploys
	laneRollback
	lanes
)

// lane is one source that speaks in a timeline.
type lane struct{ ID, Word, Icon string }

var laneWords = [lanes]lane{{"probes", "Probes", "probe"}, {"people", "People", "person"}, {"tickets", "Tickets", "mail"}, {"deploys", "Deploys", "deploy"}, {"rollback", "Rollback", "back"}}

// laneOf gives the lane in which a line stands.
func laneOf(u *incident.Update) int {
	switch {
	case u.Kind != incident.KindFact:
		if u.Author == access.Hub.ID {
			return laneProbes
		}
		return lanePeople
	case strings.HasPrefix(u.Verb, "component.") || strings.HasPrefix(u.Verb, "alert.") || u.Verb == "incident.proposed":
		return laneProbes
	case strings.HasPrefix(u.Facts["ref"], "ticket/"):
		return laneTickets
	case strings.HasPrefix(u.Facts["ref"], "release/") || strings.HasPrefix(u.Facts["ref"], "deployment/"):
		return laneDeploys
	case strings.HasPrefix(u.Facts["ref"], "rollback/"):
		return laneRollback
	}
	return lanePeople
}

// editedWords are what can be changed of an incident.
var editedWords = map[string]string{
	"update": "the words of an update", "name": "the title", "impact": "the impact", "components": "the affected components",
	"started_at": "when it began", "visibility": "who sees it", "review": "the postmortem",
}

// factWords tells a fact of a timeline in words: who is "" where nobody did it.
func (c *Console) factWords(ctx context.Context, u *incident.Update, s *state) (line timelineLine) {
	f := u.Facts
	person := c.name(ctx, u.Author)
	switch u.Verb {
	case "component.moved":
		one := s.byKey[f["component"]]
		line.Mark, line.Says = markOf(status.Status(f["to"])), strings.ToLower(markOf(status.Status(f["to"])).Word)
		line.Who = f["component"]
		if one != nil {
			line.Who = one.Name
		}
		line.Note = reasonOf(f["why"])
	case "alert.firing", "alert.over":
		line.Who, line.Note = cut(f["name"], 120), f["why"]
		line.Says = "fires"
		if u.Verb == "alert.over" {
			line.Says = "is over"
		}
	case "incident.assigned":
		line.Who, line.Says = c.name(ctx, f["person"]), "took "+strings.ToLower(dutyWord(f["duty"]))
		if f["person"] == "" {
			line.Who, line.Says = person, "left "+strings.ToLower(dutyWord(f["duty"]))+" to nobody"
		} else if f["person"] != u.Author && "person/"+f["person"] != u.Author {
			line.Says = "is " + strings.ToLower(dutyWord(f["duty"])) + ", says " + person
		}
	case "incident.edited":
		line.Who, line.Says, line.Note = person, "changed "+wordOr(editedWords, f["what"]), f["reason"]
		if f["reason"] == "" {
			line.Note = "No reason given."
		}
	case "incident.explained":
		line.Who, line.Says, line.Note = person, "said why", f["reason"]
	case "incident.proposed":
		line.Says = "All affected components are well: resolving is proposed"
	case "incident.merged":
		line.Who, line.Says = person, "merged "+f["label"]+" into this"
	case "incident.linked", "incident.unlinked":
		line.Who, line.Says = person, "linked "+linkWords(f)
		if u.Verb == "incident.unlinked" {
			line.Says = "took away the link to " + linkWords(f)
		}
	default:
		_, verb, _ := strings.Cut(u.Verb, ".")
		line.Who, line.Says = person, strings.ReplaceAll(verb, "_", " ")
	}
	return line
}

func linkWords(f map[string]string) string {
	if f["title"] != "" {
		return f["title"]
	}
	return strings.ReplaceAll(f["ref"], "/", " ")
}

func dutyWord(id string) string {
	for _, d := range dutyWords {
		if d.id == id {
			return d.word
		}
	}
	return id
}

// wordOr gives the word of a table, or the key where it has none.
func wordOr(words map[string]string, key string) string {
	if w := words[key]; w != "" {
		return w
	}
	return strings.ReplaceAll(key, "_", " ")
}

// offset writes a stretch from the beginning of an incident: +5:57, −0:48, 0:00.
func offset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign = "−"
	}
	if d = d.Abs().Truncate(time.Second); d == 0 {
		return "0:00"
	}
	if d < time.Hour {
		return fmt.Sprintf("%s%d:%02d", sign, d/time.Minute, d%time.Minute/time.Second)
	}
	return sign + left(d)
}
