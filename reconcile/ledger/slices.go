package ledger

import (
	"maps"
	"slices"

	"github.com/holdfast/holdfast/location"
)

// Column returns one value of each row, as unnest takes a column.
func Column[R, V any](rows []R, value func(R) V) []V {
	list := make([]V, len(rows))
	for i, row := range rows {
		list[i] = value(row)
	}
	return list
}

// SortedKeys returns the members of a set, in order.
func SortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// Identifiers returns the texts that are valid identifiers.
func Identifiers(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !location.IsIdentifier(id) })
}
