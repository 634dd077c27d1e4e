-- The ledger: what happened to stock and reservations, as far as it was applied from the stream.
--
-- Quantities are whole units. Times are Redis's clock, exact to its millisecond. Identifiers are
-- compared byte by byte (collate "C"), whatever the database's own order is: as Redis and Go do, so
-- that all of them lock, list and page in one order. An identifier that was not given is ''.
--
-- A check that fails has one event refused (quarantine), any other error stops the shard: so whatever
-- an event could carry that does not fit has a check here, with a name.

-- What there is of a SKU at a location.
--   available = on_hand - held - committed - safety_stock + backorder_limit
-- That available is not below 0 is no check: an adjustment may take it there, and is recorded.
create table levels (
    sku             text   collate "C" not null,
    location        text   collate "C" not null,
    on_hand         bigint not null default 0, -- units that are there
    held            bigint not null default 0, -- of held reservations
    committed       bigint not null default 0, -- of confirmed ones, not fulfilled yet
    safety_stock    bigint not null default 0, -- kept back from sale
    backorder_limit bigint not null default 0, -- that may be sold beyond what is there
    constraint levels_key primary key (sku, location),
    constraint levels_identifiers check (
        octet_length(sku) between 1 and 128 and octet_length(location) between 1 and 128),
    constraint levels_on_hand check (on_hand >= 0),
    constraint levels_held check (held >= 0),
    constraint levels_committed check (committed >= 0),
    constraint levels_safety_stock check (safety_stock >= 0),
    constraint levels_backorder_limit check (backorder_limit >= 0)
) with (fillfactor = 50); -- no index has what changes: with room in its page, an update touches none

-- A reservation as Redis keeps it, from which its record there can be made again exactly, and what
-- only the ledger keeps: ship_to, pickup, split and metadata, as they were sent.
create table reservations (
    id          text           collate "C" not null,
    birth       text           collate "C" not null, -- nonce of the entry that made it: an id used again has another
    state       text           not null,
    version     bigint         not null, -- 1 at first, one more with each transition
    created_at  timestamptz(3) not null,
    expires_at  timestamptz(3) not null, -- the deadline; without meaning once confirmed
    resolved_at timestamptz(3),          -- when it came to rest in a state that holds no units
    archived_at timestamptz(3),          -- when all but this row was archived, which keeps the id from being used again
    fingerprint text           not null, -- of what the caller sent
    transition  text           not null default '', -- the last one, by which its repeat is known
    channel     text           collate "C" not null default '',
    customer    text           collate "C" not null default '',
    "order"     text           collate "C" not null default '',
    pickup      text           collate "C" not null default '',
    split       text           not null default '',
    ship_to     jsonb,
    metadata    json, -- not jsonb, which has no place for the character 0 that a value may hold
    constraint reservations_key primary key (id),
    constraint reservations_identifiers check (
        octet_length(id) between 1 and 128 and birth <> '' and octet_length(channel) <= 128
        and octet_length(customer) <= 128 and octet_length("order") <= 128 and octet_length(pickup) <= 128),
    constraint reservations_state check (state in ('held', 'confirmed', 'fulfilled', 'released', 'expired')),
    constraint reservations_resolved check (
        (state in ('fulfilled', 'released', 'expired')) = (resolved_at is not null)),
    constraint reservations_archived check (archived_at is null or resolved_at is not null),
    constraint reservations_version check (version >= 1),
    constraint reservations_split check (split in ('', 'never', 'lines', 'units')),
    constraint reservations_ship_to check (jsonb_typeof(ship_to) = 'object'),
    constraint reservations_metadata check (json_typeof(metadata) = 'object')
) with (fillfactor = 45); -- confirming changes no indexed column: with room for all of a page again, it touches no index

