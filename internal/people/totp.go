package people

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// How codes are made (RFC 6238): what every authenticator app can.
const (
	totpPeriod = 30 // seconds
	totpSecret = 20 // bytes, RFC 4226 section 4
	totpSkew   = 1  // steps before and after the present that are taken
	totpDigits = otp.DigitsSix
	totpHash   = otp.AlgorithmSHA1

	// RecoveryCodes is how many codes a person gets for the loss of the device.
	RecoveryCodes = 10
	recoveryBytes = 10 // 80 bits: too many to guess
	enrolWithin   = 15 * time.Minute
	qrPixels      = 232
)

// Enrolment is a second factor that is offered and not yet in force.
type Enrolment struct {
	Secret string // to type into an app, in groups of four
	URI    string // otpauth://, what the picture holds
	QR     []byte // PNG
	Sealed string // goes back to ConfirmTOTP
}

// enrolment is what Sealed holds.
type enrolment struct {
	Secret string    `json:"s"`
	Until  time.Time `json:"u"`
}

// OfferTOTP makes a second factor for a person to take up. Nothing is kept
// until ConfirmTOTP proves that the person has it. Errors: Internal.
func (a *Accounts) OfferTOTP(p Person) (Enrolment, error) {
	issuer := strings.ReplaceAll(a.settings.Load().Issuer, ":", " ") // the URI divides by it
	if issuer == "" {
		issuer = "Evenkeel"
	}
	k, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: p.Email, Period: totpPeriod, SecretSize: totpSecret, Digits: totpDigits, Algorithm: totpHash, Rand: rand.Reader,
	})
	if err != nil {
		return Enrolment{}, problem.Internal(err, "A second factor could not be made.")
	}
	return a.offer(p, k)
}

// offer makes the picture of a key and seals it.
func (a *Accounts) offer(p Person, k *otp.Key) (Enrolment, error) {
	picture, err := k.Image(qrPixels, qrPixels)
	if err != nil {
		return Enrolment{}, problem.Internal(err, "The picture of a second factor could not be drawn.")
	}
	var image bytes.Buffer
	if err := png.Encode(&image, picture); err != nil {
		return Enrolment{}, problem.Internal(err, "The picture of a second factor could not be drawn.")
	}
	body, err := json.Marshal(enrolment{k.Secret(), a.now().Add(enrolWithin)})
	if err != nil {
		return Enrolment{}, fmt.Errorf("write an enrolment: %w", err)
	}
	sealed, err := a.Sealer.Seal("enrol/"+p.ID, body)
	if err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Secret: grouped(k.Secret()), URI: k.URL(), QR: image.Bytes(), Sealed: encode(sealed)}, nil
}

// grouped writes a secret in groups of four.
func grouped(s string) string {
	var parts []string
	for part := range slices.Chunk([]byte(s), 4) {
		parts = append(parts, string(part))
	}
	return strings.Join(parts, " ")
}

// OfferedTOTP gives an enrolment again, for a page that shows it once more.
// Errors: Invalid when it is too old or somebody else's.
func (a *Accounts) OfferedTOTP(p Person, sealed string) (Enrolment, error) {
	e, err := a.enrolment(p, sealed)
	if err != nil {
		return Enrolment{}, err
	}
	k, err := otp.NewKeyFromURL(fmt.Sprintf("otpauth://totp/%s?secret=%s", p.ID, e.Secret))
	if err != nil {
		return Enrolment{}, problem.Internal(err, "A second factor could not be read.")
	}
	return a.offer(p, k)
}

func (a *Accounts) enrolment(p Person, sealed string) (e enrolment, err error) {
	body, err := a.unseal("enrol/"+p.ID, sealed)
	if err != nil || json.Unmarshal(body, &e) != nil || !a.now().Before(e.Until) {
		return e, problem.Invalid("code", "That took too long. Begin again.")
	}
	return e, nil
}

// ConfirmTOTP puts an offered second factor in force when the code proves that
// the person has it. The session gets a new secret, the others end. The codes
// for the loss of the device are told this one time. Errors: Invalid, Conflict,
// TooMany, Unavailable.
func (a *Accounts) ConfirmTOTP(ctx context.Context, p Person, s Session, sealed, code string) (Entry, []string, error) {
	e, err := a.enrolment(p, sealed)
	if err != nil {
		return Entry{}, nil, err
	}
	if err := a.count(ctx, codeTally(p.ID)); err != nil {
		return Entry{}, nil, err
	}
	used := matchCode(e.Secret, code, 0, a.now())
	if used == 0 {
		return Entry{}, nil, problem.Invalid("code", "This is not the code that the app shows now. Check the clock of your device.")
	}
	if p, err = a.Store.Person(ctx, p.ID); err != nil {
		return Entry{}, nil, err
	}
	if p.TOTP, err = a.Sealer.Seal("totp/"+p.ID, []byte(e.Secret)); err != nil {
		return Entry{}, nil, err
	}
	p.TOTPUsed = used
	codes := a.freshRecovery(&p)
	entry, err := a.strengthen(ctx, p, s, "second_factor_on", codeTally(p.ID))
	return entry, codes, err
}

