package audit

import (
	"context"
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

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
// was seen to have each of those. The ledger is counted when it was not as far as Redis, and when it was
// further: where both are the same, it had as many at that place, as long as none was made and another
// removed between the two.
func (r *auditRun) noExtraLevels(ctx context.Context) (bool, error) {
	if !r.scope.All() {
		return false, nil
	}
	before, _, err := r.Ledger.Totals(ctx, ledger.Scope{})
	if err != nil {
		return false, err
	}
	var sizes [5]int64
	err = r.onShard(ctx, func(ctx context.Context) (err error) {
		sizes, err = r.shard.Sizes(ctx)
		return err
	})
	if err != nil || sizes[cache.PartStock] != before || sizes[cache.PartLevels] != before || r.levelsSeen != before {
		return false, err
	}
	if err := r.caughtUp(ctx); err != nil {
		return false, err
	}
	after, _, err := r.Ledger.Totals(ctx, ledger.Scope{})
	r.progressed(int(sizes[cache.PartLevels]))
	return after == before, err
}

// unknown lists the fields that are no level of the ledger, and belong to what is audited.
func (r *auditRun) unknown(ctx context.Context, fields []cache.Field) (names []string, err error) {
	var keys []ledger.LevelKey
	for _, f := range fields {
		sku, at, ok := cache.SplitLevel(f.Name)
		switch {
		case ok && r.scope.Has(sku, at):
			keys = append(keys, ledger.LevelKey{SKU: sku, Location: at})
		case !ok && r.scope.All():
			names = append(names, f.Name)
		}
	}
	keys, err = r.Ledger.UnknownLevels(ctx, keys)
	return append(names, ledger.NamesOf(keys)...), err
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
		if part != cache.PartStock && part != cache.PartReservations { // those were counted, or will be
			r.progressed(len(fields))
		}
	}
	return nil
}

// Limits has what purchase limits count compared, as both sides know it.
func (r *auditRun) Limits(ctx context.Context) error {
	if !r.scope.All() {
		return nil
	}
	for after := (cache.LimitKey{}); ; {
		rows, err := r.Ledger.Limits(ctx, after, r.Page)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		if err := r.mark(ctx, cache.Marking{Limits: ledger.Column(rows, func(l cache.LimitRow) string { return l.Name() })}); err != nil {
			return err
		}
		after = rows[len(rows)-1].LimitKey
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
		keys, err := r.Ledger.UnknownLimits(ctx, keys)
		if err != nil {
			return err
		}
		return r.mark(ctx, cache.Marking{Limits: append(names, ledger.Column(keys, cache.LimitKey.Name)...)})
	})
}

// deadlines has every member of deadlines looked at, and those compared that have an id without a record: about as
// many ids in one step as there are names.
func (r *auditRun) deadlines(ctx context.Context) error {
	if r.noOrphans {
		r.same.Deadlines += r.alone
		r.progressed(int(r.alone))
		return nil
	}
	if !r.scope.All() {
		return nil
	}
	return r.scan(ctx, cache.PartDeadlines, func(ctx context.Context, fields []cache.Field) error {
		var members []string
		ids := 0
		for _, f := range fields {
			members = append(members, f.Name)
			if ids += len(cache.DeadlineIDs(f.Name)); ids >= r.Page {
				if err := r.someDeadlines(ctx, members); err != nil {
					return err
				}
				members, ids = nil, 0
			}
		}
		return r.someDeadlines(ctx, members)
	})
}

// someDeadlines has those members of deadlines compared that have an id without a record.
func (r *auditRun) someDeadlines(ctx context.Context, members []string) error {
	var ids []string
	for _, member := range members {
		ids = append(ids, cache.DeadlineIDs(member)...)
	}
	lacking, err := r.lacking(ctx, ids)
	if err != nil {
		return err
	}
	var doubtful []string
	for _, member := range members {
		if slices.ContainsFunc(cache.DeadlineIDs(member), func(id string) bool { return lacking[id] }) {
			doubtful = append(doubtful, member)
		}
	}
	r.same.Deadlines += int64(len(members) - len(doubtful))
	return r.mark(ctx, cache.Marking{Deadlines: doubtful})
}

// lacking is those of ids that Redis has no record of.
func (r *auditRun) lacking(ctx context.Context, ids []string) (lacking map[string]bool, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = r.onShard(ctx, func(ctx context.Context) error {
		list, err := r.shard.Lacking(ctx, ids)
		lacking = make(map[string]bool, len(list))
		for _, id := range list {
			lacking[id] = true
		}
		return err
	})
	return lacking, err
}
