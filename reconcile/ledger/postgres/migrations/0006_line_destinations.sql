-- The destinations of lines that have one of their own, in place of their reservation's. It is a table of
-- its own because few reservations have any.
create table line_destinations (
    reservation_id text  collate "C" not null,
    lines          jsonb not null, -- line -> {"ship_to": …} or {"pickup": …}
    constraint line_destinations_key primary key (reservation_id),
    constraint line_destinations_identifiers check (octet_length(reservation_id) between 1 and 128),
    constraint line_destinations_lines check (jsonb_typeof(lines) = 'object')
);
