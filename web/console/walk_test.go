package console

import (
	"net/http"
	"testing"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/web/door/doortest"
)

// Every address of the console answers everybody as the table says, and tells
// nothing to who may not ask (Bad input: IDOR over every route).
func TestEveryRouteKeepsItsRole(t *testing.T) {
	var c *Console
	house := doortest.New(t, func(w http.ResponseWriter, r *http.Request, err error) { c.Fail(w, r, err) })
	whole := atTheDesk(t).c
	d := whole.deps
	d.Doors = Doors{Door: house.Door, Accounts: house.Accounts, Tokens: house.Tokens, Hooks: house.Hooks}
	d.Audit = Audit{Browser: shelf{house.Store}, Index: shelf{house.Store}, Verifier: journal.NewVerifier(house.Store, time.Now)}
	c = New(d)
	house.Walk(t, house.Door.Staff(c.Handler()), c.Routes())
}

// Each address stands in the table once.
func TestRoutesStandInTheTableOnce(t *testing.T) {
	house := doortest.New(t, func(http.ResponseWriter, *http.Request, error) {})
	whole := atTheDesk(t).c
	d := whole.deps
	d.Doors = Doors{Door: house.Door, Accounts: house.Accounts, Tokens: house.Tokens, Hooks: house.Hooks}
	d.Audit = Audit{Browser: shelf{house.Store}}
	seen := map[string]bool{}
	for _, rt := range New(d).Routes() {
		if key := rt.Method + " " + rt.Path; seen[key] {
			t.Errorf("%s stands twice", key)
		} else {
			seen[key] = true
		}
		if rt.Handler == nil {
			t.Errorf("%s %s has no handler", rt.Method, rt.Path)
		}
	}
}
