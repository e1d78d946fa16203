package app

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/monitors"
)

// pings is the ear of the heartbeat monitors: it stores a signal before it is
// acknowledged, and remembers the newest of each kind for the probes.
type pings struct {
	log *slog.Logger

	mu     sync.Mutex
	store  pingStore                    // nil until the record is there
	tokens map[[sha256.Size]byte]string // hash of the token → monitor key
	newest map[string]map[status.PingSignal]status.Ping
	runner *monitors.Runner
}

// pingStore is where signals are kept.
type pingStore interface {
	status.Store
	journal.Work
}

func newPings(log *slog.Logger) *pings {
	return &pings{log: log, newest: map[string]map[status.PingSignal]status.Ping{}}
}

// use names the store, once it is open.
func (p *pings) use(s pingStore) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.store = s
}

// pingsEvery is how often signals that another replica took are read.
const pingsEvery = 5 * time.Second

// expect replaces the tokens that are listened for.
func (p *pings) expect(tokens map[string]string, runner *monitors.Runner) {
	hashed := make(map[[sha256.Size]byte]string, len(tokens))
	for token, key := range tokens {
		hashed[sha256.Sum256([]byte(token))] = key
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens, p.runner = hashed, runner
}

// load reads what was stored by others, or before the start. Errors: Unavailable.
func (p *pings) load(ctx context.Context) error {
	p.mu.Lock()
	store := p.store
	p.mu.Unlock()
	stored, err := store.LastPings(ctx)
	if err != nil {
		return err
	}
	var news []string
	for _, ping := range stored {
		if p.note(ping) {
			news = append(news, ping.Monitor)
		}
	}
	p.mu.Lock()
	runner := p.runner
	p.mu.Unlock()
	runner.Wake(news...)
	return nil
}

// refresh reads the signals that other replicas took, until ctx ends.
func (p *pings) refresh(ctx context.Context) error {
	tick := time.NewTicker(pingsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := p.load(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("signals of other replicas cannot be read", "err", err)
			}
		}
	}
}

// note keeps a ping when it is the newest of its signal, and tells whether it was
// not known before.
func (p *pings) note(ping status.Ping) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := p.newest[ping.Monitor]
	if of == nil {
		of = make(map[status.PingSignal]status.Ping, 4)
		p.newest[ping.Monitor] = of
	}
	if known, ok := of[ping.Signal]; ok && !ping.At.After(known.At) {
		return false
	}
	of[ping.Signal] = ping
	return true
}

// Signals gives the newest ping of each signal of a monitor.
func (p *pings) Signals(monitorKey string) []status.Ping {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]status.Ping, 0, len(p.newest[monitorKey]))
	for _, ping := range p.newest[monitorKey] {
		out = append(out, ping)
	}
	return out
}

// Hear takes a signal for the monitor that the token belongs to. It returns nil
// only when the signal is stored. Errors: NotFound, Unavailable.
func (p *pings) Hear(ctx context.Context, token string, ping status.Ping) error {
	p.mu.Lock()
	key, ok := p.tokens[sha256.Sum256([]byte(token))]
	runner, store := p.runner, p.store
	start := p.newest[key][status.PingStart].At
	p.mu.Unlock()
	if store == nil {
		return problem.Unavailable(nil, "The hub cannot store signals yet; send it again.")
	}
	if !ok {
		return problem.NotFound("No heartbeat has this token.")
	}
	ping.Monitor = key
	if (ping.Signal == status.PingSuccess || ping.Signal == status.PingFail) && !start.IsZero() && start.Before(ping.At) {
		ping.RunTime = ping.At.Sub(start)
	}
	err := store.Do(ctx, access.Hub, func(tx journal.Tx) error { return store.AddPing(ctx, tx, ping) })
	// A signal that could not be stored is refused, and the sender will send it
	// again; but it did come, so the trouble is ours and not the job's.
	p.note(ping)
	runner.Wake(key)
	return err
}
