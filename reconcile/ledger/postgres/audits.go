package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// askTimeout bounds one read of an audit.
const askTimeout = 30 * time.Second

// ask runs f for an audit, which waits longer than a caller. An error does not mark the ledger as
// down.
func (p *Ledger) ask(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := f(ctx)
	if err == nil || errors.Is(err, cache.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w: %w", cache.ErrNotDurable, err)
}

// Audit reads an audit. One round trip.
func (p *Ledger) Audit(ctx context.Context, id string) (a ledger.Audit, err error) {
	const query = `
select a.id, a.state, repair, a.sku, a.location, actor, started_at, seen_at, coalesce(finished_at, 'epoch'), failure, levels,
    reservations, limits, deadlines, n.drift, n.repaired, n.settled
from audits a cross join lateral (
    select count(*) filter (where f.state = 'open' and kind not in ('open_refusal', 'quarantined')) as drift,
        count(*) filter (where f.state = 'repaired') as repaired,
        count(*) filter (where f.state = 'open' and kind in ('open_refusal', 'quarantined')) as settled
    from audit_findings f where f.audit_id = a.id
) n
where a.id = $1 or $1 = '' and finished_at is not null order by finished_at desc nulls first limit 1`
	err = p.ask(ctx, func(ctx context.Context) error {
		var finished time.Time
		err := p.pool.QueryRow(ctx, query, id).Scan(&a.ID, &a.State, &a.Repair, &a.SKU, &a.Location, &a.Actor, &a.StartedAt,
			&a.SeenAt, &finished, &a.Failure, &a.Levels, &a.Reservations, &a.Limits, &a.Deadlines, &a.Drift, &a.Repaired, &a.Settled)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("audit %q: %w", id, cache.ErrNotFound)
		}
		if a.StartedAt, a.SeenAt = a.StartedAt.UTC(), a.SeenAt.UTC(); a.State != ledger.AuditRunning {
			a.FinishedAt = finished.UTC()
		}
		return err
	})
	return a, err
}

// AuditFindings reads a page of findings. One round trip.
func (p *Ledger) AuditFindings(ctx context.Context, id string, filter ledger.FindingFilter, limit int) ([]ledger.Finding, error) {
	const query = `
select id, kind, state, sku, location, reservation_id, limit_id, customer, name, epoch, sequence, in_redis, in_ledger, units,
    seen, note, repair_epoch, repair_sequence
from audit_findings
where audit_id = $1 and id > $2 and (not $3 or state = 'open') and (cardinality($4::text[]) = 0 or kind = any($4))
order by id limit $5`
	kinds := ledger.Column(filter.Kinds, func(k ledger.FindingKind) string { return string(k) })
	return within(ctx, p.ask, func(ctx context.Context) ([]ledger.Finding, error) {
		return collect(ctx, p.pool, scanFinding, query, id, filter.After, filter.Open, kinds, limit)
	})
}

func scanFinding(row pgx.CollectableRow) (f ledger.Finding, err error) {
	var inRedis, inLedger, seen string
	var repair ledger.EntryID
	err = row.Scan(&f.ID, &f.Kind, &f.State, &f.SKU, &f.Location, &f.Reservation, &f.Limit, &f.Customer, &f.Name, &f.Entry.Epoch,
		&f.Entry.Sequence, &inRedis, &inLedger, &f.Units, &seen, &f.Note, &repair.Epoch, &repair.Sequence)
	if err != nil {
		return f, err
	}
	if f.Entry.Epoch > 0 {
		f.Position = f.Entry.String()
	}
	if repair.Epoch > 0 {
		f.RepairedAt = repair.String()
	}
	var err1, err2, err3 error
	f.Redis, err1 = ledger.DecodeSide(inRedis)
	f.Ledger, err2 = ledger.DecodeSide(inLedger)
	if seen != "" {
		err3 = json.Unmarshal([]byte(seen), &f.Seen)
	}
	f.SetFrozen()
	return f, errors.Join(err1, err2, err3, f.Check())
}

// BeginAudit records that an audit runs. Two round trips.
func (p *Ledger) BeginAudit(ctx context.Context, a ledger.Audit) error {
	const lost = `
update audits set state = 'failed', failure = $2, finished_at = seen_at
where shard = $1 and state = 'running' and seen_at < now() - $3::interval`
	const query = `
insert into audits (id, shard, repair, sku, location, actor, on_behalf_of, request_id) values ($1, $2, $3, $4, $5, $6, $7, $8)`
	if err := p.exec(ctx, lost, p.shard, ledger.WhyLost, ledger.AuditLost); err != nil {
		return err
	}
	return p.exec(ctx, query, a.ID, p.shard, a.Repair, a.SKU, a.Location, a.Actor, a.OnBehalfOf, a.RequestID)
}

