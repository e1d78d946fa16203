package people

import (
	"context"
	"crypto/rand"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Link lets somebody in once, to choose a password. Only the hash of its secret
// is kept.
type Link struct {
	ID        string
	Hash      []byte
	Purpose   Purpose
	Person    string // "" for the first
	CreatedBy string // actor id
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Purpose is what a link is for.
type Purpose string

// The purposes.
const (
	PurposeFirst  Purpose = "first"  // makes the first admin, while there is none
	PurposeInvite Purpose = "invite" // a new person chooses a password
	PurposeReset  Purpose = "reset"  // a person who forgot it chooses another
)

// How long links last.
const (
	FirstLinkFor  = 24 * time.Hour
	InviteLinkFor = 3 * 24 * time.Hour
	ResetLinkFor  = 24 * time.Hour
)

// LinkPath is where web opens links: the secret follows.
const LinkPath = "/console/welcome/"

// FirstLink makes the link that lets the first admin in. needed is false when
// there is an admin who can sign in. Several links may be about, from several
// starts or replicas: the first that is used ends them all. Errors: Unavailable.
func (a *Accounts) FirstLink(ctx context.Context) (path string, needed bool, err error) {
	if needed, err = a.needsAdmin(ctx); err != nil || !needed {
		return "", false, err
	}
	path, err = a.makeLink(ctx, access.Host, Link{Purpose: PurposeFirst}, FirstLinkFor)
	return path, true, err
}

func (a *Accounts) needsAdmin(ctx context.Context) (bool, error) {
	all, err := a.Store.People(ctx)
	for _, p := range all {
		if p.Active() && p.Holds(access.RoleAdmin) {
			return false, err
		}
	}
	return true, err
}

// Link makes a link for a person: an invitation, or a reset when there is a
// password already. Links made for the person before end. Errors: Forbidden,
// NotFound, Conflict for a disabled person, Unavailable.
func (a *Accounts) Link(ctx context.Context, by access.Actor, person string) (path string, err error) {
	if err := by.CheckOn(access.PersonEdit); err != nil {
		return "", err
	}
	p, err := a.Store.Person(ctx, person)
	switch {
	case err != nil:
		return "", err
	case !p.Active():
		return "", problem.Conflict("This person is disabled; enable the account first.")
	case p.PasswordHash == "":
		return a.makeLink(ctx, by, Link{Purpose: PurposeInvite, Person: p.ID}, InviteLinkFor)
	}
	return a.makeLink(ctx, by, Link{Purpose: PurposeReset, Person: p.ID}, ResetLinkFor)
}

func (a *Accounts) makeLink(ctx context.Context, by access.Actor, l Link, lasts time.Duration) (path string, err error) {
	secret := rand.Text()
	l.ID, l.Hash, l.CreatedBy, l.CreatedAt = journal.NewID(), hashOf(secret), by.ID, a.now()
	l.ExpiresAt = l.CreatedAt.Add(lasts)
	subject := journal.Ref{Kind: "link", ID: l.ID}
	payload := map[string]string{"purpose": string(l.Purpose)}
	if l.Person != "" {
		subject = journal.Ref{Kind: "person", ID: l.Person}
	}
	err = a.Work.Do(ctx, by.As(access.PersonEdit), func(tx journal.Tx) error {
		if l.Person != "" {
			if err := a.Store.DropLinks(ctx, tx, l.Person); err != nil {
				return err
			}
		}
		if err := a.Store.AddLink(ctx, tx, l); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "person.linked", Subject: subject, Audience: journal.AudienceStaff, Payload: payload})
	})
	return LinkPath + secret, err
}

// Welcome is what a link is good for, before it is used.
type Welcome struct {
	Purpose Purpose
	Name    string // of the person, "" for the first
	Email   string
}

// Welcome tells what a link is good for and does not use it: mail scanners open
// links too. Errors: NotFound for a link that never was, is used or over, always
// with the same words; TooMany; Unavailable.
func (a *Accounts) Welcome(ctx context.Context, secret string, c Caller) (Welcome, error) {
	l, p, err := a.opened(ctx, secret, c)
	return Welcome{Purpose: l.Purpose, Name: p.Name, Email: p.Email}, err
}

