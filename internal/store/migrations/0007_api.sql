-- min_reader: 1
-- Answers given under an Idempotency-Key, so that a repeated request is the same one.
create table replies (
  actor    text   not null,
  key      text   not null,
  hash     bytea  not null,
  began_at bigint not null,
  code     bigint not null, -- 0 while it is being answered
  type     text   not null,
  body     bytea  not null,
  primary key (actor, key)
);
create index replies_began on replies (began_at);
