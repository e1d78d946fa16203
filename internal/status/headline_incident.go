package status

import (
	"slices"
	"strings"
	"time"
)

// incidentHeadline says the verdict while incidents are open: the worst of them
// leads, by the words of a person. What else is wrong, and what is not, follows.
func (s *saying) incidentHeadline() Headline {
	first := &s.open[0]
	h := Headline{Status: Operational, Title: asSentence(first.Name), Lead: s.incidentLead(first)}
	for _, c := range s.all {
		h.Status = Worst(h.Status, c.status)
	}
	for n := range s.open {
		h.Status = Worst(h.Status, s.open[n].Worst())
	}
	var rest []string
	if n := len(s.open) - 1; n == 1 {
		rest = append(rest, "One other incident is open.")
	} else if n > 1 {
		rest = append(rest, countWord(n)+" other incidents are open.")
	}
	h.Rest = strings.Join(append(rest, s.besides()...), " ")
	return h
}

// besides says how the components are that no open incident tells of.
func (s *saying) besides() []string {
	on := openOn(s.open)
	others := *s
	others.all = slices.DeleteFunc(slices.Clone(s.all), func(c shown) bool { return on[c.id] })
	told := others.lesser([][]shown{others.in(MajorOutage), others.in(PartialOutage), others.in(Degraded)})
	well := len(told) == 0
	told = append(told, others.aside(others.in(UnderMaintenance), others.in(NotMeasured))...)
	switch {
	case len(others.in(Operational)) == 0:
		return told
	case len(on) == 0 && well:
		return append(told, "Our checks see no trouble.")
	default:
		return append(told, "Everything else is working.")
	}
}

// incidentLead says where an incident stands, since when, and when it began.
func (s *saying) incidentLead(i *Incident) string {
	at := i.StateSince()
	var lead string
	switch i.Status {
	case incidentIdentified:
		lead = "The cause was identified at " + s.moment(at) + "."
	case incidentMonitoring:
		lead = "A fix is in place; we have been watching it since " + s.moment(at) + "."
	default:
		lead = "Investigating since " + s.moment(at) + "."
	}
	if at.Sub(i.StartedAt) >= time.Minute {
		lead += " It began at " + s.moment(i.StartedAt) + "."
	}
	return lead
}
