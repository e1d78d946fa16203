package app

import (
	"context"
	"fmt"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/calendar"
	"evenkeel/internal/config"
	"evenkeel/internal/hub"
	"evenkeel/internal/journal"
	"evenkeel/internal/latency"
	"evenkeel/internal/status"
	"evenkeel/internal/store"
	"evenkeel/monitors"
	"evenkeel/web"
)

// house is everything that needs the record.
type house struct {
	metrics  *tracked
	store    *store.Store
	latency  *latency.Recorder
	watch    *status.Watch
	desk     *status.Desk
	board    *status.Board
	runner   *monitors.Runner
	follower *journal.PerProcess
	sealer   *journal.Sealer
	doors    doors
	wings    wings
}

// rise opens the record, applies the configuration and starts every loop. What
// it had built when an error comes is taken down again.
func (a *App) rise(ctx context.Context) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() {
		if err != nil {
			_ = a.inner.unwind(context.WithoutCancel(ctx)) // each failing step is in the log
		}
	}()
	h := &house{metrics: &tracked{registry: a.registry}}
	a.inner.push("metrics", func(context.Context) error { h.metrics.forget(); return nil })
	file := a.config.Load()
	if err := a.openStore(ctx, h, file.Database.URL, file.Data); err != nil {
		return err
	}
	if err := a.openLatency(ctx, h, file.Redis.URL, file.Retention.Samples.D()); err != nil {
		return err
	}
	h.board = status.NewBoard(status.BoardDeps{Store: h.store, Latency: h.latency, Incidents: hub.Page{Incidents: h.store}, Amendments: h.store, Log: a.log.With("component", "board")})
	blank, err := a.preview(ctx, h)
	if err != nil {
		return err
	}
	a.openIncidents(h)
	h.watch = status.NewWatch(status.WatchDeps{
		Work: h.store, Store: h.store, Latency: h.latency, Calendar: calendar.New(), Log: a.log.With("component", "watch"), Now: time.Now,
		Statements: h.wings.statement, Beat: a.health.Beat, Rest: a.health.Forget,
	})
	h.desk = status.NewDesk(status.DeskDeps{
		Work: h.store, Store: h.store, Calendar: calendar.New(), Watch: h.watch, Now: time.Now,
	})
	if h.doors.box, err = openBox(*file); err != nil {
		return err
	}
	a.definitions.box.Store(h.doors.box)
	defined, err := a.definitions.join(ctx, h.store, *file)
	if err != nil {
		return err
	}
	if err := a.applyFirst(ctx, h, defined); err != nil {
		return err
	}
	seq, _, err := h.store.Head(ctx)
	if err != nil {
		return err
	}
	if err := h.board.Load(ctx, seq); err != nil {
		return fmt.Errorf("load the page: %w", err)
	}
	if !blank { // else there is nothing to draw yet
		if err := h.board.Refresh(ctx, time.Now()); err != nil {
			a.log.Warn("latency lines are not there yet", "err", err)
		}
	}
	if err := h.desk.Load(ctx); err != nil {
		return err
	}
	if err := a.startRunner(ctx, h, defined); err != nil {
		return err
	}
	if err := a.openDoors(ctx, h, *file); err != nil {
		return err
	}
	if a.o.Simulated {
		if err := a.castDemo(ctx, h); err != nil {
			return err
		}
	}
	if err := a.openMail(h); err != nil {
		return err
	}
	a.openTickets(h)
	if err := a.configureTickets(h, *file); err != nil {
		return err
	}
	a.configureHall(h, *file)
	if err := a.openNotices(ctx, h, *file); err != nil {
		return err
	}
	if err := a.configureMail(ctx, h, *file); err != nil {
		return err
	}
	if a.o.Tell != nil {
		stage := Stage{Work: h.store, Incidents: h.store, Components: h.wings.present.Known(), Accounts: h.doors.accounts, Notices: h.wings.told}
		if err := a.o.Tell(ctx, stage); err != nil {
			return fmt.Errorf("tell the story: %w", err)
		}
	}
	a.keepSettings(*a.config.Load())
	inside := a.startLoops(h, seq)
	a.house.Store(h)
	a.inner.push("management API", func(context.Context) error { a.house.Store(nil); return nil })
	a.web.Attach(a.liveDeps(h, inside))
	a.health.Need("database", true, h.store.Engine())
	return nil
}

// preview shows the first page of a hub whose record is empty while everything
// else rises: of what the configuration names nothing was measured yet, and no
// unit of work needs to commit for that to be true. blank tells that the record
// is empty and stays so until somebody watches.
func (a *App) preview(ctx context.Context, h *house) (blank bool, err error) {
	seq, _, err := h.store.Head(ctx)
	if err != nil || seq > 0 || a.o.Seed != nil {
		return false, err
	}
	if !a.web.HasPages() {
		h.board.Begin(shown(*a.config.Load()), time.Now().UTC().Truncate(time.Microsecond))
		a.web.Preview(ctx, h.board)
	}
	return true, nil
}

