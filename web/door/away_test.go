package door_test

import (
	"context"

	"evenkeel/internal/people"
)

// awayStore is a record whose sessions cannot be read.
type awayStore struct {
	people.Store
	err error
}

// Session fails.
func (s *awayStore) Session(context.Context, []byte) (people.Session, error) {
	return people.Session{}, s.err
}
