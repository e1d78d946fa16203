package door

import (
	"net/http"
	"os"

	"evenkeel/internal/people"
)

// forwarded are headers that a proxy adds: whoever sends one is not alone with us.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// LocalDemo gives a Deps.Demo that lists people to browsers on this machine
// alone: the file mark must be in the data folder, Host and the other end of
// the connection must be this machine, and no proxy may stand in between.
func LocalDemo(mark string, list func(r *http.Request) ([]people.Person, error)) func(*http.Request) []people.Person {
	return func(r *http.Request) []people.Person {
		if !loopbackHost(r) || !peer(r).IsLoopback() {
			return nil
		}
		for _, h := range forwarded {
			if r.Header.Get(h) != "" {
				return nil
			}
		}
		if info, err := os.Stat(mark); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		all, err := list(r)
		if err != nil {
			return nil
		}
		return all
	}
}

// Demo lists the people that this request may become at a click.
func (d *Door) Demo(r *http.Request) []people.Person {
	if d.deps.Demo == nil {
		return nil
	}
	return d.deps.Demo(r)
}
