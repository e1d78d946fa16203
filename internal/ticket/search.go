package ticket

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Parse reads a search as it is typed: words, "several words", and
//
//	from: to: subject:       words of that place
//	is:                      new open pending on_hold solved closed over live mine unassigned
//	                         waiting overdue snoozed automatic broken linked merged
//	tag: queue: mailbox: way: kind: priority: component: requester: incident:
//	assignee:me assignee:none assignee:ID
//	before:2026-11-21 after:7d has:attachment TK-4107
//
// A - before a word or a place leaves out what has it. The last word may be the
// beginning of one. Errors: Invalid, with what is not understood.
func (d *Desk) Parse(by access.Actor, typed string) (Query, error) {
	if len(typed) > utf8.UTFMax*MaxQuery {
		return Query{}, problem.Invalid("q", "A search is at most %d characters long.", MaxQuery)
	}
	p := parser{me: PersonOf(by), now: d.now(), desk: d}
	parts := cutQuery(oneLine(typed))
	for i, part := range parts {
		if err := p.part(part, i == len(parts)-1); err != nil {
			return Query{}, err
		}
	}
	if len(p.q.Text) > 0 && !slices.ContainsFunc(p.q.Text, func(t Term) bool { return !t.Not }) {
		return Query{}, problem.Invalid("q", "Say at least one word that must be there.")
	}
	return p.q, nil
}

// part is one piece of a search.
type part struct {
	not    bool
	key    string // in small letters; "" for words
	value  string
	quoted bool
}

// cutQuery cuts a search into its pieces.
func cutQuery(s string) (out []part) {
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		var p part
		if rest, ok := strings.CutPrefix(s, "-"); ok && rest != "" && rest[0] != ' ' {
			p.not, s = true, rest
		}
		if end := strings.IndexAny(s, " :\""); end > 0 && s[end] == ':' && plainKey(s[:end]) {
			p.key, s = strings.ToLower(s[:end]), s[end+1:]
		}
		if rest, ok := strings.CutPrefix(s, `"`); ok {
			p.quoted = true
			p.value, s, _ = strings.Cut(rest, `"`)
		} else {
			p.value, s, _ = strings.Cut(s, " ")
		}
		if p.value != "" || p.key != "" {
			out = append(out, p)
		}
	}
	return out
}

// plainKey reports whether something before a colon can be a key: an address of a
// page cannot.
func plainKey(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) && s != "http" && s != "https" && s != "mailto"
}

// parser gathers what a search asks for.
type parser struct {
	q    Query
	me   string
	now  time.Time
	desk *Desk
}

// part takes one piece; last tells whether it may be the beginning of a word.
func (p *parser) part(x part, last bool) error {
	switch x.key {
	case "", "from", "to", "subject":
		return p.words(x, last)
	case "is":
		return p.is(x)
	case "before", "after":
		at, err := p.moment(x.value)
		if err != nil || x.not {
			return orNot(err, x)
		}
		if x.key == "after" {
			p.q.From = at
		} else {
			p.q.To = at
		}
		return nil
	}
	if x.not {
		return orNot(nil, x)
	}
	switch x.key {
	case "tag":
		p.q.Tag = strings.ToLower(x.value)
	case "queue":
		p.q.Queue = x.value
	case "mailbox":
		p.q.Mailbox = x.value
	case "way":
		p.q.Ways = append(p.q.Ways, Way(strings.ToLower(x.value)))
	case "kind":
		p.q.Kinds = append(p.q.Kinds, Kind(strings.ToLower(x.value)))
	case "priority":
		p.q.Priority = Priority(strings.ToLower(x.value))
	case "component":
		p.q.Component = x.value
	case "requester":
		if a := normalised(x.value); a != "" {
			p.q.Sender = a
		} else {
			p.q.Requester = x.value
		}
	case "assignee":
		switch x.value {
		case "me":
			p.q.Assignee = orNobody(p.me)
		case "none", "nobody":
			p.q.Assignee = Nobody
		default:
			p.q.Assignee = x.value
		}
	case "incident":
		if p.q.Incident = x.value; x.value == "any" {
			p.q.Incident = AnyIncident
		}
	case "has":
		if !strings.HasPrefix("attachments", x.value) || x.value == "" {
			return problem.Invalid("q", "has: knows has:attachment, not %q.", x.value)
		}
		p.q.Files = true
	default:
		return problem.Invalid("q", "There is no %q to search by. To search for a word with a colon, put it into quotes.", x.key+":")
	}
	return nil
}

// orNot refuses a - before what cannot be left out.
func orNot(err error, x part) error {
	if err == nil && x.not {
		err = problem.Invalid("q", "A - cannot stand before %s:", x.key)
	}
	return err
}

// orNobody gives an id that no person has when there is none.
func orNobody(id string) string {
	if id == "" {
		return "nobody"
	}
	return id
}

// words takes words to look for.
func (p *parser) words(x part, last bool) error {
	if x.key == "" && !x.quoted && !x.not && !strings.ContainsAny(x.value, ".@") {
		if n, ok := p.desk.numbered(x.value); ok && strings.Contains(x.value, "-") {
			p.q.Number = n
			return nil
		}
	}
	t := Term{Words: WordsOf(x.value), In: Place(x.key), Not: x.not, Beginning: last && !x.quoted && !x.not}
	if len(t.Words) == 0 {
		return nil
	}
	if len(p.q.Text) == MaxTerms {
		return problem.Invalid("q", "A search has at most %d words.", MaxTerms)
	}
	p.q.Text = append(p.q.Text, t)
	return nil
}

// is takes a word about how a ticket stands.
func (p *parser) is(x part) error {
	on := !x.not
	value := strings.ToLower(x.value)
	states := map[string][]State{
		"new": {New}, "open": {Open}, "pending": {Pending}, "on_hold": {OnHold}, "solved": {Solved}, "closed": {Closed},
		"over": {Solved, Closed}, "live": {New, Open, Pending, OnHold},
	}
	if list, ok := states[value]; ok {
		if on {
			p.q.States = append(p.q.States, list...)
		} else {
			p.q.NotStates = append(p.q.NotStates, list...)
		}
		return nil
	}
	switch value {
	case "waiting", "unanswered":
		p.q.Unheard = &on
	case "automatic":
		p.q.Automatic = &on
	case "snoozed":
		p.q.Snoozed = &on
	case "broken":
		p.q.Broken = &on
	case "mine", "unassigned", "overdue", "linked", "merged":
		if x.not {
			return problem.Invalid("q", "A - cannot stand before is:%s", value)
		}
		switch value {
		case "mine":
			p.q.Assignee = orNobody(p.me)
		case "unassigned":
			p.q.Assignee = Nobody
		case "overdue":
			p.q.Overdue = true
		case "linked":
			p.q.Incident = AnyIncident
		default:
			p.q.Merged = true
		}
	default:
		return problem.Invalid("q", "is: does not know %q.", x.value)
	}
	return nil
}

// moment reads a day (2026-11-21), a moment (RFC 3339), or how long ago (7d, 12h).
func (p *parser) moment(s string) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return at.UTC(), nil
	}
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil {
		return moment(at), nil
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(s); n > 1 && n < 7 {
		if k, err := strconv.Atoi(s[:n-1]); err == nil && k >= 0 && units[s[n-1]] > 0 {
			return p.now.Add(-time.Duration(k) * units[s[n-1]]), nil
		}
	}
	return time.Time{}, problem.Invalid("q", "%q is no day like 2026-11-21 and no time like 7d.", s)
}
