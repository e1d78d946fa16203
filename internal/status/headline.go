package status

import (
	"fmt"
	"strings"
	"time"
)

// MaxNamed is how many components a sentence names before it counts them.
const MaxNamed = 3

// shown is one component as the headline sees it.
type shown struct {
	id     string
	name   string
	status Status
	since  time.Time
	stint  stint
}

// slow reports whether it is slowness that is wrong.
func (s shown) slow() bool { return s.status == Degraded && s.stint.cause == CauseSlowAnswer }

// saying is what sentences are made from.
type saying struct {
	now   time.Time
	zone  *time.Location
	all   []shown
	works []Occurrence // in progress
	open  []Incident   // the worst first
	ended int64        // when the last trouble within the bars ended; 0 = there was none
	calm  int          // days that the bars know of
}

// in gives the components in a status, in order.
func (s *saying) in(status Status) []shown {
	var out []shown
	for _, c := range s.all {
		if c.status == status {
			out = append(out, c)
		}
	}
	return out
}

// headline says the verdict in words: what is wrong, what is not, and since when.
func (s *saying) headline() Headline {
	if len(s.open) > 0 {
		return s.incidentHeadline()
	}
	return s.componentHeadline()
}

// componentHeadline is the headline while no incident is open.
func (s *saying) componentHeadline() Headline {
	major, partial, degraded := s.in(MajorOutage), s.in(PartialOutage), s.in(Degraded)
	kept, unknown, fine := s.in(UnderMaintenance), s.in(NotMeasured), s.in(Operational)
	groups := [][]shown{major, partial, degraded}
	var rest []string
	for i, worst := range groups {
		if len(worst) == 0 {
			continue
		}
		rest = append(rest, s.lesser(groups[i+1:])...)
		rest = append(rest, s.aside(kept, unknown)...)
		if len(fine) > 0 {
			rest = append(rest, "Everything else is working.")
		}
		return Headline{Status: worst[0].status, Title: s.wrong(worst), Rest: strings.Join(rest, " "), Lead: s.since(worst)}
	}
	h := Headline{Status: Operational, Title: "All services are working.", Lead: s.calmLead()}
	switch {
	case len(s.all) == 0:
		return Headline{Status: NotMeasured, Title: "Nothing is watched here yet."}
	case len(fine) > 0 && len(unknown) > 0:
		h.Title = "Everything we can measure is working."
	case len(fine) > 0 && len(kept) > 0:
		h.Title = "Everything is working."
	case len(fine) > 0:
	case len(kept) > 0:
		h.Status, h.Title = UnderMaintenance, s.about(kept, "is in maintenance.", "are in maintenance.")
		kept = nil
	default:
		h.Status, h.Title = NotMeasured, "We cannot tell right now."
		h.Lead = "Nothing has been measured since " + s.moment(earliest(unknown)) + "."
		return h
	}
	h.Rest = strings.Join(s.aside(kept, unknown), " ")
	return h
}

// wrong says what is wrong with components of one status.
func (s *saying) wrong(list []shown) string {
	switch list[0].status {
	case MajorOutage:
		return s.about(list, "is down.", "are down.")
	case PartialOutage:
		return s.about(list, "has a partial outage.", "have partial outages.")
	}
	for _, c := range list {
		if !c.slow() {
			return s.about(list, "has degraded performance.", "have degraded performance.")
		}
	}
	return s.about(list, "is slower than usual.", "are slower than usual.")
}

// lesser says what else is wrong, less badly.
func (s *saying) lesser(groups [][]shown) []string {
	var told []string
	n := 0
	for _, list := range groups {
		if len(list) > 0 {
			n += len(list)
			told = append(told, s.wrong(list))
		}
	}
	switch {
	case n == 0:
		return nil
	case n > MaxNamed:
		return []string{countWord(n) + " others have trouble."}
	default:
		return told
	}
}

// aside says what is neither wrong nor known to be right.
func (s *saying) aside(kept, unknown []shown) []string {
	var told []string
	if len(kept) > 0 {
		told = append(told, s.about(kept, "is in maintenance.", "are in maintenance."))
	}
	if len(unknown) > 0 {
		told = append(told, s.about(unknown, "is not measured right now.", "are not measured right now."))
	}
	return told
}

// about makes a sentence on components: named, counted, or all of them.
func (s *saying) about(list []shown, one, many string) string {
	switch n := len(list); {
	case n == 1:
		return list[0].name + " " + one
	case n == len(s.all) && len(s.open) == 0:
		return "All services " + many
	case n <= MaxNamed:
		return namesOf(list) + " " + many
	default:
		return countWord(n) + " services " + many
	}
}

