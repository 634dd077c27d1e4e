-- Each ledger has a random id, which Redis keeps too: so the ledger of another deployment is known before
-- Redis is rebuilt from it. '' is that of a position that an older program has made since.
alter table positions add column ledger_id text collate "C" not null default '';

update positions set ledger_id = gen_random_uuid()::text;
