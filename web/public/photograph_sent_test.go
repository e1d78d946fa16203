package public

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/web/public/publictest"
)

// clocked is a writer that notes its deadline.
type clocked struct {
	bare
	deadline time.Time
}

func (c *clocked) SetWriteDeadline(at time.Time) error { c.deadline = at; return nil }

func TestOnlyAnAnswerThatASlowReaderHoldsUpHasADeadline(t *testing.T) {
	var room darkroom
	large := room.develop("/", sheet{body: bytes.Repeat([]byte("0123456789abcdef"), atOnce/8), kind: typeHTML}, publictest.Minute)
	for _, c := range []struct {
		ph     *Photograph
		accept string
		want   bool
	}{{large, "", true}, {large, "br", false}, {frontPhotograph(t), "br", false}} {
		w := &clocked{bare: bare{header: http.Header{}}}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", c.accept)
		c.ph.ServeHTTP(w, r)
		if got := !w.deadline.IsZero(); got != c.want {
			t.Errorf("%d bytes for %q: deadline %v, want %v", len(c.ph.bodies[accepted([]string{c.accept})]), c.accept, got, c.want)
		}
	}
}

// A cache freshens what it has with these, and keeps the policy that came with the bytes.
func TestUnchangedTellsWhatACacheNeeds(t *testing.T) {
	var room darkroom
	body := bytes.Repeat([]byte("<p>well</p>"), 100)
	page := room.develop("/", sheet{body: body, kind: typeHTML, policy: "default-src 'none'", html: true}, publictest.Minute)
	data := room.develop("/x.json", sheet{body: body, kind: "application/json", open: true}, publictest.Minute)
	for _, c := range []struct {
		ph   *Photograph
		want []string
	}{{page, []string{"Cache-Control", "Vary", "Etag"}}, {data, []string{"Cache-Control", "Vary", "Access-Control-Allow-Origin", "Etag"}}} {
		var got []string
		for _, f := range c.ph.same[brotlied] {
			got = append(got, f.name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("a 304 of %s tells (-want +got):\n%s", c.ph.path, diff)
		}
	}
}

func TestAsideLeavesTheProcessorsAsTheyWere(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	t.Setenv("GOMAXPROCS", "1")
	during := 0
	aside(func() { during = runtime.GOMAXPROCS(0) })
	if after := runtime.GOMAXPROCS(0); during != 2 || after != 1 {
		t.Errorf("on one processor there are %d during the work and %d after it, want 2 and 1", during, after)
	}
	runtime.GOMAXPROCS(3)
	aside(func() { during = runtime.GOMAXPROCS(0) })
	if during != 3 {
		t.Errorf("on three processors there are %d during the work", during)
	}
}
