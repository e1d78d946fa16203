package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"evenkeel/internal/api"
	keys "evenkeel/internal/secret"
	"evenkeel/internal/testkit"
)

// readers is how many subscribers are told in these tests.
const readers = 200

// telling bounds how long it takes until everybody has heard: a lease and claims
// of who was killed must run out first.
const telling = 5 * time.Minute

// crowd is an endpoint of many webhook subscribers, each at a path of its own. It
// does what docs/notices.md tells receivers to: a delivery that it has seen is no
// second message.
type crowd struct {
	url string

	mu    sync.Mutex
	slow  time.Duration
	heard map[string]map[string]bool // words of an update → deliveries that brought them
	by    map[string]string          // delivery → path
	wrong []string
	came  int
}

func newCrowd(tb testing.TB) *crowd {
	tb.Helper()
	c := &crowd{heard: map[string]map[string]bool{}, by: map[string]string{}}
	server := httptest.NewServer(c)
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	c.url = server.URL
	return c
}

// ServeHTTP takes a message.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Component json.RawMessage `json:"component_update"`
		Incident  struct {
			Updates []struct{ Body string } `json:"incident_updates"`
		}
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	c.mu.Lock()
	slow, id := c.slow, r.Header.Get("Evenkeel-Delivery")
	c.came++
	switch path, known := c.by[id]; {
	case body.Component != nil: // that one has changed is told beside what is said of it
	case err != nil || id == "" || len(body.Incident.Updates) == 0:
		c.wrong = append(c.wrong, fmt.Sprintf("%s %q: %v", r.URL.Path, id, err))
	case known && path != r.URL.Path:
		c.wrong = append(c.wrong, fmt.Sprintf("delivery %s came to %s and to %s", id, path, r.URL.Path))
	default:
		c.by[id] = r.URL.Path
		words := body.Incident.Updates[0].Body
		if c.heard[words] == nil {
			c.heard[words] = map[string]bool{}
		}
		c.heard[words][id] = true
	}
	c.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
		}
	}
}

// answersAfter sets how long every answer takes.
func (c *crowd) answersAfter(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slow = d
}

// told gives how many different deliveries brought these words.
func (c *crowd) told(words string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.heard[words])
}

// once fails unless every reader heard these words by exactly one delivery.
func (c *crowd) once(tb testing.TB, words string) {
	tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	times := map[string]int{}
	for id := range c.heard[words] {
		times[c.by[id]]++
	}
	if len(times) != readers {
		tb.Errorf("%q reached %d of %d", words, len(times), readers)
	}
	for path, n := range times {
		if n != 1 {
			tb.Errorf("%s heard %q by %d deliveries", path, words, n)
		}
	}
	for _, w := range c.wrong {
		tb.Error(w)
	}
	c.wrong = nil
}

// gather subscribes everybody.
func (h hub) gather(c *crowd) {
	h.tb.Helper()
	var csv strings.Builder
	csv.WriteString("mode,address\n")
	for n := range readers {
		fmt.Fprintf(&csv, "webhook,%s/%d\n", c.url, n)
	}
	h.await("the API", func() bool { return h.ask(http.MethodGet, h.admin+"/api/v1/subscribers", "").code == http.StatusOK })
	if a := h.ask(http.MethodPost, h.admin+"/api/v1/subscribers/csv", csv.String()); a.code != http.StatusOK || !strings.Contains(a.body, strconv.Itoa(readers)) {
		h.tb.Fatalf("subscribe %d: %d %s", readers, a.code, a.body)
	}
}

// under does something that may be done once, under a key. An answer of code 0
// is none: the hub was gone.
func (h hub) under(key, path string, body any) answer {
	h.tb.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		h.tb.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.tb.Context(), http.MethodPost, h.admin+path, strings.NewReader(string(text)))
	if err != nil {
		h.tb.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", key)
	resp, err := client.Do(req)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer resp.Body.Close()
	var out strings.Builder
	_ = resp.Write(&out) // what was cut off is no answer that counts
	return answer{resp.StatusCode, resp.Header, out.String()}
}

