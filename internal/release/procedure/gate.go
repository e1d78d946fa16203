package procedure

import (
	"slices"
	"time"
)

// State is where a gate stands.
type State string

// The states of a gate. Only passed, waived and triaged as a test's issue let
// anything through: what is not known is not passed.
const (
	Waiting State = "waiting"
	Running State = "running"
	Passed  State = "passed"
	Failed  State = "failed"
	Stale   State = "stale"   // what is known speaks of other bits, or is too old
	Triaged State = "triaged" // failed, and QA says that the test is to blame
	Waived  State = "waived"  // by somebody who may, with a reason, in the open
)

// Open reports whether a gate in this state lets through.
func (s State) Open() bool { return s == Passed || s == Waived || s == Triaged }

// Gate is one condition on the way, with somebody who answers for it (S2-03).
type Gate struct {
	ID      string
	Title   string
	Manager string   // role
	Waive   []string // roles that may waive it; none = nobody
	Kinds   []Kind   // of releases that it is for; none = all
	Guide   string   // link to what to do when it fails (S0-11, S0-15)
	Check   Check
}

// Check is the predicate of a gate. It is pure.
type Check interface {
	// Kind is its name in procedure files.
	Kind() string
	judge(c *course) Verdict
}

// Verdict is what a gate says of a candidate now.
type Verdict struct {
	State State
	Why   string    // one line for people
	Unmet []string  // what is missing, one line each
	Turn  string    // role whose turn it is; "" = nobody's
	Until time.Time // when time alone changes it; zero = it does not
	From  string    // the evidence, ballot, run or waiver that decided
}

// GateNow is a gate with its verdict.
type GateNow struct {
	Gate *Gate
	Verdict
}

// course is one evaluation.
type course struct {
	def  *Definition
	f    *Facts
	now  time.Time
	gate *Gate
	done map[string]Verdict // gates judged so far, by id
}

// Board is what all gates say of a candidate at one moment.
type Board struct {
	At     time.Time
	Stages []StageNow
}

// StageNow is a stage with its gates.
type StageNow struct {
	Stage *Stage
	Gates []GateNow
	Open  bool // all of its gates let through, and its tasks are done
	Tasks Run  // the newest run of its tasks for this candidate; zero = not begun
}

// Evaluate judges every gate of the stages that concern the release. The same
// facts at the same moment give the same board.
func Evaluate(def *Definition, f *Facts, now time.Time) Board {
	c := &course{def: def, f: f, now: now, done: map[string]Verdict{}}
	b := Board{At: now}
	for i := range def.Stages {
		s := &def.Stages[i]
		if !concerns(s.Kinds, f.Release.Kind) {
			continue
		}
		b.Stages = append(b.Stages, c.stage(s))
	}
	return b
}

// concerns reports whether a stage or gate is for a kind of release.
func concerns(kinds []Kind, k Kind) bool { return len(kinds) == 0 || slices.Contains(kinds, k) }

func (c *course) stage(s *Stage) StageNow {
	out := StageNow{Stage: s, Open: true}
	for _, id := range s.Gates {
		g := c.def.gate(id)
		if g == nil || !concerns(g.Kinds, c.f.Release.Kind) {
			continue
		}
		v := c.verdict(g)
		out.Gates = append(out.Gates, GateNow{Gate: g, Verdict: v})
		out.Open = out.Open && v.State.Open()
	}
	if len(s.Tasks) > 0 {
		out.Tasks = c.run(func(r Run) bool { return r.Stage == s.ID })
		out.Open = out.Open && out.Tasks.Done
	}
	return out
}

// verdict judges one gate, once.
func (c *course) verdict(g *Gate) Verdict {
	if v, ok := c.done[g.ID]; ok {
		return v
	}
	c.done[g.ID] = Verdict{State: Waiting, Why: "It waits for itself.", Turn: g.Manager} // a circle never passes
	was := c.gate
	c.gate = g
	v := g.Check.judge(c)
	c.gate = was
	if v.Turn == "" && !v.State.Open() && v.State != Running {
		v.Turn = g.Manager
	}
	if v.State.Open() {
		v.Turn = ""
	} else {
		v = c.pardon(g, v)
	}
	c.done[g.ID] = v
	return v
}

