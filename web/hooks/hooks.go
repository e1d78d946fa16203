package hooks

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

// Doors opens the addresses of hooks; *people.Hooks does. Errors: NotFound for a
// token that is none of the source, or was revoked; Unavailable.
type Doors interface {
	Open(ctx context.Context, source, token string) (people.Hook, error)
}

// Deps is what the hooks need.
type Deps struct {
	Doors   Doors
	Alarms  Alarms     // takes alerts
	Parts   Components // to name components
	Slack   SlackDeps
	Problem func(w http.ResponseWriter, r *http.Request, err error) // answers an error: the one place in web
	Now     func() time.Time
	Log     *slog.Logger
}

// Inbound is what others may post to.
type Inbound struct {
	Deps
	asked *askers
}

// New makes the hooks.
func New(d Deps) *Inbound { return &Inbound{Deps: d, asked: newAskers(d.Slack, d.Now)} }

// Routes lists them.
func (i *Inbound) Routes() []door.Route {
	return []door.Route{
		{Method: http.MethodPost, Path: people.HookPath + "alertmanager/{token}", Way: door.WayHook, Handler: i.alertmanager},
		{Method: http.MethodPost, Path: people.HookPath + "slack/{token}", Way: door.WayHook, Handler: i.slack},
	}
}

// read reads a body of at most limit bytes. Errors: Invalid for a larger one;
// Unavailable when the connection broke.
func read(r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, problem.Invalid("", "The message is larger than %d KiB.", limit>>10)
	}
	if err != nil {
		return nil, problem.Unavailable(err, "The message could not be read to its end; send it again.")
	}
	return body, nil
}
