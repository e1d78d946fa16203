package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Throttle counts attempts on one key. Keys hold hashes, never addresses.
type Throttle struct {
	Key   string
	Fails int
	At    time.Time // of the last attempt
	Until time.Time // no attempt before it
}

// limit is how often a key may be tried: freely at first, then with a delay
// that doubles from a second up to most.
type limit struct {
	free int
	most time.Duration
}

// The limits. A stranger who fails is slowed down by account and network, by
// network, and a little by account, so that guessing from many networks gets
// nowhere. A browser in which the person signed in before has a count of its
// own, so that nobody can lock that person out by failing elsewhere. Codes are
// slowed down for everybody, because six digits are few; recovery codes are
// not, because 80 bits are many.
var (
	limitHere    = limit{free: 5, most: 15 * time.Minute}
	limitNetwork = limit{free: 20, most: 15 * time.Minute}
	limitAccount = limit{free: 50, most: 30 * time.Second}
	limitKnown   = limit{free: 10, most: 5 * time.Minute}
	limitCode    = limit{free: 8, most: 10 * time.Minute}
)

// throttleFor is how long a count is kept after its last attempt.
const throttleFor = 24 * time.Hour

// take counts one attempt. wait is how long to wait instead, 0 when it may be made.
func (t Throttle) take(l limit, now time.Time) (next Throttle, wait time.Duration) {
	if now.Before(t.Until) {
		return t, t.Until.Sub(now)
	}
	if now.Sub(t.At) > throttleFor {
		t.Fails = 0
	}
	t.Fails, t.At, t.Until = t.Fails+1, now, time.Time{}
	if over := t.Fails - l.free; over > 0 {
		t.Until = now.Add(min(time.Second<<min(over-1, 30), l.most))
	}
	return t, 0
}

// tally is the keys that one attempt counts on.
type tally []struct {
	key   string
	limit limit
}

// strangerTally is for a password from a browser that nobody signed in with.
func strangerTally(email, network string) tally {
	account := digest(email)
	return tally{
		{"here/" + digest(email+" "+network), limitHere},
		{"network/" + digest(network), limitNetwork},
		{"account/" + account, limitAccount},
	}
}

// knownTally is for a browser that the person signed in with before.
func knownTally(mark string) tally { return tally{{"known/" + digest(mark), limitKnown}} }

// codeTally is for a code of the second factor.
func codeTally(person string) tally { return tally{{"code/" + person, limitCode}} }

// recoveryTally is for a recovery code.
func recoveryTally(person, network string) tally {
	return tally{{"recovery/" + digest(person+" "+network), limitHere}}
}

// linkTally is for opening links that must be guessed.
func linkTally(network string) tally { return tally{{"link/" + digest(network), limitNetwork}} }

// count takes one attempt on every key, or none when one of them must wait: an
// attempt is counted before it is known to fail, so that many at once do not
// slip through. Errors: TooMany, Unavailable.
func (a *Accounts) count(ctx context.Context, keys tally) error {
	var wait time.Duration
	err := a.Work.Do(ctx, access.Hub, func(tx journal.Tx) error {
		wait = 0
		next := make([]Throttle, len(keys))
		for i, k := range keys {
			t, err := a.Store.Throttle(ctx, tx, k.key)
			if err != nil {
				return err
			}
			t.Key = k.key
			var w time.Duration
			next[i], w = t.take(k.limit, tx.Now())
			wait = max(wait, w)
		}
		if wait > 0 {
			return nil
		}
		for _, t := range next {
			if err := a.Store.PutThrottle(ctx, tx, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && wait > 0 {
		return &Wait{For: wait}
	}
	return err
}

// uncount takes back the attempts of somebody who came in. On the network one
// attempt alone is taken back, or an account of one's own would make guessing
// free; on the other keys all of them.
func (a *Accounts) uncount(ctx context.Context, tx journal.Tx, keys tally) error {
	for _, k := range keys {
		t := Throttle{Key: k.key}
		if k.limit == limitNetwork {
			var err error
			if t, err = a.Store.Throttle(ctx, tx, k.key); err != nil {
				return err
			}
			t.Fails, t.Until = max(t.Fails-1, 0), time.Time{}
		}
		if err := a.Store.PutThrottle(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

// Wait is the refusal of an attempt that came too soon.
type Wait struct{ For time.Duration }

// Error says how long.
func (w *Wait) Error() string { return w.Unwrap().Error() }

// Unwrap gives it as a TooMany problem.
func (w *Wait) Unwrap() error {
	return problem.TooMany("There were many attempts. Try again in %s.", inWords(w.For))
}

// inWords writes a wait in whole seconds or minutes, rounded up.
func inWords(d time.Duration) string {
	unit, n := "second", int((d+time.Second-1)/time.Second)
	if n > 90 {
		unit, n = "minute", int((d+time.Minute-1)/time.Minute)
	}
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// digest names something in a key without telling it.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
