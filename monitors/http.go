package monitors

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// httpKeys are the options of kind http.
var httpKeys = slices.Concat([]string{
	"url", "fresh", "fresh_every", "method", "body", "body_file", "headers", "host", "redirects", "max_body",
	"expect.status", "expect.header", "expect.body", "expect.body_not", "expect.json", "expect.condition",
}, dialKeys, tlsKeys, certKeys, authKeys)

// Limits and defaults of kind http.
const (
	defaultRedirects = 5
	maxRedirects     = 20
	defaultMaxBody   = 1 << 20   // bytes of a body that are read, decompressed or not
	maxMaxBody       = 256 << 20 // what max_body may ask for
	maxRequestBody   = 16 << 20  // bytes of body_file
	maxHTTPHeader    = 64 << 10  // bytes of an answer's header
	maxInterim       = 8         // 1xx answers before the final one
)

// httpProbe asks one URL and judges the answer. It speaks HTTP/1.1 over
// connections of its own rather than through http.Transport: a run then costs
// no goroutines and no timers, phases are marked in the order in which they
// happen, and a kept connection belongs to one monitor alone (DESIGN.md).
type httpProbe struct {
	first     endpoint
	url       string // parsed again where it is needed, which is seldom
	method    string
	header    http.Header
	host      string
	body      []byte
	userAgent string

	dialer     *Dialer
	tls        *tls.Config // never changed; shared by all monitors without a block tls
	auth       *Auth
	keep       bool
	freshEvery int
	redirects  int
	maxBody    int64
	expect     *httpExpect // never changed; shared by all monitors that expect nothing of their own

	mu     sync.Mutex
	idle   *httpConn // the kept connection while no run uses it
	runs   int
	wire   []byte // the first request as bytes, and the Authorization it was made with
	wired  string
	common *commonFacts  // of all monitors
	facts  *status.Facts // of the last run; never written after, and given again while nothing differs
}

// endpoint is where a connection leads; connections with equal endpoints serve each other's requests.
type endpoint struct {
	https   bool
	address string // host:port
	name    string // of the certificate
}

// httpExpect is what a good answer looks like.
type httpExpect struct {
	status    statusSet
	header    []headerTest
	body      *regexp.Regexp
	bodyNot   *regexp.Regexp
	json      []jsonTest
	condition *Condition
	cert      certLimits
	whole     bool // another kind reads the body itself
}

type headerTest struct {
	name    string
	pattern *regexp.Regexp
}

// wantsBody reports whether the body is looked at, not only read.
func (x *httpExpect) wantsBody() bool {
	return x.whole || x.body != nil || x.bodyNot != nil || len(x.json) > 0 || x.condition != nil
}

// compileHTTP is the kind http. Errors: Invalid.
func compileHTTP(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &httpProbe{method: http.MethodGet, userAgent: env.UserAgent, redirects: defaultRedirects, maxBody: defaultMaxBody, host: spec.Host, common: &env.shared.facts}
	u, err := url.Parse(spec.URL)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, append(found, problem.Invalid("url", "is not a URL like https://example.org/health"))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, append(found, problem.Invalid("url", "the scheme %q is not http or https", u.Scheme))
	}
	if spec.Method != "" {
		p.method = strings.ToUpper(spec.Method)
		if _, err := http.NewRequest(p.method, "http://example.org", nil); err != nil || p.method == http.MethodConnect {
			found = append(found, problem.Invalid("method", "%q is not a method", spec.Method))
		}
	}
	p.dialer, err = env.Dialer(spec)
	found = collect(found, err)
	p.auth, err = env.Auth(spec)
	found = collect(found, err)
	if u.User != nil {
		if p.auth.fixed != "" || p.auth.Fetches() {
			found = append(found, problem.Invalid("auth", "the URL holds a username already"))
		}
		password, _ := u.User.Password()
		p.auth = &Auth{}
		found = collect(found, p.auth.useBasic(env, u.User.Username(), password))
		u.User = nil
	}
	p.url, p.first = endpointOf(u)
	p.tls = env.shared.tls
	if spec.TLS != (config.TLS{}) {
		p.tls, err = env.TLS(spec)
		found = collect(found, err)
	}
	if p.dialer.proxy != nil {
		p.dialer.proxyTLS = proxyTLS(p.tls, p.dialer.proxy)
	}
	p.keep = spec.Fresh != nil && !*spec.Fresh
	p.freshEvery = spec.FreshEvery
	if spec.FreshEvery < 0 || (spec.FreshEvery > 0 && !p.keep) {
		found = append(found, problem.Invalid("fresh_every", "is a number of runs and needs fresh: false"))
	}
	if spec.Redirects != nil {
		p.redirects = *spec.Redirects
	}
	if p.redirects < 0 || p.redirects > maxRedirects {
		found = append(found, problem.Invalid("redirects", "is at least 0 and at most %d", maxRedirects))
	}
	if spec.MaxBody != 0 {
		p.maxBody = spec.MaxBody
	}
	if p.maxBody < 0 || p.maxBody > maxMaxBody {
		found = append(found, problem.Invalid("max_body", "is a number of bytes, at most %d", maxMaxBody))
	}
	found = collect(found, p.compileRequest(spec, env))
	p.expect, err = env.httpExpect(spec)
	found = collect(found, err)
	if len(found) > 0 {
		return nil, found
	}
	return p, nil
}

