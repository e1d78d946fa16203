package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"evenkeel/assets"
	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/telemetry"
)

var verbServe = verb{name: "serve", summary: "run the hub", run: runServe}

// runServe runs the hub until it is told to stop.
func runServe(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "serve",
		what: "Run the hub: it watches what the configuration names and serves the status page. SIGTERM and Ctrl-C stop it, SIGHUP and a change of the file reload it.",
		example: `evenkeel serve -c evenkeel.yaml
EVENKEEL_LISTEN=:8080 EVENKEEL_DATA=/var/lib/evenkeel evenkeel serve -c /etc/evenkeel/evenkeel.yaml`,
	}, stdout, stderr)
	path := c.flags.String("c", "evenkeel.yaml", "configuration `FILE`")
	listen := c.flags.String("listen", "", "main listener `ADDRESS`, instead of listen:")
	admin := c.flags.String("admin-listen", "", "admin listener `ADDRESS`, instead of admin_listen:")
	data := c.flags.String("data", "", "data `FOLDER`, instead of data:")
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	hurry()
	load := func() (config.File, error) {
		file, err := app.LoadConfig(*path, os.Environ())
		if err != nil {
			return file, err
		}
		for _, f := range []struct {
			to   *string
			from string
		}{{&file.Listen, *listen}, {&file.AdminListen, *admin}, {&file.Data, *data}} {
			if f.from != "" {
				*f.to = f.from
			}
		}
		return file, nil
	}
	file, err := load()
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(stderr, "evenkeel serve: there is no %s here. Write one with: evenkeel init %s\n", *path, *path)
			return exitUsage
		}
		return c.refuseFile(err)
	}
	calm(file.Pprof)
	log := telemetry.NewLogger(stderr, file.Log.Level, file.Log.Format)
	return hub(ctx, c, app.Options{Config: file, Path: *path, Version: version(), Log: log, Load: load}, func(a *app.App) {
		log.Info("serving", "page", "http://"+a.Addr()+"/", "admin", "http://"+a.AdminAddr()+"/", "version", version())
		if link, err := a.FirstLink(ctx); err != nil {
			log.Warn("whether there is an admin is not known yet; ask with: evenkeel admin first-link", "err", err)
		} else if link != "" {
			fmt.Fprintf(stderr, "\nNobody can sign in yet. The first admin chooses a password here; the link works once, for a day:\n%s\n\n", link)
		}
		if !assets.Built() {
			log.Info("this binary was built without make: the page is complete and its styles are not minified")
		}
		if c.json {
			c.printJSON(map[string]string{"page": "http://" + a.Addr() + "/", "admin": "http://" + a.AdminAddr() + "/"})
		}
	})
}

// hub runs an app until ctx ends or it fails; SIGHUP reloads it. ready is
// called when it stands.
func hub(ctx context.Context, c *command, o app.Options, ready func(*app.App)) int {
	log := o.Log // of o nothing is used beyond New: the configuration is the app's to let go of
	a, err := app.New(o)
	if err != nil {
		return c.fail(err)
	}
	if err := a.Start(ctx); err != nil {
		return c.fail(errors.Join(err, a.Stop(context.WithoutCancel(ctx))))
	}
	ready(a)
	settled := time.After(settleAfter)
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	defer signal.Stop(hups)
	for {
		select {
		case <-settled:
			settle()
		case <-hups:
			// What is wrong with the file is in the log, the metrics and /readyz.
			_ = a.Reload(ctx)
		case err := <-a.Failed():
			return c.fail(errors.Join(err, a.Stop(context.WithoutCancel(ctx))))
		case <-ctx.Done():
			log.Info("stopping", "cause", context.Cause(ctx))
			if err := a.Stop(context.WithoutCancel(ctx)); err != nil {
				return c.fail(err)
			}
			return exitOK
		}
	}
}
