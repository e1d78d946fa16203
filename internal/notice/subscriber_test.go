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

// open is a setup that takes subscribers of every mode.
func open() notice.Setup {
	return notice.Setup{Channels: []notice.ChannelSpec{{ID: "mail", Kind: "mail"}, {ID: "hook", Kind: "webhook"}, {ID: "chat", Kind: "slack"}},
		Mail: "mail", Webhook: "hook", Chat: "chat"}
}

// form is what somebody types into the form of the page.
func form(address string) notice.Subscription {
	return notice.Subscription{Mode: notice.ByMail, Address: address, From: "192.0.2.7", Source: "form"}
}

// last gives the newest message of a channel.
func (c *channel) last(t *testing.T) notice.Message {
	t.Helper()
	got := c.attempts()
	if len(got) == 0 {
		t.Fatal("nothing was sent")
	}
	return got[len(got)-1].Message
}

// tokenOf gives the token at the end of a link.
func tokenOf(t *testing.T, link, path string) string {
	t.Helper()
	token, ok := strings.CutPrefix(link, "https://status.example.org"+path)
	if !ok || strings.ContainsAny(token, "/?#& ") {
		t.Fatalf("%q is no link to %s", link, path)
	}
	return token
}

// only gives the one subscriber there is.
func (h *house) only() notice.Subscriber {
	h.t.Helper()
	found, err := h.desk.Subscribers(context.Background(), operator, notice.SubscriberQuery{Limit: 10})
	if err != nil || len(found) != 1 {
		h.t.Fatalf("got %v, %v", found, err)
	}
	return found[0]
}

// S1-25: customers subscribe to a service and are told of it.
func TestSubscribeByMailIsConfirmedManagedAndLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx, mail := context.Background(), h.channels["mail"]
		want := form(" You@Example.ORG ")
		want.Wishes = notice.Wishes{Components: []string{"web", "db", "web"}, MinImpact: "major"}
		if err := h.desk.Subscribe(ctx, want); err != nil {
			t.Fatal(err)
		}
		h.rest(time.Second)
		m := mail.last(t)
		if m.Event.Kind != "subscriber.confirm" || m.To.Address != "you@example.org" || m.Confirm == "" {
			t.Fatalf("got %+v", m)
		}
		h.plan(update(1, "a"))
		h.rest(time.Second)
		if n := len(mail.attempts()); n != 1 {
			t.Fatalf("%d mails before it was confirmed", n)
		}
		for range 2 { // twice is fine
			if s, err := h.desk.Confirm(ctx, tokenOf(t, m.Confirm, notice.PathConfirm)); err != nil || s.State != notice.Active || !slices.Equal(s.Components, []string{"db", "web"}) {
				t.Fatal(s, err)
			}
		}
		h.plan(update(2, "a"))
		h.rest(time.Second)
		m = mail.last(t)
		if m.Event.ID != "update-2" || m.Confirm != "" {
			t.Fatalf("got %+v", m)
		}
		manage, leave := tokenOf(t, m.Manage, notice.PathManage), tokenOf(t, m.Unsubscribe, notice.PathUnsubscribe)
		if s, err := h.desk.Manage(ctx, manage); err != nil || s.Address != "you@example.org" {
			t.Fatal(s, err)
		}
		if s, err := h.desk.Change(ctx, manage, notice.Wishes{Maintenance: true}); err != nil || !s.Maintenance || len(s.Components) != 0 || s.MinImpact != "none" {
			t.Fatal(s, err)
		}
		// The link to leave only leaves.
		_, err := h.desk.Manage(ctx, leave)
		wantKind(t, err, problem.KindNotFound)
		_, err = h.desk.Change(ctx, leave, notice.Wishes{})
		wantKind(t, err, problem.KindNotFound)
		_, err = h.desk.Confirm(ctx, leave)
		wantKind(t, err, problem.KindNotFound)
		if s, err := h.desk.Unsubscribing(ctx, leave); err != nil || s.State != notice.Active {
			t.Fatalf("looking changed it: %+v, %v", s, err)
		}
		for range 2 {
			if err := h.desk.Unsubscribe(ctx, leave); err != nil {
				t.Fatal(err)
			}
		}
		h.plan(update(3, "a"))
		h.rest(time.Second)
		if n := len(mail.attempts()); n != 2 {
			t.Errorf("%d mails after leaving", n)
		}
		_, err = h.desk.Change(ctx, manage, notice.Wishes{})
		wantKind(t, err, problem.KindConflict)
		if s := h.only(); s.State != notice.Ended || s.EndReason != "unsubscribed" {
			t.Errorf("got %+v", s)
		}
		if got := h.verbs("subscriber"); !slices.Equal(got, []string{"subscriber.added", "subscriber.confirmed", "subscriber.changed", "subscriber.ended"}) {
			t.Errorf("journal: %v", got)
		}
		// Coming back needs a new confirmation.
		if err := h.desk.Subscribe(ctx, form("you@example.org")); err != nil {
			t.Fatal(err)
		}
		h.rest(time.Second)
		if s := h.only(); s.State != notice.Pending || mail.last(t).Event.Kind != "subscriber.confirm" {
			t.Errorf("got %+v", s)
		}
	})
}

