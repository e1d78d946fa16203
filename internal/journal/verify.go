package journal

import (
	"context"
	"fmt"
)

// verifyBatch is how many entries Verify holds in memory at once.
const verifyBatch = 1000

// Verify walks the whole sealed journal and recomputes the chain. It gives nil
// when every link holds, a *Broken naming the first that does not, or the
// reader's error when the journal could not be read to its end.
func Verify(ctx context.Context, r Reader) error { return VerifyHeads(ctx, r, nil) }

// walk is Verify that shows each entry whose link holds, and tells after each
// batch how far it has come.
func walk(ctx context.Context, r Reader, look func(Sealed) *Broken, come func(seq int64)) error {
	seq, hash := int64(0), Genesis
	for {
		entries, err := r.After(ctx, seq, verifyBatch)
		if err != nil {
			return fmt.Errorf("read the journal after %d: %w", seq, err)
		}
		if len(entries) == 0 {
			return nil
		}
		for _, e := range entries {
			if e.Seq != seq+1 {
				return &Broken{Seq: seq + 1, Reason: fmt.Sprintf("the entry is missing; the next one is %d", e.Seq)}
			}
			if Chain(hash, e.Seq, e.Entry) != e.Hash {
				return &Broken{Seq: e.Seq, Reason: "the hash does not follow from the entry and the one before it"}
			}
			if broken := look(e); broken != nil {
				return broken
			}
			seq, hash = e.Seq, e.Hash
		}
		come(seq)
	}
}
