package reconcile

import (
	"slices"

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

// transition applies one transition of a reservation, or says why not. It applies only where the
// ledger's record has the same birth and the version and state it starts from.
func (b *book) transition(entry *entry, i int, e *cache.Event) (refusalReason, refusalDetail) {
	before, reason := b.follows(e)
	if reason != "" {
		return reason, refusalDetail{}
	}
	deltas, reason := b.deltas(before, e.Record)
	if reason != "" {
		return reason, refusalDetail{Shortages: b.shortages(before, e.Record)}
	}
	b.record(entry, i, e, deltas)
	return "", refusalDetail{}
}

// follows is the record that a transition starts from, or why it does not start from the ledger's.
func (b *book) follows(e *cache.Event) (before cache.Record, reason refusalReason) {
	known := b.reservations[e.ID]
	switch {
	case e.Verb == cache.VerbReserve && known != nil:
		return before, reasonKnown
	case e.Verb != cache.VerbReserve && known == nil:
		return before, reasonVersion
	case known != nil && known.record.Birth != e.Record.Birth:
		return before, reasonKnown
	case known != nil:
		before = known.record
	}
	if before.Version != e.VersionBefore || before.State != e.StateBefore || e.Record.Version != before.Version+1 {
		return before, reasonVersion
	}
	return before, ""
}

// record writes what a transition leaves behind.
func (b *book) record(entry *entry, i int, e *cache.Event, deltas []delta) {
	for _, d := range deltas {
		b.levels[d.key].add(d.level)
		b.movements = append(b.movements, movement{
			entry: entry.id, event: i, at: entry.at, key: d.key, delta: d.level, verb: e.Verb,
			reservation: e.ID, operation: e.Operation,
		})
	}
	known := b.reservations[e.ID]
	if known == nil {
		known = &reservation{extra: e.Extra, created: true}
		b.reservations[e.ID] = known
	}
	b.count(known.record.LimitCounts(), -1)
	b.count(e.Record.LimitCounts(), +1)
	known.rearranged = known.rearranged || !sameLines(known.record.Lines, e.Record.Lines)
	known.record, known.changed, known.at = e.Record, true, entry.at
}

// count adds to what purchase limits count.
func (b *book) count(counts map[cache.LimitKey]int64, sign int64) {
	for key, units := range counts {
		b.limits[key] += sign * units
		b.counted[key] = true
	}
}

// sameLines says whether units come from where they came from before.
func sameLines(a, b []cache.RecordLine) bool {
	return slices.EqualFunc(a, b, func(a, b cache.RecordLine) bool {
		return a.Line == b.Line && a.SKU == b.SKU && a.Requested == b.Requested && a.Returned == b.Returned &&
			slices.Equal(a.From, b.From)
	})
}

// compensate applies what undid a refusal in Redis: its reservation is there again as the ledger has
// it, or given back, under a higher version. Where the ledger has another reservation under that id,
// or none, nothing of it was ever counted here: only the refusal is settled.
func (b *book) compensate(entry *entry, i int, e *cache.Event) refusalReason {
	known := b.reservations[e.ID]
	if known != nil && known.record.Birth == e.Record.Birth {
		if e.Record.Version <= known.record.Version {
			return reasonVersion
		}
		deltas, reason := b.deltas(known.record, e.Record)
		if reason != "" {
			return reason
		}
		b.record(entry, i, e, deltas)
	}
	b.settle(settlement{step: e.Step(entry.nonce), at: entry.at})
	return ""
}

// settle notes that refusals are undone: those of this batch so far, and those before it.
func (b *book) settle(s settlement) {
	for i := range b.refusals {
		if r := &b.refusals[i]; r.settledAt == 0 && s.settles(r.step) {
			r.settledAt = s.at
		}
	}
	b.settled = append(b.settled, s)
}

// settles says whether a refused step is undone.
func (s settlement) settles(step cache.Step) bool {
	return s.step.Operation == step.Operation && s.step.ID == step.ID && s.step.Birth == step.Birth &&
		step.Version < s.step.Version
}

// settlement says that the refusals of a reservation below the version of step, or of an operation,
// are undone.
type settlement struct {
	step cache.Step
	at   int64 // Unix ms
}

type delta struct {
	key levelKey
	level
}

// deltas is what it changes of each level that a reservation goes from before to after, in the order
// of its lines; or why it may not.
func (b *book) deltas(before, after cache.Record) ([]delta, refusalReason) {
	var list []delta
	index := map[levelKey]int{}
	add := func(r cache.Record, sign int64) {
		for _, line := range r.Lines {
			for _, a := range line.From {
				key := levelKey{line.SKU, a.Location}
				at, seen := index[key]
				if !seen {
					at = len(list)
					index[key] = at
					list = append(list, delta{key: key})
				}
				switch d := &list[at]; r.State {
				case cache.StateHeld:
					d.held += sign * a.Quantity
				case cache.StateConfirmed:
					d.committed += sign * (a.Quantity - a.Fulfilled)
				}
				list[at].onHand -= sign * a.Fulfilled
			}
		}
	}
	add(before, -1)
	add(after, +1)
	moved := list[:0]
	for _, d := range list {
		if d.level == (level{}) {
			continue
		}
		l := b.levels[d.key]
		if l == nil {
			return nil, reasonUnknown
		}
		next := *l
		next.add(d.level)
		switch {
		case next.onHand < 0 || next.held < 0 || next.committed < 0:
			return nil, reasonNegative
		case d.committed > 0 && next.committed > next.onHand+next.backorderLimit:
			return nil, reasonOversold
		}
		moved = append(moved, d)
	}
	return moved, ""
}

// shortages lists the lines for which the ledger lacks units to commit or to let go, as far as the
// lines before them left any.
func (b *book) shortages(before, after cache.Record) []cache.Shortage {
	var short []cache.Shortage
	taken := map[levelKey]int64{}
	for i, line := range after.Lines {
		var asked, lacking int64
		for j, a := range line.From {
			key := levelKey{line.SKU, a.Location}
			units, there := a.Quantity-a.Fulfilled, int64(0)
			l := b.levels[key]
			switch {
			case l == nil:
			case before.State == cache.StateConfirmed: // units leave
				units = a.Fulfilled - fulfilledBefore(before, i, j)
				there = l.onHand
			default:
				there = l.onHand + l.backorderLimit - l.committed
			}
			there = max(0, there-taken[key])
			taken[key] += units
			asked += units
			lacking += max(0, units-there)
		}
		if lacking > 0 {
			short = append(short, cache.Shortage{Line: line.Line, SKU: line.SKU, Requested: asked, Available: asked - lacking})
		}
	}
	return short
}

func fulfilledBefore(before cache.Record, line, allocation int) int64 {
	if line < len(before.Lines) && allocation < len(before.Lines[line].From) {
		return before.Lines[line].From[allocation].Fulfilled
	}
	return 0
}

func (l *level) add(d level) {
	l.onHand += d.onHand
	l.held += d.held
	l.committed += d.committed
	l.safetyStock += d.safetyStock
	l.backorderLimit += d.backorderLimit
}

// adjust applies one operation, or says why not.
func (b *book) adjust(entry *entry, i int, e *cache.Event) (refusalReason, refusalDetail) {
	deltas := e.Deltas()
	if b.operations[e.ID] {
		return reasonKnown, refusalDetail{Levels: deltas}
	}
	after := map[levelKey]int64{}
	for _, d := range deltas {
		key := levelKey{d.SKU, d.Location}
		units, seen := after[key]
		if l := b.levels[key]; l != nil && !seen {
			units = l.onHand
		}
		after[key] = units + d.OnHand
		if after[key] < 0 {
			short := cache.Shortage{SKU: d.SKU, Requested: -d.OnHand, Available: units}
			return reasonNegative, refusalDetail{Levels: deltas, Shortages: []cache.Shortage{short}}
		}
	}
	for n, d := range deltas {
		key, verb := levelKey{d.SKU, d.Location}, e.Verb
		if e.Levels[n].Counted {
			verb = verbCount
		}
		l := b.levels[key]
		if l == nil {
			l = &level{}
			b.levels[key] = l
		}
		change := level{onHand: d.OnHand, safetyStock: d.SafetyStock, backorderLimit: d.BackorderLimit}
		l.add(change)
		b.moved(entry, i, e, verb, key, change)
	}
	b.operate(entry, e, e.ID)
	return "", refusalDetail{}
}
