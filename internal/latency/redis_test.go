package latency

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/testkit"
)

// patience bounds what real servers may take.
const patience = 30 * time.Second

// soon gives results of monitor "shop" of the last minutes.
func soon(count int) []status.Result {
	start := time.Now().UTC().Add(-time.Duration(count) * 10 * time.Second)
	batch := make([]status.Result, count)
	for i := range batch {
		batch[i] = run(start.Add(time.Duration(i)*10*time.Second), time.Duration(i+1)*time.Millisecond)
	}
	return batch
}

// roundTrip records, saves, and reads from a Recorder that remembers nothing.
func roundTrip(t *testing.T, redisURL string) {
	t.Helper()
	r := open(t, Options{URL: redisURL})
	if err := r.Ping(t.Context()); err != nil {
		t.Fatalf("ping: %v", err)
	}
	batch := soon(30)
	for i := range 50 { // monitors on every node of a cluster
		for _, one := range batch {
			one.Monitor = fmt.Sprint("shop-", i)
			r.Record([]status.Result{one})
		}
	}
	flushed(t, r)
	r = open(t, Options{URL: redisURL})
	for i := range 50 {
		q := shop(time.Now())
		q.Monitor = fmt.Sprint("shop-", i)
		if got := samples(t, r, q); len(got) != len(batch) {
			t.Fatalf("%s: got %d samples, want %d", q.Monitor, len(got), len(batch))
		}
	}
}

func TestRedisByEveryURL(t *testing.T) {
	certificate := testkit.NewCertificate(t)
	tests := []struct {
		name    string
		options testkit.RedisOptions
	}{
		{"unix", testkit.RedisOptions{}},
		{"tcp", testkit.RedisOptions{TCP: true}},
		{"TLS", testkit.RedisOptions{TLS: &certificate}},
		{"password", testkit.RedisOptions{TCP: true, Password: "p@ss/wörd:?#"}},
		{"ACL user", testkit.RedisOptions{User: "hub", Password: "s%cret"}},
		{"TLS and ACL user", testkit.RedisOptions{TLS: &certificate, User: "hub", Password: "secret"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			roundTrip(t, testkit.NewRedis(t, test.options).URL)
		})
	}
}

func TestRedisRefusesWrongPasswordAndAuthority(t *testing.T) {
	certificate, other := testkit.NewCertificate(t), testkit.NewCertificate(t)
	closed := testkit.NewRedis(t, testkit.RedisOptions{TCP: true, Password: "right"})
	secure := testkit.NewRedis(t, testkit.RedisOptions{TLS: &certificate})
	for _, wrong := range []string{
		strings.Replace(closed.URL, "right", "wrong", 1),
		strings.Replace(secure.URL, url.QueryEscape(certificate.CA), url.QueryEscape(other.CA), 1),
	} {
		r := open(t, Options{URL: wrong})
		if err := r.Ping(t.Context()); problem.KindOf(err) != problem.KindUnavailable {
			t.Errorf("ping: got %v, want Unavailable", err)
		}
		if r.Health().OK {
			t.Error("health: got OK")
		}
	}
}

func TestRedisCluster(t *testing.T) {
	roundTrip(t, testkit.NewRedisCluster(t).URL)
}

func TestRedisSentinelFailover(t *testing.T) {
	s := testkit.NewRedisSentinels(t)
	roundTrip(t, s.URL)
	r := open(t, Options{URL: s.URL})
	defer running(t, r)()
	s.Master.Kill(t)
	r.Record(soon(5))
	testkit.Await(t, "samples to reach the new master", patience, func() bool {
		return r.Flush(t.Context()) == nil && r.Health().OK
	})
	if got := samples(t, open(t, Options{URL: s.URL}), shop(time.Now())); len(got) != 5 {
		t.Errorf("got %d samples, want 5", len(got))
	}
}

func TestRedisAwayAtStart(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	server.Stop(t)
	r := open(t, Options{URL: server.URL})
	defer running(t, r)()
	if r.Health().OK {
		t.Error("health: got OK with Redis away")
	}
	if _, err := r.Samples(t.Context(), shop(time.Now())); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("samples: got %v, want Unavailable", err)
	}
	r.Record(soon(5))
	server.Start(t)
	testkit.Await(t, "samples to be saved", patience, func() bool { return r.Flush(t.Context()) == nil })
	if got := samples(t, r, shop(time.Now())); len(got) != 5 {
		t.Errorf("got %d samples, want 5", len(got))
	}
}

