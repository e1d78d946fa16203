package config

import (
	"fmt"
	"regexp"
	"slices"
)

// Procedure is how a team releases, in a file of its own that a release manager
// can read and change.
type Procedure struct {
	Procedure    string        `yaml:"procedure"`     // id: what releases name
	Title        string        `yaml:"title"`         // for people
	Description  string        `yaml:"description"`   // what it is for, Markdown
	Document     WrittenForm   `yaml:"document"`      // of the written procedure that this file plays
	Identity     string        `yaml:"identity"`      // what makes bits the same: digest (default), commit, checksum
	Rebuild      string        `yaml:"rebuild"`       // the same commit built again: void (default) what was said, or carry it over
	OneRoleEach  bool          `yaml:"one_role_each"` // nobody speaks in two roles about one candidate
	Branches     []string      `yaml:"branches"`      // usual target branches
	Propagate    []string      `yaml:"propagate"`     // branches that hotfixes and backports must reach
	Environments []ReleaseEnv  `yaml:"environments"`  // in the order in which bits travel
	Train        *ReleaseTrain `yaml:"train"`         // when releases leave
	Stages       []Stage       `yaml:"stages"`        // in order
	Gates        []Gate        `yaml:"gates"`         // what must be so, and who answers for it
	Bless        []string      `yaml:"bless"`         // gates that must all be open for bits to be blessed
	Maturity     []Maturity    `yaml:"maturity"`      // from least to most
	Stability    *Stability    `yaml:"stability"`     // when a release counts as stable
	Freezes      []AutoFreeze  `yaml:"freezes"`       // that begin by themselves
	Backports    *Backports    `yaml:"backports"`     // what may still go into a release that is out
	Tell         []Tell        `yaml:"tell"`          // announcements
	Templates    []TaskList    `yaml:"templates"`     // operational tasks, instances, chores: checklists that people start
	Deletion     *Deletion     `yaml:"deletion"`      // requests to delete data
	Vocabulary   []Role        `yaml:"roles"`         // who is meant by the roles
}

// WrittenForm is the head of the written procedure.
type WrittenForm struct {
	ID       string `yaml:"id"`       // SOP-0013
	Revision string `yaml:"revision"` // 05
	URL      string `yaml:"url"`      // where it is kept
}

// Role says who is meant by a role.
type Role struct {
	Role string `yaml:"role"` // of the console: module_lead, sre, qa, …
	Is   string `yaml:"is"`   // in the words of the team
}

// ReleaseEnv is one place in the chain.
type ReleaseEnv struct {
	ID        string `yaml:"id"`
	Title     string `yaml:"title"`     // default the id
	Branch    string `yaml:"branch"`    // whose head belongs there
	Namespace string `yaml:"namespace"` // cluster or namespace
	Audience  string `yaml:"audience"`  // everybody (default), ops
	Data      string `yaml:"data"`      // tracked (default), ephemeral, regulated
	Blessed   bool   `yaml:"blessed"`   // takes blessed bits only
	Training  string `yaml:"training"`  // topic that people who act there are trained in
}

// ReleaseTrain is a timetable.
type ReleaseTrain struct {
	Days       []string `yaml:"days"`        // mon, tue, wed, thu, fri, sat, sun
	At         string   `yaml:"at"`          // local time of departure: 17:00
	Zone       string   `yaml:"zone"`        // IANA zone
	VoteOpens  Duration `yaml:"vote_opens"`  // so long before
	VoteCloses Duration `yaml:"vote_closes"` // so long before; default at the departure
	Window     Duration `yaml:"window"`      // how long after it a deployment may begin; default 1h
	Holidays   []string `yaml:"holidays"`    // 2026-12-25
}

// Stage is one step.
type Stage struct {
	ID     string   `yaml:"id"`
	Title  string   `yaml:"title"`
	Owner  string   `yaml:"owner"`   // role
	To     string   `yaml:"to"`      // environment that it leads into
	Gates  []string `yaml:"gates"`   // ids
	Tasks  []Task   `yaml:"tasks"`   // what people and the hub do
	OnFail string   `yaml:"on_fail"` // wait (default), return (to the developer), previous_good (the environment goes back)
	Kinds  []string `yaml:"kinds"`   // regular, hotfix, backport; all by default
}

