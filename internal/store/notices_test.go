package store_test

import (
	"context"
	"sync/atomic"
	"testing"

	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

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
