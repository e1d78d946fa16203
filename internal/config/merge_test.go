package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const estate = `
page: {name: Example Ltd, time_zone: Europe/Berlin}
groups:
  - {id: core}
components:
  - {id: shop, group: core}
  - id: db
monitors:
  - {id: shop-http, component: shop, kind: http, url: https://example.org}
sentinels:
  - {id: outside, kind: icmp, target: 192.0.2.1}
maintenance:
  - {id: move, components: [db], from: 2026-11-22T05:00, to: 2026-11-22T06:00}
`

func group(id, text string) Document     { return Document{Kind: KindGroup, ID: id, Text: text} }
func component(id, text string) Document { return Document{Kind: KindComponent, ID: id, Text: text} }
func monitor(id, text string) Document   { return Document{Kind: KindMonitor, ID: id, Text: text} }

// consoleOptions know the kinds that the console may not have as well.
func consoleOptions() Options {
	return Options{Kinds: []string{"http", "grpc", "icmp", "exec", "mongodb", "heartbeat"}, Unseal: unsealer, Environ: []string{"PROBE_TOKEN=abcdef"}}
}

// sealer seals by writing the purpose beside the secret, and opens for that purpose alone.
func sealer(purpose string, plain []byte) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(purpose + "|" + string(plain))), nil
}

func unsealer(purpose, sealed string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	plain, ok := strings.CutPrefix(string(b), purpose+"|")
	if err != nil || !ok {
		return nil, errors.New("sealed for something else")
	}
	return []byte(plain), nil
}

func merged(t *testing.T, docs ...Document) (File, Problems) {
	t.Helper()
	f, err := Parse("/etc/evenkeel/evenkeel.yaml", []byte(estate), consoleOptions())
	if err != nil {
		t.Fatal(err)
	}
	return Merge(f, docs, consoleOptions())
}

func TestMergeAddsDocumentsToTheFile(t *testing.T) {
	f, problems := merged(t,
		group("edge", "id: edge\nname: The edge\n"),
		component("mail", "id: mail\ngroup: edge # a comment\nneeds: [db]\n"),
		monitor("mail-http", "id: mail-http\ncomponent: mail\nkind: http\nurl: https://mail.example.org\nschedule: {every: 1m}\n"),
		monitor("more", "{id: more, component: shop, kind: http, url: https://example.org/more, headers: {X-Trace: '1'}}"),
	)
	if problems != nil {
		t.Fatal(problems)
	}
	if len(f.Groups) != 2 || len(f.Components) != 3 || len(f.Monitors) != 3 {
		t.Fatalf("%d groups, %d components, %d monitors", len(f.Groups), len(f.Components), len(f.Monitors))
	}
	m := f.Monitors[1]
	if m.Interval != DefaultInterval || m.Name != "mail-http" || !*m.Public || m.Schedule.Zone != "Europe/Berlin" {
		t.Errorf("without the defaults of the file: %+v", m)
	}
	if f.Components[2].Publish != "auto" {
		t.Errorf("%+v", f.Components[2])
	}
	if !f.Made(KindMonitor, "more") || f.Made(KindMonitor, "shop-http") || f.Settings().Made(KindMonitor, "more") {
		t.Error("what was made in the console is not told from the file")
	}
}

