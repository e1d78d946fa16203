package people

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"evenkeel/internal/problem"
)

// How passwords are hashed: argon2id (RFC 9106) with memory and passes beyond
// OWASP's least, about 80 ms of one core. Hashes made with other values are
// still read, and made anew at the next sign-in.
const (
	passwordMemory = 32 << 10 // KiB
	passwordPasses = 3
	passwordLanes  = 1
	passwordSalt   = 16 // bytes
	passwordKey    = 32 // bytes
)

// The bounds of a password (NIST SP 800-63B section 5.1.1.2: long, and no rules
// about characters).
const (
	MinPassword = 12  // characters
	MaxPassword = 256 // bytes
)

// The bounds of hashing, so that a storm of sign-ins takes neither the memory
// nor the cores: one password at a time from browsers that are known, and one
// from all others, with a short queue before each.
const (
	maxQueued    = 24              // waiting in one queue
	queuePerHost = 4               // of these, from one network
	queueWithin  = 8 * time.Second // how long one waits
)

// common are words that the lists of attackers try first; a password that is
// little else is refused.
var common = []string{"password", "passwort", "123456", "qwerty", "qwertz", "letmein", "welcome", "evenkeel", "iloveyou", "administrator", "changeme"}

// checkPassword refuses what would be guessed soon. Errors: Invalid.
func checkPassword(password string, p Person) error {
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(p.Email, "@")
	stem := strings.TrimRight(lower, "0123456789!?.*-_ ")
	different := map[rune]bool{}
	for _, r := range password {
		different[r] = true
	}
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return problem.Invalid("password", "A password has at least %d characters; a few words in a row are easy to keep.", MinPassword)
	case len(password) > MaxPassword:
		return problem.Invalid("password", "A password has at most %d characters.", MaxPassword)
	case !utf8.ValidString(password):
		return problem.Invalid("password", "The password holds something that is no text.")
	case len(different) < 5:
		return problem.Invalid("password", "This password repeats a few characters; take one with more of them.")
	case lower == p.Email || stem == local || stem == strings.ToLower(p.Name):
		return problem.Invalid("password", "This password is your name or address; take another.")
	}
	rest := lower
	for _, word := range common {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if letters := strings.FieldsFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) }); rest != lower && len(strings.Join(letters, "")) < 4 {
		return problem.Invalid("password", "This password is one of the first that are tried; take another.")
	}
	return nil
}

// hasher hashes and compares passwords, a bounded number at a time.
type hasher struct {
	params           argon2id.Params
	known, strangers *lane
}

func newHasher() *hasher {
	return &hasher{
		params: argon2id.Params{Memory: passwordMemory, Iterations: passwordPasses, Parallelism: passwordLanes, SaltLength: passwordSalt, KeyLength: passwordKey},
		known:  newLane(), strangers: newLane(),
	}
}

// nobody is the hash of a password that nobody has: an unknown address takes as
// long as a known one.
func (h *hasher) nobody() string {
	zeros := func(n uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.params.Memory, h.params.Iterations, h.params.Parallelism, zeros(h.params.SaltLength), zeros(h.params.KeyLength))
}

// lane chooses the queue of a caller.
func (h *hasher) lane(known bool) *lane {
	if known {
		return h.known
	}
	return h.strangers
}

// hash makes the hash of a new password. Errors: TooMany, or the end of ctx.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.known.enter(ctx, "")
	if err != nil {
		return "", err
	}
	defer leave()
	hash, err := argon2id.CreateHash(password, &h.params)
	if err != nil {
		return "", problem.Internal(err, "A password could not be hashed.")
	}
	return hash, nil
}

// matches compares a password with a hash, "" meaning that there is none, in
// the caller's turn. renew tells that the hash was made with other parameters.
func (h *hasher) matches(password, hash string) (ok, renew bool, err error) {
	against := hash
	if hash == "" {
		against = h.nobody()
	}
	ok, params, err := argon2id.CheckHash(password, against)
	if err != nil {
		return false, false, problem.Internal(err, "A password hash in the record cannot be read.")
	}
	return ok && hash != "", *params != h.params, nil
}

// lane lets one caller through at a time.
type lane struct {
	turn chan struct{}

	mu      sync.Mutex
	queued  int
	waiting map[string]int // by network
}

func newLane() *lane { return &lane{turn: make(chan struct{}, 1), waiting: map[string]int{}} }

// enter waits for its turn. Errors: TooMany when the queue is full or slow, or
// the end of ctx.
func (l *lane) enter(ctx context.Context, network string) (leave func(), err error) {
	if !l.line(network) {
		return nil, busy()
	}
	defer l.unline(network)
	ctx, cancel := context.WithTimeoutCause(ctx, queueWithin, busy())
	defer cancel()
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func busy() error {
	return problem.TooMany("Many people are signing in just now. Wait a moment and try again.")
}

// line takes a place in the queue, when there is one.
func (l *lane) line(network string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queued >= maxQueued || network != "" && l.waiting[network] >= queuePerHost {
		return false
	}
	l.queued++
	l.waiting[network]++
	return true
}

func (l *lane) unline(network string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queued--
	if l.waiting[network]--; l.waiting[network] == 0 {
		delete(l.waiting, network)
	}
}
