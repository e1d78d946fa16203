-- min_reader: 1
-- The words of journal entries: ids, enums and verbs, nothing that could be
-- personal. Made anew from the journal by the follower "search" whenever it is
-- empty, so a backup leaves it out.

-- engine: sqlite
create virtual table journal_words using fts5(words, content='', detail=none, tokenize='ascii', prefix='3 4 5');

-- engine: postgres
create table journal_words (
  seq   bigint   primary key,
  words tsvector not null
);
create index journal_words_words on journal_words using gin (words);

-- engine: all
create index journal_verb on journal (verb, seq);
create index journal_actor on journal (actor, seq);
create index journal_recorded on journal (recorded_at);
