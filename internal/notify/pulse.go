package notify

import (
	"context"
	"net/http"
	"strconv"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// pulse is the heartbeat out: it asks for an address, and whoever listens there
// raises the alarm when that stops.
type pulse struct {
	env *env
	to  string
}

// openPulse makes the heartbeat out. Errors: Invalid, field "url".
func (e *env) openPulse(d config.Deadman) (Channel, error) {
	to, err := e.secret("url", d.URL)
	if err != nil {
		return nil, err
	}
	if _, err := webAddress("url", to); err != nil {
		return nil, problem.Invalid("url", "is not an http or https address")
	}
	return e.shown(config.ChannelDeadman, "pulse", &pulse{env: e, to: to}), nil
}

// Send asks for the address once.
func (p *pulse) Send(ctx context.Context, _ notice.Message) (notice.Receipt, error) {
	a, err := p.env.file.call(ctx, http.MethodGet, p.to, nil, nil)
	if err != nil {
		return notice.Receipt{}, err
	}
	if r := judge(a, p.env.Now()); r != nil {
		return notice.Receipt{}, r
	}
	return notice.Receipt{Mark: strconv.Itoa(a.status)}, nil
}

func (p *pulse) show(notice.Message) (Shown, error) {
	return Shown{To: place(p.to), Subject: "Heartbeat"}, nil
}

// Close does nothing.
func (p *pulse) Close() {}
