package cache

import (
	"context"
	"fmt"

	"github.com/holdfast/holdfast/location"
)

// explain returns why a line has no candidate: *UnknownStockError if its SKU has no level at all,
// or *NoLocationError if it has none at a location that may serve it. It returns nil if every line
// has one by now: send the call again. One round trip, and one more for each line or component of a
// kit.
func (s *Store) explain(ctx context.Context, c *reserveCall) error {
	var unknown []string
	var rejected []location.Rejected
	known, err := s.readLocations(ctx)
	if err != nil {
		return err
	}
	if c.routing.Implicit() { // the list may have been stale
		if err := c.route(known.rules, s.options.TTL); err != nil {
			return err
		}
	}
	for i := range c.lines {
		line := &c.request.Lines[i]
		e, err := s.findLevels(ctx, line.SKU, c.lines[i].kit, known.stocked)
		if err != nil {
			return err
		}
		if e.unknown {
			unknown = append(unknown, line.Line)
			continue
		}
		served := false
		for _, at := range c.lines[i].candidates.IDs {
			served = served || e.has(at)
		}
		if !served {
			rejected = append(rejected, e.rejected(c, i)...)
		}
	}
	switch {
	case len(unknown) > 0:
		return &UnknownStockError{Lines: unknown}
	case len(rejected) > 0:
		return &NoLocationError{Rejected: rejected}
	default:
		return nil
	}
}

// skuLevels lists the locations that have levels of a SKU, or of the components of a kit.
type skuLevels struct {
	unknown bool                  // the SKU, or a component, has no level anywhere
	levels  map[location.ID]int   // levels at each location
	needed  int                   // levels that a location needs: 1, or one for each component
	stocked []location.ID         // locations with at least one level, in order
	units   map[location.ID]int64 // available units, or whole kits
}

// has reports whether a location has all the levels that it needs.
func (e *skuLevels) has(at location.ID) bool { return e.levels[at] == e.needed }

func (e *skuLevels) rejected(c *reserveCall, i int) []location.Rejected {
	line := &c.request.Lines[i]
	routing := &c.routing
	if own := c.lines[i].routing; own != nil {
		routing = own
	}
	return routing.Explain(line.Line, line.Location, e.has, e.stocked, line.Locations...)
}

// findLevels reads the levels of a SKU, or of each component of a kit, at some locations. One round
// trip for the SKU or for each component.
func (s *Store) findLevels(ctx context.Context, sku location.SKU, kit []location.Component, at []location.ID) (*skuLevels, error) {
	parts := kit
	if kit == nil {
		parts = []location.Component{{SKU: sku, Quantity: 1}}
	}
	e := &skuLevels{needed: len(parts), levels: map[location.ID]int{}, units: map[location.ID]int64{}}
	for _, part := range parts {
		levels, err := s.levelsAt(ctx, part.SKU, at)
		if err != nil {
			return nil, fmt.Errorf("levels of %q: %w", part.SKU, err)
		}
		e.unknown = e.unknown || len(levels) == 0
		for _, l := range levels {
			units := max(0, l.Available) / part.Quantity
			if e.levels[l.Location] > 0 {
				units = min(units, e.units[l.Location])
			}
			e.levels[l.Location]++
			e.units[l.Location] = units
		}
	}
	for _, id := range at {
		if e.levels[id] > 0 {
			e.stocked = append(e.stocked, id)
		}
	}
	return e, nil
}
