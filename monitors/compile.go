package monitors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// kinds gives every word that `kind:` may have.
func kinds() map[string]kind {
	return map[string]kind{
		"http":         {compileHTTP, httpKeys},
		"heartbeat":    {compileHeartbeat, heartbeatKeys},
		"tcp":          {compileTCP, tcpKeys},
		"tls":          {compileTLS, tlsKindKeys},
		"dns":          {compileDNS, dnsKeys},
		"icmp":         {compileICMP, icmpKeys},
		"grpc":         {compileGRPC, grpcKeys},
		"redis":        {compileRedis, redisKeys},
		"redis_length": {compileRedisLength, redisLengthKeys},
		"postgres":     {compilePostgres, postgresKeys},
		"sql":          {compileSQL, sqlKeys},
		"mongodb":      {compileMongoDB, mongodbKeys},
		"smtp":         {compileSMTP, smtpKeys},
		"imap":         {compileIMAP, imapKeys},
		"kubernetes":   {compileKubernetes, kubernetesKeys},
		"exec":         {compileExec, execKeys},
		"statuspage":   {compileStatuspage, statuspageKeys},
		"prometheus":   {compilePrometheus, prometheusKeys},
	}
}

// commonKeys are the options that every kind has.
var commonKeys = []string{
	"id", "component", "name", "kind", "was", "interval", "timeout", "retries", "locations", "public", "confirm", "recover",
	"slow", "slow_for", "quorum", "fails", "flap", "public_text",
}

// defaultTimeout is the time limit of a run when neither the file nor the interval sets one.
const defaultTimeout = 10 * time.Second

// Kinds gives the names of all kinds, sorted.
func Kinds() []string { return sortedKeys(kinds()) }

// Compiled is a probe with what all kinds share around it: tries within a run,
// the slow limit, redaction, and the guarantee that a mistake in a kind is a
// result and never a crash.
type Compiled struct {
	probe   Probe
	kind    string
	slow    time.Duration
	retries int
	secrets []string
	print   string
}

// Compile turns one monitor of the file into a probe. It reads the files and
// environment variables that the monitor names and connects to nothing.
// Errors: *problem.Error or problem.Errors of kind Invalid, all of them at
// once, with fields relative to the monitor: "expect.status".
func Compile(spec config.Monitor, env Env) (*Compiled, error) {
	k, ok := kinds()[spec.Kind]
	if !ok {
		return nil, problem.Invalid("kind", "there is no kind %q; the kinds are %s", spec.Kind, strings.Join(Kinds(), ", "))
	}
	var found problem.Errors
	for _, key := range usedKeys(spec) {
		if !allowed(key, commonKeys) && !allowed(key, k.keys) {
			found = append(found, problem.Invalid(key, "does not apply to kind %s", spec.Kind))
		}
	}
	if spec.Retries < 0 || spec.Retries > maxRetries {
		found = append(found, problem.Invalid("retries", "is at least 0 and at most %d", maxRetries))
	}
	env = NewEnv(env)
	var secrets []string
	sum := sha256.New()
	read, lookup := env.ReadFile, env.LookupEnv
	env.secrets = &secrets
	env.ReadFile = func(name string) ([]byte, error) {
		b, err := read(name)
		fmt.Fprintf(sum, "file %q %d\n", name, len(b))
		sum.Write(b)
		return b, err
	}
	env.LookupEnv = func(name string) (string, bool) {
		v, ok := lookup(name)
		fmt.Fprintf(sum, "env %q %q\n", name, v)
		return v, ok
	}
	probe, err := k.compile(spec, &env)
	if found = collect(found, err); len(found) > 0 {
		if probe != nil && err == nil {
			probe.Close()
		}
		return nil, found
	}
	return &Compiled{
		probe: probe, kind: spec.Kind, slow: spec.Slow.D(), retries: spec.Retries, secrets: secrets,
		print: hex.EncodeToString(sum.Sum(nil)[:8]),
	}, nil
}

