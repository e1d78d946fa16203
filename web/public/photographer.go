// Package public makes what visitors see: the pages, the feeds, the JSON, the
// badges. It turns the model of the page into bytes ahead of every request and
// hands those out. It knows the status wing's page model and nothing of SQL, of
// Redis, or of the framework that routes what is not ready.
package public

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Model is the read model of the page; *status.Board is one.
type Model interface {
	// Page gives the page of a minute, from memory.
	Page(now time.Time) *status.Page
	// Component gives a component's page. Errors: NotFound, Unavailable.
	Component(ctx context.Context, id string, now time.Time) (*status.ComponentPage, error)
	// Incident gives an incident's page. Errors: NotFound, Unavailable.
	Incident(ctx context.Context, id string, now time.Time) (*status.IncidentPage, error)
	// History gives months, newest first. Errors: Unavailable.
	History(ctx context.Context, now time.Time, months int) ([]status.HistoryMonth, error)
}

// The rhythm of the photographer.
const (
	// Closest is the least time between two renderings of everything: a change
	// after a quiet second is shown at once, a storm of them once a second.
	Closest = time.Second
	// Soonest is the same for what people say, and for what follows from it: that
	// is rare, and waited for.
	Soonest = 100 * time.Millisecond
	// StaleAfter is the age from which a page says that it is old.
	StaleAfter = 3 * time.Minute
	lookEvery  = 15 * time.Second // how often the age is looked at
	idleAfter  = 3 * time.Second  // without a change, before the better compression
	takeWithin = 10 * time.Second // one rendering on demand
	maxKept    = 512              // photographs made on demand that are kept
)

// Options is what a Photographer needs.
type Options struct {
	Folder  string // where pages are kept for a start without a database; "" = nowhere
	Log     *slog.Logger
	Now     func() time.Time
	Metrics *Metrics
	// Announce is told when a new front page stands: its journal position and version.
	Announce func(seq, version int64)
	// Offers tells how visitors can subscribe now; nil = by feed alone.
	Offers func() Offers
}

// Photographer renders pages after a change and on the minute, keeps them, and
// finds them again. Use New; Run must run for pages to change.
type Photographer struct {
	o      Options
	stage  stage
	room   darkroom
	rows   rows // of the goroutine of Run
	shelf  shelf
	source atomic.Pointer[source]
	wake   chan struct{}
	hurry  chan struct{}
	rested chan struct{} // something new is shown; the idle work may begin after a while
	flight singleflight.Group

	first chan struct{}                          // closed when the first rendering was tried
	shown atomic.Pointer[map[string]*Photograph] // by path, always ready
	taken atomic.Pointer[moment]

	waited int // times the idle work was put off, of its goroutine

	mu   sync.Mutex             // over writes to shown, and over kept
	kept map[string]*Photograph // made on demand
}

// source is where pages come from, once the record is there.
type source struct {
	model Model
	lag   func() time.Duration
}

// moment is what the shown pages were made of.
type moment struct {
	page   *status.Page
	number uint64    // grows with every rendering; photographs on demand hold for one number
	fresh  time.Time // up to when the pages are known to be true
	paused bool      // they say that they are old
}

// New makes a photographer and puts up what was kept on disk.
func New(o Options) *Photographer {
	p := &Photographer{o: o, stage: newStage(o.Offers), wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), rested: make(chan struct{}, 1), first: make(chan struct{}), kept: map[string]*Photograph{}}
	p.rows.stage = p.stage
	p.shelf = shelf{folder: o.Folder, log: o.Log}
	m := &moment{page: &status.Page{Site: status.Site{Name: "Service"}, Status: status.NotMeasured}}
	shown := map[string]*Photograph{}
	if index, ok := p.shelf.open(); ok {
		m.fresh = index.Fresh
		m.page = &status.Page{Site: index.Site, Status: index.Status, At: index.Fresh, Changed: index.Fresh}
		for path, k := range index.Pages {
			if !k.Always {
				continue
			}
			if body, err := p.shelf.read(path); err == nil {
				shown[path] = p.room.develop(path, k.sheet(body), index.Fresh)
			} else {
				o.Log.Warn("a kept page cannot be read", "path", path, "err", err)
			}
		}
	}
	p.shown.Store(&shown)
	p.taken.Store(m)
	p.age(o.Now())
	return p
}

