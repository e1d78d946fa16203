package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Backup is what a backup file holds.
type Backup struct {
	Path   string           // of the file
	Bytes  int64            // its size
	Tables map[string]int64 // rows by table
	Seq    int64            // newest entry of the journal
	Hash   string           // its hash
}

// Rows counts the rows of all tables.
func (b Backup) Rows() (n int64) {
	for _, rows := range b.Tables {
		n += rows
	}
	return n
}

// unfinished marks a file that is still being written or was not seen through.
const unfinished = ".unfinished"

// Backup writes everything that the record holds at one moment into a new file,
// beside a hub that may be running. Whatever the engine, the file is a SQLite
// database of the same schema, so that it can be restored into either. It is
// read back and verified before it gets its name. Errors: Conflict when the file
// exists, Unavailable; nothing is left behind then.
func (s *Store) Backup(ctx context.Context, path string) (b Backup, err error) {
	defer problem.Wrap(&err, "back up to %s", path)
	if _, err := os.Lstat(path); err == nil {
		return b, problem.Conflict("There is a file at %s already; name another, or move it away.", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return b, problem.Unavailable(err, "The file %s cannot be written; check the folder and its permissions.", path)
	}
	half := path + unfinished
	if err := discard(half); err != nil {
		return b, err
	}
	defer func() {
		if err != nil {
			_ = discard(half) // what is left of a backup that failed is worth nothing
		}
	}()
	b = Backup{Path: path, Tables: map[string]int64{}}
	if err := s.copyOut(ctx, half, &b); err != nil {
		return b, err
	}
	if err := verifyFile(ctx, half, &b); err != nil {
		return b, err
	}
	if b.Bytes, err = settleFile(half, path); err != nil {
		return b, err
	}
	return b, nil
}

// copyOut fills a new file from one view of the record.
func (s *Store) copyOut(ctx context.Context, path string, b *Backup) error {
	file, err := newFile(ctx, path)
	if err != nil {
		return err
	}
	defer file.close()
	target := &Store{dialect: sqliteDialect, where: path, log: s.log}
	if err := target.migrate(ctx, file.conn); err != nil {
		return err
	}
	return s.snapshot(ctx, func(q querier) error {
		to, err := file.conn.BeginTx(ctx, nil)
		if err != nil {
			return target.explain(err)
		}
		defer to.Rollback()
		sheets, err := target.sheets(ctx, to)
		if err != nil {
			return err
		}
		for _, sh := range sheets {
			// Some tables begin with a row, which the copy has as well.
			if _, err := to.ExecContext(ctx, `delete from `+sh.name); err != nil {
				return target.explain(err)
			}
			if b.Tables[sh.name], err = s.copySheet(ctx, sh, q, to); err != nil {
				return target.explain(err)
			}
		}
		if err := s.sealInto(ctx, q, target, to, b); err != nil {
			return err
		}
		return target.explain(to.Commit())
	})
}

// sealInto seals what a server still keeps in its waiting room at the end of
// the journal of the copy, which has no such room.
func (s *Store) sealInto(ctx context.Context, q querier, target *Store, to *sql.Tx, b *Backup) error {
	h, err := target.headOf(ctx, to)
	if err != nil {
		return err
	}
	if !s.dialect.sealsAtCommit {
		waiting, err := list(ctx, s, q, scanPending,
			`select p.place, exists (select 1 from journal j where j.id = p.id),
				p.id, p.actor, p.role, p.verb, p.subject_kind, p.subject_id, p.recorded_at, p.effective_at, p.audience, p.payload
			 from journal_pending p order by p.place`)
		if err != nil {
			return err
		}
		for _, p := range waiting {
			if p.known {
				continue
			}
			h.seq++
			h.hash = journal.Chain(h.hash, h.seq, p.Entry)
			if _, err := to.ExecContext(ctx, `insert into journal (seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
				h.seq, h.hash, p.ID, p.Actor.ID, string(p.Actor.Role), p.Verb, p.Subject.Kind, p.Subject.ID,
				at(p.RecordedAt), at(p.EffectiveAt), string(p.Audience), payloadText(p.Entry)); err != nil {
				return target.explain(err)
			}
			b.Tables["journal"]++
		}
	}
	b.Seq, b.Hash = h.seq, h.hash
	return nil
}

// newFile makes an empty database in a new file of its own, with no write-ahead
// log beside it.
func newFile(ctx context.Context, path string) (*stmtConn, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, problem.Unavailable(err, "The file %s cannot be written; check the folder and its permissions.", path)
	}
	f.Close()
	db, err := sql.Open("sqlite", sqliteDSN(path, "rw", "journal_mode(DELETE)", "synchronous(FULL)", cacheSize(writerCache)))
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

// openFile opens a database file of ours to be read, wherever it lies.
func openFile(path string) (*Store, error) {
	s := &Store{dialect: sqliteDialect, where: path, readOnly: true}
	var err error
	s.db, err = sql.Open("sqlite", sqliteDSN(path, "ro", "query_only(1)", cacheSize(readerCache)))
	if err != nil {
		return nil, s.explain(err)
	}
	s.limitReaders()
	return s, nil
}

// verifyFile reads a copy back: its pages, its references, the rows of every
// table, and the chain of its journal.
func verifyFile(ctx context.Context, path string, want *Backup) error {
	s, err := openFile(path)
	if err != nil {
		return err
	}
	defer s.release()
	found, err := list(ctx, s, s.db, func(r *sql.Rows, line *string) error { return r.Scan(line) }, `pragma integrity_check`)
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0] != "ok" {
		return problem.Conflict("The file %s is damaged: %s.", path, found[0])
	}
	broken, err := list(ctx, s, s.db, func(r *sql.Rows, table *string) error {
		var row, parent, key any
		return r.Scan(table, &row, &parent, &key)
	}, `pragma foreign_key_check`)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return problem.Conflict("The file %s holds rows of %s without what they belong to.", path, broken[0])
	}
	if err := journal.Verify(ctx, s); err != nil {
		return &problem.Error{Kind: problem.KindConflict, Msg: fmt.Sprintf("The journal in %s does not hold.", path), Err: err}
	}
	seq, hash, err := s.Head(ctx)
	if err != nil {
		return err
	}
	if want.Hash != "" && (seq != want.Seq || hash != want.Hash) {
		return problem.Conflict("The journal in %s ends elsewhere than it should.", path)
	}
	want.Seq, want.Hash = seq, hash
	sheets, err := s.sheets(ctx, s.db)
	if err != nil {
		return err
	}
	for _, sh := range sheets {
		rows, err := list(ctx, s, s.db, func(r *sql.Rows, n *int64) error { return r.Scan(n) }, `select count(*) from `+sh.name)
		if err != nil {
			return err
		}
		if copied, known := want.Tables[sh.name]; known && copied != rows[0] {
			return problem.Conflict("The file %s holds %d rows of %s where %d were written.", path, rows[0], sh.name, copied)
		}
		want.Tables[sh.name] = rows[0]
	}
	return nil
}

// settleFile brings a finished file to the disk under its own name, and gives
// its size.
func settleFile(half, path string) (int64, error) {
	err := syncPath(half)
	if err == nil {
		err = os.Rename(half, path)
	}
	if err == nil {
		err = syncPath(filepath.Dir(path))
	}
	if err != nil {
		return 0, problem.Unavailable(err, "The file %s cannot be finished; the disk may be full.", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, problem.Unavailable(err, "The file %s is gone again.", path)
	}
	return info.Size(), nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// discard removes a file that was not finished, and what the engine laid beside it.
func discard(path string) error {
	for _, name := range []string{path, path + "-journal", path + "-wal", path + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return problem.Unavailable(err, "The file %s is in the way and cannot be removed.", name)
		}
	}
	return nil
}
