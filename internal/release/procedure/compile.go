package procedure

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/config"
)

// Compile makes a definition of a procedure file, with everything that is wrong
// with it. The revision is the hash of the file's content.
func Compile(p config.Procedure, revision string) (*Definition, []Fault) {
	c := compiler{d: &Definition{ID: p.Procedure, Title: cmp.Or(p.Title, p.Procedure), Revision: revision, OneRoleEach: p.OneRoleEach, Branches: p.Branches, Propagate: p.Propagate, Bless: p.Bless}}
	c.d.Identity = Identity(c.oneOf("identity", cmp.Or(p.Identity, string(ByDigest)), string(ByDigest), string(ByCommit), string(ByChecksum)))
	c.d.CarryRebuild = c.oneOf("rebuild", cmp.Or(p.Rebuild, "void"), "void", "carry") == "carry"
	for i, e := range p.Environments {
		c.environment(fmt.Sprintf("environments[%d]", i), i, e)
	}
	c.train(p.Train)
	for i, g := range p.Gates {
		c.gate(fmt.Sprintf("gates[%d]", i), g)
	}
	for i, s := range p.Stages {
		c.stage(fmt.Sprintf("stages[%d]", i), s)
	}
	for i, m := range p.Maturity {
		c.oneOf(fmt.Sprintf("maturity[%d].is", i), m.Is, "alpha", "beta", "stable")
		c.d.Maturity = append(c.d.Maturity, Threshold{Maturity: m.Is, AtLeast: m.AtLeast, AtMost: m.AtMost})
	}
	if s := p.Stability; s != nil {
		c.d.Stability = &Stability{For: s.For.D(), Event: s.Event, Count: s.Count, Impact: c.oneOf("stability.impact", cmp.Or(s.Impact, "major"), "minor", "major", "critical")}
	}
	if b := p.Backports; b != nil {
		c.d.Backports = &Window{For: b.For.D(), Allow: b.Allow, Always: b.Always, Never: b.Never}
	}
	for i, f := range p.Freezes {
		at := fmt.Sprintf("freezes[%d]", i)
		c.d.FreezeAfter = append(c.d.FreezeAfter, AutoFreeze{
			After: Bump(c.oneOf(at+".after", f.After, string(Major), string(Minor), string(Patch))), For: f.For.D(), Env: f.In, Allow: f.Allow, Why: f.Why,
		})
		if f.For <= 0 {
			c.fault(at+".for", "how long does it last?")
		}
	}
	for i, r := range p.Vocabulary {
		c.role(fmt.Sprintf("roles[%d].role", i), r.Role)
	}
	for i, t := range p.Templates {
		at := fmt.Sprintf("templates[%d]", i)
		c.role(at+".owner", t.Owner)
		c.faults = append(c.faults, checkTasks(at+".tasks", c.tasks(at+".tasks", t.Tasks))...)
	}
	return c.d, append(c.faults, c.d.Check()...)
}

// compiler reads a file and notes what is wrong with it.
type compiler struct {
	d      *Definition
	faults []Fault
}

func (c *compiler) fault(path, format string, args ...any) {
	c.faults = append(c.faults, Fault{path, fmt.Sprintf(format, args...)})
}

// oneOf wants a word of a list.
func (c *compiler) oneOf(path, word string, words ...string) string {
	if !slices.Contains(words, word) {
		c.fault(path, "%q is not known here: %s", word, strings.Join(words, ", "))
	}
	return word
}

// role wants a role that people can have.
func (c *compiler) role(path, role string) string {
	if role != "" && !slices.Contains(access.People(), access.Role(role)) {
		c.fault(path, "there is no role %q", role)
	}
	return role
}

func (c *compiler) environment(at string, order int, e config.ReleaseEnv) {
	if e.ID == "" {
		c.fault(at+".id", "an environment needs an id")
	}
	data := c.oneOf(at+".data", cmp.Or(e.Data, "tracked"), "ephemeral", "tracked", "regulated")
	c.d.Environments = append(c.d.Environments, Environment{
		ID: e.ID, Title: cmp.Or(e.Title, e.ID), Order: order + 1, Branch: e.Branch, Namespace: e.Namespace, Blessed: e.Blessed, Training: e.Training,
		Audience: c.oneOf(at+".audience", cmp.Or(e.Audience, "everybody"), "everybody", "ops"), Data: data, Ephemeral: data == "ephemeral",
	})
}

