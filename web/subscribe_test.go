package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/web"
	"evenkeel/web/public/publictest"
)

// roll keeps subscribers as the wing of notices does, as far as the door can see:
// links are t- and the name before the @. Ada is subscribed.
type roll struct {
	mu    sync.Mutex
	asked []notice.Subscription
	known map[string]notice.Subscriber
	full  bool
}

func (r *roll) Offered(notice.Mode) bool { return true }

func (r *roll) Subscribe(_ context.Context, s notice.Subscription) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return problem.TooMany("There were too many requests; try again in an hour.")
	}
	if s.Address, err = notice.NormalAddress(s.Mode, s.Address); err != nil {
		return err
	}
	r.asked = append(r.asked, s)
	return nil
}

// of finds whoever a link belongs to. Must be called under the lock.
func (r *roll) of(token string) (notice.Subscriber, error) {
	if r.known == nil {
		r.known = map[string]notice.Subscriber{"t-ada": {ID: "ada", Mode: notice.ByMail, Address: "ada@example.org", State: notice.Active, Components: []string{"key-search"}, MinImpact: "minor", Maintenance: true}}
	}
	s, ok := r.known[token]
	if !ok {
		return s, problem.NotFound("This link does not work any more.")
	}
	return s, nil
}

func (r *roll) keep(token string, fn func(*notice.Subscriber)) (notice.Subscriber, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.of(token)
	if err == nil && fn != nil {
		fn(&s)
		r.known[token] = s
	}
	return s, err
}

func (r *roll) Confirm(_ context.Context, token string) (notice.Subscriber, error) {
	return r.keep(token, func(s *notice.Subscriber) { s.State = notice.Active })
}

func (r *roll) Manage(_ context.Context, token string) (notice.Subscriber, error) {
	return r.keep(token, nil)
}

func (r *roll) Unsubscribing(_ context.Context, token string) (notice.Subscriber, error) {
	return r.keep(token, nil)
}

func (r *roll) Change(_ context.Context, token string, w notice.Wishes) (notice.Subscriber, error) {
	return r.keep(token, func(s *notice.Subscriber) {
		s.Components, s.Groups, s.MinImpact, s.Maintenance = w.Components, w.Groups, w.MinImpact, w.Maintenance
	})
}

func (r *roll) Unsubscribe(_ context.Context, token string) error {
	_, err := r.keep(token, func(s *notice.Subscriber) { s.State = notice.Ended })
	return err
}

func (r *roll) requests() []notice.Subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}

