package notice

import (
	"context"
	"time"

	"evenkeel/internal/journal"
)

// Store keeps notices in SQL. Methods that take a journal.Tx read and write
// inside that unit of work; the others read committed state. Updates compare
// and swap on Version (0 inserts). Errors: NotFound, Conflict, Unavailable.
type Store interface {
	EventStore
	DeliveryStore
	AlertStore
	SubscriberStore
	HealthStore
}

// EventStore keeps events, and how far their fan-out has come.
type EventStore interface {
	// AddEvent inserts an event; fresh is false, and nothing happens, when its id
	// is known. With fan it waits for the fan-out to subscribers.
	AddEvent(ctx context.Context, tx journal.Tx, e Event, fan bool) (fresh bool, err error)
	// EventIn gives one inside the unit of work.
	EventIn(ctx context.Context, tx journal.Tx, id string) (Event, error)
	// Events gives those of the ids that exist, in any order.
	Events(ctx context.Context, ids []string) ([]Event, error)
	// NextFan gives the oldest event that waits for its fan-out, by Seq and id;
	// ok is false when none does.
	NextFan(ctx context.Context) (f Fan, ok bool, err error)
	// FanOf gives how far the fan-out of an event came.
	FanOf(ctx context.Context, event string) (Fan, error)
	// MoveFan writes how far the fan-out came, when it still stands at from.
	MoveFan(ctx context.Context, tx journal.Tx, f Fan, from string) error
}

// Fan is how far an event has been spread to subscribers. It is the durable
// position of work that is done in small units.
type Fan struct {
	Event     string
	PlannedAt time.Time // who confirmed later is not told
	At        string    // id of the last subscriber that was looked at
	Told      int64     // rows written
	Passed    int64     // active subscribers who did not ask for this
	Done      bool
}

// DeliveryStore keeps deliveries.
type DeliveryStore interface {
	// AddDeliveries inserts rows, whose ids are from journal.NewID, leaving alone
	// what is there already for the same event, recipient and channel. Their
	// version becomes 1.
	AddDeliveries(ctx context.Context, tx journal.Tx, rows []Delivery) error
	// Due gives up to limit rows of a channel whose NextAt has come, oldest
	// first, leaving out those behind an unfinished row of the same lane that was
	// queued after since.
	Due(ctx context.Context, channel string, now, since time.Time, limit int) ([]Delivery, error)
	// Companions gives, in order, the unfinished rows that go out with head: those
	// of its bundle; when bundled is false, the queued ones of its lane that gather.
	Companions(ctx context.Context, head Delivery, bundled bool, limit int) ([]Delivery, error)
	// NextDue gives the earliest NextAt of a channel; zero when nothing waits.
	NextDue(ctx context.Context, channel string) (time.Time, error)
	// Swap writes State, Attempts, Failures, Reason, Mark, ExactOnce, Fallback, Gather,
	// Bundle, QueuedAt, NextAt and SentAt of rows that still have their Version, which
	// grows by one, and gives the ids of the others.
	Swap(ctx context.Context, tx journal.Tx, rows []Delivery) (lost []string, err error)
	// ThreadMarks gives Lane, Alert and Mark of sent rows that have a Mark, in order:
	// those of the alerts, and those of no alert in the lanes.
	ThreadMarks(ctx context.Context, lanes []int64, alerts []string) ([]Delivery, error)
	// Heard gives those of the lanes that hold a row that was not suppressed.
	Heard(ctx context.Context, lanes []int64) ([]int64, error)
	// ToldOf gives Recipient, Channel, Lane and Gather of an alert's rows that were
	// not suppressed, each combination once, oldest first.
	ToldOf(ctx context.Context, tx journal.Tx, alert string) ([]Delivery, error)
	// Hush suppresses an alert's waiting rows of events of these kinds.
	Hush(ctx context.Context, tx journal.Tx, alert string, kinds []string, reason string) error
	// Overtaken gives up to limit waiting rows queued before, that have a newer
	// one about the same subject in their lane.
	Overtaken(ctx context.Context, before time.Time, limit int) ([]Delivery, error)
	// Delivery gives one.
	Delivery(ctx context.Context, id string) (Delivery, error)
	// DeliveryIn gives one inside the unit of work.
	DeliveryIn(ctx context.Context, tx journal.Tx, id string) (Delivery, error)
	// DeliveryOf gives the row of event, recipient and channel inside the unit of work.
	DeliveryOf(ctx context.Context, tx journal.Tx, event, recipient, channel string) (Delivery, error)
	// Deliveries gives those that match, newest first.
	Deliveries(ctx context.Context, q Query) ([]Delivery, error)
	// Tally counts those that match by state, whatever q.Limit says.
	Tally(ctx context.Context, q Query) (map[State]int64, error)
	// Counts tells where the deliveries about a subject stand, in the order of events,
	// channels and states.
	Counts(ctx context.Context, subject journal.Ref) ([]Count, error)
	// Queues tells what waits in every channel.
	Queues(ctx context.Context) ([]Queue, error)
	// PruneNotices deletes up to limit rows each of finished deliveries, of events
	// without deliveries and of alerts that are over, all older than before, and
	// throttle counts older than a day. It tells whether more remains.
	PruneNotices(ctx context.Context, tx journal.Tx, before time.Time, limit int) (more bool, err error)
}

// Query picks deliveries. Zero fields do not narrow.
type Query struct {
	Subject   journal.Ref
	Event     string
	Channel   string
	Recipient string
	Alert     string
	States    []State
	Since     time.Time // created then or later
	Before    string    // page on: id of the last one seen
	Limit     int       // 1 to MaxPage
}

