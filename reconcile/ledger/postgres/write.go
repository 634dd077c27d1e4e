package postgres

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// write queues what a book leaves behind: each row once, each table in one statement, all of them in
// one round trip.
func write(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	writeLevels(set, batch)
	writeLimits(set, batch)
	writeReservations(set, batch)
	writeOperations(set, batch, shard)
	writeMovements(set, batch, shard)
	writeSettled(set, batch)
	writeRefusals(set, batch, shard)
	writeAudited(set, batch)
}

// moment is a time of Redis's clock as its column keeps it.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// writeLevels writes the levels that changed: those that were there, and those that are new. An insert
// that updates would do for both, and takes twice as long.
func writeLevels(set *ledger.WorkingSet, batch *pgx.Batch) {
	const update = `
with written as (
    update levels l set on_hand = u.on_hand, held = u.held, committed = u.committed, safety_stock = u.safety_stock,
        backorder_limit = u.backorder_limit
    from unnest($1::level_step[]) u
    where l.sku = u.sku and l.location = u.location and l.on_hand = u.on_hand_before and l.held = u.held_before
        and l.committed = u.committed_before and l.safety_stock = u.safety_stock_before
        and l.backorder_limit = u.backorder_limit_before
    returning 1)
select expect(count(*), $2) from written`
	const insert = `
insert into levels (sku, location, on_hand, held, committed, safety_stock, backorder_limit)
select sku, location, on_hand, held, committed, safety_stock, backorder_limit from unnest($1::level_step[])`
	var changed, made []ledger.LevelKey
	for key, l := range set.Levels {
		before, there := set.Before[key]
		switch {
		case !there:
			made = append(made, key)
		case before != *l:
			changed = append(changed, key)
		}
	}
	if len(changed) > 0 {
		batch.Queue(update, levelSteps(set, changed), len(changed))
	}
	if len(made) > 0 {
		batch.Queue(insert, levelSteps(set, made))
	}
	deleteLevels(set, batch)
}

// levelSteps is levels as level_step has them, in the order in which they are locked.
func levelSteps(set *ledger.WorkingSet, keys []ledger.LevelKey) *rowArray {
	slices.SortFunc(keys, ledger.CompareLevels)
	steps := newRowArray(12, len(keys))
	for _, key := range keys {
		before, now := set.Before[key], set.Levels[key]
		steps.add(func() {
			steps.text(string(key.SKU), string(key.Location))
			steps.bigint(before.OnHand, before.Held, before.Committed, before.SafetyStock, before.BackorderLimit)
			steps.bigint(now.OnHand, now.Held, now.Committed, now.SafetyStock, now.BackorderLimit)
		})
	}
	return steps
}

// keptReservation is a reservation to write.
type keptReservation struct {
	id string
	*ledger.Reservation
	extra keptExtra
}

// keptExtra is what only the ledger keeps of a reservation.
type keptExtra struct {
	ShipTo   json.RawMessage `json:"ship_to"`
	Pickup   string          `json:"pickup"`
	Split    string          `json:"split"`
	Metadata json.RawMessage `json:"metadata"`
}

// resolvedAt is 0 while it is live.
func (r keptReservation) resolvedAt() int64 {
	if !ledger.Resolved(r.Record.State) {
		return 0
	}
	return r.At
}

// momentOrNone is null for 0.
func momentOrNone(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	at := moment(ms)
	return &at
}