// box seals with a key of the test.
func box(t testing.TB) *secret.Box {
	t.Helper()
	b, err := secret.New(bytes.Repeat([]byte{7}, secret.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// desk makes a door with a page of incidents and somebody who keeps subscribers.
func desk(t testing.TB) (*web.Server, *roll) {
	t.Helper()
	s, board := doorAndBoard(t, publictest.Troubled(), "")
	r := &roll{}
	s.Attach(web.Live{Board: board, Subscribers: r, Seals: box(t)})
	return s, r
}

// post sends a body.
func post(t testing.TB, s *web.Server, path, kind, body string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://status.example.org"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Public().ServeHTTP(w, r)
	return w.Result()
}

const formType = "application/x-www-form-urlencoded"

// fill sends a form as a browser on the page would.
func fill(t testing.TB, s *web.Server, path string, v url.Values) *http.Response {
	t.Helper()
	return post(t, s, path, formType, v.Encode(), "Origin", "http://status.example.org", "Sec-Fetch-Site", "same-origin")
}

// S1-25: customers are told of outages of what they chose, by the way they chose.
func TestSubscribeAnswersTheSameForEveryAddress(t *testing.T) {
	s, r := desk(t)
	for _, address := range []string{"ada@example.org", "nobody@example.org"} {
		got := fill(t, s, "/subscribe", url.Values{"address": {address}, "maintenance": {"1"}, "component": {"search", "payments"}, "group": {"apps"}, "min_impact": {"major"}})
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/subscribe/sent/email" {
			t.Errorf("%s: %d to %q", address, got.StatusCode, got.Header.Get("Location"))
		}
	}
	asked := r.requests()
	if len(asked) != 2 || !slices.Equal(asked[0].Components, []string{"key-search", "key-payments"}) || !slices.Equal(asked[0].Groups, []string{"apps"}) ||
		asked[0].MinImpact != "major" || !asked[0].Maintenance || asked[0].Source != "form" || asked[0].From == "" {
		t.Errorf("asked for %+v", asked)
	}
	for mode, want := range map[string]string{"email": "Check your mail.", "webhook": "We are asking your endpoint.", "slack": "Look into your channel."} {
		if body := bodyOf(t, ask(t, s, http.MethodGet, "/subscribe/sent/"+mode)); !strings.Contains(body, want) {
			t.Errorf("the answer of %s does not say %q", mode, want)
		}
	}
	if got := ask(t, s, http.MethodGet, "/subscribe/sent/fax"); got.StatusCode != http.StatusNotFound {
		t.Errorf("the answer of fax is %d", got.StatusCode)
	}
}

func TestSubscribeToOneIncident(t *testing.T) {
	s, r := desk(t)
	open := publictest.Slow().ID
	if got := fill(t, s, "/subscribe", url.Values{"address": {"bob@example.org"}, "incident": {open}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("an open incident: %d", got.StatusCode)
	}
	if asked := r.requests(); len(asked) != 1 || asked[0].Incident != open {
		t.Errorf("asked for %+v", asked)
	}
	if got := fill(t, s, "/subscribe", url.Values{"address": {"bob@example.org"}, "incident": {"private000000000"}}); got.StatusCode != http.StatusBadRequest {
		t.Errorf("an incident that is not on the page: %d", got.StatusCode)
	}
}

func TestWrongFormComesBackWithWhatWasFilledIn(t *testing.T) {
	s, _ := desk(t)
	for _, v := range []url.Values{
		{"address": {`"><script>alert(1)</script>`}, "component": {"payments"}, "min_impact": {"major"}},
		{"address": {"ada@example.org"}, "component": {"payments", "<script>"}, "min_impact": {"major"}},
		{"address": {"ftp://example.org"}, "mode": {"webhook"}, "component": {"payments"}, "min_impact": {"major"}},
		{"address": {"ada@example.org"}, "mode": {"pigeon"}, "component": {"payments"}, "min_impact": {"major"}},
	} {
		got := fill(t, s, "/subscribe", v)
		body := bodyOf(t, got)
		if got.StatusCode != http.StatusBadRequest || got.Header.Get("Cache-Control") != "no-store" || !strings.Contains(got.Header.Get("Content-Security-Policy"), "form-action 'self'") {
			t.Errorf("%v: %d %v", v, got.StatusCode, got.Header)
		}
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%v: the page holds the script", v)
		}
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for n := range doc.Descendants() {
			at := map[string]string{}
			for _, a := range n.Attr {
				at[a.Key] = a.Val
			}
			_, checked := at["checked"]
			_, selected := at["selected"]
			seen["address"] = seen["address"] || at["name"] == "address" && at["value"] == v.Get("address")
			seen["component"] = seen["component"] || at["value"] == "payments" && checked
			seen["impact"] = seen["impact"] || at["value"] == "major" && selected
			seen["problem"] = seen["problem"] || at["role"] == "alert"
		}
		for _, want := range []string{"address", "component", "impact", "problem"} {
			if !seen[want] {
				t.Errorf("%v: the %s is lost", v, want)
			}
		}
	}
}

func TestTooManyRequestsGetTheirPage(t *testing.T) {
	s, r := desk(t)
	r.full = true
	got := fill(t, s, "/subscribe", url.Values{"address": {"ada@example.org"}})
	if body := bodyOf(t, got); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" || !strings.Contains(body, "Too many requests.") {
		t.Errorf("%d: %.200s", got.StatusCode, body)
	}
}

func TestLinksDecideNothingUntilTheButton(t *testing.T) {
	s, r := desk(t)
	for path, want := range map[string]string{"/subscribe/confirm/t-ada": "Begin", "/subscribe/unsubscribe/t-ada": "Unsubscribe", "/subscribe/manage/t-ada": "Save"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			got := ask(t, s, method, path)
			if got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Robots-Tag") != "noindex" {
				t.Errorf("%s %s: %d %v", method, path, got.StatusCode, got.Header)
			}
			if body := bodyOf(t, got); method == http.MethodGet && !strings.Contains(body, "<button>"+want+"</button>") {
				t.Errorf("%s has no button to %s", path, want)
			}
		}
	}
	if sub, _ := r.keep("t-ada", nil); sub.State != notice.Active {
		t.Fatalf("reading a link made the subscription %s", sub.State)
	}
	if got := fill(t, s, "/subscribe/unsubscribe/t-ada", nil); got.StatusCode != http.StatusOK || !strings.Contains(bodyOf(t, got), "You are unsubscribed.") {
		t.Errorf("the button gives %d", got.StatusCode)
	}
	if sub, _ := r.keep("t-ada", nil); sub.State != notice.Ended {
		t.Errorf("the button left the subscription %s", sub.State)
	}
	if body := bodyOf(t, ask(t, s, http.MethodGet, "/subscribe/manage/t-ada")); !strings.Contains(body, "It has ended.") {
		t.Error("a subscription that ended does not say so")
	}
}

