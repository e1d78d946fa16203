package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/monitors"
)

var verbProbe = verb{name: "probe", summary: "run one monitor once and show what it found", run: runProbe}

// probed is what the verb prints as JSON. Durations are in milliseconds.
type probed struct {
	OK          bool               `json:"ok"`
	Monitor     string             `json:"monitor"`
	Kind        string             `json:"kind"`
	Outcome     string             `json:"outcome"` // ok, slow, failed, inconclusive
	Reason      string             `json:"reason"`
	Code        int                `json:"code"`
	LatencyMS   float64            `json:"latency_ms"`
	Value       *float64           `json:"value,omitempty"`
	Unit        string             `json:"unit,omitempty"`
	PhasesMS    map[string]float64 `json:"phases_ms"`
	IPVersion   int                `json:"ip_version,omitempty"`
	TLSVersion  string             `json:"tls_version,omitempty"`
	CertExpires *time.Time         `json:"cert_expires,omitempty"`
	Redirects   int                `json:"redirects"`
	Bytes       int64              `json:"bytes"`
	Numbers     map[string]float64 `json:"numbers,omitempty"`
	Log         []string           `json:"log"`
}

// runProbe runs one monitor of a file once, as the schedule would, and shows
// its phases and its log. Nothing is recorded.
func runProbe(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "probe", args: "MONITOR",
		what:    "Run one monitor of the configuration once, from this machine, and show its phases and its log. Nothing is recorded. Exit code 1 means that it failed or could not tell.",
		example: "evenkeel probe shop-front -c evenkeel.yaml\nevenkeel probe shop-front --json | jq .phases_ms",
	}, stdout, stderr)
	path := c.flags.String("c", "evenkeel.yaml", "configuration `FILE`")
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	file, err := app.LoadConfig(*path, os.Environ())
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return c.misuse(fmt.Sprintf("there is no %s here; name one with -c", *path))
		}
		return c.refuseFile(err)
	}
	all := slices.Concat(file.Monitors, file.Sentinels)
	at := slices.IndexFunc(all, func(m config.Monitor) bool { return m.ID == rest[0] })
	if at < 0 {
		ids := make([]string, len(all))
		for i, m := range all {
			ids[i] = m.ID
		}
		return c.misuse(fmt.Sprintf("%s has no monitor %q.%s", *path, rest[0], didYouMean(rest[0], ids)))
	}
	spec := all[at]
	if spec.Kind == "heartbeat" {
		return c.fail(problem.Invalid("", "a heartbeat asks nobody: the hub judges it by the pings that come in, so it cannot be run from here"))
	}
	res, err := probeOnce(ctx, file, spec)
	if err != nil {
		return c.fail(err)
	}
	good := res.Outcome == status.OK || res.Outcome == status.Slow
	if c.json {
		c.printJSON(probedOf(spec, res, good))
	} else {
		printProbed(stdout, spec, res)
	}
	if !good {
		return exitFailed
	}
	return exitOK
}

// probeOnce runs a monitor under the limits that the file sets for all probes.
func probeOnce(ctx context.Context, file config.File, spec config.Monitor) (status.Result, error) {
	guard, err := netguard.New(netguard.Options{AllowPrivate: file.Probe.AllowPrivate == nil || *file.Probe.AllowPrivate, Deny: file.Probe.Deny})
	if err != nil {
		return status.Result{}, err
	}
	agent := file.Probe.UserAgent
	if agent == "" {
		agent = "evenkeel/" + version()
	}
	probe, err := monitors.Compile(spec, monitors.Env{Guard: guard, UserAgent: agent, DataDir: file.Data})
	if err != nil {
		return status.Result{}, err
	}
	defer probe.Close()
	return monitors.Once(ctx, probe, spec.ID, status.LocalLocation, spec.Timeout.D()), nil
}

func probedOf(spec config.Monitor, res status.Result, good bool) probed {
	f := res.Facts
	p := probed{
		OK: good, Monitor: spec.ID, Kind: spec.Kind, Outcome: res.Outcome.String(), Reason: res.Reason, Code: res.Code,
		LatencyMS: milliseconds(res.Latency), PhasesMS: make(map[string]float64), IPVersion: f.IPVersion, TLSVersion: f.TLSVersion,
		Redirects: f.Redirects, Bytes: f.Bytes, Numbers: f.Numbers, Log: f.Log,
	}
	for i, d := range res.Phases {
		p.PhasesMS[status.PhaseNames[i]] = milliseconds(d)
	}
	if res.HasValue {
		p.Value, p.Unit = &res.Value, spec.Value.Unit
	}
	if !f.CertExpiry.IsZero() {
		p.CertExpires = &f.CertExpiry
	}
	return p
}

// milliseconds gives a duration as JSON has it: to the microsecond.
func milliseconds(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// printProbed shows a result for people: verdict, phases, log.
func printProbed(w io.Writer, spec config.Monitor, res status.Result) {
	fmt.Fprintf(w, "%s (%s): %s", spec.ID, spec.Kind, res.Outcome)
	if res.Latency > 0 {
		fmt.Fprintf(w, ", %.1f ms", milliseconds(res.Latency))
	}
	if res.HasValue {
		fmt.Fprintf(w, ", value %g %s", res.Value, spec.Value.Unit)
	}
	fmt.Fprintln(w)
	if res.Reason != "" {
		fmt.Fprintf(w, "  %s\n", res.Reason)
	}
	fmt.Fprintln(w, "\nPhases")
	for i, d := range res.Phases {
		fmt.Fprintf(w, "  %-12s %8.1f ms\n", status.PhaseNames[i], milliseconds(d))
	}
	if f := res.Facts; !f.CertExpiry.IsZero() {
		fmt.Fprintf(w, "\n%s, certificate valid until %s\n", f.TLSVersion, f.CertExpiry.UTC().Format(time.DateOnly))
	}
	fmt.Fprintln(w, "\nLog")
	for _, line := range res.Facts.Log {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
