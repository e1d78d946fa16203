package monitors

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// pinged is what was heard, fixed.
type pinged []status.Ping

func (p pinged) Signals(string) []status.Ping { return p }

func TestHeartbeatFollowsItsSchedule(t *testing.T) {
	at := func(s string) time.Time {
		m, err := time.Parse("2006-01-02 15:04:05", "2026-11-"+s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ping := func(signal status.PingSignal, when string) status.Ping {
		return status.Ping{At: at(when), Signal: signal}
	}
	hourly := config.Schedule{Every: config.Duration(time.Hour)}
	nightly := config.Schedule{Cron: "30 2 * * *", Zone: "Europe/Vienna"} // 01:30 UTC in winter
	success, fail, start := status.PingSuccess, status.PingFail, status.PingStart
	failed := ping(fail, "20 10:00:00")
	failed.Exit, failed.Log = 3, "disk full"
	done := ping(success, "20 10:00:00")
	done.RunTime = 90 * time.Second
	for _, c := range []struct {
		name     string
		schedule config.Schedule
		pings    []status.Ping
		since    string // when listening began
		offline  [2]string
		now      string
		outcome  status.Outcome
		cause    status.Cause
		reason   string
	}{
		{"on time", hourly, []status.Ping{done}, "20 08:00:00", [2]string{}, "20 10:30:00", status.OK, status.CauseNone, ""},
		{"within grace", hourly, []status.Ping{done}, "20 08:00:00", [2]string{}, "20 11:04:00", status.OK, status.CauseNone, ""},
		{"late", hourly, []status.Ping{done}, "20 08:00:00", [2]string{}, "20 11:05:01", status.Failed, status.CauseMissing, "no success since 2026-11-20 10:00:00 UTC; one was due by 2026-11-20 11:05:00 UTC"},
		{"never yet", hourly, nil, "20 08:00:00", [2]string{}, "20 08:30:00", status.Inconclusive, status.CauseSelf, "no ping has come yet; one is due by 2026-11-20 09:05:00"},
		{"never", hourly, nil, "20 08:00:00", [2]string{}, "20 09:05:01", status.Failed, status.CauseMissing, "no ping has ever come"},
		{"said fail", hourly, []status.Ping{done, failed, ping(fail, "20 10:10:00")}, "20 08:00:00", [2]string{}, "20 10:30:00", status.Failed, status.CauseBadAnswer, "the job said that it failed at 2026-11-20 10:10:00"},
		{"said fail with a reason", hourly, []status.Ping{failed}, "20 08:00:00", [2]string{}, "20 10:30:00", status.Failed, status.CauseBadAnswer, "with exit code 3: disk full"},
		{"fail then success", hourly, []status.Ping{failed, ping(success, "20 10:20:00")}, "20 08:00:00", [2]string{}, "20 10:30:00", status.OK, status.CauseNone, ""},
		{"late but under way", hourly, []status.Ping{done, ping(start, "20 11:04:00")}, "20 08:00:00", [2]string{}, "20 11:08:00", status.OK, status.CauseNone, ""},
		{"started and silent", hourly, []status.Ping{done, ping(start, "20 10:40:00")}, "20 08:00:00", [2]string{}, "20 10:46:00", status.Failed, status.CauseMissing, "started at 2026-11-20 10:40:00 UTC and has said nothing since"},
		{"failed and runs again", hourly, []status.Ping{failed, ping(start, "20 10:29:00")}, "20 08:00:00", [2]string{}, "20 10:30:00", status.Failed, status.CauseBadAnswer, "runs again since"},
		{"cron on time", nightly, []status.Ping{ping(success, "20 01:31:00")}, "19 00:00:00", [2]string{}, "21 01:20:00", status.OK, status.CauseNone, ""},
		{"cron late", nightly, []status.Ping{ping(success, "20 01:31:00")}, "19 00:00:00", [2]string{}, "21 01:35:01", status.Failed, status.CauseMissing, "due by 2026-11-21 01:35:00 UTC"},
		{"hub off when it was due", nightly, []status.Ping{ping(success, "20 01:31:00")}, "21 03:00:00", [2]string{"20 23:00:00", "21 03:00:00"}, "21 04:00:00", status.Inconclusive, status.CauseSelf, "may have come while the hub was off; the next is due by 2026-11-22 01:35:00"},
		{"a day later it is missing", nightly, []status.Ping{ping(success, "20 01:31:00")}, "21 03:00:00", [2]string{"20 23:00:00", "21 03:00:00"}, "22 01:36:00", status.Failed, status.CauseMissing, "no success since"},
		{"a restart forgives nothing", nightly, []status.Ping{ping(success, "20 01:31:00")}, "21 01:30:10", [2]string{"21 01:29:50", "21 01:30:10"}, "21 01:36:00", status.Failed, status.CauseMissing, "no success since"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := at(c.since)
			env := Env{Now: func() time.Time { return now }, Pings: pinged(c.pings)}
			if c.offline[0] != "" {
				env.Offline = Absence{at(c.offline[0]), at(c.offline[1])}
			}
			p := compiled(t, config.Monitor{
				Kind: "heartbeat", Schedule: c.schedule, Grace: config.Duration(5 * time.Minute), Token: config.Secret{Plain: "0123456789abcdef"},
			}, env)
			now = at(c.now)
			res := Once(t.Context(), p, "key", "local", time.Second)
			wantHTTP(t, res, c.outcome, c.cause, c.reason)
			if c.name == "on time" && (res.Latency != 90*time.Second || res.Facts.Numbers["heartbeat_last_success_timestamp_seconds"] == 0) {
				t.Errorf("run time %s, facts %v", res.Latency, res.Facts.Numbers)
			}
		})
	}
}

func TestHeartbeatCondition(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	env := Env{Now: func() time.Time { return now }, Pings: pinged{{At: now.Add(-time.Minute), Signal: status.PingSuccess, RunTime: 2 * time.Hour, Log: "rows: 0"}}}
	spec := config.Monitor{Kind: "heartbeat", Schedule: config.Schedule{Every: config.Duration(day)}, Token: config.Secret{Plain: "0123456789abcdef"}}
	for condition, want := range map[string]string{
		`run_time < 3 * 3600 && age < 3600`: "",
		`not (log contains "rows: 0")`:      "does not hold",
	} {
		spec.Expect.Condition = condition
		res := Once(t.Context(), compiled(t, spec, env), "key", "local", time.Second)
		if (want == "") != (res.Outcome == status.OK) || !strings.Contains(res.Reason, want) {
			t.Errorf("%s: %s %q", condition, res.Outcome, res.Reason)
		}
	}
}

func TestHeartbeatCronKeepsLocalTimeAcrossDST(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	p := compiled(t, config.Monitor{
		Kind: "heartbeat", Schedule: config.Schedule{Cron: "0 4 * * *"}, Token: config.Secret{Plain: "0123456789abcdef"},
	}, Env{Zone: zone}).probe.(*heartbeatProbe)
	for _, day := range []string{"2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"} { // the eve of each change
		from, _ := time.Parse(time.RFC3339, day)
		if local := p.due(from).In(zone); local.Hour() != 4 || local.Day() != from.Day()+1 {
			t.Errorf("after %s it is due at %s, want 04:00 the next day", day, local)
		}
	}
}

func TestHeartbeatRefusesImpossibleSchedules(t *testing.T) {
	for _, c := range []struct {
		spec  config.Monitor
		field string
	}{
		{config.Monitor{}, "schedule"},
		{config.Monitor{}, "token"},
		{config.Monitor{Schedule: config.Schedule{Every: config.Duration(time.Hour), Cron: "* * * * *"}}, "schedule"},
		{config.Monitor{Schedule: config.Schedule{Cron: "61 * * * *"}}, "schedule.cron"},
		{config.Monitor{Schedule: config.Schedule{Cron: "* * * *"}}, "schedule.cron"},
		{config.Monitor{Schedule: config.Schedule{Cron: "0 0 30 2 *"}}, "schedule.cron"}, // the 30th of February
		{config.Monitor{Schedule: config.Schedule{Cron: "TZ=UTC 0 0 * * *"}}, "schedule.cron"},
		{config.Monitor{Schedule: config.Schedule{Cron: "@every 1s"}}, "schedule.cron"},
		{config.Monitor{Schedule: config.Schedule{Cron: "0 0 * * *", Zone: "Mars/Olympus"}}, "schedule.zone"},
		{config.Monitor{Grace: config.Duration(-time.Second)}, "grace"},
	} {
		c.spec.Kind = "heartbeat"
		_, err := Compile(c.spec, Env{})
		if problem.KindOf(err) != problem.KindInvalid || !strings.Contains(err.Error(), c.field+": ") {
			t.Errorf("%+v: got %v, want a problem with %s", c.spec.Schedule, err, c.field)
		}
	}
}

func FuzzCron(f *testing.F) {
	for _, s := range []string{"* * * * *", "*/5 1-3 1,15 * MON-FRI", "0 0 31 2 *", "@daily", "0 0 ? * 0"} {
		f.Add(s, int64(1_790_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		from := time.Unix(at%4_000_000_000, 0)
		s, err := parseCron(text, time.UTC, from)
		if err != nil {
			return
		}
		if next := s.Next(from); !next.After(from) {
			t.Fatalf("%q after %s is due at %s", text, from, next)
		}
	})
}
