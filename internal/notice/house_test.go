package notice_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
	"evenkeel/internal/problem"
)

// house is a Desk and a Sender over a store in memory, inside a bubble of virtual
// time, with channels that remember what they were sent.
type house struct {
	t        *testing.T
	store    *noticetest.Store
	desk     *notice.Desk
	people   noticetest.People
	channels map[string]*channel
	began    time.Time
	swapped  map[string]notice.Channel // instead of those
	keep     time.Duration
	letters  notice.Letters
	sick     atomic.Pointer[problem.Error] // why heartbeats keep silent
	stop     func()
}

// build makes a house with these channels and starts its sender.
func build(t *testing.T, setup notice.Setup) *house {
	t.Helper()
	h := idle(t, setup)
	h.start()
	return h
}

// idle makes a house whose sender is not started.
func idle(t *testing.T, setup notice.Setup) *house {
	t.Helper()
	h := &house{t: t, store: noticetest.New(), people: noticetest.Staff("ada", "bob", "cyd"), channels: map[string]*channel{}, began: time.Now()}
	h.desk = h.open(h.store)
	h.configure(setup)
	return h
}

// open makes a Desk as a process does when it starts.
func (h *house) open(s notice.Store) *notice.Desk {
	return notice.NewDesk(notice.DeskDeps{Work: h.store, Store: s, People: h.people, Signer: noticetest.Key("k"),
		Group: func(key string) string { return map[string]string{"db": "core"}[key] }, Log: slog.New(slog.DiscardHandler), Now: time.Now})
}

// configure replaces the setup; every channel of it gets a place to be sent to.
func (h *house) configure(setup notice.Setup) {
	for _, c := range setup.Channels {
		if h.channels[c.ID] == nil {
			h.channels[c.ID] = &channel{h: h}
		}
	}
	if setup.Place.Page == "" {
		setup.Place = notice.Place{Page: "https://status.example.org", Hub: "https://hub.example.org", PageName: "Example"}
	}
	h.desk.Setup(setup)
}

// start runs a sender until halt or the end of the test.
func (h *house) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	sender := notice.NewSender(notice.SenderDeps{Desk: h.desk, Channels: h.find,
		Healthy: h.healthy, Keep: h.keep, Letters: h.letters})
	holder := journal.NewHolder()
	go func() {
		done <- journal.Hold(ctx, h.store, "notices", holder, slog.New(slog.DiscardHandler), sender.Run)
	}()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("sender: %v", err)
		}
	})
	h.t.Cleanup(h.stop)
}

func (h *house) healthy() error {
	if e := h.sick.Load(); e != nil {
		return e
	}
	return nil
}

// find gives a channel to the sender.
func (h *house) find(id string) (notice.Channel, bool) {
	if c, ok := h.swapped[id]; ok {
		return c, true
	}
	c, ok := h.channels[id]
	return c, ok
}

// swap puts another channel in the place of one.
func (h *house) swap(id string, c notice.Channel) {
	synctest.Wait()
	h.swapped = map[string]notice.Channel{id: c}
}

