package monitors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"evenkeel/internal/netguard"
	"evenkeel/internal/status"
)

// Limits of one run's log.
const (
	maxLogLines  = 200 // lines kept; what comes after is counted in a last line
	maxLogLine   = 500 // bytes of one line
	maxReason    = 300 // bytes of Result.Reason
	redactedText = "[redacted]"
)

// Run is one run of one probe: its clock, its phases, its facts and its own
// readable log. Not safe for concurrent use; a probe that starts goroutines
// joins them before it writes here.
type Run struct {
	Monitor  string // key
	Location string
	Due      time.Time // the tick this run belongs to, UTC
	Started  time.Time // when it really began; carries the monotonic clock

	phases  [status.PhaseCount]time.Duration
	tried   time.Time // when the present try began
	marked  time.Time // the last mark
	facts   *status.Facts
	lines   []line
	dropped int
	secrets []string
}

// line is one entry of the log, not yet formatted: most runs are good and
// nobody reads them, so the text is made only for those that are kept.
type line struct {
	at     time.Duration
	format string
	args   []any
}

// NewRun starts the clock of a run that is due at due.
func NewRun(monitorKey, location string, due time.Time) *Run {
	r := &Run{}
	r.Reset(monitorKey, location, due)
	return r
}

// Reset makes a used Run ready for another run and starts its clock. The facts
// of the run before stay with the result that took them.
func (r *Run) Reset(monitorKey, location string, due time.Time) {
	now := time.Now()
	clear(r.lines)
	*r = Run{Monitor: monitorKey, Location: location, Due: due, Started: now, tried: now, marked: now, lines: r.lines[:0]}
}

// Log adds a line to the run's readable log. Formatting happens later, and only
// for runs whose log is kept: args must not be changed afterwards.
// Secrets of the monitor are redacted.
func (r *Run) Log(format string, args ...any) {
	if len(r.lines) >= maxLogLines {
		r.dropped++
		return
	}
	r.lines = append(r.lines, line{at: time.Since(r.Started), format: format, args: args})
}

// Mark ends phase p: the time since the last mark, or since the run began, is
// added to it.
func (r *Run) Mark(p status.Phase) {
	now := time.Now()
	r.phases[p] += now.Sub(r.marked)
	r.marked = now
}

// again makes the run ready for another try: clock and phases start over, the
// log goes on.
func (r *Run) again() {
	r.tried = time.Now()
	r.marked = r.tried
	r.phases = [status.PhaseCount]time.Duration{}
	r.facts = nil
}

// hide adds a secret that came up during the run itself.
func (r *Run) hide(secret string) {
	if len(secret) >= minRedacted && !slices.Contains(r.secrets, secret) {
		r.secrets = append(slices.Clip(r.secrets), secret)
	}
}

// withLog puts the run's log into the result's facts.
func (r *Run) withLog(res status.Result) status.Result {
	var facts status.Facts
	if res.Facts != nil {
		facts = *res.Facts
	}
	facts.Log = r.Text()
	res.Facts = &facts
	return res
}

// Skip moves the mark to now without adding to any phase: for time that is
// nobody's, such as building a request or waiting between tries.
func (r *Run) Skip() { r.marked = time.Now() }

// Took adds d to phase p, for phases that were measured elsewhere, and moves the mark to now.
func (r *Run) Took(p status.Phase, d time.Duration) {
	r.phases[p] += d
	r.marked = time.Now()
}

// Phases gives what has been measured so far.
func (r *Run) Phases() [status.PhaseCount]time.Duration { return r.phases }

// Elapsed is the time since the run began, or since its present try when there
// are several: what latency is measured from.
func (r *Run) Elapsed() time.Duration { return time.Since(r.tried) }

// Facts gives the details of this run to write to; they go out with its result.
func (r *Run) Facts() *status.Facts {
	if r.facts == nil {
		r.facts = &status.Facts{}
	}
	return r.facts
}

// Number notes a fact with a metric name of its own, such as dns_answer_rrs.
func (r *Run) Number(name string, value float64) {
	f := r.Facts()
	if f.Numbers == nil {
		f.Numbers = make(map[string]float64, 4)
	}
	f.Numbers[name] = value
}

// OK is a good result with the latency to record.
func (r *Run) OK(latency time.Duration) status.Result {
	res := r.result(status.OK, status.CauseNone)
	res.Latency = latency
	return res
}

// Fail is a failed result. The sentence is for staff and says what was found
// and what was wanted: "status 500, want 2xx". When the target answered at all
// (any cause but CauseNoAnswer), the time so far is the latency.
func (r *Run) Fail(cause status.Cause, format string, args ...any) status.Result {
	res := r.result(status.Failed, cause)
	res.Reason = r.clean(fmt.Sprintf(format, args...), maxReason)
	if cause != status.CauseNoAnswer {
		res.Latency = r.Elapsed()
	}
	return res
}

// Slow is a result that came, but near or over a limit: a warning.
func (r *Run) Slow(latency time.Duration, cause status.Cause, format string, args ...any) status.Result {
	res := r.result(status.Slow, cause)
	res.Latency = latency
	res.Reason = r.clean(fmt.Sprintf(format, args...), maxReason)
	return res
}

// Unknown is an inconclusive result: we could not tell, because of ourselves.
func (r *Run) Unknown(format string, args ...any) status.Result {
	res := r.result(status.Inconclusive, status.CauseSelf)
	res.Reason = r.clean(fmt.Sprintf(format, args...), maxReason)
	return res
}

