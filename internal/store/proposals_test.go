package store_test

import (
	"testing"

	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

func TestStoreKeepsProposals(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Proposals(t, func(tb testing.TB) storetest.ProposalRecord { return open(tb) })
	})
}
