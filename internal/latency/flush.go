package latency

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"evenkeel/internal/status"
)

const (
	framesAtOnce = 32          // chunks that are exchanged together
	partsAtOnce  = 500         // parts that are saved together
	pruneEvery   = time.Minute // in process; Redis expires by itself
)

// part is a block on its way to the shelf.
type part struct {
	series *series
	block  *block
	saved  bool // set by the shelf
}

// Run flushes every second until ctx ends, and backs off while the engine is
// away. It does not do the last flush: Close does.
func (r *Recorder) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if r.ringer != nil {
		wg.Go(func() { r.ringer.run(ctx) })
	}
	timer := time.NewTimer(FlushEvery)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		err := r.flush(ctx, false)
		if ctx.Err() != nil {
			return nil
		}
		r.beat()
		if err != nil {
			failures++
			timer.Reset(backOff(failures))
		} else {
			failures = 0
			timer.Reset(FlushEvery)
		}
	}
}

// backOff gives the wait after so many failures in a row: doubling from a
// quarter of a second to MaxBackOff, of which the last half is chance.
func backOff(failures int) time.Duration {
	wait := min(250*time.Millisecond<<min(failures-1, 10), MaxBackOff)
	return wait/2 + rand.N(wait/2)
}

// Flush writes everything now, unsaved slots included, for as long as ctx
// allows. Run does this by itself, little by little. Errors: Unavailable.
func (r *Recorder) Flush(ctx context.Context) error {
	if err := r.flush(ctx, true); err != nil {
		return unavailable(err)
	}
	return nil
}

// flush saves what has its turn, then drains the buffer. Saving comes first:
// while that fails the buffer keeps the samples, and its limit is the limit.
func (r *Recorder) flush(ctx context.Context, everything bool) (err error) {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	if !everything {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, FlushTimeout)
		defer cancel()
	}
	began := r.now()
	defer func() {
		r.metrics.flush.Observe(r.now().Sub(began).Seconds())
		if !errors.Is(err, context.Canceled) {
			r.settle(err)
		}
	}()
	if err := r.saveDue(ctx, began.Unix()); err != nil {
		return err
	}
	if err := r.drain(ctx); err != nil {
		return err
	}
	if everything {
		if err := r.saveTurns(ctx, began.Unix()-int64(saveTurns), began.Unix()); err != nil {
			return err
		}
	}
	if began.Sub(r.pruned) >= pruneEvery {
		r.pruned = began
		return r.shelf.prune(ctx, began.Add(-r.keep).Truncate(time.Hour))
	}
	return nil
}

// saveDue saves the series whose turn has come since the last time. Turns that
// could not be served stay due.
func (r *Recorder) saveDue(ctx context.Context, second int64) error {
	if second <= r.saved { // the clock went back
		r.saved = min(r.saved, second)
		return nil
	}
	from := max(r.saved, second-int64(saveTurns))
	if err := r.saveTurns(ctx, from, second); err != nil {
		return err
	}
	r.saved = second
	return nil
}

// saveTurns saves the series with a turn in (from, to], and urgent ones.
func (r *Recorder) saveTurns(ctx context.Context, from, to int64) error {
	var parts []part
	r.mu.Lock()
	for at := from + 1; at <= to; at++ {
		turn := int(at % int64(saveTurns))
		for _, s := range r.table.sweep(turn, to) {
			r.shelf.forget(s)
		}
		for _, s := range r.table.wheel[turn] {
			parts = s.parts(parts)
		}
	}
	parts = r.takeUrgent(parts)
	r.mu.Unlock()
	for len(parts) > 0 {
		n := min(partsAtOnce, len(parts))
		if err := r.save(ctx, parts[:n]); err != nil {
			return err
		}
		parts = parts[n:]
	}
	return nil
}

// parts adds the unsaved blocks of a series.
func (s *series) parts(parts []part) []part {
	for _, b := range s.blocks {
		if len(b.words) > 0 {
			parts = append(parts, part{series: s, block: b})
		}
	}
	s.urgent = false
	return parts
}

// takeUrgent adds the series that became urgent; one that had its turn just now
// is no longer.
func (r *Recorder) takeUrgent(parts []part) []part {
	for _, s := range r.urgent {
		if s.urgent {
			parts = s.parts(parts)
		}
	}
	r.urgent = r.urgent[:0]
	return parts
}

