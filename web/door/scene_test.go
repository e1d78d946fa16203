package door_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/people/peopletest"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/web/door"
)

// scene is a door with people behind it.
type scene struct {
	*testing.T
	store    *peopletest.Store
	accounts *people.Accounts
	tokens   *people.Tokens
	refused  *people.Refusals
	door     *door.Door
}

func newScene(t *testing.T, change ...func(*door.Deps)) *scene {
	t.Helper()
	box, err := secret.New(make([]byte, secret.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, store: peopletest.New()}
	log := slog.New(slog.DiscardHandler)
	deps := people.Deps{Work: s.store, Store: s.store, Sealer: box, Log: log, Now: time.Now, Demo: true}
	s.refused = people.NewRefusals(s.store, log, time.Now)
	s.accounts, s.tokens = people.NewAccounts(deps, s.refused), people.NewTokens(deps, s.refused)
	d := door.Deps{Accounts: s.accounts, Tokens: s.tokens, Refused: s.refused, Sealer: box, Log: log, Now: time.Now, Fail: fail}
	for _, c := range change {
		c(&d)
	}
	s.door = door.New(d)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.refused.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return s
}

// fail answers an error by its kind alone.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	codes := map[problem.Kind]int{
		problem.KindUnauthenticated: http.StatusUnauthorized, problem.KindForbidden: http.StatusForbidden, problem.KindNotFound: http.StatusNotFound,
		problem.KindUnavailable: http.StatusServiceUnavailable, problem.KindInvalid: http.StatusBadRequest,
	}
	code := codes[problem.KindOf(err)]
	if code == 0 {
		code = http.StatusInternalServerError
	}
	http.Error(w, problem.Public(err), code)
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// entry lets a person with the role in and gives their cookie's secret.
func (s *scene) entry(name string, roles ...access.Role) people.Entry {
	s.Helper()
	d := people.Draft{Name: name, Email: name + "@example.org"}
	for _, r := range roles {
		d.Grants = append(d.Grants, access.Grant{Role: r})
	}
	p, err := s.accounts.Add(s.Context(), access.Host, d)
	s.must(err)
	e, err := s.accounts.SignInDemo(s.Context(), p.ID, people.Caller{})
	s.must(err)
	return e
}

// who is a handler that says who asks.
func who(w http.ResponseWriter, r *http.Request) {
	g, ok := door.Of(r)
	if !ok {
		io.WriteString(w, "nobody")
		return
	}
	io.WriteString(w, g.Actor.ID)
}

// ask makes a request to a page on this machine.
func ask(method, path string, pairs ...string) *http.Request {
	r := httptest.NewRequest(method, "http://localhost:8080"+path, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	return r
}

func answer(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(resp *http.Response) string {
	text, _ := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(text))
}

// refusals waits until the journal tells of a refusal for the reason.
func (s *scene) refusals(reason people.Reason) {
	s.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(10 * time.Second)
	for {
		all, err := s.store.After(context.Background(), 0, 10_000)
		s.must(err)
		for _, e := range all {
			if e.Verb == "person.refused" && e.Payload["reason"] == string(reason) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-late:
			s.Fatalf("no refusal for %s in the journal", reason)
		}
	}
}

// cookies gives the names of the cookies that an answer sets or takes away.
func cookies(resp *http.Response) (names []string) {
	for _, c := range resp.Cookies() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}
