package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/calendar"
	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/store"
)

// Reload reads the configuration again and makes it true. When anything is
// wrong nothing changes, and the log, /readyz and the metrics say so.
// Errors: config.Problems, Invalid, Unavailable.
func (a *App) Reload(ctx context.Context) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	err := a.reload(ctx)
	if err != nil {
		a.reloads.Refused()
		a.health.Note("configuration", false, "the file was refused, the one before stays in force: "+firstLine(err))
		a.log.Error("configuration refused; the one before stays in force", "path", a.o.Path, "err", err)
		return err
	}
	a.reloads.Applied(time.Now())
	a.health.Note("configuration", true, "")
	return nil
}

func (a *App) reload(ctx context.Context) error {
	if a.o.Load == nil {
		return problem.Invalid("", "this hub was started without a configuration file")
	}
	h := a.house.Load()
	if h == nil {
		return problem.Unavailable(nil, "The hub is not up yet; the file is read when it is.")
	}
	next, err := a.o.Load()
	if err != nil {
		return err
	}
	now := a.config.Load()
	if what := fixedChange(*now, next); what != "" {
		a.log.Warn("a setting takes effect at the next start only", "setting", what)
	}
	defined, err := a.definitions.join(ctx, h.store, next)
	if err != nil {
		return err
	}
	plan, err := h.watch.Apply(ctx, access.Host, a.definition(defined))
	if err != nil {
		return err
	}
	if err := a.setJobs(h, defined); err != nil {
		return err
	}
	if err := a.configureDoors(h, next); err != nil {
		return err
	}
	if err := h.wings.notices.apply(ctx, next); err != nil {
		return err
	}
	if err := a.configureTickets(h, next); err != nil {
		return err
	}
	a.configureHall(h, next)
	if err := a.configureMail(ctx, h, next); err != nil {
		return err
	}
	h.watch.Keep(retention(next))
	a.keepSettings(next)
	a.log.Info("configuration applied", "changes", len(plan.Changes))
	return nil
}

// keepSettings keeps of a configuration in force what is asked for later. What
// it defines stands in the record and in the runner; a reload reads it anew.
func (a *App) keepSettings(file config.File) {
	settings := file.Settings()
	a.config.Store(&settings)
}

// fixedChange names the first setting of the process itself that differs.
func fixedChange(now, next config.File) string {
	switch {
	case now.Listen != next.Listen:
		return "listen"
	case now.AdminListen != next.AdminListen:
		return "admin_listen"
	case now.Data != next.Data:
		return "data"
	case now.Database != next.Database:
		return "database"
	case now.Redis != next.Redis:
		return "redis"
	case now.Log != next.Log:
		return "log"
	case !slices.Equal(now.Proxies, next.Proxies):
		return "trusted_proxies"
	case !reflect.DeepEqual(now.Probe, next.Probe):
		return "probe"
	case !reflect.DeepEqual(now.Blackbox, next.Blackbox):
		return "blackbox"
	}
	return ""
}

// watchConfig reloads when the file changes.
func (a *App) watchConfig(ctx context.Context) error {
	return a.watcher.Run(ctx, func() { _ = a.Reload(ctx) }) // a refusal is logged and shown already
}

// Plan tells what applying a configuration would change in the record that it
// names, without changing anything. Where no hub has run yet everything is new.
// Errors: Invalid, Unavailable.
func Plan(ctx context.Context, file config.File) (status.Plan, error) {
	plan, err := planAgainst(ctx, store.Options{URL: file.Database.URL, DataDir: file.Data, ReadOnly: true}, file)
	if file.Database.URL != "" || !errors.Is(err, fs.ErrNotExist) {
		return plan, err
	}
	empty, err := os.MkdirTemp("", "evenkeel-plan-")
	if err != nil {
		return status.Plan{}, problem.Unavailable(err, "A folder for an empty record cannot be made.")
	}
	defer os.RemoveAll(empty)
	return planAgainst(ctx, store.Options{DataDir: empty}, file)
}

func planAgainst(ctx context.Context, o store.Options, file config.File) (status.Plan, error) {
	o.Log = slog.New(slog.DiscardHandler)
	s, err := store.Open(ctx, o)
	if err != nil {
		return status.Plan{}, err
	}
	defer s.Close(ctx)
	docs, err := s.Documents(ctx)
	if err != nil {
		return status.Plan{}, err
	}
	file, _ = config.Fit(file, texts(docs), checks(config.Options{Environ: os.Environ(), ReadFile: noFiles, Elsewhere: true, Unseal: unsealLater}))
	w := status.NewWatch(status.WatchDeps{Work: s, Store: s, Calendar: calendar.New(), Log: o.Log, Now: time.Now})
	return w.Plan(ctx, definition(file))
}

// definition is the file in the words of the status wing, with what only this
// process knows.
func (a *App) definition(f config.File) status.Definition {
	d := definition(f)
	d.Site.Simulated = a.o.Simulated
	return d
}

// retention is what the file says about keeping.
func retention(f config.File) status.Retention {
	r := status.DefaultRetention
	r.Spans, r.Decisions, r.Days = f.Retention.Spans.D(), f.Retention.Decisions.D(), f.Retention.Histories.D()
	return r
}

func firstLine(err error) string {
	text := fmt.Sprint(err)
	for i, c := range text {
		if c == '\n' {
			return text[:i]
		}
	}
	return text
}
