// Package procedure is how a team releases, as data: stages, gates, votes, freezes
// and checklists of a written procedure, and the pure rules that read them. A gate
// is never stored: it is computed from facts about one candidate at one moment, so
// that new bits void what was said of old ones, and what nobody knows is closed.
// The package knows no store, no clock and no file.
package procedure

import (
	"fmt"
	"slices"
	"time"
)

// Definition is one procedure. A release runs under one revision of it, for good.
type Definition struct {
	ID       string
	Title    string
	Revision string // content hash
	Identity Identity
	// CarryRebuild keeps evidence and votes when the same commits are built again;
	// otherwise a rebuild is a new candidate like any other.
	CarryRebuild bool
	// OneRoleEach forbids one person to speak in two roles about one candidate (S2-12).
	OneRoleEach  bool
	Environments []Environment
	Stages       []Stage
	Gates        []Gate
	// Bless are the gates that must all be open for bits to be blessed (S2-30).
	Bless       []string
	Train       *Train
	Stability   *Stability
	Backports   *Window // how long after a release changes may be backported (S4-20)
	FreezeAfter []AutoFreeze
	Maturity    []Threshold
	Branches    []string // usual target branches (S0-08)
	Propagate   []string // branches that a hotfix or backport must reach (S4-22)
}

// Identity is what makes a candidate the same bits.
type Identity string

// The identities.
const (
	ByDigest   Identity = "digest"
	ByCommit   Identity = "commit"
	ByChecksum Identity = "checksum"
)

// Environment is one place in the chain.
type Environment struct {
	ID        string
	Title     string
	Order     int
	Branch    string
	Namespace string
	Audience  string // who may see it: ops, everybody (S1-15)
	Data      string // ephemeral, tracked, regulated (S4-01)
	Blessed   bool   // takes blessed bits only (S2-29)
	Ephemeral bool   // no uptime, no incidents (S4-23)
	Training  string // topic that people who act here are trained in (S4-29)
}

// Stage is one step of the procedure.
type Stage struct {
	ID     string
	Title  string
	Owner  string // role
	To     string // environment that it leads into; "" = none
	Gates  []string
	Tasks  []Task
	OnFail OnFail
	Kinds  []Kind
}

// OnFail is what happens when a gate of the stage fails.
type OnFail string

// The ways to go on after a failure.
const (
	OnFailWait     OnFail = ""              // it stays where it is
	OnFailReturn   OnFail = "return"        // straight back to the developer (S0-16)
	OnFailPrevious OnFail = "previous_good" // the environment goes back (S3-09)
)

// Task is one item of a checklist.
type Task struct {
	ID    string
	Title string
	Owner string // role; "" = the stage's
	Kind  TaskKind
	After []string // ids of tasks that come before
	// Wait is how long a timer task takes, which nobody can cut short (S4-32).
	Wait     time.Duration
	Within   time.Duration // due so long after it could begin; 0 = never due
	Evidence bool          // done only with a link or a file
	Toil     bool          // manual work that should not be (S2-28)
	Body     string        // what to do, Markdown
	Do       string        // of probe, http, exec and query: what; of announcement: which
}

// TaskKind is who does a task and how.
type TaskKind string

// The kinds of tasks.
const (
	TaskManual   TaskKind = "manual"
	TaskProbe    TaskKind = "probe"
	TaskHTTP     TaskKind = "http"
	TaskExec     TaskKind = "exec"
	TaskQuery    TaskKind = "query"
	TaskAnnounce TaskKind = "announcement"
	TaskTimer    TaskKind = "timer"
	TaskApproval TaskKind = "approval"
)

// Train is when releases leave (S2-07). Times of day are local to the zone.
type Train struct {
	Days     []time.Weekday
	Zone     *time.Location
	Departs  time.Duration // since local midnight
	Vote     time.Duration // the ballot opens so long before
	Close    time.Duration // and closes so long before
	Window   time.Duration // how long after its departure a deployment may begin
	Holidays []string      // 2026-12-25
}

// Stability is when a release counts as stable (S4-16).
type Stability struct {
	For    time.Duration
	Event  string // business event that must have been seen
	Count  int
	Impact string // no incident of this impact or worse is linked
}

// Window is a stretch after a release.
type Window struct {
	For    time.Duration
	Allow  []string // kinds of change within it
	Always []string // kinds of change at any time (S4-19)
	Never  []string // kinds of change at no time
}

// AutoFreeze begins a freeze when a release of that size is out (S4-12, S4-13).
type AutoFreeze struct {
	After Bump
	For   time.Duration
	Env   []string
	Allow []string
	Why   string
}

// Threshold is what a maturity asks for (S2-05).
type Threshold struct {
	Maturity string // alpha, beta, stable
	AtLeast  map[string]float64
	AtMost   map[string]float64
}

