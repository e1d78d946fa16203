package store

import (
	"context"
	"strings"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Index makes entries findable by their words.
func (s *Store) Index(ctx context.Context, jt journal.Tx, entries []journal.Sealed) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	insert := `insert into journal_words (rowid, words) values ($1, $2)`
	if !s.dialect.sealsAtCommit {
		insert = `insert into journal_words (seq, words) values ($1, array_to_tsvector($2::text[])) on conflict (seq) do nothing`
	}
	for _, e := range entries {
		var words any = e.Words()
		if s.dialect.sealsAtCommit {
			words = strings.Join(e.Words(), " ")
		}
		if _, err := t.exec(insert, e.Seq, words); err != nil {
			return err
		}
	}
	return nil
}

// Find gives up to limit entries before seq that hold every word, newest first.
func (s *Store) Find(ctx context.Context, words []string, before int64, limit int) (found []journal.Sealed, err error) {
	defer problem.Wrap(&err, "search the journal")
	if err := positive(limit); err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, nil
	}
	// A whole word is found along its own list of entries, newest first; the lists
	// of all words with a common beginning would have to be merged first.
	for _, beginning := range []bool{false, true} {
		if found, err = s.find(ctx, words, beginning, before, limit); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// find looks for whole words, or takes the last one as the beginning of one.
func (s *Store) find(ctx context.Context, words []string, beginning bool, before int64, limit int) ([]journal.Sealed, error) {
	const columns = `select seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload from journal where seq in `
	if s.dialect.sealsAtCommit {
		query := `"` + strings.Join(words, `" AND "`) + `"`
		if beginning {
			query += `*`
		}
		return list(ctx, s, s.db, scanSealed, columns+
			`(select rowid from journal_words where journal_words match $1 and rowid < $2 order by rowid desc limit $3) order by seq desc`,
			query, before, limit)
	}
	query := `'` + strings.Join(words, `' & '`) + `'`
	if beginning {
		query += `:*`
	}
	return list(ctx, s, s.db, scanSealed, columns+
		`(select seq from journal_words where words @@ $1::tsquery and seq < $2 order by seq desc limit $3) order by seq desc`,
		query, before, limit)
}
