package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

const subscriberColumns = `id, mode, address, state, components, group_ids, min_impact, maintenance, incident, source,
	created_at, confirmed_at, changed_at, ended_at, end_reason, failures, version`

func scanSubscriber(r *sql.Rows, v *notice.Subscriber) error {
	return r.Scan(&v.ID, &v.Mode, &v.Address, &v.State, asJSON(&v.Components), asJSON(&v.Groups), &v.MinImpact, &v.Maintenance, &v.Incident, &v.Source,
		into(&v.CreatedAt), into(&v.ConfirmedAt), into(&v.ChangedAt), into(&v.EndedAt), &v.EndReason, &v.Failures, &v.Version)
}

func subscriberArgs(v *notice.Subscriber) []any {
	return []any{v.ID, string(v.Mode), v.Address, v.State, asJSON(&v.Components), asJSON(&v.Groups), v.MinImpact, v.Maintenance, v.Incident, v.Source,
		at(v.CreatedAt), at(v.ConfirmedAt), at(v.ChangedAt), at(v.EndedAt), v.EndReason, v.Failures}
}

// SubscriberIn gives one inside the unit of work, or committed without one.
func (s *Store) SubscriberIn(ctx context.Context, jt journal.Tx, id string) (v notice.Subscriber, err error) {
	const query = `select ` + subscriberColumns + ` from subscribers where id = $1`
	if jt == nil {
		found, err := list(ctx, s, s.db, scanSubscriber, query, id)
		return only(found, err, "subscriber", id)
	}
	found, err := listIn(s, jt, scanSubscriber, query, id)
	return only(found, err, "subscriber", id)
}

// SubscriberAt gives the one of an address inside the unit of work.
func (s *Store) SubscriberAt(_ context.Context, jt journal.Tx, mode notice.Mode, address, incident string) (v notice.Subscriber, err error) {
	found, err := listIn(s, jt, scanSubscriber, `select `+subscriberColumns+` from subscribers where mode = $1 and address = $2 and address <> '' and incident = $3`,
		string(mode), address, incident)
	if err == nil && len(found) == 0 {
		return v, problem.NotFound("There is no such subscriber.") // the address stays out of the words
	}
	return only(found, err, "subscriber", "")
}

// SubscribersAt gives all with an address.
func (s *Store) SubscribersAt(ctx context.Context, mode notice.Mode, address string) ([]notice.Subscriber, error) {
	return list(ctx, s, s.db, scanSubscriber, `select `+subscriberColumns+` from subscribers where mode = $1 and address = $2 and address <> '' order by id`,
		string(mode), address)
}

// SubscribersByID gives those of the ids that exist.
func (s *Store) SubscribersByID(ctx context.Context, ids []string) (out []notice.Subscriber, err error) {
	err = pieces(ids, func(piece []string) error {
		found, err := list(ctx, s, s.db, scanSubscriber, `select `+subscriberColumns+` from subscribers where id in `+tuples(1, len(piece)), words(piece)...)
		out = append(out, found...)
		return err
	})
	return out, err
}

// Listeners gives active subscribers behind after who confirmed not later than by.
func (s *Store) Listeners(ctx context.Context, after string, by time.Time, limit int) ([]notice.Subscriber, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanSubscriber, `select `+subscriberColumns+` from subscribers
		where state = 'active' and id > $1 and confirmed_at <= $2 order by id limit $3`, after, at(by), limit)
}

// Subscribers gives those that match, by id.
func (s *Store) Subscribers(ctx context.Context, q notice.SubscriberQuery) ([]notice.Subscriber, error) {
	if err := positive(q.Limit); err != nil {
		return nil, err
	}
	w := &where{}
	if q.Mode != "" {
		w.add(`mode = %s`, string(q.Mode))
	}
	switch q.State {
	case "":
	case notice.Pending:
		w.add(`state = 'pending'`) // as a literal, so that the index of those serves
	default:
		w.add(`state = %s`, q.State)
	}
	if q.Search != "" {
		w.add(`lower(address) like lower(%s) escape '!'`, "%"+likely(q.Search)+"%")
	}
	if !q.Created.IsZero() {
		w.add(`created_at < %s`, at(q.Created))
	}
	if q.After != "" {
		w.add(`id > %s`, q.After)
	}
	query := `select ` + subscriberColumns + ` from subscribers` + w.text() + ` order by id limit ` + w.arg(q.Limit)
	return list(ctx, s, s.db, scanSubscriber, query, w.args...)
}

// likely takes the meaning from what LIKE would not take literally.
func likely(s string) string { return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) }

// CountSubscribers counts by mode and state.
func (s *Store) CountSubscribers(ctx context.Context) (map[notice.Mode]map[string]int64, error) {
	type count struct {
		mode  notice.Mode
		state string
		n     int64
	}
	found, err := list(ctx, s, s.db, func(r *sql.Rows, c *count) error { return r.Scan(&c.mode, &c.state, &c.n) },
		`select mode, state, count(*) from subscribers group by mode, state`)
	out := map[notice.Mode]map[string]int64{}
	for _, c := range found {
		if out[c.mode] == nil {
			out[c.mode] = map[string]int64{}
		}
		out[c.mode][c.state] = c.n
	}
	return out, err
}

// AddSubscribers inserts rows, leaving alone addresses that are there.
func (s *Store) AddSubscribers(_ context.Context, jt journal.Tx, rows []notice.Subscriber) (added []string, err error) {
	t, err := s.own(jt)
	if err != nil {
		return nil, err
	}
	err = pieces(rows, func(piece []notice.Subscriber) error {
		var args []any
		for i := range piece {
			args = append(append(args, subscriberArgs(&piece[i])...), 1)
		}
		return t.rows(`insert into subscribers (`+subscriberColumns+`) values `+tuples(len(piece), len(args)/len(piece))+`
			on conflict (mode, address, incident) where address <> '' do nothing returning id`, args, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			added = append(added, id)
			return err
		})
	})
	return added, err
}

// PutSubscriber inserts or updates a subscriber.
func (s *Store) PutSubscriber(_ context.Context, jt journal.Tx, v *notice.Subscriber) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	args := subscriberArgs(v)
	if v.Version == 0 {
		_, err = t.exec(`insert into subscribers (`+subscriberColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)`, args...)
	} else {
		err = t.swap("subscriber", v.ID, `update subscribers set mode = $2, address = $3, state = $4, components = $5, group_ids = $6, min_impact = $7,
			maintenance = $8, incident = $9, source = $10, created_at = $11, confirmed_at = $12, changed_at = $13, ended_at = $14, end_reason = $15,
			failures = $16, version = version + 1 where id = $1 and version = $17`, append(args, v.Version)...)
	}
	if err == nil {
		v.Version++
	}
	return err
}
