package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

const (
	// postgresConns bounds the connections of one hub.
	postgresConns     = 16
	postgresIdleConns = 8
	postgresConnAge   = time.Hour
	// connectWithin bounds one attempt to connect, unless the URL says otherwise.
	connectWithin = 5 * time.Second
	// unitWithin bounds a unit of work that has begun.
	unitWithin = 10 * time.Second
	// idleWithin is how long the server lets a transaction of ours stand still:
	// a paused hub must not keep the lease it is fenced by locked for longer than
	// the lease itself lasts.
	idleWithin = 5 * time.Second
	// serialTries is how often a unit of work is run, at most, when others keep
	// getting in its way. The wait in between is random: up to serialPause
	// before the second run, twice as much each time, up to serialPauseMost.
	serialTries     = 40
	serialPause     = 4 * time.Millisecond
	serialPauseMost = 128 * time.Millisecond
)

// openPostgres connects to the server and migrates unless read-only.
func (s *Store) openPostgres(ctx context.Context, o Options) error {
	s.dialect = postgresDialect
	cfg, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return &problem.Error{Kind: problem.KindInvalid, Field: "database.url", Msg: "the database URL cannot be read", Err: err}
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectWithin
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "evenkeel"
	}
	s.where = fmt.Sprintf("%s on %s", cfg.Database, net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
	limits := fmt.Sprintf(`set idle_in_transaction_session_timeout = %d`, idleWithin.Milliseconds())
	if o.ReadOnly {
		limits += `; set default_transaction_read_only = on`
	}
	s.db = stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, limits, pgx.QueryExecModeSimpleProtocol)
		return err
	}))
	s.db.SetMaxOpenConns(postgresConns)
	s.db.SetMaxIdleConns(postgresIdleConns)
	s.db.SetConnMaxLifetime(postgresConnAge)
	if o.ReadOnly {
		return s.checkSchema(ctx)
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return s.explain(err)
	}
	defer conn.Close()
	return s.migrate(ctx, conn)
}

// transact runs a unit of work in a transaction of its own, again when the
// server could not serialise it with the others.
func (s *Store) transact(ctx context.Context, by access.Actor, fn func(*tx) error) error {
	for try := 0; ; try++ {
		err := s.attempt(ctx, by, fn)
		if _, retry, _ := s.dialect.code(err); err == nil || !retry || try+1 == serialTries || ctx.Err() != nil {
			return err
		}
		s.counts.retried.Add(1)
		select {
		case <-time.After(rand.N(min(serialPause<<min(try, 10), serialPauseMost))):
		case <-ctx.Done():
		}
	}
}

// attempt runs a unit of work once. Once begun it does not heed ctx any more,
// so that its caller always learns whether it committed.
func (s *Store) attempt(ctx context.Context, by access.Actor, fn func(*tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unitWithin)
	defer cancel()
	sqlTx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return s.explain(err)
	}
	defer sqlTx.Rollback() // does nothing after a commit
	t := &tx{s: s, ctx: ctx, conn: sqlTx, by: by, now: moment()}
	if err := t.finish(fn); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return s.explain(err)
	}
	s.counts.commits.Add(1)
	if len(t.entries) > 0 {
		s.appended.Ring()
	}
	return nil
}
