package audit

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// levelPage is some levels of the ledger, the first behind a key, and which place of the stream they are of.
type levelPage struct {
	after ledger.LevelKey
	at    ledger.AsOf
	rows  []ledger.LevelRow
	err   error
}

// last is the key behind which the next page begins.
func (p *levelPage) last() ledger.LevelKey { return p.rows[len(p.rows)-1].LevelKey }

// Levels has every level of the ledger compared.
func (r *auditRun) Levels(ctx context.Context) error {
	read := func(after ledger.LevelKey) func() levelPage {
		return func() levelPage { return r.levelPage(ctx, after) }
	}
	for next := ahead[levelPage](read(ledger.LevelKey{})); ; {
		first := next()
		if first.err != nil || len(first.rows) == 0 {
			return first.err
		}
		next = readAhead(r.busy, read(first.last()))
		page, doubtful, err := r.doubtfulLevels(ctx, first)
		if err != nil || len(page.rows) == 0 {
			return err
		}
		if page.last() != first.last() { // read again, it had others
			next = read(page.last())
		}
		m := cache.Marking{Levels: doubtful}
		if r.scope.All() && len(doubtful) == len(page.rows) {
			m.How = cache.HowRange
		}
		r.same.Levels += int64(len(page.rows) - len(doubtful))
		if err := r.mark(ctx, m); err != nil {
			return err
		}
		r.progressed(len(page.rows))
	}
}

func (r *auditRun) levelPage(ctx context.Context, after ledger.LevelKey) levelPage {
	at, rows, err := r.Ledger.LevelsAt(ctx, after, r.scope, r.Page)
	return levelPage{after, at, rows, err}
}

// doubtfulLevels reads a page of levels from Redis, and lists those of which a reading does not say that both sides
// have the same. The page is read again where it was of too long ago.
func (r *auditRun) doubtfulLevels(ctx context.Context, page levelPage) (levelPage, []string, error) {
	var names []string
	var got reading
	defer func() { r.levelsSeen += got.levelsThere() }()
	for try := range readTries {
		if try > 0 {
			if err := pauseFor(ctx, auditPoll); err != nil {
				return page, nil, err
			}
			if page = r.levelPage(ctx, page.after); page.err != nil || len(page.rows) == 0 {
				return page, nil, page.err
			}
		}
		names = ledger.Column(page.rows, func(l ledger.LevelRow) string { return cache.LevelField(l.SKU, l.Location) })
		var err error
		got, err = r.read(ctx, page.at, cache.Names{Levels: names})
		if err != nil || got.sure {
			return page, got.levelsInDoubt(page.rows), err
		}
		if page.at.Refused {
			break
		}
	}
	return page, names, nil
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

// levelsInDoubt lists the levels that something between the two sides touches, or that differ.
func (g *reading) levelsInDoubt(rows []ledger.LevelRow) (names []string) {
	for i := range rows {
		seen := &g.Levels[i]
		counts, readable := seen.Numbers()
		if g.between.Levels[rows[i].LevelKey] || !readable || counts != ledger.CountsOf(&rows[i].Level) {
			names = append(names, seen.Name)
		}
	}
	return names
}