// Attach names the model that pages are made of, and how far it is behind the
// record; nil means never.
func (p *Photographer) Attach(m Model, lag func() time.Duration) {
	if lag == nil {
		lag = func() time.Duration { return 0 }
	}
	p.source.Store(&source{m, lag})
	p.Changed()
}

// First is closed when the first pages stand, or could not be rendered.
func (p *Photographer) First() <-chan struct{} { return p.first }

// Changed asks for new pages: something changed, or a minute began. It returns at once.
func (p *Photographer) Changed() { nudge(p.wake) }

// Hurry is Changed for what people said: it does not wait for a quiet second.
func (p *Photographer) Hurry() { nudge(p.hurry) }

// HasPages reports whether there is anything to serve.
func (p *Photographer) HasPages() bool { return len(*p.shown.Load()) > 0 }

// Fresh tells up to when the shown pages are known to be true; zero without pages.
func (p *Photographer) Fresh() time.Time { return p.taken.Load().fresh }

// nudge wakes whoever waits, or whoever waits next.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run renders and keeps until ctx ends. It gives nil then.
func (p *Photographer) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { p.renderLoop(ctx); return nil })
	g.Go(func() error { p.idleLoop(ctx); return nil })
	return g.Wait()
}

// renderLoop renders at once after a change that follows a quiet second, and
// otherwise at the end of that second; what people say, and what follows at its
// heels, sooner.
func (p *Photographer) renderLoop(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	tried := sync.OnceFunc(func() { close(p.first) })
	for {
		wait := Closest
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			p.age(p.o.Now())
			continue
		case <-p.wake:
		case <-p.hurry:
			wait = Soonest
		}
		if err := p.publish(p.o.Now()); err != nil {
			p.o.Log.Error("the page cannot be rendered; the last one stays", "err", err)
		}
		tried()
		p.rest(ctx, wait)
	}
}

// rest waits between two renderings, and no longer than Soonest when somebody is
// in a hurry.
func (p *Photographer) rest(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(Soonest):
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait - Soonest):
	case <-p.hurry:
		nudge(p.hurry) // for the loop to see
	}
}

// publish renders everything that is always ready. Errors: Internal.
func (p *Photographer) publish(now time.Time) error {
	src := p.source.Load()
	if src == nil {
		return nil
	}
	lag := src.lag()
	if lag > StaleAfter {
		p.age(now)
		return nil
	}
	began := time.Now()
	page := src.model.Page(now.UTC().Truncate(time.Minute))
	sheets, err := p.sheets(page)
	if err != nil {
		return err
	}
	before := p.taken.Load()
	next := make(map[string]*Photograph, len(sheets))
	old := *p.shown.Load()
	var developing sync.WaitGroup
	var put sync.Mutex // over next
	for path, s := range sheets {
		developing.Go(func() {
			ph := old[path]
			if ph == nil || before.paused || !bytes.Equal(ph.Body(), s.body) || ph.policy() != s.policy {
				ph = p.room.develop(path, s, page.At)
			}
			put.Lock()
			defer put.Unlock()
			next[path] = ph
		})
	}
	developing.Wait()
	p.mu.Lock()
	p.shown.Store(&next)
	p.taken.Store(&moment{page: page, number: before.number + 1, fresh: now.Add(-lag).UTC()})
	if withdrawn(before.page, page) {
		clear(p.kept)
	}
	p.mu.Unlock()
	p.o.Metrics.rendered(time.Since(began))
	if next["/"] != old["/"] || before.paused {
		p.o.Announce(page.Seq, version(page))
	}
	nudge(p.rested)
	return nil
}

// withdrawn reports whether an incident is told no longer. Nothing that was made
// while it was may be shown again then, not even when the record is away: it may
// have become private.
func withdrawn(before, now *status.Page) bool {
	told := make(map[string]bool, len(now.Recent))
	for n := range now.Recent {
		told[now.Recent[n].ID] = true
	}
	for n := range before.Recent {
		if !told[before.Recent[n].ID] {
			return true
		}
	}
	return false
}

