package monitors

import (
	"context"
	"slices"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// imapKeys are the options of kind imap.
var imapKeys = smtpKeys

// imapSchemes are the forms of its URL. A target is of the first, or of the
// second on that one's port.
var imapSchemes = map[string]scheme{"imap": {port: "143"}, "imaps": {port: "993", secure: true}}

// imapProbe reads the greeting of a mailbox server, secures the connection and
// signs in, as far as the monitor says (RFC 9051, and RFC 3501 as servers
// still speak it). It selects no mailbox and changes nothing.
type imapProbe struct{ *mailProbe }

// compileIMAP is the kind imap. Errors: Invalid.
func compileIMAP(spec config.Monitor, env *Env) (Probe, error) {
	p, err := compileMail(spec, env, imapSchemes, "imap", "imaps")
	return imapProbe{p}, err
}

// Probe runs the conversation once.
func (p imapProbe) Probe(ctx context.Context, run *Run) status.Result {
	d, res, ok := p.open(ctx, run)
	if !ok {
		return res
	}
	defer d.close()
	greeting, err := d.imapGreeting()
	run.Mark(status.PhaseWait)
	if err != nil {
		return failTalk(ctx, run, err, "reading the greeting")
	}
	if p.startTLS {
		if err := d.imapStartTLS(); err != nil {
			return failTalk(ctx, run, err, "asking for TLS")
		}
		if err := d.secure(ctx, p.secure); err != nil {
			return failTalk(ctx, run, err, "securing the connection")
		}
	}
	words, err := d.imapCapabilities()
	if err != nil {
		return failTalk(ctx, run, err, "asking for capabilities")
	}
	if p.user != "" {
		if err := d.imapLogin(words, p.user, p.password); err != nil {
			return failTalk(ctx, run, err, "signing in")
		}
	}
	run.Mark(status.PhaseTransfer)
	took := run.Elapsed()
	_ = d.say("e3 LOGOUT") // a courtesy: the answer is not waited for
	return p.judge(run, greeting, words, took)
}

// imapGreeting reads the first line and gives what stands after "* OK".
func (d *dialogue) imapGreeting() (string, error) {
	l, err := d.line()
	if err != nil {
		return "", err
	}
	for _, kind := range []string{"* OK", "* PREAUTH"} {
		if rest, ok := cutPrefixFold(l, kind); ok {
			return strings.TrimSpace(rest), nil
		}
	}
	return "", wrongf("the server says %s, want * OK", quote(l))
}

// imapStartTLS asks for TLS (RFC 9051 section 6.2.1).
func (d *dialogue) imapStartTLS() error {
	if err := d.say("e0 STARTTLS"); err != nil {
		return err
	}
	_, err := d.imapDone("e0")
	return err
}

// imapCapabilities gives the server's capabilities, upper case.
func (d *dialogue) imapCapabilities() ([]string, error) {
	if err := d.say("e1 CAPABILITY"); err != nil {
		return nil, err
	}
	lines, err := d.imapDone("e1")
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if rest, ok := cutPrefixFold(l, "* CAPABILITY "); ok {
			return strings.Fields(strings.ToUpper(rest)), nil
		}
	}
	return nil, wrongf("the server names no capabilities")
}

// imapLogin signs in with LOGIN (RFC 9051 section 6.2.3).
func (d *dialogue) imapLogin(words []string, user, password string) error {
	if slices.Contains(words, "LOGINDISABLED") {
		return wrongf("the server allows no LOGIN on this connection")
	}
	command := "e2 LOGIN " + imapQuoted(user) + " " + imapQuoted(password)
	if err := d.whisper("e2 LOGIN "+redactedText, command); err != nil {
		return err
	}
	_, err := d.imapDone("e2")
	return err
}

// imapDone reads the answers to a command up to the one that ends it, which
// must be OK.
func (d *dialogue) imapDone(tag string) ([]string, error) {
	var lines []string
	for len(lines) < maxReply {
		l, err := d.line()
		if err != nil {
			return nil, err
		}
		rest, ok := strings.CutPrefix(l, tag+" ")
		if !ok {
			lines = append(lines, l)
			continue
		}
		if _, ok := cutPrefixFold(rest, "OK"); !ok {
			return nil, wrongf("the server says %s, want OK", quote(rest))
		}
		return lines, nil
	}
	return nil, wrongf("the answer has more than %d lines", maxReply)
}

// imapQuoted writes a quoted string (RFC 9051 section 4.3); line ends are
// refused when the monitor is compiled.
func imapQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// cutPrefixFold is strings.CutPrefix for ASCII words in any case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
