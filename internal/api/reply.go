package api

import "time"

// Reply is an answer that was given to a request under an Idempotency-Key.
type Reply struct {
	Code int
	Type string // of the body
	Body []byte
}

// How long keys live.
const (
	ReplyWithin = time.Minute    // a request that was not answered, because the hub stopped, holds its key so long
	KeepReplies = 24 * time.Hour // answers are remembered so long
)
