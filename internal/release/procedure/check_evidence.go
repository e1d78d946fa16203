package procedure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Reported wants a report of a suite about these very bits, which passed (S0-09, S2-04, S2-23, S3-08).
type Reported struct {
	Suite  string
	Env    string        // where it must have run; "" = anywhere
	MaxAge time.Duration // 0 = as old as it may be
	Each   bool          // one for each module; else one for the whole release will do
	// AtMost and AtLeast bound its figures: p95_ms, error_rate, critical, coverage (S2-26).
	AtMost  map[string]float64
	AtLeast map[string]float64
	// Ratchet names a figure that must not fall below that of the bits blessed
	// last, less Slack (S3-05).
	Ratchet string
	Slack   float64
}

// Kind is evidence.
func (Reported) Kind() string { return "evidence" }

func (k Reported) judge(c *course) Verdict {
	if !k.Each {
		e, stale := c.report(k.Suite, k.Env, "")
		return k.read(c, e, stale, "")
	}
	var worst Verdict
	var unmet []string
	for i, module := range slices.Sorted(maps.Keys(c.f.Candidate.Bits)) {
		e, stale := c.report(k.Suite, k.Env, module)
		v := k.read(c, e, stale, module+": ")
		if !v.State.Open() {
			unmet = append(unmet, module+": "+v.Why)
		}
		if i == 0 || worse(v.State, worst.State) {
			worst = v
		}
	}
	if len(c.f.Candidate.Bits) == 0 {
		return waiting("The candidate holds nothing yet.")
	}
	worst.Unmet = append(unmet, worst.Unmet...)
	return worst
}

// severity orders states: the worst of several decides.
var severity = map[State]int{Passed: 0, Waived: 0, Triaged: 0, Running: 1, Waiting: 2, Stale: 3, Failed: 4}

func worse(a, b State) bool { return severity[a] > severity[b] }

// read judges one report.
func (k Reported) read(c *course, e *Evidence, stale bool, of string) Verdict {
	switch {
	case e == nil && stale:
		return Verdict{State: Stale, Why: of + "The newest report of " + k.Suite + " is about other bits."}
	case e == nil:
		return waiting(of + "No report of " + k.Suite + where(k.Env) + " yet.")
	case e.Running:
		return Verdict{State: Running, Why: of + k.Suite + " is running.", From: e.ID}
	case !e.Passed:
		return failed(e.ID, of+k.Suite+" failed.")
	case k.MaxAge > 0 && c.now.Sub(e.At) >= k.MaxAge:
		return Verdict{State: Stale, Why: fmt.Sprintf("%sThe report of %s is older than %s.", of, k.Suite, k.MaxAge), From: e.ID}
	}
	if unmet := k.bounds(c, e); len(unmet) > 0 {
		v := failed(e.ID, of+strings.Join(unmet, ", ")+".")
		v.Unmet = unmet
		return v
	}
	v := passed(e.ID, of+k.Suite+" passed.")
	if k.MaxAge > 0 {
		v.Until = e.At.Add(k.MaxAge)
	}
	return v
}

// bounds gives the figures that are not as they must be.
func (k Reported) bounds(c *course, e *Evidence) (unmet []string) {
	for _, name := range slices.Sorted(maps.Keys(k.AtMost)) {
		switch got, ok := e.Figures[name]; {
		case !ok:
			unmet = append(unmet, "the report does not say "+name)
		case got > k.AtMost[name]:
			unmet = append(unmet, fmt.Sprintf("%s is %s, at most %s", name, number(got), number(k.AtMost[name])))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(k.AtLeast)) {
		switch got, ok := e.Figures[name]; {
		case !ok:
			unmet = append(unmet, "the report does not say "+name)
		case got < k.AtLeast[name]:
			unmet = append(unmet, fmt.Sprintf("%s is %s, at least %s", name, number(got), number(k.AtLeast[name])))
		}
	}
	if k.Ratchet == "" || c.f.Before == nil {
		return unmet
	}
	was, had := c.f.Before.Figures[figure(e.Module, k.Ratchet)]
	got, has := e.Figures[k.Ratchet]
	switch {
	case !had:
	case !has:
		unmet = append(unmet, "the report does not say "+k.Ratchet)
	case got < was-k.Slack:
		unmet = append(unmet, fmt.Sprintf("%s fell from %s to %s", k.Ratchet, number(was), number(got)))
	}
	return unmet
}

// figure names a figure of a module among those of a candidate.
func figure(module, name string) string {
	if module == "" {
		return name
	}
	return module + "." + name
}

func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), ".")
}

func where(env string) string {
	if env == "" {
		return ""
	}
	return " in " + env
}

