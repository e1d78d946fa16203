package notice_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
	"evenkeel/internal/problem"
)

// brittle is a store that breaks at its n-th step: once, or for good, as the
// process that used it would by being killed there.
type brittle struct {
	*noticetest.Store
	mu      sync.Mutex
	steps   int
	breaks  int  // at this step, from 1
	forGood bool // everything after it fails too
}

var errBroken = problem.Unavailable(nil, "The database went away.")

// step counts, and fails when its time has come.
func (b *brittle) step() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.steps++
	if b.breaks > 0 && (b.steps == b.breaks || b.forGood && b.steps > b.breaks) {
		return errBroken
	}
	return nil
}

// Do has three steps: before, the commit, and the word that it succeeded, which
// may be lost although it did.
func (b *brittle) Do(ctx context.Context, by access.Actor, fn func(journal.Tx) error) error {
	if err := b.step(); err != nil {
		return err
	}
	if err := b.Store.Do(ctx, by, func(tx journal.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return b.step()
	}); err != nil {
		return err
	}
	return b.step()
}

func (b *brittle) AddEvent(ctx context.Context, tx journal.Tx, e notice.Event, fan bool) (bool, error) {
	if err := b.step(); err != nil {
		return false, err
	}
	return b.Store.AddEvent(ctx, tx, e, fan)
}

func (b *brittle) AddDeliveries(ctx context.Context, tx journal.Tx, rows []notice.Delivery) error {
	if err := b.step(); err != nil {
		return err
	}
	return b.Store.AddDeliveries(ctx, tx, rows)
}

func (b *brittle) Swap(ctx context.Context, tx journal.Tx, rows []notice.Delivery) ([]string, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	return b.Store.Swap(ctx, tx, rows)
}

func (b *brittle) MoveFan(ctx context.Context, tx journal.Tx, f notice.Fan, from string) error {
	if err := b.step(); err != nil {
		return err
	}
	return b.Store.MoveFan(ctx, tx, f, from)
}

func (b *brittle) PutNoticeAlert(ctx context.Context, tx journal.Tx, a *notice.Alert) error {
	if err := b.step(); err != nil {
		return err
	}
	return b.Store.PutNoticeAlert(ctx, tx, a)
}

func (b *brittle) Due(ctx context.Context, channel string, now, since time.Time, limit int) ([]notice.Delivery, error) {
	rows, err := b.Store.Due(ctx, channel, now, since, limit)
	if len(rows) > 0 { // what is asked in vain is no step: it would be told apart by nothing
		err = b.step()
	}
	return rows, err
}

func (b *brittle) Listeners(ctx context.Context, after string, by time.Time, limit int) ([]notice.Subscriber, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	return b.Store.Listeners(ctx, after, by, limit)
}

func (b *brittle) Events(ctx context.Context, ids []string) ([]notice.Event, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	return b.Store.Events(ctx, ids)
}

func (b *brittle) SubscribersByID(ctx context.Context, ids []string) ([]notice.Subscriber, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	return b.Store.SubscribersByID(ctx, ids)
}

func (b *brittle) ThreadMarks(ctx context.Context, lanes []int64, alerts []string) ([]notice.Delivery, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	return b.Store.ThreadMarks(ctx, lanes, alerts)
}

// receiver remembers what it was sent, by the id it came under.
type receiver struct {
	mu  sync.Mutex
	ids map[string]map[string]int // event and recipient → id → times
}

func (r *receiver) take(m notice.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range append([]notice.Event{m.Event}, m.Also...) {
		who := e.ID + " " + m.To.Ref + " " + m.Delivery.Channel
		if r.ids[who] == nil {
			r.ids[who] = map[string]int{}
		}
		r.ids[who][m.Delivery.ID]++
	}
}

// TestCrashAtEveryStep plays one story again and again, broken at every step that
// it has, and lets another process finish it.
func TestCrashAtEveryStep(t *testing.T) {
	for _, forGood := range []bool{false, true} {
		name := map[bool]string{false: "one call fails", true: "the process is gone"}[forGood]
		t.Run(name, func(t *testing.T) {
			total := crashStory(t, 0, forGood)
			if total < 40 {
				t.Fatalf("the story has %d steps only", total)
			}
			every := 1
			if testing.Short() {
				every = 13
			}
			for n := 1; n <= total; n += every {
				t.Run(fmt.Sprint(n), func(t *testing.T) { crashStory(t, n, forGood) })
			}
			t.Logf("%d steps", total)
		})
	}
}

