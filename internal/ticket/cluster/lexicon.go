package cluster

import (
	"strings"
	"unicode/utf8"
)

// sense is what a phrase of the lexicon means.
type sense struct {
	kind   senseKind
	label  string // a topic, a matter, or the key of a component; "" for a failure
	weight float64
	phrase string // as it is told to staff
}

// senseKind is what a phrase speaks of.
type senseKind uint8

const (
	failure   senseKind = iota // something does not work
	topic                      // what a letter may be about
	matter                     // something that is no outage: an invoice, a wish, an advertisement
	component                  // a component by its name or alias
	mention                    // a part of a component's name
)

// lexicon finds phrases in a folded text. It is built once and read by all.
type lexicon struct {
	first  map[string][]pattern // by the first word, when that is a whole one
	stem   map[string][]pattern // by the first stemLetters bytes of the first word
	inside []inside             // scripts without spaces: found anywhere
}

// stemLetters is how much of a word that may be continued must be given, in bytes.
const stemLetters = 3

// pattern is a phrase of words. A word that ends in * is the beginning of one, and
// a word _ stands for up to gap others.
type pattern struct {
	words []string
	sense sense
}

// inside is a phrase of a script without spaces.
type inside struct {
	text  string
	sense sense
}

// gap is how many words may stand in the place of a _.
const gap = 3

// hit is a phrase that was found.
type hit struct {
	sense sense
	at    int // number of the word, or byte/4 in scripts without spaces
}

func newLexicon() *lexicon {
	return &lexicon{first: map[string][]pattern{}, stem: map[string][]pattern{}}
}

// add takes phrases, separated by |.
func (l *lexicon) add(s sense, phrases string) {
	for phrase := range strings.SplitSeq(phrases, "|") {
		phrase = strings.TrimSpace(phrase)
		if phrase == "" {
			continue
		}
		s.phrase = strings.ReplaceAll(strings.ReplaceAll(phrase, "*", ""), " _ ", " … ")
		folded := fold(phrase)
		if r, _ := utf8.DecodeRuneInString(folded); unspaced(r) {
			l.inside = append(l.inside, inside{folded, s})
			continue
		}
		words := strings.Fields(folded)
		p := pattern{words, s}
		if head, open := strings.CutSuffix(words[0], "*"); open && len(head) >= stemLetters {
			l.stem[head[:stemLetters]] = append(l.stem[head[:stemLetters]], p)
		} else {
			l.first[head] = append(l.first[head], p)
		}
	}
}

// find gives the phrases that a text holds, in order. unspaced says whether the
// text has letters of scripts without spaces at all.
func (l *lexicon) find(text string, words []string, unspaced bool) []hit {
	var hits []hit
	for at, w := range words {
		for _, p := range l.first[w] {
			if p.fits(words[at:]) {
				hits = append(hits, hit{p.sense, at})
			}
		}
		if len(w) < stemLetters {
			continue
		}
		for _, p := range l.stem[w[:stemLetters]] {
			if p.fits(words[at:]) {
				hits = append(hits, hit{p.sense, at})
			}
		}
	}
	if unspaced {
		for _, p := range l.inside {
			if at := strings.Index(text, p.text); at >= 0 {
				hits = append(hits, hit{p.sense, at / 4})
			}
		}
	}
	return hits
}

// fits reports whether words begin with the phrase.
func (p *pattern) fits(words []string) bool {
	return follows(p.words, words)
}

func follows(phrase, words []string) bool {
	for n, want := range phrase {
		if want == "_" {
			for skip := 0; skip <= gap && skip <= len(words)-n; skip++ {
				if follows(phrase[n+1:], words[n+skip:]) {
					return true
				}
			}
			return false
		}
		if n >= len(words) {
			return false
		}
		head, open := strings.CutSuffix(want, "*")
		if words[n] != head && !(open && strings.HasPrefix(words[n], head)) {
			return false
		}
	}
	return true
}
