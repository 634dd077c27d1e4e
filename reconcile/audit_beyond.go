package reconcile

import (
	"context"
	"maps"
	"slices"

	"github.com/holdfast/holdfast/cache"
)

// examineBeyond has those levels beyond the scope examined too that reservations with findings have units of: of two
// sides of a reservation the ledger's is right only where none of its levels contradicts the movements.
func (r *auditRun) examineBeyond(ctx context.Context) error {
	if r.scope.all() {
		return nil
	}
	beyond := map[levelKey]bool{}
	err := r.eachPage(ctx, FindingFilter{Kinds: recordKinds, Open: true}, func(ctx context.Context, list []AuditFinding) error {
		records, err := r.Ledger.recordsOf(ctx, reservationsOf(list))
		if err != nil {
			return err
		}
		for i := range list {
			for _, key := range append(list[i].drawsOn(), levelsOf(records[list[i].Reservation])...) {
				if !r.scope.has(key.sku, key.at) {
					beyond[key] = true
				}
			}
		}
		return nil
	})
	if err != nil || len(beyond) == 0 {
		return err
	}
	return r.Ledger.examineLevels(ctx, r.ID, slices.Collect(maps.Keys(beyond)))
}

// reservationsOf lists the reservations that findings are about.
func reservationsOf(list []AuditFinding) (ids []string) {
	for i := range list {
		if list[i].Reservation != "" {
			ids = append(ids, list[i].Reservation)
		}
	}
	return ids
}

// levelsOf lists the levels that a record has units of.
func levelsOf(r cache.Record) (keys []levelKey) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			keys = append(keys, levelKey{line.SKU, a.Location})
		}
	}
	return keys
}