// Task is one item of a checklist.
type Task struct {
	ID       string   `yaml:"id"`
	Title    string   `yaml:"title"`
	Owner    string   `yaml:"owner"`    // role; default the stage's
	Kind     string   `yaml:"kind"`     // manual (default), probe, http, exec, query, announcement, timer, approval
	After    []string `yaml:"after"`    // ids of tasks that come before
	Wait     Duration `yaml:"wait"`     // timer: how long, and nobody can cut it short
	Within   Duration `yaml:"within"`   // due so long after it could begin
	Evidence bool     `yaml:"evidence"` // done only with a link or a file
	Toil     bool     `yaml:"toil"`     // manual work that should not be
	Do       string   `yaml:"do"`       // probe: monitor; http: URL; exec: name of an allowed command; query: a query; announcement: id
	Body     string   `yaml:"body"`     // what to do, Markdown
}

// Gate is one condition. Which keys apply depends on the kind.
type Gate struct {
	ID      string   `yaml:"id"`
	Title   string   `yaml:"title"`
	Kind    string   `yaml:"kind"`    // evidence, backup, data_step, runbook, rehearsed, signoff, external, vote, reviewed, lint, training, window, freeze, fields, branch, tag, live, base, stage, expr
	Manager string   `yaml:"manager"` // role that answers for it: a gate without one is refused
	Waive   []string `yaml:"waive"`   // roles that may waive it, with a reason, in the open; default nobody
	Kinds   []string `yaml:"kinds"`   // of releases that it is for; all by default
	Guide   string   `yaml:"guide"`   // what to do when it fails: a link

	Suite   string             `yaml:"suite"`    // evidence, backup, data_step: of the reports
	In      string             `yaml:"in"`       // evidence, runbook, rehearsed, freeze, live, base: environment
	MaxAge  Duration           `yaml:"max_age"`  // evidence, backup
	Each    bool               `yaml:"each"`     // evidence: one for each module
	AtMost  map[string]float64 `yaml:"at_most"`  // evidence: bounds of figures
	AtLeast map[string]float64 `yaml:"at_least"` // evidence: bounds of figures
	Ratchet string             `yaml:"ratchet"`  // evidence: a figure that must not fall below that of the bits blessed last
	Slack   float64            `yaml:"slack"`    // evidence: by more than this
	Roles   map[string]int     `yaml:"roles"`    // signoff, vote: how many of each
	Vetoes  []string           `yaml:"vetoes"`   // vote: roles whose veto stands
	Least   int                `yaml:"least"`    // reviewed: approvals by others; default 1
	Issue   bool               `yaml:"issue"`    // lint: every change names an issue
	Listed  bool               `yaml:"listed"`   // lint: every change is in the approved set
	Fields  []string           `yaml:"fields"`   // fields: what people must have said
	Runbook string             `yaml:"runbook"`  // runbook, rehearsed: its name
	Topic   string             `yaml:"topic"`    // training
	Form    string             `yaml:"form"`     // tag: any (default), semver, module (module-1-4-2-commit)
	Signed  bool               `yaml:"signed"`   // tag: annotated
	Stage   string             `yaml:"stage"`    // stage: that must be through
	When    string             `yaml:"when"`     // expr: the condition
}

// Maturity is a threshold.
type Maturity struct {
	Is      string             `yaml:"is"`       // alpha, beta, stable
	AtLeast map[string]float64 `yaml:"at_least"` // figures of the reports
	AtMost  map[string]float64 `yaml:"at_most"`  // figures of the reports
}

// Stability is when a release counts as stable.
type Stability struct {
	For    Duration `yaml:"for"`
	Event  string   `yaml:"event"`  // business event that must have been seen
	Count  int      `yaml:"count"`  // so often
	Impact string   `yaml:"impact"` // and no incident of this impact or worse is linked; default major
}

// AutoFreeze begins by itself after a release.
type AutoFreeze struct {
	After string   `yaml:"after"` // major, minor, patch: a release of that size or larger
	For   Duration `yaml:"for"`
	In    []string `yaml:"in"`    // environments; default all
	Allow []string `yaml:"allow"` // kinds of change, and fast_track
	Why   string   `yaml:"why"`
}

// Backports is what may still go into a release that is out.
type Backports struct {
	For    Duration `yaml:"for"`
	Allow  []string `yaml:"allow"`  // kinds of change within it
	Always []string `yaml:"always"` // kinds of change at any time: security
	Never  []string `yaml:"never"`  // kinds of change at no time: feature
}

