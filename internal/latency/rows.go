package latency

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// rowShelf keeps samples as packed hour rows in SQL. There is no crash log: a
// crash loses what was not saved, a minute at most.
type rowShelf struct {
	store HourStore
	now   func() time.Time
	slots int // of all rows that are held
}

// heldRow is a row as this process last wrote it, so that the next save need
// not read it. The series keeps it.
type heldRow struct {
	grid hourGrid
	at   time.Time
}

// Limits of held rows. A row is read again when it was written long enough ago
// that another process may have had the watch meanwhile, and when holding it
// would take too much memory, 4 bytes a slot.
const (
	holdFor = 2 * SaveEvery
	maxHeld = 8 << 20 // slots of all series
)

var _ shelf = (*rowShelf)(nil)

func newRowShelf(store HourStore, now func() time.Time) *rowShelf {
	return &rowShelf{store: store, now: now}
}

func (*rowShelf) logs() bool                 { return false }
func (*rowShelf) ping(context.Context) error { return nil }
func (*rowShelf) close() error               { return nil }

func (*rowShelf) exchange(context.Context, [][]byte) ([][]byte, bool, error) { return nil, false, nil }

// save lays new samples over the row as it is, and writes it back.
func (h *rowShelf) save(ctx context.Context, parts []part) error {
	rows := make([]status.HourRow, 0, len(parts))
	for _, p := range parts {
		g, err := h.row(ctx, p)
		if err != nil {
			return err
		}
		fresh := p.block.grid(p.series.interval)
		g.over(&fresh)
		row := status.HourRow{
			Monitor: p.series.monitor, Location: p.series.location, Interval: p.series.interval,
			Hour: time.UnixMilli(g.hour * hourMillis).UTC(), Slots: packRow(g.words, g.phases, g.timed),
		}
		rows = append(rows, row)
		if g.values != nil {
			row.Values, row.Slots = true, packRow(g.values, [status.PhaseCount]uint64{}, 0)
			rows = append(rows, row)
		}
		h.hold(p.series, g)
	}
	if err := h.store.PutHourRows(ctx, rows); err != nil {
		for _, p := range parts { // some may be written, with their phases
			h.drop(p.series)
		}
		return err
	}
	for i := range parts {
		parts[i].saved = true
	}
	return nil
}

// row gives the row that a part belongs to, without the part.
func (h *rowShelf) row(ctx context.Context, p part) (hourGrid, error) {
	if held := p.series.held; held != nil && held.grid.hour == p.block.hour && h.now().Sub(held.at) < holdFor {
		return held.grid, nil
	}
	q := status.SampleQuery{Monitor: p.series.monitor, Location: p.series.location, Interval: p.series.interval, Values: true}
	grids, err := h.read(ctx, q, p.series.interval, p.block.hour, p.block.hour)
	if err != nil || len(grids) > 0 {
		return append(grids, hourGrid{})[0], err
	}
	return newGrid(p.series.interval, p.block.hour), nil
}

func (h *rowShelf) hold(s *series, g hourGrid) {
	h.drop(s)
	if size := len(g.words) + len(g.values); h.slots+size <= maxHeld {
		h.slots += size
		s.held = &heldRow{grid: g, at: h.now()}
	}
}

func (h *rowShelf) forget(s *series) { h.drop(s) }

func (h *rowShelf) drop(s *series) {
	if s.held != nil {
		h.slots -= len(s.held.grid.words) + len(s.held.grid.values)
		s.held = nil
	}
}

func (h *rowShelf) hours(ctx context.Context, q status.SampleQuery, from, to int64) ([]hourGrid, error) {
	return h.read(ctx, q, 0, from, to)
}

