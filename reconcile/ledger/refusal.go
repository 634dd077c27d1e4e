package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/holdfast/holdfast/cache"
)

// Refusal is an event that the ledger did not apply: the answer to who waits for it, and what is to be
// undone in Redis.
type Refusal struct {
	Step   cache.Step
	Entry  EntryID
	Event  int
	At     int64
	Verb   cache.Verb
	Reason RefusalReason
	Detail refusalDetail

	SettledAt int64 // Unix ms: of its undoing, where that is in the same batch; else 0
}

// refusalDetail is what an answer, or the undoing, needs of what was refused.
type refusalDetail struct {
	Shortages []cache.Shortage   `json:"shortages,omitempty"` // of a confirm or fulfill
	Levels    []cache.LevelDelta `json:"levels,omitempty"`    // of an operation or return: what it has changed in Redis
	Operation string             `json:"operation,omitempty"` // of a return: id of its own
	Nonce     string             `json:"nonce,omitempty"`     // and of the entry that made it
	Held      int64              `json:"held,omitempty"`      // of a removal: units that are held
	Committed int64              `json:"committed,omitempty"` // and committed
	Record    string             `json:"record,omitempty"`    // of a reservation: what Redis has until it is undone
}

// RefusalReason says why an event was refused.
type RefusalReason string

const (
	ReasonOversold   RefusalReason = "oversold"      // more would be committed than there is
	ReasonKnown      RefusalReason = "id_known"      // the id belongs to another reservation or operation
	ReasonVersion    RefusalReason = "version"       // it does not follow from what the ledger has
	ReasonUnknown    RefusalReason = "unknown_level" // it draws on a level the ledger does not have
	ReasonNegative   RefusalReason = "negative"      // a count would fall below zero
	ReasonInUse      RefusalReason = "in_use"        // units of the level are held or committed
	ReasonConstraint RefusalReason = "constraint"    // a rule of the database refused it; see quarantine
)

// Encode writes a refusal's detail as its row keeps it; "" where there is none.
func (d refusalDetail) Encode() string {
	if len(d.Shortages) == 0 && len(d.Levels) == 0 && d.Record == "" { // nothing has the others without levels
		return ""
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic("reconcile: a refusal's detail is JSON: " + err.Error())
	}
	return string(text)
}

func (d *refusalDetail) Decode(text string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), d)
}

// Stuck says that a hold can't expire, however often it is tried: the ledger lacks the units that its own
// record of the hold has, for somebody has edited it. Such a hold stays until the ledger is put right: then
// a repair has its deadline watched again.
func (r *Refusal) Stuck() bool {
	if r.Verb != cache.VerbExpire {
		return false
	}
	return r.Reason == ReasonNegative || r.Reason == ReasonUnknown || r.Reason == ReasonConstraint
}

// Answer is what a caller is told whose step was refused.
func (r *Refusal) Answer() error {
	switch r.Reason {
	case ReasonOversold, ReasonNegative:
		return &cache.InsufficientError{Shortages: r.Detail.Shortages}
	case ReasonInUse:
		return r.Detail.used()
	case ReasonKnown:
		return cache.ErrIDConflict
	default:
		return fmt.Errorf("%w: refused (%s), and being undone", cache.ErrNotDurable, r.Reason)
	}
}
