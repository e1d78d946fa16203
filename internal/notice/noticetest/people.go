package noticetest

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// People is everybody of the staff of a test, by id.
type People map[string]notice.Recipient

// Contact gives one.
func (p People) Contact(_ context.Context, id string) (notice.Recipient, error) {
	r, ok := p[id]
	if !ok {
		return r, problem.NotFound("There is no person %s.", id)
	}
	return r, nil
}

// Staff gives people by id: mail goes to id@example.org.
func Staff(ids ...string) People {
	p := People{}
	for _, id := range ids {
		p[id] = notice.Recipient{Ref: "person/" + id, Name: strings.ToUpper(id), Address: id + "@example.org"}
	}
	return p
}

// Key signs with a fixed key.
type Key string

// Sign gives HMAC-SHA-256.
func (k Key) Sign(text string) []byte {
	h := hmac.New(sha256.New, []byte(k))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Channel is a channel that is one function.
type Channel func(ctx context.Context, m notice.Message) (notice.Receipt, error)

// Send calls it.
func (f Channel) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	return f(ctx, m)
}

// AlertOf gives the open alert of a subject.
func (s *Store) AlertOf(_ context.Context, tx journal.Tx, subject journal.Ref) (notice.Alert, error) {
	return within(s, tx, func(t *tables) (notice.Alert, error) {
		for _, a := range t.alerts {
			if a.Subject == subject && a.Open() {
				return a, nil
			}
		}
		return notice.Alert{}, none("open alert of", subject.String())
	})
}

// AlertIn gives one alert.
func (s *Store) AlertIn(_ context.Context, tx journal.Tx, id string) (notice.Alert, error) {
	return within(s, tx, func(t *tables) (notice.Alert, error) {
		a, ok := t.alerts[id]
		if !ok {
			return a, none("alert", id)
		}
		return a, nil
	})
}

// PutNoticeAlert inserts or updates an alert.
func (s *Store) PutNoticeAlert(_ context.Context, tx journal.Tx, a *notice.Alert) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) {
		if t.alerts[a.ID].Version != a.Version {
			return struct{}{}, changed("alert", a.ID)
		}
		for id, other := range t.alerts {
			if id != a.ID && a.Open() && other.Open() && other.Subject == a.Subject {
				return struct{}{}, problem.Conflict("Somebody else added the same thing first.")
			}
		}
		a.Version++
		t.alerts[a.ID] = *a
		return struct{}{}, nil
	})
	return err
}

// DueAlerts gives alerts whose moment has come.
func (s *Store) DueAlerts(ctx context.Context, now time.Time, limit int) ([]notice.Alert, error) {
	return read(ctx, s, func(t tables) []notice.Alert {
		return picked(t.alerts, limit, func(a notice.Alert) bool { return !a.NextAt.IsZero() && !a.NextAt.After(now) },
			func(a, b notice.Alert) int { return a.NextAt.Compare(b.NextAt) })
	})
}

// NoticeAlerts gives those that match, newest first.
func (s *Store) NoticeAlerts(ctx context.Context, q notice.AlertQuery) ([]notice.Alert, error) {
	return read(ctx, s, func(t tables) []notice.Alert {
		return picked(t.alerts, q.Limit, func(a notice.Alert) bool {
			return (q.ID == "" || a.ID == q.ID) && (q.Subject == journal.Ref{} || a.Subject == q.Subject) && (!q.Open || a.Open()) && (q.Before == "" || a.ID < q.Before)
		}, func(a, b notice.Alert) int { return cmp.Compare(b.ID, a.ID) })
	})
}

// Overrides gives those that touch [from, to).
func (s *Store) Overrides(ctx context.Context, tx journal.Tx, from, to time.Time) ([]notice.Override, error) {
	find := func(t tables) []notice.Override {
		return picked(t.overrides, all, func(o notice.Override) bool { return o.From.Before(to) && o.To.After(from) },
			func(a, b notice.Override) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	}
	if tx == nil {
		return read(ctx, s, find)
	}
	return within(s, tx, func(t *tables) ([]notice.Override, error) { return find(*t), nil })
}

// PutOverride inserts or updates an override.
func (s *Store) PutOverride(_ context.Context, tx journal.Tx, o *notice.Override) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) {
		if t.overrides[o.ID].Version != o.Version {
			return struct{}{}, changed("override", o.ID)
		}
		o.Version++
		t.overrides[o.ID] = *o
		return struct{}{}, nil
	})
	return err
}

// DropOverride deletes an override.
func (s *Store) DropOverride(_ context.Context, tx journal.Tx, id string) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) {
		if _, ok := t.overrides[id]; !ok {
			return struct{}{}, none("override", id)
		}
		delete(t.overrides, id)
		return struct{}{}, nil
	})
	return err
}

// SubscriberIn gives one.
func (s *Store) SubscriberIn(ctx context.Context, tx journal.Tx, id string) (v notice.Subscriber, err error) {
	if tx == nil {
		v, err = read(ctx, s, func(t tables) notice.Subscriber { return t.subscribers[id] })
	} else {
		v, err = within(s, tx, func(t *tables) (notice.Subscriber, error) { return t.subscribers[id], nil })
	}
	if err == nil && v.ID == "" {
		err = none("subscriber", id)
	}
	return v, err
}

// SubscriberAt gives the one of an address.
func (s *Store) SubscriberAt(_ context.Context, tx journal.Tx, mode notice.Mode, address, incident string) (notice.Subscriber, error) {
	return within(s, tx, func(t *tables) (notice.Subscriber, error) {
		for _, v := range t.subscribers {
			if v.Mode == mode && v.Address == address && address != "" && v.Incident == incident {
				return v, nil
			}
		}
		return notice.Subscriber{}, problem.NotFound("There is no such subscriber.")
	})
}

