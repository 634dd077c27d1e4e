package audit

import (
	"context"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// compareLimits compares the counts of purchase limits: those of the ledger, and then the others of
// Redis.
func (r *run) compareLimits(ctx context.Context) error {
	if !r.scope.All() {
		return nil
	}
	for after := (wire.LimitKey{}); ; {
		rows, err := r.ledger.Limits(ctx, after, r.page)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		names := ledger.Column(rows, func(l wire.LimitRow) string { return l.Name() })
		if err := r.checkpoint(ctx, shard.CheckpointRequest{Limits: names}); err != nil {
			return err
		}
		after = rows[len(rows)-1].LimitKey
	}
	return r.scan(ctx, shard.PartLimits, func(ctx context.Context, fields []shard.Field) error {
		var names []string
		var keys []wire.LimitKey
		for _, f := range fields {
			if key, ok := wire.SplitLimit(f.Name); ok {
				keys = append(keys, key)
			} else {
				names = append(names, f.Name)
			}
		}
		keys, err := r.ledger.FilterUncountedLimits(ctx, keys)
		if err != nil {
			return err
		}
		return r.checkpoint(ctx, shard.CheckpointRequest{Limits: append(names, ledger.Column(keys, wire.LimitKey.Name)...)})
	})
}
