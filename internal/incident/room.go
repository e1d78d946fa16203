package incident

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// RoomDeps is what a Room stands on.
type RoomDeps struct {
	Work       journal.Work
	Store      Store
	Components Components
	Now        func() time.Time // wall clock
	Log        *slog.Logger
	// Beat is called by the clock after every tick that went well, which comes at
	// least so often; nil = nobody listens.
	Beat func(every time.Duration)
}

// Room is the service of incidents: what people do to them, what the machine
// does by itself, and who may look. Every change is one unit of work with its
// journal entries. All methods are safe for concurrent use; they take the id of
// an incident or what staff call it (INC-231). Every method can give Forbidden,
// NotFound (private incidents too, to whom may not see them), Conflict when
// somebody was first, and Unavailable; its comment names what comes besides.
type Room struct {
	work  journal.Work
	store Store
	comps Components
	wall  func() time.Time
	log   *slog.Logger
	beat  func(every time.Duration)
}

// NewRoom makes a Room.
func NewRoom(d RoomDeps) *Room {
	if d.Beat == nil {
		d.Beat = func(time.Duration) {}
	}
	return &Room{work: d.Work, store: d.Store, comps: d.Components, wall: d.Now, log: d.Log, beat: d.Beat}
}

// now is the wall clock as it is recorded.
func (r *Room) now() time.Time { return moment(r.wall()) }

// moment cuts a time to what is recorded: UTC, whole microseconds.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// hand is one unit of work on one incident: it gathers what is to be written.
type hand struct {
	*Room
	ctx context.Context
	tx  journal.Tx
	by  access.Actor
	now time.Time
	i   *Incident
}

// claim says what an act needs and means.
type claim struct {
	action access.Action
	// takes is false for acts that leave the machine in charge: a note, a task, a link.
	takes   bool
	version int64 // as the person read it; 0 = whatever it is now
}

// change runs fn on one incident in a unit of work and writes it back.
func (r *Room) change(ctx context.Context, by access.Actor, id string, c claim, fn func(*hand) error) (Incident, error) {
	if err := by.Check(c.action); err != nil {
		return Incident{}, err
	}
	id, err := r.locate(ctx, id)
	if err != nil {
		return Incident{}, err
	}
	var out Incident
	err = r.work.Do(ctx, by.As(c.action), func(tx journal.Tx) error {
		i, err := r.store.IncidentForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		h := &hand{Room: r, ctx: ctx, tx: tx, by: by, now: tx.Now(), i: &i}
		if err := h.admit(c); err != nil {
			return err
		}
		if c.takes && r.allows(by, access.IncidentUpdate, keysOf(i.Components)) == nil {
			i.takenOver() // whoever may not speak to customers does not keep the machine from it
		}
		if err := fn(h); err != nil {
			return err
		}
		if err := h.keep(); err != nil {
			return err
		}
		out = i
		return nil
	})
	return out, err
}

// locate gives the id behind an id or a number.
func (r *Room) locate(ctx context.Context, id string) (string, error) {
	if number, ok := numbered(id); ok {
		i, err := r.store.IncidentByNumber(ctx, number)
		return i.ID, err
	}
	return id, nil
}

// admit refuses whoever may not do this to the incident as it stands.
func (h *hand) admit(c claim) error {
	switch {
	case !h.sees(h.by, h.i):
		return absent(h.i.ID)
	case h.i.MergedInto != "":
		return problem.Conflict("%s was merged into another incident.", h.i.Label())
	case c.version != 0 && c.version != h.i.Version:
		return problem.Conflict("Somebody else changed %s first. Look at it again.", h.i.Label())
	}
	return h.allows(h.by, c.action, keysOf(h.i.Components))
}

// absent is the answer for what is not there, or not for whoever asks.
func absent(id string) error { return problem.NotFound("There is no incident %q.", id) }

// sees reports whether the actor may know of the incident at all.
func (r *Room) sees(by access.Actor, i *Incident) bool {
	return i.Visibility != Private || r.allows(by, access.IncidentPrivate, keysOf(i.Components)) == nil
}

