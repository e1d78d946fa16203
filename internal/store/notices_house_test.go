package store_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/store"
)

// directory is the staff of a test: everybody it names can be reached.
type directory []string

func (d directory) Contact(_ context.Context, id string) (notice.Recipient, error) {
	for _, known := range d {
		if known == id {
			return notice.Recipient{Ref: "person/" + id, Name: strings.ToUpper(id), Address: id + "@example.org"}, nil
		}
	}
	return notice.Recipient{}, problem.NotFound("There is no person %s.", id)
}

// key signs with a fixed key.
type key string

func (k key) Sign(text string) []byte {
	h := hmac.New(sha256.New, []byte(k))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// channelFunc is a channel that is one function.
type channelFunc func(ctx context.Context, m notice.Message) (notice.Receipt, error)

func (f channelFunc) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	return f(ctx, m)
}

// post is where the notices of a test are planned and sent: a real store, a
// Desk, and a Sender when started.
type post struct {
	tb       testing.TB
	store    *store.Store
	desk     *notice.Desk
	mu       sync.Mutex
	channels map[string]notice.Channel
}

func newPost(tb testing.TB, s *store.Store) *post {
	p := &post{tb: tb, store: s, channels: map[string]notice.Channel{}}
	p.desk = notice.NewDesk(notice.DeskDeps{Work: s, Store: s, People: directory{"ada", "bob", "cyd"}, Signer: key("test"), Log: quiet(), Now: time.Now})
	return p
}

// channel sets what a channel does.
func (p *post) channel(id string, c notice.Channel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.channels[id] = c
}

func (p *post) find(id string) (notice.Channel, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.channels[id]
	return c, ok
}

// start runs a Sender until stop is called, or the test ends.
func (p *post) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	sender := notice.NewSender(notice.SenderDeps{Desk: p.desk, Channels: p.find})
	go func() { done <- journal.Hold(ctx, p.store, "notices", journal.NewHolder(), quiet(), sender.Run) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			p.tb.Errorf("sender: %v", err)
		}
	})
	p.tb.Cleanup(stop)
	return stop
}

// plan plans events in one unit of work each.
func (p *post) plan(events ...notice.Event) {
	p.tb.Helper()
	for _, e := range events {
		if err := p.store.Do(context.Background(), access.Hub, func(tx journal.Tx) error { return p.desk.Plan(context.Background(), tx, e) }); err != nil {
			p.tb.Fatalf("plan %s: %v", e.ID, err)
		}
	}
}

// listeners adds n active webhook subscribers with addresses below base.
func (p *post) listeners(n int, base string) {
	p.tb.Helper()
	for from := 0; from < n; from += 500 {
		var rows []notice.Subscriber
		for i := from; i < min(from+500, n); i++ {
			now := time.Now().UTC().Truncate(time.Microsecond)
			rows = append(rows, notice.Subscriber{ID: journal.NewID(), Mode: notice.ByWebhook, Address: fmt.Sprintf("%s/%d", base, i), State: notice.Active,
				MinImpact: "none", Maintenance: true, Source: "test", CreatedAt: now, ConfirmedAt: now, ChangedAt: now})
		}
		if err := p.store.Do(context.Background(), access.Hub, func(tx journal.Tx) error {
			_, err := p.store.AddSubscribers(context.Background(), tx, rows)
			return err
		}); err != nil {
			p.tb.Fatal(err)
		}
	}
}

// postPatience is how long everything may take to be sent.
const postPatience = 2 * time.Minute

// await waits until nothing is planned or sent any more.
func (p *post) await() {
	p.tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(postPatience)
	for {
		_, fanning, err := p.store.NextFan(context.Background())
		queues, err2 := p.store.Queues(context.Background())
		if err == nil && err2 == nil && !fanning && len(queues) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			p.tb.Fatalf("waited in vain for everything to be sent: %v, %v, %v", queues, err, err2)
		}
	}
}

// rows gives all deliveries.
func (p *post) rows() []notice.Delivery {
	p.tb.Helper()
	var out []notice.Delivery
	for before := ""; ; {
		page, err := p.store.Deliveries(context.Background(), notice.Query{Before: before, Limit: notice.MaxPage})
		if err != nil {
			p.tb.Fatal(err)
		}
		out = append(out, page...)
		if len(page) < notice.MaxPage {
			return out
		}
		before = page[len(page)-1].ID
	}
}

// happening is an event about one subject, for everybody.
func happening(seq int64, subject string) notice.Event {
	return notice.Event{
		ID: fmt.Sprintf("event-%d", seq), Seq: seq, Kind: "incident.updated", Subject: journal.Ref{Kind: "incident", ID: subject},
		Audience: notice.ToBoth, Severity: notice.SeverityMajor, At: time.Now().UTC().Truncate(time.Microsecond),
		Content: notice.Content{Title: "Trouble", Status: "investigating", Impact: "major"},
	}
}
