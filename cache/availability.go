package cache

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// AvailabilityRequest asks what a channel can sell at this moment.
type AvailabilityRequest struct {
	Channel location.Channel
	ShipTo  *location.Address
	Pickup  location.ID    // instead of ShipTo
	SKUs    []location.SKU // 1 to AvailabilityMax
}

// Availability is the units of each SKU that a channel can sell: the sum over the locations it may sell
// them from, of a kit whole kits. What one reservation can have of it depends on how it may be split. A
// SKU that nobody knows has 0.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding. One round trip, and without a directory two more
// where a location is new.
func (s *Store) Availability(ctx context.Context, r AvailabilityRequest) (map[location.SKU]int64, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	for range reroutesMax {
		known, err := s.locations(ctx)
		if err != nil {
			return nil, err
		}
		sums, version, err := s.availableAt(ctx, known, &r)
		if err != nil || !known.stale(version) {
			return sums, err
		}
		s.catalog.known.CompareAndSwap(known, nil)
	}
	return nil, fmt.Errorf("availability: %w: the locations keep changing", ErrUnavailable)
}

// availableAt is Availability by what is known of locations; it returns also the version of their list in Redis.
func (s *Store) availableAt(ctx context.Context, known *locations, r *AvailabilityRequest) (map[location.SKU]int64, int64, error) {
	routing, err := location.Route(known.rules, location.Request{Channel: r.Channel, ShipTo: r.ShipTo, Pickup: r.Pickup})
	if err != nil {
		return nil, 0, &InvalidError{Faults: []Fault{{Path: "/channel", Message: err.Error()}}}
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
	if levels > CandidatesMax {
		return nil, 0, &InvalidError{Faults: []Fault{{Path: "/skus", Message: fmt.Sprintf(
			"would be looked up at %d levels, and at most %d can be: send fewer", levels, CandidatesMax)}}}
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
	return sumUp(r.SKUs, parts, len(ids), units), version, nil
}

// sumUp adds up what each SKU has at its locations; units are those of each part at each location.
func sumUp(skus []location.SKU, parts [][]location.Component, locations int, units []int64) map[location.SKU]int64 {
	sums := make(map[location.SKU]int64, len(skus))
	next := 0
	for i, sku := range skus {
		sum := int64(0)
		for range locations {
			least := int64(-1)
			for _, part := range parts[i] {
				some := max(0, units[next]) / part.Quantity
				if least < 0 || some < least {
					least = some
				}
				next++
			}
			sum += least
		}
		sums[sku] = sum
	}
	return sums
}

// readAvailable reads what is available of levels, 0 of one that is not there, and the version of the list of
// locations at that moment.
func (s *Store) readAvailable(ctx context.Context, names []string) (units []int64, version int64, err error) {
	var got *redis.SliceCmd
	fields := append([]string{wire.FieldLocations}, names...)
	if err := s.shard.Read(ctx, func(pipe redis.Pipeliner) { got = pipe.HMGet(ctx, s.keys.Stock, fields...) }); err != nil {
		return nil, 0, fmt.Errorf("availability: %w", err)
	}
	numbers := make([]int64, len(fields))
	for i, value := range got.Val() {
		text, there := value.(string)
		if !there {
			continue
		}
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, 0, fmt.Errorf("availability: %q: %w", fields[i], ErrCorrupt)
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
		f.address(r.ShipTo)
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
