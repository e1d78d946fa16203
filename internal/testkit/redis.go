package testkit

import (
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// redisWithin bounds the start and the stop of a server, and a failover.
	redisWithin = 30 * time.Second
	// redisLook is how often its state is asked for meanwhile.
	redisLook = 20 * time.Millisecond
)

// RedisOptions says what kind of server is wanted. The zero value listens on a
// unix socket and asks for no password.
type RedisOptions struct {
	TCP      bool         // listen on a random port of 127.0.0.1 instead
	TLS      *Certificate // listen there with TLS only, and demand a client certificate
	User     string       // an ACL user with all rights; "" = default
	Password string       // of that user; the default user is off when User is set
	Args     []string     // further arguments of redis-server
}

// RedisServer is a throw-away redis-server. It ends with the test.
type RedisServer struct {
	URL     string // as redis.url takes it
	Address string // host:port, or the path of the socket

	args  []string
	cli   []string // arguments with which redis-cli reaches it
	dir   string
	cmd   *exec.Cmd
	ended chan struct{}
}

// NewRedis starts a server. Where Redis is not installed the test is skipped.
// It keeps nothing on disk unless Args say otherwise.
func NewRedis(tb testing.TB, o RedisOptions) *RedisServer {
	tb.Helper()
	for _, program := range []string{"redis-server", "redis-cli"} {
		if _, err := exec.LookPath(program); err != nil {
			tb.Skipf("SKIP: %s is not installed", program)
		}
	}
	s := &RedisServer{dir: shortDir(tb)}
	s.args = []string{"--dir", s.dir, "--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", filepath.Join(s.dir, "log")}
	u := url.URL{Scheme: "redis"}
	switch port := strconv.Itoa(FreePort(tb)); {
	case o.TLS != nil:
		s.Address = net.JoinHostPort("127.0.0.1", port)
		s.args = append(s.args, "--port", "0", "--tls-port", port, "--bind", "127.0.0.1",
			"--tls-ca-cert-file", o.TLS.CA, "--tls-cert-file", o.TLS.Cert, "--tls-key-file", o.TLS.Key)
		s.cli = []string{"-h", "127.0.0.1", "-p", port, "--tls", "--cacert", o.TLS.CA, "--cert", o.TLS.Cert, "--key", o.TLS.Key}
		u.Scheme, u.Host = "rediss", s.Address
		u.RawQuery = url.Values{"ca_file": {o.TLS.CA}, "cert_file": {o.TLS.Cert}, "key_file": {o.TLS.Key}}.Encode()
	case o.TCP:
		s.Address = net.JoinHostPort("127.0.0.1", port)
		s.args = append(s.args, "--port", port, "--bind", "127.0.0.1")
		s.cli = []string{"-h", "127.0.0.1", "-p", port}
		u.Host = s.Address
	default:
		s.Address = filepath.Join(s.dir, "redis.sock")
		s.args = append(s.args, "--port", "0", "--unixsocket", s.Address)
		s.cli = []string{"-s", s.Address}
		u.Scheme, u.Path = "unix", s.Address
	}
	if o.Password != "" {
		user := "default"
		if o.User != "" {
			user = o.User
			s.args = append(s.args, "--user", "default", "off")
		}
		s.args = append(s.args, "--user", user, "on", ">"+o.Password, "~*", "&*", "+@all")
		s.cli = append(s.cli, "--user", user, "--pass", o.Password, "--no-auth-warning")
		u.User = url.UserPassword(user, o.Password)
	}
	s.args = append(s.args, o.Args...)
	s.URL = u.String()
	tb.Cleanup(func() { s.Kill(tb) })
	s.Start(tb)
	return s
}

// Start starts the server, again after Stop or Kill, and waits until it answers.
func (s *RedisServer) Start(tb testing.TB) {
	tb.Helper()
	s.launch(tb)
	Await(tb, "redis-server to answer", redisWithin, func() bool {
		select {
		case <-s.ended:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			tb.Fatalf("redis-server ended: %s", text)
		default:
		}
		out, err := s.command("ping")
		return err == nil && out == "PONG"
	})
}

func (s *RedisServer) launch(tb testing.TB) {
	tb.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	s.cmd.Dir = s.dir
	// A group of its own, so that an interrupt is for the tests; the kernel
	// ends the server should this process die.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		tb.Fatalf("start redis-server: %v", err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
}

// Stop ends the server as an administrator would.
func (s *RedisServer) Stop(tb testing.TB) { s.end(tb, syscall.SIGTERM) }

// Kill ends the server at once.
func (s *RedisServer) Kill(tb testing.TB) { s.end(tb, syscall.SIGKILL) }

// Pause freezes the server: connections stay, nothing is answered.
func (s *RedisServer) Pause(tb testing.TB) { s.signal(tb, syscall.SIGSTOP) }

// Resume ends a pause.
func (s *RedisServer) Resume(tb testing.TB) { s.signal(tb, syscall.SIGCONT) }

func (s *RedisServer) end(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.ended:
	case <-time.After(redisWithin):
		_ = s.cmd.Process.Kill()
		tb.Errorf("redis-server did not end within %v", redisWithin)
	}
	s.cmd = nil
}

func (s *RedisServer) signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		tb.Fatalf("signal redis-server: %v", err)
	}
}

// CLI runs one command on the server and gives what redis-cli prints.
func (s *RedisServer) CLI(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := s.command(args...)
	if err != nil {
		tb.Fatalf("redis-cli %v: %v: %s", args, err, out)
	}
	return out
}

func (s *RedisServer) command(args ...string) (string, error) {
	out, err := exec.Command("redis-cli", append(append([]string(nil), s.cli...), args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// FreePort gives a TCP port of 127.0.0.1 that nobody listens on just now: one
// that the kernel does not hand out to outgoing connections, so that it is
// still free when the server comes, and comes again.
func FreePort(tb testing.TB) int {
	tb.Helper()
	const lowest, count = 20000, 12000
	for range 100 {
		port := lowest + rand.IntN(count)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	tb.Fatal("no free port found")
	return 0
}

// Await looks every few milliseconds until done says so, and fails the test
// when that takes longer than within.
func Await(tb testing.TB, what string, within time.Duration, done func() bool) {
	tb.Helper()
	tick := time.NewTicker(redisLook)
	defer tick.Stop()
	late := time.After(within)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			tb.Fatalf("waited %v in vain for %s", within, what)
		}
	}
}

// shortDir makes a folder whose path leaves room for a socket's name, which
// tb.TempDir does not promise.
func shortDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
