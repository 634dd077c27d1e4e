package reconcile

import "github.com/holdfast/holdfast/cache"

// audited is what comparing needs beside the rows of a book, and what it leaves behind.
type audited struct {
	open    []refusal                 // as they were before the batch
	refused map[string][]refusedBirth // reservation -> births of which a step was refused, open or not

	found    []auditFound
	cleared  []cleared
	compared map[string]*compared // audit -> how many
	repaired []repairedFinding
}

// refusedBirth is a reservation's birth of which the ledger has refused a step.
type refusedBirth struct {
	birth string
	open  bool
}

// auditFound is a finding of an audit.
type auditFound struct {
	audit string
	AuditFinding
}

// cleared is what an audit had found, and is no more.
type cleared struct{ audit, finding string }

// compared is how many of each part an audit has compared.
type compared struct{ levels, reservations, limits, deadlines int64 }

// repairedFinding is a finding that an entry has repaired.
type repairedFinding struct {
	audit, finding string
	entry          entryID
}

// comparison is one mark that is compared with the working copy.
type comparison struct {
	*book
	mark *cache.Mark
	at   entryID
	ex   *explained
}

// compare compares what Redis had of some names with the ledger as it is at this place of the stream.
func (b *book) compare(entry *entry, m *cache.Mark) {
	c := &comparison{book: b, mark: m, at: entry.id, ex: b.explain()}
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
	if b.compared == nil {
		b.compared = map[string]*compared{}
	}
	n := b.compared[m.Audit]
	if n == nil {
		n = &compared{}
		b.compared[m.Audit] = n
	}
	n.levels += int64(len(m.Levels))
	n.reservations += int64(len(m.Reservations))
	n.limits += int64(len(m.Limits))
	n.deadlines += int64(len(m.Deadlines))
}

// note notes a finding, or that there is none, of the kinds that a name may have; one of another kind
// that was found before is gone.
func (c *comparison) note(f *AuditFinding, name string, kinds ...FindingKind) {
	if f != nil {
		c.found = append(c.found, auditFound{c.mark.Audit, *f})
	}
	if c.mark.How != cache.HowAgain {
		return
	}
	for _, kind := range kinds {
		if f == nil || f.Kind != kind {
			c.cleared = append(c.cleared, cleared{c.mark.Audit, findingID(kind, name)})
		}
	}
}

var levelKinds = []FindingKind{KindCounterDrift, KindLevelMissing, KindLevelUnknown}

func (c *comparison) level(l *cache.MarkedLevel) {
	sku, at, ok := cache.SplitLevel(l.Name)
	key := levelKey{sku, at}
	want, explains := c.ex.levels[key]
	there := ok && c.levels[key] != nil
	if there {
		want = sumCounts(want, countsOf(c.levels[key]), +1)
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
	f := findingAt(kind, l.Name, c.at)
	f.ofLevel(l.Name)
	f.seen = seenOf(partLevel, l.Name, l.Available, l.Counts)
	switch {
	case readable:
		f.Redis = sideOfCounts(got)
	case l.Available.There || l.Counts.There:
		f.Redis = sideOfTexts(l.Available, l.Counts)
	}
	if kind != KindLevelUnknown {
		f.Ledger = sideOfCounts(want)
	}
	f.Units = largest(sumCounts(got, want, -1))
	f.freeze()
	f.Note = f.whyFrozen()
	c.note(&f, l.Name, levelKinds...)
}

// countsOf is a level of the ledger as Redis should count it.
func countsOf(l *level) cache.LevelCounts {
	return cache.LevelCounts{
		Available: l.onHand - l.held - l.committed - l.safetyStock + l.backorderLimit,
		OnHand:    l.onHand, Committed: l.committed, SafetyStock: l.safetyStock, BackorderLimit: l.backorderLimit,
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
		want = c.limits[key] + c.ex.limits[key]
	}
	got, readable := l.Units.Count()
	readable = readable || !l.Units.There
	if readable && got == want && (ok || !l.Units.There) {
		c.note(nil, l.Name, KindLimitDrift)
		return
	}
	f := findingAt(KindLimitDrift, l.Name, c.at)
	f.seen = seenOf(partLimit, l.Name, l.Units)
	if f.Limit, f.Customer = key.Limit, key.Customer; !ok {
		f.Limit, f.Customer, f.Name = "", "", shownText(l.Name)
	}
	f.Ledger = &AuditSide{Units: &want}
	if f.Redis = (&AuditSide{Units: &got}); !readable {
		f.Redis = sideOfTexts(l.Units)
	}
	f.Units = max(got-want, want-got)
	c.note(&f, l.Name, KindLimitDrift)
}
