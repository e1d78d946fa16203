package public

import (
	"fmt"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// look is how a status is shown: a class that colours it, the mark beside it,
// the word on the page, the word in the middle of a sentence, and the class of
// its bar. Colour is never alone.
type look struct {
	class, word, phrase, bar string
	rise                     int // y of the middle of a bar, in a picture 32 high
}

// looks has a row for every status a span can have.
var looks = map[status.Status]look{
	status.Operational:      {"ok", "Operational", "operational", "a", 22},
	status.Degraded:         {"deg", "Degraded performance", "degraded", "b", 20},
	status.PartialOutage:    {"par", "Partial outage", "partial outage", "c", 18},
	status.MajorOutage:      {"maj", "Major outage", "major outage", "d", 16},
	status.UnderMaintenance: {"mnt", "In maintenance", "maintenance", "e", 26},
	status.NotMeasured:      {"non", "Not measured", "not measured", "f", 30},
}

// lookOf gives the look of a status; one that is not known looks unmeasured.
func lookOf(s status.Status) look {
	if l, ok := looks[s]; ok {
		return l
	}
	return looks[status.NotMeasured]
}

// stateWords are the words for where a piece of maintenance stands.
var stateWords = map[status.MaintenanceState]string{
	status.MaintenanceScheduled:  "Scheduled",
	status.MaintenanceInProgress: "In progress",
	status.MaintenanceVerifying:  "Being checked",
	status.MaintenanceCompleted:  "Completed",
	status.MaintenanceCancelled:  "Cancelled",
}

// workWords say a step of maintenance in a sentence.
var workWords = map[status.MaintenanceState]string{
	status.MaintenanceScheduled:  "The work was announced.",
	status.MaintenanceInProgress: "The work began.",
	status.MaintenanceVerifying:  "The planned time is over. We are checking that all is well.",
	status.MaintenanceCompleted:  "The work is done.",
	status.MaintenanceCancelled:  "The work was called off.",
}

// barOrder is the order in which paths are drawn and the key is read.
var barOrder = [...]status.Status{
	status.Operational, status.Degraded, status.PartialOutage, status.MajorOutage, status.UnderMaintenance, status.NotMeasured,
}

// formulaText says in words how uptime is worked out with these weights.
func formulaText(w status.Weights, period string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Watched time less outage time, divided by watched time, %s. ", period)
	b.WriteString(counts("A major outage", w.Major) + ", " + lower(counts("A partial outage", w.Partial)) + ". ")
	b.WriteString(counts("Slow answers", w.Degraded))
	b.WriteString("; planned maintenance and time not measured are left out of both sides. Figures are rounded down, so 100% means 100%.")
	return b.String()
}

// counts says how much of a kind of trouble counts.
func counts(what string, weight float64) string {
	plural := strings.HasSuffix(what, "s")
	switch {
	case weight <= 0 && plural:
		return what + " do not count"
	case weight <= 0:
		return what + " does not count"
	case weight >= 1 && plural:
		return what + " count in full"
	case weight >= 1:
		return what + " counts in full"
	case plural:
		return fmt.Sprintf("%s count for %s", what, share(weight))
	default:
		return fmt.Sprintf("%s counts for %s", what, share(weight))
	}
}

// share writes 0.3 as 30%.
func share(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", v*100), "0"), ".") + "%"
}

// lower makes the first letter small, for use inside a sentence.
func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// count writes small numbers in words, as a headline does.
func count(n int, one, many string) string {
	words := [...]string{"No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"}
	what := many
	if n == 1 {
		what = one
	}
	if n < len(words) {
		return words[n] + " " + what
	}
	return fmt.Sprintf("%d %s", n, what)
}

// length writes how long something took, in the two largest units that matter.
func length(d time.Duration) string {
	switch {
	case d <= 0:
		return "0"
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(1, int(d/time.Second)))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 24*time.Hour:
		return two(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "min")
	default:
		return two(int(d/(24*time.Hour)), "d", int(d%(24*time.Hour)/time.Hour), "h")
	}
}

// lengthInWords is length for a sentence: "36 minutes", "2 hours 5 minutes".
func lengthInWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return many(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return joined(many(int(d/time.Hour), "hour"), many(int(d%time.Hour/time.Minute), "minute"))
	default:
		return joined(many(int(d/(24*time.Hour)), "day"), many(int(d%(24*time.Hour)/time.Hour), "hour"))
	}
}

// many writes a number of things; "" for none.
func many(n int, what string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + what
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}

// joined puts a blank between two words, of which the second may be missing.
func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

// sentenceOf makes a title a sentence.
func sentenceOf(title string) string {
	title = strings.TrimSpace(title)
	if title == "" || strings.ContainsAny(title[len(title)-1:], ".!?") || strings.HasSuffix(title, "…") {
		return title
	}
	return title + "."
}

// two writes a large and a small unit, the small one only when there is some.
func two(a int, unitA string, b int, unitB string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unitA)
	}
	return fmt.Sprintf("%d %s %d %s", a, unitA, b, unitB)
}
