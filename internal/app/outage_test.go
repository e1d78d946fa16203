package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"evenkeel/internal/api"
	"evenkeel/internal/testkit"
)

// engines are the four ways in which a hub stands.
var engines = []struct {
	name            string
	postgres, redis bool
}{
	{"sqlite, in process", false, false},
	{"sqlite, redis", false, true},
	{"postgresql, in process", true, false},
	{"postgresql, redis", true, true},
}

// TestOutage (S1-20, S1-21, S1-22): a target dies and comes back, and everybody
// is told the truth about it, from the first failure on, and nothing more.
func TestOutage(t *testing.T) {
	t.Parallel()
	for i, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			if testing.Short() && i > 0 {
				t.Skip("the other engines are left to the long run")
			}
			t.Parallel()
			s := newSite(t)
			if e.postgres {
				s.database = testkit.Postgres(t)
			}
			if e.redis {
				s.redis = testkit.NewRedis(t, testkit.RedisOptions{}).URL
			}
			outage(t, s)
		})
	}
}

func outage(t *testing.T, s site) {
	shop, search, books := newTarget(t), newTarget(t), newTarget(t)
	h := boot(t, s, fmt.Sprintf(`
page: {name: Example Ltd, url: https://status.example.org}
groups: [{id: front, name: Front of house}]
components:
  - {id: shop, name: Web shop, group: front, runbook: https://wiki.example.org/`+secret+`}
  - {id: search, name: Search}
  - {id: ledger, name: %[3]s ledger, public: false}
monitors:
  - {id: %[3]s-door, component: shop, kind: http, url: "%[1]s", interval: 1s, confirm: 2, recover: 2}
  - {id: %[3]s-index, component: search, kind: http, url: "%[2]s", interval: 1s}
  - {id: %[3]s-books, component: ledger, kind: http, url: "%[4]s", interval: 1s}
`, shop.url(), search.url(), secret, books.url()))

	h.awaitShown("shop", "operational")
	h.awaitShown("search", "operational")

	shop.turns(fails)
	books.turns(fails)
	h.awaitShown("shop", "major_outage")
	if got := h.shown("search"); got != "operational" {
		t.Errorf("search is shown as %s", got)
	}
	h.await("the front page, the feeds and the badge to tell", func() bool {
		return strings.Contains(h.get("/").body, "Web shop is down.") &&
			strings.Contains(h.get("/history.atom").body, "Web shop") &&
			strings.Contains(h.get("/badge/shop.svg").body, "outage")
	})

	// The outage is dated back to the first failure, not to the one that confirmed it.
	down := find(t, h.spans("shop", "published"), "major_outage")
	if first := shop.first(fails); down.From.After(first) || !down.From.After(shop.last(works)) {
		t.Errorf("the outage begins %v; the last good answer was at %v, the first bad one at %v", down.From, shop.last(works), first)
	}
	if down.Origin != "machine" || !strings.Contains(down.Staff, "503") || down.Public == "" {
		t.Errorf("span: %+v", down)
	}
	var diary api.Decisions
	h.await("the decision to be written", func() bool {
		return h.manage("/api/v1/monitors/"+secret+"-door/decisions", &diary) && len(diary.Decisions) > 0
	})
	if d := diary.Decisions[0]; d.From != "up" || d.To != "down" || !d.Effective.Equal(down.From) || !strings.Contains(d.Staff, "503") {
		t.Errorf("decision: %+v", d)
	}
	saysNothing(t, h.hub, s, shop, search, books)

	shop.turns(works)
	h.awaitShown("shop", "operational")
	h.await("the front page to be calm again", func() bool {
		return strings.Contains(h.get("/").body, "All services are working.")
	})
	for _, track := range []string{"observed", "published"} {
		spans := h.spans("shop", track)
		if got := find(t, spans, "major_outage"); got.To == nil || !got.To.After(shop.last(fails)) {
			t.Errorf("%s: the outage ends %v, the last bad answer was at %v", track, got.To, shop.last(fails))
		}
	}
	saysNothing(t, h.hub, s, shop, search, books)

	h.stop()
	moves := 0
	for _, e := range s.read(t) {
		if e.Verb == "component.moved" && e.Payload["track"] == "published" && e.Payload["to"] == "major_outage" && e.Audience == "public" {
			moves++
		}
	}
	if moves != 1 {
		t.Errorf("the journal tells of %d public outages", moves)
	}
}

