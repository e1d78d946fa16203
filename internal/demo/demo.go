package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"evenkeel/deploy/examples"
	"evenkeel/internal/app"
)

// Where the services would like to listen: the addresses in the example file.
var wanted = Addresses{Web: "127.0.0.1:18081", DNS: "127.0.0.1:18053", Data: "127.0.0.1:18082", Mail: "127.0.0.1:18143"}

// mailbox is where the example file says that customers' mail is.
const mailbox = "127.0.0.1:18144"

// page is where the example file says that the page is.
const page = "127.0.0.1:8080"

// visited is the address under which this machine reaches a listener.
func visited(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return page
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// exportToken is the last part of the heartbeat address in the example file.
const exportToken = "demo-export-heartbeat"

// Mark is the file that makes a data folder the demo's.
const Mark = "demo"

// Estate is the demo once it is prepared: services, perhaps a Redis, and the
// configuration file that names them.
type Estate struct {
	Config   string // path of the configuration
	log      *slog.Logger
	folder   string
	fresh    bool // nothing was in the folder: the past is to be generated
	services *Services
	mailbox  *Mailbox
	redis    *Redis
	why      string // why there is no Redis of our own
}

// Prepare opens the simulated services, starts a Redis where it can and is
// wanted, and writes the configuration into the folder, with the page at listen.
// It refuses a folder that holds a hub which is not the demo's.
func Prepare(ctx context.Context, log *slog.Logger, folder, listen string, redis bool) (*Estate, error) {
	e := &Estate{log: log, folder: folder, Config: filepath.Join(folder, "evenkeel.yaml")}
	if err := e.claim(); err != nil {
		return nil, err
	}
	var err error
	if e.services, err = Listen(log, wanted); err != nil {
		return nil, err
	}
	if e.mailbox, err = OpenMailbox(log, mailbox); err != nil {
		return nil, err
	}
	e.why = "EVENKEEL_REDIS_URL names another"
	if redis {
		e.why = "redis-server is not installed"
		if e.redis, err = StartRedis(ctx, log, folder); err != nil {
			log.Warn("no Redis for the demo", "err", err)
			e.why = "it did not start"
		}
	}
	text := strings.NewReplacer(
		wanted.Web, e.services.Web.String(), wanted.DNS, e.services.DNS.String(),
		wanted.Data, e.services.Data.String(), wanted.Mail, e.services.Mail.String(),
		mailbox, e.mailbox.Addr.String(), page, visited(listen),
	).Replace(examples.Demo)
	text += soonMaintenance(time.Now())
	if err := os.WriteFile(e.Config, []byte(text), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("write the demo's configuration: %w", err), e.Close())
	}
	return e, nil
}

// claim makes the folder the demo's, or finds that it is.
func (e *Estate) claim() error {
	mark := filepath.Join(e.folder, Mark)
	if _, err := os.Stat(mark); err == nil {
		return nil
	}
	entries, err := os.ReadDir(e.folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look into the data folder: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s holds something that is not the demo's: choose an empty folder with EVENKEEL_DATA", e.folder)
	}
	if err := os.MkdirAll(e.folder, 0o750); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	e.fresh = true
	return os.WriteFile(mark, []byte("This folder belongs to evenkeel demo. Its services are simulated and its past is generated.\n"), 0o600)
}

// soonMaintenance is a window in the first cycle, so that a newcomer sees
// maintenance begin and end.
func soonMaintenance(now time.Time) string {
	from := now.UTC().Add(45 * time.Second).Truncate(time.Second)
	return fmt.Sprintf(`
  - id: names-move
    title: Names move to a second server
    description: Answers may take a little longer for half a minute.
    components: [names]
    from: %s
    to: %s
`, from.Format(time.RFC3339), from.Add(30*time.Second).Format(time.RFC3339))
}

// Environ gives the environment in which the demo's configuration is read.
func (e *Estate) Environ(environ []string) []string {
	out := append([]string(nil), environ...)
	if e.redis != nil {
		out = append(out, "EVENKEEL_REDIS_URL="+e.redis.URL)
	}
	return out
}

// Engine says in one line where latency is kept.
func (e *Estate) Engine() string {
	if e.redis != nil {
		return "Latency:   in a Redis of the demo's own (" + strings.TrimPrefix(e.redis.URL, "unix://") + ")"
	}
	return "Latency:   in process, because " + e.why
}

// Seed writes the generated past into a fresh folder.
func (e *Estate) Seed(ctx context.Context, bed app.Seedbed) error {
	if !e.fresh {
		return nil
	}
	return WritePast(ctx, bed, time.Now())
}

// Play runs the script until ctx ends. hub is where pings are answered.
func (e *Estate) Play(ctx context.Context, hub string) error {
	e.services.PingURL = hub + "/ping/" + exportToken
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.services.Run(ctx) })
	g.Go(func() error { return e.mailbox.Run(ctx) })
	return g.Wait()
}

// Close stops what Prepare started.
func (e *Estate) Close() error {
	if e.redis != nil {
		return e.redis.Stop()
	}
	return nil
}
