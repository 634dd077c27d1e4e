package audit

import (
	"fmt"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// relative says whether a repair adds to a counter instead of setting it.
func relative(f *ledger.Finding) bool {
	switch f.Kind {
	case ledger.KindCounterDrift:
		return f.Redis.Available != nil
	case ledger.KindLimitDrift:
		return f.Redis.Units != nil && f.Limit != ""
	default:
		return false
	}
}

// difference returns what a repair adds to a counter in Redis. Of a limit it is Available.
func difference(f *ledger.Finding) wire.LevelCounts {
	if f.Kind == ledger.KindLimitDrift {
		return wire.LevelCounts{Available: *f.Ledger.Units - *f.Redis.Units}
	}
	return ledger.SumCounts(countsOf(f.Ledger), countsOf(f.Redis), -1)
}

// countsOf returns the counts of a level as Redis stores them.
func countsOf(s *ledger.Side) wire.LevelCounts {
	return wire.LevelCounts{
		Available: *s.Available, OnHand: *s.OnHand, Committed: *s.Committed, SafetyStock: *s.SafetyStock,
		BackorderLimit: *s.BackorderLimit,
	}
}

// sameRepair says whether two findings about one subject need the same repair. For a counter only
// what the repair adds matters: sales in between change both sides, but not their difference.
func sameRepair(f, as *ledger.Finding) bool {
	if f.Kind != as.Kind || relative(f) != relative(as) {
		return false
	}
	if relative(f) {
		return difference(f) == difference(as)
	}
	return ledger.EncodeJSON(f.Seen) == ledger.EncodeJSON(as.Seen) && ledger.EncodeSide(f.Ledger) == ledger.EncodeSide(as.Ledger)
}

// describe says in words what the repair of a finding does.
func describe(f *ledger.Finding) string {
	switch f.Kind {
	case ledger.KindCounterDrift:
		if relative(f) {
			return "add " + describeCounts(difference(f)) + " in Redis"
		}
		return fmt.Sprintf("write the level in Redis: available %d", *f.Ledger.Available)
	case ledger.KindLevelMissing:
		return fmt.Sprintf("write the level back into Redis: available %d", *f.Ledger.Available)
	case ledger.KindLevelUnknown:
		return "remove the level from Redis"
	case ledger.KindReservationMissing:
		return fmt.Sprintf("write the record back into Redis: %s, version %d", f.Ledger.State, f.Ledger.Version)
	case ledger.KindReservationState:
		if len(f.Ledger.From) > 0 {
			return fmt.Sprintf("replace the record in Redis with the ledger's: %s, version %d", f.Ledger.State, f.Ledger.Version)
		}
		return "remove the record from Redis" // the ledger has archived it
	case ledger.KindReservationExtra:
		return "remove the record from Redis"
	case ledger.KindLimitDrift:
		if relative(f) {
			return fmt.Sprintf("add %+d to the limit's count in Redis", difference(f).Available)
		}
		return fmt.Sprintf("write the limit's count in Redis: %d", *f.Ledger.Units)
	case ledger.KindDeadlineMissing:
		return "write its deadline back into Redis"
	case ledger.KindDeadlineOrphaned:
		return "remove the deadline from Redis"
	default:
		return ""
	}
}

// describeCounts says in words how a level changes.
func describeCounts(c wire.LevelCounts) string {
	var parts []string
	for _, part := range []struct {
		name  string
		units int64
	}{
		{"available", c.Available}, {"on hand", c.OnHand}, {"committed", c.Committed}, {"safety stock", c.SafetyStock},
		{"backorder limit", c.BackorderLimit},
	} {
		if part.units != 0 {
			parts = append(parts, fmt.Sprintf("%+d to %s", part.units, part.name))
		}
	}
	return strings.Join(parts, ", ")
}