// compileRequest reads what is sent: headers and body.
func (p *httpProbe) compileRequest(spec config.Monitor, env *Env) error {
	var found problem.Errors
	if len(spec.Headers) > 0 {
		p.header = make(http.Header, len(spec.Headers))
	}
	for _, name := range sortedKeys(spec.Headers) {
		value, err := env.expand("headers."+name, spec.Headers[name])
		found = collect(found, err)
		switch {
		case !validHeaderName(name) || strings.ContainsAny(value, "\r\n\x00"):
			found = append(found, problem.Invalid("headers."+name, "is not a header that can be sent"))
		case strings.EqualFold(name, "Host"):
			p.host = value
		case strings.EqualFold(name, "Content-Length"), strings.EqualFold(name, "Transfer-Encoding"), strings.EqualFold(name, "Connection"):
			found = append(found, problem.Invalid("headers."+name, "is set by the probe itself"))
		default:
			p.header.Set(name, value)
		}
	}
	switch {
	case spec.Body != "" && spec.BodyFile != "":
		found = append(found, problem.Invalid("body_file", "give body or body_file, not both"))
	case spec.BodyFile != "":
		b, err := env.ReadFile(spec.BodyFile)
		switch {
		case err != nil:
			found = append(found, problem.Invalid("body_file", "cannot be read: %v", err))
		case len(b) > maxRequestBody:
			found = append(found, problem.Invalid("body_file", "is larger than %d bytes", maxRequestBody))
		}
		p.body = b
	case spec.Body != "":
		p.body = []byte(spec.Body)
	}
	return found.Err()
}

// httpExpect compiles what a good answer looks like. Errors: Invalid.
func (e *Env) httpExpect(spec config.Monitor) (*httpExpect, error) {
	if spec.CertWithin == 0 && spec.CertFails == 0 && reflect.ValueOf(&spec.Expect).Elem().IsZero() {
		return e.shared.success, nil
	}
	x := &httpExpect{cert: e.certLimits(spec)}
	var found problem.Errors
	var err error
	x.status, err = parseStatusSet("expect.status", spec.Expect.Status)
	found = collect(found, err)
	for _, name := range sortedKeys(spec.Expect.Header) {
		pattern, err := compilePattern("expect.header."+name, spec.Expect.Header[name])
		found = collect(found, err)
		x.header = append(x.header, headerTest{http.CanonicalHeaderKey(name), pattern})
	}
	if spec.Expect.Body != "" {
		x.body, err = compilePattern("expect.body", spec.Expect.Body)
		found = collect(found, err)
	}
	if spec.Expect.BodyNot != "" {
		x.bodyNot, err = compilePattern("expect.body_not", spec.Expect.BodyNot)
		found = collect(found, err)
	}
	for _, path := range sortedKeys(spec.Expect.JSON) {
		test, err := compileJSONTest("expect.json", path, spec.Expect.JSON[path])
		found = collect(found, err)
		x.json = append(x.json, test)
	}
	x.condition, err = e.Condition("expect.condition", spec.Expect.Condition, httpAnswer{})
	found = collect(found, err)
	return x, found.Err()
}

// endpointOf gives a URL as text and where it leads. Both stand in one piece of
// memory of their own: there are as many as monitors, and a part of the text that
// the URL was read from would keep all of that.
func endpointOf(u *url.URL) (text string, leads endpoint) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := u.Hostname()
	text = u.String()
	both := text + net.JoinHostPort(host, port)
	text, address := both[:len(text)], both[len(text):]
	before, _, _ := strings.Cut(address, host) // "[" of an IPv6 address
	return text, endpoint{https: u.Scheme == "https", address: address, name: address[len(before) : len(before)+len(host)]}
}

// Close lets go of the kept connection.
func (p *httpProbe) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle != nil {
		p.idle.close()
		p.idle = nil
	}
}

// request is one hop: the first, or where a redirect led.
type request struct {
	to     endpoint
	url    string
	method string
	body   []byte
	wire   []byte
}

