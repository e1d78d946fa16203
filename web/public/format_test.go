package public

import (
	"math"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/status"
	"evenkeel/web/public/publictest"
)

func TestPercentIsRoundedDown(t *testing.T) {
	for _, c := range []struct {
		v           float64
		short, long string
	}{
		{1, "100%", "100.000%"}, {0.9998, "99.98%", "99.980%"}, {0.99999999, "99.99%", "99.999%"}, {0.999, "99.90%", "99.900%"},
		{0.123456, "12.34%", "12.345%"}, {0, "0.00%", "0.000%"}, {math.NaN(), "", "–"}, {1 - 1e-16, "99.99%", "99.999%"},
	} {
		if got := uptimeShort(c.v); got != c.short {
			t.Errorf("%v is shown as %s, want %s", c.v, got, c.short)
		}
		if got := uptimeLong(c.v); got != c.long {
			t.Errorf("%v is shown as %s, want %s", c.v, got, c.long)
		}
	}
}

func TestQuantities(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{0.0004, "s", "under 1 ms"}, {0.088, "s", "88 ms"}, {0.9994, "s", "999 ms"}, {0.9996, "s", "1 s"}, {2.94, "s", "2.9 s"}, {9.97, "s", "10 s"}, {167, "s", "167 s"},
		{math.NaN(), "s", ""}, {42.5, "%", "42.5%"}, {12345678, "jobs", "12345678 jobs"}, {0.25, "", "0.25"}, {math.NaN(), "GB", ""},
	} {
		if got := quantity(c.v, c.unit); got != c.want {
			t.Errorf("%v %s is shown as %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestLengths(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 400 * time.Millisecond: "1 s", 45 * time.Second: "45 s", 32 * time.Minute: "32 min", 3 * time.Hour: "3 h", 130 * time.Minute: "2 h 10 min",
		14*24*time.Hour + 4*time.Hour: "14 d 4 h", 24 * time.Hour: "1 d",
	} {
		if got := length(d); got != want {
			t.Errorf("%s is shown as %q, want %q", d, got, want)
		}
	}
}

func TestTimesAreInThePagesZoneAndUTC(t *testing.T) {
	c := clockIn("Europe/Paris")
	at := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	if got, want := string(c.hours(at, at.Add(30*time.Minute))), `<time datetime="2026-11-22T05:00Z" data-t="c">06:00</time> to <time datetime="2026-11-22T05:30Z" data-t="c">06:30</time> <span data-z="2026-11-22T05:00Z">CET</span><span data-utc> (05:00 to 05:30 UTC)</span>`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(clockIn("Etc/UTC").hours(at, at.Add(20*time.Hour))); !strings.Contains(got, "23 Nov 01:00") {
		t.Errorf("the end on another day is written %s", got)
	}
	if got := c.sinceWords(at, at.Add(23*time.Hour)); got != "06:00 CET yesterday" {
		t.Errorf("yesterday is written %q", got)
	}
	if got := c.days(at, at.AddDate(0, 0, 20)); got != "22 November to 12 December" {
		t.Errorf("a stretch of days is written %q", got)
	}
	if got := clockIn("Not/AZone").note(); got != "All times are UTC." {
		t.Errorf("an unknown zone is written %q", got)
	}
}

func TestFormulaIsPrintedWithItsWeights(t *testing.T) {
	for _, c := range []struct {
		w    status.Weights
		want []string
	}{
		{publictest.Formula, []string{"A major outage counts in full, a partial outage counts for 30%. Slow answers do not count;"}},
		{status.Weights{Major: 0.5, Partial: 0, Degraded: 0.125}, []string{"counts for 50%", "a partial outage does not count", "Slow answers count for 12.5%"}},
		{status.Weights{Major: 1, Partial: 1, Degraded: 1}, []string{"Slow answers count in full"}},
	} {
		for _, want := range c.want {
			if got := formulaText(c.w, "over 90 days"); !strings.Contains(got, want) {
				t.Errorf("%+v is printed as %q, want %q in it", c.w, got, want)
			}
		}
	}
}

// A day with trouble leads to the incident that tells of it, when there is one.
func TestBarsLeadToTheIncidentOfTheDay(t *testing.T) {
	midnight := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	days := []status.Day{
		{Date: midnight.AddDate(0, 0, -2), Worst: status.Degraded, Story: "nobody told of this"},
		{Date: midnight.AddDate(0, 0, -1), Worst: status.MajorOutage, Story: "it began"},
		{Date: midnight, Worst: status.MajorOutage, Story: "it ended, another began"},
	}
	got := string(bars(days, "/x", []status.Incident{
		{ID: "new", StartedAt: midnight.Add(20 * time.Hour)},
		{ID: "old", StartedAt: midnight.Add(-time.Hour), ResolvedAt: midnight.Add(time.Hour)},
	}))
	for _, want := range []string{`<a href="/x" class="t l d8 u7"><span>nobody`, `<a href="/incidents/old" class="t l d8 u8"><span>it began`, `<a href="/incidents/new" class="t l d8 u9"><span>it ended`} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in %s", want, got)
		}
	}
}

