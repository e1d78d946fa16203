package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is a file that says who is told, to put things into.
const told = `page: {name: Example, url: "https://status.example.org", time_zone: Europe/Berlin}
components: [{id: web, group: shop}, {id: api}]
smtp: {url: "smtp://hub@mail.example.org:587", password: {env: SMTP_PASSWORD}, from: Example <status@example.org>}
`

func noticeOptions() Options {
	o := options()
	o.Environ = []string{"SMTP_PASSWORD=p"}
	return o
}

func TestNoticesDefaults(t *testing.T) {
	f, err := Parse("evenkeel.yaml", []byte(told+`
channels: [{id: chat, kind: slack, url: "https://hooks.slack.com/x"}, {id: pager, kind: pagerduty, token: k, fallback: chat}]
routes: [{id: day, when: {components: [web], hours: {days: [mon], from: "09:00", to: "17:00"}}, to: [pager]}]
oncall: [{id: desk, start: 2026-11-23T09:00, people: [ann@example.org]}]
deadman: {url: "https://heartbeat.example.org/x"}
`), noticeOptions())
	if err != nil {
		t.Fatal(err)
	}
	r := f.OnCall[0]
	if f.Channels[0].PerSecond != DefaultSlackRate || f.Channels[1].PerSecond != 0 || f.Deadman.Every != DefaultPulse || f.SMTP.Parallel != DefaultConnections ||
		f.Slack.URL != DefaultSlackAPI || r.Turn != DefaultTurn || r.Name != "desk" || r.Zone != "Europe/Berlin" ||
		f.Routes[0].When.AtLeast != "info" || f.Routes[0].When.Hours.Zone != "Europe/Berlin" {
		t.Errorf("defaults: %+v", f)
	}
	f.Routes = nil
	if got := f.EffectiveRoutes(); len(got) != 1 || !reflect.DeepEqual(got[0].To, []string{"pager"}) {
		t.Errorf("without routes: %+v", got)
	}
	f.Channels = nil
	if got := f.EffectiveRoutes(); got != nil {
		t.Errorf("without channels: %+v", got)
	}
}

