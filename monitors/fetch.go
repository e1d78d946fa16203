package monitors

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// fetchKeys are the options of kinds that fetch a document over HTTP and make
// something of it.
var fetchKeys = slices.Concat([]string{"url", "headers"}, dialKeys, tlsKeys, authKeys)

// compileFetch makes the HTTP probe behind such a kind: one GET of what at
// makes of the file's URL, answers up to max bytes. Errors: Invalid.
func compileFetch(spec config.Monitor, env *Env, max int64, at func(*url.URL)) (*httpProbe, error) {
	u, err := url.Parse(spec.URL)
	if err != nil || u.Host == "" {
		return nil, problem.Invalid("url", "is not a URL like https://example.org")
	}
	at(u)
	spec.URL, spec.MaxBody, spec.Expect = u.String(), max, config.Expect{}
	probe, err := compileHTTP(spec, env)
	if err != nil {
		return nil, err
	}
	p := probe.(*httpProbe)
	expect := *p.expect
	expect.whole = true
	p.expect = &expect
	return p, nil
}

// fetch asks and follows redirects until there is a final answer, whatever its
// status. Errors are for failed.
func (p *httpProbe) fetch(ctx context.Context, run *Run, ans *answer) error {
	ask := request{to: p.first, url: p.url, method: p.method, body: p.body}
	authorization, err := p.auth.Header(ctx, run)
	if err != nil {
		return &exchangeError{"signing in", err}
	}
	if ask.wire, err = p.firstWire(authorization); err != nil {
		return &exchangeError{"writing the request", err}
	}
	for hops := 0; ; hops++ {
		if err := p.exchange(ctx, run, ask, ans); err != nil {
			return err
		}
		ans.facts.redirects = hops
		next, err := p.follow(ask, ans, authorization)
		switch {
		case err != nil:
			return err
		case next == nil:
			return nil
		case hops >= p.redirects:
			return wrongf("more than %d redirects, the last to %s", p.redirects, quote(next.url))
		}
		run.Log("status %d, redirected to %s", ans.status, next.url)
		ask = *next
	}
}

// document fetches and demands status 200. The text is good until ans is
// released; without it, res is the run's result.
func (p *httpProbe) document(ctx context.Context, run *Run, ans *answer) (text []byte, res status.Result, ok bool) {
	if err := p.fetch(ctx, run, ans); err != nil {
		return nil, p.failed(ctx, run, ans, err), false
	}
	p.note(run, ans)
	run.Log("status %d, %d bytes of body", ans.status, ans.facts.bytes)
	text, why := ans.text()
	switch {
	case ans.status == http.StatusUnauthorized && p.auth.Fetches():
		p.auth.Reject()
		fallthrough
	case ans.status != http.StatusOK:
		res = run.Fail(status.CauseBadAnswer, "status %d, want 200%s", ans.status, colon(firstLine(text)))
	case why != "":
		res = run.Fail(status.CauseBadAnswer, "%s", why)
	default:
		return text, status.Result{}, true
	}
	res.Code = ans.status
	return nil, res, false
}

// firstLine gives the beginning of a foreign text, for a reason.
func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text[:min(len(text), maxLine)])), "\n")
	return printable(line, maxQuoted)
}
