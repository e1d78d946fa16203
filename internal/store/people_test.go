package store_test

import (
	"testing"

	"evenkeel/internal/people/peopletest"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

func TestStoreKeepsPeople(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.People(t, func(tb testing.TB) storetest.Accounts { return open(tb) })
	})
	t.Run("memory", func(t *testing.T) {
		storetest.People(t, func(testing.TB) storetest.Accounts { return peopletest.New() })
	})
}