// read gives the rows from..to of a query as grids; interval 0 is every one.
func (h *rowShelf) read(ctx context.Context, q status.SampleQuery, interval time.Duration, from, to int64) ([]hourGrid, error) {
	begin, end := time.UnixMilli(from*hourMillis).UTC(), time.UnixMilli((to+1)*hourMillis).UTC()
	rows, err := h.store.HourRows(ctx, q.Monitor, q.Location, interval, false, begin, end)
	if err != nil {
		return nil, err
	}
	type place struct {
		interval time.Duration
		hour     int64
	}
	grids := make([]hourGrid, 0, len(rows))
	at := make(map[place]int, len(rows))
	for _, row := range rows {
		if row.Interval < MinInterval {
			continue
		}
		g := newGrid(row.Interval, row.Hour.UnixMilli()/hourMillis)
		if g.phases, g.timed, err = unpackRow(row.Slots, g.words); err != nil {
			continue // a damaged hour is a gap in a chart, and the next save mends it
		}
		at[place{g.interval, g.hour}] = len(grids)
		grids = append(grids, g)
	}
	if !q.Values {
		return grids, nil
	}
	if rows, err = h.store.HourRows(ctx, q.Monitor, q.Location, interval, true, begin, end); err != nil {
		return nil, err
	}
	for _, row := range rows {
		if i, ok := at[place{row.Interval, row.Hour.UnixMilli() / hourMillis}]; ok {
			values := make([]uint32, len(grids[i].words))
			if _, _, err := unpackRow(row.Slots, values); err == nil {
				grids[i].values = values
			}
		}
	}
	return grids, nil
}

// pruneAtOnce is how many rows are deleted a minute: some 10,000 monitors bring
// 170 a minute.
const pruneAtOnce = 1000

func (h *rowShelf) prune(ctx context.Context, before time.Time) error {
	_, err := h.store.PruneHourRows(ctx, before, pruneAtOnce)
	return err
}

// A packed row is: version byte, number of the first slot and count of slots
// (uvarints), that many slots of 4 bytes, little-endian, then the phase sums in
// µs and how many results are in them (uvarints).
const rowVersion = 1

func packRow(words []uint32, phases [status.PhaseCount]uint64, timed uint32) []byte {
	first, end := 0, len(words)
	for first < end && words[first] == 0 {
		first++
	}
	for end > first && words[end-1] == 0 {
		end--
	}
	packed := make([]byte, 0, 24+slotBytes*(end-first))
	packed = append(packed, rowVersion)
	packed = binary.AppendUvarint(packed, uint64(first))
	packed = binary.AppendUvarint(packed, uint64(end-first))
	packed = appendSlots(packed, words[first:end])
	for _, us := range phases {
		packed = binary.AppendUvarint(packed, us)
	}
	return binary.AppendUvarint(packed, uint64(timed))
}

// unpackRow fills the slots of an hour. Errors: Invalid when the bytes are not
// a row for that many slots.
func unpackRow(packed []byte, words []uint32) (phases [status.PhaseCount]uint64, timed uint32, err error) {
	r := reader{rest: packed}
	if r.byte() != rowVersion {
		r.bad = true
	}
	first := int(r.uvarint(uint64(len(words))))
	count := int(r.uvarint(uint64(len(words) - first)))
	slots := r.bytes(count * slotBytes)
	for p := range phases {
		phases[p] = r.uvarint(math.MaxInt64)
	}
	timed = uint32(r.uvarint(math.MaxUint32))
	if r.bad || len(r.rest) > 0 {
		return [status.PhaseCount]uint64{}, 0, problem.Invalid("slots", "an hour of measurements is damaged")
	}
	readSlots(words[first:first+count], slots)
	return phases, timed, nil
}

// appendSlots packs slots, little-endian.
func appendSlots(packed []byte, words []uint32) []byte {
	for _, w := range words {
		packed = binary.LittleEndian.AppendUint32(packed, w)
	}
	return packed
}

// readSlots unpacks as many whole slots as there are.
func readSlots[T string | []byte](words []uint32, packed T) {
	for i := range min(len(words), len(packed)/slotBytes) {
		p := packed[i*slotBytes : i*slotBytes+slotBytes]
		words[i] = uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
	}
}
