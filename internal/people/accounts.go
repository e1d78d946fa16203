package people

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Deps is what the services of this wing need.
type Deps struct {
	Work   journal.Work
	Store  Store
	Sealer Sealer
	Log    *slog.Logger
	Now    func() time.Time
	// Demo lets people in without a password, in the demo alone (SignInDemo).
	Demo bool
	// Beat is told by the upkeep that it is alive, at least every so often; nil =
	// nobody listens.
	Beat func(every time.Duration)
}

// now is the present as it is recorded: UTC, whole microseconds.
func (d Deps) now() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }

// Settings are what the configuration says about signing in.
type Settings struct {
	Issuer  string                   // whom authenticator apps show: the page's name
	Session time.Duration            // a session ends after it, however busy; 0 = DefaultSession
	Idle    time.Duration            // and when it was not used for so long; 0 = DefaultIdle
	Roles   map[string][]access.Role // OIDC: value of the roles claim → roles, everywhere
}

// How long a session lasts when the configuration does not say.
const (
	DefaultSession = 14 * 24 * time.Hour
	DefaultIdle    = 3 * 24 * time.Hour
)

// Bounds of what stands in an account.
const (
	MaxName   = 120 // characters
	MaxEmail  = 254 // bytes, RFC 5321 section 4.5.3.1.3
	MaxGrants = 50
	MaxPeople = 10_000
)

// Accounts is the service of people: who they are, what they hold, and how they
// sign in. It is safe for concurrent use.
type Accounts struct {
	Deps
	settings atomic.Pointer[Settings]
	hasher   *hasher
	refused  *Refusals
	sessions cache[visit]
	names    atomic.Pointer[keptNames]
	changes  atomic.Int64 // grows with every change here
}

// NewAccounts makes the service. Refusals are noted in refused.
func NewAccounts(d Deps, refused *Refusals) *Accounts {
	a := &Accounts{Deps: d, hasher: newHasher(), refused: refused}
	a.Configure(Settings{})
	return a
}

// Configure replaces the settings, at the start and at every reload.
func (a *Accounts) Configure(s Settings) {
	if s.Session <= 0 {
		s.Session = DefaultSession
	}
	if s.Idle <= 0 {
		s.Idle = DefaultIdle
	}
	a.settings.Store(&s)
}

// Draft is what an admin says of a person.
type Draft struct {
	Name   string
	Email  string
	Zone   string
	Grants []access.Grant
}

// List gives every account but erased ones, by name. Errors: Forbidden, Unavailable.
func (a *Accounts) List(ctx context.Context, by access.Actor) ([]Person, error) {
	if err := by.CheckOn(access.PersonRead); err != nil {
		return nil, err
	}
	return a.Store.People(ctx)
}

// Person gives one account by id, erased ones included. It is for the hub's own
// use and checks no right. Errors: NotFound, Unavailable.
func (a *Accounts) Person(ctx context.Context, id string) (Person, error) {
	return a.Store.Person(ctx, id)
}

// ByEmail gives the account with an address, however it is written. It is for
// the hub's own use and checks no right. Errors: NotFound, Unavailable.
func (a *Accounts) ByEmail(ctx context.Context, email string) (Person, error) {
	return a.Store.PersonByEmail(ctx, fold(email))
}

// Names gives the name of every account by id, for lists that show who did
// what. Erased people have none. Nobody may write to it. It checks no right, and
// is at most a few seconds old. Errors: Unavailable.
func (a *Accounts) Names(ctx context.Context) (map[string]string, error) {
	now := a.now()
	if kept := a.names.Load(); kept != nil && now.Before(kept.until) {
		return kept.byID, nil
	}
	epoch := a.changes.Load()
	all, err := a.Store.People(ctx)
	if err != nil {
		return nil, err
	}
	kept := &keptNames{byID: make(map[string]string, len(all)), until: now.Add(cacheFor)}
	for _, p := range all {
		kept.byID[p.ID] = p.Name
	}
	if a.changes.Load() == epoch { // else somebody was changed meanwhile
		a.names.Store(kept)
	}
	return kept.byID, nil
}

// keptNames are names as they were read.
type keptNames struct {
	byID  map[string]string
	until time.Time
}

