package audit

import (
	"context"
	"maps"
	"slices"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// examineBeyond has those levels beyond the scope examined too that reservations with findings have units of: of two
// sides of a reservation the ledger's is right only where none of its levels contradicts the movements.
func (r *auditRun) examineBeyond(ctx context.Context) error {
	if r.scope.All() {
		return nil
	}
	beyond := map[ledger.LevelKey]bool{}
	err := r.eachPage(ctx, ledger.FindingFilter{Kinds: recordKinds, Open: true}, func(ctx context.Context, list []ledger.Finding) error {
		_, records, err := r.Ledger.RecordsAt(ctx, reservationsOf(list))
		if err != nil {
			return err
		}
		for i := range list {
			for _, key := range append(drawsOn(&list[i]), ledger.LevelsOf(records[list[i].Reservation])...) {
				if !r.scope.Has(key.SKU, key.Location) {
					beyond[key] = true
				}
			}
		}
		return nil
	})
	if err != nil || len(beyond) == 0 {
		return err
	}
	return r.Ledger.ExamineItself(ctx, r.ID, ledger.Scope{}, slices.Collect(maps.Keys(beyond))...)
}

// reservationsOf lists the reservations that findings are about.
func reservationsOf(list []ledger.Finding) (ids []string) {
	for i := range list {
		if list[i].Reservation != "" {
			ids = append(ids, list[i].Reservation)
		}
	}
	return ids
}
