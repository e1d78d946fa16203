-- min_reader: 1
-- Notices: events, deliveries, alerts, subscribers. next_at of a delivery is null
-- once it is final, so that one column says both when and whether.

create table notice_events (
  id           text   primary key,
  seq          bigint not null,
  kind         text   not null,
  subject_kind text   not null,
  subject_id   text   not null,
  alarm        text   not null,
  audience     text   not null check (audience in ('subscribers', 'staff', 'both', 'requester')),
  severity     text   not null,
  components   text   not null,
  group_ids    text   not null,
  at           bigint not null,
  content      text   not null,
  suppress     text   not null,
  alert        text   not null,
  line         text   not null default '', -- of the subject's timeline, which it tells
  planned_at   bigint not null,
  fan_at       text,            -- null: nobody left to plan for; else the last subscriber looked at
  told         bigint not null,
  passed       bigint not null
);
create index notice_events_subject on notice_events (subject_kind, subject_id, seq);
create index notice_events_fan on notice_events (seq, id) where fan_at is not null;
create index notice_events_age on notice_events (planned_at);

create table deliveries (
  id         text    primary key,
  event      text    not null,
  channel    text    not null,
  recipient  text    not null,
  alert      text    not null,
  state      text    not null check (state in ('queued', 'sending', 'retrying', 'sent', 'failed', 'suppressed')),
  attempts   bigint  not null,
  failures   bigint  not null,
  reason     text    not null,
  mark       text    not null,
  exact_once boolean not null,
  fallback   text    not null,
  seq        bigint  not null,
  lane       bigint  not null,
  gather     boolean not null,
  bundle     text    not null,
  created_at bigint  not null,
  queued_at  bigint  not null,
  next_at    bigint,
  sent_at    bigint,
  version    bigint  not null,
  check ((next_at is null) = (state in ('sent', 'failed', 'suppressed'))),
  unique (event, recipient, channel)
);
create index deliveries_due on deliveries (channel, next_at) where next_at is not null;
create index deliveries_open on deliveries (lane, seq) where next_at is not null;
create index deliveries_lane on deliveries (lane, seq);
create index deliveries_recipient on deliveries (recipient);
create index deliveries_alert on deliveries (alert) where alert <> '';
create index deliveries_failed on deliveries (id) where state = 'failed';

-- engine: postgres
-- Every row is changed twice within moments: room in its page keeps that cheap,
-- and frequent vacuuming keeps the index of what is due short.
alter table deliveries set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- engine: all
create table notice_alerts (
  id           text   primary key,
  subject_kind text   not null,
  subject_id   text   not null,
  severity     text   not null,
  components   text   not null,
  state        text   not null check (state in ('firing', 'acknowledged', 'silenced', 'suppressed', 'over')),
  event        text   not null,
  seq          bigint not null,
  route        text   not null,
  step         bigint not null,
  reminders    bigint not null,
  next_at      bigint,
  opened_at    bigint not null,
  firing_at    bigint,
  acked_at     bigint,
  acked_by     text   not null,
  until_at     bigint,
  over_at      bigint,
  reason       text   not null,
  version      bigint not null
);
create unique index notice_alerts_open on notice_alerts (subject_kind, subject_id) where state <> 'over';
create index notice_alerts_due on notice_alerts (next_at) where next_at is not null;
create index notice_alerts_over on notice_alerts (over_at) where over_at is not null;

create table oncall_overrides (
  id       text   primary key,
  rotation text   not null,
  person   text   not null,
  from_at  bigint not null,
  to_at    bigint not null,
  by_actor text   not null,
  version  bigint not null
);

create table subscribers (
  id           text    primary key,
  mode         text    not null check (mode in ('email', 'webhook', 'slack')),
  address      text    not null, -- empty when erased
  state        text    not null check (state in ('pending', 'active', 'ended')),
  components   text    not null,
  group_ids    text    not null,
  min_impact   text    not null,
  maintenance  boolean not null,
  incident     text    not null,
  source       text    not null,
  created_at   bigint  not null,
  confirmed_at bigint,
  changed_at   bigint  not null,
  ended_at     bigint,
  end_reason   text    not null,
  failures     bigint  not null,
  version      bigint  not null
);
create unique index subscribers_address on subscribers (mode, address, incident) where address <> '';
create index subscribers_active on subscribers (id) where state = 'active';
create index subscribers_pending on subscribers (created_at) where state = 'pending';

create table notice_throttle (
  key  text   not null,
  slot bigint not null,
  n    bigint not null,
  primary key (key, slot)
);

create table notice_channels (
  channel  text   primary key,
  circuit  text   not null,
  failures bigint not null,
  since    bigint,
  retry_at bigint,
  reason   text   not null,
  sent_at  bigint
);

create table notice_pulses (
  id            text   primary key,
  sent_at       bigint,
  failing_since bigint,
  reason        text   not null
);
