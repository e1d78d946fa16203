package public

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evenkeel/internal/status"
	"evenkeel/web/public/publictest"
)

// The keys of each object, as Statuspage's consumers know them.
var v2Keys = map[string]string{
	"page":      "id name time_zone updated_at url",
	"status":    "description indicator",
	"component": "created_at description group group_id id name only_show_if_degraded page_id position showcase start_date status updated_at",
	"group":     "components created_at description group group_id id name only_show_if_degraded page_id position showcase start_date status updated_at",
	"incident":  "components created_at id impact incident_updates monitoring_at name page_id reminder_intervals resolved_at shortlink started_at status updated_at",
	"work":      "components created_at id impact incident_updates monitoring_at name page_id reminder_intervals resolved_at scheduled_for scheduled_until shortlink started_at status updated_at",
	"update":    "affected_components body created_at custom_tweet deliver_notifications display_at id incident_id status tweet_id updated_at",
	"affected":  "code name new_status old_status",
}

// v2Top are the keys of each document.
var v2Top = map[string]string{
	"/api/v2/summary.json":                         "components incidents page scheduled_maintenances status",
	"/api/v2/status.json":                          "page status",
	"/api/v2/components.json":                      "components page",
	"/api/v2/incidents.json":                       "incidents page",
	"/api/v2/incidents/unresolved.json":            "incidents page",
	"/api/v2/scheduled-maintenances.json":          "page scheduled_maintenances",
	"/api/v2/scheduled-maintenances/upcoming.json": "page scheduled_maintenances",
	"/api/v2/scheduled-maintenances/active.json":   "page scheduled_maintenances",
}

type object = map[string]any

func keys(o object) string { return strings.Join(slices.Sorted(maps.Keys(o)), " ") }

func TestStatuspageShapes(t *testing.T) {
	for name, model := range map[string]*status.Page{"normal": publictest.Troubled(), "well": publictest.Well(), "empty": publictest.Empty()} {
		sheets, err := v2Sheets(model)
		if err != nil {
			t.Fatal(err)
		}
		if len(sheets) != len(v2Top) {
			t.Errorf("there are %d documents, want %d", len(sheets), len(v2Top))
		}
		for path, want := range v2Top {
			var doc object
			if err := json.Unmarshal(sheets[path].body, &doc); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if got := keys(doc); got != want {
				t.Errorf("%s of %s has keys %q, want %q", path, name, got, want)
			}
			if !sheets[path].open {
				t.Errorf("%s is not open to any origin", path)
			}
			checkV2(t, name+path, doc)
		}
	}
}

// checkV2 checks the objects of a document by their keys.
func checkV2(t *testing.T, where string, doc object) {
	t.Helper()
	same := func(kind string, o object) {
		if d := cmp.Diff(v2Keys[kind], keys(o)); d != "" {
			t.Errorf("%s: %s keys (-want +got):\n%s", where, kind, d)
		}
	}
	components := func(list any) {
		for _, c := range list.([]any) {
			kind := "component"
			if c.(object)["group"] == true {
				kind = "group"
				_ = c.(object)["components"].([]any)
			}
			same(kind, c.(object))
		}
	}
	happenings := func(kind string, list any) {
		for _, i := range list.([]any) {
			same(kind, i.(object))
			components(i.(object)["components"])
			for _, u := range i.(object)["incident_updates"].([]any) {
				same("update", u.(object))
				for _, a := range u.(object)["affected_components"].([]any) {
					same("affected", a.(object))
				}
			}
		}
	}
	same("page", doc["page"].(object))
	for key, value := range doc {
		switch key {
		case "status":
			same("status", value.(object))
		case "components":
			components(value)
		case "incidents":
			happenings("incident", value)
		case "scheduled_maintenances":
			happenings("work", value)
		}
	}
}

// v2Moment is RFC 3339 with milliseconds and an offset, which consumers parse strictly.
var v2Moment = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

func TestStatuspageTimesAndNulls(t *testing.T) {
	sheets, err := v2Sheets(publictest.Troubled())
	if err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case object:
			for k, v := range x {
				walk(path+"."+k, v)
			}
		case []any:
			for _, v := range x {
				walk(path+"[]", v)
			}
		case string:
			key := path[strings.LastIndexByte(path, '.')+1:]
			if (strings.HasSuffix(key, "_at") || strings.HasPrefix(key, "scheduled_")) && !v2Moment.MatchString(x) {
				t.Errorf("%s is %q", path, x)
			}
		case nil:
			if strings.HasSuffix(path, "s") && !strings.HasSuffix(path, "reminder_intervals") {
				t.Errorf("%s is null", path)
			}
		}
	}
	for path, s := range sheets {
		var doc object
		if err := json.Unmarshal(s.body, &doc); err != nil {
			t.Fatal(err)
		}
		walk(path, doc)
	}
}

func TestStatuspageListsByState(t *testing.T) {
	sheets, err := v2Sheets(publictest.Well())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/v2/scheduled-maintenances/active.json":   "in_progress",
		"/api/v2/scheduled-maintenances/upcoming.json": "scheduled",
		"/api/v2/scheduled-maintenances.json":          "scheduled in_progress completed",
		"/api/v2/summary.json":                         "in_progress scheduled",
	} {
		var doc struct {
			Works []struct {
				Status string `json:"status"`
			} `json:"scheduled_maintenances"`
		}
		if err := json.Unmarshal(sheets[path].body, &doc); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range doc.Works {
			got = append(got, w.Status)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s lists %v, want %s", path, got, want)
		}
	}
}

func TestStatuspageNeverSaysNotMeasured(t *testing.T) {
	p := publictest.Normal()
	p.Groups[0].Status, p.Groups[0].Components[0].Status = status.NotMeasured, status.NotMeasured
	sheets, err := v2Sheets(p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sheets["/api/v2/summary.json"].body), string(status.NotMeasured)) {
		t.Error("a status that the shapes do not know is in the summary")
	}
}

func TestStatuspageMaintenanceWasAnnouncedBeforeItBegins(t *testing.T) {
	page := publictest.Normal()
	began := publictest.Minute.Add(-10 * time.Minute)
	page.Ahead = []status.Occurrence{{ID: "ahead", Title: "Ahead", Components: []string{"search"}, From: publictest.Minute.Add(72 * time.Hour), To: publictest.Minute.Add(73 * time.Hour), State: status.MaintenanceScheduled}}
	page.Current = []status.Occurrence{{ID: "current", Title: "Current", Components: []string{"search"}, From: began, To: publictest.Minute.Add(time.Hour), StartedAt: began, State: status.MaintenanceInProgress}}
	if file := string(calendarFile(page, page.Ahead)); strings.Contains(file, "DTSTAMP:"+page.Ahead[0].From.Format("20060102T150405Z")) {
		t.Error("its calendar entry was written when it begins")
	}
	v := newV2(page)
	if w := v.upcoming[0]; time.Time(w.CreatedAt).After(publictest.Minute) || time.Time(w.UpdatedAt).After(publictest.Minute) || w.Updates[0].Affected[0].OldStatus != w.Updates[0].Affected[0].NewStatus {
		t.Errorf("what lies ahead has lain in the future or moved something: %+v", w)
	}
	if w := v.active[0]; !time.Time(w.UpdatedAt).Equal(began) || w.Updates[0].Affected[0] != (v2Affected{"search", w.Components[0].Name, status.Operational, status.UnderMaintenance}) {
		t.Errorf("what is in progress: %+v", w)
	}
}
