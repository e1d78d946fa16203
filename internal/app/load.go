package app

import (
	"errors"
	"os"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/calendar"
	"evenkeel/internal/config"
	"evenkeel/internal/notify"
	"evenkeel/internal/problem"
	"evenkeel/monitors"
)

// LoadConfig reads and checks a configuration file with everything the house
// knows: kinds, their options, recurrences and schedules. environ is the
// process's own. Errors: config.Problems; a wrapped fs error when it cannot be read.
func LoadConfig(path string, environ []string) (config.File, error) {
	return config.Load(path, checks(config.Options{Environ: environ}))
}

// LoadConfigForHub is LoadConfig for a file that another process will run:
// variables that are not set here count as set there.
func LoadConfigForHub(path string, environ []string) (config.File, error) {
	return config.Load(path, checks(config.Options{Environ: environ, Elsewhere: true}))
}

// checks adds the checks that need other rooms.
func checks(o config.Options) config.Options {
	o.Kinds = monitors.Kinds()
	for _, r := range access.People() {
		o.Roles = append(o.Roles, string(r))
	}
	o.CheckRRule = func(rule, zone, start string, lasts time.Duration) error {
		err := calendar.Check(rule, zone, start, lasts)
		if e, ok := errors.AsType[*problem.Error](err); ok {
			return errors.New(e.Msg) // the file's path says which field
		}
		return err
	}
	o.CheckChannel = channelProblems(notify.NewHouse(notify.Env{LookupEnv: o.Lookup}))
	env := monitors.NewEnv(monitors.Env{LookupEnv: o.Lookup, ReadFile: os.ReadFile})
	o.CheckMonitor = func(m config.Monitor) []config.Problem {
		probe, err := monitors.Compile(m, env)
		if err == nil {
			probe.Close()
			return nil
		}
		return configProblems(err)
	}
	return o
}

// configProblems turns what a room says about a monitor into problems of the
// file; fields are paths within the monitor.
func configProblems(err error) []config.Problem {
	if many, ok := errors.AsType[problem.Errors](err); ok {
		var out []config.Problem
		for _, e := range many {
			out = append(out, configProblems(e)...)
		}
		return out
	}
	if e, ok := errors.AsType[*problem.Error](err); ok && e.Kind != problem.KindInternal {
		return []config.Problem{{Path: e.Field, Reason: e.Msg}}
	}
	return []config.Problem{{Reason: err.Error()}}
}
