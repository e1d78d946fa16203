// Package incidenttest is the record of the incident wing in memory, for tests:
// it keeps the contract of incident.Store (storetest runs over it) and loses
// everything at the end. It knows no SQL and nothing of the wing's insides.
package incidenttest

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/journal/journaltest"
	"evenkeel/internal/problem"
)

// Store is incident.Store and the journal in memory.
type Store struct {
	*journaltest.Memory
	mu        sync.Mutex
	last      int64
	incidents map[string]incident.Incident
	updates   map[string]incident.Update
	templates map[string]incident.Template
	alerts    map[alertKey]incident.Alert
}

type alertKey struct {
	source, fingerprint string
	startsAt            int64
}

func keyOf(source, fingerprint string, startsAt time.Time) alertKey {
	return alertKey{source, fingerprint, startsAt.UnixMicro()}
}

var _ incident.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{
		Memory: journaltest.New(), incidents: map[string]incident.Incident{}, updates: map[string]incident.Update{},
		templates: map[string]incident.Template{}, alerts: map[alertKey]incident.Alert{},
	}
}

// copied gives a value that shares nothing with v.
func copied[T any](v T) T {
	body, err := json.Marshal(v)
	if err != nil {
		panic("incidenttest: " + err.Error())
	}
	var out T
	if err := json.Unmarshal(body, &out); err != nil {
		panic("incidenttest: " + err.Error())
	}
	return out
}

// set changes one row inside a unit of work, and takes it back if that does not
// commit. v nil deletes the row. The caller holds the lock.
func set[K comparable, V any](s *Store, tx journal.Tx, rows map[K]V, key K, v *V) {
	old, had := rows[key]
	if v != nil {
		rows[key] = *v
	} else {
		delete(rows, key)
	}
	tx.(*journaltest.Tx).OnRollback(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if had {
			rows[key] = old
		} else {
			delete(rows, key)
		}
	})
}

// Incident gives one, by id.
func (s *Store) Incident(_ context.Context, id string) (incident.Incident, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.incidents[id]
	if !ok {
		return incident.Incident{}, problem.NotFound("There is no incident %q.", id)
	}
	return copied(i), nil
}

// IncidentByNumber gives one by what staff call it.
func (s *Store) IncidentByNumber(_ context.Context, number int64) (incident.Incident, error) {
	for _, i := range s.pick(func(i *incident.Incident) bool { return i.Number == number }) {
		return i, nil
	}
	return incident.Incident{}, problem.NotFound("There is no incident %d.", number)
}

// IncidentForUpdate reads one inside the unit of work.
func (s *Store) IncidentForUpdate(ctx context.Context, _ journal.Tx, id string) (incident.Incident, error) {
	return s.Incident(ctx, id)
}

// OpenIncidents gives every incident that is not over, oldest first.
func (s *Store) OpenIncidents(context.Context) ([]incident.Incident, error) {
	all := s.pick((*incident.Incident).Open)
	slices.Reverse(all)
	return all, nil
}

// OpenForUpdate is OpenIncidents inside the unit of work.
func (s *Store) OpenForUpdate(ctx context.Context, _ journal.Tx) ([]incident.Incident, error) {
	return s.OpenIncidents(ctx)
}

// pick gives those that fit, newest start first.
func (s *Store) pick(fits func(*incident.Incident) bool) []incident.Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []incident.Incident
	for _, i := range s.incidents {
		if fits(&i) {
			out = append(out, copied(i))
		}
	}
	slices.SortFunc(out, func(a, b incident.Incident) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(b.Number, a.Number))
	})
	return out
}

// named reports whether an incident is what the words of a query seek.
func named(i *incident.Incident, q incident.Query) bool {
	if number, ok := q.Number(); ok {
		return i.Number == number
	}
	return strings.Contains(strings.ToLower(i.Name), strings.ToLower(q.Text))
}

