package secret_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
)

func box(tb testing.TB, keys ...[]byte) *secret.Box {
	tb.Helper()
	b, err := secret.New(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// keyOf gives a key that a test can tell from others.
func keyOf(fill byte) []byte { return bytes.Repeat([]byte{fill}, secret.KeyBytes) }

func TestBoxOpensWhatItSealed(t *testing.T) {
	b := box(t, keyOf(1))
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("long "), 10_000)} {
		sealed, err := b.Seal("totp/1", plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Unseal("totp/1", sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if len(plain) > 8 && bytes.Contains(sealed, plain[:8]) {
			t.Error("the plain text shows")
		}
	}
	one, _ := b.Seal("x", []byte("same"))
	two, _ := b.Seal("x", []byte("same"))
	if bytes.Equal(one, two) {
		t.Error("the same value sealed twice looks the same")
	}
	if _, err := b.Seal("x", make([]byte, secret.MaxPlain+1)); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("too long: %v", err)
	}
}

func TestBoxRefusesWhatWasChanged(t *testing.T) {
	b := box(t, keyOf(1))
	sealed, err := b.Seal("totp/1", []byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Unseal("totp/2", sealed); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("another purpose: %v", err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if got, err := b.Unseal("totp/1", changed); err == nil {
			t.Errorf("byte %d changed: opened as %q", i, got)
		}
		if got, err := b.Unseal("totp/1", sealed[:i]); err == nil {
			t.Errorf("cut at %d: opened as %q", i, got)
		}
	}
	if _, err := box(t, keyOf(2)).Unseal("totp/1", sealed); problem.KindOf(err) != problem.KindConflict {
		t.Errorf("another key: %v, want conflict", err)
	}
}

func TestBoxSealsWithTheNewestKeyAndOpensWithAll(t *testing.T) {
	before := box(t, keyOf(1))
	after := box(t, keyOf(2), keyOf(1))
	sealed, err := before.Seal("p", []byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Unseal("p", sealed); err != nil || string(got) != "value" {
		t.Errorf("got %q, %v", got, err)
	}
	if !after.Stale(sealed) || before.Stale(sealed) {
		t.Error("only the box with the newer key should want to seal anew")
	}
	code := before.Sign("p", []byte("message"))
	if !after.Verify("p", []byte("message"), code) {
		t.Error("a signature of before the rotation is refused")
	}
	if before.ID() == after.ID() || !after.Knows(before.ID()) || before.Knows(after.ID()) {
		t.Errorf("ids %s and %s", before.ID(), after.ID())
	}
}

func TestSignatureHoldsForOneMessageAndPurpose(t *testing.T) {
	b := box(t, keyOf(1))
	code := b.Sign("manage", []byte("subscriber/1"))
	if !b.Verify("manage", []byte("subscriber/1"), code) {
		t.Fatal("our own signature is refused")
	}
	for name, ok := range map[string]bool{
		"another purpose": b.Verify("confirm", []byte("subscriber/1"), code),
		"another message": b.Verify("manage", []byte("subscriber/2"), code),
		"no code":         b.Verify("manage", []byte("subscriber/1"), ""),
		"a cut code":      b.Verify("manage", []byte("subscriber/1"), code[:len(code)-4]),
		"a longer code":   b.Verify("manage", []byte("subscriber/1"), code+"AAAA"),
		"another key":     box(t, keyOf(2)).Verify("manage", []byte("subscriber/1"), code),
	} {
		if ok {
			t.Errorf("%s is accepted", name)
		}
	}
	if strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("%q is not safe in an address", code)
	}
}

func TestNewRefusesKeysThatAreNone(t *testing.T) {
	for name, keys := range map[string][][]byte{
		"none": nil, "short": {make([]byte, 16)}, "too many": make([][]byte, secret.MaxKeys+1),
	} {
		if _, err := secret.New(keys...); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenMakesAKeyFileForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), secret.FileName)
	if _, err := secret.Read(path); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("a missing file: %v", err)
	}
	first, err := secret.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	again, err := secret.Open(path)
	if err != nil || again.ID() != first.ID() {
		t.Errorf("the second start has key %s, the first %s: %v", again.ID(), first.ID(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := secret.Open(filepath.Join(path, "no", "folder")); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("no folder: %v", err)
	}
}

// Two processes may start at once; both must end up with the same key.
func TestOpenAtOnceGivesOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), secret.FileName)
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			b, err := secret.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = b.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("keys %v", ids)
		}
	}
}

func TestRotatePutsANewKeyInFront(t *testing.T) {
	path := filepath.Join(t.TempDir(), secret.FileName)
	before, err := secret.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	id, err := secret.Rotate(path)
	if err != nil {
		t.Fatal(err)
	}
	after, err := secret.Read(path)
	if err != nil || after.ID() != id || !after.Knows(before.ID()) || id == before.ID() {
		t.Errorf("before %s, after %s, told %s: %v", before.ID(), after.ID(), id, err)
	}
	for range secret.MaxKeys - 2 {
		if _, err := secret.Rotate(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := secret.Rotate(path); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("one key too many: %v", err)
	}
}

func TestKeyFileThatIsNoneIsRefusedWithoutRepeatingIt(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(keyOf(7))
	for name, text := range map[string]string{
		"empty":            "",
		"comments alone":   "# nothing\n",
		"no prefix":        key + "\n",
		"short key":        "evenkeel-key-1 " + key[:20] + "\n",
		"not base64":       "evenkeel-key-1 " + strings.Repeat("!", 44) + "\n",
		"something beside": "evenkeel-key-1 " + key + "\nsomething\n",
		"too large":        "# " + strings.Repeat("x", 20_000) + "\nevenkeel-key-1 " + key + "\n",
		"a long line":      strings.Repeat("y", 70_000),
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := secret.Read(path)
		if problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%s: got %v", name, err)
		} else if strings.Contains(err.Error(), key[:8]) {
			t.Errorf("%s: the sentence repeats the key: %v", name, err)
		}
	}
}

func TestKeyFileThatOthersMayWriteIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := secret.Open(path); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]problem.Kind{0o622: problem.KindInvalid, 0o620: problem.KindInvalid, 0o444: "", 0o600: ""} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Read(path); problem.KindOf(err) != want {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func FuzzUnseal(f *testing.F) {
	b, err := secret.New(keyOf(1))
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := b.Seal("p", []byte("value"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, "")
	f.Add(sealed, b.Sign("p", []byte("value")))
	f.Add(sealed[:9], "AQ")
	f.Fuzz(func(t *testing.T, data []byte, code string) {
		if got, err := b.Unseal("p", data); err == nil && string(got) != "value" {
			t.Errorf("opened something that was never sealed: %q", got)
		}
		if b.Verify("q", data, code) {
			t.Errorf("verified a code that was never made: %q", code)
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	f.Add("# c\nevenkeel-key-1 " + base64.StdEncoding.EncodeToString(keyOf(7)) + "\n")
	f.Add("evenkeel-key-1 \x00\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Skip()
		}
		b, err := secret.Read(path)
		if (err == nil) == (b == nil) {
			t.Errorf("got %v and %v", b, err)
		}
	})
}
