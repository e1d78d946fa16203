package status

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Statement is a person's word on what the page says of a component. While it
// is given it ranks above what checks see and below maintenance; when it is
// given no longer the page says what checks say, from then on.
type Statement struct {
	Component string    // key
	Status    Status    // anything but not measured
	Ref       string    // what it belongs to, as kind/id: incident/ID, saying/ID
	From      time.Time // from when it holds; may lie in the past, where it reaches back into the open span at most
}

const (
	// restateEvery is how often what people said is read again although nobody
	// asked for it: a nudge that was lost costs so much time and no more.
	restateEvery = 30 * time.Second
	// restateSoon is the pause before it is read again when it could not be read.
	restateSoon = time.Second
)

// spoken is everything that people said and that still holds.
type spoken struct {
	statements []Statement
	holds      []Hold
}

// Restate says that people may have spoken: incidents changed, or a component
// was given a status by hand. The watch reads what holds now and shows it. It
// never blocks; where this process does not watch it has no effect.
func (w *Watch) Restate() { nudge(w.restate) }

// people reads what people said that still holds. Errors: Unavailable.
func (w *Watch) people(ctx context.Context) (p spoken, err error) {
	sayings, err := w.store.Sayings(ctx)
	if err != nil {
		return spoken{}, err
	}
	for _, s := range sayings {
		p.statements = append(p.statements, s.statement())
	}
	if p.holds, err = w.store.Holds(ctx, w.now()); err != nil {
		return spoken{}, err
	}
	if w.statements == nil {
		return p, nil
	}
	more, err := w.statements(ctx)
	if err != nil {
		return spoken{}, err
	}
	p.statements = append(p.statements, more...)
	return p, nil
}

// statementLoop listens to people until ctx ends.
func (w *Watch) statementLoop(ctx context.Context) {
	timer := time.NewTimer(restateEvery)
	defer timer.Stop()
	for {
		w.beat(loopStatements, restateEvery)
		select {
		case <-ctx.Done():
			return
		case <-w.restate:
		case <-timer.C:
		}
		p, err := w.people(ctx)
		if err != nil {
			if ctx.Err() == nil {
				w.log.Warn("what people say of components cannot be read, trying again", "err", err)
			}
			timer.Reset(restateSoon)
			continue
		}
		timer.Reset(restateEvery)
		w.mu.Lock()
		w.engine.hear(p, w.now())
		w.wakeRecorder()
		w.mu.Unlock()
	}
}

// hear takes everything that people say now in place of what they said before.
func (e *engine) hear(p spoken, now time.Time) {
	for _, h := range e.people.holds {
		if c := e.components[h.Component]; c != nil && c.hold == h.hold() {
			c.hold = hold{}
		}
	}
	e.people = p
	for _, h := range p.holds {
		if c := e.components[h.Component]; c != nil {
			c.hold = h.hold()
		}
	}
	said := map[string][]Statement{}
	for _, s := range p.statements {
		if s.Status.Valid() && s.Status != NotMeasured && s.Ref != "" {
			said[s.Component] = append(said[s.Component], s)
		}
	}
	for key, c := range e.components {
		if len(said[key]) > 0 || len(c.page.stated) > 0 {
			e.state(c, said[key], now)
		}
	}
}

// state makes what people say of one component the word of the page: of several
// statements the worst, and of equals the one that was there first.
func (e *engine) state(c *judged, said []Statement, now time.Time) {
	p := &c.page
	slices.SortFunc(said, func(a, b Statement) int {
		return cmp.Or(severity[b.Status]-severity[a.Status], a.From.Compare(b.From), cmp.Compare(a.Ref, b.Ref))
	})
	before := p.stated
	p.stated = said
	if len(said) == 0 {
		p.trouble = wrong(p.says.Status)
		if len(p.works) == 0 {
			e.uncover(c, now)
		}
		return
	}
	word := said[0]
	if wrong(word.Status) && c.def.Publish == PublishAfterConfirm {
		// Whoever says that something is wrong has confirmed that something is.
		p.release()
		p.trouble = true
	}
	if len(p.works) > 0 {
		return
	}
	from := word.From
	if slices.ContainsFunc(before, func(s Statement) bool { return s.Ref == word.Ref && !word.From.After(s.From) }) {
		from = now // it was there already: a worse one went, or it says something else now
	}
	e.say(c, earlier(from, now))
}

// say puts the person's word on the page, from a moment on. A word that the page
// shows already goes on without a cut, over a restart too.
func (e *engine) say(c *judged, from time.Time) {
	word, l := c.page.stated[0], &c.page.ledger
	if open := l.open(); open.Origin == ByHuman && open.Ref == word.Ref && open.Status == word.Status {
		return
	}
	from = later(later(from.UTC().Truncate(time.Microsecond), c.page.floor), l.base().From)
	got, _ := e.enter(c, l, Span{
		Track: Published, From: from, Status: word.Status, Origin: ByHuman, Ref: word.Ref,
		Public: spokenWords(word.Status, from, e.zone), Staff: "said by a person: " + word.Ref,
	})
	c.page.floor = later(c.page.floor, got.From)
}

// spokenWords tells visitors that a person says so; "" when all is well.
func spokenWords(s Status, from time.Time, zone *time.Location) string {
	switch s {
	case Operational:
		return ""
	case UnderMaintenance:
		return "In maintenance since " + clockTime(from, zone) + "."
	default:
		return "Our team has known of this since " + clockTime(from, zone) + "."
	}
}

// uncover lets the page say, from a moment on, what stood under something that
// has ended: a person's word, else what checks say.
func (e *engine) uncover(c *judged, at time.Time) {
	c.page.floor = at
	if len(c.page.stated) > 0 {
		e.say(c, at)
		return
	}
	e.show(c, []Span{c.page.says})
}
