package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	// complains is how far a letter must speak of a failure, less what else it is
	// about, to count as a complaint.
	complains = 0.3
	// otherwise is how much against it something else counts.
	otherwise = 0.8
	// belongs is the score that a letter needs to be in an outage by what it names,
	// alike the one it needs when it names nothing of it.
	belongs = 0.5
	alike   = 0.45
	// shares is how many of an outage must have a code or a word before it is the
	// outage's own.
	shares = 0.25
	// related is how alike the words of letters must be that name nothing known.
	related = 0.3
)

// complaint reports whether a letter says that something does not work now, and
// if not, why not.
func (r *Reading) complaint() (bool, string) {
	switch {
	case r.automatic != "":
		return false, "no person wrote it: " + strings.ReplaceAll(r.automatic, "_", " ")
	case r.fails-otherwise*r.other >= complains:
		return true, ""
	case r.other > 0 && r.other >= r.fails*0.5:
		return false, "it " + r.matter
	}
	return false, "it does not say that something fails"
}

// Find puts letters together that speak of one outage. At most Within lies
// between one letter and the next, and at least AtLeast different people wrote.
func (v *Vocabulary) Find(letters []Reading) Result {
	f := finder{v: v, all: letters, of: make([]int, len(letters)), why: make([]string, len(letters)), rare: rarity(letters)}
	for n := range letters {
		f.of[n] = none
		if ok, why := letters[n].complaint(); ok {
			f.open = append(f.open, n)
		} else {
			f.why[n] = why
			if letters[n].hints() {
				f.hints = append(f.hints, n)
			}
		}
	}
	slices.SortStableFunc(f.open, func(a, b int) int { return letters[a].At.Compare(letters[b].At) })
	for f.named() {
	}
	f.unnamed()
	for range 2 { // those who joined may bring others along
		f.gather()
	}
	f.heed()
	return f.result()
}

// none is the place of a letter that is in no outage.
const none = -1

// finder is one search.
type finder struct {
	v     *Vocabulary
	all   []Reading
	open  []int // complaints, oldest first
	hints []int // what may be complaints
	of    []int // which group each is in
	why   []string
	rare  map[string]float64
	sets  []*group
}

// group is an outage while it is being found.
type group struct {
	label   string // "" when it is none that is known
	members []int
	from    time.Time
	to      time.Time
	codes   map[string]int
	places  map[string]int
	terms   map[string]int
}

func (f *finder) group(label string, members []int) *group {
	g := &group{label: label, codes: map[string]int{}, places: map[string]int{}, terms: map[string]int{}}
	f.sets = append(f.sets, g)
	for _, n := range members {
		f.join(g, len(f.sets)-1, n)
	}
	return g
}

// join puts a letter into a group.
func (f *finder) join(g *group, at, n int) {
	r := &f.all[n]
	f.of[n] = at
	g.members = append(g.members, n)
	if g.from.IsZero() || r.At.Before(g.from) {
		g.from = r.At
	}
	if r.At.After(g.to) {
		g.to = r.At
	}
	for _, c := range r.codes {
		g.codes[c]++
	}
	for _, p := range r.places {
		g.places[p]++
	}
	for _, t := range r.terms {
		g.terms[t]++
	}
}

// named takes the thing that most people complain of, at one time, and makes a
// group of them. It gives false when nothing is left that enough complain of.
func (f *finder) named() bool {
	byLabel := map[string][]int{}
	for _, n := range f.open {
		if f.of[n] != none {
			continue
		}
		for _, l := range f.all[n].labels {
			byLabel[l.key] = append(byLabel[l.key], n)
		}
	}
	var best []int
	var bestKey string
	var bestWeight float64
	for key, list := range byLabel {
		for _, run := range f.runs(list) {
			if f.senders(run) < AtLeast {
				continue
			}
			if w := f.support(key, run); w > bestWeight || w == bestWeight && key < bestKey {
				best, bestKey, bestWeight = run, key, w
			}
		}
	}
	if best == nil {
		return false
	}
	f.group(bestKey, best)
	return true
}

// support tells how much letters are about a thing altogether: first of all
// counts in full, beside something else a part.
func (f *finder) support(key string, run []int) (sum float64) {
	for _, n := range run {
		r := &f.all[n]
		sum += r.weight(key) / r.labels[0].weight
	}
	if f.v.generic[key] {
		sum /= 2
	}
	return sum
}

