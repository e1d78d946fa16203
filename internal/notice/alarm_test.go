package notice_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// duty is a setup with an escalation: the channel first, then Ada, then Bob.
func duty() notice.Setup {
	return notice.Setup{
		Channels: []notice.ChannelSpec{{ID: "chat", Kind: "slack"}, {ID: "mail", Kind: "mail"}}, Mail: "mail",
		Routes: []notice.Route{{ID: "ops", AtLeast: notice.SeverityMinor, To: []notice.Target{{Channel: "chat"}}, Remind: 10 * time.Minute,
			Escalate: []notice.Step{{After: 5 * time.Minute, To: []notice.Target{{Person: "ada"}}}, {After: 15 * time.Minute, To: []notice.Target{{Person: "bob"}}}}}},
	}
}

// minutes gives when messages of a kind were taken, in whole minutes.
func (c *channel) minutes(kind string) (out []int) {
	for _, s := range c.attempts() {
		if s.Event.Kind == kind {
			out = append(out, int(s.at.Minutes()))
		}
	}
	return out
}

func TestRemindersDoubleUpToEightTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := duty()
		s.Routes[0].Escalate = nil
		h := build(t, s)
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(6 * time.Hour)
		if got := h.channels["chat"].minutes("alert.reminder"); !slices.Equal(got, []int{10, 30, 70, 150, 230, 310}) {
			t.Errorf("reminded after %v minutes", got)
		}
		for i, m := range h.channels["chat"].attempts()[1:] {
			if m.Event.Content.Facts["reminder"] != fmt.Sprint(i+1) || m.Event.Content.Facts["why"] != "3 of 3" || m.Acknowledge == "" || m.Thread != "mark-1" {
				t.Errorf("reminder %d: %+v, thread %q", i+1, m.Event.Content.Facts, m.Thread)
			}
		}
		if a := h.alert(); a.State != notice.Firing || a.Reminders != 6 {
			t.Errorf("got %+v", a)
		}
	})
}

// S1-21: somebody is alerted around the clock; S3-16: a notification that asks to
// be acknowledged.
func TestEscalationClimbsUntilAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(12 * time.Minute)
		a := h.alert()
		if a.Step != 1 || !slices.Equal(h.channels["mail"].minutes("alert.escalated"), []int{5}) {
			t.Fatalf("got %+v, %v", a, h.channels["mail"].kinds())
		}
		// The reminder goes to those who know, Ada now too.
		if !slices.Equal(h.channels["chat"].minutes("alert.reminder"), []int{10}) || !slices.Equal(h.channels["mail"].minutes("alert.reminder"), []int{10}) {
			t.Fatalf("reminded %v and %v", h.channels["chat"].minutes("alert.reminder"), h.channels["mail"].minutes("alert.reminder"))
		}
		_, err := h.desk.Acknowledge(context.Background(), access.Actor{ID: "eve", Role: access.RoleViewer}, a.ID)
		wantKind(t, err, problem.KindForbidden)
		bob := access.Actor{ID: "bob", Role: access.RoleOperator}
		for range 2 { // twice is fine
			if got, err := h.desk.Acknowledge(context.Background(), bob, a.ID); err != nil || got.State != notice.Acknowledged || got.AckedBy != "bob" {
				t.Fatal(got, err)
			}
		}
		h.rest(3 * time.Hour)
		if a := h.alert(); a.State != notice.Acknowledged || a.Step != 1 || !a.NextAt.IsZero() {
			t.Errorf("got %+v", a)
		}
		if got := h.channels["mail"].kinds(); !slices.Equal(got, []string{"alert.escalated", "alert.reminder", "alert.acknowledged"}) {
			t.Errorf("Ada heard %v", got)
		}
		chat := h.channels["chat"].attempts()
		if last := chat[len(chat)-1]; last.Event.Kind != "alert.acknowledged" || last.By != "BOB" || last.Event.Content.Facts["by"] != "bob" {
			t.Errorf("chat heard last %+v", last.Event)
		}
		h.plan(alarm(2, notice.AlarmClear))
		h.rest(time.Second)
		if got := h.verbs("alert"); !slices.Equal(got, []string{"alert.opened", "alert.escalated", "alert.acknowledged", "alert.over"}) {
			t.Errorf("journal: %v", got)
		}
		// Bob was never told that it began, so he need not hear that it is over.
		for _, m := range h.channels["mail"].attempts() {
			if m.To.Ref == "person/bob" {
				t.Errorf("Bob heard %s", m.Event.Kind)
			}
		}
		if got := h.channels["mail"].kinds(); got[len(got)-1] != "component.recovered" {
			t.Errorf("Ada heard %v", got)
		}
		_, err = h.desk.Acknowledge(context.Background(), bob, a.ID)
		wantKind(t, err, problem.KindConflict)
	})
}

func TestHubThatWasAwayRemindsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(time.Second)
		h.stop()
		h.rest(24 * time.Hour)
		h.start()
		h.rest(time.Minute)
		if got := h.channels["chat"].minutes("alert.reminder"); len(got) != 1 {
			t.Errorf("reminded after %v minutes", got)
		}
		if got := h.channels["mail"].kinds(); !slices.Equal(got, []string{"alert.escalated", "alert.escalated"}) {
			t.Errorf("Ada and Bob heard %v", got)
		}
		if a := h.alert(); a.Step != 2 || !a.NextAt.After(time.Now()) {
			t.Errorf("got %+v", a)
		}
	})
}

func TestReminderThatIsLateIsNotSentAfterTheAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := duty()
		s.Routes[0].Escalate = nil
		h := build(t, s)
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(time.Minute)
		h.channels["chat"].fails(&notice.Refusal{Reason: "not now", Theirs: true})
		h.rest(10 * time.Minute)
		if _, err := h.desk.Acknowledge(context.Background(), operator, h.alert().ID); err != nil {
			t.Fatal(err)
		}
		h.channels["chat"].fails(nil)
		h.rest(10 * time.Minute)
		if got := h.channels["chat"].kinds(); !slices.Equal(got, []string{"component.down", "alert.acknowledged"}) {
			t.Errorf("heard %v", got)
		}
		var suppressed []string
		for _, d := range h.rows() {
			if d.State == notice.Suppressed {
				suppressed = append(suppressed, d.Kind+": "+d.Reason)
			}
		}
		if !slices.Equal(suppressed, []string{"alert.reminder: it was acknowledged before this could be sent"}) {
			t.Errorf("suppressed: %v", suppressed)
		}
	})
}

func TestSilencedAlertIsQuietAndWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(time.Minute)
		ctx, a := context.Background(), h.alert()
		for name, until := range map[string]time.Time{"past": time.Now(), "far": time.Now().Add(31 * 24 * time.Hour)} {
			_, err := h.desk.Silence(ctx, operator, a.ID, until, "")
			if problem.KindOf(err) != problem.KindInvalid {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if got, err := h.desk.Silence(ctx, operator, a.ID, time.Now().Add(2*time.Hour), "we know"); err != nil || got.State != notice.Silenced || got.Reason != "we know" {
			t.Fatal(got, err)
		}
		h.plan(alarm(2, notice.AlarmFire)) // it is told again meanwhile
		h.rest(time.Hour)
		if got := h.channels["chat"].kinds(); !slices.Equal(got, []string{"component.down"}) {
			t.Fatalf("heard %v in silence", got)
		}
		if d := h.row("alarm-2", "chat"); d.State != notice.Suppressed || !strings.HasPrefix(d.Reason, "silenced until 1 Jan 02:01 UTC") {
			t.Errorf("got %+v", d)
		}
		h.rest(65 * time.Minute)
		if got := h.alert(); got.State != notice.Firing {
			t.Fatalf("got %+v", got)
		}
		if got := h.channels["chat"].minutes("alert.reminder"); !slices.Equal(got, []int{121}) {
			t.Errorf("woken after %v minutes", got)
		}
		h.rest(time.Hour)
		if got := h.alert(); got.Step != 2 {
			t.Errorf("it does not escalate after it woke: %+v", got)
		}
		// Awake again by hand.
		if _, err := h.desk.Silence(ctx, operator, a.ID, time.Now().Add(2*time.Hour), ""); err != nil {
			t.Fatal(err)
		}
		if got, err := h.desk.Wake(ctx, operator, a.ID); err != nil || got.State != notice.Firing {
			t.Fatal(got, err)
		}
		_, err := h.desk.Wake(ctx, operator, a.ID)
		wantKind(t, err, problem.KindConflict)
		if got, err := h.desk.End(ctx, operator, a.ID); err != nil || got.State != notice.Over {
			t.Fatal(got, err)
		}
	})
}

