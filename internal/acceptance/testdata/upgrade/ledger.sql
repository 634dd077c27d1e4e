--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: level_step; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.level_step AS (
	sku text,
	location text,
	on_hand_before bigint,
	held_before bigint,
	committed_before bigint,
	safety_stock_before bigint,
	backorder_limit_before bigint,
	on_hand bigint,
	held bigint,
	committed bigint,
	safety_stock bigint,
	backorder_limit bigint
);


--
-- Name: reservation_step; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.reservation_step AS (
	id text,
	birth text,
	state_before text,
	version_before bigint,
	state text,
	version bigint,
	expires_at timestamp(3) with time zone,
	resolved_at timestamp(3) with time zone,
	transition text
);


--
-- Name: expect(bigint, bigint); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.expect(written bigint, expected bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    if written <> expected then
        raise exception '% of % rows are as they were known', written, expected using errcode = 'serialization_failure';
    end if;
end
$$;


--
-- Name: line_adds_up(bigint, bigint, text[], bigint[], bigint[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.line_adds_up(requested bigint, returned bigint, locations text[], quantities bigint[], fulfilled bigint[]) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $$
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


--
-- Name: refuse_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_table_name = 'movements' and tg_op <> 'TRUNCATE' and current_setting('holdfast.archiving', true) = 'on' then
        return null;
    end if;
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation', schema = tg_table_schema, table = tg_table_name, constraint = tg_name;
end
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: audit_findings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_findings (
    audit_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    sku text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    location text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    reservation_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    limit_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    customer text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    epoch bigint DEFAULT 0 NOT NULL,
    sequence bigint DEFAULT 0 NOT NULL,
    in_redis text DEFAULT ''::text NOT NULL,
    in_ledger text DEFAULT ''::text NOT NULL,
    units bigint DEFAULT 0 NOT NULL,
    seen text DEFAULT ''::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    repair_epoch bigint DEFAULT 0 NOT NULL,
    repair_sequence bigint DEFAULT 0 NOT NULL,
    CONSTRAINT audit_findings_id CHECK (((octet_length(id) >= 1) AND (octet_length(id) <= 128))),
    CONSTRAINT audit_findings_kind CHECK ((kind = ANY (ARRAY['counter_drift'::text, 'level_missing'::text, 'level_unknown'::text, 'reservation_missing'::text, 'reservation_extra'::text, 'reservation_state'::text, 'limit_drift'::text, 'deadline_missing'::text, 'deadline_orphaned'::text, 'ledger_inconsistent'::text, 'open_refusal'::text, 'quarantined'::text, 'undecided'::text]))),
    CONSTRAINT audit_findings_repair CHECK (((state <> 'repaired'::text) OR (repair_epoch > 0))),
    CONSTRAINT audit_findings_state CHECK ((state = ANY (ARRAY['open'::text, 'repaired'::text, 'gone'::text]))),
    CONSTRAINT audit_findings_units CHECK ((units >= 0))
);


--
-- Name: audits; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audits (
    id text NOT NULL COLLATE pg_catalog."C",
    shard integer NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,
    repair boolean DEFAULT false NOT NULL,
    sku text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    location text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    actor text DEFAULT ''::text NOT NULL,
    started_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    seen_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    finished_at timestamp(3) with time zone,
    levels bigint DEFAULT 0 NOT NULL,
    reservations bigint DEFAULT 0 NOT NULL,
    limits bigint DEFAULT 0 NOT NULL,
    deadlines bigint DEFAULT 0 NOT NULL,
    failure text DEFAULT ''::text NOT NULL,
    CONSTRAINT audits_compared CHECK (((levels >= 0) AND (reservations >= 0) AND (limits >= 0) AND (deadlines >= 0))),
    CONSTRAINT audits_finished CHECK (((finished_at IS NOT NULL) = (state = ANY (ARRAY['done'::text, 'failed'::text])))),
    CONSTRAINT audits_identifiers CHECK ((((octet_length(id) >= 1) AND (octet_length(id) <= 128)) AND (octet_length(sku) <= 128) AND (octet_length(location) <= 128))),
    CONSTRAINT audits_state CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])))
);


--
-- Name: directories; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.directories (
    version bigint NOT NULL,
    body json NOT NULL,
    actor text DEFAULT ''::text NOT NULL,
    applied_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT directories_body CHECK ((json_typeof(body) = 'object'::text)),
    CONSTRAINT directories_version CHECK ((version >= 1))
);


--
-- Name: levels; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.levels (
    sku text NOT NULL COLLATE pg_catalog."C",
    location text NOT NULL COLLATE pg_catalog."C",
    on_hand bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    committed bigint DEFAULT 0 NOT NULL,
    safety_stock bigint DEFAULT 0 NOT NULL,
    backorder_limit bigint DEFAULT 0 NOT NULL,
    CONSTRAINT levels_backorder_limit CHECK ((backorder_limit >= 0)),
    CONSTRAINT levels_committed CHECK ((committed >= 0)),
    CONSTRAINT levels_held CHECK ((held >= 0)),
    CONSTRAINT levels_identifiers CHECK ((((octet_length(sku) >= 1) AND (octet_length(sku) <= 128)) AND ((octet_length(location) >= 1) AND (octet_length(location) <= 128)))),
    CONSTRAINT levels_on_hand CHECK ((on_hand >= 0)),
    CONSTRAINT levels_safety_stock CHECK ((safety_stock >= 0))
)
WITH (fillfactor='50');


