package cache

import (
	"context"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// countBackordered sets Backordered of the lines of a held or confirmed reservation that may be
// backordered. It reads the available units of their levels, which costs a round trip if there are
// such lines. If Redis does not answer, all units that are left count as backordered.
func (s *Store) countBackordered(ctx context.Context, until time.Time, r *Reservation) {
	var names []string
	index := map[string]int{}
	for i := range r.Lines {
		for _, part := range r.waiting(&r.Lines[i]) {
			for _, a := range part.From {
				name := wire.LevelField(part.SKU, a.Location)
				if _, seen := index[name]; !seen {
					index[name] = len(names)
					names = append(names, name)
				}
			}
		}
	}
	if len(names) == 0 {
		return
	}
	ctx, cancel := context.WithDeadlineCause(ctx, until, shard.ErrTimeout)
	defer cancel()
	available, _, err := s.readAvailable(ctx, names)
	missing := func(sku location.SKU, a Allocation) int64 {
		if err != nil {
			return a.Quantity
		}
		return min(a.Quantity, max(0, -available[index[wire.LevelField(sku, a.Location)]]))
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		l.countBackordered(r.waiting(l), missing)
	}
}

// waiting returns what of a line may be backordered now: the components of a kit, or the SKU.
func (r *Reservation) waiting(l *Line) []Component {
	switch {
	case !l.Backorder || r.State != StateHeld && r.State != StateConfirmed || l.Quantity == l.Fulfilled:
		return nil
	case l.Components != nil:
		return l.Components
	default:
		return []Component{{SKU: l.SKU, Quantity: l.Quantity, From: l.From}}
	}
}

// countBackordered sets Backordered: at each location a kit waits for the component that most kits
// lack. missing returns the units that a level lacks of an allocation.
func (l *Line) countBackordered(parts []Component, missing func(location.SKU, Allocation) int64) {
	if len(parts) == 0 {
		return
	}
	for i := range l.From {
		most := int64(0)
		for _, part := range parts {
			each := part.Quantity / l.Quantity
			most = max(most, (missing(part.SKU, part.From[i])+each-1)/each)
		}
		l.Backordered += most
	}
	l.Backordered = min(l.Backordered, l.Quantity-l.Fulfilled)
}
