package status

import "time"

// Track tells the two histories of a component apart: what checks saw, and
// what the page said. Uptime is arithmetic over the published one.
type Track string

// The tracks.
const (
	Observed  Track = "observed"
	Published Track = "published"
)

// Origin says who is behind a span: maintenance over human over machine.
type Origin string

// The origins.
const (
	ByMachine     Origin = "machine"
	ByHuman       Origin = "human"
	ByMaintenance Origin = "maintenance"
	BySystem      Origin = "system" // not measured: start, stop, removed
)

// Span is a stretch of time [From, To) in one status. The spans of a component
// and track tile time from its creation: no gap, no overlap; only the last is
// open (To zero).
type Span struct {
	ID        string
	Component string // key
	Track     Track
	From      time.Time
	To        time.Time // zero while open
	Status    Status
	Origin    Origin
	Cause     Cause
	Public    string // one line for visitors; never a host, address or error string
	Staff     string // one line for staff: monitor, reason, quorum
	Ref       string // e.g. the maintenance occurrence, as kind/id; "" for none
	Version   int64
}

// Open reports whether the span still runs.
func (s Span) Open() bool { return s.To.IsZero() }

// Decision is one line of the verdict engine's diary for one monitor: what was
// decided and why, for staff and for the public.
type Decision struct {
	ID        string
	Monitor   string // key
	Component string // key
	At        time.Time
	Effective time.Time // back-dated to the first failure
	From, To  Level
	Held      string // "" or why nothing followed: suppressed by a parent, held for a rollout, quorum missing, inconclusive
	Staff     string
	Public    string
}

// Level is a monitor's own verdict.
type Level string

// The levels of a monitor.
const (
	LevelUnknown Level = "unknown"
	LevelUp      Level = "up"
	LevelSlow    Level = "slow"
	LevelDown    Level = "down"
)

// Streak is the part of a monitor's state that must survive a restart, for one
// location. It is written only when a streak starts, ends or crosses, in batches.
type Streak struct {
	Monitor  string // key
	Location string
	Level    Level // this location's own level
	Fails    int
	Goods    int
	Slows    int
	First    time.Time   // first result of the present streak
	Changes  []time.Time // recent level changes, for flap damping; bounded by FlapCount
	SavedAt  time.Time
}
