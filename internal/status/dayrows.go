package status

import (
	"bytes"
	"context"
	"time"

	"evenkeel/internal/journal"
)

const (
	// rowsAfter is how long after an hour has ended its rows are made: late
	// results and the last flush are in by then.
	rowsAfter = 2 * time.Minute
	// rowsWithin is over how much of the hour the work is spread.
	rowsWithin = 40 * time.Minute
	// rowsPause is how long the work rests when samples or SQL cannot be reached.
	rowsPause = 30 * time.Second
)

// series is one monitor at one location, as its samples are kept.
type series struct {
	monitor  string
	location string
	interval time.Duration
	values   bool
}

// dayRows keeps the packed day rows of all monitors up to date: every finished
// hour goes into its day, a few series at a time, never in a burst.
type dayRows struct {
	store   Store
	latency Latency
	done    time.Time // every finished hour before it is in
	until   time.Time // the hour the present round goes up to
	left    []series  // of the present round
	step    int       // series at a time
}

// due begins a round when an hour has ended, and gives the next few series of
// the round under way.
func (d *dayRows) due(cat *Catalog, now time.Time) []series {
	hour := now.Add(-rowsAfter).Truncate(time.Hour)
	if len(d.left) == 0 && d.done.Before(hour) {
		d.until, d.left = hour, allSeries(cat)
		d.step = 1 + len(d.left)/int(rowsWithin/time.Second)
		if len(d.left) == 0 {
			d.done = hour
		}
	}
	return d.left[:min(d.step, len(d.left))]
}

// did takes the few that due gave off the round.
func (d *dayRows) did(n int) {
	d.left = d.left[n:]
	if len(d.left) == 0 {
		d.done, d.left = d.until, nil
	}
}

// allSeries lists what is measured, by monitor and location.
func allSeries(cat *Catalog) []series {
	var all []series
	for i := range cat.Monitors {
		m := &cat.Monitors[i]
		for _, loc := range m.Locations {
			all = append(all, series{monitor: m.Key, location: loc, interval: m.Interval, values: m.Unit != ""})
		}
	}
	return all
}

// days gives the UTC days that a round must look at: the day of the last
// finished hour, and on the first round the day before, which an earlier run
// may have left unfinished.
func (d *dayRows) days() []time.Time {
	last := d.until.Add(-time.Hour).Truncate(24 * time.Hour)
	if d.done.IsZero() {
		return []time.Time{last.Add(-24 * time.Hour), last}
	}
	return []time.Time{last}
}

// rows gives the day rows of one series that changed.
func (d *dayRows) rows(ctx context.Context, s series) ([]DayRow, error) {
	var out []DayRow
	for _, day := range d.days() {
		to := earlier(day.Add(24*time.Hour), d.until)
		hours, err := d.latency.Hours(ctx, SampleQuery{
			Monitor: s.monitor, Location: s.location, Interval: s.interval, Values: s.values, From: day, To: to,
		})
		if err != nil {
			return nil, err
		}
		if len(hours) == 0 {
			continue
		}
		kept, err := d.store.Days(ctx, s.monitor, day, day.Add(24*time.Hour))
		if err != nil {
			return nil, err
		}
		var before []byte
		for _, row := range kept {
			if row.Location == s.location {
				before = row.Packed
			}
		}
		packed := overlay(before, day, hours, s.values)
		if !bytes.Equal(packed, before) {
			out = append(out, DayRow{Monitor: s.monitor, Location: s.location, Day: day, Packed: packed})
		}
	}
	return out, nil
}

// overlay puts hours into a packed day. Hours that are only in the row stay:
// the samples behind them may be gone. A row that cannot be read is begun anew.
func overlay(packed []byte, day time.Time, hours []Hour, values bool) []byte {
	if values {
		row, err := UnpackValueDay(packed)
		if err != nil {
			row = [24]ValueHour{}
		}
		for _, h := range hours {
			row[hourOf(day, h.Start)] = h.Values
		}
		return PackValueDay(row)
	}
	row, err := UnpackDay(packed)
	if err != nil {
		row = [24]Histogram{}
	}
	for i := range hours {
		row[hourOf(day, hours[i].Start)] = hours[i].Histogram
	}
	return PackDay(row)
}

// hourOf gives the index of an hour in its UTC day.
func hourOf(day, hour time.Time) int {
	return min(23, max(0, int(hour.Sub(day)/time.Hour)))
}

// historyLoop keeps day rows until ctx ends.
func (w *Watch) historyLoop(ctx context.Context, lease journal.Lease) {
	d := &dayRows{store: w.store, latency: w.latency}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var rest time.Duration // monotonic time until which the work rests
	failing := false
	for {
		w.beat(loopHistory, rowsPause)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if w.mono() < rest {
			continue
		}
		err := w.writeRows(ctx, lease, d)
		if err != nil && ctx.Err() == nil {
			rest = w.mono() + rowsPause
			if !failing {
				w.log.Warn("latency history not written, trying again", "err", err)
			}
		}
		failing = err != nil
	}
}

// writeRows brings the next few series of the round into SQL.
func (w *Watch) writeRows(ctx context.Context, lease journal.Lease, d *dayRows) error {
	few := d.due(w.Catalog(), w.now())
	var rows []DayRow
	for _, s := range few {
		changed, err := d.rows(ctx, s)
		if err != nil {
			return err
		}
		rows = append(rows, changed...)
	}
	if len(rows) > 0 {
		err := w.commit(ctx, lease, func(tx journal.Tx) error {
			for _, row := range rows {
				if err := w.store.PutDay(ctx, tx, row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	d.did(len(few))
	return nil
}