// Incidents gives a page of those that match, newest start first.
func (s *Store) Incidents(_ context.Context, q incident.Query) ([]incident.Incident, error) {
	if q.Limit <= 0 {
		return nil, problem.Invalid("limit", "a limit must be positive")
	}
	all := s.pick(func(i *incident.Incident) bool {
		return (!q.Seen || i.Seen()) && (!q.NoPrivate || i.Visibility != incident.Private) &&
			(q.Open == nil || *q.Open == i.Open()) &&
			(len(q.States) == 0 || slices.Contains(q.States, i.State)) && named(i, q) &&
			(q.Component == "" || slices.ContainsFunc(i.Components, func(a incident.Affected) bool { return a.Component == q.Component })) &&
			(q.From.IsZero() || i.ResolvedAt.IsZero() || !i.ResolvedAt.Before(q.From)) &&
			(q.To.IsZero() || i.StartedAt.Before(q.To)) &&
			(q.Before.IsZero() || i.StartedAt.Before(q.Before) || i.StartedAt.Equal(q.Before) && i.Number < q.BeforeNumber)
	})
	return all[:min(q.Limit, len(all))], nil
}

// PutIncident inserts (Version 0; it gets its number) or updates.
func (s *Store) PutIncident(_ context.Context, tx journal.Tx, i *incident.Incident) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.incidents[i.ID].Version != i.Version {
		return problem.Conflict("Somebody else changed incident %s first.", i.ID)
	}
	if i.Version == 0 {
		s.last++ // a number of a unit that fails is lost: gaps do not matter
		i.Number = s.last
	}
	i.Version++
	row := copied(*i)
	set(s, tx, s.incidents, i.ID, &row)
	return nil
}

