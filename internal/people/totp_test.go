package people_test

import (
	"bytes"
	"errors"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
)

// code gives what an app shows now.
func (s *scene) code(e people.Enrolment) string {
	s.Helper()
	c, err := totp.GenerateCode(strings.ReplaceAll(e.Secret, " ", ""), time.Now())
	s.must(err)
	return c
}

// withFactor gives somebody with a second factor, what their app knows and
// their recovery codes. The code of the enrolment is used up.
func (s *scene) withFactor(name string) (people.Person, people.Enrolment, []string) {
	s.Helper()
	p := s.person(name, access.RoleViewer)
	e := s.signIn(p, home)
	offer, err := s.accounts.OfferTOTP(e.Person)
	s.must(err)
	_, codes, err := s.accounts.ConfirmTOTP(s.Context(), e.Person, e.Session, offer.Sealed, s.code(offer))
	s.must(err)
	<-time.After(time.Minute)
	return s.reload(p), offer, codes
}

// half signs in as far as the password.
func (s *scene) half(p people.Person) string {
	s.Helper()
	_, pending, err := s.accounts.SignIn(s.Context(), p.Email, goodPassword, home)
	s.must(err)
	if pending == "" {
		s.Fatal("no code is wanted")
	}
	return pending
}

func TestSecondFactorIsAskedForAndTaken(t *testing.T) {
	play(t, func(s *scene) {
		s.accounts.Configure(people.Settings{Issuer: "Example: status"})
		p, app, _ := s.withFactor("p")
		if !strings.HasPrefix(app.URI, "otpauth://totp/Example") || !strings.Contains(app.URI, "p@example.org") {
			t.Errorf("the app shows %s", app.URI)
		}
		if picture, err := png.Decode(bytes.NewReader(app.QR)); err != nil || picture.Bounds().Dx() < 200 {
			t.Errorf("the picture: %v", err)
		}
		if bytes.Contains(p.TOTP, []byte(strings.ReplaceAll(app.Secret, " ", ""))) {
			t.Error("the secret stands in the record as it is")
		}
		e, err := s.accounts.SecondStep(s.Context(), s.half(p), s.code(app), home)
		s.must(err)
		if e.Session.Way != people.WayCode || !s.inside(e) {
			t.Errorf("got %+v", e.Session)
		}
	})
}

func TestCodeWorksOnce(t *testing.T) {
	play(t, func(s *scene) {
		p, app, _ := s.withFactor("p")
		code := s.code(app)
		_, err := s.accounts.SecondStep(s.Context(), s.half(p), code, home)
		s.must(err)
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), code, home)
		s.is(err, problem.KindUnauthenticated)
		// Nor does the one before it, which is still within the skew.
		before, gerr := totp.GenerateCode(strings.ReplaceAll(app.Secret, " ", ""), time.Now().Add(-30*time.Second))
		s.must(gerr)
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), before, home)
		s.is(err, problem.KindUnauthenticated)
		<-time.After(30 * time.Second)
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), s.code(app), home)
		s.must(err)
	})
}

func TestCodesCannotBeGuessed(t *testing.T) {
	play(t, func(s *scene) {
		p, app, recovery := s.withFactor("p")
		pending, waited := s.half(p), false
		for n := range 12 {
			from := people.Caller{Network: "203.0.113." + string(rune('0'+n))} // from everywhere
			_, err := s.accounts.SecondStep(s.Context(), pending, "000000", from)
			waited = waited || problem.KindOf(err) == problem.KindTooMany
		}
		if !waited {
			t.Error("twelve guesses without a wait")
		}
		_, err := s.accounts.SecondStep(s.Context(), pending, s.code(app), home)
		s.is(err, problem.KindTooMany)
		// A recovery code is too long to guess, so it works all the same.
		_, err = s.accounts.SecondStep(s.Context(), pending, recovery[0], home)
		s.must(err)
	})
}

func TestRecoveryCodeWorksOnceHoweverItIsWritten(t *testing.T) {
	play(t, func(s *scene) {
		p, _, codes := s.withFactor("p")
		written := " " + strings.ToUpper(strings.ReplaceAll(codes[3], "-", " ")) + " "
		e, err := s.accounts.SecondStep(s.Context(), s.half(p), written, home)
		s.must(err)
		if e.Session.Way != people.WayRecovery || len(s.reload(p).Recovery) != people.RecoveryCodes-1 {
			t.Errorf("got %s, %d left", e.Session.Way, len(s.reload(p).Recovery))
		}
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), codes[3], home)
		s.is(err, problem.KindUnauthenticated)
		for _, hash := range p.Recovery {
			for _, c := range codes {
				if strings.Contains(hash, strings.ReplaceAll(c, "-", "")) {
					t.Error("a code stands in the record as it is")
				}
			}
		}
		next, fresh, err := s.accounts.NewRecovery(s.Context(), e.Person, e.Session)
		s.must(err)
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), codes[0], home)
		s.is(err, problem.KindUnauthenticated)
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), fresh[0], home)
		s.must(err)
		_, err = s.accounts.RemoveTOTP(s.Context(), next.Person, next.Session)
		s.must(err)
		s.signIn(p, home)
	})
}

