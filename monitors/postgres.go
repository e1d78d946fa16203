package monitors

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// postgresKeys are the options of kind postgres.
var postgresKeys = slices.Concat([]string{"url", "query", "expect.row", "expect.condition"}, dialKeys, tlsKeys, certKeys, loginKeys)

// sqlKeys are the options of kind sql.
var sqlKeys = slices.Concat([]string{"url", "query"}, dialKeys, tlsKeys, loginKeys, valueKeys)

// postgresSchemes are the forms of its URL.
var postgresSchemes = map[string]scheme{"postgres": {port: "5432"}, "postgresql": {port: "5432"}}

// Limits of an exchange with the server.
const (
	maxSQLMessage  = 256 << 10 // bytes of one message, and so of a row
	maxSQLColumns  = 100       // columns of the row that are looked at
	maxSQLMessages = 10_000    // messages of one answer, rows and notices
	minSQLTimeout  = 10 * time.Millisecond
)

// postgresProbe signs in, runs one query and looks at its first row: kind
// postgres compares it, kind sql takes its first column as the monitor's value.
// The server is told to give the query up when the time is over, so that a slow
// one does not pile up there.
type postgresProbe struct {
	dial     *Dialer
	at       target
	secure   *tls.Config // nil = plain text
	settings *pgconn.Config
	query    string
	row      []string
	certs    certLimits
	cond     *Condition

	isValue bool
	limits  threshold
}

// sqlFacts is what a condition may ask of a query.
type sqlFacts struct {
	Latency float64  `expr:"latency"` // ms
	Row     []string `expr:"row"`     // the first row's columns as text; NULL is ""
	Rows    int      `expr:"rows"`    // how many came
	Version string   `expr:"version"` // of the server
}

// compilePostgres is the kind postgres. Errors: Invalid.
func compilePostgres(spec config.Monitor, env *Env) (Probe, error) {
	p, found := newPostgresProbe(spec, env)
	if p.query == "" {
		p.query = "select 1"
	}
	if p.row = spec.Expect.Row; len(p.row) > maxSQLColumns {
		found = append(found, problem.Invalid("expect.row", "has %d columns, at most %d", len(p.row), maxSQLColumns))
	}
	var err error
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, sqlFacts{})
	return p, collect(found, err).Err()
}

// compileSQL is the kind sql. Errors: Invalid.
func compileSQL(spec config.Monitor, env *Env) (Probe, error) {
	p, found := newPostgresProbe(spec, env)
	if p.isValue = true; p.query == "" {
		found = append(found, problem.Invalid("query", "is needed: SQL whose first column of the first row is a number"))
	}
	var err error
	p.limits, err = compileThreshold(spec.Value)
	return p, collect(found, err).Err()
}

func newPostgresProbe(spec config.Monitor, env *Env) (*postgresProbe, problem.Errors) {
	var found problem.Errors
	p := &postgresProbe{query: strings.TrimSpace(spec.Query), certs: env.certLimits(spec)}
	if strings.ContainsRune(p.query, 0) {
		found = append(found, problem.Invalid("query", "must not contain a zero byte"))
	}
	var err error
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	if p.at, err = postgresTarget(spec); err != nil {
		return p, collect(found, err)
	}
	p.secure, err = postgresTLS(spec, env, p.at)
	found = collect(found, err)
	user, password, err := env.login(spec, p.at)
	found = collect(found, err)
	if user == "" {
		found = append(found, problem.Invalid("auth.username", "is needed, here or in the url"))
	}
	// ParseConfig is the only way to a Config. It is given everything that it
	// would else look up in the hub's own environment and home folder.
	if p.settings, err = pgconn.ParseConfig("host=127.0.0.1 port=1 user=x password=x database=x sslmode=disable"); err != nil {
		return p, append(found, problem.Invalid("url", "cannot be used here: %v", err))
	}
	p.settings.User, p.settings.Password = user, password
	p.settings.Database = strings.TrimPrefix(p.at.url.Path, "/")
	p.settings.RuntimeParams = map[string]string{"application_name": "evenkeel"}
	p.settings.Fallbacks, p.settings.ConnectTimeout = nil, 0
	p.settings.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	p.settings.MaxProtocolMessageBodyLen = maxSQLMessage
	return p, found
}

// postgresTarget reads postgres://user:password@host:port/database and, for a
// unix socket, postgres:///database?host=/folder.
func postgresTarget(spec config.Monitor) (target, error) {
	u, err := url.Parse(spec.URL)
	folder := ""
	if err == nil {
		folder = u.Query().Get("host")
	}
	if _, ok := postgresSchemes[schemeOf(u)]; !ok || u.Host != "" || folder == "" {
		return compileTarget(spec, postgresSchemes, "postgres")
	}
	port := u.Query().Get("port")
	if port == "" {
		port = postgresSchemes["postgres"].port
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || !strings.HasPrefix(folder, "/") {
		return target{}, problem.Invalid("url", "a socket is written postgres:///database?host=/folder")
	}
	return target{network: "unix", address: folder + "/.s.PGSQL." + port, url: u}, nil
}

func schemeOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Scheme
}

// postgresTLS reads sslmode: disable, or require. Unlike libpq's, require
// always verifies, by the block tls; tls.insecure switches that off in plain sight.
func postgresTLS(spec config.Monitor, env *Env, at target) (*tls.Config, error) {
	secure, err := env.tlsFor(spec, at)
	if err != nil {
		return nil, err
	}
	for name := range at.url.Query() {
		if name != "sslmode" && (at.network != "unix" || (name != "host" && name != "port")) {
			return nil, problem.Invalid("url", "the option %q is not known here; sslmode is", name)
		}
	}
	switch mode := at.url.Query().Get("sslmode"); mode {
	case "", "disable":
		if spec.TLS != (config.TLS{}) {
			return nil, problem.Invalid("tls", "needs sslmode=require in the url")
		}
		return nil, nil
	case "require", "verify-full":
		return secure, nil
	default:
		return nil, problem.Invalid("url", "sslmode %q is not known here: disable or require", mode)
	}
}

