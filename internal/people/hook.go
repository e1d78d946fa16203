package people

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"unicode/utf8"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// HookPath is where hooks stand: source and token follow.
const HookPath = "/hooks/"

// MaxHooks bounds the hooks that are in force.
const MaxHooks = 500

// maxMapping bounds the mapping of one hook.
const maxMapping = 50

// Sources lists the foreign systems that a hook can be for.
func Sources() []string { return []string{"alertmanager", "slack"} }

// HookDraft is what is said of a hook to make.
type HookDraft struct {
	Source  string
	Name    string            // default: the source
	Mapping map[string]string // how labels of the source map to ours, where the source has any
}

// Hooks is the service of doors for foreign systems. It is safe for concurrent use.
type Hooks struct {
	Deps
	refused *Refusals
	known   cache[Hook]
}

// NewHooks makes the service. Refusals are noted in refused.
func NewHooks(d Deps, refused *Refusals) *Hooks { return &Hooks{Deps: d, refused: refused} }

// Make makes a hook and gives its path, this one time. Errors: Forbidden,
// Invalid, TooMany, Unavailable.
func (h *Hooks) Make(ctx context.Context, by access.Actor, d HookDraft) (path string, hook Hook, err error) {
	if err := by.CheckOn(access.HookEdit); err != nil {
		return "", Hook{}, err
	}
	if hook, err = h.drafted(d); err != nil {
		return "", Hook{}, err
	}
	all, err := h.Store.Hooks(ctx)
	if err != nil {
		return "", Hook{}, err
	}
	if n := len(slices.DeleteFunc(all, func(o Hook) bool { return !o.RevokedAt.IsZero() })); n >= MaxHooks {
		return "", Hook{}, problem.TooMany("There are %d hooks already; revoke what is not used.", n)
	}
	secret := rand.Text()
	hook.Hash, hook.CreatedBy = hashOf(secret), by.ID
	err = h.Work.Do(ctx, by.As(access.HookEdit), func(tx journal.Tx) error {
		if err := h.Store.AddHook(ctx, tx, hook); err != nil {
			return err
		}
		return tx.Append(hookEntry("hook.made", hook))
	})
	if err != nil {
		return "", Hook{}, err
	}
	return HookPath + hook.Source + "/" + secret, hook, nil
}

// maxMappingWord bounds a word of a mapping, in letters.
const maxMappingWord = 200

// mappable reports whether a mapping may hold a word: the name of a label, a key
// or a pattern.
func mappable(word string) bool {
	return word != "" && utf8.ValidString(word) && utf8.RuneCountInString(word) <= maxMappingWord &&
		!strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// drafted checks what was said of a hook. Errors: Invalid.
func (h *Hooks) drafted(d HookDraft) (Hook, error) {
	if !slices.Contains(Sources(), d.Source) {
		return Hook{}, problem.Invalid("source", "%q is no source of hooks; there are %s.", clip(d.Source), strings.Join(Sources(), " and "))
	}
	if d.Name == "" {
		d.Name = d.Source
	}
	name, bad := checkName(d.Name)
	if bad != nil {
		return Hook{}, bad
	}
	if len(d.Mapping) > maxMapping {
		return Hook{}, problem.Invalid("mapping", "A mapping has at most %d lines.", maxMapping)
	}
	for from, to := range d.Mapping {
		if !mappable(from) || !mappable(to) {
			return Hook{}, problem.Invalid("mapping", "A line of the mapping is empty, too long or no text.")
		}
	}
	return Hook{ID: journal.NewID(), Source: d.Source, Name: name, Mapping: d.Mapping, CreatedAt: h.now()}, nil
}

func hookEntry(verb string, h Hook) journal.Entry {
	return journal.Entry{
		Verb: verb, Subject: journal.Ref{Kind: "hook", ID: h.ID}, Audience: journal.AudienceStaff,
		Payload: map[string]string{"source": h.Source},
	}
}

// List gives every hook, newest first, revoked ones included. Errors: Forbidden, Unavailable.
func (h *Hooks) List(ctx context.Context, by access.Actor) ([]Hook, error) {
	if err := by.CheckOn(access.HookEdit); err != nil {
		return nil, err
	}
	return h.Store.Hooks(ctx)
}

// Revoke ends a hook, at once in this process and within seconds in others.
// Errors: Forbidden, NotFound, Conflict when it is revoked already, Unavailable.
func (h *Hooks) Revoke(ctx context.Context, by access.Actor, id string) error {
	if err := by.CheckOn(access.HookEdit); err != nil {
		return err
	}
	all, err := h.Store.Hooks(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(o Hook) bool { return o.ID == id })
	if i < 0 {
		return problem.NotFound("There is no such hook.")
	}
	err = h.Work.Do(ctx, by.As(access.HookEdit), func(tx journal.Tx) error {
		if err := h.Store.RevokeHook(ctx, tx, id, tx.Now()); err != nil {
			return err
		}
		return tx.Append(hookEntry("hook.revoked", all[i]))
	})
	h.known.clear()
	return err
}

// Open finds the hook behind an address. Errors: NotFound for a token that is
// none of this source or was revoked, always with the same words; Unavailable.
func (h *Hooks) Open(ctx context.Context, source, token string) (Hook, error) {
	if len(token) != secretLength {
		return Hook{}, h.shut("")
	}
	now, hash := h.now(), hashOf(token)
	hook, epoch, ok := h.known.find(hash, now)
	if !ok {
		var err error
		if hook, err = h.Store.HookByHash(ctx, hash); err != nil {
			if problem.KindOf(err) == problem.KindNotFound {
				err = h.shut("")
			}
			return Hook{}, err
		}
	}
	if hook.Source != source || !hook.RevokedAt.IsZero() {
		return Hook{}, h.shut(hook.ID)
	}
	if now.Sub(hook.SeenAt) >= seenEvery {
		hook.SeenAt, ok = now, false
		if err := h.Work.Do(ctx, access.Hub, func(tx journal.Tx) error { return h.Store.SeeHook(ctx, tx, hook.ID, now) }); err != nil && ctx.Err() == nil {
			h.Log.Warn("the use of a hook was not noted", "hook", hook.ID, "err", err)
		}
	}
	if !ok {
		h.known.keep(hash, hook, epoch, now)
	}
	return hook, nil
}

// shut notes and tells that there is no such hook.
func (h *Hooks) shut(id string) error {
	by := access.Visitor
	if id != "" {
		by = Hook{ID: id}.Actor()
	}
	h.refused.Note(by, "", ReasonHook, "")
	return problem.NotFound("There is no such hook.")
}
