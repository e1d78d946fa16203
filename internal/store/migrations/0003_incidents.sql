-- min_reader: 1
-- Incidents: what went wrong and what was said about it. What is asked for by
-- its value has a column; what is only read with its incident is JSON text.

-- What staff say aloud: the last number that was given.
create table incident_numbers (
  id   bigint primary key check (id = 1),
  last bigint not null
);
insert into incident_numbers (id, last) values (1, 0);

create table incidents (
  id             text    primary key,
  number         bigint  not null unique,
  name           text    not null,
  state          text    not null check (state in ('suspected', 'investigating', 'identified', 'monitoring', 'resolved', 'postmortem')),
  impact         text    not null check (impact in ('none', 'minor', 'major', 'critical')),
  overridden     boolean not null,
  worst          text    not null,
  visibility     text    not null check (visibility in ('draft', 'public', 'private')),
  origin         text    not null,
  machine        boolean not null,
  backfilled     boolean not null,
  started_at     bigint  not null,
  opened_at      bigint  not null,
  published_at   bigint,
  publish_after  bigint,
  monitoring_at  bigint,
  resolved_at    bigint,
  next_update_at bigint,
  green_since    bigint,
  changed_at     bigint  not null,
  merged_into    text    not null,
  components     text    not null,
  duties         text    not null,
  tasks          text    not null,
  links          text    not null,
  runbook        text    not null,
  review         text    not null,
  reminder_us    bigint  not null,
  lines          bigint  not null,
  promised       boolean not null default false, -- the next update was promised to customers, not only due by the house's rule
  version        bigint  not null
);
create index incidents_started on incidents (started_at, number);
create index incidents_seen on incidents (started_at, number)
  where visibility = 'public' and published_at is not null and merged_into = '';
create index incidents_open on incidents (started_at, number)
  where state not in ('resolved', 'postmortem') and merged_into = '';

-- Which components an incident affects, for asking by component.
create table incident_components (
  component text not null,
  incident  text not null references incidents (id),
  primary key (component, incident)
);
create index incident_components_incident on incident_components (incident);

create table incident_updates (
  id           text    primary key,
  incident     text    not null references incidents (id),
  kind         text    not null check (kind in ('update', 'note', 'fact')),
  state        text    not null,
  body         text    not null,
  verb         text    not null,
  facts        text    not null,
  author       text    not null,
  created_at   bigint  not null,
  display_at   bigint  not null,
  publish_at   bigint,
  published_at bigint,
  deliver      boolean not null,
  components   text    not null,
  edited_at    bigint,
  next_us      bigint  not null default 0, -- what an update that waits promises of the next one
  version      bigint  not null
);
create index incident_updates_incident on incident_updates (incident, display_at);
create index incident_updates_due on incident_updates (publish_at) where publish_at is not null and published_at is null;

create table incident_templates (
  id      text   primary key,
  name    text   not null unique,
  title   text   not null,
  body    text   not null,
  state   text   not null,
  impact  text   not null,
  version bigint not null
);

-- Alerts of foreign systems: each is seen once, and once over it stays over.
create table incident_alerts (
  source      text    not null,
  fingerprint text    not null,
  starts_at   bigint  not null,
  firing      boolean not null,
  component   text    not null,
  status      text    not null,
  incident    text    not null,
  at          bigint  not null,
  primary key (source, fingerprint, starts_at)
);
create index incident_alerts_incident on incident_alerts (incident, at);
create index incident_alerts_over on incident_alerts (at) where not firing;

-- What needs somebody's attention, and since when: told once when it appears.
create table attentions (
  id           text   primary key,
  kind         text   not null,
  subject_kind text   not null,
  subject_id   text   not null,
  since        bigint not null,
  raised_at    bigint not null,
  until        bigint,
  facts        text   not null
);
