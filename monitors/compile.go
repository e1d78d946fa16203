package monitors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// kinds gives every word that `kind:` may have. It is made once: ten thousand
// monitors are compiled before the first of them is probed.
var kinds = sync.OnceValue(func() map[string]kind {
	all := map[string]kind{
		"http":         {compile: compileHTTP, keys: httpKeys},
		"heartbeat":    {compile: compileHeartbeat, keys: heartbeatKeys},
		"tcp":          {compile: compileTCP, keys: tcpKeys},
		"tls":          {compile: compileTLS, keys: tlsKindKeys},
		"dns":          {compile: compileDNS, keys: dnsKeys},
		"icmp":         {compile: compileICMP, keys: icmpKeys},
		"grpc":         {compile: compileGRPC, keys: grpcKeys},
		"redis":        {compile: compileRedis, keys: redisKeys},
		"redis_length": {compile: compileRedisLength, keys: redisLengthKeys},
		"postgres":     {compile: compilePostgres, keys: postgresKeys},
		"sql":          {compile: compileSQL, keys: sqlKeys},
		"mongodb":      {compile: compileMongoDB, keys: mongodbKeys},
		"smtp":         {compile: compileSMTP, keys: smtpKeys},
		"imap":         {compile: compileIMAP, keys: imapKeys},
		"kubernetes":   {compile: compileKubernetes, keys: kubernetesKeys},
		"exec":         {compile: compileExec, keys: execKeys},
		"statuspage":   {compile: compileStatuspage, keys: statuspageKeys},
		"prometheus":   {compile: compilePrometheus, keys: prometheusKeys},
	}
	for name, k := range all {
		k.name = name
		k.allowed = make(map[string]bool, len(commonKeys)+len(k.keys))
		for _, key := range slices.Concat(commonKeys, k.keys) {
			k.allowed[key] = true
		}
		all[name] = k
	}
	return all
})

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
	for _, key := range usedKeys(&spec) {
		if !k.allows(key) {
			found = append(found, problem.Invalid(key, "does not apply to kind %s", spec.Kind))
		}
	}
	if spec.Retries < 0 || spec.Retries > maxRetries {
		found = append(found, problem.Invalid("retries", "is at least 0 and at most %d", maxRetries))
	}
	env = NewEnv(env)
	var seen contents
	env.secrets = &seen.secrets
	seen.watch(&env)
	probe, err := k.compile(spec, &env)
	if found = collect(found, err); len(found) > 0 {
		if probe != nil && err == nil {
			probe.Close()
		}
		return nil, found
	}
	return &Compiled{
		probe: probe, kind: k.name, slow: spec.Slow.D(), retries: spec.Retries, secrets: seen.secrets, print: seen.print(),
	}, nil
}

// contents is what a monitor took from outside the file while it was compiled.
type contents struct {
	secrets []string
	sum     hash.Hash // of files and variables; nil while none was asked for, as for most monitors
}

// watch lets everything that env reads pass by.
func (c *contents) watch(env *Env) {
	read, lookup := env.ReadFile, env.LookupEnv
	env.ReadFile = func(name string) ([]byte, error) {
		b, err := read(name)
		c.note("file %q %d\n", name, len(b))
		c.sum.Write(b)
		return b, err
	}
	env.LookupEnv = func(name string) (string, bool) {
		v, ok := lookup(name)
		c.note("env %q %q\n", name, v)
		return v, ok
	}
}

func (c *contents) note(format string, args ...any) {
	if c.sum == nil {
		c.sum = sha256.New()
	}
	fmt.Fprintf(c.sum, format, args...)
}

// print names the contents; "" for none.
func (c *contents) print() string {
	if c.sum == nil {
		return ""
	}
	return hex.EncodeToString(c.sum.Sum(nil)[:8])
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

// allows reports whether the option, or the block it stands in, applies to the kind.
func (k kind) allows(key string) bool {
	for !k.allowed[key] {
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return false
		}
		key = key[:dot]
	}
	return true
}

// option is one key of a monitor in the file: a field of config.Monitor, or a
// block of them.
type option struct {
	index int
	name  string   // with the names of the blocks it stands in: "expect.status"
	block []option // nil for a single value
}

// options lists all keys of a monitor, in the order of the struct.
var options = sync.OnceValue(func() []option { return optionsOf(reflect.TypeFor[config.Monitor](), "") })

func optionsOf(t reflect.Type, prefix string) []option {
	list := make([]option, t.NumField())
	for i := range list {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		list[i] = option{index: i, name: prefix + name}
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[config.Secret]() {
			list[i].block = optionsOf(f.Type, list[i].name+".")
		}
	}
	return list
}

// usedKeys lists the options that a monitor sets, as written in the file.
func usedKeys(spec *config.Monitor) []string {
	return appendUsed(make([]string, 0, 16), reflect.ValueOf(spec).Elem(), options())
}

func appendUsed(keys []string, v reflect.Value, among []option) []string {
	for _, o := range among {
		switch f := v.Field(o.index); {
		case f.IsZero():
		case o.block != nil:
			keys = appendUsed(keys, f, o.block)
		default:
			keys = append(keys, o.name)
		}
	}
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
