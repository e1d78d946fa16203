package public

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"evenkeel/web/public/publictest"
)

// S1-25: customers follow a service by feed.
func TestFeedsAreReadable(t *testing.T) {
	for name, model := range models() {
		all := everything(t, model)
		var feed struct {
			ID      string `xml:"id"`
			Updated string `xml:"updated"`
			Entries []struct {
				ID        string `xml:"id"`
				Title     string `xml:"title"`
				Updated   string `xml:"updated"`
				Published string `xml:"published"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(all["/history.atom"].Body(), &feed); err != nil {
			t.Fatalf("%s atom: %v", name, err)
		}
		seen := map[string]bool{}
		last := time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, e := range feed.Entries {
			at, err := time.Parse(time.RFC3339, e.Updated)
			if err != nil || e.ID == "" || e.Title == "" || seen[e.ID] {
				t.Errorf("%s atom: entry %+v is incomplete or twice there: %v", name, e, err)
			}
			if at.After(last) {
				t.Errorf("%s atom: %s stands after an older entry", name, e.ID)
			}
			seen[e.ID], last = true, at
		}
		var rss struct {
			Channel struct {
				Items []struct {
					GUID string `xml:"guid"`
					Date string `xml:"pubDate"`
				} `xml:"item"`
			} `xml:"channel"`
		}
		if err := xml.Unmarshal(all["/history.rss"].Body(), &rss); err != nil {
			t.Fatalf("%s rss: %v", name, err)
		}
		var jf struct {
			Version string
			Items   []struct{ ID string }
		}
		if err := json.Unmarshal(all["/feed.json"].Body(), &jf); err != nil {
			t.Fatalf("%s json feed: %v", name, err)
		}
		if len(rss.Channel.Items) != len(feed.Entries) || len(jf.Items) != len(feed.Entries) || jf.Items == nil {
			t.Errorf("%s: %d atom, %d rss and %d json entries", name, len(feed.Entries), len(rss.Channel.Items), len(jf.Items))
		}
		for _, it := range rss.Channel.Items {
			if _, err := time.Parse(time.RFC1123Z, it.Date); err != nil || !seen[it.GUID] {
				t.Errorf("%s rss: item %+v: %v", name, it, err)
			}
		}
	}
}

func TestFeedEntryKeepsItsIDWhenTheTroubleEnds(t *testing.T) {
	p := publictest.Normal()
	before := entries(p, newProse())[0]
	p.Past[0].Events[0].To = publictest.Minute
	after := entries(p, newProse())[0]
	if before.id != after.id || !after.updated.After(before.updated) || !strings.HasSuffix(after.title, ", over") {
		t.Errorf("the entry went from %+v to %+v", before, after)
	}
}

func TestHostileFeedIsPlainText(t *testing.T) {
	all := everything(t, publictest.Bad())
	for _, path := range []string{"/history.atom", "/history.rss"} {
		if bytes.Contains(all[path].Body(), []byte("<script")) {
			t.Errorf("%s holds markup of others", path)
		}
	}
}

func TestMaintenanceCalendarIsReadable(t *testing.T) {
	for name, model := range models() {
		for path, ph := range everything(t, model) {
			if !strings.HasSuffix(path, ".ics") {
				continue
			}
			cal, err := ics.ParseCalendar(bytes.NewReader(ph.Body()))
			if err != nil {
				t.Fatalf("%s%s: %v", name, path, err)
			}
			want := 1
			if path == "/maintenance.ics" {
				want = len(model.Current) + len(model.Ahead) + len(model.Finished)
			}
			if got := len(cal.Events()); got != want {
				t.Errorf("%s%s has %d events, want %d", name, path, got, want)
			}
		}
	}
}
