package ledger

import (
	"slices"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// ShortPart is what a confirmed reservation has committed at a level, over all lines that may be
// backordered, or over all others.
type ShortPart struct {
	Level int // index among the levels of the request
	cache.ShortReservation
}

// Shortfalls returns, for each level, the reservations that add up to the units that it is short of, at
// most limit. parts lists those of a level in order: first what may be backordered, the newest first.
func Shortfalls(levels []cache.LevelShort, parts []ShortPart, limit int) [][]cache.ShortReservation {
	lists, left := make([][]cache.ShortReservation, len(levels)), make([]int64, len(levels))
	for i := range levels {
		left[i] = levels[i].Units
	}
	for _, part := range parts {
		list := lists[part.Level]
		if left[part.Level] <= 0 {
			continue
		}
		left[part.Level] -= part.Quantity
		at := slices.IndexFunc(list, func(s cache.ShortReservation) bool { return s.ID == part.ID })
		switch {
		case at >= 0:
			list[at].Quantity += part.Quantity
		case len(list) < limit:
			lists[part.Level] = append(list, part.ShortReservation)
		}
	}
	return lists
}

// CommittedAt returns the units that a confirmed reservation has committed at a level, on lines that
// may be backordered or on the others.
func CommittedAt(r *wire.Record, at wire.LevelName, backorder bool) (units int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if line.SKU == at.SKU && a.Location == at.Location && line.Backorder == backorder {
				units += a.Quantity - a.Fulfilled
			}
		}
	}
	return units
}
