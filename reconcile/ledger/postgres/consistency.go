package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// ExamineItself compares the ledger with itself in one statement, and so at one moment. The
// statement adds up levels, movements and lines of each level, with signs. Levels whose sums are
// not all zero are inconsistent, and only those are looked up. Postgres spills sums that do not fit
// in memory to disk.
func (p *Ledger) ExamineItself(ctx context.Context, audit string, s ledger.Scope, keys ...ledger.LevelKey) error {
	if len(keys) == 0 {
		return p.examine(ctx, `($2 = '' or sku = $2) and ($3 = '' or location = $3)`, audit, s.SKU, s.Location)
	}
	skus, locations := levelColumns(keys)
	return p.examine(ctx, `(sku, location) in (select * from unnest($2::text[], $3::text[]))`, audit, skus, locations)
}

// examine compares the levels that meet a condition.
func (p *Ledger) examine(ctx context.Context, which, audit string, args ...any) error {
	query := `
with lines as not materialized (
    select l.sku, u.location, case when r.state = 'held' then u.quantity else 0 end as held,
        case when r.state = 'confirmed' then u.quantity - u.fulfilled else 0 end as committed,
        case when r.state = 'confirmed' and l.backorder then u.quantity - u.fulfilled else 0 end as backorder
    from reservations r join reservation_lines l on l.reservation_id = r.id
        cross join unnest(l.locations, l.quantities, l.fulfilled) as u (location, quantity, fulfilled)
    where r.resolved_at is null
), differing as materialized (
    select sku, location from (
        select sku, location, on_hand, held, committed, safety_stock, backorder_limit, held as lines_held,
            committed as lines_committed, committed_backorder as lines_backorder from levels
        union all
        select sku, location, -on_hand, -held, -committed, -safety_stock, -backorder_limit, 0, 0, 0 from movements
        union all
        select sku, location, 0, 0, 0, 0, 0, -held, -committed, -backorder from lines
    ) u
    where ` + which + `
    group by sku, location
    having sum(on_hand) <> 0 or sum(held) <> 0 or sum(committed) <> 0 or sum(safety_stock) <> 0
        or sum(backorder_limit) <> 0 or sum(lines_held) <> 0 or sum(lines_committed) <> 0
        or sum(lines_backorder) <> 0
)
insert into audit_findings (audit_id, id, kind, sku, location, in_ledger, note)
select $1, substr(encode(sha256(convert_to('ledger_inconsistent' || chr(31) || d.sku || chr(31) || d.location, 'UTF8')), 'hex'), 1, 16),
    'ledger_inconsistent', d.sku, d.location,
    case when l.sku is not null then json_build_object(
        'available', l.on_hand - l.held - l.committed - l.safety_stock + l.backorder_limit,
        'on_hand', l.on_hand, 'held', l.held, 'committed', l.committed, 'safety_stock', l.safety_stock,
        'backorder_limit', l.backorder_limit)::text else '' end,
    format('its lines add up to held %s, committed %s; its movements to on hand %s, held %s, committed %s, safety stock %s, backorder limit %s',
        n.held, n.committed, m.on_hand, m.held, m.committed, m.safety_stock, m.backorder_limit)
    || case when l.committed_backorder <> n.backorder then format('; committed_backorder is %s, and its lines add up to %s',
        l.committed_backorder, n.backorder) else '' end
from differing d left join levels l using (sku, location),
    lateral (select coalesce(sum(held), 0) as held, coalesce(sum(committed), 0) as committed,
            coalesce(sum(backorder), 0) as backorder
        from lines where lines.sku = d.sku and lines.location = d.location) n,
    lateral (select coalesce(sum(on_hand), 0) as on_hand, coalesce(sum(held), 0) as held,
        coalesce(sum(committed), 0) as committed, coalesce(sum(safety_stock), 0) as safety_stock,
        coalesce(sum(backorder_limit), 0) as backorder_limit
        from movements where movements.sku = d.sku and movements.location = d.location) m
on conflict on constraint audit_findings_key do update set state = 'open', in_ledger = excluded.in_ledger, note = excluded.note`
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local jit = off`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query, append([]any{audit}, args...)...)
		return err
	})
}

// ListSettled writes the open refusals and the quarantined events as findings.
func (p *Ledger) ListSettled(ctx context.Context, audit string) error {
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
