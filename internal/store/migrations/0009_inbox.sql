-- min_reader: 1
-- Received mail: mailboxes and how far they were read, the ledger of every mail
-- with its fate, and bytes by their hash, counted by who refers to them.

create table blobs (
  hash       text    primary key, -- SHA-256, hex
  size       bigint  not null,
  refs       bigint  not null,    -- 0 = brought, and not referred to yet; above 0 it is whole
  whole      boolean not null,
  touched_at bigint  not null
);
create index blobs_loose on blobs (touched_at) where refs = 0;

create table blob_chunks (
  hash  text   not null,
  n     bigint not null, -- from 0
  bytes bytea  not null,
  primary key (hash, n)
);

create table mailboxes (
  name        text   primary key,
  validity    bigint not null,
  epoch       bigint not null,
  last_uid    bigint not null,
  backfill_to bigint not null,
  floor_uid   bigint not null,
  from_at     bigint,
  quiet_to    bigint,
  state       text   not null,
  trouble     text   not null,
  reason      text   not null,
  since       bigint,
  ok_at       bigint,
  compared_at bigint,
  gap         bigint not null,
  version     bigint not null
);

-- What may renew itself, such as a refresh token: sealed, never shown.
create table mailbox_tokens (
  mailbox    text   primary key,
  sealed     bytea  not null,
  changed_at bigint not null
);

create table mails (
  id          text    primary key,
  mailbox     text    not null,
  validity    bigint  not null,
  epoch       bigint  not null,
  uid         bigint  not null,
  hash        text    not null,
  size        bigint  not null,
  message_id  text    not null,
  received_at bigint,
  stored_at   bigint  not null,
  fate        text    not null check (fate in ('waiting', 'opened', 'joined', 'muted', 'bounce', 'automation', 'duplicate', 'quarantined', 'unfetchable')),
  reason      text    not null,
  of_mail     text    not null,
  kind        text    not null,
  ticket      text    not null,
  message     text    not null,
  quiet       boolean not null,
  attempts    bigint  not null,
  next_at     bigint,
  settled     boolean not null,
  gone_at     bigint,
  version     bigint  not null,
  unique (mailbox, validity, epoch, uid)
);
create index mails_waiting on mails (quiet, id) where fate = 'waiting';
create index mails_aside on mails (id) where fate in ('quarantined', 'unfetchable');
create index mails_unsettled on mails (mailbox, validity, epoch, uid) where not settled;
create index mails_hash on mails (hash) where hash <> '';
create index mails_message_id on mails (message_id) where message_id <> '';
create index mails_received on mails (received_at);

-- engine: postgres
-- A mail is changed once, soon after it came: room in its page keeps that cheap.
alter table mails set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
