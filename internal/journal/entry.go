// Package journal is the ground on which the wings stand: the append-only
// record of every change of state, the unit of work that writes state and
// record together, the sealer that numbers and chains what was committed, and
// the followers that react to it. It knows no SQL and no wing.
package journal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// Ref names one thing of any wing without importing that wing.
type Ref struct {
	Kind string `json:"kind"` // component, monitor, incident, maintenance, …
	ID   string `json:"id"`
}

// String gives "kind/id".
func (r Ref) String() string { return r.Kind + "/" + r.ID }

// Audience says who may see an entry.
type Audience string

// The audiences.
const (
	AudiencePublic Audience = "public" // it changed something that visitors see
	AudienceStaff  Audience = "staff"
)

// Entry is one change of state. Payload holds ids, enums, numbers, revision
// ids and hashes only: no prose, name, address or secret, because an entry is
// for ever and what can be erased must live elsewhere. Append checks that.
type Entry struct {
	ID          string // UUIDv7, minted before the insert, so that a retry is the same entry
	Actor       access.Actor
	Verb        string // noun.verb, e.g. component.changed
	Subject     Ref
	RecordedAt  time.Time // when it was written
	EffectiveAt time.Time // when it became true; earlier for back-dated outages
	Audience    Audience
	Payload     map[string]string
}

// Sealed is an entry with its place in the chain.
type Sealed struct {
	Seq  int64
	Hash string // hex sha-256 over the hash before and the canonical entry
	Entry
}

// Genesis is the hash before the first entry.
const Genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// MaxPayloadValue bounds one payload value, in bytes: enough for ids, enums,
// numbers and hashes, too little for prose.
const MaxPayloadValue = 96

// MaxPayloadKeys bounds how many values one entry carries.
const MaxPayloadKeys = 32

var (
	verbShape  = regexp.MustCompile(`^[a-z][a-z_]*\.[a-z][a-z_]*$`)
	keyShape   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	valueShape = regexp.MustCompile(`^[A-Za-z0-9._:+/,=-]*$`)
)

// NewID mints a UUIDv7 for an entry or any other row: unique everywhere and,
// within one process, in order of time.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// NewHolder mints the name under which one process holds leases. It must not
// outlive the process: an epoch is only safe while its holder remembers it.
func NewHolder() string { return rand.Text() }

// Complete gives the entry as it is written at now by the actor: an id unless
// it has one, the actor, RecordedAt, and EffectiveAt unless it has one.
// Units of work call it from Append. Errors: Invalid, as Check.
func (e Entry) Complete(by access.Actor, now time.Time) (Entry, error) {
	if e.ID == "" {
		e.ID = NewID()
	}
	e.Actor = by
	e.RecordedAt = now
	if e.EffectiveAt.IsZero() {
		e.EffectiveAt = now
	}
	e.EffectiveAt = e.EffectiveAt.UTC().Truncate(time.Microsecond)
	return e, e.Check()
}

// Check refuses entries that the journal must not hold: malformed verbs, and
// subjects or payload values that could be prose, names, addresses or secrets.
// Errors: Invalid.
func (e Entry) Check() error {
	switch {
	case !plain(e.ID):
		return problem.Invalid("id", "an entry needs an id")
	case !plain(e.Actor.ID):
		return problem.Invalid("actor", "an entry needs the id of its actor")
	case !verbShape.MatchString(e.Verb):
		return problem.Invalid("verb", "%q is not noun.verb", e.Verb)
	case !plain(e.Subject.Kind) || !plain(e.Subject.ID):
		return problem.Invalid("subject", "an entry needs a subject: a kind and an id")
	case e.Audience != AudiencePublic && e.Audience != AudienceStaff:
		return problem.Invalid("audience", "%q is no audience", e.Audience)
	case len(e.Payload) > MaxPayloadKeys:
		return problem.Invalid("payload", "an entry carries at most %d values", MaxPayloadKeys)
	}
	for k, v := range e.Payload {
		if !keyShape.MatchString(k) || len(k) > MaxPayloadValue || len(v) > MaxPayloadValue || !valueShape.MatchString(v) {
			return problem.Invalid("payload."+k, "the journal holds ids, enums, numbers and hashes only")
		}
	}
	return nil
}

// plain reports whether s is the kind of id that may stay for ever.
func plain(s string) bool {
	return s != "" && len(s) <= MaxPayloadValue && valueShape.MatchString(s)
}

// Chain computes the hash of the entry that follows prev at seq. The canonical
// form is a JSON array with a fixed order; times are Unix microseconds; the
// payload is a JSON object with sorted keys.
func Chain(prev string, seq int64, e Entry) string {
	payload := e.Payload
	if payload == nil {
		payload = map[string]string{}
	}
	body, err := json.Marshal([]any{
		prev, strconv.FormatInt(seq, 10), e.ID, e.Actor.ID, string(e.Actor.Role), e.Verb, e.Subject.Kind, e.Subject.ID,
		strconv.FormatInt(e.RecordedAt.UnixMicro(), 10), strconv.FormatInt(e.EffectiveAt.UnixMicro(), 10),
		string(e.Audience), payload,
	})
	if err != nil { // strings and maps of strings always marshal
		panic(fmt.Sprintf("journal: canonical form: %v", err))
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Broken tells where a chain does not hold. It is what journal verify reports.
type Broken struct {
	Seq    int64
	Reason string
}

// Error says where and why.
func (b *Broken) Error() string { return fmt.Sprintf("journal broken at %d: %s", b.Seq, b.Reason) }
