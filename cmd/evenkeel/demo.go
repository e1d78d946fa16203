package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/demo"
	"evenkeel/internal/telemetry"
)

var verbDemo = verb{name: "demo", summary: "run the hub on simulated services, with a generated past", run: runDemo}

// runDemo starts the simulated estate and the hub that watches it.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "demo",
		what: "Run the hub on simulated services that slow down, fail, flap and recover on a two-minute script, with a generated past of 90 days. Everything stays in ./data/demo.",
		example: `evenkeel demo
EVENKEEL_LISTEN=127.0.0.1:9090 evenkeel demo`,
	}, stdout, stderr)
	data := c.flags.String("data", "", "data `FOLDER`; default EVENKEEL_DATA, else data/demo")
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	folder := *data
	if folder == "" {
		folder = os.Getenv("EVENKEEL_DATA")
	}
	if folder == "" {
		folder = "data/demo"
	}
	log := telemetry.NewLogger(stderr, "warn", "text")
	estate, err := demo.Prepare(ctx, log, folder, os.Getenv("EVENKEEL_LISTEN"), os.Getenv("EVENKEEL_REDIS_URL") == "")
	if err != nil {
		return c.fail(err)
	}
	load := func() (config.File, error) {
		file, err := app.LoadConfig(estate.Config, estate.Environ(os.Environ()))
		file.Data = folder
		return file, err
	}
	file, err := load()
	if err != nil {
		return c.fail(err)
	}
	playing, stopPlay := context.WithCancel(context.WithoutCancel(ctx))
	var play sync.WaitGroup
	code := hub(ctx, c, app.Options{
		Config: file, Path: estate.Config, Version: version(), Log: log, Load: load, Seed: estate.Seed, Tell: estate.Tell, Simulated: true,
		DemoMark: filepath.Join(folder, demo.Mark),
	}, func(a *app.App) {
		play.Go(func() {
			if err := estate.Play(playing, "http://"+a.Addr()); err != nil {
				log.Error("the simulated services stopped", "err", err)
			}
		})
		fmt.Fprintf(stdout, "\n%s\nPage:      http://%s/\nConsole:   http://%s/console (sign in at a click; metrics are on http://%s/metrics)\nNow yours: evenkeel init\n",
			estate.Engine(), a.Addr(), a.Addr(), a.AdminAddr())
	})
	stopPlay()
	play.Wait()
	if err := estate.Close(); err != nil {
		fmt.Fprintln(stderr, "evenkeel demo:", err)
	}
	return code
}