// lines gives the lines that fit, in order.
func (s *Store) lines(fits func(*incident.Update) bool) []incident.Update {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []incident.Update
	for _, u := range s.updates {
		if fits(&u) {
			out = append(out, copied(u))
		}
	}
	slices.SortFunc(out, func(a, b incident.Update) int {
		return cmp.Or(a.DisplayAt.Compare(b.DisplayAt), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Updates gives all lines of one incident, oldest first.
func (s *Store) Updates(_ context.Context, id string) ([]incident.Update, error) {
	return s.lines(func(u *incident.Update) bool { return u.Incident == id }), nil
}

// UpdatesOf gives the published updates of several incidents.
func (s *Store) UpdatesOf(_ context.Context, ids []string) ([]incident.Update, error) {
	all := s.lines(func(u *incident.Update) bool {
		return slices.Contains(ids, u.Incident) && u.Kind == incident.KindUpdate && !u.PublishedAt.IsZero()
	})
	slices.SortStableFunc(all, func(a, b incident.Update) int { return cmp.Compare(a.Incident, b.Incident) })
	return all, nil
}

// Update gives one line.
func (s *Store) Update(_ context.Context, id string) (incident.Update, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.updates[id]
	if !ok {
		return incident.Update{}, problem.NotFound("There is no update %q.", id)
	}
	return copied(u), nil
}

// UpdateForUpdate reads one line inside the unit of work.
func (s *Store) UpdateForUpdate(ctx context.Context, _ journal.Tx, id string) (incident.Update, error) {
	return s.Update(ctx, id)
}

// DraftsForUpdate gives the unpublished updates of an incident, oldest first.
func (s *Store) DraftsForUpdate(_ context.Context, _ journal.Tx, id string) ([]incident.Update, error) {
	all := s.lines(func(u *incident.Update) bool {
		return u.Incident == id && u.Kind == incident.KindUpdate && u.PublishedAt.IsZero()
	})
	slices.SortStableFunc(all, func(a, b incident.Update) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all, nil
}

// DueUpdates gives drafts whose PublishAt has come, oldest first.
func (s *Store) DueUpdates(_ context.Context, now time.Time, limit int) ([]incident.Update, error) {
	all := s.lines(func(u *incident.Update) bool {
		return u.PublishedAt.IsZero() && !u.PublishAt.IsZero() && !u.PublishAt.After(now)
	})
	slices.SortStableFunc(all, func(a, b incident.Update) int { return a.PublishAt.Compare(b.PublishAt) })
	return all[:min(limit, len(all))], nil
}

// PutUpdate inserts (Version 0) or updates.
func (s *Store) PutUpdate(_ context.Context, tx journal.Tx, u *incident.Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.updates[u.ID].Version != u.Version {
		return problem.Conflict("Somebody else changed update %s first.", u.ID)
	}
	u.Version++
	row := copied(*u)
	set(s, tx, s.updates, u.ID, &row)
	return nil
}

// DropUpdate deletes a draft.
func (s *Store) DropUpdate(_ context.Context, tx journal.Tx, id string, version int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.updates[id]
	if !ok || u.Version != version || u.Kind != incident.KindUpdate || !u.PublishedAt.IsZero() {
		return problem.Conflict("Somebody else changed draft %s first.", id)
	}
	set(s, tx, s.updates, id, nil)
	return nil
}

// MoveLines hangs every line and every alert of one incident on another.
func (s *Store) MoveLines(_ context.Context, tx journal.Tx, from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.updates {
		if u.Incident == from {
			u.Incident = to
			u.Version++
			set(s, tx, s.updates, id, &u)
		}
	}
	for k, a := range s.alerts {
		if a.Incident == from {
			a.Incident = to
			set(s, tx, s.alerts, k, &a)
		}
	}
	return nil
}

// Templates gives all, by name.
func (s *Store) Templates(context.Context) ([]incident.Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.templates), func(a, b incident.Template) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	}), nil
}

// PutTemplate inserts (Version 0) or updates.
func (s *Store) PutTemplate(_ context.Context, tx journal.Tx, t *incident.Template) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, other := range s.templates {
		if id != t.ID && other.Name == t.Name {
			return problem.Conflict("Somebody else added the same thing first.")
		}
	}
	if s.templates[t.ID].Version != t.Version {
		return problem.Conflict("Somebody else changed template %s first.", t.ID)
	}
	t.Version++
	row := *t
	set(s, tx, s.templates, t.ID, &row)
	return nil
}

// DropTemplate deletes a template.
func (s *Store) DropTemplate(_ context.Context, tx journal.Tx, id string, version int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.templates[id].Version != version {
		return problem.Conflict("Somebody else changed template %s first.", id)
	}
	set(s, tx, s.templates, id, nil)
	return nil
}

// AlertForUpdate reads one alert.
func (s *Store) AlertForUpdate(_ context.Context, _ journal.Tx, source, fingerprint string, startsAt time.Time) (incident.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.alerts[keyOf(source, fingerprint, startsAt)]
	if !ok {
		return incident.Alert{}, problem.NotFound("This alert was not seen before.")
	}
	return a, nil
}

// alertsWhere gives the alerts that fit, newest first.
func (s *Store) alertsWhere(fits func(*incident.Alert) bool) []incident.Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []incident.Alert
	for _, a := range s.alerts {
		if fits(&a) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b incident.Alert) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out
}

// FiringForUpdate gives the alerts of an incident that still fire.
func (s *Store) FiringForUpdate(_ context.Context, _ journal.Tx, id string) ([]incident.Alert, error) {
	all := s.alertsWhere(func(a *incident.Alert) bool { return a.Incident == id && a.Firing })
	slices.Reverse(all)
	return all, nil
}

// PutAlert inserts or replaces an alert.
func (s *Store) PutAlert(_ context.Context, tx journal.Tx, a incident.Alert) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(s, tx, s.alerts, keyOf(a.Source, a.Fingerprint, a.StartsAt), &a)
	return nil
}

// Alerts gives the alerts of an incident, newest first.
func (s *Store) Alerts(_ context.Context, id string, limit int) ([]incident.Alert, error) {
	all := s.alertsWhere(func(a *incident.Alert) bool { return a.Incident == id })
	return all[:min(limit, len(all))], nil
}

// PruneAlerts deletes alerts that were over before a moment.
func (s *Store) PruneAlerts(_ context.Context, tx journal.Tx, before time.Time, limit int) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, a := range s.alerts {
		if !a.Firing && a.At.Before(before) && n < limit {
			set(s, tx, s.alerts, k, nil)
			n++
		}
	}
	return n, nil
}
