package notice

import (
	"context"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"strings"
)

// errAckLink answers tokens that are not ours or whose bearer has left.
func errAckLink() error { return problem.NotFound("This link does not work any more.") }

// Acknowledging gives the alert that a signed link is about: for the page that
// asks before it acts, as programs that read mail open links too. Errors:
// NotFound, Unavailable.
func (d *Desk) Acknowledging(ctx context.Context, token string) (Alert, error) {
	a, _, err := d.bearer(ctx, token)
	return a, err
}

// AcknowledgeLink acknowledges the alert of a signed link, in the name of whom
// the link was sent to: having it is the right to. Errors: NotFound, Conflict
// when it is over, Unavailable.
func (d *Desk) AcknowledgeLink(ctx context.Context, token string) (Alert, error) {
	a, who, err := d.bearer(ctx, token)
	if err != nil {
		return a, err
	}
	var out Alert
	err = d.do(ctx, access.Actor{ID: who, Role: access.RoleAnyone}, func(tx journal.Tx) error {
		a, err := d.store.AlertIn(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		out, err = d.change(ctx, tx, a, func(p *plan, a *Alert) error { return p.acknowledge(a, who) })
		return err
	})
	return out, err
}

// bearer reads a link: the alert, and the id of the person it was sent to, or
// the reference of the place.
func (d *Desk) bearer(ctx context.Context, token string) (Alert, string, error) {
	id, who, ok := d.open(toAcknowledge, token)
	if !ok {
		return Alert{}, "", errAckLink()
	}
	if person, is := strings.CutPrefix(who, "person/"); is {
		if _, err := d.people.Contact(ctx, person); missing(err) {
			return Alert{}, "", errAckLink()
		} else if err != nil {
			return Alert{}, "", err
		}
		who = person
	}
	found, err := d.store.NoticeAlerts(ctx, AlertQuery{ID: id, Limit: 1})
	if err == nil && len(found) == 0 {
		err = errAckLink()
	}
	if err != nil {
		return Alert{}, "", err
	}
	return found[0], who, nil
}
