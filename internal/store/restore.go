package store

import (
	"context"
	"database/sql"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Restore makes the database that o names out of a backup file: a SQLite
// database in the data folder, or an empty PostgreSQL one. The file may come
// from either engine and from an older binary; it is verified before and never
// written. A SQLite database that is there already is refused unless aside is
// true: then it is kept beside the new one under another name, which Restore
// gives. Errors: Conflict when something is in the way or the file is damaged,
// Unavailable; the database stays as it was then.
func Restore(ctx context.Context, o Options, path string, aside bool) (b Backup, kept string, err error) {
	defer problem.Wrap(&err, "restore %s", path)
	if _, err := os.Stat(path); err != nil {
		return b, "", problem.Unavailable(err, "There is no backup at %s.", path)
	}
	if o.URL != "" {
		b, err = restoreServer(ctx, o, path)
		return b, "", err
	}
	return restoreFolder(ctx, o, path, aside)
}

// readied copies a backup to a place of its own, verifies it there and brings
// its schema up to date.
func readied(ctx context.Context, o Options, path, half string) (b Backup, err error) {
	b = Backup{Path: path, Tables: map[string]int64{}}
	if err := discard(half); err != nil {
		return b, err
	}
	if b.Bytes, err = copyFile(path, half); err != nil {
		return b, err
	}
	if err := verifyFile(ctx, half, &b); err != nil {
		return b, err
	}
	conn, err := writerConn(ctx, half)
	if err != nil {
		return b, err
	}
	s := &Store{dialect: sqliteDialect, where: path, log: o.Log.With("component", "store")}
	if err = s.migrate(ctx, conn.conn); err == nil {
		// The indexes of words are not in a backup: they are made anew.
		_, err = conn.ExecContext(ctx, `delete from cursors where name = $1`, journal.SearchFollower)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, forgetWords, wordsCursor, int64(math.MaxInt64))
	}
	conn.close()
	return b, err
}

// restoreFolder puts the file in the place of the database in the data folder.
func restoreFolder(ctx context.Context, o Options, path string, aside bool) (b Backup, kept string, err error) {
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return b, "", problem.Unavailable(err, "The data folder %s cannot be made; make it yourself, writable for this hub's user.", o.DataDir)
	}
	lock, err := lockFolder(o.DataDir)
	if err != nil {
		return b, "", err
	}
	defer lock.Close()
	place := filepath.Join(o.DataDir, databaseFile)
	_, err = os.Lstat(place)
	there := err == nil
	if there && !aside {
		return b, "", problem.Conflict("There is a database at %s already; restore with --aside to keep it under another name, or into another folder.", place)
	}
	half := place + unfinished
	defer func() {
		if err != nil {
			_ = discard(half)
		}
	}()
	if b, err = readied(ctx, o, path, half); err != nil {
		return b, "", err
	}
	if there {
		kept = place + ".before-" + moment().Format("20060102T150405.000000")
		for _, end := range []string{"-wal", "-shm", ""} { // the log goes with what it belongs to
			if err := os.Rename(place+end, kept+end); err != nil && !os.IsNotExist(err) {
				return b, "", problem.Unavailable(err, "The database %s cannot be moved aside.", place)
			}
		}
	}
	_, err = settleFile(half, place)
	return b, kept, err
}

// restoreServer fills an empty database of a server, whole or not at all.
func restoreServer(ctx context.Context, o Options, path string) (b Backup, err error) {
	scratch, err := os.MkdirTemp("", "evenkeel-restore-")
	if err != nil {
		return b, problem.Unavailable(err, "There is no room for a temporary file; set TMPDIR.")
	}
	defer os.RemoveAll(scratch)
	half := filepath.Join(scratch, databaseFile)
	if b, err = readied(ctx, o, path, half); err != nil {
		return b, err
	}
	from, err := openFile(half)
	if err != nil {
		return b, err
	}
	defer from.release()
	to, err := Open(ctx, o)
	if err != nil {
		return b, err
	}
	defer to.release()
	sheets, err := from.sheets(ctx, from.db)
	if err != nil {
		return b, err
	}
	err = from.snapshot(ctx, func(q querier) error { return to.fill(ctx, sheets, q, from) })
	if err != nil {
		return b, err
	}
	seq, hash, err := to.Head(ctx)
	if err == nil && (seq != b.Seq || hash != b.Hash) {
		err = problem.Conflict("The journal in %s ends elsewhere than in the backup.", to.where)
	}
	return b, err
}

// fill copies every table into a server's database in one transaction, if
// nothing is in it yet.
func (s *Store) fill(ctx context.Context, sheets []sheet, q querier, from *Store) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	// Reading the file may take longer than a unit of work of ours ever stands still.
	if _, err := tx.ExecContext(ctx, `set local idle_in_transaction_session_timeout = 0`); err != nil {
		return s.explain(err)
	}
	for _, journal := range []string{"journal", "journal_pending"} { // nothing is ever written without an entry
		found, err := list(ctx, s, tx, func(r *sql.Rows, one *int) error { return r.Scan(one) }, `select 1 from `+journal+` limit 1`)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return problem.Conflict("The database %s is not empty: its journal holds entries. Restore into a new one.", s.where)
		}
	}
	for _, sh := range slices.Backward(sheets) { // some tables begin with a row, which the copy has as well
		if _, err := tx.ExecContext(ctx, `delete from `+sh.name); err != nil {
			return s.explain(err)
		}
	}
	for _, sh := range sheets {
		if _, err := from.copySheet(ctx, sh, q, tx); err != nil {
			return s.explain(err)
		}
	}
	if _, err := tx.ExecContext(ctx, `select setval('ticket_number', (select coalesce(max(number), 0) + 1 from tickets), false)`); err != nil {
		return s.explain(err)
	}
	// Whoever held a lease when the backup was made does not hold it here.
	if _, err := tx.ExecContext(ctx, `update leases set until = 0`); err != nil {
		return s.explain(err)
	}
	return s.explain(tx.Commit())
}

// copyFile copies a file and brings the copy to the disk.
func copyFile(from, to string) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, problem.Unavailable(err, "The backup %s cannot be read.", from)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, problem.Unavailable(err, "The file %s cannot be written; check the folder and its permissions.", to)
	}
	n, err := io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return 0, problem.Unavailable(err, "The file %s cannot be written; the disk may be full.", to)
	}
	return n, nil
}

// BackupName gives the name of a backup made now, for those who name a folder.
func BackupName(now time.Time) string {
	return "evenkeel-" + now.UTC().Format("20060102T150405Z") + ".db"
}
