package store_test

import (
	"testing"

	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

func TestStoreKeepsReplies(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Replies(t, func(tb testing.TB) storetest.ReplyRecord { return open(tb) })
	})
}
