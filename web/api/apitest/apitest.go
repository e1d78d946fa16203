// Package apitest is a small hub in memory for tests of the management API and
// of what is shaped like it: real wings over records that lose everything at
// the end. It knows nothing of HTTP.
package apitest

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	types "evenkeel/internal/api"
	"evenkeel/internal/incident"
	"evenkeel/internal/incident/incidenttest"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/status/statustest"
)

// Hub is the wings of a hub with the components web (key k-web) and db (key
// k-db, in the group core).
type Hub struct {
	Room     *incident.Room
	Watch    *status.Watch
	Desk     *status.Desk
	Notices  *notice.Desk
	Outbox   *noticetest.Store
	Record   *incidenttest.Store
	Journal  Journal
	Replies  *Replies
	Statuses *statustest.Store
}

// components are what the incident wing is told of.
type components []incident.Component

// Known gives them.
func (c components) Known() []incident.Component { return c }

// New makes a hub.
func New(tb testing.TB) *Hub {
	tb.Helper()
	quiet := slog.New(slog.DiscardHandler)
	h := &Hub{Outbox: noticetest.New(), Record: incidenttest.New(), Statuses: statustest.New(time.Now), Replies: &Replies{kept: map[string]kept{}}}
	h.Journal = Journal{h.Record}
	err := h.Statuses.Do(tb.Context(), access.Hub, func(tx journal.Tx) error {
		if err := h.Statuses.PutGroup(tb.Context(), tx, status.Group{Key: "core", ID: "core", Name: "Core"}); err != nil {
			return err
		}
		if err := h.Statuses.PutComponent(tb.Context(), tx, status.Component{Key: "k-web", ID: "web", Name: "Website", Public: true, Position: 1}); err != nil {
			return err
		}
		return h.Statuses.PutComponent(tb.Context(), tx, status.Component{Key: "k-db", ID: "db", Name: "Database", Public: true, Group: "core", Position: 2})
	})
	if err != nil {
		tb.Fatal(err)
	}
	h.Watch = status.NewWatch(status.WatchDeps{
		Work: h.Statuses, Store: h.Statuses, Latency: &statustest.Latency{}, Calendar: statustest.Calendar{}, Log: quiet, Now: time.Now,
	})
	if err := h.Watch.Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	h.Desk = status.NewDesk(status.DeskDeps{Work: h.Statuses, Store: h.Statuses, Calendar: statustest.Calendar{}, Watch: h.Watch, Now: time.Now})
	h.Room = incident.NewRoom(incident.RoomDeps{
		Work: h.Record, Store: h.Record, Now: time.Now, Log: quiet,
		Components: components{{Key: "k-web", ID: "web", Name: "Website", Public: true}, {Key: "k-db", ID: "db", Name: "Database", Group: "core", Public: true}},
	})
	h.Notices = notice.NewDesk(notice.DeskDeps{
		Work: h.Outbox, Store: h.Outbox, People: noticetest.Staff("ada"), Signer: noticetest.Key("k"), Log: quiet, Now: time.Now,
	})
	return h
}

// Journal is the journal of the incident wing, to look things up in.
type Journal struct{ *incidenttest.Store }

// Look gives the entries that match.
func (j Journal) Look(ctx context.Context, l journal.Look) ([]journal.Sealed, error) {
	return j.pick(ctx, l.Limit, l.Oldest, func(e journal.Sealed) bool {
		return (l.Subject.Kind == "" || e.Subject.Kind == l.Subject.Kind) && (l.Subject.ID == "" || e.Subject.ID == l.Subject.ID) &&
			strings.HasPrefix(e.Verb, l.Verb) && e.Seq > l.After && (l.Before == 0 || e.Seq < l.Before)
	})
}

// Index is done by Find.
func (Journal) Index(context.Context, journal.Tx, []journal.Sealed) error { return nil }

// Find gives the entries that hold every word.
func (j Journal) Find(ctx context.Context, words []string, before int64, limit int) ([]journal.Sealed, error) {
	return j.pick(ctx, limit, false, func(e journal.Sealed) bool {
		has := e.Words()
		return e.Seq < before && !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(has, w) })
	})
}

// most is how many entries a hub of a test has at most.
const most = 10_000

func (j Journal) pick(ctx context.Context, limit int, oldest bool, fits func(journal.Sealed) bool) ([]journal.Sealed, error) {
	all, err := j.After(ctx, 0, most)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(e journal.Sealed) bool { return !fits(e) })
	if !oldest {
		slices.SortFunc(all, func(a, b journal.Sealed) int { return cmp.Compare(b.Seq, a.Seq) })
	}
	return all[:min(limit, len(all))], nil
}

// Replies remembers answers; storetest holds the real one to the same contract.
type Replies struct {
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	hash  []byte
	reply *types.Reply
}

// BeginReply takes the key for a request.
func (r *Replies) BeginReply(_ context.Context, actor, key string, hash []byte, _ time.Time) (*types.Reply, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.kept[actor+" "+key]
	switch {
	case !ok:
		r.kept[actor+" "+key] = kept{hash: hash}
		return nil, nil
	case !bytes.Equal(k.hash, hash):
		return nil, problem.Conflict("This Idempotency-Key was used for another request.")
	case k.reply == nil:
		return nil, problem.Conflict("The same request is still being answered.")
	}
	return k.reply, nil
}

// EndReply keeps the answer, or frees the key.
func (r *Replies) EndReply(_ context.Context, actor, key string, reply *types.Reply) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reply == nil {
		delete(r.kept, actor+" "+key)
		return nil
	}
	k := r.kept[actor+" "+key]
	k.reply = reply
	r.kept[actor+" "+key] = k
	return nil
}

// Forget drops every answer, as time does.
func (r *Replies) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.kept)
}
