package status

import (
	"slices"
	"time"
)

// MaxHeldMoves bounds the moves of one component that wait for a person; beyond
// it the oldest are forgotten, the present never.
const MaxHeldMoves = 32

// DefaultPublishAfter is how long a person has to confirm when the file does not say.
const DefaultPublishAfter = 10 * time.Minute

// publication is what the page says of one component, as against what checks
// see. Maintenance is over human is over machine; what of the machine's moves
// reaches the page is the policy's.
type publication struct {
	ledger  ledger
	works   []string    // refs of the maintenance in progress, in order of start
	stated  []Statement // what people say of it now, the word that holds first
	floor   time.Time   // machine moves are not dated back before it: maintenance or a person spoke then
	says    Span        // the newest machine move that passed, shown or covered
	held    []Span      // observed moves that wait for a person, in order
	trouble bool        // the page says, or a person confirmed, that something is wrong
	due     time.Time   // when held moves are published without a person; zero = never
}

// wrong reports whether a status is trouble that a policy may hold back.
func wrong(s Status) bool { return s.Worse(UnderMaintenance) }

// covered reports whether the page says something else than what checks say.
func (p *publication) covered() bool { return len(p.works) > 0 || len(p.stated) > 0 }

// passes reports whether the policy lets a move through as it comes.
//
//   - auto: always.
//   - after_confirm: trouble only when the page shows trouble already; the end
//     of trouble always.
//   - manual: while the page shows no trouble, only whether it is measured at
//     all; once a person published trouble, nothing until a person says more.
func (p *publication) passes(policy Publish, s Status) bool {
	switch policy {
	case PublishAfterConfirm:
		return p.trouble || !wrong(s)
	case PublishManual:
		return !p.trouble && !wrong(s)
	default:
		return true
	}
}

// offer gives the moves that the page makes when checks saw move: none while it
// is held back, maintenance is on or a person speaks.
func (p *publication) offer(c *Component, move Span, now time.Time) []Span {
	if !p.passes(c.Publish, move.Status) {
		p.keep(move)
		if c.Publish == PublishAfterConfirm && p.due.IsZero() {
			after := c.PublishAfter
			if after == 0 {
				after = DefaultPublishAfter
			}
			p.due = now.Add(after)
		}
		return nil
	}
	p.held, p.due = nil, time.Time{}
	p.trouble, p.says = wrong(move.Status), move
	if p.covered() {
		return nil
	}
	return []Span{move}
}

// keep holds a move back. Moves that it is dated before never were.
func (p *publication) keep(move Span) {
	for n := len(p.held); n > 0 && !p.held[n-1].From.Before(move.From); n = len(p.held) {
		p.held = p.held[:n-1]
	}
	p.held = append(p.held, move)
	if len(p.held) > MaxHeldMoves {
		p.held = slices.Delete(p.held, 0, 1)
	}
}

// release gives the held moves: a person confirmed them, or nobody did in time.
func (p *publication) release() []Span {
	moves := p.held
	p.held, p.due = nil, time.Time{}
	if len(moves) == 0 {
		return nil
	}
	p.says = moves[len(moves)-1]
	p.trouble = wrong(p.says.Status)
	if p.covered() {
		return nil
	}
	return moves
}

// begin starts maintenance on the component and reports whether it is the first.
func (p *publication) begin(ref string) bool {
	if slices.Contains(p.works, ref) {
		return false
	}
	p.works = append(p.works, ref)
	return len(p.works) == 1
}

// finish ends one maintenance and reports whether it was the last.
func (p *publication) finish(ref string) bool {
	i := slices.Index(p.works, ref)
	if i < 0 {
		return false
	}
	p.works = slices.Delete(p.works, i, i+1)
	return len(p.works) == 0
}
