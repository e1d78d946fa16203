package people

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"time"
	"unicode/utf8"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// MaxSessions bounds the sessions of one person; the one unseen longest goes
	// when one more begins.
	MaxSessions = 50
	// StrongFor is how long a password or second factor counts as just given.
	StrongFor = time.Hour

	maxAgent = 160 // characters of a User-Agent that are kept
	// seenEvery is how often it is noted that a session, token or hook is in use.
	seenEvery = 2 * time.Minute
	// secretLength is how long the secrets of sessions, links and hooks are:
	// crypto/rand.Text, 130 bits.
	secretLength = 26
)

// Caller is where a request comes from.
type Caller struct {
	Network string // an address, or the /64 of one; a count of attempts hangs on it
	Agent   string // User-Agent
	Known   string // the mark that Entry.Known put into this browser; "" = none
}

// Entry is a person who came in: what the browser must keep from now on.
type Entry struct {
	Person  Person
	Session Session
	Secret  string // for the cookie; only its hash is kept here
	Known   string // the mark of a browser that this person used; for a cookie of its own
}

// visit is a session together with its person.
type visit struct {
	session Session
	person  Person
}

// Session gives who is behind the secret of a cookie. What it tells is at most
// a few seconds old when another process revoked the session; at once in this
// one. Errors: Unauthenticated, Unavailable.
func (a *Accounts) Session(ctx context.Context, secret string) (Person, Session, error) {
	if len(secret) != secretLength {
		return Person{}, Session{}, signedOut()
	}
	now, hash := a.now(), hashOf(secret)
	v, epoch, ok := a.sessions.find(hash, now)
	if !ok {
		var err error
		if v, err = a.look(ctx, hash); err != nil {
			return Person{}, Session{}, err
		}
	}
	if !a.alive(v.session, now) || !v.person.Active() {
		return Person{}, Session{}, signedOut()
	}
	if now.Sub(v.session.SeenAt) >= seenEvery {
		v.session.SeenAt = now
		a.seen(ctx, v.session)
		ok = false
	}
	if !ok {
		a.sessions.keep(hash, v, epoch, now)
	}
	return v.person, v.session, nil
}

func signedOut() error { return problem.Unauthenticated("Sign in first.") }

// look reads a session and its person.
func (a *Accounts) look(ctx context.Context, hash []byte) (visit, error) {
	s, err := a.Store.Session(ctx, hash)
	if err == nil {
		var p Person
		if p, err = a.Store.Person(ctx, s.Person); err == nil {
			return visit{s, p}, nil
		}
	}
	if problem.KindOf(err) == problem.KindNotFound {
		err = signedOut()
	}
	return visit{}, err
}

// alive reports whether a session has not run out.
func (a *Accounts) alive(s Session, now time.Time) bool {
	return now.Before(s.ExpiresAt) && now.Sub(s.SeenAt) < a.settings.Load().Idle
}

// seen notes that a session is in use. When that cannot be written the person
// still may read.
func (a *Accounts) seen(ctx context.Context, s Session) {
	if err := a.Work.Do(ctx, access.Hub, func(tx journal.Tx) error {
		return a.Store.SeeSession(ctx, tx, s.ID, s.Person, s.SeenAt)
	}); err != nil && ctx.Err() == nil {
		a.Log.Warn("the use of a session was not noted", "session", s.ID, "err", err)
	}
}

// open begins a session inside a unit of work. The secret is always a new one:
// nothing that a browser brings along becomes a session.
func (a *Accounts) open(ctx context.Context, tx journal.Tx, p Person, way Way, c Caller) (Entry, error) {
	if err := a.makeRoom(ctx, tx, p.ID); err != nil {
		return Entry{}, err
	}
	now, secret := tx.Now(), rand.Text()
	s := Session{
		ID: journal.NewID(), Hash: hashOf(secret), Person: p.ID, Way: way, Agent: shorten(c.Agent), Network: c.Network,
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(a.settings.Load().Session), Strong: now,
	}
	if err := a.Store.AddSession(ctx, tx, s); err != nil {
		return Entry{}, err
	}
	if err := a.Store.SeeSession(ctx, tx, s.ID, p.ID, now); err != nil {
		return Entry{}, err
	}
	err := tx.Append(personEntry("person.signed_in", p.ID, map[string]string{"way": string(way), "session": s.ID}))
	return Entry{Person: p, Session: s, Secret: secret, Known: a.knownMark(p.ID)}, err
}

// makeRoom ends the sessions unseen longest when a person has as many as are allowed.
func (a *Accounts) makeRoom(ctx context.Context, tx journal.Tx, person string) error {
	all, err := a.Store.Sessions(ctx, person)
	if err != nil {
		return err
	}
	for len(all) >= MaxSessions {
		oldest := 0
		for i, s := range all {
			if s.SeenAt.Before(all[oldest].SeenAt) {
				oldest = i
			}
		}
		if err := a.Store.EndSession(ctx, tx, all[oldest].ID); err != nil && problem.KindOf(err) != problem.KindNotFound {
			return err
		}
		all = append(all[:oldest], all[oldest+1:]...)
	}
	return nil
}

