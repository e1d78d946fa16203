package config

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// The limits of what is said about notices.
const (
	MaxChannels    = 100
	MaxRoutes      = 200
	MaxRotations   = 100
	MaxEscalations = 20
	MaxTargets     = 50  // of one route or step
	MaxTurnPeople  = 100 // of one rotation
	MaxSlackUsers  = 5_000
	MaxTurn        = Duration(366 * 24 * time.Hour)
	MaxWait        = Duration(30 * 24 * time.Hour) // of reminders, grouping and escalation
)

// channelKeys is which keys of a channel apply to which kind, beside those of all.
var channelKeys = map[string][]string{
	"mail":             {"to"},
	"webhook":          {"url", "token", "secret"},
	"statuspage":       {"url", "token", "secret"},
	"slack":            {"url", "token", "to", "mention", "interactive"},
	"pagerduty":        {"url", "token"},
	"pagerduty_change": {"url", "token"},
	"alertmanager":     {"url", "token"},
	"shoutrrr":         {"url"},
	"outbox":           {},
}

// ChannelKinds gives the kinds of channels, sorted.
func ChannelKinds() []string { return sortedKeys(channelKeys) }

// builtIn are the channel ids that the file cannot take.
var builtIn = []string{ChannelMail, ChannelWebhook, ChannelSlack, ChannelDeadman}

// eventKinds are the first words of kinds of events.
var eventKinds = []string{"component", "incident", "maintenance", "attention", "alert", "drill"}

// severities in their order.
var severities = []string{"info", "minor", "major", "critical"}

// weekdays as the file writes them, Sunday first as in package time.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// notices checks how people are told.
func (c *checker) notices() {
	f, s := c.f, c.at("")
	for _, list := range []struct {
		key        string
		have, most int
	}{
		{"channels", len(f.Channels), MaxChannels}, {"routes", len(f.Routes), MaxRoutes}, {"oncall", len(f.OnCall), MaxRotations},
		{"slack.users", len(f.Slack.Users), MaxSlackUsers},
	} {
		if list.have > list.most {
			s.add(list.key, "", "%d are more than the %d that are allowed", list.have, list.most)
			return
		}
	}
	f.eachNoticeSecret(func(path string, from *Secret) {
		if from.Given() {
			s.secret(path, *from)
		}
	})
	c.smtp()
	s.webURL("slack.url", f.Slack.URL)
	for _, user := range sortedKeys(f.Slack.Users) {
		s.personAddress("slack.users."+user, f.Slack.Users[user])
	}
	s.rate("subscribers.per_second", f.Subscribers.PerSecond)
	s.atMost("deadman.every", f.Deadman.Every, MaxInterval)
	if f.Deadman.Every != 0 && !f.Deadman.URL.Given() {
		s.add("deadman.url", "the address that expects the heartbeat", "a heartbeat to nowhere")
	}
	targets := c.channels()
	c.rotations(targets)
	c.routes(targets)
}

func (c *checker) smtp() {
	m, s := c.f.SMTP, c.at("smtp")
	if m.URL.Given() && m.From == "" {
		s.add(".from", "e.g. Example status <status@example.org>", "mail needs somebody who writes it")
	}
	if !m.URL.Given() && (m.From != "" || m.Password.Given()) {
		s.add(".url", "e.g. smtp://user@mail.example.org:587", "where is the mail server?")
	}
	if m.URL.Given() && c.f.Page.URL == "" {
		s.add(".url", "set page.url: https://status.example.org", "links in mails lead to the page, and nobody knows where it is")
	}
	s.mailbox(".from", m.From)
	s.mailbox(".reply_to", m.ReplyTo)
	s.rate(".per_second", m.PerSecond)
	s.between(".parallel", m.Parallel, 1, 100)
	c.checkChannel(s, Channel{ID: ChannelMail, Kind: "mail"})
}

