package console

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// sealed is an entry about something.
func sealed(seq int64, kind string) journal.Sealed {
	return journal.Sealed{Seq: seq, Entry: journal.Entry{Verb: kind + ".changed", Subject: journal.Ref{Kind: kind, ID: "x"}, RecordedAt: noon.Add(-100 * time.Millisecond)}}
}

// listen opens a stream and gives its lines.
func listen(t *testing.T, srv *httptest.Server, last string) (<-chan string, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/console/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	return lines, resp
}

// await reads lines until one holds a text.
func await(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the stream ended before %q", want)
			}
			if strings.Contains(line, want) {
				return
			}
		case <-late:
			t.Fatalf("no %q", want)
		}
	}
}

func TestStreamTellsTopicsAndWhatWasMissed(t *testing.T) {
	c := sample(t, estate())
	srv := httptest.NewServer(serve(t, c, access.RoleViewer))
	defer srv.Close()
	defer c.CloseStreams()
	c.Begin(6)
	lines, _ := listen(t, srv, "")
	await(t, lines, `"seq":6`)
	c.Follow([]journal.Sealed{sealed(7, "component"), sealed(8, "incident")})
	await(t, lines, "id: 8")
	await(t, lines, `"topics":["component","incident"]`)
	c.Follow([]journal.Sealed{sealed(9, "alert")})
	again, _ := listen(t, srv, "7")
	await(t, again, `"topics":["alert","component","incident"]`)
	// What this process never saw may be anything.
	old, _ := listen(t, srv, "3")
	await(t, old, `"*"`)
}

func TestStreamsOfOnePersonAreBounded(t *testing.T) {
	c := sample(t, estate())
	srv := httptest.NewServer(serve(t, c, access.RoleViewer))
	defer srv.Close()
	defer c.CloseStreams()
	for range MaxStreamsEach {
		if _, resp := listen(t, srv, ""); resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status)
		}
	}
	if _, resp := listen(t, srv, ""); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %s", resp.Status)
	}
}

func TestClosedStreamsEnd(t *testing.T) {
	c := sample(t, estate())
	srv := httptest.NewServer(serve(t, c, access.RoleViewer))
	defer srv.Close()
	lines, _ := listen(t, srv, "")
	await(t, lines, "hello")
	c.CloseStreams()
	for line := range lines { // until it ends
		_ = line
	}
}

// TestFollowedEntriesMakeTheRecordBeReadAnew: a page never shows what was before
// an entry that was followed.
func TestFollowedEntriesMakeTheRecordBeReadAnew(t *testing.T) {
	c := sample(t, estate())
	before, err := c.roll.state(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.roll.state(t.Context()); again != before {
		t.Error("it is read again for nothing")
	}
	c.Follow([]journal.Sealed{sealed(10, "delivery")})
	if again, _ := c.roll.state(t.Context()); again != before {
		t.Error("a delivery makes it be read again")
	}
	c.Follow([]journal.Sealed{sealed(11, "component")})
	if again, _ := c.roll.state(t.Context()); again == before {
		t.Error("it is not read again")
	}
}