func (a *App) openStore(ctx context.Context, h *house, url, folder string) (err error) {
	if h.store, err = store.Open(ctx, store.Options{URL: url, DataDir: folder, Log: a.log}); err != nil {
		return err
	}
	a.inner.push("database", h.store.Close)
	a.health.Engine("database", h.store.Engine())
	a.health.Need("database", false, "the record is being read")
	return nil
}

func (a *App) openLatency(ctx context.Context, h *house, url string, keep time.Duration) (err error) {
	h.latency, err = latency.Open(ctx, latency.Options{
		URL: url, Hours: h.store, Keep: keep, Log: a.log.With("component", "latency"), Registerer: h.metrics, Now: time.Now,
		Beat: func() { a.health.Beat("latency flush", latency.MaxBackOff) },
	})
	if err != nil {
		return err
	}
	a.inner.push("latency", func(ctx context.Context) error {
		if err := h.latency.Close(ctx); err != nil { // charts lose a moment; nothing that was acknowledged
			a.log.Warn("samples could not be saved at the stop", "err", err)
		}
		return nil
	})
	a.health.Engine("redis", h.latency.Engine())
	a.health.Engine("blobs", "in the database")
	a.inner.background("latency flush", a.failed, h.latency.Run)
	return nil
}

// applyFirst makes the configuration true, and lets the seed fill an empty
// history before anybody watches.
func (a *App) applyFirst(ctx context.Context, h *house, file config.File) error {
	// A definition that is in force already changes nothing, the catalog neither.
	if err := h.watch.Load(ctx); err != nil {
		return err
	}
	if _, err := h.watch.Apply(ctx, access.Host, a.definition(file)); err != nil {
		return fmt.Errorf("apply the configuration: %w", err)
	}
	h.watch.Keep(retention(*a.config.Load()))
	if a.o.Seed != nil {
		bed := Seedbed{Store: h.store, Work: h.store, Latency: h.latency, Catalog: h.watch.Catalog()}
		if err := a.o.Seed(ctx, bed); err != nil {
			return fmt.Errorf("seed the history: %w", err)
		}
		if err := h.latency.Flush(ctx); err != nil {
			a.log.Warn("seeded samples are not saved yet", "err", err)
		}
	}
	return nil
}

// startLoops starts what follows the journal and what watches.
func (a *App) startLoops(h *house, seq int64) web.Inside {
	bell := h.latency.Bell()
	h.sealer = journal.NewSealer(h.store, h.store, a.holder, bell, a.log.With("component", "sealer"))
	a.inner.background("sealer", a.failed, h.sealer.Run)
	h.follower = &journal.PerProcess{
		Name: "page", Reader: h.store, Bell: bell, Log: a.log,
		Handle: func(ctx context.Context, entries []journal.Sealed) error {
			if err := h.desk.Follow(ctx, entries); err != nil {
				return err
			}
			a.definitions.follow(h, entries)
			if err := h.follow(ctx, entries); err != nil {
				return err
			}
			if err := h.board.Follow(ctx, entries); err != nil {
				return err
			}
			a.web.Changed(entries)
			h.wings.console.Follow(entries)
			return nil
		},
	}
	inside := a.openConsole(h, seq)
	a.inner.background("page follower", a.failed, func(ctx context.Context) error { return h.follower.Run(ctx, seq) })
	a.inner.background("definitions", a.failed, func(ctx context.Context) error { return a.definitions.run(ctx, h) })
	a.inner.background("minute tick", a.failed, func(ctx context.Context) error { return a.minutes(ctx, h) })
	a.inner.background("watch", a.failed, func(ctx context.Context) error {
		return journal.Hold(ctx, h.store, "watch", a.holder, a.log, func(ctx context.Context, l journal.Lease) error { return a.watchUnder(ctx, h, l) })
	})
	a.inner.background("checks", a.failed, func(ctx context.Context) error { return a.checkHealth(ctx, h) })
	a.startWings(h)
	a.startTickets(h)
	a.startMail(h, h.wings.tickets)
	if a.o.Path != "" && a.o.Load != nil {
		a.inner.background("configuration", a.failed, a.watchConfig)
	}
	return inside
}

// minutes tells the board and the page that a minute has begun.
func (a *App) minutes(ctx context.Context, h *house) error {
	const every = time.Minute
	for {
		a.health.Beat("page clock", every)
		wait := time.NewTimer(time.Until(time.Now().Truncate(every).Add(every)))
		select {
		case <-ctx.Done():
			wait.Stop()
			a.health.Forget("page clock")
			return nil
		case <-wait.C:
		}
		if err := h.board.Refresh(ctx, time.Now()); err != nil && ctx.Err() == nil {
			a.log.Warn("minute tick", "err", err)
		}
		a.web.Tick()
	}
}

// liveDeps is what the web needs of the house.
func (a *App) liveDeps(h *house, inside web.Inside) web.Live {
	return web.Live{
		Inside: inside, Subscribers: h.wings.told, Seals: h.doors.box,
		Board: h.board, Store: h.store, Watch: h.watch, Latency: h.latency, Runner: h.runner, Pings: a.pings, Lag: h.follower.Lag,
	}
}
