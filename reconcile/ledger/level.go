package ledger

import (
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// LevelKey names a level.
type LevelKey struct {
	SKU      location.SKU
	Location location.ID
}

// CompareLevels orders levels by SKU, then by location. Rows are locked in this order.
func CompareLevels(a, b LevelKey) int {
	if c := strings.Compare(string(a.SKU), string(b.SKU)); c != 0 {
		return c
	}
	return strings.Compare(string(a.Location), string(b.Location))
}

// LevelsOf lists the levels that a record draws on, once for each allocation.
func LevelsOf(r wire.Record) (keys []LevelKey) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			keys = append(keys, LevelKey{line.SKU, a.Location})
		}
	}
	return keys
}

// NamesOf lists the names that Redis has for levels.
func NamesOf(keys []LevelKey) []string {
	return Column(keys, func(k LevelKey) string { return wire.LevelField(k.SKU, k.Location) })
}

// Level is a level as the ledger counts it, in units. A change of a level is one too, with signs.
type Level struct {
	OnHand, Held, Committed, SafetyStock, BackorderLimit int64
}

// LevelRow is a level and its key.
type LevelRow struct {
	LevelKey
	Level
}

// Add adds a change to a level.
func (l *Level) Add(d Level) {
	l.OnHand += d.OnHand
	l.Held += d.Held
	l.Committed += d.Committed
	l.SafetyStock += d.SafetyStock
	l.BackorderLimit += d.BackorderLimit
}

// Describe returns a level as callers read it, except Available, which stays 0.
func (l Level) Describe(key LevelKey) cache.Level {
	return cache.Level{
		SKU: key.SKU, Location: key.Location, OnHand: l.OnHand, Held: l.Held, Committed: l.Committed,
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
