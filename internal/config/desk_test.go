package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDeskDefaults(t *testing.T) {
	f, err := Parse("evenkeel.yaml", []byte(`page: {name: Example, time_zone: Europe/Berlin}
desk:
  queues: [{id: support}, {id: plant, name: Plant, kinds: [impairment]}]
  clocks: [{priorities: [urgent], first_reply: 20m, always: true}, {first_reply: 8h, solution: 5d}]
  hours: [{days: [mon, tue], from: "09:00", to: "17:00"}, {days: [sat]}]
  templates: [{id: queue-check, kind: task, subject: Look at the dead letters}]
`), options())
	if err != nil {
		t.Fatal(err)
	}
	d := f.Desk
	if d.Prefix != "TK" || d.Zone != "Europe/Berlin" || d.CloseAfter != DefaultCloseAfter || d.ReopenWithin != DefaultReopenWithin || d.Keep != 0 ||
		d.Queues[0].Name != "support" || d.Clocks[0].Warn != Duration(5*time.Minute) || d.Clocks[1].Warn != Duration(2*time.Hour) ||
		d.Hours[1].To != "24:00" || d.Templates[0].Priority != "normal" || d.Templates[0].Name != "queue-check" {
		t.Errorf("got %+v", d)
	}
	f, err = Parse("evenkeel.yaml", []byte("page: {name: Example}\n"), options())
	if err != nil {
		t.Fatal(err)
	}
	if q := f.Desk.Queues; len(q) != 2 || q[0].ID != DefaultDeskQueue || q[1].ID != impairmentsQueue || len(f.Desk.Clocks) != 0 {
		t.Errorf("without a word about the desk: %+v", f.Desk)
	}
}

// TestDeskProblems is the table of mistakes about the desk; » marks the places.
func TestDeskProblems(t *testing.T) {
	const page = "page: {name: x}\n"
	for name, c := range map[string]struct {
		src  string
		want []string
	}{
		"prefix":    {"desk: {prefix: »tk-}", []string{"desk.prefix: \"tk-\" is not one to eight capitals"}},
		"queues":    {"desk: {queues: [{id: a, kinds: [»request]}, {id: »a}]}", []string{"desk.queues[0].kinds[0]: \"request\" is not known", "desk.queues[1].id: the id a is taken"}},
		"clocks":    {"desk: {clocks: [»{}, {queues: [»suport], priorities: [»top], first_reply: »400d}]}", []string{"desk.clocks[0]: a clock that promises nothing", "desk.clocks[1].queues[0]: there is no queue \"suport\" (did you mean support?)", "desk.clocks[1].priorities[0]: \"top\" is not known", "desk.clocks[1].first_reply: 400d is more than the 366d"}},
		"hours":     {"desk: {hours: [{from: »9}, {from: \"17:00\", to: »\"09:00\"}, {days: [mon]}, »{days: [mon], from: \"10:00\"}]}", []string{"desk.hours[0].from: \"9\" is not a time of day", "desk.hours[1].to: it ends before it begins", "desk.hours[3]: these hours overlap others on mon"}},
		"days":      {"desk: {zone: »Mars/Base, hours: [{days: [»friday]}], holidays: [»25.12.2026]}", []string{"desk.zone: there is no time zone", "desk.hours[0].days[0]: \"friday\" is no day", "desk.holidays[0]: \"25.12.2026\" is no day"}},
		"replies":   {"desk: {replies: [{name: Thanks, body: x}, {name: »thanks, body: x}, »»{}]}", []string{"desk.replies[1].name: the name thanks is taken", "desk.replies[2].name: a reply needs a name", "desk.replies[2].body: a reply without words"}},
		"templates": {"desk: {templates: [{id: a, kind: »chore, queue: »nowhere, subject: x, fields: {plan: »x}}, »{id: b}]}", []string{"desk.templates[0].kind: \"chore\" is not known", "desk.templates[0].queue: there is no queue \"nowhere\"", "desk.templates[0].fields.plan: there is no field \"plan\"", "desk.templates[1].subject: a template without a subject"}},
	} {
		t.Run(name, func(t *testing.T) {
			src, places := unmark(page + c.src + "\n")
			found := problemsOf(t, src, options())
			if len(found) != len(c.want) {
				t.Errorf("got %d problems, want %d: %+v", len(found), len(c.want), found)
			}
			for i, want := range c.want {
				if !slices.ContainsFunc(found, func(p Problem) bool {
					text := p.Path + ": " + p.Reason
					if p.Hint != "" {
						text += " (" + p.Hint + ")"
					}
					return strings.HasPrefix(fmt.Sprintf("%d:%d %s", p.Line, p.Column, text), places[i]+" "+want)
				}) {
					t.Errorf("no %s %s in %+v", places[i], want, found)
				}
			}
		})
	}
}