func TestStepRunsOutAndIsBoundToThePassword(t *testing.T) {
	play(t, func(s *scene) {
		p, app, _ := s.withFactor("p")
		old := s.half(p)
		<-time.After(6 * time.Minute)
		_, err := s.accounts.SecondStep(s.Context(), old, s.code(app), home)
		s.is(err, problem.KindUnauthenticated)

		before := s.half(p)
		path, err := s.accounts.Link(s.Context(), access.Host, p.ID)
		s.must(err)
		_, pending, err := s.accounts.Accept(s.Context(), secretOf(path), people.Acceptance{Password: "another long horse"}, home)
		s.must(err)
		if pending == "" {
			t.Error("a reset link went around the second factor")
		}
		_, err = s.accounts.SecondStep(s.Context(), before, s.code(app), home)
		s.is(err, problem.KindUnauthenticated)
		for _, forged := range []string{"", "AAAA", "not base64!", pending[:len(pending)-2] + "AA"} {
			_, err = s.accounts.SecondStep(s.Context(), forged, s.code(app), home)
			s.is(err, problem.KindUnauthenticated)
		}
		_, err = s.accounts.SecondStep(s.Context(), pending, s.code(app), home)
		s.must(err)
	})
}

func TestEnrolmentIsOnesOwnAndRunsOut(t *testing.T) {
	play(t, func(s *scene) {
		p, other := s.person("p"), s.person("other")
		e, thief := s.signIn(p, home), s.signIn(other, home)
		offer, err := s.accounts.OfferTOTP(e.Person)
		s.must(err)
		_, _, err = s.accounts.ConfirmTOTP(s.Context(), thief.Person, thief.Session, offer.Sealed, s.code(offer))
		s.is(err, problem.KindInvalid)
		_, _, err = s.accounts.ConfirmTOTP(s.Context(), e.Person, e.Session, offer.Sealed, "123")
		s.is(err, problem.KindInvalid)
		again, err := s.accounts.OfferedTOTP(e.Person, offer.Sealed)
		s.must(err)
		if again.Secret != offer.Secret {
			t.Error("the page shows another secret the second time")
		}
		<-time.After(16 * time.Minute)
		_, _, err = s.accounts.ConfirmTOTP(s.Context(), e.Person, e.Session, again.Sealed, s.code(offer))
		s.is(err, problem.KindInvalid)
		_, err = s.accounts.OfferedTOTP(e.Person, again.Sealed)
		s.is(err, problem.KindInvalid)
	})
}

func TestAdminTakesALostFactorOff(t *testing.T) {
	play(t, func(s *scene) {
		p, _, _ := s.withFactor("p")
		s.must(s.accounts.DropSecondFactor(s.Context(), access.Host, p.ID))
		s.signIn(p, home)
	})
}

// After a rotation of the key the factor still opens, and is sealed anew when it is used.
func TestFactorIsSealedAnewUnderANewKey(t *testing.T) {
	play(t, func(s *scene) {
		p, app, _ := s.withFactor("p")
		newer, err := secret.New(bytes.Repeat([]byte{9}, secret.KeyBytes), make([]byte, secret.KeyBytes))
		s.must(err)
		s.deps.Sealer = newer
		s.accounts = people.NewAccounts(s.deps, s.refused)
		s.accounts.HashCheaply()
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), s.code(app), home)
		s.must(err)
		if newer.Stale(s.reload(p).TOTP) {
			t.Error("the factor is still under the old key")
		}
		lost, err := secret.New(bytes.Repeat([]byte{8}, secret.KeyBytes))
		s.must(err)
		s.deps.Sealer = lost
		s.accounts = people.NewAccounts(s.deps, s.refused)
		s.accounts.HashCheaply()
		<-time.After(time.Minute)
		_, err = s.accounts.SecondStep(s.Context(), s.half(p), s.code(app), home)
		s.is(err, problem.KindInternal)
	})
}

func TestSameKeyTellsAReplicaWithItsOwn(t *testing.T) {
	play(t, func(s *scene) {
		s.must(s.accounts.SameKey(s.Context()))
		s.must(s.accounts.SameKey(s.Context()))
		other, err := secret.New(bytes.Repeat([]byte{8}, secret.KeyBytes))
		s.must(err)
		deps := s.deps
		deps.Sealer = other
		s.is(people.NewAccounts(deps, s.refused).SameKey(s.Context()), problem.KindConflict)
		both, err := secret.New(bytes.Repeat([]byte{8}, secret.KeyBytes), make([]byte, secret.KeyBytes))
		s.must(err)
		deps.Sealer = both
		<-time.After(time.Second)
		s.must(people.NewAccounts(deps, s.refused).SameKey(s.Context()))
		s.is(s.accounts.SameKey(s.Context()), problem.KindConflict)
	})
}

var errCable = errors.New("cable")
