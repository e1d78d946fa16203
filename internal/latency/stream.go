package latency

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// exchange reads and writes the stream in one transaction, so that the cursor
// can move past own frames without missing one of others.
func (s *redisShelf) exchange(ctx context.Context, own [][]byte) (others [][]byte, more bool, err error) {
	if s.cursor == "" {
		if err := s.begin(ctx); err != nil {
			return nil, false, err
		}
	}
	var read *redis.XStreamSliceCmd
	added := make([]*redis.StringCmd, len(own))
	commands, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		read = p.XRead(ctx, &redis.XReadArgs{Streams: []string{framesKey, s.cursor}, Count: readAtOnce, Block: -1})
		for i, frame := range own {
			add := &redis.XAddArgs{Stream: framesKey, Values: []any{frameName, frame}}
			if i == 0 && s.newest > 0 {
				add.MinID, add.Approx = strconv.FormatInt(s.floor(), 10), true
			}
			added[i] = p.XAdd(ctx, add)
		}
		return nil
	})
	if err := refusal(commands, err); err != nil {
		return nil, false, err
	}
	for i, a := range added {
		s.log(a.Val(), len(own[i]))
	}
	streams, err := read.Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, false, err
	}
	count := 0
	for _, stream := range streams {
		for _, m := range stream.Messages {
			count++
			s.cursor = m.ID
			frame, _ := m.Values[frameName].(string)
			if id, ok := writerOf([]byte(frame)); !ok || id != s.writer {
				others = append(others, []byte(frame))
			}
		}
	}
	if more = count == readAtOnce; !more && len(added) > 0 {
		s.cursor = added[len(added)-1].Val()
	}
	return others, more, nil
}

// refusal gives what went wrong in a transaction: the command that Redis
// refused says more than the transaction that was given up for it. That there
// is nothing to read is no error.
func refusal(commands []redis.Cmder, err error) error {
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	for _, c := range commands {
		if of := c.Err(); of != nil && !errors.Is(of, redis.Nil) && !redis.HasErrorPrefix(of, "EXECABORT") {
			return of
		}
	}
	return err
}

// begin sets the cursor before the frames that may not be saved: the last ones
// that were written, however long ago.
func (s *redisShelf) begin(ctx context.Context) error {
	last, err := s.client.XRevRangeN(ctx, framesKey, "+", "-", 1).Result()
	if err != nil {
		return err
	}
	s.cursor = "0-0"
	if len(last) > 0 {
		s.cursor = strconv.FormatInt(max(0, millisOf(last[0].ID)-frameKeep.Milliseconds()), 10)
	}
	return nil
}

// log notes an own frame.
func (s *redisShelf) log(id string, size int) {
	s.newest = millisOf(id)
	s.logged = append(s.logged, loggedFrame{s.newest, size})
	s.bytes += size
}

// floor gives the time before which frames are not needed, and no longer
// affordable when they are many.
func (s *redisShelf) floor() int64 {
	floor := s.newest - frameKeep.Milliseconds()
	old := 0
	for ; old < len(s.logged) && (s.logged[old].at < floor || s.bytes > maxStream); old++ {
		s.bytes -= s.logged[old].size
		floor = max(floor, s.logged[old].at+1)
	}
	s.logged = append(s.logged[:0], s.logged[old:]...)
	return floor
}

// millisOf gives the time in a stream's id, "ms-n"; 0 when it is none.
func millisOf(id string) int64 {
	ms, _, _ := strings.Cut(id, "-")
	at, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return 0
	}
	return at
}
