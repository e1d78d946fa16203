package status

import (
	"context"
	"time"

	"evenkeel/internal/journal"
)

// Store keeps the record of this wing in SQL. Methods that take a journal.Tx
// write inside that unit of work and must not be called outside journal.Work.Do;
// the others read committed state. Every update is a compare-and-swap on
// Version: when it names an old one the error is Conflict. An insert makes
// Version 1 and every update adds one, so a writer knows the version it made.
// Lists come ordered as their names say. Errors: NotFound, Conflict, Unavailable.
type Store interface {
	// Catalog loads what is defined, removed things included when all is true.
	Catalog(ctx context.Context, all bool) (Catalog, error)
	// The Put methods insert (Version 0) or update (Version as read).
	PutSite(ctx context.Context, tx journal.Tx, s Site) error
	PutGroup(ctx context.Context, tx journal.Tx, g Group) error
	PutComponent(ctx context.Context, tx journal.Tx, c Component) error
	PutMonitor(ctx context.Context, tx journal.Tx, m Monitor, mark string) error
	PutWindow(ctx context.Context, tx journal.Tx, w Window) error
	// Windows gives the maintenance windows that are defined now, by ID.
	Windows(ctx context.Context) ([]Window, error)
	// Planned gives Windows, and Occurrences that touch the time from a moment on,
	// as they were at one moment: an occurrence never comes without its window.
	Planned(ctx context.Context, from time.Time) ([]Window, []Occurrence, error)
	// Marks gives the mark of every monitor by key, as last applied.
	Marks(ctx context.Context) (map[string]string, error)

	// Streaks loads every saved streak.
	Streaks(ctx context.Context) ([]Streak, error)
	// PutStreaks replaces the saved streaks of the monitors and locations named.
	PutStreaks(ctx context.Context, tx journal.Tx, ss []Streak) error

	// OpenSpans gives the open span of every component in both tracks.
	OpenSpans(ctx context.Context) ([]Span, error)
	// Spans gives the spans of one component and track that touch [from, to), in order.
	Spans(ctx context.Context, component string, track Track, from, to time.Time) ([]Span, error)
	// AllSpans gives the spans of all components in a track that end after from, by component then time.
	AllSpans(ctx context.Context, track Track, from time.Time) ([]Span, error)
	// AddSpan inserts a span.
	AddSpan(ctx context.Context, tx journal.Tx, s Span) error
	// EndSpan sets To of an open span; Conflict when it is not open at that version.
	EndSpan(ctx context.Context, tx journal.Tx, id string, version int64, to time.Time) error
	// DropSpan deletes an open span that a back-dated one replaces whole (From equal); Conflict as EndSpan.
	DropSpan(ctx context.Context, tx journal.Tx, id string, version int64) error
	// SpansInside is Spans as the unit of work sees them.
	SpansInside(ctx context.Context, tx journal.Tx, component string, track Track, from, to time.Time) ([]Span, error)
	// OrderPast makes units of work that read the past of one component and write
	// what follows from it come one after another.
	OrderPast(ctx context.Context, tx journal.Tx, component string) error

	// AddDecision inserts a decision; Decisions gives the newest first.
	AddDecision(ctx context.Context, tx journal.Tx, d Decision) error
	Decisions(ctx context.Context, monitor string, limit int) ([]Decision, error)

	// Occurrences gives maintenance that touches [from, to), by start.
	Occurrences(ctx context.Context, from, to time.Time) ([]Occurrence, error)
	// PutOccurrence inserts (Version 0) or updates.
	PutOccurrence(ctx context.Context, tx journal.Tx, o Occurrence) error

	// Alive is the last moment at which the watching hub said it was there; zero when never.
	Alive(ctx context.Context) (time.Time, error)
	// PutAlive moves that moment.
	PutAlive(ctx context.Context, tx journal.Tx, at time.Time) error

	// Sayings gives what people say of components by hand now, by component and time.
	Sayings(ctx context.Context) ([]Saying, error)
	// Holds gives the rollouts that hold at a moment, by component.
	Holds(ctx context.Context, at time.Time) ([]Hold, error)

	// Months gives the frozen months of a component, oldest first; component "" gives all.
	Months(ctx context.Context, component string) ([]Month, error)
	// PutMonth freezes a month once; Conflict when it is frozen already.
	PutMonth(ctx context.Context, tx journal.Tx, m Month) error
	// AddCorrection adds a signed adjustment to a frozen month.
	AddCorrection(ctx context.Context, tx journal.Tx, c Correction) error

	// PutDay replaces the packed histograms of a monitor, location and UTC day;
	// Days gives those of a monitor with from <= day < to, in order.
	PutDay(ctx context.Context, tx journal.Tx, d DayRow) error
	Days(ctx context.Context, monitor string, from, to time.Time) ([]DayRow, error)

	// AddPing records a heartbeat signal; LastPings gives the newest of each signal of each monitor.
	AddPing(ctx context.Context, tx journal.Tx, p Ping) error
	LastPings(ctx context.Context) ([]Ping, error)

	// Prune deletes what retention no longer keeps: ended spans, decisions, day rows, pings older than before.
	// Silences that are over and words that were taken back go with decisions.
	// It deletes at most limit rows of each and tells how many in all.
	Prune(ctx context.Context, tx journal.Tx, before PruneBefore, limit int) (int, error)
}

