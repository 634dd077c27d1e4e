package cache

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// counted is a count of a moment, brought up to now.
type counted struct {
	onHand int64 // what was counted, and what came and left since
	seen   int64 // on hand as the ledger has it
}

// behindPoll is how often the ledger is asked again where it is behind Redis.
const behindPoll = 20 * time.Millisecond

// sendCounts sends an operation. Where its counts are of a moment, the ledger says what came and left since:
// it must have applied what Redis had when the call came, and what it has on hand must be what Redis has,
// or something is on its way that it could not have added. Nor may any level have been counted since: a count
// could make up for what came or left.
func (s *Store) sendCounts(ctx context.Context, c *adjustCall) shard.Answer {
	if c.request.AsOf.IsZero() {
		return s.send(ctx, VerbAdjust, c)
	}
	if s.options.Ledger == nil {
		return shard.Answer{Err: asOfFault("can't be had without a ledger, which knows what came and left since")}
	}
	began, err := s.moment(ctx)
	if err != nil {
		return shard.Answer{Err: err}
	}
	if c.request.AsOf.UnixMilli() > began.now {
		return shard.Answer{Err: asOfFault("is in the future")}
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
		select {
		case <-time.After(behindPoll):
		case <-waiting.Done():
			return shard.Answer{Err: fmt.Errorf("%w: the ledger is behind what came and left, or others count at the same time", ErrNotDurable)}
		}
	}
}

func asOfFault(message string, args ...any) error {
	return &InvalidError{Faults: []Fault{{Path: "/as_of", Message: fmt.Sprintf(message, args...)}}}
}

// moment is the last entry of the stream, and when it was that.
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
	m := moment{now: now.Val().UnixMilli()}
	if given := s.shard.Now(); given != "" {
		if m.now, err = strconv.ParseInt(given, 10, 64); err != nil {
			return moment{}, fmt.Errorf("clock: %w", err)
		}
	}
	for _, entry := range last.Val() {
		if _, err := fmt.Sscanf(strings.Replace(entry.ID, "-", " ", 1), "%d %d", &m.epoch, &m.sequence); err != nil {
			return moment{}, fmt.Errorf("entry id %q: %w", entry.ID, ErrCorrupt)
		}
	}
	return m, nil
}

// appliedBy says whether a ledger has applied all there was.
func (m moment) appliedBy(s Since) bool {
	return s.Epoch > m.epoch || s.Epoch == m.epoch && s.Sequence >= m.sequence
}

// names lists the levels that an operation changes.
func (r *AdjustRequest) names() []wire.LevelName {
	names := make([]wire.LevelName, len(r.Changes))
	for i := range r.Changes {
		names[i] = wire.LevelName{SKU: r.Changes[i].SKU, Location: r.Changes[i].Location}
	}
	return names
}

// countedSince brings counts up to now.
func (r *AdjustRequest) countedSince(since Since) ([]counted, error) {
	if len(since.Levels) != len(r.Changes) {
		return nil, fmt.Errorf("%d levels asked, %d answered: %w", len(r.Changes), len(since.Levels), ErrCorrupt)
	}
	if r.AsOf.UnixMilli() < since.KeptFrom {
		return nil, asOfFault("is older than what the ledger keeps, which is from %s on", time.UnixMilli(since.KeptFrom).UTC().Format(time.RFC3339Nano))
	}
	list := make([]counted, len(r.Changes))
	for i := range r.Changes {
		c, l := &r.Changes[i], since.Levels[i]
		if c.OnHand == nil {
			continue
		}
		list[i] = counted{onHand: *c.OnHand + l.Moved, seen: l.OnHand}
		switch {
		case list[i].onHand < 0:
			return nil, &InsufficientError{Shortages: []Shortage{{SKU: c.SKU, Requested: -l.Moved, Available: *c.OnHand}}}
		case list[i].onHand > QuantityMax:
			return nil, &InvalidError{Faults: []Fault{{Path: "/changes/" + strconv.Itoa(i) + "/on_hand",
				Message: fmt.Sprintf("would be over %d with the %d units that came since", QuantityMax, l.Moved)}}}
		}
	}
	return list, nil
}

// asOf checks that a moment is one of counts.
func (f *faults) asOf(r *AdjustRequest) {
	if r.AsOf.IsZero() {
		return
	}
	counts := false
	for i := range r.Changes {
		counts = counts || r.Changes[i].OnHand != nil
		if r.Changes[i].Delta != nil {
			f.add("/changes/"+strconv.Itoa(i)+"/delta", "must not be given together with as_of: it is not of a moment")
		}
	}
	if !counts {
		f.add("/as_of", "is of no use without on_hand")
	}
}
