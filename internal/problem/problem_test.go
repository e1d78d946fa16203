package problem

import (
	"errors"
	"testing"
)

func TestErrorJoinsSentenceAndCause(t *testing.T) {
	err := Unavailable(errors.New("permission denied"), "The data folder %s cannot be made.", "data")
	if got, want := err.Error(), "The data folder data cannot be made: permission denied"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Public(err), "The data folder data cannot be made."; got != want {
		t.Errorf("public text %q, want %q", got, want)
	}
	if got, want := Invalid("from", "The start must lie before the end.").Error(), "from: The start must lie before the end."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestForeignErrorsStayPrivate(t *testing.T) {
	err := errors.New("dial tcp 192.0.2.1:5432")
	if KindOf(err) != KindInternal || Public(err) != "Something went wrong on our side." {
		t.Errorf("kind %q, public text %q", KindOf(err), Public(err))
	}
	if KindOf(nil) != "" || KindOf(Errors{Invalid("a", "b")}) != KindInvalid {
		t.Error("nil has no kind, a list is invalid")
	}
}