// Design section 10, promise 2: Redis away, samples are buffered to a bound and
// the loss is counted.
func TestRedisAwayBuffersToTheBoundAndCounts(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	r := open(t, Options{URL: server.URL})
	flushed(t, r)
	server.Kill(t)
	const sent = MaxBuffered + 10*frameSamples
	for range sent / frameSamples {
		r.Record(soon(frameSamples))
		if len(r.buffer.chunks)%64 == 0 {
			if err := r.flush(t.Context(), false); err == nil {
				t.Fatal("flush: got no error with Redis away")
			}
		}
	}
	if got := r.Buffered(); got != MaxBuffered {
		t.Errorf("got %d buffered, want %d", got, MaxBuffered)
	}
	if got := counter(t, r.metrics.dropped); got != sent-MaxBuffered {
		t.Errorf("got %v dropped, want %d", got, sent-MaxBuffered)
	}
	server.Start(t) // with an empty memory
	testkit.Await(t, "the buffer to drain", patience, func() bool { return r.Flush(t.Context()) == nil && r.Buffered() == 0 })
	if got := samples(t, r, shop(time.Now())); len(got) < frameSamples {
		t.Errorf("got %d samples, want at least %d", len(got), frameSamples)
	}
	if got := counter(t, r.metrics.written); got != MaxBuffered {
		t.Errorf("got %v written, want %d", got, MaxBuffered)
	}
}

func TestRedisPausedStopsNobody(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	r := open(t, Options{URL: server.URL})
	defer running(t, r)()
	r.Record(soon(3))
	flushed(t, r)
	server.Pause(t)
	if _, err := r.Samples(t.Context(), shop(time.Now())); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("samples: got %v, want Unavailable", err)
	}
	testkit.Await(t, "the pause to be noticed", patience, func() bool { return !r.Health().OK })
	r.Record(soon(7))
	server.Resume(t)
	testkit.Await(t, "Redis to be back", patience, func() bool { return r.Health().OK && r.Flush(t.Context()) == nil })
	if got := samples(t, r, shop(time.Now())); len(got) < 7 {
		t.Errorf("got %d samples, want those of the pause too", len(got))
	}
}

func TestRedisThatRefusesWritesIsReported(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{Args: []string{"--maxmemory", "1mb", "--maxmemory-policy", "noeviction"}})
	r := open(t, Options{URL: server.URL})
	r.Record(soon(3))
	if err := r.Flush(t.Context()); problem.KindOf(err) != problem.KindUnavailable {
		t.Fatalf("flush: got %v, want Unavailable", err)
	}
	if h := r.Health(); h.OK || !strings.Contains(h.Detail, "OOM") {
		t.Errorf("health: got %+v, want the reason", h)
	}
	if r.Buffered() != 3 {
		t.Errorf("got %d buffered, want 3", r.Buffered())
	}
}

// Design section 10, promise 1: what the crash log has taken survives a kill.
func TestRedisCrashLosesNothingThatWasLogged(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	crashed := open(t, Options{URL: server.URL})
	crashed.Record(soon(20))
	if err := crashed.drain(t.Context()); err != nil { // logged, not saved
		t.Fatal(err)
	}
	again := open(t, Options{URL: server.URL})
	flushed(t, again)
	reader := open(t, Options{URL: server.URL})
	if got := samples(t, reader, shop(time.Now())); len(got) != 20 {
		t.Errorf("got %d samples, want 20", len(got))
	}
}