--
-- Name: limit_counts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.limit_counts (
    limit_id text NOT NULL COLLATE pg_catalog."C",
    customer text NOT NULL COLLATE pg_catalog."C",
    units bigint NOT NULL,
    CONSTRAINT limit_counts_identifiers CHECK ((((octet_length(limit_id) >= 1) AND (octet_length(limit_id) <= 128)) AND ((octet_length(customer) >= 1) AND (octet_length(customer) <= 128)))),
    CONSTRAINT limit_counts_units CHECK ((units >= 0))
)
WITH (fillfactor='70');


--
-- Name: movements; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.movements (
    shard integer NOT NULL,
    epoch bigint NOT NULL,
    sequence bigint NOT NULL,
    event integer NOT NULL,
    sku text NOT NULL COLLATE pg_catalog."C",
    location text NOT NULL COLLATE pg_catalog."C",
    on_hand bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    committed bigint DEFAULT 0 NOT NULL,
    safety_stock bigint DEFAULT 0 NOT NULL,
    backorder_limit bigint DEFAULT 0 NOT NULL,
    verb text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text DEFAULT ''::text NOT NULL,
    reservation_id text COLLATE pg_catalog."C",
    operation_id text COLLATE pg_catalog."C",
    at timestamp(3) with time zone NOT NULL,
    CONSTRAINT movements_cause CHECK ((num_nonnulls(reservation_id, operation_id) >= 1)),
    CONSTRAINT movements_identifiers CHECK ((((octet_length(sku) >= 1) AND (octet_length(sku) <= 128)) AND ((octet_length(location) >= 1) AND (octet_length(location) <= 128)) AND (verb <> ''::text) AND ((octet_length(reservation_id) >= 1) AND (octet_length(reservation_id) <= 128)) AND ((octet_length(operation_id) >= 1) AND (octet_length(operation_id) <= 128))))
);


--
-- Name: operations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operations (
    id text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL,
    birth text NOT NULL COLLATE pg_catalog."C",
    applied_at timestamp(3) with time zone NOT NULL,
    shard integer NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text DEFAULT ''::text NOT NULL,
    CONSTRAINT operations_identifiers CHECK ((((octet_length(id) >= 1) AND (octet_length(id) <= 128)) AND (birth <> ''::text)))
);


--
-- Name: positions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.positions (
    shard integer NOT NULL,
    epoch bigint NOT NULL,
    sequence bigint NOT NULL,
    nonce text NOT NULL,
    run_id text NOT NULL,
    replication_id text NOT NULL,
    shards integer NOT NULL,
    prefix text NOT NULL,
    seen_at timestamp(3) with time zone NOT NULL,
    forgotten_to timestamp(3) with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    kept_from timestamp(3) with time zone DEFAULT now() NOT NULL,
    rebuild boolean DEFAULT false NOT NULL,
    CONSTRAINT positions_entry CHECK (((epoch >= 1) AND (sequence >= 0) AND (nonce <> ''::text))),
    CONSTRAINT positions_shard CHECK (((shard >= 0) AND (shard < shards)))
)
WITH (fillfactor='10');


--
-- Name: quarantine; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.quarantine (
    shard integer NOT NULL,
    entry text NOT NULL COLLATE pg_catalog."C",
    event integer NOT NULL,
    reason text NOT NULL,
    body bytea NOT NULL,
    noted_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT quarantine_event CHECK ((event >= '-1'::integer)),
    CONSTRAINT quarantine_reason CHECK ((reason <> ''::text))
);


--
-- Name: refusals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.refusals (
    shard integer NOT NULL,
    epoch bigint NOT NULL,
    sequence bigint NOT NULL,
    event integer NOT NULL,
    verb text NOT NULL,
    reservation_id text COLLATE pg_catalog."C",
    operation_id text COLLATE pg_catalog."C",
    birth text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    reason text NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    settled_at timestamp(3) with time zone,
    CONSTRAINT refusals_cause CHECK ((num_nonnulls(reservation_id, operation_id) = 1)),
    CONSTRAINT refusals_identifiers CHECK ((((octet_length(reservation_id) >= 1) AND (octet_length(reservation_id) <= 128)) AND ((octet_length(operation_id) >= 1) AND (octet_length(operation_id) <= 128)) AND (birth <> ''::text) AND (verb <> ''::text) AND (reason <> ''::text))),
    CONSTRAINT refusals_version CHECK ((version >= 1))
);


--
-- Name: reservation_lines; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.reservation_lines (
    reservation_id text NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL,
    line text NOT NULL COLLATE pg_catalog."C",
    sku text NOT NULL COLLATE pg_catalog."C",
    requested bigint NOT NULL,
    returned bigint DEFAULT 0 NOT NULL,
    locations text[] NOT NULL COLLATE pg_catalog."C",
    quantities bigint[] NOT NULL,
    fulfilled bigint[] NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    kit text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    kit_quantity bigint DEFAULT 0 NOT NULL,
    limits text DEFAULT ''::text NOT NULL,
    CONSTRAINT reservation_lines_identifiers CHECK ((((octet_length(line) >= 1) AND (octet_length(line) <= 128)) AND ((octet_length(sku) >= 1) AND (octet_length(sku) <= 128)))),
    CONSTRAINT reservation_lines_kit CHECK (((octet_length(kit) <= 128) AND ((kit = ''::text) = (kit_quantity = 0)) AND ((kit_quantity >= 0) AND (kit_quantity <= 2147483647)))),
    CONSTRAINT reservation_lines_position CHECK (("position" >= 1)),
    CONSTRAINT reservation_lines_requested CHECK (((requested >= 1) AND (requested <= 2147483647))),
    CONSTRAINT reservation_lines_returned CHECK ((returned >= 0)),
    CONSTRAINT reservation_lines_units CHECK (
CASE
    WHEN ((cardinality(locations) = 1) AND (cardinality(quantities) = 1) AND (cardinality(fulfilled) = 1)) THEN COALESCE((((octet_length(locations[1]) >= 1) AND (octet_length(locations[1]) <= 128)) AND ((quantities[1] >= 1) AND (quantities[1] <= requested)) AND ((fulfilled[1] >= returned) AND (fulfilled[1] <= quantities[1]))), false)
    ELSE public.line_adds_up(requested, returned, locations, quantities, fulfilled)
END)
)
WITH (fillfactor='80');