// settled waits until everybody has heard the words and nothing is due any more,
// and gives the deliveries to subscribers.
func (h hub) settled(c *crowd, words string) []api.Delivery {
	h.tb.Helper()
	var all []api.Delivery
	testkit.Await(h.tb, "everybody to hear "+words, telling, func() bool { return c.told(words) >= readers })
	testkit.Await(h.tb, "every delivery to come to its end", telling, func() bool {
		all = nil
		for after := ""; ; {
			var page api.Deliveries
			if !h.manage("/api/v1/deliveries?limit=500&after="+after, &page) {
				return false
			}
			for _, d := range page.Deliveries {
				if strings.HasPrefix(d.Recipient, "subscriber/") {
					all = append(all, d)
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
		return !slices.ContainsFunc(all, func(d api.Delivery) bool { return d.State == "queued" || d.State == "sending" || d.State == "retrying" })
	})
	return all
}

// rowsOnce fails when somebody has two rows of an event, or one that failed.
func rowsOnce(tb testing.TB, all []api.Delivery) {
	tb.Helper()
	seen := map[string]bool{}
	for _, d := range all {
		key := d.EventID + " " + d.Recipient + " " + d.Channel
		if seen[key] {
			tb.Errorf("two rows for %s", key)
		}
		seen[key] = true
		if d.State != "sent" {
			tb.Errorf("%s to %s is %s: %s", d.Event, d.Recipient, d.State, d.Reason)
		}
	}
}

const shopPage = `
page: {name: Example Ltd, url: "https://status.example.org"}
components: [{id: shop, name: Web shop}]
subscribers: {allow_private: true}
`

// engineOf puts a site onto an engine.
func engineOf(tb testing.TB, postgres bool) site {
	tb.Helper()
	s := newSite(tb)
	if postgres {
		s.database = testkit.Postgres(tb)
	}
	return s
}

// TestKilledWhileTelling (design 10.1): kill -9 while an update is published and
// 200 subscribers are being told of it, again and again: every update stands in
// the incident once, every subscriber hears of each, and by one delivery only.
func TestKilledWhileTelling(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the real program is left to the long run")
	}
	for name, postgres := range map[string]bool{"sqlite": false, "postgresql": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			evenkeel(t)
			s, c := engineOf(t, postgres), newCrowd(t)
			path := s.config(t, shopPage)
			hub := launch(t, path)
			hub.gather(c)
			var i api.Incident
			if a := hub.act(http.MethodPost, "/api/v1/incidents", api.NewIncident{Name: "Slow", Body: "Words 0.", Publish: true, Components: []api.Says{{ID: "shop", Status: "degraded_performance"}}}, &i); a.code != http.StatusOK {
				t.Fatalf("declare: %d %s", a.code, a.body)
			}
			c.answersAfter(20 * time.Millisecond)
			const updates = 3
			for n := 1; n <= updates; n++ {
				words := fmt.Sprintf("Words %d.", n)
				publish := func() answer {
					return hub.under(words, "/api/v1/incidents/"+i.ID+"/updates", api.NewUpdate{Body: words, State: "identified"})
				}
				var published sync.WaitGroup
				published.Go(func() { publish() }) // it may be cut off
				pass(t, rand.N(400*time.Millisecond))
				hub.kill()
				published.Wait()
				hub = launch(t, path)
				hub.await("the update to be taken", func() bool { return publish().code == http.StatusOK })
			}
			rowsOnce(t, hub.settled(c, fmt.Sprintf("Words %d.", updates)))
			for n := range updates + 1 {
				c.once(t, fmt.Sprintf("Words %d.", n))
			}
			var lines api.IncidentLines
			if !hub.manage("/api/v1/incidents/"+i.ID+"/updates", &lines) {
				t.Fatal("no timeline")
			}
			said := 0
			for _, l := range lines.Updates {
				if l.Kind == "update" {
					said++
				}
			}
			if said != updates+1 {
				t.Errorf("%d updates stand in the incident, want %d", said, updates+1)
			}
			if code := hub.terminate(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			s.read(t)
		})
	}
}

// TestDatabaseAwayWhileTelling (design 10.1, 10.3): PostgreSQL crashes while
// subscribers are being told, and comes back: nothing is lost, and nobody takes a
// message for a second one.
func TestDatabaseAwayWhileTelling(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waiting out a database is left to the long run")
	}
	postgres, c, s := testkit.NewPostgres(t), newCrowd(t), newSite(t)
	s.database = postgres.Database(t)
	h := boot(t, s, shopPage)
	h.gather(c)
	c.answersAfter(100 * time.Millisecond)
	if a := h.act(http.MethodPost, "/api/v1/incidents", api.NewIncident{Name: "Slow", Body: "First words.", Publish: true, Components: []api.Says{{ID: "shop", Status: "degraded_performance"}}}, nil); a.code != http.StatusOK {
		t.Fatalf("declare: %d %s", a.code, a.body)
	}
	h.await("some to be told", func() bool { return c.told("First words.") > readers/8 })
	postgres.Crash(t)
	if n := c.told("First words."); n >= readers {
		t.Errorf("all %d were told before the database was gone", n)
	}
	if a := h.act(http.MethodPost, "/api/v1/incidents", api.NewIncident{Name: "Unheard", Body: "Not stored.", Publish: true}, nil); a.code/100 == 2 {
		t.Errorf("without a database an incident is acknowledged: %d %s", a.code, a.body)
	}
	h.await("/readyz to say no", func() bool { code, _ := h.readiness(); return code == http.StatusServiceUnavailable })
	postgres.Start(t)
	rowsOnce(t, h.settled(c, "First words."))
	c.once(t, "First words.")
	if n := c.told("Not stored."); n != 0 {
		t.Errorf("%d were told what was not stored", n)
	}
	h.stop()
	s.read(t)
}

