package reconcile

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// examineItself compares the ledger with itself in one statement, and so at one moment: of all that it
// reads, only what differs leaves it. Sums that do not fit in memory are Postgres's to keep on disk.
func (p *Postgres) examineItself(ctx context.Context, audit string, s scope) error {
	const query = `
with lines as (
    select l.sku, u.location, sum(u.quantity) filter (where r.state = 'held') as held,
        sum(u.quantity - u.fulfilled) filter (where r.state = 'confirmed') as committed
    from reservations r join reservation_lines l on l.reservation_id = r.id
        cross join unnest(l.locations, l.quantities, l.fulfilled) as u (location, quantity, fulfilled)
    where r.resolved_at is null and ($2 = '' or l.sku = $2) and ($3 = '' or u.location = $3)
    group by 1, 2
), moved as (
    select sku, location, sum(on_hand) as on_hand, sum(held) as held, sum(committed) as committed,
        sum(safety_stock) as safety_stock, sum(backorder_limit) as backorder_limit
    from movements where ($2 = '' or sku = $2) and ($3 = '' or location = $3)
    group by 1, 2
), compared as (
    select sku, location, l.sku is not null as there, coalesce(l.on_hand, 0) as on_hand, coalesce(l.held, 0) as held,
        coalesce(l.committed, 0) as committed, coalesce(l.safety_stock, 0) as safety_stock,
        coalesce(l.backorder_limit, 0) as backorder_limit,
        coalesce(n.held, 0) as lines_held, coalesce(n.committed, 0) as lines_committed,
        coalesce(m.on_hand, 0) as moved_on_hand, coalesce(m.held, 0) as moved_held, coalesce(m.committed, 0) as moved_committed,
        coalesce(m.safety_stock, 0) as moved_safety_stock, coalesce(m.backorder_limit, 0) as moved_backorder_limit
    from (select * from levels where ($2 = '' or sku = $2) and ($3 = '' or location = $3)) l
        full join lines n using (sku, location) full join moved m using (sku, location)
)
insert into audit_findings (audit_id, id, kind, sku, location, in_ledger, note)
select $1, substr(encode(sha256(convert_to('ledger_inconsistent' || chr(31) || sku || chr(31) || location, 'UTF8')), 'hex'), 1, 16),
    'ledger_inconsistent', sku, location,
    case when there then json_build_object('available', on_hand - held - committed - safety_stock + backorder_limit,
        'on_hand', on_hand, 'held', held, 'committed', committed, 'safety_stock', safety_stock,
        'backorder_limit', backorder_limit)::text else '' end,
    format('its lines add up to held %s, committed %s; its movements to on hand %s, held %s, committed %s, safety stock %s, backorder limit %s',
        lines_held, lines_committed, moved_on_hand, moved_held, moved_committed, moved_safety_stock, moved_backorder_limit)
from compared
where (held, committed) is distinct from (lines_held, lines_committed)
    or (on_hand, held, committed, safety_stock, backorder_limit)
        is distinct from (moved_on_hand, moved_held, moved_committed, moved_safety_stock, moved_backorder_limit)
on conflict on constraint audit_findings_key do update set state = 'open', in_ledger = excluded.in_ledger, note = excluded.note`
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local jit = off`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query, audit, s.sku, s.at)
		return err
	})
}

// listSettled writes as findings what is refused and not undone yet, and what is never applied.
func (p *Postgres) listSettled(ctx context.Context, audit string) error {
	const refused = `
insert into audit_findings (audit_id, id, kind, reservation_id, name, note)
select $1, substr(encode(sha256(convert_to('open_refusal' || chr(31) || name, 'UTF8')), 'hex'), 1, 16), 'open_refusal',
    coalesce(reservation_id, ''), case when reservation_id is null then name else '' end, note
from (
    select distinct on (name) reservation_id, coalesce(reservation_id, 'operation ' || operation_id) as name,
        format('%s was refused: %s', verb, reason) as note
    from refusals where shard = $2 and settled_at is null order by name, epoch desc, sequence desc, event desc
) r
on conflict on constraint audit_findings_key do update set state = 'open', note = excluded.note`
	const quarantined = `
insert into audit_findings (audit_id, id, kind, name, note)
select $1, substr(encode(sha256(convert_to('quarantined' || chr(31) || entry || '/' || event, 'UTF8')), 'hex'), 1, 16),
    'quarantined', entry || '/' || event, reason
from quarantine where shard = $2
on conflict on constraint audit_findings_key do nothing`
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		for _, query := range []string{refused, quarantined} {
			if _, err := tx.Exec(ctx, query, audit, p.shard); err != nil {
				return err
			}
		}
		return nil
	})
}
