package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// Catalog loads what is defined, removed things included when all is true:
// groups, components by position; monitors and windows by id.
func (s *Store) Catalog(ctx context.Context, all bool) (c status.Catalog, err error) {
	err = s.snapshot(ctx, func(q querier) error {
		sites, err := list(ctx, s, q, scanSite,
			`select name, url, zone, home, report_url, simulated, strict_status, w_major, w_partial, w_degraded from site`)
		if err != nil {
			return err
		}
		if len(sites) > 0 {
			c.Site = sites[0]
		}
		if c.Groups, err = list(ctx, s, q, scanGroup,
			`select key, id, name, position, created_at, removed_at, version from component_groups
			 where $1 or removed_at is null order by position, id, key`, all); err != nil {
			return err
		}
		if c.Components, err = list(ctx, s, q, scanComponent,
			`select key, id, name, description, group_id, needs, public, runbook, position, publish, publish_after, created_at, removed_at, version
			 from components where $1 or removed_at is null order by position, id, key`, all); err != nil {
			return err
		}
		same := sameness{words: map[string]string{}, lists: map[string][]string{}}
		if c.Monitors, err = list(ctx, s, q, same.scanMonitor,
			`select key, id, component, name, kind, interval_us, locations, sentinel, unit, public, rule, created_at, removed_at, version
			 from monitors where $1 or removed_at is null order by id, key`, all); err != nil {
			return err
		}
		gather(c.Monitors)
		c.Windows, err = s.windows(ctx, q, all)
		return err
	})
	return c, err
}

func scanSite(r *sql.Rows, s *status.Site) error {
	return r.Scan(&s.Name, &s.URL, &s.Zone, &s.Home, &s.ReportURL, &s.Simulated, &s.Strict, &s.Weights.Major, &s.Weights.Partial, &s.Weights.Degraded)
}

// PutSite replaces what the page says about itself.
func (s *Store) PutSite(_ context.Context, jt journal.Tx, v status.Site) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	_, err = t.exec(`insert into site (id, name, url, zone, home, report_url, simulated, strict_status, w_major, w_partial, w_degraded)
		values (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (id) do update set name = excluded.name, url = excluded.url, zone = excluded.zone, home = excluded.home,
			report_url = excluded.report_url, simulated = excluded.simulated, strict_status = excluded.strict_status,
			w_major = excluded.w_major, w_partial = excluded.w_partial, w_degraded = excluded.w_degraded`,
		v.Name, v.URL, v.Zone, v.Home, v.ReportURL, v.Simulated, v.Strict, v.Weights.Major, v.Weights.Partial, v.Weights.Degraded)
	return err
}

func scanGroup(r *sql.Rows, g *status.Group) error {
	return r.Scan(&g.Key, &g.ID, &g.Name, &g.Position, into(&g.CreatedAt), into(&g.RemovedAt), &g.Version)
}

// PutGroup inserts (Version 0) or updates a group.
func (s *Store) PutGroup(_ context.Context, jt journal.Tx, g status.Group) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if g.Version == 0 {
		_, err := t.exec(`insert into component_groups (key, id, name, position, created_at, removed_at, version)
			values ($1, $2, $3, $4, $5, $6, 1)`, g.Key, g.ID, g.Name, g.Position, at(g.CreatedAt), at(g.RemovedAt))
		return err
	}
	return t.swap("group", g.Key, `update component_groups set id = $3, name = $4, position = $5, created_at = $6, removed_at = $7,
		version = version + 1 where key = $1 and version = $2`,
		g.Key, g.Version, g.ID, g.Name, g.Position, at(g.CreatedAt), at(g.RemovedAt))
}

func scanComponent(r *sql.Rows, c *status.Component) error {
	return r.Scan(&c.Key, &c.ID, &c.Name, &c.Description, &c.Group, asJSON(&c.Needs), &c.Public, &c.Runbook, &c.Position,
		&c.Publish, lasting(&c.PublishAfter), into(&c.CreatedAt), into(&c.RemovedAt), &c.Version)
}

// PutComponent inserts (Version 0) or updates a component.
func (s *Store) PutComponent(_ context.Context, jt journal.Tx, c status.Component) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	if c.Version == 0 {
		_, err := t.exec(`insert into components (key, id, name, description, group_id, needs, public, runbook, position,
			publish, publish_after, created_at, removed_at, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)`,
			c.Key, c.ID, c.Name, c.Description, c.Group, asJSON(&c.Needs), c.Public, c.Runbook, c.Position,
			string(c.Publish), micros(c.PublishAfter), at(c.CreatedAt), at(c.RemovedAt))
		return err
	}
	return t.swap("component", c.Key, `update components set id = $3, name = $4, description = $5, group_id = $6, needs = $7,
		public = $8, runbook = $9, position = $10, publish = $11, publish_after = $12, created_at = $13, removed_at = $14,
		version = version + 1 where key = $1 and version = $2`,
		c.Key, c.Version, c.ID, c.Name, c.Description, c.Group, asJSON(&c.Needs), c.Public, c.Runbook, c.Position,
		string(c.Publish), micros(c.PublishAfter), at(c.CreatedAt), at(c.RemovedAt))
}

