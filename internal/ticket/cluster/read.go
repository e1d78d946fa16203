package cluster

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Vocabulary is what letters can be about: the words of every product, and the
// components of this one. It is built once and safe for concurrent use.
type Vocabulary struct {
	words   *lexicon
	names   map[string]string   // of labels
	owners  map[string][]string // keys of the components that a topic stands for
	generic map[string]bool
}

// How much a phrase counts. A name counts more than a topic, a part of a name
// less, and what stands in the subject twice.
const (
	nameWeight    = 1.5
	topicWeight   = 1.0
	partWeight    = 0.6
	genericWeight = 0.3
	chosenWeight  = 3.0
	followWeight  = 0.25
	certainWeight = 0.8
	likelyWeight  = 0.5
	vagueWeight   = 0.2
	inSubject     = 2.0
	farDown       = 0.5 // behind the first farWords words
	farWords      = 80
)

// NewVocabulary makes a vocabulary of the components there are; none are fine.
func NewVocabulary(components []Component) *Vocabulary {
	v := &Vocabulary{words: newLexicon(), names: map[string]string{}, owners: map[string][]string{}, generic: map[string]bool{}}
	for _, group := range []struct {
		weight float64
		lines  string
	}{{certainWeight, certain}, {likelyWeight, likely}, {vagueWeight, vague}} {
		for line := range strings.Lines(group.lines) {
			v.words.add(sense{failure, "", group.weight, ""}, line)
		}
	}
	for _, m := range matters {
		for line := range strings.Lines(m.words) {
			v.words.add(sense{matter, m.label, m.weight, ""}, line)
		}
	}
	for _, t := range topics {
		weight := topicWeight
		if t.generic {
			weight = genericWeight
			v.generic[topicPrefix+t.label] = true
		}
		v.names[topicPrefix+t.label] = t.label
		for line := range strings.Lines(t.words) {
			v.words.add(sense{topic, topicPrefix + t.label, weight, ""}, line)
		}
	}
	v.learn(components)
	return v
}

// topicPrefix tells labels of topics from keys of components.
const topicPrefix = "topic:"

// learn adds components: their names, the parts of names that only one has, and
// the topics that they are.
func (v *Vocabulary) learn(components []Component) {
	parts := map[string]int{}
	for _, c := range components {
		for _, w := range c.parts() {
			parts[w]++
		}
	}
	for _, c := range components {
		v.names[c.Key] = cmp.Or(c.Name, c.Key)
		topics := map[string]bool{}
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			text := fold(name)
			for _, h := range v.words.find(text, tokens(text), hasUnspaced(text)) {
				if h.sense.kind == topic && !v.generic[h.sense.label] {
					topics[h.sense.label] = true
				}
			}
		}
		for t := range topics {
			v.owners[t] = append(v.owners[t], c.Key)
		}
	}
	for _, c := range components {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			v.words.add(sense{component, c.Key, nameWeight, ""}, strings.Join(tokens(fold(name)), " "))
		}
		for _, w := range c.parts() {
			if parts[w] == 1 && len(w) > stemLetters {
				v.words.add(sense{mention, c.Key, partWeight, ""}, w)
			}
		}
	}
}

// parts gives the words of a component's name.
func (c *Component) parts() []string {
	words := tokens(fold(c.Name))
	slices.Sort(words)
	return slices.DeleteFunc(slices.Compact(words), func(w string) bool { return common[w] })
}

// Reading is what a letter says, read once: it can be kept and compared with
// others many times.
type Reading struct {
	ID        string
	Sender    string
	At        time.Time
	automatic string
	fails     float64 // that something does not work, 0 to 1
	failing   []string
	other     float64 // that it is about something else, 0 to 1
	matter    string
	labels    []label  // what it is about, the likeliest first
	codes     []string // error codes
	places    []string // hosts and paths
	terms     []string // the beginnings of words, without those that everybody uses
	spelled   []string // the same as they were written
}

// label is one thing that a letter may be about.
type label struct {
	key    string
	weight float64
	phrase string
}

// Read reads a letter.
func (v *Vocabulary) Read(t Text) Reading {
	r := Reading{ID: t.ID, Sender: strings.ToLower(t.Sender), At: t.At, automatic: t.Automatic}
	subject := fold(clip(t.Subject, maxSubject))
	body := fold(clip(t.Body, maxRead))
	r.codes, r.places = marks(t.Subject+"\n"+clip(t.Body, maxRead), body)
	head, rest := tokens(subject), tokens(body)
	score := &scores{v: v, whole: 1, labels: map[string]*label{}, matters: map[string]float64{}, seen: map[string]bool{}}
	for _, h := range v.words.find(subject, head, hasUnspaced(subject)) {
		score.take(h, inSubject)
	}
	for _, h := range v.words.find(body, rest, hasUnspaced(body)) {
		near := 1.0
		if h.at > farWords {
			near = farDown
		}
		score.take(h, near)
	}
	for _, key := range t.Chosen {
		score.about(key, chosenWeight, "chosen by the sender")
	}
	if len(score.labels) == 0 {
		for _, key := range t.Subscribed {
			score.about(key, followWeight, "which the sender follows")
		}
	}
	ours := append(status(head, score.near(subject, head), &r), status(rest, score.near(body, rest), &r)...)
	for _, c := range ours {
		score.fail(c, certainWeight)
	}
	r.fails, r.failing = 1-score.whole, score.phrases
	r.other, r.matter = score.matter()
	if len(ours) > 0 {
		// Nobody's own account or invoice makes a server answer so.
		r.other *= serverFailed
	}
	r.labels = score.settle()
	r.terms, r.spelled = terms(head, rest, subject+"\n"+body)
	return r
}

