package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"evenkeel/internal/problem"
)

// Field is one field of a form, for the template of that name.
type Field struct {
	Kind     string // text (default), area, code, select, check, checks, radios, or a type of input
	Name     string
	Label    string
	Value    string
	Hint     string
	Error    string
	Place    string // shown while it is empty
	List     string // id of a datalist
	Auto     string // autocomplete
	Rows     int
	Options  []Option
	Required bool
	Optional bool // says so beside the label
	Focus    bool
	Locked   bool
	Span     bool // takes the whole width of a form of several columns
}

// Option is one choice of a select, of checks or of radios.
type Option struct {
	Value, Word, Hint string
	On                bool
}

// Tab is one filter as a link.
type Tab struct {
	Word, Path, Count string
	Here              bool
}

// Pager says where one is in a long list.
type Pager struct{ Before, After, Words string }

// faults are the problems of a form: those of fields by name, and the rest.
type faults struct {
	fields map[string]string
	rest   []string
}

// faultsOf sorts an Invalid error by field; ok is false for any other error,
// which is answered as a page. A Conflict is told above the form, so that what
// was typed is not lost.
func faultsOf(err error) (f faults, ok bool) {
	f.fields = map[string]string{}
	var list problem.Errors
	if many, is := errors.AsType[problem.Errors](err); is {
		list = many
	} else if one, is := errors.AsType[*problem.Error](err); is && (one.Kind == problem.KindInvalid || one.Kind == problem.KindConflict) {
		list = problem.Errors{one}
	} else {
		return faults{}, false
	}
	for _, e := range list {
		if e.Field == "" || f.fields[e.Field] != "" {
			f.rest = append(f.rest, e.Msg)
			continue
		}
		f.fields[e.Field] = e.Msg
	}
	return f, true
}

// of takes the fault of a field by any of its names, so that what is left can
// be told above the form.
func (f faults) of(names ...string) string {
	for _, name := range names {
		for field, msg := range f.fields {
			if field == name || strings.HasSuffix(field, "."+name) {
				delete(f.fields, field)
				return msg
			}
		}
	}
	return ""
}

// left gives what no field took.
func (f faults) left() []string {
	out := f.rest
	for field, msg := range f.fields {
		out = append(out, field+": "+msg)
	}
	return out
}

// formOf reads what was posted. Errors: Invalid.
func formOf(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, problem.Invalid("", "The form could not be read, or is longer than %d kB.", MaxForm>>10)
	}
	return r.PostForm, nil
}

// with gives an address with one value of its query changed; "" takes it away.
func with(u *url.URL, pairs ...string) string {
	q := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return u.Path
	}
	return u.Path + "?" + q.Encode()
}