// weight tells how much a letter is about a thing.
func (r *Reading) weight(key string) float64 {
	for _, l := range r.labels {
		if l.key == key {
			return l.weight
		}
	}
	return 0
}

// runs cuts letters, oldest first, where nobody wrote for too long.
func (f *finder) runs(list []int) [][]int {
	var out [][]int
	start := 0
	for n := 1; n <= len(list); n++ {
		if n == len(list) || f.all[list[n]].At.Sub(f.all[list[n-1]].At) > Within {
			out = append(out, list[start:n])
			start = n
		}
	}
	return out
}

// senders counts different senders.
func (f *finder) senders(list []int) int {
	seen := make(map[string]bool, len(list))
	for _, n := range list {
		seen[cmp.Or(f.all[n].Sender, f.all[n].ID)] = true
	}
	return len(seen)
}

// unnamed makes groups of letters that name nothing known, or each something
// else, by what they have in common: rare words, codes, addresses.
func (f *finder) unnamed() {
	var left []int
	for _, n := range f.open {
		if f.of[n] == none {
			left = append(left, n)
		}
	}
	if len(left) < AtLeast || len(left) > maxUnnamed {
		return
	}
	near := f.neighbours(left)
	taken := map[int]bool{}
	for _, n := range left {
		if taken[n] {
			continue
		}
		group := []int{n}
		taken[n] = true
		for i := 0; i < len(group); i++ { // what is near to one of them belongs to all
			for _, m := range near(group[i]) {
				if !taken[m] && f.all[m].At.Sub(f.all[group[i]].At).Abs() <= Within {
					taken[m] = true
					group = append(group, m)
				}
			}
		}
		if f.senders(group) >= AtLeast {
			f.group("", group)
		}
	}
}

// maxUnnamed bounds how many letters are compared each with each.
const maxUnnamed = 1000

// neighbours gives a function that gives the letters that have much in common
// with one: a good part of the words of either, weighted by how telling each is,
// or an error code of some program.
func (f *finder) neighbours(among []int) func(int) []int {
	in := map[string][]int{} // letters by word
	size := map[int]float64{}
	for _, n := range among {
		r := &f.all[n]
		for _, t := range r.terms {
			w := f.rare[t]
			size[n] += w * w
			in[t] = append(in[t], n)
		}
		for _, c := range r.codes {
			if !plainly[c] && !maybe[c] {
				in["\x00"+c] = append(in["\x00"+c], n)
			}
		}
	}
	return func(n int) (near []int) {
		both := map[int]float64{}
		for _, t := range f.all[n].terms {
			if list := in[t]; len(list) <= len(among)/2+AtLeast { // what most have tells nothing
				for _, m := range list {
					both[m] += f.rare[t] * f.rare[t]
				}
			}
		}
		for _, c := range f.all[n].codes {
			for _, m := range in["\x00"+c] {
				both[m] += size[m] + size[n] + 1
			}
		}
		for m, sum := range both {
			if m != n && sum > 0 && sum >= related*min(size[n], size[m]) && (sum > size[n] || !f.apart(n, m)) {
				near = append(near, m)
			}
		}
		slices.Sort(near)
		return near
	}
}

// apart reports whether two letters name different things.
func (f *finder) apart(n, m int) bool {
	a, b := &f.all[n], &f.all[m]
	if a.nothingElse(f.v) || b.nothingElse(f.v) {
		return false
	}
	return !slices.ContainsFunc(a.labels, func(l label) bool { return b.weight(l.key) > 0 })
}

// onceOnly is how telling a word is that one letter alone holds: it sets it apart,
// but little, for people tell the same in many words.
const onceOnly = 0.6

// rarity tells how telling each word is: those are that few letters share.
func rarity(letters []Reading) map[string]float64 {
	in := map[string]int{}
	for n := range letters {
		for _, t := range letters[n].terms {
			in[t]++
		}
	}
	rare := make(map[string]float64, len(in))
	for t, n := range in {
		rare[t] = onceOnly
		if n > 1 {
			rare[t] = math.Log(1 + float64(len(letters))/float64(n))
		}
	}
	return rare
}

