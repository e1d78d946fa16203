package notice

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"evenkeel/internal/journal"
)

const (
	// parallelUnset is how many sends a channel has under way unless its
	// configuration says.
	parallelUnset = 8
	// aheadFor is how much work, in time, a worker claims ahead of its sends, and
	// aheadMost the same in messages for each of the parallel sends.
	aheadFor  = 250 * time.Millisecond
	aheadMost = 64
	// lingerFor is how long a finished send waits for others to be settled with.
	lingerFor = 10 * time.Millisecond
	// bundleMost is how many events one message gathers.
	bundleMost = 100
	// blockFor is how long a row that cannot be sent holds up newer ones of its lane.
	blockFor = 15 * time.Minute
)

// result is what became of a job.
type result struct {
	job
	receipt Receipt
	err     error
	unsent  bool // never tried: the row goes back as it was
	took    time.Duration
}

// worker sends what is due in one channel. One goroutine claims, judges and
// settles; as many as the channel allows in parallel send. Nothing is shared
// with other channels, so none can delay another.
type worker struct {
	s       *Sender
	spec    ChannelSpec
	breaker *breaker
	pace    pace
	until   time.Time // the channel asked for a pause until then
	jobs    chan *job // pointers: most slots are empty, on most channels always
	results chan *result
	out     int // jobs handed out and not come back
	took    time.Duration
	done    []outcome // judged, not yet in the store
}

func newWorker(s *Sender, spec ChannelSpec) *worker {
	if spec.Parallel <= 0 {
		spec.Parallel = parallelUnset
	}
	most := spec.Parallel * aheadMost
	return &worker{
		s: s, spec: spec, pace: newPace(spec.PerSecond), breaker: newBreaker(ChannelState{Channel: spec.ID}),
		jobs: make(chan *job, most), results: make(chan *result, most), took: aheadFor,
	}
}

// run works until ctx ends; then it lets sends under way finish for a while and
// gives back what was not begun.
func (w *worker) run(ctx context.Context) {
	sending, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	cut := func() { stop(&Refusal{Reason: "this hub was stopped while it was being sent"}) }
	defer cut()
	var senders sync.WaitGroup
	for range w.spec.Parallel {
		senders.Go(func() {
			for j := range w.jobs {
				r := w.send(sending, *j)
				w.results <- &r
			}
		})
	}
	defer senders.Wait()
	defer close(w.jobs)
	if !w.resume(ctx) {
		return
	}
	l, end := w.s.loops.begin("channel/"+w.spec.ID, w.s.desk.now())
	defer end()
	for ctx.Err() == nil {
		wake := w.s.desk.wake.Wait()
		more, next, err := w.round(ctx)
		l.looked(err, w.s.desk.now())
		switch {
		case ctx.Err() != nil:
		case err != nil:
			w.s.log.Warn("deliveries not claimed or settled", "channel", w.spec.ID, "settling", len(w.done), "err", err)
			l.rest(ctx, lookEvery, nil)
		case !more:
			w.wait(ctx, l, wake, next)
		}
	}
	w.drain(cut)
}

// resume reads how the channel was doing, until it can be read.
func (w *worker) resume(ctx context.Context) bool {
	for ctx.Err() == nil {
		states, err := w.s.desk.store.ChannelStates(ctx)
		if err == nil {
			for _, s := range states {
				if s.Channel == w.spec.ID {
					w.breaker = newBreaker(s)
				}
			}
			return true
		}
		pause(ctx, lookEvery)
	}
	return false
}

// window is how many jobs may be out: enough that the senders never wait for a
// commit, no more than they can begin soon.
func (w *worker) window() int {
	ahead := int(aheadFor / max(w.took, time.Millisecond/10))
	return w.spec.Parallel * min(max(ahead, 1), aheadMost)
}

