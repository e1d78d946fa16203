package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/hub"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/status"
	"evenkeel/internal/store"
	"evenkeel/internal/ticket"
)

// operator is the person of the scenes.
var operator = access.Actor{ID: "p-operator", Role: access.RoleOperator}

// desk is a real desk for notices, and writes down the events that it is handed.
type desk struct {
	t      *testing.T
	desk   *notice.Desk
	mu     sync.Mutex
	events []notice.Event
}

// Plan plans an event, which must not be refused, and keeps it.
func (d *desk) Plan(ctx context.Context, tx journal.Tx, e notice.Event) error {
	if err := d.desk.Plan(ctx, tx, e); err != nil {
		d.t.Errorf("plan %s: %v", e.Kind, err)
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.ContainsFunc(d.events, func(o notice.Event) bool { return o.ID == e.ID }) {
		d.events = append(d.events, e)
	}
	return nil
}

// BouncedIn ends subscriptions.
func (d *desk) BouncedIn(ctx context.Context, tx journal.Tx, address string) error {
	return d.desk.BouncedIn(ctx, tx, address)
}

// hall is a hall over a real record, in virtual time.
type hall struct {
	t       *testing.T
	dir     string
	store   *store.Store
	present *hub.Present
	room    *incident.Room
	hub     *hub.Hub
	desk    *desk
	bell    *journal.LocalBell
	silence map[string]status.Silence
	spans   map[string]status.Span // open ones, by component and track
	support *ticket.Desk           // nil in scenes without a desk of tickets
	stop    func()
}

// inHall runs a scene with a gateway, services that need it, and a few others.
func inHall(t *testing.T, scene func(t *testing.T, h *hall)) {
	synctest.Test(t, func(t *testing.T) {
		h := &hall{t: t, dir: t.TempDir(), desk: &desk{}, silence: map[string]status.Silence{}, spans: map[string]status.Span{}}
		h.open()
		defer func() { closeStore(t, h.store) }() // the bubble ends when all in it has, after a failure too
		h.define()
		h.start()
		defer func() { h.stop() }()
		scene(t, h)
	})
}

func (h *hall) open() {
	s, err := store.Open(h.t.Context(), store.Options{DataDir: h.dir, Log: quiet()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.store = s
}

// define writes the catalog; every component begins well.
func (h *hall) define() {
	comps := []status.Component{
		{ID: "gateway", Name: "Gateway", Public: true, Runbook: "https://example.org/gateway"},
		{ID: "search", Name: "Search", Public: true, Group: "core"},
		{ID: "ledger", Name: "Ledger"},
		{ID: "mail", Name: "Mail", Public: true, Publish: status.PublishManual},
	}
	for n := range 30 {
		comps = append(comps, status.Component{ID: fmt.Sprintf("svc%02d", n), Name: fmt.Sprintf("Service %02d", n), Public: true, Needs: []string{"gateway"}})
	}
	h.do(func(tx journal.Tx) error {
		if err := h.store.PutSite(h.t.Context(), tx, status.Site{Name: "Example", URL: "https://status.example.org", Zone: "UTC"}); err != nil {
			return err
		}
		if err := h.store.PutGroup(h.t.Context(), tx, status.Group{Key: "core", ID: "core", Name: "Core", CreatedAt: tx.Now()}); err != nil {
			return err
		}
		for n, c := range comps {
			c.Key, c.Position, c.CreatedAt = "k-"+c.ID, n, tx.Now()
			if err := h.store.PutComponent(h.t.Context(), tx, c); err != nil {
				return err
			}
		}
		return tx.Append(journal.Entry{Verb: "setup.applied", Subject: journal.Ref{Kind: "setup", ID: "x"}, Audience: journal.AudiencePublic})
	})
	var moves []move
	for _, c := range comps {
		moves = append(moves, move{c.ID, status.Observed, status.Operational}, move{c.ID, status.Published, status.Operational})
	}
	h.moves(moves...)
}

// start begins the hall as a process does.
func (h *hall) start() {
	ctx, cancel := context.WithCancel(h.t.Context())
	h.bell = &journal.LocalBell{}
	h.present = hub.NewPresent(h.store)
	h.desk.t, h.desk.desk = h.t, notice.NewDesk(notice.DeskDeps{Work: h.store, Store: h.store, Log: quiet(), Now: time.Now})
	h.desk.desk.Setup(notice.Setup{
		Channels: []notice.ChannelSpec{{ID: "chat", Kind: "outbox"}},
		Routes:   []notice.Route{{ID: "all", To: []notice.Target{{Channel: "chat"}}}},
	})
	h.room = incident.NewRoom(incident.RoomDeps{Work: h.store, Store: h.store, Components: h.present, Now: time.Now, Log: quiet()})
	holder := journal.NewHolder()
	deps := hub.Deps{
		Work: h.store, Reader: h.store, Cursors: h.store, Leases: h.store, Bell: h.bell, Holder: holder,
		Record: h.store, Present: h.present, Incidents: h.store, Room: h.room, Notices: h.desk, Concerns: h.store,
		Silenced: func(key string, at time.Time) (status.Silence, bool) {
			s, ok := h.silence[key]
			return s, ok && s.Holds(at)
		},
		Now: time.Now, Log: quiet(),
	}
	if h.support != nil {
		deps.TicketDeps = hub.TicketDeps{Desk: h.support, Tickets: h.store, Proposed: h.store, Mails: h.store}
	}
	h.hub = hub.New(deps)
	seq, _, err := h.store.Head(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.hub.Begin(ctx); err != nil {
		h.t.Fatal(err)
	}
	if err := h.present.Load(ctx); err != nil {
		h.t.Fatal(err)
	}
	follower := &journal.PerProcess{Name: "present", Reader: h.store, Bell: h.bell, Log: quiet(), Handle: h.present.Follow}
	sealer := journal.NewSealer(h.store, h.store, holder, h.bell, quiet())
	var loops sync.WaitGroup
	for _, run := range []func(context.Context) error{
		h.hub.Run, sealer.Run, func(ctx context.Context) error { return follower.Run(ctx, seq) },
	} {
		loops.Go(func() {
			if err := run(ctx); err != nil {
				h.t.Errorf("run: %v", err)
			}
		})
	}
	h.stop = func() { cancel(); loops.Wait() }
}

func (h *hall) do(fn func(journal.Tx) error) {
	h.t.Helper()
	if err := h.store.Do(h.t.Context(), access.Hub, fn); err != nil {
		h.t.Fatal(err)
	}
}

// move is one component, by ID, that comes into a status on a track.
type move struct {
	id    string
	track status.Track
	to    status.Status
}

// moves writes spans and entries as the recorder of the watch does, all in one
// unit of work.
func (h *hall) moves(list ...move) {
	h.t.Helper()
	h.pass(time.Millisecond) // a span lasts
	h.do(func(tx journal.Tx) error {
		for _, m := range list {
			key := "k-" + m.id
			at := key + string(m.track)
			was, had := h.spans[at]
			if had {
				if err := h.store.EndSpan(h.t.Context(), tx, was.ID, was.Version, tx.Now()); err != nil {
					return err
				}
			}
			s := status.Span{ID: journal.NewID(), Component: key, Track: m.track, From: tx.Now(), Status: m.to, Origin: status.ByMachine, Staff: "http: 502 at web-1.example.net, 3 of 3 locations", Public: "Our checks see failures."}
			if err := h.store.AddSpan(h.t.Context(), tx, s); err != nil {
				return err
			}
			s.Version = 1
			h.spans[at] = s
			if err := tx.Append(journal.Entry{
				ID: s.ID, Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: key}, EffectiveAt: s.From, Audience: journal.AudienceStaff,
				Payload: map[string]string{"track": string(m.track), "from": string(was.Status), "to": string(m.to), "span": s.ID},
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// see lets checks see components in a status, one verdict after the other.
func (h *hall) see(to status.Status, ids ...string) {
	h.t.Helper()
	for _, id := range ids {
		h.moves(move{id, status.Observed, to}, move{id, status.Published, to})
	}
}

// pass lets virtual time pass.
func (h *hall) pass(d time.Duration) { <-time.After(d) }

// open gives the incidents that are not over.
func (h *hall) opened() []incident.Incident {
	h.t.Helper()
	all, err := h.room.Open(h.t.Context(), operator)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func (h *hall) only() incident.Incident {
	h.t.Helper()
	all := h.opened()
	if len(all) != 1 {
		h.t.Fatalf("%d incidents are open, want 1: %+v", len(all), all)
	}
	return all[0]
}

// heard gives the events so far as "kind audience alarm", suppressed ones in
// brackets.
func (h *hall) heard() []string {
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	var out []string
	for _, e := range h.desk.events {
		s := strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Audience, e.Alarm))
		if e.Suppress != "" {
			s = "(" + s + ": " + e.Suppress + ")"
		}
		out = append(out, s)
	}
	return out
}

// events gives the events of a kind.
func (h *hall) events(kind string) []notice.Event {
	h.desk.mu.Lock()
	defer h.desk.mu.Unlock()
	var out []notice.Event
	for _, e := range h.desk.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func TestHallThirtyComponentsBehindOneGatewayFail(t *testing.T) { // S1-22
	inHall(t, func(t *testing.T, h *hall) {
		h.see(status.MajorOutage, "svc00")
		h.pass(2 * time.Second)
		h.see(status.MajorOutage, "gateway")
		h.pass(2 * time.Second)
		for n := 1; n < 30; n++ {
			h.see(status.MajorOutage, fmt.Sprintf("svc%02d", n))
		}
		h.pass(2 * time.Second)
		i := h.only()
		if len(i.Components) != 31 || i.Name != "Gateway not available" {
			t.Fatalf("got %d components, %q", len(i.Components), i.Name)
		}
		sent := 0
		for _, s := range h.heard() {
			if !strings.HasPrefix(s, "(") {
				sent++
			}
		}
		if sent != 1 || len(h.heard()) != 31 {
			t.Errorf("staff were told %d times of %d: %v", sent, len(h.heard()), h.heard())
		}
		last := h.heard()[30]
		if last != "(component.down staff: needs Gateway, which is down)" {
			t.Errorf("got %s", last)
		}
		rows, err := h.desk.desk.Deliveries(t.Context(), operator, notice.Query{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		states := map[notice.State]int{}
		for _, r := range rows {
			states[r.State]++
		}
		if states[notice.Queued] != 1 || states[notice.Suppressed] != 30 {
			t.Errorf("staff get %v", states)
		}
		h.pass(status.DefaultPublishAfter)
		opened := h.events("incident.opened")
		if len(opened) != 1 || opened[0].Audience != notice.ToBoth || opened[0].Severity != notice.SeverityCritical || opened[0].Alarm != notice.AlarmFire {
			t.Fatalf("got %+v", opened)
		}
		body := opened[0].Content.Body
		if strings.Contains(body, "example.net") || !strings.HasPrefix(body, "Our checks have seen failures of ") {
			t.Errorf("customers are told %q", body)
		}
		if object := opened[0].Content.Object; object["status"] != "investigating" || len(object["components"].([]any)) != 31 || len(object["incident_updates"].([]any)) != 1 || object["page_id"] != "status.example.org" {
			t.Errorf("got %+v", object)
		}
	})
}

func TestHallGoesOnWhereItStopped(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.see(status.MajorOutage, "gateway")
		h.pass(2 * time.Second)
		for range 5 { // and again and again
			h.stop()
			h.see(status.MajorOutage, "svc01")
			h.start()
			h.pass(15 * time.Second)
			h.see(status.Operational, "svc01")
			h.pass(2 * time.Second)
		}
		h.stop()
		closeStore(t, h.store)
		h.open()
		h.start()
		h.pass(status.DefaultPublishAfter)
		i := h.only()
		if !i.Seen() || len(i.Components) != 2 {
			t.Fatalf("got %+v", i)
		}
		if n := len(h.events("incident.opened")); n != 1 {
			t.Errorf("it was published %d times", n)
		}
		ids := map[string]bool{}
		for _, e := range h.desk.events {
			if ids[e.ID] {
				t.Errorf("%s was made twice", e.Kind)
			}
			ids[e.ID] = true
		}
	})
}

func TestHallHumanWins(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		ctx := t.Context()
		h.see(status.PartialOutage, "search")
		h.pass(2 * time.Second)
		i := h.only()
		if _, _, err := h.room.Publish(ctx, operator, i.ID, incident.Publication{
			Body: "Searches are slow for some.", Deliver: true, Components: []incident.Affected{{Component: "k-search", Status: "degraded_performance"}},
		}); err != nil {
			t.Fatal(err)
		}
		said, err := h.hub.Statements(ctx)
		if err != nil || len(said) != 1 || said[0].Status != status.Degraded || said[0].Ref != "incident/"+i.ID {
			t.Fatalf("got %+v, %v", said, err)
		}
		h.see(status.MajorOutage, "search")
		h.pass(12 * time.Minute)
		i = h.only()
		if i.Impact != incident.ImpactMinor || i.State != incident.Investigating {
			t.Errorf("got %+v", i)
		}
		h.see(status.Operational, "search")
		h.pass(time.Minute)
		if i = h.only(); i.GreenSince.IsZero() || i.State != incident.Investigating {
			t.Errorf("got %+v", i)
		}
		if _, _, err := h.room.Resolve(ctx, operator, i.ID, incident.Publication{Body: "It is over.", Deliver: true}); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		if said, err = h.hub.Statements(ctx); err != nil || len(said) != 0 {
			t.Errorf("got %+v, %v", said, err)
		}
		var kinds []string
		for _, e := range h.heard() {
			if !strings.HasPrefix(e, "attention") {
				kinds = append(kinds, e)
			}
		}
		want := []string{
			"component.down staff fire", "incident.opened both fire", "component.down staff fire", "component.recovered staff clear", "incident.resolved both clear",
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("people heard %q, want %q", kinds, want)
		}
	})
}

func TestHallHeldAlarmIsRaisedWhenNothingExcusesItAnyMore(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.moves(move{"gateway", status.Published, status.UnderMaintenance}, move{"gateway", status.Observed, status.MajorOutage})
		h.pass(2 * time.Second)
		if all := h.opened(); len(all) != 0 {
			t.Fatalf("maintenance opened %+v", all)
		}
		h.see(status.MajorOutage, "svc03")
		h.pass(time.Minute)
		if got := h.heard(); !slices.Equal(got, []string{"(component.down staff fire: needs Gateway, which is in maintenance)"}) {
			t.Fatalf("got %q", got)
		}
		h.moves(move{"gateway", status.Observed, status.Operational}, move{"gateway", status.Published, status.Operational})
		h.pass(5 * time.Minute)
		if got := h.heard(); len(got) != 2 || got[1] != "component.down staff fire" {
			t.Fatalf("got %q", got)
		}
		h.silence["k-search"] = status.Silence{From: time.Now(), To: time.Now().Add(4 * time.Minute), Components: []string{"k-search"}}
		h.see(status.MajorOutage, "search")
		h.pass(2 * time.Minute)
		if got := h.heard(); len(got) != 3 || !strings.HasPrefix(got[2], "(component.down staff fire: silenced until ") {
			t.Fatalf("got %q", got)
		}
		h.pass(5 * time.Minute)
		if got := h.events("component.down"); len(got) != 4 || got[3].Suppress != "" {
			t.Fatalf("got %q", h.heard())
		}
	})
}

func TestHallMaintenanceOverAndStillFailing(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.moves(move{"search", status.Published, status.UnderMaintenance})
		h.moves(move{"search", status.Observed, status.MajorOutage})
		h.pass(time.Minute)
		if all := h.opened(); len(all) != 0 {
			t.Fatalf("got %+v", all)
		}
		h.moves(move{"search", status.Published, status.MajorOutage})
		h.pass(2 * time.Second)
		if i := h.only(); i.Components[0].Component != "k-search" {
			t.Errorf("got %+v", i)
		}
	})
}

func TestHallPrivateAndHiddenNeverReachSubscribers(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		ctx := t.Context()
		for _, d := range []incident.Declaration{
			{Name: "A leak", Private: true, Components: []incident.Affected{{Component: "k-search", Status: "major_outage"}}},
			{Name: "Books", Components: []incident.Affected{{Component: "k-ledger", Status: "major_outage"}}},
		} {
			d.Body, d.Publish, d.Deliver = "x", true, true
			i, err := h.room.Declare(ctx, operator, d)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := h.room.Resolve(ctx, operator, i.ID, incident.Publication{Body: "y", Deliver: true}); err != nil {
				t.Fatal(err)
			}
		}
		i, err := h.room.Declare(ctx, operator, incident.Declaration{Name: "Both", Body: "x", Publish: true, Deliver: true, Components: []incident.Affected{
			{Component: "k-ledger", Status: "major_outage"}, {Component: "k-search", Status: "degraded_performance"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.room.Publish(ctx, operator, i.ID, incident.Publication{Body: "quietly"}); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		for _, e := range h.desk.events {
			if e.Audience == notice.ToStaff {
				if c := fmt.Sprint(e.Content); strings.Contains(c, "A leak") {
					t.Errorf("routes lead to whom a private incident does not concern: %s", c)
				}
				continue
			}
			if e.Subject.ID != i.ID || e.Content.Body != "x" || !slices.Equal(e.Content.Names, []string{"Search"}) {
				t.Errorf("subscribers hear %+v", e)
			}
			if s := fmt.Sprint(e.Content.Object); strings.Contains(s, "Ledger") || strings.Contains(s, "ledger") {
				t.Errorf("subscribers read %s", s)
			}
		}
		page, err := hub.Page{Incidents: h.store}.Public(ctx, time.Time{})
		if err != nil || len(page) != 2 {
			t.Fatalf("got %+v, %v", page, err)
		}
		for _, i := range page {
			if i.Name == "A leak" {
				t.Errorf("the page shows %+v", i)
			}
		}
	})
}

func TestHallNeedsAttention(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		ctx := t.Context()
		needs := func() string {
			t.Helper()
			all, err := h.hub.Attention(ctx, operator)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, a := range all {
				if a.Words == "" || a.Path == "" || a.Since.IsZero() {
					t.Errorf("got %+v", a)
				}
				kinds = append(kinds, string(a.Kind))
			}
			return strings.Join(kinds, " ")
		}
		h.see(status.MajorOutage, "mail") // only people publish it
		h.pass(4 * time.Minute)
		if got := needs(); got != "" {
			t.Errorf("too early: %s", got)
		}
		h.pass(2 * time.Minute)
		if got := needs(); got != "unspoken" {
			t.Errorf("got %q", got)
		}
		i := h.only()
		if _, _, err := h.room.Publish(ctx, operator, i.ID, incident.Publication{Body: "We know.", NextUpdate: 10 * time.Minute}); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		if got := needs(); got != "" {
			t.Errorf("it was said: %q", got)
		}
		h.pass(10 * time.Minute)
		if got := needs(); got != "quiet" {
			t.Errorf("got %q", got)
		}
		all, err := h.hub.Attention(ctx, operator)
		if err != nil || !strings.HasPrefix(all[0].Draft, "We are still looking into the trouble with Mail. It began at ") {
			t.Errorf("got %+v, %v", all, err)
		}
		h.see(status.Operational, "mail")
		h.pass(6 * time.Minute)
		if got := needs(); got != "quiet green" && got != "green quiet" {
			t.Errorf("got %q", got)
		}
		if _, err := h.room.Rename(ctx, operator, i.ID, "Mail was late", ""); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.room.Resolve(ctx, operator, i.ID, incident.Publication{Body: "Over."}); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		if got := needs(); got != "unexplained" {
			t.Errorf("got %q", got)
		}
		if _, err := h.room.Explain(ctx, operator, i.ID, "A wrong name."); err != nil {
			t.Fatal(err)
		}
		h.do(func(tx journal.Tx) error {
			return tx.Append(journal.Entry{Verb: "uptime.corrected", Subject: journal.Ref{Kind: "component", ID: "k-mail"}, Audience: journal.AudiencePublic})
		})
		h.do(func(tx journal.Tx) error {
			return h.store.PutOccurrence(ctx, tx, status.Occurrence{
				ID: "works-1", Window: "works", Title: "Works", Components: []string{"search"}, From: tx.Now().Add(-2 * time.Hour), To: tx.Now().Add(-time.Hour),
				State: status.MaintenanceInProgress, StartedAt: tx.Now().Add(-2 * time.Hour), ChangedAt: tx.Now(), Conduct: status.Conduct{EndsByHand: true},
			})
		})
		h.pass(time.Minute)
		if got := needs(); got != "overdue corrected" {
			t.Errorf("got %q", got)
		}
		h.pass(time.Minute)
		told := map[string]int{}
		for _, e := range h.desk.events {
			if strings.HasPrefix(e.Kind, "attention.") && e.Kind != "attention.settled" {
				told[e.Kind]++
			}
		}
		for kind, n := range told {
			if n != 1 {
				t.Errorf("%s was told %d times", kind, n)
			}
		}
		if len(told) != 6 {
			t.Errorf("told of %v", told)
		}
	})
}

func TestHallBeginsAtTheHead(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.pass(5 * time.Second)
		if got := h.heard(); len(got) != 0 {
			t.Errorf("what was before the hall is told: %q", got)
		}
		all, err := h.store.After(t.Context(), 0, 10)
		if err != nil || len(all) == 0 {
			t.Fatalf("%v, %v", all, err)
		}
	})
}