func (d *Definition) gate(id string) *Gate {
	i := slices.IndexFunc(d.Gates, func(g Gate) bool { return g.ID == id })
	if i < 0 {
		return nil
	}
	return &d.Gates[i]
}

// Environment gives an environment of the chain.
func (d *Definition) Environment(id string) (Environment, bool) {
	i := slices.IndexFunc(d.Environments, func(e Environment) bool { return e.ID == id })
	if i < 0 {
		return Environment{}, false
	}
	return d.Environments[i], true
}

// Fault is one thing that is wrong with a definition.
type Fault struct {
	Path string // stages[2].gates[0]
	Text string
}

// Check finds everything that is wrong with the definition: what nobody answers
// for, what is named and not there, what waits for itself (S2-03).
func (d *Definition) Check() []Fault {
	var out []Fault
	add := func(path, format string, args ...any) { out = append(out, Fault{path, fmt.Sprintf(format, args...)}) }
	envs := map[string]int{}
	for i, e := range d.Environments {
		if _, twice := envs[e.ID]; twice {
			add(fmt.Sprintf("environments[%d].id", i), "there are two environments %q", e.ID)
		}
		envs[e.ID] = e.Order
	}
	gates := map[string]bool{}
	for i, g := range d.Gates {
		at := fmt.Sprintf("gates[%d]", i)
		if gates[g.ID] {
			add(at+".id", "there are two gates %q", g.ID)
		}
		gates[g.ID] = true
		if g.Manager == "" {
			add(at+".manager", "nobody answers for this gate: name a role")
		}
		if g.Check == nil {
			add(at+".kind", "a gate needs a kind")
		}
	}
	used := map[string]bool{}
	stages := map[string]bool{}
	for i, s := range d.Stages {
		at := fmt.Sprintf("stages[%d]", i)
		if stages[s.ID] {
			add(at+".id", "there are two stages %q", s.ID)
		}
		stages[s.ID] = true
		if _, known := envs[s.To]; s.To != "" && !known {
			add(at+".to", "there is no environment %q", s.To)
		}
		if s.Owner == "" {
			add(at+".owner", "nobody answers for this stage: name a role")
		}
		for j, id := range s.Gates {
			if !gates[id] {
				add(fmt.Sprintf("%s.gates[%d]", at, j), "there is no gate %q", id)
			}
			used[id] = true
		}
		out = append(out, checkTasks(at+".tasks", s.Tasks)...)
	}
	for i, id := range d.Bless {
		if !gates[id] {
			add(fmt.Sprintf("bless[%d]", i), "there is no gate %q", id)
		}
	}
	for i, g := range d.Gates {
		if !used[g.ID] {
			add(fmt.Sprintf("gates[%d].id", i), "no stage has the gate %q", g.ID)
		}
		if n, ok := g.Check.(needy); ok {
			for _, f := range n.needs(d) {
				add(fmt.Sprintf("gates[%d].%s", i, f.Path), "%s", f.Text)
			}
		}
	}
	return out
}

// needy is a check that names other parts of the definition.
type needy interface{ needs(d *Definition) []Fault }

// checkTasks finds what is wrong with the order of a checklist.
func checkTasks(at string, tasks []Task) []Fault {
	var out []Fault
	known := map[string]bool{}
	for i, t := range tasks {
		if known[t.ID] {
			out = append(out, Fault{fmt.Sprintf("%s[%d].id", at, i), fmt.Sprintf("there are two tasks %q", t.ID)})
		}
		known[t.ID] = true
		if t.Kind == TaskTimer && t.Wait <= 0 {
			out = append(out, Fault{fmt.Sprintf("%s[%d].wait", at, i), "a timer needs a time to wait"})
		}
	}
	for i, t := range tasks {
		for _, before := range t.After {
			if !known[before] {
				out = append(out, Fault{fmt.Sprintf("%s[%d].after", at, i), fmt.Sprintf("there is no task %q", before)})
			}
		}
	}
	if circle := circleOf(tasks); circle != "" {
		out = append(out, Fault{at, fmt.Sprintf("the task %q waits for itself", circle)})
	}
	return out
}

// circleOf names a task that waits for itself, directly or not; "" = none does.
func circleOf(tasks []Task) string {
	after := map[string][]string{}
	for _, t := range tasks {
		after[t.ID] = t.After
	}
	const entered, left = 1, 2
	seen := map[string]int{}
	var walk func(id string) bool
	walk = func(id string) bool {
		switch seen[id] {
		case entered:
			return true
		case left:
			return false
		}
		seen[id] = entered
		if slices.ContainsFunc(after[id], walk) {
			return true
		}
		seen[id] = left
		return false
	}
	for _, t := range tasks {
		if walk(t.ID) {
			return t.ID
		}
	}
	return ""
}
