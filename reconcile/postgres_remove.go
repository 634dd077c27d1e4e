package reconcile

import (
	"slices"

	"github.com/jackc/pgx/v5"
)

// deleteLevels deletes the levels that were there and are no more. Their movements stay.
func (b *book) deleteLevels(batch *pgx.Batch) {
	const query = `
delete from levels where (sku, location) in (select * from unnest($1::text[], $2::text[]))`
	var gone []levelKey
	for key := range b.before {
		if b.levels[key] == nil {
			gone = append(gone, key)
		}
	}
	if len(gone) == 0 {
		return
	}
	slices.SortFunc(gone, compareLevels)
	batch.Queue(query,
		column(gone, func(key levelKey) string { return string(key.sku) }),
		column(gone, func(key levelKey) string { return string(key.at) }))
}
