package monitors

import (
	"math"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// TestThresholdJudges covers value monitors (S1-20, S4-30).
func TestThresholdJudges(t *testing.T) {
	limits, err := compileThreshold(config.Value{Unit: "jobs", WarnOver: new(100.0), FailOver: new(500.0), WarnUnder: new(2.0), FailUnder: new(1.0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		value   float64
		outcome status.Outcome
		cause   status.Cause
		reason  string
	}{
		{50, status.OK, status.CauseNone, ""},
		{100, status.OK, status.CauseNone, ""}, // a limit itself is still within
		{101, status.Slow, status.CauseThreshold, "the list is 101 jobs, over the warning limit of 100 jobs"},
		{500.5, status.Failed, status.CauseThreshold, "the list is 500.5 jobs, over the limit of 500 jobs"},
		{1.5, status.Slow, status.CauseThreshold, "under the warning limit of 2 jobs"},
		{0, status.Failed, status.CauseThreshold, "under the limit of 1 jobs"},
		{math.NaN(), status.Failed, status.CauseBadAnswer, "not a number to judge"},
		{math.Inf(1), status.Failed, status.CauseBadAnswer, "not a number to judge"},
	} {
		res := limits.judge(NewRun("m", "local", time.Time{}), "the list", row.value, time.Second)
		wantResult(t, res, row.outcome, row.cause, row.reason)
		if finite := !math.IsNaN(row.value) && !math.IsInf(row.value, 0); res.HasValue != finite || (finite && (res.Value != row.value || res.Latency != time.Second)) {
			t.Errorf("%v: value %v (%t), latency %s", row.value, res.Value, res.HasValue, res.Latency)
		}
	}
}

func TestNumbersAreWrittenShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 120: "120", 0.25: "0.25", -3: "-3", 1234567890: "1234567890", 1.0 / 3: "0.333333", 1e18: "1e+18"} {
		if got := number(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}