// No enumeration of addresses: the answer is the same, and the same is done.
func TestSubscribeTellsNothingOfWhoIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		if _, err := h.desk.Add(ctx, operator, form("active@example.org"), true); err != nil {
			t.Fatal(err)
		}
		if err := h.desk.Subscribe(ctx, form("pending@example.org")); err != nil {
			t.Fatal(err)
		}
		h.rest(time.Second)
		entries := func() int { return len(h.verbs("subscriber")) }
		for _, who := range []string{"active", "pending", "new"} {
			rows, journaled := len(h.rows()), entries()
			changed := form(who + "@example.org")
			changed.Wishes.Components = []string{"evil"}
			if err := h.desk.Subscribe(ctx, changed); err != nil {
				t.Errorf("%s: %v", who, err)
			}
			h.rest(time.Second)
			if len(h.rows()) != rows+1 || entries() != journaled+1 {
				t.Errorf("%s: %d deliveries and %d entries more, want one each", who, len(h.rows())-rows, entries()-journaled)
			}
			want := map[string]string{"active": "subscriber.known", "pending": "subscriber.confirm", "new": "subscriber.confirm"}[who]
			if m := h.channels["mail"].last(t); m.Event.Kind != want || m.To.Address != who+"@example.org" || m.Manage == "" {
				t.Errorf("%s got %s", who, m.Event.Kind)
			}
		}
		found, err := h.desk.Subscribers(ctx, operator, notice.SubscriberQuery{Search: "active@", Limit: 10})
		if err != nil || len(found) != 1 || len(found[0].Components) != 0 || found[0].State != notice.Active {
			t.Errorf("a stranger changed a subscription: %+v, %v", found, err)
		}
	})
}

func TestStrangersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		for n := range 10 { // one address, asked for from all over the world
			r := form("victim@example.org")
			r.From = fmt.Sprintf("192.0.%d.1", n)
			if err := h.desk.Subscribe(ctx, r); err != nil {
				t.Fatalf("request %d was told apart: %v", n, err)
			}
		}
		h.rest(time.Second)
		if n := len(h.channels["mail"].attempts()); n != 3 {
			t.Errorf("the victim got %d mails", n)
		}
		refused := 0
		for n := range 40 { // many addresses from one network
			r := form(fmt.Sprintf("a%d@example.org", n))
			r.From = fmt.Sprintf("2001:db8:0:%x::1", n)
			if err := h.desk.Subscribe(ctx, r); problem.KindOf(err) == problem.KindTooMany {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if refused != 10 {
			t.Errorf("%d refused", refused)
		}
		h.rest(time.Hour)
		if err := h.desk.Subscribe(ctx, form("victim@example.org")); err != nil {
			t.Error(err)
		}
		h.rest(time.Second)
		if m := h.channels["mail"].last(t); m.To.Address != "victim@example.org" {
			t.Error("an hour later it still says nothing")
		}
	})
}

