package store_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/store"
	"evenkeel/internal/store/storetest"
	"evenkeel/internal/testkit"
)

// The environment by which the kill test calls itself as the hub that is killed.
const (
	killDir    = "STORE_TEST_KILL_DIR"
	killURL    = "STORE_TEST_KILL_URL"
	killTarget = "STORE_TEST_KILL_TARGET" // where notices go
	killMore   = "STORE_TEST_KILL_MORE"   // "1": things go on happening
)

// killPeople is how many subscribers there are; killSubjects how many incidents
// go on at the same time.
const (
	killPeople   = 12
	killSubjects = 25
)

// killPatience is how long one hub may live, the last one too.
const killPatience = 3 * time.Minute

// killMessage is what the receiver gets.
type killMessage struct {
	ID        string   `json:"id"`
	Event     string   `json:"event"`
	Also      []string `json:"also"` // further events of the same message
	Recipient string   `json:"recipient"`
	Subject   string   `json:"subject"`
	Seq       int64    `json:"seq"`
}

// TestKilledHub is the process that TestKillLosesNoNotice kills: things happen
// in it, a follower of the journal plans their notices, a Sender sends them.
func TestKilledHub(t *testing.T) {
	target := os.Getenv(killTarget)
	if target == "" {
		return // not called by the kill test
	}
	s := openWith(t, store.Options{DataDir: os.Getenv(killDir), URL: os.Getenv(killURL)})
	p := newPost(t, s)
	client := &http.Client{Timeout: 5 * time.Second}
	send := channelFunc(func(ctx context.Context, m notice.Message) (notice.Receipt, error) {
		k := killMessage{ID: m.Delivery.ID, Event: m.Event.ID, Recipient: m.To.Ref + " " + m.Delivery.Channel, Subject: m.Event.Subject.ID, Seq: m.Event.Seq}
		for _, e := range m.Also {
			k.Also = append(k.Also, e.ID)
		}
		body, err := json.Marshal(k)
		if err != nil {
			return notice.Receipt{}, err
		}
		resp, err := client.Post(target, "application/json", bytes.NewReader(body))
		if err != nil {
			return notice.Receipt{}, err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return notice.Receipt{}, &notice.Refusal{Reason: resp.Status}
		}
		return notice.Receipt{Mark: m.Delivery.ID, ExactOnce: true}, nil
	})
	for _, id := range []string{"hook", "ops", "calm"} {
		p.channel(id, send)
	}
	p.desk.Setup(notice.Setup{Webhook: "hook",
		Channels: []notice.ChannelSpec{{ID: "hook", Kind: "webhook"}, {ID: "ops", Kind: "slack", Parallel: 2}, {ID: "calm", Kind: "slack", Parallel: 2}},
		Routes: []notice.Route{
			{ID: "ops", To: []notice.Target{{Channel: "ops"}}, Continue: true},
			{ID: "calm", To: []notice.Target{{Channel: "calm"}}, Group: 50 * time.Millisecond},
		}})
	bell, holder, ctx := &journal.LocalBell{}, journal.NewHolder(), t.Context()
	notifier := &journal.Singleton{Name: "notifier", Holder: holder, Reader: s, Cursors: s, Leases: s, Work: s, Bell: bell, Log: quiet(),
		Handle: func(ctx context.Context, tx journal.Tx, entries []journal.Sealed) error {
			for _, entry := range entries {
				if entry.Verb != "test.happened" {
					continue
				}
				e := happening(entry.Seq, entry.Payload["subject"])
				e.ID = entry.ID
				if err := p.desk.Plan(ctx, tx, e); err != nil {
					return err
				}
			}
			return nil
		}}
	go func() { _ = journal.NewSealer(s, s, holder, bell, quiet()).Run(ctx) }()
	go func() { _ = notifier.Run(ctx) }()
	p.start()
	for n := 0; os.Getenv(killMore) == "1"; n++ {
		e := storetest.Entry(n)
		e.ID = journal.NewID()
		e.Payload["subject"] = strconv.Itoa(n % killSubjects)
		if err := s.Do(ctx, access.Hub, func(tx journal.Tx) error { return tx.Append(e) }); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acknowledged", e.ID)
		<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond)
	}
	fmt.Println("standing")
	// The last one works until nothing is left to do: the follower has caught up,
	// nobody waits to be planned for, nothing waits to be sent.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for idle := false; !idle; <-tick.C {
		head, _, err := s.Head(ctx)
		if err != nil || notifier.Position() < head {
			continue
		}
		_, fanning, err := s.NextFan(ctx)
		queues, err2 := s.Queues(ctx)
		idle = err == nil && err2 == nil && !fanning && len(queues) == 0
	}
	fmt.Println("done")
}

// killReceiver remembers everything that it was ever sent, and is no easy one:
// now and then it fails, is slow, or hangs up after it has taken a message.
type killReceiver struct {
	mu    sync.Mutex
	ids   map[string]map[string]bool // event and recipient → ids it came under
	times int
	first map[string][]int64 // recipient and subject → journal positions in the order they came first
}

