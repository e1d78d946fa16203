package publictest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// said makes an update; what it moves follows.
func said(id, state, body string, at time.Time, moves ...status.IncidentMove) status.IncidentUpdate {
	return status.IncidentUpdate{ID: id, Status: state, Body: body, At: at, CreatedAt: at, Deliver: true, Moves: moves}
}

func moved(id, name string, from, to status.Status) status.IncidentMove {
	return status.IncidentMove{Key: "key-" + id, ID: id, Name: name, From: from, To: to}
}

func concerns(id, name string, s status.Status) status.IncidentComponent {
	return status.IncidentComponent{Key: "key-" + id, ID: id, Name: name, Status: s}
}

// Slow is the open incident of the pictures: searches take two to four seconds.
func Slow() status.Incident {
	began := Minute.Add(-30 * time.Minute)
	return status.Incident{
		ID: "q7w3n5k2t8x4m6p9", Name: "Searches take two to four seconds", Status: "identified", Impact: "minor",
		CreatedAt: began.Add(7 * time.Minute), UpdatedAt: began.Add(19 * time.Minute), StartedAt: began, NextUpdateAt: Minute.Add(18 * time.Minute),
		Components: []status.IncidentComponent{concerns("search", "Search", status.Degraded)},
		Updates: []status.IncidentUpdate{
			said("u-2", "identified", "Release 2.31.0 of search, live since 13:40, reads an index it should not. We are going back to **2.30.4**, the last good release; this takes about fifteen minutes. Results are complete, only slow.", began.Add(19*time.Minute)),
			said("u-1", "investigating", "Searches have been slow since 14:02. We see it from all four of our watch points and are looking into it.", began.Add(7*time.Minute),
				moved("search", "Search", status.Operational, status.Degraded)),
		},
	}
}

// Finished is the same incident when it is over, with its postmortem.
func Finished() status.Incident {
	i := Slow()
	i.Name, i.Status = "Searches took two to four seconds", "postmortem"
	i.MonitoringAt, i.ResolvedAt, i.NextUpdateAt = i.StartedAt.Add(39*time.Minute), i.StartedAt.Add(36*time.Minute), time.Time{}
	i.Components[0].Status = status.Operational
	i.Updates = slices.Concat([]status.IncidentUpdate{
		said("u-4", "resolved", "Search has been at full speed for half an hour, at the busiest time of the day. It was slow for 36 minutes in all. We are sorry. Release 2.31.0 will not come back as it is.",
			i.StartedAt.Add(68*time.Minute), moved("search", "Search", status.Degraded, status.Operational)),
		said("u-3", "monitoring", "Searches answer at their normal speed again. We keep watching through the afternoon peak before we call it over.", i.StartedAt.Add(39*time.Minute)),
	}, i.Updates)
	i.Updates[1].EditedAt = i.StartedAt.Add(45 * time.Minute)
	i.Review = status.IncidentReview{PublishedAt: i.StartedAt.AddDate(0, 0, 4), Body: "## A test with too little data\n\nThe index was chosen by a planner that had only ever seen an *empty* table.\n\n" +
		"1. The test now runs on a copy of the real size.\n2. A release that makes searches slower than a second stops by itself.\n3. The dashboard shows the plan that was chosen.\n\n> Nobody had to be awake for any of this.\n\n`explain analyze` is in the run-book."}
	i.UpdatedAt = i.Review.PublishedAt
	return i
}

// past makes an incident of a former day.
func past(id, name, impact, component, title string, st status.Status, ago int, at, took time.Duration, words string) status.Incident {
	began := day(ago).Add(at)
	return status.Incident{
		ID: id, Name: name, Status: "resolved", Impact: impact, CreatedAt: began.Add(5 * time.Minute), UpdatedAt: began.Add(took), StartedAt: began, ResolvedAt: began.Add(took),
		Components: []status.IncidentComponent{concerns(component, title, status.Operational)},
		Updates: []status.IncidentUpdate{
			said(id+"-2", "resolved", words, began.Add(took), moved(component, title, st, status.Operational)),
			said(id+"-1", "investigating", "We are looking into it.", began.Add(5*time.Minute), moved(component, title, status.Operational, st)),
		},
	}
}

// Troubled is the normal page with its incidents: one open, two of former days.
func Troubled() *status.Page {
	p := Normal()
	late := past("b4d8f2h6j3k7m5n9", "Booking confirmations sent late", "minor", "email", "Email", status.Degraded, 8, 9*time.Hour, 38*time.Minute,
		"Confirmation emails left up to 25 minutes late after a queue filled up. All were sent; none was lost.")
	empty := past("c5e9g3i7k4l8n6o2", "No search results for some dates", "major", "search", "Search", status.PartialOutage, 14, 9*time.Hour+12*time.Minute, 32*time.Minute,
		"Searches for dates in February came back empty. An index was rebuilt and the check that should have caught it was added.")
	p.Incidents = []status.Incident{Slow()}
	p.Recent = []status.Incident{Slow(), late, empty}
	p.Changed = p.Incidents[0].UpdatedAt
	p.Failures = nil
	p.Headline = status.Headline{Status: status.Degraded, Title: "Searches take two to four seconds.", Rest: "Everything else is working.",
		Lead: "The cause was identified at 14:21 UTC today. It began at 14:02 UTC today."}
	for n := range p.Past {
		p.Past[n].Events = nil
	}
	p.Past[0].Incidents, p.Past[2].Incidents, p.Past[4].Incidents = p.Recent[:1], p.Recent[1:2], p.Recent[2:3]
	return p
}

// Markdown is what the words of an incident must not be able to do.
var Markdown = Hostile + "\n\n<svg onload=alert(1)><a href=\"javascript:alert(2)\">x</a></svg>\n\n[look](javascript:alert(3)) ![pixel](https://example.org/p.png) <iframe src=//example.org></iframe>\n\n" +
	"\u202egnihtyreve\u202c\n\n```\n</pre><script>alert(4)</script>\n```\n\n" + strings.Repeat("> ", 60) + "deep\n\n|a|b|\n|-|-|\n|<i onclick=x>|" + strings.Repeat("y", 300) + "|\n"

// hostile makes every foreign string of an incident hostile.
func hostile(i status.Incident) status.Incident {
	i.Name = Hostile
	i.Components = slices.Clone(i.Components)
	for n := range i.Components {
		i.Components[n].Name = Hostile
	}
	i.Updates = slices.Clone(i.Updates)
	for n := range i.Updates {
		u := &i.Updates[n]
		u.Body = Markdown
		for m := range u.Moves {
			u.Moves[m].Name = Hostile
		}
	}
	if i.Review.Body != "" {
		i.Review.Body = Markdown
	}
	return i
}

// Storm adds open incidents, each with so many updates of so many letters that no
// two of them are alike: the most that a page can be asked to tell.
func Storm(p *status.Page, open, updates, letters int) *status.Page {
	dice := rand.New(rand.NewPCG(9, 10))
	words := func(n int) string {
		b := make([]byte, n)
		for k := range b {
			b[k] = "abcdefghijklmnopqrstuvwxyz     "[dice.IntN(31)]
		}
		return string(b)
	}
	for n := range open {
		i := Slow()
		i.ID, i.Name = fmt.Sprintf("storm%011d", n), words(60)
		i.Updates = nil
		for u := range updates {
			i.Updates = append(i.Updates, said(fmt.Sprintf("s-%d-%d", n, u), "investigating", words(letters), Minute.Add(-time.Duration(u)*time.Minute)))
		}
		p.Incidents = append(p.Incidents, i)
		p.Recent = append(p.Recent, i)
	}
	return p
}