func TestRedisFeedsOtherReplicas(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	writer, reader := open(t, Options{URL: server.URL}), open(t, Options{URL: server.URL})
	batch := soon(200)
	for i := 0; i < len(batch); i += 20 { // both write, as around a change of hands
		one := writer
		if i%40 == 0 {
			one = reader
		}
		one.Record(batch[i : i+20])
		for _, r := range []*Recorder{writer, reader} {
			if err := r.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := writer.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, other := samples(t, writer, shop(time.Now())), samples(t, reader, shop(time.Now()))
	if len(one) != len(batch) {
		t.Errorf("got %d samples, want %d", len(one), len(batch))
	}
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("the replicas differ:\n%s", diff)
	}
	if got := len(writer.frames.packed); got == 0 {
		t.Error("nothing was framed")
	}
}

func TestRedisReadsALongLogOfOthers(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	writer := open(t, Options{URL: server.URL})
	const frames = 3*readAtOnce + 1
	for i := range frames {
		one := run(time.Now().Add(-time.Duration(i)*10*time.Second), time.Second)
		writer.Record([]status.Result{one})
		if err := writer.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	reader := open(t, Options{URL: server.URL})
	if err := reader.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(reader.fresh(shop(time.Now()), 0, 1<<40)); got == 0 {
		t.Fatal("nothing was read")
	}
	if got := samples(t, reader, shop(time.Now())); len(got) != frames {
		t.Errorf("got %d samples, want %d", len(got), frames)
	}
}

func TestRedisIgnoresForeignBytes(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	server.CLI(t, "xadd", framesKey, "*", frameName, "nonsense")
	server.CLI(t, "xadd", framesKey, "*", "other", "field")
	q := shop(time.Now())
	hour := time.Now().UnixMilli() / hourMillis
	server.CLI(t, "set", pageKey("lat", name{q.Monitor, q.Location}, q.Interval, hour), "odd")
	server.CLI(t, "hset", indexKey(name{q.Monitor, q.Location}), "-1", "x", "1e99", fmt.Sprint(hour), "0.5", fmt.Sprint(hour))
	r := open(t, Options{URL: server.URL})
	r.Record(soon(2))
	flushed(t, r)
	if got := samples(t, r, q); len(got) != 2 {
		t.Errorf("got %d samples, want 2", len(got))
	}
}

func TestRedisKeysExpire(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	r := open(t, Options{URL: server.URL})
	one := run(time.Now(), time.Second)
	one.HasValue = true
	r.Record([]status.Result{one})
	flushed(t, r)
	keys := strings.Fields(server.CLI(t, "keys", "*"))
	if len(keys) != 4 { // stream, index, slots, values
		t.Errorf("got keys %v, want 4", keys)
	}
	for _, key := range keys {
		if ttl := server.CLI(t, "ttl", key); key != framesKey && (len(ttl) != 6 || ttl > "176400") { // up to 49 h
			t.Errorf("%s: got %s s to live", key, ttl)
		}
	}
}

func TestStreamIsTrimmedByAgeAndSize(t *testing.T) {
	s := &redisShelf{}
	for i := range 200 { // frames of 1 MB, one a second
		s.log(fmt.Sprintf("%d-0", 1_000_000+i*1000), 1<<20)
		floor := s.floor()
		if s.bytes > maxStream || floor < s.newest-frameKeep.Milliseconds() || floor > s.newest {
			t.Fatalf("after %d: floor %d, %d bytes", i, floor, s.bytes)
		}
	}
	for i := range 200 { // small ones
		s.log(fmt.Sprintf("%d-0", 2_000_000+i*1000), 1000)
		s.floor()
	}
	if len(s.logged) != int(frameKeep/time.Second)+1 {
		t.Errorf("got %d frames kept, want those of %v", len(s.logged), frameKeep)
	}
}

func TestBellRingsInOtherReplicas(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	one, other := open(t, Options{URL: server.URL}), open(t, Options{URL: server.URL})
	defer running(t, one)()
	defer running(t, other)()
	rings := func(what string) {
		t.Helper()
		heard := other.Bell().Wait()
		one.Bell().Ring()
		tick := time.NewTicker(100 * time.Millisecond) // again until the subscription stands
		defer tick.Stop()
		late := time.After(patience)
		for {
			select {
			case <-heard:
				return
			case <-tick.C:
				one.Bell().Ring()
			case <-late:
				t.Fatalf("%s: the bell was not heard", what)
			}
		}
	}
	rings("at first")
	server.Kill(t)
	server.Start(t)
	rings("after a restart of Redis")
}

func TestBellRingsHereWithoutRedis(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	server.Kill(t)
	var bell journal.Bell = open(t, Options{URL: server.URL}).Bell()
	heard := bell.Wait()
	bell.Ring()
	bell.Ring()
	<-heard
}

func TestRunEndsWithItsContext(t *testing.T) {
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	r := open(t, Options{URL: server.URL})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	server.Pause(t) // and even so
	cancel()
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestMetricsAreClean(t *testing.T) {
	reg := prometheus.NewRegistry()
	server := testkit.NewRedis(t, testkit.RedisOptions{})
	open(t, Options{URL: server.URL, Registerer: reg})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != 5 {
		t.Errorf("got %d metrics, want 5", len(families))
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("got %v, %v", problems, err)
	}
	if _, err := Open(t.Context(), Options{URL: server.URL, Registerer: reg}); err == nil {
		t.Error("the same metrics twice: got no error")
	}
}