// checkChannel asks the room of the channels what only it knows.
func (c *checker) checkChannel(s spot, ch Channel) {
	url := ch.URL
	if ch.Kind == "mail" {
		url = c.f.SMTP.URL
	}
	if c.o.CheckChannel == nil || c.full() || ch.ID == ChannelMail && !url.Given() || c.knownElsewhere(url) {
		return
	}
	for _, p := range c.o.CheckChannel(*c.f, ch) {
		key := p.Path
		if ch.Kind == "mail" && ch.ID != ChannelMail && key != "to" {
			continue // about the server: said where it stands
		}
		if key != "" {
			key = "." + key
		}
		s.add(key, p.Hint, "%s", clipReason(p.Reason))
	}
}

// knownElsewhere reports whether only the process that will run the file knows a
// secret.
func (c *checker) knownElsewhere(s Secret) bool {
	_, here := lookup(c.o.Environ, s.Env)
	return c.o.Elsewhere && s.Env != "" && !here
}

// channels checks the channels and gives the ids that routes can name.
func (c *checker) channels() (targets []string) {
	f, s := c.f, c.at("")
	taken := newIDs("a channel")
	for i, ch := range f.Channels {
		at := s.in("channels", i)
		if slices.Contains(builtIn, ch.ID) {
			at.add(".id", "choose another, e.g. team-"+ch.ID, "the id %s is taken by a channel that is built in", ch.ID)
		} else {
			taken.take(at, ch.ID)
		}
		targets = append(targets, ch.ID)
		at.channel(ch)
	}
	for i, ch := range f.Channels {
		switch at := s.in("channels", i); {
		case ch.Fallback == "":
		case ch.Fallback == ch.ID:
			at.add(".fallback", "name another", "a channel cannot stand in for itself")
		case !slices.Contains(targets, ch.Fallback):
			at.add(".fallback", didYouMean(ch.Fallback, targets, "define it under channels"), "there is no channel %q", clip(ch.Fallback))
		}
	}
	c.fallbackCircles()
	return targets
}

// fallbackCircles names the first channel of every circle of fallbacks.
func (c *checker) fallbackCircles() {
	next := map[string]string{}
	for _, ch := range c.f.Channels {
		next[ch.ID] = ch.Fallback
	}
	for i, ch := range c.f.Channels {
		if ch.Fallback == ch.ID {
			continue // said already
		}
		at := ch.Fallback
		for range c.f.Channels {
			if at == ch.ID {
				c.at("").in("channels", i).add(".fallback", "let the last one have none", "channels stand in for one another in a circle")
				return
			}
			at = next[at]
		}
	}
}

func (s spot) channel(ch Channel) {
	keys, known := channelKeys[ch.Kind]
	if ch.Kind == "" {
		s.add(".kind", "one of "+strings.Join(ChannelKinds(), ", "), "what sort of channel is it?")
		return
	}
	if !known {
		s.oneOf(".kind", ch.Kind, ChannelKinds()...)
		return
	}
	for _, k := range []struct {
		key   string
		given bool
	}{
		{"url", ch.URL.Given()}, {"token", ch.Token.Given()}, {"secret", ch.Secret.Given()}, {"to", len(ch.To) > 0},
		{"mention", ch.Mention != ""}, {"interactive", ch.Interactive},
	} {
		if k.given && !slices.Contains(keys, k.key) {
			s.add("."+k.key, "remove it", "does not apply to kind %s", ch.Kind)
		}
	}
	s.rate(".per_second", ch.PerSecond)
	s.between(".parallel", ch.Parallel, 1, 100)
	if len(ch.To) > MaxTargets {
		s.add(".to", "", "%d are more than the %d that are allowed", len(ch.To), MaxTargets)
	}
	if ch.Kind == "mail" {
		if !s.f.SMTP.URL.Given() {
			s.add("", "say smtp: {url: …, from: …}", "mail needs a server")
		}
		for i, to := range ch.To {
			s.in(".to", i).mailbox("", to)
		}
	}
	s.checkChannel(s, ch)
}