// publicPaths is everything that visitors and machines can ask for without
// following a link.
var publicPaths = []string{
	"/", "/history", "/history/12", "/uptime", "/subscribe", "/embed", "/live-nothing", "/components/shop", "/components/search", "/components/ledger",
	"/incidents/x", "/maintenance/x", "/history.atom", "/history.rss", "/feed.json", "/maintenance.ics", "/favicon.svg", "/favicon.ico",
	"/badge.svg", "/badge/shop.svg", "/badge/search.svg", "/badge/ledger.svg", "/robots.txt", "/livez", "/readyz",
	"/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
	"/api/v2/scheduled-maintenances.json", "/api/v2/scheduled-maintenances/upcoming.json", "/api/v2/scheduled-maintenances/active.json",
	"/ping/unknown", "/api/v1/components", "/metrics", "/%2e%2e/evenkeel.yaml",
}

var (
	links = regexp.MustCompile(`(?:href|src|action)="?(/[^"#?> ]*)`)
	marks = regexp.MustCompile(`(?s)<(style|script)\b.*?</(?:style|script)>|<[^>]*>`)
	// staffWords are never used before visitors (contract, Words).
	staffWords = regexp.MustCompile(`(?i)\b(verdict|suspected|inconclusive|quorum|flap\w*|blessed|drift|soak|digest)\b`)
)

// saysNothing walks every public path, and every link on the way, and fails
// when a byte tells of targets, errors, hosts or what stands behind the hub.
func saysNothing(t *testing.T, h hub, s site, targets ...*target) {
	t.Helper()
	if pages := walk(t, h, s, targets); pages < 20 {
		t.Errorf("only %d pages were found", pages)
	}
}

// walk gives how many pages there were.
func walk(t *testing.T, h hub, s site, targets []*target) (pages int) {
	t.Helper()
	hidden := []string{secret, "replica seven", "status 503", "503 Service", "refused", "127.0.0.1", s.data}
	for _, target := range targets {
		u, err := url.Parse(target.url())
		if err != nil {
			t.Fatal(err)
		}
		hidden = append(hidden, ":"+u.Port())
	}
	for _, address := range []string{s.database, s.redis} {
		if u, err := url.Parse(address); err == nil && address != "" {
			hidden = append(hidden, address, orElse(u.Query().Get("host"), u.Path))
		}
	}
	todo, known := append([]string(nil), publicPaths...), map[string]bool{}
	for len(todo) > 0 && pages < 300 {
		path := todo[0]
		todo = todo[1:]
		if known[path] {
			continue
		}
		known[path] = true
		a := h.get(path)
		if a.code == 0 {
			t.Fatalf("%s: %s", path, a.body)
		}
		if a.code == http.StatusOK {
			pages++
		}
		var all strings.Builder
		_ = a.header.Write(&all) // a builder takes everything
		all.WriteString(a.body)
		for _, word := range hidden {
			if strings.Contains(all.String(), word) {
				t.Errorf("%s tells %q: …%s", path, word, around(all.String(), word))
			}
		}
		if word := staffWords.FindString(marks.ReplaceAllString(a.body, " ")); word != "" && a.code == http.StatusOK {
			t.Errorf("%s speaks of %q", path, word)
		}
		for _, link := range links.FindAllStringSubmatch(a.body, -1) {
			todo = append(todo, link[1])
		}
	}
	return pages
}

// around gives a piece of text around a word.
func around(text, word string) string {
	at := strings.Index(text, word)
	return text[max(0, at-80):min(len(text), at+80)]
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
