package monitors

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// realServers is the script that knows how to start Debian's programs; the
// same one plays them before a whole hub.
const realServers = "../deploy/examples/real-servers.sh"

// missing is how the script ends when a program is not installed.
const missing = 77

// patience is how long a server may take to come up or go away.
const patience = 60 * time.Second

// maxStarts bounds how often one program is started in a test.
const maxStarts = 10

// realServer is one program under test.
type realServer struct {
	name  string
	dir   string
	ports []string

	starts int
	cmd    *exec.Cmd
	output lockedBuffer
	ended  chan struct{}
}

// lockedBuffer is where a program and its children write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newRealServer prepares a server with free ports and a folder that other
// accounts may enter, because some programs give up root.
func newRealServer(t *testing.T, name string, ports int) *realServer {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("SKIP: bash is not installed")
	}
	dir, err := os.MkdirTemp("", "evenkeel-"+name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &realServer{name: name, dir: dir}
	for range ports {
		s.ports = append(s.ports, freePort(t))
	}
	t.Cleanup(func() {
		s.kill()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

// freePort gives a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// start runs the program in a process group of its own.
func (s *realServer) start(t *testing.T) {
	t.Helper()
	script, err := filepath.Abs(realServers)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command("bash", slices.Concat([]string{script, "run", s.name, s.dir}, s.ports)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.WaitDelay = patience
	s.starts++
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // killed, or ended by itself: the exit code tells
	}()
}

// kill ends the whole process group at once and waits for it.
func (s *realServer) kill() {
	if s.cmd == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // gone already when it ended by itself
	<-s.ended
}

// await runs the probe until it has the outcome.
func (s *realServer) await(t *testing.T, name string, p Probe, want status.Outcome) status.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		res := Once(ctx, p, name, status.LocalLocation, 2*time.Second)
		if res.Outcome == want {
			return res
		}
		select {
		case <-s.ended:
			if want == status.OK {
				s.restartOrGiveUp(t)
			}
			<-tick.C
		case <-tick.C:
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %s is %s (%s), want %s\n%s\n%s", s.name, name, res.Outcome, res.Reason, want, strings.Join(logOf(res), "\n"), s.output.String())
		}
	}
}

// TestRealServersSeenUpKilledAndBack runs every kind that has a real server
// here against it: good while it is up, failed with a cause the public may know
// once it is killed, good again after it came back.
func TestRealServersSeenUpKilledAndBack(t *testing.T) {
	secret := config.Secret{Plain: "secret"}
	type monitor struct {
		name  string
		spec  config.Monitor
		check func(*testing.T, status.Result)
	}
	for _, server := range []struct {
		name     string
		ports    int
		monitors func(s *realServer) []monitor
	}{
		{"nginx", 2, func(s *realServer) []monitor {
			plain, secured := "127.0.0.1:"+s.ports[0], "localhost:"+s.ports[1]
			ca := config.TLS{CAFile: s.dir + "/cert.pem"}
			return []monitor{
				{"http", config.Monitor{Kind: "http", URL: "http://" + plain + "/health", Expect: config.Expect{JSON: map[string]string{"$.ok": "true"}}}, nil},
				{"https", config.Monitor{Kind: "http", URL: "https://" + secured + "/health", IP: "4", TLS: ca}, wantTLS},
				{"tcp", config.Monitor{Kind: "tcp", Target: plain, Send: []config.Step{{Send: "GET /health HTTP/1.0\r\n\r\n", Expect: "^HTTP/1.1 200"}}}, nil},
				{"tls", config.Monitor{Kind: "tls", Target: secured, IP: "4", TLS: ca}, wantTLS},
				{"kubernetes", config.Monitor{Kind: "kubernetes", URL: "https://" + secured, IP: "4", TLS: ca}, wantTLS},
			}
		}},
		{"redis", 1, func(s *realServer) []monitor {
			url := "redis://:secret@127.0.0.1:" + s.ports[0] + "/3"
			return []monitor{
				{"redis", config.Monitor{Kind: "redis", URL: url, Expect: config.Expect{Condition: `role == "master" && link_up`}}, nil},
				{"redis_length", config.Monitor{Kind: "redis_length", URL: url, Key: "jobs", Value: config.Value{Unit: "jobs", FailOver: new(10.0)}}, wantValue(0)},
			}
		}},
		{"postgres", 1, func(s *realServer) []monitor {
			url := "postgres://evenkeel:secret@localhost:" + s.ports[0] + "/postgres"
			ca := config.TLS{CAFile: s.dir + "/cert.pem"}
			return []monitor{
				{"postgres", config.Monitor{Kind: "postgres", URL: url, IP: "4", Query: "select 1, 'up', null;", Expect: config.Expect{Row: []string{"1", "up", ""}}}, nil},
				{"postgres over TLS", config.Monitor{Kind: "postgres", URL: url + "?sslmode=require", IP: "4", TLS: ca, Expect: config.Expect{Condition: `rows == 1 && version startsWith "1"`}}, wantTLS},
				{"sql", config.Monitor{Kind: "sql", URL: url, IP: "4", Query: "select count(*) * 2.5 from generate_series(1, 3)", Value: config.Value{Unit: "rows"}}, wantValue(7.5)},
				{"tls", config.Monitor{Kind: "tls", Target: "localhost:" + s.ports[0], IP: "4", StartTLS: "postgres", TLS: ca}, wantTLS},
			}
		}},
		{"dovecot", 2, func(s *realServer) []monitor {
			ca := config.TLS{CAFile: s.dir + "/cert.pem"}
			auth := config.Auth{Username: "desk@example.org", Password: secret}
			return []monitor{
				{"imap", config.Monitor{Kind: "imap", Target: "localhost:" + s.ports[0], IP: "4", StartTLS: "required", TLS: ca, Auth: auth}, wantTLS},
				{"imaps", config.Monitor{Kind: "imap", URL: "imaps://localhost:" + s.ports[1], IP: "4", TLS: ca, Auth: auth, Expect: config.Expect{Keyword: "ready", Condition: `"IDLE" in capabilities`}}, wantTLS},
				{"tls", config.Monitor{Kind: "tls", Target: "localhost:" + s.ports[0], IP: "4", StartTLS: "imap", TLS: ca}, wantTLS},
			}
		}},
		{"unbound", 1, dnsMonitors[monitor](func(name string, spec config.Monitor) monitor { return monitor{name, spec, nil} })},
		{"bind", 1, dnsMonitors[monitor](func(name string, spec config.Monitor) monitor { return monitor{name, spec, nil} })},
		{"sshd", 1, func(s *realServer) []monitor {
			return []monitor{
				{"banner", config.Monitor{Kind: "tcp", Target: "127.0.0.1:" + s.ports[0], Expect: config.Expect{Keyword: "SSH-2.0"}}, nil},
				{"line", config.Monitor{Kind: "tcp", Target: "127.0.0.1:" + s.ports[0], Send: []config.Step{{Expect: "^SSH-2.0-OpenSSH"}}}, nil},
			}
		}},
		{"prometheus", 1, func(s *realServer) []monitor {
			return []monitor{
				{"vector", config.Monitor{Kind: "prometheus", URL: "http://127.0.0.1:" + s.ports[0], Query: "vector(42)"}, wantValue(42)},
				{"scalar", config.Monitor{Kind: "prometheus", URL: "http://127.0.0.1:" + s.ports[0] + "/", Query: "scalar(vector(0.5))"}, wantValue(0.5)},
			}
		}},
	} {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			s := newRealServer(t, server.name, server.ports)
			monitors := server.monitors(s)
			s.start(t)
			probes := make([]*Compiled, len(monitors))
			for i, m := range monitors {
				compile := func() (err error) {
					probes[i], err = Compile(m.spec, Env{})
					return err
				}
				s.awaitFiles(t, compile)
				t.Cleanup(probes[i].Close)
			}
			see := func() {
				t.Helper()
				for i, m := range monitors {
					res := s.await(t, m.name, probes[i], status.OK)
					if res.Latency <= 0 || res.Phases[status.PhaseConnect] <= 0 {
						t.Errorf("%s: latency %s, phases %v; want both measured", m.name, res.Latency, res.Phases)
					}
					if m.check != nil {
						m.check(t, res)
					}
				}
			}
			see()
			s.kill()
			for i, m := range monitors {
				res := s.await(t, m.name, probes[i], status.Failed)
				if res.Cause != status.CauseNoAnswer || res.Reason == "" {
					t.Errorf("%s: cause %d, reason %q; want no answer, with a reason", m.name, res.Cause, res.Reason)
				}
			}
			s.start(t)
			see()
		})
	}
}

