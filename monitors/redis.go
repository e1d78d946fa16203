package monitors

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// redisKeys are the options of kind redis.
var redisKeys = slices.Concat([]string{"url", "target", "expect.condition"}, dialKeys, tlsKeys, certKeys, loginKeys)

// redisLengthKeys are the options of kind redis_length.
var redisLengthKeys = slices.Concat([]string{"url", "target", "key"}, dialKeys, tlsKeys, loginKeys, valueKeys)

// redisSchemes are the forms of its URL: redis://user:password@host:port/db.
var redisSchemes = map[string]scheme{"redis": {port: "6379"}, "rediss": {port: "6379", secure: true}, "unix": {unix: true}}

// maxRedisBulk is the longest string that is read of an answer, in bytes.
const maxRedisBulk = 64 << 10

// maxRedisDatabase is the highest database number that a server can be set up with.
const maxRedisDatabase = 1<<31 - 1

// redisProbe speaks RESP2 to a server of Redis' kind: it signs in, chooses the
// database and asks it to PING or for the length of a key.
type redisProbe struct {
	dial           *Dialer
	at             target
	secure         *tls.Config
	user, password string
	database       int
	certs          certLimits
	cond           *Condition

	key    string // "" = PING
	limits threshold
}

// redisFacts is what a condition may ask of a server that answered PING. The
// figures are those of INFO replication.
type redisFacts struct {
	Latency  float64 `expr:"latency"` // ms
	Role     string  `expr:"role"`    // master, slave
	Replicas int     `expr:"replicas"`
	LinkUp   bool    `expr:"link_up"` // of a replica to its master; true on a master
}

// lengths are the commands that count what a key holds, by its type. A key that
// does not exist holds nothing.
var lengths = map[string]string{
	"string": "STRLEN", "list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN",
}

// compileRedis is the kind redis. Errors: Invalid.
func compileRedis(spec config.Monitor, env *Env) (Probe, error) {
	p, found := newRedisProbe(spec, env)
	var err error
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, redisFacts{})
	return p, collect(found, err).Err()
}

// compileRedisLength is the kind redis_length. Errors: Invalid.
func compileRedisLength(spec config.Monitor, env *Env) (Probe, error) {
	p, found := newRedisProbe(spec, env)
	if p.key = spec.Key; p.key == "" {
		found = append(found, problem.Invalid("key", "is needed: a list, stream, set, hash or sorted set"))
	}
	var err error
	p.limits, err = compileThreshold(spec.Value)
	return p, collect(found, err).Err()
}

func newRedisProbe(spec config.Monitor, env *Env) (*redisProbe, problem.Errors) {
	var found problem.Errors
	p := &redisProbe{certs: env.certLimits(spec)}
	var err error
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	p.at, err = compileTarget(spec, redisSchemes, "redis")
	found = collect(found, err)
	p.secure, err = env.tlsFor(spec, p.at)
	found = collect(found, err)
	p.user, p.password, err = env.login(spec, p.at)
	found = collect(found, err)
	if p.at.url == nil {
		return p, found
	}
	number := strings.TrimPrefix(p.at.url.Path, "/")
	if p.at.network == "unix" {
		number = p.at.url.Query().Get("db")
	}
	if number != "" {
		p.database, err = strconv.Atoi(number)
		if err != nil || p.database < 0 || p.database > maxRedisDatabase {
			found = append(found, problem.Invalid("url", "%q is not the number of a database", number))
		}
	}
	return p, found
}

// Close has nothing to let go of.
func (p *redisProbe) Close() {}

// Probe runs the conversation once.
func (p *redisProbe) Probe(ctx context.Context, run *Run) status.Result {
	d, res, ok := opening{dial: p.dial, at: p.at, secure: p.at.atOnce(p.secure)}.open(ctx, run)
	if !ok {
		return res
	}
	defer d.close()
	if p.password != "" {
		words := []string{"AUTH", p.password}
		if p.user != "" && p.user != "default" { // servers before 6.0 know only the password
			words = []string{"AUTH", p.user, p.password}
		}
		if _, err := d.redis(words...); err != nil {
			return failTalk(ctx, run, err, "signing in")
		}
	}
	if p.database != 0 {
		if _, err := d.redis("SELECT", strconv.Itoa(p.database)); err != nil {
			return failTalk(ctx, run, err, "choosing the database")
		}
	}
	if p.key != "" {
		return p.length(ctx, run, d)
	}
	return p.ping(ctx, run, d)
}

