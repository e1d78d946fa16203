-- min_reader: 1
-- The ground: the journal and what guards it, and the record of the status wing.
-- Times and durations are bigint microseconds, lists and rules are JSON text
-- that Go reads and writes whole. The marker lines "-- engine: ..." choose the
-- statements that only one engine gets.

create table journal (
  seq          bigint primary key check (seq > 0),
  hash         text   not null,
  id           text   not null unique,
  actor        text   not null,
  role         text   not null,
  verb         text   not null,
  subject_kind text   not null,
  subject_id   text   not null,
  recorded_at  bigint not null,
  effective_at bigint not null,
  audience     text   not null check (audience in ('public', 'staff')),
  payload      text   not null
);
create index journal_subject on journal (subject_kind, subject_id, seq);

-- engine: sqlite
create trigger journal_no_update before update on journal
begin select raise(abort, 'the journal is append-only'); end;
create trigger journal_no_delete before delete on journal
begin select raise(abort, 'the journal is append-only'); end;

-- engine: postgres
create function journal_refuse() returns trigger language plpgsql as
$$ begin raise exception 'the journal is append-only' using errcode = 'check_violation'; end $$;
create trigger journal_no_change before update or delete on journal
  for each row execute function journal_refuse();
create trigger journal_no_truncate before truncate on journal
  for each statement execute function journal_refuse();

-- Entries committed and not yet sealed. place grows with the order of writing,
-- so that a transaction that saw another one always comes after it.
create sequence journal_place;
create table journal_pending (
  place        bigint primary key default nextval('journal_place'),
  id           text   not null unique,
  actor        text   not null,
  role         text   not null,
  verb         text   not null,
  subject_kind text   not null,
  subject_id   text   not null,
  recorded_at  bigint not null,
  effective_at bigint not null,
  audience     text   not null check (audience in ('public', 'staff')),
  payload      text   not null
);
-- Rows pass through this table; without frequent vacuuming the sealer would
-- walk over the dead ones.
alter table journal_pending set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- engine: all
create table leases (
  name   text   primary key,
  holder text   not null, -- empty when given back
  epoch  bigint not null,
  until  bigint not null
);

create table cursors (
  name text   primary key,
  seq  bigint not null
);

create table site (
  id         bigint  primary key check (id = 1),
  name       text    not null,
  url        text    not null,
  zone       text    not null,
  home       text    not null,
  report_url text    not null,
  simulated  boolean not null,
  w_major    double precision not null,
  w_partial  double precision not null,
  w_degraded double precision not null
);

create table component_groups (
  key        text   primary key,
  id         text   not null,
  name       text   not null,
  position   bigint not null,
  created_at bigint not null,
  removed_at bigint,
  version    bigint not null
);

create table components (
  key           text    primary key,
  id            text    not null,
  name          text    not null,
  description   text    not null,
  group_id      text    not null,
  needs         text    not null,
  public        boolean not null,
  runbook       text    not null,
  position      bigint  not null,
  publish       text    not null,
  publish_after bigint  not null,
  created_at    bigint  not null,
  removed_at    bigint,
  version       bigint  not null
);

create table monitors (
  key        text    primary key,
  id         text    not null,
  component  text    not null,
  name       text    not null,
  kind       text    not null,
  interval_us bigint not null,
  locations  text    not null,
  sentinel   boolean not null,
  unit       text    not null,
  public     boolean not null,
  rule       text    not null,
  mark       text    not null,
  created_at bigint  not null,
  removed_at bigint,
  version    bigint  not null
);

create table maintenance_windows (
  key         text   primary key,
  id          text   not null,
  title       text   not null,
  description text   not null,
  components  text   not null,
  from_at     bigint,
  to_at       bigint,
  rrule       text   not null,
  zone        text   not null,
  start_local text   not null,
  duration_us bigint not null,
  sequence    bigint not null,
  removed_at  bigint,
  version     bigint not null
);

