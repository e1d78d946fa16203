package storetest

import (
	"context"
	"sync"

	"testing"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/problem"
)

// ReplyRecord is what the API remembers its answers in.
type ReplyRecord interface {
	BeginReply(ctx context.Context, actor, key string, hash []byte, now time.Time) (*api.Reply, error)
	EndReply(ctx context.Context, actor, key string, r *api.Reply) error
}

// Replies runs the suite of answers under an Idempotency-Key. open gives a
// fresh, empty record that is closed with the test.
func Replies(t *testing.T, open func(testing.TB) ReplyRecord) {
	r, ctx := open(t), t.Context()
	one, other := []byte("hash one"), []byte("hash two")
	begin := func(actor, key string, hash []byte, now time.Time) *api.Reply {
		t.Helper()
		return must[*api.Reply](t)(r.BeginReply(ctx, actor, key, hash, now))
	}
	refused := func(actor, key string, hash []byte, now time.Time) {
		t.Helper()
		_, err := r.BeginReply(ctx, actor, key, hash, now)
		wantKind(t, err, problem.KindConflict)
	}
	if got := begin("a", "k", one, base); got != nil {
		t.Fatalf("a new key has the answer %+v", got)
	}
	refused("a", "k", one, base.Add(time.Second)) // it is being answered
	refused("a", "k", other, base.Add(time.Second))
	if begin("b", "k", other, base) != nil {
		t.Error("another's key is not another key")
	}
	reply := api.Reply{Code: 201, Type: "application/json", Body: []byte(`{"id":1}`)}
	if err := r.EndReply(ctx, "a", "k", &reply); err != nil {
		t.Fatal(err)
	}
	same(t, &reply, begin("a", "k", one, base.Add(time.Hour)))
	refused("a", "k", other, base.Add(time.Hour))

	if err := r.EndReply(ctx, "b", "k", nil); err != nil { // it failed: the key is free, for anything
		t.Fatal(err)
	}
	if begin("b", "k", one, base.Add(time.Second)) != nil {
		t.Error("a key that was freed has an answer")
	}
	empty := api.Reply{Code: 204}
	if err := r.EndReply(ctx, "b", "k", &empty); err != nil {
		t.Fatal(err)
	}
	same(t, &empty, begin("b", "k", one, base.Add(time.Second)))

	// The hub stopped before it answered: the key is free after a while, and
	// everything is after a day.
	begin("c", "k", one, base)
	refused("c", "k", one, base.Add(api.ReplyWithin-time.Second))
	if begin("c", "k", one, base.Add(api.ReplyWithin+time.Second)) != nil {
		t.Error("an unanswered key has an answer")
	}
	if begin("a", "k", other, base.Add(api.KeepReplies+time.Second)) != nil {
		t.Error("an old answer is remembered")
	}
	t.Run("one of many at the same time", func(t *testing.T) {
		taken := make(chan struct{}, 8)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				switch reply, err := r.BeginReply(ctx, "d", "k", one, base); {
				case err == nil && reply == nil:
					taken <- struct{}{}
				case problem.KindOf(err) != problem.KindConflict:
					t.Errorf("it gives %v, %v", reply, err)
				}
			})
		}
		wg.Wait()
		if len(taken) != 1 {
			t.Errorf("%d took the key", len(taken))
		}
	})
}