// TestRedisAwayWhileTelling (design 10.2): without its Redis the hub publishes and
// tells as ever.
func TestRedisAwayWhileTelling(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("two hundred who are told are left to the long run")
	}
	redis, c, s := testkit.NewRedis(t, testkit.RedisOptions{}), newCrowd(t), newSite(t)
	s.redis = redis.URL
	h := boot(t, s, shopPage)
	h.gather(c)
	redis.Stop(t)
	var i api.Incident
	if a := h.act(http.MethodPost, "/api/v1/incidents", api.NewIncident{Name: "Slow", Body: "Without Redis.", Publish: true, Components: []api.Says{{ID: "shop", Status: "degraded_performance"}}}, &i); a.code != http.StatusOK {
		t.Fatalf("declare: %d %s", a.code, a.body)
	}
	h.await("the page to tell", func() bool { return strings.Contains(h.get("/").body, "Without Redis.") })
	rowsOnce(t, h.settled(c, "Without Redis."))
	c.once(t, "Without Redis.")
	if code, _ := h.readiness(); code != http.StatusOK {
		t.Errorf("without Redis /readyz says %d", code)
	}
	redis.Start(t)
	if a := h.act(http.MethodPost, "/api/v1/incidents/"+i.ID+"/updates", api.NewUpdate{Body: "It is over.", State: "resolved"}, nil); a.code != http.StatusOK {
		t.Errorf("resolve: %d %s", a.code, a.body)
	}
	rowsOnce(t, h.settled(c, "It is over."))
	c.once(t, "It is over.")
	h.stop()
	s.read(t)
}

// TestSenderThatSleptIsFenced (design 10.6): of two replicas one sends. It is
// paused in the middle, the other takes over and finishes; when the first wakes
// up it writes nothing, and nobody hears of anything twice.
func TestSenderThatSleptIsFenced(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the real program is left to the long run")
	}
	evenkeel(t)
	s, c := newSite(t), newCrowd(t)
	s.database, s.redis = testkit.Postgres(t), testkit.NewRedis(t, testkit.RedisOptions{}).URL
	key := filepath.Join(t.TempDir(), "key") // replicas share the keys that sign and seal
	if _, err := keys.Open(key); err != nil {
		t.Fatal(err)
	}
	replica := func() *process {
		own := s
		own.data = t.TempDir()
		return launch(t, own.config(t, "key_file: "+key+shopPage))
	}
	a := replica()
	a.gather(c)
	b := replica()
	sent := func(p *process) bool {
		n, _ := p.metric(`evenkeel_notices_total{channel="subscribers-webhook",result="sent"}`)
		return n > 0
	}
	var i api.Incident
	if r := a.act(http.MethodPost, "/api/v1/incidents", api.NewIncident{Name: "Slow", Body: "First words.", Publish: true, Components: []api.Says{{ID: "shop", Status: "degraded_performance"}}}, &i); r.code != http.StatusOK {
		t.Fatalf("declare: %d %s", r.code, r.body)
	}
	rowsOnce(t, a.settled(c, "First words."))
	c.once(t, "First words.")
	sender, other := a, b
	if sent(b) {
		sender, other = b, a
	}
	if !sent(sender) || sent(other) {
		t.Fatalf("who sends: a %v, b %v", sent(a), sent(b))
	}

	c.answersAfter(100 * time.Millisecond)
	if r := other.act(http.MethodPost, "/api/v1/incidents/"+i.ID+"/updates", api.NewUpdate{Body: "Second words.", State: "identified"}, nil); r.code != http.StatusOK {
		t.Fatalf("publish: %d %s", r.code, r.body)
	}
	other.await("some to be told", func() bool { return c.told("Second words.") > readers/8 })
	sender.signal(syscall.SIGSTOP)
	if n := c.told("Second words."); n >= readers {
		t.Errorf("all %d were told before the sender slept", n)
	}
	rowsOnce(t, other.settled(c, "Second words."))
	c.once(t, "Second words.")
	if !sent(other) {
		t.Error("the other replica did not send")
	}
	before := other.settled(c, "Second words.")
	sender.signal(syscall.SIGCONT)
	sender.await("the one that slept to be back", func() bool { code, _ := sender.readiness(); return code == http.StatusOK })
	if r := sender.act(http.MethodPost, "/api/v1/incidents/"+i.ID+"/updates", api.NewUpdate{Body: "Third words.", State: "resolved"}, nil); r.code != http.StatusOK {
		t.Fatalf("publish: %d %s", r.code, r.body)
	}
	after := other.settled(c, "Third words.")
	rowsOnce(t, after)
	c.once(t, "First words.")
	c.once(t, "Second words.")
	c.once(t, "Third words.")
	was := map[string]api.Delivery{}
	for _, d := range before {
		was[d.ID] = d
	}
	for _, d := range after {
		if w, ok := was[d.ID]; ok && (d.Attempts != w.Attempts || !d.SentAt.Equal(*w.SentAt)) {
			t.Errorf("%s was changed by the one that slept: %d attempts, then %d", d.ID, w.Attempts, d.Attempts)
		}
	}
	if code := sender.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if code := other.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.read(t)
}
