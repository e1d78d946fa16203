-- min_reader: 1
-- What the hall sees in support mail and a person decides about: tickets that look
-- like one outage, and tickets that an open incident explains.

create table proposals (
  id         text             primary key,
  kind       text             not null check (kind in ('burst', 'link')),
  state      text             not null check (state in ('proposed', 'accepted', 'dismissed', 'undone', 'stale')),
  component  text             not null,
  topic      text             not null,
  incident   text             not null,
  tickets    text             not null,
  members    text             not null,
  words      text             not null,
  reason     text             not null,
  usual      double precision not null,
  since_at   bigint           not null,
  until_at   bigint           not null,
  created_at bigint           not null,
  decided_at bigint,
  decided_by text             not null,
  did        text             not null,
  version    bigint           not null
);
create index proposals_state on proposals (state, created_at);
create index proposals_created on proposals (created_at);
