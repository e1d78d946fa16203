package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// inMemory is how many bytes of an attachment are held; what is larger goes
// through a file.
const inMemory = 256 << 10

// Reading is a mail as it was read, with the bytes of its attachments.
type Reading struct {
	Incoming ticket.Incoming

	parts []*part
}

// part is the bytes of one attachment: in memory, or in a file until staged.
type part struct {
	spool string // folder
	sum   hash.Hash
	size  int64
	hash  string // once closed
	data  bytes.Buffer
	file  *os.File
}

// sink opens a place for the bytes of an attachment.
func (r *Reading) sink(spool string) io.WriteCloser {
	p := &part{spool: spool, sum: sha256.New()}
	r.parts = append(r.parts, p)
	return p
}

// Write takes bytes, and moves to a file when they become many.
func (p *part) Write(b []byte) (int, error) {
	p.sum.Write(b)
	p.size += int64(len(b))
	if p.file == nil && p.data.Len()+len(b) <= inMemory {
		return p.data.Write(b)
	}
	if p.file == nil {
		file, err := os.CreateTemp(p.spool, "part-*")
		if err != nil {
			return 0, problem.Unavailable(err, "The folder for attachments under way cannot be written; the disk may be full.")
		}
		p.file = file
		if _, err := p.file.Write(p.data.Bytes()); err != nil {
			return 0, p.full(err)
		}
		p.data = bytes.Buffer{}
	}
	n, err := p.file.Write(b)
	if err != nil {
		return n, p.full(err)
	}
	return n, nil
}

func (p *part) full(err error) error {
	return problem.Unavailable(err, "An attachment could not be put on the disk, which may be full.")
}

// Close ends the bytes.
func (p *part) Close() error {
	p.hash = hex.EncodeToString(p.sum.Sum(nil))
	return nil
}

// stage brings large attachments before the unit of work that keeps them.
func (r *Reading) stage(ctx context.Context, blobs inbox.Blobs) error {
	if r == nil {
		return nil
	}
	for _, p := range r.parts {
		if p.file == nil {
			continue
		}
		if _, err := p.file.Seek(0, io.SeekStart); err != nil {
			return p.full(err)
		}
		if err := blobs.StageBlob(ctx, p.hash, p.file); err != nil {
			return err
		}
	}
	return nil
}

// put counts a reference of the message to each of its attachments.
func (r *Reading) put(ctx context.Context, tx journal.Tx, blobs inbox.Blobs) error {
	for _, p := range r.parts {
		var err error
		if p.file != nil {
			err = blobs.KeepBlob(ctx, tx, p.hash)
		} else {
			err = blobs.PutBlob(ctx, tx, p.hash, p.data.Bytes())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drop gives up the files.
func (r *Reading) drop() {
	if r == nil {
		return
	}
	for _, p := range r.parts {
		if p.file != nil {
			_ = p.file.Close()
			_ = os.Remove(p.file.Name())
			p.file = nil
		}
	}
	r.parts = nil
}
