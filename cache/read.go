package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/location"
)

// Reservation reads one reservation as it is now: an overdue hold reads expired. One round trip.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound.
func (s *Store) Reservation(ctx context.Context, id string) (Reservation, error) {
	var f faults
	f.identifier("/id", id)
	if err := f.err(); err != nil {
		return Reservation{}, err
	}
	var text *redis.StringCmd
	var now *redis.TimeCmd
	err := s.read(ctx, func(pipe redis.Pipeliner) {
		text, now = pipe.HGet(ctx, s.keys.reservations, id), pipe.Time(ctx)
	})
	if err != nil {
		return Reservation{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	if errors.Is(text.Err(), redis.Nil) {
		return Reservation{}, fmt.Errorf("reservation %q: %w", id, ErrNotFound)
	}
	rec, err := DecodeRecord(text.Val())
	if err != nil {
		return Reservation{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	at := now.Val().UnixMilli()
	if given := s.clock(); given != "" {
		if at, err = strconv.ParseInt(given, 10, 64); err != nil {
			return Reservation{}, fmt.Errorf("clock: %w", err)
		}
	}
	return rec.Reservation(id, at), nil
}

// read runs commands as look does; that only reserve is refused does not matter to them.
func (s *Store) read(ctx context.Context, commands func(redis.Pipeliner)) error {
	if err := s.look(ctx, commands); !errors.Is(err, ErrBacklogFull) {
		return err
	}
	return nil
}

// look runs commands in one round trip, on the primary; Redis takes them one after another. No MULTI:
// that is refused when memory is out. A key that is not there is no error, but data that is gone, or
// another's, or being loaded, is ErrRebuilding: nobody is told what is not so. ErrBacklogFull comes
// after the commands ran.
func (s *Store) look(ctx context.Context, commands func(redis.Pipeliner)) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	g, err := s.current(ctx)
	if err != nil {
		return err
	}
	node, err := s.node(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	pipe := node.Pipeline()
	gate := pipe.HMGet(ctx, s.keys.stock, fieldEpoch, fieldGate)
	commands(pipe)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		if outcomeOf(err) == ranPartly {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return g.gate(gate.Val())
}

// gate says why calls are refused, given the stored epoch and gate.
func (g *generation) gate(values []any) error {
	if epoch, _ := values[0].(string); epoch != strconv.FormatUint(g.epoch, 10) {
		return fmt.Errorf("%w: Redis is at epoch %q, this process at %d", ErrRebuilding, epoch, g.epoch)
	}
	switch gate, _ := values[1].(string); gate {
	case "", gateOpen:
		return nil
	case gateBacklog:
		return ErrBacklogFull
	default:
		return ErrRebuilding
	}
}

// Levels reads all levels of a SKU, in order of location. Two round trips.
//
// Refusals, the first that applies: *InvalidError, ErrRebuilding, ErrNotFound where the SKU has none.
func (s *Store) Levels(ctx context.Context, sku location.SKU) ([]Level, error) {
	var f faults
	f.identifier("/sku", string(sku))
	if err := f.err(); err != nil {
		return nil, err
	}
	known, err := s.readLocations(ctx)
	if err != nil {
		return nil, err
	}
	levels, err := s.levelsAt(ctx, sku, known.directory.Locations)
	if err != nil {
		return nil, err
	}
	if len(levels) == 0 {
		return nil, fmt.Errorf("levels of %q: %w", sku, ErrNotFound)
	}
	return levels, nil
}

// levelsAt reads the levels that a SKU has at some locations, in their order. One round trip.
func (s *Store) levelsAt(ctx context.Context, sku location.SKU, at []location.ID) ([]Level, error) {
	names := make([]string, len(at))
	for i, id := range at {
		names[i] = levelName(sku, id)
	}
	return s.levelsNamed(ctx, keysOf(s.options.Prefix, shardOf(sku, shards)), names)
}

// levelsNamed reads levels of a shard by name, leaving out those that do not exist. One round trip.
func (s *Store) levelsNamed(ctx context.Context, k keys, names []string) ([]Level, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var counts, available *redis.SliceCmd
	err := s.read(ctx, func(pipe redis.Pipeliner) {
		counts = pipe.HMGet(ctx, k.levels, names...)
		available = pipe.HMGet(ctx, k.stock, names...)
	})
	if err != nil {
		return nil, fmt.Errorf("levels: %w", err)
	}
	levels := make([]Level, 0, len(names))
	for i, name := range names {
		text, there := counts.Val()[i].(string)
		units, inStock := available.Val()[i].(string)
		if !there && !inStock {
			continue
		}
		sku, at, _ := splitLevel(name)
		f, a := fieldReader{rest: text}, fieldReader{rest: units}
		level := levelOf(sku, at, &f)
		level.setAvailable(a.number())
		if f.failed || a.failed {
			return nil, fmt.Errorf("level of %s at %s: %w", sku, at, ErrCorrupt)
		}
		levels = append(levels, level)
	}
	return levels, nil
}