// rotations checks who is on call and adds what routes can name.
func (c *checker) rotations(targets []string) {
	s := c.at("")
	taken := newIDs("a rotation")
	for i, r := range c.f.OnCall {
		at := s.in("oncall", i)
		taken.take(at, r.ID)
		at.oneLine(".name", r.Name, MaxName)
		at.zone(".zone", r.Zone)
		if r.Start == "" {
			at.add(".start", "the local time of a handover, e.g. 2026-11-23T09:00", "when does the first turn begin?")
		} else if _, err := time.Parse(LocalTime, r.Start); err != nil {
			at.add(".start", "e.g. 2026-11-23T09:00, without a zone", "%q is not a local time", clip(r.Start))
		}
		at.atMost(".turn", r.Turn, MaxTurn)
		if r.Turn < MinInterval {
			at.add(".turn", "", "%s is shorter than a turn can be, %s", r.Turn, MinInterval)
		}
		switch n := len(r.People); {
		case n == 0:
			at.add(".people", "e-mail addresses of their accounts", "a rotation of nobody")
		case n > MaxTurnPeople:
			at.add(".people", "", "%d are more than the %d that are allowed", n, MaxTurnPeople)
		}
		for j, address := range r.People {
			at.in(".people", j).personAddress("", address)
		}
		at.hours(".hours", r.Hours)
		switch {
		case r.Channel == "" && !c.f.SMTP.URL.Given():
			at.add(".channel", "name a channel, or say smtp: {url: …}", "mail needs a server, and no other channel is named")
		case r.Channel != "" && !slices.Contains(targets, r.Channel):
			at.add(".channel", didYouMean(r.Channel, targets, "define it under channels"), "there is no channel %q", clip(r.Channel))
		}
	}
}

// routes checks who is told what.
func (c *checker) routes(channels []string) {
	f, s := c.f, c.at("")
	targets := slices.Clone(channels)
	for _, r := range f.OnCall {
		targets = append(targets, TargetRotation+r.ID)
	}
	groups := make([]string, 0, len(f.Groups))
	for _, g := range f.Groups {
		groups = append(groups, g.ID)
	}
	for _, x := range f.Components {
		if x.Group != "" && !slices.Contains(groups, x.Group) {
			groups = append(groups, x.Group)
		}
	}
	taken := newIDs("a route")
	for i, r := range f.Routes {
		at := s.in("routes", i)
		taken.take(at, r.ID)
		at.when(r.When, groups)
		if len(r.To) == 0 {
			at.add(".to", "ids of channels, oncall:ID, or person:ADDRESS", "a route to nobody")
		}
		at.targets(".to", r.To, targets)
		at.atMost(".group", r.Group, Duration(time.Hour))
		at.atMost(".remind", r.Remind, MaxWait)
		if len(r.Escalate) > MaxEscalations {
			at.add(".escalate", "", "%d steps are more than the %d that are allowed", len(r.Escalate), MaxEscalations)
		}
		for j, step := range r.Escalate {
			on := at.in(".escalate", j)
			switch {
			case step.After == 0:
				on.add(".after", "e.g. 10m", "after how long?")
			case j > 0 && step.After <= r.Escalate[j-1].After:
				on.add(".after", "put the steps in order", "%s is not later than the step before, %s", step.After, r.Escalate[j-1].After)
			}
			on.atMost(".after", step.After, MaxWait)
			if len(step.To) == 0 {
				on.add(".to", "ids of channels, oncall:ID, or person:ADDRESS", "a step to nobody")
			}
			on.targets(".to", step.To, targets)
		}
	}
}

