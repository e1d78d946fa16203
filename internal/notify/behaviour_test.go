package notify

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify/notifytest"
)

// overHTTP opens every kind of channel that speaks HTTP, leading to one place.
func overHTTP(t *testing.T, h *House, to string) map[string]func(context.Context) error {
	t.Helper()
	f := config.File{Slack: config.Slack{URL: to + "/api/", Token: plainSecret(notifytest.SlackToken)}}
	fire := toTeam(incidentEvent("incident.opened", "investigating"))
	fire.Event.Alarm = notice.AlarmFire
	send := func(c notice.Channel, m notice.Message) func(context.Context) error {
		return func(ctx context.Context) error { _, err := c.Send(ctx, m); return err }
	}
	out := map[string]func(context.Context) error{}
	for kind, c := range map[string]config.Channel{
		"webhook":          {URL: plainSecret(to + "/hook"), Secret: plainSecret("s")},
		"statuspage":       {URL: plainSecret(to + "/hook")},
		"slack":            {URL: plainSecret(to + "/services/x")},
		"pagerduty":        {URL: plainSecret(to), Token: plainSecret(notifytest.PagerDutyKey)},
		"pagerduty_change": {URL: plainSecret(to), Token: plainSecret(notifytest.PagerDutyKey)},
		"alertmanager":     {URL: plainSecret(to)},
	} {
		c.ID, c.Kind = kind, kind
		out[kind] = send(open(t, h, f, c), fire)
	}
	out["slack bot"] = send(open(t, h, f, config.Channel{ID: "bot", Kind: "slack", To: []string{"C024BE91L"}}), fire)
	pulse, err := h.Pulse(config.Deadman{URL: plainSecret(to + "/ping")})
	if err != nil {
		t.Fatal(err)
	}
	out["pulse"] = send(pulse, fire)
	webhook, slack := h.Subscribers()
	mine := toSubscriber(fire.Event)
	mine.To.Address = to + "/mine"
	out["subscriber's webhook"], out["subscriber's slack"] = send(webhook, mine), send(slack, mine)
	challenge := webhook.(notice.Challenger)
	out["challenge"] = func(ctx context.Context) error { return challenge.Challenge(ctx, mine, "word") }
	return out
}

// anywhere lets subscribers' webhooks reach this machine, as an intranet's page does.
func anywhere(e *Env) { e.Strangers = netguard.Default() }

