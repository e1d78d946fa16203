package store_test

import (
	"testing"
	"time"

	"evenkeel/internal/status/statustest"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

// TestStoreKeepsTheDesk runs the suite of the desk's store on both engines, and
// on the one in memory that the wing's own tests stand on.
func TestStoreKeepsTheDesk(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Desk(t, func(tb testing.TB) storetest.DeskRecord { return open(tb) })
	})
	t.Run("memory", func(t *testing.T) {
		storetest.Desk(t, func(testing.TB) storetest.DeskRecord { return statustest.New(time.Now) })
	})
}
