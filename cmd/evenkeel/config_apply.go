package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"evenkeel/internal/app"
)

// hubWithin bounds one question to the running hub; a reload compiles every
// monitor and writes every change.
const hubWithin = 30 * time.Second

// runConfigApply validates a file, puts it in the place of the running hub's
// own and makes the hub read it. When the hub refuses it, the old file returns.
func runConfigApply(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "config apply", args: "FILE",
		what: "Check a configuration file, write it over the running hub's own, and make the hub read it. When the hub refuses it, the old file is put back. " +
			"It runs on the hub's machine and finds the hub at the file's admin_listen.",
		example: "evenkeel config apply evenkeel.yaml\nevenkeel config apply --admin 127.0.0.1:9091 new.yaml",
	}, stdout, stderr)
	admin := c.flags.String("admin", "", "`ADDRESS` of the running hub's admin listener, where it is not the file's admin_listen")
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	f, err := app.LoadConfigForHub(rest[0], os.Environ())
	if err != nil {
		return c.refuseFile(err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, 2*hubWithin, errors.New("the hub took too long to answer"))
	defer cancel()
	hub := adminURL(cmp.Or(*admin, f.AdminListen))
	path, err := hubConfigPath(ctx, hub)
	if err != nil {
		return c.fail(err)
	}
	if err := applyFile(ctx, hub, rest[0], path); err != nil {
		return c.fail(err)
	}
	if c.json {
		c.printJSON(map[string]any{"ok": true, "file": path})
		return exitOK
	}
	fmt.Fprintf(stdout, "%s is in force (%s, %s).\n", path, count(len(f.Components), "component"), count(len(f.Monitors), "monitor"))
	return exitOK
}

// adminURL is where this machine reaches a listener.
func adminURL(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// hubConfigPath asks the hub which file it reads.
func hubConfigPath(ctx context.Context, hub string) (string, error) {
	answer, err := askHub(ctx, http.MethodGet, hub+"/-/config")
	if err != nil {
		return "", err
	}
	if answer.Path == "" {
		return "", fmt.Errorf("the hub at %s has no configuration file", hub)
	}
	return answer.Path, nil
}

// applyFile puts the content of name where the hub reads it and reloads.
func applyFile(ctx context.Context, hub, name, path string) error {
	next, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the hub's configuration: %w", err)
	}
	same := bytes.Equal(before, next) // the hub's own file, edited in place, is only read again
	if !same {
		if err := replaceFile(path, next); err != nil {
			return fmt.Errorf("write the hub's configuration: %w", err)
		}
	}
	if _, err := askHub(ctx, http.MethodPost, hub+"/-/reload"); err != nil {
		if same {
			return err
		}
		if back := replaceFile(path, before); back != nil {
			return errors.Join(err, fmt.Errorf("put the old file back: %w", back))
		}
		return fmt.Errorf("%w\nThe old file was put back", err)
	}
	return nil
}

// replaceFile writes a file whole or not at all: beside it first, then renamed
// over it. A symbolic link stays one; permissions stay as they were.
func replaceFile(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, as it should, once the file was renamed
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), keepOwner(f, info), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// keepOwner gives a new file the owner of the one it replaces, so that the
// hub's own user can still read it.
func keepOwner(f *os.File, was fs.FileInfo) error {
	owner, ok := was.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// hubAnswer is what the admin listener's own pages answer.
type hubAnswer struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	Path  string `json:"path"`
}

// askHub makes one request to the admin listener. An error of the hub's is
// given in its words.
func askHub(ctx context.Context, method, url string) (hubAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, hubWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return hubAnswer{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return hubAnswer{}, fmt.Errorf("no hub answers: %w", err)
	}
	defer resp.Body.Close()
	var a hubAnswer
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&a); err != nil {
		return hubAnswer{}, fmt.Errorf("%s does not look like a hub's admin listener: %w", url, err)
	}
	if !a.OK {
		return hubAnswer{}, errors.New("the hub refused: " + a.Error)
	}
	return a, nil
}
