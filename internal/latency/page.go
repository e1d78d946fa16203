package latency

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"evenkeel/internal/status"
)

// A page is as many hours as make about 360 slots, so that the overhead of a
// key stays small beside what it holds. After the slots of all its hours it has,
// for each, the phase sums (40 bits of µs) and the count of results in them (16
// bits), big-endian because BITFIELD adds to them.
const (
	pageSlots = 360
	phaseBits = 40
	timedBits = 16
	sumsBytes = (int(status.PhaseCount)*phaseBits + timedBits) / 8
)

// maxFormer is how many former intervals a query looks at.
const maxFormer = 8

// pageHours tells how many hours a page has: a divisor of the day.
func pageHours(interval time.Duration) int64 {
	for _, hours := range [...]int64{1, 2, 3, 4, 6, 8, 12} {
		if int(hours)*hourSlots(interval) >= pageSlots {
			return hours
		}
	}
	return 24
}

// pageKey names the page of an hour; kind is lat or val.
func pageKey(kind string, n name, interval time.Duration, hour int64) string {
	first := hour - hour%pageHours(interval)
	key := append(make([]byte, 0, 64+len(n.monitor)+len(n.location)), "evenkeel:"...)
	key = append(append(append(key, kind...), ":{"...), n.monitor...)
	key = append(append(append(key, "}:"...), n.location...), ':')
	key = append(append(key, seconds(interval)...), ':')
	return string(strconv.AppendInt(key, first, 10))
}

// indexKey names the hash of intervals under which a monitor has samples.
func indexKey(n name) string { return "evenkeel:lat:{" + n.monitor + "}:" + n.location }

// seconds writes an interval as it stands in keys: 10, or 1.5.
func seconds(interval time.Duration) string {
	return strconv.FormatFloat(interval.Seconds(), 'f', -1, 64)
}

// hours reads the pages of the present interval and the list of intervals in
// one round trip. Only a monitor whose interval was changed needs another.
func (s *redisShelf) hours(ctx context.Context, q status.SampleQuery, from, to int64) ([]hourGrid, error) {
	of := name{q.Monitor, q.Location}
	pipe := s.client.Pipeline()
	index := pipe.HGetAll(ctx, indexKey(of))
	now := queuePages(ctx, pipe, of, q.Interval, q.Values, from, to)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	grids := now.grids()
	var former []pages
	for text, newest := range index.Val() {
		interval, ok := formerInterval(text, newest, from)
		if ok && interval != q.Interval && len(former) < maxFormer {
			former = append(former, queuePages(ctx, pipe, of, interval, q.Values, from, to))
		}
	}
	if len(former) > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
	}
	for _, p := range former {
		grids = append(grids, p.grids()...)
	}
	return grids, nil
}

// formerInterval reads an entry of the index; ok is false when its newest
// samples are before from.
func formerInterval(text, newest string, from int64) (interval time.Duration, ok bool) {
	hour, err := strconv.ParseInt(newest, 10, 64)
	if err != nil || hour < from {
		return 0, false
	}
	secs, err := strconv.ParseFloat(text, 64)
	if err != nil || !(secs >= MinInterval.Seconds() && secs <= MaxInterval.Seconds()) {
		return 0, false
	}
	return time.Duration(secs * float64(time.Second)).Round(time.Millisecond), true
}

// pages is a read of pages that is under way.
type pages struct {
	interval time.Duration
	from, to int64 // hours
	slots    *redis.SliceCmd
	values   *redis.SliceCmd // nil without values
}

func queuePages(ctx context.Context, pipe redis.Pipeliner, of name, interval time.Duration, values bool, from, to int64) pages {
	step := pageHours(interval)
	keys := func(kind string) (keys []string) {
		for hour := from - from%step; hour <= to; hour += step {
			keys = append(keys, pageKey(kind, of, interval, hour))
		}
		return keys
	}
	p := pages{interval: interval, from: from, to: to, slots: pipe.MGet(ctx, keys("lat")...)}
	if values {
		p.values = pipe.MGet(ctx, keys("val")...)
	}
	return p
}

// grids unpacks the pages that came. Bytes that are missing are slots without
// a sample.
func (p pages) grids() []hourGrid {
	step, slots := pageHours(p.interval), hourSlots(p.interval)
	grids := make([]hourGrid, 0, p.to-p.from+1)
	all := make([]uint32, int(p.to-p.from+1)*slots)
	for i, reply := range p.slots.Val() {
		page, ok := reply.(string)
		if !ok {
			continue
		}
		var values string
		if p.values != nil {
			values, _ = p.values.Val()[i].(string)
		}
		for index := range step {
			hour := p.from - p.from%step + int64(i)*step + index
			if hour < p.from || hour > p.to {
				continue
			}
			g := hourGrid{interval: p.interval, hour: hour, words: all[:slots:slots]}
			all = all[slots:]
			offset := int(index) * slots * slotBytes
			readSlots(g.words, cut(page, offset, slots*slotBytes))
			if values != "" {
				g.values = make([]uint32, slots)
				readSlots(g.values, cut(values, offset, slots*slotBytes))
			}
			g.readSums([]byte(cut(page, int(step)*slots*slotBytes+int(index)*sumsBytes, sumsBytes)))
			grids = append(grids, g)
		}
	}
	return grids
}

// cut gives up to n bytes of a page from an offset on.
func cut(page string, offset, n int) string {
	offset = min(offset, len(page))
	return page[offset:min(offset+n, len(page))]
}

// readSums reads what sums adds to.
func (g *hourGrid) readSums(b []byte) {
	if len(b) < sumsBytes {
		return
	}
	for p := range g.phases {
		g.phases[p] = uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:]))
		b = b[phaseBits/8:]
	}
	g.timed = uint32(binary.BigEndian.Uint16(b))
}
