-- min_reader: 1
-- The page may keep to Statuspage's own rule for its indicator: components alone.
alter table site add column strict_status boolean not null default false;