// sheets renders what is always ready. The JSON is written beside the pages,
// because both are large. Errors: Internal.
func (p *Photographer) sheets(page *status.Page) (map[string]sheet, error) {
	var documents map[string]sheet
	var g errgroup.Group
	g.Go(func() (err error) {
		if documents, err = v2Sheets(page); err != nil {
			err = fmt.Errorf("write the API: %w", err)
		}
		return err
	})
	out := map[string]sheet{
		"/maintenance.ics": {body: calendarAll(page), kind: typeICS, open: true},
		"/favicon.svg":     picture(favicon(page.Status)),
		"/badge.svg":       picture(badge(brand(page.Site.Name)+" status", page.Headline.Status)),
	}
	for path, render := range map[string]func() (sheet, error){
		"/":      func() (sheet, error) { return p.stage.front(page, &p.rows) },
		"/embed": func() (sheet, error) { return p.stage.embed(page) },
		"/history.atom": func() (sheet, error) {
			b, err := atom(page, p.stage.prose)
			return sheet{body: b, kind: typeAtom, open: true}, err
		},
		"/history.rss": func() (sheet, error) {
			b, err := rss(page, p.stage.prose)
			return sheet{body: b, kind: typeRSS, open: true}, err
		},
		"/feed.json": func() (sheet, error) {
			b, err := feedJSON(page, p.stage.prose)
			return sheet{body: b, kind: typeFeed, open: true}, err
		},
	} {
		s, err := render()
		if err != nil {
			return nil, errors.Join(err, g.Wait())
		}
		out[path] = s
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	maps.Copy(out, documents)
	return out, nil
}

// picture makes the sheet of a drawing; its own style is all that it may use.
func picture(svg []byte) sheet {
	return sheet{body: svg, kind: typeSVG, open: true, policy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *"}
}

// age makes pages say that they are old once they are, by putting a notice into
// their bytes: it needs no template and no model.
func (p *Photographer) age(now time.Time) {
	m := p.taken.Load()
	fresh := m.fresh
	if src := p.source.Load(); src != nil && !m.paused {
		fresh = now.Add(-src.lag()).UTC()
	}
	if m.paused || fresh.IsZero() || now.Sub(fresh) <= StaleAfter {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := *p.shown.Load()
	next := make(map[string]*Photograph, len(old))
	for path, was := range old {
		next[path] = p.dated(was, fresh)
	}
	for path, was := range p.kept {
		p.kept[path] = p.dated(was, fresh)
	}
	p.shown.Store(&next)
	p.taken.Store(&moment{page: m.page, number: m.number + 1, fresh: fresh, paused: true})
	p.o.Log.Warn("the page is old and says so", "fresh", fresh)
}

// dated gives a photograph with the notice of its age; what is not a page stays.
func (p *Photographer) dated(was *Photograph, fresh time.Time) *Photograph {
	if !was.html {
		return was
	}
	s := was.sheet()
	s.body = Stamp(s.body, pausedNotice(fresh))
	return p.room.develop(was.path, s, was.at)
}

// Find gives the photograph of a path if one is ready: always the case for the
// front page, the JSON and the feeds once the hub has begun.
func (p *Photographer) Find(path string) *Photograph {
	return (*p.shown.Load())[path]
}

// Take gives the photograph of a page that is made on demand: it is rendered
// once for everybody who asks before anything changes. When the record is away,
// the last one is given. Errors: NotFound, Unavailable, Internal.
func (p *Photographer) Take(ctx context.Context, path string) (*Photograph, error) {
	m := p.taken.Load()
	was, holds := p.made(path, m)
	if holds {
		return was, nil
	}
	made := p.flight.DoChan(fmt.Sprint(m.number, path), func() (any, error) {
		if now, holds := p.made(path, m); holds {
			return now, nil // by a flight that landed since the look above
		}
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), takeWithin, problem.Unavailable(nil, "This page took too long to make."))
		defer cancel()
		return p.take(ctx, path, m, was)
	})
	select {
	case <-ctx.Done():
		return nil, problem.Unavailable(context.Cause(ctx), "The request ended.")
	case r := <-made:
		ph, _ := r.Val.(*Photograph)
		return ph, r.Err
	}
}

// made gives what was made of a path on demand, and whether it holds for m.
func (p *Photographer) made(path string, m *moment) (was *Photograph, holds bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was = p.kept[path]
	return was, was != nil && (was.number == m.number || m.paused)
}

// take renders one page on demand.
func (p *Photographer) take(ctx context.Context, path string, m *moment, was *Photograph) (*Photograph, error) {
	s, err := p.onDemand(ctx, path, m)
	switch kind := problem.KindOf(err); {
	case kind == problem.KindNotFound:
		p.forget(path)
		return nil, err
	case err != nil:
		if last := p.last(path, was, m); last != nil {
			p.o.Log.Warn("a page cannot be made; the last one is served", "path", path, "err", err)
			return last, nil
		}
		return nil, err
	}
	if m.paused && s.html {
		s.body = Stamp(s.body, pausedNotice(m.fresh))
	}
	ph := p.room.develop(path, s, m.page.At)
	ph.number = m.number
	if was != nil && was.tag == ph.tag { // unchanged: keep the better compressed one
		same := *was
		same.number = m.number
		ph = &same
	}
	p.keep(ph)
	return ph, nil
}

// keep remembers a photograph made on demand; when there are too many, some
// other one makes room.
func (p *Photographer) keep(ph *Photograph) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.kept[ph.path]; !known && len(p.kept) >= maxKept {
		for path := range p.kept {
			delete(p.kept, path)
			break
		}
	}
	p.kept[ph.path] = ph
	nudge(p.rested)
}

