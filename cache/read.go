package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Reservation reads one reservation as it is now. An overdue hold reads expired. Metadata and
// destinations come from the ledger, which is usually less than a second behind Redis. They are nil
// if the ledger does not answer, or does not have the reservation yet.
//
// Errors, in order of precedence: *InvalidError; ErrRebuilding; ErrNotFound, or ErrNotDurable if
// Redis does not have the ID and the ledger does not answer.
//
// Reservation costs one round trip each to Redis and to the ledger, and one more to Redis if a line
// may be backordered.
func (s *Store) Reservation(ctx context.Context, id string) (Reservation, error) {
	var f faults
	f.identifier("/id", id)
	if err := f.err(); err != nil {
		return Reservation{}, err
	}
	ctx, cancel := s.within(ctx, 0)
	defer cancel()
	var text *redis.StringCmd
	var now *redis.TimeCmd
	err := s.shard.Read(ctx, func(pipe redis.Pipeliner) {
		text, now = pipe.HGet(ctx, s.keys.Reservations, id), pipe.Time(ctx)
	})
	if err != nil {
		return Reservation{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	row, err := s.rowOf(ctx, id, text)
	if err != nil {
		return Reservation{}, fmt.Errorf("reservation %q: %w", id, err)
	}
	at, err := s.clock(now)
	if err != nil {
		return Reservation{}, err
	}
	found := reservationOfRow(&row, at)
	s.countBackordered(ctx, time.Now().Add(s.options.Timeout), &found)
	return found, nil
}

// rowOf returns the record that Redis has, with the ledger's metadata. If Redis has forgotten the
// record, or knows that the id belongs to another reservation, rowOf returns the ledger's.
func (s *Store) rowOf(ctx context.Context, id string, text *redis.StringCmd) (wire.ReservationRow, error) {
	missing := errors.Is(text.Err(), redis.Nil)
	if missing && s.options.Ledger == nil {
		return wire.ReservationRow{}, ErrNotFound
	}
	if missing {
		return s.options.Ledger.Reservation(ctx, id)
	}
	rec, err := wire.DecodeRecord(text.Val())
	row := wire.ReservationRow{ID: id, Record: rec}
	switch {
	case err != nil || s.options.Ledger == nil:
		return row, err
	case rec.Transition == wire.TransitionConflict:
		return s.options.Ledger.Reservation(ctx, id)
	}
	half, cancel := s.half(ctx)
	defer cancel()
	kept, err := s.options.Ledger.Reservation(half, id)
	if err == nil && kept.Record.CreationNonce == rec.CreationNonce {
		kept.Record = rec
		return kept, nil
	}
	return row, nil
}

// clock returns the time that Redis has told, Unix ms; or the time of the shard's own clock, if it
// has one.
func (s *Store) clock(told *redis.TimeCmd) (int64, error) {
	given := s.shard.Clock()
	if given == "" {
		return told.Val().UnixMilli(), nil
	}
	now, err := strconv.ParseInt(given, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("clock: %w", err)
	}
	return now, nil
}

// Levels reads all levels of a SKU, in order of location. Available comes from Redis; the other
// counts come from the ledger, which follows Redis with a small delay. Without a ledger, or if it
// does not answer, all counts come from Redis.
//
// Errors, in order of precedence: *InvalidError; ErrRebuilding; ErrNotFound if the SKU has no
// level.
//
// Levels costs one round trip each to the ledger and to Redis, or two to Redis.
func (s *Store) Levels(ctx context.Context, sku location.SKU) ([]Level, error) {
	var f faults
	f.identifier("/sku", string(sku))
	if err := f.err(); err != nil {
		return nil, err
	}
	ctx, cancel := s.within(ctx, 0)
	defer cancel()
	levels, err := s.levelsOf(ctx, sku)
	if err != nil {
		return nil, err
	}
	if len(levels) == 0 {
		return nil, fmt.Errorf("levels of %q: %w", sku, ErrNotFound)
	}
	return levels, nil
}

// levelsOf reads the levels of a SKU: the counts from the ledger, or from Redis if the ledger does
// not answer, and available from Redis.
func (s *Store) levelsOf(ctx context.Context, sku location.SKU) ([]Level, error) {
	if s.options.Ledger != nil {
		half, cancel := s.half(ctx)
		levels, err := s.options.Ledger.Levels(half, sku)
		cancel()
		if err == nil {
			return levels, s.fillAvailable(ctx, levels)
		}
		if !errors.Is(err, ErrNotDurable) {
			return nil, err
		}
	}
	known, err := s.readLocations(ctx)
	if err != nil {
		return nil, err
	}
	return s.levelsAt(ctx, sku, known.stocked)
}

// fillAvailable reads Available of levels; it is 0 if Redis does not have the level. One round
// trip, which also checks that Redis is not being rebuilt.
func (s *Store) fillAvailable(ctx context.Context, levels []Level) error {
	names := make([]string, len(levels))
	for i := range levels {
		names[i] = wire.LevelField(levels[i].SKU, levels[i].Location)
	}
	units, _, err := s.readAvailable(ctx, names)
	for i := range units {
		levels[i].Available = units[i]
	}
	return err
}

// levelsAt reads the levels of a SKU at some locations, in their order. One round trip.
func (s *Store) levelsAt(ctx context.Context, sku location.SKU, at []location.ID) ([]Level, error) {
	names := make([]string, len(at))
	for i, id := range at {
		names[i] = wire.LevelField(sku, id)
	}
	return s.levelsNamed(ctx, wire.KeysOf(s.options.Prefix, wire.ShardOf(sku, wire.Shards)), names)
}

// levelsNamed reads levels of a shard by name, and leaves out those that do not exist. One round
// trip.
func (s *Store) levelsNamed(ctx context.Context, k wire.Keys, names []string) ([]Level, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var counts, available *redis.SliceCmd
	err := s.shard.Read(ctx, func(pipe redis.Pipeliner) {
		counts = pipe.HMGet(ctx, k.Levels, names...)
		available = pipe.HMGet(ctx, k.Stock, names...)
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
		sku, at, _ := wire.CutLevel(name)
		f, a := wire.FieldReader{Rest: text}, wire.FieldReader{Rest: units}
		level := levelOf(sku, at, &f)
		level.setAvailable(a.Number())
		if f.Failed || a.Failed {
			if err := s.shard.Damage(ctx); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("level of %s at %s: %w", sku, at, ErrCorrupt)
		}
		levels = append(levels, level)
	}
	return levels, nil
}

// levelOf reads on hand, committed, safety stock and backorder limit.
func levelOf(sku location.SKU, at location.ID, f *wire.FieldReader) Level {
	return Level{
		SKU: sku, Location: at, OnHand: f.Number(), Committed: f.Number(),
		SafetyStock: f.Number(), BackorderLimit: f.Number(),
	}
}

// setAvailable sets Available and Held. Redis does not store held: it follows from the other
// counts.
func (l *Level) setAvailable(units int64) {
	l.Available = units
	l.Held = l.OnHand - l.Committed - l.SafetyStock + l.BackorderLimit - units
}
