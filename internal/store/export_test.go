package store

import (
	"context"
	"fmt"

	"evenkeel/internal/access"
)

// LimitPages makes SQLite believe that the disk is full after n pages beyond
// those in use.
func (s *Store) LimitPages(ctx context.Context, n int) error {
	return s.run(ctx, access.Hub, func(t *tx) error {
		var used, limit int
		if err := t.one(`pragma page_count`, nil, &used); err != nil {
			return err
		}
		return t.one(fmt.Sprintf(`pragma max_page_count = %d`, used+n), nil, &limit)
	})
}
