package store_test

import (
	"testing"

	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
)

func TestStoreKeepsTickets(t *testing.T) {
	onEach(t, func(t *testing.T, open func(testing.TB) *store.Store) {
		storetest.Tickets(t, func(tb testing.TB) storetest.TicketRecord { return open(tb) })
	})
}
