package ingest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"evenkeel/internal/inbox"
	"evenkeel/internal/problem"
)

// Failure is why a mailbox cannot be read: what sort of trouble it is decides how
// long it is left alone, and the words say what to do.
type Failure struct {
	Trouble inbox.Trouble
	Words   string // for staff, no secrets
	Refusal bool   // the server answered, and said no to this one command: the connection is well
	Consent bool   // a person must consent anew
	Err     error
}

// Error says what happened.
func (f *Failure) Error() string {
	if f.Err != nil {
		return f.Words + ": " + f.Err.Error()
	}
	return f.Words
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// How long a mailbox is left alone after trouble.
const (
	// The first wait after a lost connection; it doubles up to the longest, with
	// full jitter, and begins anew once a connection was well for wellAfter.
	backOffFirst = time.Second
	backOffMost  = 5 * time.Minute
	wellAfter    = 2 * time.Minute
	// crowdedFor is for servers that say that there are too many of us, or that
	// they are not available.
	crowdedFor = 10 * time.Minute
	// refusedFor is for sign-ins that failed: trying often would lock the account.
	refusedFor = time.Hour
	// unkeptFor is for a database that does not take what we read.
	unkeptFor = 5 * time.Second
)

// backOff gives how long to wait after the n-th failure in a row, n from 0.
func (f *Failure) backOff(n int) time.Duration {
	switch f.Trouble {
	case inbox.Refused:
		return refusedFor
	case inbox.Crowded:
		return crowdedFor
	case inbox.Unkept:
		return unkeptFor
	}
	most := min(backOffFirst<<min(n, 16), backOffMost)
	return most/2 + rand.N(most/2+1)
}

// failureOf puts what went wrong while doing something into words.
func failureOf(doing string, err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if doing != "" {
		doing += ": "
	}
	f := &Failure{Err: err, Trouble: inbox.Unreachable}
	if answer, ok := errors.AsType[*imap.Error](err); ok {
		f.Trouble, f.Refusal = inbox.Strange, answer.Type != imap.StatusResponseTypeBye
		f.Words = fmt.Sprintf("%sthe server answered %s %s", doing, answer.Type, words(answer.Text))
		if crowded(answer) {
			f.Trouble, f.Refusal = inbox.Crowded, false
		}
		return f
	}
	if _, ok := errors.AsType[*problem.Error](err); ok {
		f.Trouble, f.Words = inbox.Unkept, fmt.Sprintf("%s%s", doing, problem.Public(err))
		return f
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		f.Trouble, f.Words = inbox.Untrusted, fmt.Sprintf("%sthe server speaks no TLS on this port (%s). Use imap://, which asks for STARTTLS", doing, record.Msg)
		return f
	}
	if untrusted(err) {
		f.Trouble = inbox.Untrusted
		f.Words = fmt.Sprintf("%sthe server's certificate is not trusted (%s). Name its authority with ca_file, or use the name that the certificate is for", doing, words(err.Error()))
		return f
	}
	f.Words = fmt.Sprintf("%s%s", doing, connectionWords(err))
	return f
}

// connectionWords tells in words how a connection failed.
func connectionWords(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "there is no server of this name"
	case errors.Is(err, errSilent):
		return "the server went silent"
	case errors.Is(err, context.DeadlineExceeded):
		return "the server took too long"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "the connection was lost"
	}
	return words(err.Error())
}

// untrusted reports whether a TLS handshake failed because of who the other side is.
func untrusted(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
}

// crowded reports whether a server asks us to come back later (RFC 5530). Some say
// so in words alone.
func crowded(e *imap.Error) bool {
	switch e.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeOverQuota:
		return true
	}
	return strings.Contains(strings.ToLower(e.Text), "too many")
}

// maxWords bounds what is repeated of a server's answer, in bytes.
const maxWords = 200

// words makes one short line of what a stranger says.
func words(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	return text
}
