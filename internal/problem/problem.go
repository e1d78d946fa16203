// Package problem is the one error type of the house: a machine kind and a
// sentence for the person. It knows nothing of HTTP, SQL or YAML; one place in
// web turns a kind into a status code, and everything foreign is Internal.
package problem

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of trouble an error is, so that callers decide by kind
// and never by text.
type Kind string

// The kinds. Anything that is not an *Error counts as Internal.
const (
	KindInvalid         Kind = "invalid"         // the input is wrong; saying it again will not help
	KindNotFound        Kind = "not_found"       // the thing named does not exist (or not for you)
	KindConflict        Kind = "conflict"        // somebody was first; read again and decide again
	KindForbidden       Kind = "forbidden"       // known, but not allowed
	KindUnauthenticated Kind = "unauthenticated" // not known
	KindTooMany         Kind = "too_many"        // a limit with a name was reached
	KindUnavailable     Kind = "unavailable"     // something we need is away; trying later helps
	KindInternal        Kind = "internal"        // ours to fix
)

// Error carries a kind, a public sentence, and the private cause.
// Msg is written for the person who acts; Err is for the log alone.
type Error struct {
	Kind  Kind
	Msg   string
	Field string // the input field at fault, dotted, where there is one
	Err   error
}

// Error gives the full text, cause included: for logs, never for a visitor.
func (e *Error) Error() string {
	s := e.Msg
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Err != nil {
		s = strings.TrimSuffix(s, ".") + ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether trying the same thing later may help.
func (e *Error) Temporary() bool { return e.Kind == KindUnavailable || e.Kind == KindTooMany }

// Invalid reports a wrong input field with a sentence that says what to do.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Field: field, Msg: fmt.Sprintf(format, args...)}
}

// NotFound reports that the thing named does not exist.
func NotFound(format string, args ...any) *Error {
	return &Error{Kind: KindNotFound, Msg: fmt.Sprintf(format, args...)}
}

// Conflict reports that somebody else changed the thing first.
func Conflict(format string, args ...any) *Error {
	return &Error{Kind: KindConflict, Msg: fmt.Sprintf(format, args...)}
}

// Forbidden reports that a known actor may not do this.
func Forbidden(format string, args ...any) *Error {
	return &Error{Kind: KindForbidden, Msg: fmt.Sprintf(format, args...)}
}

// Unauthenticated reports that nobody we know is asking.
func Unauthenticated(format string, args ...any) *Error {
	return &Error{Kind: KindUnauthenticated, Msg: fmt.Sprintf(format, args...)}
}

// TooMany reports that a named limit was reached.
func TooMany(format string, args ...any) *Error {
	return &Error{Kind: KindTooMany, Msg: fmt.Sprintf(format, args...)}
}

// Unavailable reports that something we depend on is away; err is the cause.
func Unavailable(err error, format string, args ...any) *Error {
	return &Error{Kind: KindUnavailable, Msg: fmt.Sprintf(format, args...), Err: err}
}

// Internal wraps a cause that is ours to fix.
func Internal(err error, format string, args ...any) *Error {
	return &Error{Kind: KindInternal, Msg: fmt.Sprintf(format, args...), Err: err}
}

// Errors is several problems found together, so that a person mends them in one go.
type Errors []*Error

// Error lists the problems, one a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Err gives nil when the list is empty, else the list.
func (es Errors) Err() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

// KindOf tells the kind of any error: nil is "", a list is Invalid, a foreign error is Internal.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if _, ok := errors.AsType[Errors](err); ok {
		return KindInvalid
	}
	return KindInternal
}

// Public gives the sentence that may be shown to the person who asked.
// Foreign errors give a neutral sentence: their text stays in the log.
func Public(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind != KindInternal {
		return e.Msg
	}
	if es, ok := errors.AsType[Errors](err); ok {
		return es.Error()
	}
	return "Something went wrong on our side."
}

// Wrap adds what was being tried to *err when it is set; for use in a defer at
// the top of functions that touch the outside: defer problem.Wrap(&err, "store: claim %s", name).
func Wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
	}
}
