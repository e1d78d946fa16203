package procedure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Windowed wants it to be the hour of the train (S2-07).
type Windowed struct{}

// Kind is window.
func (Windowed) Kind() string { return "window" }

func (Windowed) judge(c *course) Verdict {
	if c.def.Train == nil {
		return waiting("The procedure has no train.")
	}
	if c.f.Release.Kind == Hotfix {
		return passed("", "A hotfix waits for no train.")
	}
	at, open := c.def.Train.Departure(c.now)
	if !open {
		return Verdict{State: Waiting, Why: "The window opens with the next train.", Until: at}
	}
	v := passed("", "The window is open.")
	v.Until = at.Add(c.def.Train.Window)
	return v
}

func (Windowed) needs(d *Definition) []Fault {
	if d.Train == nil {
		return []Fault{{"kind", "a window needs a train"}}
	}
	return nil
}

// Departure gives the train whose window is open at a moment, or the next one. It
// is right across summer time: the time of day is local.
func (t *Train) Departure(now time.Time) (at time.Time, open bool) {
	local := now.In(t.Zone)
	for day := -1; day < 400; day++ {
		at := t.on(local.Year(), local.Month(), local.Day()+day)
		switch {
		case !t.runs(at):
		case now.Before(at):
			return at.UTC(), false
		case now.Before(at.Add(t.Window)):
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// on gives the departure of a day.
func (t *Train) on(year int, month time.Month, day int) time.Time {
	h, m := int(t.Departs/time.Hour), int(t.Departs%time.Hour/time.Minute)
	return time.Date(year, month, day, h, m, int(t.Departs%time.Minute/time.Second), 0, t.Zone)
}

// runs reports whether there is a train on the day of a departure.
func (t *Train) runs(at time.Time) bool {
	return slices.Contains(t.Days, at.Weekday()) && !slices.Contains(t.Holidays, at.Format(time.DateOnly))
}

// Ballot gives when the vote for a departure opens and closes.
func (t *Train) Ballot(at time.Time) (opens, closes time.Time) {
	return at.Add(-t.Vote).UTC(), at.Add(-t.Close).UTC()
}

// Unfrozen wants no freeze to forbid what goes out (S4-12…S4-15).
type Unfrozen struct{ Env string }

// Kind is freeze.
func (Unfrozen) Kind() string { return "freeze" }

func (k Unfrozen) judge(c *course) Verdict {
	for _, z := range c.f.Freezes {
		if why := c.frozen(z, k.Env); why != "" {
			return Verdict{State: Failed, Why: why, Until: z.To, From: z.ID}
		}
	}
	return passed("", "Nothing is frozen.")
}

func (k Unfrozen) needs(d *Definition) []Fault {
	if _, ok := d.Environment(k.Env); !ok && k.Env != "" {
		return []Fault{{"env", fmt.Sprintf("there is no environment %q", k.Env)}}
	}
	return nil
}

// frozen says why a freeze forbids the release; "" = it does not.
func (c *course) frozen(z Freeze, env string) string {
	switch _, has := c.f.Candidate.Bits[z.Module]; {
	case c.now.Before(z.From) || !z.To.IsZero() && !c.now.Before(z.To):
		return ""
	case z.Env != "" && env != "" && z.Env != env:
		return ""
	case z.Module != "" && !has:
		return ""
	case slices.Contains(z.Passed, c.f.Release.ID):
		return ""
	}
	var held []string
	for _, ch := range c.f.Changes {
		if !slices.Contains(z.Allow, ch.Kind) && (ch.FastTrack == "" || !slices.Contains(z.Allow, "fast_track")) {
			held = append(held, name(ch))
		}
	}
	if len(c.f.Changes) > 0 && len(held) == 0 {
		return ""
	}
	why := "Frozen: " + z.Why
	if len(held) > 0 {
		why += " (" + strings.Join(held, ", ") + ")"
	}
	return why
}

// Filled wants people to have said what only they can say (S0-12, S0-16, S2-15,
// S2-19…S2-21, S2-24). Preconditions of a stage are this check too: what is
// missing is listed and goes back with the work.
type Filled struct{ Fields []string }

// Kind is fields.
func (Filled) Kind() string { return "fields" }

// fields are what can be asked for, with the words for what is missing.
var fields = map[string]struct {
	missing string
	there   func(f *Facts) bool
}{
	"summary":      {"the work carried out is not described", func(f *Facts) bool { return f.Release.Summary != "" }},
	"tested":       {"nobody attests that they tested it", func(f *Facts) bool { return f.Release.Tested != "" }},
	"downtime":     {"nobody has said whether it needs downtime", func(f *Facts) bool { return f.Release.Downtime != "" }},
	"bump":         {"nobody has said whether it is major, minor or patch", func(f *Facts) bool { return f.Release.Bump != "" }},
	"data":         {"nobody has said whether data changes", func(f *Facts) bool { return f.Release.Data != DataUnknown }},
	"notes":        {"there are no release notes", func(f *Facts) bool { return f.Release.Notes != "" }},
	"provisions":   {"nobody has said whether the deployment needs special provisions", func(f *Facts) bool { return f.Release.Provisions != "" }},
	"recovery":     {"there is no disaster recovery plan", func(f *Facts) bool { return f.Release.Recovery != "" }},
	"oncall":       {"nobody is on call for it", func(f *Facts) bool { return f.OnCall > 0 }},
	"sanity_owner": {"nobody is named for the checks afterwards", func(f *Facts) bool { return f.Release.SanityOwner != "" }},
	"incident":     {"no incident is named", func(f *Facts) bool { return f.Release.Incident != "" }},
}

func (k Filled) judge(c *course) Verdict {
	var unmet []string
	for _, field := range k.Fields {
		if f, known := fields[field]; known && !f.there(c.f) {
			unmet = append(unmet, f.missing)
		}
	}
	if len(unmet) > 0 {
		return Verdict{State: Waiting, Why: upper(strings.Join(unmet, "; ")) + ".", Unmet: unmet}
	}
	return passed("", "Everything is said.")
}

func (k Filled) needs(*Definition) []Fault {
	var out []Fault
	for i, field := range k.Fields {
		if _, known := fields[field]; !known {
			out = append(out, Fault{fmt.Sprintf("fields[%d]", i), fmt.Sprintf("a release has no field %q", field)})
		}
	}
	return out
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Targeted wants the branch to be one of the usual, or a reason (S0-08).
type Targeted struct{}

// Kind is branch.
func (Targeted) Kind() string { return "branch" }

func (Targeted) judge(c *course) Verdict {
	r := c.f.Release
	switch {
	case slices.Contains(c.def.Branches, r.Branch):
		return passed("", "It goes to "+r.Branch+".")
	case r.Branch == "":
		return waiting("Nobody has said which branch it goes to.")
	case r.BranchWhy != "":
		return passed("", "It goes to "+r.Branch+": "+r.BranchWhy)
	}
	return Verdict{State: Failed, Why: fmt.Sprintf("It goes to %s, not to %s, and nobody says why.", r.Branch, strings.Join(c.def.Branches, " or "))}
}

// Tagged wants an annotated tag of the procedure's form at the very commit (S2-16, S3-06).
type Tagged struct {
	Form      func(module, name string) error // nil = any name
	Annotated bool
}

// Kind is tag.
func (Tagged) Kind() string { return "tag" }

func (k Tagged) judge(c *course) Verdict {
	var unmet []string
	for module, commit := range c.f.Candidate.Commits {
		why := "no tag at its commit"
		for _, t := range c.f.Tags {
			if t.Module != module || t.Commit != commit {
				continue
			}
			why = ""
			if k.Annotated && !t.Annotated {
				why = "the tag " + t.Name + " is not annotated"
			} else if k.Form != nil {
				if err := k.Form(module, t.Name); err != nil {
					why = err.Error()
				}
			}
			if why == "" {
				break
			}
		}
		if why != "" {
			unmet = append(unmet, module+": "+why)
		}
	}
	slices.Sort(unmet)
	switch {
	case len(c.f.Candidate.Commits) == 0:
		return waiting("The candidate holds nothing yet.")
	case len(unmet) > 0:
		return Verdict{State: Waiting, Why: upper(strings.Join(unmet, "; ")) + ".", Unmet: unmet}
	}
	return passed("", "Every module is tagged.")
}

// Runs wants the candidate to run in an environment, as it was seen there (S1-11, S3-03, S3-07).
type Runs struct{ Env string }

// Kind is live.
func (Runs) Kind() string { return "live" }

func (k Runs) judge(c *course) Verdict {
	var unmet []string
	for module, bits := range c.f.Candidate.Bits {
		if seen := c.f.Live[k.Env][module]; seen.Bits != bits {
			unmet = append(unmet, module)
		}
	}
	slices.Sort(unmet)
	switch {
	case len(c.f.Candidate.Bits) == 0:
		return waiting("The candidate holds nothing yet.")
	case len(unmet) > 0:
		return Verdict{State: Waiting, Why: "Not seen running in " + k.Env + ": " + strings.Join(unmet, ", ") + ".", Unmet: unmet}
	}
	return passed("", "It runs in "+k.Env+".")
}

func (k Runs) needs(d *Definition) []Fault {
	if _, ok := d.Environment(k.Env); !ok {
		return []Fault{{"env", fmt.Sprintf("there is no environment %q", k.Env)}}
	}
	return nil
}

// Based wants a hotfix to begin where that environment stands (S3-13).
type Based struct{ Env string }

// Kind is base.
func (Based) Kind() string { return "base" }

func (k Based) judge(c *course) Verdict {
	if c.f.Release.Base == "" {
		return waiting("Nobody has said which commit it was branched from.")
	}
	for module := range c.f.Candidate.Bits {
		if seen := c.f.Live[k.Env][module]; seen.Commit != c.f.Release.Base {
			return Verdict{State: Failed, Why: fmt.Sprintf("%s runs another commit of %s than the hotfix was branched from.", k.Env, module)}
		}
	}
	return passed("", "It was branched from what runs in "+k.Env+".")
}

func (k Based) needs(d *Definition) []Fault { return Runs(k).needs(d) }

// Opened wants another stage to be through.
type Opened struct{ Stage string }

// Kind is stage.
func (Opened) Kind() string { return "stage" }

func (k Opened) judge(c *course) Verdict {
	for i := range c.def.Stages {
		if s := &c.def.Stages[i]; s.ID == k.Stage {
			if c.stage(s).Open {
				return passed("", s.Title+" is through.")
			}
			return waiting(s.Title + " is not through.")
		}
	}
	return waiting("There is no stage " + k.Stage + ".")
}

func (k Opened) needs(d *Definition) []Fault {
	if !slices.ContainsFunc(d.Stages, func(s Stage) bool { return s.ID == k.Stage }) {
		return []Fault{{"stage", fmt.Sprintf("there is no stage %q", k.Stage)}}
	}
	return nil
}