create table maintenance_occurrences (
  id         text   primary key,
  window_key text   not null,
  title      text   not null,
  body       text   not null,
  components text   not null,
  from_at    bigint not null,
  to_at      bigint not null,
  state      text   not null check (state in ('scheduled', 'in_progress', 'verifying', 'completed', 'cancelled')),
  started_at bigint,
  ended_at   bigint,
  sequence   bigint not null,
  created_at bigint,
  changed_at bigint,
  version    bigint not null
);
create index maintenance_occurrences_from on maintenance_occurrences (from_at);

create table streaks (
  monitor  text   not null,
  location text   not null,
  level    text   not null,
  fails    bigint not null,
  goods    bigint not null,
  slows    bigint not null,
  first_at bigint,
  changes  text   not null,
  saved_at bigint,
  primary key (monitor, location)
);

create table spans (
  id          text   primary key,
  component   text   not null,
  track       text   not null check (track in ('observed', 'published')),
  from_at     bigint not null,
  to_at       bigint check (to_at > from_at),
  status      text   not null,
  origin      text   not null,
  cause       bigint not null,
  public_text text   not null,
  staff_text  text   not null,
  ref         text   not null,
  version     bigint not null
);
create unique index spans_one_open on spans (component, track) where to_at is null;
create unique index spans_start on spans (component, track, from_at);
create index spans_end on spans (track, to_at);

create table decisions (
  id           text   primary key,
  monitor      text   not null,
  component    text   not null,
  at           bigint not null,
  effective_at bigint,
  from_level   text   not null,
  to_level     text   not null,
  held         text   not null,
  staff_text   text   not null,
  public_text  text   not null
);
create index decisions_monitor on decisions (monitor, at);
create index decisions_at on decisions (at);

-- Single moments by name, such as when the watching hub was last there.
create table moments (
  name text   primary key,
  at   bigint not null
);

create table months (
  component      text   not null,
  month          text   not null,
  up_us          bigint not null,
  degraded_us    bigint not null,
  partial_us     bigint not null,
  major_us       bigint not null,
  maintenance_us bigint not null,
  unmeasured_us  bigint not null,
  frozen_at      bigint not null,
  primary key (component, month)
);

create table corrections (
  id             text   primary key,
  component      text   not null,
  month          text   not null,
  at             bigint not null,
  up_us          bigint not null,
  degraded_us    bigint not null,
  partial_us     bigint not null,
  major_us       bigint not null,
  maintenance_us bigint not null,
  unmeasured_us  bigint not null,
  reason         text   not null,
  actor          text   not null,
  foreign key (component, month) references months (component, month),
  check (up_us + degraded_us + partial_us + major_us + maintenance_us + unmeasured_us = 0)
);
create index corrections_month on corrections (component, month, at);

create table histogram_days (
  monitor  text   not null,
  location text   not null,
  day      bigint not null,
  packed   bytea  not null,
  primary key (monitor, day, location)
);
create index histogram_days_day on histogram_days (day);

create table hour_rows (
  monitor     text    not null,
  location    text    not null,
  interval_us bigint  not null,
  is_value    boolean not null,
  hour        bigint  not null,
  slots       bytea   not null,
  primary key (monitor, location, interval_us, is_value, hour)
);
create index hour_rows_hour on hour_rows (hour);

create table pings (
  id       text   primary key,
  monitor  text   not null,
  at       bigint not null,
  signal   text   not null check (signal in ('start', 'success', 'fail', 'log')),
  exit_code bigint not null,
  run_time bigint not null,
  log      text   not null
);
create index pings_at on pings (at);

-- The newest ping of each signal, kept when retention takes the ping itself:
-- a monthly job must be known for longer than its log.
create table last_pings (
  monitor  text   not null,
  signal   text   not null,
  at       bigint not null,
  exit_code bigint not null,
  run_time bigint not null,
  log      text   not null,
  primary key (monitor, signal)
);
