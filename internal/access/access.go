// Package access says who acts and what they may do: one table of roles and
// actions that later wings extend by rows. It knows no passwords and no HTTP.
package access

import (
	"slices"

	"evenkeel/internal/problem"
)

// Role is a named set of permissions. The list grows by rows in the table below.
type Role string

// The roles of the house so far. Machine roles are never people.
const (
	RoleAnyone  Role = "anyone"  // a visitor without an account
	RoleMachine Role = "machine" // the hub itself: its loops and its verdicts
	RoleHost    Role = "host"    // whoever holds the machine: the configuration file, the command line, the admin listener
)

// Action is one thing that can be done, named noun.verb.
type Action string

// The actions of this part of the house.
const (
	PageRead      Action = "page.read"
	SetupApply    Action = "setup.apply"
	StatusObserve Action = "status.observe"
	StatusConfirm Action = "status.confirm"
	MonitorRead   Action = "monitor.read"
	MonitorRun    Action = "monitor.run"
	JournalRead   Action = "journal.read"
	MaintainRun   Action = "maintenance.run"
	MonthCorrect  Action = "month.correct"
)

// table is the whole of who may do what: one row an action.
var table = map[Action][]Role{
	PageRead:      {RoleAnyone, RoleMachine, RoleHost},
	SetupApply:    {RoleHost},
	StatusObserve: {RoleMachine},
	StatusConfirm: {RoleHost},
	MonitorRead:   {RoleMachine, RoleHost},
	MonitorRun:    {RoleMachine, RoleHost},
	JournalRead:   {RoleHost},
	MaintainRun:   {RoleMachine, RoleHost},
	MonthCorrect:  {RoleHost},
}

// Actor is who does something: an id that is safe in the journal (never a name
// or an address) and the role it acts in.
type Actor struct {
	ID   string
	Role Role
}

// The actors that exist without accounts.
var (
	Visitor = Actor{ID: "visitor", Role: RoleAnyone}
	Hub     = Actor{ID: "hub", Role: RoleMachine}
	Host    = Actor{ID: "host", Role: RoleHost}
)

// May reports whether the actor's role holds the action.
func (a Actor) May(act Action) bool { return slices.Contains(table[act], a.Role) }

// Check gives a Forbidden problem when the actor may not do the action, else nil.
func (a Actor) Check(act Action) error {
	if a.May(act) {
		return nil
	}
	return problem.Forbidden("%s may not do %s.", a.Role, act)
}

// Actions lists every action with its roles, for tests and documentation.
func Actions() map[Action][]Role {
	out := make(map[Action][]Role, len(table))
	for act, roles := range table {
		out[act] = slices.Clone(roles)
	}
	return out
}