--
-- Name: reservations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.reservations (
    id text NOT NULL COLLATE pg_catalog."C",
    birth text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    version bigint NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    expires_at timestamp(3) with time zone NOT NULL,
    resolved_at timestamp(3) with time zone,
    archived_at timestamp(3) with time zone,
    fingerprint text NOT NULL,
    transition text DEFAULT ''::text NOT NULL,
    channel text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    customer text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    "order" text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    pickup text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    split text DEFAULT ''::text NOT NULL,
    ship_to jsonb,
    metadata json,
    CONSTRAINT reservations_archived CHECK (((archived_at IS NULL) OR (resolved_at IS NOT NULL))),
    CONSTRAINT reservations_identifiers CHECK ((((octet_length(id) >= 1) AND (octet_length(id) <= 128)) AND (birth <> ''::text) AND (octet_length(channel) <= 128) AND (octet_length(customer) <= 128) AND (octet_length("order") <= 128) AND (octet_length(pickup) <= 128))),
    CONSTRAINT reservations_metadata CHECK ((json_typeof(metadata) = 'object'::text)),
    CONSTRAINT reservations_resolved CHECK (((state = ANY (ARRAY['fulfilled'::text, 'released'::text, 'expired'::text])) = (resolved_at IS NOT NULL))),
    CONSTRAINT reservations_ship_to CHECK ((jsonb_typeof(ship_to) = 'object'::text)),
    CONSTRAINT reservations_split CHECK ((split = ANY (ARRAY[''::text, 'never'::text, 'lines'::text, 'units'::text]))),
    CONSTRAINT reservations_state CHECK ((state = ANY (ARRAY['held'::text, 'confirmed'::text, 'fulfilled'::text, 'released'::text, 'expired'::text]))),
    CONSTRAINT reservations_version CHECK ((version >= 1))
)
WITH (fillfactor='45');


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Data for Name: audit_findings; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: audits; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audits VALUES ('audit-20261130-035753-evvxnh', 0, 'done', false, '', '', 'anna', '2026-11-30 03:57:53.355+00', '2026-11-30 03:57:53.479+00', '2026-11-30 03:57:53.479+00', 6, 20, 2, 17, '');


--
-- Data for Name: directories; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.directories VALUES (1, '{"locations":[{"id":"berlin","country":"DE"},{"id":"lyon","country":"FR","zones":["west"]}],"zones":[{"id":"west","countries":["FR","BE"]}],"channels":[{"id":"web","default":true,"locations":["berlin","lyon"],"rank":["same_country"],"split":"units"}],"limits":[{"id":"drop-1","channels":["web"],"skus":["DROP"],"per_customer":3}],"kits":[{"sku":"GIFT-SET","components":[{"sku":"TEE-M","quantity":2},{"sku":"CAP","quantity":1}]}]}', '', '2026-11-30 03:57:40.77+00');


--
-- Data for Name: levels; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.levels VALUES ('CAP', 'lyon', 5, 1, 0, 0, 3);
INSERT INTO public.levels VALUES ('CAP', 'berlin', 7, 2, 3, 1, 0);
INSERT INTO public.levels VALUES ('MUG', 'berlin', 1, 0, 1, 0, 0);
INSERT INTO public.levels VALUES ('TEE-M', 'berlin', 14, 8, 5, 0, 0);
INSERT INTO public.levels VALUES ('TEE-M', 'lyon', 13, 3, 1, 0, 0);
INSERT INTO public.levels VALUES ('DROP', 'berlin', 9, 2, 2, 0, 0);


--
-- Data for Name: limit_counts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.limit_counts VALUES ('drop-1', 'c-1', 2);
INSERT INTO public.limit_counts VALUES ('drop-1', 'c-2', 2);


