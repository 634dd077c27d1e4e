package wire

import "strconv"

// Checkpoint is an event of an audit, with the values of some names in Redis. A script reads all of
// them in one step, after every entry before this one in the stream and before every entry after
// it.
type Checkpoint struct {
	Audit        string // id of the audit that asked
	How          How
	Levels       []CheckpointLevel
	Reservations []CheckpointReservation
	Limits       []CheckpointLimit
	Deadlines    []CheckpointDeadline

	sizes [4]int64 // of the four lists
}

// How says what an audit looks at. "" is a first look at some names.
type How string

// The other ways to look.
const (
	HowAgain How = "again" // a second look at findings
	HowRange How = "range" // at all levels that the ledger has, from the first to the last
)

// CheckpointLevel is a field of stock and levels.
type CheckpointLevel struct {
	Name      string // SKU and location, or any other text that Redis has as a field
	Available Text
	Counts    Text
}

// CheckpointReservation is a field of reservations.
type CheckpointReservation struct {
	ID      string
	Record  Text
	Watched Text // only of a held reservation: "1" if its deadline is among the deadlines, else "0"
}

// CheckpointLimit is a field of limits.
type CheckpointLimit struct {
	Name  string
	Units Text
}

// CheckpointDeadline is a member of deadlines.
type CheckpointDeadline struct {
	Member string
	Score  Text // missing if the member has gone
	Lost   Text // the ids of the member that have no record, joined as in the member
}

// LevelCounts is what Redis counts of a level, in units.
type LevelCounts struct {
	Available, OnHand, Committed, SafetyStock, BackorderLimit int64
}

// Numbers reads the counts of a level. ok is false if one is missing or not a whole number. Such a
// count is 0.
func (l *CheckpointLevel) Numbers() (c LevelCounts, ok bool) {
	units, counts := FieldReader{Rest: l.Available.Text}, FieldReader{Rest: l.Counts.Text}
	c = LevelCounts{
		Available: units.count(), OnHand: counts.count(), Committed: counts.count(),
		SafetyStock: counts.count(), BackorderLimit: counts.count(),
	}
	return c, l.Available.There && l.Counts.There && !units.Failed && units.End && !counts.Failed
}

// count reads the next field as Text.Count does.
func (f *FieldReader) count() int64 {
	n, ok := Text{true, f.Text()}.Count()
	f.Failed = f.Failed || !ok
	return n
}

// countBound is above the absolute value of every count. The scripts count in doubles, and take a
// larger number for none.
const countBound = 1_000_000_000_000_000

// Count reads a whole number as the scripts do. ok is false if they would not take it for one.
func (t Text) Count() (n int64, ok bool) {
	n, err := strconv.ParseInt(t.Text, 10, 64)
	if err != nil || n <= -countBound || n >= countBound {
		return 0, false
	}
	return n, t.There
}

func (m *Checkpoint) decode(r *textReader) {
	each := func(size int64, take func()) {
		for i := int64(0); i < size && !r.failed; i++ {
			take()
		}
	}
	each(m.sizes[0], func() { m.Levels = append(m.Levels, CheckpointLevel{r.text().Text, r.text(), r.text()}) })
	each(m.sizes[1], func() {
		m.Reservations = append(m.Reservations, CheckpointReservation{r.text().Text, r.text(), r.text()})
	})
	each(m.sizes[2], func() { m.Limits = append(m.Limits, CheckpointLimit{r.text().Text, r.text()}) })
	each(m.sizes[3], func() { m.Deadlines = append(m.Deadlines, CheckpointDeadline{r.text().Text, r.text(), r.text()}) })
}
