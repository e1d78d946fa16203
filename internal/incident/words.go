package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// namesShown is how many components a sentence names before it counts them.
const namesShown = 4

// publicNames gives the names of the public components, in their order.
func publicNames(list []Affected, known map[string]Component) []string {
	var names []string
	for _, a := range list {
		if c, ok := known[a.Component]; ok && c.Public {
			names = append(names, c.Name)
		}
	}
	return names
}

// together joins names as one says them: A, B and 3 others.
func together(names []string) string {
	switch n := len(names); {
	case n == 0:
		return ""
	case n == 1:
		return names[0]
	case n <= namesShown:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	default:
		return fmt.Sprintf("%s and %d others", strings.Join(names[:namesShown-1], ", "), n-namesShown+1)
	}
}

// escaped is together for Markdown: a name is text and nothing else.
func escaped(names []string) string {
	safe := make([]string, len(names))
	for n, name := range names {
		safe[n] = plainly(name)
	}
	return together(safe)
}

// clock is a moment as it is said in public words.
func clock(t time.Time) string { return t.UTC().Format("15:04 UTC") }

// elapsed is a stretch of time as one says it.
func elapsed(d time.Duration) string {
	minutes := max(int(d/time.Minute), 0)
	switch {
	case minutes < 1:
		return "less than a minute"
	case minutes == 1:
		return "a minute"
	case minutes < 120:
		return fmt.Sprintf("%d minutes", minutes)
	case minutes < 48*60:
		return fmt.Sprintf("%d hours", minutes/60)
	default:
		return fmt.Sprintf("%d days", minutes/60/24)
	}
}

// verb agrees with how many there are.
func verb(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// title names trouble of components for customers.
func title(list []Component, worst string) string {
	names := make([]string, len(list))
	for n, c := range list {
		names[n] = c.Name
	}
	name := together(names)
	switch worst {
	case "major_outage":
		name += " not available"
	case "partial_outage":
		name += " failing in part"
	default:
		name += " slower than usual"
	}
	if runes := []rune(name); len(runes) > MaxName {
		name = string(runes[:MaxName-1]) + "…"
	}
	return name
}

// titleOf names the machine's own incident. Where one of the components is what
// the others need, that one is named alone.
func titleOf(i *Incident, known map[string]Component) string {
	var public, all []Component
	worst := "degraded_performance"
	for _, a := range i.Components {
		c, ok := known[a.Component]
		if !ok {
			continue
		}
		all = append(all, c)
		if c.Public {
			public = append(public, c)
		}
		if grades[a.Status] > grades[worst] {
			worst = a.Status
		}
	}
	if len(public) == 0 {
		public = all // nobody outside will read it
	}
	if len(public) == 0 {
		return i.Name
	}
	for _, c := range public {
		if n := count(public, func(o Component) bool { return slices.Contains(o.Needs, c.Key) }); len(public) > 2 && n == len(public)-1 {
			return title([]Component{c}, i.affected(c.Key).Status)
		}
	}
	return title(public, worst)
}

func count(list []Component, fits func(Component) bool) int {
	n := 0
	for _, c := range list {
		if fits(c) {
			n++
		}
	}
	return n
}

// firstWords is what the machine says first, Markdown.
func firstWords(i *Incident, known map[string]Component) string {
	if i.Origin == ByTickets && !i.troubled() {
		return reportedWords(i, known)
	}
	names := publicNames(i.Components, known)
	if len(names) == 0 {
		return "Our checks have seen failures since " + clock(i.StartedAt) + "."
	}
	return fmt.Sprintf("Our checks have seen failures of %s since %s. The team has been alerted, and we will say more here.", escaped(names), clock(i.StartedAt))
}

// alsoFailing is what the machine says when more fails.
func alsoFailing(names []string) string {
	return fmt.Sprintf("Our checks now see failures of %s too.", escaped(names))
}

// lastWords is what the machine says when all is well again.
func lastWords(i *Incident, known map[string]Component) string {
	names := publicNames(i.Components, known)
	return fmt.Sprintf("Our checks have seen %s working normally since %s. It lasted %s.",
		verb(min(len(names), 1), escaped(names), "everything"), clock(i.GreenSince), elapsed(i.GreenSince.Sub(i.StartedAt)))
}

// Next drafts the next update of an incident: plain words from its state, its
// components and the time that went by, for a person to change. It promises
// nothing that is not known.
func Next(i *Incident, all []Component, now time.Time) Wording {
	known := make(map[string]Component, len(all))
	for _, c := range all {
		known[c.Key] = c
	}
	names := publicNames(i.Components, known)
	who, n := escaped(names), len(names)
	if n == 0 {
		who, n = "the service", 1
	}
	w := Wording{State: i.State, Deliver: true}
	for _, a := range i.Components {
		if wrong(a.Observed) && a.Observed != a.Status && known[a.Component].Public {
			w.Components = append(w.Components, Affected{Component: a.Component, Status: a.Observed})
		}
	}
	lasted := elapsed(now.Sub(i.StartedAt))
	switch {
	case !i.GreenSince.IsZero():
		w.State, w.Components = Resolved, nil
		w.Body = fmt.Sprintf("%s %s been working normally since %s. It lasted %s. We are sorry for the trouble.",
			capital(who), verb(n, "has", "have"), clock(i.GreenSince), elapsed(i.GreenSince.Sub(i.StartedAt)))
	case i.State == Suspected:
		w.State, w.Body = Investigating, firstWords(i, known)
	case i.State == Identified:
		w.Body = fmt.Sprintf("We know the cause of the trouble with %s and are working to end it. It began at %s, %s ago.", who, clock(i.StartedAt), lasted)
	case i.State == Monitoring:
		w.Body = fmt.Sprintf("We are watching %s and will say here when we call it over.", who)
	default:
		w.State = Investigating
		w.Body = fmt.Sprintf("We are still looking into the trouble with %s. It began at %s, %s ago.", who, clock(i.StartedAt), lasted)
	}
	return w
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
