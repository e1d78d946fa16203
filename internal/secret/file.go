package secret

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"evenkeel/internal/problem"
)

// FileName is what the key file in the data folder is called.
const FileName = "secret.key"

// maxFile bounds a key file, in bytes.
const maxFile = 16 << 10

// linePrefix begins a line with a key, so that a file that is something else is
// not taken for one.
const linePrefix = "evenkeel-key-1 "

const fileHead = `# The keys of an Evenkeel hub. Whoever reads this file and the database reads every secret in it:
# keep it private, back it up apart from the database, and give every replica the same.
# The first key seals; the others still open what they sealed before.
`

// Open reads the key file at path, and makes one with a fresh key when there is
// none: readable by its owner alone. Errors: Invalid when it is no key file or
// others may write it, Unavailable when it cannot be read or made.
func Open(path string) (*Box, error) {
	b, err := Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path, fresh()); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, problem.Unavailable(err, "The key file %s cannot be made; check the folder and its permissions.", path)
		} // else somebody made it meanwhile
		return Read(path)
	}
	return b, err
}

// Read reads the key file at path, which must be there. Errors: Invalid when it
// is no key file or others may write it, Unavailable when it cannot be read.
func Read(path string) (*Box, error) {
	keys, err := read(path)
	if err != nil {
		return nil, err
	}
	return New(keys...)
}

// Rotate puts a fresh key in front of those in the file: it seals from the next
// start on, and the others still open. It gives the name of the new key.
// Errors: those of Read; Invalid when the file is full.
func Rotate(path string) (id string, err error) {
	keys, err := read(path)
	if err != nil {
		return "", err
	}
	keys = append([][]byte{fresh()}, keys...)
	b, err := New(keys...)
	if err != nil {
		return "", err
	}
	next, err := written(path, keys...)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return "", problem.Unavailable(err, "The key file %s cannot be replaced; check the folder and its permissions.", path)
	}
	return b.ID(), nil
}

func fresh() []byte {
	k := make([]byte, KeyBytes)
	rand.Read(k) // never fails: it ends the program instead
	return k
}

func read(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Unavailable(err, "The key file %s cannot be read; check the path and its permissions.", path)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o022 != 0 {
		return nil, problem.Invalid("key_file", "Others may write the key file %s; run chmod 600 on it.", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, problem.Unavailable(err, "The key file %s cannot be read; check the path and its permissions.", path)
	}
	keys, err := parse(text)
	if err != nil {
		return nil, problem.Invalid("key_file", "%s is no key file: %s", path, problem.Public(err))
	}
	return keys, nil
}

// parse reads the lines of a key file. Errors: Invalid, which never repeats a key.
func parse(text []byte) ([][]byte, error) {
	if len(text) > maxFile {
		return nil, problem.Invalid("", "it is larger than %d bytes.", maxFile)
	}
	var keys [][]byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		encoded, ok := strings.CutPrefix(line, linePrefix)
		k, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if !ok || err != nil || len(k) != KeyBytes {
			return nil, problem.Invalid("", "line %d is not %q and %d bytes in base64.", n, strings.TrimSpace(linePrefix), KeyBytes)
		}
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, problem.Invalid("", "a line is too long.")
	}
	if len(keys) == 0 || len(keys) > MaxKeys {
		return nil, problem.Invalid("", "it holds %d keys, not 1 to %d.", len(keys), MaxKeys)
	}
	return keys, nil
}

// create makes the file, and fails when it is there already. It appears whole
// or not at all.
func create(path string, keys ...[]byte) error {
	name, err := written(path, keys...)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	return os.Link(name, path)
}

// written gives the name of a file beside path that holds the keys, on disk.
func written(path string, keys ...[]byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // 0600
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString(fileHead)
	for _, k := range keys {
		text.WriteString(linePrefix + base64.StdEncoding.EncodeToString(k) + "\n")
	}
	_, err = f.WriteString(text.String())
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
