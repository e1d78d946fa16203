-- min_reader: 1
-- Tickets: those who write in, what they said and what we answered. What is asked
-- for by its value has a column; what is only read with its row is JSON text.
-- Names, addresses and words are here alone, and can be erased.

-- engine: postgres
create sequence ticket_number;

-- engine: all
create table requesters (
  id         text    primary key,
  name       text    not null,
  address    text    not null,
  others     text    not null,
  phone      text    not null,
  notes      text    not null,
  bad        text    not null,
  blocked    boolean not null,
  created_at bigint  not null,
  erased_at  bigint,
  version    bigint  not null
);

-- Whose an address is: the one written to, and the others of the same person.
create table requester_addresses (
  address   text primary key,
  requester text not null references requesters (id)
);
create index requester_addresses_requester on requester_addresses (requester);

create table tickets (
  id                text    primary key,
  number            bigint  not null unique,
  subject           text    not null,
  state             text    not null check (state in ('new', 'open', 'pending', 'on_hold', 'solved', 'closed')),
  priority          text    not null,
  urgency           bigint  not null, -- of the priority, 0 to 3
  kind              text    not null,
  way               text    not null,
  queue             text    not null,
  mailbox           text    not null,
  requester         text    not null,
  assignee          text    not null,
  tags              text    not null,
  fields            text    not null,
  components        text    not null,
  incident          text    not null,
  template          text    not null,
  secret            text    not null,
  root              text    not null,
  messages          bigint  not null,
  files             bigint  not null,
  unheard           bigint  not null,
  unheard_at        bigint,
  last_at           bigint  not null,
  last_from         text    not null,
  created_at        bigint  not null,
  first_reply_at    bigint,
  solved_at         bigint,
  closed_at         bigint,
  snoozed_until     bigint,
  due_at            bigint,
  due               text    not null,
  warned_at         bigint,
  overdue           boolean not null,
  breached_at       bigint,
  resting_since     bigint,
  rested_us         bigint  not null,
  rested_unheard_us bigint  not null,
  wake_at           bigint,
  automatic         boolean not null,
  quiet             boolean not null,
  still_broken      boolean not null,
  merged_into       text    not null,
  was               text    not null,
  undeliverable     text    not null,
  turn              bigint  not null, -- place in a list by clocks: when it is due; without a clock far behind, by age
  changed_at        bigint  not null,
  version           bigint  not null
);
-- Lists by the nearest clock, of what is not over.
create index tickets_turn on tickets (turn, number) where state in ('new', 'open', 'pending', 'on_hold');
create index tickets_queue on tickets (queue, turn, number) where state in ('new', 'open', 'pending', 'on_hold');
create index tickets_assignee on tickets (assignee, turn, number) where state in ('new', 'open', 'pending', 'on_hold');
-- What the numbers beside the views are counted from.
create index tickets_live on tickets (automatic, state, queue, kind, assignee, snoozed_until)
  where state in ('new', 'open', 'pending', 'on_hold');
create index tickets_last on tickets (last_at, number);
create index tickets_created on tickets (created_at, number);
create index tickets_over on tickets (last_at, number) where state in ('solved', 'closed');
create index tickets_files on tickets (last_at, number) where files > 0;
create index tickets_requester on tickets (requester, created_at, number);
create index tickets_snoozed on tickets (snoozed_until) where snoozed_until is not null;
create index tickets_broken on tickets (id) where still_broken;
create index tickets_incident on tickets (incident, number) where incident <> '';
create index tickets_solved on tickets (solved_at) where solved_at is not null;
create index tickets_automatic on tickets (last_at, number) where automatic;
create index tickets_merged on tickets (merged_into) where merged_into <> '';
create index tickets_wake on tickets (wake_at) where wake_at is not null;
create index tickets_closed on tickets (closed_at) where closed_at is not null;

create table ticket_tags (
  tag    text not null,
  ticket text not null,
  primary key (tag, ticket)
);
create index ticket_tags_ticket on ticket_tags (ticket);

create table ticket_components (
  component text not null,
  ticket    text not null,
  primary key (component, ticket)
);
create index ticket_components_ticket on ticket_components (ticket);

create table ticket_messages (
  id          text   primary key,
  seq         bigint not null unique, -- the order of id as a number: what the index of words knows it by
  ticket      text   not null,
  home        text   not null,
  form        text   not null check (form in ('in', 'out', 'note', 'mute')),
  spoke       text   not null,
  author      text   not null,
  sender      text   not null, -- address
  sender_name text   not null,
  addressed   text   not null,
  subject     text   not null,
  body        text   not null,
  reply       text   not null,
  html        text   not null,
  mail        text   not null,
  hash        text   not null,
  body_hash   text   not null,
  once        text,            -- what no other message has: from outside, each is kept once
  message_id  text   not null,
  in_reply_to text   not null,
  refs        text   not null,
  source      text   not null,
  attachments text   not null,
  kind        text   not null,
  why         text   not null,
  trust       text   not null,
  warnings    text   not null,
  sending     text   not null,
  send_at     bigint,
  after_state text   not null,
  before      text   not null,
  mentions    text   not null,
  at          bigint not null,
  version     bigint not null
);
create index ticket_messages_ticket on ticket_messages (ticket, at);
create unique index ticket_messages_once on ticket_messages (once) where once is not null;
create index ticket_messages_message_id on ticket_messages (message_id) where message_id <> '';
create index ticket_messages_sender on ticket_messages (sender) where sender <> '';
create index ticket_messages_timed on ticket_messages (send_at) where sending = 'timed';
create index ticket_messages_held on ticket_messages (at) where sending = 'held';

-- Who else a message went to: what erasing somebody must find.
create table ticket_addressees (
  address text not null,
  message text not null,
  primary key (address, message)
);
create index ticket_addressees_message on ticket_addressees (message);

-- Automatic answers of late: what keeps two machines from talking for ever.
create table ticket_acknowledgements (
  at        bigint not null,
  requester text   not null,
  domain    text   not null
);
create index ticket_acknowledgements_at on ticket_acknowledgements (at);

-- Who has a ticket on the screen, or is writing to it.
create table ticket_presence (
  ticket  text    not null,
  person  text    not null,
  writing boolean not null,
  until   bigint  not null,
  primary key (ticket, person)
);

create table ticket_views (
  id      text    primary key,
  name    text    not null,
  query   text    not null,
  sort    text    not null,
  owner   text    not null, -- actor id; '' = everybody's
  version bigint  not null
);

create table ticket_replies (
  id      text    primary key,
  name    text    not null unique,
  body    text    not null,
  version bigint  not null
);

-- What an act on many tickets changed, so that it can be taken back.
create table ticket_bulks (
  id    text   primary key,
  actor text   not null,
  at    bigint not null,
  undo  text   not null
);

-- The words of messages, made anew from them when it is empty, so a backup leaves it out.
-- engine: sqlite
create virtual table ticket_words using fts5(words, content='', contentless_delete=1, tokenize='ascii', prefix='3 5');

-- engine: postgres
create table ticket_words (
  id     text     primary key, -- of the message
  words  tsvector not null
);
create index ticket_words_words on ticket_words using gin (words);
