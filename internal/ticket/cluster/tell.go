package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// result turns groups into outages, and says of every other letter why it is in none.
func (f *finder) result() Result {
	var out Result
	for at, g := range f.sets {
		f.sift(g)
		if f.senders(g.members) < AtLeast {
			for _, n := range g.members {
				f.of[n], f.why[n] = none, fmt.Sprintf("fewer than %d people wrote about %s", AtLeast, cmp.Or(f.v.names[g.label], "the same"))
			}
			continue
		}
		for _, n := range g.members {
			f.of[n] = at
		}
		out.Outages = append(out.Outages, f.outage(g))
	}
	slices.SortStableFunc(out.Outages, func(a, b Outage) int {
		return cmp.Or(cmp.Compare(b.Senders, a.Senders), a.Since.Compare(b.Since))
	})
	for n := range f.all {
		if f.of[n] == none {
			out.LeftOut = append(out.LeftOut, Left{f.all[n].ID, cmp.Or(f.why[n], f.alone(n))})
		}
	}
	return out
}

// sift takes out of a group what does not belong to it after all.
func (f *finder) sift(g *group) {
	slices.SortStableFunc(g.members, func(a, b int) int { return f.all[a].At.Compare(f.all[b].At) })
	var keep []int
	for _, n := range g.members {
		s, _ := f.score(g, n)
		if least := f.least(g, n); s < least {
			f.of[n], f.why[n] = none, fmt.Sprintf("it has too little in common with those about %s", cmp.Or(f.v.names[g.label], "the same"))
			continue
		}
		keep = append(keep, n)
	}
	g.members = keep
}

// least is the score that a letter needs to stay in a group.
func (f *finder) least(g *group, n int) float64 {
	r := &f.all[n]
	if g.label != "" && r.weight(g.label) > 0 {
		return belongs
	}
	if g.label == "" || r.nothingElse(f.v) {
		return 0 // unnamed and gather have asked for more than words
	}
	return alike
}

// alone says why a complaint is in no outage.
func (f *finder) alone(n int) string {
	r := &f.all[n]
	if len(r.labels) == 0 {
		return "it is alone: nobody else writes of the same"
	}
	what := f.v.names[r.labels[0].key]
	for _, g := range f.sets {
		if g.label == r.labels[0].key && !g.reaches(r.At) {
			return fmt.Sprintf("it is about %s, and was written at another time than the others", what)
		}
	}
	return fmt.Sprintf("it is alone: fewer than %d people write of %s at that time", AtLeast, what)
}

// outage tells of a group.
func (f *finder) outage(g *group) Outage {
	o := Outage{Senders: f.senders(g.members), Since: f.all[g.members[0]].At, Until: f.all[g.members[len(g.members)-1]].At, Words: f.telling(g)}
	if strings.HasPrefix(g.label, topicPrefix) {
		o.Topic = f.v.names[g.label]
	} else if g.label != "" {
		o.Component, o.Topic = g.label, f.v.names[g.label]
	}
	if o.Topic == "" && len(o.Words) > 0 {
		o.Topic = o.Words[0]
	}
	for _, n := range g.members {
		score, why := f.score(g, n)
		if r := &f.all[n]; r.nothingElse(f.v) && (g.label == "" || r.weight(g.label) == 0) {
			why = append(why, "names nothing else, while this failed")
		}
		if r := &f.all[n]; n != g.members[0] && !r.At.IsZero() {
			why = append(why, "came "+after(r.At.Sub(o.Since))+" after the first")
		}
		o.Members = append(o.Members, Member{f.all[n].ID, math.Round(100*min(max(score, alike), 1)) / 100, why})
	}
	o.Reason = fmt.Sprintf("%d people wrote that %s fails", o.Senders, cmp.Or(o.Topic, "something"))
	if span := o.Until.Sub(o.Since); span >= time.Minute {
		o.Reason = fmt.Sprintf("%s, within %s", o.Reason, after(span))
	}
	if code, n := most(g.codes); n > 1 {
		o.Reason += fmt.Sprintf("; %d of them name the error %s", n, code)
	}
	o.Reason += "."
	return o
}

// after writes a stretch of time in words.
func after(d time.Duration) string {
	switch minutes := int(d.Round(time.Minute).Minutes()); {
	case minutes < 1:
		return "less than a minute"
	case minutes == 1:
		return "1 minute"
	case minutes < 120:
		return fmt.Sprintf("%d minutes", minutes)
	default:
		return fmt.Sprintf("%d hours", (minutes+30)/60)
	}
}

// most gives the mark that most have.
func most(of map[string]int) (mark string, n int) {
	for m, k := range of {
		if k > n || k == n && m < mark {
			mark, n = m, k
		}
	}
	return mark, n
}

// maxTelling bounds the words that tell of an outage.
const maxTelling = 6

// telling gives what members have in common: codes first, then words.
func (f *finder) telling(g *group) []string {
	type candidate struct {
		word  string
		score float64
	}
	var list []candidate
	least := max(2, int(shares*float64(len(g.members))))
	for c, n := range g.codes {
		if n >= least {
			list = append(list, candidate{c, 100 + float64(n)})
		}
	}
	for t, n := range g.terms {
		if n >= least {
			list = append(list, candidate{f.spelled(g, t), float64(n) * f.rare[t]})
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.word, b.word))
	})
	out := []string{}
	for _, c := range list[:min(len(list), maxTelling)] {
		out = append(out, c.word)
	}
	return out
}

// spelled gives a word as the first of the members wrote it.
func (f *finder) spelled(g *group, stem string) string {
	for _, n := range g.members {
		if at := slices.Index(f.all[n].terms, stem); at >= 0 {
			return f.all[n].spelled[at]
		}
	}
	return stem
}
