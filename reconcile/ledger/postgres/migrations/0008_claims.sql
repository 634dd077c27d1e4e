-- A process that learned from Sentinel or from the cluster that another server is the primary claims the
-- shard for that server. The process that holds the lock gives way, unless it knows better.
alter table positions
    add column claim_run_id text           collate "C" not null default '',
    add column claimed_at   timestamptz(3) not null default to_timestamp(0);
