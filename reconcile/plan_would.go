package reconcile

import (
	"fmt"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// whyNeverRepaired is why what is found of a kind is not repaired; "" where it is.
var whyNeverRepaired = map[FindingKind]string{
	KindLedgerInconsistent: "not repaired: Redis is not what is wrong; correct the row in `levels` by its movements, then plan again",
	KindUndecided:          "not repaired: refusals came and went each time it was looked at; plan again",
}

// ofCounter says whether a finding is about a level's counters. Those of purchase limits draw on nothing.
func (f *AuditFinding) ofCounter() bool {
	return f.Kind == KindCounterDrift || f.Kind == KindLevelMissing || f.Kind == KindLevelUnknown
}

// drawsOn is the levels that the record which Redis has draws on.
func (f *AuditFinding) drawsOn() []levelKey {
	record, err := cache.DecodeRecord(f.seen.text(0).Text)
	if err != nil {
		return nil
	}
	return levelsOf(record)
}

// doubtful says whether the record on either side has units of a level whose row of the ledger is
// inconsistent: the ledger's lines may be what somebody changed, and that it expires would be refused again.
func (f *AuditFinding) doubtful(inconsistent map[levelKey]bool) bool {
	return f.Redis.hasUnitsOf(inconsistent) || f.Ledger.hasUnitsOf(inconsistent)
}

// hasUnitsOf says whether a record has units of one of some levels. Names may have spaces: of what a text
// may mean, one is enough.
func (s *AuditSide) hasUnitsOf(levels map[levelKey]bool) bool {
	if s == nil || len(levels) == 0 {
		return false
	}
	for _, part := range s.From {
		_, name, _ := strings.Cut(part, " ")
		for at := range name {
			if name[at] == ' ' && levels[levelKey{location.SKU(name[:at]), location.ID(name[at+1:])}] {
				return true
			}
		}
	}
	return false
}

// relative says whether a counter is repaired by what is added to it, and not by what it is set to.
func (f *AuditFinding) relative() bool {
	switch f.Kind {
	case KindCounterDrift:
		return f.Redis.Available != nil
	case KindLimitDrift:
		return f.Redis.Units != nil && f.Limit != ""
	default:
		return false
	}
}

// difference is what is added to a counter in Redis; of a limit it is Available.
func (f *AuditFinding) difference() cache.LevelCounts {
	if f.Kind == KindLimitDrift {
		return cache.LevelCounts{Available: *f.Ledger.Units - *f.Redis.Units}
	}
	return sumCounts(f.Ledger.counts(), f.Redis.counts(), -1)
}

// sameRepair says whether two findings of one thing are repaired by the same change. Of a counter it is what
// is added that counts: what was sold meanwhile has moved both sides, and no difference.
func (f *AuditFinding) sameRepair(as *AuditFinding) bool {
	if f.Kind != as.Kind || f.relative() != as.relative() {
		return false
	}
	if f.relative() {
		return f.difference() == as.difference()
	}
	return encodeJSON(f.seen) == encodeJSON(as.seen) && encodeSide(f.Ledger) == encodeSide(as.Ledger)
}

// would says what a repair would do.
func (f *AuditFinding) would() string {
	switch f.Kind {
	case KindCounterDrift:
		if f.relative() {
			return "add " + addedText(f.difference()) + " in Redis"
		}
		return fmt.Sprintf("write the level in Redis: available %d", *f.Ledger.Available)
	case KindLevelMissing:
		return fmt.Sprintf("write the level back into Redis: available %d", *f.Ledger.Available)
	case KindLevelUnknown:
		return "take the level out of Redis"
	case KindReservationMissing:
		return fmt.Sprintf("put the record back into Redis: %s, version %d", f.Ledger.State, f.Ledger.Version)
	case KindReservationExtra:
		return "take the record out of Redis"
	case KindReservationState:
		if len(f.Ledger.From) == 0 { // it is archived
			return "take the record out of Redis"
		}
		return fmt.Sprintf("make the record in Redis what the ledger has: %s, version %d", f.Ledger.State, f.Ledger.Version)
	case KindLimitDrift:
		if f.relative() {
			return fmt.Sprintf("add %+d to what Redis counts of the limit", f.difference().Available)
		}
		return fmt.Sprintf("write the limit's count in Redis: %d", *f.Ledger.Units)
	case KindDeadlineMissing:
		return "watch its deadline in Redis again"
	case KindDeadlineOrphaned:
		return "take the deadline out of Redis"
	default:
		return ""
	}
}

// addedText is a change of a level in words.
func addedText(c cache.LevelCounts) string {
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
