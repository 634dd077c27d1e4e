package audit

import (
	"fmt"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// whyNeverRepaired is why what is found of a kind is not repaired; "" where it is.
var whyNeverRepaired = map[ledger.FindingKind]string{
	ledger.KindLedgerInconsistent: "not repaired: Redis is not what is wrong; correct the row in `levels` by its movements, then plan again",
	ledger.KindUndecided:          "not repaired: refusals came and went each time it was looked at; plan again",
}

// drawsOn is the levels that the record which Redis has draws on.
func drawsOn(f *ledger.Finding) []ledger.LevelKey {
	record, err := cache.DecodeRecord(f.Seen.Text(0).Text)
	if err != nil {
		return nil
	}
	return ledger.LevelsOf(record)
}

// doubtful says whether the record on either side has units of a level whose row of the ledger is
// inconsistent: the ledger's lines may be what somebody changed, and that it expires would be refused again.
func doubtful(f *ledger.Finding, inconsistent map[ledger.LevelKey]bool) bool {
	return hasUnitsOf(f.Redis, inconsistent) || hasUnitsOf(f.Ledger, inconsistent)
}

// hasUnitsOf says whether a record has units of one of some levels. Names may have spaces: of what a text
// may mean, one is enough.
func hasUnitsOf(s *ledger.Side, levels map[ledger.LevelKey]bool) bool {
	if s == nil || len(levels) == 0 {
		return false
	}
	for _, part := range s.From {
		_, name, _ := strings.Cut(part, " ")
		for at := range name {
			if name[at] == ' ' && levels[ledger.LevelKey{SKU: location.SKU(name[:at]), Location: location.ID(name[at+1:])}] {
				return true
			}
		}
	}
	return false
}

// relative says whether a counter is repaired by what is added to it, and not by what it is set to.
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

// difference is what is added to a counter in Redis; of a limit it is Available.
func difference(f *ledger.Finding) cache.LevelCounts {
	if f.Kind == ledger.KindLimitDrift {
		return cache.LevelCounts{Available: *f.Ledger.Units - *f.Redis.Units}
	}
	return ledger.SumCounts(countsOf(f.Ledger), countsOf(f.Redis), -1)
}

// sameRepair says whether two findings of one thing are repaired by the same change. Of a counter it is what
// is added that counts: what was sold meanwhile has moved both sides, and no difference.
func sameRepair(f *ledger.Finding, as *ledger.Finding) bool {
	if f.Kind != as.Kind || relative(f) != relative(as) {
		return false
	}
	if relative(f) {
		return difference(f) == difference(as)
	}
	return ledger.EncodeJSON(f.Seen) == ledger.EncodeJSON(as.Seen) && ledger.EncodeSide(f.Ledger) == ledger.EncodeSide(as.Ledger)
}

// would says what a repair would do.
func would(f *ledger.Finding) string {
	switch f.Kind {
	case ledger.KindCounterDrift:
		if relative(f) {
			return "add " + addedText(difference(f)) + " in Redis"
		}
		return fmt.Sprintf("write the level in Redis: available %d", *f.Ledger.Available)
	case ledger.KindLevelMissing:
		return fmt.Sprintf("write the level back into Redis: available %d", *f.Ledger.Available)
	case ledger.KindLevelUnknown:
		return "take the level out of Redis"
	case ledger.KindReservationMissing:
		return fmt.Sprintf("put the record back into Redis: %s, version %d", f.Ledger.State, f.Ledger.Version)
	case ledger.KindReservationExtra:
		return "take the record out of Redis"
	case ledger.KindReservationState:
		if len(f.Ledger.From) == 0 { // it is archived
			return "take the record out of Redis"
		}
		return fmt.Sprintf("make the record in Redis what the ledger has: %s, version %d", f.Ledger.State, f.Ledger.Version)
	case ledger.KindLimitDrift:
		if relative(f) {
			return fmt.Sprintf("add %+d to what Redis counts of the limit", difference(f).Available)
		}
		return fmt.Sprintf("write the limit's count in Redis: %d", *f.Ledger.Units)
	case ledger.KindDeadlineMissing:
		return "watch its deadline in Redis again"
	case ledger.KindDeadlineOrphaned:
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
