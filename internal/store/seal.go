package store

import (
	"context"
	"database/sql"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// This file is PostgreSQL's half of the journal. Numbering inside everybody's
// transaction would make one row the lock of the whole house, and a plain
// sequence lets readers pass over rows that commit late. So a unit of work
// leaves its entries in journal_pending, and the one who holds the sealer's
// lease moves what has been committed into the journal.

// columns are entries turned on their side, as arrays for unnest.
type columns struct {
	ids, actors, roles, verbs, kinds, subjects, audiences, payloads []string
	recorded, effective                                             []int64
}

func (c *columns) add(e journal.Entry) {
	c.ids = append(c.ids, e.ID)
	c.actors = append(c.actors, e.Actor.ID)
	c.roles = append(c.roles, string(e.Actor.Role))
	c.verbs = append(c.verbs, e.Verb)
	c.kinds = append(c.kinds, e.Subject.Kind)
	c.subjects = append(c.subjects, e.Subject.ID)
	c.recorded = append(c.recorded, e.RecordedAt.UnixMicro())
	c.effective = append(c.effective, e.EffectiveAt.UnixMicro())
	c.audiences = append(c.audiences, string(e.Audience))
	c.payloads = append(c.payloads, payloadText(e))
}

// pendEntries leaves the entries of a unit of work for the sealer. The sequence
// behind place is asked in the order of the arrays.
func pendEntries(t *tx) error {
	var c columns
	for _, e := range t.entries {
		c.add(e)
	}
	_, err := t.exec(`insert into journal_pending (id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload)
		select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[])
		on conflict (id) do nothing`,
		c.ids, c.actors, c.roles, c.verbs, c.kinds, c.subjects, c.recorded, c.effective, c.audiences, c.payloads)
	return err
}

// pending is a committed entry that waits for its number.
type pending struct {
	place int64
	known bool // it is in the journal already: written again after an unclear commit
	journal.Entry
}

func scanPending(r *sql.Rows, p *pending) error {
	return r.Scan(&p.place, &p.known, &p.ID, &p.Actor.ID, &p.Actor.Role, &p.Verb, &p.Subject.Kind, &p.Subject.ID,
		into(&p.RecordedAt), into(&p.EffectiveAt), &p.Audience, asJSON(&p.Payload))
}

// Seal moves up to limit committed entries into the journal, in the order in
// which they were written, and tells how many it took up. A transaction that
// commits late finds its entries still waiting here, so none is passed over.
// Errors: Conflict when the lease is lost, Unavailable.
func (s *Store) Seal(ctx context.Context, l journal.Lease, limit int) (n int, err error) {
	if s.dialect.sealsAtCommit {
		return 0, nil
	}
	defer problem.Wrap(&err, "seal the journal")
	waiting, err := list(ctx, s, s.db, func(r *sql.Rows, one *int) error { return r.Scan(one) }, `select 1 from journal_pending limit 1`)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	err = s.run(ctx, access.Hub, func(t *tx) error {
		if err := t.Fence(l); err != nil {
			return err
		}
		h, err := s.headOf(t.ctx, t.conn)
		if err != nil {
			return err
		}
		entries, err := list(t.ctx, s, t.conn, scanPending,
			`select p.place, exists (select 1 from journal j where j.id = p.id),
				p.id, p.actor, p.role, p.verb, p.subject_kind, p.subject_id, p.recorded_at, p.effective_at, p.audience, p.payload
			 from journal_pending p order by p.place limit $1`, limit)
		if err != nil || len(entries) == 0 {
			return err
		}
		n = len(entries)
		return t.move(h, entries)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// move numbers and chains entries behind h and takes them out of the waiting room.
func (t *tx) move(h head, entries []pending) error {
	places := make([]int64, 0, len(entries))
	seqs := make([]int64, 0, len(entries))
	hashes := make([]string, 0, len(entries))
	var c columns
	for _, p := range entries {
		places = append(places, p.place)
		if p.known {
			continue
		}
		h.seq++
		h.hash = journal.Chain(h.hash, h.seq, p.Entry)
		seqs, hashes = append(seqs, h.seq), append(hashes, h.hash)
		c.add(p.Entry)
	}
	if _, err := t.exec(`insert into journal (seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload)
		select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::text[])`,
		seqs, hashes, c.ids, c.actors, c.roles, c.verbs, c.kinds, c.subjects, c.recorded, c.effective, c.audiences, c.payloads); err != nil {
		return err
	}
	_, err := t.exec(`delete from journal_pending where place = any($1::bigint[])`, places)
	return err
}
