package ledger

import (
	"cmp"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// A level of the ledger.
type (
	LevelKey = wire.LevelName
	Level    = wire.Level
	LevelRow = wire.LevelRow
)

// CompareLevels orders levels by SKU, then by location. Rows are locked in this order.
func CompareLevels(a, b LevelKey) int {
	return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Location, b.Location))
}

// LevelsOf lists the levels that a record draws on, once for each allocation.
func LevelsOf(r wire.Record) (keys []LevelKey) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			keys = append(keys, LevelKey{SKU: line.SKU, Location: a.Location})
		}
	}
	return keys
}

// NamesOf lists the names that Redis has for levels.
func NamesOf(keys []LevelKey) []string {
	return Column(keys, func(k LevelKey) string { return wire.LevelField(k.SKU, k.Location) })
}

// Describe returns a level as callers read it, except Available, which stays 0.
func Describe(l LevelRow) cache.Level {
	return cache.Level{
		SKU: l.SKU, Location: l.Location, OnHand: l.OnHand, Held: l.Held, Committed: l.Committed,
		SafetyStock: l.SafetyStock, BackorderLimit: l.BackorderLimit,
	}
}

// CountsOf returns what Redis should count for a level of the ledger.
func CountsOf(l *Level) wire.LevelCounts {
	return wire.LevelCounts{
		Available: l.OnHand - l.Held - l.Committed - l.SafetyStock + l.BackorderLimit,
		OnHand:    l.OnHand, Committed: l.Committed, SafetyStock: l.SafetyStock, BackorderLimit: l.BackorderLimit,
	}
}

// SumCounts returns a plus sign times b.
func SumCounts(a, b wire.LevelCounts, sign int64) wire.LevelCounts {
	a.Available += sign * b.Available
	a.OnHand += sign * b.OnHand
	a.Committed += sign * b.Committed
	a.SafetyStock += sign * b.SafetyStock
	a.BackorderLimit += sign * b.BackorderLimit
	return a
}