// save hands parts to the shelf. Blocks change in this goroutine alone, so the
// shelf may read them without the lock.
func (r *Recorder) save(ctx context.Context, parts []part) error {
	err := r.shelf.save(ctx, parts)
	written := 0
	r.mu.Lock()
	for _, p := range parts {
		if p.saved {
			written += p.block.own
			r.unsaved -= p.block.own
			p.series.forget(p.block)
			continue
		}
		// Whether these were added is not known; once too few is better than twice.
		p.block.phases, p.block.timed = [status.PhaseCount]uint64{}, 0
	}
	r.mu.Unlock()
	r.metrics.written.Add(float64(written))
	return err
}

// drain moves the buffer into blocks: through the shelf, which logs it and
// tells what other replicas logged.
func (r *Recorder) drain(ctx context.Context) error {
	for {
		r.mu.Lock()
		chunks := r.buffer.take(framesAtOnce)
		r.mu.Unlock()
		var own [][]byte
		if r.shelf.logs() && len(chunks) > 0 {
			own = r.frames.batch(chunks)
		}
		others, more, err := r.shelf.exchange(ctx, own)
		if err != nil {
			r.mu.Lock()
			dropped := r.buffer.putBack(chunks)
			r.mu.Unlock()
			r.metrics.dropped.Add(float64(dropped))
			return err
		}
		for _, c := range chunks {
			r.mu.Lock()
			r.apply(c)
			r.buffer.release(c)
			r.mu.Unlock()
		}
		for _, frame := range others {
			r.applyFrame(frame)
		}
		r.mu.Lock()
		left := len(r.buffer.chunks)
		r.mu.Unlock()
		if !more && (len(chunks) < framesAtOnce || left == 0) {
			return nil // what came in since take waits for the next second
		}
	}
}

// apply puts samples of this process into blocks. The caller holds mu.
func (r *Recorder) apply(c chunk) {
	for i := range c {
		s := c[i].series
		hour, slot := place(c[i].due, s.interval)
		b := s.block(hour)
		b.put(slot, c[i].word, c[i].value)
		timed := false
		for p, d := range c[i].phases {
			b.phases[p] += uint64(d)
			timed = timed || d > 0
		}
		if timed {
			b.timed++
		}
		b.own++
		r.unsaved++
		s.pending--
		r.hurry(s, b)
	}
}

// applyFrame puts the samples of another process into blocks, so that charts
// here show them and somebody saves them should that process be gone.
func (r *Recorder) applyFrame(frame []byte) {
	named, samples, err := readFrame(frame)
	if err != nil {
		r.log.Warn("frame of measurements ignored", "err", err)
		return
	}
	now := r.now()
	oldest, newest := now.Add(-r.keep).UnixMilli(), now.Add(MaxAhead).UnixMilli()
	r.mu.Lock()
	defer r.mu.Unlock()
	known := make([]*series, len(named))
	for i, n := range named {
		if known[i] = r.table.series(n.monitor, n.location, n.interval); known[i] != nil {
			known[i].used = now.Unix()
		}
	}
	for _, f := range samples {
		if s := known[f.ref]; s != nil && f.due >= oldest && f.due <= newest {
			hour, slot := place(f.due, s.interval)
			b := s.block(hour)
			b.put(slot, f.word, f.value)
			r.hurry(s, b)
		}
	}
}

// hurry notes a series whose unsaved samples have become many.
func (r *Recorder) hurry(s *series, b *block) {
	if len(b.words) >= urgentSlots && !s.urgent {
		s.urgent = true
		r.urgent = append(r.urgent, s)
	}
}

// settle keeps the health and logs when it changes.
func (r *Recorder) settle(err error) {
	before := r.health.Load()
	switch {
	case err == nil && !before.OK:
		r.log.Info("measurements are recorded again", "engine", r.engine, "away", r.now().Sub(before.Since).Round(time.Second))
		r.health.Store(&Health{OK: true, Since: r.now().UTC()})
	case err != nil && before.OK:
		r.log.Warn("measurements cannot be recorded; they are buffered", "engine", r.engine, "err", err)
		r.health.Store(&Health{Since: r.now().UTC(), Detail: err.Error()})
	case err != nil && before.Detail != err.Error():
		r.health.Store(&Health{Since: before.Since, Detail: err.Error()})
	}
}
