package reconcile

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/holdfast/holdfast/cache"
)

// write queues what a book leaves behind: each row once, each table in one statement, all of them in
// one round trip.
func (b *book) write(batch *pgx.Batch, shard int32) {
	b.writeLevels(batch)
	b.writeLimits(batch)
	b.writeReservations(batch)
	b.writeOperations(batch, shard)
	b.writeMovements(batch, shard)
	b.writeSettled(batch)
	b.writeRefusals(batch, shard)
	b.writeAudited(batch)
}

// column is a column of rows to write, as unnest takes it.
func column[R, V any](rows []R, value func(R) V) []V {
	list := make([]V, len(rows))
	for i, row := range rows {
		list[i] = value(row)
	}
	return list
}

// moment is a time of Redis's clock as its column keeps it.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// writeLevels writes the levels that changed: those that were there, and those that are new. An insert
// that updates would do for both, and takes twice as long.
func (b *book) writeLevels(batch *pgx.Batch) {
	const update = `
update levels l set on_hand = u.on_hand, held = u.held, committed = u.committed, safety_stock = u.safety_stock,
    backorder_limit = u.backorder_limit
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    as u (sku, location, on_hand, held, committed, safety_stock, backorder_limit)
where l.sku = u.sku and l.location = u.location`
	const insert = `
insert into levels (sku, location, on_hand, held, committed, safety_stock, backorder_limit)
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])`
	var changed, made []levelKey
	for key, l := range b.levels {
		before, there := b.before[key]
		switch {
		case !there:
			made = append(made, key)
		case before != *l:
			changed = append(changed, key)
		}
	}
	b.queueLevelRows(batch, update, changed)
	b.queueLevelRows(batch, insert, made)
	b.deleteLevels(batch)
}

func (b *book) queueLevelRows(batch *pgx.Batch, query string, keys []levelKey) {
	if len(keys) == 0 {
		return
	}
	slices.SortFunc(keys, compareLevels)
	units := func(of func(*level) int64) []int64 {
		return column(keys, func(key levelKey) int64 { return of(b.levels[key]) })
	}
	batch.Queue(query,
		column(keys, func(key levelKey) string { return string(key.sku) }),
		column(keys, func(key levelKey) string { return string(key.at) }),
		units(func(l *level) int64 { return l.onHand }), units(func(l *level) int64 { return l.held }),
		units(func(l *level) int64 { return l.committed }), units(func(l *level) int64 { return l.safetyStock }),
		units(func(l *level) int64 { return l.backorderLimit }))
}

// keptReservation is a reservation to write.
type keptReservation struct {
	id string
	*reservation
	extra keptExtra
}

// keptExtra is what only the ledger keeps of a reservation.
type keptExtra struct {
	ShipTo   json.RawMessage `json:"ship_to"`
	Pickup   string          `json:"pickup"`
	Split    string          `json:"split"`
	Metadata json.RawMessage `json:"metadata"`
}

// text is JSON as a column keeps it; nil where there is none.
func text(raw json.RawMessage) *string {
	if raw == nil {
		return nil
	}
	s := string(raw)
	return &s
}

func (r keptReservation) resolvedAt() *time.Time {
	if !resolved(r.record.State) {
		return nil
	}
	return momentOrNone(r.at)
}

// momentOrNone is null for 0.
func momentOrNone(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	at := moment(ms)
	return &at
}

func (b *book) writeReservations(batch *pgx.Batch) {
	var made, changed []keptReservation
	for _, id := range slices.Sorted(maps.Keys(b.reservations)) {
		kept := keptReservation{id: id, reservation: b.reservations[id]}
		switch {
		case kept.created:
			if kept.reservation.extra != "" {
				_ = json.Unmarshal([]byte(kept.reservation.extra), &kept.extra) // ours; else it is left out
			}
			made = append(made, kept)
		case kept.changed:
			changed = append(changed, kept)
		}
	}
	if len(made) > 0 {
		insertReservations(batch, made)
		insertLines(batch, made)
	}
	if len(changed) > 0 {
		updateReservations(batch, changed)
		updateLines(batch, changed)
	}
}