// ruleRow is a status.Rule as it is kept: its names are for ever, whatever the
// wing calls its fields. Durations are microseconds.
type ruleRow struct {
	Confirm    int    `json:"confirm,omitempty"`
	Recover    int    `json:"recover,omitempty"`
	Slow       int64  `json:"slow_us,omitempty"`
	SlowFor    int    `json:"slow_for,omitempty"`
	Quorum     int    `json:"quorum,omitempty"`
	Fails      string `json:"fails,omitempty"`
	FlapCount  int    `json:"flap_count,omitempty"`
	FlapWithin int64  `json:"flap_within_us,omitempty"`
	PublicText string `json:"public_text,omitempty"`
}

func keepRule(r status.Rule) ruleRow {
	return ruleRow{
		Confirm: r.Confirm, Recover: r.Recover, Slow: micros(r.Slow), SlowFor: r.SlowFor, Quorum: r.Quorum,
		Fails: string(r.Fails), FlapCount: r.FlapCount, FlapWithin: micros(r.FlapWithin), PublicText: r.PublicText,
	}
}

func (r ruleRow) rule() status.Rule {
	return status.Rule{
		Confirm: r.Confirm, Recover: r.Recover, Slow: time.Duration(r.Slow) * time.Microsecond, SlowFor: r.SlowFor, Quorum: r.Quorum,
		Fails: status.Status(r.Fails), FlapCount: r.FlapCount, FlapWithin: time.Duration(r.FlapWithin) * time.Microsecond, PublicText: r.PublicText,
	}
}

// sameness keeps what many rows of one catalog say alike only once: component,
// kind, locations. A catalog of ten thousand monitors stays in memory.
type sameness struct {
	words map[string]string
	lists map[string][]string // by their JSON
}

func (x sameness) word(w string) string {
	if kept, ok := x.words[w]; ok {
		return kept
	}
	x.words[w] = w
	return w
}

// list reads a JSON list of words, which nobody may write to.
func (x sameness) list(text string) ([]string, error) {
	list, ok := x.lists[text]
	if ok {
		return list, nil
	}
	if err := asJSON(&list).Scan(text); err != nil {
		return nil, err
	}
	x.lists[text] = list
	return list, nil
}

func (x sameness) scanMonitor(r *sql.Rows, m *status.Monitor) error {
	var rule ruleRow
	var locations string
	err := r.Scan(&m.Key, &m.ID, &m.Component, &m.Name, &m.Kind, lasting(&m.Interval), &locations, &m.Sentinel, &m.Unit,
		&m.Public, asJSON(&rule), into(&m.CreatedAt), into(&m.RemovedAt), &m.Version)
	if err != nil {
		return err
	}
	m.Component, m.Kind, m.Unit, m.Rule = x.word(m.Component), x.word(m.Kind), x.word(m.Unit), rule.rule()
	m.Locations, err = x.list(locations)
	return err
}

// gather puts the words that each monitor has for itself side by side, once
// where they are alike. As they were read they lie between all that reading
// their row left behind, and keep the pages of that in memory.
func gather(monitors []status.Monitor) {
	for i := range monitors {
		m := &monitors[i]
		key, id, name := strings.Clone(m.Key), m.ID, m.Name
		m.Key, m.ID, m.Name = key, key, key
		if id != key {
			m.ID = strings.Clone(id)
		}
		switch name {
		case key:
		case id:
			m.Name = m.ID
		default:
			m.Name = strings.Clone(name)
		}
	}
}

// PutMonitor inserts (Version 0) or updates a monitor and its mark.
func (s *Store) PutMonitor(_ context.Context, jt journal.Tx, m status.Monitor, mark string) error {
	t, err := s.own(jt)
	if err != nil {
		return err
	}
	rule := keepRule(m.Rule)
	if m.Version == 0 {
		_, err := t.exec(`insert into monitors (key, id, component, name, kind, interval_us, locations, sentinel, unit, public, rule, mark,
			created_at, removed_at, version)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1)`,
			m.Key, m.ID, m.Component, m.Name, m.Kind, micros(m.Interval), asJSON(&m.Locations), m.Sentinel, m.Unit, m.Public,
			asJSON(&rule), mark, at(m.CreatedAt), at(m.RemovedAt))
		return err
	}
	return t.swap("monitor", m.Key, `update monitors set id = $3, component = $4, name = $5, kind = $6, interval_us = $7, locations = $8,
		sentinel = $9, unit = $10, public = $11, rule = $12, mark = $13, created_at = $14, removed_at = $15,
		version = version + 1 where key = $1 and version = $2`,
		m.Key, m.Version, m.ID, m.Component, m.Name, m.Kind, micros(m.Interval), asJSON(&m.Locations), m.Sentinel, m.Unit, m.Public,
		asJSON(&rule), mark, at(m.CreatedAt), at(m.RemovedAt))
}

// Marks gives the mark of every monitor by key, as last applied, removed ones included.
func (s *Store) Marks(ctx context.Context) (map[string]string, error) {
	type row struct{ key, mark string }
	rows, err := list(ctx, s, s.db, func(r *sql.Rows, v *row) error { return r.Scan(&v.key, &v.mark) }, `select key, mark from monitors`)
	if err != nil {
		return nil, err
	}
	marks := make(map[string]string, len(rows))
	for _, r := range rows {
		marks[r.key] = r.mark
	}
	return marks, nil
}
