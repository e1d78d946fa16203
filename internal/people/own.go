package people

import (
	"context"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// ChangePassword replaces one's own password: the session gets a new secret,
// the others end. An account without a password takes its first one. Errors:
// Invalid, TooMany, Unavailable.
func (a *Accounts) ChangePassword(ctx context.Context, p Person, s Session, current, next string, c Caller) (Entry, error) {
	p, err := a.Store.Person(ctx, p.ID)
	if err != nil {
		return Entry{}, err
	}
	if p.PasswordHash != "" {
		if err := a.samePassword(ctx, p, s, current, c); err != nil {
			return Entry{}, err
		}
	}
	if err := checkPassword(next, p); err != nil {
		return Entry{}, err
	}
	if p.PasswordHash, err = a.hasher.hash(ctx, next); err != nil {
		return Entry{}, err
	}
	return a.strengthen(ctx, p, s, "password", knownTally("session "+s.ID))
}

// ChangeOwn replaces one's own name and time zone. Errors: Invalid, Conflict, Unavailable.
func (a *Accounts) ChangeOwn(ctx context.Context, p Person, name, zone string) (Person, error) {
	p, err := a.Store.Person(ctx, p.ID)
	if err != nil {
		return Person{}, err
	}
	var wrong problem.Errors
	name, bad := checkName(name)
	if bad != nil {
		wrong = append(wrong, bad)
	}
	if bad := checkZone(zone); bad != nil {
		wrong = append(wrong, bad)
	}
	if err := wrong.Err(); err != nil {
		return Person{}, err
	}
	p.Name, p.Zone = name, zone
	err = a.Work.Do(ctx, p.Actor(), func(tx journal.Tx) error {
		if err := a.Store.PutPerson(ctx, tx, p); err != nil {
			return err
		}
		return tx.Append(personEntry("person.changed", p.ID, map[string]string{"what": "details"}))
	})
	a.forget()
	p.Version++
	return p, err
}
