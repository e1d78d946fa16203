package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"evenkeel/web/public/publictest"
)

// A session never touches a public page: none sets a cookie, and whoever is
// signed in gets the same bytes as everybody, so that no cache can mix them up.
func TestPublicPagesKnowNoSession(t *testing.T) {
	h := door(t, publictest.Normal()).Public()
	ask := func(path, cookie string) (*http.Response, string) {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		resp := w.Result()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	for _, path := range []string{"/", "/history", "/subscribe", "/uptime", "/api/v2/summary.json", "/history.atom", "/maintenance.ics", "/nothing", "/api/v2/nothing.json", "/robots.txt", "/livez"} {
		plain, without := ask(path, "")
		signedIn, with := ask(path, "evenkeel=AAAAAAAAAAAAAAAAAAAAAAAAAA; __Host-evenkeel=AAAAAAAAAAAAAAAAAAAAAAAAAA")
		for _, resp := range []*http.Response{plain, signedIn} {
			if c := resp.Header.Values("Set-Cookie"); len(c) > 0 {
				t.Errorf("%s sets %v", path, c)
			}
			if vary := resp.Header.Get("Vary"); vary != "" && vary != "Accept-Encoding" {
				t.Errorf("%s varies by %s", path, vary)
			}
		}
		if plain.StatusCode != signedIn.StatusCode || plain.StatusCode == http.StatusOK && with != without { // refusals have numbers of their own
			t.Errorf("%s differs for somebody who is signed in", path)
		}
	}
}
