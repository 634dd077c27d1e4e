package ledger

import "github.com/holdfast/holdfast/internal/wire"

// RefusedNonce is a creation nonce of a reservation with a refused step.
type RefusedNonce struct {
	Nonce string
	Open  bool // the step is not undone yet
}

// Found is a finding and its audit.
type Found struct {
	Audit string
	Finding
}

// Cleared is the id of a finding that is gone, and its audit.
type Cleared struct{ Audit, Finding string }

// Compared counts what an audit has compared.
type Compared struct{ Levels, Reservations, Limits, Deadlines int64 }

// Add adds n.
func (c *Compared) Add(n Compared) {
	c.Levels += n.Levels
	c.Reservations += n.Reservations
	c.Limits += n.Limits
	c.Deadlines += n.Deadlines
}

// RepairedFinding is a finding that an entry has repaired.
type RepairedFinding struct {
	Audit, Finding string
	Entry          EntryID
}

// comparison compares one checkpoint with the working set.
type comparison struct {
	*WorkingSet
	checkpoint *wire.Checkpoint
	at         EntryID
	ex         *expected
}

// compare compares a checkpoint of Redis with the ledger as it is at this place of the stream.
func (w *WorkingSet) compare(entry *Entry, m *wire.Checkpoint) {
	c := &comparison{WorkingSet: w, checkpoint: m, at: entry.ID, ex: w.expected()}
	for i := range m.Levels {
		c.level(&m.Levels[i])
	}
	for i := range m.Reservations {
		c.reservation(&m.Reservations[i])
	}
	for i := range m.Limits {
		c.limit(&m.Limits[i])
	}
	for i := range m.Deadlines {
		c.deadline(&m.Deadlines[i])
	}
	if m.How != wire.HowAgain {
		n := w.Compared[m.Audit]
		n.Add(Compared{int64(len(m.Levels)), int64(len(m.Reservations)), int64(len(m.Limits)), int64(len(m.Deadlines))})
		w.Compared[m.Audit] = n
	}
}

// note notes the finding of a name, or nil for none. kinds are those that the name may have. If the
// audit looks at the name again, its findings of the other kinds are gone.
func (c *comparison) note(f *Finding, name string, kinds ...FindingKind) {
	if f != nil {
		c.Found = append(c.Found, Found{c.checkpoint.Audit, *f})
	}
	if c.checkpoint.How != wire.HowAgain {
		return
	}
	for _, kind := range kinds {
		if f == nil || f.Kind != kind {
			c.Cleared = append(c.Cleared, Cleared{c.checkpoint.Audit, FindingID(kind, name)})
		}
	}
}

// levelKinds are the kinds of findings of a level.
var levelKinds = []FindingKind{KindCounterDrift, KindLevelMissing, KindLevelUnknown}

func (c *comparison) level(l *wire.CheckpointLevel) {
	sku, at, ok := wire.SplitLevel(l.Name)
	key := LevelKey{SKU: sku, Location: at}
	want, explains := c.ex.levels[key]
	there := ok && c.Levels[key] != nil
	if there {
		want = SumCounts(want, CountsOf(c.Levels[key]), +1)
	}
	got, readable := l.Numbers()
	var kind FindingKind
	switch {
	case (!there && !explains || c.ex.removed[key]) && !l.Available.There && !l.Counts.There:
	case !there && !explains:
		kind = KindLevelUnknown
	case !l.Available.There || !l.Counts.There:
		kind = KindLevelMissing
	case !readable || got != want:
		kind = KindCounterDrift
	}
	if kind == "" {
		c.note(nil, l.Name, levelKinds...)
		return
	}
	f := FindingAt(kind, l.Name, c.at)
	f.ofLevel(l.Name)
	f.Seen = seenOf(PartLevel, l.Name, l.Available, l.Counts)
	switch {
	case readable:
		f.Redis = sideOfCounts(got)
	case l.Available.There || l.Counts.There:
		f.Redis = sideOfTexts(l.Available, l.Counts)
	}
	if kind != KindLevelUnknown {
		f.Ledger = sideOfCounts(want)
	}
	f.Units = largest(SumCounts(got, want, -1))
	f.SetFrozen()
	f.Note = f.frozenNote()
	c.note(&f, l.Name, levelKinds...)
}

// largest returns the largest change, without its sign.
func largest(c wire.LevelCounts) (units int64) {
	for _, n := range []int64{c.Available, c.OnHand, c.Committed, c.SafetyStock, c.BackorderLimit} {
		units = max(units, n, -n)
	}
	return units
}

func (c *comparison) limit(l *wire.CheckpointLimit) {
	key, ok := wire.SplitLimit(l.Name)
	want := int64(0)
	if ok {
		want = c.Limits[key] + c.ex.limits[key]
	}
	got, readable := l.Units.Count()
	readable = readable || !l.Units.There
	if readable && got == want && (ok || !l.Units.There) {
		c.note(nil, l.Name, KindLimitDrift)
		return
	}
	f := FindingAt(KindLimitDrift, l.Name, c.at)
	f.Seen = seenOf(PartLimit, l.Name, l.Units)
	if f.Limit, f.Customer = key.Limit, key.Identity; !ok {
		f.Limit, f.Customer, f.Name = "", "", shownText(l.Name)
	}
	f.Ledger = &Side{Units: &want}
	if f.Redis = (&Side{Units: &got}); !readable {
		f.Redis = sideOfTexts(l.Units)
	}
	f.Units = max(got-want, want-got)
	c.note(&f, l.Name, KindLimitDrift)
}
