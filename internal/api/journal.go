package api

import "time"

// Entry is one change of state. It holds ids, enums, numbers and hashes alone.
type Entry struct {
	Seq         int64             `json:"seq"`
	Hash        string            `json:"hash" doc:"SHA-256 over the hash before and the entry"`
	ID          string            `json:"id"`
	Actor       string            `json:"actor"`
	Role        string            `json:"role"`
	Verb        string            `json:"verb" example:"incident.published"`
	Subject     string            `json:"subject" doc:"kind/id"`
	RecordedAt  time.Time         `json:"recorded_at" doc:"When it was written"`
	EffectiveAt time.Time         `json:"effective_at" doc:"When it became true; earlier for back-dated outages"`
	Audience    string            `json:"audience" enum:"public,staff"`
	Payload     map[string]string `json:"payload"`
}

// Entries is a part of the journal.
type Entries struct {
	Entries []Entry `json:"entries"`
	Head    int64   `json:"head" doc:"Sequence number of the newest entry there is"`
}
