package monitors

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/problem"
)

func condition(t testing.TB, text string) *Condition {
	t.Helper()
	env := NewEnv(Env{})
	c, err := env.Condition("expect.condition", text, httpAnswer{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

func TestConditionHoldsOrSaysWhatItLookedAt(t *testing.T) {
	var body any
	if err := json.Unmarshal([]byte(`{"ok":true,"queue":12,"parts":[{"up":true},{"up":false}]}`), &body); err != nil {
		t.Fatal(err)
	}
	answer := httpAnswer{Status: 200, Latency: 120.5, Body: body, Text: "text", Header: map[string]string{"x-node": "a1"}, TLS: "TLS 1.3", CertDays: 40}
	for text, want := range map[string]string{
		`status == 200 && latency < 300 && body.ok`:              "",
		`status in 200..299 and header["x-node"] matches "^a"`:   "",
		`any(body.parts, .up) && count(body.parts, #.up) == 1`:   "",
		`body.queue <= 12 && cert_days > 14 && tls == "TLS 1.3"`: "",
		`body.absent == nil`:        "",
		`status == 201`:             `the condition "status == 201" does not hold: status is 200`,
		`latency < 100 || !body.ok`: "does not hold: latency is 120.5",
		`body.queue.deep > 1`:       "cannot be evaluated",
		`all(body.parts, .up)`:      "does not hold",
	} {
		got := condition(t, text).failure(answer)
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	var none *Condition
	if got := none.failure(answer); got != "" {
		t.Errorf("no condition: %q", got)
	}
}

func TestConditionProblemsNameTokenAndPosition(t *testing.T) {
	env := NewEnv(Env{})
	for text, want := range map[string]string{
		`status == 200 && latencie < 5`:              `line 1, column 18, at "latencie": unknown name latencie`,
		`status == "200"`:                            `line 1, column 8, at "==": invalid operation: == (mismatched types int and string)`,
		"status == 200 &&\n  latency <":              `line 2`,
		`status`:                                     "expected bool, but got int",
		`reduce(1..60, #acc + #acc, "x") == ""`:      "there is no function reduce",
		`repeat(text, 100000) == ""`:                 "there is no function repeat",
		`any(body.a, any(#.b, # > 1))`:               "a loop inside a loop",
		strings.Repeat("1 == 1 && ", 300) + "1 == 1": "longer than",
		strings.Repeat("(1==1)&&", 200) + "1==1":     "exceeds",
	} {
		c, err := env.Condition("expect.condition", text, httpAnswer{})
		if problem.KindOf(err) != problem.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want a problem with %q", text, c, err, want)
		}
	}
	if c, err := env.Condition("expect.condition", "  ", httpAnswer{}); c != nil || err != nil {
		t.Errorf("an empty condition: %v, %v", c, err)
	}
}

func TestConditionMemoryIsBounded(t *testing.T) {
	c := condition(t, `len(filter(1..1000000000, # > 0)) > 0`)
	if why := c.failure(httpAnswer{}); !strings.Contains(why, "cannot be evaluated") {
		t.Errorf("a range of a thousand million: %q", why)
	}
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{`status == 200`, `body.a[0].b ?? false`, `len(text) > 3 || "x" in header`, `any(body, # == 1)`, `text matches "("`, "let x = 1; x == 1", `date(text) > now()`} {
		f.Add(s, `{"a":[{"b":true}]}`)
	}
	env := NewEnv(Env{})
	f.Fuzz(func(t *testing.T, text, body string) {
		c, err := env.Condition("expect.condition", text, httpAnswer{})
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		a := httpAnswer{Status: 200, Text: body, Header: map[string]string{}}
		if document, err := decodeJSON([]byte(body)); err == nil {
			a.Body = document
		}
		if why := c.failure(a); len(why) > 16<<10 {
			t.Fatalf("a reason of %d bytes", len(why))
		}
	})
}

func TestStatusSet(t *testing.T) {
	for text, codes := range map[string]struct{ in, out []int }{
		"200":          {[]int{200}, []int{201, 199}},
		"2xx":          {[]int{200, 299}, []int{199, 300}},
		"3XX":          {[]int{304}, []int{200}},
		"200-204, 401": {[]int{200, 204, 401}, []int{205, 400}},
	} {
		s, err := parseStatusSet("expect.status", strings.Split(text, ","))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range codes.in {
			if !s.has(c) {
				t.Errorf("%s does not have %d", text, c)
			}
		}
		for _, c := range codes.out {
			if s.has(c) {
				t.Errorf("%s has %d", text, c)
			}
		}
	}
	for _, bad := range []string{"", "0xx", "6xx", "20", "299-200", "200-", "-200", "1e2", "200-700", "abc"} {
		if _, err := parseStatusSet("expect.status", []string{bad}); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzStatusSet(f *testing.F) {
	for _, s := range []string{"2xx", "200-299", "404", "xxx", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseStatusSet("expect.status", []string{text})
		if err != nil {
			return
		}
		for code := range 700 {
			if s.has(code) && (code < 100 || code > 599) {
				t.Fatalf("%q has %d", text, code)
			}
		}
	})
}

func TestJSONPathRefusesWhatCouldGrow(t *testing.T) {
	for path, ok := range map[string]bool{
		"$.a.b[0]": true, "$..name": true, "$.list[*].id": true, "$.list[?(@.id == 'a')].name": true, "$['a b']": true, "a": true,
		"": false, "$..a..b": false, "$.a[?(@..x == 1)]": false, "$..[?(@.a)].*": false, "$[": false, "$.a[?(": false,
		strings.Repeat("a.", 200): false,
	} {
		if _, err := parseJSONPath(path); (err == nil) != ok {
			t.Errorf("%s: %v, want allowed %v", path, err, ok)
		}
	}
}

func TestJSONPathStaysQuickOnLargeDocuments(t *testing.T) {
	document, err := decodeJSON([]byte("[" + strings.Repeat(`{"a":[1]},`, 40_000) + `{"b":{"deep":"here"}}]`))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for path, want := range map[string]string{"$..deep": "here", "$[*].b.deep": "here", "$[?(@.b)].b.deep": "here"} {
		test, err := compileJSONTest("expect.json", path, want)
		if err != nil {
			t.Fatal(err)
		}
		if why := test.failure(document); why != "" {
			t.Errorf("%s: %s", path, why)
		}
	}
	t.Logf("three lookups in 120,000 values took %s", time.Since(begin))
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	if _, err := decodeJSON([]byte(deep)); err == nil {
		t.Error("a document 20,000 levels deep was read")
	}
}

func FuzzJSONPath(f *testing.F) {
	for _, s := range []string{"$.a", "$..b", "$[?(@.a > 1)]", "$[1:3]", "$['x','y']", "$.a[(@.length-1)]", "[", "$[?(@.a =~ /x/)]", "$.a[?length(@.b) == 1]"} {
		f.Add(s, `{"a":[1,{"b":"x"}],"b":null}`, "1")
	}
	f.Fuzz(func(t *testing.T, path, document, want string) {
		test, err := compileJSONTest("expect.json", path, want)
		if err != nil {
			if problem.KindOf(err) != problem.KindInvalid {
				t.Fatalf("%q: %v", path, err)
			}
			return
		}
		v, err := decodeJSON([]byte(document))
		if err != nil {
			return
		}
		if why := test.failure(v); len(why) > 4<<10 {
			t.Fatalf("a reason of %d bytes", len(why))
		}
	})
}

func TestPrintableIsSafeAndBounded(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                     "plain",
		"two\r\nlines":              "two  lines",
		"\x1b[31mred\x1b[0m\x00":    "[31mred[0m",
		"bad \xff byte":             "bad � byte",
		"\u202eright to left\u2066": "right to left",
		strings.Repeat("é", 400):    strings.Repeat("é", 98) + "…",
	} {
		if got := printable(in, 200); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("héllo\n", 10)
	f.Add(strings.Repeat("\xff", 50), 8)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 8 || limit > 1000 {
			return
		}
		if got := printable(text, limit); len(got) > limit || strings.ContainsAny(got, "\r\n\x00\x1b") {
			t.Fatalf("printable(%q, %d) = %q", text, limit, got)
		}
	})
}