// Probe asks, follows redirects and judges the answer. The latency is the time
// from the start of the run to the last byte of the body: with a fresh
// connection that includes resolving, connecting and TLS, with a kept one it is
// the wait and the transfer.
func (p *httpProbe) Probe(ctx context.Context, run *Run) status.Result {
	var ans answer
	defer ans.release()
	if err := p.fetch(ctx, run, &ans); err != nil {
		return p.failed(ctx, run, &ans, err)
	}
	return p.judge(run, &ans)
}

// failed makes the result of an exchange that did not come to its end.
func (p *httpProbe) failed(ctx context.Context, run *Run, ans *answer, err error) status.Result {
	p.note(run, ans)
	var res status.Result
	if at, ok := errors.AsType[*exchangeError](err); ok {
		res = failTalk(ctx, run, at.err, at.doing)
	} else {
		res = failTalk(ctx, run, err, "following the answer")
	}
	res.Code = ans.status
	return res
}

// judge compares a whole answer with what is expected.
func (p *httpProbe) judge(run *Run, ans *answer) status.Result {
	latency := run.Elapsed()
	run.Log("status %d, HTTP/%s, %d bytes of body", ans.status, ans.facts.version, ans.facts.bytes)
	if ans.status == http.StatusUnauthorized && p.auth.Fetches() {
		p.auth.Reject()
	}
	why, which := p.expect.failure(ans, run, latency)
	certOutcome, certWhy := status.OK, ""
	if why == "" {
		certOutcome, certWhy = p.expect.cert.judge(ans.facts.certExpiry)
	}
	ans.facts.failedBy = which
	p.note(run, ans)
	var res status.Result
	switch {
	case why != "":
		res = run.Fail(status.CauseBadAnswer, "%s", why)
	case certOutcome == status.Failed:
		res = run.Fail(status.CauseTLS, "%s", certWhy)
	case certOutcome == status.Slow:
		res = run.Slow(latency, status.CauseTLS, "%s", certWhy)
	default:
		res = run.OK(latency)
	}
	res.Latency, res.Code = latency, ans.status
	return res
}

// Which kind of test failed: blackbox_exporter has a metric for each.
const (
	failedByNone = iota
	failedByRegex
	failedByCondition
)

// failure gives the first expectation that does not hold, "" when all do.
func (x *httpExpect) failure(ans *answer, run *Run, latency time.Duration) (why string, which int) {
	if !x.status.has(ans.status) {
		return "status " + strconv.Itoa(ans.status) + ", want " + x.status.String(), failedByNone
	}
	for _, t := range x.header {
		if values := ans.header.Values(t.name); !slices.ContainsFunc(values, t.pattern.MatchString) {
			return "header " + t.name + " is " + quote(strings.Join(values, ", ")) + ", want a match of " + quote(t.pattern.String()), failedByRegex
		}
	}
	if !x.wantsBody() {
		return "", failedByNone
	}
	text, why := ans.text()
	if why != "" {
		return why, failedByNone
	}
	if x.body != nil && !x.body.Match(text) {
		return "the body has no match of " + quote(x.body.String()), failedByRegex
	}
	if x.bodyNot != nil && x.bodyNot.Match(text) {
		return "the body has a match of " + quote(x.bodyNot.String()) + ", want none", failedByRegex
	}
	if len(x.json) > 0 {
		document, err := decodeJSON(text)
		if err != nil {
			return "the body cannot be read as JSON: " + err.Error(), failedByNone
		}
		for _, t := range x.json {
			if why := t.failure(document); why != "" {
				return why, failedByNone
			}
		}
	}
	if x.condition != nil {
		if why := x.condition.failure(ans.typed(run, latency, text)); why != "" {
			return why, failedByCondition
		}
	}
	return "", failedByNone
}

// httpFacts are the facts of an answer in a form that can be compared.
type httpFacts struct {
	ipVersion     int
	tlsVersion    string
	certExpiry    time.Time
	chainExpiry   time.Time
	version       string
	redirects     int
	bytes         int64
	contentLength int64
	lastModified  int64 // Unix seconds
	failedBy      int
}

// note gives the run its facts: those of the run before when nothing differs,
// so that an ordinary run makes no garbage.
func (p *httpProbe) note(run *Run, ans *answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.facts == nil || !ans.facts.same(p.facts) {
		p.facts = p.common.facts(ans.facts)
	}
	run.facts = p.facts
}

// commonFacts keeps facts that many monitors have alike: ten thousand services
// that answer "ok" share one.
type commonFacts struct {
	mu    sync.Mutex
	known map[httpFacts]*status.Facts
}

