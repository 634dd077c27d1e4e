package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// The verbs of an audit: what Redis has of some names, and what was repaired of it.
const (
	VerbAudit  Verb = "audit"
	VerbRepair Verb = "repair"
)

// Mark is what Redis has of some names, read in one step, as an event of the stream: what stands before it
// there has been done, and nothing that stands behind it.
type Mark struct {
	Audit        string // id of the audit that asked
	How          How
	Levels       []MarkedLevel
	Reservations []MarkedReservation
	Limits       []MarkedLimit
	Deadlines    []MarkedDeadline

	sizes [4]int64 // of the four
}

// How says how an audit looks.
type How string

// The ways to look; "" is once.
const (
	HowAgain How = "again" // at what was found before
	HowRange How = "range" // at all levels of the ledger from the first to the last
)

// Text is a text of any bytes that Redis has, or has not.
type Text struct {
	There bool
	Text  string
}

// MarkedLevel is a field of stock and levels.
type MarkedLevel struct {
	Name      string // SKU and location; whatever the field is called
	Available Text
	Counts    Text
}

// MarkedReservation is a field of reservations.
type MarkedReservation struct {
	ID      string
	Record  Text
	Watched Text // "0" where it is held and its deadline is not among the deadlines, "1" where it is
}

// MarkedLimit is a field of limits.
type MarkedLimit struct {
	Name  string
	Units Text
}

// MarkedDeadline is a member of deadlines.
type MarkedDeadline struct {
	Member string
	Score  Text // not there: the member has gone
	Lost   Text // those of its ids that Redis has no record of, joined as the member is
}

// Repaired is what a repair has changed.
type Repaired struct {
	Audit string
	Items []RepairedItem
}

// RepairedItem is one thing that was changed.
type RepairedItem struct {
	Word    string // of the item, as the script takes it
	Finding string
	Name    string // of the level, limit or reservation
	Added   LevelCounts
}

// LevelCounts is what Redis counts of a level, units.
type LevelCounts struct {
	Available, OnHand, Committed, SafetyStock, BackorderLimit int64
}

// decodeData reads the texts that go with an audit or a repair; of any other event there are none.
func (e *Event) decodeData(data any) error {
	text, _ := data.(string)
	d := dataReader{rest: text}
	switch {
	case e.Mark != nil:
		e.Mark.decode(&d)
	case e.Repaired != nil:
		e.Repaired.decode(&d)
	default:
		return nil
	}
	if d.failed || d.rest != "" {
		return fmt.Errorf("data of %s: %w", e.Verb, ErrCorrupt)
	}
	return nil
}

func (m *Mark) decode(d *dataReader) {
	each := func(size int64, take func()) {
		for i := int64(0); i < size && !d.failed; i++ {
			take()
		}
	}
	each(m.sizes[0], func() { m.Levels = append(m.Levels, MarkedLevel{d.text().Text, d.text(), d.text()}) })
	each(m.sizes[1], func() {
		m.Reservations = append(m.Reservations, MarkedReservation{d.text().Text, d.text(), d.text()})
	})
	each(m.sizes[2], func() { m.Limits = append(m.Limits, MarkedLimit{d.text().Text, d.text()}) })
	each(m.sizes[3], func() { m.Deadlines = append(m.Deadlines, MarkedDeadline{d.text().Text, d.text(), d.text()}) })
}

func (r *Repaired) decode(d *dataReader) {
	for d.rest != "" && !d.failed {
		item := RepairedItem{Word: d.text().Text, Finding: d.text().Text, Name: d.text().Text}
		if item.Word == WordAdd {
			item.Added = LevelCounts{d.number(), d.number(), d.number(), d.number(), d.number()}
		}
		r.Items = append(r.Items, item)
	}
}

// dataReader reads texts of any bytes: each its length, a colon and itself; a dash is one that is missing.
type dataReader struct {
	rest   string
	failed bool
}

func (d *dataReader) text() Text {
	if rest, missing := strings.CutPrefix(d.rest, "-"); missing {
		d.rest = rest
		return Text{}
	}
	length, rest, ok := strings.Cut(d.rest, ":")
	n, err := strconv.Atoi(length)
	if !ok || err != nil || n < 0 || n > len(rest) {
		d.failed, d.rest = true, ""
		return Text{}
	}
	d.rest = rest[n:]
	return Text{true, rest[:n]}
}

func (d *dataReader) number() int64 {
	n, err := strconv.ParseInt(d.text().Text, 10, 64)
	if err != nil {
		d.failed = true
	}
	return n
}

// countBound is what every count is below, without its sign: to the scripts what is larger is no whole
// number, as they count in doubles.
const countBound = 1_000_000_000_000_000

// Count reads a number as a script does; ok is false where that would take it for none.
func (t Text) Count() (n int64, ok bool) {
	n, err := strconv.ParseInt(t.Text, 10, 64)
	if err != nil || n <= -countBound || n >= countBound {
		return 0, false
	}
	return n, t.There
}

// Numbers reads a level; ok is false where something is missing or no whole number. What is none is 0.
func (l *MarkedLevel) Numbers() (c LevelCounts, ok bool) {
	units, counts := FieldReader{Rest: l.Available.Text}, FieldReader{Rest: l.Counts.Text}
	c = LevelCounts{
		Available: units.count(), OnHand: counts.count(), Committed: counts.count(),
		SafetyStock: counts.count(), BackorderLimit: counts.count(),
	}
	return c, l.Available.There && l.Counts.There && !units.Failed && units.End && !counts.Failed
}

// count is a number as Count has it.
func (f *FieldReader) count() int64 {
	n, ok := Text{true, f.Text()}.Count()
	f.Failed = f.Failed || !ok
	return n
}

// SplitLevel is the inverse of LevelField; ok is false for a field that is no level.
func SplitLevel(name string) (sku location.SKU, at location.ID, ok bool) {
	sku, at, ok = CutLevel(name)
	return sku, at, ok && location.IsIdentifier(string(sku)) && location.IsIdentifier(string(at))
}

// SplitLimit is what a field of limits counts; ok is false for one that is none.
func SplitLimit(name string) (key LimitKey, ok bool) {
	limit, customer, ok := strings.Cut(name, UnitSeparator)
	return LimitKey{limit, customer}, ok && location.IsIdentifier(limit) && location.IsIdentifier(customer)
}

// DeadlineIDs is the ids that are packed into a member of deadlines.
func DeadlineIDs(member string) []string { return strings.Split(member, UnitSeparator) }

// The words of a repair's items.
const (
	WordAdd    = "add"
	WordSet    = "set"
	WordRecord = "record"
	WordLimit  = "limit"
	WordReset  = "reset"
	WordWatch  = "watch"
	WordForget = "forget"
)