-- Searches page by (created_at, id), the newest first: each index serves its search in that order.
-- Those with a condition are used by a query that has the same condition in its text. No index has the
-- state: what is held or confirmed is live, the rest has come to rest.
create index reservations_live on reservations (created_at, id) where resolved_at is null; -- also: what a rebuild loads
create index reservations_at_rest on reservations (created_at, id) where resolved_at is not null and archived_at is null;
create index reservations_by_order on reservations ("order", created_at, id) where "order" <> '';
create index reservations_by_customer on reservations (customer, created_at, id) where customer <> '';
-- What Redis may forget, what a rebuild still loads of it, and what may be archived.
create index reservations_by_resolution on reservations (resolved_at, id) where resolved_at is not null and archived_at is null;

-- Whether the units of a line go together: each location has some, of which at most all have left;
-- no more than were asked for, and no more came back than had left.
create function line_adds_up(requested bigint, returned bigint, locations text[], quantities bigint[], fulfilled bigint[])
returns boolean language plpgsql immutable as $$
declare
    units bigint := 0;
    gone bigint := 0;
begin
    if cardinality(locations) <> cardinality(quantities) or cardinality(quantities) <> cardinality(fulfilled) then
        return false;
    end if;
    for i in 1 .. cardinality(quantities) loop
        if octet_length(locations[i]) between 1 and 128 and quantities[i] between 1 and 2147483647
            and fulfilled[i] between 0 and quantities[i] then
            units := units + quantities[i];
            gone := gone + fulfilled[i];
        else
            return false; -- also where one of them is null
        end if;
    end loop;
    return units <= requested and returned <= gone;
end
$$;

-- The lines of a reservation, and where their units come from: at the same place in the three arrays
-- stand a location, its units, and how many of those have left. A line that was released is empty.
create table reservation_lines (
    reservation_id text           collate "C" not null,
    position       integer        not null, -- in the reservation, from 1
    line           text           collate "C" not null,
    sku            text           collate "C" not null,
    requested      bigint         not null, -- units first asked for
    returned       bigint         not null default 0, -- units that came back after they had left
    locations      text[]         collate "C" not null,
    quantities     bigint[]       not null,
    fulfilled      bigint[]       not null,
    created_at     timestamptz(3) not null, -- the reservation's, for the searches below
    kit            text           collate "C" not null default '', -- SKU of the kit that this is a component of
    kit_quantity   bigint         not null default 0, -- units of it in one kit
    limits         text           not null default '', -- JSON: the purchase limits that count this line
    constraint reservation_lines_key primary key (reservation_id, position),
    constraint reservation_lines_identifiers check (
        octet_length(line) between 1 and 128 and octet_length(sku) between 1 and 128),
    constraint reservation_lines_position check (position >= 1),
    constraint reservation_lines_kit check (
        octet_length(kit) <= 128 and (kit = '') = (kit_quantity = 0) and kit_quantity between 0 and 2147483647),
    constraint reservation_lines_requested check (requested between 1 and 2147483647),
    constraint reservation_lines_returned check (returned >= 0),
    constraint reservation_lines_units check (
        case when cardinality(locations) = 1 and cardinality(quantities) = 1 and cardinality(fulfilled) = 1 -- as most are
        then coalesce(octet_length(locations[1]) between 1 and 128 and quantities[1] between 1 and requested
            and fulfilled[1] between returned and quantities[1], false)
        else line_adds_up(requested, returned, locations, quantities, fulfilled) end)
) with (fillfactor = 80);

create index reservation_lines_by_line on reservation_lines (line, created_at, reservation_id);
create index reservation_lines_by_sku on reservation_lines (sku, created_at, reservation_id);
create index reservation_lines_by_kit on reservation_lines (kit, created_at, reservation_id) where kit <> '';

