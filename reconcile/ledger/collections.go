package ledger

import (
	"maps"
	"slices"

	"github.com/holdfast/holdfast/cache"
)

// Identifiers is those of ids that can be one.
func Identifiers(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !cache.IsIdentifier(id) })
}

// Column is a column of rows to write, as unnest takes it.
func Column[R, V any](rows []R, value func(R) V) []V {
	list := make([]V, len(rows))
	for i, row := range rows {
		list[i] = value(row)
	}
	return list
}

func SortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