func (s spot) when(w When, groups []string) {
	for i, id := range w.Components {
		s.in(".when.components", i).isComponent("", id)
	}
	for i, id := range w.Groups {
		if !slices.Contains(groups, id) {
			s.in(".when.groups", i).add("", didYouMean(id, groups, "define it under groups"), "there is no group %q", clip(id))
		}
	}
	for i, kind := range w.Kinds {
		first, _, _ := strings.Cut(kind, ".")
		if !slices.Contains(eventKinds, first) {
			s.in(".when.kinds", i).add("", didYouMean(first, eventKinds, "one of "+strings.Join(eventKinds, ", ")), "there are no events of kind %q", clip(kind))
		}
	}
	s.oneOf(".when.at_least", w.AtLeast, severities...)
	s.hours(".when.hours", w.Hours)
}

// targets checks whom a route or a step tells.
func (s spot) targets(key string, list, known []string) {
	if len(list) > MaxTargets {
		s.add(key, "", "%d are more than the %d that are allowed", len(list), MaxTargets)
		return
	}
	for i, target := range list {
		at := s.in(key, i)
		address, person := strings.CutPrefix(target, TargetPerson)
		rotation, _ := strings.CutPrefix(target, TargetRotation)
		switch {
		case slices.Contains(list[:i], target):
			at.add("", "remove it", "%s is named twice", clip(target))
		case slices.Contains(known, target):
		case person:
			at.personAddress("", address)
			if !s.f.SMTP.URL.Given() {
				at.add("", "say smtp: {url: …, from: …}", "people are told by mail, and mail needs a server")
			}
		case rotation != target:
			at.add("", didYouMean(target, known, "define it under oncall"), "there is no rotation %q", clip(rotation))
		default:
			at.add("", didYouMean(target, known, "define it under channels, or write oncall:ID or person:ADDRESS"), "there is no channel %q", clip(target))
		}
	}
}

func (s spot) hours(key string, h Hours) {
	if !h.Given() {
		return
	}
	s.zone(key+".zone", h.Zone)
	for i, day := range h.Days {
		if !slices.Contains(weekdays, day) {
			s.in(key+".days", i).add("", "one of mon, tue, wed, thu, fri, sat, sun", "%q is no day", clip(day))
		}
	}
	for _, end := range []struct{ key, text string }{{".from", h.From}, {".to", h.To}} {
		if _, err := ParseClock(end.text); err != nil {
			s.add(key+end.key, "e.g. 09:00", "%q is not a time of day", clip(end.text))
		}
	}
	if len(h.Days) == 0 && h.From == h.To {
		s.add(key, "give days, or from and to", "these hours are always or never")
	}
}

// ParseClock reads a time of day, 09:00 or 24:00, as time since midnight; "" is
// midnight.
func ParseClock(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	if text == "24:00" {
		return 24 * time.Hour, nil
	}
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return 0, fmt.Errorf("%q is not a time of day", text)
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, nil
}

// ParseDay reads a day as the file writes it; ok is false for another word.
func ParseDay(word string) (day time.Weekday, ok bool) {
	i := slices.Index(weekdays, word)
	return time.Weekday(max(i, 0)), i >= 0
}

// rate checks a limit per second.
func (s spot) rate(key string, perSecond float64) {
	if !(perSecond >= 0 && perSecond <= 100_000) { // written so that NaN is refused as well
		s.add(key, "a number above 0; leave it out for no limit", "%v a second is no limit", perSecond)
	}
}

// mailbox checks an e-mail address with or without a name; empty is fine.
func (s spot) mailbox(key, text string) {
	if text == "" {
		return
	}
	if _, err := mail.ParseAddress(text); err != nil || len(text) > MaxName*2 {
		s.add(key, "e.g. status@example.org", "%q is not an e-mail address", clip(text))
	}
}

// personAddress checks the bare address by which the file names a person.
func (s spot) personAddress(key, text string) {
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		s.add(key, "the e-mail address of the account, e.g. ann@example.org", "%q is not an e-mail address", clip(text))
	}
}
