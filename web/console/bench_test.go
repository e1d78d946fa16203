package console

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
)

// BenchmarkPages renders rooms of an estate of a thousand components. The record
// is read anew for each, as after a change.
func BenchmarkPages(b *testing.B) {
	c := sample(b, crowd(1000))
	h := serve(b, c, access.RoleSRE)
	for _, path := range []string{
		"/console/wall", "/console/components", "/console/components?show=trouble", "/console/components?q=service+9", "/console/components/service-13",
		"/console/monitors", "/console/monitors/service-13-web", "/console/calendar", "/console/handover", "/console/go?q=service",
	} {
		b.Run(path[len("/console/"):], func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			for b.Loop() {
				c.roll.follow([]journal.Sealed{sealed(1, "component")})
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