// round settles what came back and claims what is due, in one unit of work, and
// hands it to the senders. more tells that it should be called again at once;
// next is when something may become due, zero when that is not known.
func (w *worker) round(ctx context.Context) (more bool, next time.Time, err error) {
	now := w.s.desk.now()
	room := w.window() - w.out
	if now.Before(w.until) {
		room, next = 0, w.until
	}
	room = w.breaker.room(max(room, 0), now)
	if w.breaker.Circuit == Opened {
		next = earlier(next, w.breaker.RetryAt)
		if err := w.divert(ctx, now); err != nil {
			return false, next, err
		}
	}
	paced, free := w.pace.room(room, now)
	if paced < room && !free.IsZero() {
		next = earlier(next, free)
	}
	var jobs []job
	if paced > 0 {
		if jobs, err = w.claimable(ctx, now, paced); err != nil {
			return false, next, err
		}
	}
	if len(jobs) == 0 && len(w.done) == 0 && !w.breaker.dirty {
		return false, next, nil
	}
	begun, err := w.commit(ctx, jobs, now)
	if err != nil {
		return false, next, err
	}
	w.pace.took(len(begun))
	for _, j := range begun {
		w.breaker.trying()
		w.out++
		w.jobs <- &j
	}
	return len(jobs) == paced && paced == room && w.out < w.window(), next, nil
}

// claimable gives jobs of what is due, not claimed yet. It reads committed
// state: only this worker takes rows of its channel, and each is claimed at the
// version that was read.
func (w *worker) claimable(ctx context.Context, now time.Time, limit int) ([]job, error) {
	store := w.s.desk.store
	rows, err := store.Due(ctx, w.spec.ID, now, now.Add(-blockFor), limit)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if _, ok := w.s.channels(w.spec.ID); !ok {
		return nil, nil // being set up, or taken away: strand finds what stays
	}
	heads := map[string]bool{}
	for _, r := range rows {
		heads[r.ID] = true
	}
	var batches [][]Delivery
	lanes := map[int64]bool{}
	for _, r := range rows {
		if heads[r.Bundle] && r.Bundle != r.ID || lanes[r.Lane] {
			continue // goes out with its head, or after the one before it
		}
		lanes[r.Lane] = true
		batch := []Delivery{r}
		if r.Gather && (r.Bundle == "" || r.Bundle == r.ID) {
			others, err := store.Companions(ctx, r, r.Bundle != "", bundleMost-1)
			if err != nil {
				return nil, err
			}
			batch = append(batch, others...)
		}
		batches = append(batches, batch)
	}
	return w.s.compose(ctx, w.spec, batches)
}