// ping asks for a sign of life, and for the role when a condition wants to know.
func (p *redisProbe) ping(ctx context.Context, run *Run, d *dialogue) status.Result {
	answer, err := d.redis("PING")
	run.Mark(status.PhaseWait)
	if err == nil && answer != "PONG" {
		err = wrongf("the server says %s, want PONG", quote(answer))
	}
	if err != nil {
		return failTalk(ctx, run, err, "asking for a sign of life")
	}
	took := run.Elapsed()
	var facts redisFacts
	if p.cond != nil {
		info, err := d.redis("INFO", "replication")
		if err != nil {
			return failTalk(ctx, run, err, "asking for its role")
		}
		facts = redisReplication(info)
		facts.Latency = milliseconds(took)
	}
	return conclude(run, took, p.certs, p.cond, facts)
}

// redisReplication reads the lines of INFO that conditions may ask for.
func redisReplication(info string) redisFacts {
	facts := redisFacts{LinkUp: true}
	for l := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(l), ":")
		switch name {
		case "role":
			facts.Role = value
		case "connected_slaves":
			if n, err := strconv.Atoi(value); err == nil {
				facts.Replicas = n
			}
		case "master_link_status":
			facts.LinkUp = value == "up"
		}
	}
	return facts
}

// length asks how much the key holds.
func (p *redisProbe) length(ctx context.Context, run *Run, d *dialogue) status.Result {
	kind, err := d.redis("TYPE", p.key)
	run.Mark(status.PhaseWait)
	if err != nil {
		return failTalk(ctx, run, err, "asking for the key's type")
	}
	var n float64
	if kind != "none" {
		command, ok := lengths[kind]
		if !ok {
			return run.Fail(status.CauseBadAnswer, "the key %s is a %s, which has no length", quote(p.key), quote(kind))
		}
		answer, err := d.redis(command, p.key)
		run.Mark(status.PhaseTransfer)
		if err != nil {
			return failTalk(ctx, run, err, "asking for the length")
		}
		if n, ok = parseNumber(answer); !ok {
			return run.Fail(status.CauseBadAnswer, "the length %s is not a number", quote(answer))
		}
	}
	return p.limits.judge(run, fmt.Sprintf("%s %s", kindWord(kind), p.key), n, run.Elapsed())
}

// kindWord names a type in a reason.
func kindWord(kind string) string {
	switch kind {
	case "none":
		return "the absent key"
	case "zset":
		return "the sorted set"
	default:
		return "the " + kind
	}
}

// redis sends a command and reads an answer that is a line, a number or one
// string (RESP2). An error of the server is a wrong answer. The arguments of
// AUTH are not logged.
func (d *dialogue) redis(words ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if words[0] == "AUTH" {
		d.run.Log("> AUTH %s", redactedText)
	} else {
		d.run.Log("> %s", strings.Join(words, " "))
	}
	if _, err := io.WriteString(d.conn, b.String()); err != nil {
		return "", err
	}
	l, err := d.line()
	if err != nil {
		return "", err
	}
	if l == "" {
		return "", wrongf("the server's answer is not of Redis: an empty line")
	}
	switch rest := l[1:]; l[0] {
	case '+', ':':
		return rest, nil
	case '-':
		return "", wrongf("the server says %s", quote(rest))
	case '$':
		size, err := strconv.Atoi(rest)
		if err != nil || size < -1 || size > maxRedisBulk {
			return "", wrongf("the server announces a string of %s bytes", quote(rest))
		}
		if size == -1 {
			return "", nil
		}
		body := make([]byte, size+2)
		if _, err := io.ReadFull(d.r, body); err != nil {
			return "", err
		}
		return string(body[:size]), nil
	default:
		return "", wrongf("the server's answer %s is not of Redis", quote(l))
	}
}
