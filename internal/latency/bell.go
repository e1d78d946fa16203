package latency

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// bellChannel is the pub/sub channel of the bell; the message is the writer id.
const bellChannel = "evenkeel:bell"

// bellSilence is how long a silent subscription is trusted before it is asked
// for a sign of life.
const bellSilence = 15 * time.Second

// redisBell rings in this process at once, and in other replicas through Redis.
// While Redis is away they find out by polling, as journal.Bell says.
type redisBell struct {
	journal.LocalBell
	client redis.UniversalClient
	writer string
	rung   chan struct{} // holds one: rings in quick succession are one
	log    *slog.Logger
}

var _ journal.Bell = (*redisBell)(nil)

func newRedisBell(client redis.UniversalClient, writer writerID, log *slog.Logger) *redisBell {
	return &redisBell{client: client, writer: string(writer[:]), rung: make(chan struct{}, 1), log: log}
}

// Ring wakes everybody who waits, here and elsewhere. It never blocks.
func (b *redisBell) Ring() {
	b.LocalBell.Ring()
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// run carries rings to and from Redis until ctx ends.
func (b *redisBell) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { b.publish(ctx) })
	failures := 0
	for ctx.Err() == nil {
		began := time.Now()
		err := b.listen(ctx)
		if failures++; time.Since(began) > bellSilence {
			failures = 1
		}
		b.log.Debug("subscription of the bell ended", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(backOff(failures)):
		}
	}
}

func (b *redisBell) publish(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.rung:
		}
		limited, cancel := context.WithTimeout(ctx, RequestTimeout)
		if err := b.client.Publish(limited, bellChannel, b.writer).Err(); err != nil {
			b.log.Debug("ring not published", "err", err)
		}
		cancel()
	}
}

// listen rings here for every ring elsewhere, until the subscription breaks.
func (b *redisBell) listen(ctx context.Context) error {
	sub := b.client.Subscribe(ctx, bellChannel)
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() }) // a receive does not look at ctx
	defer func() {
		stop()
		_ = sub.Close()
	}()
	asked := false
	for {
		message, err := sub.ReceiveTimeout(ctx, bellSilence)
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() && !asked {
			asked = true
			if err := sub.Ping(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return problem.Unavailable(err, "The bell of other replicas cannot be heard.")
		}
		asked = false
		switch m := message.(type) {
		case *redis.Subscription: // who was away may have missed a ring
			b.LocalBell.Ring()
		case *redis.Message:
			if m.Payload != b.writer {
				b.LocalBell.Ring()
			}
		}
	}
}