// maxCommonFacts bounds them; beyond it all are forgotten, and those in use
// live on where they are used.
const maxCommonFacts = 512

func (c *commonFacts) facts(f httpFacts) *status.Facts {
	c.mu.Lock()
	defer c.mu.Unlock()
	facts, ok := c.known[f]
	if !ok {
		if c.known == nil || len(c.known) >= maxCommonFacts {
			c.known = make(map[httpFacts]*status.Facts)
		}
		facts = f.facts()
		c.known[f] = facts
	}
	return facts
}

// same reports whether these are the facts that facts once gave.
func (f *httpFacts) same(s *status.Facts) bool {
	if s.Bytes != f.bytes || s.IPVersion != f.ipVersion || s.TLSVersion != f.tlsVersion || s.HTTPVersion != f.version || s.Redirects != f.redirects ||
		!s.CertExpiry.Equal(f.certExpiry) || !s.ChainExpiry.Equal(f.chainExpiry) {
		return false
	}
	if s.Numbers == nil {
		return f.contentLength == f.bytes && f.lastModified == 0 && f.failedBy == failedByNone
	}
	return maps.Equal(s.Numbers, f.facts().Numbers)
}

func (f *httpFacts) facts() *status.Facts {
	out := &status.Facts{
		IPVersion: f.ipVersion, CertExpiry: f.certExpiry, ChainExpiry: f.chainExpiry, TLSVersion: f.tlsVersion,
		HTTPVersion: f.version, Redirects: f.redirects, Bytes: f.bytes,
	}
	note := func(name string, value float64) {
		if out.Numbers == nil {
			out.Numbers = make(map[string]float64)
		}
		out.Numbers[name] = value
	}
	if f.contentLength != f.bytes { // else it goes without saying, and a map for each monitor is much
		note("http_content_length", float64(f.contentLength))
	}
	if f.lastModified != 0 {
		note("http_last_modified_timestamp_seconds", float64(f.lastModified))
	}
	switch f.failedBy {
	case failedByRegex:
		note("failed_due_to_regex", 1)
	case failedByCondition:
		note("failed_due_to_cel", 1)
	}
	return out
}

// firstWire gives the bytes of the first request: made once, and again only
// when the Authorization changes.
func (p *httpProbe) firstWire(authorization string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wire == nil || p.wired != authorization {
		wire, err := p.write(request{to: p.first, url: p.url, method: p.method, body: p.body}, authorization, false)
		if err != nil {
			return nil, err
		}
		p.wire, p.wired = wire, authorization
	}
	return p.wire, nil
}

// write makes the bytes of a request. To a foreign origin neither credentials
// nor the headers of the file go along: they were meant for the first.
func (p *httpProbe) write(ask request, authorization string, foreign bool) ([]byte, error) {
	r, err := http.NewRequest(ask.method, ask.url, bytes.NewReader(ask.body))
	if err != nil {
		return nil, err
	}
	r.Close = !p.keep
	if !foreign {
		maps.Copy(r.Header, p.header)
		r.Host = p.host
		if authorization != "" && r.Header.Get("Authorization") == "" {
			r.Header.Set("Authorization", authorization)
		}
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", p.userAgent)
	}
	if len(ask.body) == 0 {
		r.Body, r.ContentLength = nil, 0
	}
	var b bytes.Buffer
	if p.dialer.forwards(ask.to) {
		if v := proxyAuthorization(p.dialer.proxy); v != "" {
			r.Header.Set("Proxy-Authorization", v)
		}
		err = r.WriteProxy(&b)
	} else {
		err = r.Write(&b)
	}
	return bytes.Clone(b.Bytes()), err // kept: the buffer is twice as large
}

// follow gives the next request when the answer redirects and the monitor
// follows redirects, else nil (RFC 9110 section 15.4).
func (p *httpProbe) follow(ask request, ans *answer, authorization string) (*request, error) {
	if p.redirects == 0 {
		return nil, nil
	}
	method, body := ask.method, ask.body
	switch ans.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if method != http.MethodHead {
			method = http.MethodGet
		}
		body = nil
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	location := ans.header.Get("Location")
	if location == "" {
		return nil, nil // judged as it is
	}
	from, err := url.Parse(ask.url)
	if err != nil {
		return nil, err
	}
	u, err := from.Parse(location)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, wrongf("status %d redirects to %s, which is not an http URL", ans.status, quote(location))
	}
	u.User, u.Fragment = nil, ""
	next := &request{method: method, body: body}
	next.url, next.to = endpointOf(u)
	next.wire, err = p.write(*next, authorization, next.to != p.first)
	return next, err
}

func validHeaderName(name string) bool {
	for _, c := range name {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c) {
			return false
		}
	}
	return name != ""
}
