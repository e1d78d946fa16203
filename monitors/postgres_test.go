package monitors

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

func TestPostgresAgainstAServer(t *testing.T) {
	s := newRealServer(t, "postgres", 1)
	s.start(t)
	url := "postgres://evenkeel:secret@127.0.0.1:" + s.ports[0] + "/postgres"
	up, err := Compile(config.Monitor{Kind: "postgres", URL: url}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	s.await(t, "postgres", up, status.OK)

	for _, row := range []struct {
		name   string
		spec   config.Monitor
		cause  status.Cause
		reason string
	}{
		{"wrong row", config.Monitor{Kind: "postgres", URL: url, Query: "select 'down'", Expect: config.Expect{Row: []string{"up"}}}, status.CauseBadAnswer, `the first row is "down", want "up"`},
		{"no row", config.Monitor{Kind: "postgres", URL: url, Query: "select 1 where false", Expect: config.Expect{Row: []string{"1"}}}, status.CauseBadAnswer, "the first row is missing"},
		{"wrong password", config.Monitor{Kind: "postgres", URL: "postgres://evenkeel:guess-guess@127.0.0.1:" + s.ports[0] + "/postgres"}, status.CauseBadAnswer, "28P01"},
		{"no such database", config.Monitor{Kind: "postgres", URL: "postgres://evenkeel:secret@127.0.0.1:" + s.ports[0] + "/nowhere"}, status.CauseBadAnswer, "does not exist\" (3D000)"},
		{"bad SQL", config.Monitor{Kind: "postgres", URL: url, Query: "selec 1"}, status.CauseBadAnswer, "running the query: the server says \"syntax error"},
		{"copy", config.Monitor{Kind: "postgres", URL: url, Query: "copy (select 1) to stdout"}, status.CauseBadAnswer, "copies data"},
		{"endless rows", config.Monitor{Kind: "postgres", URL: url, Query: "select generate_series(1, 1000000000)"}, status.CauseBadAnswer, "more than 10000 rows"},
		{"huge row", config.Monitor{Kind: "postgres", URL: url, Query: "select repeat('x', 100000000)"}, status.CauseBadAnswer, "running the query: "},
		{"no number", config.Monitor{Kind: "sql", URL: url, Query: "select 'many'"}, status.CauseBadAnswer, `gives "many", not a number`},
		{"value", config.Monitor{Kind: "sql", URL: url, Query: "select 12", Value: config.Value{Unit: "rows", FailOver: new(10.0)}}, status.CauseThreshold, "the query is 12 rows, over the limit of 10 rows"},
		{"untrusted", config.Monitor{Kind: "postgres", URL: url + "?sslmode=require"}, status.CauseTLS, "unknown authority"},
	} {
		res := ask(t, row.spec)
		if wantResult(t, res, status.Failed, row.cause, row.reason); res.Outcome == status.OK {
			t.Errorf("%s: ok", row.name)
		}
	}

	// A query that takes too long fails the run and does not stay behind on the server.
	slow := config.Monitor{Kind: "postgres", URL: url, Query: "select pg_sleep(300)"}
	res := askWithin(t, slow, quick)
	if res.Outcome != status.Failed {
		t.Errorf("slow query: got %s", res.Outcome)
	}
	conn, err := pgconn.Connect(t.Context(), url+"?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		left, err := conn.Exec(ctx, "select count(*) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()").ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if string(left[0].Rows[0][0]) == "0" {
			break
		}
	}
}

func TestPostgresThatIsStartingUp(t *testing.T) {
	at := serve(t, func(c net.Conn) {
		var length [4]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(length[:]))-4); err != nil {
			return
		}
		fields := "SFATAL\x00VFATAL\x00C57P03\x00Mthe database system is starting up\x00\x00"
		_, _ = c.Write(append(binary.BigEndian.AppendUint32([]byte{'E'}, uint32(4+len(fields))), fields...))
	})
	res := ask(t, config.Monitor{Kind: "postgres", URL: "postgres://u:secret@" + at + "/db"})
	wantResult(t, res, status.Failed, status.CauseBadAnswer, `signing in: the server says "the database system is starting up" (57P03)`)
}

func TestPostgresReadsNothingOfTheHubsOwnSettings(t *testing.T) {
	t.Setenv("PGPASSWORD", "of-the-hub")
	t.Setenv("PGHOST", "hub.example.org")
	t.Setenv("PGSSLMODE", "verify-full")
	t.Setenv("PGUSER", "hub")
	p, err := compilePostgres(config.Monitor{Kind: "postgres", URL: "postgres://u@db.example.org/d"}, new(NewEnv(Env{})))
	if err != nil {
		t.Fatal(err)
	}
	s := p.(*postgresProbe).settings
	if s.User != "u" || s.Password != "" || s.Database != "d" || s.TLSConfig != nil || len(s.Fallbacks) != 0 || len(s.RuntimeParams) != 1 {
		t.Errorf("user %q, password %q, database %q, TLS %v, params %v", s.User, s.Password, s.Database, s.TLSConfig, s.RuntimeParams)
	}
}

func TestPostgresSocketIsWrittenTheUsualWay(t *testing.T) {
	at, err := postgresTarget(config.Monitor{URL: "postgres://u@/d?host=/run/postgresql&port=5433"})
	if err != nil || at.network != "unix" || at.address != "/run/postgresql/.s.PGSQL.5433" {
		t.Errorf("got %+v, %v", at, err)
	}
}