// FailErr makes the result of an error on the way to or from the target: it
// finds the cause (no answer, TLS, our own guard or resources) and a readable
// reason. doing says what was tried: "connecting", "reading the greeting".
func (r *Run) FailErr(ctx context.Context, err error, doing string) status.Result {
	cause, why := explain(ctx, err)
	if cause == status.CauseSelf {
		return r.Unknown("%s: %s", doing, why)
	}
	return r.Fail(cause, "%s: %s", doing, why)
}

func (r *Run) result(o status.Outcome, c status.Cause) status.Result {
	return status.Result{
		Monitor: r.Monitor, Location: r.Location, Due: r.Due, Started: r.Started.UTC().Truncate(time.Microsecond),
		Phases: r.phases, Outcome: o, Cause: c, Facts: r.facts,
	}
}

// Text formats the log: one line each with the time since the run began.
func (r *Run) Text() []string {
	out := make([]string, 0, len(r.lines)+1)
	for _, l := range r.lines {
		text := r.clean(fmt.Sprintf(l.format, l.args...), maxLogLine)
		out = append(out, fmt.Sprintf("%8.1f ms  %s", float64(l.at.Microseconds())/1000, text))
	}
	if r.dropped > 0 {
		out = append(out, fmt.Sprintf("and %d lines more", r.dropped))
	}
	return out
}

// clean redacts secrets, keeps the text on one line of printable characters and bounds it.
func (r *Run) clean(s string, limit int) string {
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, redactedText)
	}
	return printable(s, limit)
}

// printable makes foreign text safe for a log line, a page and a terminal:
// valid UTF-8, one line, no control characters, at most limit bytes.
func printable(s string, limit int) string {
	if len(s) > 4*limit { // look at no more of an endless answer than can be shown
		s = s[:4*limit]
	}
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\r' || c == '\t':
			return ' '
		case c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069):
			return -1
		default:
			return c // invalid bytes arrive here as U+FFFD
		}
	}, s)
	if len(s) <= limit {
		return s
	}
	cut := limit - len("…")
	for cut > 0 && s[cut]&0xc0 == 0x80 { // never in the middle of a character
		cut--
	}
	return s[:cut] + "…"
}

// explain finds the cause of a network error and says it readably.
func explain(ctx context.Context, err error) (status.Cause, string) {
	if refused, ok := errors.AsType[*netguard.Refused](err); ok {
		return status.CauseSelf, refused.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		switch {
		case dns.IsNotFound:
			return status.CauseNoAnswer, fmt.Sprintf("the name %s does not exist", dns.Name)
		case dns.IsTimeout || ctx.Err() != nil:
			return status.CauseNoAnswer, fmt.Sprintf("the name server did not answer for %s in time", dns.Name)
		default:
			return status.CauseNoAnswer, fmt.Sprintf("the name %s cannot be resolved: %s", dns.Name, dns.Err)
		}
	}
	if why, ok := explainTLS(err); ok {
		return status.CauseTLS, why
	}
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.ENOBUFS):
		return status.CauseSelf, "the hub has run out of sockets: " + rootText(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return status.CauseNoAnswer, "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return status.CauseNoAnswer, "connection closed by the other side"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return status.CauseNoAnswer, "host unreachable"
	case errors.Is(err, syscall.ENETUNREACH):
		return status.CauseNoAnswer, "network unreachable"
	case errors.Is(ctx.Err(), context.Canceled):
		return status.CauseSelf, "the run was stopped"
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return status.CauseNoAnswer, "no answer in time"
	}
	return status.CauseNoAnswer, rootText(err)
}

// explainTLS puts certificate and handshake errors into words.
func explainTLS(err error) (string, bool) {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch e.Reason {
		case x509.Expired:
			return fmt.Sprintf("the certificate is not valid now: %s to %s", e.Cert.NotBefore.UTC().Format(time.DateOnly), e.Cert.NotAfter.UTC().Format(time.DateOnly)), true
		default:
			return "the certificate is invalid: " + e.Error(), true
		}
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("the certificate is not for %s", e.Host), true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is signed by an unknown authority", true
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate cannot be verified: " + e.Err.Error(), true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the answer is not TLS", true
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return "TLS handshake refused: " + e.Error(), true
	}
	if text := rootText(err); strings.HasPrefix(text, "tls: ") || strings.HasPrefix(text, "remote error: tls: ") {
		return text, true // crypto/tls has no types for these
	}
	return "", false
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// rootText gives the innermost message: without the layers that repeat the address.
func rootText(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// addTLS notes what a finished TLS handshake shows.
func (r *Run) addTLS(state tls.ConnectionState) {
	f := r.Facts()
	f.TLSVersion = tls.VersionName(state.Version)
	f.CertExpiry, f.ChainExpiry = expiries(state)
}

// expiries gives the earliest expiry among the certificates presented and the
// latest among the verified chains of each chain's earliest (as blackbox_exporter).
func expiries(state tls.ConnectionState) (earliest, chain time.Time) {
	for _, c := range state.PeerCertificates {
		if earliest.IsZero() || c.NotAfter.Before(earliest) {
			earliest = c.NotAfter
		}
	}
	for _, cs := range state.VerifiedChains {
		first := slices.MinFunc(cs, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		if first.NotAfter.After(chain) {
			chain = first.NotAfter
		}
	}
	return earliest, chain
}
