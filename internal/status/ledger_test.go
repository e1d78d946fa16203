package status

import (
	"testing"
	"time"
)

// FuzzEngineTimelines plays random results, silences, flushes that succeed, fail
// or succeed unheard, maintenance, sleeps of the machine and restarts, and
// checks after each that what SQL holds tiles time and that the ledgers go on
// from it.
func FuzzEngineTimelines(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"))
	f.Add([]byte("ggffffggssssggffgg\x28\x29\x2a\x2bffgg\x2c\x2d\x2e\x2fggff"))
	f.Add([]byte{2, 2, 8, 2, 9, 2, 2, 0, 0, 8, 10, 2, 2, 8, 11, 0, 0, 12, 2, 2, 13, 8, 8, 14, 0, 0, 8})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 400 {
			ops = ops[:400]
		}
		cat := Catalog{
			Components: []Component{{ID: "web", Public: true}, {ID: "shop", Public: true, Needs: []string{"web"}, Publish: PublishAfterConfirm, PublishAfter: 30 * time.Second}},
			Monitors: []Monitor{
				{ID: "a", Component: "web", Rule: Rule{FlapCount: 5, FlapWithin: 5 * time.Minute}},
				{ID: "b", Component: "web", Rule: Rule{Confirm: 4}},
				{ID: "c", Component: "shop", Rule: Rule{Confirm: 1, Recover: 1}},
			},
		}
		r := newRig(t, cat)
		monitors := []string{"a", "b", "c"}
		for _, op := range ops {
			mon := monitors[int(op>>4)%3]
			web := r.e.ids["web"]
			switch op % 16 {
			case 0, 1, 2, 3:
				r.see(mon, []rune("gsfi")[op%4])
			case 4, 5:
				r.see(mon, 'f')
			case 6, 7:
				r.pass(10 * time.Second)
			case 8:
				r.flush()
			case 9: // a flush that fails, with results meanwhile
				p := r.e.pack()
				r.see(mon, 'f')
				r.see(mon, 'g')
				r.e.unpack(p, false)
			case 10: // a flush that takes long, with results meanwhile
				p := r.e.pack()
				for _, l := range "ffgg" {
					r.see(mon, l)
					r.pass(3 * time.Second)
				}
				for _, m := range p.moves {
					r.write(m)
				}
				r.said = append(r.said, p.decisions...)
				r.e.unpack(p, true)
			case 11: // a flush that succeeds and nobody hears of it
				p := r.e.pack()
				r.see(mon, 'f')
				for _, m := range p.moves {
					r.write(m)
				}
				r.e.unpack(p, false)
				for track, byKey := range r.book {
					for key, spans := range byKey {
						open := spans[len(spans)-1]
						open.Version = 1
						r.e.components[key].track(track).adopt(open)
					}
				}
			case 12:
				r.e.maintain(web, "maintenance/x", r.now.Add(-5*time.Second))
			case 13:
				r.e.reopen(web, "maintenance/x", r.now.Add(-2*time.Second))
			case 14:
				r.now = r.now.Add(2 * time.Hour) // asleep
				r.pass(time.Second)
			case 15:
				r.e.confirm(r.e.ids["shop"])
			}
			for _, c := range r.e.components {
				for _, track := range []Track{Observed, Published} {
					l := c.track(track)
					if len(l.tail) > 0 {
						from := l.tail[0].From
						if from.Before(l.base().From) {
							t.Fatalf("the tail of %s begins before what SQL has", c.def.ID)
						}
						tiles(t, l.tail, from)
					}
				}
			}
		}
		for _, id := range []string{"web", "shop"} {
			observed, published := r.line(Observed, id), r.line(Published, id)
			c := r.e.ids[id]
			status, _ := c.at(r.now)
			if c.observed.status() != status {
				t.Fatalf("%s is %s, its record says %s: %s", id, status, c.observed.status(), observed)
			}
			if page := c.page.ledger.status(); id == "web" && len(c.page.works) == 0 && page != status {
				t.Fatalf("%s is %s, its page says %s: %s", id, status, page, published)
			}
		}
	})
}

func TestLedgerIsBoundedWhileSQLIsAway(t *testing.T) {
	l := &ledger{stored: Span{ID: "s", From: at(0), Status: Operational, Version: 1}}
	statuses := []Status{MajorOutage, Operational, Degraded, Operational, PartialOutage, Operational}
	for i := range 10_000 {
		l.splice(Span{ID: "t", From: at(10 * (i + 1)), Status: statuses[i%len(statuses)], Origin: ByMachine})
		if len(l.tail) > MaxTail {
			t.Fatalf("tail of %d spans", len(l.tail))
		}
	}
	tiles(t, l.tail, at(10))
	if got, want := l.status(), statuses[9999%len(statuses)]; got != want {
		t.Errorf("the present is %s, want %s", got, want)
	}
}

func TestLedgerBackDating(t *testing.T) {
	next := func(s int, status Status) Span {
		return Span{ID: "n" + at(s).String(), From: at(s), Status: status, Origin: ByMachine}
	}
	for name, c := range map[string]struct {
		moves []Span
		drop  bool
		want  []Span
	}{
		"into the open span":       {[]Span{next(10, MajorOutage)}, false, []Span{next(10, MajorOutage)}},
		"to its very beginning":    {[]Span{next(0, MajorOutage)}, true, []Span{next(0, MajorOutage)}},
		"before its beginning":     {[]Span{next(-60, MajorOutage)}, true, []Span{next(0, MajorOutage)}},
		"over one not yet written": {[]Span{next(20, Degraded), next(10, MajorOutage)}, false, []Span{next(10, MajorOutage)}},
		"back to what it was":      {[]Span{next(20, Degraded), next(20, Operational)}, false, nil},
		"of two into the first":    {[]Span{next(10, Degraded), next(30, PartialOutage), next(20, MajorOutage)}, false, []Span{next(10, Degraded), next(20, MajorOutage)}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &ledger{stored: Span{ID: "s", From: at(0), Status: Operational, Origin: ByMachine, Version: 1}}
			for _, m := range c.moves {
				l.splice(m)
			}
			if len(l.tail) != len(c.want) {
				t.Fatalf("tail %+v, want %+v", l.tail, c.want)
			}
			for i, s := range l.tail {
				if !s.From.Equal(c.want[i].From) || s.Status != c.want[i].Status {
					t.Errorf("span %d: %s from %s, want %s from %s", i, s.Status, s.From, c.want[i].Status, c.want[i].From)
				}
			}
			if len(c.want) > 0 {
				if h := l.hand(); h.end.IsZero() != c.drop {
					t.Errorf("drop %t, want %t", h.end.IsZero(), c.drop)
				}
			}
		})
	}
}
