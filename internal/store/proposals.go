package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/ticket"
)

var _ ticket.ProposalStore = (*Store)(nil)

const proposalColumns = `id, kind, state, component, topic, incident, tickets, members, words, reason, usual, since_at, until_at, created_at,
	decided_at, decided_by, did, version`

func scanProposal(r *sql.Rows, p *ticket.Proposal) error {
	return r.Scan(&p.ID, &p.Kind, &p.State, &p.Component, &p.Topic, &p.Incident, asJSON(&p.Tickets), asJSON(&p.Members), asJSON(&p.Words), &p.Reason,
		&p.Usual, into(&p.Since), into(&p.Until), into(&p.CreatedAt), into(&p.DecidedAt), &p.DecidedBy, asJSON(&p.Did), &p.Version)
}

// Proposal gives one.
func (s *Store) Proposal(ctx context.Context, id string) (ticket.Proposal, error) {
	found, err := list(ctx, s, s.db, scanProposal, `select `+proposalColumns+` from proposals where id = $1`, id)
	return only(found, err, "proposal", id)
}

// ProposalForUpdate reads one inside the unit of work.
func (s *Store) ProposalForUpdate(_ context.Context, jt journal.Tx, id string) (ticket.Proposal, error) {
	found, err := listIn(s, jt, scanProposal, `select `+proposalColumns+` from proposals where id = $1`, id)
	return only(found, err, "proposal", id)
}

// Proposals gives those in one of the states, newest first; no states = all.
func (s *Store) Proposals(ctx context.Context, states []ticket.ProposalState, limit int) ([]ticket.Proposal, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	args, in := []any{limit}, make([]string, len(states))
	for n, state := range states {
		args = append(args, string(state))
		in[n] = "$" + strconv.Itoa(len(args))
	}
	where := ""
	if len(in) > 0 {
		where = `where state in (` + strings.Join(in, ", ") + `) `
	}
	return list(ctx, s, s.db, scanProposal, `select `+proposalColumns+` from proposals `+where+`order by created_at desc, id desc limit $1`, args...)
}

// ProposalsSince gives those that are open, and those created since, oldest first.
func (s *Store) ProposalsSince(_ context.Context, jt journal.Tx, since time.Time, limit int) ([]ticket.Proposal, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return listIn(s, jt, scanProposal, `select `+proposalColumns+` from proposals where state = 'proposed' or created_at >= $1
		order by created_at, id limit $2`, at(since), limit)
}

// PutProposal inserts (Version 0) or updates.
func (s *Store) PutProposal(_ context.Context, jt journal.Tx, p *ticket.Proposal) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if p.Version == 0 {
		_, err = t.exec(`insert into proposals (`+proposalColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1)`,
			p.ID, string(p.Kind), string(p.State), p.Component, p.Topic, p.Incident, asJSON(&p.Tickets), asJSON(&p.Members), asJSON(&p.Words), p.Reason,
			p.Usual, at(p.Since), at(p.Until), at(p.CreatedAt), at(p.DecidedAt), p.DecidedBy, asJSON(&p.Did))
	} else {
		err = t.swap("proposal", p.ID, `update proposals set state = $3, component = $4, topic = $5, incident = $6, tickets = $7, members = $8, words = $9,
			reason = $10, usual = $11, since_at = $12, until_at = $13, decided_at = $14, decided_by = $15, did = $16, version = version + 1
			where id = $1 and version = $2`,
			p.ID, p.Version, string(p.State), p.Component, p.Topic, p.Incident, asJSON(&p.Tickets), asJSON(&p.Members), asJSON(&p.Words), p.Reason,
			p.Usual, at(p.Since), at(p.Until), at(p.DecidedAt), p.DecidedBy, asJSON(&p.Did))
	}
	if err == nil {
		p.Version++
	}
	return err
}

// PruneProposals deletes up to limit that were decided before a moment.
func (s *Store) PruneProposals(_ context.Context, jt journal.Tx, before time.Time, limit int) (int, error) {
	t, err := s.own(jt)
	if err != nil {
		return 0, err
	}
	if err := positive(limit); err != nil {
		return 0, err
	}
	n, err := t.exec(`delete from proposals where id in (select id from proposals where state <> 'proposed' and created_at < $1 and decided_at < $1 limit $2)`,
		at(before), limit)
	return int(n), err
}