// RFC 8058: one click in a mail program posts from anywhere, without a cookie or a page.
func TestOneClickUnsubscribe(t *testing.T) {
	s, r := desk(t)
	got := post(t, s, "/subscribe/unsubscribe/t-ada", formType, "List-Unsubscribe=One-Click", "Origin", "https://mail.example.com", "Sec-Fetch-Site", "cross-site")
	if sub, _ := r.keep("t-ada", nil); got.StatusCode != http.StatusOK || sub.State != notice.Ended {
		t.Errorf("%d, the subscription is %s", got.StatusCode, sub.State)
	}
}

func TestManagingReplacesTheWishes(t *testing.T) {
	s, r := desk(t)
	got := fill(t, s, "/subscribe/manage/t-ada", url.Values{"min_impact": {"critical"}, "component": {"email"}})
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/subscribe/manage/t-ada?saved" {
		t.Fatalf("%d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	if sub, _ := r.keep("t-ada", nil); !slices.Equal(sub.Components, []string{"key-email"}) || sub.MinImpact != "critical" || sub.Maintenance {
		t.Errorf("the wishes are %+v", sub.Wishes())
	}
	if body := bodyOf(t, ask(t, s, http.MethodGet, "/subscribe/manage/t-ada?saved")); !strings.Contains(body, "Your choice is saved.") {
		t.Error("nobody says that the choice is saved")
	}
	if got := fill(t, s, "/subscribe/manage/t-ada", url.Values{"component": {"nothing"}}); got.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown component: %d", got.StatusCode)
	}
}

func TestLostLinksSayWhatToDo(t *testing.T) {
	s, _ := desk(t)
	for _, got := range []*http.Response{
		ask(t, s, http.MethodGet, "/subscribe/manage/nobody"), ask(t, s, http.MethodGet, "/subscribe/unsubscribe/nobody"),
		fill(t, s, "/subscribe/confirm/nobody", nil), fill(t, s, "/subscribe/unsubscribe/nobody", nil), fill(t, s, "/subscribe/manage/nobody", nil),
	} {
		if body := bodyOf(t, got); got.StatusCode != http.StatusNotFound || !strings.Contains(body, "This link does not work any more.") {
			t.Errorf("%d %.100s", got.StatusCode, body)
		}
	}
}

func TestOtherSitesCannotFillInOurForms(t *testing.T) {
	s, r := desk(t)
	for _, path := range []string{"/subscribe", "/subscribe/confirm/t-ada", "/subscribe/manage/t-ada"} {
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			if got := post(t, s, path, formType, "address=ada%40example.org", header...); got.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %v: %d", path, header, got.StatusCode)
			}
		}
	}
	if len(r.requests()) != 0 {
		t.Error("a foreign post was taken")
	}
}

func TestHugeFormIsRefused(t *testing.T) {
	s, r := desk(t)
	got := fill(t, s, "/subscribe", url.Values{"address": {"ada@example.org"}, "component": {strings.Repeat("x", 1<<20)}})
	if got.StatusCode != http.StatusBadRequest || len(r.requests()) != 0 {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestFormsAreOfferedOnlyWhereSomebodyKeepsThem(t *testing.T) {
	s, board := doorAndBoard(t, publictest.Troubled(), "")
	s.Attach(web.Live{Board: board})
	until(t, "a page without forms", func() bool {
		return !strings.Contains(bodyOf(t, ask(t, s, http.MethodGet, "/")), "<form")
	})
	if body := bodyOf(t, ask(t, s, http.MethodGet, "/subscribe")); strings.Contains(body, "<form") || !strings.Contains(body, "/history.atom") {
		t.Error("a form is offered that nobody takes, or feeds are not")
	}
	if got := fill(t, s, "/subscribe", url.Values{"address": {"ada@example.org"}}); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a post is answered by %d", got.StatusCode)
	}
}

// v2Answer reads an answer of the API.
func v2Answer(t *testing.T, r *http.Response) map[string]any {
	t.Helper()
	var doc map[string]map[string]any
	if err := json.Unmarshal([]byte(bodyOf(t, r)), &doc); err != nil {
		t.Fatal(err)
	}
	return doc["subscriber"]
}

func TestStatuspageSubscribers(t *testing.T) {
	s, r := desk(t)
	form := url.Values{"subscriber[email]": {"Bob@Example.org"}, "subscriber[component_id]": {"search"}}.Encode()
	got := post(t, s, "/api/v2/subscribers.json", formType, form, "Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site")
	if got.StatusCode != http.StatusCreated || got.Header.Get("Access-Control-Allow-Origin") != "*" || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", got.StatusCode, got.Header)
	}
	sub := v2Answer(t, got)
	id, _ := sub["id"].(string)
	for _, key := range []string{"id", "mode", "email", "endpoint", "can_select_components", "page"} {
		if _, ok := sub[key]; !ok {
			t.Errorf("the answer has no %s", key)
		}
	}
	if sub["mode"] != "email_sms" || sub["endpoint"] != nil || strings.Contains(id, "ob") && strings.Contains(id, "example") {
		t.Errorf("the answer is %v", sub)
	}
	if again := v2Answer(t, post(t, s, "/api/v2/subscribers.json", "application/json", `{"subscriber":{"endpoint":"https://hooks.example.org/x","component_ids":["apps"],"incident_id":""}}`)); again["mode"] != "webhook" || again["email"] != nil {
		t.Errorf("a webhook gives %v", again)
	}
	if got := post(t, s, "/api/v2/subscriptions/"+id+"/resend_confirmation", formType, ""); got.StatusCode != http.StatusCreated {
		t.Errorf("asking again gives %d", got.StatusCode)
	}
	asked := r.requests()
	if len(asked) != 3 || asked[0].Address != "bob@example.org" || !slices.Equal(asked[0].Components, []string{"key-search"}) || asked[0].Source != "api" ||
		asked[1].Mode != notice.ByWebhook || !slices.Equal(asked[1].Groups, []string{"apps"}) || asked[2].Address != asked[0].Address {
		t.Errorf("asked for %+v", asked)
	}
	if sub := v2Answer(t, ask(t, s, http.MethodGet, "/api/v2/subscribers/"+id+".json")); sub["email"] != "Bob@Example.org" {
		t.Errorf("reading gives %v", sub)
	}
	if got := ask(t, s, http.MethodDelete, "/api/v2/subscribers/"+id+".json"); got.StatusCode != http.StatusForbidden {
		t.Errorf("whoever asked can end it: %d", got.StatusCode)
	}
	if got := ask(t, s, http.MethodDelete, "/api/v2/subscribers/t-ada.json"); got.StatusCode != http.StatusOK {
		t.Errorf("a link does not end it: %d", got.StatusCode)
	}
	if sub, _ := r.keep("t-ada", nil); sub.State != notice.Ended {
		t.Errorf("the subscription is %s", sub.State)
	}
}

