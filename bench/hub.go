package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// hub is a running hub with its own data folder and, unless said otherwise, a
// real Redis of its own on the other core.
type hub struct {
	*process
	url, admin string
	dir        string
	redis      *process
	started    time.Time
	first      time.Duration // start to the first page answered
}

// hubOptions says what the hub watches.
type hubOptions struct {
	monitors   int
	components int
	interval   time.Duration
	base       string // URL before the target's number
	kept       bool
	extra      string // keys of every monitor, one per line
	top        string // top-level YAML
	noRedis    bool
	confirm    int
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// startHub writes a configuration, starts the hub on core 0 and waits for its page.
func startHub(ctx context.Context, program string, o hubOptions) (_ *hub, err error) {
	dir, err := os.MkdirTemp("", "evenkeel-bench-")
	if err != nil {
		return nil, err
	}
	h := &hub{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	config := filepath.Join(dir, "evenkeel.yaml")
	if err := os.WriteFile(config, []byte(o.yaml()), 0o600); err != nil {
		return nil, err
	}
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	admin, err := freePort()
	if err != nil {
		return nil, err
	}
	env := []string{"EVENKEEL_LISTEN=" + listen, "EVENKEEL_ADMIN_LISTEN=" + admin, "EVENKEEL_DATA=" + dir, "GOMAXPROCS=1"}
	if !o.noRedis {
		socket := filepath.Join(dir, "r.sock")
		h.redis, _, err = start(ctx, 1, false, io.Discard, nil, "redis-server", "--port", "0", "--unixsocket", socket,
			"--dir", dir, "--save", "", "--appendonly", "no", "--logfile", filepath.Join(dir, "redis.log"))
		if err != nil {
			return nil, err
		}
		env = append(env, "EVENKEEL_REDIS_URL=unix://"+socket)
		for range 300 {
			if _, err := os.Stat(socket); err == nil {
				break
			}
			if err := pause(ctx, 10*time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
	logFile, err := os.Create(filepath.Join(dir, "hub.log"))
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	h.url, h.admin, h.started = "http://"+listen, "http://"+admin, time.Now()
	if h.process, _, err = start(ctx, 0, false, logFile, env, program, "serve", "-c", config); err != nil {
		return nil, err
	}
	for {
		resp, err := http.Get(h.url + "/")
		if err == nil {
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				return nil, err
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				h.first = time.Since(h.started)
				return h, nil
			}
		}
		if time.Since(h.started) > 30*time.Second {
			tail, _ := exec.Command("tail", "-n", "5", logFile.Name()).Output()
			return nil, fmt.Errorf("the hub gave no page within 30 s: %s", tail)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// ready waits until the hub says that it is: its first page comes before its record.
func (h *hub) ready(ctx context.Context) error {
	var report struct {
		Ready bool `json:"ready"`
	}
	for {
		err := fetch(h.admin+"/readyz", &report)
		if err == nil && report.Ready {
			return nil
		}
		if time.Since(h.started) > 30*time.Second {
			return errors.Join(errors.New("the hub was not ready within 30 s"), err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// yaml writes the configuration; components get their monitors evenly.
func (o hubOptions) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "page: {name: Bench, url: \"http://127.0.0.1\", time_zone: Etc/UTC}\n%s\ncomponents:\n", o.top)
	for i := range o.components {
		fmt.Fprintf(&b, "  - {id: component-%d, name: \"Service number %d\", group: group-%d}\n", i, i, i/25)
	}
	b.WriteString("monitors:\n")
	for i := range o.monitors {
		fmt.Fprintf(&b, "  - id: m-%d\n    component: component-%d\n    kind: http\n    url: %s%d\n    interval: %s\n    timeout: %s\n    fresh: %t\n",
			i, i*o.components/o.monitors, o.base, i, yamlDuration(o.interval), yamlDuration(o.interval*8/10), !o.kept)
		if o.confirm > 0 {
			fmt.Fprintf(&b, "    confirm: %d\n    recover: %d\n", o.confirm, o.confirm)
		}
		for line := range strings.Lines(o.extra) {
			b.WriteString("    " + line)
		}
	}
	return b.String()
}

func yamlDuration(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// close stops the hub and its Redis and removes their folder.
func (h *hub) close() error {
	var errs []error
	for _, p := range []*process{h.process, h.redis} {
		if p != nil {
			errs = append(errs, p.stop())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(h.dir))...)
}

// fetch gets a URL into v as JSON.
func fetch(url string, v any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("%s answered %s: %s", url, resp.Status, body)
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// metric sums the samples of one metric of the hub.
func (h *hub) metric(name string) (float64, error) {
	resp, err := http.Get(h.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	sum, found := 0.0, false
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, name+" ") && !strings.HasPrefix(line, name+"{") {
			continue
		}
		var v float64
		fields := strings.Fields(line)
		if _, err := fmt.Sscan(fields[len(fields)-1], &v); err != nil {
			return 0, err
		}
		sum, found = sum+v, true
	}
	if !found {
		return 0, fmt.Errorf("the hub has no metric %s", name)
	}
	return sum, nil
}

// control steers the targets.
func control(addr, path string) error {
	resp, err := http.Post("http://"+addr+"/ctl/"+path, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("targets answered %s to %s", resp.Status, path)
	}
	return nil
}

// self is our own binary, for helper processes.
func self() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
