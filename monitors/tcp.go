package monitors

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// tcpKeys are the options of kind tcp.
var tcpKeys = slices.Concat([]string{"target", "send", "starttls", "expect.keyword", "expect.condition"}, dialKeys, tlsKeys, certKeys)

// maxSteps bounds the exchanges of one run.
const maxSteps = 50

// tcpProbe connects, secures the connection when told to, and holds a
// conversation of lines. Kind tcp is that in plain text unless starttls: says
// otherwise; kind tls is that with TLS from the first byte unless starttls:
// says otherwise, and looks at the certificate's age.
type tcpProbe struct {
	dial    *Dialer
	at      target
	secure  *tls.Config           // nil = plain text
	upgrade func(*dialogue) error // nil = TLS from the first byte
	steps   []step
	keyword string
	certs   certLimits
	cond    *Condition
}

// step is one exchange: what is said, and what the next line must match.
type step struct {
	send   string
	expect *regexp.Regexp // nil = no answer is waited for
}

// tcpFacts is what a condition may ask of a connection.
type tcpFacts struct {
	Latency  float64  `expr:"latency"`   // ms
	Lines    []string `expr:"lines"`     // that answered the steps, in order
	Banner   string   `expr:"banner"`    // what was read in search of the keyword
	TLS      string   `expr:"tls"`       // version; "" for plain text
	CertDays float64  `expr:"cert_days"` // until the first certificate expires; 0 for plain text
}

// compileTCP is the kind tcp. Errors: Invalid.
func compileTCP(spec config.Monitor, env *Env) (Probe, error) {
	p, found := newTCPProbe(spec, env)
	if spec.StartTLS == "" {
		if spec.TLS != (config.TLS{}) {
			found = append(found, problem.Invalid("tls", "needs starttls; kind tls is for TLS from the first byte"))
		}
		p.secure = nil
	}
	return p, found.Err()
}

func newTCPProbe(spec config.Monitor, env *Env) (*tcpProbe, problem.Errors) {
	var found problem.Errors
	p := &tcpProbe{keyword: spec.Expect.Keyword, certs: env.certLimits(spec)}
	var err error
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	p.at, err = compileTarget(spec, map[string]scheme{"tcp": {}}, "tcp")
	found = collect(found, err)
	p.secure, err = env.tlsFor(spec, p.at)
	found = collect(found, err)
	p.upgrade, err = compileUpgrade(spec.StartTLS)
	found = collect(found, err)
	p.steps, err = compileSteps(spec.Send, env)
	found = collect(found, err)
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, tcpFacts{})
	return p, collect(found, err)
}

// compileSteps reads send:. Text may name ${VARIABLES} of the environment.
func compileSteps(steps []config.Step, env *Env) ([]step, error) {
	var found problem.Errors
	if len(steps) > maxSteps {
		return nil, problem.Invalid("send", "has %d steps, at most %d", len(steps), maxSteps)
	}
	var out []step
	for i, s := range steps {
		field := "send[" + strconv.Itoa(i) + "]"
		text, err := env.expand(field+".send", s.Send)
		found = collect(found, err)
		made := step{send: text}
		if s.Expect != "" {
			made.expect, err = compilePattern(field+".expect", s.Expect)
			found = collect(found, err)
		}
		if s.Send == "" && s.Expect == "" {
			found = append(found, problem.Invalid(field, "says nothing and expects nothing"))
		}
		out = append(out, made)
	}
	return out, found.Err()
}

// Close has nothing to let go of.
func (p *tcpProbe) Close() {}

// Probe runs the conversation once.
func (p *tcpProbe) Probe(ctx context.Context, run *Run) status.Result {
	d, res, ok := opening{dial: p.dial, at: p.at, upgrade: p.upgrade, secure: p.secure}.open(ctx, run)
	if !ok {
		return res
	}
	defer d.close()
	var facts tcpFacts
	for i, s := range p.steps {
		line, err := d.exchange(s)
		run.Mark(status.PhaseWait)
		if err != nil {
			return failTalk(ctx, run, err, "step "+strconv.Itoa(i+1))
		}
		if s.expect != nil {
			facts.Lines = append(facts.Lines, line)
		}
	}
	if p.keyword != "" {
		var err error
		facts.Banner, err = d.search(p.keyword)
		run.Mark(status.PhaseWait)
		if err != nil {
			return failTalk(ctx, run, err, "reading the banner")
		}
	}
	took := run.Elapsed()
	facts.Latency = milliseconds(took)
	if p.secure != nil {
		facts.TLS, facts.CertDays = run.Facts().TLSVersion, p.certs.daysLeft(run.Facts().CertExpiry)
	}
	return conclude(run, took, p.certs, p.cond, facts)
}

// exchange plays one step and gives the line that answered it. What is sent
// ends in CR LF unless it ends in a line feed of its own.
func (d *dialogue) exchange(s step) (string, error) {
	if s.send != "" {
		text := s.send
		if !strings.HasSuffix(text, "\n") {
			text += "\r\n"
		}
		d.run.Log("> %s", s.send)
		if _, err := io.WriteString(d.conn, text); err != nil {
			return "", err
		}
	}
	if s.expect == nil {
		return "", nil
	}
	l, err := d.line()
	if errors.Is(err, io.EOF) {
		return "", wrongf("the connection was closed, want a line that matches %s", quote(s.expect.String()))
	}
	if err != nil {
		return "", err
	}
	if !s.expect.MatchString(l) {
		return "", wrongf("the server says %s, want a match of %s", quote(l), quote(s.expect.String()))
	}
	return l, nil
}

// search reads until the keyword has come, in lines or not, and gives what it
// read. It gives up at the end of the connection, of the time or of maxBanner.
func (d *dialogue) search(keyword string) (string, error) {
	var seen []byte
	buf := make([]byte, 4<<10)
	for {
		n, err := d.r.Read(buf)
		from := max(0, len(seen)-len(keyword))
		seen = append(seen, buf[:n]...)
		switch {
		case strings.Contains(string(seen[from:]), keyword):
			d.run.Log("< %s", quote(string(seen)))
			return string(seen), nil
		case err != nil && len(seen) > 0:
			return "", wrongf("%s does not contain %s", quote(string(seen)), quote(keyword))
		case err != nil:
			return "", err
		case len(seen) > maxBanner:
			return "", wrongf("the first %d KiB do not contain %s: %s", maxBanner>>10, quote(keyword), quote(string(seen)))
		}
	}
}
