// Package secret keeps what must not be readable in a stolen database: it seals
// values with keys that live in a file beside it, and signs links so that they
// need no row. It knows bytes and purposes, and nothing of whose secrets they are.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"evenkeel/internal/problem"
)

const (
	// KeyBytes is the length of a key: AES-256.
	KeyBytes = 32
	// MaxKeys bounds how many keys a file holds: the newest and those before it.
	MaxKeys = 20
	// MaxPlain bounds what one value to seal may hold, in bytes.
	MaxPlain = 1 << 20

	keyIDBytes = 4
	nonceBytes = 12
	macBytes   = sha256.Size
)

// format is the first byte of everything sealed or signed here. Another one
// means another way of doing it.
const format = 1

// Box seals and signs with the newest of its keys, and opens with any of them.
// It is safe for concurrent use and never changes.
type Box struct {
	keys []key // newest first
}

// key is one key and the name by which what it sealed is found again.
type key struct {
	id    [keyIDBytes]byte
	bytes []byte
}

// New makes a box of keys, newest first. Errors: Invalid for a key of the wrong
// length, none, or too many.
func New(keys ...[]byte) (*Box, error) {
	if len(keys) == 0 || len(keys) > MaxKeys {
		return nil, problem.Invalid("keys", "A key file holds 1 to %d keys.", MaxKeys)
	}
	b := &Box{}
	for _, bytes := range keys {
		if len(bytes) != KeyBytes {
			return nil, problem.Invalid("keys", "A key has %d bytes, not %d.", KeyBytes, len(bytes))
		}
		sum := sha256.Sum256(append([]byte("evenkeel key "), bytes...))
		b.keys = append(b.keys, key{[keyIDBytes]byte(sum[:keyIDBytes]), bytes})
	}
	return b, nil
}

// ID names the newest key without telling it: 8 hexadecimal digits.
func (b *Box) ID() string { return hex.EncodeToString(b.keys[0].id[:]) }

// Knows reports whether the box holds the key of that name.
func (b *Box) Knows(id string) bool {
	for _, k := range b.keys {
		if hex.EncodeToString(k.id[:]) == id {
			return true
		}
	}
	return false
}

// Seal encrypts a value for one purpose with AES-256-GCM. A purpose names what
// the value is and whose, such as "totp/ID": what was sealed for one opens for
// no other, so that rows cannot be swapped. Errors: Invalid when it is too long.
func (b *Box) Seal(purpose string, plain []byte) ([]byte, error) {
	if len(plain) > MaxPlain {
		return nil, problem.Invalid("", "A sealed value holds at most %d bytes.", MaxPlain)
	}
	k := b.keys[0]
	gcm := k.gcm(purpose)
	sealed := make([]byte, 0, 1+keyIDBytes+nonceBytes+len(plain)+gcm.Overhead())
	sealed = append(append(sealed, format), k.id[:]...)
	sealed = append(sealed, make([]byte, nonceBytes)...)
	nonce := sealed[len(sealed)-nonceBytes:]
	rand.Read(nonce) // never fails: it ends the program instead
	return gcm.Seal(sealed, nonce, plain, []byte(purpose)), nil
}

// Unseal decrypts what Seal made for the same purpose. Errors: Conflict when
// its key is not in the box; Invalid when it was changed, cut, or sealed for
// something else.
func (b *Box) Unseal(purpose string, sealed []byte) ([]byte, error) {
	k, rest, err := b.keyOf(sealed)
	if err != nil {
		return nil, err
	}
	if len(rest) < nonceBytes {
		return nil, problem.Invalid("", "The sealed value is cut off.")
	}
	plain, err := k.gcm(purpose).Open(nil, rest[:nonceBytes], rest[nonceBytes:], []byte(purpose))
	if err != nil {
		return nil, problem.Invalid("", "The sealed value was changed or is not for this purpose.")
	}
	return plain, nil
}

// Stale reports whether a sealed value should be sealed anew because a newer key is there.
func (b *Box) Stale(sealed []byte) bool {
	k, _, err := b.keyOf(sealed)
	return err == nil && k.id != b.keys[0].id
}

// Sign gives a code that only a holder of the key can make for this message and
// purpose, safe in addresses: HMAC-SHA-256 with the name of the key before it.
func (b *Box) Sign(purpose string, message []byte) string {
	k := b.keys[0]
	mac := append([]byte{format}, k.id[:]...)
	return base64.RawURLEncoding.EncodeToString(append(mac, k.mac(purpose, message)...))
}

// Verify reports whether a code was made by Sign for this message and purpose,
// with any key of the box.
func (b *Box) Verify(purpose string, message []byte, code string) bool {
	mac, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil {
		return false
	}
	k, rest, err := b.keyOf(mac)
	return err == nil && len(rest) == macBytes && hmac.Equal(rest, k.mac(purpose, message))
}

// keyOf finds the key that sealed or signed something, and gives what follows
// its name. Errors: Invalid, Conflict.
func (b *Box) keyOf(sealed []byte) (key, []byte, error) {
	if len(sealed) < 1+keyIDBytes || sealed[0] != format {
		return key{}, nil, problem.Invalid("", "This was not sealed or signed by a hub.")
	}
	id, rest := [keyIDBytes]byte(sealed[1:1+keyIDBytes]), sealed[1+keyIDBytes:]
	for _, k := range b.keys {
		if k.id == id {
			return k, rest, nil
		}
	}
	return key{}, nil, problem.Conflict("This was sealed with key %s, which is not in the key file.", hex.EncodeToString(id[:]))
}

// gcm gives the cipher of one purpose. Each has a key of its own, so that
// random nonces never wear one out (NIST SP 800-38D, section 8.3).
func (k key) gcm(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(k.derive("seal " + purpose))
	if err == nil {
		var gcm cipher.AEAD
		if gcm, err = cipher.NewGCM(block); err == nil {
			return gcm
		}
	}
	panic(fmt.Sprintf("secret: a key of %d bytes is always a key: %v", KeyBytes, err))
}

func (k key) mac(purpose string, message []byte) []byte {
	h := hmac.New(sha256.New, k.derive("sign "+purpose))
	h.Write(message)
	return h.Sum(nil)
}

// derive gives the key of one use (HKDF, RFC 5869 section 2.3).
func (k key) derive(use string) []byte {
	derived, err := hkdf.Expand(sha256.New, k.bytes, use, KeyBytes)
	if err != nil {
		panic(fmt.Sprintf("secret: %d bytes can always be derived: %v", KeyBytes, err))
	}
	return derived
}
