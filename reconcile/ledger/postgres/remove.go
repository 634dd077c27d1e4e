package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// deleteLevels deletes the levels that were there and are no more. Their movements stay.
func deleteLevels(set *ledger.WorkingSet, batch *pgx.Batch) {
	const query = `
delete from levels where (sku, location) in (select * from unnest($1::text[], $2::text[]))`
	var gone []ledger.LevelKey
	for key := range set.Before {
		if set.Levels[key] == nil {
			gone = append(gone, key)
		}
	}
	if len(gone) == 0 {
		return
	}
	slices.SortFunc(gone, ledger.CompareLevels)
	batch.Queue(query,
		ledger.Column(gone, func(key ledger.LevelKey) string { return string(key.SKU) }),
		ledger.Column(gone, func(key ledger.LevelKey) string { return string(key.Location) }))
}
