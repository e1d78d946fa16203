package notice

import (
	"maps"
	"os"
	"strings"
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

// TestDeliveryTableEveryCell walks every state with everything that can happen to
// it (design section 5).
func TestDeliveryTableEveryCell(t *testing.T) {
	inputs := []deliveryInput{doClaim, doTake, doPostpone, doFail, doDrop, doResend, doDismiss}
	want := map[State][]State{ // in the order of the inputs
		Queued:     {Sending, "", "", Failed, Suppressed, "", ""},
		Sending:    {Sending, Sent, Retrying, Failed, Suppressed, "", ""},
		Retrying:   {Sending, "", "", Failed, Suppressed, "", ""},
		Sent:       {"", "", "", "", "", "", ""},
		Failed:     {"", "", "", "", "", Queued, Suppressed},
		Suppressed: {"", "", "", "", "", Queued, ""},
	}
	if len(want) != len(deliveryTable) {
		t.Fatalf("%d states in the table, %d here", len(deliveryTable), len(want))
	}
	next := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for from, row := range want {
		for i, to := range row {
			d := Delivery{State: from}
			err := d.move(inputs[i], "why", next)
			switch {
			case to == "" && problem.KindOf(err) != problem.KindConflict:
				t.Errorf("%s + %s: got %v, want a conflict", from, inputs[i], err)
			case to != "" && (err != nil || d.State != to || d.Reason != "why" || d.NextAt.IsZero() != to.Final()):
				t.Errorf("%s + %s: got %+v, %v, want %s", from, inputs[i], d, err, to)
			}
		}
	}
}

// TestDesignDrawsTheTables: the tables of DESIGN.md are those of the code.
func TestDesignDrawsTheTables(t *testing.T) {
	text, err := os.ReadFile("DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]map[string]string{} // header → "state + input" → state
	var header []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") {
			header = nil
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case strings.HasPrefix(cells[0], "---"):
		case header == nil:
			header = cells
			drawn[header[1]] = map[string]string{}
		default:
			for i, to := range cells[1:] {
				drawn[header[1]][cells[0]+" + "+header[i+1]] = to
			}
		}
	}
	cell := func(s string) string {
		if s == "" {
			return "–"
		}
		return s
	}
	want := map[string]map[string]string{"claim": {}, "fire": {}}
	for from, row := range deliveryTable {
		for _, in := range []deliveryInput{doClaim, doTake, doPostpone, doFail, doDrop, doResend, doDismiss} {
			want["claim"][string(from)+" + "+string(in)] = cell(string(row[in]))
		}
	}
	for from, row := range alertTable {
		name := string(from)
		if from == unborn {
			name = "(none)"
		}
		for _, in := range []alertInput{inFire, inWorse, inSmother, inClear, inAcknowledge, inSilence, inWake, inClose} {
			want["fire"][name+" + "+string(in)] = cell(string(row[in]))
		}
	}
	for name, rows := range want {
		if !maps.Equal(rows, drawn[name]) {
			t.Errorf("the code has %v, DESIGN.md %v", rows, drawn[name])
		}
	}
}
