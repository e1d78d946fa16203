package console

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/status"
)

// Desk is where people act on what is watched. *status.Desk is one; each act is
// checked there against the component it is about.
type Desk interface {
	Say(ctx context.Context, by access.Actor, component string, st status.Status, from time.Time, reason string) (status.Saying, error)
	Unsay(ctx context.Context, by access.Actor, component string) error
	Sayings(ctx context.Context, by access.Actor) ([]status.Saying, error)
	Hold(ctx context.Context, by access.Actor, component string, lasts time.Duration, why string) (status.Hold, error)

	Silence(ctx context.Context, by access.Actor, s status.Silence) (status.Silence, error)
	Unsilence(ctx context.Context, by access.Actor, id string) error
	Silences(ctx context.Context, by access.Actor) ([]status.Silence, error)

	FalseAlarm(ctx context.Context, by access.Actor, component string, from, to time.Time, reason string) (status.Amendment, error)
	UndoFalseAlarm(ctx context.Context, by access.Actor, id, reason string) error
	Amendments(ctx context.Context, by access.Actor, component string) ([]status.Amendment, error)

	Documents(ctx context.Context, by access.Actor) ([]status.Document, error)
}

// Definitions is what is defined in the console beside the file: components
// and monitors, as text in the shape of the file. What the file defines is the
// file's alone.
type Definitions interface {
	// Place tells where the file defines a thing: a group, component, monitor or
	// window. ok is false for the rest.
	Place(kind, id string) (file string, line int, ok bool)
	// Check tells what Put would change, and everything that is wrong.
	Check(ctx context.Context, by access.Actor, doc status.Document) (status.Plan, error)
	// Try runs a monitor once as the document says, without keeping it.
	Try(ctx context.Context, by access.Actor, doc status.Document) (status.Result, error)
	// Put keeps a document and makes it true at once; Version 0 is a new one.
	Put(ctx context.Context, by access.Actor, doc status.Document) (status.Plan, error)
	// Drop takes a document away; the history of what it defined stays.
	Drop(ctx context.Context, by access.Actor, kind, id string, version int64) (status.Plan, error)
}

// People gives the name of who acted, by actor id; "" for somebody unknown.
type People func(ctx context.Context, actor string) string

// Planner is where people plan maintenance. *status.Desk is one.
type Planner interface {
	Maintenance(ctx context.Context, by access.Actor, from, to time.Time) ([]status.Occurrence, error)
	Occurrence(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)
	StartMaintenance(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)
	ExtendMaintenance(ctx context.Context, by access.Actor, id string, to time.Time) (status.Occurrence, error)
	CompleteMaintenance(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)
	CallOffMaintenance(ctx context.Context, by access.Actor, id string) (status.Occurrence, error)

	Windows(ctx context.Context, by access.Actor) ([]status.Window, error)
	Preview(ctx context.Context, by access.Actor, w status.Window) (status.Preview, error)
	PlanMaintenance(ctx context.Context, by access.Actor, w status.Window) (status.Window, error)
	ChangeMaintenance(ctx context.Context, by access.Actor, w status.Window) (status.Window, error)
	CancelMaintenance(ctx context.Context, by access.Actor, key string, version int64) error
}
