package monitors

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPluginOutputOfTheGuidelines(t *testing.T) {
	inf := math.Inf(1)
	for _, row := range []struct {
		name string
		out  string
		want pluginOutput
	}{
		{"nothing", "", pluginOutput{}},
		{"text only", "OK - all is well\n", pluginOutput{Text: "OK - all is well"}},
		{"the classic ping", "PING ok - Packet loss = 0%, RTA = 0.80 ms | percent_packet_loss=0, rta=0.80\n", pluginOutput{
			Text: "PING ok - Packet loss = 0%, RTA = 0.80 ms",
			Perf: []perf{{Label: "percent_packet_loss"}, {Label: "rta", Value: 0.8}},
		}},
		{"all fields", "DISK OK | '/var/log space'=2643MB;5948;5958;0;5968", pluginOutput{
			Text: "DISK OK",
			Perf: []perf{{Label: "/var/log space", Value: 2643, Unit: "MB", Warn: &perfRange{High: 5948}, Crit: &perfRange{High: 5958}, Min: new(0.0), Max: new(5968.0)}},
		}},
		{"quotes and equals signs in a label", "x | 'it''s = 5'=1s 'b'=2", pluginOutput{
			Text: "x", Perf: []perf{{Label: "it's = 5", Value: 1, Unit: "s"}, {Label: "b", Value: 2}},
		}},
		{"ranges", "x | a=1;10:;~:5;; b=2%;@3:4;-1.5:2e3", pluginOutput{
			Text: "x",
			Perf: []perf{
				{Label: "a", Value: 1, Warn: &perfRange{Low: 10, High: inf}, Crit: &perfRange{Low: -inf, High: 5}},
				{Label: "b", Value: 2, Unit: "%", Warn: &perfRange{Low: 3, High: 4, Inside: true}, Crit: &perfRange{Low: -1.5, High: 2000}},
			},
		}},
		{"unknown value", "x | a=U b=-1.5e-3s", pluginOutput{Text: "x", Perf: []perf{{Label: "a", Unknown: true}, {Label: "b", Value: -0.0015, Unit: "s"}}}},
		{"an odd entry does not hide the next", "x | what a= b=1;x c=3", pluginOutput{
			Text: "x", Perf: []perf{{Label: "c", Value: 3}}, Bad: []string{"what", "a=", "b=1;x"},
		}},
		{"long text and more data", "DISK OK - free space: / 3326 MB; | /=2643MB;5948;5958;0;5968\r\n/ 15272 MB;\n/boot 68 MB; | /boot=68MB;88;93;0;98\n/home=69357MB\n", pluginOutput{
			Text: "DISK OK - free space: / 3326 MB;",
			Long: []string{"/ 15272 MB;", "/boot 68 MB;"},
			Perf: []perf{
				{Label: "/", Value: 2643, Unit: "MB", Warn: &perfRange{High: 5948}, Crit: &perfRange{High: 5958}, Min: new(0.0), Max: new(5968.0)},
				{Label: "/boot", Value: 68, Unit: "MB", Warn: &perfRange{High: 88}, Crit: &perfRange{High: 93}, Min: new(0.0), Max: new(98.0)},
				{Label: "/home", Value: 69357, Unit: "MB"},
			},
		}},
	} {
		if diff := cmp.Diff(row.want, parsePlugin(row.out)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestPerfRangeAlerts(t *testing.T) {
	for _, row := range []struct {
		text string
		v    float64
		want bool
	}{
		{"10", -1, true}, {"10", 0, false}, {"10", 10, false}, {"10", 11, true},
		{"10:", 9, true}, {"10:", 10, false},
		{"~:10", -99, false}, {"~:10", 11, true},
		{"10:20", 9, true}, {"10:20", 15, false},
		{"@10:20", 9, false}, {"@10:20", 10, true}, {"@10:20", 21, false},
	} {
		r, err := parsePerfRange(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if got := r.alerts(row.v); got != row.want {
			t.Errorf("%s of %v: got %t", row.text, row.v, got)
		}
	}
	for _, text := range []string{"", ":", "@", "a", "20:10", "10:x", "NaN", "inf"} {
		if r, err := parsePerfRange(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, r)
		}
	}
	var none *perfRange
	if none.alerts(5) {
		t.Error("no range alerts")
	}
}

func FuzzPerfdata(f *testing.F) {
	for _, s := range []string{
		"OK | a=1", "x | 'it''s'=1s;@1:2;~:3;0;9 b=U", "x\nlong | c=1e5", "x | '", "x | ''=1", "|||", "x | a=1;;;;;", "x | a=1e", "x | =", "x | 'a'b=1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, out string) {
		p := parsePlugin(out)
		if len(p.Perf) > maxPerfdata || len(p.Bad) > maxPerfdata {
			t.Fatalf("%d entries and %d others, at most %d each", len(p.Perf), len(p.Bad), maxPerfdata)
		}
		for _, e := range p.Perf {
			if e.Label == "" || len(e.Label) > maxPerfLabel+1 || math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
				t.Fatalf("entry %+v", e)
			}
			if e.Warn != nil && !(e.Warn.Low <= e.Warn.High) {
				t.Fatalf("range %+v", e.Warn)
			}
			if word := metricWord(e.Label); strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				t.Fatalf("metric word %q", word)
			}
		}
	})
}