--
-- Data for Name: movements; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.movements VALUES (0, 1, 2, 0, 'TEE-M', 'berlin', 20, 0, 0, 0, 0, 'count', 'first count', 'anna', NULL, 'count-1', '2026-11-30 03:57:39.441+00');
INSERT INTO public.movements VALUES (0, 1, 3, 0, 'TEE-M', 'lyon', 10, 0, 0, 0, 0, 'count', '', '', NULL, 'count-2', '2026-11-30 03:57:39.839+00');
INSERT INTO public.movements VALUES (0, 1, 4, 0, 'CAP', 'berlin', 8, 0, 0, 1, 0, 'count', '', '', NULL, 'count-3', '2026-11-30 03:57:39.994+00');
INSERT INTO public.movements VALUES (0, 1, 5, 0, 'CAP', 'lyon', 5, 0, 0, 0, 3, 'count', '', '', NULL, 'count-4', '2026-11-30 03:57:40.373+00');
INSERT INTO public.movements VALUES (0, 1, 5, 0, 'MUG', 'berlin', 1, 0, 0, 0, 0, 'count', '', '', NULL, 'count-4', '2026-11-30 03:57:40.373+00');
INSERT INTO public.movements VALUES (0, 1, 5, 0, 'DROP', 'berlin', 9, 0, 0, 0, 0, 'count', '', '', NULL, 'count-4', '2026-11-30 03:57:40.373+00');
INSERT INTO public.movements VALUES (0, 1, 5, 0, 'OLD', 'lyon', 4, 0, 0, 0, 0, 'count', '', '', NULL, 'count-4', '2026-11-30 03:57:40.373+00');
INSERT INTO public.movements VALUES (0, 1, 6, 0, 'TEE-M', 'lyon', 0, 2, 0, 0, 0, 'reserve', '', '', 'held', NULL, '2026-11-30 03:57:42.435+00');
INSERT INTO public.movements VALUES (0, 1, 6, 0, 'CAP', 'lyon', 0, 1, 0, 0, 0, 'reserve', '', '', 'held', NULL, '2026-11-30 03:57:42.435+00');
INSERT INTO public.movements VALUES (0, 1, 7, 0, 'TEE-M', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'held-near', NULL, '2026-11-30 03:57:42.783+00');
INSERT INTO public.movements VALUES (0, 1, 8, 0, 'TEE-M', 'berlin', 0, 4, 0, 0, 0, 'reserve', '', '', 'held-kit', NULL, '2026-11-30 03:57:42.936+00');
INSERT INTO public.movements VALUES (0, 1, 8, 0, 'CAP', 'berlin', 0, 2, 0, 0, 0, 'reserve', '', '', 'held-kit', NULL, '2026-11-30 03:57:42.936+00');
INSERT INTO public.movements VALUES (0, 1, 9, 0, 'DROP', 'berlin', 0, 2, 0, 0, 0, 'reserve', '', '', 'held-limit', NULL, '2026-11-30 03:57:43.113+00');
INSERT INTO public.movements VALUES (0, 1, 10, 0, 'TEE-M', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'held-extended', NULL, '2026-11-30 03:57:43.231+00');
INSERT INTO public.movements VALUES (0, 1, 12, 0, 'TEE-M', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'held-moved', NULL, '2026-11-30 03:57:44.411+00');
INSERT INTO public.movements VALUES (0, 1, 13, 0, 'TEE-M', 'berlin', 0, -1, 0, 0, 0, 'move', '', '', 'held-moved', NULL, '2026-11-30 03:57:44.612+00');
INSERT INTO public.movements VALUES (0, 1, 13, 0, 'TEE-M', 'lyon', 0, 1, 0, 0, 0, 'move', '', '', 'held-moved', NULL, '2026-11-30 03:57:44.612+00');
INSERT INTO public.movements VALUES (0, 1, 14, 0, 'TEE-M', 'berlin', 0, 3, 0, 0, 0, 'reserve', '', '', 'held-part', NULL, '2026-11-30 03:57:44.719+00');
INSERT INTO public.movements VALUES (0, 1, 15, 0, 'TEE-M', 'berlin', 0, -1, 0, 0, 0, 'release', '', '', 'held-part', NULL, '2026-11-30 03:57:45.201+00');
INSERT INTO public.movements VALUES (0, 1, 16, 0, 'TEE-M', 'berlin', 0, 2, 0, 0, 0, 'reserve', '', '', 'sold', NULL, '2026-11-30 03:57:45.225+00');
INSERT INTO public.movements VALUES (0, 1, 17, 0, 'TEE-M', 'berlin', 0, -2, 2, 0, 0, 'confirm', '', '', 'sold', NULL, '2026-11-30 03:57:45.332+00');
INSERT INTO public.movements VALUES (0, 1, 18, 0, 'DROP', 'berlin', 0, 2, 0, 0, 0, 'reserve', '', '', 'sold-limit', NULL, '2026-11-30 03:57:45.445+00');
INSERT INTO public.movements VALUES (0, 1, 19, 0, 'DROP', 'berlin', 0, -2, 2, 0, 0, 'confirm', '', '', 'sold-limit', NULL, '2026-11-30 03:57:45.489+00');
INSERT INTO public.movements VALUES (0, 1, 20, 0, 'TEE-M', 'berlin', 0, 2, 0, 0, 0, 'reserve', '', '', 'sold-kit', NULL, '2026-11-30 03:57:45.529+00');
INSERT INTO public.movements VALUES (0, 1, 20, 0, 'CAP', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'sold-kit', NULL, '2026-11-30 03:57:45.529+00');
INSERT INTO public.movements VALUES (0, 1, 21, 0, 'TEE-M', 'berlin', 0, -2, 2, 0, 0, 'confirm', '', '', 'sold-kit', NULL, '2026-11-30 03:57:45.679+00');
INSERT INTO public.movements VALUES (0, 1, 21, 0, 'CAP', 'berlin', 0, -1, 1, 0, 0, 'confirm', '', '', 'sold-kit', NULL, '2026-11-30 03:57:45.679+00');
INSERT INTO public.movements VALUES (0, 1, 22, 0, 'TEE-M', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'sold-moved', NULL, '2026-11-30 03:57:45.699+00');
INSERT INTO public.movements VALUES (0, 1, 23, 0, 'TEE-M', 'berlin', 0, -1, 1, 0, 0, 'confirm', '', '', 'sold-moved', NULL, '2026-11-30 03:57:46.166+00');
INSERT INTO public.movements VALUES (0, 1, 24, 0, 'TEE-M', 'berlin', 0, 0, -1, 0, 0, 'move', '', '', 'sold-moved', NULL, '2026-11-30 03:57:46.507+00');
INSERT INTO public.movements VALUES (0, 1, 24, 0, 'TEE-M', 'lyon', 0, 0, 1, 0, 0, 'move', '', '', 'sold-moved', NULL, '2026-11-30 03:57:46.507+00');
INSERT INTO public.movements VALUES (0, 1, 25, 0, 'TEE-M', 'berlin', 0, 3, 0, 0, 0, 'reserve', '', '', 'part', NULL, '2026-11-30 03:57:46.534+00');
INSERT INTO public.movements VALUES (0, 1, 25, 0, 'CAP', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'part', NULL, '2026-11-30 03:57:46.534+00');
INSERT INTO public.movements VALUES (0, 1, 26, 0, 'TEE-M', 'berlin', 0, -3, 3, 0, 0, 'confirm', '', '', 'part', NULL, '2026-11-30 03:57:46.942+00');
INSERT INTO public.movements VALUES (0, 1, 26, 0, 'CAP', 'berlin', 0, -1, 1, 0, 0, 'confirm', '', '', 'part', NULL, '2026-11-30 03:57:46.942+00');
INSERT INTO public.movements VALUES (0, 1, 27, 0, 'TEE-M', 'berlin', -2, 0, -2, 0, 0, 'fulfill', '', '', 'part', NULL, '2026-11-30 03:57:47.58+00');
INSERT INTO public.movements VALUES (0, 1, 28, 0, 'TEE-M', 'berlin', 1, 0, 0, 0, 0, 'count', '', '', NULL, 'count-5', '2026-11-30 03:57:47.643+00');
INSERT INTO public.movements VALUES (0, 1, 29, 0, 'CAP', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'left', NULL, '2026-11-30 03:57:47.93+00');
INSERT INTO public.movements VALUES (0, 1, 30, 0, 'CAP', 'berlin', 0, -1, 1, 0, 0, 'confirm', '', '', 'left', NULL, '2026-11-30 03:57:48.01+00');
INSERT INTO public.movements VALUES (0, 1, 31, 0, 'CAP', 'berlin', -1, 0, -1, 0, 0, 'fulfill', '', '', 'left', NULL, '2026-11-30 03:57:48.167+00');
INSERT INTO public.movements VALUES (0, 1, 32, 0, 'TEE-M', 'berlin', 0, 2, 0, 0, 0, 'reserve', '', '', 'returned', NULL, '2026-11-30 03:57:48.185+00');
INSERT INTO public.movements VALUES (0, 1, 33, 0, 'TEE-M', 'berlin', 0, -2, 2, 0, 0, 'confirm', '', '', 'returned', NULL, '2026-11-30 03:57:48.44+00');
INSERT INTO public.movements VALUES (0, 1, 34, 0, 'TEE-M', 'berlin', -2, 0, -2, 0, 0, 'fulfill', '', '', 'returned', NULL, '2026-11-30 03:57:48.491+00');
INSERT INTO public.movements VALUES (0, 1, 35, 0, 'TEE-M', 'lyon', 1, 0, 0, 0, 0, 'return', '', '', 'returned', 'return-1', '2026-11-30 03:57:48.615+00');
INSERT INTO public.movements VALUES (0, 1, 36, 0, 'TEE-M', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'released', NULL, '2026-11-30 03:57:49.097+00');
INSERT INTO public.movements VALUES (0, 1, 37, 0, 'TEE-M', 'berlin', 0, -1, 0, 0, 0, 'release', '', '', 'released', NULL, '2026-11-30 03:57:50.058+00');
INSERT INTO public.movements VALUES (0, 1, 38, 0, 'TEE-M', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'sold-released', NULL, '2026-11-30 03:57:50.069+00');
INSERT INTO public.movements VALUES (0, 1, 39, 0, 'TEE-M', 'berlin', 0, -1, 1, 0, 0, 'confirm', '', '', 'sold-released', NULL, '2026-11-30 03:57:50.362+00');
INSERT INTO public.movements VALUES (0, 1, 40, 0, 'TEE-M', 'berlin', 0, 0, -1, 0, 0, 'release', '', '', 'sold-released', NULL, '2026-11-30 03:57:50.414+00');
INSERT INTO public.movements VALUES (0, 1, 41, 0, 'TEE-M', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'expired', NULL, '2026-11-30 03:57:50.49+00');
INSERT INTO public.movements VALUES (0, 1, 42, 0, 'MUG', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'expired-lost', NULL, '2026-11-30 03:57:50.842+00');
INSERT INTO public.movements VALUES (0, 1, 43, 0, 'CAP', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'expired-sold', NULL, '2026-11-30 03:57:51.39+00');
INSERT INTO public.movements VALUES (0, 1, 44, 0, 'TEE-M', 'berlin', 0, -1, 0, 0, 0, 'expire', '', '', 'expired', NULL, '2026-11-30 03:57:51.681+00');
INSERT INTO public.movements VALUES (0, 1, 45, 0, 'MUG', 'berlin', 0, -1, 0, 0, 0, 'expire', '', '', 'expired-lost', NULL, '2026-11-30 03:57:51.899+00');
INSERT INTO public.movements VALUES (0, 1, 46, 0, 'CAP', 'berlin', 0, -1, 0, 0, 0, 'expire', '', '', 'expired-sold', NULL, '2026-11-30 03:57:52.394+00');
INSERT INTO public.movements VALUES (0, 1, 47, 0, 'CAP', 'berlin', 0, 0, 1, 0, 0, 'confirm', '', '', 'expired-sold', NULL, '2026-11-30 03:57:52.638+00');
INSERT INTO public.movements VALUES (0, 1, 48, 0, 'MUG', 'berlin', 0, 1, 0, 0, 0, 'reserve', '', '', 'last-mug', NULL, '2026-11-30 03:57:52.689+00');
INSERT INTO public.movements VALUES (0, 1, 49, 0, 'MUG', 'berlin', 0, -1, 1, 0, 0, 'confirm', '', '', 'last-mug', NULL, '2026-11-30 03:57:52.873+00');
INSERT INTO public.movements VALUES (0, 1, 50, 0, 'TEE-M', 'berlin', -1, 0, 0, 0, 0, 'adjust', 'broken', 'anna', NULL, 'broken-1', '2026-11-30 03:57:53.181+00');
INSERT INTO public.movements VALUES (0, 1, 51, 0, 'TEE-M', 'berlin', -2, 0, 0, 0, 0, 'transfer', '', '', NULL, 'van-1', '2026-11-30 03:57:53.223+00');
INSERT INTO public.movements VALUES (0, 1, 51, 0, 'TEE-M', 'lyon', 2, 0, 0, 0, 0, 'transfer', '', '', NULL, 'van-1', '2026-11-30 03:57:53.223+00');
INSERT INTO public.movements VALUES (0, 1, 52, 0, 'OLD', 'lyon', -4, 0, 0, 0, 0, 'remove', '', '', NULL, 'remove-XZR6HTLNADK6WYE4SCUTVS6NFI', '2026-11-30 03:57:53.325+00');