func byID(a, b notice.Subscriber) int { return cmp.Compare(a.ID, b.ID) }

// SubscribersAt gives all with an address.
func (s *Store) SubscribersAt(ctx context.Context, mode notice.Mode, address string) ([]notice.Subscriber, error) {
	return read(ctx, s, func(t tables) []notice.Subscriber {
		return picked(t.subscribers, all, func(v notice.Subscriber) bool { return v.Mode == mode && v.Address == address && address != "" }, byID)
	})
}

// SubscribersByID gives those of the ids that exist.
func (s *Store) SubscribersByID(ctx context.Context, ids []string) ([]notice.Subscriber, error) {
	return read(ctx, s, func(t tables) []notice.Subscriber {
		return picked(t.subscribers, all, func(v notice.Subscriber) bool { return slices.Contains(ids, v.ID) }, byID)
	})
}

// Listeners gives active subscribers behind after.
func (s *Store) Listeners(ctx context.Context, after string, by time.Time, limit int) ([]notice.Subscriber, error) {
	return read(ctx, s, func(t tables) []notice.Subscriber {
		return picked(t.subscribers, limit, func(v notice.Subscriber) bool {
			return v.State == notice.Active && v.ID > after && !v.ConfirmedAt.After(by)
		}, byID)
	})
}

// Subscribers gives those that match.
func (s *Store) Subscribers(ctx context.Context, q notice.SubscriberQuery) ([]notice.Subscriber, error) {
	return read(ctx, s, func(t tables) []notice.Subscriber {
		return picked(t.subscribers, q.Limit, func(v notice.Subscriber) bool {
			return (q.Mode == "" || v.Mode == q.Mode) && (q.State == "" || v.State == q.State) && v.ID > q.After &&
				strings.Contains(strings.ToLower(v.Address), strings.ToLower(q.Search)) && (q.Created.IsZero() || v.CreatedAt.Before(q.Created))
		}, byID)
	})
}

// CountSubscribers counts by mode and state.
func (s *Store) CountSubscribers(ctx context.Context) (map[notice.Mode]map[string]int64, error) {
	return read(ctx, s, func(t tables) map[notice.Mode]map[string]int64 {
		out := map[notice.Mode]map[string]int64{}
		for _, v := range t.subscribers {
			if out[v.Mode] == nil {
				out[v.Mode] = map[string]int64{}
			}
			out[v.Mode][v.State]++
		}
		return out
	})
}

// taken reports whether the address of v belongs to another row.
func (t *tables) taken(v notice.Subscriber) bool {
	for id, other := range t.subscribers {
		if id != v.ID && v.Address != "" && other.Mode == v.Mode && other.Address == v.Address && other.Incident == v.Incident {
			return true
		}
	}
	return false
}

// AddSubscribers inserts rows, leaving alone addresses that are there.
func (s *Store) AddSubscribers(_ context.Context, tx journal.Tx, rows []notice.Subscriber) ([]string, error) {
	return within(s, tx, func(t *tables) (added []string, err error) {
		for _, v := range rows {
			if !t.taken(v) {
				v.Version = 1
				t.subscribers[v.ID] = v
				added = append(added, v.ID)
			}
		}
		return added, nil
	})
}

// PutSubscriber inserts or updates a subscriber.
func (s *Store) PutSubscriber(_ context.Context, tx journal.Tx, v *notice.Subscriber) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) {
		switch {
		case t.subscribers[v.ID].Version != v.Version:
			return struct{}{}, changed("subscriber", v.ID)
		case t.taken(*v):
			return struct{}{}, problem.Conflict("Somebody else added the same thing first.")
		}
		v.Version++
		t.subscribers[v.ID] = *v
		return struct{}{}, nil
	})
	return err
}

// CountTry adds one to a count.
func (s *Store) CountTry(_ context.Context, tx journal.Tx, key string, slot time.Time) (int64, error) {
	return within(s, tx, func(t *tables) (int64, error) {
		t.tries[try{key, slot.UnixMicro()}]++
		return t.tries[try{key, slot.UnixMicro()}], nil
	})
}

// ChannelStates gives how channels are doing.
func (s *Store) ChannelStates(ctx context.Context) ([]notice.ChannelState, error) {
	return read(ctx, s, func(t tables) []notice.ChannelState {
		return slices.SortedFunc(maps.Values(t.channels), func(a, b notice.ChannelState) int { return cmp.Compare(a.Channel, b.Channel) })
	})
}

// PutChannelState writes how a channel is doing.
func (s *Store) PutChannelState(_ context.Context, tx journal.Tx, c notice.ChannelState) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) { t.channels[c.Channel] = c; return struct{}{}, nil })
	return err
}

// PulseStates gives how heartbeats are doing.
func (s *Store) PulseStates(ctx context.Context) ([]notice.PulseState, error) {
	return read(ctx, s, func(t tables) []notice.PulseState {
		return slices.SortedFunc(maps.Values(t.pulses), func(a, b notice.PulseState) int { return cmp.Compare(a.ID, b.ID) })
	})
}

// PutPulseState writes how a heartbeat is doing.
func (s *Store) PutPulseState(_ context.Context, tx journal.Tx, p notice.PulseState) error {
	_, err := within(s, tx, func(t *tables) (struct{}, error) { t.pulses[p.ID] = p; return struct{}{}, nil })
	return err
}
