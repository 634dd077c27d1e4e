package cache

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// locationList is this process's copy of the list of locations that have a level. Every reply of a
// script carries the version of the list, so the next call notices a stale copy. A refusal that
// rests on a stale copy is tried again with the new one.
type locationList struct {
	current atomic.Pointer[locations]
	newest  atomic.Int64 // newest version in any reply
}

// noteVersion remembers the version that a reply carried.
func (c *locationList) noteVersion(version int64) {
	for {
		newest := c.newest.Load()
		if version <= newest || c.newest.CompareAndSwap(newest, version) {
			return
		}
	}
}

// locations is the directory by which a call is routed, or the list of locations without one.
type locations struct {
	version int64
	stocked []location.ID // locations that have a level, in order
	rules   *location.Rules
}

// stale reports whether Redis had other locations when it gave an answer with that version of the
// list. Locations from a directory are never stale.
func (l *locations) stale(version int64) bool { return l.rules.Implicit() && version != l.version }

// Direct routes reservations by a directory, from the next call on. nil returns to routing without
// one: every location that has a level is a candidate, in order of id. Reservations that were made
// before keep their locations. It is safe to repeat and to call while other calls are in flight. No
// round trip.
func (s *Store) Direct(rules *location.Rules) {
	if rules == nil || rules.Implicit() {
		s.directory.Store(nil)
	} else {
		s.directory.Store(&locations{rules: rules})
	}
	s.awaiting.Store(false)
}

// mayRoute returns an error while the Store waits for its directory.
func (s *Store) mayRoute() error {
	if s.awaiting.Load() {
		return fmt.Errorf("%w: the routing directory is not known yet", ErrUnavailable)
	}
	return nil
}

// locationsNamed is the number of locations that the fault of an unknown one names.
const locationsNamed = 10

// unknown adds a fault if the directory does not have a location to which units would go, because
// nothing there could be sold. Without a directory every location is known.
func (s *Store) unknown(f *faults, path string, id location.ID) {
	if known := s.directory.Load(); known != nil {
		f.unknown(known.rules, path, id)
	}
}

// unknown adds a fault if the directory does not have a location.
func (f *faults) unknown(rules *location.Rules, path string, id location.ID) {
	if _, there := rules.Location(id); there || rules.Implicit() {
		return
	}
	all := rules.Locations()
	names := make([]string, 0, locationsNamed)
	for i := range all[:min(len(all), locationsNamed)] {
		names = append(names, string(all[i]))
	}
	more := ""
	if len(all) > locationsNamed {
		more = fmt.Sprintf(" and %d more", len(all)-locationsNamed)
	}
	f.add(path, "is %q, which the directory does not have; there are %s%s", id, strings.Join(names, ", "), more)
}

// locations returns the directory, or without one the list of locations. It reads the list again if
// a reply has shown a newer version.
func (s *Store) locations(ctx context.Context, until time.Time) (*locations, error) {
	if l := s.directory.Load(); l != nil {
		return l, nil
	}
	if err := s.mayRoute(); err != nil {
		return nil, err
	}
	if l := s.locationList.current.Load(); l != nil && l.version >= s.locationList.newest.Load() {
		return l, nil
	}
	ctx, cancel := context.WithDeadlineCause(ctx, until, shard.ErrTimeout)
	defer cancel()
	return shard.Share(ctx, &s.reading, "locations", s.readLocations)
}

// readLocations reads the list of locations. It reads the version first, so that an old list never
// gets a newer version. One round trip.
func (s *Store) readLocations(ctx context.Context) (*locations, error) {
	var version, list *redis.StringCmd
	err := s.shard.Read(ctx, func(pipe redis.Pipeliner) {
		version = pipe.HGet(ctx, s.keys.Stock, wire.FieldLocations)
		list = pipe.HGet(ctx, s.keys.Levels, wire.FieldLocations)
	})
	if err != nil {
		return nil, fmt.Errorf("locations: %w", err)
	}
	l := &locations{}
	if version.Err() == nil {
		if l.version, err = strconv.ParseInt(version.Val(), 10, 64); err != nil {
			return nil, fmt.Errorf("%w: version of locations %q", ErrCorrupt, version.Val())
		}
	}
	if list.Val() != "" {
		for id := range strings.SplitSeq(list.Val(), wire.UnitSeparator) {
			l.stocked = append(l.stocked, location.ID(id))
		}
		slices.Sort(l.stocked)
	}
	l.rules = location.Implicit(l.stocked)
	s.locationList.newest.Store(l.version) // even if it is lower: Redis may have lost data
	s.locationList.current.Store(l)
	return l, nil
}
