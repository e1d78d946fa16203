package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/store"
)

// poster is a channel that posts a notice as JSON, as the webhook channel does.
type poster struct {
	client *http.Client
	url    string
}

func newPoster(url string, parallel int) *poster {
	return &poster{url: url, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel, MaxConnsPerHost: parallel}}}
}

// Send posts the notice with its id.
func (p *poster) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	body, err := json.Marshal(map[string]any{"id": m.Delivery.ID, "event": m.Event.ID, "kind": m.Event.Kind, "title": m.Event.Content.Title, "status": m.Event.Content.Status})
	if err != nil {
		return notice.Receipt{}, err
	}
	return p.post(ctx, m.Delivery.ID, body)
}

func (p *poster) post(ctx context.Context, id string, body []byte) (notice.Receipt, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return notice.Receipt{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Evenkeel-Delivery", id)
	resp, err := p.client.Do(r)
	if err != nil {
		return notice.Receipt{}, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return notice.Receipt{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return notice.Receipt{}, &notice.Refusal{Reason: resp.Status}
	}
	return notice.Receipt{Mark: "200", ExactOnce: true}, nil
}

// sink takes posts and counts them.
func sink(tb testing.TB) (url string, taken *atomic.Int64) {
	taken = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		taken.Add(1)
	}))
	tb.Cleanup(s.Close)
	return s.URL, taken
}

// burned gives the processor time of this process so far.
func burned(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDeliver sends notices of one event to many webhook subscribers on a
// loopback sink, rows included, beside a bare loop of the same posts. One
// operation is one delivery. On PostgreSQL the server's own time is not counted.
func BenchmarkDeliver(b *testing.B) {
	const parallel = 8
	b.Run("bare", func(b *testing.B) {
		url, taken := sink(b)
		p := newPoster(url, parallel)
		body, _ := json.Marshal(map[string]any{"id": "0", "event": "1", "kind": "incident.updated", "title": "Trouble", "status": "investigating"})
		before := burned(b)
		b.ResetTimer()
		var all sync.WaitGroup
		var next atomic.Int64
		for range parallel {
			all.Go(func() {
				for next.Add(1) <= int64(b.N) {
					if _, err := p.post(context.Background(), "0", body); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		b.ReportMetric(float64((burned(b)-before).Microseconds())/float64(taken.Load()), "cpu-µs/op")
	})
	for name, open := range engines {
		for what, updates := range map[string]int{"": 1, "/ten in a row": 10} { // ten updates of one incident wait for each other
			b.Run(name+what, func(b *testing.B) {
				url, taken := sink(b)
				p := newPost(b, open(b))
				p.channel("hook", newPoster(url, parallel))
				people := max(b.N/updates, 1)
				p.listeners(people, "https://example.org/hook")
				p.desk.Setup(notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook", Parallel: parallel}}, Webhook: "hook"})
				before := burned(b)
				b.ResetTimer()
				for n := range updates {
					p.plan(happening(int64(n+1), "a"))
				}
				stop := p.start()
				awaitThat(b, "the posts", func() bool { return taken.Load() == int64(people*updates) })
				p.await()
				b.StopTimer()
				b.ReportMetric(float64((burned(b)-before).Microseconds())/float64(people*updates), "cpu-µs/op")
				stop()
			})
		}
	}
}

// BenchmarkPlan queues notices of one event for 10,000 subscribers. One operation
// is all of them; worst is the longest that one unit of work kept the writer of
// SQLite, or a transaction of PostgreSQL, to itself.
func BenchmarkPlan(b *testing.B) {
	const people = 10_000
	for name, open := range engines {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			p := newPost(b, s)
			p.listeners(people, "https://example.org/hook")
			p.desk.Setup(notice.Setup{Webhook: "hook"}) // the channel is not there: rows wait
			worst := watchUnits(b, s)
			p.start()
			seq := int64(0)
			for b.Loop() {
				seq++
				p.plan(happening(seq, fmt.Sprint(seq)))
				awaitThat(b, "the rows", func() bool {
					_, fanning, err := s.NextFan(context.Background())
					return err == nil && !fanning
				})
			}
			b.ReportMetric(float64(worst().Microseconds())/1000, "worst-ms")
			if t, err := s.Tally(context.Background(), notice.Query{Event: "event-1"}); err != nil || t[notice.Queued] != people {
				b.Fatalf("%v, %v", t, err)
			}
		})
	}
}

// watchUnits measures, until the result is called, how long a small unit of work
// has to wait at most: what the recorder of the checks would feel.
func watchUnits(tb testing.TB, s *store.Store) (worst func() time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	most := make(chan time.Duration, 1)
	go func() {
		var longest time.Duration
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				most <- longest
				return
			case <-tick.C:
			}
			begun := time.Now()
			if err := s.Do(context.Background(), access.Hub, func(tx journal.Tx) error { return s.PutAlive(context.Background(), tx, tx.Now()) }); err != nil {
				tb.Error(err)
			}
			longest = max(longest, time.Since(begun))
		}
	}()
	tb.Cleanup(cancel)
	return func() time.Duration { cancel(); return <-most }
}
