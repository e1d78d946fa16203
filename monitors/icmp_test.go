package monitors

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// ping skips where the kernel lets this account send no pings.
func ping(t *testing.T, spec config.Monitor, limit time.Duration) status.Result {
	t.Helper()
	spec.Kind = "icmp"
	res := askWithin(t, spec, limit)
	if res.Outcome == status.Inconclusive {
		t.Skip("SKIP: " + res.Reason)
	}
	return res
}

func TestICMPLoopbackAnswers(t *testing.T) {
	for _, spec := range []config.Monitor{
		{Target: "127.0.0.1"},
		{Target: "localhost", IP: "4", Count: 5, Size: 1000, Expect: config.Expect{Condition: "loss == 0 && lowest <= latency && latency <= highest && jitter < 1000"}},
		{Target: "::1"},
	} {
		res := ping(t, spec, 5*time.Second)
		if spec.Target == "::1" && res.Outcome == status.Failed {
			t.Logf("no IPv6 here: %s", res.Reason)
			continue
		}
		wantResult(t, res, status.OK, status.CauseNone, "")
		if res.Latency <= 0 || res.Latency != res.Phases[status.PhaseWait] || res.Facts.Loss != 0 || res.Facts.IPVersion == 0 {
			t.Errorf("%s: latency %s, phases %v, facts %+v", spec.Target, res.Latency, res.Phases, res.Facts)
		}
	}
}

// echoHost is a host that answers pings in its own way: answer gives the
// packets that come back for one that was sent.
type echoHost struct {
	net.PacketConn
	answer  func(wire []byte) [][]byte
	packets chan []byte

	mu  sync.Mutex
	end time.Time
}

func (h *echoHost) WriteTo(b []byte, _ net.Addr) (int, error) {
	for _, p := range h.answer(b) {
		h.packets <- p
	}
	return len(b), nil
}

func (h *echoHost) SetReadDeadline(t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end = t
	return nil
}

func (h *echoHost) SetDeadline(t time.Time) error { return h.SetReadDeadline(t) }

func (h *echoHost) ReadFrom(b []byte) (int, net.Addr, error) {
	h.mu.Lock()
	end := h.end
	h.mu.Unlock()
	select {
	case p := <-h.packets:
		return copy(b, p), &net.IPAddr{IP: net.IPv4(192, 0, 2, 1)}, nil
	case <-time.After(time.Until(end)):
		return 0, nil, os.ErrDeadlineExceeded
	}
}

// replyTo turns an echo request into its reply, changed by alter.
func replyTo(wire []byte, alter func(*icmp.Echo)) []byte {
	m, err := icmp.ParseMessage(1, wire)
	if err != nil {
		panic(err)
	}
	alter(m.Body.(*icmp.Echo))
	m.Type = ipv4.ICMPTypeEchoReply
	out, err := m.Marshal(nil)
	if err != nil {
		panic(err)
	}
	return out
}

func TestICMPCountsOnlyItsOwnAnswersOnce(t *testing.T) {
	same := func(*icmp.Echo) {}
	for _, row := range []struct {
		name   string
		answer func(wire []byte) [][]byte
		want   int
	}{
		{"all", func(w []byte) [][]byte { return [][]byte{replyTo(w, same)} }, 4},
		{"none", func([]byte) [][]byte { return nil }, 0},
		{"twice", func(w []byte) [][]byte { return [][]byte{replyTo(w, same), replyTo(w, same)} }, 4},
		{"every second", func(w []byte) [][]byte {
			var out [][]byte
			p := replyTo(w, func(e *icmp.Echo) {
				if e.Seq%2 == 1 {
					out = make([][]byte, 1)
				}
			})
			for i := range out {
				out[i] = p
			}
			return out
		}, 2},
		{"of others", func(w []byte) [][]byte { return [][]byte{replyTo(w, func(e *icmp.Echo) { e.Data[0]++ })} }, 0},
		{"to what was never sent", func(w []byte) [][]byte {
			return [][]byte{replyTo(w, func(e *icmp.Echo) { e.Data[tokenSize] = 0xff })}
		}, 0},
		{"garbage", func([]byte) [][]byte { return [][]byte{nil, {0}, make([]byte, 8), make([]byte, 2000)} }, 0},
		{"our own request", func(w []byte) [][]byte { return [][]byte{w} }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			c := &echoConn{
				PacketConn: &echoHost{answer: row.answer, packets: make(chan []byte, 100)},
				from:       netip.MustParseAddr("192.0.2.1"), request: ipv4.ICMPTypeEcho, reply: ipv4.ICMPTypeEchoReply, proto: 1,
			}
			run := NewRun("m", "local", time.Now())
			trips, err := c.echo(ctx, run, 4, minSize)
			if err != nil || len(trips) != row.want {
				t.Errorf("%s: got %d answers, %v; want %d", row.name, len(trips), err, row.want)
			}
			switch took := run.Elapsed(); {
			case row.want == 4 && took > 3*pingGap, row.want == 2 && took > 3*pingGap+pingLinger, took > 5*time.Second:
				t.Errorf("%s: took %s", row.name, took)
			}
		})
	}
}

func TestICMPUnknownHost(t *testing.T) {
	res := ping(t, config.Monitor{Target: "no-such-host.invalid"}, 2*time.Second)
	if res.Outcome != status.Failed || res.Cause != status.CauseNoAnswer {
		t.Errorf("got %s, cause %d, %q", res.Outcome, res.Cause, res.Reason)
	}
}

func TestICMPIsGuarded(t *testing.T) {
	wantResult(t, ask(t, config.Monitor{Kind: "icmp", Target: "169.254.169.254"}), status.Inconclusive, status.CauseSelf, "link-local")
}

func TestICMPLossAndJitter(t *testing.T) {
	p := &icmpProbe{count: 4}
	run := NewRun("m", "local", time.Time{})
	res := p.judge(run, []time.Duration{10 * time.Millisecond, 30 * time.Millisecond, 20 * time.Millisecond})
	wantResult(t, res, status.OK, status.CauseNone, "")
	if res.Latency != 20*time.Millisecond || res.Facts.Loss != 0.25 || res.Facts.Jitter != 15*time.Millisecond {
		t.Errorf("latency %s, loss %v, jitter %s", res.Latency, res.Facts.Loss, res.Facts.Jitter)
	}
	cond, err := new(NewEnv(Env{})).Condition("expect.condition", "loss < 0.2", icmpFacts{})
	if err != nil {
		t.Fatal(err)
	}
	strict := &icmpProbe{count: 4, cond: cond}
	wantResult(t, strict.judge(NewRun("m", "local", time.Time{}), []time.Duration{1, 1, 1}), status.Failed, status.CauseBadAnswer, "loss is 0.25")
	res = p.judge(NewRun("m", "local", time.Time{}), nil)
	wantResult(t, res, status.Failed, status.CauseNoAnswer, "none of 4 packets was answered")
	if res.Facts.Loss != 1 {
		t.Errorf("loss %v", res.Facts.Loss)
	}
}