func TestBarsAreOneLinePerStatus(t *testing.T) {
	days := make([]status.Day, 90)
	for i := range days {
		days[i].Worst = status.Operational
	}
	quiet := string(bars(days, "/x", nil))
	if strings.Count(quiet, "<path") != 1 || !strings.Contains(quiet, `d="M0 22h540"`) || !strings.Contains(quiet, "90 of 90 days without trouble") || strings.Contains(quiet, "<a") {
		t.Errorf("a quiet component is drawn as %s", quiet)
	}
	days[37] = status.Day{Worst: status.MajorOutage, Story: "14 Oct: <b>"}
	days[38] = days[37]
	days[60].Worst, days[60].Story = status.UnderMaintenance, "6 Nov: planned maintenance for 20 min"
	for i := range 5 {
		days[i] = status.Day{Worst: status.NotMeasured, Before: true, Story: "never"}
	}
	bad := string(bars(days, "/x", nil))
	for _, want := range []string{`class="a" d="M30 22h510"`, `class="d" d="M222 16h12"`, `class="e" d="M360 26h6"`, `class="g" d="M360 22h6"`, `class="f" d="M0 30h30"`,
		`<a href="/x" class="t d3 u7"><span>14 Oct: &lt;b&gt;</span></a>`, `class="t l d6"`, "82 of 85 days without trouble"} {
		if !strings.Contains(bad, want) {
			t.Errorf("there is no %s in %s", want, bad)
		}
	}
	if strings.Contains(bad, "never") {
		t.Error("a day before the component existed tells a story")
	}
	if got := string(bars(nil, "/x", nil)); !strings.Contains(got, "Not watched") {
		t.Errorf("a component without days is drawn as %s", got)
	}
	if got := string(bars(days[80:], "/x", nil)); !strings.Contains(got, `M480 22h60`) {
		t.Errorf("fewer days do not stand at the right: %s", got)
	}
}

func TestSparklineKeepsGaps(t *testing.T) {
	nan := math.NaN()
	if got := sparkline([]float64{nan, nan}); got != "" {
		t.Errorf("no measurement is drawn as %s", got)
	}
	got := string(sparkline([]float64{1, 2, nan, 3, nan, 2, 1}))
	if strings.Count(got, "M") != 3 || !strings.Contains(got, "h0") {
		t.Errorf("gaps are lost in %s", got)
	}
}

func TestScaleIsRoundAndFits(t *testing.T) {
	for _, c := range []struct{ top, limit, step float64 }{{0.19, 0, 0.075}, {2.9, 1, 1}, {0.0004, 0, 0.00015}, {950, 0, 300}} {
		s := scaleOf([]status.Chart{{Median: []float64{c.top, math.NaN()}, P95: []float64{c.top * 1.1, math.NaN()}, Limit: c.limit}})
		if c.top > 4*s.step || math.Abs(s.step-c.step) > c.step/1e6 {
			t.Errorf("%v is drawn in steps of %v, want %v", c.top, s.step, c.step)
		}
	}
	spiky := status.Chart{Median: make([]float64, 300), P95: make([]float64, 300)}
	for i := range spiky.Median {
		spiky.Median[i], spiky.P95[i] = 0.05, 0.08
	}
	spiky.P95[7] = 60
	if s := scaleOf([]status.Chart{spiky}); s.step > 0.05 {
		t.Errorf("one spike flattens the chart to steps of %v", s.step)
	}
	if s := scaleOf(nil); s.step != 1 {
		t.Errorf("nothing is drawn in steps of %v", s.step)
	}
}
