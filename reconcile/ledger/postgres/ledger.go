// Package postgres keeps the ledger in a PostgreSQL database. It has the schema and its migrations,
// the session that applies the stream, the reads of the Store, of audits and of a rebuild, and the
// archive.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	// lockClass and loadClass are the first keys of the advisory locks for applying a shard and for
	// loading its scripts. lockOf is the second key: the shard, in the schema of these tables. A
	// database may have several schemas, and their ledgers have nothing to do with each other.
	lockClass = 0x686f6c64
	loadClass = 0x686f6c65
	lockOf    = `((coalesce(to_regclass('positions')::oid::bigint, 0) + $2::bigint) % 2147483648)::integer`
	// readTimeout bounds one read of a caller.
	readTimeout = 2 * time.Second
)

// Ledger is the ledger of one shard in a database. It is safe for concurrent use.
type Ledger struct {
	pool    *pgxpool.Pool
	pages   *pgxpool.Pool   // for lists and searches, which may be slow
	keys    *pgxpool.Pool   // for the keys of the API: one connection, so that nothing delays a revocation
	session *pgx.ConnConfig // for the locks that a process keeps
	shard   int32
	waiters *ledger.Waiters
	suspect chan struct{}
	Point   func(name string) // test hook: called where a process may die; nil
}

// New returns the ledger of a shard over pool. It does no I/O.
func New(pool *pgxpool.Pool, shard int) *Ledger {
	p := &Ledger{
		pool: pool, pages: pool, keys: pool, session: pool.Config().ConnConfig,
		shard: int32(shard), suspect: make(chan struct{}, 1), //nolint:gosec // 0 for now
	}
	p.waiters = ledger.NewWaiters(p.look)
	return p
}

// Suspect tells the reconciler that this may be a different Redis.
func (p *Ledger) Suspect() { ledger.Signal(p.suspect) }

// Suspicions returns the channel that Suspect sends to.
func (p *Ledger) Suspicions() <-chan struct{} { return p.suspect }

// Await waits until the ledger has decided a step.
func (p *Ledger) Await(ctx context.Context, a wire.Awaited) error { return p.waiters.Await(ctx, a) }

// Waiting counts the calls that wait for a version of a reservation.
func (p *Ledger) Waiting(id string, version int64) int { return p.waiters.WaitingFor(id, version) }

// Decided tells the calls that wait in this process what a batch has decided.
func (p *Ledger) Decided(entries []ledger.Entry, refusals []ledger.Refusal) {
	p.waiters.Decided(entries, refusals)
}

// Failure returns why the ledger decides nothing: the database does not answer, or it is not being
// written. It returns nil if all is well.
func (p *Ledger) Failure() error { return p.waiters.Failure() }

// Durable returns true.
func (p *Ledger) Durable() bool { return true }

// Claim tells the process that holds the lock which server is the primary. One round trip.
func (p *Ledger) Claim(ctx context.Context, runID string) error {
	return p.read(ctx, func(ctx context.Context) error {
		_, err := p.pool.Exec(ctx, `update positions set claim_run_id = $2, claimed_at = now() where shard = $1`, p.shard, runID)
		return err
	})
}

// read runs f for a caller, unless the ledger is known to be down. It returns f's error if that is
// ErrNotFound or a data error, which repeating cannot cure, and wraps any other in ErrNotDurable.
// The ledger counts as down only if it takes no connections. A read that fails or is slow says
// nothing about the sales that others make durable meanwhile.
func (p *Ledger) read(ctx context.Context, f func(ctx context.Context) error) error {
	if !p.waiters.Allow() {
		return fmt.Errorf("%w: the ledger is down", cache.ErrNotDurable)
	}
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err := f(limited)
	switch {
	case err == nil, errors.Is(err, cache.ErrNotFound), isDataError(err):
		p.waiters.Record(nil)
		return err
	case ctx.Err() == nil && isDown(err):
		p.waiters.Record(err)
	}
	return fmt.Errorf("%w: %w", cache.ErrNotDurable, explain(err))
}

