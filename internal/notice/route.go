package notice

import (
	"slices"
	"strings"
	"time"
)

// rank orders severities; an unknown one counts as the least.
func (s Severity) rank() int {
	return slices.Index([]Severity{SeverityInfo, SeverityMinor, SeverityMajor, SeverityCritical}, s)
}

// AtLeast reports whether s is as bad as other, or worse.
func (s Severity) AtLeast(other Severity) bool { return s.rank() >= other.rank() }

// Fits reports whether the route wants the event at that moment.
func (r Route) Fits(e Event, now time.Time) bool {
	return (len(r.Components) == 0 && len(r.Groups) == 0 || shares(r.Components, e.Components) || shares(r.Groups, e.Groups)) &&
		(len(r.Kinds) == 0 || slices.ContainsFunc(r.Kinds, func(k string) bool { return ofKind(e.Kind, k) })) &&
		e.Severity.AtLeast(r.AtLeast) &&
		(r.Hours == nil || r.Hours.Hold(now))
}

// ofKind reports whether kind is want, or want its first word.
func ofKind(kind, want string) bool {
	first, _, _ := strings.Cut(kind, ".")
	return kind == want || first == want
}

// shares reports whether two lists have a word in common.
func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(w string) bool { return slices.Contains(b, w) })
}

// routes gives the routes that an event takes at that moment: the first that
// fits, and those after it while each says to go on.
func (s *Setup) routes(e Event, now time.Time) []Route {
	var out []Route
	for _, r := range s.Routes {
		if !r.Fits(e, now) {
			continue
		}
		out = append(out, r)
		if !r.Continue {
			break
		}
	}
	return out
}

// route gives the route of that id.
func (s *Setup) route(id string) (Route, bool) {
	i := slices.IndexFunc(s.Routes, func(r Route) bool { return r.ID == id })
	if i < 0 {
		return Route{}, false
	}
	return s.Routes[i], true
}

// rotation gives the rotation of that id.
func (s *Setup) rotation(id string) (Rotation, bool) {
	i := slices.IndexFunc(s.Rotations, func(r Rotation) bool { return r.ID == id })
	if i < 0 {
		return Rotation{}, false
	}
	return s.Rotations[i], true
}

// channel gives the channel of that id.
func (s *Setup) channel(id string) (ChannelSpec, bool) {
	i := slices.IndexFunc(s.Channels, func(c ChannelSpec) bool { return c.ID == id })
	if i < 0 {
		return ChannelSpec{}, false
	}
	return s.Channels[i], true
}

// channelOf gives the channel that reaches subscribers of a mode; "" for none.
func (s *Setup) channelOf(m Mode) string {
	switch m {
	case ByMail:
		return s.Mail
	case ByWebhook:
		return s.Webhook
	case BySlack:
		return s.Chat
	}
	return ""
}

// Hold reports whether t lies in these hours, by the clocks on the wall of their
// zone: an hour that is skipped or repeated makes them shorter or longer, and
// nothing else.
func (h *Hours) Hold(t time.Time) bool { return h.within(t) != h.Outside }

func (h *Hours) within(t time.Time) bool {
	local := t.In(zone(h.Zone))
	y, m, d := local.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	wall := time.Date(y, m, d, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC).Sub(midnight)
	on := func(day time.Weekday) bool { return len(h.Days) == 0 || slices.Contains(h.Days, day) }
	switch {
	case h.From == h.To:
		return on(local.Weekday())
	case h.From < h.To:
		return on(local.Weekday()) && wall >= h.From && wall < h.To
	case wall >= h.From:
		return on(local.Weekday())
	default: // after midnight the stretch still belongs to the day it began on
		return wall < h.To && on((local.Weekday()+6)%7)
	}
}

// edges gives the moments around the local day of t at which the hours may begin
// or end: their own, under every offset that the day knows, and the change of the
// clocks itself, which can skip an end or repeat a beginning.
func (h *Hours) edges(t time.Time) []time.Time {
	local := t.In(zone(h.Zone))
	y, m, d := local.Date()
	begins, ends := time.Date(y, m, d, 0, 0, 0, 0, local.Location()), time.Date(y, m, d+1, 0, 0, 0, 0, local.Location())
	_, change := begins.ZoneBounds()
	out := []time.Time{begins}
	if !change.IsZero() {
		out = append(out, change)
	}
	for _, at := range []time.Time{begins, ends} {
		_, offset := at.Zone()
		midnight := time.Date(y, m, d, 0, 0, 0, 0, time.FixedZone("", offset))
		out = append(out, midnight.Add(h.From), midnight.Add(h.To))
	}
	return out
}

// zone gives the location of an IANA name. The configuration has refused names
// that do not exist; on a machine that lost its zones UTC is the next best.
func zone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return loc
}