-- What purchase limits count for a customer: units that are held, confirmed or fulfilled. It follows
-- from the lines; it is kept because a rebuild of Redis loads it.
create table limit_counts (
    limit_id text   collate "C" not null,
    customer text   collate "C" not null,
    units    bigint not null,
    constraint limit_counts_key primary key (limit_id, customer),
    constraint limit_counts_identifiers check (
        octet_length(limit_id) between 1 and 128 and octet_length(customer) between 1 and 128),
    constraint limit_counts_units check (units >= 0)
) with (fillfactor = 70);

-- Operations on levels, by the id that makes a repeat of one change nothing.
create table operations (
    id          text           collate "C" not null,
    fingerprint text           not null, -- of what the caller sent
    birth       text           collate "C" not null, -- nonce of the entry that made it, as a reservation has it
    applied_at  timestamptz(3) not null,
    shard       integer        not null,
    reason      text           not null default '',
    actor       text           not null default '',
    constraint operations_key primary key (id),
    constraint operations_identifiers check (octet_length(id) between 1 and 128 and birth <> '')
);

create index operations_by_time on operations (applied_at, id);

-- Every change of a level, one row for each level that an event touches. From nothing, they add up to
-- levels. Rows are added and never changed: what was wrong is mended by another row. Only `holdfast
-- reconcile prune` takes old rows away, and puts one in their place for each level, their sum: verb
-- 'archive', the operation 'prune', behind all entries there can be.
create table movements (
    shard           integer        not null,
    epoch           bigint         not null, -- with sequence: the entry of the stream
    sequence        bigint         not null,
    event           integer        not null, -- index in the entry, from 0
    sku             text           collate "C" not null,
    location        text           collate "C" not null,
    on_hand         bigint         not null default 0, -- this and the next four: units added
    held            bigint         not null default 0,
    committed       bigint         not null default 0,
    safety_stock    bigint         not null default 0,
    backorder_limit bigint         not null default 0,
    verb            text           not null,
    reason          text           not null default '',
    actor           text           not null default '',
    reservation_id  text           collate "C", -- this or the next, of a return both; the row outlives what it names
    operation_id    text           collate "C",
    at              timestamptz(3) not null,
    -- An event can't be applied twice, even if the position were wrong.
    constraint movements_key primary key (shard, epoch, sequence, event, sku, location),
    constraint movements_identifiers check (
        octet_length(sku) between 1 and 128 and octet_length(location) between 1 and 128 and verb <> ''
        and octet_length(reservation_id) between 1 and 128 and octet_length(operation_id) between 1 and 128),
    constraint movements_cause check (num_nonnulls(reservation_id, operation_id) >= 1)
);

-- What came and left since a moment. Rows come in the order of at, nearly: a range of blocks is all it
-- takes, where an index entry for each row would cost as much as the row.
create index movements_by_time on movements using brin (at);

-- What came and left of a level since a moment, which a count of that moment is brought up to now with.
-- What was counted or written off is neither. Most movements only hold or commit, and have no entry.
create index movements_on_hand on movements (sku, location, at) include (on_hand)
where on_hand <> 0 and verb not in ('count', 'remove');

-- A trigger and not a revoked right: it also stops the table's owner and a superuser, who are who
-- would do it by mistake. Who archives says so in the transaction.
create function refuse_change() returns trigger
language plpgsql as $$
begin
    if tg_table_name = 'movements' and tg_op <> 'TRUNCATE' and current_setting('holdfast.archiving', true) = 'on' then
        return null;
    end if;
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation', schema = tg_table_schema, table = tg_table_name, constraint = tg_name;
end
$$;

create trigger movements_append_only before update or delete or truncate on movements
for each statement execute function refuse_change();

