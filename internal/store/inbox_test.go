package store_test

import (
	"testing"

	"evenkeel/internal/inbox/inboxtest"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

// Promise 5 of the design: a mail is never lost, and never kept twice.
func TestStoreKeepsTheInbox(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Inbox(t, func(tb testing.TB) storetest.InboxRecord { return open(tb) })
	})
	t.Run("memory", func(t *testing.T) {
		storetest.Inbox(t, func(testing.TB) storetest.InboxRecord { return inboxtest.New() })
	})
}
