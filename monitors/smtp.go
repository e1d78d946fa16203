package monitors

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// smtpKeys are the options of kind smtp.
var smtpKeys = slices.Concat([]string{"url", "target", "starttls", "expect.keyword", "expect.condition"}, dialKeys, tlsKeys, certKeys, loginKeys)

// smtpSchemes are the forms of its URL. A target is of the first, or of the
// second on that one's port.
var smtpSchemes = map[string]scheme{"smtp": {port: "25"}, "smtps": {port: "465", secure: true}}

// mailProbe is what smtp and imap have in common: a conversation that begins
// with the server's greeting, may become TLS, and may sign in.
type mailProbe struct {
	dial           *Dialer
	at             target
	secure         *tls.Config
	startTLS       bool
	user, password string
	keyword        string // that the greeting must contain
	certs          certLimits
	cond           *Condition
}

// compileMail reads the options that smtp and imap share. starttls: takes
// "required"; without it, and without a scheme that is secure from the start,
// the conversation stays in plain text. A password over plain text is refused
// unless the server is on this machine.
func compileMail(spec config.Monitor, env *Env, schemes map[string]scheme, plain, secure string) (*mailProbe, error) {
	var found problem.Errors
	p := &mailProbe{keyword: spec.Expect.Keyword, certs: env.certLimits(spec)}
	var err error
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	p.at, err = compileTarget(spec, schemes, plain)
	found = collect(found, err)
	if err == nil && p.at.url == nil && strings.HasSuffix(p.at.address, ":"+schemes[secure].port) {
		p.at.secure = true
	}
	p.secure, err = env.tlsFor(spec, p.at)
	found = collect(found, err)
	p.user, p.password, err = env.login(spec, p.at)
	found = collect(found, err)
	switch spec.StartTLS {
	case "":
	case "required":
		p.startTLS = true
		if p.at.secure {
			found = append(found, problem.Invalid("starttls", "the connection is TLS from the start"))
		}
	default:
		found = append(found, problem.Invalid("starttls", "%q is not known; required, or nothing", spec.StartTLS))
	}
	if p.user != "" && !p.at.secure && !p.startTLS && !p.at.loopback() {
		found = append(found, problem.Invalid("auth", "the password would travel in plain text: use %s:// or starttls: required", secure))
	}
	if strings.ContainsAny(p.user+p.password, "\r\n\x00") {
		found = append(found, problem.Invalid("auth", "name and password must not contain line ends or zero bytes"))
	}
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, mailFacts{})
	found = collect(found, err)
	return p, found.Err()
}

// mailFacts is what a condition may ask of a mail server.
type mailFacts struct {
	Latency      float64  `expr:"latency"` // ms
	Greeting     string   `expr:"greeting"`
	Capabilities []string `expr:"capabilities"` // upper case, as after TLS
	CertDays     float64  `expr:"cert_days"`    // until the first certificate expires; 0 without TLS
}

// Close has nothing to let go of.
func (p *mailProbe) Close() {}

// open connects, and secures the connection when it is to be from the start.
func (p *mailProbe) open(ctx context.Context, run *Run) (d *dialogue, res status.Result, ok bool) {
	return opening{dial: p.dial, at: p.at, secure: p.at.atOnce(p.secure)}.open(ctx, run)
}

// smtpProbe greets a mail server, asks for its extensions, secures the
// connection and signs in, as far as the monitor says (RFC 5321).
type smtpProbe struct{ *mailProbe }

// compileSMTP is the kind smtp. Errors: Invalid.
func compileSMTP(spec config.Monitor, env *Env) (Probe, error) {
	p, err := compileMail(spec, env, smtpSchemes, "smtp", "smtps")
	return smtpProbe{p}, err
}

// Probe runs the conversation once.
func (p smtpProbe) Probe(ctx context.Context, run *Run) status.Result {
	d, res, ok := p.open(ctx, run)
	if !ok {
		return res
	}
	defer d.close()
	greeting, err := d.want("220")
	run.Mark(status.PhaseWait)
	if err != nil {
		return failTalk(ctx, run, err, "reading the greeting")
	}
	words, err := d.hello()
	if err != nil {
		return failTalk(ctx, run, err, "saying hello")
	}
	if p.startTLS {
		if err := d.smtpStartTLS(words); err != nil {
			return failTalk(ctx, run, err, "asking for TLS")
		}
		if err := d.secure(ctx, p.secure); err != nil {
			return failTalk(ctx, run, err, "securing the connection")
		}
		if words, err = d.hello(); err != nil { // what was said before TLS counts no more (RFC 3207 section 4.2)
			return failTalk(ctx, run, err, "saying hello over TLS")
		}
	}
	if p.user != "" {
		if err := d.smtpAuth(words, p.user, p.password); err != nil {
			return failTalk(ctx, run, err, "signing in")
		}
	}
	run.Mark(status.PhaseTransfer)
	took := run.Elapsed()
	_ = d.say("QUIT") // a courtesy: the answer is not waited for
	return p.judge(run, strings.Join(greeting, "\n"), words, took)
}

// hello says EHLO and gives the words of the reply, upper case.
func (d *dialogue) hello() ([]string, error) {
	if err := d.say("EHLO %s", addressLiteral(d.conn.LocalAddr())); err != nil {
		return nil, err
	}
	lines, err := d.want("250")
	if err != nil {
		return nil, err
	}
	words := make([]string, 0, len(lines))
	for _, l := range lines[1:] { // the first is the server's name
		words = append(words, strings.ToUpper(l))
	}
	return words, nil
}

// smtpStartTLS asks for TLS when the server offers it (RFC 3207).
func (d *dialogue) smtpStartTLS(words []string) error {
	if !slices.Contains(words, "STARTTLS") {
		return wrongf("the server offers no TLS")
	}
	if err := d.say("STARTTLS"); err != nil {
		return err
	}
	_, err := d.want("220")
	return err
}

// smtpAuth signs in with PLAIN, or with LOGIN where that is all there is
// (RFC 4954).
func (d *dialogue) smtpAuth(words []string, user, password string) error {
	var offered []string
	for _, w := range words {
		if rest, ok := strings.CutPrefix(w, "AUTH"); ok {
			offered = append(offered, strings.Fields(strings.TrimLeft(rest, "= "))...)
		}
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	switch {
	case slices.Contains(offered, "PLAIN"):
		if err := d.whisper("AUTH PLAIN "+redactedText, "AUTH PLAIN "+encode("\x00"+user+"\x00"+password)); err != nil {
			return err
		}
	case slices.Contains(offered, "LOGIN"):
		if err := d.say("AUTH LOGIN"); err != nil {
			return err
		}
		for _, secret := range []string{user, password} {
			if _, err := d.want("334"); err != nil {
				return err
			}
			if err := d.whisper(redactedText, encode(secret)); err != nil {
				return err
			}
		}
	default:
		return wrongf("the server offers neither AUTH PLAIN nor LOGIN")
	}
	_, err := d.want("235")
	return err
}

// judge looks at what the conversation brought.
func (p *mailProbe) judge(run *Run, greeting string, words []string, took time.Duration) status.Result {
	if p.keyword != "" && !strings.Contains(greeting, p.keyword) {
		return run.Fail(status.CauseBadAnswer, "the greeting %s does not contain %s", quote(greeting), quote(p.keyword))
	}
	return conclude(run, took, p.certs, p.cond, mailFacts{
		Latency: milliseconds(took), Greeting: greeting, Capabilities: words, CertDays: p.certs.daysLeft(run.Facts().CertExpiry),
	})
}
