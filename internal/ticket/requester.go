package ticket

import (
	"context"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Requester gives who wrote in, with their newest tickets.
func (d *Desk) Requester(ctx context.Context, by access.Actor, id string, limit int) (Requester, []Ticket, error) {
	if err := by.CheckOn(access.TicketRead); err != nil {
		return Requester{}, nil, err
	}
	r, err := d.store.Requester(ctx, id)
	if err != nil {
		return Requester{}, nil, err
	}
	page, err := d.List(ctx, by, Query{Requester: id, Merged: true, Sort: Newest, Limit: limit})
	return r, page.Tickets, err
}

// FindRequesters gives those whose address or name begins so, for choosing whom a
// ticket is for.
func (d *Desk) FindRequesters(ctx context.Context, by access.Actor, beginning string, limit int) ([]Requester, error) {
	if err := by.CheckOn(access.TicketRead); err != nil {
		return nil, err
	}
	beginning = strings.ToLower(cutRunes(oneLine(beginning), MaxName))
	if beginning == "" || limit < 1 || limit > MaxPage {
		return nil, nil
	}
	return d.store.FindRequesters(ctx, beginning, limit)
}

// About is what staff can say of a requester.
type About struct {
	Name    string
	Address string
	Others  []string
	Phone   string
	Notes   string
	Version int64 // as it was read
}

// EditRequester changes what is known of a requester. A new address is written to
// from then on, and a mark that mail does not arrive goes with the old one. Errors:
// Invalid; Conflict when an address belongs to somebody else.
func (d *Desk) EditRequester(ctx context.Context, by access.Actor, id string, a About) (Requester, error) {
	return d.onRequester(ctx, by, id, "changed", func(r *Requester, _ journal.Tx) error {
		if a.Version != 0 && a.Version != r.Version {
			return problem.Conflict("Somebody else changed this requester first. Look again.")
		}
		var err error
		if r.Name, err = line("name", a.Name, MaxName, true); err != nil {
			return err
		}
		if r.Phone, err = line("phone", a.Phone, MaxTag, true); err != nil {
			return err
		}
		if r.Notes, err = text("notes", a.Notes, MaxNotes, true); err != nil {
			return err
		}
		if len(a.Others) > MaxOthers {
			return problem.Invalid("others", "%d are too many; %d are allowed.", len(a.Others), MaxOthers)
		}
		was := r.Address
		r.Address, r.Others = "", nil
		for i, s := range append([]string{a.Address}, a.Others...) {
			address := normalised(s)
			switch {
			case address == "" && strings.TrimSpace(s) != "":
				return problem.Invalid("address", "%q is no mail address.", cutRunes(oneLine(s), MaxTag))
			case i == 0:
				r.Address = address
			case address != "" && address != r.Address && !slices.Contains(r.Others, address):
				r.Others = append(r.Others, address)
			}
		}
		if r.Address != was {
			r.Bad = ""
		}
		return nil
	})
}

// Block keeps mail of a requester out of the desk: it is kept and opens nothing;
// or lets it in again.
func (d *Desk) Block(ctx context.Context, by access.Actor, id string, blocked bool) (Requester, error) {
	verb := "unblocked"
	if blocked {
		verb = "blocked"
	}
	return d.onRequester(ctx, by, id, verb, func(r *Requester, _ journal.Tx) error { r.Blocked = blocked; return nil })
}

// MarkBadIn says why mail does not reach the requester with the address; "" that it
// does. One that is not known is no error.
func (d *Desk) MarkBadIn(ctx context.Context, tx journal.Tx, address, why string) error {
	r, err := d.store.RequesterOf(ctx, tx, normalised(address))
	if err != nil {
		return absentIsNil(err)
	}
	if (r.Bad == "") == (why == "") {
		return nil
	}
	r.Bad = cutRunes(oneLine(why), MaxSubject)
	if err := d.store.PutRequester(ctx, tx, &r); err != nil {
		return err
	}
	return tx.Append(requesterEntry("changed", r.ID))
}

// Join makes one requester of two: tickets and addresses of the first go to the
// second. Errors: Invalid for the same; TooMany for more tickets than MaxBulk.
func (d *Desk) Join(ctx context.Context, by access.Actor, from, into string) (Requester, error) {
	if from == into {
		return Requester{}, problem.Invalid("into", "This is the same requester.")
	}
	return d.onRequester(ctx, by, into, "changed", func(r *Requester, tx journal.Tx) error {
		old, err := d.store.RequesterForUpdate(ctx, tx, from)
		if err != nil {
			return err
		}
		if !old.ErasedAt.IsZero() {
			return problem.Conflict("One of them was erased.")
		}
		ids, err := d.store.TicketsOf(ctx, tx, from, MaxBulk+1)
		if err != nil {
			return err
		}
		if len(ids) > MaxBulk {
			return problem.TooMany("This requester has more than %d tickets.", MaxBulk)
		}
		for _, id := range ids {
			t, err := d.store.TicketForUpdate(ctx, tx, id)
			if err != nil {
				return err
			}
			t.Requester = r.ID
			h := d.take(ctx, tx, by, &t)
			if err := h.keep(); err != nil {
				return err
			}
			if err := h.tell("handed_over", map[string]string{"requester": r.ID, "was": from}); err != nil {
				return err
			}
		}
		gained := append([]string{old.Address}, old.Others...)
		old.Address, old.Others, old.Name, old.Phone, old.Notes, old.ErasedAt = "", nil, "", "", "", tx.Now()
		if err := d.store.PutRequester(ctx, tx, &old); err != nil {
			return err
		}
		for _, a := range gained {
			if a == "" || a == r.Address || slices.Contains(r.Others, a) {
				continue
			}
			if len(r.Others) == MaxOthers {
				return problem.TooMany("One requester has at most %d further addresses.", MaxOthers)
			}
			r.Others = append(r.Others, a)
		}
		return nil
	})
}

// onRequester runs fn on a requester in a unit of work and writes them back.
func (d *Desk) onRequester(ctx context.Context, by access.Actor, id, verb string, fn func(*Requester, journal.Tx) error) (Requester, error) {
	if err := by.CheckOn(access.TicketAnswer); err != nil {
		return Requester{}, err
	}
	var out Requester
	err := d.work.Do(ctx, by.As(access.TicketAnswer), func(tx journal.Tx) error {
		r, err := d.store.RequesterForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		if !r.ErasedAt.IsZero() {
			return problem.Conflict("This requester was erased.")
		}
		if err := fn(&r, tx); err != nil {
			return err
		}
		if err := d.store.PutRequester(ctx, tx, &r); err != nil {
			return err
		}
		out = r
		return tx.Append(requesterEntry(verb, r.ID))
	})
	return out, err
}

func requesterEntry(verb, id string) journal.Entry {
	return journal.Entry{Verb: "requester." + verb, Subject: journal.Ref{Kind: "requester", ID: id}, Audience: journal.AudienceStaff}
}