// crashStory plays the story, broken at a step (0: at none), and gives how many
// steps it had.
func crashStory(t *testing.T, breaks int, forGood bool) (steps int) {
	synctest.Test(t, func(t *testing.T) {
		b := &brittle{Store: noticetest.New(), breaks: breaks, forGood: forGood}
		got := &receiver{ids: map[string]map[string]int{}}
		setup := oneRoute("chat", "pager", "hook")
		setup.Channels[2].Kind, setup.Webhook = "webhook", "hook"
		setup.Channels[1].Fallback = "chat"
		setup.Routes = []notice.Route{
			{ID: "ops", To: []notice.Target{{Channel: "chat"}}, Continue: true, Group: 2 * time.Second},
			{ID: "page", Kinds: []string{"component"}, To: []notice.Target{{Channel: "pager"}}, Remind: time.Minute, Escalate: []notice.Step{{After: 30 * time.Second, To: []notice.Target{{Channel: "hook"}}}}},
		}
		// live runs the story's process until it has nothing left to do.
		live := func(store interface {
			journal.Work
			notice.Store
		}, step func() error) {
			desk := notice.NewDesk(notice.DeskDeps{Work: store, Store: store, People: noticetest.Staff("ada"), Signer: noticetest.Key("k"),
				Log: slog.New(slog.DiscardHandler), Now: time.Now})
			desk.Setup(setup)
			channel := func(id string) (notice.Channel, bool) {
				return noticetest.Channel(func(_ context.Context, m notice.Message) (notice.Receipt, error) {
					if err := step(); err != nil {
						return notice.Receipt{}, err // nothing went out
					}
					if id == "pager" {
						return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "no"}
					}
					got.take(m)
					if err := step(); err != nil {
						return notice.Receipt{}, err // it went out, and nobody knows
					}
					return notice.Receipt{Mark: "m", ExactOnce: true}, nil
				}), true
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			holder := journal.NewHolder()
			go func() {
				done <- journal.Hold(ctx, b.Store, "notices", holder, slog.New(slog.DiscardHandler), notice.NewSender(notice.SenderDeps{Desk: desk, Channels: channel}).Run)
			}()
			// The follower plans an entry again until that went well, and only then
			// the next.
			for _, e := range []notice.Event{update(1, "a"), alarm(2, notice.AlarmFire), update(3, "a"), update(4, "b"), alarm(5, notice.AlarmClear)} {
				e.At = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
				for tries := 0; ; tries++ {
					err := store.Do(ctx, access.Hub, func(tx journal.Tx) error { return desk.Plan(ctx, tx, e) })
					if err == nil {
						break
					}
					if forGood && tries > 3 {
						break
					}
				}
				<-time.After(31 * time.Second / 2)
			}
			<-time.After(2 * time.Minute)
			cancel()
			if err := <-done; err != nil {
				t.Errorf("sender: %v", err)
			}
		}
		// Two subscribers were there before.
		if err := b.Store.Do(context.Background(), access.Hub, func(tx journal.Tx) error {
			now := time.Now().UTC()
			_, err := b.Store.AddSubscribers(context.Background(), tx, []notice.Subscriber{
				{ID: "s1", Mode: notice.ByWebhook, Address: "https://one.example.org/", State: notice.Active, MinImpact: "none", CreatedAt: now, ConfirmedAt: now, ChangedAt: now},
				{ID: "s2", Mode: notice.ByWebhook, Address: "https://two.example.org/", State: notice.Active, MinImpact: "none", CreatedAt: now, ConfirmedAt: now, ChangedAt: now},
			})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		live(b, b.step)
		steps = b.steps
		if forGood && breaks > 0 {
			<-time.After(2 * time.Minute) // its lease and its claims run out
			live(b.Store, func() error { return nil })
		}

		rows, err := b.Store.Deliveries(context.Background(), notice.Query{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		events := map[string]int{}
		for _, d := range rows {
			if !d.State.Final() {
				t.Errorf("left %+v", d)
			}
			events[d.Event]++
			if d.State != notice.Sent {
				continue
			}
			id := d.ID
			if d.Bundle != "" {
				id = d.Bundle
			}
			if ids := got.ids[d.Event+" "+d.Recipient+" "+d.Channel]; len(ids) != 1 || ids[id] == 0 {
				t.Errorf("%s for %s through %s came as %v, want once as %s", d.Event, d.Recipient, d.Channel, ids, id)
			}
		}
		for event, want := range map[string]int{"update-1": 3, "alarm-2": 2, "update-3": 3, "update-4": 3} {
			if n := events[event]; n != want && !(event == "alarm-2" && n == 3) { // and its fallback, unless chat was told already
				t.Errorf("%s has %d rows, want %d", event, n, want)
			}
		}
		if events["alarm-5"] < 2 {
			t.Errorf("the end of the alarm has %d rows", events["alarm-5"])
		}
		for who := range got.ids {
			found := false
			for _, d := range rows {
				found = found || who == d.Event+" "+d.Recipient+" "+d.Channel
			}
			if !found {
				t.Errorf("%s was sent, and there is no row of it", who)
			}
		}
		if alerts, err := b.Store.NoticeAlerts(context.Background(), notice.AlertQuery{Limit: 10}); err != nil || len(alerts) != 1 || alerts[0].State != notice.Over {
			t.Errorf("got %+v, %v", alerts, err)
		}
		if err := journal.Verify(context.Background(), b.Store); err != nil {
			t.Error(err)
		}
	})
	return steps
}