func writeReservations(set *ledger.WorkingSet, batch *pgx.Batch) {
	var made, changed []keptReservation
	for _, id := range slices.Sorted(maps.Keys(set.Reservations)) {
		kept := keptReservation{id: id, Reservation: set.Reservations[id]}
		switch {
		case kept.Created:
			if kept.Reservation.Extra != "" {
				_ = json.Unmarshal([]byte(kept.Reservation.Extra), &kept.extra) // ours; else it is left out
			}
			made = append(made, kept)
		case kept.Changed:
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
    pickup, split, ship_to, metadata
from unnest($1::reservations[])`
	made := newRowArray(17, len(list))
	for i := range list {
		r := &list[i]
		made.add(func() {
			made.text(r.id, r.Record.Birth, string(r.Record.State))
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
			steps.text(r.id, r.Record.Birth, string(r.StateBefore))
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

// keptLine is a line to write.
type keptLine struct {
	of       keptReservation
	position int
	*cache.RecordLine
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

// lineRows is lines as reservation_lines has them.
func lineRows(lines []keptLine) *rowArray {
	array := newRowArray(13, len(lines))
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
		})
	}
	return array
}

func insertLines(batch *pgx.Batch, list []keptReservation) {
	const query = `
insert into reservation_lines (reservation_id, position, line, sku, requested, returned, locations, quantities, fulfilled,
    created_at, kit, kit_quantity, limits)
select reservation_id, position, line, sku, requested, returned, locations, quantities, fulfilled, created_at, kit,
    kit_quantity, limits
from unnest($1::reservation_lines[])`
	batch.Queue(query, lineRows(linesOf(list)))
}

// updateLines writes the lines of reservations of which units moved; others are as they were.
func updateLines(batch *pgx.Batch, list []keptReservation) {
	const query = `
update reservation_lines l set requested = u.requested, returned = u.returned, locations = u.locations, quantities = u.quantities,
    fulfilled = u.fulfilled
from unnest($1::reservation_lines[]) u
where l.reservation_id = u.reservation_id and l.position = u.position`
	lines := linesOf(slices.DeleteFunc(slices.Clone(list), func(r keptReservation) bool { return !r.Rearranged }))
	if len(lines) > 0 {
		batch.Queue(query, lineRows(lines))
	}
}

func writeOperations(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	const query = `
insert into operations (id, fingerprint, birth, applied_at, shard, reason, actor)
select id, fingerprint, birth, applied_at, $7, reason, actor
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
    as u (id, fingerprint, birth, applied_at, reason, actor)`
	if len(set.Made) == 0 {
		return
	}
	batch.Queue(query,
		ledger.Column(set.Made, func(o ledger.Operation) string { return o.ID }),
		ledger.Column(set.Made, func(o ledger.Operation) string { return o.Fingerprint }),
		ledger.Column(set.Made, func(o ledger.Operation) string { return o.Birth }),
		ledger.Column(set.Made, func(o ledger.Operation) time.Time { return moment(o.At) }),
		ledger.Column(set.Made, func(o ledger.Operation) string { return o.Reason }),
		ledger.Column(set.Made, func(o ledger.Operation) string { return o.Actor }), shard)
}

func writeMovements(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	const query = `
insert into movements (shard, epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock,
    backorder_limit, verb, reason, actor, reservation_id, operation_id, at)
select shard, epoch, sequence, event, sku, location, on_hand, held, committed, safety_stock, backorder_limit, verb, reason,
    actor, reservation_id, operation_id, at
from unnest($1::movements[])`
	if len(set.Movements) == 0 {
		return
	}
	array := newRowArray(17, len(set.Movements))
	for i := range set.Movements {
		m := &set.Movements[i]
		array.add(func() {
			array.integer(shard)
			array.bigint(int64(m.Entry.Epoch), int64(m.Entry.Sequence)) //nolint:gosec // few; one for each script call
			array.integer(int32(m.Event))                               //nolint:gosec // at most a batch
			array.text(string(m.Key.SKU), string(m.Key.Location))
			array.bigint(m.Delta.OnHand, m.Delta.Held, m.Delta.Committed, m.Delta.SafetyStock, m.Delta.BackorderLimit)
			array.text(string(m.Verb), m.Reason, m.Actor)
			array.textOrNull(m.Reservation)
			array.textOrNull(m.Operation)
			array.moment(m.At)
		})
	}
	batch.Queue(query, array)
}

func writeRefusals(set *ledger.WorkingSet, batch *pgx.Batch, shard int32) {
	const query = `
insert into refusals (shard, epoch, sequence, event, verb, reservation_id, operation_id, birth, version, reason, detail,
    created_at, settled_at)
select $13, epoch, sequence, event, verb, case when not operation then id end, case when operation then id end, birth,
    version, reason, detail, created_at, settled_at
from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::bigint[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
    as u (epoch, sequence, event, verb, operation, id, birth, version, reason, detail, created_at, settled_at)
on conflict do nothing`
	list := set.Refusals
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		ledger.Column(list, func(r ledger.Refusal) int64 { return int64(r.Entry.Epoch) }),    //nolint:gosec // as above
		ledger.Column(list, func(r ledger.Refusal) int64 { return int64(r.Entry.Sequence) }), //nolint:gosec // as above
		ledger.Column(list, func(r ledger.Refusal) int { return r.Event }),
		ledger.Column(list, func(r ledger.Refusal) string { return string(r.Verb) }),
		ledger.Column(list, func(r ledger.Refusal) bool { return r.Step.Operation }),
		ledger.Column(list, func(r ledger.Refusal) string { return r.Step.ID }),
		ledger.Column(list, func(r ledger.Refusal) string { return r.Step.Birth }),
		ledger.Column(list, func(r ledger.Refusal) int64 { return r.Step.Version }),
		ledger.Column(list, func(r ledger.Refusal) string { return string(r.Reason) }),
		ledger.Column(list, func(r ledger.Refusal) string { return r.Detail.Encode() }),
		ledger.Column(list, func(r ledger.Refusal) time.Time { return moment(r.At) }),
		ledger.Column(list, func(r ledger.Refusal) *time.Time { return momentOrNone(r.SettledAt) }), shard)
}

func writeSettled(set *ledger.WorkingSet, batch *pgx.Batch) {
	at := map[cache.Step]int64{}
	below := make([]cache.Step, len(set.Settled))
	for i, s := range set.Settled {
		below[i] = s.Step
		at[s.Step] = s.At
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
			ledger.Column(list, func(s cache.Step) string { return s.ID }),
			ledger.Column(list, func(s cache.Step) string { return s.Birth }),
			ledger.Column(list, func(s cache.Step) int64 { return s.Version }), ledger.Column(list, at))
	}
}

func writeQuarantine(batch *pgx.Batch, shard int32, list []ledger.Quarantined) {
	const query = `
insert into quarantine (shard, entry, event, reason, body)
select $5, entry, event, reason, body from unnest($1::text[], $2::integer[], $3::text[], $4::bytea[])
    as u (entry, event, reason, body)
on conflict do nothing`
	if len(list) == 0 {
		return
	}
	batch.Queue(query,
		ledger.Column(list, func(q ledger.Quarantined) string { return q.Entry }),
		ledger.Column(list, func(q ledger.Quarantined) int { return q.Event }),
		ledger.Column(list, func(q ledger.Quarantined) string { return q.Reason }),
		ledger.Column(list, func(q ledger.Quarantined) []byte { return []byte(q.Body) }), shard)
}
