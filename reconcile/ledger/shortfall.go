package ledger

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// ShortPart is what a confirmed reservation has committed at a level, over all of its lines.
type ShortPart struct {
	Level int // index among the levels of the request
	cache.ShortReservation
}

// Shortfalls returns, for each level, the reservations that add up to the units that it is short of.
// parts lists those of a level the newest first.
func Shortfalls(levels []cache.LevelShort, parts []ShortPart) [][]cache.ShortReservation {
	lists, left := make([][]cache.ShortReservation, len(levels)), make([]int64, len(levels))
	for i := range levels {
		left[i] = levels[i].Units
	}
	for _, part := range parts {
		if left[part.Level] > 0 {
			lists[part.Level] = append(lists[part.Level], part.ShortReservation)
			left[part.Level] -= part.Quantity
		}
	}
	return lists
}

// CommittedAt returns the units that a confirmed reservation has committed at a level.
func CommittedAt(r *wire.Record, at wire.LevelName) (units int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if line.SKU == at.SKU && a.Location == at.Location {
				units += a.Quantity - a.Fulfilled
			}
		}
	}
	return units
}
