package console

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
	"evenkeel/internal/telemetry"
)

// Record is what is read of the record of watching. *store.Store is one.
type Record interface {
	Catalog(ctx context.Context, all bool) (status.Catalog, error)
	OpenSpans(ctx context.Context) ([]status.Span, error)
	Spans(ctx context.Context, component string, track status.Track, from, to time.Time) ([]status.Span, error)
	Decisions(ctx context.Context, monitor string, limit int) ([]status.Decision, error)
	Occurrences(ctx context.Context, from, to time.Time) ([]status.Occurrence, error)
}

// Journal is the sealed journal, for what happened before this process began.
type Journal interface {
	Head(ctx context.Context) (seq int64, hash string, err error)
	After(ctx context.Context, seq int64, limit int) ([]journal.Sealed, error)
}

// Watch is the service that judges. *status.Watch is one.
type Watch interface {
	Verdict(monitor string) (status.MonitorVerdict, bool)
	Last(monitor string) (status.Result, bool)
	Hold(component string, until time.Time, why string) error
	Confirm(ctx context.Context, by access.Actor, component string) error
}

// Samples is the hot record of measurements.
type Samples interface {
	Samples(ctx context.Context, q status.SampleQuery) ([]status.Sample, error)
}

// Runner runs monitors by hand.
type Runner interface {
	RunOnce(ctx context.Context, id string) (status.Result, error)
}

// Health says how the parts of the hub are. *telemetry.Health is one.
type Health interface{ Report() telemetry.Report }

// Incidents lists incidents as far as the person may see them. *incident.Room is one.
type Incidents interface {
	List(ctx context.Context, by access.Actor, q incident.Query) ([]incident.Incident, error)
}

// Loose is one loose end: something that staff should look at.
type Loose struct {
	Kind  string // of the hub's checks
	Words string // what is wrong: "Not published"
	About string // of what: "Gift cards, partial for 6 min"
	Draft string // Markdown of an update that would settle it; "" for none
	Since time.Time
	Path  string // where it is mended; "" for nowhere
}

// Attention lists the loose ends that concern somebody, oldest first.
type Attention func(ctx context.Context, by access.Actor) ([]Loose, error)

// Queue is how the deliveries stand.
type Queue struct {
	Waiting, Retrying, Failed int
	Oldest                    time.Time // of those waiting; zero for none
}

// Deliveries tells how the deliveries stand.
type Deliveries func(ctx context.Context) (Queue, error)

// Turn is who is on call for one rotation.
type Turn struct {
	Rotation string // its name
	Person   string // their name; "" when nobody is
	PersonID string
	Until    time.Time // zero = for good
	Next     string    // who follows
}

// OnCall tells who is on call.
type OnCall func(ctx context.Context, now time.Time) ([]Turn, error)
