package app

import (
	"context"
	"net/url"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/notify"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/telemetry"
)

// well gives why the heartbeat out must keep silent: the first check without
// which the hub is not ready, a loop that stands still among them; nil when all
// is well.
func well(health *telemetry.Health) func() error {
	return func() error {
		for _, c := range health.Report().Checks {
			if c.Required && !c.OK {
				return problem.Unavailable(nil, "%s: %s", c.Name, c.Detail)
			}
		}
		return nil
	}
}

// standingFor is how long what the page says is told without asking again: as
// often as the page itself may change. Ten thousand webhooks are told the same.
const standingFor = time.Second

// standing gives what the page says as a whole, for Statuspage's webhooks.
func standing(page func(now time.Time) *status.Page) func() notify.Standing {
	var mu sync.Mutex
	var says notify.Standing
	var until time.Time
	return func() notify.Standing {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.After(until) {
			says, until = standingOf(page(now)), now.Add(standingFor)
		}
		return says
	}
}

func standingOf(p *status.Page) notify.Standing {
	if p == nil {
		return notify.Standing{ID: "page", Indicator: string(status.IndicatorNone), Description: "All Systems Operational"}
	}
	id := "page"
	if u, err := url.Parse(p.Site.URL); err == nil && u.Host != "" {
		id = u.Host
	}
	return notify.Standing{ID: id, Indicator: string(p.Indicator), Description: p.Description}
}

// namesFor is how long the names of people are kept, and namesWithin bounds the
// look for them: a message does not wait for a name.
const (
	namesFor    = 30 * time.Second
	namesWithin = 2 * time.Second
)

// naming gives the name of a person by actor id; "" for machines, for the hub, and
// while names cannot be read.
func naming(names func(ctx context.Context) (map[string]string, error)) func(actor string) string {
	var mu sync.Mutex
	var known map[string]string
	var until time.Time
	return func(actor string) string {
		id, ok := people.PersonOf(access.Actor{ID: actor})
		if !ok {
			return ""
		}
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.After(until) {
			ctx, cancel := context.WithTimeout(context.Background(), namesWithin)
			defer cancel()
			if found, err := names(ctx); err == nil {
				known = found
			}
			until = now.Add(namesFor)
		}
		return known[id]
	}
}