func TestFileTellsWhereItDefinesThings(t *testing.T) {
	f, problems := merged(t, component("mail", "id: mail\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	for what, line := range map[[2]string]int{
		{KindGroup, "core"}: 4, {KindComponent, "shop"}: 6, {KindComponent, "db"}: 7, {KindMonitor, "shop-http"}: 9,
		{KindMonitor, "outside"}: 11, {KindWindow, "move"}: 13, {KindComponent, "mail"}: 0, {KindMonitor, "shop"}: 0, {"", ""}: 0,
	} {
		for _, f := range []File{f, f.Settings()} {
			p, ok := f.Place(what[0], what[1])
			if ok != (line > 0) || p.Line != line || ok && p.File != "/etc/evenkeel/evenkeel.yaml" {
				t.Errorf("%v is at %+v, %t, want line %d", what, p, ok, line)
			}
		}
	}
	if _, ok := (File{}).Place(KindGroup, "core"); ok {
		t.Error("a file that was not read from text tells places")
	}
}

// TestMergeTellsEveryProblemAtOnce: each with the document as its place.
func TestMergeTellsEveryProblemAtOnce(t *testing.T) {
	_, problems := merged(t,
		component("shop", "id: shop\n"),                                  // the file's
		component("mail", "id: post\nneeds: [nope]\ncolour: red\n"),      // three
		monitor("m", "id: m\ncomponent: nope\nkind: http\nurl: ftp//\n"), // no such component
		monitor("n", "id: n\n\tcomponent: db\n"),                         // no YAML
		monitor("o", "- id: o\n"),                                        // no mapping
		monitor("p", ""),                                                 // nothing
		monitor("outside", "id: outside\ncomponent: db\nkind: http\nurl: https://example.org\n"), // a sentinel's
		Document{Kind: "sentinel", ID: "s", Text: "id: s\n"},
	)
	told := problems.Error()
	for _, want := range []string{
		"component shop:1:1: shop is defined in /etc/evenkeel/evenkeel.yaml, line 6 (change it there, or choose another id)",
		"monitor outside:1:1: outside is defined in /etc/evenkeel/evenkeel.yaml, line 11",
		`component mail:1:5: id: the id is post here and mail outside`,
		`component mail:2:9: components[2].needs[0]: there is no component "nope"`,
		`component mail:3:1: colour: unknown key`,
		`monitor m:2:12: monitors[1].component: there is no component "nope"`,
		"monitor n:2:1: a tab indents this line",
		"monitor o:1:1: the definition must hold keys and values at the top (write key: value, one a line)",
		"monitor p:1:1: the definition is empty",
		`sentinel s:1:1: "sentinel" is nothing that can be defined here`,
	} {
		if !strings.Contains(told, want) {
			t.Errorf("does not tell %q:\n%s", want, told)
		}
	}
	for _, p := range problems {
		if strings.HasPrefix(p.File, "/etc") {
			t.Errorf("the file is blamed: %v", p)
		}
	}
}

// TestConsoleMayNotReachTheHubsMachine: no programs, no files, no environment, no
// secrets in the clear.
func TestConsoleMayNotReachTheHubsMachine(t *testing.T) {
	base := "id: m\ncomponent: db\nkind: http\nurl: https://example.org\n"
	for _, c := range []struct{ name, text, path, reason string }{
		{"a program", "id: m\ncomponent: db\nkind: exec\ncommand: [/bin/sh]\n", "kind", "programs of the hub's machine are not run"},
		{"a file as body", base + "body_file: /etc/passwd\n", "body_file", "files of the hub's machine are not read"},
		{"a certificate file", base + "tls: {ca_file: /etc/passwd}\n", "tls.ca_file", "files of the hub's machine are not read"},
		{"a key file", base + "tls: {key_file: /etc/passwd, cert_file: x}\n", "tls.key_file", "files of the hub's machine are not read"},
		{"a secret file", base + "auth: {bearer: {file: /etc/shadow}}\n", "auth.bearer", "files of the hub's machine are not read"},
		{"a variable", base + "auth: {bearer: {env: EVENKEEL_DATABASE_URL}}\n", "auth.bearer", "the variable EVENKEEL_DATABASE_URL is not for probes"},
		{"a variable in a header", base + "headers: {X-Auth: '${HOME}'}\n", "headers.X-Auth", "the variable HOME is not for probes"},
		{"a plain secret", base + "auth: {bearer: hunter2}\n", "auth.bearer", "a secret is not kept in the clear"},
		{"a password in a URL", strings.Replace(base, "https://", "https://me:hunter2@", 1), "url", "a password in a URL would be kept in the clear"},
		{"a password in a proxy", base + "proxy: http://me:hunter2@proxy.example.org:3128\n", "proxy", "a password in a URL would be kept in the clear"},
		{"a password among several hosts", "id: m\ncomponent: db\nkind: mongodb\nurl: mongodb://me:hunter2@a:1,b:2/\n", "url", "a password in a URL would be kept in the clear"},
		{"a secret header", base + "headers: {Authorization: Bearer hunter2}\n", "headers.Authorization", "this header would be kept in the clear"},
		{"a foreign seal", base + "auth: {bearer: {sealed: eHx5}}\n", "auth.bearer", "it was sealed for another target"},
		{"an anchor", "id: &x m\ncomponent: db\nname: *x\nkind: http\n", "", "anchors and aliases are not used"},
		{"too much", base + "body: " + strings.Repeat("x", MaxDocumentBytes), "", "longer than 16384 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := merged(t, monitor("m", c.text))
			found := false
			for _, p := range problems {
				found = found || p.Path == c.path && strings.Contains(p.Reason, c.reason)
			}
			if !found {
				t.Errorf("want %q at %q, got\n%v", c.reason, c.path, problems)
			}
			if strings.Contains(problems.Error(), "hunter2") {
				t.Errorf("the secret is repeated: %v", problems)
			}
			if strings.Contains(problems.Error(), "no such file") || strings.Contains(problems.Error(), "permission") {
				t.Errorf("it was looked whether the file is there: %v", problems)
			}
		})
	}
	f, problems := merged(t, monitor("m", base+"auth: {bearer: {env: PROBE_TOKEN}}\nheaders: {X-Auth: 'x ${PROBE_TOKEN}'}\n"))
	if problems != nil || f.Monitors[1].Auth.Bearer.Env != "PROBE_TOKEN" {
		t.Errorf("a variable for probes: %v", problems)
	}
}

