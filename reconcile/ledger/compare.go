package ledger

import "github.com/holdfast/holdfast/cache"

// audited is what comparing needs beside the rows of a book, and what it leaves behind.
type audited struct {
	Open    []Refusal                 // as they were before the batch
	Refused map[string][]RefusedBirth // reservation -> births of which a step was refused, open or not

	Found    []Found
	Cleared  []Cleared
	Compared map[string]*Compared // audit -> how many
	Repaired []RepairedFinding
}

// RefusedBirth is a reservation's birth of which the ledger has refused a step.
type RefusedBirth struct {
	Birth string
	Open  bool
}

// auditFound is a finding of an audit.
type Found struct {
	Audit string
	Finding
}

// Cleared is what an audit had found, and is no more.
type Cleared struct{ Audit, Finding string }

// Compared is how many of each part an audit has compared.
type Compared struct{ Levels, Reservations, Limits, Deadlines int64 }

// RepairedFinding is a finding that an entry has repaired.
type RepairedFinding struct {
	Audit, Finding string
	Entry          EntryID
}

// comparison is one mark that is compared with the working copy.
type comparison struct {
	*WorkingSet
	mark *cache.Mark
	at   EntryID
	ex   *explained
}

// Compare compares what Redis had of some names with the ledger as it is at this place of the stream.
func (b *WorkingSet) Compare(entry *Entry, m *cache.Mark) {
	c := &comparison{WorkingSet: b, mark: m, at: entry.ID, ex: b.explain()}
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
	if m.How == cache.HowAgain {
		return
	}
	if b.Compared == nil {
		b.Compared = map[string]*Compared{}
	}
	n := b.Compared[m.Audit]
	if n == nil {
		n = &Compared{}
		b.Compared[m.Audit] = n
	}
	n.Levels += int64(len(m.Levels))
	n.Reservations += int64(len(m.Reservations))
	n.Limits += int64(len(m.Limits))
	n.Deadlines += int64(len(m.Deadlines))
}

// Note notes a finding, or that there is none, of the kinds that a name may have; one of another kind
// that was found before is gone.
func (c *comparison) Note(f *Finding, name string, kinds ...FindingKind) {
	if f != nil {
		c.Found = append(c.Found, Found{c.mark.Audit, *f})
	}
	if c.mark.How != cache.HowAgain {
		return
	}
	for _, kind := range kinds {
		if f == nil || f.Kind != kind {
			c.Cleared = append(c.Cleared, Cleared{c.mark.Audit, FindingID(kind, name)})
		}
	}
}

var levelKinds = []FindingKind{KindCounterDrift, KindLevelMissing, KindLevelUnknown}

func (c *comparison) level(l *cache.MarkedLevel) {
	sku, at, ok := cache.SplitLevel(l.Name)
	key := LevelKey{sku, at}
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
		c.Note(nil, l.Name, levelKinds...)
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
	f.Freeze()
	f.Note = f.whyFrozen()
	c.Note(&f, l.Name, levelKinds...)
}

// CountsOf is a level of the ledger as Redis should count it.
func CountsOf(l *Level) cache.LevelCounts {
	return cache.LevelCounts{
		Available: l.OnHand - l.Held - l.Committed - l.SafetyStock + l.BackorderLimit,
		OnHand:    l.OnHand, Committed: l.Committed, SafetyStock: l.SafetyStock, BackorderLimit: l.BackorderLimit,
	}
}

// largest is the largest of some changes, without its sign.
func largest(c cache.LevelCounts) (units int64) {
	for _, n := range []int64{c.Available, c.OnHand, c.Committed, c.SafetyStock, c.BackorderLimit} {
		units = max(units, n, -n)
	}
	return units
}

func (c *comparison) limit(l *cache.MarkedLimit) {
	key, ok := cache.SplitLimit(l.Name)
	want := int64(0)
	if ok {
		want = c.Limits[key] + c.ex.limits[key]
	}
	got, readable := l.Units.Count()
	readable = readable || !l.Units.There
	if readable && got == want && (ok || !l.Units.There) {
		c.Note(nil, l.Name, KindLimitDrift)
		return
	}
	f := FindingAt(KindLimitDrift, l.Name, c.at)
	f.Seen = seenOf(PartLimit, l.Name, l.Units)
	if f.Limit, f.Customer = key.Limit, key.Customer; !ok {
		f.Limit, f.Customer, f.Name = "", "", shownText(l.Name)
	}
	f.Ledger = &Side{Units: &want}
	if f.Redis = (&Side{Units: &got}); !readable {
		f.Redis = sideOfTexts(l.Units)
	}
	f.Units = max(got-want, want-got)
	c.Note(&f, l.Name, KindLimitDrift)
}