// report gives the newest report of a suite about the candidate's bits; stale
// tells that there is one about others.
func (c *course) report(suite, env, module string) (newest *Evidence, stale bool) {
	for i := range c.f.Evidence {
		e := &c.f.Evidence[i]
		if e.Suite != suite || env != "" && e.Env != env || module != "" && e.Module != module {
			continue
		}
		if !c.about(e) {
			stale = true
			continue
		}
		if newest == nil || cmp.Compare(e.At.UnixMicro(), newest.At.UnixMicro()) >= 0 {
			newest = e
		}
	}
	return newest, stale
}

// about reports whether evidence speaks of the candidate's bits.
func (c *course) about(e *Evidence) bool {
	if e.About == "" {
		return false
	}
	if e.About == c.f.Candidate.ID {
		return true
	}
	bits, ok := c.f.Candidate.Bits[e.Module]
	if !ok {
		return false
	}
	if e.About == bits {
		return true
	}
	return c.def.CarryRebuild && e.Commit != "" && e.Commit == c.f.Candidate.Commits[e.Module]
}

// BackedUp wants a backup when data changes (S1-19).
type BackedUp struct {
	Suite  string // of the evidence: backup
	MaxAge time.Duration
}

// Kind is backup.
func (BackedUp) Kind() string { return "backup" }

func (k BackedUp) judge(c *course) Verdict {
	switch c.f.Release.Data {
	case DataNone:
		return passed("", "No data changes.")
	case DataUnknown:
		return waiting("Nobody has said yet whether data changes.")
	}
	return Reported{Suite: cmp.Or(k.Suite, "backup"), MaxAge: k.MaxAge}.judge(c)
}

// Migrated wants the data transition to have run after the backup (S1-18).
type Migrated struct{ Suite, Backup string }

// Kind is data_step.
func (Migrated) Kind() string { return "data_step" }

func (k Migrated) judge(c *course) Verdict {
	if c.f.Release.Data == DataNone {
		return passed("", "No data changes.")
	}
	v := Reported{Suite: cmp.Or(k.Suite, "data")}.judge(c)
	if v.State != Passed {
		return v
	}
	step, _ := c.report(cmp.Or(k.Suite, "data"), "", "")
	backup, _ := c.report(cmp.Or(k.Backup, "backup"), "", "")
	if backup == nil || !backup.Passed || backup.At.After(step.At) {
		return failed(step.ID, "The data were changed before there was a backup.")
	}
	return v
}

// Rehearsed wants the same revision of a run-book to have passed elsewhere (S1-17).
type Rehearsed struct {
	Runbook string
	In      string // environment
}

// Kind is rehearsed.
func (Rehearsed) Kind() string { return "rehearsed" }

func (k Rehearsed) judge(c *course) Verdict {
	var here, there Run
	for _, r := range c.f.Runs {
		if r.Runbook != k.Runbook {
			continue
		}
		if r.Env == k.In && r.Done && !r.Failed && r.At.After(there.At) {
			there = r
		}
		if r.At.After(here.At) {
			here = r
		}
	}
	switch {
	case there.ID == "":
		return waiting("The run-book " + k.Runbook + " has not been played in " + k.In + ".")
	case here.Revision != there.Revision:
		return Verdict{State: Stale, Why: "The run-book " + k.Runbook + " changed since it was played in " + k.In + ".", From: there.ID}
	}
	return passed(there.ID, "This revision was played in "+k.In+".")
}

func (k Rehearsed) needs(d *Definition) []Fault {
	if _, ok := d.Environment(k.In); !ok {
		return []Fault{{"in", fmt.Sprintf("there is no environment %q", k.In)}}
	}
	return nil
}

// RunbookDone wants a run-book to be worked through for this candidate (S2-18).
type RunbookDone struct {
	Runbook string
	Env     string
}

// Kind is runbook.
func (RunbookDone) Kind() string { return "runbook" }

func (k RunbookDone) judge(c *course) Verdict {
	r := c.run(func(r Run) bool { return r.Runbook == k.Runbook && (k.Env == "" || r.Env == k.Env) })
	switch {
	case r.ID == "":
		return waiting("The run-book " + k.Runbook + " has not been begun" + where(k.Env) + ".")
	case r.Failed:
		return failed(r.ID, "The run-book "+k.Runbook+" failed"+where(k.Env)+".")
	case !r.Done:
		return Verdict{State: Running, Why: fmt.Sprintf("%d of %d items of the run-book %s are open.", r.Open, r.Items, k.Runbook), From: r.ID}
	}
	return passed(r.ID, "The run-book "+k.Runbook+" is done"+where(k.Env)+".")
}
