// Package app is the one package that knows all the others: it builds the hub
// from a configuration, starts it in order and stops it in the opposite one.
// It never touches signals, flags or os.Exit.
package app

import (
	"context"
	"log/slog"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/people"
	"evenkeel/internal/status"
)

// Options is what New needs beyond the configuration.
type Options struct {
	Config  config.File
	Path    string // the configuration file, watched for changes; "" = not watched
	Version string
	Log     *slog.Logger
	// Load reads the configuration again, for a reload. nil = reload is refused.
	Load func() (config.File, error)
	// Seed runs once between Apply and Load of the watch, when it is not nil.
	// The demo writes its generated past here.
	Seed func(ctx context.Context, s Seedbed) error
	// Tell runs once every wing is open and before anything follows the journal,
	// when it is not nil. The demo writes what people did in its past here.
	Tell func(ctx context.Context, s Stage) error
	// Simulated marks the page as the demo's: channels write into the outbox and
	// nothing leaves the house.
	Simulated bool
	// DemoMark is the file that must be there for people of the demo to be signed
	// in at a click, on this machine alone; "" = nobody is.
	DemoMark string
}

// StopWithin bounds the whole of Stop: what SIGTERM promises.
const StopWithin = 10 * time.Second

// Seedbed is what a seed may write to: the same stores the hub uses.
type Seedbed struct {
	Store   status.Store
	Work    journal.Work
	Latency status.Latency
	Catalog *status.Catalog
}

// Stage is what a story is told with: the stores and services that the hub uses.
type Stage struct {
	Work       journal.Work
	Incidents  incident.Store
	Components []incident.Component
	Accounts   *people.Accounts
	Notices    *notice.Desk
}