--
-- Data for Name: operations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.operations VALUES ('count-1', 'hqHMdZ8UMtSd9xVzNsUgYw', '25tglp0p8bx7e', '2026-11-30 03:57:39.441+00', 0, 'first count', 'anna');
INSERT INTO public.operations VALUES ('count-2', '1xH8wALr0YcfxMhHT__P1A', '2s4k6f7187qe', '2026-11-30 03:57:39.839+00', 0, '', '');
INSERT INTO public.operations VALUES ('count-3', '_MHRUThiz35gwlIZ9LaVfg', 'atpyahn8vj9s', '2026-11-30 03:57:39.994+00', 0, '', '');
INSERT INTO public.operations VALUES ('count-4', 'xexiP-57Z1mQqr1Hsn3ViQ', '1wg88v14ifo2o', '2026-11-30 03:57:40.373+00', 0, '', '');
INSERT INTO public.operations VALUES ('count-5', 'BTL0rUBmgwuZ2oVwNnNyWQ', '2mdug2o5v18d7', '2026-11-30 03:57:47.643+00', 0, '', '');
INSERT INTO public.operations VALUES ('return-1', 'cq027-Rx14TIFowdvpG65Q', '2acwv0tn9g59f', '2026-11-30 03:57:48.615+00', 0, '', '');
INSERT INTO public.operations VALUES ('broken-1', 'mQc62UsL7N71695q5VGTnA', '2rpvv8zsqi08q', '2026-11-30 03:57:53.181+00', 0, 'broken', 'anna');
INSERT INTO public.operations VALUES ('van-1', 'muzILGOMjD9UANvw3y5OMw', '15j4mub7hjnot', '2026-11-30 03:57:53.223+00', 0, '', '');
INSERT INTO public.operations VALUES ('remove-XZR6HTLNADK6WYE4SCUTVS6NFI', 'fejn3tqob8o53r7WyxNBSQ', 'ezimhp0me3vu', '2026-11-30 03:57:53.325+00', 0, '', '');