// pardon lets a gate through that somebody waived, or whose failure QA laid on the test.
func (c *course) pardon(g *Gate, v Verdict) Verdict {
	for _, w := range slices.Backward(c.f.Waivers) {
		if w.Gate != g.ID || w.About != c.f.Candidate.ID || !w.Until.IsZero() && !c.now.Before(w.Until) {
			continue
		}
		if !slices.Contains(g.Waive, w.Role) {
			continue
		}
		return Verdict{State: Waived, Why: "Waived: " + w.Why, Unmet: v.Unmet, Until: w.Until, From: w.By}
	}
	if v.State != Failed || v.From == "" {
		return v
	}
	for _, t := range slices.Backward(c.f.Triages) {
		if t.Gate != g.ID || t.Evidence != v.From {
			continue
		}
		if t.Genuine {
			v.Why = "Genuine, says QA: " + t.Why
			return v
		}
		return Verdict{State: Triaged, Why: "An issue of the test, says QA: " + t.Why, Unmet: v.Unmet, From: v.From}
	}
	return v
}

// run gives the newest run about this candidate that fits.
func (c *course) run(fits func(Run) bool) (newest Run) {
	for _, r := range c.f.Runs {
		if r.About == c.f.Candidate.ID && fits(r) && !r.At.Before(newest.At) {
			newest = r
		}
	}
	return newest
}

// waiting, failed and passed write the usual verdicts.
func waiting(why string) Verdict { return Verdict{State: Waiting, Why: why} }

func failed(from, why string) Verdict { return Verdict{State: Failed, Why: why, From: from} }

func passed(from, why string) Verdict { return Verdict{State: Passed, Why: why, From: from} }

// Gate gives a gate of the board; ok is false when the release has no such gate.
func (b Board) Gate(id string) (g GateNow, ok bool) {
	for _, s := range b.Stages {
		for _, g := range s.Gates {
			if g.Gate.ID == id {
				return g, true
			}
		}
	}
	return g, false
}

// Into gives the stages that must be open before a candidate may enter an
// environment: those up to and including the one that leads there. ok is false
// when no stage leads there.
func (b Board) Into(env string) (stages []StageNow, ok bool) {
	for i, s := range b.Stages {
		if s.Stage.To == env {
			return b.Stages[:i+1], true
		}
	}
	return nil, false
}

// Blessable tells whether the bits may be blessed: every gate that blessing asks
// for is open by itself, not waived; and else what is missing (S2-30).
func (b Board) Blessable(def *Definition) (bool, []Reason) {
	var out []Reason
	for _, id := range def.Bless {
		g, ok := b.Gate(id)
		switch {
		case !ok:
			out = append(out, Reason{Gate: id, State: Waiting, Why: "This release has no gate " + id + "."})
		case g.State != Passed && g.State != Triaged:
			out = append(out, Reason{Gate: id, State: g.State, Owner: g.Turn, Until: g.Until, Why: g.Why})
		}
	}
	if len(def.Bless) == 0 {
		out = append(out, Reason{Gate: "procedure", State: Failed, Why: "The procedure does not say what blessing asks for."})
	}
	return len(out) == 0, out
}

// Reason is one thing that keeps a candidate out.
type Reason struct {
	Gate  string    `json:"gate"`
	State State     `json:"state"`
	Owner string    `json:"owner"` // role whose turn it is
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why"`
}

// May tells whether the candidate may enter an environment now, and else every
// reason why not.
func (b Board) May(env string) (bool, []Reason) {
	stages, ok := b.Into(env)
	if !ok {
		return false, []Reason{{Gate: "procedure", State: Failed, Why: "No stage of the procedure leads to " + env + "."}}
	}
	var out []Reason
	for i, s := range stages {
		for _, g := range s.Gates {
			if !g.State.Open() {
				out = append(out, Reason{Gate: g.Gate.ID, State: g.State, Owner: g.Turn, Until: g.Until, Why: g.Why})
			}
		}
		// The tasks of the stage that leads there are done there, and after it.
		if i < len(stages)-1 && len(s.Stage.Tasks) > 0 && !s.Tasks.Done {
			out = append(out, Reason{Gate: s.Stage.ID, State: Waiting, Owner: s.Stage.Owner, Why: s.Stage.Title + " has things to do."})
		}
	}
	return len(out) == 0, out
}