// rest lets virtual time go by.
func (h *house) rest(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// plan plans events as the notifier does.
func (h *house) plan(events ...notice.Event) {
	h.t.Helper()
	for _, e := range events {
		if err := h.try(e); err != nil {
			h.t.Fatalf("plan %s: %v", e.ID, err)
		}
	}
}

func (h *house) try(e notice.Event) error {
	return h.store.Do(context.Background(), access.Hub, func(tx journal.Tx) error { return h.desk.Plan(context.Background(), tx, e) })
}

// rows gives all deliveries, oldest first.
func (h *house) rows() []notice.Delivery {
	h.t.Helper()
	rows, err := h.store.Deliveries(context.Background(), notice.Query{Limit: 10_000})
	if err != nil {
		h.t.Fatal(err)
	}
	slices.Reverse(rows)
	return rows
}

// row gives the only delivery of an event and channel.
func (h *house) row(event, channel string) notice.Delivery {
	h.t.Helper()
	for _, d := range h.rows() {
		if d.Event == event && d.Channel == channel {
			return d
		}
	}
	h.t.Fatalf("there is no delivery of %s through %s", event, channel)
	return notice.Delivery{}
}

// alert gives the newest alert.
func (h *house) alert() notice.Alert {
	h.t.Helper()
	found, err := h.store.NoticeAlerts(context.Background(), notice.AlertQuery{Limit: 1})
	if err != nil || len(found) == 0 {
		h.t.Fatalf("no alert: %v", err)
	}
	return found[0]
}

// verbs gives the journal's verbs of a noun, in order.
func (h *house) verbs(noun string) (out []string) {
	h.t.Helper()
	entries, err := h.store.After(context.Background(), 0, 10_000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Subject.Kind == noun {
			out = append(out, e.Verb)
		}
	}
	if err := journal.Verify(context.Background(), h.store); err != nil {
		h.t.Error(err)
	}
	return out
}

// channel is a place that remembers what it was sent, and answers as it is told.
type channel struct {
	h     *house
	mu    sync.Mutex
	got   []sent
	reply func(ctx context.Context, n int, m notice.Message) (notice.Receipt, error) // n counts from 1
}

// sent is one attempt.
type sent struct {
	at time.Duration // since the house was built
	notice.Message
	err error
}

// Send remembers the attempt; unless told otherwise it is taken.
func (c *channel) Send(ctx context.Context, m notice.Message) (r notice.Receipt, err error) {
	c.mu.Lock()
	c.got = append(c.got, sent{at: time.Since(c.h.began), Message: m})
	n, reply := len(c.got), c.reply
	c.mu.Unlock()
	if reply == nil {
		return notice.Receipt{Mark: fmt.Sprintf("mark-%d", n), ExactOnce: true}, nil
	}
	r, err = reply(ctx, n, m)
	c.mu.Lock()
	c.got[n-1].err = err
	c.mu.Unlock()
	return r, err
}

// answers sets what the channel says to every attempt.
func (c *channel) answers(reply func(ctx context.Context, n int, m notice.Message) (notice.Receipt, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reply = reply
}

// fails makes it refuse everything; nil mends it.
func (c *channel) fails(err error) {
	if err == nil {
		c.answers(nil)
		return
	}
	c.answers(func(context.Context, int, notice.Message) (notice.Receipt, error) { return notice.Receipt{}, err })
}

// attempts gives all, in order.
func (c *channel) attempts() []sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// kinds gives the kinds of events that were taken, in order.
func (c *channel) kinds() (out []string) {
	for _, s := range c.attempts() {
		if s.err == nil {
			out = append(out, s.Event.Kind)
		}
	}
	return out
}

// down is a refusal that may pass.
var down = &notice.Refusal{Reason: "connection refused", Err: errors.New("dial")}

// update is a plain event about an incident, for staff and subscribers.
func update(seq int64, subject string) notice.Event {
	return notice.Event{
		ID: fmt.Sprintf("update-%d", seq), Seq: seq, Kind: "incident.updated", Subject: journal.Ref{Kind: "incident", ID: subject},
		Audience: notice.ToBoth, Severity: notice.SeverityMajor, At: time.Now().UTC(), Components: []string{"db"}, Groups: []string{"core"},
		Content: notice.Content{Title: "Trouble", Status: "investigating", Impact: "major"},
	}
}

// alarm is an event that opens or closes the alert of a component.
func alarm(seq int64, what notice.Alarm) notice.Event {
	e := notice.Event{
		ID: fmt.Sprintf("alarm-%d", seq), Seq: seq, Kind: "component.down", Subject: journal.Ref{Kind: "component", ID: "db"}, Alarm: what,
		Audience: notice.ToStaff, Severity: notice.SeverityMajor, At: time.Now().UTC(), Components: []string{"db"},
		Content: notice.Content{Title: "Database", Status: "major_outage", Facts: map[string]string{"why": "3 of 3"}},
	}
	if what == notice.AlarmClear {
		e.Kind, e.Severity, e.Content.Status = "component.recovered", notice.SeverityInfo, "operational"
	}
	return e
}

// oneRoute sends everything to one channel.
func oneRoute(channels ...string) notice.Setup {
	s := notice.Setup{Routes: []notice.Route{{ID: "all"}}}
	for _, c := range channels {
		s.Channels = append(s.Channels, notice.ChannelSpec{ID: c, Kind: "slack"})
	}
	s.Routes[0].To = []notice.Target{{Channel: channels[0]}}
	return s
}

func wantKind(t *testing.T, err error, want problem.Kind) {
	t.Helper()
	if got := problem.KindOf(err); got != want {
		t.Fatalf("got %q (%v), want %q", got, err, want)
	}
}

// operator may do what those on duty may.
var operator = access.Actor{ID: "ada", Role: access.RoleOperator}