// TestNoticeProblems is the table of mistakes about notices; » marks the places.
func TestNoticeProblems(t *testing.T) {
	for _, row := range []struct {
		name, src string
		want      []string
	}{
		{"mail from nobody", "page: {name: x, url: \"https://s.example.org\"}\nsmtp: »{url: \"smtp://h\"}\n", []string{"smtp.from: mail needs somebody who writes it"}},
		{"mail that leads nowhere", "page: {name: x}\nsmtp: {url: »\"smtp://h\", from: a@b.c}\n", []string{"smtp.url: links in mails lead to the page, and nobody knows where it is (set page.url"}},
		{"mail through nothing", "page: {name: x}\nsmtp: »{from: a@b.c}\n", []string{"smtp.url: where is the mail server?"}},
		{"addresses", told + "slack: {users: {U1: »ann}}\noncall: [{id: a, start: 2026-11-23T09:00, people: [»\"Ann <a@b.c>\"]}]\n", []string{
			"slack.users.U1: \"ann\" is not an e-mail address", "oncall[0].people[0]: \"Ann <a@b.c>\" is not an e-mail address"}},
		{"secrets from nowhere", told + "channels: [{id: a, kind: webhook, url: »{env: NOWHERE}}]\ndeadman: {url: »{file: /nowhere/at/all}}\n", []string{
			"channels[0].url: the environment variable NOWHERE is not set", "deadman.url: open /nowhere/at/all"}},
		{"kinds", told + "channels: [»{id: a}, {id: b, kind: »slak}]\n", []string{"channels[0].kind: what sort of channel", "channels[1].kind: \"slak\" is not known here (did you mean slack?)"}},
		{"keys of another kind", told + "channels: [{id: a, kind: pagerduty, token: k, to: »[x], mention: »here, secret: »s}]\n", []string{
			"channels[0].to: does not apply to kind pagerduty", "channels[0].mention: does not apply", "channels[0].secret: does not apply"}},
		{"ids", told + "channels: [{id: »smtp, kind: outbox}, {id: a, kind: outbox}, {id: »a, kind: outbox}]\n", []string{
			"channels[0].id: the id smtp is taken by a channel that is built in (choose another, e.g. team-smtp)", "channels[2].id: the id a is taken already"}},
		{"fallbacks", told + "channels: [{id: a, kind: outbox, fallback: »a}, {id: b, kind: outbox, fallback: »chat}, {id: c, kind: outbox, fallback: »d}, {id: d, kind: outbox, fallback: c}]\n", []string{
			"channels[0].fallback: a channel cannot stand in for itself", "channels[1].fallback: there is no channel \"chat\"", "channels[2].fallback: channels stand in for one another in a circle"}},
		{"rates", told + "channels: [{id: a, kind: outbox, per_second: »-1, parallel: »1000}]\n", []string{"channels[0].per_second: -1 a second is no limit", "channels[0].parallel: 1000 is out of range"}},
		{"mail channel without mail", "page: {name: x}\nchannels: [»{id: a, kind: mail, to: [»nobody]}]\n", []string{"channels[0]: mail needs a server", "channels[0].to[0]: \"nobody\" is not an e-mail address"}},
		{"targets", told + "channels: [{id: chat, kind: outbox}]\noncall: [{id: desk, start: 2026-11-23T09:00, people: [a@b.c]}]\n" +
			"routes: [{id: a, to: [»chta, »\"oncall:dsek\", »\"person:ann\", chat, »chat]}, »{id: b}]\n", []string{
			"routes[0].to[0]: there is no channel \"chta\" (did you mean chat?)", "routes[0].to[1]: there is no rotation \"dsek\" (did you mean oncall:desk?)",
			"routes[0].to[2]: \"ann\" is not an e-mail address", "routes[0].to[4]: chat is named twice", "routes[1].to: a route to nobody"}},
		{"person without mail", "page: {name: x}\nroutes: [{id: a, to: [»\"person:ann@example.org\"]}]\noncall: [»{id: b, start: 2026-11-23T09:00, people: [a@b.c]}]\n", []string{
			"routes[0].to[0]: people are told by mail, and mail needs a server", "oncall[0].channel: mail needs a server, and no other channel is named"}},
		{"conditions", told + "channels: [{id: chat, kind: outbox}]\nroutes: [{id: a, to: [chat], when: {components: [»wbe], groups: [»shp], kinds: [»incidents, incident.resolved], at_least: »worst}}]\n", []string{
			"routes[0].when.components[0]: there is no component \"wbe\" (did you mean web?)", "routes[0].when.groups[0]: there is no group \"shp\" (did you mean shop?)",
			"routes[0].when.kinds[0]: there are no events of kind \"incidents\" (did you mean incident?)", "routes[0].when.at_least: \"worst\" is not known here"}},
		{"hours", told + "channels: [{id: chat, kind: outbox}]\nroutes: [{id: a, to: [chat], when: {hours: {days: [»monday], from: »9, to: »\"25:00\", zone: »Mars/Base}}}, {id: b, to: [chat], when: {hours: »{outside: true}}}]\n", []string{
			"routes[0].when.hours.days[0]: \"monday\" is no day", "routes[0].when.hours.from: \"9\" is not a time of day", "routes[0].when.hours.to: \"25:00\" is not a time of day",
			"routes[0].when.hours.zone: there is no time zone", "routes[1].when.hours: these hours are always or never"}},
		{"escalation", told + "channels: [{id: chat, kind: outbox}]\nroutes: [{id: a, to: [chat], group: »2h, remind: »60d, escalate: [{after: 10m, to: [chat]}, {after: »5m, to: [»nobody]}, »»{}]}]\n", []string{
			"routes[0].group: 2h is more than the 1h", "routes[0].remind: 60d is more than the 30d",
			"routes[0].escalate[1].after: 5m is not later than the step before, 10m", "routes[0].escalate[1].to[0]: there is no channel \"nobody\"",
			"routes[0].escalate[2].after: after how long?", "routes[0].escalate[2].to: a step to nobody"}},
		{"rotations", told + "oncall: [»»{id: a}, {id: b, start: »monday, turn: »400d, people: [a@b.c], channel: »chat}]\n", []string{
			"oncall[0].people: a rotation of nobody", "oncall[0].start: when does the first turn begin?",
			"oncall[1].start: \"monday\" is not a local time", "oncall[1].turn: 400d is more than the 366d", "oncall[1].channel: there is no channel \"chat\""}},
		{"heartbeat to nowhere", told + "deadman: »{every: 1m}\n", []string{"deadman.url: a heartbeat to nowhere"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			src, places := unmark(row.src)
			got, want := map[string]bool{}, map[string]bool{}
			for _, p := range problemsOf(t, src, noticeOptions()) {
				text := p.Path + ": " + p.Reason
				if p.Hint != "" {
					text += " (" + p.Hint + ")"
				}
				got[fmt.Sprintf("%d:%d %s", p.Line, p.Column, text)] = true
			}
			for i, text := range row.want {
				line := places[i] + " " + text
				for g := range got {
					if strings.HasPrefix(g, line) {
						line = g
					}
				}
				want[line] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChannelsAreAskedOfTheirRoom: what only the kind knows is said where it stands.
func TestChannelsAreAskedOfTheirRoom(t *testing.T) {
	o := noticeOptions()
	o.CheckChannel = func(_ File, c Channel) []Problem {
		if c.Kind == "mail" && c.ID != ChannelMail {
			return []Problem{{Path: "url", Reason: "is said at smtp"}}
		}
		return []Problem{{Path: "url", Reason: c.ID + " is wrong"}}
	}
	problems := problemsOf(t, told+"channels: [{id: a, kind: webhook, url: x}, {id: b, kind: mail, to: [a@b.c]}]\n", o)
	var got []string
	for _, p := range problems {
		got = append(got, p.Path+": "+p.Reason)
	}
	if want := []string{"smtp.url: smtp is wrong", "channels[0].url: a is wrong"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestEachNoticeSecretVisitsAll finds every Secret about notices by its type.
func TestEachNoticeSecretVisitsAll(t *testing.T) {
	f := File{Channels: make([]Channel, 2)}
	visited := map[*Secret]bool{}
	f.eachNoticeSecret(func(_ string, s *Secret) { visited[s] = true })
	count := func(types ...reflect.Type) (n int) {
		for _, typ := range types {
			for i := range typ.NumField() {
				if typ.Field(i).Type == secretType {
					n++
				}
			}
		}
		return n
	}
	want := count(reflect.TypeFor[SMTP](), reflect.TypeFor[Slack](), reflect.TypeFor[Deadman](), reflect.TypeFor[Channel](), reflect.TypeFor[Channel]())
	if len(visited) != want {
		t.Errorf("eachNoticeSecret visits %d of %d secrets", len(visited), want)
	}
}

func TestNoticeSecretsCountAsAskedFor(t *testing.T) {
	o := noticeOptions()
	o.Environ = append(o.Environ, "EVENKEEL_SLACK=x")
	if _, err := Parse("evenkeel.yaml", []byte(told+"slack: {token: {env: EVENKEEL_SLACK}}\n"), o); err != nil {
		t.Error(err)
	}
	if _, err := Parse("evenkeel.yaml", []byte(told), o); err == nil {
		t.Error("a variable of ours that nobody asks for passed")
	}
	o.Environ = nil
	if _, err := Parse("evenkeel.yaml", []byte(told), o); !errors.As(err, new(Problems)) {
		t.Errorf("%v", err)
	}
}

func TestClock(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "00:00": 0, "09:30": 9*time.Hour + 30*time.Minute, "24:00": 24 * time.Hour} {
		if got, err := ParseClock(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"9:00", "24:01", "09:60", "nine", "09:00:00"} {
		if _, err := ParseClock(text); err == nil {
			t.Errorf("%q passed", text)
		}
	}
	if day, ok := ParseDay("sat"); !ok || day != time.Saturday {
		t.Error("sat is no Saturday")
	}
}
