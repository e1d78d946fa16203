-- min_reader: 1
-- Who may come in: people, their sessions and links, tokens of machines, hooks,
-- and how often somebody tried. Secrets stand here as SHA-256, sealed values as
-- what internal/secret made of them.

create table people (
  id            text   primary key,
  name          text   not null,
  email         text   not null,
  password_hash text   not null,
  totp          bytea,
  totp_used     bigint not null,
  recovery      text   not null,
  subject       text   not null,
  grants        text   not null,
  zone          text   not null,
  created_at    bigint not null,
  disabled_at   bigint,
  erased_at     bigint,
  seen_at       bigint,
  version       bigint not null
);
create unique index people_email on people (email) where email <> '';
create unique index people_subject on people (subject) where subject <> '';

create table sessions (
  id         text   primary key,
  hash       bytea  not null unique,
  person     text   not null,
  way        text   not null,
  agent      text   not null,
  network    text   not null,
  created_at bigint not null,
  seen_at    bigint not null,
  expires_at bigint not null,
  strong_at  bigint not null
);
create index sessions_person on sessions (person, created_at);
create index sessions_expires on sessions (expires_at);

create table links (
  id         text   primary key,
  hash       bytea  not null unique,
  purpose    text   not null check (purpose in ('first', 'invite', 'reset')),
  person     text   not null,
  created_by text   not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at    bigint
);
create index links_person on links (person);
create index links_expires on links (expires_at);

create table tokens (
  id         text   primary key,
  name       text   not null,
  hash       bytea  not null unique,
  role       text   not null,
  scopes     text   not null,
  created_by text   not null,
  created_at bigint not null,
  expires_at bigint,
  revoked_at bigint,
  seen_at    bigint
);

create table hooks (
  id         text   primary key,
  source     text   not null,
  name       text   not null,
  hash       bytea  not null unique,
  mapping    text   not null,
  created_by text   not null,
  created_at bigint not null,
  revoked_at bigint,
  seen_at    bigint
);

create table throttles (
  key      text   primary key,
  fails    bigint not null,
  at       bigint not null,
  until_at bigint
);
create index throttles_at on throttles (at);

-- Which key the secrets above were sealed with last, so that a hub that was
-- given another key file says so at once.
create table seal_keys (
  id      text   primary key,
  used_at bigint not null
);
