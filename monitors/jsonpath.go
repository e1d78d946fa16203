package monitors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/ohler55/ojg/jp"

	"evenkeel/internal/problem"
)

// Limits of JSON answers and the paths into them.
const (
	maxJSONValues = 200_000 // commas and brackets of a document, roughly its values
	maxJSONPath   = 200     // bytes of a path
	maxJSONText   = 4 << 10 // bytes of a value that is compared or matched
)

// jsonTest is one entry of expect.json.
type jsonTest struct {
	text    string // the path as the file has it
	path    jp.Expr
	want    string
	pattern *regexp.Regexp // instead of want
}

// compileJSONTest reads a path and what should be there: a value, or ~ and a
// regular expression. Errors: Invalid.
func compileJSONTest(field, path, want string) (jsonTest, error) {
	expr, err := parseJSONPath(path)
	if err != nil {
		return jsonTest{}, problem.Invalid(field, "%q: %v", path, err)
	}
	t := jsonTest{text: path, path: expr, want: want}
	if pattern, ok := strings.CutPrefix(want, "~"); ok {
		if t.pattern, err = compilePattern(field, pattern); err != nil {
			return jsonTest{}, err
		}
	}
	return t, nil
}

// parseJSONPath reads a path (RFC 9535, as far as ojg has it). The answer comes
// from a stranger, so paths whose work could grow faster than the document are
// refused: two descents, or one inside a filter.
func parseJSONPath(text string) (expr jp.Expr, err error) {
	if len(text) > maxJSONPath {
		return nil, fmt.Errorf("the path is longer than %d bytes", maxJSONPath)
	}
	defer func() { // the parser indexes past the end of some malformed paths
		if v := recover(); v != nil {
			expr, err = nil, fmt.Errorf("not a JSON path: %v", v)
		}
	}()
	expr, err = jp.ParseString(text)
	if err != nil {
		return nil, fmt.Errorf("not a JSON path: %w", err)
	}
	if len(expr) == 0 {
		return nil, fmt.Errorf("the path is empty")
	}
	descents, filters := 0, 0
	for _, frag := range expr {
		switch frag.(type) {
		case jp.Descent:
			descents++
		case *jp.Filter:
			filters++
		case *jp.Proc:
			return nil, fmt.Errorf("procedures are not allowed in a path")
		}
	}
	if descents > 1 || filters > 1 || (filters == 1 && (strings.Count(text, "..") > descents || strings.Count(text, "*") > 0 && descents > 0)) {
		return nil, fmt.Errorf("the path may descend (..) once and filter once, and not both in each other")
	}
	return expr, nil
}

// failure says why the document does not hold what is wanted, "" when it does.
func (t jsonTest) failure(document any) (why string) {
	defer func() { // ojg panics on some documents that a filter does not fit
		if v := recover(); v != nil {
			why = fmt.Sprintf("%s cannot be looked up: %v", t.text, v)
		}
	}()
	if !t.path.Has(document) {
		return t.text + " is missing"
	}
	got := jsonText(t.path.First(document))
	switch {
	case t.pattern != nil && !t.pattern.MatchString(got):
		return t.text + " is " + quote(got) + ", want a match of " + quote(t.pattern.String())
	case t.pattern == nil && got != t.want:
		return t.text + " is " + quote(got) + ", want " + quote(t.want)
	}
	return ""
}

// jsonText writes a value as the file would: strings bare, the rest as JSON.
func jsonText(v any) string {
	switch v := v.(type) {
	case string:
		return v[:min(len(v), maxJSONText)]
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b[:min(len(b), maxJSONText)])
}

// decodeJSON reads one document of bounded size.
func decodeJSON(text []byte) (any, error) {
	if n := bytes.Count(text, []byte{','}) + bytes.Count(text, []byte{'{'}) + bytes.Count(text, []byte{'['}); n > maxJSONValues {
		return nil, fmt.Errorf("it has more than %d values", maxJSONValues)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	return v, nil
}
