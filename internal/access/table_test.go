package access_test

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"evenkeel/internal/access"
)

//go:generate go test -run TestPermissionsAreWrittenOut -count 1 . -args -write

var write = flag.Bool("write", false, "write docs/permissions.md instead of comparing it")

const pageFile = "../../docs/permissions.md"

// columns are the roles of the table: people first, then what no person is.
func columns() []access.Role {
	return slices.Concat(access.People(), []access.Role{access.RoleScreen, access.RoleMachine, access.RoleHost, access.RoleAnyone})
}

// yes and no are how a cell is written.
const (
	yes = "●"
	no  = "·"
)

// TestPermissionsAreWrittenOut holds the table in the code and the one in
// docs/permissions.md to each other. go generate ./internal/access writes it:
// a change of rights is then seen, cell by cell, by whoever reviews it.
func TestPermissionsAreWrittenOut(t *testing.T) {
	page := permissions()
	if *write {
		if err := os.WriteFile(pageFile, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	written, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != page {
		t.Error("docs/permissions.md is stale: run go generate ./internal/access, and look at what changed")
	}
}

// TestEveryCellOfTheTableHolds asks an actor of every role about every action,
// and compares the answers with the written page, cell by cell.
func TestEveryCellOfTheTableHolds(t *testing.T) {
	written, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	var head []string
	seen := map[access.Action]bool{}
	for line := range strings.Lines(string(written)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		switch {
		case !strings.HasPrefix(line, "|"), strings.HasPrefix(line, "| ---"):
			continue
		case cells[0] == "action":
			head = cells
			continue
		}
		act := access.Action(cells[0])
		seen[act] = true
		if len(cells) != len(head) {
			t.Fatalf("%s has %d cells, not %d", act, len(cells), len(head))
		}
		for i, cell := range cells[1:] {
			role := access.Role(head[i+1])
			want := cell == yes
			if got := (access.Actor{ID: "x", Role: role}).May(act); got != want {
				t.Errorf("%s may %s: %v, written %v", role, act, got, want)
			}
			held := access.Actor{ID: "x", Grants: &access.Grants{List: []access.Grant{{Role: role}}}}
			if got := held.MayOn(act); got != want {
				t.Errorf("%s, granted everywhere, may %s: %v, written %v", role, act, got, want)
			}
			scoped := access.Actor{ID: "x", Grants: &access.Grants{List: []access.Grant{{Role: role, Scope: access.Scope{Kind: "component", ID: "shop"}}}}}
			if scoped.MayOn(act) || scoped.MayOn(act, access.Scope{Kind: "component", ID: "other"}) {
				t.Errorf("%s for one component may %s everywhere", role, act)
			}
			if got := scoped.MayOn(act, access.Scope{Kind: "component", ID: "shop"}); got != want {
				t.Errorf("%s for one component may %s there: %v, written %v", role, act, got, want)
			}
		}
	}
	for act := range access.Actions() {
		if !seen[act] {
			t.Errorf("docs/permissions.md lacks %s", act)
		}
	}
	if len(seen) < 30 || len(head) != len(columns())+1 {
		t.Errorf("read %d actions of %d columns", len(seen), len(head))
	}
}

// permissions writes the page.
func permissions() string {
	var b strings.Builder
	b.WriteString(`# Who may do what

<!-- Written by go generate ./internal/access from the table in internal/access/table.go. Do not edit. -->

One row an action, one column a role; ` + yes + ` may, ` + no + ` may not. A person holds roles everywhere or for one component, group or product. *machine* is the
hub's own loops and the tokens of bots and jobs, which also have scopes; *host* is whoever holds the machine: the configuration file, the command line,
the admin listener; *screen* is a screen on a wall, let in by a link; *anyone* is a visitor. People are never machines, and machines never people.

| action |`)
	for _, r := range columns() {
		b.WriteString(" " + string(r) + " |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(columns())) + "\n")
	table := access.Actions()
	for _, act := range slices.Sorted(maps.Keys(table)) {
		b.WriteString("| `" + string(act) + "` |")
		for _, r := range columns() {
			if slices.Contains(table[act], r) {
				b.WriteString(" " + yes + " |")
			} else {
				b.WriteString(" " + no + " |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// What must be true of the table whatever rows are added.
func TestTableKeepsPeopleAndMachinesApart(t *testing.T) {
	for act, roles := range access.Actions() {
		if len(roles) == 0 {
			t.Errorf("nobody may %s", act)
		}
		for i, r := range roles {
			if slices.Contains(roles[:i], r) {
				t.Errorf("%s stands twice at %s", r, act)
			}
			if !slices.Contains(columns(), r) {
				t.Errorf("%s names the unknown role %s", act, r)
			}
		}
	}
	if slices.Contains(access.People(), access.RoleMachine) || slices.Contains(access.People(), access.RoleHost) || slices.Contains(access.People(), access.RoleAnyone) {
		t.Error("a person can be granted what no person is")
	}
	for _, act := range []access.Action{access.PersonEdit, access.TokenEdit, access.HookEdit} {
		for _, r := range access.Actions()[act] {
			if r != access.RoleAdmin && r != access.RoleHost {
				t.Errorf("%s may %s, and so give rights away", r, act)
			}
		}
	}
	for act, roles := range access.Actions() {
		if slices.Contains(roles, access.RoleAnyone) && act != access.PageRead {
			t.Errorf("visitors may %s", act)
		}
	}
}

func TestGrantsAreNarrowedAndLimited(t *testing.T) {
	shop, search := access.Scope{Kind: "component", ID: "shop"}, access.Scope{Kind: "component", ID: "search"}
	a := access.Actor{ID: "person/1", Role: access.RoleViewer, Grants: &access.Grants{List: []access.Grant{
		{Role: access.RoleViewer}, {Role: access.RoleOperator, Scope: shop},
	}}}
	for name, ok := range map[string]bool{
		"reads everywhere":          a.MayOn(access.IncidentRead),
		"reads there":               a.MayOn(access.IncidentRead, search),
		"updates somewhere":         a.May(access.IncidentUpdate),
		"updates there":             a.MayOn(access.IncidentUpdate, shop),
		"not elsewhere":             !a.MayOn(access.IncidentUpdate, search),
		"not on both":               !a.MayOn(access.IncidentUpdate, shop, search),
		"not everywhere":            !a.MayOn(access.IncidentUpdate),
		"another kind, same key":    !a.MayOn(access.IncidentUpdate, access.Scope{Kind: "group", ID: "shop"}),
		"check says so":             a.CheckOn(access.IncidentUpdate, search) != nil && a.CheckOn(access.IncidentUpdate, shop) == nil && a.Check(access.IncidentUpdate) == nil,
		"acts in the role it needs": a.As(access.IncidentUpdate).Role == access.RoleOperator && a.As(access.IncidentRead).Role == access.RoleViewer && a.As(access.PersonEdit).Role == access.RoleViewer,
	} {
		if !ok {
			t.Error(name)
		}
	}
	limited := access.Actor{ID: "token/1", Grants: &access.Grants{List: []access.Grant{{Role: access.RoleAdmin}}, Limit: []access.Action{access.IncidentRead}}}
	if !limited.May(access.IncidentRead) || limited.May(access.PersonEdit) || limited.MayOn(access.ComponentRead) {
		t.Error("a limit does not hold")
	}
	nothing := access.Actor{ID: "token/2", Grants: &access.Grants{List: []access.Grant{{Role: access.RoleAdmin}}, Limit: []access.Action{}}}
	empty := access.Actor{ID: "person/2", Role: access.RoleAdmin, Grants: &access.Grants{}}
	for act := range access.Actions() {
		if nothing.May(act) || empty.May(act) {
			t.Errorf("%s without a right to it", act)
		}
	}
}
