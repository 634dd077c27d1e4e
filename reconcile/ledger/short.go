package ledger

import "github.com/holdfast/holdfast/cache"

// ShortPart is what a confirmed reservation has committed at a level, with all of its lines.
type ShortPart struct {
	Level int // which of those asked for
	cache.ShortReservation
}

// ShortOf makes of parts, those of a level the newest first, the reservations that add up to what each level
// is short of.
func ShortOf(levels []cache.LevelShort, parts []ShortPart) [][]cache.ShortReservation {
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

// CommittedAt is what the lines of a confirmed reservation have committed at a level.
func CommittedAt(r *cache.Record, at cache.LevelName) (units int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if line.SKU == at.SKU && a.Location == at.Location {
				units += a.Quantity - a.Fulfilled
			}
		}
	}
	return units
}