// opened finds a link that is still good, and its person.
func (a *Accounts) opened(ctx context.Context, secret string, c Caller) (Link, Person, error) {
	l, err := a.Store.Link(ctx, hashOf(secret))
	if err == nil && l.UsedAt.IsZero() && a.now().Before(l.ExpiresAt) {
		if l.Purpose == PurposeFirst {
			needed, err := a.needsAdmin(ctx)
			if err != nil || needed {
				return l, Person{}, err
			}
			return Link{}, Person{}, deadLink()
		}
		p, err := a.Store.Person(ctx, l.Person)
		if err == nil && !p.Active() {
			err = deadLink()
		}
		return l, p, err
	}
	if err != nil && problem.KindOf(err) != problem.KindNotFound {
		return Link{}, Person{}, err
	}
	if err := a.count(ctx, linkTally(c.Network)); err != nil {
		return Link{}, Person{}, err
	}
	a.refused.Note(access.Visitor, l.Person, ReasonLink, "")
	return Link{}, Person{}, deadLink()
}

func deadLink() error {
	return problem.NotFound("Each link works once and for a short while, and this one does not or no longer. Ask an admin for another, or run evenkeel admin person link.")
}

// Acceptance is what somebody chose behind a link. Name and Email count for the
// first link alone; an invited person may mend the name.
type Acceptance struct {
	Name, Email, Password string
}

// Accept uses a link: the person gets the password and is signed in, unless a
// second factor is still to be asked for; then pending goes to SecondStep. All
// sessions of before end. Errors: those of Welcome; Invalid, Conflict.
func (a *Accounts) Accept(ctx context.Context, secret string, c Acceptance, from Caller) (entry Entry, pending string, err error) {
	l, p, err := a.opened(ctx, secret, from)
	if err != nil {
		return Entry{}, "", err
	}
	if err := c.onto(&p, l.Purpose); err != nil {
		return Entry{}, "", err
	}
	if l.Purpose == PurposeFirst {
		p.ID, p.CreatedAt = journal.NewID(), a.now()
		if err := a.room(ctx, p.Email); err != nil {
			return Entry{}, "", err
		}
	}
	if p.PasswordHash, err = a.hasher.hash(ctx, c.Password); err != nil {
		return Entry{}, "", err
	}
	err = a.Work.Do(ctx, p.Actor(), func(tx journal.Tx) error {
		if err := a.Store.UseLink(ctx, tx, l.ID, tx.Now()); err != nil {
			return err
		}
		if l.Purpose == PurposeFirst {
			if err := a.insert(ctx, tx, p); err != nil {
				return err
			}
		} else if err := a.reset(ctx, tx, p); err != nil {
			return err
		}
		if p.TOTP != nil {
			return nil
		}
		entry, err = a.open(ctx, tx, p, WayLink, from)
		return err
	})
	a.forget()
	if err == nil && p.TOTP != nil {
		p.Version++
		pending, err = a.pend(p)
	}
	entry.Person.Version = p.Version + 1
	return entry, pending, err
}

// onto checks what was chosen and writes it onto the account. Errors: Invalid.
func (c Acceptance) onto(p *Person, purpose Purpose) error {
	if purpose == PurposeFirst {
		draft := Draft{Name: c.Name, Email: c.Email, Grants: []access.Grant{{Role: access.RoleAdmin}}}
		if err := draft.onto(p); err != nil {
			return err
		}
	} else if c.Name != "" && purpose == PurposeInvite {
		name, err := checkName(c.Name)
		if err != nil {
			return err
		}
		p.Name = name
	}
	return checkPassword(c.Password, *p)
}

// reset writes a new password and ends what the old one opened.
func (a *Accounts) reset(ctx context.Context, tx journal.Tx, p Person) error {
	if err := a.Store.PutPerson(ctx, tx, p); err != nil {
		return err
	}
	if err := a.endAll(ctx, tx, p.ID, ""); err != nil {
		return err
	}
	if err := a.Store.DropLinks(ctx, tx, p.ID); err != nil {
		return err
	}
	return tx.Append(personEntry("person.changed", p.ID, map[string]string{"what": "password"}))
}