// NameOf gives the name of the person who acted, by actor id; "" for machines,
// for who is erased, and while names cannot be read.
func (a *Accounts) NameOf(ctx context.Context, actor string) string {
	id, ok := PersonOf(access.Actor{ID: actor})
	if !ok {
		return ""
	}
	names, err := a.Names(ctx)
	if err != nil {
		return ""
	}
	return names[id]
}

// forget lets go of what is remembered of people and sessions, because
// something about them changed here.
func (a *Accounts) forget() {
	a.changes.Add(1)
	a.names.Store(nil)
	a.sessions.clear()
}

// Add makes an account that cannot sign in yet: Link or OIDC lets it in.
// Errors: Forbidden, Invalid, Conflict when the address is taken, Unavailable.
func (a *Accounts) Add(ctx context.Context, by access.Actor, d Draft) (Person, error) {
	if err := by.CheckOn(access.PersonEdit); err != nil {
		return Person{}, err
	}
	p := Person{ID: journal.NewID(), CreatedAt: a.now()}
	if err := d.onto(&p); err != nil {
		return Person{}, err
	}
	if err := a.room(ctx, p.Email); err != nil {
		return Person{}, err
	}
	err := a.Work.Do(ctx, by.As(access.PersonEdit), func(tx journal.Tx) error { return a.insert(ctx, tx, p) })
	a.forget()
	p.Version = 1
	return p, err
}

// room refuses one account too many, and an address that is taken.
func (a *Accounts) room(ctx context.Context, email string) error {
	all, err := a.Store.People(ctx)
	switch {
	case err != nil:
		return err
	case len(all) >= MaxPeople:
		return problem.TooMany("There are %d accounts already, which is the most there can be.", MaxPeople)
	}
	return a.free(ctx, email, "")
}

// insert writes a new account and its entry.
func (a *Accounts) insert(ctx context.Context, tx journal.Tx, p Person) error {
	if err := a.Store.PutPerson(ctx, tx, p); err != nil {
		return err
	}
	return tx.Append(personEntry("person.added", p.ID, map[string]string{"roles": rolesOf(p.Grants)}))
}

// Change replaces what an admin says of a person. A person whose grants change
// is signed out everywhere, so that no session outlives its rights. Errors:
// Forbidden, Invalid, NotFound, Conflict, Unavailable.
func (a *Accounts) Change(ctx context.Context, by access.Actor, id string, version int64, d Draft) (Person, error) {
	if err := by.CheckOn(access.PersonEdit); err != nil {
		return Person{}, err
	}
	return a.edit(ctx, by, id, func(p *Person) (string, bool, error) {
		if p.Version != version {
			return "", false, problem.Conflict("Somebody else changed this person first; look again.")
		}
		before := rolesOf(p.Grants)
		if err := d.onto(p); err != nil {
			return "", false, err
		}
		if rolesOf(p.Grants) == before {
			return "details", false, nil
		}
		return "grants", true, nil
	})
}

// Disable keeps a person out until Enable: sessions and links end at once.
// Errors: Forbidden, NotFound, Conflict for the last admin, Unavailable.
func (a *Accounts) Disable(ctx context.Context, by access.Actor, id string) (Person, error) {
	if err := by.CheckOn(access.PersonEdit); err != nil {
		return Person{}, err
	}
	return a.edit(ctx, by, id, func(p *Person) (string, bool, error) {
		if p.DisabledAt.IsZero() {
			p.DisabledAt = a.now()
		}
		return "disabled", true, nil
	})
}

// Enable lets a person in again. Errors: Forbidden, NotFound, Unavailable.
func (a *Accounts) Enable(ctx context.Context, by access.Actor, id string) (Person, error) {
	if err := by.CheckOn(access.PersonEdit); err != nil {
		return Person{}, err
	}
	return a.edit(ctx, by, id, func(p *Person) (string, bool, error) {
		p.DisabledAt = time.Time{}
		return "enabled", false, nil
	})
}

// Erase wipes everything personal from an account, for good: name, address,
// password, second factor, sessions, links. The id stays, so that the journal
// still tells which entries were made by the same person. Errors: Forbidden,
// NotFound, Conflict for the last admin, Unavailable.
func (a *Accounts) Erase(ctx context.Context, by access.Actor, id string) error {
	if err := by.CheckOn(access.PersonEdit); err != nil {
		return err
	}
	_, err := a.edit(ctx, by, id, func(p *Person) (string, bool, error) {
		now := a.now()
		*p = Person{ID: p.ID, CreatedAt: p.CreatedAt, DisabledAt: now, ErasedAt: now, Version: p.Version}
		return "erased", true, nil
	})
	return err
}

