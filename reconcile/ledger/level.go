package ledger

import "github.com/holdfast/holdfast/cache"

// Describe is a level as callers read it, but for what is available.
func (l Level) Describe(key LevelKey) cache.Level {
	return cache.Level{
		SKU: key.SKU, Location: key.Location, OnHand: l.OnHand, Held: l.Held, Committed: l.Committed,
		SafetyStock: l.SafetyStock, BackorderLimit: l.BackorderLimit,
	}
}

// SideOfLevel is a level as the ledger counts it.
func SideOfLevel(l Level) *Side {
	side := sideOfCounts(CountsOf(&l))
	side.Held = &l.Held
	return side
}
