package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"evenkeel/internal/netguard"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

const (
	// maxAnswer bounds how much of an answer is read, in bytes. Of a longer one
	// the connection is given up.
	maxAnswer = 64 << 10
	// maxHead bounds the header of an answer, in bytes.
	maxHead = 32 << 10
	// dialWithin, shakeWithin and headWithin bound the parts of a call; the whole
	// is bounded by the context.
	dialWithin  = 5 * time.Second
	shakeWithin = 5 * time.Second
	headWithin  = 15 * time.Second
	// idleFor is how long an unused connection is kept, idleEach how many to one
	// place, idleAll how many together.
	idleFor  = 90 * time.Second
	idleEach = 32
	idleAll  = 256
	// maxRetryAfter bounds how long another side can make us wait.
	maxRetryAfter = 24 * time.Hour
)

// caller makes HTTP calls to one sort of places. What it dials passes the guard,
// after the name was resolved; it follows no redirect and keeps no cookie.
type caller struct {
	client *http.Client
	agent  string
}

// newCaller makes a caller. Proxies of the environment are used for places that
// the operator named: through one the guard would see its address alone.
func newCaller(guard *netguard.Guard, agent string, proxies bool) *caller {
	dialer := net.Dialer{Timeout: dialWithin, ControlContext: guard.ControlContext}
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: shakeWithin, ResponseHeaderTimeout: headWithin,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		IdleConnTimeout: idleFor, MaxIdleConns: idleAll, MaxIdleConnsPerHost: idleEach, MaxResponseHeaderBytes: maxHead,
	}
	if proxies {
		t.Proxy = http.ProxyFromEnvironment
	}
	return &caller{agent: agent, client: &http.Client{
		Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c *caller) close() { c.client.CloseIdleConnections() }

// answer is what came back, as far as it is read.
type answer struct {
	status int
	header http.Header
	body   []byte // at most maxAnswer
}

// post sends a JSON body. An error is a *notice.Refusal for trouble on the way;
// what the status means is for judge.
func (c *caller) post(ctx context.Context, to string, body []byte, header http.Header) (answer, error) {
	return c.call(ctx, http.MethodPost, to, body, header)
}

func (c *caller) call(ctx context.Context, method, to string, body []byte, header http.Header) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return answer{}, &notice.Refusal{Permanent: true, Reason: "the address is not valid"} // the error repeats it, secrets and all
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.agent)
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, lost(ctx, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil && resp.StatusCode/100 != 2 {
		return answer{}, lost(ctx, err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: got}, nil
}

// unusable is the reason of trouble that has no better word.
const unusable = "no usable answer"

// lost gives a call that had no answer as a refusal. Errors of the HTTP client
// name the address, which may hold a secret: only what lies beneath is kept.
func lost(ctx context.Context, err error) *notice.Refusal {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	r := &notice.Refusal{Reason: unusable, Err: err}
	if refused, ok := errors.AsType[*netguard.Refused](err); ok {
		r.Permanent, r.Reason = true, refused.Error()
		return r
	}
	switch {
	case ctx.Err() != nil:
		return ended(ctx)
	case is[*net.DNSError](err):
		r.Reason = "the name could not be resolved"
	case is[*tls.CertificateVerificationError](err), is[x509.UnknownAuthorityError](err):
		r.Reason = "the certificate is not valid for us"
	case is[tls.RecordHeaderError](err):
		r.Reason = "no TLS is spoken there"
	case errors.Is(err, syscall.ECONNREFUSED):
		r.Reason = "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		r.Reason = "the connection was closed before an answer came"
	case errors.Is(err, os.ErrDeadlineExceeded), timedOut(err):
		r.Reason = "no answer in time"
	}
	return r
}

// is reports whether err holds an error of a type.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func timedOut(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// judge says what a status means: nil for one of success.
func judge(a answer, now time.Time) *notice.Refusal {
	reason := "answered " + strconv.Itoa(a.status)
	if text := http.StatusText(a.status); text != "" {
		reason += " " + text
	}
	r := &notice.Refusal{Reason: reason}
	switch {
	case a.status/100 == 2:
		return nil
	case a.status/100 == 3:
		r.Permanent, r.Reason = true, reason+"; redirects are not followed"
	case a.status == http.StatusGone:
		r.Permanent, r.Gone = true, true
	case a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly:
	case a.status == http.StatusTooManyRequests:
		r.RetryAfter = retryAfter(a.header, now)
	case a.status/100 == 4:
		r.Permanent = true
	default:
		r.RetryAfter = retryAfter(a.header, now)
	}
	return r
}

// retryAfter reads Retry-After, seconds or a date (RFC 9110 section 10.2.3); 0
// when there is none that makes sense.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil { // Discord and others send fractions
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// webAddress checks an address of the file. The problem does not repeat it.
func webAddress(key, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, problem.Invalid(key, "is missing: where are messages sent to?")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, problem.Invalid(key, "is not an http or https address")
	}
	return u, nil
}

// below gives an address under a base: base "https://host/x/" and path "v2/y".
func below(base *url.URL, path string) string {
	u := *base
	u.RawQuery, u.Fragment = "", ""
	return u.JoinPath(path).String()
}
