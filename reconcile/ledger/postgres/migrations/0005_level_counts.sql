-- Which count of a level is in force: the one that was made for the latest moment. An earlier one
-- that arrives late does not replace it. A removal is a count of nothing. The row stays when the level
-- is removed: then an earlier count does not bring it back.
create table level_counts (
    sku          text           collate "C" not null,
    location     text           collate "C" not null,
    operation_id text           collate "C" not null,
    made_at      timestamptz(3) not null, -- the moment that the count was made for
    constraint level_counts_key primary key (sku, location),
    constraint level_counts_identifiers check (
        octet_length(sku) between 1 and 128 and octet_length(location) between 1 and 128
        and octet_length(operation_id) between 1 and 128)
) with (fillfactor = 50); -- no index has what changes
