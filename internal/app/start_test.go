package app_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to make a database look newer than the program

	"evenkeel/internal/app"
	"evenkeel/internal/problem"
	"evenkeel/internal/telemetry"
)

// nobody owns nothing: what a hub that may not write is run as.
const nobody = 65534

// TestBadStartsAreRefused: what cannot work ends at once with a clear sentence
// and an exit code, and destroys nothing.
func TestBadStartsAreRefused(t *testing.T) {
	t.Parallel()
	const plain = "page: {name: Example Ltd}\ncomponents: [{id: shop}]\n"
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // after the parallel ones

	for _, c := range []struct {
		name string
		// bad makes the site bad; it gives more arguments.
		bad  func(t *testing.T, s *site) []string
		text string
		uid  uint32 // to run as; 0 = as we are
		code int
		says []string
	}{
		{name: "a port that is taken", text: plain, code: 1, says: []string{"Cannot listen on " + taken.Addr().String(), "EVENKEEL_LISTEN"},
			bad: func(_ *testing.T, _ *site) []string { return []string{"--listen", taken.Addr().String()} }},
		{name: "an admin port that is taken", text: plain, code: 1, says: []string{"Cannot listen on " + taken.Addr().String(), "EVENKEEL_ADMIN_LISTEN"},
			bad: func(_ *testing.T, _ *site) []string { return []string{"--admin-listen", taken.Addr().String()} }},
		{name: "a folder that another hub uses", text: plain, code: 1, says: []string{"Another hub is using the data folder"},
			bad: func(t *testing.T, s *site) []string { boot(t, *s, plain); return nil }},
		{name: "a folder that cannot be written", text: plain, code: 1, uid: nobody, says: []string{"cannot be written", "EVENKEEL_DATA"},
			bad: func(t *testing.T, s *site) []string { return nil }},
		{name: "a database that is too new", text: plain, code: 1, says: []string{"newer"}, bad: func(t *testing.T, s *site) []string { tooNew(t, *s, plain); return nil }},
		{name: "a database that is none", text: plain, code: 1, says: []string{"evenkeel.db"}, bad: func(t *testing.T, s *site) []string {
			if err := os.WriteFile(filepath.Join(s.data, "evenkeel.db"), []byte(strings.Repeat("this is a letter, not a database. ", 200)), 0o600); err != nil {
				t.Fatal(err)
			}
			return nil
		}},
		{name: "a database that is away", text: plain, code: 1, says: []string{"cannot be reached"}, bad: func(_ *testing.T, s *site) []string {
			s.database = "postgres:///none?host=" + s.data
			return nil
		}},
		{name: "a database of a kind that is not known", text: plain, code: 2, says: []string{"database.url", "postgres://"}, bad: func(_ *testing.T, s *site) []string {
			s.database = "mysql://localhost/none"
			return nil
		}},
		{name: "a file with mistakes", text: "page: {nam: Example Ltd}\ncomponents: [{id: Shop}, {id: x, needs: [y]}]\n", code: 2,
			says: []string{"nam", "Shop", "evenkeel.yaml:7:", "evenkeel.yaml:8:", "nothing was changed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			program := evenkeel(t)
			var more []string
			if c.bad != nil {
				more = c.bad(t, &s)
			}
			config := s.config(t, c.text)
			before := contents(t, s.data)
			cmd := exec.Command(program, append([]string{"serve", "-c", config}, more...)...)
			cmd.Env = []string{"PATH=/usr/bin:/bin"}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
			if c.uid != 0 {
				lend(t, cmd, c.uid, config)
			}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			defer late.Stop()
			_ = cmd.Wait() // the code tells
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, words := range c.says {
				if !strings.Contains(out.String(), words) {
					t.Errorf("it does not say %q:\n%s", words, out.String())
				}
			}
			if strings.Contains(out.String(), "goroutine ") || strings.Contains(out.String(), "panic") {
				t.Errorf("it panicked:\n%s", out.String())
			}
			for name, text := range before {
				if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, text) {
					t.Errorf("%s was changed: %v", name, err)
				}
			}
		})
	}
}

// lend makes a command run as somebody who may read the configuration and write nowhere.
func lend(t *testing.T, cmd *exec.Cmd, uid uint32, config string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP: only root can run a program as somebody else")
	}
	// The folders of a test are its user's; this one is let in, to read.
	for dir := filepath.Dir(config); dir != os.TempDir() && len(dir) > 1; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(config, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
}

// contents reads the database files that a hub must not touch.
func contents(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	text, err := os.ReadFile(filepath.Join(folder, "evenkeel.db"))
	if err == nil {
		out[filepath.Join(folder, "evenkeel.db")] = text
	}
	return out
}

// tooNew makes a database that a newer program has migrated.
func tooNew(t *testing.T, s site, text string) {
	t.Helper()
	h := boot(t, s, text)
	h.stop()
	db, err := sql.Open("sqlite", filepath.Join(s.data, "evenkeel.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `insert into schema_migrations select version + 1, checksum, version + 1, applied_at from schema_migrations order by version desc limit 1`); err != nil {
		t.Fatal(err)
	}
}

// TestOccupiedPortIsTold is the short form: New knows before anything is opened.
func TestOccupiedPortIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := boot(t, s, "page: {name: Example Ltd}\n")
	config := newSite(t).config(t, "page: {name: Example Ltd}\n")
	file, err := app.LoadConfig(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	file.Listen = strings.TrimPrefix(h.page, "http://")
	_, err = app.New(app.Options{Config: file, Log: telemetry.NewLogger(t.Output(), "info", "text")})
	if problem.KindOf(err) != problem.KindUnavailable || !strings.Contains(fmt.Sprint(err), file.Listen) {
		t.Errorf("got %v", err)
	}
}
