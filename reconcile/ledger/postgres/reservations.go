package postgres

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// keptReservation is a reservation to write.
type keptReservation struct {
	id string
	*ledger.Reservation
	extra keptExtra
}

// keptExtra has the fields of a reservation that only the ledger keeps.
type keptExtra struct {
	ShipTo   json.RawMessage `json:"ship_to"`
	Pickup   string          `json:"pickup"`
	Split    string          `json:"split"`
	Metadata json.RawMessage `json:"metadata"`
	Lines    json.RawMessage `json:"lines"`
}

// resolvedAt returns when the reservation was resolved, Unix ms, or 0 while it is live.
func (r keptReservation) resolvedAt() int64 {
	if !ledger.Resolved(r.Record.State) {
		return 0
	}
	return r.At
}

func writeReservations(set *ledger.WorkingSet, batch *pgx.Batch) {
	var made, changed, described []keptReservation
	for _, id := range slices.Sorted(maps.Keys(set.Reservations)) {
		kept := keptReservation{id: id, Reservation: set.Reservations[id]}
		if kept.Reservation.Extra != "" {
			_ = json.Unmarshal([]byte(kept.Reservation.Extra), &kept.extra) // our own script wrote it; if it is broken, leave it out
		}
		switch {
		case kept.Created:
			made = append(made, kept)
		case kept.Changed:
			changed = append(changed, kept)
		}
		if kept.Described && !kept.Created {
			described = append(described, kept)
		}
	}
	if len(made) > 0 {
		insertReservations(batch, made)
		insertLines(batch, made)
		insertDestinations(batch, made)
	}
	if len(changed) > 0 {
		updateReservations(batch, changed)
		updateLines(batch, changed)
		replaceLines(batch, changed)
	}
	if len(described) > 0 {
		updateDescribed(batch, described)
	}
}

func insertReservations(batch *pgx.Batch, list []keptReservation) {
	const query = `
insert into reservations (id, birth, state, version, created_at, expires_at, resolved_at, fingerprint, transition, channel,
    customer, "order", pickup, split, ship_to, metadata)
select id, birth, state, version, created_at, expires_at, resolved_at, fingerprint, transition, channel, customer, "order",
    pickup, split, ship_to, metadata
from unnest($1::reservations[])`
	made := newRowArray(17, len(list))
	for i := range list {
		r := &list[i]
		made.add(func() {
			made.text(r.id, r.Record.CreationNonce, string(r.Record.State))
			made.bigint(r.Record.Version)
			made.moment(r.Record.Created)
			made.moment(r.Record.Expires)
			made.momentOrNull(r.resolvedAt())
			made.momentOrNull(0) // archived_at
			made.text(r.Record.Fingerprint, r.Record.Transition, string(r.Record.Channel), r.Record.Customer, r.Record.Order)
			made.text(r.extra.Pickup, r.extra.Split)
			made.jsonb(r.extra.ShipTo)
			made.json(r.extra.Metadata)
		})
	}
	batch.Queue(query, made)
}

// insertDestinations writes the destinations of the lines that have one of their own.
func insertDestinations(batch *pgx.Batch, list []keptReservation) {
	const query = `
insert into line_destinations (reservation_id, lines)
select id, lines::jsonb from unnest($1::text[], $2::text[]) as u (id, lines)`
	var ids, lines []string
	for i := range list {
		if own := list[i].extra.Lines; len(own) > 0 {
			ids, lines = append(ids, list[i].id), append(lines, string(own))
		}
	}
	if len(ids) > 0 {
		batch.Queue(query, ids, lines)
	}
}

func updateReservations(batch *pgx.Batch, list []keptReservation) {
	const query = `
with written as (
    update reservations r set state = u.state, version = u.version, expires_at = u.expires_at, resolved_at = u.resolved_at,
        transition = u.transition
    from unnest($1::reservation_step[]) u
    where r.id = u.id and r.birth = u.birth and r.state = u.state_before and r.version = u.version_before
        and r.archived_at is null
    returning 1)
select expect(count(*), $2) from written`
	steps := newRowArray(9, len(list))
	for i := range list {
		r := &list[i]
		steps.add(func() {
			steps.text(r.id, r.Record.CreationNonce, string(r.StateBefore))
			steps.bigint(r.VersionBefore)
			steps.text(string(r.Record.State))
			steps.bigint(r.Record.Version)
			steps.moment(r.Record.Expires)
			steps.momentOrNull(r.resolvedAt())
			steps.text(r.Record.Transition)
		})
	}
	batch.Queue(query, steps, len(list))
}

