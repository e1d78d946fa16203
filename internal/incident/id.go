package incident

import (
	"crypto/rand"
	"strconv"
	"strings"
)

// idLength is how long ids are: 16 letters of base32 are 80 random bits, so an
// id that is not told cannot be guessed.
const idLength = 16

// newID mints the id of an incident, a task or a template.
func newID() string { return strings.ToLower(rand.Text()[:idLength]) }

// LabelPrefix stands before a number as staff say it: INC-231.
const LabelPrefix = "INC-"

// Label gives what staff call it: INC-231.
func (i *Incident) Label() string { return LabelPrefix + strconv.FormatInt(i.Number, 10) }

// numbered reads INC-231 or 231; ok is false for anything else, such as an id.
func numbered(s string) (number int64, ok bool) {
	const mostDigits = 12 // shorter than any id
	if len(s) >= len(LabelPrefix) && strings.EqualFold(s[:len(LabelPrefix)], LabelPrefix) {
		s = s[len(LabelPrefix):]
	}
	if len(s) > mostDigits {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}
