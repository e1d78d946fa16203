package status

import (
	"math"
	"slices"
	"strings"
	"time"
)

// stint is a published span as the board keeps it: what visitors see of it and
// nothing more, so that ten thousand components fit into memory.
type stint struct {
	from, to int64 // Unix microseconds; to is forever while it is open
	status   Status
	cause    Cause
	human    bool
	public   string
}

// forever is the end of a stint that is open.
const forever int64 = math.MaxInt64

// stintOf takes from a span what the board keeps.
func stintOf(s Span) stint {
	st := stint{from: s.From.UnixMicro(), to: forever, status: constant(s.Status), cause: s.Cause, human: s.Origin == ByHuman, public: s.Public}
	if !s.Open() {
		st.to = s.To.UnixMicro()
	}
	return st
}

// statuses lists the states from the least to the worst.
var statuses = [...]Status{NotMeasured, Operational, UnderMaintenance, Degraded, PartialOutage, MajorOutage}

// constant gives the same status without memory of its own, which one read from
// a database has. One that is not known counts as not measured.
func constant(s Status) Status { return statuses[severity[s]] }

// strip is one public component in memory: its published stints of the last
// days, and what was made of them for the present day.
type strip struct {
	component *Component
	stints    []stint
	view      *stripView // nil until a page needs it
}

// stripView is what only a change of the component or a new day changes.
type stripView struct {
	of     *days // the frame it was made for
	born   int64
	days   []Day // shared with every component that looks the same; nil when too many differ
	before Tally // of the shown days before today
	first  int   // the first stint that touches today
}

// born is the moment the component's history begins.
func (r *strip) born() int64 {
	at := r.component.CreatedAt.UnixMicro()
	if len(r.stints) > 0 {
		at = min(at, r.stints[0].from)
	}
	return at
}

// last gives the present stint; before the first one nothing is measured.
func (r *strip) last() stint {
	if n := len(r.stints); n > 0 {
		return r.stints[n-1]
	}
	return stint{from: r.component.CreatedAt.UnixMicro(), to: forever, status: NotMeasured}
}

// since gives when the present status began: stints that differ in words alone
// go on.
func (r *strip) since() time.Time {
	at := r.last()
	for i := len(r.stints) - 2; i >= 0 && r.stints[i].status == at.status && r.stints[i].to == at.from; i-- {
		at = r.stints[i]
	}
	return time.UnixMicro(at.from).UTC()
}

// forget drops stints that ended before a moment.
func (r *strip) forget(before int64) {
	n := 0
	for n < len(r.stints)-1 && r.stints[n].to <= before {
		n++
	}
	if n > 0 {
		r.stints = slices.Clone(r.stints[n:])
		r.view = nil
	}
}

// current reports whether the view still holds for a frame.
func (v *stripView) current(f *days, born int64) bool { return v != nil && v.of == f && v.born == born }

// tally tells how long each status held within [from, to), as TallyOf does.
func tally(stints []stint, from, to int64) Tally {
	var t Tally
	at := from
	for i := range stints {
		s := &stints[i]
		if at >= to || s.from >= to {
			break
		}
		start, end := max(at, s.from), min(to, s.to)
		if start >= end {
			continue
		}
		t.Unmeasured += micros(start - at)
		*t.of(s.status) += micros(end - start)
		at = end
	}
	if at < to {
		t.Unmeasured += micros(to - at)
	}
	return t
}

// micros is so many microseconds.
func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// days is the frame into which bars are drawn: the shown days of one present
// day, and the bars that were drawn already.
type days struct {
	zone   *time.Location
	bounds []time.Time // BarDays+1
	at     []int64     // bounds, as stints count
	names  []string    // "6 Nov"
	drawn  map[string][]Day
}

// daysUntil makes the frame of the days up to the day of now.
func daysUntil(now time.Time, zone *time.Location) *days {
	f := &days{zone: zone, bounds: dayBounds(now, BarDays, zone), drawn: map[string][]Day{}}
	for _, b := range f.bounds {
		f.at = append(f.at, b.UnixMicro())
		f.names = append(f.names, b.Format("2 Jan"))
	}
	return f
}

// today is the first moment of the present day.
func (f *days) today() int64 { return f.at[BarDays-1] }

// holds reports whether now is on the present day.
func (f *days) holds(now time.Time) bool {
	at := now.UnixMicro()
	return f.today() <= at && at < f.at[BarDays]
}

// maxDrawn bounds how many different strips of bars are kept, about 10 kB each.
const maxDrawn = 1000

// look makes the view of a strip, if it has none yet, and gives its days. Strips
// that look the same share them; beyond maxDrawn they are drawn for one page.
func (f *days) look(r *strip) []Day {
	born := r.born()
	if !r.view.current(f, born) {
		v := &stripView{of: f, born: born, before: tally(r.stints, f.at[0], f.today())}
		v.first, _ = slices.BinarySearchFunc(r.stints, f.today()+1, func(s stint, at int64) int {
			if s.to < at {
				return -1
			}
			return 1
		})
		r.view = v
	}
	if r.view.days != nil {
		return r.view.days
	}
	parts := make([]dayParts, 0, 8)
	var key strings.Builder
	var cells [BarDays]byte
	i := 0
	for d := range BarDays {
		from, to := f.at[d], f.at[d+1]
		if to <= born {
			cells[d] = cellBefore
			continue
		}
		for i < len(r.stints) && r.stints[i].to <= from {
			i++
		}
		worst := NotMeasured
		quiet := true
		for j := i; j < len(r.stints) && r.stints[j].from < to; j++ {
			s := r.stints[j].status
			if s.Worse(worst) {
				worst = s
			}
			quiet = quiet && s == Operational
		}
		cells[d] = byte(severity[worst])
		if !quiet {
			if p := partsOf(r.stints[i:], from, to, f.bounds[d]); p.tellable() {
				p.day = d
				parts = append(parts, p)
			}
		}
	}
	key.Write(cells[:])
	stories := make([]string, len(parts))
	for k := range parts {
		stories[k] = parts[k].story(f.names[parts[k].day], f.zone)
		key.WriteByte(byte(parts[k].day))
		key.WriteString(stories[k])
	}
	drawn := f.drawn[key.String()]
	if drawn == nil {
		drawn = f.draw(cells[:], parts, stories)
		if len(f.drawn) >= maxDrawn {
			return drawn
		}
		f.drawn[key.String()] = drawn
	}
	r.view.days = drawn
	return drawn
}

// cellBefore marks a day before the component existed.
const cellBefore = byte(255)

// draw makes the bars from cells and stories.
func (f *days) draw(cells []byte, parts []dayParts, stories []string) []Day {
	drawn := make([]Day, BarDays)
	for d := range drawn {
		drawn[d] = Day{Date: f.bounds[d], Worst: NotMeasured, Before: cells[d] == cellBefore}
		if !drawn[d].Before {
			drawn[d].Worst = statuses[cells[d]]
		}
	}
	for k := range parts {
		drawn[parts[k].day].Story = stories[k]
	}
	return drawn
}

// uptime tells how the shown days up to now divide.
func (f *days) uptime(r *strip, now time.Time) Tally {
	return r.view.before.Add(tally(r.stints[r.view.first:], f.today(), now.UnixMicro()))
}
