package audit

import (
	"context"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// compareLevels compares every level of the ledger with Redis.
func (r *run) compareLevels(ctx context.Context) error {
	after := ledger.LevelKey{}
	for next := r.levelsAfter(ctx, after); ; {
		first := next()
		if first.err != nil || len(first.rows) == 0 {
			return first.err
		}
		last := first.rows[len(first.rows)-1].LevelName
		next = readAhead(r.busy, r.levelsAfter(ctx, last))
		p, got, err := readSure(ctx, r, first, levelNames, r.levelsAfter(ctx, after))
		r.levelsSeen += got.levelsThere()
		if err != nil || len(p.rows) == 0 {
			return err
		}
		if after = p.rows[len(p.rows)-1].LevelName; after != last { // read again, the page ended elsewhere
			next = r.levelsAfter(ctx, after)
		}
		m := shard.CheckpointRequest{Levels: got.doubtfulLevels(p.rows)}
		if r.scope.All() && len(m.Levels) == len(p.rows) {
			m.How = wire.HowRange
		}
		r.same.Levels += int64(len(p.rows) - len(m.Levels))
		if err := r.checkpoint(ctx, m); err != nil {
			return err
		}
		r.progress(len(p.rows))
	}
}

// levelsAfter returns a function that reads the page of levels after a key.
func (r *run) levelsAfter(ctx context.Context, after ledger.LevelKey) func() page[ledger.LevelRow] {
	return func() page[ledger.LevelRow] {
		at, rows, err := r.ledger.LevelsAt(ctx, after, r.scope, r.page)
		return page[ledger.LevelRow]{at, rows, err}
	}
}

func levelNames(rows []ledger.LevelRow) shard.Names {
	return shard.Names{Levels: ledger.Column(rows, func(l ledger.LevelRow) string { return wire.LevelField(l.SKU, l.Location) })}
}

// levelsThere counts the levels that Redis has.
func (g *reading) levelsThere() (n int64) {
	for i := range g.Levels {
		if g.Levels[i].Available.There && g.Levels[i].Counts.There {
			n++
		}
	}
	return n
}

// doubtfulLevels lists the levels that differ or that an entry between the two sides touches: all
// levels if the reading is not sure.
func (g *reading) doubtfulLevels(rows []ledger.LevelRow) (names []string) {
	if !g.sure {
		return levelNames(rows).Levels
	}
	for i := range rows {
		seen := &g.Levels[i]
		counts, readable := seen.Numbers()
		if g.between.Levels[rows[i].LevelName] || !readable || counts != ledger.CountsOf(&rows[i].Level) {
			names = append(names, seen.Name)
		}
	}
	return names
}

// compareExtraLevels compares the levels of Redis that the ledger does not have.
func (r *run) compareExtraLevels(ctx context.Context) error {
	if none, err := r.noExtraLevels(ctx); err != nil || none {
		return err
	}
	for _, part := range []shard.Part{shard.PartStock, shard.PartLevels} {
		err := r.scan(ctx, part, func(ctx context.Context, fields []shard.Field) error {
			extra, err := r.unknownLevels(ctx, fields)
			if err != nil {
				return err
			}
			return r.checkpoint(ctx, shard.CheckpointRequest{Levels: extra})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noExtraLevels says that Redis can have no extra levels: it has as many fields as the ledger has
// levels, and compareLevels saw each of those. It counts the ledger once before it reaches the
// position of Redis and once after. If both counts are equal, the ledger had as many at that
// position, unless a level was made and another removed between the two.
func (r *run) noExtraLevels(ctx context.Context) (bool, error) {
	if !r.scope.All() {
		return false, nil
	}
	before, _, err := r.ledger.Totals(ctx, r.scope)
	if err != nil {
		return false, err
	}
	sizes, err := onShard(ctx, r, (*shard.Conn).Sizes)
	if err != nil || sizes[shard.PartStock] != before || sizes[shard.PartLevels] != before || r.levelsSeen != before {
		return false, err
	}
	if err := r.catchUp(ctx); err != nil {
		return false, err
	}
	after, _, err := r.ledger.Totals(ctx, r.scope)
	r.progress(int(sizes[shard.PartLevels]))
	return after == before, err
}

// unknownLevels lists the fields in scope that are no level of the ledger.
func (r *run) unknownLevels(ctx context.Context, fields []shard.Field) (names []string, err error) {
	var keys []ledger.LevelKey
	for _, f := range fields {
		sku, at, ok := wire.SplitLevel(f.Name)
		switch {
		case ok && r.scope.Has(sku, at):
			keys = append(keys, ledger.LevelKey{SKU: sku, Location: at})
		case !ok && r.scope.All():
			names = append(names, f.Name)
		}
	}
	keys, err = r.ledger.FilterUnknownLevels(ctx, keys)
	return append(names, ledger.NamesOf(keys)...), err
}
