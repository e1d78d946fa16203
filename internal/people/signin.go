package people

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// stepWithin is how long a password stays good while its code is awaited.
const stepWithin = 5 * time.Minute

// step is what a browser carries between password and code, sealed.
type step struct {
	Person   string    `json:"p"`
	Password string    `json:"h"` // digest of the hash that matched: another password voids the step
	Until    time.Time `json:"u"`
}

// SignIn takes an address and a password. pending is not empty when a code of
// the second factor is wanted: it is sealed, and goes back to SecondStep.
// Errors: Unauthenticated, always with the same words, for an unknown address, a
// wrong password and a disabled account; TooMany, with a *Wait in it where the
// time is known; Unavailable.
func (a *Accounts) SignIn(ctx context.Context, email, password string, c Caller) (entry Entry, pending string, err error) {
	email = fold(email)
	if len(email) > MaxEmail || len(password) > MaxPassword {
		return Entry{}, "", wrongPassword()
	}
	p, err := a.Store.PersonByEmail(ctx, email)
	if err != nil && problem.KindOf(err) != problem.KindNotFound {
		return Entry{}, "", err
	}
	known := p.ID != "" && c.Known != "" && a.knows(c.Known, p.ID)
	renew, keys, err := a.tryPassword(ctx, p, email, password, known, c)
	if err != nil {
		return Entry{}, "", err
	}
	if renew {
		a.rehash(ctx, &p, password)
	}
	if p.TOTP != nil {
		pending, err := a.pend(p)
		return Entry{}, pending, err
	}
	entry, err = a.enter(ctx, p, WayPassword, c, keys, nil)
	return entry, "", err
}

// tryPassword compares a password when it is its turn and its throttles allow it.
func (a *Accounts) tryPassword(ctx context.Context, p Person, email, password string, known bool, c Caller) (renew bool, keys tally, err error) {
	leave, err := a.hasher.lane(known).enter(ctx, c.Network)
	if err != nil {
		a.refused.Note(access.Visitor, p.ID, ReasonBusy, "")
		return false, nil, err
	}
	defer leave()
	keys = strangerTally(email, c.Network)
	if known {
		keys = knownTally(c.Known)
	}
	if err := a.count(ctx, keys); err != nil {
		a.refused.Note(access.Visitor, p.ID, ReasonThrottled, "")
		return false, nil, err
	}
	ok, renew, err := a.hasher.matches(password, p.PasswordHash)
	switch {
	case err != nil:
		return false, nil, err
	case !ok:
		a.refused.Note(access.Visitor, p.ID, ReasonPassword, "")
		return false, nil, wrongPassword()
	case !p.Active():
		a.refused.Note(access.Visitor, p.ID, ReasonDisabled, "")
		return false, nil, wrongPassword()
	}
	return renew, keys, nil
}

func wrongPassword() error {
	return problem.Unauthenticated("The e-mail address or the password is wrong.")
}

// rehash makes the hash anew with today's parameters. When that does not work
// the next sign-in tries again.
func (a *Accounts) rehash(ctx context.Context, p *Person, password string) {
	hash, err := a.hasher.hash(ctx, password)
	if err == nil {
		next := *p
		next.PasswordHash = hash
		err = a.Work.Do(ctx, access.Hub, func(tx journal.Tx) error { return a.Store.PutPerson(ctx, tx, next) })
		if err == nil {
			next.Version++
			*p = next
		}
	}
	if err != nil {
		a.Log.Warn("a password was not hashed anew", "person", p.ID, "err", err)
	}
}

// pend seals that the password was right.
func (a *Accounts) pend(p Person) (string, error) {
	body, err := json.Marshal(step{p.ID, digest(p.PasswordHash), a.now().Add(stepWithin)})
	if err != nil {
		return "", fmt.Errorf("write a step: %w", err)
	}
	sealed, err := a.Sealer.Seal("step", body)
	return encode(sealed), err
}

// SecondStep takes the code that SignIn asked for: of the authenticator, or a
// recovery code. Errors: as SignIn; Unauthenticated too when the step is too old.
func (a *Accounts) SecondStep(ctx context.Context, pending, code string, c Caller) (Entry, error) {
	body, err := a.unseal("step", pending)
	var s step
	if err != nil || json.Unmarshal(body, &s) != nil || !a.now().Before(s.Until) {
		return Entry{}, problem.Unauthenticated("That took too long. Begin again with your password.")
	}
	p, err := a.Store.Person(ctx, s.Person)
	if err != nil {
		return Entry{}, err
	}
	if !p.Active() || digest(p.PasswordHash) != s.Password || p.TOTP == nil {
		return Entry{}, problem.Unauthenticated("Begin again with your password.")
	}
	way, keys, err := a.tryCode(ctx, &p, code, c)
	if err != nil {
		return Entry{}, err
	}
	keys = append(keys, strangerTally(p.Email, c.Network)...)
	return a.enter(ctx, p, way, c, keys, &p)
}