// gather takes complaints that are in no group yet into the one that they belong
// to, if any.
func (f *finder) gather() {
	for _, n := range f.open {
		if f.of[n] != none {
			continue
		}
		best, at := 0.0, none
		concurrent := 0
		for i, g := range f.sets {
			if !g.reaches(f.all[n].At) {
				continue
			}
			concurrent++
			if s, _ := f.score(g, n); s > best {
				best, at = s, i
			}
		}
		r := &f.all[n]
		if at != none && best < alike && concurrent == 1 && r.nothingElse(f.v) {
			best = alike // something fails, and only one thing does
		}
		if at != none && best >= alike {
			f.join(f.sets[at], at, n)
		}
	}
}

// hints reports whether a letter that does not say outright that something fails
// may mean it: a person asks what is going on.
func (r *Reading) hints() bool {
	return r.automatic == "" && r.other < complains && (r.fails > 0 || len(r.codes) > 0)
}

// heed takes in what only hints at a failure, where it names the same thing and
// the same error or address as those who complain.
func (f *finder) heed() {
	for _, n := range f.hints {
		for at, g := range f.sets {
			r := &f.all[n]
			if g.label == "" || r.weight(g.label) == 0 || !g.reaches(r.At) {
				continue
			}
			if s, _ := f.score(g, n); s >= heeded {
				f.join(g, at, n)
				break
			}
		}
	}
}

// heeded is the score that a hint needs.
const heeded = 0.65

// nothingElse reports whether a letter names nothing in particular.
func (r *Reading) nothingElse(v *Vocabulary) bool {
	return len(r.labels) == 0 || v.generic[r.labels[0].key]
}

// reaches reports whether a moment is near enough to a group.
func (g *group) reaches(at time.Time) bool {
	return !at.Before(g.from.Add(-Within)) && !at.After(g.to.Add(Within))
}

// score tells how far a letter belongs to a group, and by what.
func (f *finder) score(g *group, n int) (float64, []string) {
	r := &f.all[n]
	var why []string
	against := 1.0 // how far nothing says that it belongs
	if g.label != "" {
		for i, l := range r.labels {
			if l.key == g.label {
				weight := 0.5
				if i > 0 {
					weight = 0.35
				}
				against *= 1 - weight
				why = append(why, names(f.v.names[g.label], l.phrase))
			}
		}
	}
	if len(r.failing) > 0 {
		why = append(why, "says that it fails: "+quoted(r.failing))
	}
	against *= 1 - 0.2*r.fails
	for _, c := range r.codes {
		if g.has(g.codes, c, f.of[n], n, f) {
			against *= 1 - 0.4
			why = append(why, "the same error "+c)
			break
		}
	}
	for _, p := range r.places {
		if g.has(g.places, p, f.of[n], n, f) {
			against *= 1 - 0.3
			why = append(why, "the same address "+p)
			break
		}
	}
	if s, word := f.resembles(g, n); s > 0.1 {
		against *= 1 - min(s, 0.6)
		if word != "" {
			why = append(why, fmt.Sprintf("the same words, such as %q", word))
		}
	}
	return 1 - against, why
}

// has reports whether enough others of a group have a mark.
func (g *group) has(of map[string]int, mark string, in, n int, f *finder) bool {
	count, others := of[mark], len(g.members)
	if in != none && f.sets[in] == g {
		count, others = count-1, others-1
	}
	return count > 0 && float64(count) >= shares*float64(others) && (count > 1 || others < AtLeast)
}

// resembles tells how far the words of a letter are those of a group, and the
// most telling one.
func (f *finder) resembles(g *group, n int) (float64, string) {
	r := &f.all[n]
	mine := 0
	others := len(g.members)
	if f.of[n] != none && f.sets[f.of[n]] == g {
		mine, others = 1, others-1
	}
	if others == 0 {
		return 0, ""
	}
	var both, all, most float64
	word := ""
	for i, t := range r.terms {
		w := f.rare[t]
		all += w
		have := float64(g.terms[t]-mine) / float64(others)
		if have < shares {
			continue
		}
		both += w * math.Sqrt(have)
		if w*have > most {
			most, word = w*have, r.spelled[i]
		}
	}
	if all == 0 {
		return 0, ""
	}
	return both / all, word
}

// names says that a letter names a thing, and by which word.
func names(what, phrase string) string {
	if phrase == "" || strings.EqualFold(fold(what), phrase) {
		return "is about " + what
	}
	return fmt.Sprintf("is about %s: %q", what, phrase)
}

// quoted writes phrases in quotes.
func quoted(phrases []string) string {
	out := make([]string, len(phrases))
	for n, p := range phrases {
		out[n] = fmt.Sprintf("%q", p)
	}
	return strings.Join(out, ", ")
}
