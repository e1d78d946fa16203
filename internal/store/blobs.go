package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// blobChunk is how many bytes of a blob stand in one row.
	blobChunk = 256 << 10
	// stageChunks is how many rows of a blob one unit of work brings, so that a
	// large one does not keep the writer to itself.
	stageChunks = 4
	// sweepBlobs is how many blobs one unit of work clears away.
	sweepBlobs = 8
)

// blob is bytes by their hash, with how many refer to them anew.
type blob struct {
	hash string
	data []byte
	refs int64
}

// PutBlob keeps bytes under their SHA-256, hex, and counts one reference more to
// them. It is for what fits into a unit of work: a few MiB.
func (s *Store) PutBlob(_ context.Context, jt journal.Tx, hash string, data []byte) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.putBlobs([]blob{{hash: hash, data: data, refs: 1}})
}

// putBlobs keeps blobs, each hash once. A hash that was never referred to before
// gets its bytes; of others the count alone changes.
func (t *tx) putBlobs(blobs []blob) error {
	fresh := make(map[string]bool, len(blobs))
	err := pieces(blobs, func(piece []blob) error {
		const columns = 5
		args := make([]any, 0, columns*len(piece))
		wanted := make(map[string]int64, len(piece))
		for _, b := range piece {
			args = append(args, b.hash, len(b.data), b.refs, true, at(t.now))
			wanted[b.hash] = b.refs
		}
		return t.rows(`insert into blobs (hash, size, refs, whole, touched_at) values `+tuples(len(piece), columns)+`
			on conflict (hash) do update set refs = blobs.refs + excluded.refs, size = excluded.size, whole = true returning hash, refs`, args,
			func(r *sql.Rows) error {
				var hash string
				var refs int64
				err := r.Scan(&hash, &refs)
				fresh[hash] = refs == wanted[hash]
				return err
			})
	})
	if err != nil {
		return err
	}
	var chunks []chunk
	for _, b := range blobs {
		if fresh[b.hash] {
			chunks = append(chunks, cut(b.hash, 0, b.data)...)
		}
	}
	return t.putChunks(chunks)
}

// chunk is one row of a blob.
type chunk struct {
	hash  string
	n     int64
	bytes []byte
}

// cut gives the rows of data, the first of which is the n-th of the blob.
func cut(hash string, n int64, data []byte) (out []chunk) {
	for len(data) > 0 {
		size := min(len(data), blobChunk)
		out = append(out, chunk{hash, n, data[:size]})
		data = data[size:]
		n++
	}
	return out
}

func (t *tx) putChunks(chunks []chunk) error {
	return pieces(chunks, func(piece []chunk) error {
		const columns = 3
		args := make([]any, 0, columns*len(piece))
		for _, c := range piece {
			args = append(args, c.hash, c.n, c.bytes)
		}
		_, err := t.exec(`insert into blob_chunks (hash, n, bytes) values `+tuples(len(piece), columns)+` on conflict (hash, n) do nothing`, args...)
		return err
	})
}

// StageBlob brings bytes of any size under their SHA-256, hex, in units of work
// of their own. Nobody refers to them yet: KeepBlob must follow before they are
// swept. Nothing is done for bytes that are whole already. Errors: Invalid when
// the bytes are not those of the hash, what r gives, Unavailable.
func (s *Store) StageBlob(ctx context.Context, hash string, r io.Reader) error {
	whole := false
	err := s.run(ctx, access.Hub, func(t *tx) (err error) {
		whole = false
		return t.rows(`insert into blobs (hash, size, refs, whole, touched_at) values ($1, 0, 0, $2, $3)
			on conflict (hash) do update set touched_at = excluded.touched_at returning whole`, []any{hash, false, at(t.now)},
			func(r *sql.Rows) error { return r.Scan(&whole) })
	})
	if err != nil || whole {
		return err
	}
	sum, size, buffer := sha256.New(), int64(0), make([]byte, stageChunks*blobChunk)
	for n := int64(0); ; n += stageChunks {
		got, err := io.ReadFull(r, buffer)
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return err
		}
		part := buffer[:got]
		sum.Write(part)
		size += int64(got)
		if last && hex.EncodeToString(sum.Sum(nil)) != hash {
			return problem.Invalid("hash", "the bytes are not those of the hash %s", hash)
		}
		err = s.run(ctx, access.Hub, func(t *tx) error {
			if err := t.putChunks(cut(hash, n, part)); err != nil || !last {
				return err
			}
			_, err := t.exec(`update blobs set size = $2, whole = $3, touched_at = $4 where hash = $1`, hash, size, true, at(t.now))
			return err
		})
		if err != nil || last {
			return err
		}
	}
}

