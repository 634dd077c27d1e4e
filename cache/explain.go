package cache

import (
	"context"
	"fmt"

	"github.com/holdfast/holdfast/location"
)

// explain finds out why a line has no candidate: its SKU has no level at all, or none where it may
// come from. It is nil where, by now, every line has one: then the call is worth sending again.
// Two round trips, and one more for each component of a kit.
func (s *Store) explain(ctx context.Context, c *reserveCall) error {
	var unknown []string
	var rejected []location.Rejected
	known, err := s.readLocations(ctx)
	if err != nil {
		return err
	}
	if c.routing.Implicit() { // by a list that may have been older
		if err := c.route(known.rules, s.options.TTL); err != nil {
			return err
		}
	}
	for i := range c.lines {
		line := &c.request.Lines[i]
		e, err := s.examine(ctx, line.SKU, c.lines[i].kit, known.stocked)
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

// examined is where a SKU, or each component of a kit, has levels.
type examined struct {
	unknown bool // one of them has none anywhere
	levels  map[location.ID]int
	needed  int
	stocked []location.ID // with a level of one of them, in order
	units   map[location.ID]int64
}

// has says whether a location has all levels that are needed.
func (e *examined) has(at location.ID) bool { return e.levels[at] == e.needed }

func (e *examined) rejected(c *reserveCall, i int) []location.Rejected {
	line := &c.request.Lines[i]
	return c.routing.Explain(line.Line, line.Location, e.has, e.stocked)
}

// examine finds where a SKU, or the components of a kit, have levels, and how many units, or kits, are
// available there; at are the locations that have levels. One round trip for each of them.
func (s *Store) examine(ctx context.Context, sku location.SKU, kit []location.Component, at []location.ID) (*examined, error) {
	parts := kit
	if kit == nil {
		parts = []location.Component{{SKU: sku, Quantity: 1}}
	}
	e := &examined{needed: len(parts), levels: map[location.ID]int{}, units: map[location.ID]int64{}}
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
