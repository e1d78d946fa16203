package testkit

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// alertmanagerWithin bounds the start and the stop of an Alertmanager.
const alertmanagerWithin = 30 * time.Second

// Alertmanager starts Debian's Prometheus Alertmanager with a configuration, and
// gives its address. It ends with the test. Where it is not installed the test
// is skipped.
func Alertmanager(tb testing.TB, configuration string) (address string) {
	tb.Helper()
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		tb.Skip("SKIP: prometheus-alertmanager is not installed")
	}
	dir := tb.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		tb.Fatal(err)
	}
	listen := fmt.Sprintf("127.0.0.1:%d", FreePort(tb))
	cmd := exec.Command(program, "--config.file="+file, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+listen, "--cluster.listen-address=")
	// A group of its own, so that an interrupt is for the tests; the kernel ends
	// the server should this process die.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start prometheus-alertmanager: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(alertmanagerWithin):
			_ = cmd.Process.Kill()
			tb.Errorf("prometheus-alertmanager did not end within %v", alertmanagerWithin)
		}
	})
	address = "http://" + listen
	Await(tb, "prometheus-alertmanager to be ready", alertmanagerWithin, func() bool {
		select {
		case <-ended:
			tb.Fatalf("prometheus-alertmanager ended: %s", log.String())
		default:
		}
		resp, err := http.Get(address + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return address
}

// lockedBuffer is a buffer that a process may write to while it is read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write is io.Writer's.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String gives what was written.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
