package cache

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// catalog is the list of locations, as this process knows it. Every reply of a script carries the
// version of the list, so an old one is noticed at the next call: a refusal that rests on it is
// tried again with the new one.
type catalog struct {
	known atomic.Pointer[locations]
	seen  atomic.Int64 // the newest version any reply carried
}

type locations struct {
	version int64
	stocked []location.ID // those that have a level, in order
	rules   *location.Rules
}

// stale says that an answer, with that version of the locations, was given when there were others than these; with a
// directory they are what it says.
func (l *locations) stale(version int64) bool { return l.rules.Implicit() && version != l.version }

// Direct has reservations routed by a directory, from the next one on; nil routes them to every location
// that has a level, in order of id, as without a directory. Those there are keep their locations. It
// costs no round trip.
func (s *Store) Direct(rules *location.Rules) {
	if rules == nil || rules.Implicit() {
		s.directed.Store(nil)
	} else {
		s.directed.Store(&locations{rules: rules})
	}
	s.awaiting.Store(false)
}

var errNoDirectory = fmt.Errorf("%w: the routing directory is not known yet", ErrUnavailable)

// mayRoute refuses as long as the directory is waited for.
func (s *Store) mayRoute() error {
	if s.awaiting.Load() {
		return errNoDirectory
	}
	return nil
}

// locations is what to route with: the directory, or the list of locations, which is read again where
// a reply has shown a newer version.
func (s *Store) locations(ctx context.Context) (*locations, error) {
	if l := s.directed.Load(); l != nil {
		return l, nil
	}
	if err := s.mayRoute(); err != nil {
		return nil, err
	}
	if l := s.catalog.known.Load(); l != nil && l.version >= s.catalog.seen.Load() {
		return l, nil
	}
	return shard.Share(ctx, &s.reading, "locations", s.readLocations)
}

// saw remembers the version a reply carried.
func (s *Store) saw(version int64) {
	for {
		seen := s.catalog.seen.Load()
		if version <= seen || s.catalog.seen.CompareAndSwap(seen, version) {
			return
		}
	}
}

// readLocations reads the list; its version first, so that it is never taken for newer than it is.
// One round trip.
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
	s.catalog.seen.Store(l.version) // also where Redis went back
	s.catalog.known.Store(l)
	return l, nil
}
