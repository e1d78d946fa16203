package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// requesterColumns are read and written in this order.
const requesterColumns = `id, name, address, others, phone, notes, bad, blocked, created_at, erased_at, version`

func scanRequester(r *sql.Rows, v *ticket.Requester) error {
	return r.Scan(&v.ID, &v.Name, &v.Address, asJSON(&v.Others), &v.Phone, &v.Notes, &v.Bad, &v.Blocked, into(&v.CreatedAt), into(&v.ErasedAt), &v.Version)
}

// Requester gives one, by id. Errors: NotFound, Unavailable.
func (s *Store) Requester(ctx context.Context, id string) (ticket.Requester, error) {
	found, err := list(ctx, s, s.db, scanRequester, `select `+requesterColumns+` from requesters where id = $1`, id)
	return only(found, err, "requester", id)
}

// Requesters gives several, by id, in no order.
func (s *Store) Requesters(ctx context.Context, ids []string) (out []ticket.Requester, err error) {
	err = pieces(ids, func(piece []string) error {
		args := make([]any, len(piece))
		for i, id := range piece {
			args[i] = id
		}
		found, err := list(ctx, s, s.db, scanRequester, `select `+requesterColumns+` from requesters where id in (`+placesOf(1, len(piece))+`)`, args...)
		out = append(out, found...)
		return err
	})
	return out, err
}

// RequesterForUpdate reads one inside the unit of work. Errors: NotFound.
func (s *Store) RequesterForUpdate(_ context.Context, jt journal.Tx, id string) (ticket.Requester, error) {
	found, err := listIn(s, jt, scanRequester, `select `+requesterColumns+` from requesters where id = $1`, id)
	return only(found, err, "requester", id)
}

// RequesterOf gives the one an address belongs to. Errors: NotFound.
func (s *Store) RequesterOf(_ context.Context, jt journal.Tx, address string) (ticket.Requester, error) {
	found, err := listIn(s, jt, scanRequester, `select `+requesterColumns+` from requesters
		where id = (select requester from requester_addresses where address = $1)`, address)
	return only(found, err, "requester", "of this address")
}

// FindRequesters gives those with an address or a name that begins so, by name.
func (s *Store) FindRequesters(ctx context.Context, beginning string, limit int) ([]ticket.Requester, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	low := strings.ToLower(beginning)
	return list(ctx, s, s.db, scanRequester, `select `+requesterColumns+` from requesters where erased_at is null and
		(id in (select requester from requester_addresses where address >= $1 and address < $2) or lower(name) >= $1 and lower(name) < $2)
		order by name, id limit $3`, low, low+"\U0010FFFF", limit)
}

// PutRequester inserts (Version 0) or updates, addresses included. Errors:
// Conflict when an address belongs to somebody else.
func (s *Store) PutRequester(_ context.Context, jt journal.Tx, v *ticket.Requester) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	values := []any{v.ID, v.Version, v.Name, v.Address, asJSON(&v.Others), v.Phone, v.Notes, v.Bad, v.Blocked, at(v.CreatedAt), at(v.ErasedAt)}
	if v.Version == 0 {
		values[1] = 1
		_, err = t.exec(`insert into requesters (id, version, name, address, others, phone, notes, bad, blocked, created_at, erased_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, values...)
	} else {
		err = t.swap("requester", v.ID, `update requesters set name = $3, address = $4, others = $5, phone = $6, notes = $7, bad = $8,
			blocked = $9, created_at = $10, erased_at = $11, version = version + 1 where id = $1 and version = $2`, values...)
	}
	if err != nil {
		return err
	}
	v.Version++
	return t.putAddresses(v)
}

// putAddresses makes the rows by which a requester is found. Of two units that
// bring the same address, one hears Conflict or is run again.
func (t *tx) putAddresses(v *ticket.Requester) error {
	want := map[string]bool{}
	for _, a := range append([]string{v.Address}, v.Others...) {
		if a != "" {
			want[a] = true
		}
	}
	if v.Version > 1 {
		var gone []string
		if err := t.rows(`select address from requester_addresses where requester = $1`, []any{v.ID}, func(r *sql.Rows) error {
			var address string
			err := r.Scan(&address)
			if !want[address] {
				gone = append(gone, address)
			}
			delete(want, address)
			return err
		}); err != nil {
			return err
		}
		for _, address := range gone {
			if _, err := t.exec(`delete from requester_addresses where address = $1`, address); err != nil {
				return err
			}
		}
	}
	for address := range want {
		n, err := t.exec(`insert into requester_addresses (address, requester) values ($1, $2) on conflict (address) do nothing`, address, v.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return problem.Conflict("This address belongs to another requester.")
		}
	}
	return nil
}

// Acknowledged tells how many automatic answers went out since a moment.
func (s *Store) Acknowledged(_ context.Context, jt journal.Tx, requester, domain string, since time.Time) (out ticket.Answered, err error) {
	t, err := s.own(jt)
	if err != nil {
		return out, err
	}
	err = t.one(`select count(*) filter (where requester = $1), count(*) filter (where domain = $2), count(*)
		from ticket_acknowledgements where at > $3`, []any{requester, domain, at(since)}, &out.Requester, &out.Domain, &out.All)
	return out, err
}

// PutAcknowledged notes an automatic answer.
func (s *Store) PutAcknowledged(_ context.Context, jt journal.Tx, requester, domain string, when time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into ticket_acknowledgements (at, requester, domain) values ($1, $2, $3)`, at(when), requester, domain)
	return err
}