// enter begins a session and forgets the attempts that led to it. changed is
// written with it, so that a code that was used is used.
func (a *Accounts) enter(ctx context.Context, p Person, way Way, c Caller, keys tally, changed *Person) (entry Entry, err error) {
	err = a.Work.Do(ctx, p.Actor(), func(tx journal.Tx) error {
		if changed != nil {
			if err := a.Store.PutPerson(ctx, tx, *changed); err != nil {
				return err
			}
		}
		if err := a.uncount(ctx, tx, keys); err != nil {
			return err
		}
		entry, err = a.open(ctx, tx, p, way, c)
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	if changed != nil {
		entry.Person.Version++
	}
	a.forget()
	return entry, nil
}

// SignInDemo lets a person in without asking anything, in the demo alone.
// Errors: Forbidden outside the demo, NotFound, Unavailable.
func (a *Accounts) SignInDemo(ctx context.Context, id string, c Caller) (Entry, error) {
	if !a.Demo {
		a.refused.Note(access.Visitor, id, ReasonNotDemo, "")
		return Entry{}, problem.Forbidden("This is no demo.")
	}
	p, err := a.Store.Person(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	if !p.Active() {
		return Entry{}, problem.NotFound("There is no such person.")
	}
	return a.enter(ctx, p, WayDemo, c, nil, nil)
}

// Confirm asks somebody who is signed in for the password or a code once more,
// before something weighty. The session gets a new secret. Errors: Invalid,
// TooMany, Unavailable.
func (a *Accounts) Confirm(ctx context.Context, p Person, s Session, password, code string, c Caller) (Entry, error) {
	p, err := a.Store.Person(ctx, p.ID)
	if err != nil {
		return Entry{}, err
	}
	keys := knownTally("session " + s.ID)
	var changed *Person
	switch {
	case code != "" && p.TOTP != nil:
		_, keys, err = a.tryCode(ctx, &p, code, c)
		if problem.KindOf(err) == problem.KindUnauthenticated { // who asks is signed in all the same
			err = problem.Invalid("code", "%s", problem.Public(err))
		}
		if err != nil {
			return Entry{}, err
		}
		changed = &p
	default:
		if err := a.samePassword(ctx, p, s, password, c); err != nil {
			return Entry{}, err
		}
	}
	return a.renewed(ctx, p, s, keys, changed)
}

// renewed gives a session another secret after a proof, and forgets the
// attempts. changed is written with it, so that a code that was used is used.
func (a *Accounts) renewed(ctx context.Context, p Person, s Session, keys tally, changed *Person) (entry Entry, err error) {
	err = a.Work.Do(ctx, p.Actor(), func(tx journal.Tx) error {
		if changed != nil {
			if err := a.Store.PutPerson(ctx, tx, *changed); err != nil {
				return err
			}
		}
		if err := a.uncount(ctx, tx, keys); err != nil {
			return err
		}
		entry, err = a.renew(ctx, tx, p, s)
		return err
	})
	a.forget()
	return entry, err
}

// samePassword checks the password of somebody who is signed in already.
func (a *Accounts) samePassword(ctx context.Context, p Person, s Session, password string, c Caller) error {
	if p.PasswordHash == "" {
		return problem.Invalid("current", "This account has no password; sign out and in again.")
	}
	leave, err := a.hasher.known.enter(ctx, c.Network)
	if err != nil {
		return err
	}
	defer leave()
	if err := a.count(ctx, knownTally("session "+s.ID)); err != nil {
		a.refused.Note(p.Actor(), p.ID, ReasonThrottled, "")
		return err
	}
	if len(password) > MaxPassword {
		return wrongOld()
	}
	ok, _, err := a.hasher.matches(password, p.PasswordHash)
	if err == nil && !ok {
		a.refused.Note(p.Actor(), p.ID, ReasonPassword, "")
		return wrongOld()
	}
	return err
}

func wrongOld() error {
	return &problem.Error{Kind: problem.KindInvalid, Field: "current", Msg: "This is not your password."}
}