// weekdays are the days as files write them.
var weekdays = map[string]time.Weekday{
	"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday, "sun": time.Sunday,
}

func (c *compiler) train(t *config.ReleaseTrain) {
	if t == nil {
		return
	}
	out := &Train{Vote: t.VoteOpens.D(), Close: t.VoteCloses.D(), Window: cmp.Or(t.Window.D(), time.Hour), Holidays: t.Holidays}
	for i, day := range t.Days {
		d, ok := weekdays[day]
		if !ok {
			c.fault(fmt.Sprintf("train.days[%d]", i), "%q is no day: mon, tue, wed, thu, fri, sat, sun", day)
		}
		out.Days = append(out.Days, d)
	}
	if len(out.Days) == 0 {
		c.fault("train.days", "on which days does it leave?")
	}
	at, err := time.Parse("15:04:05", t.At)
	if err != nil {
		at, err = time.Parse("15:04", t.At)
	}
	if err != nil {
		c.fault("train.at", "%q is no time of day: write 17:00", t.At)
	}
	out.Departs = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second
	if out.Zone, err = time.LoadLocation(t.Zone); err != nil || t.Zone == "" {
		c.fault("train.zone", "%q is no zone: write Asia/Kolkata", t.Zone)
		out.Zone = time.UTC
	}
	if out.Close >= out.Vote && out.Vote > 0 {
		c.fault("train.vote_closes", "the vote closes before it opens")
	}
	for i, h := range t.Holidays {
		if _, err := time.Parse(time.DateOnly, h); err != nil {
			c.fault(fmt.Sprintf("train.holidays[%d]", i), "%q is no date: write 2026-12-25", h)
		}
	}
	c.d.Train = out
}

func (c *compiler) stage(at string, s config.Stage) {
	c.d.Stages = append(c.d.Stages, Stage{
		ID: s.ID, Title: cmp.Or(s.Title, s.ID), Owner: c.role(at+".owner", s.Owner), To: s.To, Gates: s.Gates, Kinds: c.kinds(at+".kinds", s.Kinds),
		Tasks: c.tasks(at+".tasks", s.Tasks), OnFail: onFail[c.oneOf(at+".on_fail", cmp.Or(s.OnFail, "wait"), "wait", "return", "previous_good")],
	})
}

var onFail = map[string]OnFail{"wait": OnFailWait, "return": OnFailReturn, "previous_good": OnFailPrevious}

func (c *compiler) kinds(at string, words []string) (out []Kind) {
	for i, w := range words {
		out = append(out, Kind(c.oneOf(fmt.Sprintf("%s[%d]", at, i), w, string(Regular), string(Hotfix), string(Backport))))
	}
	return out
}

func (c *compiler) tasks(at string, tasks []config.Task) (out []Task) {
	for i, t := range tasks {
		here := fmt.Sprintf("%s[%d]", at, i)
		if t.ID == "" {
			c.fault(here+".id", "a task needs an id")
		}
		kind := c.oneOf(here+".kind", cmp.Or(t.Kind, string(TaskManual)), string(TaskManual), string(TaskProbe), string(TaskHTTP), string(TaskExec), string(TaskQuery),
			string(TaskAnnounce), string(TaskTimer), string(TaskApproval))
		switch TaskKind(kind) {
		case TaskProbe, TaskHTTP, TaskExec, TaskQuery, TaskAnnounce:
			if t.Do == "" {
				c.fault(here+".do", "what is to be done?")
			}
		}
		out = append(out, Task{
			ID: t.ID, Title: cmp.Or(t.Title, t.ID), Owner: c.role(here+".owner", t.Owner), Kind: TaskKind(kind), After: t.After, Wait: t.Wait.D(), Within: t.Within.D(),
			Evidence: t.Evidence, Toil: t.Toil, Body: t.Body, Do: t.Do,
		})
	}
	return out
}

