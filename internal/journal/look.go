package journal

import (
	"context"
	"time"
)

// Look picks entries of the sealed journal. Zero fields do not narrow.
type Look struct {
	Subject  Ref    // without ID, everything of the kind
	Verb     string // a whole verb, or a noun and a dot for all of its verbs: "incident."
	Actor    string
	From, To time.Time // RecordedAt in [From, To)
	After    int64     // Seq beyond it
	Before   int64     // Seq below it; 0 = no bound
	Oldest   bool      // oldest first; otherwise newest first
	Limit    int       // required
}

// Browser reads parts of the sealed journal. Errors: Invalid, Unavailable.
type Browser interface {
	Look(ctx context.Context, l Look) ([]Sealed, error)
}
