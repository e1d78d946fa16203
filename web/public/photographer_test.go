package public

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/public/publictest"
)

// photographer makes one whose clock is the real or the bubble's.
func photographer(t testing.TB, folder string) *Photographer {
	t.Helper()
	return New(Options{Folder: folder, Log: slog.New(slog.DiscardHandler), Now: time.Now, Metrics: NewMetrics(prometheus.NewRegistry()), Announce: func(int64, int64) {}, Offers: everyWay})
}

// everyWay offers all there is.
func everyWay() Offers { return Offers{Mail: true, Webhook: true, Slack: true} }

// running starts a photographer in a bubble and stops it at the end.
func running(t *testing.T, p *Photographer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// retitled is the normal page with another headline.
func retitled(title string) *status.Page {
	p := publictest.Normal()
	p.Headline.Title = title
	p.Changed = p.Changed.Add(time.Duration(len(title)) * time.Second)
	return p
}

func shows(p *Photographer, text string) bool {
	ph := p.Find("/")
	return ph != nil && strings.Contains(string(ph.Body()), text)
}

func TestChangeIsShownAtOnceAndAStormOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := photographer(t, "")
		var renders atomic.Int64
		p.o.Announce = func(int64, int64) { renders.Add(1) }
		board := publictest.NewBoard(publictest.Normal())
		p.Attach(board, nil)
		defer running(t, p)()
		synctest.Wait()
		if !shows(p, "Search is slower") {
			t.Fatal("the first page is not there at once")
		}
		<-time.After(5 * time.Second) // the bubble's clock: a quiet time
		renders.Store(0)
		board.Show(retitled("One."))
		p.Changed()
		synctest.Wait()
		if !shows(p, "One.") {
			t.Error("a change after a quiet second is not shown at once")
		}
		for i := range 50 {
			board.Show(retitled(fmt.Sprintf("Storm %d.", i)))
			p.Changed()
			<-time.After(10 * time.Millisecond)
		}
		synctest.Wait()
		if !shows(p, "One.") || renders.Load() != 1 {
			t.Errorf("within the second there were %d renderings, want 1", renders.Load())
		}
		<-time.After(time.Second)
		synctest.Wait()
		if !shows(p, "Storm 49.") || renders.Load() != 2 {
			t.Errorf("after the second: %d renderings, want 2, and the last change shown", renders.Load())
		}
	})
}

func TestWhatPeopleSayIsShownSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := photographer(t, "")
		var renders atomic.Int64
		p.o.Announce = func(int64, int64) { renders.Add(1) }
		board := publictest.NewBoard(publictest.Normal())
		p.Attach(board, nil)
		defer running(t, p)()
		<-time.After(5 * time.Second)
		synctest.Wait()
		renders.Store(0)
		board.Show(retitled("Checks moved."))
		p.Changed()
		<-time.After(30 * time.Millisecond)
		board.Show(retitled("Somebody speaks."))
		p.Hurry()
		<-time.After(Soonest)
		synctest.Wait()
		if !shows(p, "Somebody speaks.") {
			t.Error("what a person said waits for a quiet second")
		}
		board.Show(retitled("What follows from it."))
		p.Changed()
		<-time.After(Soonest)
		synctest.Wait()
		if !shows(p, "What follows from it.") {
			t.Error("what follows from what a person said waits for a quiet second")
		}
		renders.Store(0)
		for i := range 100 { // one second of shouting
			board.Show(retitled(fmt.Sprintf("Storm %d.", i)))
			p.Hurry()
			<-time.After(10 * time.Millisecond)
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		if n := renders.Load(); n > int64(time.Second/Soonest)+2 || !shows(p, "Storm 99.") {
			t.Errorf("a second of shouting was rendered %d times", n)
		}
	})
}

func TestUnchangedPageKeepsItsPhotograph(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := photographer(t, "")
		p.Attach(publictest.NewBoard(publictest.Normal()), nil)
		defer running(t, p)()
		<-time.After(time.Minute)
		synctest.Wait()
		polished := p.Find("/")
		if !polished.polished {
			t.Fatal("an idle page is not compressed well")
		}
		p.Changed()
		<-time.After(time.Minute)
		synctest.Wait()
		if p.Find("/") != polished {
			t.Error("a page with the same bytes was developed again")
		}
	})
}