func TestStrangersAreLimitedAltogether(t *testing.T) {
	h := idle(t, open())
	refused := 0
	for n := range 2010 {
		r := form(fmt.Sprintf("a%d@example.org", n%3)) // the limit of an address is silent
		r.From = fmt.Sprintf("10.%d.%d.1", n/256, n%256)
		if err := h.desk.Subscribe(context.Background(), r); problem.KindOf(err) == problem.KindTooMany {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if refused != 10 {
		t.Errorf("%d refused", refused)
	}
}

func TestWebhookIsConfirmedByItsEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		r := notice.Subscription{Mode: notice.ByWebhook, Address: "https://example.org/hook", Source: "form"}
		if err := h.desk.Subscribe(ctx, r); err != nil {
			t.Fatal(err)
		}
		h.rest(time.Second)
		if d := h.rows()[0]; d.State != notice.Suppressed || d.Reason != "this channel cannot ask for a confirmation" {
			t.Fatalf("got %+v", d)
		}
		echo := &challenged{channel: h.channels["hook"]}
		h.swap("hook", echo)
		if err := h.desk.Subscribe(ctx, r); err != nil {
			t.Fatal(err)
		}
		h.rest(10 * time.Second)
		if s := h.only(); s.State != notice.Active {
			t.Errorf("got %+v", s)
		}
		if len(echo.words) != 2 || echo.words[0] == "" || echo.words[0] != echo.words[1] {
			t.Errorf("challenged with %q", echo.words)
		}
		if got := h.verbs("subscriber"); !slices.Equal(got, []string{"subscriber.added", "subscriber.asked", "subscriber.confirmed"}) {
			t.Errorf("journal: %v", got)
		}
	})
}

// challenged is a channel that can challenge; the first time the other side is away.
type challenged struct {
	*channel
	words []string
}

func (c *challenged) Challenge(_ context.Context, _ notice.Message, word string) error {
	c.words = append(c.words, word)
	if len(c.words) == 1 {
		return down
	}
	return nil
}

func TestWantsNarrowsBySubscription(t *testing.T) {
	outage, work := update(1, "a"), update(2, "m")
	work.Kind, work.Subject, work.Content.Impact = "maintenance.scheduled", journal.Ref{Kind: "maintenance", ID: "m1"}, "maintenance"
	wide := update(3, "w")
	wide.Components, wide.Groups = nil, nil
	for name, c := range map[string]struct {
		s                  notice.Subscriber
		outage, work, wide bool
	}{
		"everything":         {notice.Subscriber{MinImpact: "none", Maintenance: true}, true, true, true},
		"no maintenance":     {notice.Subscriber{MinImpact: "none"}, true, false, true},
		"component":          {notice.Subscriber{MinImpact: "none", Maintenance: true, Components: []string{"db"}}, true, true, true},
		"group":              {notice.Subscriber{MinImpact: "none", Maintenance: true, Groups: []string{"core"}}, true, true, true},
		"other component":    {notice.Subscriber{MinImpact: "none", Maintenance: true, Components: []string{"web"}}, false, false, true},
		"bad enough":         {notice.Subscriber{MinImpact: "major"}, true, false, true},
		"not bad enough":     {notice.Subscriber{MinImpact: "critical", Maintenance: true}, false, true, false},
		"this incident":      {notice.Subscriber{Incident: "a", MinImpact: "critical"}, true, false, false},
		"that incident":      {notice.Subscriber{Incident: "b", MinImpact: "none"}, false, false, false},
		"no word on impacts": {notice.Subscriber{Maintenance: true}, true, true, true},
	} {
		if got := [3]bool{c.s.Wants(outage), c.s.Wants(work), c.s.Wants(wide)}; got != [3]bool{c.outage, c.work, c.wide} {
			t.Errorf("%s wants %v", name, got)
		}
	}
}

func TestWhoHeardThatItBeganHearsHowItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		for address, w := range map[string]notice.Wishes{
			"db@example.org": {Components: []string{"db"}}, "bad@example.org": {MinImpact: "major"}, "web@example.org": {Components: []string{"web"}},
		} {
			r := form(address)
			r.Wishes = w
			if _, err := h.desk.Add(ctx, operator, r, true); err != nil {
				t.Fatal(err)
			}
		}
		h.plan(update(1, "a"))
		h.rest(time.Second)
		end := update(2, "a")
		end.Components, end.Groups, end.Content.Impact, end.Content.Status = []string{"mail"}, nil, "none", "resolved"
		h.plan(end)
		h.rest(time.Second)
		var heard []string
		for _, m := range h.channels["mail"].attempts() {
			heard = append(heard, m.Event.ID+" "+m.To.Address)
		}
		slices.Sort(heard)
		if !slices.Equal(heard, []string{"update-1 bad@example.org", "update-1 db@example.org", "update-2 bad@example.org", "update-2 db@example.org"}) {
			t.Errorf("heard %v", heard)
		}
		tally, err := h.desk.Tally(ctx, operator, notice.Query{Event: "update-1"})
		if err != nil || tally.States[notice.Sent] != 2 || tally.Fan.Told != 2 || tally.Fan.Passed != 1 || !tally.Fan.Done {
			t.Errorf("got %+v, %v", tally, err)
		}
	})
}

func TestSubscribersOfAModeWithoutChannelAreSuppressedInSight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		h.listen("https://example.org/hook")
		s := open()
		s.Webhook = ""
		h.configure(s)
		h.plan(update(1, "a"))
		h.rest(time.Second)
		if d := h.rows()[0]; d.State != notice.Suppressed || d.Reason != "no channel for webhook is set up" {
			t.Errorf("got %+v", d)
		}
		err := h.desk.Subscribe(context.Background(), notice.Subscription{Mode: notice.ByWebhook, Address: "https://example.org/x"})
		wantKind(t, err, problem.KindInvalid)
	})
}

func TestEraseWipesTheAddressAndTheChainHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		s, err := h.desk.Add(ctx, operator, form("you@example.org"), true)
		if err != nil {
			t.Fatal(err)
		}
		h.channels["mail"].fails(down)
		h.plan(update(1, "a"))
		h.rest(time.Second)
		link := h.channels["mail"].last(t).Manage
		wantKind(t, h.desk.Erase(ctx, access.Actor{ID: "eve", Role: access.RoleViewer}, s.ID), problem.KindForbidden)
		for range 2 {
			if err := h.desk.Erase(ctx, operator, s.ID); err != nil {
				t.Fatal(err)
			}
		}
		h.channels["mail"].fails(nil)
		h.rest(time.Minute)
		if d := h.rows()[0]; d.State != notice.Suppressed || d.Reason != "the subscription was erased" {
			t.Errorf("got %+v", d)
		}
		if got := h.only(); got.Address != "" || got.State != notice.Ended || got.EndReason != "erased" {
			t.Errorf("got %+v", got)
		}
		_, err = h.desk.Manage(ctx, tokenOf(t, link, notice.PathManage))
		wantKind(t, err, problem.KindNotFound)
		entries, err := h.store.After(ctx, 0, 100)
		if err != nil || journal.Verify(ctx, h.store) != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if text := fmt.Sprint(e); strings.Contains(text, "example.org") {
				t.Errorf("the journal knows an address: %s", text)
			}
		}
		// The address may come back as somebody new.
		if s2, err := h.desk.Add(ctx, operator, form("you@example.org"), true); err != nil || s2.ID == s.ID {
			t.Error(s2, err)
		}
	})
}

func TestAddressThatNeverConfirmsIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := idle(t, open())
		if err := h.desk.Subscribe(context.Background(), form("you@example.org")); err != nil {
			t.Fatal(err)
		}
		h.rest(7*24*time.Hour + time.Minute)
		h.start()
		h.rest(time.Second)
		if s := h.only(); s.Address != "" || s.State != notice.Ended {
			t.Errorf("got %+v", s)
		}
	})
}

func TestBouncedEndsByDeliveryAndByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		for _, address := range []string{"one@example.org", "two@example.org"} {
			if _, err := h.desk.Add(ctx, operator, form(address), true); err != nil {
				t.Fatal(err)
			}
		}
		h.plan(update(1, "a"))
		h.rest(time.Second)
		var delivery string
		for _, m := range h.channels["mail"].attempts() {
			if m.To.Address == "one@example.org" {
				delivery = m.Delivery.ID
			}
		}
		for _, ref := range []string{delivery, "TWO@example.org", "nobody@example.org", "absent", "not@an@address@", ""} {
			if err := h.desk.Bounced(ctx, ref); err != nil {
				t.Errorf("%q: %v", ref, err)
			}
		}
		found, err := h.desk.Subscribers(ctx, operator, notice.SubscriberQuery{State: notice.Ended, Limit: 10})
		if err != nil || len(found) != 2 || found[0].EndReason != "bounced" || found[1].EndReason != "bounced" {
			t.Errorf("got %+v, %v", found, err)
		}
	})
}

func TestStaffAddChangeAndRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		s, err := h.desk.Add(ctx, operator, form("you@example.org"), false)
		if err != nil || s.State != notice.Pending {
			t.Fatal(s, err)
		}
		if s, err = h.desk.Add(ctx, operator, form("you@example.org"), true); err != nil || s.State != notice.Active {
			t.Fatal(s, err)
		}
		_, err = h.desk.Add(ctx, operator, form("you@example.org"), true)
		wantKind(t, err, problem.KindConflict)
		if s, err = h.desk.ChangeFor(ctx, operator, s.ID, notice.Wishes{MinImpact: "critical"}); err != nil || s.MinImpact != "critical" {
			t.Fatal(s, err)
		}
		for _, bad := range []notice.Wishes{{MinImpact: "awful"}, {Components: []string{""}}, {Groups: []string{"a,b"}}, {Components: []string{strings.Repeat("x", 97)}}} {
			_, err := h.desk.ChangeFor(ctx, operator, s.ID, bad)
			wantKind(t, err, problem.KindInvalid)
		}
		if err := h.desk.Remove(ctx, operator, s.ID); err != nil {
			t.Fatal(err)
		}
		_, err = h.desk.ChangeFor(ctx, operator, s.ID, notice.Wishes{})
		wantKind(t, err, problem.KindConflict)
		wantKind(t, h.desk.Remove(ctx, operator, "absent"), problem.KindNotFound)
		viewer := access.Actor{ID: "eve", Role: access.RoleViewer}
		_, err = h.desk.Subscribers(ctx, viewer, notice.SubscriberQuery{Limit: 1})
		wantKind(t, err, problem.KindForbidden)
		_, err = h.desk.Subscriber(ctx, viewer, s.ID)
		wantKind(t, err, problem.KindForbidden)
		_, err = h.desk.Subscribers(ctx, operator, notice.SubscriberQuery{Limit: 501})
		wantKind(t, err, problem.KindInvalid)
	})
}

func TestOneIncidentSubscriptionStandsBesideTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, open())
		ctx := context.Background()
		narrow := form("you@example.org")
		narrow.Incident = "a"
		for _, r := range []notice.Subscription{form("you@example.org"), narrow} {
			if _, err := h.desk.Add(ctx, operator, r, true); err != nil {
				t.Fatal(err)
			}
		}
		h.plan(update(1, "b"))
		h.rest(time.Second)
		if n := len(h.channels["mail"].attempts()); n != 1 {
			t.Errorf("%d mails", n)
		}
	})
}

