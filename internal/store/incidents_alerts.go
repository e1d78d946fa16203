package store

import (
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const alertColumns = `source, fingerprint, starts_at, firing, component, status, incident, at`

func scanAlert(r *sql.Rows, a *incident.Alert) error {
	return r.Scan(&a.Source, &a.Fingerprint, into(&a.StartsAt), &a.Firing, &a.Component, &a.Status, &a.Incident, into(&a.At))
}

// AlertForUpdate reads one alert inside the unit of work. Errors: NotFound.
func (s *Store) AlertForUpdate(_ context.Context, jt journal.Tx, source, fingerprint string, startsAt time.Time) (incident.Alert, error) {
	all, err := listIn(s, jt, scanAlert, `select `+alertColumns+` from incident_alerts where source = $1 and fingerprint = $2 and starts_at = $3`,
		source, fingerprint, startsAt.UnixMicro())
	if err == nil && len(all) == 0 {
		err = problem.NotFound("This alert was not seen before.")
	}
	if err != nil {
		return incident.Alert{}, err
	}
	return all[0], nil
}

// FiringForUpdate gives the alerts of an incident that still fire.
func (s *Store) FiringForUpdate(_ context.Context, jt journal.Tx, id string) ([]incident.Alert, error) {
	return listIn(s, jt, scanAlert, `select `+alertColumns+` from incident_alerts where incident = $1 and firing order by at, fingerprint`, id)
}

// PutAlert inserts or replaces an alert.
func (s *Store) PutAlert(_ context.Context, jt journal.Tx, a incident.Alert) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into incident_alerts (`+alertColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (source, fingerprint, starts_at) do update set firing = excluded.firing, component = excluded.component,
			status = excluded.status, incident = excluded.incident, at = excluded.at`,
		a.Source, a.Fingerprint, a.StartsAt.UnixMicro(), a.Firing, a.Component, a.Status, a.Incident, at(a.At))
	return err
}

// Alerts gives the alerts of an incident, newest first, at most limit.
func (s *Store) Alerts(ctx context.Context, id string, limit int) ([]incident.Alert, error) {
	if err := positive(limit); err != nil {
		return nil, err
	}
	return list(ctx, s, s.db, scanAlert, `select `+alertColumns+` from incident_alerts where incident = $1 order by at desc, fingerprint limit $2`, id, limit)
}

// PruneAlerts deletes alerts that were over before a moment, at most limit of them.
func (s *Store) PruneAlerts(_ context.Context, jt journal.Tx, before time.Time, limit int) (int, error) {
	if err := positive(limit); err != nil {
		return 0, err
	}
	t, err := s.own(jt)
	if err != nil {
		return 0, err
	}
	n, err := t.exec(`delete from incident_alerts where (source, fingerprint, starts_at) in (
		select source, fingerprint, starts_at from incident_alerts where not firing and at < $1 order by at limit $2)`, at(before), limit)
	return int(n), err
}
