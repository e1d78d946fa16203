package monitors

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

func TestRedisPing(t *testing.T) {
	s := miniredis.RunT(t)
	wantResult(t, ask(t, config.Monitor{Kind: "redis", Target: s.Addr()}), status.OK, status.CauseNone, "")
	s.RequireUserAuth("ops", "pass-word")
	wantResult(t, ask(t, config.Monitor{Kind: "redis", Target: s.Addr()}), status.Failed, status.CauseBadAnswer, "NOAUTH")
	wantResult(t, ask(t, config.Monitor{Kind: "redis", URL: "redis://ops:pass-word@" + s.Addr() + "/5"}), status.OK, status.CauseNone, "")
	spec := config.Monitor{Kind: "redis", Target: s.Addr(), Auth: config.Auth{Username: "ops", Password: config.Secret{Plain: "guess"}}}
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, "signing in: the server says")
}

func TestRedisStates(t *testing.T) {
	for said, reason := range map[string]string{
		"-LOADING Redis is loading the dataset in memory": "LOADING",
		"+HELLO":                    `says "HELLO", want PONG`,
		"$7":                        "", // announces seven bytes and keeps them
		"$9999999999":               "announces a string",
		"$x":                        "announces a string",
		"*2":                        "not of Redis",
		"HTTP/1.1 400 Bad Request":  "not of Redis",
		"":                          "empty line",
		strings.Repeat("x", 20_000): "longer than",
	} {
		at := serve(t, script(nil, "C: *1", "C: $4", "C: PING", "S: "+said))
		res := askWithin(t, config.Monitor{Kind: "redis", Target: at}, quick)
		if reason == "" {
			wantResult(t, res, status.Failed, status.CauseNoAnswer, "no answer in time")
		} else {
			wantResult(t, res, status.Failed, status.CauseBadAnswer, reason)
		}
	}
}

func TestRedisConditionKnowsTheRole(t *testing.T) {
	info := "# Replication\r\nrole:slave\r\nmaster_link_status:down\r\nconnected_slaves:2\r\n"
	facts := redisReplication(info)
	if facts.Role != "slave" || facts.LinkUp || facts.Replicas != 2 {
		t.Errorf("got %+v", facts)
	}
}

func TestRedisOverTLS(t *testing.T) {
	a := newAuthority(t, time.Now().Add(365*24*time.Hour))
	s := miniredis.NewMiniRedis()
	if err := s.StartTLS(a.Server); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	res := ask(t, config.Monitor{Kind: "redis", URL: "rediss://" + s.Addr(), TLS: config.TLS{CAFile: a.File}})
	wantResult(t, res, status.OK, status.CauseNone, "")
	if res.Phases[status.PhaseTLS] <= 0 {
		t.Errorf("phases %v", res.Phases)
	}
	wantResult(t, ask(t, config.Monitor{Kind: "redis", URL: "rediss://" + s.Addr()}), status.Failed, status.CauseTLS, "unknown authority")
}

// TestRedisLengthOfEveryType covers queue depth (S4-30).
func TestRedisLengthOfEveryType(t *testing.T) {
	s := miniredis.RunT(t)
	for i := range 3 {
		name := string(rune('a' + i))
		_, _ = s.Push("list", name)
		_, _ = s.SAdd("set", name)
		_, _ = s.ZAdd("sorted", float64(i), name)
		s.HSet("hash", name, "v")
		if _, err := s.XAdd("stream", "*", []string{"k", name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set("string", "abc"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"list", "set", "sorted", "hash", "stream", "string"} {
		res := ask(t, config.Monitor{Kind: "redis_length", Target: s.Addr(), Key: key, Value: config.Value{Unit: "jobs", FailOver: new(2.0)}})
		wantResult(t, res, status.Failed, status.CauseThreshold, "is 3 jobs, over the limit of 2 jobs")
		if res.Value != 3 || !res.HasValue {
			t.Errorf("%s: value %v", key, res.Value)
		}
	}
	res := ask(t, config.Monitor{Kind: "redis_length", Target: s.Addr(), Key: "nothing", Value: config.Value{WarnUnder: new(1.0)}})
	wantResult(t, res, status.Slow, status.CauseThreshold, "the absent key nothing is 0, under the warning limit of 1")
}