// MaxPage bounds one page of a list.
const MaxPage = 500

// Count is how many deliveries of one event stand in one state in one channel.
type Count struct {
	Event   string
	Line    string // that the event tells; "" for none
	Channel string
	State   State
	N       int64
}

// Queue is what waits in one channel.
type Queue struct {
	Channel string
	Waiting int64
	Oldest  time.Time // when the oldest was created
}

// AlertStore keeps alerts and overrides of rotations.
type AlertStore interface {
	// AlertOf gives the open alert of a subject inside the unit of work.
	AlertOf(ctx context.Context, tx journal.Tx, subject journal.Ref) (Alert, error)
	// AlertIn gives one inside the unit of work.
	AlertIn(ctx context.Context, tx journal.Tx, id string) (Alert, error)
	// PutNoticeAlert inserts or updates, and raises a.Version. Errors: Conflict, also
	// when another alert of the subject is open.
	PutNoticeAlert(ctx context.Context, tx journal.Tx, a *Alert) error
	// DueAlerts gives open alerts whose NextAt has come, oldest first.
	DueAlerts(ctx context.Context, now time.Time, limit int) ([]Alert, error)
	// NoticeAlerts gives those that match, newest first.
	NoticeAlerts(ctx context.Context, q AlertQuery) ([]Alert, error)
	// Overrides gives those that touch [from, to), by start, inside the unit of
	// work, or committed ones when tx is nil.
	Overrides(ctx context.Context, tx journal.Tx, from, to time.Time) ([]Override, error)
	// PutOverride inserts or updates, and raises o.Version.
	PutOverride(ctx context.Context, tx journal.Tx, o *Override) error
	// DropOverride deletes one. Errors: NotFound.
	DropOverride(ctx context.Context, tx journal.Tx, id string) error
}

// AlertQuery picks alerts. Zero fields do not narrow.
type AlertQuery struct {
	ID      string
	Subject journal.Ref
	Open    bool   // only those not over
	Before  string // page on: id of the last one seen
	Limit   int    // 1 to MaxPage
}

// SubscriberStore keeps subscribers, and counts what strangers try.
type SubscriberStore interface {
	// SubscriberIn gives one inside the unit of work, or committed when tx is nil.
	SubscriberIn(ctx context.Context, tx journal.Tx, id string) (Subscriber, error)
	// SubscriberAt gives the one of an address inside the unit of work.
	SubscriberAt(ctx context.Context, tx journal.Tx, mode Mode, address, incident string) (Subscriber, error)
	// SubscribersAt gives all with an address, whatever their incident.
	SubscribersAt(ctx context.Context, mode Mode, address string) ([]Subscriber, error)
	// SubscribersByID gives those of the ids that exist, in any order.
	SubscribersByID(ctx context.Context, ids []string) ([]Subscriber, error)
	// Listeners gives up to limit active subscribers behind after who confirmed
	// not later than by, in order of their ids.
	Listeners(ctx context.Context, after string, by time.Time, limit int) ([]Subscriber, error)
	// Subscribers gives those that match, by id.
	Subscribers(ctx context.Context, q SubscriberQuery) ([]Subscriber, error)
	// CountSubscribers counts by mode and state.
	CountSubscribers(ctx context.Context) (map[Mode]map[string]int64, error)
	// AddSubscribers inserts rows, leaving alone addresses that are there, and
	// gives the ids of those inserted.
	AddSubscribers(ctx context.Context, tx journal.Tx, rows []Subscriber) (added []string, err error)
	// PutSubscriber inserts or updates, and raises s.Version.
	PutSubscriber(ctx context.Context, tx journal.Tx, s *Subscriber) error
	// CountTry adds one to the count of a key in the stretch of time that began at
	// slot, and gives the count.
	CountTry(ctx context.Context, tx journal.Tx, key string, slot time.Time) (int64, error)
}

// SubscriberQuery picks subscribers. Zero fields do not narrow.
type SubscriberQuery struct {
	Mode    Mode
	State   string
	Search  string    // part of the address, any case
	Created time.Time // created before
	After   string    // page on: id of the last one seen
	Limit   int       // 1 to MaxPage
}

// HealthStore keeps how channels and heartbeats are doing.
type HealthStore interface {
	// ChannelStates gives all that were written.
	ChannelStates(ctx context.Context) ([]ChannelState, error)
	// PutChannelState writes one, whole.
	PutChannelState(ctx context.Context, tx journal.Tx, s ChannelState) error
	// PulseStates gives all that were written.
	PulseStates(ctx context.Context) ([]PulseState, error)
	// PutPulseState writes one, whole.
	PutPulseState(ctx context.Context, tx journal.Tx, s PulseState) error
}

// ChannelState is how a channel is doing.
type ChannelState struct {
	Channel  string
	Circuit  Circuit
	Failures int       // in a row
	Since    time.Time // of this circuit state
	RetryAt  time.Time // when an open circuit is probed
	Reason   string    // of the last failure, in words
	SentAt   time.Time // the last time that a message was taken, as far as written
}

// Circuit is the state of a channel's circuit breaker.
type Circuit string

// The states of a circuit.
const (
	Closed   Circuit = "closed"    // it works
	Opened   Circuit = "open"      // it failed time after time: nothing is sent
	HalfOpen Circuit = "half_open" // one message is tried
)

// PulseState is how a heartbeat out is doing.
type PulseState struct {
	ID           string
	SentAt       time.Time // the last time that it was taken
	FailingSince time.Time // zero while well
	Reason       string    // why it fails, or why the hub kept silent
}
