package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// FindingKind is what kind of difference an audit has found.
type FindingKind string

// The kinds. All but the last two are drift: one side was changed without the other.
const (
	KindCounterDrift       FindingKind = "counter_drift"       // Redis has other counts for a level
	KindLevelMissing       FindingKind = "level_missing"       // Redis lacks a level, or a part of it
	KindLevelUnknown       FindingKind = "level_unknown"       // the ledger lacks a level
	KindReservationMissing FindingKind = "reservation_missing" // Redis lacks the record of a live reservation
	KindReservationExtra   FindingKind = "reservation_extra"   // the ledger lacks a reservation
	KindReservationState   FindingKind = "reservation_state"   // the records differ
	KindLimitDrift         FindingKind = "limit_drift"         // Redis has another count for a purchase limit
	KindDeadlineMissing    FindingKind = "deadline_missing"    // a held reservation would never expire
	KindDeadlineOrphaned   FindingKind = "deadline_orphaned"   // a deadline of an unknown reservation
	KindLedgerInconsistent FindingKind = "ledger_inconsistent" // a level is not the sum of its lines or movements
	KindUndecided          FindingKind = "undecided"           // it had other open refusals at each look

	KindOpenRefusal FindingKind = "open_refusal" // a refused step that is being undone
	KindQuarantined FindingKind = "quarantined"  // an event or entry that is never applied
)

// FindingKinds lists the kinds.
var FindingKinds = []FindingKind{
	KindCounterDrift, KindLevelMissing, KindLevelUnknown, KindReservationMissing, KindReservationExtra, KindReservationState,
	KindLimitDrift, KindDeadlineMissing, KindDeadlineOrphaned, KindLedgerInconsistent, KindUndecided, KindOpenRefusal, KindQuarantined,
}

// Drift reports whether a kind is drift. The other kinds are part of normal operation.
func (k FindingKind) Drift() bool { return k != KindOpenRefusal && k != KindQuarantined }

// The states of a finding.
const (
	FindingOpen     = "open"
	FindingRepaired = "repaired"
	FindingGone     = "gone" // another audit repaired it, or it was settled, before the audit looked again
)

// Finding is one difference that an audit has found.
type Finding struct {
	ID          string       `json:"id"` // from the kind and the name, so it is the same in each audit
	Kind        FindingKind  `json:"kind"`
	State       string       `json:"state"` // open, repaired or gone
	SKU         location.SKU `json:"sku,omitempty"`
	Location    location.ID  `json:"location,omitempty"`
	Reservation string       `json:"reservation,omitempty"`
	Limit       string       `json:"limit,omitempty"`
	Customer    string       `json:"customer,omitempty"`
	Name        string       `json:"name,omitempty"`     // quoted name in Redis, if it is none of the above
	Position    string       `json:"position,omitempty"` // entry at which both sides were read; "" within the ledger
	Redis       *Side        `json:"redis"`              // nil if Redis has nothing
	Ledger      *Side        `json:"ledger"`             // nil if the ledger has nothing
	Units       int64        `json:"units"`              // most that a repair would change
	Frozen      bool         `json:"frozen,omitempty"`   // the level is below zero, so nothing is sold from it without backorder; see Note
	Note        string       `json:"note,omitempty"`
	RepairedAt  string       `json:"repaired_at_position,omitempty"`

	Entry EntryID   `json:"-"`
	Seen  SeenTexts `json:"-"`
}

// FindingID returns the id of the finding of a kind and a name.
func FindingID(kind FindingKind, name string) string {
	sum := sha256.Sum256([]byte(string(kind) + "\x1f" + name))
	return hex.EncodeToString(sum[:8])
}

// FindingAt returns an open finding of a name in Redis, at an entry.
func FindingAt(kind FindingKind, name string, at EntryID) Finding {
	return Finding{ID: FindingID(kind, name), Kind: kind, State: FindingOpen, Entry: at, Position: at.String()}
}

// ofLevel sets the level that a finding is about.
func (f *Finding) ofLevel(name string) {
	sku, at, ok := wire.SplitLevel(name)
	if !ok {
		f.Name = shownText(name)
		return
	}
	f.SKU, f.Location = sku, at
}

// ofReservation sets the reservation that a finding is about.
func (f *Finding) ofReservation(id string) {
	if !location.IsIdentifier(id) {
		f.Name = shownText(id)
		return
	}
	f.Reservation = id
}

// About names what a finding is about.
func (f *Finding) About() string {
	switch {
	case f.SKU != "":
		return fmt.Sprintf("%s at %s", f.SKU, f.Location)
	case f.Reservation != "":
		return f.Reservation
	case f.Limit != "" && f.Customer == "":
		return fmt.Sprintf("%s of all customers", f.Limit)
	case f.Limit != "":
		return fmt.Sprintf("%s of %s", f.Limit, f.Customer)
	default:
		return f.Name
	}
}

// Check returns ErrCorrupt if the finding lacks a count that its kind has: somebody has edited it.
func (f *Finding) Check() error {
	good := true
	switch f.Kind {
	case KindCounterDrift:
		good = f.Ledger.isLevel() && f.Redis != nil && (f.Redis.Available == nil || f.Redis.isLevel())
	case KindLevelMissing:
		good = f.Ledger.isLevel()
	case KindLimitDrift:
		good = f.Redis != nil && f.Ledger != nil && f.Ledger.Units != nil
	}
	if !good {
		return fmt.Errorf("finding %s: %w: it lacks a count", f.ID, cache.ErrCorrupt)
	}
	return nil
}

// IsLevelDrift reports whether a finding is about the counts of a level.
func (f *Finding) IsLevelDrift() bool {
	return f.Kind == KindCounterDrift || f.Kind == KindLevelMissing || f.Kind == KindLevelUnknown
}

// SetFrozen sets Frozen if a level is below zero, now or after a repair. Nothing is sold from it
// without backorder then.
func (f *Finding) SetFrozen() {
	f.Frozen = f.IsLevelDrift() && (f.Redis.below() || f.Ledger.below())
}

// frozenNote says why nothing is sold from a level without backorder, and until when. It returns "" for a level that
// is not frozen.
func (f *Finding) frozenNote() string {
	switch {
	case !f.Frozen:
		return ""
	case !f.Ledger.below():
		return "below zero in Redis: nothing is sold from it without backorder until it is repaired"
	case f.Redis != nil && f.Redis.Available != nil && *f.Redis.Available > 0:
		return fmt.Sprintf("below zero after the repair: %d more units are held or sold than there are. Nothing is sold from it without backorder then "+
			"until units are added or released. Until the repair, Redis accepts holds for %d more units; confirms beyond the stock are refused",
			-*f.Ledger.Available, *f.Redis.Available)
	default:
		return fmt.Sprintf("below zero: %d more units are held or sold than there are. Nothing is sold from it without backorder until units are added "+
			"or released", -*f.Ledger.Available)
	}
}