-- How far each shard was applied. It is moved in the transaction that applies, compared with what it
-- was: the loser of two appliers rolls back.
create table positions (
    shard          integer        not null,
    epoch          bigint         not null, -- with sequence: the last applied entry
    sequence       bigint         not null,
    nonce          text           not null, -- of that entry: another one there is another history
    run_id         text           not null, -- Redis's, when its scripts were loaded
    replication_id text           not null,
    shards         integer        not null, -- how many there are, fixed at initialisation
    prefix         text           not null, -- of the keys, likewise
    seen_at        timestamptz(3) not null, -- by Redis's clock: when it last was what this row says
    forgotten_to   timestamptz(3) not null default 'epoch', -- what was resolved before, Redis was told to forget
    kept_from      timestamptz(3) not null default now(), -- all that came and left since is in movements
    rebuild        boolean        not null default false, -- asked for by an operator
    constraint positions_key primary key (shard),
    constraint positions_shard check (shard >= 0 and shard < shards),
    constraint positions_entry check (epoch >= 1 and sequence >= 0 and nonce <> '')
) with (fillfactor = 10); -- some rows, updated without end

-- What the ledger had the last word against: an event that was refused, as the answer to who waits for
-- it and as what is to be undone in Redis. A refusal moves no counter.
create table refusals (
    shard          integer        not null,
    epoch          bigint         not null, -- with sequence and event: where the event stood
    sequence       bigint         not null,
    event          integer        not null,
    verb           text           not null,
    reservation_id text           collate "C", -- this, with the version it led to, or the next
    operation_id   text           collate "C",
    birth          text           collate "C" not null,
    version        bigint         not null, -- of an operation 1
    reason         text           not null,
    detail         text           not null default '', -- JSON: the lines that were short, and what is to be undone
    created_at     timestamptz(3) not null,
    settled_at     timestamptz(3), -- when its undoing was applied; null: still to do
    constraint refusals_key primary key (shard, epoch, sequence, event),
    constraint refusals_transition unique (reservation_id, birth, version),
    constraint refusals_operation unique (operation_id, birth),
    constraint refusals_cause check (num_nonnulls(reservation_id, operation_id) = 1),
    constraint refusals_identifiers check (
        octet_length(reservation_id) between 1 and 128 and octet_length(operation_id) between 1 and 128
        and birth <> '' and verb <> '' and reason <> ''),
    constraint refusals_version check (version >= 1)
);

create index refusals_open on refusals (shard, epoch, sequence, event) where settled_at is null;

-- Events that a rule or a check refused, and entries that can't be read, kept for a person and for
-- the audit. They are never applied later.
create table quarantine (
    shard    integer        not null,
    entry    text           collate "C" not null, -- id in the stream; text, since a foreign one fits no bigint
    event    integer        not null, -- index in the entry, from 0; -1: the entry as a whole
    reason   text           not null,
    body     bytea          not null, -- bytes: it may be no text at all
    noted_at timestamptz(3) not null default now(), -- by this database's clock
    constraint quarantine_key primary key (shard, entry, event),
    constraint quarantine_event check (event >= -1),
    constraint quarantine_reason check (reason <> '')
);

-- What a batch of events does to a level and to a reservation, as the reconciler sends it: the row before,
-- which it compares, and after.
create type level_step as (
    sku                    text,
    location               text,
    on_hand_before         bigint,
    held_before            bigint,
    committed_before       bigint,
    safety_stock_before    bigint,
    backorder_limit_before bigint,
    on_hand                bigint,
    held                   bigint,
    committed              bigint,
    safety_stock           bigint,
    backorder_limit        bigint
);

create type reservation_step as (
    id             text,
    birth          text,
    state_before   text,
    version_before bigint,
    state          text,
    version        bigint,
    expires_at     timestamptz(3),
    resolved_at    timestamptz(3),
    transition     text
);

-- Refuses to go on where rows were not found as they were known: somebody else has changed them.
create function expect(written bigint, expected bigint) returns void
language plpgsql as $$
begin
    if written <> expected then
        raise exception '% of % rows are as they were known', written, expected using errcode = 'serialization_failure';
    end if;
end
$$;