func (c *compiler) gate(at string, g config.Gate) {
	out := Gate{ID: g.ID, Title: cmp.Or(g.Title, g.ID), Manager: c.role(at+".manager", g.Manager), Waive: g.Waive, Kinds: c.kinds(at+".kinds", g.Kinds), Guide: g.Guide}
	for i, r := range g.Waive {
		c.role(fmt.Sprintf("%s.waive[%d]", at, i), r)
	}
	for _, r := range slices.Sorted(maps.Keys(g.Roles)) {
		c.role(at+".roles."+r, r)
		if g.Roles[r] < 1 {
			c.fault(at+".roles."+r, "how many of them?")
		}
	}
	c.keys(at, g)
	out.Check = c.check(at, g)
	c.d.Gates = append(c.d.Gates, out)
}

// keys refuses what a kind of gate does not take.
func (c *compiler) keys(at string, g config.Gate) {
	takes, known := config.GateKeys(g.Kind)
	if !known {
		return // said by check
	}
	all := []string{"id", "title", "kind", "manager", "waive", "kinds", "guide"}
	v := reflect.ValueOf(g)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if !v.Field(i).IsZero() && !slices.Contains(all, key) && !slices.Contains(takes, key) {
			c.fault(at+"."+key, "a gate of kind %s does not take it", g.Kind)
		}
	}
}

// need refuses a gate that lacks what its kind cannot do without.
func (c *compiler) need(at, key string, there bool) {
	if !there {
		c.fault(at, "a gate of this kind needs %s", key)
	}
}

func (c *compiler) check(at string, g config.Gate) Check {
	switch g.Kind {
	case "evidence":
		c.need(at, "suite", g.Suite != "")
		return Reported{Suite: g.Suite, Env: g.In, MaxAge: g.MaxAge.D(), Each: g.Each, AtMost: g.AtMost, AtLeast: g.AtLeast, Ratchet: g.Ratchet, Slack: g.Slack}
	case "backup":
		return BackedUp{Suite: g.Suite, MaxAge: g.MaxAge.D()}
	case "data_step":
		return Migrated{Suite: g.Suite}
	case "runbook":
		c.need(at, "runbook", g.Runbook != "")
		return RunbookDone{Runbook: g.Runbook, Env: g.In}
	case "rehearsed":
		c.need(at, "runbook", g.Runbook != "")
		return Rehearsed{Runbook: g.Runbook, In: g.In}
	case "signoff":
		c.need(at, "roles", len(g.Roles) > 0)
		return Signed{Roles: g.Roles}
	case "external":
		return Outside{}
	case "vote":
		c.need(at, "roles", len(g.Roles) > 0)
		for i, r := range g.Vetoes {
			c.role(fmt.Sprintf("%s.vetoes[%d]", at, i), r)
		}
		return Voted{Roles: g.Roles, Vetoes: g.Vetoes}
	case "reviewed":
		return Reviewed{Least: g.Least}
	case "lint":
		c.need(at, "issue or listed", g.Issue || g.Listed)
		return Linted{Issue: g.Issue, Approved: g.Listed}
	case "training":
		c.need(at, "topic", g.Topic != "")
		return Trained{Topic: g.Topic}
	case "window":
		return Windowed{}
	case "freeze":
		return Unfrozen{Env: g.In}
	case "fields":
		c.need(at, "fields", len(g.Fields) > 0)
		return Filled{Fields: g.Fields}
	case "branch":
		return Targeted{}
	case "tag":
		return Tagged{Form: forms[c.oneOf(at+".form", cmp.Or(g.Form, "any"), "any", "semver", "module")], Annotated: g.Signed}
	case "live":
		return Runs{Env: g.In}
	case "base":
		return Based{Env: g.In}
	case "stage":
		return Opened{Stage: g.Stage}
	case "expr":
		e, err := CompileExpression(g.When)
		if err != nil {
			c.fault(at+".when", "%s", err)
			return Expression{Text: g.When}
		}
		return e
	}
	c.fault(at+".kind", "%q is no kind of gate", g.Kind)
	return Expression{Text: g.Kind}
}

// forms are the names that tags can be asked to have.
var forms = map[string]func(module, name string) error{
	"semver": func(_, name string) error {
		_, err := ParseVersion(name)
		return err
	},
	"module": func(module, name string) error {
		v, err := ParseVersion(name)
		if err == nil && v.Module != module {
			err = fmt.Errorf("the tag %s is not of the form %s-1-4-2-commit", name, module)
		}
		return err
	},
}
