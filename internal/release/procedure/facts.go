package procedure

import "time"

// Facts is all that is known of one candidate at one moment. Every row was put
// there by somebody or something, and says by whom and when; nothing in here was
// decided. Gates read it and nothing else.
type Facts struct {
	Release   Release
	Candidate Candidate
	// Before is the candidate that was blessed last: what ratchets compare with; nil = none was.
	Before    *Candidate
	Evidence  []Evidence
	Signoffs  []Signoff
	Ballots   []Ballot
	Runs      []Run
	Freezes   []Freeze
	Changes   []Change
	Waivers   []Waiver
	Triages   []Triage
	Trainings []Training
	Tags      []Tag
	// Live is what runs where, as it was observed last: environment, then module.
	Live map[string]map[string]Sighting
	// OnCall is how many people are on call for the release's group while it goes out.
	OnCall int
}

// Kind is what a release is.
type Kind string

// The kinds of releases.
const (
	Regular  Kind = "regular"
	Hotfix   Kind = "hotfix"
	Backport Kind = "backport"
)

// Bump is how much a version grows.
type Bump string

// The bumps.
const (
	Major Bump = "major"
	Minor Bump = "minor"
	Patch Bump = "patch"
)

// DataChange says what a release does to data that others wrote (S1-18).
type DataChange string

// The classes of data changes. Unknown counts as destructive.
const (
	DataUnknown     DataChange = ""
	DataNone        DataChange = "none"
	DataAdditive    DataChange = "additive"
	DataDestructive DataChange = "destructive"
)

// Release is what people have said about a release.
type Release struct {
	ID          string
	Kind        Kind
	Version     string
	Bump        Bump
	Downtime    string // "downtime", "zero_downtime"; "" = nobody has said (S0-12)
	Data        DataChange
	Summary     string
	Tested      string // actor who attests that they tested it; "" = nobody (S0-12)
	Notes       string // release notes for customers (S2-20)
	Provisions  string // special provisions for the deployment, or "none" (S2-19)
	Recovery    string // disaster recovery plan, or "none" (S2-21)
	SanityOwner string // who does the quick checks afterwards (S2-24)
	OnCallGroup string
	Branch      string // target branch (S0-08)
	BranchWhy   string // why another than the usual one
	Incident    string // a hotfix may have one (S3-12)
	Base        string // hotfix: the commit it was branched from (S3-13)
	Author      string // actor
	Rejected    bool   // rolled back, and not cleared since
}

// Candidate is one set of bits.
type Candidate struct {
	ID      string
	Number  int               // rc 1, 2, … within the release (S4-26)
	Bits    map[string]string // module → identity: image digest, commit or package checksum
	Commits map[string]string // module → commit
	Figures map[string]float64
	BuiltAt time.Time
}

// Evidence is one report about bits (S2-04).
type Evidence struct {
	ID      string
	Suite   string // unit, integration, regression, coverage, scan, load, sanity, backup, uat, …
	Module  string // "" = the whole release
	About   string // identity it speaks of; of a whole release: the candidate's id
	Commit  string
	Env     string // where it ran
	Passed  bool
	Running bool
	Figures map[string]float64 // tests, failed, coverage, critical, high, p95_ms, error_rate, …
	URL     string
	By      string // actor
	At      time.Time
	Revised string // of a run-book: its content hash
}

// Signoff is one person's word in one role (S2-12, S4-27).
type Signoff struct {
	Gate   string
	Role   string
	By     string // actor; of somebody outside: the link
	Accept bool
	About  string // candidate id
	Why    string
	At     time.Time
}

// Word is a vote (S2-22, S2-25).
type Word string

// The words.
const (
	Go   Word = "go"
	NoGo Word = "no_go"
	Veto Word = "veto"
)

// Ballot is one vote about one candidate.
type Ballot struct {
	ID      string
	Gate    string
	About   string // candidate id
	Opens   time.Time
	Closes  time.Time
	Closed  time.Time // zero while it can still be voted
	Votes   []Vote    // every one that was cast, oldest first: a later one of the same person and role replaces it
	Lifted  []string  // ids of vetoes that were lifted
	Skipped string    // why this ballot does not take place (holiday)
}

// Vote is one person's vote.
type Vote struct {
	ID   string
	Role string
	By   string // actor: never a machine
	Word Word
	Why  string
	At   time.Time
}

// Run is one execution of a run-book or of a stage's tasks.
type Run struct {
	ID       string
	Runbook  string // name
	Revision string // content hash
	Env      string
	Stage    string
	About    string // candidate id
	Done     bool
	Failed   bool
	Open     int // items to do
	Items    int
	At       time.Time
}

// Freeze is a window in which little may go out.
type Freeze struct {
	ID     string
	Env    string // "" = everywhere
	Module string // "" = all
	From   time.Time
	To     time.Time
	Allow  []string // kinds of change that may go out all the same
	Why    string
	Passed []string // releases that were let through, with a reason on record
}

// Change is one piece of work in a release.
type Change struct {
	ID        string
	Kind      string // feature, bugfix, hotfix, security, docs, config, infra, data, chore
	Title     string
	Issue     string // reference to a ticket, issue or card; "" = none (S2-14)
	Pull      string // reference to a pull request
	Reviews   int    // approvals by others than its author
	Merged    bool
	Approved  string // actor; "" = nobody (S2-17)
	FastTrack string // actor who let a minor feature through (S4-15)
	Branches  map[string]bool
}

// Waiver lets a gate pass that did not, in the open.
type Waiver struct {
	Gate  string
	About string // candidate id
	By    string
	Role  string
	Why   string
	Until time.Time // zero = for this candidate
	At    time.Time
}

// Triage is QA's word on a failure (S0-13).
type Triage struct {
	Gate     string
	Evidence string // id
	Genuine  bool   // false = an issue of the test
	By       string
	Why      string
	At       time.Time
}

// Training says who was trained for what (S4-29).
type Training struct {
	Person   string
	Topic    string
	Revision string
	Until    time.Time
}

// Tag is a tag of a repository as a hook reported it.
type Tag struct {
	Module    string
	Name      string
	Commit    string
	Annotated bool
}

// Sighting is what runs.
type Sighting struct {
	Bits   string
	Commit string
	At     time.Time
}
