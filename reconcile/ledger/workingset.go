package ledger

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// LevelKey names a level.
type LevelKey struct {
	SKU      location.SKU
	Location location.ID
}

// Level is a level as the ledger counts it, units.
type Level struct {
	OnHand, Held, Committed, SafetyStock, BackorderLimit int64
}

// book is the rows of the ledger that some entries touch, as a working copy: events are decided on it
// one by one, in the order of the stream, and each row is written once in the end.
type WorkingSet struct {
	Levels       map[LevelKey]*Level
	Before       map[LevelKey]Level // as they were read
	Reservations map[string]*Reservation
	Operations   map[string]bool          // ids that are known
	Limits       map[cache.LimitKey]int64 // what purchase limits count, units
	Counted      map[cache.LimitKey]bool  // those of them that changed
	Movements    []Movement
	Refusals     []Refusal
	Settled      []Settlement
	Made         []Operation
	audited
}

// Reservation is a reservation as the ledger keeps it.
type Reservation struct {
	Record  cache.Record
	Extra   string // JSON of what Redis does not keep, "" where there is nothing
	At      int64  // Unix ms: of the last change by this batch
	Created bool   // by this batch, as changed and rearranged are

	Changed    bool
	Rearranged bool // its lines are others

	// as its row was read or last written
	VersionBefore int64
	StateBefore   cache.State
}

// Kept is a reservation once it is written.
func (r *Reservation) Kept() Reservation {
	return Reservation{Record: r.Record, At: r.At, VersionBefore: r.Record.Version, StateBefore: r.Record.State}
}

// Operation is an adjustment, count, transfer, removal or return that was applied.
type Operation struct {
	ID          string
	Birth       string // nonce of the entry that made it
	Fingerprint string
	At          int64 // Unix ms
	Reason      string
	Actor       string
}

// Movement is what one event changed of one level. Movements are never changed: all of them,
// replayed, give the levels.
type Movement struct {
	Entry       EntryID
	Event       int // index in the entry
	At          int64
	Key         LevelKey
	Delta       Level // signed
	Verb        cache.Verb
	Reservation string // or operation; of a return both
	Operation   string
	Reason      string
	Actor       string
}

func NewWorkingSet() *WorkingSet {
	return &WorkingSet{
		Levels: map[LevelKey]*Level{}, Before: map[LevelKey]Level{}, Reservations: map[string]*Reservation{},
		Operations: map[string]bool{}, Limits: map[cache.LimitKey]int64{}, Counted: map[cache.LimitKey]bool{},
	}
}

// Apply decides events in order.
func (b *WorkingSet) Apply(list []EventRef) {
	for _, r := range list {
		b.applyEvent(r.Entry, r.Index)
	}
}

// applyEvent decides one event of an entry.
func (b *WorkingSet) applyEvent(entry *Entry, i int) {
	e := &entry.Events[i]
	var reason RefusalReason
	var detail refusalDetail
	switch e.Verb {
	case cache.VerbAdjust:
		reason, detail = b.adjust(entry, i, e)
	case cache.VerbTransfer:
		reason, detail = b.transfer(entry, i, e)
	case cache.VerbRemove:
		reason, detail = b.remove(entry, i, e)
	case cache.VerbReturn:
		reason, detail = b.takeBack(entry, i, e)
	case cache.VerbCompensate:
		reason = b.compensate(entry, i, e)
	case cache.VerbRevert:
		b.Settle(Settlement{Step: e.Step(entry.Nonce), At: entry.At})
	case cache.VerbAudit:
		b.Compare(entry, e.Mark)
	case cache.VerbRepair:
		b.repair(entry, i, e)
	default:
		reason, detail = b.transition(entry, i, e)
	}
	if reason != "" {
		b.Refuse(entry, i, reason, detail)
	}
}

// Refuse notes that an event was not applied.
func (b *WorkingSet) Refuse(entry *Entry, i int, reason RefusalReason, detail refusalDetail) {
	e := &entry.Events[i]
	if len(e.Record.Lines) > 0 {
		detail.Record = e.Record.Encode()
	}
	b.Refusals = append(b.Refusals, Refusal{
		Step: e.Step(entry.Nonce), Entry: entry.ID, Event: i, At: entry.At, Verb: e.Verb, Reason: reason, Detail: detail,
	})
}

func (l *Level) Add(d Level) {
	l.OnHand += d.OnHand
	l.Held += d.Held
	l.Committed += d.Committed
	l.SafetyStock += d.SafetyStock
	l.BackorderLimit += d.BackorderLimit
}

// VerbCount is what a movement is called by which a level was counted: nothing has come or left.
const VerbCount cache.Verb = "count"
