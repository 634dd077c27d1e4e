package cache

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// AvailabilityRequest asks how many units a channel can sell now.
type AvailabilityRequest struct {
	Channel location.Channel  // sales channel; "" is the default one
	ShipTo  *location.Address // optional; never together with Pickup
	Pickup  location.ID       // optional: the store the customer collects from
	SKUs    []location.SKU    // 1 to AvailabilityMax
}

// Availability returns how many units of each SKU a channel can sell, and for a kit how many whole
// kits. It sums over the locations that the channel may sell from. How much of the sum one
// reservation can have depends on its Split. A SKU without a level has 0. Overdue holds count as
// taken until they are expired. It changes nothing.
//
// Errors, in order of precedence: *InvalidError, ErrRebuilding. One round trip, and without a
// directory two more if a location is new.
func (s *Store) Availability(ctx context.Context, r AvailabilityRequest) (map[location.SKU]int64, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	until := time.Now().Add(s.options.Timeout)
	ctx, cancel := context.WithDeadlineCause(ctx, until, shard.ErrTimeout)
	defer cancel()
	for range reroutesMax {
		known, err := s.locations(ctx, until)
		if err != nil {
			return nil, err
		}
		sums, version, err := s.sumAvailable(ctx, known, &r)
		if err != nil || !known.stale(version) {
			return sums, err
		}
		s.locationList.current.CompareAndSwap(known, nil)
	}
	return nil, fmt.Errorf("availability: %w: the locations keep changing", ErrUnavailable)
}

// sumAvailable is Availability with the given locations. It also returns the version of the
// location list in Redis.
func (s *Store) sumAvailable(ctx context.Context, known *locations, r *AvailabilityRequest) (map[location.SKU]int64, int64, error) {
	routing, err := location.Route(known.rules, location.Request{Channel: r.Channel, ShipTo: r.ShipTo, Pickup: r.Pickup})
	if err != nil {
		return nil, 0, invalidChannel(err)
	}
	ids := routing.Candidates("").IDs
	parts := make([][]location.Component, len(r.SKUs))
	levels := 0
	for i, sku := range r.SKUs {
		if parts[i] = known.rules.Kit(sku); parts[i] == nil {
			parts[i] = []location.Component{{SKU: sku, Quantity: 1}}
		}
		levels += len(parts[i]) * len(ids)
	}
	if levels > AvailabilityLevelsMax {
		return nil, 0, invalid("/skus", "would be looked up at %d levels, and at most %d can be: send fewer", levels, AvailabilityLevelsMax)
	}
	names := make([]string, 0, levels)
	for i := range r.SKUs {
		for _, at := range ids {
			for _, part := range parts[i] {
				names = append(names, wire.LevelField(part.SKU, at))
			}
		}
	}
	units, version, err := s.readAvailable(ctx, names)
	if err != nil {
		return nil, 0, err
	}
	return sumKits(r.SKUs, parts, len(ids), units), version, nil
}

// sumKits sums the units of each SKU over the locations. units has those of each part at each
// location, in order of SKU, location and part.
func sumKits(skus []location.SKU, parts [][]location.Component, locations int, units []int64) map[location.SKU]int64 {
	sums := make(map[location.SKU]int64, len(skus))
	next := 0
	for i, sku := range skus {
		sum := int64(0)
		for range locations {
			least := int64(-1)
			for _, part := range parts[i] {
				kits := max(0, units[next]) / part.Quantity
				if least < 0 || kits < least {
					least = kits
				}
				next++
			}
			sum += least
		}
		sums[sku] = sum
	}
	return sums
}

// readAvailable reads the available units of levels, 0 for a level that does not exist, and the
// version of the location list at that moment. One round trip.
func (s *Store) readAvailable(ctx context.Context, names []string) (units []int64, version int64, err error) {
	var got *redis.SliceCmd
	fields := append([]string{wire.FieldLocations}, names...)
	if err := s.shard.Read(ctx, func(pipe redis.Pipeliner) { got = pipe.HMGet(ctx, s.keys.Stock, fields...) }); err != nil {
		return nil, 0, fmt.Errorf("available units: %w", err)
	}
	numbers := make([]int64, len(fields))
	for i, value := range got.Val() {
		text, there := value.(string)
		if !there {
			continue
		}
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, 0, fmt.Errorf("available units: %q: %w", fields[i], ErrCorrupt)
		}
	}
	return numbers[1:], numbers[0], nil
}

func (r *AvailabilityRequest) validate() error {
	var f faults
	f.optional("/channel", string(r.Channel))
	f.optional("/pickup", string(r.Pickup))
	if r.ShipTo != nil {
		if r.Pickup != "" {
			f.add("/pickup", "must not be given together with ship_to")
		}
		f.address("/ship_to", r.ShipTo)
	}
	if len(r.SKUs) < 1 || len(r.SKUs) > AvailabilityMax {
		f.add("/skus", "has %d SKUs, must have from 1 to %d", len(r.SKUs), AvailabilityMax)
		return f.err()
	}
	for i, sku := range r.SKUs {
		f.identifier("/skus/"+strconv.Itoa(i), string(sku))
	}
	return f.err()
}
