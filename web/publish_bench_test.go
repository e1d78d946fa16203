package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/web"
	"evenkeel/web/public"
	"evenkeel/web/public/publictest"
)

// How long it takes from the entry of a published update until it stands on the
// page and in the API, and until the last of 2,000 open streams has heard of it,
// on a page of 1,000 components that something else changes all the time. The
// promise is 300 ms at p99.
func BenchmarkPublishReachesEverybody(b *testing.B) {
	const streams, components = 2000, 1000
	page := publictest.Storm(publictest.Large(components), 1, 5, 300)
	s, board := doorAndBoard(b, page, "")
	srv := httptest.NewServer(s.Public())
	b.Cleanup(srv.Close)
	b.Cleanup(s.CloseStreams)
	e := &ears{heard: make(chan int64, streams)}
	for n := range streams {
		// No address may listen more often than a household does.
		from := fmt.Sprintf("127.0.%d.%d:0", 1+n/public.MaxStreamsPerAddress/250, 1+n/public.MaxStreamsPerAddress%250)
		e.listen(b, srv.Listener.Addr().String(), from)
	}
	b.Cleanup(e.leave)
	for range streams {
		<-e.heard
	}
	var seen, told []time.Duration
	said := []journal.Sealed{{Entry: journal.Entry{Verb: "incident.updated", Subject: journal.Ref{Kind: "incident", ID: "storm"}, Audience: journal.AudiencePublic, Actor: access.Host}}}
	moved := []journal.Sealed{{Entry: journal.Entry{Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "c"}, Audience: journal.AudiencePublic, Actor: access.Hub}}}
	k := 0
	for b.Loop() {
		k++
		next := *page
		next.Incidents = slices.Clone(page.Incidents)
		next.Incidents[0].Name = fmt.Sprint("Update number ", k)
		next.Recent = next.Incidents
		next.Changed = page.Changed.Add(time.Duration(k) * time.Hour)
		board.Show(&next)
		s.Changed(moved) // what checks see comes in between, at any time
		<-time.After(time.Duration(k*137%1000) * time.Millisecond)
		next.Changed = next.Changed.Add(time.Minute)
		again := next
		again.Incidents = slices.Clone(next.Incidents)
		again.Incidents[0].Name += " is out"
		again.Recent = again.Incidents
		board.Show(&again)
		began := time.Now()
		s.Changed(said)
		for _, path := range []string{"/", "/api/v2/incidents/unresolved.json"} {
			for !shownAt(s, path, again.Incidents[0].Name) {
				<-time.After(time.Millisecond)
			}
		}
		seen = append(seen, time.Since(began))
		for waiting := streams; waiting > 0; {
			if v := <-e.heard; v >= again.Changed.UnixMilli() {
				waiting--
			}
		}
		told = append(told, time.Since(began))
	}
	slices.Sort(seen)
	slices.Sort(told)
	at := func(list []time.Duration, q float64) float64 {
		return float64(list[int(q*float64(len(list)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(seen, .99), "ms-page-p99")
	b.ReportMetric(at(told, .5), "ms-streams-p50")
	b.ReportMetric(at(told, .99), "ms-streams-p99")
	b.ReportMetric(0, "ns/op")
}

// shownAt reports whether an address shows a text.
func shownAt(s *web.Server, path, text string) bool {
	w := httptest.NewRecorder()
	s.Public().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return strings.Contains(w.Body.String(), text)
}

// ears are clients of the live stream; each tells the versions that it hears of.
type ears struct {
	heard chan int64
	conns []net.Conn
	all   sync.WaitGroup
}

func (e *ears) listen(b *testing.B, server, from string) {
	b.Helper()
	local, err := net.ResolveTCPAddr("tcp", from)
	if err != nil {
		b.Fatal(err)
	}
	dialer := net.Dialer{LocalAddr: local}
	c, err := dialer.DialContext(context.Background(), "tcp", server)
	if err != nil {
		b.Fatal(err)
	}
	e.conns = append(e.conns, c)
	if _, err := fmt.Fprintf(c, "GET /live HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		b.Fatal(err)
	}
	e.all.Go(func() {
		lines := bufio.NewScanner(c)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), `data: {"version":`); ok {
				number, _, _ := strings.Cut(data, ",")
				if v, err := strconv.ParseInt(number, 10, 64); err == nil {
					e.heard <- v
				}
			}
		}
	})
}

func (e *ears) leave() {
	for _, c := range e.conns {
		_ = c.Close()
	}
	e.all.Wait()
}
