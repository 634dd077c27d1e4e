package cache

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
)

// usedIDs knows which ids may belong to a reservation that Redis has forgotten. Reserve asks the
// ledger for these ids only, so the hot path never waits for the ledger.
//
// Redis forgets a reservation no earlier than a minute after it was resolved. Until then usedIDs has
// read its id. While the ids are not known to be complete, Reserve asks the ledger for each id; but
// not while the ledger fails to answer, because nothing is forgotten then.
type usedIDs struct {
	ledger Ledger
	clock  func() time.Duration // since a moment before the first call; tests set it
	ids    idFilter
	after  ResolvedCursor // where the next refresh begins; only a refresh uses it

	triedAt  atomic.Int64 // ns of the clock: when a refresh last began
	loadedAt atomic.Int64 // ns of the clock: when the last complete refresh began; 0: none was
	failing  atomic.Bool  // the ledger did not answer
	reading  atomic.Bool  // a refresh is running

	closing context.Context // ends with close
	close   context.CancelFunc
	running sync.WaitGroup
}

const (
	usedRefresh  = 10 * time.Second // between two refreshes
	usedRetry    = time.Second      // until the next try after a refresh that failed
	usedComplete = 30 * time.Second // how long the ids stay complete; well below the least retention
	usedOverlap  = 10 * time.Second // read again by each refresh: entries are only nearly in the order of their times
	usedPage     = 10_000           // ids of one read
)

func newUsedIDs(ledger Ledger) *usedIDs {
	start := time.Now().Add(-time.Nanosecond)
	u := &usedIDs{ledger: ledger, clock: func() time.Duration { return time.Since(start) }, ids: idFilter{seed: maphash.MakeSeed()}}
	u.triedAt.Store(int64(-usedRefresh))
	u.closing, u.close = context.WithCancel(context.Background())
	return u
}

// mayHave reports whether an id may belong to a reservation that Redis has forgotten. It starts a
// refresh that is due.
func (u *usedIDs) mayHave(id string) bool {
	now, failing := int64(u.clock()), u.failing.Load()
	every := usedRefresh
	if failing {
		every = usedRetry
	}
	if now-u.triedAt.Load() >= int64(every) && u.reading.CompareAndSwap(false, true) {
		u.triedAt.Store(now)
		u.running.Go(func() {
			defer u.reading.Store(false)
			u.refresh(u.closing, now)
		})
	}
	loadedAt := u.loadedAt.Load()
	complete := loadedAt > 0 && now-loadedAt < int64(usedComplete)
	return !complete && !failing || u.ids.has(id)
}

// refresh reads the ids that were resolved since the last refresh, or all of them.
func (u *usedIDs) refresh(ctx context.Context, now int64) {
	after := u.after
	after.At = max(0, after.At-usedOverlap.Milliseconds())
	for {
		ids, next, err := u.ledger.ResolvedIDs(ctx, after, usedPage)
		if err != nil {
			u.failing.Store(true)
			return
		}
		for _, id := range ids {
			u.ids.add(id)
		}
		if after = next; len(ids) < usedPage && after.ID == "" {
			break
		}
	}
	u.after = after
	u.loadedAt.Store(max(now, 1))
	u.failing.Store(false)
}

// stop ends a refresh that is running.
func (u *usedIDs) stop() {
	u.close()
	u.running.Wait()
}

// usedBefore answers a Reserve whose id belongs to a reservation that Redis has forgotten. ok is
// false if it does not, or if the ledger does not answer.
func (s *Store) usedBefore(ctx context.Context, c *reserveCall) (result Result, ok bool, err error) {
	r := c.request
	if s.usedIDs == nil || !s.usedIDs.mayHave(r.ID) {
		return Result{}, false, nil
	}
	ctx, cancel := context.WithDeadlineCause(ctx, c.until, shard.ErrTimeout)
	defer cancel()
	half, enough := s.half(ctx)
	row, err := s.options.Ledger.Reservation(half, r.ID)
	enough()
	rec, archived := row.Record, errors.Is(err, ErrArchived)
	if err != nil && !archived {
		if errors.Is(err, ErrNotDurable) && ctx.Err() == nil {
			s.usedIDs.failing.Store(true) // the next calls need not wait
		}
		return Result{}, false, nil
	}
	if rec.State == StateHeld || rec.State == StateConfirmed {
		return Result{}, false, nil // Redis has it
	}
	var known *redis.BoolCmd
	var now *redis.TimeCmd
	err = s.shard.Read(ctx, func(pipe redis.Pipeliner) {
		known, now = pipe.HExists(ctx, s.keys.Reservations, r.ID), pipe.Time(ctx)
	})
	switch {
	case err != nil:
		return Result{}, false, fmt.Errorf("reserve %q: %w", r.ID, err)
	case known.Val():
		return Result{}, false, nil
	case archived || rec.Fingerprint != r.fingerprint():
		return Result{}, false, fmt.Errorf("reserve %q: %w", r.ID, ErrIDConflict)
	}
	at, err := s.clock(now)
	return Result{Reservation: reservationOf(rec, r.ID, at), Replay: true}, err == nil, err
}

// idFilter is a set of ids that only grows. It never misses one, and takes one in some 2,000 others
// for its own: a Bloom filter (CACM 13, 1970) of two bytes an id, which grows by a part twice as large
// as the last. One goroutine adds; any may ask.
type idFilter struct {
	seed  maphash.Seed
	parts atomic.Pointer[[]*filterPart]
}

// filterPart is a bit set with room for some ids.
type filterPart struct {
	bits []atomic.Uint64
	ids  int // added
}

const (
	filterFirst  = 1 << 14 // ids of the first part
	filterBits   = 16      // of each id's share of a part
	filterHashes = 8       // bits set by one id
)

// at calls visit with the bits of an id, until it returns false.
func (p *filterPart) at(hash uint64, visit func(word *atomic.Uint64, bit uint64) bool) {
	step := hash>>32 | 1 // the parts of one hash make as many as needed (Kirsch and Mitzenmacher, 2006)
	for range filterHashes {
		i := hash % uint64(len(p.bits)*64)
		if !visit(&p.bits[i/64], 1<<(i%64)) {
			return
		}
		hash += step
	}
}

func (p *filterPart) has(hash uint64) bool {
	found := true
	p.at(hash, func(word *atomic.Uint64, bit uint64) bool {
		found = word.Load()&bit != 0
		return found
	})
	return found
}

func (f *idFilter) has(id string) bool { return f.hasHash(maphash.String(f.seed, id)) }

func (f *idFilter) hasHash(hash uint64) bool {
	parts := f.parts.Load()
	if parts == nil {
		return false
	}
	for _, p := range *parts {
		if p.has(hash) {
			return true
		}
	}
	return false
}

// add adds an id.
func (f *idFilter) add(id string) {
	hash := maphash.String(f.seed, id)
	if f.hasHash(hash) {
		return
	}
	var parts []*filterPart
	if known := f.parts.Load(); known != nil {
		parts = *known
	}
	if len(parts) == 0 || parts[len(parts)-1].ids >= filterFirst<<(len(parts)-1) {
		room := filterFirst << len(parts)
		parts = append(parts[:len(parts):len(parts)], &filterPart{bits: make([]atomic.Uint64, room*filterBits/64)})
		f.parts.Store(&parts)
	}
	last := parts[len(parts)-1]
	last.at(hash, func(word *atomic.Uint64, bit uint64) bool {
		word.Or(bit)
		return true
	})
	last.ids++
}