// serverFailed is how much of what else a letter is about counts when it quotes an
// error of a server.
const serverFailed = 0.5

// maxSubject bounds how much of a subject is read, in bytes.
const maxSubject = 400

// scores gathers what phrases say.
type scores struct {
	v       *Vocabulary
	whole   float64 // how far nothing speaks of a failure
	phrases []string
	labels  map[string]*label
	matters map[string]float64 // how far nothing speaks of each
	seen    map[string]bool
}

// take counts one phrase; a second time it counts no more.
func (s *scores) take(h hit, where float64) {
	key := string(rune('0'+h.sense.kind)) + h.sense.label + "\x00" + h.sense.phrase
	if s.seen[key] {
		return
	}
	s.seen[key] = true
	switch h.sense.kind {
	case failure:
		s.fail(h.sense.phrase, h.sense.weight)
	case matter:
		weight := min(h.sense.weight*max(where, 0.8), 0.95)
		if _, ok := s.matters[h.sense.label]; !ok {
			s.matters[h.sense.label] = 1
		}
		s.matters[h.sense.label] *= 1 - weight
	case topic:
		owners := s.v.owners[h.sense.label]
		if len(owners) == 0 {
			s.about(h.sense.label, h.sense.weight*where, h.sense.phrase)
		}
		for _, key := range owners {
			s.about(key, h.sense.weight*where, h.sense.phrase)
		}
	case component, mention:
		s.about(h.sense.label, h.sense.weight*where, h.sense.phrase)
	}
}

// fail notes a phrase that says that something does not work.
func (s *scores) fail(phrase string, weight float64) {
	s.whole *= 1 - weight
	head, _, gapped := strings.Cut(phrase, " … ")
	said := gapped && slices.ContainsFunc(s.phrases, func(p string) bool { return strings.HasPrefix(p, head) })
	if weight >= likelyWeight && !said && len(s.phrases) < maxPhrases {
		s.phrases = append(s.phrases, phrase)
	}
}

// maxPhrases bounds how many phrases explain a letter.
const maxPhrases = 3

// about notes something that the letter may be about.
func (s *scores) about(key string, weight float64, phrase string) {
	l := s.labels[key]
	if l == nil {
		s.labels[key] = &label{key, weight, phrase}
		return
	}
	l.weight += weight / 2
}

// matter gives what else the letter is about, the likeliest.
func (s *scores) matter() (weight float64, name string) {
	for label, left := range s.matters {
		if is := 1 - left; is > weight || is == weight && label < name {
			weight, name = is, label
		}
	}
	return weight, name
}

// settle gives the labels, the likeliest first. Words for everything count only
// alone, and of the others those that are not far behind.
func (s *scores) settle() []label {
	all := make([]label, 0, len(s.labels))
	special := false
	for _, l := range s.labels {
		special = special || !s.v.generic[l.key]
		all = append(all, *l)
	}
	if special {
		all = slices.DeleteFunc(all, func(l label) bool { return s.v.generic[l.key] })
	}
	slices.SortFunc(all, func(a, b label) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.key, b.key))
	})
	if len(all) > maxLabels {
		all = all[:maxLabels]
	}
	for n := len(all) - 1; n > 0; n-- {
		if all[n].weight < all[0].weight*besides {
			all = all[:n]
		}
	}
	return all
}

const (
	// maxLabels bounds what one letter may be about.
	maxLabels = 4
	// besides is how much a letter must speak of something, beside the first.
	besides = 0.35
)

// near gives for every word whether a phrase of failure stands next to it.
func (s *scores) near(text string, words []string) []bool {
	near := make([]bool, len(words))
	for _, h := range s.v.words.find(text, words, false) {
		if h.sense.kind != failure || h.sense.weight < likelyWeight {
			continue
		}
		for at := max(h.at-gap, 0); at <= min(h.at+gap, len(words)-1); at++ {
			near[at] = true
		}
	}
	return near
}

// plainly are HTTP status codes that stand for nothing else in a letter; beside
// them are those that need a word of failure next to them.
var (
	plainly = map[string]bool{"502": true, "503": true, "504": true, "520": true, "521": true, "522": true, "523": true, "524": true, "525": true, "526": true}
	maybe   = map[string]bool{"500": true, "501": true, "508": true, "429": true, "408": true, "401": true, "403": true, "404": true, "400": true, "http500": true}
)