// lockLoading waits for the process that loads scripts. If that process was stopped or is cut off,
// Postgres ends its session.
const lockLoading = `
select set_config('idle_in_transaction_session_timeout', $3::bigint::text, true), pg_advisory_xact_lock($1::integer, ` + lockOf + `)`

// Loading calls check with the shard's position while it holds the script-loading lock.
func (p *Ledger) Loading(ctx context.Context, check func(context.Context, wire.Position) error) error {
	var refusal error
	err := p.read(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, lockLoading, loadClass, p.shard, sessionIdle.Milliseconds()); err != nil {
				return err
			}
			at, there, err := readPosition(ctx, tx, p.shard, "")
			switch {
			case err != nil:
				return err
			case !there:
				p.Suspect()
				refusal = fmt.Errorf("%w: the ledger is empty; wait until a reconciler has begun", cache.ErrRebuilding)
			default:
				refusal = check(ctx, at.Position)
			}
			return nil
		})
	})
	return errors.Join(err, refusal)
}

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// collect reads the rows of a query.
func collect[T any](ctx context.Context, db querier, scan pgx.RowToFunc[T], query string, args ...any) ([]T, error) {
	rows, _ := db.Query(ctx, query, args...) // its error is that of the rows
	return pgx.CollectRows(rows, scan)
}

// within returns the value of f, which runs in read, ask or do.
func within[T any](ctx context.Context, run func(context.Context, func(context.Context) error) error,
	f func(context.Context) (T, error),
) (value T, err error) {
	err = run(ctx, func(ctx context.Context) error {
		value, err = f(ctx)
		return err
	})
	return value, err
}

// selectPosition has ledger.ClaimFor in words.
const selectPosition = `
select epoch, sequence, nonce, run_id, replication_id, shards, prefix, ledger_id, seen_at, forgotten_to, rebuild,
    case when claimed_at > now() - interval '3 seconds' then claim_run_id else '' end
from positions where shard = $1 `

// readPosition reads the position of a shard; lock is a suffix of the select, such as "for update".
func readPosition(ctx context.Context, db querier, shard int32, lock string) (at ledger.PositionRow, there bool, err error) {
	rows, _ := db.Query(ctx, selectPosition+lock, shard) // its error is that of the rows
	at, err = pgx.CollectExactlyOneRow(rows, scanPosition)
	if errors.Is(err, pgx.ErrNoRows) {
		return ledger.PositionRow{}, false, nil
	}
	return at, err == nil, err
}

func scanPosition(row pgx.CollectableRow) (at ledger.PositionRow, err error) {
	var seen, forgotten time.Time
	err = row.Scan(&at.Epoch, &at.Sequence, &at.Nonce, &at.RunID, &at.ReplicationID, &at.Shards, &at.Prefix,
		&at.LedgerID, &seen, &forgotten, &at.Rebuild, &at.Claim)
	at.SeenAt, at.ForgottenTo = seen.UnixMilli(), forgotten.UnixMilli()
	return at, err
}

