package reconcile

import (
	"fmt"

	"github.com/holdfast/holdfast/cache"
)

// repaired records what a repair has changed in Redis: in the ledger it changes nothing, and leaves a
// movement of zero for each level, with what was done and by whom.
func (b *book) repair(entry *entry, i int, e *cache.Event) {
	seen := map[levelKey]bool{}
	move := func(key levelKey, reason string) {
		if seen[key] {
			return
		}
		seen[key] = true
		b.movements = append(b.movements, movement{
			entry: entry.id, event: i, at: entry.at, key: key, verb: e.Verb, operation: e.Repaired.Audit,
			reason: reason, actor: e.Actor,
		})
	}
	for _, item := range e.Repaired.Items {
		b.audited.repaired = append(b.audited.repaired, repairedFinding{e.Repaired.Audit, item.Finding, entry.id})
		if sku, at, ok := cache.SplitLevel(item.Name); ok && b.levels[levelKey{sku, at}] != nil {
			move(levelKey{sku, at}, reasonOf(item.Added))
			continue
		}
		if known := b.reservations[item.Name]; known != nil {
			for _, line := range known.record.Lines {
				for _, a := range line.From {
					move(levelKey{line.SKU, a.Location}, fmt.Sprintf("reservation %s is in redis as the ledger has it", item.Name))
				}
			}
		}
	}
}

// reasonOf says what was added to a level in Redis.
func reasonOf(c cache.LevelCounts) string {
	if c == (cache.LevelCounts{}) {
		return "redis has the level as the ledger has it"
	}
	return fmt.Sprintf("added in redis: available %+d, on hand %+d, committed %+d, safety stock %+d, backorder limit %+d",
		c.Available, c.OnHand, c.Committed, c.SafetyStock, c.BackorderLimit)
}
