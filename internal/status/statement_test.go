package status

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// say lets people say something of web, and nothing else, from now on.
func (r *rig) say(said ...Statement) {
	for i := range said {
		said[i].Component = "web"
	}
	r.e.hear(spoken{statements: said}, r.now)
}

func word(ref string, st Status, from int) Statement {
	return Statement{Status: st, Ref: "incident/" + ref, From: at(from)}
}

// TestPersonsWordRanksAboveChecks: what a person says stands on the page while
// it is said, whatever checks see; afterwards the page says what they see.
func TestPersonsWordRanksAboveChecks(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "ggg") // 0, 10, 20
	r.say(word("1", PartialOutage, 15))
	r.want(Published, "web", "ok@0 part@15") // dated back
	r.play("m", "fff")                       // 30, 40, 50
	r.want(Observed, "web", "ok@0 down@30")
	r.want(Published, "web", "ok@0 part@15")
	r.say()
	r.want(Published, "web", "ok@0 part@15 down@60")
	span := r.book[Published]["web"][1]
	if span.Origin != ByHuman || span.Ref != "incident/1" || span.Public == "" {
		t.Errorf("the person's span is %+v", span)
	}
	r.play("m", "fgg") // the recovery is dated back as ever
	r.want(Published, "web", "ok@0 part@15 down@60 ok@70")
}

// TestPersonMaySayThatAllIsWell: a false alarm that still runs is taken off the
// page, from its beginning, and checks go on seeing what they see.
func TestPersonMaySayThatAllIsWell(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "gff") // down from 10
	r.want(Published, "web", "ok@0 down@10")
	r.say(word("1", Operational, 5))
	r.want(Published, "web", "ok@0 ok@10") // never before the span that is open in SQL
	r.want(Observed, "web", "ok@0 down@10")
	if span := r.book[Published]["web"][1]; span.Origin != ByHuman || span.Public != "" {
		t.Errorf("the person's span is %+v", span)
	}
}

func TestWorstOfSeveralStatementsHolds(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "g")
	mild, bad := word("1", Degraded, 5), word("2", MajorOutage, 20)
	r.say(mild)
	r.pass(10 * time.Second)
	r.say(mild, bad)
	r.pass(10 * time.Second)
	r.say(mild) // it was there all along, and shows from now on
	r.want(Published, "web", "ok@0 slow@5 down@20 slow@30")
	r.pass(10 * time.Second)
	r.say(word("1", PartialOutage, 5)) // it says something else, and does not rewrite what it said
	r.want(Published, "web", "ok@0 slow@5 down@20 slow@30 part@40")
	r.say(word("1", PartialOutage, 5))
	r.pass(10 * time.Second)
	r.say(word("1", "nonsense", 5), Statement{Status: MajorOutage})
	r.want(Published, "web", "ok@0 slow@5 down@20 slow@30 part@40 ok@50")
}

func TestMaintenanceRanksAbovePeople(t *testing.T) {
	r := newRig(t, one(Rule{}))
	r.play("m", "g")
	web := r.e.ids["web"]
	r.e.maintain(web, "maintenance/w-1", at(10))
	r.pass(10 * time.Second)
	r.say(word("1", MajorOutage, 5)) // said in the middle of it, of a time before it
	r.want(Published, "web", "ok@0 work@10")
	r.pass(10 * time.Second)
	r.e.reopen(web, "maintenance/w-1", at(30))
	r.want(Published, "web", "ok@0 work@10 down@30")
	r.pass(10 * time.Second)
	r.e.maintain(web, "maintenance/w-2", at(40))
	r.say()
	r.pass(10 * time.Second)
	r.e.reopen(web, "maintenance/w-2", at(50))
	r.want(Published, "web", "ok@0 work@10 down@30 work@40 ok@50")
}

// TestPersonsWordConfirmsTrouble: with after_confirm, whoever says that something
// is wrong has confirmed it; once nobody says so any more a new outage waits again.
func TestPersonsWordConfirmsTrouble(t *testing.T) {
	cat := one(Rule{})
	cat.Components[0].Publish, cat.Components[0].PublishAfter = PublishAfterConfirm, time.Hour
	r := newRig(t, cat)
	r.play("m", "gff") // seen from 10, held
	r.want(Published, "web", "ok@0")
	r.say(word("1", Degraded, 25))
	r.want(Published, "web", "ok@0 slow@25")
	r.pass(5 * time.Second)
	r.say()
	r.want(Published, "web", "ok@0 slow@25 down@35")
	r.play("m", "fgg") // 35, 45, 55
	r.want(Published, "web", "ok@0 slow@25 down@35 ok@45")
	r.play("m", "fff")
	r.want(Observed, "web", "ok@0 down@10 ok@45 down@65")
	r.want(Published, "web", "ok@0 slow@25 down@35 ok@45") // a new outage waits for a person
	r.say(word("2", Degraded, 70))
	r.pass(5 * time.Second)
	r.say(word("2", Operational, 100)) // … who may say that it is none
	r.want(Published, "web", "ok@0 slow@25 down@35 ok@45 slow@70 ok@100")
}