func (k *killReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m killMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return // the sender died in the middle of it
	}
	mood := rand.IntN(100)
	if mood < 3 {
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	k.mu.Lock()
	k.times++
	for _, event := range append([]string{m.Event}, m.Also...) {
		who := event + " " + m.Recipient
		if k.ids[who] == nil {
			k.ids[who] = map[string]bool{}
			lane := m.Recipient + " " + m.Subject
			if event == m.Event {
				k.first[lane] = append(k.first[lane], m.Seq)
			}
		}
		k.ids[who][m.ID] = true
	}
	k.mu.Unlock()
	switch {
	case mood < 10:
		<-time.After(time.Duration(rand.IntN(50)) * time.Millisecond)
	case mood < 13:
		panic(http.ErrAbortHandler) // taken, and not a word of it
	}
}

// killRound runs a hub until it is killed after d, or has done its work when d is
// zero, and gives the ids of the entries it acknowledged.
func killRound(t *testing.T, d time.Duration, env ...string) (acknowledged []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledHub$", "-test.v=false")
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(killPatience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	finished := false
	var other []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var id string
		switch line := lines.Text(); {
		case line == "done":
			finished = true
		case line == "standing":
		default:
			if _, err := fmt.Sscanf(line, "acknowledged %s", &id); err != nil {
				other = append(other, line)
				continue
			}
			if acknowledged = append(acknowledged, id); len(acknowledged) == 1 {
				time.AfterFunc(d, func() { _ = cmd.Process.Kill() })
			}
		}
	}
	_ = cmd.Wait() // most are killed
	if d == 0 && !finished {
		t.Errorf("the last hub did not finish: %q", other)
	}
	if d > 0 && len(acknowledged) == 0 {
		t.Fatalf("the hub ended before anything happened: %q", other)
	}
	return acknowledged
}

// killRounds is how many hubs are killed.
func killRounds(most int) int {
	switch {
	case os.Getenv("LONG") == "1":
		return 12 * most
	case testing.Short():
		return 3
	}
	return most
}

// Promise 1 of the design: kill -9 at any instant loses no notice, and doubles
// none for a receiver that knows the id of a delivery.
func TestKillLosesNoNotice(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		killMany(t, killRounds(25), store.Options{DataDir: dir}, func() {})
	})
	t.Run("postgresql", func(t *testing.T) {
		t.Parallel()
		url := testkit.Postgres(t)
		db := raw(t, "pgx", url)
		killMany(t, killRounds(8), store.Options{URL: url}, func() {
			// What a minute without the dead hub would bring: its leases and its
			// claims run out.
			for _, statement := range []string{`update leases set until = 0`, `update deliveries set next_at = 0 where state = 'sending'`} {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
}

func killMany(t *testing.T, rounds int, o store.Options, between func()) {
	receiver := &killReceiver{ids: map[string]map[string]bool{}, first: map[string][]int64{}}
	server := httptest.NewServer(receiver)
	defer server.Close()

	s := openWith(t, o)
	newPost(t, s).listeners(killPeople, "https://example.org/hook")
	closeStore(t, s)

	env := []string{killDir + "=" + o.DataDir, killURL + "=" + o.URL, killTarget + "=" + server.URL}
	var acknowledged []string
	for range rounds {
		acknowledged = append(acknowledged, killRound(t, time.Millisecond+rand.N(300*time.Millisecond), append(env, killMore+"=1")...)...)
		between()
	}
	killRound(t, 0, env...)

	p := newPost(t, openWith(t, o))
	rows := p.rows()
	known := map[string]int{}
	for _, d := range rows {
		if d.State != notice.Sent {
			t.Errorf("a delivery is left %s: %+v", d.State, d)
		}
		known[d.Event]++
	}
	for _, id := range acknowledged {
		if n := known[id]; n != killPeople+2 {
			t.Errorf("event %s has %d deliveries, want %d", id, n, killPeople+2)
		}
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	for _, d := range rows {
		ids := receiver.ids[d.Event+" "+d.Recipient+" "+d.Channel]
		want := d.ID
		if d.Bundle != "" {
			want = d.Bundle
		}
		if len(ids) != 1 || !ids[want] {
			t.Errorf("%s was received by %s as %v, want once, as %s", d.Event, d.Recipient, ids, want)
		}
	}
	if len(receiver.ids) != len(rows) {
		t.Errorf("%d notices were received, %d deliveries are known", len(receiver.ids), len(rows))
	}
	for lane, seqs := range receiver.first {
		if !slices.IsSorted(seqs) {
			t.Errorf("%s heard in the order %v", lane, seqs)
		}
	}
	storetest.All(t, p.store) // the chain holds
	t.Logf("%d hubs killed, %d things happened, %d notices, %d posts", rounds, len(acknowledged), len(rows), receiver.times)
}