func TestReplicasAgreeOnTags(t *testing.T) {
	a, b := photographer(t, ""), photographer(t, "")
	now := publictest.Minute
	for i, p := range []*Photographer{a, b} {
		p.Attach(publictest.NewBoard(publictest.Normal()), nil)
		if err := p.publish(now.Add(time.Duration(i) * 17 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	for path, ph := range *a.shown.Load() {
		if other := b.Find(path); other == nil || other.ETag() != ph.ETag() {
			t.Errorf("%s differs between replicas", path)
		}
	}
}

func TestCrowdOnAComponentRendersOnce(t *testing.T) {
	p := photographer(t, "")
	board := publictest.NewBoard(publictest.Normal())
	p.Attach(board, nil)
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	var crowd sync.WaitGroup
	for range 100 {
		crowd.Go(func() {
			if _, err := p.Take(t.Context(), "/components/search"); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	if board.Reads != 1 {
		t.Errorf("the record was read %d times for 100 visitors, want 1", board.Reads)
	}
	if err := p.publish(publictest.Minute.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Take(t.Context(), "/components/search"); err != nil {
		t.Fatal(err)
	}
	if board.Reads != 2 {
		t.Errorf("after the next rendering the record was read %d times, want 2", board.Reads)
	}
}

func TestTakeKnowsItsPages(t *testing.T) {
	p := photographer(t, "")
	p.Attach(publictest.NewBoard(publictest.Well()), nil)
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/components/search", "/history", "/history/12", "/uptime", "/subscribe", "/badge/search.svg",
		"/maintenance/m-118-20261122T0500Z", "/maintenance/m-118-20261122T0500Z.ics", "/maintenance/m-110-20261101T0500Z",
	} {
		if _, err := p.Take(t.Context(), path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"/components/nobody", "/components/", "/incidents/1", "/maintenance/x", "/maintenance/x.ics", "/badge/search", "/badge/nobody.svg", "/history/13", "/../etc"} {
		if _, err := p.Take(t.Context(), path); problem.KindOf(err) != problem.KindNotFound {
			t.Errorf("%s gave %v, want not found", path, err)
		}
	}
}

func TestLastPageIsServedWhenTheRecordIsAway(t *testing.T) {
	p := photographer(t, "")
	board := publictest.NewBoard(publictest.Normal())
	p.Attach(board, nil)
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Take(t.Context(), "/components/search"); err != nil {
		t.Fatal(err)
	}
	board.Fail(problem.Unavailable(errors.New("connection refused"), "The database is away."))
	if err := p.publish(publictest.Minute.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	ph, err := p.Take(t.Context(), "/components/search")
	if err != nil {
		t.Fatalf("the last page is not served: %v", err)
	}
	if want := "Last updated 14:32 UTC; live updates are paused."; !strings.Contains(string(ph.Body()), want) {
		t.Errorf("the last page does not say %q", want)
	}
	if _, err := p.Take(t.Context(), "/components/api"); problem.KindOf(err) != problem.KindUnavailable {
		t.Errorf("a page that never was gave %v, want unavailable", err)
	}
}

func TestOldPageSaysSoAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := photographer(t, "")
		board := publictest.NewBoard(publictest.Normal())
		var behind atomic.Int64
		p.Attach(board, func() time.Duration { return time.Duration(behind.Load()) })
		defer running(t, p)()
		synctest.Wait()
		before := p.Find("/")
		behind.Store(int64(2 * time.Minute))
		<-time.After(time.Minute)
		synctest.Wait()
		if shows(p, "live updates are paused") {
			t.Error("a page of two minutes says that it is old")
		}
		behind.Store(int64(4 * time.Minute))
		<-time.After(lookEvery)
		synctest.Wait()
		old := p.Find("/")
		if !shows(p, "live updates are paused") {
			t.Fatal("a page of four minutes does not say that it is old")
		}
		if old.ETag() == before.ETag() {
			t.Error("the old page has the tag of the fresh one")
		}
		json := p.Find("/api/v2/status.json")
		if strings.Contains(string(json.Body()), "paused") {
			t.Error("the notice is in the JSON")
		}
		<-time.After(10 * time.Minute)
		synctest.Wait()
		if strings.Count(string(p.Find("/").Body()), "live updates are paused") != 1 {
			t.Error("the notice was put in more than once")
		}
		behind.Store(0)
		p.Changed()
		<-time.After(2 * time.Second)
		synctest.Wait()
		if p.Find("/").ETag() != before.ETag() {
			t.Error("the page is not as before once the record is back")
		}
	})
}

func TestKeptPagesAreServedBeforeTheRecordIsThere(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "page")
	synctest.Test(t, func(t *testing.T) {
		p := photographer(t, folder)
		p.Attach(publictest.NewBoard(publictest.Normal()), nil)
		stop := running(t, p)
		synctest.Wait()
		if _, err := p.Take(t.Context(), "/components/search"); err != nil {
			t.Error(err)
		}
		stop()
		tag := p.Find("/").ETag()

		soon := photographer(t, folder)
		if !soon.HasPages() || soon.Find("/").ETag() != tag {
			t.Error("a restart does not serve the page that was kept")
		}
		if got, want := soon.Find("/").policy(), p.Find("/").policy(); got != want {
			t.Errorf("the kept page has policy %q, want %q", got, want)
		}

		<-time.After(time.Hour)
		late := photographer(t, folder)
		if !shows(late, "live updates are paused") {
			t.Error("a page kept for an hour does not say that it is old")
		}
		ph, err := late.Take(t.Context(), "/components/search")
		if err != nil || !strings.Contains(string(ph.Body()), "live updates are paused") {
			t.Errorf("the component's page is not served from the shelf, or not dated: %v", err)
		}
		if _, err := late.Take(t.Context(), "/components/api"); problem.KindOf(err) != problem.KindUnavailable {
			t.Errorf("a page that was not kept gave %v, want unavailable", err)
		}
		late.Attach(publictest.NewBoard(publictest.Normal()), nil)
		stop = running(t, late)
		synctest.Wait()
		stop()
		if late.Find("/").ETag() != tag {
			t.Error("the page is not fresh again once the record is there")
		}
	})
	if _, err := os.Stat(filepath.Join(folder, "components", "search", "index.html")); err != nil {
		t.Error("the shelf is not laid out as a website:", err)
	}
}

func TestBrokenShelfIsNoShelf(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, indexName), []byte(`{"fresh": 12`), 0o600); err != nil {
		t.Fatal(err)
	}
	if photographer(t, folder).HasPages() {
		t.Error("pages came out of a broken index")
	}
}

func TestPageWithoutAnythingIsRendered(t *testing.T) {
	p := photographer(t, "")
	p.Attach(publictest.NewBoard(publictest.Empty()), nil)
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	if !shows(p, "Nothing is watched yet.") {
		t.Error("the empty page does not say so")
	}
}

// BenchmarkPublish is the cost of a change: everything public is rendered and
// compressed at once, of a thousand components, of which one has changed; and
// the cost of the first page, of which nothing is known.
func BenchmarkPublish(b *testing.B) {
	pages := []*status.Page{publictest.Large(1000), publictest.Large(1000)}
	c := &pages[1].Groups[7].Components[3]
	c.Status, c.Days[89].Worst, c.Days[89].Story = status.MajorOutage, status.MajorOutage, "20 Nov: major outage since 14:02"
	pages[1].Changed = pages[1].Changed.Add(time.Minute)
	b.Run("change", func(b *testing.B) {
		p := photographer(b, "")
		board := publictest.NewBoard(pages[0])
		p.Attach(board, nil)
		if err := p.publish(publictest.Minute); err != nil {
			b.Fatal(err)
		}
		n := 0
		for b.Loop() {
			n++
			board.Show(pages[n%2])
			if err := p.publish(publictest.Minute); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("first/%d", n), func(b *testing.B) {
			board := publictest.NewBoard(publictest.Large(n))
			for b.Loop() {
				p := photographer(b, "")
				p.Attach(board, nil)
				if err := p.publish(publictest.Minute); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
