package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

func (s *session) Levels(ctx context.Context, after ledger.LevelKey, limit int) ([]ledger.LevelRow, error) {
	const query = selectLevels + `where (sku, location) > ($1, $2) order by sku, location limit $3`
	return within(ctx, s.do, func(ctx context.Context) ([]ledger.LevelRow, error) {
		return collect(ctx, s.conn, scanLevel, query, after.SKU, after.Location, limit)
	})
}

func (s *session) Live(ctx context.Context, after ledger.LiveKey, limit int) ([]wire.ReservationRow, error) {
	const query = `
select id from reservations where resolved_at is null and (created_at, id) > ($1, $2) order by created_at, id limit $3`
	return within(ctx, s.do, func(ctx context.Context) ([]wire.ReservationRow, error) {
		ids, err := collect(ctx, s.conn, pgx.RowTo[string], query, time.UnixMilli(after.Created), after.ID, limit)
		if err != nil {
			return nil, err
		}
		return s.rows(ctx, ids)
	})
}

func (s *session) Rested(ctx context.Context, from int64, limit int) (list []wire.ReservationRow, next int64, err error) {
	const query = `
select id, birth, version, resolved_at from reservations
where resolved_at >= $1 and resolved_at < $2 and archived_at is null order by resolved_at fetch first $3 rows with ties`
	err = s.do(ctx, func(ctx context.Context) error {
		found, err := s.aged(ctx, query, false, from, never, limit)
		if err != nil || len(found) == 0 {
			return err
		}
		ids := make([]string, len(found))
		for i, a := range found {
			ids[i] = a.Step.ID
		}
		next = found[len(found)-1].At + 1
		list, err = s.rows(ctx, ids)
		return err
	})
	return list, next, err
}

// never is later than any time of Redis, Unix ms.
const never = 1 << 45

// rows reads reservations in the order of ids.
func (s *session) rows(ctx context.Context, ids []string) ([]wire.ReservationRow, error) {
	found, err := readReservations(ctx, s.conn, ids)
	list := make([]wire.ReservationRow, 0, len(ids))
	for _, id := range ids {
		if r := found[id]; r != nil {
			list = append(list, wire.ReservationRow{ID: id, Record: r.Record})
		}
	}
	return list, err
}

func (s *session) Operations(ctx context.Context, since int64, after string, limit int) ([]wire.OperationRow, error) {
	const query = `
select id, birth, fingerprint, applied_at from operations where id > $1 and applied_at >= $2 order by id limit $3`
	return within(ctx, s.do, func(ctx context.Context) ([]wire.OperationRow, error) {
		return collect(ctx, s.conn, func(row pgx.CollectableRow) (o wire.OperationRow, err error) {
			var at time.Time
			err = row.Scan(&o.ID, &o.CreationNonce, &o.Fingerprint, &at)
			o.At = at.UnixMilli()
			return o, err
		}, query, after, time.UnixMilli(since), limit)
	})
}

func (s *session) Limits(ctx context.Context, after wire.LimitKey, limit int) ([]wire.LimitRow, error) {
	return within(ctx, s.do, func(ctx context.Context) ([]wire.LimitRow, error) {
		return readLimits(ctx, s.conn, after, limit)
	})
}

func (s *session) Forgettable(ctx context.Context, from, to int64, limit int) (found wire.Forgettable, upTo int64, err error) {
	const reservations = `
select id, birth, version, resolved_at from reservations
where resolved_at >= $1 and resolved_at < $2 and archived_at is null order by resolved_at fetch first $3 rows with ties`
	// A refused reserve whose id belongs to another reservation is in no other table.
	const undone = `
select reservation_id, birth, version + 1, settled_at from refusals
where reservation_id is not null and settled_at >= $1 and settled_at < $2 order by settled_at fetch first $3 rows with ties`
	const operations = `
select id, birth, 1::bigint, applied_at from operations where applied_at >= $1 and applied_at < $2
order by applied_at fetch first $3 rows with ties`
	err = s.do(ctx, func(ctx context.Context) error {
		var f ledger.Forgettable
		if f.Reservations, err = s.aged(ctx, reservations, false, from, to, limit); err != nil {
			return err
		}
		if f.Undone, err = s.aged(ctx, undone, false, from, to, limit); err != nil {
			return err
		}
		if f.Operations, err = s.aged(ctx, operations, true, from, to, limit); err != nil {
			return err
		}
		found, upTo = f.Page(to, limit)
		return nil
	})
	return found, upTo, err
}

func (s *session) aged(ctx context.Context, query string, operation bool, from, to int64, limit int) ([]ledger.Aged, error) {
	return collect(ctx, s.conn, func(row pgx.CollectableRow) (a ledger.Aged, err error) {
		var at time.Time
		a.Step.Operation = operation
		err = row.Scan(&a.Step.ID, &a.Step.CreationNonce, &a.Step.Version, &at)
		a.At = at.UnixMilli()
		return a, err
	}, query, time.UnixMilli(from), time.UnixMilli(to), limit)
}

func (s *session) Forgotten(ctx context.Context, upTo int64) error {
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.conn.Exec(ctx, `update positions set forgotten_to = greatest(forgotten_to, $2) where shard = $1`, s.ledger.shard, time.UnixMilli(upTo))
		return err
	})
}