func TestSuppressedAlertTellsWhyAndIsRaisedWhenItsParentIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		e := alarm(1, notice.AlarmFire)
		e.Suppress = "Network, which it needs, is down"
		h.plan(e)
		h.rest(time.Hour)
		if d := h.row("alarm-1", "chat"); d.State != notice.Suppressed || d.Reason != e.Suppress || d.Attempts != 0 {
			t.Errorf("got %+v", d)
		}
		if a := h.alert(); a.State != notice.Smothered || a.Reason != e.Suppress {
			t.Errorf("got %+v", a)
		}
		h.plan(alarm(2, notice.AlarmFire))
		h.rest(6 * time.Minute)
		if got := h.channels["chat"].kinds(); !slices.Equal(got, []string{"component.down"}) {
			t.Errorf("heard %v", got)
		}
		if got := h.channels["mail"].kinds(); !slices.Equal(got, []string{"alert.escalated"}) {
			t.Errorf("Ada heard %v", got)
		}
		// Suppression takes nothing back from those who know.
		again := alarm(3, notice.AlarmFire)
		again.Suppress = "Network, which it needs, is down"
		h.plan(again, alarm(4, notice.AlarmClear))
		h.rest(time.Minute)
		if got := h.channels["chat"].kinds(); !slices.Equal(got, []string{"component.down", "component.down", "component.recovered"}) {
			t.Errorf("heard %v", got)
		}
		if got := h.verbs("alert"); !slices.Equal(got, []string{"alert.suppressed", "alert.opened", "alert.escalated", "alert.over"}) {
			t.Errorf("journal: %v", got)
		}
	})
}

func TestNobodyHearsTheEndOfWhatTheyNeverHeardOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		e := alarm(1, notice.AlarmFire)
		e.Suppress = "Network, which it needs, is down"
		h.plan(e, alarm(2, notice.AlarmClear))
		h.rest(time.Minute)
		if n := len(h.channels["chat"].attempts()); n != 0 {
			t.Errorf("%d messages", n)
		}
		// The recovery is of too little weight for the route: nothing to say of it.
		if a := h.alert(); a.State != notice.Over {
			t.Errorf("got %+v", a)
		}
	})
}

func TestWorseAlertFiresAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		minor := alarm(1, notice.AlarmFire)
		minor.Severity = notice.SeverityMinor
		h.plan(minor)
		h.rest(time.Minute)
		if _, err := h.desk.Acknowledge(context.Background(), operator, h.alert().ID); err != nil {
			t.Fatal(err)
		}
		same := alarm(2, notice.AlarmFire)
		same.Severity = notice.SeverityMinor
		h.plan(same)
		h.rest(time.Minute)
		if a := h.alert(); a.State != notice.Acknowledged {
			t.Fatalf("got %+v", a)
		}
		h.plan(alarm(3, notice.AlarmFire))
		h.rest(6 * time.Minute)
		if a := h.alert(); a.State != notice.Firing || a.Step != 1 || a.AckedBy != "" {
			t.Fatalf("got %+v", a)
		}
	})
}

func TestNobodyOnCallIsNoReasonToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := duty()
		s.Rotations = []notice.Rotation{{ID: "night", Zone: "UTC", Start: time.Date(1999, 12, 1, 0, 0, 0, 0, time.UTC), Turn: 24 * time.Hour, People: []string{"cyd"},
			Hours: &notice.Hours{Zone: "UTC", From: 20 * time.Hour, To: 6 * time.Hour, Outside: true}}} // 2000-01-01 00:00 lies outside
		s.Routes[0].To = []notice.Target{{Rotation: "night"}}
		h := build(t, s)
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(time.Second)
		if a := h.alert(); a.Step != 1 {
			t.Errorf("got %+v", a)
		}
		rows := h.rows()
		if len(rows) != 2 || rows[0].Recipient != "rotation/night" || rows[0].State != notice.Suppressed || rows[0].Reason != "nobody is on call" ||
			rows[1].Recipient != "person/ada" || rows[1].State != notice.Sent {
			t.Errorf("got %+v", rows)
		}
	})
}

func TestAcknowledgeByTheLinkInTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(6 * time.Minute)
		ctx := context.Background()
		link := h.channels["mail"].attempts()[0].Acknowledge
		token, ok := strings.CutPrefix(link, "https://status.example.org"+notice.PathAcknowledge)
		if !ok {
			t.Fatalf("the link is %s", link)
		}
		for _, bad := range []string{"", token + "x", strings.Replace(token, ".", "..", 1), token[1:]} {
			_, err := h.desk.Acknowledging(ctx, bad)
			wantKind(t, err, problem.KindNotFound)
			_, err = h.desk.AcknowledgeLink(ctx, bad)
			wantKind(t, err, problem.KindNotFound)
		}
		if a, err := h.desk.Acknowledging(ctx, token); err != nil || a.State != notice.Firing {
			t.Fatalf("looking changed it: %+v, %v", a, err)
		}
		if a, err := h.desk.AcknowledgeLink(ctx, token); err != nil || a.State != notice.Acknowledged || a.AckedBy != "ada" {
			t.Fatalf("got %+v, %v", a, err)
		}
		if _, err := h.desk.AcknowledgeLink(ctx, token); err != nil {
			t.Fatalf("twice is fine, but: %v", err)
		}
		delete(h.people, "ada")
		_, err := h.desk.AcknowledgeLink(ctx, token)
		wantKind(t, err, problem.KindNotFound)
		// A subscriber's links say nothing about alerts.
		_, err = h.desk.Manage(ctx, token)
		wantKind(t, err, problem.KindNotFound)
	})
}

func TestDrillGoesTheWholeWayAndEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		ctx := context.Background()
		a, err := h.desk.Drill(ctx, operator, journal.Ref{Kind: "route", ID: "ops"})
		if err != nil {
			t.Fatal(err)
		}
		h.rest(20 * time.Minute)
		if got := h.channels["chat"].kinds(); !slices.Equal(got, []string{"drill.begun", "alert.reminder"}) {
			t.Errorf("heard %v", got)
		}
		if got := h.channels["mail"].minutes("alert.escalated"); !slices.Equal(got, []int{5, 15}) {
			t.Errorf("escalated after %v minutes", got)
		}
		h.rest(45 * time.Minute)
		if got, err := h.desk.Alert(ctx, operator, a.ID); err != nil || got.State != notice.Over {
			t.Errorf("got %+v, %v", got, err)
		}
		for _, m := range h.channels["chat"].attempts() {
			if m.Event.Subject.Kind != "drill" {
				t.Errorf("got %+v", m.Event)
			}
		}
		_, err = h.desk.Drill(ctx, operator, journal.Ref{Kind: "rotation", ID: "absent"})
		wantKind(t, err, problem.KindNotFound)
		_, err = h.desk.Drill(ctx, operator, journal.Ref{Kind: "person", ID: "ada"})
		wantKind(t, err, problem.KindInvalid)
	})
}

func TestAlertOfAComponentElsewhereIsNotYours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, duty())
		h.plan(alarm(1, notice.AlarmFire))
		h.rest(time.Second)
		narrow := access.Actor{ID: "bob", Grants: &access.Grants{List: []access.Grant{{Role: access.RoleOperator, Scope: access.Scope{Kind: "component", ID: "web"}}}}}
		_, err := h.desk.Acknowledge(context.Background(), narrow, h.alert().ID)
		wantKind(t, err, problem.KindForbidden)
		narrow.Grants.List[0].Scope = access.Scope{Kind: "group", ID: "edge"}
		_, err = h.desk.Acknowledge(context.Background(), narrow, h.alert().ID)
		wantKind(t, err, problem.KindForbidden)
		narrow.Grants.List[0].Scope.ID = "core"
		if _, err := h.desk.Silence(context.Background(), access.Actor{ID: "bob", Grants: narrow.Grants}, h.alert().ID, time.Now().Add(time.Hour), ""); err != nil {
			t.Error(err)
		}
		narrow.Grants.List[0].Scope = access.Scope{Kind: "component", ID: "db"}
		if _, err := h.desk.Acknowledge(context.Background(), narrow, h.alert().ID); err != nil {
			t.Error(err)
		}
	})
}

