package monitors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// heartbeatKeys are the options of kind heartbeat.
var heartbeatKeys = []string{"schedule", "grace", "token", "expect.condition"}

const (
	defaultGrace   = time.Minute
	maxCron        = 200           // bytes of schedule.cron
	minHeartbeat   = time.Second   // of schedule.every
	briefAbsence   = time.Minute   // a restart of the hub this short forgives no ping: whoever pings tries again
	cronSearchSpan = 5 * 365 * day // how far ahead a cron schedule must fall due once
	tokenMinLength = 16            // characters of a token: it is all that protects the address
)

// heartbeatProbe judges a job by the pings it sends: it must say success within
// the grace after it was due.
type heartbeatProbe struct {
	every     time.Duration // 0 when cron is used
	cron      cron.Schedule
	zone      *time.Location
	grace     time.Duration
	pings     Pings
	offline   Absence
	since     time.Time // when listening began
	now       func() time.Time
	condition *Condition
}

// compileHeartbeat is the kind heartbeat. Errors: Invalid.
func compileHeartbeat(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &heartbeatProbe{
		every: spec.Schedule.Every.D(), zone: env.Zone, grace: spec.Grace.D(), pings: env.Pings,
		offline: env.Offline, since: env.Now(), now: env.Now,
	}
	if p.grace == 0 {
		p.grace = defaultGrace
	}
	if p.grace < 0 {
		found = append(found, problem.Invalid("grace", "cannot be negative"))
	}
	if spec.Schedule.Zone != "" {
		zone, err := time.LoadLocation(spec.Schedule.Zone)
		if err != nil {
			found = append(found, problem.Invalid("schedule.zone", "%q is not an IANA time zone like Europe/Vienna", spec.Schedule.Zone))
		} else {
			p.zone = zone
		}
	}
	switch {
	case spec.Schedule.Cron != "" && p.every != 0:
		found = append(found, problem.Invalid("schedule", "give every or cron, not both"))
	case spec.Schedule.Cron != "":
		s, err := parseCron(spec.Schedule.Cron, p.zone, p.since)
		if err != nil {
			found = append(found, problem.Invalid("schedule.cron", "%v", err))
		}
		p.cron = s
	case p.every < minHeartbeat:
		found = append(found, problem.Invalid("schedule", "needs every, at least %s, or cron", minHeartbeat))
	}
	token, err := env.Secret("token", spec.Token)
	found = collect(found, err)
	if err == nil && len(token) < tokenMinLength {
		found = append(found, problem.Invalid("token", "is needed, at least %d characters: it is the last part of the address to ping", tokenMinLength))
	}
	p.condition, err = env.Condition("expect.condition", spec.Expect.Condition, heartbeatAnswer{})
	found = collect(found, err)
	if len(found) > 0 {
		return nil, found
	}
	return p, nil
}

// parseCron reads the five fields of a crontab, and demands that the schedule
// falls due at all. Errors are for people.
func parseCron(text string, zone *time.Location, from time.Time) (cron.Schedule, error) {
	if len(text) > maxCron {
		return nil, fmt.Errorf("is longer than %d bytes", maxCron)
	}
	if strings.Contains(text, "TZ=") {
		return nil, errors.New("put the zone into schedule.zone")
	}
	parse := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	s, err := parse.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a schedule of five fields (minute hour day month weekday): %w", text, err)
	}
	if next := s.Next(from.In(zone)); next.IsZero() || next.Sub(from) > cronSearchSpan {
		return nil, fmt.Errorf("%q never falls due", text)
	}
	return s, nil
}

// Close has nothing to let go of.
func (p *heartbeatProbe) Close() {}

// heartbeatAnswer is what a condition may look at.
type heartbeatAnswer struct {
	Exit    int     `expr:"exit"`     // exit code of the last success or fail
	RunTime float64 `expr:"run_time"` // seconds between start and the last success; 0 when unknown
	Age     float64 `expr:"age"`      // seconds since the last success
	Log     string  `expr:"log"`      // what came with the last ping
}

// heard is the newest ping of each signal.
type heard struct{ start, success, fail, log status.Ping }

func (p *heartbeatProbe) heard(monitorKey string) heard {
	var h heard
	if p.pings == nil {
		return h
	}
	for _, ping := range p.pings.Signals(monitorKey) {
		slot := map[status.PingSignal]*status.Ping{
			status.PingStart: &h.start, status.PingSuccess: &h.success, status.PingFail: &h.fail, status.PingLog: &h.log,
		}[ping.Signal]
		if slot != nil && ping.At.After(slot.At) {
			*slot = ping
		}
	}
	return h
}

