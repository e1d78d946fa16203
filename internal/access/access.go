// Package access says who acts and what they may do: one table of roles and
// actions that later wings extend by rows. It knows no passwords and no HTTP.
package access

import (
	"slices"

	"evenkeel/internal/problem"
)

// Scope narrows a grant to one thing, such as a component or a product. The
// zero Scope is everywhere.
type Scope struct {
	Kind string // component, group, product
	ID   string // its key, which never changes
}

// Grant gives a role within a scope.
type Grant struct {
	Role  Role
	Scope Scope
}

// Grants is what a person or a token holds. It is never written after it was made.
type Grants struct {
	List []Grant
	// Limit is what a token may do at most; nil sets no limit.
	Limit []Action
}

// Actor is who does something: an id that is safe in the journal (never a name
// or an address) and the role it acts in.
type Actor struct {
	ID   string
	Role Role
	// Grants is what a person or token holds; nil for an actor that has Role, everywhere.
	Grants *Grants
}

// The actors that exist without accounts.
var (
	Visitor = Actor{ID: "visitor", Role: RoleAnyone}
	Hub     = Actor{ID: "hub", Role: RoleMachine}
	Host    = Actor{ID: "host", Role: RoleHost}
)

// May reports whether the actor may do the action somewhere.
func (a Actor) May(act Action) bool {
	_, ok := a.grant(act, nil)
	return ok
}

// MayOn reports whether the actor may do the action on every one of the scopes.
// Without scopes it asks for the right everywhere.
func (a Actor) MayOn(act Action, on ...Scope) bool {
	if len(on) == 0 {
		on = []Scope{{}}
	}
	for _, s := range on {
		if _, ok := a.grant(act, &s); !ok {
			return false
		}
	}
	return true
}

// Check gives a Forbidden problem when the actor may do the action nowhere, else nil.
func (a Actor) Check(act Action) error {
	if a.May(act) {
		return nil
	}
	return problem.Forbidden("%s may not do %s.", a.Role, act)
}

// CheckOn gives a Forbidden problem when the actor may not do the action on all
// of the scopes, else nil. Without scopes it asks for the right everywhere.
func (a Actor) CheckOn(act Action, on ...Scope) error {
	if a.MayOn(act, on...) {
		return nil
	}
	return problem.Forbidden("%s may not do %s here.", a.Role, act)
}

// As gives the actor in the role that lets it do the action, which is what the
// journal shows; unchanged when none does.
func (a Actor) As(act Action) Actor {
	if g, ok := a.grant(act, nil); ok {
		a.Role = g.Role
	}
	return a
}

// grant finds a grant that holds the action: within the scope, or anywhere when
// it is nil.
func (a Actor) grant(act Action, on *Scope) (Grant, bool) {
	if a.Grants == nil {
		return Grant{Role: a.Role}, slices.Contains(table[act], a.Role)
	}
	if a.Grants.Limit != nil && !slices.Contains(a.Grants.Limit, act) {
		return Grant{}, false
	}
	for _, g := range a.Grants.List {
		if (on == nil || g.Scope == Scope{} || g.Scope == *on) && slices.Contains(table[act], g.Role) {
			return g, true
		}
	}
	return Grant{}, false
}

// Actions lists every action with its roles, for tests and documentation.
func Actions() map[Action][]Role {
	out := make(map[Action][]Role, len(table))
	for act, roles := range table {
		out[act] = slices.Clone(roles)
	}
	return out
}
