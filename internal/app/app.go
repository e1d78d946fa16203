package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/telemetry"
	"evenkeel/monitors"
	"evenkeel/web"
	"evenkeel/web/door"
)

// App is one running hub. Its parts come in two lots: the listeners and what
// they need to serve kept pages, which stand at once; and everything that needs
// the record, which follows as soon as the database can be reached.
type App struct {
	o           Options
	log         *slog.Logger
	registry    *prometheus.Registry
	health      *telemetry.Health
	web         *web.Server
	env         monitors.Env
	console     monitors.Env // of monitors that were made in the console
	pings       *pings
	reloads     *telemetry.Reloads
	watcher     *config.Watcher
	holder      string // this process, in leases
	definitions *Definitions
	hatch       *door.Hatch

	listener  net.Listener // main
	admin     net.Listener
	outer     stack // listeners and servers
	inner     stack // what needs the record
	mu        sync.Mutex
	house     atomic.Pointer[house]       // nil until the record is there
	config    atomic.Pointer[config.File] // whole until the house stands, then the settings alone
	reloading sync.Mutex                  // one reload at a time
	watching  atomic.Bool                 // this process holds the lease
	stopped   sync.Once
	stopErr   error
	fatal     chan error
}

// New builds the hub and opens its listeners, so that an occupied port is known
// at once. Errors: Invalid, Unavailable.
func New(o Options) (*App, error) {
	a := &App{
		o: o, log: o.Log, registry: telemetry.NewRegistry(), health: telemetry.NewHealth(), holder: journal.NewHolder(),
		outer: stack{log: o.Log}, inner: stack{log: o.Log}, fatal: make(chan error, 1),
	}
	first := o.Config
	a.config.Store(&first)
	a.o.Config = config.File{} // what thousands of monitors take is let go of when the house stands
	a.pings = newPings(o.Log)
	a.reloads = telemetry.NewReloads(a.registry)
	a.reloads.Applied(time.Now())
	a.health.Note("configuration", true, "")
	if o.Path != "" {
		a.watcher = config.NewWatcher(o.Path, o.Log)
	}
	if err := os.MkdirAll(o.Config.Data, 0o750); err != nil {
		return nil, problem.Unavailable(err, "The data folder %s cannot be made: check the path and its permissions, or set data: or EVENKEEL_DATA.", o.Config.Data)
	}
	var err error
	if a.env, err = a.probeEnv(o.Config); err != nil {
		return nil, err
	}
	if a.console, err = a.consoleEnv(o.Config); err != nil {
		return nil, err
	}
	a.definitions = newDefinitions(a)
	if a.listener, err = listen(o.Config.Listen, "listen: or EVENKEEL_LISTEN"); err != nil {
		return nil, err
	}
	if a.admin, err = listen(o.Config.AdminListen, "admin_listen: or EVENKEEL_ADMIN_LISTEN"); err != nil {
		return nil, errors.Join(err, a.listener.Close())
	}
	a.registerMetrics()
	a.hatch = door.NewHatch(o.Config.Data, a.clerk)
	blackbox, err := a.blackbox(o.Config)
	if err != nil {
		return nil, errors.Join(err, a.listener.Close(), a.admin.Close())
	}
	a.web, err = web.New(web.Deps{
		Folder: filepath.Join(o.Config.Data, "page"), Proxies: o.Config.Proxies, Version: o.Version, Log: a.log, Registerer: a.registry,
		Now: time.Now, Ready: http.HandlerFunc(a.health.ServeReadyPublicly), Blackbox: blackbox, Hatch: a.hatch,
	})
	if err != nil {
		return nil, errors.Join(err, a.listener.Close(), a.admin.Close())
	}
	return a, nil
}

func listen(addr, setting string) (net.Listener, error) {
	l, err := (&net.ListenConfig{Control: cutStalled}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, problem.Unavailable(err, "Cannot listen on %s: is another hub running? Choose another address with %s.", addr, setting)
	}
	return l, nil
}

// Addr is where the public listener stands.
func (a *App) Addr() string { return a.listener.Addr().String() }

// AdminAddr is where metrics and the management API stand.
func (a *App) AdminAddr() string { return a.admin.Addr().String() }

// Failed gives an error when the hub cannot go on and must be stopped.
func (a *App) Failed() <-chan error { return a.fatal }

// Start serves kept pages at once and then brings up the rest. When a database
// server cannot be reached but pages were kept, it goes on trying in the
// background and serves those; without any it gives the error. What is wrong
// with a SQLite file in the data folder does not mend itself, so that it is
// always given, and so is a database that fits no binary like this.
func (a *App) Start(ctx context.Context) error {
	a.health.Need("database", false, "not reached yet")
	a.serve("public listener", a.listener, a.web.Public(), web.PublicTimeouts)
	a.serve("admin listener", a.admin, telemetry.NewAdmin(a.adminOptions()), web.AdminTimeouts)
	if err := a.hatch.Open(a.AdminAddr()); err != nil {
		a.log.Warn("evenkeel admin cannot reach this hub", "err", err)
	}
	a.outer.push("errands", func(context.Context) error { return a.hatch.Close() })
	a.outer.background("page", a.failed, a.web.Run)
	a.outer.push("live streams", func(context.Context) error { a.web.CloseStreams(); return nil })
	err := a.rise(ctx)
	if err == nil {
		return nil
	}
	remote := a.config.Load().Database.URL != ""
	if !remote || problem.KindOf(err) != problem.KindUnavailable || !a.web.HasPages() {
		return err
	}
	a.log.Error("the record cannot be reached; serving the kept pages and trying again", "err", err)
	a.outer.background("rise", a.failed, a.keepRising)
	return nil
}

// riseEvery is how often an unreachable database is tried.
const riseEvery = 2 * time.Second

func (a *App) keepRising(ctx context.Context) error {
	tick := time.NewTicker(riseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := a.rise(ctx)
		switch {
		case err == nil:
			return nil
		case problem.KindOf(err) != problem.KindUnavailable:
			return err
		}
		a.log.Warn("the record cannot be reached yet", "err", err)
	}
}

// serve runs an HTTP server on a listener until the teardown.
func (a *App) serve(name string, l net.Listener, h http.Handler, t web.Timeouts) {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: t.Header, ReadTimeout: t.Read, WriteTimeout: t.Write, IdleTimeout: t.Idle,
		MaxHeaderBytes: web.MaxHeaderBytes, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.failed(name, err)
		}
	}()
	a.outer.push(name, func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, srv.Close())
		}
		<-done
		return err
	})
}

// failed reports that a part cannot go on; the first report counts.
func (a *App) failed(name string, err error) {
	a.log.Error("a part of the hub stopped", "part", name, "err", err)
	select {
	case a.fatal <- fmt.Errorf("%s: %w", name, err):
	default:
	}
}

// Stop takes everything down, last built first, within StopWithin. Calling it
// again gives the same answer.
func (a *App) Stop(ctx context.Context) error {
	a.stopped.Do(func() {
		ctx, cancel := context.WithTimeoutCause(ctx, StopWithin, errors.New("the hub took too long to stop"))
		defer cancel()
		// What needs the record goes first, so that nothing is acknowledged that
		// is not stored; kept pages are served to the last moment.
		a.mu.Lock()
		inner := a.inner.unwind(ctx)
		a.mu.Unlock()
		a.stopErr = errors.Join(inner, a.outer.unwind(ctx))
	})
	return a.stopErr
}
