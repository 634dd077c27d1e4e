package reconcile

import (
	"context"

	"github.com/holdfast/holdfast/cache"
)

// levels has every level of the ledger compared.
func (r *auditRun) levels(ctx context.Context) error {
	for after := (levelKey{}); ; {
		rows, doubtful, err := r.doubtfulLevels(ctx, after)
		if err != nil || len(rows) == 0 {
			return err
		}
		m := cache.Marking{Levels: doubtful}
		if r.scope.all() && len(doubtful) == len(rows) {
			m.How = cache.HowRange
		}
		r.same.levels += int64(len(rows) - len(doubtful))
		if err := r.mark(ctx, m); err != nil {
			return err
		}
		r.progressed(len(rows))
		after = rows[len(rows)-1].levelKey
	}
}

// doubtfulLevels reads a page of levels, and lists those of which a reading does not say that both sides have the
// same.
func (r *auditRun) doubtfulLevels(ctx context.Context, after levelKey) (rows []levelRow, doubtful []string, err error) {
	for range readTries {
		var at asOf
		if at, rows, err = r.Ledger.levelsAt(ctx, after, r.scope, r.Page); err != nil || len(rows) == 0 {
			return nil, nil, err
		}
		names := column(rows, func(l levelRow) string { return cache.LevelField(l.sku, l.at) })
		got, err := r.read(ctx, at, cache.Names{Levels: names})
		if err != nil || got.sure {
			return rows, got.levelsInDoubt(rows), err
		}
		doubtful = names
		if at.refused {
			break
		}
		if err := pauseFor(ctx, auditPoll); err != nil {
			return nil, nil, err
		}
	}
	return rows, doubtful, nil
}

// levelsInDoubt lists the levels that something between the two sides touches, or that differ.
func (g *reading) levelsInDoubt(rows []levelRow) (names []string) {
	for i := range rows {
		seen := &g.Levels[i]
		counts, readable := seen.Numbers()
		if g.between.levels[rows[i].levelKey] || !readable || counts != countsOf(&rows[i].level) {
			names = append(names, seen.Name)
		}
	}
	return names
}