// NewRecovery replaces the recovery codes and tells the new ones. Errors:
// Conflict without a second factor, Unavailable.
func (a *Accounts) NewRecovery(ctx context.Context, p Person, s Session) (Entry, []string, error) {
	p, err := a.Store.Person(ctx, p.ID)
	if err != nil {
		return Entry{}, nil, err
	}
	if p.TOTP == nil {
		return Entry{}, nil, problem.Conflict("There is no second factor to recover.")
	}
	codes := a.freshRecovery(&p)
	entry, err := a.strengthen(ctx, p, s, "recovery_codes", nil)
	return entry, codes, err
}

// RemoveTOTP takes one's own second factor off. Errors: Conflict, Unavailable.
func (a *Accounts) RemoveTOTP(ctx context.Context, p Person, s Session) (Entry, error) {
	p, err := a.Store.Person(ctx, p.ID)
	if err != nil {
		return Entry{}, err
	}
	p.TOTP, p.Recovery = nil, nil
	return a.strengthen(ctx, p, s, "second_factor_off", nil)
}

// strengthen writes a change that a person made to how they sign in: the
// session gets a new secret, the others end.
func (a *Accounts) strengthen(ctx context.Context, p Person, s Session, what string, keys tally) (entry Entry, err error) {
	err = a.Work.Do(ctx, p.Actor(), func(tx journal.Tx) error {
		if err := a.Store.PutPerson(ctx, tx, p); err != nil {
			return err
		}
		if err := a.uncount(ctx, tx, keys); err != nil {
			return err
		}
		if entry, err = a.renew(ctx, tx, p, s); err != nil {
			return err
		}
		if err := a.endAll(ctx, tx, p.ID, s.ID); err != nil {
			return err
		}
		return tx.Append(personEntry("person.changed", p.ID, map[string]string{"what": what}))
	})
	a.forget()
	entry.Person.Version++
	return entry, err
}

// freshRecovery gives a person new recovery codes, of which hashes are kept.
func (a *Accounts) freshRecovery(p *Person) (codes []string) {
	p.Recovery = nil
	for range RecoveryCodes {
		raw := make([]byte, recoveryBytes)
		rand.Read(raw) // never fails: it ends the program instead
		code := hex.EncodeToString(raw)
		p.Recovery = append(p.Recovery, recoveryHash(code))
		codes = append(codes, code[:5]+"-"+code[5:10]+"-"+code[10:15]+"-"+code[15:])
	}
	return codes
}

// recoveryHash is what is kept of a recovery code, however it is written.
func recoveryHash(code string) string {
	code = strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code))
	return hex.EncodeToString(hashOf(code))
}

// tryCode checks a code of the second factor, or a recovery code, and marks it
// as used on p, which the caller must write. Errors: Unauthenticated, TooMany,
// Unavailable.
func (a *Accounts) tryCode(ctx context.Context, p *Person, code string, c Caller) (Way, tally, error) {
	code = strings.TrimSpace(code)
	digits := strings.ReplaceAll(code, " ", "")
	way, keys := WayRecovery, recoveryTally(p.ID, c.Network)
	if len(digits) == totpDigits.Length() {
		way, keys = WayCode, codeTally(p.ID)
	}
	if err := a.count(ctx, keys); err != nil {
		a.refused.Note(p.Actor(), p.ID, ReasonThrottled, "")
		return "", nil, err
	}
	ok := false
	if way == WayRecovery {
		hash := recoveryHash(code)
		if i := slices.Index(p.Recovery, hash); i >= 0 {
			p.Recovery = slices.Delete(slices.Clone(p.Recovery), i, i+1)
			ok = true
		}
	} else {
		secret, err := a.Sealer.Unseal("totp/"+p.ID, p.TOTP)
		if err != nil {
			return "", nil, problem.Internal(err, "The second factor cannot be read; its key is not in the key file.")
		}
		if used := matchCode(string(secret), digits, p.TOTPUsed, a.now()); used > 0 {
			p.TOTPUsed, ok = used, true
			if a.Sealer.Stale(p.TOTP) {
				if p.TOTP, err = a.Sealer.Seal("totp/"+p.ID, secret); err != nil {
					return "", nil, err
				}
			}
		}
	}
	if !ok {
		a.refused.Note(p.Actor(), p.ID, ReasonCode, "")
		return "", nil, problem.Unauthenticated("This code is wrong or was used before. Wait for the next one.")
	}
	return way, keys, nil
}

// matchCode gives the time step that a code is of, 0 for none: not one at or
// before the last that was used (RFC 6238 section 5.2).
func matchCode(secret, code string, used int64, now time.Time) int64 {
	present := now.Unix() / totpPeriod
	for at := present - totpSkew; at <= present+totpSkew; at++ {
		if at <= used {
			continue
		}
		ok, err := hotp.ValidateCustom(code, uint64(at), secret, hotp.ValidateOpts{Digits: totpDigits, Algorithm: totpHash})
		if err == nil && ok {
			return at
		}
	}
	return 0
}

// encode writes sealed bytes for a form or a cookie.
func encode(sealed []byte) string { return base64.RawURLEncoding.EncodeToString(sealed) }

// unseal opens what encode wrote.
func (a *Accounts) unseal(purpose, text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, problem.Invalid("", "This was changed on the way.")
	}
	return a.Sealer.Unseal(purpose, sealed)
}