// forget drops a page that no longer exists.
func (p *Photographer) forget(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.kept, path)
}

// last gives the newest photograph there ever was of a path, dated; nil for none.
func (p *Photographer) last(path string, was *Photograph, m *moment) *Photograph {
	if was != nil {
		if !m.paused {
			return p.dated(was, was.at)
		}
		return was
	}
	index, ok := p.shelf.open()
	if !ok {
		return nil
	}
	k, ok := index.Pages[path]
	if !ok {
		return nil
	}
	body, err := p.shelf.read(path)
	if err != nil {
		return nil
	}
	ph := p.dated(p.room.develop(path, k.sheet(body), index.Fresh), index.Fresh)
	ph.number = m.number
	p.keep(ph)
	return ph
}

// Failure renders the page of an error in the look of the others: its bytes and
// its policy. Errors: Internal.
func (p *Photographer) Failure(code int, detail, request string) ([]byte, string, error) {
	return p.stage.failure(p.taken.Load().page, code, detail, request)
}

// idleLoop compresses better and keeps on disk what stood for a while.
func (p *Photographer) idleLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			p.save()
			return
		case <-p.rested:
		}
		select {
		case <-ctx.Done():
			p.save()
			return
		case <-time.After(idleAfter):
		}
		select {
		case <-p.rested: // it changed again: wait for a quieter moment
			nudge(p.rested)
			if p.waited++; p.waited < mostWaits {
				continue
			}
		default:
		}
		p.waited = 0
		aside(func() { p.polish(ctx) })
		p.save()
	}
}

// mostWaits bounds how often idle work is put off while changes keep coming.
const mostWaits = 10

// polish compresses what stands as well as it gets, and swaps it in where it still stands.
func (p *Photographer) polish(ctx context.Context) {
	p.mu.Lock()
	todo := make([]*Photograph, 0, 16)
	for _, ph := range *p.shown.Load() {
		todo = append(todo, ph)
	}
	for _, ph := range p.kept {
		todo = append(todo, ph)
	}
	p.mu.Unlock()
	for _, was := range todo {
		if ctx.Err() != nil {
			return
		}
		if was.polished {
			continue
		}
		better := p.room.polish(was)
		p.mu.Lock()
		if shown := *p.shown.Load(); shown[was.path] == was {
			next := maps.Clone(shown)
			next[was.path] = better
			p.shown.Store(&next)
		} else if p.kept[was.path] == was {
			p.kept[was.path] = better
		}
		p.mu.Unlock()
	}
}

// save keeps on disk what is shown, unless it says that it is old.
func (p *Photographer) save() {
	m := p.taken.Load()
	if m.paused || m.number == 0 {
		return
	}
	p.mu.Lock()
	always, kept := *p.shown.Load(), maps.Clone(p.kept)
	p.mu.Unlock()
	p.shelf.store(m, always, kept)
}
