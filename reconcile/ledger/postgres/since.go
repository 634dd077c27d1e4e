package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// keepFrom records that movements before a moment may be missing.
const keepFrom = `update positions set kept_from = greatest(kept_from, $2) where shard = $1`

// Since reads the units on hand of levels, and how many units came and left since a moment, in one
// snapshot. One round trip.
func (p *Ledger) Since(ctx context.Context, moment int64, levels []wire.LevelName) (since cache.Since, err error) {
	// The condition on movements is that of the index movements_on_hand.
	const query = `
select p.epoch, p.sequence, p.kept_from, coalesce(l.on_hand, 0), coalesce(m.moved, 0),
    coalesce(c.operation_id, ''), c.made_at
from positions p cross join unnest($2::text[], $3::text[]) with ordinality as u (sku, location, n)
left join levels l on l.sku = u.sku and l.location = u.location
left join level_counts c on c.sku = u.sku and c.location = u.location
left join lateral (
    select sum(on_hand)::bigint as moved from movements
    where sku = u.sku and location = u.location and at > $4 and on_hand <> 0 and verb not in ('count', 'remove')
) m on true
where p.shard = $1 order by u.n`
	err = p.read(ctx, func(ctx context.Context) error {
		skus, locations := levelColumns(levels)
		rows, _ := p.pool.Query(ctx, query, p.shard, skus, locations, time.UnixMilli(moment)) // its error is that of the rows
		var kept time.Time
		var made *time.Time
		var l cache.LevelSince
		_, err := pgx.ForEachRow(rows, []any{&since.Epoch, &since.Sequence, &kept, &l.OnHand, &l.Moved, &l.Count.Operation, &made}, func() error {
			l.Count.At = time.Time{}
			if made != nil {
				l.Count.At = made.UTC()
			}
			since.KeptFrom = kept.UnixMilli()
			since.Levels = append(since.Levels, l)
			return nil
		})
		return err
	})
	if err == nil && len(since.Levels) == 0 {
		err = fmt.Errorf("%w: the ledger is empty; wait until a reconciler has begun", cache.ErrRebuilding)
	}
	return since, err
}