// DeskStore is Store with what people decide at the desk. The same rules hold.
type DeskStore interface {
	Store

	// Occurrence gives one occurrence of maintenance.
	Occurrence(ctx context.Context, id string) (Occurrence, error)
	// OccurrencesOf gives all of one window, by key, in order of their start.
	OccurrencesOf(ctx context.Context, window string) ([]Occurrence, error)

	// PutSaying inserts (Version 0) or updates.
	PutSaying(ctx context.Context, tx journal.Tx, s Saying) error
	// PutHold inserts (Version 0) or updates the hold of a component.
	PutHold(ctx context.Context, tx journal.Tx, h Hold) error

	// Silences gives those that end after a moment, by start.
	Silences(ctx context.Context, after time.Time) ([]Silence, error)
	// PutSilence inserts (Version 0) or updates.
	PutSilence(ctx context.Context, tx journal.Tx, s Silence) error

	// Amendments gives the false alarms marked for a component, newest first; component "" gives all.
	Amendments(ctx context.Context, component string, limit int) ([]Amendment, error)
	// Amendment gives one.
	Amendment(ctx context.Context, id string) (Amendment, error)
	// PutAmendment inserts (Version 0) or updates.
	PutAmendment(ctx context.Context, tx journal.Tx, a Amendment) error
	// MonthsInside is Months of one component as the unit of work sees them.
	MonthsInside(ctx context.Context, tx journal.Tx, component string) ([]Month, error)
	// ReplaceSpan puts ended spans in the place of one that has ended, which they
	// must tile exactly; Conflict when it is not there at that version.
	ReplaceSpan(ctx context.Context, tx journal.Tx, id string, version int64, with []Span) error

	// Documents gives what was defined in the console, by kind and ID.
	Documents(ctx context.Context) ([]Document, error)
	// PutDocument inserts (Version 0) or updates; DropDocument deletes.
	PutDocument(ctx context.Context, tx journal.Tx, d Document) error
	DropDocument(ctx context.Context, tx journal.Tx, kind, id string, version int64) error
}

// PruneBefore is the age limit per kind of record; zero keeps for ever.
type PruneBefore struct{ Spans, Decisions, Days, Pings time.Time }

// DayRow is one UTC day of one monitor and location: 24 hourly histograms, packed.
type DayRow struct {
	Monitor  string
	Location string
	Day      time.Time // midnight UTC
	Packed   []byte    // PackDay / UnpackDay; of a value monitor PackValueDay / UnpackValueDay
}

// Sample is one recorded measurement.
type Sample struct {
	Due      time.Time     // the start of the slot it was due in: less than an interval before its tick
	Latency  time.Duration // resolution 10 µs, at most 167 s; 0 when there was none
	Value    float64       // value monitors: float32 precision
	HasValue bool
	Outcome  Outcome
}

// Latency is the hot, rebuildable record of measurements: Redis, or in process.
// Losing it degrades charts and nothing else.
type Latency interface {
	// Record takes results and returns at once; when the buffer is full the
	// oldest are dropped and counted. The slice is copied. A result without
	// Monitor, Location, Interval or Due is dropped.
	Record(batch []Result)
	// Samples gives what is kept of one monitor and location within [from, to), in order of time,
	// under former intervals too. Errors: Unavailable.
	Samples(ctx context.Context, q SampleQuery) ([]Sample, error)
	// Hours gives each whole UTC hour in [from, to) that has samples, in order. Errors: Unavailable.
	Hours(ctx context.Context, q SampleQuery) ([]Hour, error)
}

// HourRow is one UTC hour of packed samples of one monitor and location: how
// measurements are kept in SQL where there is no Redis.
type HourRow struct {
	Monitor  string
	Location string
	Interval time.Duration
	Values   bool      // a value monitor
	Hour     time.Time // start of the hour
	Slots    []byte    // as the latency adapter packs them
}

// SampleQuery names a stretch of one monitor's measurements.
type SampleQuery struct {
	Monitor  string
	Location string
	Interval time.Duration // the monitor's present one
	Values   bool          // a value monitor
	From, To time.Time
}

// Hour is one UTC hour of one monitor: a latency histogram, counts by outcome
// and sums of phases.
type Hour struct {
	Start     time.Time
	Histogram Histogram // of the results that were ok or slow and took time
	Values    ValueHour // of a value monitor
	Outcomes  [4]uint32 // by Outcome
	Timed     uint32    // results whose phases are summed; a crash loses up to a minute of them
	Phases    [PhaseCount]time.Duration
}

// Calendar expands recurring windows. The calendar leaf satisfies it.
type Calendar interface {
	// Between gives the starts of rule (RFC 5545 RRULE) that lie in [from, to),
	// anchored at the local time start in zone. Errors: Invalid.
	Between(rule, zone, start string, from, to time.Time) ([]time.Time, error)
}
