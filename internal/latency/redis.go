package latency

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"evenkeel/internal/status"
)

// Keys, where {…} is the hash tag of Redis Cluster, so that one monitor's keys
// live on one node and a chart is one round trip:
//
//	evenkeel:frames                                   stream: the crash log
//	evenkeel:lat:{MONITOR}:LOCATION                   hash: interval → newest hour
//	evenkeel:lat:{MONITOR}:LOCATION:SECONDS:HOUR      string: a page of slots and phase sums
//	evenkeel:val:{MONITOR}:LOCATION:SECONDS:HOUR      string: the values of a page
const (
	framesKey = "evenkeel:frames"
	frameName = "f" // the one field of a stream entry
)

const (
	frameKeep  = SaveEvery + 15*time.Second // what is older is saved
	maxStream  = 64 << 20                   // bytes of own frames that are kept at most
	readAtOnce = 32                         // frames of others that are read together
)

// redisShelf keeps samples in Redis, with commands of Redis 7.0 only.
type redisShelf struct {
	client redis.UniversalClient
	writer writerID
	keep   time.Duration
	cursor string // newest frame seen; "" before the first contact
	newest int64  // Unix ms of the newest own frame, by the clock of Redis
	logged []loggedFrame
	bytes  int // sum of logged
}

// loggedFrame is an own frame that the stream still holds.
type loggedFrame struct {
	at   int64 // Unix ms
	size int
}

var _ shelf = (*redisShelf)(nil)

func newRedisShelf(client redis.UniversalClient, writer writerID, keep time.Duration) *redisShelf {
	return &redisShelf{client: client, writer: writer, keep: keep}
}

func (*redisShelf) logs() bool                             { return true }
func (s *redisShelf) ping(ctx context.Context) error       { return s.client.Ping(ctx).Err() }
func (s *redisShelf) close() error                         { return s.client.Close() }
func (*redisShelf) forget(*series)                         {}
func (*redisShelf) prune(context.Context, time.Time) error { return nil } // keys expire

// save writes parts in one pipeline.
func (s *redisShelf) save(ctx context.Context, parts []part) error {
	pipe := s.client.Pipeline()
	ends := make([]int, len(parts))
	for i := range parts {
		s.queue(ctx, pipe, parts[i].series, parts[i].block)
		ends[i] = pipe.Len()
	}
	commands, err := pipe.Exec(ctx)
	start := 0
	for i, end := range ends {
		parts[i].saved = true
		for _, c := range commands[start:end] {
			parts[i].saved = parts[i].saved && c.Err() == nil
		}
		if parts[i].saved {
			parts[i].series.indexed = max(parts[i].series.indexed, parts[i].block.hour)
		}
		start = end
	}
	return err
}

// queue adds the commands that write one block.
func (s *redisShelf) queue(ctx context.Context, pipe redis.Pipeliner, of *series, b *block) {
	var (
		slots    = hourSlots(of.interval)
		hours    = pageHours(of.interval)
		index    = int(b.hour % hours)
		offset   = index * slots * slotBytes
		end      = int(hours) * slots * slotBytes
		key      = pageKey("lat", of.name, of.interval, b.hour)
		expireAt = time.UnixMilli((b.hour - b.hour%hours + hours) * hourMillis).Add(s.keep)
	)
	// The sums come first and touch the page's last bytes, so that Redis makes
	// it whole at once: a string that grows has up to twice the room it needs.
	pipe.BitField(ctx, key, sums(b, end+index*sumsBytes, end+int(hours)*sumsBytes)...)
	for first, run := range runs(b.words) {
		pipe.SetRange(ctx, key, int64(offset+(b.first+first)*slotBytes), string(appendSlots(nil, b.words[first:first+run])))
	}
	pipe.ExpireAt(ctx, key, expireAt)
	if len(b.values) > 0 {
		key := pageKey("val", of.name, of.interval, b.hour)
		pipe.SetRange(ctx, key, int64(end), "\x01")
		for first, run := range runs(b.words) {
			pipe.SetRange(ctx, key, int64(offset+(b.first+first)*slotBytes), string(appendSlots(nil, b.values[first:first+run])))
		}
		pipe.ExpireAt(ctx, key, expireAt)
	}
	if of.indexed < b.hour {
		key := indexKey(of.name)
		pipe.HSet(ctx, key, seconds(of.interval), b.hour)
		pipe.ExpireAt(ctx, key, expireAt)
	}
}

// sums gives the arguments of BITFIELD that add a block's phases at a byte
// offset and make the page as long as whole bytes.
func sums(b *block, offset, whole int) []any {
	const us, count = "u40", "u16" // phaseBits, timedBits
	args := append(make([]any, 0, 2+3*(int(status.PhaseCount)+2)), "overflow", "sat")
	for _, sum := range b.phases {
		if sum > 0 {
			args = append(args, "incrby", us, offset*8, min(sum, 1<<(phaseBits-1)))
		}
		offset += phaseBits / 8
	}
	if b.timed > 0 {
		args = append(args, "incrby", count, offset*8, b.timed)
	}
	return append(args, "incrby", count, whole*8-timedBits, 0)
}

// runs gives the start and length of each stretch of slots that hold a sample.
func runs(words []uint32) func(yield func(first, length int) bool) {
	return func(yield func(first, length int) bool) {
		for at := 0; at < len(words); {
			if words[at] == 0 {
				at++
				continue
			}
			first := at
			for at < len(words) && words[at] != 0 {
				at++
			}
			if !yield(first, at-first) {
				return
			}
		}
	}
}
