package ledger

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// WorkingSet is a copy of the rows that a batch of entries touches. Events are decided on it one by
// one, in the order of the stream. Each changed row is written once, at the end.
type WorkingSet struct {
	Levels        map[LevelKey]*Level
	Before        map[LevelKey]Level // as they were read
	Reservations  map[string]*Reservation
	Operations    map[string]bool          // ids that the ledger knows
	Limits        map[wire.LimitKey]int64  // counts of purchase limits, units
	ChangedLimits map[wire.LimitKey]bool   // the limits that changed
	Counts        map[LevelKey]cache.Count // the new counts in force
	Movements     []Movement
	Refusals      []Refusal
	Settled       []Settlement
	NewOperations []Operation

	// More rows, for comparisons.
	Open    []Refusal                 // open refusals before the batch
	Refused map[string][]RefusedNonce // by reservation: creation nonces with a refused step, open or not

	// The results of comparisons and repairs.
	Found    []Found
	Cleared  []Cleared
	Compared map[string]Compared // by audit
	Repaired []RepairedFinding
}

// Operation is an adjustment, count, transfer, removal or return that was applied, or another step
// of a reservation that has an operation's id.
type Operation struct {
	ID            string
	CreationNonce string // nonce of the entry that made it
	Fingerprint   string
	At            int64 // Unix ms
	Verb          cache.Verb
	Reason        string
	Actor         string
	OnBehalfOf    string
	RequestID     string
}

// Movement is the change that one event made to one level. Movements are never changed: replayed
// from nothing, they give the levels.
type Movement struct {
	Entry       EntryID
	Event       int   // index in the entry
	At          int64 // Unix ms
	Key         LevelKey
	Delta       Level
	Verb        cache.Verb
	Reservation string // a step of a reservation may have an operation too
	Operation   string
	Reason      string
	Actor       string
}

// VerbCount is the verb of the movement of a count. A count corrects on hand: no units came or
// left.
const VerbCount cache.Verb = "count"

// NewWorkingSet returns an empty working set.
func NewWorkingSet() *WorkingSet {
	return &WorkingSet{
		Levels: map[LevelKey]*Level{}, Before: map[LevelKey]Level{}, Reservations: map[string]*Reservation{},
		Operations: map[string]bool{}, Limits: map[wire.LimitKey]int64{}, ChangedLimits: map[wire.LimitKey]bool{},
		Counts: map[LevelKey]cache.Count{}, Compared: map[string]Compared{},
	}
}

// Apply decides events in order.
func (w *WorkingSet) Apply(list []EventRef) {
	for _, r := range list {
		w.applyEvent(r.Entry, r.Index)
	}
}

func (w *WorkingSet) applyEvent(entry *Entry, i int) {
	e := &entry.Events[i]
	var reason RefusalReason
	var detail RefusalDetail
	switch e.Verb {
	case cache.VerbAdjust:
		reason, detail = w.adjust(entry, i, e)
	case cache.VerbTransfer:
		reason, detail = w.transfer(entry, i, e)
	case cache.VerbRemove:
		reason, detail = w.remove(entry, i, e)
	case cache.VerbReturn, cache.VerbUnfulfill:
		reason, detail = w.takeBack(entry, i, e)
	case wire.VerbCompensate:
		reason = w.compensate(entry, i, e)
	case wire.VerbRevert:
		w.settle(Settlement{Step: e.Step(entry.Nonce), At: entry.At})
	case wire.VerbAudit:
		w.compare(entry, e.Checkpoint)
	case wire.VerbRepair:
		w.repair(entry, i, e)
	default:
		reason, detail = w.transition(entry, i, e)
	}
	if reason != "" {
		w.Refuse(entry, i, reason, detail)
	}
}

// Refuse notes that an event was not applied.
func (w *WorkingSet) Refuse(entry *Entry, i int, reason RefusalReason, detail RefusalDetail) {
	e := &entry.Events[i]
	if len(e.Record.Lines) > 0 {
		detail.Record = e.Record.Encode()
	}
	w.Refusals = append(w.Refusals, Refusal{
		Step: e.Step(entry.Nonce), Entry: entry.ID, Event: i, At: entry.At, Verb: e.Verb, Reason: reason, Detail: detail,
	})
}
