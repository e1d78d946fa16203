package app

import (
	"crypto/sha256"
	"encoding/hex"

	"evenkeel/internal/config"
	"evenkeel/internal/release/procedure"
)

// LoadProcedure reads a procedure file; its revision is the hash of its bytes.
// Errors: config.Problems with every mistake in it; a wrapped *fs.PathError.
func LoadProcedure(path string) (d *procedure.Definition, err error) {
	_, err = config.LoadProcedure(path, func(p config.Procedure, src []byte) (found []config.Problem) {
		sum := sha256.Sum256(src)
		var faults []procedure.Fault
		d, faults = procedure.Compile(p, hex.EncodeToString(sum[:]))
		for _, f := range faults {
			found = append(found, config.Problem{Path: f.Path, Reason: f.Text})
		}
		return found
	})
	return d, err
}
