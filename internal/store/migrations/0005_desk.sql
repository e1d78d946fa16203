-- min_reader: 1
-- What people decide at the desk of the status wing. What an older binary
-- writes beside it gets the defaults.

alter table maintenance_windows add column conduct text not null default '{}';
alter table maintenance_windows add column by_hand boolean not null default false;
alter table maintenance_occurrences add column conduct text not null default '{}';
alter table maintenance_occurrences add column pinned boolean not null default false;
alter table maintenance_occurrences add column reminded_at bigint;
alter table maintenance_occurrences add column nagged_at bigint;
create index maintenance_occurrences_window on maintenance_occurrences (window_key, from_at);

-- A status that a person gave a component by hand.
create table sayings (
  id        text   primary key,
  component text   not null,
  status    text   not null,
  from_at   bigint not null,
  actor     text   not null,
  reason    text   not null,
  ended_at  bigint,
  ended_by  text   not null,
  version   bigint not null
);
create index sayings_now on sayings (component) where ended_at is null;

-- The rollout that holds a component, if any.
create table holds (
  component text   primary key,
  from_at   bigint not null,
  until_at  bigint not null,
  why       text   not null,
  actor     text   not null,
  version   bigint not null
);

create table silences (
  id         text   primary key,
  components text   not null,
  monitors   text   not null,
  from_at    bigint not null,
  to_at      bigint not null check (to_at > from_at),
  reason     text   not null,
  actor      text   not null,
  ended_at   bigint,
  ended_by   text   not null,
  version    bigint not null
);
create index silences_to on silences (to_at);

-- False alarms marked in the open: was holds what was published before, so that
-- it can be taken back.
create table amendments (
  id        text   primary key,
  component text   not null,
  from_at   bigint not null,
  to_at     bigint not null,
  reason    text   not null,
  actor     text   not null,
  at        bigint not null,
  was       text   not null,
  undone_at bigint,
  undone_by text   not null,
  version   bigint not null
);
create index amendments_component on amendments (component, at);

-- Groups, components and monitors that were defined in the console.
create table definitions (
  kind     text   not null check (kind in ('group', 'component', 'monitor')),
  id       text   not null,
  document text   not null,
  actor    text   not null,
  at       bigint not null,
  version  bigint not null,
  primary key (kind, id)
);