// since leads from the headline to clock times: red is never silent.
func (s *saying) since(list []shown) string {
	first := list[0]
	switch {
	case len(list) == 1 && first.stint.human && first.stint.public != "":
		return "Since " + s.moment(first.since) + ". " + first.stint.public
	case first.status.Outage() && len(list) == 1:
		return s.failure(first)
	case first.status.Outage():
		on := countWord(len(list)) + " services"
		if len(list) <= MaxNamed {
			on = namesOf(list)
		}
		return "Since " + s.moment(earliest(list)) + " our checks see failures on " + lowerCount(on, len(list)) + ". The team has been alerted."
	case first.slow():
		return "Since " + s.moment(earliest(list)) + ". Our checks see slow answers."
	default:
		return "Since " + s.moment(earliest(list)) + "."
	}
}

// lowerCount makes a counted "Four services" small inside a sentence; names stay.
func lowerCount(on string, n int) string {
	if n <= MaxNamed {
		return on
	}
	return strings.ToLower(on)
}

// failure says a failure that no incident explains yet.
func (s *saying) failure(c shown) string {
	switch {
	case c.stint.human && c.stint.public != "":
		return c.stint.public
	case c.status.Outage():
		return "Our checks see failures on " + c.name + " since " + s.clock(c.since) + ". The team has been alerted."
	case c.slow():
		return c.name + " has been slower than usual since " + s.clock(c.since) + "."
	default:
		return c.name + " has had degraded performance since " + s.clock(c.since) + "."
	}
}

// why says why a component is in its status; "" when it is well.
func (s *saying) why(c shown) string {
	switch {
	case c.status == Operational:
		return ""
	case c.stint.human && c.stint.public != "":
		return c.stint.public
	case c.stint.public != "":
		return s.dated(c.stint)
	case c.status == NotMeasured:
		return "Not measured since " + s.clock(c.since) + "."
	case c.status == UnderMaintenance:
		return "Planned maintenance since " + s.clock(c.since) + "."
	default:
		return publicWords(c.stint.cause) + " since " + s.clock(c.since) + "."
	}
}

// dated gives the sentence of our checks with the day in it when it is not
// today's: it was made when it began, and tells the time of day alone.
func (s *saying) dated(st stint) string {
	from := time.UnixMicro(st.from)
	return strings.Replace(st.public, " since "+clockTime(from, s.zone), " since "+s.clock(from), 1)
}

// calmLead says how long all has been well, and when planned work ends.
func (s *saying) calmLead() string {
	var told []string
	if s.ended > 0 {
		at := time.UnixMicro(s.ended)
		if n := daysBetween(at, s.now, s.zone); n > 1 {
			told = append(told, fmt.Sprintf("No trouble in the last %s days.", strings.ToLower(countWord(n))))
		} else {
			told = append(told, "The last trouble ended at "+s.moment(at)+".")
		}
	} else if s.calm > 1 {
		told = append(told, fmt.Sprintf("No trouble in the last %s days.", strings.ToLower(countWord(s.calm))))
	}
	if len(s.works) == 1 {
		told = append(told, "Planned work ends at "+s.clock(s.works[0].To)+".")
	}
	return strings.Join(told, " ")
}

// clock writes a moment by its clock, with the day when it is not today's:
// "14:02 UTC", "15:02 CET (14:02 UTC)", "14:02 UTC on 18 November".
func (s *saying) clock(t time.Time) string {
	at := zoned(t, s.zone)
	if n := daysBetween(t, s.now, s.zone); n != 0 {
		at += " on " + t.In(s.zone).Format("2 January")
	}
	return at
}

// moment is clock that says "today" and "yesterday".
func (s *saying) moment(t time.Time) string {
	switch daysBetween(t, s.now, s.zone) {
	case 0:
		return zoned(t, s.zone) + " today"
	case 1:
		return zoned(t, s.zone) + " yesterday"
	default:
		return s.clock(t)
	}
}

// zoned writes clock time and zone, and UTC beside it where that differs. A
// zone that has no letters is written as its distance from UTC alone.
func zoned(t time.Time, zone *time.Location) string {
	local := t.In(zone)
	name, offset := local.Zone()
	if offset == 0 {
		return local.Format("15:04") + " UTC"
	}
	if strings.ContainsAny(name, "0123456789") {
		name = "UTC" + local.Format("-07:00")
	}
	return local.Format("15:04 ") + name + " (" + t.UTC().Format("15:04") + " UTC)"
}

// daysBetween counts the midnights between two moments in the zone.
func daysBetween(from, to time.Time, zone *time.Location) int {
	return int(localDate(to.In(zone)).Sub(localDate(from.In(zone))) / (24 * time.Hour))
}

// earliest gives when the first of them began.
func earliest(list []shown) time.Time {
	at := list[0].since
	for _, c := range list[1:] {
		at = earlier(at, c.since)
	}
	return at
}

// namesOf lists names as a sentence does: "A, B and C".
func namesOf(list []shown) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.name
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// countWord writes small numbers in words, as the beginning of a sentence.
func countWord(n int) string {
	words := [...]string{"No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"}
	if n < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}
