-- Lines that may be backordered: they take their units even if these are not available.

alter table reservation_lines
    add column backorder boolean not null default false; -- it takes its units even if they are not available

-- The sales that wait for units, the newest first.
create index reservation_lines_by_backorder on reservation_lines (sku, created_at, reservation_id) where backorder;

-- The units of committed whose lines may be backordered. They may exceed what is there; the others, which
-- are committed - committed_backorder, may not. It follows from the lines; it is kept because each confirm
-- compares it.
alter table levels
    add column committed_backorder bigint not null default 0,
    add constraint levels_committed_backorder check (committed_backorder between 0 and committed);

alter type level_step
    add attribute committed_backorder_before bigint,
    add attribute committed_backorder        bigint;
