package app

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/notify"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/telemetry"
)

// TestHeartbeatKeepsSilentWhenALoopStands: the dead-man's heartbeat goes out only
// while every loop reports.
func TestHeartbeatKeepsSilentWhenALoopStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		health := telemetry.NewHealth()
		is := well(health)
		health.Beat("watch", time.Second)
		health.Note("redis", false, "away")
		if err := is(); err != nil {
			t.Errorf("%v", err)
		}
		<-time.After(time.Minute)
		if err := is(); err == nil || !strings.HasPrefix(problem.Public(err), "watch: silent for") {
			t.Errorf("%v", err)
		}
	})
}

// TestStandingIsWhatThePageSays: asked again once the page may have changed.
func TestStandingIsWhatThePageSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var page *status.Page
		asked := 0
		say := standing(func(time.Time) *status.Page {
			asked++
			return page
		})
		fine := notify.Standing{ID: "page", Indicator: "none", Description: "All Systems Operational"}
		if got := say(); got != fine {
			t.Errorf("%+v", got)
		}
		page = &status.Page{Site: status.Site{URL: "https://status.example.org"}, Indicator: status.IndicatorMajor, Description: "Partial System Outage"}
		if got := say(); got != fine || asked != 1 {
			t.Errorf("%+v, asked %d times", got, asked)
		}
		<-time.After(standingFor + time.Millisecond)
		if got := say(); got != (notify.Standing{ID: "status.example.org", Indicator: "major", Description: "Partial System Outage"}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestNamesAreKeptForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, away := 0, false
		name := naming(func(context.Context) (map[string]string, error) {
			asked++
			if away {
				return nil, problem.Unavailable(nil, "away")
			}
			return map[string]string{"01": "Ann"}, nil
		})
		for range 3 {
			if got := name("person/01"); got != "Ann" {
				t.Errorf("%q", got)
			}
		}
		if got := name("token/01") + name("hub") + name("person/02"); got != "" {
			t.Errorf("%q", got)
		}
		away = true
		<-time.After(time.Minute)
		if got := name("person/01"); got != "Ann" || asked != 2 {
			t.Errorf("%q after %d looks", got, asked)
		}
	})
}
