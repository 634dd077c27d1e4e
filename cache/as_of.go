package cache

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// counted is a count with AsOf, brought up to now.
type counted struct {
	onHand int64  // the count, with the units that came and left since
	seen   int64  // on hand in the ledger
	kept   *Count // the count of a later moment, which stays in force; nil if there is none
}

// behindPoll is how often sendCounts asks the ledger again while the ledger is behind Redis.
const behindPoll = 20 * time.Millisecond

// sendCounts sends an operation. With AsOf, it first adds the units that came and left since, by
// the ledger. The ledger must have applied all that Redis had when the call came, and must have the
// same on hand as Redis: otherwise something is on its way that the ledger could not add. No level
// may have been counted since either, because a count could hide what came or left. A count does not
// replace one of a later moment.
func (s *Store) sendCounts(ctx context.Context, c *adjustCall) shard.Answer {
	if c.request.AsOf.IsZero() {
		return s.send(ctx, VerbAdjust, c)
	}
	if s.options.Ledger == nil {
		return shard.Answer{Err: invalid("/as_of", "needs a ledger, which knows what came and left since")}
	}
	began, err := s.moment(ctx)
	if err != nil {
		return shard.Answer{Err: err}
	}
	if c.request.AsOf.UnixMilli() > began.now {
		return shard.Answer{Err: invalid("/as_of", "is in the future")}
	}
	waiting, cancel := context.WithTimeout(ctx, s.options.DurableWait)
	defer cancel()
	for {
		since, err := s.options.Ledger.Since(waiting, c.request.AsOf.UnixMilli(), c.request.names())
		if err != nil {
			return shard.Answer{Err: err}
		}
		if began.appliedBy(since) {
			if c.counted, err = c.request.countedSince(since); err != nil {
				return shard.Answer{Err: err}
			}
			c.place = wire.Position{Epoch: since.Epoch, Sequence: since.Sequence}.EntryID()
			if a := s.send(ctx, VerbAdjust, c); a.Err != nil || a.Status != wire.StatusBehind {
				return a
			}
		}
		if shard.Pause(waiting, behindPoll) != nil {
			return shard.Answer{Err: fmt.Errorf("%w: the ledger is behind Redis, or others count at the same time", ErrNotDurable)}
		}
	}
}

// moment is the last entry of the stream at some time.
type moment struct {
	epoch, sequence uint64
	now             int64 // Unix ms, by Redis's clock
}

func (s *Store) moment(ctx context.Context) (moment, error) {
	var last *redis.XMessageSliceCmd
	var now *redis.TimeCmd
	err := s.shard.Read(ctx, func(pipe redis.Pipeliner) {
		last, now = pipe.XRevRangeN(ctx, s.keys.Events, "+", "-", 1), pipe.Time(ctx)
	})
	if err != nil {
		return moment{}, err
	}
	m := moment{}
	if m.now, err = s.clock(now); err != nil {
		return moment{}, err
	}
	for _, entry := range last.Val() {
		if _, err := fmt.Sscanf(entry.ID, "%d-%d", &m.epoch, &m.sequence); err != nil {
			return moment{}, fmt.Errorf("entry id %q: %w", entry.ID, ErrCorrupt)
		}
	}
	return m, nil
}

// entryID returns the id of the entry, or "" if there is none.
func (m moment) entryID() string {
	if m.epoch == 0 {
		return ""
	}
	return wire.Position{Epoch: m.epoch, Sequence: m.sequence}.EntryID()
}

// appliedBy reports whether the ledger has applied everything up to that entry.
func (m moment) appliedBy(s Since) bool {
	return s.Epoch > m.epoch || s.Epoch == m.epoch && s.Sequence >= m.sequence
}

// names returns the levels that an operation changes.
func (r *AdjustRequest) names() []wire.LevelName {
	names := make([]wire.LevelName, len(r.Changes))
	for i := range r.Changes {
		names[i] = wire.LevelName{SKU: r.Changes[i].SKU, Location: r.Changes[i].Location}
	}
	return names
}

// countedSince brings the counts up to now.
func (r *AdjustRequest) countedSince(since Since) ([]counted, error) {
	if len(since.Levels) != len(r.Changes) {
		return nil, fmt.Errorf("the ledger answered %d levels of %d: %w", len(since.Levels), len(r.Changes), ErrCorrupt)
	}
	if r.AsOf.UnixMilli() < since.KeptFrom {
		return nil, invalid("/as_of", "is older than what the ledger keeps, which begins at %s",
			time.UnixMilli(since.KeptFrom).UTC().Format(time.RFC3339Nano))
	}
	list := make([]counted, len(r.Changes))
	for i := range r.Changes {
		c, l := &r.Changes[i], since.Levels[i]
		if c.OnHand == nil {
			continue
		}
		list[i] = counted{onHand: *c.OnHand + l.Moved, seen: l.OnHand}
		switch {
		case r.AsOf.Before(l.Count.At):
			list[i] = counted{seen: l.OnHand, kept: &l.Count}
		case list[i].onHand < 0:
			return nil, &InsufficientError{Shortages: []Shortage{{SKU: c.SKU, Requested: -l.Moved, Available: *c.OnHand}}}
		case list[i].onHand > QuantityMax:
			return nil, invalid("/changes/"+strconv.Itoa(i)+"/on_hand", "would be over %d with the %d units that came since", QuantityMax, l.Moved)
		}
	}
	return list, nil
}

// nameInForce fills in InForce. For a replay it asks the ledger. If that does not answer, the
// operation is still applied, and InForce stays nil.
func (s *Store) nameInForce(ctx context.Context, c *adjustCall, result *AdjustResult) {
	if c.request.AsOf.IsZero() {
		return
	}
	if result.Replay {
		since, err := s.options.Ledger.Since(ctx, c.request.AsOf.UnixMilli(), c.request.names())
		if err != nil || len(since.Levels) != len(c.request.Changes) {
			return
		}
		c.counted = make([]counted, len(since.Levels))
		for i := range since.Levels {
			if count := &since.Levels[i].Count; c.request.Changes[i].OnHand != nil && c.request.AsOf.Before(count.At) {
				c.counted[i].kept = count
			}
		}
	}
	for i := range c.counted {
		result.Levels[i].InForce = c.counted[i].kept
	}
}

// asOf checks that AsOf is given with counts only.
func (f *faults) asOf(r *AdjustRequest) {
	if r.AsOf.IsZero() {
		return
	}
	counts := false
	for i := range r.Changes {
		counts = counts || r.Changes[i].OnHand != nil
		if r.Changes[i].Delta != nil {
			f.add("/changes/"+strconv.Itoa(i)+"/delta", "must not be given together with as_of: only a count has a time")
		}
	}
	if !counts {
		f.add("/as_of", "needs a change with on_hand")
	}
}