// DropSecondFactor takes the second factor off an account whose device was lost.
// The person is signed out everywhere. Errors: Forbidden, NotFound, Unavailable.
func (a *Accounts) DropSecondFactor(ctx context.Context, by access.Actor, id string) error {
	if err := by.CheckOn(access.PersonEdit); err != nil {
		return err
	}
	_, err := a.edit(ctx, by, id, func(p *Person) (string, bool, error) {
		p.TOTP, p.Recovery = nil, nil
		return "second_factor_off", true, nil
	})
	return err
}

// edit changes one account in one unit of work. change says what it did, for
// the journal, and whether the sessions and links of the person must end.
func (a *Accounts) edit(ctx context.Context, by access.Actor, id string, change func(*Person) (what string, out bool, err error)) (Person, error) {
	before, err := a.Store.Person(ctx, id)
	if err != nil {
		return Person{}, err
	}
	if !before.ErasedAt.IsZero() {
		return Person{}, problem.NotFound("There is no such person.")
	}
	p := before
	what, out, err := change(&p)
	if err != nil {
		return Person{}, err
	}
	if err := a.keepsAnAdmin(ctx, before, p); err != nil {
		return Person{}, err
	}
	if p.Email != before.Email && p.Email != "" {
		if err := a.free(ctx, p.Email, id); err != nil {
			return Person{}, err
		}
	}
	err = a.Work.Do(ctx, by.As(access.PersonEdit), func(tx journal.Tx) error {
		if err := a.Store.PutPerson(ctx, tx, p); err != nil {
			return err
		}
		if out {
			if err := a.endAll(ctx, tx, id, ""); err != nil {
				return err
			}
			if err := a.Store.DropLinks(ctx, tx, id); err != nil {
				return err
			}
		}
		return tx.Append(changedEntry(p, what))
	})
	a.forget()
	p.Version++
	return p, err
}

// changedEntry tells what became of a person.
func changedEntry(p Person, what string) journal.Entry {
	switch what {
	case "disabled", "erased":
		return personEntry("person."+what, p.ID, nil)
	case "grants":
		return personEntry("person.changed", p.ID, map[string]string{"what": what, "roles": rolesOf(p.Grants)})
	default:
		return personEntry("person.changed", p.ID, map[string]string{"what": what})
	}
}

// keepsAnAdmin refuses to take the rights of the last admin who can sign in.
func (a *Accounts) keepsAnAdmin(ctx context.Context, before, after Person) error {
	admin := func(p Person) bool { return p.Active() && p.Holds(access.RoleAdmin) }
	if !admin(before) || admin(after) {
		return nil
	}
	all, err := a.Store.People(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.ID != before.ID && admin(p) {
			return nil
		}
	}
	return problem.Conflict("This is the last admin; make somebody else one first.")
}

// onto checks what was said and writes it onto an account. Errors: Invalid.
func (d Draft) onto(p *Person) error {
	var wrong problem.Errors
	add := func(err *problem.Error) {
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	name, err := checkName(d.Name)
	add(err)
	email, err := checkEmail(d.Email)
	add(err)
	grants, err := checkGrants(d.Grants)
	add(err)
	add(checkZone(d.Zone))
	if err := wrong.Err(); err != nil {
		return err
	}
	p.Name, p.Email, p.Zone, p.Grants = name, email, d.Zone, grants
	return nil
}

// free refuses an address that another account has. Two that come at the same
// moment are told apart by the store.
func (a *Accounts) free(ctx context.Context, email, id string) error {
	p, err := a.Store.PersonByEmail(ctx, email)
	switch {
	case problem.KindOf(err) == problem.KindNotFound || err == nil && p.ID == id:
		return nil
	case err != nil:
		return err
	}
	return &problem.Error{Kind: problem.KindConflict, Field: "email", Msg: "Another account has this address."}
}

// personEntry is an entry about a person.
func personEntry(verb, id string, payload map[string]string) journal.Entry {
	return journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "person", ID: id}, Audience: journal.AudienceStaff, Payload: payload}
}
