package console

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/markup"
)

// linesShown is how many lines of a timeline are on the page before one asks
// for the rest.
const linesShown = 40

// timeline is everything that happened, newest first, each line in the lane of
// who spoke.
type timeline struct {
	Tabs    []Tab
	Lanes   [lanes]lane
	Lines   []timelineLine
	Earlier int
	All     string // where the rest is
}

// timelineLine is one line.
type timelineLine struct {
	ID, Version string
	At          Stamp
	Offset      string
	Lane        int
	LaneWord    string
	Icon        string
	Kind        string // update, note, fact
	Class       string // zero, pub, wait
	Mark        Mark
	Who, Says   string
	State       string        // that an update put the incident into
	Note        string        // one more line, plain
	Fold        string        // how many lines stand behind this one; "" for none
	Body        template.HTML // of an update or a note
	Source      string        // its Markdown, for the form
	Public      bool
	Told        bool
	Counts      []toldPart // who was told, where that is known
	Edited      Stamp
	CanEdit     bool
	at          time.Time
}

// markdown renders what people wrote, cleaned.
func markdown(s string) template.HTML {
	if s == "" {
		return ""
	}
	return markup.HTML(s)
}

// timelineOf puts the lines of an incident into words.
func (c *Console) timelineOf(r *http.Request, i *incident.Incident, lines []incident.Update, s *state, k Clock) timeline {
	g := guestOf(r)
	may := rightsOf(g, incidentRights)
	var all []timelineLine
	began := false
	for n := range lines {
		u := &lines[n]
		if u.Kind == incident.KindUpdate && u.PublishedAt.IsZero() {
			continue // drafts stand above
		}
		line := c.lineOf(r, u, s)
		line.CanEdit = u.Kind == incident.KindUpdate && may["update"] || u.Kind == incident.KindNote && may["note"] && u.Author == g.Actor.ID
		line.Told = line.Public && u.Deliver
		if u.EditedAt.After(u.PublishedAt) && u.EditedAt.After(u.CreatedAt) {
			line.Edited = k.At(u.EditedAt)
		}
		began = began || u.DisplayAt.Equal(i.StartedAt)
		all = append(all, line)
	}
	all = append(all, openedLine(i)) // the oldest of what stands at its moment
	if !began && !i.OpenedAt.Equal(i.StartedAt) {
		all = append(all, timelineLine{Kind: "fact", Lane: laneProbes, Says: "The trouble began", at: i.StartedAt})
	}
	slices.SortStableFunc(all, func(a, b timelineLine) int { return b.at.Compare(a.at) })
	t := timeline{Lanes: laneWords}
	counts := [lanes]int{}
	zero := false
	for n := len(all) - 1; n >= 0; n-- {
		line := &all[n]
		line.At, line.Offset, line.LaneWord, line.Icon = k.Exact(line.at), offset(line.at.Sub(i.StartedAt)), laneWords[line.Lane].Word, laneWords[line.Lane].Icon
		counts[line.Lane]++
		if !zero && !line.at.Before(i.StartedAt) {
			zero, line.Class = true, line.Class+" zero"
		}
	}
	picked := r.URL.Query().Get("lane")
	t.Tabs = []Tab{{Word: "All", Count: grouped(float64(len(all))), Path: with(r.URL, "lane", "") + "#timeline", Here: picked == ""}}
	for n, l := range laneWords {
		if counts[n] > 0 {
			t.Tabs = append(t.Tabs, Tab{Word: l.Word, Count: grouped(float64(counts[n])), Path: with(r.URL, "lane", l.ID) + "#timeline", Here: picked == l.ID})
		}
	}
	for _, line := range all {
		if picked == "" || laneWords[line.Lane].ID == picked {
			t.Lines = append(t.Lines, line)
		}
	}
	if picked == "" && r.URL.Query().Get("all") == "" {
		t.Lines = foldProbes(t.Lines)
	}
	if t.Earlier = len(t.Lines) - linesShown; t.Earlier > 0 && r.URL.Query().Get("all") == "" {
		t.Lines, t.All = t.Lines[:linesShown], with(r.URL, "all", "1")+"#timeline"
	}
	return t
}

// What checks saw in one go, with nobody speaking in between, is folded beyond
// foldAbove lines: the newest foldNewest stay, and the oldest.
const (
	foldAbove  = 5
	foldNewest = 3
)

// foldProbes keeps what people said in sight while checks come and go.
func foldProbes(lines []timelineLine) []timelineLine {
	var out []timelineLine
	for from := 0; from < len(lines); {
		to := from
		for to < len(lines) && lines[to].Kind == string(incident.KindFact) && lines[to].Lane == laneProbes {
			to++
		}
		run := lines[from:to]
		if len(run) <= foldAbove {
			to = max(to, from+1)
			out, from = append(out, lines[from:to]...), to
			continue
		}
		out = append(out, run[:foldNewest]...)
		out = append(out, timelineLine{
			Kind: "fact", Lane: laneProbes, LaneWord: laneWords[laneProbes].Word, Icon: laneWords[laneProbes].Icon, At: run[foldNewest].At, Offset: run[foldNewest].Offset,
			Fold: plural(len(run)-foldNewest-1, "more line of what checks saw", "more lines of what checks saw"),
		})
		out, from = append(out, run[len(run)-1]), to
	}
	return out
}

// openedLine says who wrote the incident down.
func openedLine(i *incident.Incident) timelineLine {
	line := timelineLine{Kind: "fact", Lane: lanePeople, Who: incidentName(*i), Says: openedWords[i.Origin], at: i.OpenedAt}
	switch i.Origin {
	case incident.ByChecks, incident.ByAlert:
		line.Lane = laneProbes
	case incident.ByTickets:
		line.Lane = laneTickets
	}
	return line
}

// lineOf puts one line into words.
func (c *Console) lineOf(r *http.Request, u *incident.Update, s *state) timelineLine {
	line := timelineLine{Says: "says"}
	switch u.Kind {
	case incident.KindFact:
		line = c.factWords(r.Context(), u, s)
	case incident.KindNote:
		line.Who, line.Body, line.Source = c.name(r.Context(), u.Author), markdown(u.Body), u.Body
		line.Says = "noted"
	default:
		line.Who, line.Says, line.Public, line.Class = c.name(r.Context(), u.Author), "published", true, "pub"
		line.Body, line.Source = markdown(u.Body), u.Body
		line.State, line.Note = stateWord(u.State), saidWords(u, s)
	}
	line.ID, line.Version, line.Kind, line.Lane, line.at = u.ID, strconv.FormatInt(u.Version, 10), string(u.Kind), laneOf(u), u.DisplayAt
	return line
}

// saidWords says what an update said of components.
func saidWords(u *incident.Update, s *state) string {
	var list []string
	for _, change := range u.Components {
		name := change.Component
		if one := s.byKey[name]; one != nil {
			name = one.Name
		}
		list = append(list, name+" "+saysWord(change.To))
	}
	return sentence(list, 4)
}
