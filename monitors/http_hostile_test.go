package monitors

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/status"
)

// Design section 10, promise 8: hostile answers end with a reason, soon, and
// within bounds.
func TestHTTPHostileAnswers(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 64 {
		z.Write(zeros)
	}
	z.Close()
	for _, c := range []struct {
		name   string
		serve  func(net.Conn)
		cause  status.Cause
		reason string
		expect config.Expect
	}{
		{"endless body", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := conn.Write(zeros); err != nil {
					return
				}
			}
		}, status.CauseBadAnswer, "longer than the 1048576 bytes of max_body", config.Expect{}},
		{"endless chunks", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for {
				if _, err := fmt.Fprintf(conn, "%x\r\n%s\r\n", len(zeros), zeros); err != nil {
					return
				}
			}
		}, status.CauseBadAnswer, "longer than", config.Expect{Body: "x"}},
		{"announced too long", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
		}, status.CauseBadAnswer, "more than the 1048576 of max_body", config.Expect{}},
		{"compressed bomb", func(conn net.Conn) {
			readRequest(conn)
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", bomb.Len())
			conn.Write(bomb.Bytes())
		}, status.CauseBadAnswer, "when decompressed", config.Expect{Body: "x"}},
		{"slow header", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for i := 0; ; i++ { // a byte whenever the other side has taken the one before, for ever
				if _, err := fmt.Fprintf(conn, "X-%d: ", i); err != nil {
					return
				}
				<-time.After(20 * time.Millisecond)
			}
		}, status.CauseNoAnswer, "reading the header: no answer in time", config.Expect{}},
		{"endless header", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("y", 1000)); err != nil {
					return
				}
			}
		}, status.CauseBadAnswer, "the header is larger than 64 KiB", config.Expect{}},
		{"endless interim answers", func(conn net.Conn) {
			readRequest(conn)
			for {
				if _, err := io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
					return
				}
			}
		}, status.CauseNoAnswer, "more than 8 answers before the final one", config.Expect{}},
		{"silence", func(conn net.Conn) { io.Copy(io.Discard, conn) }, status.CauseNoAnswer, "no answer in time", config.Expect{}},
		{"closed without an answer", func(conn net.Conn) { readRequest(conn) }, status.CauseNoAnswer, "closed without an answer", config.Expect{}},
		{"closed in the header", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-A")
		}, status.CauseBadAnswer, "closed in the middle", config.Expect{}},
		{"closed in the body", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		}, status.CauseBadAnswer, "reading the body: the connection was closed in the middle", config.Expect{}},
		{"closed in a chunk", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf")
		}, status.CauseBadAnswer, "closed in the middle", config.Expect{}},
		{"not HTTP", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "220 mail.example.org ESMTP\r\n")
		}, status.CauseBadAnswer, "the answer is not HTTP", config.Expect{}},
		{"binary noise", func(conn net.Conn) {
			readRequest(conn)
			conn.Write(bytes.Repeat([]byte{0, 1, 0xff, '\n'}, 500))
		}, status.CauseBadAnswer, "the answer is not HTTP", config.Expect{}},
		{"unknown charset", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=klingon\r\nContent-Length: 1\r\n\r\nx")
		}, status.CauseBadAnswer, `the charset "klingon", which nobody knows`, config.Expect{Body: "x"}},
		{"wrong charset", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\nx\xff")
		}, status.CauseBadAnswer, `not valid UTF-8`, config.Expect{Body: "x"}},
		{"broken gzip", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\nthis is not gzip at ")
		}, status.CauseBadAnswer, "broken", config.Expect{}},
		{"unknown compression", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 1\r\n\r\nx")
		}, status.CauseBadAnswer, `compressed as "zstd"`, config.Expect{}},
		{"JSON too large", func(conn net.Conn) {
			readRequest(conn)
			body := "[" + strings.Repeat("1,", maxJSONValues) + "1]"
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}, status.CauseBadAnswer, "values", config.Expect{JSON: map[string]string{"$[0]": "1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			timeout := 10 * time.Second
			if c.cause == status.CauseNoAnswer {
				timeout = 300 * time.Millisecond
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			res := probed(t, config.Monitor{Kind: "http", URL: "http://" + speaks(t, c.serve), Expect: c.expect}, timeout)
			runtime.ReadMemStats(&after)
			wantHTTP(t, res, status.Failed, c.cause, c.reason)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 48<<20 {
				t.Errorf("the run took %d MiB of memory", grown>>20)
			}
			for _, line := range append(res.Facts.Log, res.Reason) {
				if len(line) > maxLogLine+20 || strings.ContainsAny(line, "\r\n\x00") {
					t.Errorf("log line %q", line)
				}
			}
		})
	}
}

func TestHTTPRefusedAndUnresolvable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	res := probed(t, config.Monitor{Kind: "http", URL: "http://" + address}, time.Second)
	wantHTTP(t, res, status.Failed, status.CauseNoAnswer, "connecting: connection refused")
	if res.Latency != 0 {
		t.Errorf("latency %s of an answer that never came", res.Latency)
	}
	shut, err := netguard.New(netguard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := compiled(t, config.Monitor{Kind: "http", URL: "http://" + address}, Env{Guard: shut})
	res = Once(t.Context(), p, "key", "local", time.Second)
	wantHTTP(t, res, status.Inconclusive, status.CauseSelf, "127.0.0.1 is a loopback address; connecting there is not allowed")
}