func insertReservations(batch *pgx.Batch, list []keptReservation) {
	const query = `
insert into reservations (id, birth, state, version, created_at, expires_at, resolved_at, fingerprint, transition, channel,
    customer, "order", pickup, split, ship_to, metadata)
select id, birth, state, version, created_at, expires_at, resolved_at, fingerprint, transition, channel, customer, "order",
    pickup, split, ship_to::jsonb, metadata::json
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[])
    as u (id, birth, state, version, created_at, expires_at, resolved_at, fingerprint, transition, channel, customer,
    "order", pickup, split, ship_to, metadata)`
	texts := func(of func(keptReservation) string) []string { return column(list, of) }
	batch.Queue(query,
		texts(func(r keptReservation) string { return r.id }),
		texts(func(r keptReservation) string { return r.record.Birth }),
		texts(func(r keptReservation) string { return string(r.record.State) }),
		column(list, func(r keptReservation) int64 { return r.record.Version }),
		column(list, func(r keptReservation) time.Time { return moment(r.record.Created) }),
		column(list, func(r keptReservation) time.Time { return moment(r.record.Expires) }),
		column(list, keptReservation.resolvedAt),
		texts(func(r keptReservation) string { return r.record.Fingerprint }),
		texts(func(r keptReservation) string { return r.record.Transition }),
		texts(func(r keptReservation) string { return string(r.record.Channel) }),
		texts(func(r keptReservation) string { return r.record.Customer }),
		texts(func(r keptReservation) string { return r.record.Order }),
		texts(func(r keptReservation) string { return r.extra.Pickup }),
		texts(func(r keptReservation) string { return r.extra.Split }),
		column(list, func(r keptReservation) *string { return text(r.extra.ShipTo) }),
		column(list, func(r keptReservation) *string { return text(r.extra.Metadata) }))
}

func updateReservations(batch *pgx.Batch, list []keptReservation) {
	const query = `
update reservations r set state = u.state, version = u.version, expires_at = u.expires_at, resolved_at = u.resolved_at,
    transition = u.transition
from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::text[])
    as u (id, state, version, expires_at, resolved_at, transition)
where r.id = u.id`
	batch.Queue(query,
		column(list, func(r keptReservation) string { return r.id }),
		column(list, func(r keptReservation) string { return string(r.record.State) }),
		column(list, func(r keptReservation) int64 { return r.record.Version }),
		column(list, func(r keptReservation) time.Time { return moment(r.record.Expires) }),
		column(list, keptReservation.resolvedAt),
		column(list, func(r keptReservation) string { return r.record.Transition }))
}

// keptLine is a line to write.
type keptLine struct {
	of       keptReservation
	position int
	*cache.RecordLine
}

func linesOf(list []keptReservation) []keptLine {
	var lines []keptLine
	for _, r := range list {
		for i := range r.record.Lines {
			lines = append(lines, keptLine{of: r, position: i + 1, RecordLine: &r.record.Lines[i]})
		}
	}
	return lines
}

var types = pgtype.NewMap()

// arrayText is an array as text: rows of arrays can't be unnested.
func arrayText(oid uint32, array any) string {
	raw, err := types.Encode(oid, pgtype.TextFormatCode, array, nil)
	if err != nil {
		panic("reconcile: an array can be encoded: " + err.Error())
	}
	return string(raw)
}

func (l keptLine) locations() string {
	return arrayText(pgtype.TextArrayOID, column(l.From, func(a cache.RecordAllocation) string { return string(a.Location) }))
}

func (l keptLine) quantities() string {
	return arrayText(pgtype.Int8ArrayOID, column(l.From, func(a cache.RecordAllocation) int64 { return a.Quantity }))
}

func (l keptLine) fulfilled() string {
	return arrayText(pgtype.Int8ArrayOID, column(l.From, func(a cache.RecordAllocation) int64 { return a.Fulfilled }))
}