// TestSealedSecretsAreBoundToTheirTarget: what is kept is sealed, opens in memory
// alone, and for no other monitor and no other target.
func TestSealedSecretsAreBoundToTheirTarget(t *testing.T) {
	doc := monitor("m", "id: m # the door\ncomponent: db\nkind: http\nurl: https://example.org\nauth:\n  # who we are\n  username: me\n  password: hunter2\n")
	sealed, err := Seal(doc, sealer)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed.Text, "hunter2") || !strings.Contains(sealed.Text, "# the door") || !strings.Contains(sealed.Text, "# who we are") {
		t.Fatalf("sealed as\n%s", sealed.Text)
	}
	if again, err := Seal(sealed, sealer); err != nil || again != sealed {
		t.Errorf("sealed twice: %v\n%s", err, again.Text)
	}
	f, problems := merged(t, sealed)
	if problems != nil {
		t.Fatal(problems)
	}
	if got := f.Monitors[1].Auth.Password; got != (Secret{Plain: "hunter2"}) {
		t.Errorf("opened as %#v", got)
	}
	for name, change := range map[string][2]string{
		"another target":   {"https://example.org", "https://evil.example.net"},
		"a proxy":          {"kind: http", "kind: http\nproxy: http://evil.example.net:3128"},
		"a resolver":       {"kind: http", "kind: http\nresolver: 192.0.2.66:53"},
		"no certificate":   {"kind: http", "kind: http\ntls: {insecure: true}"},
		"another host":     {"kind: http", "kind: http\nhost: evil.example.net"},
		"another protocol": {"kind: http", "kind: grpc"},
	} {
		stolen := sealed
		stolen.Text = strings.Replace(stolen.Text, change[0], change[1], 1)
		if _, problems := merged(t, stolen); !strings.Contains(problems.Error(), "write the secret again") {
			t.Errorf("%s: %v", name, problems)
		}
	}
	stolen := monitor("mine", strings.Replace(sealed.Text, "id: m ", "id: mine ", 1))
	if _, problems := merged(t, stolen); !strings.Contains(problems.Error(), "write the secret again") {
		t.Errorf("another monitor: %v", problems)
	}
	if _, err := Seal(doc, func(string, []byte) (string, error) { return "", errors.New("no key") }); err == nil {
		t.Error("a secret that could not be sealed was let through")
	}
	for _, d := range []Document{component("c", "id: c\n"), monitor("m", "id: [\n"), monitor("m", "id: m\nnope: 1\n")} {
		if got, err := Seal(d, sealer); err != nil || got != d {
			t.Errorf("%q became %q, %v", d.Text, got.Text, err)
		}
	}
}

