package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// Refusal is an event that the ledger did not apply. It is the answer to the caller that waits for
// the step, and it holds what is undone in Redis.
type Refusal struct {
	Step   wire.Step
	Entry  EntryID
	Event  int   // index in the entry
	At     int64 // Unix ms
	Verb   cache.Verb
	Reason RefusalReason
	Detail RefusalDetail

	SettledAt int64 // when it was undone in the same batch, Unix ms, or 0
}

// RefusalReason says why an event was refused.
type RefusalReason string

// The reasons.
const (
	ReasonOversold   RefusalReason = "oversold"      // it would commit more units than there are
	ReasonKnown      RefusalReason = "id_known"      // the id belongs to another reservation or operation
	ReasonVersion    RefusalReason = "version"       // it does not follow from what the ledger has
	ReasonUnknown    RefusalReason = "unknown_level" // it draws on a level that the ledger does not have
	ReasonNegative   RefusalReason = "negative"      // a count would fall below zero
	ReasonInUse      RefusalReason = "in_use"        // units of the level are held or committed
	ReasonConstraint RefusalReason = "constraint"    // a constraint of the database refused it; see quarantine
)

// RefusalDetail has the data of a refused event that its answer or its undoing needs.
type RefusalDetail struct {
	Shortages []cache.Shortage  `json:"shortages,omitempty"` // of a confirm or fulfill
	Levels    []wire.LevelDelta `json:"levels,omitempty"`    // of an operation, return or unfulfill: its changes in Redis
	Operation string            `json:"operation,omitempty"` // of a step: the id of its operation
	Nonce     string            `json:"nonce,omitempty"`     // of a step with an operation: the nonce of its entry
	Held      int64             `json:"held,omitempty"`      // of a removal: units that are held
	Committed int64             `json:"committed,omitempty"` // of a removal: units that are committed
	Record    string            `json:"record,omitempty"`    // of a reservation: Redis's record until the step is undone
}

// UndoDetail returns what the undoing of an event needs.
func UndoDetail(entry *Entry, e *wire.Event) RefusalDetail {
	detail := RefusalDetail{Levels: e.Deltas()}
	if e.Operation != "" {
		detail.Operation, detail.Nonce = e.Operation, entry.Nonce
	}
	return detail
}

// Encode returns the detail as its column stores it, or "" if there is none.
func (d RefusalDetail) Encode() string {
	if len(d.Shortages) == 0 && len(d.Levels) == 0 && d.Record == "" { // the other fields come with levels or a record
		return ""
	}
	return EncodeJSON(d)
}

// Decode reads what Encode returned.
func (d *RefusalDetail) Decode(text string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), d)
}

// Operated returns the operation of a refused step, or the zero Step if it has none.
func (d *RefusalDetail) Operated() wire.Step {
	if d.Operation == "" {
		return wire.Step{}
	}
	return wire.Step{Operation: true, ID: d.Operation, CreationNonce: d.Nonce, Version: 1}
}

// Answer returns the error for the caller whose step was refused.
func (r *Refusal) Answer() error {
	switch r.Reason {
	case ReasonOversold, ReasonNegative:
		return &cache.InsufficientError{Shortages: r.Detail.Shortages}
	case ReasonInUse:
		return r.Detail.inUse()
	case ReasonKnown:
		return cache.ErrIDConflict
	default:
		return fmt.Errorf("%w: the ledger refused the step (%s), and it is being undone", cache.ErrNotDurable, r.Reason)
	}
}

// inUse returns the error for a refused removal of a level.
func (d *RefusalDetail) inUse() error {
	err := &cache.InUseError{What: "the level", Held: d.Held, Committed: d.Committed}
	if len(d.Levels) > 0 {
		err.What = fmt.Sprintf("%s at %s", d.Levels[0].SKU, d.Levels[0].Location)
	}
	return err
}

// Stuck reports whether a hold can't expire, however often it is tried: the ledger lacks the units
// of its own record, because somebody has edited it. The hold stays until the ledger is corrected.
// Then a repair watches its deadline again.
func (r *Refusal) Stuck() bool {
	if r.Verb != cache.VerbExpire {
		return false
	}
	return r.Reason == ReasonNegative || r.Reason == ReasonUnknown || r.Reason == ReasonConstraint
}