func insertLines(batch *pgx.Batch, list []keptReservation) {
	const query = `
insert into reservation_lines (reservation_id, position, line, sku, requested, returned, locations, quantities, fulfilled,
    created_at, kit, kit_quantity, limits)
select id, position, line, sku, requested, returned, locations::text[], quantities::bigint[], fulfilled::bigint[], created_at,
    kit, kit_quantity, limits
from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::text[], $12::bigint[], $13::text[])
    as u (id, position, line, sku, requested, returned, locations, quantities, fulfilled, created_at, kit, kit_quantity, limits)`
	lines := linesOf(list)
	batch.Queue(query,
		column(lines, func(l keptLine) string { return l.of.id }),
		column(lines, func(l keptLine) int { return l.position }),
		column(lines, func(l keptLine) string { return l.Line }),
		column(lines, func(l keptLine) string { return string(l.SKU) }),
		column(lines, func(l keptLine) int64 { return l.Requested }),
		column(lines, func(l keptLine) int64 { return l.Returned }),
		column(lines, keptLine.locations), column(lines, keptLine.quantities), column(lines, keptLine.fulfilled),
		column(lines, func(l keptLine) time.Time { return moment(l.of.record.Created) }),
		column(lines, keptLine.kitSKU), column(lines, keptLine.kitEach), column(lines, keptLine.limits))
}

// updateLines writes the lines of reservations of which units moved; others are as they were.
func updateLines(batch *pgx.Batch, list []keptReservation) {
	const query = `
update reservation_lines l set returned = u.returned, locations = u.locations::text[], quantities = u.quantities::bigint[],
    fulfilled = u.fulfilled::bigint[]
from unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::text[])
    as u (id, position, returned, locations, quantities, fulfilled)
where l.reservation_id = u.id and l.position = u.position`
	lines := linesOf(slices.DeleteFunc(slices.Clone(list), func(r keptReservation) bool { return !r.rearranged }))
	if len(lines) == 0 {
		return
	}
	batch.Queue(query,
		column(lines, func(l keptLine) string { return l.of.id }),
		column(lines, func(l keptLine) int { return l.position }),
		column(lines, func(l keptLine) int64 { return l.Returned }),
		column(lines, keptLine.locations), column(lines, keptLine.quantities), column(lines, keptLine.fulfilled))
}

func (b *book) writeOperations(batch *pgx.Batch, shard int32) {
	const query = `
insert into operations (id, fingerprint, birth, applied_at, shard, reason, actor)
select id, fingerprint, birth, applied_at, $7, reason, actor
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
    as u (id, fingerprint, birth, applied_at, reason, actor)`
	if len(b.made) == 0 {
		return
	}
	batch.Queue(query,
		column(b.made, func(o operation) string { return o.id }),
		column(b.made, func(o operation) string { return o.fingerprint }),
		column(b.made, func(o operation) string { return o.birth }),
		column(b.made, func(o operation) time.Time { return moment(o.at) }),
		column(b.made, func(o operation) string { return o.reason }),
		column(b.made, func(o operation) string { return o.actor }), shard)
}

func (b *book) writeMovements(batch *pgx.Batch, shard int32) {
	const query = `
insert into movements (shard, epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock,
    backorder_limit, verb, reason, actor, reservation_id, operation_id, at)
select $17, epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock, backorder_limit, verb, reason,
    actor, nullif(reservation_id, ''), nullif(operation_id, ''), at
from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::timestamptz[])
    as u (epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock, backorder_limit, verb, reason,
    actor, reservation_id, operation_id, at)`
	list := b.movements
	if len(list) == 0 {
		return
	}
	units := func(of func(*level) int64) []int64 {
		return column(list, func(m movement) int64 { return of(&m.delta) })
	}
	batch.Queue(query,
		column(list, func(m movement) int64 { return int64(m.entry.epoch) }),    //nolint:gosec // epochs are few
		column(list, func(m movement) int64 { return int64(m.entry.sequence) }), //nolint:gosec // one for each script call
		column(list, func(m movement) int { return m.event }),
		column(list, func(m movement) string { return string(m.key.sku) }),
		column(list, func(m movement) string { return string(m.key.at) }),
		units(func(l *level) int64 { return l.onHand }), units(func(l *level) int64 { return l.held }),
		units(func(l *level) int64 { return l.committed }), units(func(l *level) int64 { return l.safetyStock }),
		units(func(l *level) int64 { return l.backorderLimit }),
		column(list, func(m movement) string { return string(m.verb) }),
		column(list, func(m movement) string { return m.reason }),
		column(list, func(m movement) string { return m.actor }),
		column(list, func(m movement) string { return m.reservation }),
		column(list, func(m movement) string { return m.operation }),
		column(list, func(m movement) time.Time { return moment(m.at) }), shard)
}