--
-- Data for Name: positions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.positions VALUES (0, 1, 55, '1vkdl2j5ea33l', '5cd2c3922fefd8a749c71e0ad3f01108319d06eb', 'fcd358b53289600068b27941ff3ffed96d82c865', 1, 'holdfast', '2026-11-30 03:57:53.33+00', '2026-11-29 03:57:49.104+00', '2026-11-30 03:57:39.308+00', false);


--
-- Data for Name: quarantine; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: refusals; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: reservation_lines; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.reservation_lines VALUES ('held', 1, '1', 'TEE-M', 2, 0, '{lyon}', '{2}', '{0}', '2026-11-30 03:57:42.435+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('held', 2, '2', 'CAP', 1, 0, '{lyon}', '{1}', '{0}', '2026-11-30 03:57:42.435+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('held-near', 1, '1', 'TEE-M', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:42.783+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('held-kit', 1, '1', 'TEE-M', 4, 0, '{berlin}', '{4}', '{0}', '2026-11-30 03:57:42.936+00', 'GIFT-SET', 2, '');
INSERT INTO public.reservation_lines VALUES ('held-kit', 2, '1', 'CAP', 2, 0, '{berlin}', '{2}', '{0}', '2026-11-30 03:57:42.936+00', 'GIFT-SET', 1, '');
INSERT INTO public.reservation_lines VALUES ('held-limit', 1, '1', 'DROP', 2, 0, '{berlin}', '{2}', '{0}', '2026-11-30 03:57:43.113+00', '', 0, '[{"id":"drop-1","per_customer":3,"each":1}]');
INSERT INTO public.reservation_lines VALUES ('held-extended', 1, '1', 'TEE-M', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:43.231+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('held-moved', 1, '1', 'TEE-M', 1, 0, '{lyon}', '{1}', '{0}', '2026-11-30 03:57:44.411+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('held-part', 1, '1', 'TEE-M', 3, 0, '{berlin}', '{2}', '{0}', '2026-11-30 03:57:44.719+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('sold', 1, '1', 'TEE-M', 2, 0, '{berlin}', '{2}', '{0}', '2026-11-30 03:57:45.225+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('sold-limit', 1, '1', 'DROP', 2, 0, '{berlin}', '{2}', '{0}', '2026-11-30 03:57:45.445+00', '', 0, '[{"id":"drop-1","per_customer":3,"each":1}]');
INSERT INTO public.reservation_lines VALUES ('sold-kit', 1, '1', 'TEE-M', 2, 0, '{berlin}', '{2}', '{0}', '2026-11-30 03:57:45.529+00', 'GIFT-SET', 2, '');
INSERT INTO public.reservation_lines VALUES ('sold-kit', 2, '1', 'CAP', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:45.529+00', 'GIFT-SET', 1, '');
INSERT INTO public.reservation_lines VALUES ('sold-moved', 1, '1', 'TEE-M', 1, 0, '{lyon}', '{1}', '{0}', '2026-11-30 03:57:45.699+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('part', 1, 'a', 'TEE-M', 3, 0, '{berlin}', '{3}', '{2}', '2026-11-30 03:57:46.534+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('part', 2, 'b', 'CAP', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:46.534+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('left', 1, '1', 'CAP', 1, 0, '{berlin}', '{1}', '{1}', '2026-11-30 03:57:47.93+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('returned', 1, '1', 'TEE-M', 2, 1, '{berlin}', '{2}', '{2}', '2026-11-30 03:57:48.185+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('released', 1, '1', 'TEE-M', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:49.097+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('sold-released', 1, '1', 'TEE-M', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:50.069+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('expired', 1, '1', 'TEE-M', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:50.49+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('expired-lost', 1, '1', 'MUG', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:50.842+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('expired-sold', 1, '1', 'CAP', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:51.39+00', '', 0, '');
INSERT INTO public.reservation_lines VALUES ('last-mug', 1, '1', 'MUG', 1, 0, '{berlin}', '{1}', '{0}', '2026-11-30 03:57:52.689+00', '', 0, '');


--
-- Data for Name: reservations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.reservations VALUES ('held', 'ubkejgvwgzkt', 'held', 1, '2026-11-30 03:57:42.435+00', '2046-11-25 03:57:42.435+00', NULL, NULL, 'Xm4IEmABPNfKsszoQpS0tA', '', 'web', 'c-1', 'o-1', '', 'lines', '{"country": "FR", "postal_code": "69001"}', '{"till":"7"}');
INSERT INTO public.reservations VALUES ('held-near', '2qawvsdfm6h32', 'held', 1, '2026-11-30 03:57:42.783+00', '2026-11-30 04:07:42.783+00', NULL, NULL, 'DopudHZwjgkR8VgwUvlqYw', '', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('held-kit', '2311iyvckyusn', 'held', 1, '2026-11-30 03:57:42.936+00', '2046-11-25 03:57:42.936+00', NULL, NULL, 'Ud3dgaOl0fF5jXX5mhhWsQ', '', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('held-limit', 'pmshyh3xd33k', 'held', 1, '2026-11-30 03:57:43.113+00', '2046-11-25 03:57:43.113+00', NULL, NULL, 'WfC1VOfryGfPLzDdT8FEVQ', '', 'web', 'c-1', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('held-extended', '2ghippgk6j2wp', 'held', 2, '2026-11-30 03:57:43.231+00', '2046-11-25 03:57:44.381+00', NULL, NULL, 'DopudHZwjgkR8VgwUvlqYw', 'extend/1/630720000000', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('held-moved', 'dl4yrl7x294j', 'held', 2, '2026-11-30 03:57:44.411+00', '2046-11-25 03:57:44.411+00', NULL, NULL, 'ue19mMy1NURnWzK8-JJo4g', 'move/1/Wx9FZHwicWbyg0AoUQxHgw', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('held-part', '3jnbwsztvgw0m', 'held', 2, '2026-11-30 03:57:44.719+00', '2046-11-25 03:57:44.719+00', NULL, NULL, '4N6zNznKyHBSxWAO0fivsg', 'release/1/W1RAnT8Jauaor11IuXG7aA', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('sold', '1by6eglmrii8q', 'confirmed', 2, '2026-11-30 03:57:45.225+00', '2026-11-30 04:07:45.225+00', NULL, NULL, 'dSjRmjTqnfWGVdExjra-CQ', 'confirm/', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('sold-limit', 'bkgupw83n3d', 'confirmed', 2, '2026-11-30 03:57:45.445+00', '2026-11-30 04:07:45.445+00', NULL, NULL, 'FmD6Ydz-Pw_SLFOD8UF7Wg', 'confirm/', 'web', 'c-2', 'o-2', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('sold-kit', '36awvyiucuorj', 'confirmed', 2, '2026-11-30 03:57:45.529+00', '2026-11-30 04:07:45.529+00', NULL, NULL, 'sncaMcRCF28odP00_UpEHQ', 'confirm/', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('sold-moved', '167qthdr76yan', 'confirmed', 3, '2026-11-30 03:57:45.699+00', '2026-11-30 04:07:45.699+00', NULL, NULL, 'DopudHZwjgkR8VgwUvlqYw', 'move/2/Wx9FZHwicWbyg0AoUQxHgw', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('returned', '3s92goflyykc5', 'fulfilled', 4, '2026-11-30 03:57:48.185+00', '2026-11-30 04:07:48.185+00', '2026-11-30 03:57:48.615+00', NULL, 'dSjRmjTqnfWGVdExjra-CQ', 'return//W1RAnT8Jauaor11IuXG7aA', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('part', '18ybp6wcxcsj0', 'confirmed', 3, '2026-11-30 03:57:46.534+00', '2026-11-30 04:07:46.534+00', NULL, NULL, '-B2hli1Oi7u-It3ZA2Jq5w', 'fulfill/2/-ZoDKiH-tvo2u6P8k-k1iw', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('left', 'mgt0j7bgo6vz', 'fulfilled', 3, '2026-11-30 03:57:47.93+00', '2026-11-30 04:07:47.93+00', '2026-11-30 03:57:48.167+00', NULL, 'Gn9MpCrawH_wXKbEXDS5XQ', 'fulfill/', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('released', '21da3pahpejjr', 'released', 2, '2026-11-30 03:57:49.097+00', '2026-11-30 04:07:49.097+00', '2026-11-30 03:57:50.058+00', NULL, 'DopudHZwjgkR8VgwUvlqYw', 'release/', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('expired-sold', '2di2mop3rsmn6', 'confirmed', 3, '2026-11-30 03:57:51.39+00', '2026-11-30 03:57:52.39+00', NULL, NULL, 'J04ErNfufE6lrmB8jNH3zw', 'confirm/', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('sold-released', '2efejcntg5d3o', 'released', 3, '2026-11-30 03:57:50.069+00', '2026-11-30 04:07:50.069+00', '2026-11-30 03:57:50.414+00', NULL, 'DopudHZwjgkR8VgwUvlqYw', 'release/+', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('expired', '331vfjnwqbdbz', 'expired', 2, '2026-11-30 03:57:50.49+00', '2026-11-30 03:57:51.49+00', '2026-11-30 03:57:51.681+00', NULL, '2nEZxa2feDrEKXsetnfmwA', '', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('expired-lost', 'nattm25x6s0m', 'expired', 2, '2026-11-30 03:57:50.842+00', '2026-11-30 03:57:51.842+00', '2026-11-30 03:57:51.899+00', NULL, 'yvUhQb7FC7Uu-aAmYwqP3A', '', 'web', '', '', '', '', NULL, NULL);
INSERT INTO public.reservations VALUES ('last-mug', '2hkvncqwpm2c9', 'confirmed', 2, '2026-11-30 03:57:52.689+00', '2026-11-30 04:07:52.689+00', NULL, NULL, 'wbuI1EsditFoxfnOn5ha5w', 'confirm/', 'web', '', '', '', '', NULL, NULL);


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.schema_migrations VALUES (1, '0001_ledger', 'c477adec6b56c6a49a5615290acd056b7118d2263ede678172616cfc7a41a5fb', '2026-11-30 03:57:38.465345+00');


--
-- Name: audit_findings audit_findings_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_findings
    ADD CONSTRAINT audit_findings_key PRIMARY KEY (audit_id, id);


--
-- Name: audits audits_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audits
    ADD CONSTRAINT audits_key PRIMARY KEY (id);


--
-- Name: directories directories_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.directories
    ADD CONSTRAINT directories_key PRIMARY KEY (version);


--
-- Name: levels levels_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.levels
    ADD CONSTRAINT levels_key PRIMARY KEY (sku, location);


--
-- Name: limit_counts limit_counts_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.limit_counts
    ADD CONSTRAINT limit_counts_key PRIMARY KEY (limit_id, customer);


--
-- Name: movements movements_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.movements
    ADD CONSTRAINT movements_key PRIMARY KEY (shard, epoch, sequence, event, sku, location);


--
-- Name: operations operations_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_key PRIMARY KEY (id);


--
-- Name: positions positions_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.positions
    ADD CONSTRAINT positions_key PRIMARY KEY (shard);


--
-- Name: quarantine quarantine_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_key PRIMARY KEY (shard, entry, event);


--
-- Name: refusals refusals_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refusals
    ADD CONSTRAINT refusals_key PRIMARY KEY (shard, epoch, sequence, event);


--
-- Name: refusals refusals_operation; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refusals
    ADD CONSTRAINT refusals_operation UNIQUE (operation_id, birth);


--
-- Name: refusals refusals_transition; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refusals
    ADD CONSTRAINT refusals_transition UNIQUE (reservation_id, birth, version);


--
-- Name: reservation_lines reservation_lines_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reservation_lines
    ADD CONSTRAINT reservation_lines_key PRIMARY KEY (reservation_id, "position");


--
-- Name: reservations reservations_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT reservations_key PRIMARY KEY (id);


--
-- Name: schema_migrations schema_migrations_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_key PRIMARY KEY (version);


--
-- Name: audits_by_end; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audits_by_end ON public.audits USING btree (finished_at) WHERE (finished_at IS NOT NULL);


--
-- Name: movements_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX movements_by_time ON public.movements USING brin (at);


--
-- Name: movements_on_hand; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX movements_on_hand ON public.movements USING btree (sku, location, at) INCLUDE (on_hand) WHERE ((on_hand <> 0) AND (verb <> ALL (ARRAY['count'::text, 'remove'::text])));


--
-- Name: operations_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_by_time ON public.operations USING btree (applied_at, id);


--
-- Name: refusals_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX refusals_open ON public.refusals USING btree (shard, epoch, sequence, event) WHERE (settled_at IS NULL);


--
-- Name: reservation_lines_by_kit; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservation_lines_by_kit ON public.reservation_lines USING btree (kit, created_at, reservation_id) WHERE (kit <> ''::text);


--
-- Name: reservation_lines_by_line; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservation_lines_by_line ON public.reservation_lines USING btree (line, created_at, reservation_id);


--
-- Name: reservation_lines_by_sku; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservation_lines_by_sku ON public.reservation_lines USING btree (sku, created_at, reservation_id);


--
-- Name: reservations_at_rest; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservations_at_rest ON public.reservations USING btree (created_at, id) WHERE ((resolved_at IS NOT NULL) AND (archived_at IS NULL));


--
-- Name: reservations_by_customer; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservations_by_customer ON public.reservations USING btree (customer, created_at, id) WHERE (customer <> ''::text);


--
-- Name: reservations_by_order; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservations_by_order ON public.reservations USING btree ("order", created_at, id) WHERE ("order" <> ''::text);


--
-- Name: reservations_by_resolution; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservations_by_resolution ON public.reservations USING btree (resolved_at, id) WHERE ((resolved_at IS NOT NULL) AND (archived_at IS NULL));


--
-- Name: reservations_live; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservations_live ON public.reservations USING btree (created_at, id) WHERE (resolved_at IS NULL);


--
-- Name: directories directories_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER directories_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.directories FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: movements movements_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER movements_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.movements FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: audit_findings audit_findings_audit; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_findings
    ADD CONSTRAINT audit_findings_audit FOREIGN KEY (audit_id) REFERENCES public.audits(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