// look reads what the ledger has decided about steps: nil for one that it applied. One round trip.
func (p *Ledger) look(ctx context.Context, list []wire.Awaited) ([]error, error) {
	const query = `
select u.n, coalesce(f.reason, g.reason, ''), coalesce(f.detail, g.detail, ''), coalesce(o.birth = u.birth, false),
    coalesce(r.birth, ''), coalesce(r.version, 0), coalesce(r.state, ''), coalesce(r.transition, ''),
    coalesce((select epoch from positions where shard = $5), 0),
    coalesce((select sequence from positions where shard = $5), 0),
    coalesce((select seen_at from positions where shard = $5), to_timestamp(0))
from unnest($1::boolean[], $2::text[], $3::text[], $4::bigint[]) with ordinality as u (operation, id, birth, version, n)
left join refusals f on not u.operation and f.reservation_id = u.id and f.birth = u.birth and f.version = u.version
left join refusals g on u.operation and g.operation_id = u.id and g.birth = u.birth
left join operations o on u.operation and o.id = u.id
left join reservations r on not u.operation and r.id = u.id`
	operation, ids := make([]bool, len(list)), make([]string, len(list))
	nonces, versions := make([]string, len(list)), make([]int64, len(list))
	for i, a := range list {
		operation[i], ids[i], nonces[i], versions[i] = a.Operation, a.ID, a.CreationNonce, a.Version
	}
	results := make([]error, len(list))
	conn, err := p.pool.Acquire(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w: %w", ledger.ErrBusy, err)
	}
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	rows, _ := conn.Query(ctx, query, operation, ids, nonces, versions, p.shard) // its error is that of the rows
	var n, epoch, sequence int64
	var seen time.Time
	var reason, detail string
	var done bool
	var known wire.Record
	_, err = pgx.ForEachRow(rows, []any{&n, &reason, &detail, &done, &known.CreationNonce, &known.Version, &known.State,
		&known.Transition, &epoch, &sequence, &seen}, func() error {
		switch {
		case reason != "":
			r := ledger.Refusal{Reason: ledger.RefusalReason(reason)}
			if err := r.Detail.Decode(detail); err != nil {
				return err
			}
			results[n-1] = r.Answer()
		case !done:
			record := known
			results[n-1] = ledger.Outcome(list[n-1], uint64(epoch), &record)
		}
		return nil
	})
	if err == nil {
		p.waiters.Seen(positionKey(uint64(epoch), uint64(sequence)), fmt.Sprint(seen.UnixMilli()))
	}
	return results, err
}

// Reservation reads a reservation with its metadata. One round trip.
func (p *Ledger) Reservation(ctx context.Context, id string) (row wire.ReservationRow, err error) {
	err = p.read(ctx, func(ctx context.Context) error {
		found, err := readRows(ctx, p.pool, []string{id})
		if err != nil {
			return err
		}
		r := found[id]
		if r == nil {
			return fmt.Errorf("reservation %q: %w", id, cache.ErrNotFound)
		}
		if ledger.Archived(&r.Record) {
			return fmt.Errorf("reservation %q: %w", id, cache.ErrArchived)
		}
		row = *r
		return nil
	})
	return row, err
}

// ResolvedIDs reads a page of the ids of resolved reservations. One round trip, and one more for the
// first page.
func (p *Ledger) ResolvedIDs(ctx context.Context, after cache.ResolvedCursor, limit int) (ids []string, next cache.ResolvedCursor, err error) {
	const newest = `select coalesce(max(resolved_at), 'epoch') from reservations where resolved_at is not null and archived_at is null`
	const all = `select id, resolved_at from reservations where id > $1 and resolved_at is not null order by id limit $2`
	const since = `
select id, resolved_at from reservations where resolved_at >= $1 and archived_at is null
order by resolved_at fetch first $2 rows with ties`
	next = after
	err = p.read(ctx, func(ctx context.Context) error {
		var at time.Time
		query, args := since, []any{time.UnixMilli(after.At), limit}
		if after.At == 0 || after.ID != "" {
			query, args = all, []any{after.ID, limit}
		}
		if after.At == 0 {
			if err := p.pages.QueryRow(ctx, newest).Scan(&at); err != nil {
				return err
			}
			next.At = max(1, at.UnixMilli())
		}
		rows, _ := p.pages.Query(ctx, query, args...) // its error is that of the rows
		next.ID = ""
		var id string
		_, err := pgx.ForEachRow(rows, []any{&id, &at}, func() error {
			ids = append(ids, id)
			return nil
		})
		switch n := len(ids); {
		case query == since && n > 0:
			next.At = at.UnixMilli() + 1
		case query == all && n >= limit:
			next.ID = id
		}
		return err
	})
	return ids, next, err
}

