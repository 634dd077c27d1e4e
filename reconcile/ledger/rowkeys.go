package ledger

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// RowKeys names the rows that a batch of events reads or changes.
type RowKeys struct {
	Reservations map[string]bool // ids of those that events touch
	Operations   map[string]bool
	Levels       map[LevelKey]bool
	Limits       map[wire.LimitKey]bool // purchase limits whose count changes
	Compared     map[string]bool        // ids of reservations that an audit compares or a repair names; they don't change
	Checkpoints  bool                   // an audit compares something
	Ranges       [][2]LevelKey          // levels that an audit compares: first and last
}

// RowKeysOf returns the rows that events read or change.
func RowKeysOf(list []EventRef) *RowKeys {
	k := &RowKeys{
		Reservations: map[string]bool{}, Operations: map[string]bool{}, Levels: map[LevelKey]bool{},
		Limits: map[wire.LimitKey]bool{}, Compared: map[string]bool{},
	}
	for _, r := range list {
		e := r.Event()
		switch e.Verb {
		case cache.VerbAdjust, cache.VerbRemove, cache.VerbTransfer, wire.VerbRevert:
			k.Operations[e.ID] = true
		case wire.VerbAudit:
			k.addCheckpoint(e.Checkpoint)
		case wire.VerbRepair:
			for _, item := range e.Repaired.Items {
				k.addLevel(item.Name)
				k.addCompared(item.Name)
			}
		default:
			k.Reservations[e.ID] = true
			k.Add(&e.Record)
			if e.Operation != "" {
				k.Operations[e.Operation] = true
			}
		}
		for _, l := range e.Levels {
			k.Levels[LevelKey{SKU: l.SKU, Location: l.Location}] = true
		}
	}
	return k
}

// addCheckpoint adds the rows that a checkpoint is compared with.
func (k *RowKeys) addCheckpoint(m *wire.Checkpoint) {
	k.Checkpoints = true
	if n := len(m.Levels); m.How == wire.HowRange && n > 0 {
		k.Ranges = append(k.Ranges, [2]LevelKey{keyOf(m.Levels[0].Name), keyOf(m.Levels[n-1].Name)})
	} else {
		for _, l := range m.Levels {
			k.addLevel(l.Name)
		}
	}
	for _, r := range m.Reservations {
		k.addCompared(r.ID)
	}
	for _, l := range m.Limits {
		if key, ok := wire.SplitLimit(l.Name); ok {
			k.Limits[key] = true
		}
	}
	for _, d := range m.Deadlines {
		if d.Lost.There {
			for _, id := range wire.DeadlineIDs(d.Lost.Text) {
				k.addCompared(id)
			}
		}
	}
}

// keyOf returns the level of a name that is known to be valid.
func keyOf(name string) LevelKey {
	sku, at, _ := wire.SplitLevel(name)
	return LevelKey{SKU: sku, Location: at}
}

// addLevel adds a level, unless no level can have this name.
func (k *RowKeys) addLevel(name string) {
	if sku, at, ok := wire.SplitLevel(name); ok {
		k.Levels[LevelKey{SKU: sku, Location: at}] = true
	}
}

// addCompared adds a compared reservation, unless no reservation can have this id.
func (k *RowKeys) addCompared(id string) {
	if location.IsIdentifier(id) {
		k.Compared[id] = true
	}
}

// Add adds the levels that a record draws on, and the purchase limits that count it.
func (k *RowKeys) Add(r *wire.Record) {
	for _, key := range LevelsOf(*r) {
		k.Levels[key] = true
	}
	for key := range r.LimitCounts() {
		k.Limits[key] = true
	}
}

// Without removes the levels and limits that others names too.
func (k *RowKeys) Without(others *RowKeys) {
	maps.DeleteFunc(k.Levels, func(key LevelKey, _ bool) bool { return others.Levels[key] })
	maps.DeleteFunc(k.Limits, func(key wire.LimitKey, _ bool) bool { return others.Limits[key] })
}

// ReservationIDs returns the ids of the touched and of the compared reservations, in order.
func (k *RowKeys) ReservationIDs() []string {
	all := maps.Clone(k.Reservations)
	maps.Copy(all, k.Compared)
	return SortedKeys(all)
}

// LevelKeys returns the levels, in the order in which they are locked.
func (k *RowKeys) LevelKeys() []LevelKey {
	return slices.SortedFunc(maps.Keys(k.Levels), CompareLevels)
}

// LimitKeys returns the purchase limits, in order.
func (k *RowKeys) LimitKeys() []wire.LimitKey {
	return slices.SortedFunc(maps.Keys(k.Limits), CompareLimits)
}

// CompareLimits orders purchase limits by limit, then by customer.
func CompareLimits(a, b wire.LimitKey) int {
	return cmp.Or(strings.Compare(a.Limit, b.Limit), strings.Compare(a.Identity, b.Identity))
}
