package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// write adds entries to the journal of the lobby.
func (l *lobby) write(by access.Actor, entries ...journal.Entry) {
	l.Helper()
	l.must(l.store.Do(l.Context(), by, func(tx journalTx) error {
		for _, e := range entries {
			if e.Audience == "" {
				e.Audience = journal.AudienceStaff
			}
			if err := tx.Append(e); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestAuditTellsInWords(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleOperator)
	l.write(p.Actor(), journal.Entry{Verb: "incident.declared", Subject: journal.Ref{Kind: "incident", ID: "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000"}, Audience: journal.AudiencePublic,
		Payload: map[string]string{"impact": "major", "number": "231"}, EffectiveAt: time.Now().Add(-time.Hour)})
	l.write(access.Host, journal.Entry{Verb: "setup.applied", Subject: journal.Ref{Kind: "site", ID: "site"}})
	v := l.as(p)
	v.open("/console/audit").at(200, "/console/audit", "Anna declared INC-231 public", "impact major", "the host applied the configuration", "the host added Anna", "Anna signed in way password", "Anna changed their own account what password")
	if strings.Count(v.page, "<tr id=") < 5 {
		t.Error("rows are missing")
	}
}

func TestAuditIsNarrowed(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleOperator)
	for n := range 5 {
		l.write(access.Hub, journal.Entry{Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "shop-" + strconv.Itoa(n)}, Payload: map[string]string{"to": "major_outage"}})
	}
	v := l.as(p)
	rows := func(query string) int {
		v.open("/console/audit?"+query).at(200, "/console/audit")
		return strings.Count(v.page, "<tr id=")
	}
	day := time.Now().UTC().Format("2006-01-02")
	for query, want := range map[string]int{
		"verb=component.":                     5,
		"verb=component.moved&who=hub":        5,
		"verb=component.&who=host":            0,
		"subject=component/shop-3":            1,
		"subject=component":                   5,
		"q=outage":                            5,
		"q=shop+3":                            1,
		"q=outage&who=host":                   0,
		"q=outage&subject=component%2Fshop-1": 1,
		"to=2020-01-01":                       0,
		"from=2020-01-01&verb=component.":     5,
		"from=" + day + "&to=2999-01-01T10:00&verb=component.moved": 5,
	} {
		if got := rows(query); got != want {
			t.Errorf("%s finds %d, want %d", query, got, want)
		}
	}
	// A person is found by name, as actor and as subject.
	if rows("q=anna") < 3 {
		t.Error("Anna is not found by name")
	}
	v.open("/console/audit?from=yesterday").at(400, "/console/audit", "The first moment is none")
}

func TestAuditIsPagedBySequence(t *testing.T) {
	l := newLobby(t)
	p := l.person("Anna", access.RoleOperator)
	for n := range 120 {
		l.write(access.Hub, journal.Entry{Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: "c" + strconv.Itoa(n)}})
	}
	v := l.as(p)
	seen, next := map[string]bool{}, "/console/audit?verb=component."
	for page := 0; next != ""; page++ {
		if page > 5 {
			t.Fatal("pages without end")
		}
		v.open(next).at(200, "/console/audit")
		for _, m := range regexp.MustCompile(`component (c\d+)`).FindAllStringSubmatch(textOf(v.page), -1) {
			if seen[m[1]] {
				t.Errorf("%s stands on two pages", m[1])
			}
			seen[m[1]] = true
		}
		next = ""
		if m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(v.page); m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 120 {
		t.Errorf("saw %d of 120", len(seen))
	}
}

func TestAuditVerifiesTheChain(t *testing.T) {
	l := newLobby(t)
	v := l.as(l.person("Anna", access.RoleOperator))
	v.open("/console/audit").at(200, "/console/audit", "Not verified yet")
	v.post("/console/audit/verify").at(200, "/console/audit")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !strings.Contains(v.open("/console/audit").page, "up to entry") {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("never verified")
		}
	}
	v.at(200, "/console/audit", "Verified up to entry")
}

// An erased person leaves entries without a name.
func TestAuditOfAnErasedPersonHasNoName(t *testing.T) {
	l := newLobby(t)
	anna, ben := l.person("Anna", access.RoleAdmin), l.person("Benedict", access.RoleOperator)
	l.write(ben.Actor(), journal.Entry{Verb: "incident.noted", Subject: journal.Ref{Kind: "incident", ID: "x"}})
	v := l.as(anna)
	v.open("/console/audit").at(200, "/console/audit", "Benedict wrote a note on incident x")
	l.must(l.accounts.Erase(t.Context(), anna.Actor(), ben.ID))
	v.open("/console/audit").at(200, "/console/audit", "somebody erased wrote a note on incident x", "Anna erased somebody erased")
	if strings.Contains(v.page, "Benedict") {
		t.Error("the name is still told")
	}
	l.must(journal.Verify(t.Context(), l.store))
}

// Every verb that the code can write has a sentence of its own, or reads well
// without one.
func TestEveryVerbHasASentence(t *testing.T) {
	shape := regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)
	nouns := map[string]bool{}
	for verb := range sentences {
		noun, _, _ := strings.Cut(verb, ".")
		nouns[noun] = true
	}
	err := fs.WalkDir(os.DirFS("../.."), "internal", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "test/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../../"+name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, _ := kv.Key.(*ast.Ident)
			lit, _ := kv.Value.(*ast.BasicLit)
			if key == nil || lit == nil || key.Name != "Verb" || lit.Kind != token.STRING {
				return true
			}
			if verb, err := strconv.Unquote(lit.Value); err == nil && shape.MatchString(verb) && sentences[verb] == "" {
				words, _ := saysOf(verb)
				if !strings.HasSuffix(strings.Fields(words)[0], "ed") {
					t.Errorf("%s writes %s, which has no sentence", name, verb)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