// awaitFiles compiles a monitor that may read files which the server is about
// to make, such as its certificate.
func (s *realServer) awaitFiles(t *testing.T, compile func() error) {
	t.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err := compile(); err != nil; err = compile() {
		select {
		case <-s.ended:
			s.restartOrGiveUp(t)
		case <-tick.C:
		}
		if time.Now().After(end) {
			t.Fatalf("%v\n%s", err, s.output.String())
		}
	}
}

// restartOrGiveUp deals with a program that ended by itself: it may be missing,
// or have stumbled over what its killed predecessor left behind.
func (s *realServer) restartOrGiveUp(t *testing.T) {
	t.Helper()
	if s.cmd.ProcessState.ExitCode() == missing {
		t.Skip(strings.TrimSpace(s.output.String()))
	}
	if s.starts >= maxStarts {
		t.Fatalf("%s ended: %v\n%s", s.name, s.cmd.ProcessState, s.output.String())
	}
	s.start(t)
}

// dnsMonitors are the questions that both name servers answer.
func dnsMonitors[M any](monitor func(name string, spec config.Monitor) M) func(*realServer) []M {
	return func(s *realServer) []M {
		at := "127.0.0.1:" + s.ports[0]
		return []M{
			monitor("A over udp", config.Monitor{Kind: "dns", Target: at, Query: "www.example.org", Expect: config.Expect{Records: []string{"192.0.2.2", "192.0.2.1"}, Condition: `count == 2 && ttl <= 300 && rcode == "NOERROR"`}}),
			monitor("A over tcp", config.Monitor{Kind: "dns", Resolver: at, Transport: "tcp", Query: "WWW.example.org.", Expect: config.Expect{Contains: []string{"192.0.2.1"}}}),
			monitor("AAAA", config.Monitor{Kind: "dns", Target: at, Query: "www.example.org", Record: "AAAA", Expect: config.Expect{Records: []string{"2001:0db8::1"}}}),
			monitor("MX", config.Monitor{Kind: "dns", Target: at, Query: "example.org", Record: "mx", Expect: config.Expect{Records: []string{"10 Mail.example.org"}}}),
			monitor("TXT", config.Monitor{Kind: "dns", Target: at, Query: "example.org", Record: "TXT", Expect: config.Expect{Records: []string{"v=spf1 -all"}}}),
			monitor("CAA", config.Monitor{Kind: "dns", Target: at, Query: "example.org", Record: "CAA", Expect: config.Expect{Records: []string{`0 issue ";"`}}}),
			monitor("SOA", config.Monitor{Kind: "dns", Target: at, Query: "example.org", Record: "SOA", Expect: config.Expect{Condition: "serial == 7"}}),
			monitor("NXDOMAIN", config.Monitor{Kind: "dns", Target: at, Query: "nosuch.example.org", Expect: config.Expect{Status: []string{"NXDOMAIN"}}}),
		}
	}
}

func wantTLS(t *testing.T, r status.Result) {
	t.Helper()
	if r.Facts.TLSVersion == "" || r.Facts.CertExpiry.Before(time.Now()) || r.Phases[status.PhaseTLS] <= 0 {
		t.Errorf("TLS facts %q, expiry %s, phase %s; want all", r.Facts.TLSVersion, r.Facts.CertExpiry, r.Phases[status.PhaseTLS])
	}
}

func wantValue(v float64) func(*testing.T, status.Result) {
	return func(t *testing.T, r status.Result) {
		t.Helper()
		if !r.HasValue || r.Value != v {
			t.Errorf("value %v (%t), want %v", r.Value, r.HasValue, v)
		}
	}
}