// updateDescribed writes what a describe may change, after the step itself is written.
func updateDescribed(batch *pgx.Batch, list []keptReservation) {
	const heads = `
update reservations r set customer = u.customer, "order" = u."order", metadata = coalesce(nullif(u.metadata, '')::json, r.metadata)
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as u (id, customer, "order", metadata)
where r.id = u.id`
	const lines = `
update reservation_lines l set limits = u.limits
from unnest($1::reservation_lines[]) u
where l.reservation_id = u.reservation_id and l.position = u.position and l.limits <> u.limits`
	column := func(of func(r keptReservation) string) []string { return ledger.Column(list, of) }
	batch.Queue(heads, column(func(r keptReservation) string { return r.id }),
		column(func(r keptReservation) string { return r.Record.Customer }),
		column(func(r keptReservation) string { return r.Record.Order }),
		column(func(r keptReservation) string { return string(r.extra.Metadata) }))
	batch.Queue(lines, lineRows(linesOf(list)))
}

// keptLine is a line to write.
type keptLine struct {
	of       keptReservation
	position int
	*wire.RecordLine
}

func linesOf(list []keptReservation) []keptLine {
	lines := make([]keptLine, 0, len(list))
	for _, r := range list {
		for i := range r.Record.Lines {
			lines = append(lines, keptLine{of: r, position: i + 1, RecordLine: &r.Record.Lines[i]})
		}
	}
	return lines
}

// lineRows encodes lines as reservation_lines rows.
func lineRows(lines []keptLine) *rowArray {
	array := newRowArray(14, len(lines))
	for i := range lines {
		l := &lines[i]
		array.add(func() {
			array.text(l.of.id)
			array.integer(int32(l.position)) //nolint:gosec // at most 100
			array.text(l.Line, string(l.SKU))
			array.bigint(l.Requested, l.Returned)
			array.texts(len(l.From), func(i int) string { return string(l.From[i].Location) })
			array.bigints(len(l.From), func(i int) int64 { return l.From[i].Quantity })
			array.bigints(len(l.From), func(i int) int64 { return l.From[i].Fulfilled })
			array.moment(l.of.Record.Created)
			array.text(l.kitSKU())
			array.bigint(l.kitEach())
			array.text(l.limitsText())
			array.boolean(l.Backorder)
		})
	}
	return array
}

func insertLines(batch *pgx.Batch, list []keptReservation) {
	const query = `
insert into reservation_lines (reservation_id, position, line, sku, requested, returned, locations, quantities, fulfilled,
    created_at, kit, kit_quantity, limits, backorder)
select reservation_id, position, line, sku, requested, returned, locations, quantities, fulfilled, created_at, kit,
    kit_quantity, limits, backorder
from unnest($1::reservation_lines[])`
	batch.Queue(query, lineRows(linesOf(list)))
}

// updateLines writes the lines of the reservations whose allocations changed, and only those.
func updateLines(batch *pgx.Batch, list []keptReservation) {
	const query = `
update reservation_lines l set requested = u.requested, returned = u.returned, locations = u.locations, quantities = u.quantities,
    fulfilled = u.fulfilled
from unnest($1::reservation_lines[]) u
where l.reservation_id = u.reservation_id and l.position = u.position`
	lines := linesOf(slices.DeleteFunc(slices.Clone(list), func(r keptReservation) bool { return !r.Rearranged || r.Relined }))
	if len(lines) > 0 {
		batch.Queue(query, lineRows(lines))
	}
}

// replaceLines writes the lines of the reservations that have other lines now.
func replaceLines(batch *pgx.Batch, list []keptReservation) {
	const query = `delete from reservation_lines where reservation_id = any($1)`
	relined := slices.DeleteFunc(slices.Clone(list), func(r keptReservation) bool { return !r.Relined })
	if len(relined) == 0 {
		return
	}
	batch.Queue(query, ledger.Column(relined, func(r keptReservation) string { return r.id }))
	insertLines(batch, relined)
}

func (l keptLine) kitSKU() string {
	if l.Kit == nil {
		return ""
	}
	return string(l.Kit.SKU)
}

func (l keptLine) kitEach() int64 {
	if l.Kit == nil {
		return 0
	}
	return l.Kit.Each
}