// maxRetries bounds the tries within one run.
const maxRetries = 10

// Kind gives the word of the file.
func (c *Compiled) Kind() string { return c.kind }

// Print changes when a file or environment variable that the monitor reads has
// other contents: with the monitor's mark it tells whether a probe is still the same.
func (c *Compiled) Print() string { return c.print }

// Close lets go of what the probe holds.
func (c *Compiled) Close() { c.probe.Close() }

// Probe runs the probe once, again as often as retries allow while it fails and
// there is time. The result's phases and latency are those of the last try.
func (c *Compiled) Probe(ctx context.Context, run *Run) (res status.Result) {
	defer func() {
		if v := recover(); v != nil {
			run.Log("panic: %v\n%s", v, debug.Stack())
			res = run.Unknown("the probe of kind %s has a fault of its own: %v", c.kind, v)
		}
	}()
	run.secrets = c.secrets
	end, limited := ctx.Deadline()
	for try := 0; ; try++ {
		left := c.retries - try
		if left == 0 || !limited {
			res = c.probe.Probe(ctx, run)
		} else { // a try that hangs leaves time for the others
			share := time.Until(end) / time.Duration(left+1)
			tryCtx, cancel := context.WithTimeout(ctx, share)
			res = c.probe.Probe(tryCtx, run)
			cancel()
		}
		if res.Outcome != status.Failed || left == 0 || ctx.Err() != nil {
			break
		}
		run.Log("try %d of %d failed: %s", try+1, c.retries+1, res.Reason)
		run.again()
	}
	if res.Outcome == status.OK && c.slow > 0 && res.Latency > c.slow {
		res.Outcome, res.Cause = status.Slow, status.CauseSlowAnswer
		res.Reason = fmt.Sprintf("answered in %s, slow above %s", round(res.Latency), round(c.slow))
	}
	return res
}

// round writes a latency for people.
func round(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}

// allowed reports whether key, or the block it stands in, is listed.
func allowed(key string, list []string) bool {
	for {
		if slices.Contains(list, key) {
			return true
		}
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return false
		}
		key = key[:dot]
	}
}

// usedKeys lists the options that a monitor sets, as written in the file.
func usedKeys(spec config.Monitor) []string {
	var keys []string
	var walk func(v reflect.Value, prefix string)
	walk = func(v reflect.Value, prefix string) {
		t := v.Type()
		for i := range t.NumField() {
			if v.Field(i).IsZero() {
				continue
			}
			name := prefix + strings.Split(t.Field(i).Tag.Get("yaml"), ",")[0]
			if f := t.Field(i).Type; f.Kind() == reflect.Struct && f != reflect.TypeFor[config.Secret]() {
				walk(v.Field(i), name+".")
			} else {
				keys = append(keys, name)
			}
		}
	}
	walk(reflect.ValueOf(spec), "")
	return keys
}

// expand replaces ${NAME} by the environment's value, which logs will not show.
// Errors: Invalid.
func (e *Env) expand(field, text string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var found problem.Errors
	out := variable.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		v, ok := e.LookupEnv(name)
		if !ok {
			found = append(found, problem.Invalid(field, "environment variable %s is not set", name))
		}
		e.hide(v)
		return v
	})
	return out, found.Err()
}

var variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// collect adds what err holds to found.
func collect(found problem.Errors, err error) problem.Errors {
	switch e := err.(type) {
	case nil:
	case *problem.Error:
		found = append(found, e)
	case problem.Errors:
		found = append(found, e...)
	default:
		found = append(found, problem.Internal(err, "compiling the monitor"))
	}
	return found
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Once runs a probe by hand: outside any schedule, with its log kept in the
// result's facts whatever the outcome. timeout 0 means 10 s.
func Once(ctx context.Context, p Probe, monitorKey, location string, timeout time.Duration) status.Result {
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	run := NewRun(monitorKey, location, time.Now().UTC().Truncate(time.Microsecond))
	return run.withLog(p.Probe(ctx, run))
}