// TestChannelBehaviour: whatever the other side does, a channel says what
// it means and ends.
func TestChannelBehaviour(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		within time.Duration
		want   notice.Refusal // Reason is a beginning
	}{
		{"hangs", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, 150 * time.Millisecond, notice.Refusal{Reason: "no answer in time"}},
		{"500", status(500), 0, notice.Refusal{Reason: "answered 500 Internal Server Error"}},
		{"502 without a page", status(502), 0, notice.Refusal{Reason: "answered 502"}},
		{"503 and when to come again", status(503, "Retry-After", "30"), 0, notice.Refusal{RetryAfter: 30 * time.Second, Reason: "answered 503"}},
		{"429", status(429, "Retry-After", "7"), 0, notice.Refusal{RetryAfter: 7 * time.Second, Reason: "answered 429 Too Many Requests"}},
		{"429 for a year", status(429, "Retry-After", "31536000"), 0, notice.Refusal{RetryAfter: 24 * time.Hour, Reason: "answered 429"}},
		{"429 and nonsense", status(429, "Retry-After", "soon"), 0, notice.Refusal{Reason: "answered 429"}},
		{"408", status(408), 0, notice.Refusal{Reason: "answered 408"}},
		{"425", status(425), 0, notice.Refusal{Reason: "answered 425"}},
		{"410", status(410), 0, notice.Refusal{Permanent: true, Gone: true, Reason: "answered 410 Gone"}},
		{"400", status(400), 0, notice.Refusal{Permanent: true, Reason: "answered 400 Bad Request"}},
		{"401", status(401), 0, notice.Refusal{Permanent: true, Reason: "answered 401"}},
		{"redirect", status(302, "Location", "http://169.254.169.254/"), 0, notice.Refusal{Permanent: true, Reason: "answered 302 Found; redirects are not followed"}},
		{"permanent redirect", status(308, "Location", "/elsewhere"), 0, notice.Refusal{Permanent: true, Reason: "answered 308"}},
		{"status of its own", status(599), 0, notice.Refusal{Reason: "answered 599"}},
		{"huge error", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			for range 1 << 12 {
				if _, err := io.WriteString(w, strings.Repeat("x", 1<<12)); err != nil {
					return
				}
			}
		}, 0, notice.Refusal{Reason: "answered 500"}},
		{"closes", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		}, 0, notice.Refusal{Reason: "the connection was closed before an answer came"}},
		{"garbage", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = conn.Write([]byte("\x00\x01\x02 not HTTP at all\r\n\r\n"))
			_ = conn.Close()
		}, 0, notice.Refusal{Reason: "no usable answer"}},
		{"huge header", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}, 0, notice.Refusal{Reason: "no usable answer"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			end := notifytest.NewEndpoint(t)
			end.Answer(row.answer)
			for kind, send := range overHTTP(t, house(t, anywhere), end.URL) {
				ctx := within(t)
				if row.within > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, row.within)
					defer cancel()
				}
				r := *refusal(t, send(ctx))
				if !strings.HasPrefix(r.Reason, row.want.Reason) {
					t.Errorf("%s: reason %q, want %q", kind, r.Reason, row.want.Reason)
				}
				r.Reason, r.Err = row.want.Reason, nil
				if r != row.want {
					t.Errorf("%s: %+v, want %+v", kind, r, row.want)
				}
			}
			for _, r := range end.Requests() {
				if r.Header.Get("User-Agent") != "evenkeel/2.0.0" {
					t.Errorf("%s came as %q", r.Path, r.Header.Get("User-Agent"))
				}
			}
		})
	}
}

// TestChannelsReachNoForbiddenAddress: metadata and link-local addresses
// never, private ones not from subscribers; by name or by number.
func TestChannelsReachNoForbiddenAddress(t *testing.T) {
	for _, to := range []string{"http://169.254.169.254", "http://[fe80::1]", "http://[::ffff:169.254.169.254]", "http://100.100.100.200"} {
		for kind, send := range overHTTP(t, house(t, anywhere), to) {
			if r := refusal(t, send(within(t))); !r.Permanent || !strings.Contains(r.Reason, "is not allowed") {
				t.Errorf("%s to %s: %+v", kind, to, r)
			}
		}
	}
	end := notifytest.NewEndpoint(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(end.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for kind, send := range overHTTP(t, house(t), "http://localhost:"+port) {
		err := send(within(t))
		strange := strings.HasPrefix(kind, "subscriber") || kind == "challenge"
		if strange != (err != nil && strings.Contains(err.Error(), "loopback")) {
			t.Errorf("%s to this machine: %v", kind, err)
		}
	}
}

func TestChannelClosedPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := "http://" + l.Addr().String()
	l.Close()
	for kind, send := range overHTTP(t, house(t, anywhere), to) {
		if r := refusal(t, send(within(t))); r.Permanent || r.Reason != "connection refused" {
			t.Errorf("%s: %+v", kind, r)
		}
	}
}

// TestRefusalsKeepSecrets: what staff and logs read of trouble never repeats an
// address, which may be one.
func TestRefusalsKeepSecrets(t *testing.T) {
	end := notifytest.NewEndpoint(t)
	end.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	down := "http://127.0.0.1:1"
	for _, base := range []string{end.URL, down, "http://no-such-host.invalid"} {
		ch := open(t, house(t), config.File{}, config.Channel{Kind: "webhook", URL: plainSecret(base + "/hunter2?token=hunter2"), Token: plainSecret("hunter2")})
		_, err := ch.Send(within(t), toTeam(incidentEvent("incident.opened", "investigating")))
		if r := refusal(t, err); strings.Contains(r.Error(), "hunter2") {
			t.Errorf("%v", r)
		}
	}
}
