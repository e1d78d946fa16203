package people

import (
	"context"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Identity is what an OIDC provider says of somebody, verified.
type Identity struct {
	Issuer, Subject string
	Email           string
	Verified        bool // the provider vouches for the address
	Name            string
	Claims          []string // values of the roles claim
}

// subject is how an identity is kept.
func (i Identity) subject() string { return i.Issuer + "|" + i.Subject }

// SignInOIDC lets in whom a provider vouches for. An account is found by
// subject; else an invited one that never signed in, by verified address; else
// one is made when the claims give it a role. Roles that the configuration maps
// follow the claims at every sign-in, those narrowed to a scope stay ours.
// Errors: Forbidden with a sentence for the person, Conflict, Unavailable.
func (a *Accounts) SignInOIDC(ctx context.Context, i Identity, c Caller) (Entry, error) {
	p, err := a.identified(ctx, i)
	if err != nil {
		return Entry{}, err
	}
	found, fresh, before := p, p.Version == 0, rolesOf(p.Grants)
	if roles := a.settings.Load().Roles; len(roles) > 0 {
		if p.Grants, err = mapped(p.Grants, i.Claims, roles); err != nil {
			return Entry{}, err
		}
	}
	if len(p.Grants) == 0 {
		a.refused.Note(access.Visitor, p.ID, ReasonNoRole, "")
		return Entry{}, problem.Forbidden("Your account gives you no role here. Ask an admin of this hub.")
	}
	if !fresh && rolesOf(p.Grants) != before {
		if err := a.keepsAnAdmin(ctx, found, p); problem.KindOf(err) == problem.KindConflict {
			a.Log.Warn("the last admin keeps a role that the provider no longer gives", "person", p.ID)
			p.Grants = append([]access.Grant{{Role: access.RoleAdmin}}, p.Grants...)
		} else if err != nil {
			return Entry{}, err
		}
	}
	var entry Entry
	err = a.Work.Do(ctx, p.Actor(), func(tx journal.Tx) (err error) {
		if fresh {
			err = a.insert(ctx, tx, p)
		} else {
			err = a.Store.PutPerson(ctx, tx, p)
		}
		if err == nil && !fresh && rolesOf(p.Grants) != before {
			if err = a.endAll(ctx, tx, p.ID, ""); err == nil {
				err = tx.Append(changedEntry(p, "grants"))
			}
		}
		if err != nil {
			return err
		}
		entry, err = a.open(ctx, tx, p, WayOIDC, c)
		return err
	})
	a.forget()
	entry.Person.Version = p.Version + 1
	return entry, err
}

// identified finds the account of an identity, or makes one that is not yet kept.
func (a *Accounts) identified(ctx context.Context, i Identity) (Person, error) {
	p, err := a.Store.PersonBySubject(ctx, i.subject())
	if err == nil {
		if !p.Active() {
			a.refused.Note(access.Visitor, p.ID, ReasonDisabled, "")
			return Person{}, problem.Forbidden("Your account here is disabled. Ask an admin of this hub.")
		}
		return p, nil
	}
	if problem.KindOf(err) != problem.KindNotFound {
		return Person{}, err
	}
	email, bad := checkEmail(i.Email)
	if bad != nil || !i.Verified {
		a.refused.Note(access.Visitor, "", ReasonAddress, "")
		return Person{}, problem.Forbidden("Your provider does not vouch for an e-mail address of yours, which a first sign-in needs.")
	}
	p, err = a.Store.PersonByEmail(ctx, email)
	switch {
	case problem.KindOf(err) == problem.KindNotFound:
		name, bad := checkName(i.Name)
		if bad != nil {
			name = email
		}
		if err := a.room(ctx, email); err != nil {
			return Person{}, err
		}
		return Person{ID: journal.NewID(), Name: name, Email: email, Subject: i.subject(), CreatedAt: a.now()}, nil
	case err != nil:
		return Person{}, err
	case !p.Active() || p.Subject != "" || p.PasswordHash != "":
		a.refused.Note(access.Visitor, p.ID, ReasonAddress, "")
		return Person{}, problem.Forbidden("There is an account with your address already. Sign in to it and connect it under Your account.")
	}
	p.Subject = i.subject()
	return p, nil
}

// mapped gives the grants that claims bring, beside those that are narrowed.
func mapped(have []access.Grant, claims []string, roles map[string][]access.Role) ([]access.Grant, error) {
	var grants []access.Grant
	for _, g := range have {
		if g.Scope != (access.Scope{}) {
			grants = append(grants, g)
		}
	}
	for _, claim := range claims {
		for _, role := range roles[claim] {
			grants = append(grants, access.Grant{Role: role})
		}
	}
	grants, bad := checkGrants(grants)
	if bad != nil {
		return nil, bad
	}
	return grants, nil
}

// Connect ties an account to the identity of a provider, for the next sign-ins.
// Errors: Conflict when another account has it, Unavailable.
func (a *Accounts) Connect(ctx context.Context, p Person, s Session, i Identity) (Entry, error) {
	other, err := a.Store.PersonBySubject(ctx, i.subject())
	switch {
	case err == nil && other.ID != p.ID:
		return Entry{}, problem.Conflict("Another account is connected to this identity.")
	case err != nil && problem.KindOf(err) != problem.KindNotFound:
		return Entry{}, err
	}
	if p, err = a.Store.Person(ctx, p.ID); err != nil {
		return Entry{}, err
	}
	p.Subject = i.subject()
	return a.strengthen(ctx, p, s, "connected", nil)
}

// ConfirmOIDC is Confirm with a provider that asked the person once more.
// Errors: Unauthenticated when it vouches for somebody else, Unavailable.
func (a *Accounts) ConfirmOIDC(ctx context.Context, p Person, s Session, i Identity) (Entry, error) {
	if p.Subject == "" || p.Subject != i.subject() {
		a.refused.Note(p.Actor(), p.ID, ReasonIdentity, "")
		return Entry{}, problem.Unauthenticated("The provider vouches for somebody else.")
	}
	return a.renewed(ctx, p, s, nil, nil)
}
