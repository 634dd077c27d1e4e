package reconcile

import (
	"context"
	"slices"

	"github.com/holdfast/holdfast/cache"
)

// levels has every level of the ledger compared.
func (r *auditRun) levels(ctx context.Context) error {
	for after := (levelKey{}); ; {
		keys, err := r.Ledger.levelsAfter(ctx, after, r.scope, r.Page)
		if err != nil || len(keys) == 0 {
			return err
		}
		m := cache.Marking{Levels: namesOf(keys)}
		if r.scope.all() {
			m.How = cache.HowRange
		}
		if err := r.mark(ctx, m); err != nil {
			return err
		}
		r.progressed(len(keys))
		after = keys[len(keys)-1]
	}
}

func namesOf(keys []levelKey) []string {
	return column(keys, func(k levelKey) string { return cache.LevelField(k.sku, k.at) })
}

// extraLevels has those fields of Redis compared that are no level of the ledger.
func (r *auditRun) extraLevels(ctx context.Context) error {
	if none, err := r.noExtraLevels(ctx); err != nil || none {
		return err
	}
	for _, part := range []cache.Part{cache.PartStock, cache.PartLevels} {
		err := r.scan(ctx, part, func(ctx context.Context, fields []cache.Field) error {
			extra, err := r.unknown(ctx, fields)
			if err != nil {
				return err
			}
			return r.mark(ctx, cache.Marking{Levels: extra})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noExtraLevels says that there can be no extra ones: Redis has as many fields as the ledger has levels, and
// each of those was looked at. The ledger is counted when it was not as far as Redis, and when it was
// further: where both are the same, it had as many at that place, as long as none was made and another
// removed between the two.
func (r *auditRun) noExtraLevels(ctx context.Context) (bool, error) {
	if !r.scope.all() {
		return false, nil
	}
	before, err := r.Ledger.countLevels(ctx)
	if err != nil {
		return false, err
	}
	var sizes [5]int64
	err = r.onShard(ctx, func(ctx context.Context) (err error) {
		sizes, err = r.shard.Sizes(ctx)
		return err
	})
	if err != nil || sizes[cache.PartStock] != before || sizes[cache.PartLevels] != before {
		return false, err
	}
	if err := r.caughtUp(ctx); err != nil {
		return false, err
	}
	after, err := r.Ledger.countLevels(ctx)
	r.progressed(int(sizes[cache.PartLevels]))
	return after == before, err
}

// unknown lists the fields that are no level of the ledger, and belong to what is audited.
func (r *auditRun) unknown(ctx context.Context, fields []cache.Field) (names []string, err error) {
	var keys []levelKey
	for _, f := range fields {
		sku, at, ok := cache.SplitLevel(f.Name)
		switch {
		case ok && r.scope.has(sku, at):
			keys = append(keys, levelKey{sku, at})
		case !ok && r.scope.all():
			names = append(names, f.Name)
		}
	}
	keys, err = r.Ledger.unknownLevels(ctx, keys)
	return append(names, namesOf(keys)...), err
}

// scan reads a part of Redis, in pages. What is there all the while is read at least once.
func (r *auditRun) scan(ctx context.Context, part cache.Part, take func(context.Context, []cache.Field) error) error {
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		var fields []cache.Field
		err := r.onShard(ctx, func(ctx context.Context) (err error) {
			fields, cursor, err = r.shard.Scan(ctx, part, cursor, int64(r.Page))
			return err
		})
		if err != nil {
			return err
		}
		for page := range slices.Chunk(fields, r.Page) {
			if err := take(ctx, page); err != nil {
				return err
			}
		}
		if part != cache.PartStock {
			r.progressed(len(fields))
		}
	}
	return nil
}

// records has every record of Redis compared.
func (r *auditRun) records(ctx context.Context) error {
	return r.scan(ctx, cache.PartReservations, func(ctx context.Context, fields []cache.Field) error {
		var ids []string
		bytes := 0
		for _, f := range fields {
			if !r.scope.all() {
				record, err := cache.DecodeRecord(f.Value)
				if err != nil || !r.scope.hasRecord(&record) {
					continue
				}
			}
			ids = append(ids, f.Name)
			if bytes += len(f.Name) + len(f.Value); bytes >= auditBytesMax {
				if err := r.mark(ctx, cache.Marking{Reservations: ids}); err != nil {
					return err
				}
				ids, bytes = nil, 0
			}
		}
		return r.mark(ctx, cache.Marking{Reservations: ids})
	})
}

// missingRecords has those live reservations of the ledger compared that Redis has no record of, as it
// seems: those that it has were read from there.
func (r *auditRun) missingRecords(ctx context.Context) error {
	for after := (liveKey{}); ; {
		keys, err := r.Ledger.liveAfter(ctx, after, r.scope, r.Page)
		if err != nil || len(keys) == 0 {
			return err
		}
		var lacking []string
		err = r.onShard(ctx, func(ctx context.Context) (err error) {
			lacking, err = r.shard.Lacking(ctx, column(keys, func(k liveKey) string { return k.id }))
			return err
		})
		if err == nil {
			err = r.mark(ctx, cache.Marking{Reservations: lacking})
		}
		if err != nil {
			return err
		}
		after = keys[len(keys)-1]
	}
}

// limits has what purchase limits count compared, as both sides know it.
func (r *auditRun) limits(ctx context.Context) error {
	if !r.scope.all() {
		return nil
	}
	for after := (cache.LimitKey{}); ; {
		keys, err := r.Ledger.limitsAfter(ctx, after, r.Page)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			break
		}
		if err := r.mark(ctx, cache.Marking{Limits: column(keys, cache.LimitKey.Name)}); err != nil {
			return err
		}
		after = keys[len(keys)-1]
	}
	return r.scan(ctx, cache.PartLimits, func(ctx context.Context, fields []cache.Field) error {
		var names []string
		var keys []cache.LimitKey
		for _, f := range fields {
			if key, ok := cache.SplitLimit(f.Name); ok {
				keys = append(keys, key)
			} else {
				names = append(names, f.Name)
			}
		}
		keys, err := r.Ledger.unknownLimits(ctx, keys)
		if err != nil {
			return err
		}
		return r.mark(ctx, cache.Marking{Limits: append(names, column(keys, cache.LimitKey.Name)...)})
	})
}

// deadlines has every member of deadlines compared: about as many ids in one step as there are names.
func (r *auditRun) deadlines(ctx context.Context) error {
	if !r.scope.all() {
		return nil
	}
	return r.scan(ctx, cache.PartDeadlines, func(ctx context.Context, fields []cache.Field) error {
		var members []string
		ids := 0
		for _, f := range fields {
			members = append(members, f.Name)
			if ids += len(cache.DeadlineIDs(f.Name)); ids >= r.Page {
				if err := r.mark(ctx, cache.Marking{Deadlines: members}); err != nil {
					return err
				}
				members, ids = nil, 0
			}
		}
		return r.mark(ctx, cache.Marking{Deadlines: members})
	})
}
