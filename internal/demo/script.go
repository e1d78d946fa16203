// Package demo is the make-believe estate behind `evenkeel demo`: half a dozen
// real services on loopback that slow down, fail, flap and recover on a script
// that repeats, and a generated past. The hub that watches them is the
// production one; nothing in it knows of the demo but the page's own notice.
package demo

import "time"

// Cycle is the length of the script, after which it repeats.
const Cycle = 2 * time.Minute

// fault is what ails a service for a stretch of the cycle.
type fault struct {
	service  string
	from, to time.Duration // within the cycle
	kind     faultKind
}

type faultKind int

const (
	healthy  faultKind = iota
	slow               // answers, but late
	failing            // answers with an error
	refusing           // does not listen at all
	flapping           // every other answer is an error
	silent             // a job that no longer reports
)

// script is the whole play. Stretches are long enough for two or three checks
// to confirm them, and leave a quiet moment at the start of each cycle.
var script = []fault{
	{serviceShop, 15 * time.Second, 40 * time.Second, slow},
	{serviceSearch, 30 * time.Second, 55 * time.Second, failing},
	{serviceDatabase, 65 * time.Second, 85 * time.Second, refusing},
	{serviceDNS, 90 * time.Second, 104 * time.Second, failing},
	{serviceMail, 50 * time.Second, 100 * time.Second, flapping},
	{serviceExport, 75 * time.Second, 110 * time.Second, silent},
}

// The services on stage.
const (
	serviceShop     = "shop"
	serviceCheckout = "checkout"
	serviceSearch   = "search"
	serviceDatabase = "database"
	serviceDNS      = "dns"
	serviceMail     = "mail"
	serviceExport   = "export"
)

// state tells what ails a service at a moment after the start.
func state(service string, since time.Duration) faultKind {
	at := since % Cycle
	for _, f := range script {
		if f.service == service && at >= f.from && at < f.to {
			return f.kind
		}
	}
	return healthy
}