// renew gives a session another secret because more may be done with it now,
// and ends the person's other sessions.
func (a *Accounts) renew(ctx context.Context, tx journal.Tx, p Person, s Session) (Entry, error) {
	secret := rand.Text()
	hash := hashOf(secret)
	if err := a.Store.SwapSession(ctx, tx, s.ID, s.Hash, hash, tx.Now()); err != nil {
		return Entry{}, err
	}
	s.Hash, s.Strong = hash, tx.Now()
	return Entry{Person: p, Session: s, Secret: secret, Known: a.knownMark(p.ID)}, nil
}

// endAll ends the sessions of a person but one, with an entry for each.
func (a *Accounts) endAll(ctx context.Context, tx journal.Tx, person, keep string) error {
	ended, err := a.Store.EndSessions(ctx, tx, person, keep)
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := tx.Append(revoked(id, person)); err != nil {
			return err
		}
	}
	return nil
}

func revoked(session, person string) journal.Entry {
	return journal.Entry{
		Verb: "session.revoked", Subject: journal.Ref{Kind: "session", ID: session}, Audience: journal.AudienceStaff,
		Payload: map[string]string{"person": person},
	}
}

// SignOut ends a session of one's own. Ending one that is over is fine. Errors: Unavailable.
func (a *Accounts) SignOut(ctx context.Context, p Person, s Session) error {
	return a.end(ctx, p.Actor(), s)
}

// end ends one session.
func (a *Accounts) end(ctx context.Context, by access.Actor, s Session) error {
	err := a.Work.Do(ctx, by, func(tx journal.Tx) error {
		if err := a.Store.EndSession(ctx, tx, s.ID); err != nil {
			return err
		}
		return tx.Append(revoked(s.ID, s.Person))
	})
	a.forget()
	if problem.KindOf(err) == problem.KindNotFound {
		return nil
	}
	return err
}

// Sessions lists the sessions that are alive: of one person, which everybody
// may ask of themselves, or of all when person is "". Errors: Forbidden, Unavailable.
func (a *Accounts) Sessions(ctx context.Context, by access.Actor, person string) ([]Session, error) {
	if own, ok := PersonOf(by); !ok || own != person {
		if err := by.CheckOn(access.PersonRead); err != nil {
			return nil, err
		}
	}
	all, err := a.Store.Sessions(ctx, person)
	if err != nil {
		return nil, err
	}
	now, alive := a.now(), all[:0]
	for _, s := range all {
		if a.alive(s, now) {
			alive = append(alive, s)
		}
	}
	return alive, nil
}

// EndSession ends a session by its id: one's own, or anybody's with the right
// to change people. Errors: Forbidden, NotFound, Unavailable.
func (a *Accounts) EndSession(ctx context.Context, by access.Actor, id string) error {
	own, _ := PersonOf(by)
	whose := own
	if by.MayOn(access.PersonEdit) {
		whose = ""
	} else if own == "" {
		return by.CheckOn(access.PersonEdit)
	}
	all, err := a.Store.Sessions(ctx, whose)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID == id {
			return a.end(ctx, by, s)
		}
	}
	return problem.NotFound("There is no such session; it may be over already.")
}

// EndOthers ends every session of a person but the one they are in. Errors: Unavailable.
func (a *Accounts) EndOthers(ctx context.Context, p Person, keep Session) error {
	err := a.Work.Do(ctx, p.Actor(), func(tx journal.Tx) error { return a.endAll(ctx, tx, p.ID, keep.ID) })
	a.forget()
	return err
}

// Strong reports whether a password, code or sign-in was given so recently that
// people, tokens and hooks may be changed without asking again. In the demo
// there is nothing to ask for.
func (a *Accounts) Strong(s Session) bool {
	return s.Way == WayDemo || a.now().Sub(s.Strong) < StrongFor
}

// knownMark makes the mark of a browser that a person used.
func (a *Accounts) knownMark(person string) string {
	body := person + "." + rand.Text()
	return body + "." + a.Sealer.Sign("known", []byte(body))
}

// knows reports whether a mark is one that this person got.
func (a *Accounts) knows(mark, person string) bool {
	at := strings.LastIndexByte(mark, '.')
	return at > 0 && strings.HasPrefix(mark, person+".") && a.Sealer.Verify("known", []byte(mark[:at]), mark[at+1:])
}

// hashOf is what is kept of a secret. Secrets are random and long, so that a
// fast hash is enough.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// shorten keeps the beginning of a User-Agent, made safe to show.
func shorten(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if hidden(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, agent)
	if r := []rune(agent); len(r) > maxAgent {
		agent = string(r[:maxAgent])
	}
	return cmp.Or(strings.TrimSpace(agent), "unknown")
}
