// Package hooks takes what others send us: the signals of heartbeat monitors,
// alerts of Alertmanager, commands and buttons of Slack. It reads a request into
// values of the wings, checks where it comes from, and hands it over; it decides
// and stores nothing.
package hooks

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Limits of a signal.
const (
	MaxPingBody = 64 << 10 // bytes read; what is beyond is left unread, because the signal counts and not its log
	MaxPingLog  = 10 << 10 // of these, bytes kept: the end, where an error stands
	maxToken    = 128
)

// Ear hears signals. It returns nil only when the signal is stored. Errors:
// NotFound for a token that no monitor has; Unavailable.
type Ear interface {
	Hear(ctx context.Context, token string, ping status.Ping) error
}

// ReadPing turns a request to /ping/{token}[/{what}] into a signal. what is
// empty (success), start, fail, log, or an exit code from 0 to 255, of which
// only 0 is a success. Errors: NotFound, Invalid.
func ReadPing(r *http.Request, token, what string, now time.Time) (status.Ping, error) {
	p := status.Ping{At: now.UTC().Truncate(time.Microsecond)}
	if token == "" || len(token) > maxToken {
		return p, problem.NotFound("No heartbeat has this token.")
	}
	var err error
	if p.Signal, p.Exit, err = readSignal(what); err != nil {
		return p, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPingBody))
	if err != nil {
		return p, problem.Invalid("", "The request could not be read to its end.")
	}
	if len(body) > MaxPingLog {
		body = body[len(body)-MaxPingLog:]
	}
	p.Log = strings.ToValidUTF8(strings.ReplaceAll(string(body), "\x00", "\uFFFD"), "\uFFFD")
	return p, nil
}

// readSignal reads the last part of the path.
func readSignal(what string) (status.PingSignal, int, error) {
	switch s := status.PingSignal(what); s {
	case "":
		return status.PingSuccess, 0, nil
	case status.PingStart, status.PingFail, status.PingLog, status.PingSuccess:
		return s, 0, nil
	}
	code, err := strconv.ParseUint(what, 10, 8)
	if err != nil {
		return "", 0, problem.NotFound("A signal is start, success, fail, log or an exit code from 0 to 255.")
	}
	if code == 0 {
		return status.PingSuccess, 0, nil
	}
	return status.PingFail, int(code), nil
}
