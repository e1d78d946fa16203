package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"evenkeel/internal/problem"
)

// dialect is everything in which the two engines differ, beyond how they are
// opened and how a unit of work is run. Every other SQL text serves both.
type dialect struct {
	name          string
	marker        string // of the "-- engine:" lines in migrations
	lockShared    string // ends a select whose rows must not change before the commit
	isolation     sql.IsolationLevel
	sealsAtCommit bool
	insertTicket  string                                                      // the statement, for the engine gives the number
	appendEntries func(*tx) error                                             // writes tx.entries
	clock         func(*tx) (time.Time, error)                                // the clock that leases run by
	script        func(context.Context, conn, string) error                   // runs several statements at once
	lockSchema    func(context.Context, *sql.Conn) (unlock func(), err error) // keeps others from migrating
	code          func(error) (trouble trouble, retry, known bool)            // reads a driver's error
}

var sqliteDialect = dialect{
	name: "sqlite", marker: "sqlite", lockShared: "", isolation: sql.LevelDefault,
	insertTicket:  insertTicket(`(select coalesce(max(number), 0) + 1 from tickets)`), // one writer: nobody comes between
	sealsAtCommit: true, appendEntries: sealEntries, clock: ownClock, script: runScript, lockSchema: lockNothing, code: sqliteCode,
}

var postgresDialect = dialect{
	name: "postgresql", marker: "postgres", lockShared: " for share", isolation: sql.LevelRepeatableRead,
	insertTicket:  insertTicket(`nextval('ticket_number')`), // one counting row would be everybody's lock
	sealsAtCommit: false, appendEntries: pendEntries, clock: databaseClock, script: runSimpleScript, lockSchema: lockAdvisory, code: postgresCode,
}

// trouble is what a driver's error code means to us.
type trouble int

const (
	troubleOurs     trouble = iota // a statement of ours is wrong, or a rule of the schema was broken
	troubleUnique                  // the row is there already
	troubleBusy                    // others were in the way; again is fine
	troubleAway                    // not reachable, shutting down, overloaded
	troubleFull                    // no room on the disk
	troubleReadOnly                // may not be written
	troubleBroken                  // the file is damaged or no database
)

// sqliteCode reads SQLite's result codes (https://www.sqlite.org/rescode.html).
func sqliteCode(err error) (trouble, bool, bool) {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return troubleOurs, false, false
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return troubleUnique, false, true
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return troubleBusy, false, true
	case sqlite3.SQLITE_FULL:
		return troubleFull, false, true
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return troubleReadOnly, false, true
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT:
		return troubleBroken, false, true
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM:
		return troubleAway, false, true
	}
	return troubleOurs, false, true
}

// postgresCode reads SQLSTATE codes (PostgreSQL manual, appendix A). What never
// reached the server, or lost it, carries none and counts as away.
func postgresCode(err error) (trouble, bool, bool) {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return troubleAway, false, true
	}
	switch e.Code {
	case "23505":
		return troubleUnique, false, true
	case "40001", "40P01":
		return troubleBusy, true, true
	case "25006", "42501":
		return troubleReadOnly, false, true
	case "53100":
		return troubleFull, false, true
	}
	switch e.Code[:2] {
	case "55":
		return troubleBusy, false, true
	case "08", "53", "57", "58", "28", "3D":
		return troubleAway, false, true
	case "XX":
		return troubleBroken, false, true
	}
	return troubleOurs, false, true
}

// explain turns a driver's error into a problem: what happened, where, and what
// to do. Problems, ends of contexts and "no rows" pass as they are.
func (s *Store) explain(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*problem.Error](err); ok {
		return err
	}
	trouble, _, known := s.dialect.code(err)
	if !known {
		return err
	}
	switch trouble {
	case troubleUnique:
		return &problem.Error{Kind: problem.KindConflict, Msg: "Somebody else added the same thing first.", Err: err}
	case troubleBusy:
		return problem.Unavailable(err, "The database %s is busy with the work of others; try again.", s.where)
	case troubleAway:
		return problem.Unavailable(err, "The database %s cannot be reached; check that it runs and that this hub may use it.", s.where)
	case troubleFull:
		return s.unwritable(problem.Unavailable(err, "The disk under the database %s is full; make room. Nothing that was acknowledged is lost.", s.where))
	case troubleReadOnly:
		return s.unwritable(problem.Unavailable(err, "The database %s may not be written; give this hub's user the right to, or choose another place.", s.where))
	case troubleBroken:
		return problem.Unavailable(err, "The database %s is damaged or is no database of ours; nothing in it was changed. Restore a backup, or move it away to begin anew.", s.where)
	default:
		return problem.Internal(err, "The database %s refused a statement.", s.where)
	}
}

// unwritable remembers for Ping what a read would not notice.
func (s *Store) unwritable(e *problem.Error) error {
	s.unable.Store(e)
	return e
}

// ownClock is this machine's: on SQLite nobody else's matters.
func ownClock(t *tx) (time.Time, error) { return t.now, nil }

// databaseClock is the server's, the one clock that all replicas share.
func databaseClock(t *tx) (now time.Time, err error) {
	err = t.one(`select (extract(epoch from clock_timestamp()) * 1000000)::bigint`, nil, into(&now))
	return now, err
}