// What is for staff stays with staff, also when customers are told of the same.
func TestSubscribersHearNothingOfTheAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := duty()
		s.Channels, s.Webhook = append(s.Channels, notice.ChannelSpec{ID: "hook", Kind: "webhook"}), "hook"
		h := build(t, s)
		h.listen("https://example.org/hook")
		e := alarm(1, notice.AlarmFire)
		e.Audience, e.Content.Staff, e.Content.Console, e.Content.Runbook = notice.ToBoth, "host down", "/console/x", "https://example.org/run"
		h.plan(e)
		h.rest(12 * time.Minute)
		if _, err := h.desk.Acknowledge(context.Background(), operator, h.alert().ID); err != nil {
			t.Fatal(err)
		}
		end := alarm(2, notice.AlarmClear)
		end.Audience = notice.ToBoth
		h.plan(end)
		h.rest(time.Minute)
		if got := h.channels["hook"].kinds(); !slices.Equal(got, []string{"component.down", "component.recovered"}) {
			t.Errorf("a customer heard %v", got)
		}
		for _, m := range h.channels["hook"].attempts() {
			c := m.Event.Content
			if m.Acknowledge != "" || m.By != "" || m.Event.Alert != "" || c.Staff+c.Console+c.Runbook != "" || c.Title != "Database" || m.Delivery.Alert != "" {
				t.Errorf("a customer got %+v", m.Message)
			}
		}
		if m := h.channels["chat"].attempts()[0]; m.Event.Content.Staff != "host down" || m.Event.Content.Runbook == "" {
			t.Errorf("staff got %+v", m.Event.Content)
		}
	})
}

func TestRoutesAreTakenInOrder(t *testing.T) {
	e := update(1, "a")
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) // a Monday
	office := &notice.Hours{Zone: "UTC", Days: []time.Weekday{time.Monday}, From: 9 * time.Hour, To: 17 * time.Hour}
	for name, c := range map[string]struct {
		route notice.Route
		want  bool
	}{
		"nothing narrows":         {notice.Route{}, true},
		"component":               {notice.Route{Components: []string{"web", "db"}}, true},
		"other component":         {notice.Route{Components: []string{"web"}}, false},
		"group":                   {notice.Route{Groups: []string{"core"}}, true},
		"component or group":      {notice.Route{Components: []string{"web"}, Groups: []string{"core"}}, true},
		"kind":                    {notice.Route{Kinds: []string{"incident.updated"}}, true},
		"first word":              {notice.Route{Kinds: []string{"maintenance", "incident"}}, true},
		"other kind":              {notice.Route{Kinds: []string{"incident.opened", "inciden"}}, false},
		"bad enough":              {notice.Route{AtLeast: notice.SeverityMajor}, true},
		"not bad enough":          {notice.Route{AtLeast: notice.SeverityCritical}, false},
		"in office hours":         {notice.Route{Hours: office}, true},
		"outside of office hours": {notice.Route{Hours: &notice.Hours{Zone: "UTC", From: 9 * time.Hour, To: 17 * time.Hour, Outside: true}}, false},
	} {
		if got := c.route.Fits(e, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := oneRoute("first", "second", "third")
		s.Routes = []notice.Route{
			{ID: "none", Components: []string{"web"}, To: []notice.Target{{Channel: "third"}}},
			{ID: "one", To: []notice.Target{{Channel: "first"}}, Continue: true},
			{ID: "two", To: []notice.Target{{Channel: "first"}, {Channel: "second"}}}, // first is told already
			{ID: "three", To: []notice.Target{{Channel: "third"}}},
		}
		h := build(t, s)
		h.plan(update(1, "a"))
		h.rest(time.Second)
		for id, want := range map[string]int{"first": 1, "second": 1, "third": 0} {
			if n := len(h.channels[id].attempts()); n != want {
				t.Errorf("%s got %d messages, want %d", id, n, want)
			}
		}
	})
}
