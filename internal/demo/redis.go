package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// redisStartWithin is how long a new Redis may take to answer.
const redisStartWithin = 3 * time.Second

// maxSocketPath is what a Unix socket's address can hold on Linux.
const maxSocketPath = 107

// Redis is a real Redis server of the demo's own, on a socket in its data folder.
type Redis struct {
	URL  string
	cmd  *exec.Cmd
	done chan error
	log  *slog.Logger
}

// StartRedis starts Debian's redis-server for the demo. It gives nil and no
// error when the program is not installed.
func StartRedis(ctx context.Context, log *slog.Logger, folder string) (*Redis, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, nil //nolint:nilnil // not installed is no error: the hub then keeps samples in process
	}
	folder, err = filepath.Abs(filepath.Join(folder, "redis"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for Redis: %w", err)
	}
	socket := filepath.Join(folder, "redis.sock")
	if len(socket) > maxSocketPath {
		return nil, fmt.Errorf("the data folder's path is too long for a socket: %s", socket)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700",
		"--dir", folder, "--save", "60 1000", "--appendonly", "no", "--maxmemory", "128mb", "--maxmemory-policy", "volatile-ttl",
		"--daemonize", "no", "--logfile", filepath.Join(folder, "redis.log"))
	// Its own process group, so that Ctrl-C reaches the hub first and Redis
	// takes the last samples; the kernel ends it should the hub be killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	r := &Redis{URL: "unix://" + socket, cmd: cmd, done: make(chan error, 1), log: log}
	go func() { r.done <- cmd.Wait() }()
	if err := r.ready(ctx, socket); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

func (r *Redis) ready(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, redisStartWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-r.done:
			r.done <- err
			return fmt.Errorf("redis-server ended at once; its log is in the data folder: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("redis-server did not answer: %w", err)
		case <-tick.C:
		}
	}
}

// Stop ends the server and waits for it.
func (r *Redis) Stop() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-r.done:
		return nil
	case <-time.After(redisStartWithin):
		return errors.Join(errors.New("redis-server did not stop when asked"), r.cmd.Process.Kill())
	}
}
