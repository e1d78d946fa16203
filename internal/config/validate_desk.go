package config

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of what is said about the desk.
const (
	MaxQueues       = 50
	MaxClocks       = 50
	MaxOpenHours    = 50
	MaxHolidays     = 500
	MaxDeskFields   = 40
	MaxDeskReplies  = 300
	MaxTemplates    = 100
	MaxDeskText     = 20_000 // characters of a reply or a template
	MaxFieldOptions = 100
	MaxPromise      = Duration(366 * 24 * time.Hour)
	MaxKept         = Duration(50 * 366 * 24 * time.Hour)
)

// The words of the desk.
var (
	ticketKinds      = []string{"request", "impairment", "task", "deletion"}
	ticketPriorities = []string{"low", "normal", "high", "urgent"}
)

// prefixShape is what can stand before a number.
var prefixShape = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,7}$`)

// desk checks how tickets are worked on.
func (c *checker) desk() {
	d, s := c.f.Desk, c.at("desk")
	for _, list := range []struct {
		key        string
		have, most int
	}{
		{".queues", len(d.Queues), MaxQueues}, {".clocks", len(d.Clocks), MaxClocks}, {".hours", len(d.Hours), MaxOpenHours},
		{".holidays", len(d.Holidays), MaxHolidays}, {".fields", len(d.Fields), MaxDeskFields}, {".replies", len(d.Replies), MaxDeskReplies},
		{".templates", len(d.Templates), MaxTemplates},
	} {
		if list.have > list.most {
			s.add(list.key, "", "%d are more than the %d that are allowed", list.have, list.most)
			return
		}
	}
	if !prefixShape.MatchString(d.Prefix) {
		s.add(".prefix", "e.g. TK", "%q is not one to eight capitals and digits", clip(d.Prefix))
	}
	s.longText(".acknowledgement", d.Acknowledgement)
	for _, span := range []struct {
		key string
		d   Duration
	}{{".close_after", d.CloseAfter}, {".reopen_within", d.ReopenWithin}, {".keep", d.Keep}} {
		s.atMost(span.key, span.d, MaxKept)
	}
	queues := c.queues()
	c.opening()
	c.clocks(queues)
	fields := c.deskFields()
	c.replies()
	c.templates(queues, fields)
	for i, m := range c.f.Mailboxes {
		if m.Queue != "" {
			c.at("").in("mailboxes", i).queue(".queue", m.Queue, queues)
		}
	}
}

// queues checks the queues and gives their ids.
func (c *checker) queues() (ids []string) {
	s := c.at("desk")
	taken := newIDs("a queue")
	for i, q := range c.f.Desk.Queues {
		at := s.in(".queues", i)
		taken.take(at, q.ID)
		at.oneLine(".name", q.Name, MaxName)
		for j, k := range q.Kinds {
			at.in(".kinds", j).oneOf("", k, ticketKinds[1:]...)
		}
		ids = append(ids, q.ID)
	}
	return ids
}

// queue checks that a queue is there.
func (s spot) queue(key, id string, ids []string) {
	if id != "" && !slices.Contains(ids, id) {
		s.add(key, didYouMean(id, ids, "define it under desk.queues"), "there is no queue %q", clip(id))
	}
}

// opening checks when clocks run.
func (c *checker) opening() {
	d, s := c.f.Desk, c.at("desk")
	s.zone(".zone", d.Zone)
	type stretch struct{ from, to time.Duration }
	var week [7][]stretch
	for i, h := range d.Hours {
		at := s.in(".hours", i)
		from, errFrom := ParseClock(h.From)
		to, errTo := ParseClock(h.To)
		if errFrom != nil {
			at.add(".from", "e.g. 09:00", "%q is not a time of day", clip(h.From))
		}
		if errTo != nil {
			at.add(".to", "e.g. 17:00", "%q is not a time of day", clip(h.To))
		}
		if errFrom != nil || errTo != nil {
			continue
		}
		if from >= to {
			at.add(".to", "what runs over midnight is two entries", "it ends before it begins")
			continue
		}
		days := h.Days
		if len(days) == 0 {
			days = weekdays
		}
		for j, word := range days {
			day, ok := ParseDay(word)
			if !ok {
				at.in(".days", j).add("", "one of mon, tue, wed, thu, fri, sat, sun", "%q is no day", clip(word))
				continue
			}
			if slices.ContainsFunc(week[day], func(o stretch) bool { return from < o.to && o.from < to }) {
				at.add("", "let them follow one another", "these hours overlap others on %s", word)
			}
			week[day] = append(week[day], stretch{from, to})
		}
	}
	for i, day := range d.Holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			s.in(".holidays", i).add("", "e.g. 2026-12-25", "%q is no day", clip(day))
		}
	}
}

// clocks checks the promises.
func (c *checker) clocks(queues []string) {
	s := c.at("desk")
	for i, p := range c.f.Desk.Clocks {
		at := s.in(".clocks", i)
		for j, q := range p.Queues {
			at.in(".queues", j).queue("", q, queues)
		}
		for j, word := range p.Priorities {
			at.in(".priorities", j).oneOf("", word, ticketPriorities...)
		}
		if p.FirstReply == 0 && p.NextReply == 0 && p.Solution == 0 {
			at.add("", "e.g. first_reply: 1h", "a clock that promises nothing")
		}
		for _, span := range []struct {
			key string
			d   Duration
		}{{".first_reply", p.FirstReply}, {".next_reply", p.NextReply}, {".solution", p.Solution}, {".warn", p.Warn}} {
			s := at
			if span.d < 0 {
				s.add(span.key, "e.g. 1h", "it is negative")
			}
			s.atMost(span.key, span.d, MaxPromise)
		}
	}
}

// deskFields checks the further things to note, and gives their ids.
func (c *checker) deskFields() (ids []string) {
	s := c.at("desk")
	taken := newIDs("a field")
	for i, f := range c.f.Desk.Fields {
		at := s.in(".fields", i)
		taken.take(at, f.ID)
		at.oneLine(".name", f.Name, MaxName)
		if len(f.Options) > MaxFieldOptions {
			at.add(".options", "", "%d are more than the %d that are allowed", len(f.Options), MaxFieldOptions)
		}
		for j, option := range f.Options {
			at.in(".options", j).oneLine("", option, MaxName)
		}
		ids = append(ids, f.ID)
	}
	return ids
}

// replies checks the texts that are sent often.
func (c *checker) replies() {
	s := c.at("desk")
	names := map[string]bool{}
	for i, r := range c.f.Desk.Replies {
		at := s.in(".replies", i)
		name := strings.ToLower(strings.TrimSpace(r.Name))
		switch {
		case name == "":
			at.add(".name", "e.g. Thank you", "a reply needs a name")
		case names[name]:
			at.add(".name", "names are unique", "the name %s is taken already", clip(r.Name))
		}
		names[name] = true
		at.oneLine(".name", r.Name, MaxName)
		if strings.TrimSpace(r.Body) == "" {
			at.add(".body", "the text that is sent", "a reply without words")
		}
		at.longText(".body", r.Body)
	}
}

// templates checks the tickets that are opened often.
func (c *checker) templates(queues, fields []string) {
	s := c.at("desk")
	taken := newIDs("a template")
	for i, t := range c.f.Desk.Templates {
		at := s.in(".templates", i)
		taken.take(at, t.ID)
		at.oneLine(".name", t.Name, MaxName)
		at.oneOf(".kind", t.Kind, ticketKinds...)
		at.oneOf(".priority", t.Priority, ticketPriorities...)
		at.queue(".queue", t.Queue, queues)
		if strings.TrimSpace(t.Subject) == "" {
			at.add(".subject", "what the ticket is called", "a template without a subject")
		}
		at.oneLine(".subject", t.Subject, MaxName)
		at.longText(".text", t.Text)
		for j, tag := range t.Tags {
			at.in(".tags", j).oneLine("", tag, 40)
		}
		for _, id := range sortedKeys(t.Fields) {
			if !slices.Contains(fields, id) {
				at.add(".fields."+id, didYouMean(id, fields, "define it under desk.fields"), "there is no field %q", clip(id))
			}
		}
	}
}

// longText checks a text of several lines.
func (s spot) longText(key, text string) {
	if n := utf8.RuneCountInString(text); n > MaxDeskText {
		s.add(key, "", "%d characters are more than the %d that are allowed", n, MaxDeskText)
	}
}