// TestFitSetsAsideWhatTheFileLeftBehind: the file is never held up by what was
// made in the console.
func TestFitSetsAsideWhatTheFileLeftBehind(t *testing.T) {
	f, err := Parse("evenkeel.yaml", []byte(estate), consoleOptions())
	if err != nil {
		t.Fatal(err)
	}
	docs := []Document{
		component("shop", "id: shop\n"),                                                                // the file defines it now
		component("mail", "id: mail\nneeds: [gone]\n"),                                                 // needs what is gone
		monitor("mail-http", "id: mail-http\ncomponent: mail\nkind: http\nurl: https://example.org\n"), // of that
		component("well", "id: well\n"),
		component("a", "id: a\nneeds: [b]\n"), component("b", "id: b\nneeds: [a]\n"), // a circle: one of them gives way, then the other
	}
	got, aside := Fit(f, docs, consoleOptions())
	var names []string
	for _, m := range aside {
		names = append(names, m.Name())
		if len(m.Problems) == 0 {
			t.Errorf("%s was set aside without a reason", m.Name())
		}
	}
	told := fmt.Sprint(names)
	for _, want := range []string{"component shop", "component mail", "monitor mail-http"} {
		if !strings.Contains(told, want) {
			t.Errorf("%s was not set aside: %s", want, told)
		}
	}
	if !got.Made(KindComponent, "well") || got.Made(KindComponent, "mail") || len(got.Monitors) != 1 {
		t.Errorf("what fits: %v", got.made)
	}
	if all, aside := Fit(f, nil, consoleOptions()); len(aside) != 0 || len(all.Components) != 2 {
		t.Error("nothing to fit")
	}
}

// FuzzDocument: whatever is written as a definition, it is refused with a place
// or it fits, it never harms what the file says, and no secret is repeated.
func FuzzDocument(f *testing.F) {
	for _, text := range []string{
		"id: m\ncomponent: db\nkind: http\nurl: https://example.org\nauth: {bearer: hunter2-secret}\n",
		"id: m\nkind: exec\ncommand: [/bin/true]\n", "{id: m}", "- a", "id: &a m\nname: *a", "<<: {id: m}", "id: m\nheaders: {X: ${HOME}}", "\xff", "id: m\n---\nid: n",
	} {
		for kind := range uint8(3) {
			f.Add(kind, "m", text)
		}
	}
	file, err := Parse("evenkeel.yaml", []byte(estate), consoleOptions())
	if err != nil {
		f.Fatal(err)
	}
	o := consoleOptions()
	f.Fuzz(func(t *testing.T, kind uint8, id, text string) {
		doc := Document{Kind: listed[kind%3].kind, ID: id, Text: text}
		sealed, err := Seal(doc, sealer)
		if err != nil {
			t.Fatalf("seal: %v", err)
		}
		merged, problems := Merge(file, []Document{sealed}, o)
		if len(file.Components) != 2 || len(file.Monitors) != 1 || len(file.Groups) != 1 {
			t.Fatal("the file was changed")
		}
		if problems == nil {
			n := len(merged.Components) + len(merged.Monitors) + len(merged.Groups)
			if n != 5 || !isID(id) {
				t.Fatalf("%q fits and makes %d things", id, n)
			}
			if kind%3 == 2 {
				if m := merged.Monitors[1]; m.Kind == "exec" || m.BodyFile != "" || m.TLS.CAFile != "" || m.Auth.Password.File != "" {
					t.Fatalf("%+v", m)
				}
			}
			return
		}
		for _, p := range problems {
			if p.File == "" || p.Line < 1 || p.Column < 1 {
				t.Fatalf("without a place: %+v", p)
			}
			if strings.Contains(text, "hunter2-secret") && strings.Contains(p.Error(), "hunter2-secret") && strings.Contains(text, "bearer: hunter2-secret}") {
				t.Fatalf("a secret is repeated: %v", p)
			}
		}
		if fit, aside := Fit(file, []Document{sealed}, o); len(aside) != 1 || len(fit.Components) != 2 {
			t.Fatalf("%d set aside of one that does not fit", len(aside))
		}
	})
}