// Close has nothing to let go of.
func (p *postgresProbe) Close() {}

// Probe signs in and asks once.
func (p *postgresProbe) Probe(ctx context.Context, run *Run) status.Result {
	d, res, ok := opening{dial: p.dial, at: p.at, upgrade: upgradePostgres, secure: p.secure}.open(ctx, run)
	if !ok {
		return res
	}
	defer d.close()
	session, err := p.signIn(ctx, d.conn)
	run.Mark(status.PhaseWait)
	if err != nil {
		return failSQL(ctx, run, err, "signing in")
	}
	run.Log("signed in as %s to database %s, server %s", p.settings.User, quote(p.settings.Database), session.ParameterStatuses["server_version"])
	answer, err := p.ask(ctx, run, session.Frontend)
	run.Mark(status.PhaseTransfer)
	took := run.Elapsed()
	if err != nil {
		return failSQL(ctx, run, err, "running the query")
	}
	session.Frontend.Send(&pgproto3.Terminate{})
	_ = session.Frontend.Flush() // a courtesy to the server's log
	run.Log("%d rows, the first: %s", answer.rows, strings.Join(answer.row, ", "))
	if p.isValue {
		return p.value(run, answer, took)
	}
	if p.row != nil && !slices.Equal(p.row, answer.row) {
		res := run.Fail(status.CauseBadAnswer, "the first row is %s, want %s", rowText(answer.row), rowText(p.row))
		res.Latency = took
		return res
	}
	return conclude(run, took, p.certs, p.cond, sqlFacts{
		Latency: milliseconds(took), Row: answer.row, Rows: answer.rows, Version: session.ParameterStatuses["server_version"],
	})
}

// value judges the first column of the first row.
func (p *postgresProbe) value(run *Run, answer sqlAnswer, took time.Duration) status.Result {
	if len(answer.row) == 0 {
		return run.Fail(status.CauseBadAnswer, "the query gives no row")
	}
	v, ok := parseNumber(answer.row[0])
	if !ok {
		return run.Fail(status.CauseBadAnswer, "the query gives %s, not a number", quote(answer.row[0]))
	}
	return p.limits.judge(run, "the query", v, took)
}

// signIn plays the start of the protocol over a connection that is open, and
// takes the connection out of pgconn's hands again: pgconn would clean up a
// broken one in a goroutine that outlives the run.
func (p *postgresProbe) signIn(ctx context.Context, conn net.Conn) (*pgconn.HijackedConn, error) {
	settings := p.settings.Copy()
	var once sync.Mutex
	settings.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		if !once.TryLock() { // pgconn dials again to cancel what it gave up
			return nil, errors.New("one connection a run")
		}
		return conn, nil
	}
	session, err := pgconn.ConnectConfig(ctx, settings)
	if err != nil {
		return nil, err
	}
	return session.Hijack()
}

// sqlAnswer is what a query gave.
type sqlAnswer struct {
	row  []string // the first
	rows int
}

// ask runs the query as a simple one, with a time limit for the server before
// it in the same message: SET LOCAL ends with the message's transaction, so a
// pooler between us and the server keeps nothing of it.
func (p *postgresProbe) ask(ctx context.Context, run *Run, server *pgproto3.Frontend) (sqlAnswer, error) {
	text := p.query
	if end, ok := ctx.Deadline(); ok {
		text = fmt.Sprintf("set local statement_timeout = %d; ", max(time.Until(end), minSQLTimeout).Milliseconds()) + text
	}
	run.Log("> %s", p.query)
	server.Send(&pgproto3.Query{String: text})
	if err := server.Flush(); err != nil {
		return sqlAnswer{}, err
	}
	var answer sqlAnswer
	var failed error
	for range maxSQLMessages {
		message, err := server.Receive()
		if err != nil {
			return answer, err
		}
		switch m := message.(type) {
		case *pgproto3.DataRow:
			if answer.rows == 0 {
				for _, column := range m.Values[:min(len(m.Values), maxSQLColumns)] {
					answer.row = append(answer.row, string(column))
				}
			}
			answer.rows++
		case *pgproto3.NoticeResponse:
			run.Log("< %s: %s", m.Severity, m.Message)
		case *pgproto3.ErrorResponse:
			failed = pgconn.ErrorResponseToPgError(m)
			if m.Severity == "FATAL" {
				return answer, failed
			}
		case *pgproto3.CopyInResponse, *pgproto3.CopyOutResponse, *pgproto3.CopyBothResponse:
			return answer, wrongf("the query copies data, which a probe does not")
		case *pgproto3.ReadyForQuery:
			return answer, failed
		}
	}
	return answer, wrongf("the query gives more than %d rows; add a limit to it", maxSQLMessages)
}

// failSQL makes the result of an error between us and the server: an error it
// reports and a message that makes no sense are answers, bad ones.
func failSQL(ctx context.Context, run *Run, err error, doing string) status.Result {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return run.Fail(status.CauseBadAnswer, "%s: the server says %s (%s)", doing, quote(e.Message), e.Code)
	}
	if _, ok := errors.AsType[*wrong](err); ok || isNetwork(err) || ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return failTalk(ctx, run, err, doing)
	}
	return run.Fail(status.CauseBadAnswer, "%s: %s", doing, rootText(err))
}

// rowText writes a row for a reason.
func rowText(row []string) string {
	if len(row) == 0 {
		return "missing"
	}
	return quote(strings.Join(row, ", "))
}
