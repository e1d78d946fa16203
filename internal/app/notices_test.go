package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify"
	"evenkeel/internal/notify/notifytest"
	"evenkeel/internal/problem"
)

// tellers is notices with a directory of people and components to look up in.
type tellers struct {
	*notices
	people map[string]string
	setups []notice.Setup
}

func newTellers(t *testing.T) *tellers {
	t.Helper()
	x := &tellers{people: map[string]string{"ann@example.org": "p-ann", "ben@example.org": "p-ben"}}
	x.notices = newNotices(noticesDeps{
		Channels: notify.NewHouse(notify.Env{}), Log: slog.New(slog.DiscardHandler),
		Person: func(_ context.Context, email string) (string, error) {
			if id, ok := x.people[email]; ok {
				return id, nil
			}
			return "", problem.NotFound("no")
		},
		Key:   func(id string) (string, bool) { return "key-" + id, id != "new" },
		Setup: func(s notice.Setup) { x.setups = append(x.setups, s) },
	})
	t.Cleanup(func() { _ = x.close(context.Background()) })
	return x
}

// file reads a configuration with all checks.
func (x *tellers) file(t *testing.T, src string) config.File {
	t.Helper()
	f, err := LoadConfig(write(t, "page: {name: Example, url: \"https://status.example.org\", time_zone: Europe/Berlin}\ncomponents: [{id: web}, {id: new}]\n"+src), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const wholeNotices = `
smtp: {url: "smtp://127.0.0.1:25", from: status@example.org, per_second: 20}
channels:
  - {id: chat, kind: slack, url: "https://hooks.slack.com/services/x", fallback: pager}
  - {id: pager, kind: pagerduty, token: key}
routes:
  - id: day
    when: {components: [web, new], kinds: [component], at_least: major, hours: {days: [mon, fri], from: "09:00", to: "17:30"}}
    to: [chat, "oncall:desk", "person:Ann@example.org", "person:gone@example.org"]
    continue: true
    group: 30s
    remind: 15m
    escalate: [{after: 10m, to: [pager, "oncall:desk"]}]
oncall:
  - {id: desk, name: Desk, start: 2026-11-23T09:00, turn: 1d, people: [ann@example.org, new@example.org, ben@example.org], channel: pager}
deadman: {url: "http://127.0.0.1:9/beat", every: 30s}
`

// TestNoticesSetup: the file's words become the wing's, and names what the record
// knows people and components by.
func TestNoticesSetup(t *testing.T) {
	x := newTellers(t)
	if err := x.apply(t.Context(), x.file(t, wholeNotices)); err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	want := notice.Setup{
		Mail: "smtp", Webhook: "subscribers-webhook", Chat: "subscribers-slack",
		Place:   notice.Place{Page: "https://status.example.org", Hub: "https://status.example.org", PageName: "Example"},
		Deadman: []notice.Pulse{{ID: "deadman", Channel: "deadman", Every: 30 * time.Second}},
		Channels: []notice.ChannelSpec{
			{ID: "smtp", Kind: "mail", PerSecond: 20, Parallel: 4}, {ID: "subscribers-webhook", Kind: "statuspage"}, {ID: "subscribers-slack", Kind: "slack"},
			{ID: "chat", Kind: "slack", Fallback: "pager", PerSecond: 1}, {ID: "pager", Kind: "pagerduty"},
		},
		Routes: []notice.Route{{
			ID: "day", Components: []string{"key-web", "new"}, Kinds: []string{"component"}, AtLeast: notice.SeverityMajor,
			Hours: &notice.Hours{Zone: "Europe/Berlin", Days: []time.Weekday{time.Monday, time.Friday}, From: 9 * time.Hour, To: 17*time.Hour + 30*time.Minute},
			To:    []notice.Target{{Channel: "chat"}, {Rotation: "desk"}, {Person: "p-ann"}, {Person: "absent-day-4"}}, Continue: true,
			Group: 30 * time.Second, Remind: 15 * time.Minute, Escalate: []notice.Step{{After: 10 * time.Minute, To: []notice.Target{{Channel: "pager"}, {Rotation: "desk"}}}},
		}},
		Rotations: []notice.Rotation{{
			ID: "desk", Name: "Desk", Zone: "Europe/Berlin", Start: time.Date(2026, 11, 23, 9, 0, 0, 0, berlin), Turn: 24 * time.Hour,
			People: []string{"p-ann", "absent-desk-2", "p-ben"}, Channel: "pager",
		}},
	}
	if diff := cmp.Diff([]notice.Setup{want}, x.setups); diff != "" {
		t.Errorf("setup (-want +got):\n%s", diff)
	}
	for _, c := range want.Channels {
		if _, ok := x.Channel(c.ID); !ok {
			t.Errorf("%s is not open", c.ID)
		}
	}
	if _, ok := x.Channel("deadman"); !ok {
		t.Error("the heartbeat out is not open")
	}
}

// TestNoticesFollowPeople: an account that is made later takes its place, and
// nothing is told while nothing changed.
func TestNoticesFollowPeople(t *testing.T) {
	x := newTellers(t)
	if err := x.apply(t.Context(), x.file(t, wholeNotices)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := x.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	x.people["new@example.org"] = "p-new"
	if err := x.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(x.setups) != 2 || x.setups[1].Rotations[0].People[1] != "p-new" {
		t.Errorf("%d setups", len(x.setups))
	}
}

// TestNoticesBadReloadChangesNothing: a channel that cannot be opened
// leaves all as they were.
func TestNoticesBadReloadChangesNothing(t *testing.T) {
	x := newTellers(t)
	if err := x.apply(t.Context(), x.file(t, wholeNotices)); err != nil {
		t.Fatal(err)
	}
	chat, _ := x.Channel("chat")
	bad := x.file(t, "channels: [{id: other, kind: outbox}]\n")
	bad.Channels = append(bad.Channels, config.Channel{ID: "broken", Kind: "webhook", URL: config.Secret{File: filepath.Join(t.TempDir(), "gone")}})
	if err := x.apply(t.Context(), bad); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("%v", err)
	}
	if now, ok := x.Channel("chat"); !ok || now != chat || len(x.setups) != 1 {
		t.Error("a bad file changed something")
	}
	if err := x.apply(t.Context(), x.file(t, "channels: [{id: other, kind: outbox}]\n")); err != nil {
		t.Fatal(err)
	}
	if _, ok := x.Channel("chat"); ok {
		t.Error("a channel that is no longer in the file is open")
	}
	if _, err := chat.Send(t.Context(), notice.Message{}); err == nil {
		t.Error("a channel that was replaced sends")
	}
}

// TestNoticesReloadLetsSendsFinish: what is under way when a channel is replaced
// comes to its end.
func TestNoticesReloadLetsSendsFinish(t *testing.T) {
	x := newTellers(t)
	server := notifytest.NewMailServer(t, notifytest.MailOptions{})
	src := `smtp: {url: "smtp://` + server.Addr + `", from: status@example.org}` + "\n"
	if err := x.apply(t.Context(), x.file(t, src)); err != nil {
		t.Fatal(err)
	}
	const sends, reloads = 20, 10
	var all sync.WaitGroup
	refused := make(chan error, sends)
	for range sends {
		all.Go(func() {
			for {
				ch, ok := x.Channel("smtp")
				if !ok {
					refused <- problem.Internal(nil, "no channel")
					return
				}
				m := notice.Message{
					Delivery: notice.Delivery{ID: journal.NewID()}, To: notice.Recipient{Ref: "subscriber/01", Address: "ann@example.org"},
					Event: notice.Event{Kind: "incident.opened", Content: notice.Content{Title: "x", Status: "investigating"}},
				}
				if _, err := ch.Send(t.Context(), m); err == nil {
					return
				} else if err.Error() != errReplaced().Error() {
					refused <- err
					return
				}
			}
		})
	}
	for range reloads {
		if err := x.apply(t.Context(), x.file(t, src)); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	close(refused)
	for err := range refused {
		t.Error(err)
	}
	if n := len(server.Mails()); n != sends {
		t.Errorf("%d mails, want %d", n, sends)
	}
}

// TestChannelProblemsAreToldWithTheFile: what only the channels' room knows is
// among the problems of a file, with its line.
func TestChannelProblemsAreToldWithTheFile(t *testing.T) {
	_, err := LoadConfig(write(t, `page: {name: x, url: "https://status.example.org"}
components: [{id: web}]
smtp: {url: "smtp://hub@mail.example.org", from: a@example.org}
channels:
  - {id: a, kind: slack}
  - {id: b, kind: shoutrrr, url: "nosuch://x"}
  - {id: c, kind: webhook, url: "ftp://x"}
`), nil)
	got := map[string]int{}
	for _, p := range problemsOf(t, err) {
		got[p.Path] = p.Line
	}
	want := map[string]int{"smtp.password": 3, "channels[0].token": 5, "channels[0].to": 5, "channels[1].url": 6, "channels[2].url": 7}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s\n%v", diff, err)
	}
}

// problemsOf gives the problems of a file that was refused.
func problemsOf(t *testing.T, err error) config.Problems {
	t.Helper()
	problems, ok := err.(config.Problems)
	if !ok {
		t.Fatalf("got %v, want problems", err)
	}
	return problems
}
