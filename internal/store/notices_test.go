package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
	"evenkeel/internal/problem"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// S1-25: those who subscribed are told, each once.
func TestNoticesReachEverybodyOnce(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		p := newPost(t, open(t))
		var sent atomic.Int64
		count := channelFunc(func(context.Context, notice.Message) (notice.Receipt, error) {
			sent.Add(1)
			return notice.Receipt{Mark: "200", ExactOnce: true}, nil
		})
		p.channel("hook", count)
		p.channel("ops", count)
		p.desk.Setup(notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook"}, {ID: "ops", Kind: "slack"}}, Webhook: "hook",
			Routes: []notice.Route{{ID: "all", To: []notice.Target{{Channel: "ops"}}}}})
		const people = 1200
		p.listeners(people, "https://example.org/hook")
		p.start()
		e := happening(1, "a")
		p.plan(e, e)
		p.await()
		if n := sent.Load(); n != people+1 {
			t.Errorf("%d messages for %d recipients", n, people+1)
		}
		for _, d := range p.rows() {
			if d.State != notice.Sent || d.Attempts != 1 || !d.ExactOnce || d.Mark != "200" || d.SentAt.IsZero() {
				t.Fatalf("got %+v", d)
			}
		}
	})
}

func TestStoreKeepsNotices(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Notices(t, func(tb testing.TB) storetest.NoticeRecord { return open(tb) })
	})
	t.Run("memory", func(t *testing.T) {
		storetest.Notices(t, func(testing.TB) storetest.NoticeRecord { return noticetest.New() })
	})
}

// Promise 6 of the design: two replicas, one message.
func TestTwoReplicasSendOnce(t *testing.T) {
	url := testkit.Postgres(t)
	var mu sync.Mutex
	times := map[string]int{}
	count := channelFunc(func(_ context.Context, m notice.Message) (notice.Receipt, error) {
		mu.Lock()
		defer mu.Unlock()
		times[m.Event.ID+" "+m.To.Ref]++
		return notice.Receipt{}, nil
	})
	setup := notice.Setup{Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook"}, {ID: "ops", Kind: "slack"}}, Webhook: "hook",
		Routes: []notice.Route{{ID: "all", To: []notice.Target{{Channel: "ops"}}}}}
	var replicas []*post
	for range 2 {
		p := newPost(t, openWith(t, store.Options{URL: url}))
		p.channel("hook", count)
		p.channel("ops", count)
		p.desk.Setup(setup)
		replicas = append(replicas, p)
	}
	replicas[0].listeners(50, "https://example.org/hook")
	for _, p := range replicas {
		p.start()
	}
	var planning sync.WaitGroup
	for _, p := range replicas { // both plan the same events, as followers that took turns might
		planning.Go(func() {
			for n := range int64(20) {
				for {
					err := p.store.Do(context.Background(), access.Hub, func(tx journal.Tx) error {
						return p.desk.Plan(context.Background(), tx, happening(n+1, "a"))
					})
					if err == nil {
						break
					}
					if kind := problem.KindOf(err); kind != problem.KindConflict && kind != problem.KindUnavailable {
						t.Errorf("plan: %v", err)
						return
					}
				}
			}
		})
	}
	planning.Wait()
	replicas[0].await()
	if len(times) != 20*51 {
		t.Errorf("%d of %d were told", len(times), 20*51)
	}
	for who, n := range times {
		if n != 1 {
			t.Errorf("%s was told %d times", who, n)
		}
	}
}
