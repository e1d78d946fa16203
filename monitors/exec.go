package monitors

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// execKeys are the options of kind exec.
var execKeys = slices.Concat([]string{"command", "env", "value.label"}, valueKeys)

// Limits of a command.
const (
	maxExecOutput = 64 << 10               // bytes kept of each of its outputs
	execWaitPipes = 250 * time.Millisecond // how long its outputs may stay open after it ended
	maxExecNumber = 32                     // performance figures that become facts
)

// Exit codes of a plugin, from the plugin development guidelines.
const (
	pluginOK       = 0
	pluginWarning  = 1
	pluginCritical = 2
	pluginUnknown  = 3
)

// execPath is where a command looks for programs: its environment holds this,
// a neutral locale and what the monitor names, nothing else of the hub's.
const execPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// execMark is the variable by which processes of a run are known again when
// they have left its process group.
const execMark = "EVENKEEL_RUN"

// execProbe runs a command that follows the Nagios plugin guidelines, without
// a shell: 0 is good, 1 a warning, 2 failed, 3 inconclusive; every other end
// is failed, as Nagios has it. The command is alone in a process group, which
// is gone when the run is over.
type execProbe struct {
	command []string
	env     []string
	label   string // of the performance figure that is the monitor's value; "" = the first
	isValue bool
	limits  threshold
}

// compileExec is the kind exec. Errors: Invalid.
func compileExec(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	if len(spec.Command) == 0 || spec.Command[0] == "" {
		found = append(found, problem.Invalid("command", "is needed: a list of the program and its arguments"))
	}
	for _, arg := range spec.Command {
		if strings.ContainsRune(arg, 0) {
			found = append(found, problem.Invalid("command", "must not contain a zero byte"))
		}
	}
	p := &execProbe{
		command: slices.Clone(spec.Command),
		env:     []string{"PATH=" + execPath, "LANG=C.UTF-8", "LC_ALL=C.UTF-8"},
		label:   spec.Value.Label,
	}
	for _, name := range sortedKeys(spec.Env) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			found = append(found, problem.Invalid("env", "%q is not a name for a variable", name))
			continue
		}
		value, err := env.expand("env."+name, spec.Env[name])
		if found = collect(found, err); err == nil {
			p.env = append(p.env, name+"="+value)
		}
	}
	limits, err := compileThreshold(spec.Value)
	found = collect(found, err)
	p.limits = limits
	p.isValue = spec.Value != (config.Value{})
	return p, found.Err()
}

// Close has nothing to let go of.
func (p *execProbe) Close() {}

// Probe runs the command once.
func (p *execProbe) Probe(ctx context.Context, run *Run) status.Result {
	var stdout, stderr cappedBuffer
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	mark := execMark + "=" + rand.Text()
	cmd.Env, cmd.Dir = append(slices.Clip(p.env), mark), "/"
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = execWaitPipes
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }

	run.Log("running %s", strings.Join(p.command, " "))
	if err := cmd.Start(); err != nil {
		return run.Unknown("starting %s: %s", p.command[0], rootText(err))
	}
	err := cmd.Wait()
	clearGroup(cmd.Process.Pid)
	if ctx.Err() != nil || errors.Is(err, exec.ErrWaitDelay) {
		if n := killMarked(mark); n > 0 {
			run.Log("killed %d processes that had left the command's group", n)
		}
	}
	run.Mark(status.PhaseWait)
	took := run.Elapsed()

	for _, l := range stderr.lines() {
		run.Log("stderr: %s", l)
	}
	out := parsePlugin(string(stdout.kept))
	run.logPlugin(out)
	if stdout.lost > 0 {
		run.Log("%d bytes of output more, not kept", stdout.lost)
	}

	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return run.Unknown("the run was stopped")
	case ctx.Err() != nil:
		return run.Fail(status.CauseNoAnswer, "the command did not finish in time and was killed%s", colon(out.Text))
	case errors.Is(err, exec.ErrWaitDelay):
		run.Log("something the command left behind held its output open and was killed")
	case err != nil && cmd.ProcessState == nil:
		return run.Unknown("waiting for %s: %s", p.command[0], rootText(err))
	}
	res := p.judge(run, out, cmd.ProcessState, took)
	res.Code = cmd.ProcessState.ExitCode()
	return res
}

