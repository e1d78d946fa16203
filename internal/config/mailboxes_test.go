package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/problem"
)

func TestMailURLsAreRead(t *testing.T) {
	for raw, want := range map[string]MailServer{
		"imaps://support%40example.org@mail.example.org": {Address: "mail.example.org:993", Host: "mail.example.org", User: "support@example.org", Folder: "INBOX", TLS: true},
		"imaps://a:p%2Fw@[::1]:1993/Support/In%20box":    {Address: "[::1]:1993", Host: "::1", User: "a", Password: "p/w", Folder: "Support/In box", TLS: true},
		"imap://a@mail.example.org/INBOX":                {Address: "mail.example.org:143", Host: "mail.example.org", User: "a", Folder: "INBOX", StartTLS: true},
		"imap://a@mail.example.org:10143/INBOX?tls=none": {Address: "mail.example.org:10143", Host: "mail.example.org", User: "a", Folder: "INBOX"},
	} {
		if got, err := ParseMailURL(raw); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "http://a@b", "imaps://mail.example.org", "imaps://a@", "imaps://a@b/INBOX?tls=none", "imap://a@b?tls=maybe", "imap://a@b?x=1", "imap://a@b#f", "imaps://a:secret@%zz"} {
		if _, err := ParseMailURL(raw); problem.KindOf(err) != problem.KindInvalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", raw, err)
		}
	}
}

func TestWhatFollowsAMailIsRead(t *testing.T) {
	for text, want := range map[string][3]any{
		"leave": {"leave", "", time.Duration(0)}, "seen": {"seen", "", time.Duration(0)}, "delete": {"delete", "", time.Duration(0)},
		"move:Done/2026": {"move", "Done/2026", time.Duration(0)}, "delete:14d": {"delete", "", 14 * 24 * time.Hour},
	} {
		what, folder, wait, err := ParseAfter(text)
		if got := [3]any{what, folder, wait}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "burn", "leave:1", "seen:", "move", "move:", "delete:", "delete:soon"} {
		if _, _, _, err := ParseAfter(text); problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%q: got %v", text, err)
		}
	}
	for text, want := range map[string][2]any{"now": {time.Duration(0), false}, "all": {time.Duration(0), true}, "30d": {30 * 24 * time.Hour, false}} {
		last, all, err := ParseSince(text)
		if got := [2]any{last, all}; err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	if _, _, err := ParseSince("yesterday"); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("got %v", err)
	}
}

// eachMailSecret is how secrets of mailboxes are anchored, checked and known as
// mentioned: none may be missing.
func TestEverySecretOfAMailboxIsVisited(t *testing.T) {
	f := File{Mailboxes: make([]Mailbox, 1)}
	visited := map[*Secret]bool{}
	f.eachMailSecret(func(_ string, s *Secret) { visited[s] = true })
	want := 0
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			switch field := v.Field(i); {
			case field.Type() == secretType:
				want++
				if !visited[field.Addr().Interface().(*Secret)] {
					t.Errorf("%s.%s is not visited", v.Type().Name(), v.Type().Field(i).Name)
				}
			case field.Kind() == reflect.Struct:
				walk(field)
			}
		}
	}
	walk(reflect.ValueOf(&f.Mailboxes[0]).Elem())
	if len(visited) != want {
		t.Errorf("%d of %d are visited", len(visited), want)
	}
}

func TestMailboxesAreChecked(t *testing.T) {
	const head = "page: {name: Example}\ncomponents: [{id: shop}]\n"
	good := head + "mailboxes: [{name: support, url: \"imaps://a@b.example.org\", password: x}]\n"
	if _, err := Parse("evenkeel.yaml", []byte(good), Options{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"no name":        {"{url: \"imaps://a@b\", password: x}", "mailboxes[0].name"},
		"twice":          {"{name: a, url: \"imaps://a@b\", password: x}, {name: a, url: \"imaps://a@b\", password: x}", "mailboxes[1].name"},
		"no url":         {"{name: a, password: x}", "mailboxes[0].url"},
		"bad url":        {"{name: a, url: \"pop3://a@b\", password: x}", "mailboxes[0].url"},
		"no password":    {"{name: a, url: \"imaps://a@b\"}", "mailboxes[0]"},
		"two ways in":    {"{name: a, url: \"imaps://a@b\", password: x, oauth: {provider: google, client_id: i, refresh_token: r}}", "mailboxes[0].oauth"},
		"no client":      {"{name: a, url: \"imaps://a@b\", oauth: {provider: google, refresh_token: r}}", "mailboxes[0].oauth.client_id"},
		"provider":       {"{name: a, url: \"imaps://a@b\", oauth: {provider: gogle, client_id: i, refresh_token: r}}", "mailboxes[0].oauth.provider"},
		"after":          {"{name: a, url: \"imaps://a@b\", password: x, after: burn}", "mailboxes[0].after"},
		"since":          {"{name: a, url: \"imaps://a@b\", password: x, since: yesterday}", "mailboxes[0].since"},
		"size":           {"{name: a, url: \"imaps://a@b\", password: x, max_bytes: 10}", "mailboxes[0].max_bytes"},
		"from":           {"{name: a, url: \"imaps://a@b\", password: x, from: nobody}", "mailboxes[0].from"},
		"trigger":        {"{name: a, url: \"imaps://a@b\", password: x, authserv_id: b, automation: [{to: a@b.org, component: shpo, from: [c@d.org]}]}", "mailboxes[0].automation[0].component"},
		"nobody heeded":  {"{name: a, url: \"imaps://a@b\", password: x, authserv_id: b, automation: [{to: a@b.org, component: shop}]}", "mailboxes[0].automation[0].from"},
		"nothing proven": {"{name: a, url: \"imaps://a@b\", password: x, automation: [{to: a@b.org, component: shop, from: [c@d.org]}]}", "mailboxes[0].authserv_id"},
	} {
		_, err := Parse("evenkeel.yaml", []byte(head+"mailboxes: ["+c[0]+"]\n"), Options{})
		if err == nil || !strings.Contains(err.Error(), c[1]+":") && !strings.Contains(err.Error(), c[1]+" ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzParseMailURL(f *testing.F) {
	f.Add("imaps://support%40example.org:x@mail.example.org:993/INBOX?tls=none#a")
	f.Add("imap://a@[::1]/ä")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := ParseMailURL(raw)
		if err == nil && (got.Host == "" || got.User == "" || got.Folder == "" || got.TLS && got.StartTLS) {
			t.Errorf("%q gives %+v", raw, got)
		}
	})
}