func (p *Ledger) exec(ctx context.Context, query string, args ...any) error {
	return p.ask(ctx, func(ctx context.Context) error {
		_, err := p.pool.Exec(ctx, query, args...)
		return err
	})
}

// Auditing records that an audit still runs, and adds to its counts. One round trip.
func (p *Ledger) Auditing(ctx context.Context, id string, more ledger.Compared) error {
	const query = `
update audits set seen_at = now(), levels = levels + $2, reservations = reservations + $3, limits = limits + $4,
    deadlines = deadlines + $5
where id = $1`
	return p.exec(ctx, query, id, more.Levels, more.Reservations, more.Limits, more.Deadlines)
}

// EndAudit records that an audit has ended. One round trip.
func (p *Ledger) EndAudit(ctx context.Context, id, failure string) error {
	const query = `
update audits set state = case when $2 = '' then 'done' else 'failed' end, failure = $2, finished_at = now(), seen_at = now()
where id = $1`
	return p.exec(ctx, query, id, failure)
}

// Annotate adds a note to findings. One round trip.
func (p *Ledger) Annotate(ctx context.Context, audit string, findings []string, note string) error {
	const query = `
update audit_findings set note = case when note = '' then $3 else note || '; ' || $3 end where audit_id = $1 and id = any($2)`
	return p.exec(ctx, query, audit, findings, note)
}

// Position returns the position of the shard. One round trip.
func (p *Ledger) Position(ctx context.Context) (at ledger.PositionRow, found bool, err error) {
	err = p.ask(ctx, func(ctx context.Context) error {
		at, found, err = readPosition(ctx, p.pool, p.shard, "")
		return err
	})
	return at, found, err
}

// Limits reads a page of the purchase limits that count something. One round trip.
func (p *Ledger) Limits(ctx context.Context, after wire.LimitKey, limit int) ([]wire.LimitRow, error) {
	return within(ctx, p.ask, func(ctx context.Context) ([]wire.LimitRow, error) {
		return readLimits(ctx, p.pool, after, limit)
	})
}

func readLimits(ctx context.Context, db querier, after wire.LimitKey, limit int) ([]wire.LimitRow, error) {
	const query = `
select limit_id, customer, units from limit_counts where units <> 0 and (limit_id, customer) > ($1, $2)
order by limit_id, customer limit $3`
	return collect(ctx, db, func(row pgx.CollectableRow) (l wire.LimitRow, err error) {
		err = row.Scan(&l.Limit, &l.Identity, &l.Units)
		return l, err
	}, query, after.Limit, after.Identity, limit)
}

// FilterUnknownLevels returns the keys that are no level of the ledger. One round trip.
func (p *Ledger) FilterUnknownLevels(ctx context.Context, keys []ledger.LevelKey) ([]ledger.LevelKey, error) {
	const query = `
select u.sku, u.location from unnest($1::text[], $2::text[]) as u (sku, location)
where not exists (select from levels l where l.sku = u.sku and l.location = u.location)`
	scan := func(row pgx.CollectableRow) (k ledger.LevelKey, err error) {
		err = row.Scan(&k.SKU, &k.Location)
		return k, err
	}
	return within(ctx, p.ask, func(ctx context.Context) ([]ledger.LevelKey, error) {
		skus, locations := levelColumns(keys)
		return collect(ctx, p.pool, scan, query, skus, locations)
	})
}

// FilterUncountedLimits returns the keys of limits that count nothing. One round trip.
func (p *Ledger) FilterUncountedLimits(ctx context.Context, keys []wire.LimitKey) ([]wire.LimitKey, error) {
	const query = `
select u.id, u.customer from unnest($1::text[], $2::text[]) as u (id, customer)
where not exists (select from limit_counts l where l.limit_id = u.id and l.customer = u.customer and l.units <> 0)`
	scan := func(row pgx.CollectableRow) (k wire.LimitKey, err error) {
		err = row.Scan(&k.Limit, &k.Identity)
		return k, err
	}
	return within(ctx, p.ask, func(ctx context.Context) ([]wire.LimitKey, error) {
		limits, customers := limitColumns(keys)
		return collect(ctx, p.pool, scan, query, limits, customers)
	})
}

// Totals returns how many levels a scope has, and the sum of their units on hand. One round trip.
func (p *Ledger) Totals(ctx context.Context, s ledger.Scope) (levels, onHand int64, err error) {
	const query = `
select count(*), coalesce(sum(on_hand), 0)::bigint from levels where ($1 = '' or sku = $1) and ($2 = '' or location = $2)`
	err = p.ask(ctx, func(ctx context.Context) error {
		return p.pool.QueryRow(ctx, query, s.SKU, s.Location).Scan(&levels, &onHand)
	})
	return levels, onHand, err
}