// commit writes what came back and claims jobs, and gives the jobs that are to
// be sent: those whose rows nobody else changed, and that have something to send.
func (w *worker) commit(ctx context.Context, jobs []job, now time.Time) ([]job, error) {
	claims := make([]Delivery, 0, len(jobs))
	done := w.done
	for i := range jobs {
		j := &jobs[i]
		if j.verdict != "" {
			done = append(done, w.s.settle(w.spec, result{job: *j}, now))
			continue
		}
		j.until = now.Add(claimFor)
		rows := make([]Delivery, 0, len(j.rows))
		for _, r := range j.rows {
			if err := r.move(doClaim, r.Reason, j.until); err != nil {
				w.s.log.Error("delivery not claimed", "delivery", r.ID, "err", err)
				continue
			}
			r.Attempts++
			if r.Gather {
				r.Bundle = j.rows[0].ID
			}
			rows = append(rows, r)
		}
		j.rows = rows
		claims = append(claims, rows...)
	}
	var lost []string
	state := w.breaker.ChannelState
	err := w.s.unit(ctx, func(tx journal.Tx) error {
		if err := w.s.apply(ctx, tx, done); err != nil {
			return err
		}
		if w.breaker.dirty {
			if err := w.s.desk.store.PutChannelState(ctx, tx, state); err != nil {
				return err
			}
		}
		var err error
		lost, err = w.s.desk.store.Swap(ctx, tx, claims)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim %d and settle %d: %w", len(claims), len(done), err)
	}
	w.s.count(done)
	w.done, w.breaker.dirty = w.done[:0], false
	taken := map[string]bool{}
	for _, id := range lost {
		taken[id] = true
	}
	var begun []job
	for _, j := range jobs {
		if j.verdict == "" && len(j.rows) > 0 && !taken[j.rows[0].ID] {
			for k := range j.rows {
				j.rows[k].Version++
			}
			j.message.Delivery = j.rows[0]
			begun = append(begun, j)
		}
	}
	return begun, nil
}

// wait sleeps until there is something to do: a send that came back, a wake,
// the next row that falls due.
func (w *worker) wait(ctx context.Context, l *loop, wake <-chan struct{}, next time.Time) {
	most, now := lookEvery, w.s.desk.now()
	if next.After(now) {
		most = min(most, next.Sub(now))
	} else if w.out == 0 {
		if due, err := w.s.desk.store.NextDue(ctx, w.spec.ID); err == nil && due.After(now) {
			most = min(most, due.Sub(now))
		}
	}
	t := time.NewTimer(l.sleep(most))
	defer t.Stop()
	select {
	case r := <-w.results:
		w.back(*r)
		w.linger(ctx)
	case <-wake:
		l.rung()
	case <-t.C:
	case <-ctx.Done():
	}
}

// linger takes in further results for a moment, so that many share a commit.
func (w *worker) linger(ctx context.Context) {
	t := time.NewTimer(lingerFor)
	defer t.Stop()
	for w.out > 0 && len(w.done) < w.window()/2 {
		select {
		case r := <-w.results:
			w.back(*r)
		case <-t.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// back takes in one result: the breaker learns from it, and it waits to be settled.
func (w *worker) back(r result) {
	w.out--
	now := w.s.desk.now()
	if r.took > 0 {
		w.took += (r.took - w.took) / 8
	}
	w.learn(r, now)
	w.done = append(w.done, w.s.settle(w.spec, r, now))
}

// drain ends the worker: what was not begun is given back, sends under way may
// finish, and what is known is settled.
func (w *worker) drain(cut func()) {
	late := time.AfterFunc(drainFor, cut)
	defer late.Stop()
	for w.out > 0 {
		select {
		case j := <-w.jobs:
			w.back(result{job: *j, unsent: true})
		case r := <-w.results:
			w.back(*r)
		}
	}
	if len(w.done) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeWithin)
	defer cancel()
	if _, err := w.commit(ctx, nil, w.s.desk.now()); err != nil {
		w.s.log.Warn("deliveries not settled on the way out; they will be sent again", "channel", w.spec.ID, "rows", len(w.done), "err", err)
	}
}

// send sends one message. Whatever the channel does, there is a result.
func (w *worker) send(ctx context.Context, j job) (r result) {
	r.job = j
	if w.s.desk.now().Add(sendWithin).After(j.until) {
		r.unsent = true // the claim would run out under way
		return r
	}
	channel, ok := w.s.channels(w.spec.ID)
	if !ok {
		r.unsent = true
		return r
	}
	ctx, cancel := context.WithTimeoutCause(ctx, sendWithin, &Refusal{Reason: "no answer within " + sendWithin.String()})
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			w.s.log.Error("channel panicked", "channel", w.spec.ID, "panic", p, "stack", string(debug.Stack()))
			r.err = &Refusal{Reason: "the channel failed inside this hub"}
		}
	}()
	begun := time.Now()
	if j.rows[0].toRequester() {
		if !w.s.fetch(ctx, &r) {
			return r
		}
		j.message = r.message
	}
	if j.message.Event.Kind == kindChallenge {
		r.receipt, r.err = w.s.challenge(ctx, channel, j.message)
	} else {
		r.receipt, r.err = channel.Send(ctx, j.message)
	}
	r.took = max(time.Since(begun), 1)
	if cause := context.Cause(ctx); r.err != nil && ctx.Err() != nil {
		r.err = &Refusal{Reason: cause.Error(), Err: r.err}
	}
	return r
}
