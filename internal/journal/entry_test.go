package journal_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

func entry() journal.Entry {
	return journal.Entry{
		ID: "0199-1", Actor: access.Hub, Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "web"},
		RecordedAt: time.UnixMicro(1_772_366_400_000_001).UTC(), EffectiveAt: time.UnixMicro(1_772_366_300_000_000).UTC(),
		Audience: journal.AudiencePublic, Payload: map[string]string{"track": "published", "to": "major_outage", "from": "operational"},
	}
}

// The canonical form is for ever: a change would break every chain there is.
func TestChainIsStable(t *testing.T) {
	const want = "49279b5c62d0797bedd2a0e9d33cd1c0e8e9b8c770e38753e362d7cae80a5d66"
	if got := journal.Chain(journal.Genesis, 1, entry()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChainCoversEveryField(t *testing.T) {
	base := journal.Chain(journal.Genesis, 1, entry())
	for name, change := range map[string]func(*journal.Entry){
		"id":        func(e *journal.Entry) { e.ID += "x" },
		"actor":     func(e *journal.Entry) { e.Actor.ID = "host" },
		"role":      func(e *journal.Entry) { e.Actor.Role = access.RoleHost },
		"verb":      func(e *journal.Entry) { e.Verb = "component.changed" },
		"kind":      func(e *journal.Entry) { e.Subject.Kind = "monitor" },
		"subject":   func(e *journal.Entry) { e.Subject.ID = "db" },
		"recorded":  func(e *journal.Entry) { e.RecordedAt = e.RecordedAt.Add(time.Microsecond) },
		"effective": func(e *journal.Entry) { e.EffectiveAt = e.EffectiveAt.Add(time.Microsecond) },
		"audience":  func(e *journal.Entry) { e.Audience = journal.AudienceStaff },
		"value":     func(e *journal.Entry) { e.Payload["to"] = "operational" },
		"key":       func(e *journal.Entry) { delete(e.Payload, "to") },
		"boundary":  func(e *journal.Entry) { e.Subject.Kind, e.Subject.ID = "componentw", "eb" },
	} {
		e := entry()
		e.Payload = maps.Clone(e.Payload)
		change(&e)
		if journal.Chain(journal.Genesis, 1, e) == base {
			t.Errorf("the hash does not cover the %s", name)
		}
	}
	if journal.Chain(journal.Genesis, 2, entry()) == base || journal.Chain(base, 1, entry()) == base {
		t.Error("the hash does not cover the place in the chain")
	}
	e := entry()
	e.Payload = nil
	f := e
	f.Payload = map[string]string{}
	if journal.Chain(base, 2, e) != journal.Chain(base, 2, f) {
		t.Error("no payload and an empty one have different hashes")
	}
}

func TestEntryHoldsNothingThatMustBeErasable(t *testing.T) {
	for name, change := range map[string]func(*journal.Entry){
		"prose":             func(e *journal.Entry) { e.Payload["text"] = "shop is down" },
		"mail address":      func(e *journal.Entry) { e.Payload["to"] = "ann@example.org" },
		"long value":        func(e *journal.Entry) { e.Payload["to"] = strings.Repeat("a", journal.MaxPayloadValue+1) },
		"letters of others": func(e *journal.Entry) { e.Payload["to"] = "größe" },
		"prose as key":      func(e *journal.Entry) { e.Payload["the shop"] = "1" },
		"name as subject":   func(e *journal.Entry) { e.Subject.ID = "Ann Example" },
		"mail as actor":     func(e *journal.Entry) { e.Actor.ID = "ann@example.org" },
		"no actor":          func(e *journal.Entry) { e.Actor.ID = "" },
		"no id":             func(e *journal.Entry) { e.ID = "" },
		"no subject":        func(e *journal.Entry) { e.Subject = journal.Ref{} },
		"no verb":           func(e *journal.Entry) { e.Verb = "moved" },
		"no audience":       func(e *journal.Entry) { e.Audience = "" },
		"too much": func(e *journal.Entry) {
			for n := range journal.MaxPayloadKeys {
				e.Payload["k"+strings.Repeat("x", n)] = ""
			}
		},
	} {
		e := entry()
		e.Payload = maps.Clone(e.Payload)
		change(&e)
		if err := e.Check(); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	if err := entry().Check(); err != nil {
		t.Errorf("a plain entry: %v", err)
	}
}

func TestCompleteFillsInWhatIsMissing(t *testing.T) {
	now := time.UnixMicro(1_772_366_400_000_001).UTC()
	e := entry()
	e.ID, e.EffectiveAt = "", time.Time{}
	got, err := e.Complete(access.Host, now)
	if err != nil || got.ID == "" || got.Actor != access.Host || !got.RecordedAt.Equal(now) || !got.EffectiveAt.Equal(now) {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = entry().Complete(access.Host, now)
	if err != nil || got.ID != entry().ID || !got.EffectiveAt.Equal(entry().EffectiveAt) {
		t.Errorf("got %+v, %v: what is there must stay", got, err)
	}
}