// status takes HTTP status codes out of words.
func status(words []string, near []bool, r *Reading) (found []string) {
	for at, w := range words {
		w = strings.TrimSuffix(w, "s") // 503s
		if !plainly[w] && !(maybe[w] && near[at]) || slices.Contains(r.codes, w) || len(r.codes) >= maxMarks {
			continue
		}
		r.codes = append(r.codes, w)
		if w[0] == '5' {
			found = append(found, w)
		}
	}
	return found
}

var (
	// errorCode is what programs call their errors: ERR_CONN_RESET, E-4012,
	// PAY-1102, ORA-00600, 0x80070005.
	errorCode = regexp.MustCompile(`\b(?:ERR(?:OR)?_[A-Z0-9_]{3,40}|[A-Z]{1,8}[-_][0-9]{2,6}|0x[0-9A-Fa-f]{4,16}|E[0-9]{3,6})\b`)
	// place is an address in a letter.
	place = regexp.MustCompile(`(?:https?://|www\.)([a-z0-9.-]{3,100})(?::[0-9]+)?(/[a-z0-9_-]{1,40})?`)
)

// maxMarks bounds how many codes and how many places of a letter are kept.
const maxMarks = 12

// marks gives the error codes and places of a letter.
func marks(raw, folded string) (codes, places []string) {
	for _, c := range errorCode.FindAllString(raw, maxMarks) {
		if !slices.Contains(codes, c) {
			codes = append(codes, c)
		}
	}
	for _, m := range place.FindAllStringSubmatch(folded, maxMarks) {
		if p := strings.TrimPrefix(m[1], "www.") + m[2]; !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	return codes, places
}

// hasUnspaced reports whether a text holds letters of scripts without spaces.
func hasUnspaced(s string) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf && unspaced(r) {
			return true
		}
	}
	return false
}

const (
	// maxTerms bounds the words of one letter that are compared.
	maxTerms = 80
	// stemmed is how many letters of a word are compared: endings differ.
	stemmed = 7
)

// terms gives the words that two letters may have in common, each once: of
// scripts without spaces pairs of letters.
func terms(head, rest []string, text string) (stems, spelled []string) {
	seen := map[string]bool{}
	add := func(stem, word string) {
		if len(stems) < maxTerms && !seen[stem] {
			seen[stem] = true
			stems, spelled = append(stems, stem), append(spelled, word)
		}
	}
	for _, words := range [][]string{head, rest} {
		for _, w := range words {
			first, _ := utf8.DecodeRuneInString(w)
			if unspaced(first) || len(w) < 4 || common[w] || first >= '0' && first <= '9' {
				continue
			}
			n, at := 0, len(w)
			for i := range w {
				if n++; n > stemmed {
					at = i
					break
				}
			}
			add(w[:at], w)
		}
	}
	var last rune
	for _, r := range text {
		if r < utf8.RuneSelf || !unspaced(r) {
			last = 0
			continue
		}
		if last != 0 {
			pair := string([]rune{last, r})
			add(pair, pair)
		}
		last = r
	}
	return stems, spelled
}

// common are words that letters of all kinds hold.
var common = wordSet(`
the and for are but not you your have has had with this that from our can all was were will would could should
been they them there here what when where which who how why any some more most very just only also than then
hello dear hi team support please thanks thank regards best kind sincerely cheers since today yesterday morning
about into over after before while again still get got see try tried trying using use used need want know
help let make like one two first last time day days week now new back out off its it is my we us me an as at by if in of on or so to up
customer customers user users company sent mail email message
guten tag hallo liebe lieber sehr geehrte damen herren danke bitte gruss grusse freundliche freundlichen mit und der die das den dem des
ein eine einen einem einer ist sind war wir ihr sie ich uns unser unsere euch nicht kein keine auch aber oder wenn dann seit heute
bei beim von vom zum zur auf aus fur uber nach noch schon wird werden haben hat habe hatte kann konnen
bonjour madame monsieur merci cordialement bien les des une est sont nous vous votre notre pour avec dans sur pas plus depuis
hola buenos dias gracias saludos los las una por para con que esta este desde nuestro nuestra usted muy cuando
buongiorno salve grazie saluti gli della delle degli che per con non sono una dal dalla questo questa nostro
ola bom dia obrigado obrigada atenciosamente uma para com que nao desde nosso nossa estamos esta isso
beste groet groeten bedankt alvast een het van voor met niet zijn naar onze jullie sinds vandaag
dzien dobry prosze pozdrawiam dziekuje jest nie sie dla czy jak dobry
hei hej tack mvh halsningar takk hilsen och att det som inte med for fra
`)

// wordSet makes a set of words.
func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// Complains reports whether the letter says that something does not work.
func (r *Reading) Complains() bool {
	is, _ := r.complaint()
	return is
}

// Components gives the keys of the components that the letter names, the likeliest
// first.
func (r *Reading) Components() []string {
	var keys []string
	for _, l := range r.labels {
		if !strings.HasPrefix(l.key, topicPrefix) {
			keys = append(keys, l.key)
		}
	}
	return keys
}
