package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"evenkeel/internal/problem"
)

// The names of our files in the data folder.
const (
	databaseFile = "evenkeel.db"
	lockFile     = "evenkeel.lock"
)

const (
	// busyTimeout is how long SQLite waits for another process, such as a
	// backup, in milliseconds.
	busyTimeout = 5000
	// walLimit is what the write-ahead log is cut back to after a checkpoint, in bytes.
	walLimit = 32 << 20
	// sqliteReaders bounds the connections that read; idle ones are few, for
	// each keeps a page cache.
	sqliteReaders     = 8
	sqliteIdleReaders = 2
	readerIdle        = time.Minute
	// writerCache and readerCache bound the page caches of one connection, in
	// KiB: what is read again soon is in the system's own cache anyway.
	writerCache = 1024
	readerCache = 256
)

// openSQLite opens the database in the data folder, taking the folder's lock
// and starting the writer unless read-only.
func (s *Store) openSQLite(ctx context.Context, o Options) error {
	s.dialect = sqliteDialect
	folder, err := filepath.Abs(o.DataDir)
	if err != nil || o.DataDir == "" {
		return problem.Invalid("data", "the data folder is needed when no database URL is given")
	}
	s.where = filepath.Join(folder, databaseFile)
	if o.ReadOnly {
		return s.openToRead(ctx)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return problem.Unavailable(err, "The data folder %s cannot be made; make it yourself, writable for this hub's user, or choose another with EVENKEEL_DATA.", folder)
	}
	if s.lock, err = lockFolder(folder); err != nil {
		return err
	}
	conn, err := writerConn(ctx, s.where)
	if err != nil {
		return s.explain(err)
	}
	if err := s.migrate(ctx, conn.conn); err != nil {
		conn.close()
		return err
	}
	// The folder's lock says that whoever held a lease is gone: a hub that was
	// killed watches again at once, under a new epoch.
	if err := conn.exec(`update leases set until = 0`); err != nil {
		conn.close()
		return s.explain(err)
	}
	// So is whoever had claimed deliveries: they are sent again at once.
	if err := conn.exec(`update deliveries set next_at = 0 where next_at is not null and state = 'sending'`); err != nil {
		conn.close()
		return s.explain(err)
	}
	h, err := s.headOf(ctx, conn)
	if err != nil {
		conn.close()
		return err
	}
	s.db, err = sql.Open("sqlite", sqliteDSN(s.where, "rw", "query_only(1)", cacheSize(readerCache)))
	if err != nil {
		conn.close()
		return s.explain(err)
	}
	s.limitReaders()
	s.writer = startWriter(s, conn, h)
	return nil
}

// openToRead opens an existing database beside whoever else has it open.
func (s *Store) openToRead(ctx context.Context) (err error) {
	if _, err := os.Stat(s.where); err != nil {
		return problem.Unavailable(err, "There is no database at %s; name the data folder of the hub with EVENKEEL_DATA.", s.where)
	}
	dsn := sqliteDSN(s.where, "ro", "query_only(1)", cacheSize(readerCache))
	if lies(s.where) {
		dsn += "&immutable=1"
	}
	if s.db, err = sql.Open("sqlite", dsn); err != nil {
		return s.explain(err)
	}
	s.limitReaders()
	return s.checkSchema(ctx)
}

// lies reports whether a database is a copy that nobody writes: its folder may
// not be written, so that SQLite could not make the files it reads beside, and
// there is no log of writes that the file itself lacks.
func lies(path string) bool {
	if unix.Access(filepath.Dir(path), unix.W_OK) == nil {
		return false
	}
	wal, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && wal.Size() == 0
}

func (s *Store) limitReaders() {
	s.db.SetMaxOpenConns(sqliteReaders)
	s.db.SetMaxIdleConns(sqliteIdleReaders)
	s.db.SetConnMaxIdleTime(readerIdle)
}

// writerConn opens the one connection that writes.
func writerConn(ctx context.Context, path string) (*stmtConn, error) {
	db, err := sql.Open("sqlite", sqliteDSN(path, "rwc", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		fmt.Sprintf("journal_size_limit(%d)", walLimit), cacheSize(writerCache)))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, err
	}
	return &stmtConn{db: db, conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

// cacheSize is the pragma for a page cache of so many KiB.
func cacheSize(kib int) string { return fmt.Sprintf("cache_size(-%d)", kib) }

// sqliteDSN builds a connection string. Pragmas stand in it, because one set by
// a statement would hold on a single connection of the pool only.
func sqliteDSN(path, mode string, pragmas ...string) string {
	q := url.Values{"mode": {mode}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout)}}
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// lockFolder makes this process the only hub on the data folder. The lock goes
// with the process, however it ends.
func lockFolder(folder string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(folder, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, problem.Unavailable(err, "The data folder %s cannot be written; make it writable for this hub's user, or choose another with EVENKEEL_DATA.", folder)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		return nil, &problem.Error{Kind: problem.KindConflict, Err: err,
			Msg: fmt.Sprintf("Another hub is using the data folder %s (process %s); stop it first, give this one another folder, or use PostgreSQL for several hubs.",
				folder, strings.TrimSpace(string(owner)))}
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, problem.Unavailable(err, "The data folder %s cannot be written; the disk may be full.", folder)
	}
	return f, nil
}
