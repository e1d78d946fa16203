package people

import (
	"cmp"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// fold writes an address the one way that is kept and compared.
func fold(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// checkName gives a name as it is kept: one line, trimmed, not empty.
func checkName(name string) (string, *problem.Error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", problem.Invalid("name", "Say what colleagues call this person.")
	case utf8.RuneCountInString(name) > MaxName:
		return "", problem.Invalid("name", "A name has at most %d characters.", MaxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, hidden):
		return "", problem.Invalid("name", "A name is one line of visible characters.")
	}
	return name, nil
}

// hidden reports characters that a line of text does not hold: controls, and
// the marks that turn or hide other characters.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// checkEmail gives an address as it is kept.
func checkEmail(email string) (string, *problem.Error) {
	email = fold(email)
	parsed, err := mail.ParseAddress(email)
	_, domain, _ := strings.Cut(email, "@")
	switch {
	case email == "":
		return "", problem.Invalid("email", "An account needs an e-mail address.")
	case len(email) > MaxEmail:
		return "", problem.Invalid("email", "An address has at most %d characters.", MaxEmail)
	case err != nil || parsed.Address != email || domain == "" || strings.ContainsFunc(email, hidden) || strings.ContainsAny(email, " \"<>"):
		return "", problem.Invalid("email", "Write an e-mail address, such as support@example.org.")
	}
	return email, nil
}

func checkZone(zone string) *problem.Error {
	if zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || len(zone) > MaxName {
		return problem.Invalid("zone", "Write a time zone such as Europe/Vienna.")
	}
	return nil
}

// scopeID is what a scope may name: keys, which are safe in the journal.
var scopeID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

// scopeKinds are what a grant can be narrowed to.
var scopeKinds = []string{"component", "group", "product"}

// checkGrants gives grants as they are kept: each once, admin first, then in
// the order of the roles, the wide before the narrow.
func checkGrants(grants []access.Grant) ([]access.Grant, *problem.Error) {
	if len(grants) > MaxGrants {
		return nil, problem.Invalid("grants", "A person holds at most %d grants.", MaxGrants)
	}
	roles := access.People()
	for _, g := range grants {
		switch {
		case !slices.Contains(roles, g.Role):
			return nil, problem.Invalid("grants", "%q is no role of a person.", clip(string(g.Role)))
		case g.Scope == access.Scope{}:
		case !slices.Contains(scopeKinds, g.Scope.Kind) || !scopeID.MatchString(g.Scope.ID):
			return nil, problem.Invalid("grants", "A grant is narrowed to a component, group or product by its key.")
		}
	}
	rank := func(r access.Role) int {
		if r == access.RoleAdmin {
			return -1
		}
		return slices.Index(roles, r)
	}
	grants = slices.Clone(grants)
	slices.SortFunc(grants, func(a, b access.Grant) int {
		return cmp.Or(cmp.Compare(rank(a.Role), rank(b.Role)), cmp.Compare(a.Scope.Kind, b.Scope.Kind), cmp.Compare(a.Scope.ID, b.Scope.ID))
	})
	return slices.Compact(grants), nil
}

// maxRolesShown is how many grants an entry of the journal names.
const maxRolesShown = 6

// rolesOf writes grants for the journal: role, or role:kind:id, joined by
// commas and cut to what an entry may hold.
func rolesOf(grants []access.Grant) string {
	var b strings.Builder
	for i, g := range grants {
		word := string(g.Role)
		if g.Scope != (access.Scope{}) {
			word += ":" + g.Scope.Kind + ":" + g.Scope.ID
		}
		if i >= maxRolesShown || b.Len()+1+len(word) > maxWord {
			b.WriteString(",...")
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(word)
	}
	return b.String()
}

// maxWord is what fits into one value of a journal entry, beside the dots of rolesOf.
const maxWord = 90

// clip shortens what somebody sent, for a sentence that repeats it.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