func TestStatuspageSubscribersRefuse(t *testing.T) {
	s, r := desk(t)
	for _, c := range []struct {
		kind, body string
		code       int
	}{
		{formType, "subscriber[email]=nothing", 400}, {formType, "", 400}, {"application/json", "{", 400}, {"application/json", `{"subscriber":{"email":7}}`, 400},
		{"application/json", `{"subscriber":{"email":"a@example.org","component_id":"nothing"}}`, 400}, {"text/plain", "x", 400},
		{"application/json", `{"subscriber":{"email":"` + strings.Repeat("a", 1<<20) + `"}}`, 400},
	} {
		got := post(t, s, "/api/v2/subscribers.json", c.kind, c.body)
		if got.StatusCode != c.code || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %.40s: %d %s", c.kind, c.body, got.StatusCode, got.Header.Get("Content-Type"))
		}
	}
	for _, id := range []string{"nobody", "!!!", strings.Repeat("A", 9000), "AAAA"} {
		for _, got := range []*http.Response{
			ask(t, s, http.MethodGet, "/api/v2/subscribers/"+id+".json"), ask(t, s, http.MethodDelete, "/api/v2/subscribers/"+id+".json"),
			post(t, s, "/api/v2/subscriptions/"+id+"/resend_confirmation", formType, ""),
		} {
			if got.StatusCode != http.StatusNotFound {
				t.Errorf("%.10s: %d", id, got.StatusCode)
			}
		}
	}
	if len(r.requests()) != 0 {
		t.Errorf("asked for %+v", r.requests())
	}
	if got := ask(t, s, http.MethodOptions, "/api/v2/subscribers.json"); !strings.Contains(got.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Error("a preflight does not allow to post")
	}
}

// FuzzSubscriberBody: whatever is posted is taken or refused, never an error of ours.
func FuzzSubscriberBody(f *testing.F) {
	s, _ := desk(f)
	for _, seed := range []string{"subscriber[email]=a@example.org", `{"subscriber":{"email":"a@example.org","component_ids":["search"]}}`, `{"subscriber":null}`, "%zz", "address=a@example.org&component=search&component=%00"} {
		f.Add(seed, "AAAA", true)
	}
	f.Fuzz(func(t *testing.T, body, id string, asJSON bool) {
		kind := formType
		if asJSON {
			kind = "application/json"
		}
		for _, path := range []string{"/api/v2/subscribers.json", "/api/v2/subscriptions/" + url.PathEscape(id) + "/resend_confirmation", "/subscribe", "/subscribe/manage/t-ada"} {
			if got := post(t, s, path, kind, body, "Sec-Fetch-Site", "same-origin"); got.StatusCode >= 500 {
				t.Errorf("%s: %d", path, got.StatusCode)
			}
		}
	})
}