-- The routing directory, each version as it was applied: the highest counts.
create table directories (
    version    bigint         not null,
    body       json           not null, -- as GET /v1/directory answers it
    actor      text           not null default '', -- who applied it
    applied_at timestamptz(3) not null default now(), -- by this database's clock
    constraint directories_key primary key (version),
    constraint directories_version check (version >= 1),
    constraint directories_body check (json_typeof(body) = 'object')
);

create trigger directories_append_only before update or delete or truncate on directories
for each statement execute function refuse_change();

-- Audits: each compares Redis with the ledger, part by part, each part at one place of the stream.
create table audits (
    id           text           collate "C" not null,
    shard        integer        not null,
    state        text           not null default 'running',
    repair       boolean        not null default false, -- what differs is repaired, not only reported
    sku          text           collate "C" not null default '', -- only what belongs to it; '' is all
    location     text           collate "C" not null default '', -- likewise
    actor        text           not null default '', -- who asked for it
    started_at   timestamptz(3) not null default now(), -- this and the next two by this database's clock
    seen_at      timestamptz(3) not null default now(), -- when whoever audits last said so
    finished_at  timestamptz(3),
    levels       bigint         not null default 0, -- this and the next three: how many were compared
    reservations bigint         not null default 0,
    limits       bigint         not null default 0,
    deadlines    bigint         not null default 0,
    failure      text           not null default '', -- why it ended before its end, or repaired nothing
    constraint audits_key primary key (id),
    constraint audits_identifiers check (
        octet_length(id) between 1 and 128 and octet_length(sku) <= 128 and octet_length(location) <= 128),
    constraint audits_state check (state in ('running', 'done', 'failed')),
    constraint audits_finished check ((finished_at is not null) = (state in ('done', 'failed'))),
    constraint audits_compared check (levels >= 0 and reservations >= 0 and limits >= 0 and deadlines >= 0)
);

create index audits_by_end on audits (finished_at) where finished_at is not null;

-- What an audit has found: a difference between Redis and the ledger, or within the ledger. It is written
-- in the transaction that applies the place of the stream where both sides were read.
create table audit_findings (
    audit_id       text           collate "C" not null,
    id             text           collate "C" not null, -- of its kind and name: the same thing found by another audit has it too
    kind           text           not null,
    state          text           not null default 'open', -- repaired; or gone when it was looked at again
    sku            text           collate "C" not null default '', -- this and the next four: what it is about
    location       text           collate "C" not null default '',
    reservation_id text           collate "C" not null default '',
    limit_id       text           collate "C" not null default '',
    customer       text           collate "C" not null default '',
    name           text           collate "C" not null default '', -- what Redis calls it, quoted where it is none of those
    epoch          bigint         not null default 0, -- with sequence: the entry at which both sides were read; 0: the ledger alone
    sequence       bigint         not null default 0,
    in_redis       text           not null default '', -- JSON: what Redis has; '' is nothing
    in_ledger      text           not null default '', -- JSON: what it should have
    units          bigint         not null default 0, -- how many a repair would change at most
    seen           text           not null default '', -- JSON: the texts that Redis had, in base64, which a repair compares
    note           text           not null default '',
    repair_epoch   bigint         not null default 0, -- with the next: the entry that repaired it; 0: none
    repair_sequence bigint        not null default 0,
    constraint audit_findings_key primary key (audit_id, id),
    constraint audit_findings_audit foreign key (audit_id) references audits (id) on delete cascade,
    constraint audit_findings_id check (octet_length(id) between 1 and 128),
    constraint audit_findings_kind check (kind in ('counter_drift', 'level_missing', 'level_unknown', 'reservation_missing',
        'reservation_extra', 'reservation_state', 'limit_drift', 'deadline_missing', 'deadline_orphaned',
        'ledger_inconsistent', 'open_refusal', 'quarantined', 'undecided')),
    constraint audit_findings_state check (state in ('open', 'repaired', 'gone')),
    constraint audit_findings_units check (units >= 0),
    constraint audit_findings_repair check (state <> 'repaired' or repair_epoch > 0)
);
