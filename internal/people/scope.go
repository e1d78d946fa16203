package people

import (
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// The words that a token's scopes may be, beside actions and nouns.
const (
	ScopeAll   = "*"     // everything its role may
	ScopeRead  = "read"  // every action that reads
	ScopeWrite = "write" // every other one
)

// MaxScopes bounds the scopes of one token.
const MaxScopes = 50

// guarded are actions that a token gets by their own names alone: who holds
// them can give rights away.
var guarded = []access.Action{access.PersonEdit, access.TokenEdit, access.HookEdit}

// Scopes lists everything that may stand in the scopes of a token, in order.
func Scopes() []string {
	words := []string{ScopeAll, ScopeRead, ScopeWrite}
	for act := range access.Actions() {
		noun, _, _ := strings.Cut(string(act), ".")
		words = append(words, noun, string(act))
	}
	slices.Sort(words[3:])
	return slices.Compact(words)
}

// checkScopes gives scopes as they are kept. Errors: Invalid.
func checkScopes(scopes []string) ([]string, error) {
	known := Scopes()
	var kept []string
	for _, s := range scopes {
		s = strings.TrimSpace(s)
		if s == "" {
			continue
		}
		if !slices.Contains(known, s) {
			return nil, problem.Invalid("scopes", "%q is no scope: write *, read, write, a noun such as incident, or an action such as incident.update.", clip(s))
		}
		kept = append(kept, s)
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	if len(kept) == 0 || len(kept) > MaxScopes {
		return nil, problem.Invalid("scopes", "A token has 1 to %d scopes; * is everything that its role may.", MaxScopes)
	}
	return kept, nil
}

// limits gives the actions that scopes allow. It is never nil: a token is
// always limited.
func limits(scopes []string) []access.Action {
	allowed := []access.Action{}
	for act := range access.Actions() {
		noun, verb, _ := strings.Cut(string(act), ".")
		wide := slices.Contains(scopes, ScopeAll) || slices.Contains(scopes, noun) ||
			verb == "read" && slices.Contains(scopes, ScopeRead) ||
			verb != "read" && slices.Contains(scopes, ScopeWrite)
		if slices.Contains(scopes, string(act)) || wide && !slices.Contains(guarded, act) {
			allowed = append(allowed, act)
		}
	}
	slices.Sort(allowed)
	return allowed
}
