package journal

import (
	"context"
	"slices"
	"strings"
)

// SearchFollower is the name of the singleton that fills an Index.
const SearchFollower = "search"

// MaxWords bounds the words of one search; further ones are left out.
const MaxWords = 8

// maxWord bounds one word, in bytes: no word of an entry is longer.
const maxWord = MaxPayloadValue

// Index finds entries by words.
type Index interface {
	// Index makes entries findable, inside the unit of work of the follower that
	// hands them over in order.
	Index(ctx context.Context, tx Tx, entries []Sealed) error
	// Find gives up to limit entries before seq that hold every word, newest
	// first. Words are those of WordsOf; the last one may be the beginning of
	// one. Without words it finds nothing. Errors: Invalid, Unavailable.
	Find(ctx context.Context, words []string, before int64, limit int) ([]Sealed, error)
}

// Words gives what an entry can be found by, each word once: its verb, actor,
// role, subject, audience and payload, in parts and without their keys.
func (e Entry) Words() []string {
	var all []string
	add := func(text string) {
		for _, w := range split(text) {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	for _, text := range []string{e.Verb, e.Actor.ID, string(e.Actor.Role), e.Subject.Kind, e.Subject.ID, string(e.Audience)} {
		add(text)
	}
	for _, value := range e.Payload {
		add(value)
	}
	return all
}

// WordsOf gives the words of a search as a person typed it.
func WordsOf(text string) []string {
	words := split(text)
	return words[:min(len(words), MaxWords)]
}

// split cuts a text into words of a to z and 0 to 9.
func split(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return slices.DeleteFunc(words, func(w string) bool { return len(w) > maxWord })
}
