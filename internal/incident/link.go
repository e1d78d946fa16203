package incident

import (
	"context"
	"regexp"
	"slices"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
)

// The relations of a link.
const (
	CausedBy   = "caused_by"
	FixedBy    = "fixed_by"
	ReportedBy = "reported_by"
	Related    = "related"
	Duplicate  = "duplicate"
)

var relations = []string{CausedBy, FixedBy, ReportedBy, Related, Duplicate}

// kindOf is the shape of a Ref's kind. Any wing's will do, so that those to come
// change nothing here.
var kindOf = regexp.MustCompile(`^[a-z][a-z_]{1,30}$`)

// Link ties the incident to a thing of any wing (Ref) or to an address outside
// (URL, Title); Relation "" is Related. Linking twice changes the relation.
// Errors: Invalid, TooMany.
func (r *Room) Link(ctx context.Context, by access.Actor, id string, l Link) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		l, err := l.checked(h.i.ID)
		if err != nil {
			return err
		}
		l.By, l.At = by.ID, h.now
		if n := slices.IndexFunc(h.i.Links, l.same); n >= 0 {
			h.i.Links[n] = l
		} else if len(h.i.Links) >= MaxLinks {
			return problem.TooMany("An incident has at most %d links.", MaxLinks)
		} else {
			h.i.Links = append(h.i.Links, l)
		}
		return h.linked("linked", l)
	})
}

// Unlink takes a link away: the one with the same Ref or URL. Errors: NotFound.
func (r *Room) Unlink(ctx context.Context, by access.Actor, id string, l Link) (Incident, error) {
	return r.change(ctx, by, id, claim{access.IncidentNote, false, 0}, func(h *hand) error {
		n := slices.IndexFunc(h.i.Links, l.same)
		if n < 0 {
			return problem.NotFound("There is no such link in %s.", h.i.Label())
		}
		gone := h.i.Links[n]
		h.i.Links = slices.Delete(h.i.Links, n, n+1)
		return h.linked("unlinked", gone)
	})
}

// same reports whether two links lead to the same thing.
func (l Link) same(m Link) bool { return l.Ref == m.Ref && l.URL == m.URL }

// checked gives the link as it is kept. Errors: Invalid.
func (l Link) checked(incident string) (Link, error) {
	if l.Relation == "" {
		l.Relation = Related
	}
	if !slices.Contains(relations, l.Relation) {
		return l, problem.Invalid("relation", "%q is no relation.", l.Relation)
	}
	if l.URL == "" {
		l.Title = ""
		switch {
		case !kindOf.MatchString(l.Ref.Kind) || !reference.MatchString(l.Ref.ID):
			return l, problem.Invalid("ref", "A link needs a kind and an id, or an https:// address.")
		case l.Ref.Kind == "incident" && l.Ref.ID == incident:
			return l, problem.Invalid("ref", "An incident is not linked to itself.")
		}
		return l, nil
	}
	l.Ref.Kind, l.Ref.ID = "", ""
	var err error
	if l.URL, err = outside("url", l.URL); err != nil {
		return l, err
	}
	if l.Title == "" {
		l.Title = l.URL[:min(len(l.URL), MaxLinkTitle)]
	}
	l.Title, err = line("title", l.Title, MaxLinkTitle)
	return l, err
}

// linked tells of a link. An address outside stays out of the journal.
func (h *hand) linked(verb string, l Link) error {
	facts := map[string]string{"relation": l.Relation}
	payload := map[string]string{"relation": l.Relation}
	if l.URL != "" {
		facts["url"], facts["title"] = l.URL, l.Title
		payload["ref"] = "url"
	} else {
		facts["ref"], payload["ref"] = l.Ref.String(), l.Ref.String()
	}
	if err := h.fact(verb, facts); err != nil {
		return err
	}
	return h.tellStaff(verb, payload)
}