// allows checks an action on components: a grant may be narrowed to a
// component or to its group. Without components it must hold everywhere.
func (r *Room) allows(by access.Actor, act access.Action, keys []string) error {
	if by.MayOn(act) {
		return nil
	}
	if len(keys) == 0 {
		return by.CheckOn(act)
	}
	known := r.known()
	for _, key := range keys {
		if by.MayOn(act, access.Scope{Kind: "component", ID: key}) {
			continue
		}
		group := known[key].Group
		if group == "" || !by.MayOn(act, access.Scope{Kind: "group", ID: group}) {
			return by.CheckOn(act, access.Scope{Kind: "component", ID: key})
		}
	}
	return nil
}

// known gives the components by key.
func (r *Room) known() map[string]Component {
	all := r.comps.Known()
	m := make(map[string]Component, len(all))
	for _, c := range all {
		m[c.Key] = c
	}
	return m
}

// takenOver notes that a person has the incident in hand: from now on the
// machine writes facts and proposals only.
func (i *Incident) takenOver() { i.Machine, i.PublishAfter = false, time.Time{} }

// keep writes the incident.
func (h *hand) keep() error {
	h.i.ChangedAt = h.now
	return h.store.PutIncident(h.ctx, h.tx, h.i)
}

// tell appends a journal entry about the incident. effective may be zero.
func (h *hand) tell(verb string, effective time.Time, more map[string]string) error {
	payload := map[string]string{
		"number": strconv.FormatInt(h.i.Number, 10), "state": string(h.i.State), "impact": string(h.i.Impact),
		"visibility": string(h.i.Visibility), "components": cut(keysOf(h.i.Components)),
	}
	for k, v := range more {
		payload[k] = v
	}
	audience := journal.AudienceStaff
	if h.i.Seen() {
		audience = journal.AudiencePublic
	}
	return h.tx.Append(journal.Entry{
		Verb: "incident." + verb, Subject: ref(h.i.ID), EffectiveAt: effective, Audience: audience, Payload: payload,
	})
}

// tellStaff is tell for what customers never see, whatever they see of the incident.
func (h *hand) tellStaff(verb string, more map[string]string) error {
	payload := map[string]string{"number": strconv.FormatInt(h.i.Number, 10), "visibility": string(h.i.Visibility)}
	for k, v := range more {
		payload[k] = v
	}
	return h.tx.Append(journal.Entry{
		Verb: "incident." + verb, Subject: ref(h.i.ID), Audience: journal.AudienceStaff, Payload: payload,
	})
}

// ref names an incident in the journal.
func ref(id string) journal.Ref { return journal.Ref{Kind: "incident", ID: id} }

// yes writes a boolean into a payload.
func yes(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// cut joins keys for a payload: as many as fit.
func cut(keys []string) string {
	length := -1
	for n, key := range keys {
		if length += 1 + len(key); length > journal.MaxPayloadValue {
			keys = keys[:n]
			break
		}
	}
	return strings.Join(keys, ",")
}

// keysOf gives the component keys.
func keysOf(as []Affected) []string {
	keys := make([]string, len(as))
	for i := range as {
		keys[i] = as[i].Component
	}
	return keys
}

// put writes a new line of the timeline. The hub's own lines are bounded where
// they are made, and what is told to customers finds room when notes no longer
// do. Errors: TooMany.
func (h *hand) put(u *Update) error {
	most := MaxLines
	if u.Kind == KindUpdate {
		most += MaxLines / 2
	}
	if h.i.Lines >= most && h.by.ID != access.Hub.ID {
		return problem.TooMany("The timeline of %s is full: it holds %d lines.", h.i.Label(), h.i.Lines)
	}
	h.i.Lines++
	u.ID, u.Incident, u.CreatedAt = journal.NewID(), h.i.ID, h.now // in the order of writing, within one moment too
	if u.Author == "" {
		u.Author = h.by.ID
	}
	if u.DisplayAt.IsZero() {
		u.DisplayAt = h.now
	}
	return h.store.PutUpdate(h.ctx, h.tx, u)
}

// fact writes what happened into the timeline, for staff. A timeline that has
// grown too long for it goes without: the journal has the fact all the same.
func (h *hand) fact(verb string, facts map[string]string) error {
	if h.i.Lines >= MaxFacts {
		return nil
	}
	return h.put(&Update{Kind: KindFact, Verb: "incident." + verb, Facts: facts})
}

// affected finds a component of the incident; nil when it is none of it.
func (i *Incident) affected(key string) *Affected {
	n := slices.IndexFunc(i.Components, func(a Affected) bool { return a.Component == key })
	if n < 0 {
		return nil
	}
	return &i.Components[n]
}
