package app_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is the real binary, built once for all tests of the process.
var program struct {
	once sync.Once
	path string
	err  error
}

// atOnce is how many tests run together unless -parallel says otherwise. Whole
// hubs wait far more than they work, so it does not follow the number of cores.
const atOnce = "8"

// TestMain removes the program at the end.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err) // there is no such flag any more
	}
	code := m.Run()
	if program.path != "" {
		os.RemoveAll(filepath.Dir(program.path))
	}
	os.Exit(code)
}

// evenkeel gives the path of the binary. It is for long runs: building takes a while.
func evenkeel(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("the real program is left to the long run")
	}
	program.once.Do(func() {
		dir, err := os.MkdirTemp("", "evenkeel")
		if err == nil {
			err = os.Chmod(dir, 0o755) // others run it too
		}
		if err != nil {
			program.err = err
			return
		}
		program.path = filepath.Join(dir, "evenkeel")
		build := exec.Command("go", "build", "-o", program.path, "evenkeel/cmd/evenkeel")
		build.Stderr = os.Stderr
		program.err = build.Run()
	})
	if program.err != nil {
		tb.Fatalf("build the program: %v", program.err)
	}
	return program.path
}

// process is a hub in a process of its own, which a test can kill and pause.
type process struct {
	hub
	cmd   *exec.Cmd
	ended chan struct{}
	code  int // when ended
}

// launch starts the real binary with a configuration file and waits until it
// stands. It is killed with the test.
func launch(tb testing.TB, config string) *process {
	tb.Helper()
	p := &process{hub: hub{tb: tb}, cmd: exec.Command(evenkeel(tb), "serve", "-c", config, "--json"), ended: make(chan struct{})}
	// A group of its own, so that an interrupt is for the tests; the kernel ends
	// it should this process die.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Env = []string{"PATH=/usr/bin:/bin"}
	p.cmd.Stderr = tb.Output()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	stands := make(chan struct{ Page, Admin string }, 1)
	go func() {
		defer close(p.ended)
		var at struct{ Page, Admin string }
		text := bufio.NewReader(out)
		if json.NewDecoder(text).Decode(&at) == nil && at.Page != "" {
			stands <- at
		}
		_, _ = io.Copy(io.Discard, text)
		_ = p.cmd.Wait() // the code tells
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	tb.Cleanup(p.kill)
	select {
	case at := <-stands:
		p.page, p.admin = strings.TrimSuffix(at.Page, "/"), strings.TrimSuffix(at.Admin, "/")
	case <-p.ended:
		tb.Fatalf("the hub ended with exit code %d", p.code)
	}
	return p
}

// signal sends the process a signal.
func (p *process) signal(sig syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.tb.Fatalf("%v: %v", sig, err)
	}
}

// kill ends the process at once, as the kernel would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// terminate ends the process as an administrator would, and gives its exit code.
func (p *process) terminate() int {
	p.tb.Helper()
	p.signal(syscall.SIGTERM)
	<-p.ended
	return p.code
}
