package latency

import (
	"slices"
	"strings"
	"testing"

	"evenkeel/internal/problem"
)

func TestRedisURLForms(t *testing.T) {
	tests := []struct {
		url, user, password, master string
		addresses                   []string
		db                          int
		secure, cluster             bool
	}{
		{url: "redis://cache.example.org", addresses: []string{"cache.example.org:6379"}},
		{url: "redis://cache.example.org:7000/3", addresses: []string{"cache.example.org:7000"}, db: 3},
		{url: "redis://[::1]/?db=2", addresses: []string{"[::1]:6379"}, db: 2},
		{url: "redis://[::1]:7000", addresses: []string{"[::1]:7000"}},
		{url: "redis://hub:p%40ss%2Fw@cache.example.org", user: "hub", password: "p@ss/w", addresses: []string{"cache.example.org:6379"}},
		{url: "redis://:secret@cache.example.org", password: "secret", addresses: []string{"cache.example.org:6379"}},
		{url: "rediss://cache.example.org?server_name=redis", addresses: []string{"cache.example.org:6379"}, secure: true},
		{url: "unix:///run/redis/redis.sock", addresses: []string{"/run/redis/redis.sock"}},
		{url: "unix://hub:pw@/run/redis.sock?db=1", user: "hub", password: "pw", addresses: []string{"/run/redis.sock"}, db: 1},
		{url: "redis+sentinel://a,b:26380/main", master: "main", addresses: []string{"a:26379", "b:26380"}},
		{url: "rediss+sentinel://u:p@a:1,b:2,c:3/main/5", user: "u", password: "p", master: "main", addresses: []string{"a:1", "b:2", "c:3"}, db: 5, secure: true},
		{url: "redis+cluster://a,b:7001,[::1]:7002", addresses: []string{"a:6379", "b:7001", "[::1]:7002"}, cluster: true},
		{url: "redis+cluster://one.example.org", addresses: []string{"one.example.org:6379"}, cluster: true},
	}
	for _, test := range tests {
		o, err := parseURL(test.url)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		if !slices.Equal(o.Addrs, test.addresses) || o.Username != test.user || o.Password != test.password || o.MasterName != test.master ||
			o.DB != test.db || (o.TLSConfig != nil) != test.secure || o.IsClusterMode != test.cluster {
			t.Errorf("%s: got %+v", test.url, o)
		}
	}
}

func TestRedisURLRefused(t *testing.T) {
	for _, bad := range []string{
		"", "cache.example.org", "http://cache.example.org", "redis:/cache", "redis://", "redis://a:b:c", "redis://a,b", "redis://a:0", "redis://a:99999",
		"redis://a/x", "redis://a/-1", "redis://a?timeout=3", "redis://a?ca_file=/x", "redis://a#b", "redis://hidden:%zz@a", "unix://", "unix:///", "unix://host/path",
		"redis+sentinel://a", "redis+sentinel://a/", "redis+sentinel:///m", "redis+sentinel://a,,b/m", "redis+cluster://a/1", "redis+cluster://a?db=1",
		"redis+cluster://", "rediss://a?ca_file=/does/not/exist", "rediss://a?cert_file=/does/not/exist", "redis+other://a", "http+cluster://a",
		"redis+sentinel://a/m?ca_file=x", "redis://a?sentinel_password=x", "redis+cluster://" + strings.Repeat("a,", maxNodes) + "a",
	} {
		_, err := parseURL(bad)
		if problem.KindOf(err) != problem.KindInvalid {
			t.Errorf("%q: got %v, want Invalid", bad, err)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: the error repeats what may be a password", bad)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("redis://user:password@host:6379/1?db=2")
	f.Add("rediss+sentinel://a,b/m/1")
	f.Add("unix:///x?db=1")
	f.Fuzz(func(t *testing.T, raw string) {
		if strings.Contains(raw, "_file") { // reads no files for the fuzzer
			return
		}
		o, err := parseURL(raw)
		if err != nil && problem.KindOf(err) != problem.KindInvalid {
			t.Fatalf("got %v, want Invalid", err)
		}
		if err == nil && len(o.Addrs) == 0 {
			t.Fatal("no address and no error")
		}
	})
}