// judge turns the end of the command and its figures into a result.
func (p *execProbe) judge(run *Run, out pluginOutput, end *os.ProcessState, took time.Duration) status.Result {
	for _, f := range out.Perf[:min(len(out.Perf), maxExecNumber)] {
		if !f.Unknown {
			run.Number("perfdata_"+metricWord(f.Label), f.Value)
		}
	}
	value, known := p.pick(out.Perf)
	var res status.Result
	switch code := end.ExitCode(); code {
	case pluginOK:
		res = run.OK(took)
		if p.isValue && !known {
			return run.Fail(status.CauseBadAnswer, "the output has no figure%s", named(p.label))
		}
		if known {
			res = p.limits.judge(run, value.Label, value.Value, took)
		}
	case pluginWarning:
		res = run.Slow(took, status.CauseThreshold, "warning%s", colon(out.Text))
		if known { // the monitor's own limits may say worse than the plugin
			if own := p.limits.judge(run, value.Label, value.Value, took); own.Outcome == status.Failed {
				res = own
			}
		}
	case pluginCritical:
		res = run.Fail(status.CauseBadAnswer, "critical%s", colon(out.Text))
	case pluginUnknown:
		res = run.Unknown("the plugin cannot tell%s", colon(out.Text))
	case -1:
		res = run.Fail(status.CauseBadAnswer, "the command ended by a signal: %s", end)
	default:
		res = run.Fail(status.CauseBadAnswer, "the command ended with exit code %d%s", code, colon(out.Text))
	}
	if known {
		res.Value, res.HasValue = value.Value, true
	}
	return res
}

// pick finds the figure that is the monitor's value, when it has one.
func (p *execProbe) pick(figures []perf) (perf, bool) {
	if !p.isValue {
		return perf{}, false
	}
	for _, f := range figures {
		if (p.label == "" || f.Label == p.label) && !f.Unknown {
			return f, true
		}
	}
	return perf{}, false
}

// logPlugin writes what a plugin printed into the run's log.
func (r *Run) logPlugin(out pluginOutput) {
	if out.Text != "" {
		r.Log("%s", out.Text)
	}
	for _, l := range out.Long {
		r.Log("%s", l)
	}
	for _, f := range out.Perf {
		switch {
		case f.Unknown:
			r.Log("figure %s is unknown", f.Label)
		case f.Crit.alerts(f.Value):
			r.Log("figure %s = %s%s, in its critical range", f.Label, number(f.Value), f.Unit)
		case f.Warn.alerts(f.Value):
			r.Log("figure %s = %s%s, in its warning range", f.Label, number(f.Value), f.Unit)
		default:
			r.Log("figure %s = %s%s", f.Label, number(f.Value), f.Unit)
		}
	}
	for _, b := range out.Bad {
		r.Log("not performance data: %s", b)
	}
}

// named puts a name after a word when there is one.
func named(name string) string {
	if name == "" {
		return ""
	}
	return " " + quote(name)
}

// colon puts text after a reason when there is any.
func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// metricWord makes a metric name's part of a label: letters, digits and _.
func metricWord(label string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		default:
			return '_'
		}
	}, label)
}

// killGroup kills the process group that a command leads. The kernel does it
// in one step that no fork escapes.
func killGroup(leader int) error {
	err := syscall.Kill(-leader, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// clearGroup kills what a finished command left behind in its group and, when
// the hub is the first process of its container and so inherits such orphans,
// takes their exit states.
func clearGroup(leader int) {
	if killGroup(leader) != nil {
		return // nobody is left
	}
	for range orphanTries {
		pid, err := syscall.Wait4(-leader, nil, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			return // not ours to wait for, or all taken
		case pid == 0:
			time.Sleep(orphanPause) // killed, and about to end
		}
	}
}

// How long the end of killed orphans is waited for.
const (
	orphanTries = 100
	orphanPause = time.Millisecond
)

// killMarked kills the processes that carry mark in their environment and
// tells how many. It looks again until none is found, because such a process
// may be forking meanwhile. It needs Linux's /proc and does nothing elsewhere.
func killMarked(mark string) (killed int) {
	for range markedRounds {
		found := 0
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return killed
		}
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil || pid <= 1 || pid == os.Getpid() {
				continue
			}
			environ, err := os.ReadFile("/proc/" + e.Name() + "/environ")
			if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), mark) {
				continue // ended meanwhile, somebody else's, or not of this run
			}
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				found++
			}
		}
		if found == 0 {
			break
		}
		killed += found
	}
	return killed
}

// markedRounds bounds how often killMarked looks.
const markedRounds = 20

// cappedBuffer keeps the first maxExecOutput bytes written to it and counts
// the others, so that a talkative command is neither held up nor remembered.
type cappedBuffer struct {
	kept []byte
	lost int64
}

// Write never fails.
func (b *cappedBuffer) Write(p []byte) (int, error) {
	n := min(len(p), maxExecOutput-len(b.kept))
	b.kept = append(b.kept, p[:n]...)
	b.lost += int64(len(p) - n)
	return len(p), nil
}

// lines gives what was kept, without empty lines.
func (b *cappedBuffer) lines() []string {
	return slices.DeleteFunc(strings.Split(string(b.kept), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}
