package console

import (
	"context"
	"io"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

// Told is the record of who was told what, and the alerts that ask staff to
// react. *notice.Desk is one.
type Told interface {
	Deliveries(ctx context.Context, by access.Actor, q notice.Query) ([]notice.Delivery, error)
	Delivery(ctx context.Context, by access.Actor, id string) (notice.Delivery, notice.Event, error)
	Tally(ctx context.Context, by access.Actor, q notice.Query) (notice.Tally, error)
	Counts(ctx context.Context, by access.Actor, subject journal.Ref) ([]notice.Count, error)
	Resend(ctx context.Context, by access.Actor, id string) (notice.Delivery, error)
	Dismiss(ctx context.Context, by access.Actor, id string) (notice.Delivery, error)

	Alerts(ctx context.Context, by access.Actor, q notice.AlertQuery) ([]notice.Alert, error)
	Acknowledge(ctx context.Context, by access.Actor, id string) (notice.Alert, error)
	Silence(ctx context.Context, by access.Actor, id string, until time.Time, reason string) (notice.Alert, error)
	Wake(ctx context.Context, by access.Actor, id string) (notice.Alert, error)
	End(ctx context.Context, by access.Actor, id string) (notice.Alert, error)
}

// Channels is how telling is doing, and how it is tried. *notice.Desk is one.
type Channels interface {
	Health(ctx context.Context, by access.Actor) (notice.Health, error)
	Test(ctx context.Context, by access.Actor, channel string) (notice.Delivery, error)
	Routes() []notice.Route
	Drill(ctx context.Context, by access.Actor, of journal.Ref) (notice.Alert, error)
}

// Rota is who is on call. *notice.Desk is one.
type Rota interface {
	Rotations() []notice.Rotation
	OnCall(ctx context.Context, now time.Time) ([]notice.Turn, error)
	Schedule(ctx context.Context, rotation string, from, to time.Time) ([]notice.Turn, error)
	Overrides(ctx context.Context, by access.Actor, from, to time.Time) ([]notice.Override, error)
	Override(ctx context.Context, by access.Actor, o notice.Override) (notice.Override, error)
	DropOverride(ctx context.Context, by access.Actor, rotation, id string) error
}

// Subscribers is everybody outside who asked to be told. *notice.Desk is one.
type Subscribers interface {
	Subscribers(ctx context.Context, by access.Actor, q notice.SubscriberQuery) ([]notice.Subscriber, error)
	CountSubscribers(ctx context.Context, by access.Actor) (map[notice.Mode]map[string]int64, error)
	Add(ctx context.Context, by access.Actor, r notice.Subscription, confirmed bool) (notice.Subscriber, error)
	Remove(ctx context.Context, by access.Actor, id string) error
	Erase(ctx context.Context, by access.Actor, id string) error
	Export(ctx context.Context, by access.Actor, w io.Writer) error
	Import(ctx context.Context, by access.Actor, r io.Reader) (notice.Imported, error)
}

// Letter is one message as it would have left the house.
type Letter struct {
	ID      string // of the delivery
	At      time.Time
	Channel string
	Kind    string // of the channel
	To      string
	Event   string // kind of the event
	Subject string
	Header  []Heading
	Text    string
	JSON    string
}

// Heading is one line of a message's header.
type Heading struct{ Name, Value string }

// Outbox gives the newest messages that channels kept instead of sending,
// newest first.
type Outbox func() []Letter

// Roster gives the names of the staff by their ids.
type Roster func(ctx context.Context) (map[string]string, error)
