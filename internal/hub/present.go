package hub

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// maxRead is how many components are read one by one; beyond it all are read at
// once.
const maxRead = 50

// Present knows what components there are and how each stands now, on both
// tracks, in this process: it follows the journal, whoever watches. It is
// answered from memory. All methods are safe for concurrent use.
type Present struct {
	record  Record
	reading sync.Mutex // one Load or Follow at a time
	scene   atomic.Pointer[scene]
}

// scene is what is known. It is never written after it was made.
type scene struct {
	site       status.Site
	groups     map[string]status.Group // by id
	definition map[string]status.Component
	components []incident.Component
	byKey      map[string]int
	keys       map[string]string      // by component ID
	observed   map[string]status.Span // by key: the open ones
	published  map[string]status.Span
}

var _ incident.Components = (*Present)(nil)

// NewPresent makes a Present that knows nothing yet: Load comes first.
func NewPresent(r Record) *Present {
	p := &Present{record: r}
	p.scene.Store(&scene{})
	return p
}

// Load reads everything. Errors: Unavailable; what was known stays known then.
func (p *Present) Load(ctx context.Context) (err error) {
	defer problem.Wrap(&err, "load the present")
	p.reading.Lock()
	defer p.reading.Unlock()
	return p.load(ctx)
}

func (p *Present) load(ctx context.Context) error {
	c, err := p.record.Catalog(ctx, false)
	if err != nil {
		return err
	}
	spans, err := p.record.OpenSpans(ctx)
	if err != nil {
		return err
	}
	next := &scene{
		site: c.Site, groups: map[string]status.Group{}, definition: make(map[string]status.Component, len(c.Components)),
		keys: make(map[string]string, len(c.Components)), observed: map[string]status.Span{}, published: map[string]status.Span{},
	}
	for _, g := range c.Groups {
		next.groups[g.ID] = g
	}
	for _, d := range c.Components {
		next.definition[d.Key], next.keys[d.ID] = d, d.Key
	}
	for _, s := range spans {
		next.put(s)
	}
	next.compose(c.Components)
	p.scene.Store(next)
	return nil
}

// put takes an open span.
func (s *scene) put(span status.Span) {
	if span.Track == status.Observed {
		s.observed[span.Component] = span
	} else {
		s.published[span.Component] = span
	}
}

// compose makes the components as the incident wing knows them.
func (s *scene) compose(defined []status.Component) {
	s.components = make([]incident.Component, 0, len(defined))
	s.byKey = make(map[string]int, len(defined))
	for _, d := range defined {
		c := incident.Component{
			Key: d.Key, ID: d.ID, Name: d.Name, Group: d.Group, Public: d.Public, Runbook: d.Runbook,
			Policy: string(d.Publish), PublishAfter: d.PublishAfter,
			Status: string(s.published[d.Key].Status), Observed: string(s.observed[d.Key].Status),
		}
		for _, id := range d.Needs {
			if key, ok := s.keys[id]; ok {
				c.Needs = append(c.Needs, key)
			}
		}
		s.byKey[d.Key] = len(s.components)
		s.components = append(s.components, c)
	}
}

// Follow takes sealed entries and reads again what they touch. Errors:
// Unavailable; what was known stays known then, and the entries may come again.
func (p *Present) Follow(ctx context.Context, entries []journal.Sealed) (err error) {
	defer problem.Wrap(&err, "follow the journal")
	moved, redefined := map[string]bool{}, false
	for _, e := range entries {
		switch {
		case e.Verb == "component.moved":
			moved[e.Subject.ID] = true
		case e.Subject.Kind == "setup", e.Subject.Kind == "group", e.Subject.Kind == "component" && definesComponent(e.Verb),
			strings.HasPrefix(e.Verb, "definition."):
			redefined = true
		}
	}
	if !redefined && len(moved) == 0 {
		return nil
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	if redefined || len(moved) > maxRead {
		return p.load(ctx)
	}
	return p.reread(ctx, moved)
}

// definesComponent reports verbs after which a component may be another one.
// Those that only concern alerts and statements leave it as it was.
func definesComponent(verb string) bool {
	switch verb {
	case "component.silenced", "component.unsilenced", "component.stated", "component.unstated", "component.held", "component.confirmed":
		return false
	}
	return true
}

// reread reads the open spans of a few components.
func (p *Present) reread(ctx context.Context, keys map[string]bool) error {
	was := p.scene.Load()
	next := *was
	next.observed, next.published = cloneMap(was.observed), cloneMap(was.published)
	next.components = slices.Clone(was.components)
	for key := range keys {
		spans, err := openSpans(ctx, p.record, key)
		if err != nil {
			return err
		}
		for _, s := range spans {
			next.put(s)
		}
		if n, ok := next.byKey[key]; ok {
			next.components[n].Status = string(next.published[key].Status)
			next.components[n].Observed = string(next.observed[key].Status)
		}
	}
	p.scene.Store(&next)
	return nil
}

func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	out := make(map[K]V, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// openSpans reads the open spans of one component on both tracks.
func openSpans(ctx context.Context, r Record, key string) ([]status.Span, error) {
	var out []status.Span
	for _, track := range []status.Track{status.Observed, status.Published} {
		spans, err := r.Spans(ctx, key, track, farAhead, farAhead.Add(time.Second))
		if err != nil {
			return nil, err
		}
		for _, s := range spans {
			if s.Open() {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// farAhead is a moment that only open spans touch.
var farAhead = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

// Known gives every component, in the order of the page. It must not be written to.
func (p *Present) Known() []incident.Component { return p.scene.Load().components }

// component gives one by key.
func (s *scene) component(key string) (incident.Component, bool) {
	n, ok := s.byKey[key]
	if !ok {
		return incident.Component{}, false
	}
	return s.components[n], true
}
