package reconcile

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// levelKey names a level.
type levelKey struct {
	sku location.SKU
	at  location.ID
}

// level is a level as the ledger counts it, units.
type level struct {
	onHand, held, committed, safetyStock, backorderLimit int64
}

// book is the rows of the ledger that some entries touch, as a working copy: events are decided on it
// one by one, in the order of the stream, and each row is written once in the end.
type book struct {
	levels       map[levelKey]*level
	before       map[levelKey]level // as they were read
	reservations map[string]*reservation
	operations   map[string]bool          // ids that are known
	limits       map[cache.LimitKey]int64 // what purchase limits count, units
	counted      map[cache.LimitKey]bool  // those of them that changed
	movements    []movement
	refusals     []refusal
	settled      []settlement
	made         []operation
	audited
}

// reservation is a reservation as the ledger keeps it.
type reservation struct {
	record  cache.Record
	extra   string // JSON of what Redis does not keep, "" where there is nothing
	at      int64  // Unix ms: of the last change by this batch
	created bool   // by this batch, as changed and rearranged are

	changed    bool
	rearranged bool // its lines are others

	// as its row was read or last written
	versionBefore int64
	stateBefore   cache.State
}

// kept is a reservation once it is written.
func (r *reservation) kept() reservation {
	return reservation{record: r.record, at: r.at, versionBefore: r.record.Version, stateBefore: r.record.State}
}

// operation is an adjustment, count, transfer, removal or return that was applied.
type operation struct {
	id          string
	birth       string // nonce of the entry that made it
	fingerprint string
	at          int64 // Unix ms
	reason      string
	actor       string
}

// movement is what one event changed of one level. Movements are never changed: all of them,
// replayed, give the levels.
type movement struct {
	entry       entryID
	event       int // index in the entry
	at          int64
	key         levelKey
	delta       level // signed
	verb        cache.Verb
	reservation string // or operation; of a return both
	operation   string
	reason      string
	actor       string
}

// refusal is an event that the ledger did not apply: the answer to who waits for it, and what is to be
// undone in Redis.
type refusal struct {
	step   cache.Step
	entry  entryID
	event  int
	at     int64
	verb   cache.Verb
	reason refusalReason
	detail refusalDetail

	settledAt int64 // Unix ms: of its undoing, where that is in the same batch; else 0
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

// refusalReason says why an event was refused.
type refusalReason string

const (
	reasonOversold   refusalReason = "oversold"      // more would be committed than there is
	reasonKnown      refusalReason = "id_known"      // the id belongs to another reservation or operation
	reasonVersion    refusalReason = "version"       // it does not follow from what the ledger has
	reasonUnknown    refusalReason = "unknown_level" // it draws on a level the ledger does not have
	reasonNegative   refusalReason = "negative"      // a count would fall below zero
	reasonInUse      refusalReason = "in_use"        // units of the level are held or committed
	reasonConstraint refusalReason = "constraint"    // a rule of the database refused it; see quarantine
)

func newBook() *book {
	return &book{
		levels: map[levelKey]*level{}, before: map[levelKey]level{}, reservations: map[string]*reservation{},
		operations: map[string]bool{}, limits: map[cache.LimitKey]int64{}, counted: map[cache.LimitKey]bool{},
	}
}

// apply decides events in order.
func (b *book) apply(list []ref) {
	for _, r := range list {
		b.applyEvent(r.entry, r.index)
	}
}

// applyEvent decides one event of an entry.
func (b *book) applyEvent(entry *entry, i int) {
	e := &entry.events[i]
	var reason refusalReason
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
		b.settle(settlement{step: e.Step(entry.nonce), at: entry.at})
	case cache.VerbAudit:
		b.compare(entry, e.Mark)
	case cache.VerbRepair:
		b.repair(entry, i, e)
	default:
		reason, detail = b.transition(entry, i, e)
	}
	if reason != "" {
		b.refuse(entry, i, reason, detail)
	}
}

// refuse notes that an event was not applied.
func (b *book) refuse(entry *entry, i int, reason refusalReason, detail refusalDetail) {
	e := &entry.events[i]
	if len(e.Record.Lines) > 0 {
		detail.Record = e.Record.Encode()
	}
	b.refusals = append(b.refusals, refusal{
		step: e.Step(entry.nonce), entry: entry.id, event: i, at: entry.at, verb: e.Verb, reason: reason, detail: detail,
	})
}

func (l *level) add(d level) {
	l.onHand += d.onHand
	l.held += d.held
	l.committed += d.committed
	l.safetyStock += d.safetyStock
	l.backorderLimit += d.backorderLimit
}