func (b *book) writeRefusals(batch *pgx.Batch, shard int32) {
	const query = `
insert into refusals (shard, epoch, sequence, event, verb, reservation_id, operation_id, birth, version, reason, detail,
    created_at, settled_at)
select $13, epoch, sequence, event, verb, case when not operation then id end, case when operation then id end, birth,
    version, reason, detail, created_at, settled_at
from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::bigint[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
    as u (epoch, sequence, event, verb, operation, id, birth, version, reason, detail, created_at, settled_at)
on conflict do nothing`
	list := b.refusals
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		column(list, func(r refusal) int64 { return int64(r.entry.epoch) }),    //nolint:gosec // as above
		column(list, func(r refusal) int64 { return int64(r.entry.sequence) }), //nolint:gosec // as above
		column(list, func(r refusal) int { return r.event }),
		column(list, func(r refusal) string { return string(r.verb) }),
		column(list, func(r refusal) bool { return r.step.Operation }),
		column(list, func(r refusal) string { return r.step.ID }),
		column(list, func(r refusal) string { return r.step.Birth }),
		column(list, func(r refusal) int64 { return r.step.Version }),
		column(list, func(r refusal) string { return string(r.reason) }),
		column(list, func(r refusal) string { return r.detail.encode() }),
		column(list, func(r refusal) time.Time { return moment(r.at) }),
		column(list, func(r refusal) *time.Time { return momentOrNone(r.settledAt) }), shard)
}

func (b *book) writeSettled(batch *pgx.Batch) {
	at := map[cache.Step]int64{}
	below := make([]cache.Step, len(b.settled))
	for i, s := range b.settled {
		below[i] = s.step
		at[s.step] = s.at
	}
	settle(batch, below, func(step cache.Step) time.Time { return moment(at[step]) })
}

// settle queues that the refusals of these reservations and operations, below these versions, are undone.
func settle(batch *pgx.Batch, below []cache.Step, at func(cache.Step) time.Time) {
	const reservations = `
update refusals f set settled_at = u.at
from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) as u (id, birth, version, at)
where f.settled_at is null and f.reservation_id = u.id and f.birth = u.birth and f.version < u.version`
	const operations = `
update refusals f set settled_at = u.at
from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) as u (id, birth, version, at)
where f.settled_at is null and f.operation_id = u.id and f.birth = u.birth and f.version < u.version`
	for query, operation := range map[string]bool{reservations: false, operations: true} {
		list := slices.DeleteFunc(slices.Clone(below), func(s cache.Step) bool { return s.Operation != operation })
		if len(list) == 0 {
			continue
		}
		batch.Queue(query,
			column(list, func(s cache.Step) string { return s.ID }),
			column(list, func(s cache.Step) string { return s.Birth }),
			column(list, func(s cache.Step) int64 { return s.Version }), column(list, at))
	}
}

func writeQuarantine(batch *pgx.Batch, shard int32, list []quarantined) {
	const query = `
insert into quarantine (shard, entry, event, reason, body)
select $5, entry, event, reason, body from unnest($1::text[], $2::integer[], $3::text[], $4::bytea[])
    as u (entry, event, reason, body)
on conflict do nothing`
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		column(list, func(q quarantined) string { return q.entry }),
		column(list, func(q quarantined) int { return q.event }),
		column(list, func(q quarantined) string { return q.reason }),
		column(list, func(q quarantined) []byte { return []byte(q.body) }), shard)
}