// TestManualPageGoesOnAfterAStatement: with manual, an incident that is over
// leaves the page as it was, not stuck.
func TestManualPageGoesOnAfterAStatement(t *testing.T) {
	cat := one(Rule{})
	cat.Components[0].Publish = PublishManual
	r := newRig(t, cat)
	r.play("m", "gff")
	r.say(word("1", MajorOutage, 10))
	r.play("m", "gg")
	r.say()
	r.want(Published, "web", "ok@0 down@10 ok@50")
}

// TestStatementSurvivesARestart: what was recorded goes on without a cut, and what
// ended meanwhile ends when the hub is back.
func TestStatementSurvivesARestart(t *testing.T) {
	for _, c := range []struct {
		name string
		said []Statement
		want string
	}{
		{"still said", []Statement{{Component: "web", Status: PartialOutage, Ref: "incident/1", From: at(5)}}, "ok@0 part@5"},
		{"over", nil, "ok@0 part@5 ?@100"},
		{"another word", []Statement{{Component: "web", Status: Degraded, Ref: "incident/1", From: at(60)}}, "ok@0 part@5 slow@60"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, one(Rule{}))
			r.play("m", "g")
			r.say(word("1", PartialOutage, 5))
			r.line(Published, "web")
			s := saved{catalog: r.e.catalog, alive: at(20), people: spoken{statements: c.said}}
			for _, track := range []Track{Observed, Published} {
				list := r.book[track]["web"]
				last := list[len(list)-1]
				last.Version = 1
				s.open = append(s.open, last)
			}
			r.now = at(100)
			r.e = newEngine(s, r.now, r.id, func() {})
			r.want(Published, "web", c.want)
			r.want(Observed, "web", "ok@0 ?@20")
		})
	}
}

// TestWhoeverRanksHighestIsOnThePage is the rule of the published track as a
// property: after any sequence of results, maintenance and words of people the
// spans tile time, and the page says maintenance, else the worst word, else what
// checks say.
func TestWhoeverRanksHighestIsOnThePage(t *testing.T) {
	statuses := []Status{Operational, Degraded, PartialOutage, MajorOutage, UnderMaintenance}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		r := newRig(t, one(Rule{}))
		web := r.e.ids["web"]
		var said []Statement
		var works []string
		for step := range 60 {
			switch rng.IntN(8) {
			case 0, 1:
				r.play("m", string("gfs"[rng.IntN(3)])+string("gfs"[rng.IntN(3)]))
			case 2:
				said = append(slices.Clone(said), Statement{
					Component: "web", Status: statuses[rng.IntN(len(statuses))], Ref: fmt.Sprintf("incident/%d", step),
					From: r.now.Add(-time.Duration(rng.IntN(120)) * time.Second),
				})
				r.say(said...)
			case 3:
				if len(said) > 0 {
					i := rng.IntN(len(said))
					said = slices.Delete(slices.Clone(said), i, i+1)
					r.say(slices.Clone(said)...)
				}
			case 4:
				if len(said) > 0 {
					said = slices.Clone(said)
					s := &said[rng.IntN(len(said))]
					s.Status, s.From = statuses[rng.IntN(len(statuses))], r.now
					r.say(slices.Clone(said)...)
				}
			case 5:
				if len(works) < 2 {
					works = append(works, fmt.Sprintf("maintenance/%d", step))
					r.e.maintain(web, works[len(works)-1], r.now.Add(-time.Duration(rng.IntN(30))*time.Second))
				}
			case 6:
				if len(works) > 0 {
					r.e.reopen(web, works[0], r.now)
					works = works[1:]
				}
			case 7:
				r.pass(time.Duration(rng.IntN(40)) * time.Second)
			}
			if rng.IntN(3) == 0 {
				r.line(Published, "web") // written, and it tiles
			}
			open, want, origin := web.page.ledger.open(), web.page.says.Status, ByMachine
			switch {
			case len(works) > 0:
				want, origin = UnderMaintenance, ByMaintenance
			case len(said) > 0:
				want, origin = NotMeasured, ByHuman
				for _, s := range said {
					if s.Status.Worse(want) {
						want = s.Status
					}
				}
			case open.Origin == BySystem:
				origin = BySystem
			}
			if open.Status != want || open.Origin != origin {
				t.Fatalf("seed %d step %d: the page says %s by %s, want %s by %s; said %+v, works %v", seed, step, open.Status, open.Origin, want, origin, said, works)
			}
		}
		r.line(Published, "web")
		r.line(Observed, "web")
	}
}