// KeepBlob counts one reference more to bytes that are there. Errors: NotFound.
func (s *Store) KeepBlob(_ context.Context, jt journal.Tx, hash string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	n, err := t.exec(`update blobs set refs = refs + 1 where hash = $1 and whole`, hash)
	if err == nil && n == 0 {
		err = problem.NotFound("There is no blob %s.", hash)
	}
	return err
}

// DropBlob counts one reference less; with the last one the bytes go. One that is
// not there is no error.
func (s *Store) DropBlob(_ context.Context, jt journal.Tx, hash string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	left := int64(1)
	err = t.rows(`update blobs set refs = refs - 1 where hash = $1 and refs > 0 returning refs`, []any{hash},
		func(r *sql.Rows) error { return r.Scan(&left) })
	if err != nil || left > 0 {
		return err
	}
	return t.forgetBlob(hash)
}

func (t *tx) forgetBlob(hash string) error {
	if _, err := t.exec(`delete from blobs where hash = $1`, hash); err != nil {
		return err
	}
	_, err := t.exec(`delete from blob_chunks where hash = $1`, hash)
	return err
}

// SweepBlobs clears away bytes that were staged before the moment and that nobody
// refers to, and tells how many blobs went. It does a few at a time: call it again
// until it gives 0.
func (s *Store) SweepBlobs(ctx context.Context, before time.Time) (swept int, err error) {
	err = s.run(ctx, access.Hub, func(t *tx) error {
		var hashes []string
		if err := t.rows(`select hash from blobs where refs = 0 and touched_at < $1 order by touched_at limit $2`, []any{at(before), sweepBlobs},
			func(r *sql.Rows) error {
				var hash string
				err := r.Scan(&hash)
				hashes = append(hashes, hash)
				return err
			}); err != nil {
			return err
		}
		swept = len(hashes)
		for _, hash := range hashes {
			if err := t.forgetBlob(hash); err != nil {
				return err
			}
		}
		return nil
	})
	return swept, err
}

// OpenBlob gives the bytes of a hash and how many they are. They are read row by
// row, within ctx. Errors: NotFound.
func (s *Store) OpenBlob(ctx context.Context, hash string) (io.ReadCloser, int64, error) {
	r := &blobReader{s: s, ctx: ctx, hash: hash, next: 1}
	type opened struct {
		size  int64
		first []byte
	}
	found, err := list(ctx, s, s.db, func(r *sql.Rows, o *opened) error { return r.Scan(&o.size, &o.first) },
		`select b.size, c.bytes from blobs b left join blob_chunks c on c.hash = b.hash and c.n = 0 where b.hash = $1 and b.whole`, hash)
	o, err := only(found, err, "blob", hash)
	r.part, r.left = o.first, o.size
	return r, o.size, err
}

// blobReader reads a blob from its rows.
type blobReader struct {
	s    *Store
	ctx  context.Context
	hash string
	next int64  // row to read when part is used up
	part []byte // of the row before
	left int64  // bytes that were not given yet
}

// Read gives the next bytes. Errors: NotFound when the blob went away meanwhile.
func (r *blobReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if len(r.part) == 0 {
		found, err := list(r.ctx, r.s, r.s.db, func(rows *sql.Rows, b *[]byte) error { return rows.Scan(b) },
			`select bytes from blob_chunks where hash = $1 and n = $2`, r.hash, r.next)
		if r.part, err = only(found, err, "blob", r.hash); err != nil {
			return 0, err
		}
		r.next++
	}
	n := copy(p, r.part)
	r.part = r.part[n:]
	r.left -= int64(n)
	return n, nil
}

// WriteTo gives every row as it is, without a copy.
func (r *blobReader) WriteTo(w io.Writer) (total int64, err error) {
	for r.left > 0 {
		if len(r.part) == 0 {
			if _, err := r.Read(nil); err != nil {
				return total, err
			}
		}
		n, err := bytes.NewReader(r.part).WriteTo(w)
		r.part = r.part[n:]
		r.left -= n
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Close gives nothing back: between reads nothing is held.
func (r *blobReader) Close() error { return nil }
