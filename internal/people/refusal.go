package people

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// Reason is why somebody was refused.
type Reason string

// The reasons.
const (
	ReasonPassword  Reason = "password" // wrong, or of nobody
	ReasonCode      Reason = "code"
	ReasonThrottled Reason = "throttled"
	ReasonBusy      Reason = "busy"
	ReasonDisabled  Reason = "disabled"
	ReasonLink      Reason = "link"
	ReasonNoRole    Reason = "no_role"
	ReasonAddress   Reason = "address" // an identity whose address is not vouched for, or taken
	ReasonNotDemo   Reason = "not_demo"
	ReasonForbidden Reason = "forbidden" // known, and not allowed to do that
	ReasonToken     Reason = "token"     // an API token that is none, over or revoked
	ReasonHook      Reason = "hook"
	ReasonCrossSite Reason = "cross_site"
	ReasonIdentity  Reason = "identity" // what an OIDC provider sent does not hold
)

// The bounds of what is journaled of refusals, so that who is refused a
// thousand times a second cannot fill the journal.
const (
	refusalsEvery = time.Minute // the first is written at once, the others as a number
	maxRefusals   = 500         // different ones that are counted apart
	writeWithin   = 5 * time.Second
)

// Refusals writes every refusal into the journal: the first of its kind at
// once, what follows within a minute as one entry with a number. Run must run.
type Refusals struct {
	work journal.Work
	log  *slog.Logger
	now  func() time.Time

	// Beat is told by Run that it is alive, at least every so often; nil = nobody
	// listens. It is set before Run.
	Beat func(every time.Duration)

	mu     sync.Mutex
	counts map[refusal]*refusals
	wake   chan struct{}
}

// refusal is what is counted together.
type refusal struct {
	actor  string
	role   access.Role
	person string // "" for nobody known
	reason Reason
	action access.Action
}

type refusals struct {
	waiting int // not yet written
	next    time.Time
}

// NewRefusals makes the service.
func NewRefusals(work journal.Work, log *slog.Logger, now func() time.Time) *Refusals {
	return &Refusals{work: work, log: log, now: now, counts: map[refusal]*refusals{}, wake: make(chan struct{}, 1)}
}

// Note counts one refusal: of the actor, about the person with that id ("" when
// no account is meant), for the reason, of the action where there is one. It
// never waits.
func (r *Refusals) Note(by access.Actor, person string, reason Reason, act access.Action) {
	k := refusal{actor: by.ID, role: by.Role, person: person, reason: reason, action: act}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts[k]
	if c == nil {
		if len(r.counts) >= maxRefusals { // together with all others of this reason
			k = refusal{actor: access.Visitor.ID, role: access.Visitor.Role, reason: reason}
			c = r.counts[k]
		}
		if c == nil {
			c = &refusals{}
			r.counts[k] = c
		}
	}
	c.waiting++
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run writes refusals until ctx ends, and then what is left. It gives nil.
func (r *Refusals) Run(ctx context.Context) error {
	tick := time.NewTicker(refusalsEvery / 4)
	defer tick.Stop()
	for {
		if r.Beat != nil {
			r.Beat(refusalsEvery / 4)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
			defer cancel()
			r.write(last, true)
			return nil
		case <-tick.C:
		case <-r.wake:
		}
		r.write(ctx, false)
	}
}

// write journals what is due, or everything.
func (r *Refusals) write(ctx context.Context, all bool) {
	now := r.now().UTC()
	for k, n := range r.due(now, all) {
		err := r.work.Do(ctx, access.Actor{ID: k.actor, Role: k.role}, func(tx journal.Tx) error { return tx.Append(k.entry(n)) })
		if err != nil {
			if ctx.Err() == nil {
				r.log.Warn("refusals are not journaled yet", "reason", k.reason, "count", n, "err", err)
			}
			r.putBack(k, n)
		}
	}
}

// due takes out the counts whose time has come.
func (r *Refusals) due(now time.Time, all bool) map[refusal]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	due := map[refusal]int{}
	for k, c := range r.counts {
		switch {
		case !all && now.Before(c.next):
		case c.waiting > 0:
			due[k] = c.waiting
			c.waiting, c.next = 0, now.Add(refusalsEvery)
		default:
			delete(r.counts, k) // quiet for long enough: the next one is written at once again
		}
	}
	return due
}

func (r *Refusals) putBack(k refusal, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts[k]
	if c == nil {
		c = &refusals{}
		r.counts[k] = c
	}
	c.waiting += n
}

// entry tells of n refusals.
func (k refusal) entry(n int) journal.Entry {
	e := personEntry("person.refused", cmp.Or(k.person, "unknown"), map[string]string{"reason": string(k.reason), "count": strconv.Itoa(n)})
	if k.action != "" {
		e.Payload["action"] = string(k.action)
	}
	return e
}
