package hooks

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"evenkeel/internal/problem"
)

func FuzzReadPing(f *testing.F) {
	f.Add("tok", "", "all well")
	f.Add("tok", "255", "\xff\x00")
	f.Add("", "start", "")
	f.Add(strings.Repeat("x", 200), "-0", strings.Repeat("é", MaxPingLog))
	f.Fuzz(func(t *testing.T, token, what, log string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(log))
		p, err := ReadPing(r, token, what, time.Now())
		if err != nil {
			if kind := problem.KindOf(err); kind != problem.KindNotFound && kind != problem.KindInvalid {
				t.Errorf("%q gives %v", what, err)
			}
			return
		}
		if len(p.Log) > 3*MaxPingLog || !utf8.ValidString(p.Log) || strings.Contains(p.Log, "\x00") || p.Exit < 0 || p.Exit > 255 {
			t.Errorf("%q gives %+v", what, p)
		}
	})
}