// PutPresence says who has a ticket on the screen until when.
func (s *Store) PutPresence(_ context.Context, jt journal.Tx, p ticket.Presence) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into ticket_presence (ticket, person, writing, until) values ($1, $2, $3, $4)
		on conflict (ticket, person) do update set writing = excluded.writing, until = excluded.until`, p.Ticket, p.Person, p.Writing, at(p.Until))
	return err
}

// Present gives who has a ticket on the screen.
func (s *Store) Present(ctx context.Context, id string, now time.Time) ([]ticket.Presence, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, p *ticket.Presence) error {
		return r.Scan(&p.Ticket, &p.Person, &p.Writing, into(&p.Until))
	}, `select ticket, person, writing, until from ticket_presence where ticket = $1 and until > $2 order by person`, id, at(now))
}

// PruneTickets forgets presences, acknowledgements and bulk acts from before a moment.
func (s *Store) PruneTickets(_ context.Context, jt journal.Tx, now, acknowledged, bulks time.Time) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if _, err := t.exec(`delete from ticket_presence where until <= $1`, at(now)); err != nil {
		return err
	}
	if _, err := t.exec(`delete from ticket_acknowledgements where at <= $1`, at(acknowledged)); err != nil {
		return err
	}
	_, err = t.exec(`delete from ticket_bulks where at <= $1`, at(bulks))
	return err
}

// Views gives the saved views, by name.
func (s *Store) Views(ctx context.Context) ([]ticket.View, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, v *ticket.View) error {
		return r.Scan(&v.ID, &v.Name, &v.Query, &v.Sort, &v.Owner, &v.Version)
	}, `select id, name, query, sort, owner, version from ticket_views order by name, id`)
}

// PutView inserts (Version 0) or updates.
func (s *Store) PutView(_ context.Context, jt journal.Tx, v *ticket.View) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Version == 0 {
		_, err = t.exec(`insert into ticket_views (id, name, query, sort, owner, version) values ($1, $2, $3, $4, $5, 1)`,
			v.ID, v.Name, v.Query, string(v.Sort), v.Owner)
	} else {
		err = t.swap("view", v.ID, `update ticket_views set name = $3, query = $4, sort = $5, owner = $6, version = version + 1
			where id = $1 and version = $2`, v.ID, v.Version, v.Name, v.Query, string(v.Sort), v.Owner)
	}
	if err == nil {
		v.Version++
	}
	return err
}

// DropView deletes a view.
func (s *Store) DropView(_ context.Context, jt journal.Tx, id string, version int64) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("view", id, `delete from ticket_views where id = $1 and version = $2`, id, version)
}

// SavedReplies gives those made in the console, by name.
func (s *Store) SavedReplies(ctx context.Context) ([]ticket.SavedReply, error) {
	return list(ctx, s, s.db, func(r *sql.Rows, v *ticket.SavedReply) error {
		return r.Scan(&v.ID, &v.Name, &v.Body, &v.Version)
	}, `select id, name, body, version from ticket_replies order by name, id`)
}

// PutSavedReply inserts (Version 0) or updates. Errors: Conflict when the name is taken.
func (s *Store) PutSavedReply(_ context.Context, jt journal.Tx, v *ticket.SavedReply) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if v.Version == 0 {
		_, err = t.exec(`insert into ticket_replies (id, name, body, version) values ($1, $2, $3, 1)`, v.ID, v.Name, v.Body)
	} else {
		err = t.swap("saved reply", v.ID, `update ticket_replies set name = $3, body = $4, version = version + 1
			where id = $1 and version = $2`, v.ID, v.Version, v.Name, v.Body)
	}
	if err == nil {
		v.Version++
	}
	return err
}

// DropSavedReply deletes a saved reply.
func (s *Store) DropSavedReply(_ context.Context, jt journal.Tx, id string, version int64) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	return t.swap("saved reply", id, `delete from ticket_replies where id = $1 and version = $2`, id, version)
}

// PutBulk remembers what an act on many tickets changed.
func (s *Store) PutBulk(_ context.Context, jt journal.Tx, b ticket.Bulk) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into ticket_bulks (id, actor, at, undo) values ($1, $2, $3, $4)`, b.ID, b.Actor, at(b.At), asJSON(&b.Undo))
	return err
}

// Bulk gives it. Errors: NotFound.
func (s *Store) Bulk(_ context.Context, jt journal.Tx, id string) (ticket.Bulk, error) {
	found, err := listIn(s, jt, func(r *sql.Rows, b *ticket.Bulk) error {
		return r.Scan(&b.ID, &b.Actor, into(&b.At), asJSON(&b.Undo))
	}, `select id, actor, at, undo from ticket_bulks where id = $1`, id)
	return only(found, err, "act on many tickets", id)
}

// DropBulk forgets it.
func (s *Store) DropBulk(_ context.Context, jt journal.Tx, id string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`delete from ticket_bulks where id = $1`, id)
	return err
}
