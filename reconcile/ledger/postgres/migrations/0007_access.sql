-- The keys with which programs call the API. A key itself is not here: no row helps to make one.
create table api_keys (
    id                  text           collate "C" not null, -- the part of the key between its underscores
    name                text           collate "C" not null, -- of the program that has it
    roles               text[]         not null,
    channels            text[]         collate "C" not null, -- whose reservations it sees and makes; empty: of all
    hash                bytea          not null, -- SHA-256 of the key
    requests_per_second integer        not null default 0, -- 0: the server's default
    created_at          timestamptz(3) not null default now(),
    created_by          text           not null default '',
    expires_at          timestamptz(3),
    revoked_at          timestamptz(3),
    revoked_by          text           not null default '',
    constraint api_keys_key primary key (id),
    constraint api_keys_hash check (octet_length(hash) = 32),
    constraint api_keys_roles check (cardinality(roles) > 0)
);

-- Who made a change on whose behalf, and by which request. '' if the caller did not say, or an older
-- program wrote the row.
alter table operations
    add column verb         text not null default '',
    add column on_behalf_of text not null default '',
    add column request_id   text collate "C" not null default '';
alter table directories
    add column on_behalf_of text not null default '',
    add column request_id   text collate "C" not null default '';
alter table audits
    add column on_behalf_of text not null default '',
    add column request_id   text collate "C" not null default '';
