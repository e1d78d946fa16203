package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestProblems is the table of mistakes: what is written, and what is answered.
// A » in the source marks the place that a problem must name, one » a problem.
func TestProblems(t *testing.T) {
	const head = "page: {name: Example}\ncomponents: [{id: web}, {id: api}]\n"
	monitor := func(options string) string {
		return head + "monitors:\n  - {id: m, component: web, kind: http, " + options + "}\n"
	}
	o := options()
	o.CheckRRule = func(rule, _, _ string, _ time.Duration) error {
		if strings.Contains(rule, "SECONDLY") {
			return errors.New("too often")
		}
		return nil
	}
	o.CheckMonitor = func(m Monitor) []Problem {
		if m.Count != 0 {
			return []Problem{{Path: "count", Reason: "does not apply to http"}}
		}
		return nil
	}
	for _, row := range []struct {
		name, src string
		want      []string // "path: reason (hint)" begins so, in order of place
	}{
		{"empty", "»", []string{"the file is empty"}},
		{"only comments", "»# nothing\n\n", []string{"the file is empty"}},
		{"a list", "»- a\n", []string{"the file must hold keys and values at the top"}},
		{"two documents", head + "»---\npage: {name: b}\n", []string{"a second document starts here"}},
		{"broken quotes", "page:\n  name: 'x\n»", []string{"not readable as YAML"}},
		{"tab", "page:\n»\tname: x\n", []string{"a tab indents this line (YAML is indented with spaces only)"}},
		{"not UTF-8", "page: {name: \"»\xff\"}\n", []string{"byte 0xff is not UTF-8"}},
		{"UTF-16", "»\xff\xfep\x00", []string{"the file is UTF-16"}},
		{"control character", "page: {name: \"a»\x07\"}\n", []string{"control character U+0007"}},
		{"hidden direction", "page: {name: \"a»\u202eb\"}\n", []string{"invisible character U+202E"}},
		{"unknown key", head + "»monitor: []\n", []string{"monitor: unknown key (did you mean monitors?)"}},
		{"unknown key below", monitor("»intervall: 10s"), []string{"monitors[0].intervall: unknown key (did you mean interval?)"}},
		{"key twice", head + "listen: \":1\"\n»listen: \":2\"\n", []string{"listen: this key stands here twice, first in line 3"}},
		{"number without unit", monitor("interval: »30"), []string{"monitors[0].interval: \"30\" has a number without a unit (say of what: 30s, 30m, 30h or 30d)"}},
		{"fraction", monitor("interval: »1.5h"), []string{"monitors[0].interval: \"1.5h\" is not in whole numbers"}},
		{"unknown unit", monitor("interval: »3w"), []string{"monitors[0].interval: \"3w\" uses w"}},
		{"zero", monitor("timeout: »0, confirm: »0"), []string{"monitors[0].timeout: 0 has no meaning here", "monitors[0].confirm: 0 has no meaning here"}},
		{"too short", monitor("interval: »500ms"), []string{"monitors[0].interval: 500ms is shorter than the shortest interval, 1s"}},
		{"timeout too long", monitor("interval: 10s, timeout: »10s"), []string{"monitors[0].timeout: a timeout of 10s is not shorter"}},
		{"slow beyond timeout", monitor("timeout: 2s, slow: »3s"), []string{"monitors[0].slow: slow at 3s is never seen"}},
		{"text for number", monitor("confirm: »\"2\""), []string{"monitors[0].confirm: expected a whole number, found the text \"2\" (write it without quotes)"}},
		{"yes for true", monitor("fresh: »yes"), []string{"monitors[0].fresh: expected true or false, found \"yes\" (write true or false)"}},
		{"word for list", head + "trusted_proxies: »10.0.0.0/8\n", []string{"trusted_proxies: expected a list, found \"10.0.0.0/8\" (write [10.0.0.0/8])"}},
		{"empty entry", head + "trusted_proxies:\n  -»\n", []string{"trusted_proxies[0]: an empty entry"}},
		{"list for word", "page: {name: »[a]}\n", []string{"page.name: expected a text, found a list"}},
		{"missing name", "page: »{}\n", []string{"page.name: the page needs a name"}},
		{"ids", "page: {name: x}\ncomponents: [{id: »Web}, {id: a}, {id: »a}, »{}]\n", []string{
			"components[0].id: \"Web\" is not an id", "components[2].id: the id a is taken already, in line 2", "components[3].id: a component needs an id"}},
		{"unknown component", head + "monitors: [{id: m, component: »wep, kind: tcp}]\n", []string{"monitors[0].component: there is no component \"wep\" (did you mean web?)"}},
		{"no component", head + "monitors: [»{id: m, kind: tcp}]\n", []string{"monitors[0].component: a monitor needs a component"}},
		{"sentinel with component", head + "sentinels: [{id: m, kind: tcp, component: »web}]\n", []string{"sentinels[0].component: a sentinel belongs to no component"}},
		{"sentinel takes the id of a monitor", monitor("url: \"http://example.org\"") + "sentinels: [{id: »m, kind: tcp}]\n", []string{"sentinels[0].id: the id m is taken already, in line 4"}},
		{"unknown kind", head + "monitors: [{id: m, component: web, kind: »htpp}]\n", []string{"monitors[0].kind: there is no kind \"htpp\" (did you mean http?)"}},
		{"key of another kind", monitor("count: »3"), []string{"monitors[0].count: does not apply to http"}},
		{"needs itself", "page: {name: x}\ncomponents: [{id: a, needs: [»a]}]\n", []string{"components[0].needs[0]: components need one another in a circle: a → a"}},
		{"circle", "page: {name: x}\ncomponents:\n  - {id: a, needs: [b]}\n  - {id: b, needs: [c]}\n  - {id: c, needs: [»a, »d]}\n", []string{
			"components[2].needs[0]: components need one another in a circle: a → b → c → a", "components[2].needs[1]: there is no component \"d\""}},
		{"circle through an id that is taken", "page: {name: x}\ncomponents: [{id: a, needs: [b]}, {id: b, needs: [»a]}, {id: »a}]\n", []string{
			"components[1].needs[0]: components need one another in a circle: a → b → a", "components[2].id: the id a is taken already"}},
		{"was still used", "page: {name: x}\ncomponents: [{id: a, was: »b}, {id: b}]\n", []string{"components[0].was: b is still the id of another"}},
		{"was claimed twice", "page: {name: x}\ncomponents: [{id: a, was: c}, {id: b, was: »c}]\n", []string{"components[1].was: c is claimed already, in line 2"}},
		{"was itself", "page: {name: x}\ncomponents: [{id: a, was: »a}]\n", []string{"components[0].was: this is the id it has now"}},
		{"publish", "page: {name: x}\ncomponents: [{id: a, publish: »always, publish_after: »5m}]\n", []string{
			"components[0].publish: \"always\" is not known here (one of auto, after_confirm, manual)", "components[0].publish_after: only publish: after_confirm waits"}},
		{"weights", "page: {name: x, uptime: {partial: »1.5, major: ».nan}}\n", []string{"page.uptime.partial: a weight", "page.uptime.major: expected a number"}},
		{"zone", "page: {name: x, time_zone: »Mars/Base}\n", []string{"page.time_zone: there is no time zone \"Mars/Base\""}},
		{"zone that others would inherit", "page: {name: x, time_zone: »Mars/Base}\ncomponents: [{id: a}]\nmaintenance: [{id: w, components: [a], rrule: FREQ=DAILY, start: 2026-11-22T05:00, duration: 1h}]\n", []string{
			"page.time_zone: there is no time zone \"Mars/Base\""}},
		{"page URL", "page: {name: x, url: »status.example.org}\n", []string{"page.url: expected an http or https address"}},
		{"listeners", head + "listen: »8080\nadmin_listen: »:99999\n", []string{"listen: \"8080\" is not an address", "admin_listen: \"99999\" is not a port"}},
		{"one listener", head + "listen: :80\nadmin_listen: »:80\n", []string{"admin_listen: listens where the public page does"}},
		{"engines", head + "database: {url: »\"mysql://h/d\"}\nredis: {url: »h}\nblobs: {url: »\"s3://b\"}\n", []string{
			"database.url: no engine answers to mysql://", "redis.url: this is not a URL", "blobs.url: this version keeps blobs in the database only"}},
		{"networks", head + "trusted_proxies: [»10.0.0.0/33, 10.0.0.1]\n", []string{"trusted_proxies[0]: \"10.0.0.0/33\" is not a network"}},
		{"log", head + "log: {level: »wrn, format: »xml}\n", []string{"log.level: \"wrn\" is not known here (did you mean warn?)", "log.format: \"xml\" is not known here"}},
		{"header from nowhere", monitor("headers: {X-Key: »\"a ${NOWHERE}\"}"), []string{"monitors[0].headers.X-Key: the environment variable NOWHERE is not set"}},
		{"secret from nowhere", monitor("auth: {bearer: »{env: NOWHERE}}"), []string{"monitors[0].auth.bearer: the environment variable NOWHERE is not set"}},
		{"secret file missing", monitor("auth: {username: u, password: »{file: /nowhere/at/all}}"), []string{"monitors[0].auth.password: open /nowhere/at/all"}},
		{"secret from both", monitor("token: »{env: A, file: b}"), []string{"monitors[0].token: a secret comes from env or file, not both"}},
		{"quorum", monitor("quorum: »2"), []string{"monitors[0].quorum: 2 of 1 locations cannot agree"}},
		{"location", monitor("locations: [oslo, »olso]") + "locations: [{id: oslo}]\n", []string{"monitors[0].locations[1]: there is no location \"olso\" (did you mean oslo?)"}},
		{"fails", monitor("fails: »major"), []string{"monitors[0].fails: \"major\" is not known here (one of major_outage"}},
		{"window of nothing", head + "maintenance: [»»{id: w}]\n", []string{"maintenance[0]: when is it?", "maintenance[0].components: maintenance of nothing"}},
		{"window backwards", head + "maintenance: [{id: w, components: [web], from: 2026-11-22T05:00, to: »2026-11-22T04:00}]\n", []string{"maintenance[0].to: it ends before it begins"}},
		{"window defined twice", head + "maintenance: [»{id: w, components: [web], from: 2026-11-22T05:00, rrule: FREQ=DAILY}]\n", []string{"maintenance[0]: is it once, or does it recur?"}},
		{"window times", head + "maintenance: [{id: w, components: [web], from: »tomorrow, to: »2026-11-22}]\n", []string{"maintenance[0].from: \"tomorrow\" is not a moment", "maintenance[0].to: \"2026-11-22\" is not a moment"}},
		{"window recurs halfway", head + "maintenance: [»»{id: w, components: [»wbe], rrule: FREQ=DAILY}]\n", []string{
			"maintenance[0].duration: maintenance that recurs needs", "maintenance[0].start: maintenance that recurs needs", "maintenance[0].components[0]: there is no component \"wbe\" (did you mean web?)"}},
		{"window rule", head + "maintenance: [{id: w, components: [web], rrule: »FREQ=SECONDLY, start: 2026-11-22T05:00, duration: 1h}]\n", []string{"maintenance[0].rrule: too often"}},
		{"retention", head + "retention: {samples: »3d, spans: »200y}\n", []string{"retention.samples: 3d is more than the 2d that is allowed", "retention.spans: \"200y\" uses y"}},
		{"blackbox", head + "blackbox: {enabled: true, modules: {web: »{kind: »htp, id: x}}, allow: [»\"(\"]}\n", []string{
			"blackbox.modules.web: a module is no monitor", "blackbox.modules.web.kind: there is no kind \"htp\"", "blackbox.allow[0]: missing closing )"}},
		{"blackbox that may do nothing", head + "blackbox: »{enabled: true, modules: {web: {kind: http}}}\n", []string{"blackbox.allow: /probe is enabled and may probe nothing"}},
		{"tags", head + "listen: »!secret x\n", []string{"listen: the tag !secret is not used here"}},
		{"keys that are no words", head + "? »[a]\n: b\n", []string{"a key must be a plain word"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			src, places := unmark(row.src)
			var got []string
			for _, p := range problemsOf(t, src, o) {
				text := p.Reason
				if p.Path != "" {
					text = p.Path + ": " + text
				}
				if p.Hint != "" {
					text += " (" + p.Hint + ")"
				}
				got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, text))
			}
			var want []string
			for i, text := range row.want {
				want = append(want, places[i]+" "+text)
				if i < len(got) && strings.HasPrefix(got[i], want[i]) {
					want[i] = got[i]
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// unmark takes the » out of a source and gives their places as line:column.
func unmark(marked string) (src string, places []string) {
	line, column := 1, 1
	for len(marked) > 0 {
		if rest, found := strings.CutPrefix(marked, "»"); found {
			places = append(places, fmt.Sprintf("%d:%d", line, column))
			marked = rest
			continue
		}
		_, size := utf8.DecodeRuneInString(marked)
		if column++; marked[0] == '\n' {
			line, column = line+1, 1
		}
		src, marked = src+marked[:size], marked[size:]
	}
	return src, places
}

func TestProblemsAreAllTold(t *testing.T) {
	var src strings.Builder
	src.WriteString("page: {name: x}\nmonitors:\n")
	for i := range 1000 {
		fmt.Fprintf(&src, "  - {id: m-%d, component: none, kind: tcp, interval: 5}\n", i)
	}
	problems := problemsOf(t, src.String(), options())
	if len(problems) != MaxProblems {
		t.Fatalf("%d problems, want %d", len(problems), MaxProblems)
	}
	if last := problems[MaxProblems-1]; !strings.Contains(last.Reason, "more problems are not listed") {
		t.Errorf("the last line is %v", last)
	}
}

func TestProblemErrorReadsWell(t *testing.T) {
	p := Problem{File: "evenkeel.yaml", Line: 3, Column: 7, Path: "page.url", Reason: "wrong", Hint: "mend it"}
	if got, want := p.Error(), "evenkeel.yaml:3:7: page.url: wrong (mend it)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestHostileFilesAreBounded feeds what exhausts careless readers.
func TestHostileFilesAreBounded(t *testing.T) {
	laughs := "page: {name: x}\nx-a: &a [l, l, l, l, l, l, l, l, l]\n"
	merges := "page: {name: x}\nx-a: &a {k: v}\n"
	for i := range 12 {
		this, last := string(rune('b'+i)), string(rune('a'+i))
		laughs += fmt.Sprintf("x-%s: &%s [%s]\n", this, this, strings.Repeat("*"+last+", ", 8)+"*"+last)
		merges += fmt.Sprintf("x-%s: &%s {<<: [%s]}\n", this, this, strings.Repeat("*"+last+", ", 8)+"*"+last)
	}
	for name, src := range map[string]string{
		"laughs in a list": laughs + "trusted_proxies: *m\n",
		"laughs in needs":  laughs + "components: [{id: a, needs: *m}]\n",
		"merges":           merges + "components: [*m]\n",
		"self":             "page: &a {name: x, uptime: *a}\n",
		"deep flow":        strings.Repeat("[", 1_000_000),
		"deep maps":        "page: " + strings.Repeat("{a: ", 100_000),
		"deep dashes":      strings.Repeat("- ", 1_000_000),
		"deep questions":   strings.Repeat("? ", 1_000_000),
		"long key":         strings.Repeat("k", 1<<20) + ": 1\n",
		"long value":       "page: {name: " + strings.Repeat("v", 1<<20) + "}\n",
		"many anchors":     strings.Repeat("&a ", 100_000),
		"too large":        strings.Repeat("#", MaxFileBytes+1),
		"many keys":        "page: {" + strings.Repeat("a: 1, ", 100_000) + "}\n",
		"deeply indented":  indented(2000),
		"nulls":            strings.Repeat("\x00", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			if problems := problemsOf(t, src, options()); len(problems.Error()) > 100_000 {
				t.Errorf("the answer has %d bytes", len(problems.Error()))
			}
		})
	}
}

// indented nests mappings by indentation.
func indented(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	f.Add(Starter())
	f.Add([]byte(minimal))
	f.Add([]byte("page: &a {name: x, <<: *a}\ncomponents: [*a, {<<: [*a, *a]}]\n"))
	f.Add([]byte("? [a, {b: c}]\n: - - - d\n"))
	f.Add([]byte("a: !!binary x\nb: !<tag:x> |2-\n   y\n"))
	f.Add([]byte("%YAML 1.2\n---\n\"\\x41\": 'it''s'\n...\n"))
	f.Add([]byte("maintenance: [{from: 2026-11-22T05:00, to: .inf, duration: 1h30m}]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		_, err := Parse("evenkeel.yaml", src, options())
		if err == nil {
			return
		}
		problems, ok := errors.AsType[Problems](err)
		if !ok {
			t.Fatalf("an error that is no list of problems: %v", err)
		}
		if len(problems) == 0 || len(problems) > MaxProblems {
			t.Fatalf("%d problems", len(problems))
		}
		for i, p := range problems {
			if p.Reason == "" || strings.Contains(p.Error(), "\n") {
				t.Fatalf("problem %d does not read well: %q", i, p.Error())
			}
			if i > 0 && p.File == problems[i-1].File && p.Line < problems[i-1].Line {
				t.Fatalf("problems are not sorted by line: %v", problems)
			}
		}
	})
}
