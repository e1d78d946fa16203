package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"evenkeel/internal/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the key of PostgreSQL's advisory lock under which one
// process migrates while others wait: "evenkeel" in ASCII.
const migrationLock = 0x6576656e6b65656c

// migration is one numbered step of the schema.
type migration struct {
	version   int
	checksum  string // of the whole file
	minReader int    // the newest migration of the oldest binary that still works after this one
	text      string
}

// applied is a row of schema_migrations.
type applied struct {
	version   int
	checksum  string
	minReader int
}

// migrations reads the embedded steps, in order, and checks that they are
// numbered 1, 2, 3… and say what they must.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	var out []migration
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		m := migration{checksum: hex.EncodeToString(sum[:]), text: string(text)}
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		if m.version, err = strconv.Atoi(number); err != nil || m.version != i+1 {
			return nil, fmt.Errorf("migration %s: expected number %04d", name, i+1)
		}
		first, _, _ := strings.Cut(m.text, "\n")
		if _, err := fmt.Sscanf(first, "-- min_reader: %d", &m.minReader); err != nil || m.minReader < 1 || m.minReader > m.version {
			return nil, fmt.Errorf("migration %s: the first line must be \"-- min_reader: N\" with 1 ≤ N ≤ %d", name, m.version)
		}
		out = append(out, m)
	}
	return out, nil
}

// forEngine gives the statements of the step that the engine gets.
func (m migration) forEngine(marker string) string {
	var b strings.Builder
	keep := true
	for line := range strings.Lines(m.text) {
		if engine, ok := strings.CutPrefix(strings.TrimSpace(line), "-- engine: "); ok {
			keep = engine == "all" || engine == marker
			continue
		}
		if keep {
			b.WriteString(line)
		}
	}
	return b.String()
}

// migrate brings the schema up to date on one connection, each step in its own
// transaction, while other processes wait.
func (s *Store) migrate(ctx context.Context, c *sql.Conn) error {
	steps, err := migrations(migrationFiles)
	if err != nil {
		return problem.Internal(err, "The migrations in this binary are not in order.")
	}
	unlock, err := s.dialect.lockSchema(ctx, c)
	if err != nil {
		return s.explain(err)
	}
	defer unlock()
	if _, err := c.ExecContext(ctx, `create table if not exists schema_migrations (
		version bigint primary key, checksum text not null, min_reader bigint not null, applied_at bigint not null)`); err != nil {
		return s.explain(err)
	}
	done, err := s.schemaOf(ctx, c)
	if err != nil {
		return err
	}
	if err := s.compatible(steps, done); err != nil {
		return err
	}
	for _, m := range steps[min(len(done), len(steps)):] {
		if err := s.step(ctx, c, m); err != nil {
			return err
		}
		s.applied = append(s.applied, m.version)
		s.log.Info("database migrated", "version", m.version)
	}
	return nil
}

// step applies one migration, whole or not at all.
func (s *Store) step(ctx context.Context, c *sql.Conn, m migration) (err error) {
	defer problem.Wrap(&err, "migrate to %d", m.version)
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	if err := s.dialect.script(ctx, tx, m.forEngine(s.dialect.marker)); err != nil {
		return s.explain(err)
	}
	if _, err := tx.ExecContext(ctx, `insert into schema_migrations (version, checksum, min_reader, applied_at) values ($1, $2, $3, $4)`,
		m.version, m.checksum, m.minReader, at(moment())); err != nil {
		return s.explain(err)
	}
	return s.explain(tx.Commit())
}

// checkSchema tells whether this binary can read the database as it is.
func (s *Store) checkSchema(ctx context.Context) error {
	steps, err := migrations(migrationFiles)
	if err != nil {
		return problem.Internal(err, "The migrations in this binary are not in order.")
	}
	done, err := s.schemaOf(ctx, s.db)
	if problem.KindOf(err) == problem.KindInternal {
		return problem.Unavailable(err, "The database %s holds no schema of ours; start the hub once, or run evenkeel migrate.", s.where)
	}
	if err == nil {
		err = s.compatible(steps, done)
	}
	if err != nil {
		return err
	}
	if len(done) < len(steps) {
		return problem.Unavailable(nil, "The database %s is at version %d and this binary needs %d; run evenkeel migrate, or start the hub once.", s.where, len(done), len(steps))
	}
	return nil
}

// schemaOf reads which migrations were applied, oldest first.
func (s *Store) schemaOf(ctx context.Context, q querier) ([]applied, error) {
	return list(ctx, s, q, func(r *sql.Rows, a *applied) error { return r.Scan(&a.version, &a.checksum, &a.minReader) },
		`select version, checksum, min_reader from schema_migrations order by version`)
}

// compatible refuses a database that this binary must not work on: one whose
// history is not ours, or one so new that this binary is too old for it.
// Errors: Conflict, because trying again does not help and another binary does.
func (s *Store) compatible(steps []migration, done []applied) error {
	for i, d := range done {
		switch {
		case d.version != i+1:
			return problem.Conflict("The database %s lacks migration %d; restore a backup.", s.where, i+1)
		case i < len(steps) && d.checksum != steps[i].checksum:
			return problem.Conflict("The database %s was made by another edition of migration %d than this binary holds; use the binary it was made with.", s.where, d.version)
		case i >= len(steps) && d.minReader > len(steps):
			return problem.Conflict("The database %s is at version %d, which binaries older than version %d cannot work on, and this one is %d; use a newer evenkeel, or restore the backup from before the upgrade.",
				s.where, len(done), d.minReader, len(steps))
		}
	}
	return nil
}

// runScript runs several statements at once.
func runScript(ctx context.Context, c conn, text string) error {
	_, err := c.ExecContext(ctx, text)
	return err
}

// runSimpleScript runs several statements at once, which PostgreSQL takes in
// its simple protocol only.
func runSimpleScript(ctx context.Context, c conn, text string) error {
	_, err := c.ExecContext(ctx, text, pgx.QueryExecModeSimpleProtocol)
	return err
}

// lockNothing: the folder's lock guards SQLite already.
func lockNothing(context.Context, *sql.Conn) (func(), error) { return func() {}, nil }

// lockAdvisory waits until no other process migrates.
func lockAdvisory(ctx context.Context, c *sql.Conn) (func(), error) {
	if _, err := c.ExecContext(ctx, `select pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectWithin)
		defer cancel()
		_, _ = c.ExecContext(ctx, `select pg_advisory_unlock($1)`, int64(migrationLock)) // it ends with the connection at the latest
	}, nil
}