// Probe looks at the pings there are; it asks nobody. The latency of a good
// result is the job's last run time.
func (p *heartbeatProbe) Probe(_ context.Context, run *Run) status.Result {
	now := p.now().UTC()
	h := p.heard(run.Monitor)
	for _, ping := range []status.Ping{h.start, h.success, h.fail} {
		if !ping.At.IsZero() {
			run.Log("%s at %s, exit %d, run time %s", ping.Signal, stamp(ping.At), ping.Exit, ping.RunTime)
		}
	}
	if !h.success.At.IsZero() {
		run.Number("heartbeat_last_success_timestamp_seconds", float64(h.success.At.Unix()))
	}
	if h.fail.At.After(h.success.At) && !h.fail.At.Before(h.start.At) {
		res := run.Fail(status.CauseBadAnswer, "the job said that it failed at %s%s%s", stamp(h.fail.At), exitText(h.fail.Exit), colon(printable(h.fail.Log, maxQuoted)))
		res.Latency, res.Code = h.fail.RunTime, h.fail.Exit
		return res
	}
	ended := later(h.success.At, h.fail.At)
	if h.start.At.After(ended) {
		if end := h.start.At.Add(p.grace); now.After(end) && !p.wasAway(h.start.At, end) {
			return run.Fail(status.CauseMissing, "the job started at %s and has said nothing since", stamp(h.start.At))
		}
	}
	if res, missing := p.missing(run, now, h); missing {
		return res
	}
	if h.fail.At.After(h.success.At) { // it failed, and has started again since
		return run.Fail(status.CauseBadAnswer, "the job failed at %s and runs again since %s", stamp(h.fail.At), stamp(h.start.At))
	}
	if h.success.At.IsZero() {
		return run.Unknown("no ping has come yet; one is due by %s", stamp(p.due(p.since).Add(p.grace)))
	}
	answer := heartbeatAnswer{Exit: h.success.Exit, RunTime: h.success.RunTime.Seconds(), Age: now.Sub(h.success.At).Seconds(), Log: h.success.Log}
	if p.condition != nil {
		if why := p.condition.failure(answer); why != "" {
			res := run.Fail(status.CauseBadAnswer, "%s", why)
			res.Latency = h.success.RunTime
			return res
		}
	}
	res := run.OK(h.success.RunTime)
	res.Code = h.success.Exit
	return res
}

// missing decides whether a ping is overdue. A ping that was due while the hub
// was not there to hear it leaves us unable to tell until the next one is due.
func (p *heartbeatProbe) missing(run *Run, now time.Time, h heard) (status.Result, bool) {
	last := h.success.At
	if last.IsZero() {
		last = p.since
	}
	due := p.due(last)
	end := due.Add(p.grace)
	if !now.After(end) {
		return status.Result{}, false
	}
	if p.wasAway(due, end) {
		if next := p.due(later(due, p.offline.To)).Add(p.grace); !now.After(next) {
			return run.Unknown("the ping due at %s may have come while the hub was off; the next is due by %s", stamp(due), stamp(next)), true
		}
	}
	if h.start.At.After(last) && !now.After(h.start.At.Add(p.grace)) {
		return status.Result{}, false // late, but under way
	}
	if h.success.At.IsZero() {
		return run.Fail(status.CauseMissing, "no ping has ever come; one was due by %s", stamp(end)), true
	}
	return run.Fail(status.CauseMissing, "no success since %s; one was due by %s", stamp(h.success.At), stamp(end)), true
}

// due gives when the next success is due after t.
func (p *heartbeatProbe) due(t time.Time) time.Time {
	if p.cron == nil {
		return t.Add(p.every)
	}
	return p.cron.Next(t.In(p.zone)).UTC()
}

// wasAway reports whether the hub was off for more than a moment somewhere in [from, to].
func (p *heartbeatProbe) wasAway(from, to time.Time) bool {
	a := p.offline
	if a.To.Sub(a.From) < briefAbsence {
		return false
	}
	return a.From.Before(to) && a.To.After(from)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// stamp writes a moment for staff.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func exitText(code int) string {
	if code == 0 {
		return ""
	}
	return fmt.Sprintf(" with exit code %d", code)
}
