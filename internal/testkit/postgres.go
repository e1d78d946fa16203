package testkit

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// postgresWithin bounds the start and the stop of a cluster.
	postgresWithin = 60 * time.Second
	// postgresLook is how often its socket is looked for meanwhile.
	postgresLook = 20 * time.Millisecond
)

// PostgresServer is a throw-away PostgreSQL cluster on a unix socket. It trusts
// whoever reaches the socket, and dies with the test process, however that ends.
type PostgresServer struct {
	bin    string // folder of Debian's programs
	dir    string // holds the data and the socket
	opts   []string
	owner  *syscall.Credential // nil when we are no root
	leash  io.Closer           // closing it stops the server
	ended  chan struct{}
	serial atomic.Int64 // of databases
}

// shared is the one cluster that the tests of a process use together.
var shared struct {
	sync.Mutex
	server *PostgresServer
	err    error
}

// Postgres gives the URL of a new, empty database on a cluster that all tests
// of the process share. It is dropped with the test. Where PostgreSQL is not
// installed the test is skipped.
func Postgres(tb testing.TB) string {
	tb.Helper()
	bin := postgresBin(tb)
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		dir, err := os.MkdirTemp("", "pg")
		if err == nil {
			shared.server, err = startPostgres(bin, dir, "-c", "fsync=off")
		}
		shared.err = err
	}
	if shared.err != nil {
		tb.Fatalf("start PostgreSQL: %v", shared.err)
	}
	return shared.server.Database(tb)
}

// NewPostgres starts a cluster for one test that means to stop it, or to measure
// it: it writes through to the disk, which the shared one does not.
func NewPostgres(tb testing.TB) *PostgresServer {
	tb.Helper()
	bin := postgresBin(tb)
	dir, err := os.MkdirTemp("", "pg") // not tb.TempDir: a socket's path must be short
	if err != nil {
		tb.Fatal(err)
	}
	p, err := startPostgres(bin, dir)
	if err != nil {
		os.RemoveAll(dir)
		tb.Fatalf("start PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		p.Stop(tb)
		os.RemoveAll(dir)
	})
	return p
}

// postgresBin finds the newest PostgreSQL that is installed, or skips the test.
func postgresBin(tb testing.TB) string {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		slices.SortFunc(found, func(a, b string) int { return postgresVersion(a) - postgresVersion(b) })
		return filepath.Dir(found[len(found)-1])
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb)
	}
	tb.Skip("SKIP: postgresql is not installed")
	return ""
}

// postgresVersion reads the version from /usr/lib/postgresql/VERSION/bin/initdb.
func postgresVersion(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// startPostgres makes a cluster in dir and starts it. PostgreSQL refuses to run
// as root, so root lends it the user that Debian made for it.
func startPostgres(bin, dir string, opts ...string) (*PostgresServer, error) {
	p := &PostgresServer{bin: bin, dir: dir, opts: opts}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		p.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	out, err := p.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return p, p.start()
}

func (p *PostgresServer) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + p.bin + ":/usr/bin:/bin", "LC_ALL=C"}
	// A group of its own: an interrupt at the terminal is for the tests, whose end then stops the server.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner, Setpgid: true}
	return cmd
}

// start runs the server under a shell that waits for its standard input to end,
// which it does when this process is gone: no server outlives its tests.
func (p *PostgresServer) start() error {
	const script = `"$@" & server=$!; read -r how; [ "$how" = kill ] && kill -QUIT $server || kill -INT $server; wait $server; [ "$how" ] || rm -rf "$PWD"`
	args := []string{"-c", script, "sh", filepath.Join(p.bin, "postgres"), "-D", filepath.Join(p.dir, "data"), "-k", p.dir,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=32MB"}
	cmd := p.command("postgres")
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"/bin/sh"}, append(args, p.opts...)...)
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	leash, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.leash, p.ended = leash, make(chan struct{})
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	tick := time.NewTicker(postgresLook)
	defer tick.Stop()
	late := time.After(postgresWithin)
	for p.command("pg_isready", "-q", "-h", p.dir).Run() != nil {
		select {
		case <-tick.C:
		case <-p.ended:
			text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			return fmt.Errorf("the server ended: %s", text)
		case <-late:
			leash.Close()
			return fmt.Errorf("the server did not answer within %v", postgresWithin)
		}
	}
	return nil
}

// Stop ends the server as an administrator would: sessions are cut, data is kept.
func (p *PostgresServer) Stop(tb testing.TB) { p.end(tb, "stop\n") }

// Crash ends the server as a power cut would: it recovers at the next start.
func (p *PostgresServer) Crash(tb testing.TB) { p.end(tb, "kill\n") }

func (p *PostgresServer) end(tb testing.TB, how string) {
	tb.Helper()
	if p.leash == nil {
		return
	}
	_, _ = io.WriteString(p.leash.(io.Writer), how)
	p.leash.Close()
	p.leash = nil
	select {
	case <-p.ended:
	case <-time.After(postgresWithin):
		tb.Fatalf("PostgreSQL did not end within %v", postgresWithin)
	}
}

// Start starts a stopped server again with its data.
func (p *PostgresServer) Start(tb testing.TB) {
	tb.Helper()
	if err := p.start(); err != nil {
		tb.Fatalf("start PostgreSQL again: %v", err)
	}
}

// Database makes an empty database and gives its URL. It is dropped with the test.
func (p *PostgresServer) Database(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("test%d", p.serial.Add(1))
	if out, err := p.command("createdb", "-h", p.dir, "-U", "postgres", "-T", "template0", name).CombinedOutput(); err != nil {
		tb.Fatalf("createdb: %v: %s", err, out)
	}
	tb.Cleanup(func() {
		if p.leash != nil {
			_ = p.command("dropdb", "-h", p.dir, "-U", "postgres", "--force", "--if-exists", name).Run()
		}
	})
	q := url.Values{"host": {p.dir}, "user": {"postgres"}}
	return "postgres:///" + name + "?" + q.Encode()
}