// Details reads how a reservation is routed. One round trip.
func (p *Ledger) Details(ctx context.Context, id string) (d wire.Details, err error) {
	const query = `
select birth, ship_to, pickup, split, (select lines from line_destinations d where d.reservation_id = r.id)
from reservations r where id = $1 and archived_at is null`
	err = p.read(ctx, func(ctx context.Context) error {
		err := p.pool.QueryRow(ctx, query, id).Scan(&d.CreationNonce, &d.ShipTo, &d.Pickup, &d.Split, &d.Lines)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("reservation %q: %w", id, cache.ErrNotFound)
		}
		return err
	})
	return d, err
}

// Operation reads an operation. One round trip.
func (p *Ledger) Operation(ctx context.Context, id string) (op cache.Operation, err error) {
	const query = `select fingerprint, applied_at from operations where id = $1`
	err = p.read(ctx, func(ctx context.Context) error {
		err := p.pool.QueryRow(ctx, query, id).Scan(&op.Fingerprint, &op.At)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("operation %q: %w", id, cache.ErrNotFound)
		}
		op.At = op.At.UTC()
		return err
	})
	return op, err
}

// Levels reads the levels of a SKU. One round trip.
func (p *Ledger) Levels(ctx context.Context, sku location.SKU) ([]cache.Level, error) {
	return within(ctx, p.read, func(ctx context.Context) ([]cache.Level, error) {
		list, err := collect(ctx, p.pool, scanLevel, selectLevels+`where sku = $1 order by location`, sku)
		return ledger.Column(list, ledger.Describe), err
	})
}

// LevelPage reads a page of levels and the position, in one snapshot. One round trip.
func (p *Ledger) LevelPage(ctx context.Context, f cache.LevelFilter) (page cache.LevelPage, err error) {
	query := selectLevels + `
where (sku, location) > ($1, $2) and ` + beginsWith("sku", "$3") + ` and ($4 = '' or location = $4)
    and (cardinality($5::text[]) = 0 or sku = any($5)) and (cardinality($6::text[]) = 0 or location = any($6))
order by sku, location limit $7`
	sku, at, _ := wire.LevelAfter(f.Cursor)
	skus, places := append([]location.SKU{}, f.SKUs...), append([]location.ID{}, f.Locations...) // never null
	var list []ledger.LevelRow
	err = p.read(ctx, func(ctx context.Context) error {
		batch := &pgx.Batch{}
		batch.Queue(beginSnapshot)
		batch.Queue(selectPosition, p.shard).Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, scanPosition)
			if len(found) == 1 {
				page.Position = found[0].EntryID()
			}
			return err
		})
		batch.Queue(query, sku, at, f.SKUPrefix, f.Location, skus, places, f.Limit+1).Query(func(rows pgx.Rows) (err error) {
			list, err = pgx.CollectRows(rows, scanLevel)
			return err
		})
		batch.Queue(`commit`)
		return p.pages.SendBatch(ctx, batch).Close()
	})
	if len(list) > f.Limit {
		list = list[:f.Limit]
		last := list[f.Limit-1]
		page.Next = wire.LevelCursor(last.SKU, last.Location)
	}
	page.Levels = ledger.Column(list, ledger.Describe)
	return page, err
}

// selectLevels reads levels, as scanLevel scans them. Its users add the condition.
const selectLevels = `select sku, location, on_hand, held, committed, safety_stock, backorder_limit, committed_backorder
from levels `

func scanLevel(row pgx.CollectableRow) (l ledger.LevelRow, err error) {
	err = row.Scan(&l.SKU, &l.Location, &l.OnHand, &l.Held, &l.Committed, &l.SafetyStock, &l.BackorderLimit, &l.CommittedBackorder)
	return l, err
}
