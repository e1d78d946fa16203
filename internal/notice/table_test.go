package notice

import (
	"testing"
	"time"

	"evenkeel/internal/problem"
)

// TestAlertTableEveryCell walks every state with everything that can happen to
// it (design section 5: one table, tested for every pair).
func TestAlertTableEveryCell(t *testing.T) {
	want := map[AlertState]map[alertInput]AlertState{
		unborn:       {inFire: Firing, inWorse: Firing, inSmother: Smothered, inClear: "", inAcknowledge: "", inSilence: "", inWake: "", inClose: ""},
		Firing:       {inFire: Firing, inWorse: Firing, inSmother: Firing, inClear: Over, inAcknowledge: Acknowledged, inSilence: Silenced, inWake: "", inClose: Over},
		Acknowledged: {inFire: Acknowledged, inWorse: Firing, inSmother: Acknowledged, inClear: Over, inAcknowledge: Acknowledged, inSilence: Silenced, inWake: "", inClose: Over},
		Silenced:     {inFire: Silenced, inWorse: Silenced, inSmother: Silenced, inClear: Over, inAcknowledge: Acknowledged, inSilence: Silenced, inWake: Firing, inClose: Over},
		Smothered:    {inFire: Firing, inWorse: Firing, inSmother: Smothered, inClear: Over, inAcknowledge: Acknowledged, inSilence: Silenced, inWake: Firing, inClose: Over},
		Over:         {inFire: "", inWorse: "", inSmother: "", inClear: "", inAcknowledge: "", inSilence: "", inWake: "", inClose: ""},
	}
	if len(want) != len(alertTable) {
		t.Fatalf("%d states in the table, %d here", len(alertTable), len(want))
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for from, inputs := range want {
		for in, to := range inputs {
			a := Alert{State: from, Step: 2, Reminders: 3, FiringAt: now.Add(-time.Hour), Until: now.Add(time.Hour), Reason: "why", AckedBy: "ada", AckedAt: now}
			if from == unborn {
				a = Alert{}
			}
			err := a.move(in, now)
			if to == "" {
				if problem.KindOf(err) != problem.KindConflict {
					t.Errorf("%s + %s: got %v, want a conflict", from, in, err)
				}
				continue
			}
			if err != nil || a.State != to {
				t.Errorf("%s + %s: got %s, %v, want %s", from, in, a.State, err, to)
			}
			begins := to == Firing && from != Firing
			if begins != (a.FiringAt.Equal(now) && a.Step == 0 && a.Reminders == 0 && a.AckedBy == "") {
				t.Errorf("%s + %s: counts from %v, step %d, %d reminders", from, in, a.FiringAt, a.Step, a.Reminders)
			}
			if (to == Over) != a.OverAt.Equal(now) || (to == Silenced) == a.Until.IsZero() {
				t.Errorf("%s + %s: got %+v", from, in, a)
			}
		}
	}
}

func TestBreakerNeedsManyFailuresOfItsOwn(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := newBreaker(ChannelState{Channel: "mail"})
	for range 50 {
		b.bad("person/ada", "no", now)
	}
	if b.Circuit != Closed || b.room(7, now) != 7 {
		t.Fatalf("one recipient opened it: %+v", b.ChannelState)
	}
	for _, who := range []string{"a", "b", "c", "d"} {
		b.bad(who, "no", now)
	}
	if b.Circuit != Opened || b.room(7, now) != 0 || !b.dirty {
		t.Fatalf("five recipients in a row did not: %+v", b.ChannelState)
	}
	later := b.RetryAt
	if n := b.room(7, later); n != 1 || b.Circuit != HalfOpen {
		t.Fatalf("room for %d, %s", n, b.Circuit)
	}
	b.trying()
	if n := b.room(7, later); n != 0 {
		t.Fatalf("room for %d more while one is tried", n)
	}
	b.bad("a", "still", later)
	if wait := b.RetryAt.Sub(later); b.Circuit != Opened || wait < breakFirst || wait > 2*breakFirst {
		t.Fatalf("%s, again in %v", b.Circuit, wait)
	}
	later = b.RetryAt
	b.room(1, later)
	b.trying()
	b.well(later, true)
	if b.Circuit != Closed || b.Failures != 0 || b.room(7, later) != 7 || b.opened != 0 {
		t.Fatalf("got %+v", b.ChannelState)
	}
	if again := newBreaker(ChannelState{Channel: "mail", Circuit: HalfOpen, RetryAt: later}); again.room(9, later) != 1 {
		t.Error("a breaker that was half open when the process died lets all through")
	}
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	for n := -1; n < 100; n++ {
		for range 20 {
			if d := backoff(n); d < retryFirst/2 || d > retryMost {
				t.Fatalf("after %d attempts: %v", n, d)
			}
		}
	}
}

func TestTokensAreForOnePurpose(t *testing.T) {
	d := &Desk{signer: signFunc(func(text string) []byte { return []byte(text + "                                ") })}
	mine := d.token(toManage, "s1", "person/ada")
	if id, who, ok := d.open(toManage, mine); !ok || id != "s1" || who != "person/ada" {
		t.Fatal(id, who, ok)
	}
	for _, token := range []string{"", ".", "..", "s1", "s1.", mine + "A", mine[:len(mine)-1], "." + mine, mine + ".x", string(make([]byte, 2000)), "s2" + mine[2:]} {
		if _, _, ok := d.open(toManage, token); ok {
			t.Errorf("%q was taken", token)
		}
	}
}

type signFunc func(string) []byte

func (f signFunc) Sign(text string) []byte { return f(text) }

// FuzzToken opens whatever comes: only what was made for the purpose is taken.
func FuzzToken(f *testing.F) {
	d := &Desk{signer: signFunc(func(text string) []byte {
		sum := lane(text)
		out := make([]byte, 32)
		for i := range out {
			out[i] = byte(sum >> (i % 8 * 8))
		}
		return out
	})}
	good := d.token(toConfirm, "s1", "")
	f.Add(good)
	f.Add(d.token(toAcknowledge, "a1", "route/ops"))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		id, who, ok := d.open(toConfirm, token)
		if ok && d.token(toConfirm, id, who) != token {
			t.Fatalf("%q names %q and %q, whose token is another", token, id, who)
		}
	})
}

func TestClipKeepsWordsOnOneLine(t *testing.T) {
	for in, want := range map[string]string{"a\r\nb\x00c\x7f": "a  b c ", "\xff": "?", "fine – \u201cyes\u201d": "fine – \u201cyes\u201d"} {
		if got := clip(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
	if got := clip(string(make([]byte, 5000))); len(got) > maxWords {
		t.Errorf("%d bytes", len(got))
	}
}
