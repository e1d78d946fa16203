package monitors

import (
	"math"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// valueKeys are the options of every kind that records a number.
var valueKeys = []string{
	"value.unit", "value.warn_over", "value.fail_over", "value.warn_under", "value.fail_under",
}

// threshold says what a number means: over or under a fail limit is failed,
// over or under a warn limit is slow, everything else is good. A number that
// equals a limit is still within it.
type threshold struct {
	unit                                     string
	warnOver, failOver, warnUnder, failUnder *float64
}

// compileThreshold checks that the limits can be told apart: a fail limit that
// is reached before its warn limit, or limits that leave no good number, are
// mistakes. Errors: Invalid.
func compileThreshold(v config.Value) (threshold, error) {
	var found problem.Errors
	for _, limit := range []struct {
		field string
		value *float64
	}{
		{"value.warn_over", v.WarnOver}, {"value.fail_over", v.FailOver},
		{"value.warn_under", v.WarnUnder}, {"value.fail_under", v.FailUnder},
	} {
		if limit.value != nil && (math.IsNaN(*limit.value) || math.IsInf(*limit.value, 0)) {
			found = append(found, problem.Invalid(limit.field, "must be a number"))
		}
	}
	if v.WarnOver != nil && v.FailOver != nil && *v.FailOver < *v.WarnOver {
		found = append(found, problem.Invalid("value.fail_over", "must not be below warn_over"))
	}
	if v.WarnUnder != nil && v.FailUnder != nil && *v.FailUnder > *v.WarnUnder {
		found = append(found, problem.Invalid("value.fail_under", "must not be above warn_under"))
	}
	over, under := lowest(v.WarnOver, v.FailOver), highest(v.WarnUnder, v.FailUnder)
	if over != nil && under != nil && *over < *under {
		found = append(found, problem.Invalid("value", "the limits leave no good number: nothing is both at least %s and at most %s", number(*under), number(*over)))
	}
	return threshold{
		unit: v.Unit, warnOver: v.WarnOver, failOver: v.FailOver, warnUnder: v.WarnUnder, failUnder: v.FailUnder,
	}, found.Err()
}

// judge makes the result of a number that took latency to get. what names it
// in the reason: "the list jobs", "load1".
func (t threshold) judge(run *Run, what string, value float64, latency time.Duration) status.Result {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return run.Fail(status.CauseBadAnswer, "%s is %v, not a number to judge", what, value)
	}
	run.Log("%s is %s", what, t.text(value))
	var res status.Result
	switch {
	case t.failOver != nil && value > *t.failOver:
		res = run.Fail(status.CauseThreshold, "%s is %s, over the limit of %s", what, t.text(value), t.text(*t.failOver))
	case t.failUnder != nil && value < *t.failUnder:
		res = run.Fail(status.CauseThreshold, "%s is %s, under the limit of %s", what, t.text(value), t.text(*t.failUnder))
	case t.warnOver != nil && value > *t.warnOver:
		res = run.Slow(latency, status.CauseThreshold, "%s is %s, over the warning limit of %s", what, t.text(value), t.text(*t.warnOver))
	case t.warnUnder != nil && value < *t.warnUnder:
		res = run.Slow(latency, status.CauseThreshold, "%s is %s, under the warning limit of %s", what, t.text(value), t.text(*t.warnUnder))
	default:
		res = run.OK(latency)
	}
	res.Latency = latency
	res.Value, res.HasValue = value, true
	return res
}

// text writes a number with its unit.
func (t threshold) text(v float64) string {
	if t.unit == "" {
		return number(v)
	}
	return number(v) + " " + t.unit
}

// number writes a number the short way: 120, 0.25, 1.5e+12.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// parseNumber reads a number from foreign text, spaces around it allowed.
// Infinities and NaN are no numbers here.
func parseNumber(s string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

func lowest(a, b *float64) *float64 {
	if a == nil || (b != nil && *b < *a) {
		return b
	}
	return a
}

func highest(a, b *float64) *float64 {
	if a == nil || (b != nil && *b > *a) {
		return b
	}
	return a
}