// Tell is an announcement.
type Tell struct {
	ID      string `yaml:"id"`
	When    string `yaml:"when"`    // before, started, done, rolled_back, frozen, failed
	Channel string `yaml:"channel"` // id of a channel
	Mention bool   `yaml:"mention"` // calls everybody in it
	Text    string `yaml:"text"`    // template
}

// TaskList is a checklist that people start.
type TaskList struct {
	ID     string   `yaml:"id"`
	Title  string   `yaml:"title"`
	Kind   string   `yaml:"kind"`   // task (default), instance, chore
	Owner  string   `yaml:"owner"`  // role
	Fields []string `yaml:"fields"` // what must be said to start it
	Tasks  []Task   `yaml:"tasks"`  // in order
}

// Deletion is how data are deleted on request.
type Deletion struct {
	Reasons     []string           `yaml:"reasons"`     // that can be given
	Cooling     Duration           `yaml:"cooling"`     // base
	Sensitivity map[string]float64 `yaml:"sensitivity"` // word → factor
	Complexity  map[string]float64 `yaml:"complexity"`  // word → factor
	Executors   int                `yaml:"executors"`   // people who must act together; default 2
	Tell        []string           `yaml:"tell"`        // roles that are told and may object
}

// IsProcedure reports whether a file is a procedure rather than a configuration.
func IsProcedure(path string) bool {
	src, err := readLimited(path)
	return err == nil && procedureKey.Match(src)
}

// procedureKey is what a procedure has at its top, and a configuration has not.
var procedureKey = regexp.MustCompile(`(?m)^procedure[ \t]*:`)

// LoadProcedure is ReadProcedure for the file at path. Errors: Problems; a wrapped
// *fs.PathError when it cannot be read.
func LoadProcedure(path string, check func(p Procedure, src []byte) []Problem) (Procedure, error) {
	src, err := readLimited(path)
	if err != nil {
		return Procedure{}, fmt.Errorf("read the procedure: %w", err)
	}
	return ReadProcedure(path, src, func(p Procedure) []Problem { return check(p, src) })
}

// ReadProcedure reads a procedure; name is how problems call the file. check
// finds what only the engine knows, with the path of each problem. Errors:
// Problems.
func ReadProcedure(name string, src []byte, check func(Procedure) []Problem) (Procedure, error) {
	doc, problems := open(name, src)
	if problems != nil {
		return Procedure{}, problems.err()
	}
	var p Procedure
	problems = decode(doc, &p)
	add := func(path, hint, format string, args ...any) {
		file, where := doc.find(path)
		problems = append(problems, Problem{File: file, Line: where.line, Column: where.column, Path: path, Reason: fmt.Sprintf(format, args...), Hint: hint})
	}
	if p.Procedure == "" {
		add("procedure", "procedure: daily", "a procedure needs an id")
	}
	if len(p.Environments) == 0 {
		add("environments", "environments: [{id: staging}, {id: production, blessed: true}]", "a procedure needs environments")
	}
	if len(p.Stages) == 0 {
		add("stages", "", "a procedure needs stages")
	}
	if len(problems) == 0 && check != nil {
		for _, found := range check(p) {
			add(found.Path, found.Hint, "%s", found.Reason)
		}
	}
	if err := problems.err(); err != nil {
		return Procedure{}, err
	}
	return p, nil
}

// GateKeys gives the keys that a kind of gate takes beside those that all take.
func GateKeys(kind string) (keys []string, known bool) {
	keys, known = gateKeys[kind]
	return slices.Clone(keys), known
}

var gateKeys = map[string][]string{
	"evidence":  {"suite", "in", "max_age", "each", "at_most", "at_least", "ratchet", "slack"},
	"backup":    {"suite", "max_age"},
	"data_step": {"suite"},
	"runbook":   {"runbook", "in"},
	"rehearsed": {"runbook", "in"},
	"signoff":   {"roles"},
	"external":  {},
	"vote":      {"roles", "vetoes"},
	"reviewed":  {"least"},
	"lint":      {"issue", "listed"},
	"training":  {"topic"},
	"window":    {},
	"freeze":    {"in"},
	"fields":    {"fields"},
	"branch":    {},
	"tag":       {"form", "signed"},
	"live":      {"in"},
	"base":      {"in"},
	"stage":     {"stage"},
	"expr":      {"when"},
}
