package ledger

import (
	"fmt"

	"github.com/holdfast/holdfast/internal/wire"
)

// repair records what a repair has changed in Redis. It changes no row of the ledger. It leaves a
// movement of zero for each level, which says what was done and by whom.
func (w *WorkingSet) repair(entry *Entry, i int, e *wire.Event) {
	seen := map[LevelKey]bool{}
	move := func(key LevelKey, reason string) {
		if seen[key] {
			return
		}
		seen[key] = true
		w.Movements = append(w.Movements, Movement{
			Entry: entry.ID, Event: i, At: entry.At, Key: key, Verb: e.Verb, Operation: e.Repaired.Audit,
			Reason: reason, Actor: e.Actor,
		})
	}
	for _, item := range e.Repaired.Items {
		w.Repaired = append(w.Repaired, RepairedFinding{e.Repaired.Audit, item.Finding, entry.ID})
		if sku, at, ok := wire.SplitLevel(item.Name); ok && w.Levels[LevelKey{SKU: sku, Location: at}] != nil {
			move(LevelKey{SKU: sku, Location: at}, repairReason(item.Added))
			continue
		}
		if known := w.Reservations[item.Name]; known != nil {
			for _, key := range LevelsOf(known.Record) {
				move(key, fmt.Sprintf("redis has reservation %s as the ledger has it", item.Name))
			}
		}
	}
}

// repairReason says what a repair added to a level in Redis.
func repairReason(c wire.LevelCounts) string {
	if c == (wire.LevelCounts{}) {
		return "redis has the level as the ledger has it"
	}
	return fmt.Sprintf("added in redis: available %+d, on hand %+d, committed %+d, safety stock %+d, backorder limit %+d",
		c.Available, c.OnHand, c.Committed, c.SafetyStock, c.BackorderLimit)
}
