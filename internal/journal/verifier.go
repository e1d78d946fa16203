package journal

import (
	"context"
	"errors"
	"sync"
	"time"
)

// verifyPause is how long Verifier rests after each batch, so that a long
// journal takes a part of one core and no more.
const verifyPause = 2 * time.Millisecond

// Verdict is what a verification found.
type Verdict struct {
	Seq     int64     // verified up to here
	Head    int64     // of the journal when it began
	At      time.Time // when it ended; zero while it runs
	Began   time.Time // zero = never
	Broken  *Broken   // the first link that does not hold
	Trouble error     // why the journal could not be read to its end
}

// Running reports whether it is under way.
func (v Verdict) Running() bool { return !v.Began.IsZero() && v.At.IsZero() }

// Verifier recomputes the chain in the background when it is asked to: one
// verification at a time, whoever asks. Run must run.
type Verifier struct {
	reader Reader
	now    func() time.Time
	asked  chan struct{}

	mu      sync.Mutex
	verdict Verdict
}

// NewVerifier makes one that has verified nothing yet.
func NewVerifier(r Reader, now func() time.Time) *Verifier {
	return &Verifier{reader: r, now: now, asked: make(chan struct{}, 1)}
}

// Ask begins a verification from the first entry, unless one is under way.
func (v *Verifier) Ask() {
	select {
	case v.asked <- struct{}{}:
	default:
	}
}

// Verdict gives what the last verification found, or how far this one has come.
func (v *Verifier) Verdict() Verdict {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.verdict
}

// Run verifies whenever it is asked to, until ctx ends. It gives nil then.
func (v *Verifier) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.asked:
		}
		v.verify(ctx)
		select { // who asked meanwhile wanted this one
		case <-v.asked:
		default:
		}
	}
}

// verify walks the journal once.
func (v *Verifier) verify(ctx context.Context) {
	head, _, err := v.reader.Head(ctx)
	v.set(func(d *Verdict) { *d = Verdict{Began: v.now().UTC(), Head: head} })
	if err == nil {
		err = walk(ctx, v.reader, func(Sealed) *Broken { return nil }, func(seq int64) {
			v.set(func(d *Verdict) { d.Seq, d.Head = seq, max(d.Head, seq) })
			sleep(ctx, verifyPause, nil, nil)
		})
	}
	v.set(func(d *Verdict) {
		d.At = v.now().UTC()
		if broken, ok := errors.AsType[*Broken](err); ok {
			d.Broken = broken
		} else {
			d.Trouble = err
		}
	})
}

func (v *Verifier) set(change func(*Verdict)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(&v.verdict)
}