func TestNormalAddress(t *testing.T) {
	for in, want := range map[string]string{
		"You.Name+tag@Example.ORG":              "you.name+tag@example.org",
		" a@b\u00fccher.example ":               "a@xn--bcher-kva.example",
		"a@\u0430pple.example":                  "a@xn--pple-43d.example", // a Cyrillic а
		"o'neil@example.org":                    "o'neil@example.org",
		"a@example.org.":                        "",
		"a@localhost":                           "",
		"a@[192.0.2.1]":                         "",
		"a@192.0.2.1":                           "",
		"a":                                     "",
		"@example.org":                          "",
		"a@":                                    "",
		"a b@example.org":                       "",
		"a@example.org,b@example.org":           "",
		"a@b@example.org":                       "",
		"\"a b\"@example.org":                   "",
		"a\r\nBcc: x@example.org":               "",
		"a@example.org\r\nBcc: b@c.org":         "",
		"a@exa\u200bmple.org":                   "a@example.org", // what nobody sees is mapped away (UTS 46)
		"\u0430@example.org":                    "",
		".a@example.org":                        "",
		"a.@example.org":                        "",
		"a..b@example.org":                      "",
		strings.Repeat("a", 65) + "@b.org":      "",
		"a@" + strings.Repeat("b", 64) + ".org": "",
		"a@" + strings.Repeat("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.", 8) + "org": "",
		"a@-b.org":    "",
		"a@b\x00.org": "",
	} {
		got, err := notice.NormalAddress(notice.ByMail, in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"HTTPS://Example.ORG:443/Path?q=1":                 "https://example.org/Path?q=1",
		"https://example.org":                              "https://example.org/",
		"http://example.org:8080/":                         "http://example.org:8080/",
		"https://b\u00fccher.example/":                     "https://xn--bcher-kva.example/",
		"https://[2001:DB8::1]:8443/x":                     "https://[2001:db8::1]:8443/x",
		"https://192.0.2.1/":                               "https://192.0.2.1/",
		"https://user:pw@example.org/":                     "",
		"https://example.org/#x":                           "",
		"ftp://example.org/":                               "",
		"javascript:alert(1)":                              "",
		"//example.org/":                                   "",
		"https:///x":                                       "",
		"https://exa mple.org/":                            "",
		"https://example.org/\r\nX: y":                     "",
		"example.org":                                      "",
		"https://e_x.org/":                                 "",
		"https://example.org/" + strings.Repeat("a", 2000): "",
	} {
		got, err := notice.NormalAddress(notice.ByWebhook, in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q, %v, want %q", in, got, err, want)
		}
	}
	_, err := notice.NormalAddress("fax", "1")
	wantKind(t, err, problem.KindInvalid)
}

// FuzzNormalAddress: what is taken is one line of ASCII in a form that is taken
// again unchanged.
func FuzzNormalAddress(f *testing.F) {
	for _, seed := range []string{"a@example.org", "A@B\u00fccher.example", "https://example.org/a?b#c", "a@b\r\nc", "https://[::1%25eth0]/", "x@xn--a.org", "http://a:0/", "https://1.2.3/", "0@0\x81.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, mode := range []notice.Mode{notice.ByMail, notice.ByWebhook, notice.BySlack} {
			got, err := notice.NormalAddress(mode, raw)
			if err != nil {
				if problem.KindOf(err) != problem.KindInvalid {
					t.Fatalf("%q: %v", raw, err)
				}
				continue
			}
			for _, r := range got {
				if r <= ' ' || r == 0x7f || mode == notice.ByMail && r >= 0x80 {
					t.Fatalf("%q became %q", raw, got)
				}
			}
			if again, err := notice.NormalAddress(mode, got); err != nil || again != got {
				t.Fatalf("%q became %q, and that %q, %v", raw, got, again, err)
			}
		}
	})
}
