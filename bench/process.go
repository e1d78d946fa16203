package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a child pinned to one core, which reports where it listens in a
// first line "ready ADDRESS" or is polled by its starter.
type process struct {
	cmd  *exec.Cmd
	out  io.ReadCloser
	done chan struct{}
}

// start runs a program on the given core. With announce it waits for the line
// "ready ADDRESS" and gives the address.
func start(ctx context.Context, core int, announce bool, stderr io.Writer, env []string, program string, args ...string) (*process, string, error) {
	argv := append([]string{"-c", strconv.Itoa(core), program}, args...)
	cmd := exec.Command("taskset", argv...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &process{cmd: cmd, done: make(chan struct{})}
	var out io.ReadCloser
	if announce {
		var err error
		if out, err = cmd.StdoutPipe(); err != nil {
			return nil, "", err
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start %s: %w", program, err)
	}
	addr := ""
	if announce {
		lines := bufio.NewReader(out)
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, "", errors.Join(fmt.Errorf("%s did not say where it listens: %w", program, err), p.stop())
		}
		addr = strings.TrimSpace(strings.TrimPrefix(line, "ready "))
		p.out = out
	}
	go func() {
		if p.out == nil {
			// the exit status of a helper that we end ourselves says nothing
			_ = cmd.Wait()
		}
		close(p.done)
	}()
	return p, addr, nil
}

// stop asks the process to end and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if p.out != nil {
		finished := make(chan error, 1)
		go func() { finished <- p.cmd.Wait() }()
		select {
		case <-finished:
			return nil
		case <-time.After(12 * time.Second):
			return errors.Join(errors.New("a helper process did not stop when asked"), p.cmd.Process.Kill())
		}
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(12 * time.Second):
		return errors.Join(errors.New("the hub did not stop when asked"), p.cmd.Process.Kill())
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// cpu is the processor time a process has used so far, over all its threads.
func cpu(pid int) (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, t := range tasks {
		raw, err := os.ReadFile(t)
		if err != nil {
			continue // a thread that has just ended
		}
		first, _, _ := strings.Cut(string(raw), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum), nil
}

// rss is the resident set of a process in bytes.
func rss(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS for process %d", pid)
}

// pause waits, or gives up when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// runHelper runs one of our own helper processes on the client's core to its end.
func runHelper(ctx context.Context, verb string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", "1", self(), verb}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd.Output()
}
