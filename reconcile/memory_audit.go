package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// memoryAudits is what a Memory keeps of audits.
type memoryAudits struct {
	ended    string // the one that ended last
	audits   map[string]*Audit
	findings map[string]map[string]*AuditFinding // audit -> id -> finding
}

func newMemoryAudits() memoryAudits {
	return memoryAudits{audits: map[string]*Audit{}, findings: map[string]map[string]*AuditFinding{}}
}

// comparedLocked reads what is compared by its place, and the refusals that explain a difference; m.mu is
// held.
func (m *Memory) comparedLocked(b *book, t *touched) {
	for _, r := range t.ranges {
		for key, l := range m.levels {
			if compareLevels(key, r[0]) >= 0 && compareLevels(key, r[1]) <= 0 && b.levels[key] == nil {
				b.levels[key] = &l
			}
		}
	}
	b.open = m.openLocked(len(m.refusals))
	b.refused = map[string][]refusedBirth{}
	for _, r := range m.refusals {
		if known, there := m.reservations[r.step.ID]; there && !r.settled && b.reservations[r.step.ID] == nil {
			b.reservations[r.step.ID] = &known
		}
		if !r.step.Operation {
			b.refused[r.step.ID] = append(b.refused[r.step.ID], refusedBirth{r.step.Birth, !r.settled})
		}
	}
}

// auditedLocked writes what audits have found; m.mu is held.
func (m *Memory) auditedLocked(b *book) {
	for id, n := range b.compared {
		if a := m.audits.audits[id]; a != nil {
			a.add(*n)
		}
	}
	for i := range b.found {
		f := &b.found[i]
		if of := m.audits.findings[f.audit]; of != nil {
			of[f.ID] = &f.AuditFinding
		}
	}
	for _, c := range b.cleared {
		switch f := m.audits.findings[c.audit][c.finding]; {
		case f == nil:
		case f.Kind == KindUndecided:
			delete(m.audits.findings[c.audit], c.finding)
		case f.State == FindingOpen:
			f.State = FindingGone
		}
	}
	for _, r := range b.audited.repaired {
		if f := m.audits.findings[r.audit][r.finding]; f != nil {
			f.State, f.RepairedAt = FindingRepaired, r.entry.String()
		}
	}
}

// AgeAudit makes an audit look as if it was last heard of that much earlier. Tests use it.
func (m *Memory) AgeAudit(id string, by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audits.audits[id].SeenAt = m.audits.audits[id].SeenAt.Add(-by)
}

// Audit reads one.
func (m *Memory) Audit(_ context.Context, id string) (Audit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id == "" {
		id = m.audits.ended
	}
	a := m.audits.audits[id]
	if a == nil {
		return Audit{}, fmt.Errorf("audit %q: %w", id, cache.ErrNotFound)
	}
	out := *a
	for _, f := range m.audits.findings[id] {
		out.count(f)
	}
	return out, nil
}

// count counts a finding.
func (a *Audit) count(f *AuditFinding) {
	switch {
	case f.State == FindingRepaired:
		a.Repaired++
	case f.State == FindingOpen && f.Kind.Drift():
		a.Drift++
	case f.State == FindingOpen:
		a.Settled++
	}
}

// AuditFindings reads a page of findings.
func (m *Memory) AuditFindings(_ context.Context, id string, filter FindingFilter, limit int) ([]AuditFinding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []AuditFinding
	for _, key := range slices.Sorted(maps.Keys(m.audits.findings[id])) {
		f := m.audits.findings[id][key]
		if key > filter.After && len(list) < limit && (!filter.Open || f.State == FindingOpen) &&
			(len(filter.Kinds) == 0 || slices.Contains(filter.Kinds, f.Kind)) {
			list = append(list, *f)
		}
	}
	return list, nil
}

func (m *Memory) beginAudit(_ context.Context, a Audit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC()
	for _, lost := range m.audits.audits {
		if lost.State == AuditRunning && now.Sub(lost.SeenAt) > auditLost {
			lost.State, lost.Failure, lost.FinishedAt = AuditFailed, whyLost, lost.SeenAt
		}
	}
	a.State, a.StartedAt, a.SeenAt = AuditRunning, now, now
	m.audits.audits[a.ID], m.audits.findings[a.ID] = &a, map[string]*AuditFinding{}
	return nil
}

func (m *Memory) auditing(_ context.Context, id string, more compared) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audits.audits[id].SeenAt = time.Now().UTC()
	m.audits.audits[id].add(more)
	return nil
}

// add adds to what was compared.
func (a *Audit) add(n compared) {
	a.Levels += n.levels
	a.Reservations += n.reservations
	a.Limits += n.limits
	a.Deadlines += n.deadlines
}

func (m *Memory) endAudit(_ context.Context, id, failure string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.audits.audits[id]
	m.audits.ended = id
	a.State, a.Failure, a.FinishedAt = AuditDone, failure, time.Now().UTC()
	if failure != "" {
		a.State = AuditFailed
	}
	return nil
}

func (m *Memory) annotate(_ context.Context, audit string, findings []string, note string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range findings {
		if f := m.audits.findings[audit][id]; f != nil {
			f.Note = strings.TrimPrefix(f.Note+"; "+note, "; ")
		}
	}
	return nil
}

func (m *Memory) applied(context.Context) (cache.Position, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		return cache.Position{}, false, nil
	}
	return m.at.Position, true, nil
}

func (m *Memory) limitsAfter(_ context.Context, after cache.LimitKey, limit int) (list []cache.LimitKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range slices.SortedFunc(maps.Keys(m.limits), compareLimits) {
		if m.limits[key] != 0 && compareLimits(key, after) > 0 && len(list) < limit {
			list = append(list, key)
		}
	}
	return list, nil
}

func (m *Memory) live(_ context.Context, ids []string) (list []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if r, there := m.reservations[id]; there && !resolved(r.record.State) {
			list = append(list, id)
		}
	}
	return list, nil
}

func (m *Memory) unknownLevels(_ context.Context, keys []levelKey) (list []levelKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if _, there := m.levels[key]; !there {
			list = append(list, key)
		}
	}
	return list, nil
}

func (m *Memory) unknownLimits(_ context.Context, keys []cache.LimitKey) (list []cache.LimitKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if m.limits[key] == 0 {
			list = append(list, key)
		}
	}
	return list, nil
}

func (m *Memory) recordsOf(ctx context.Context, ids []string) (map[string]cache.Record, error) {
	return (&memorySession{m}).records(ctx, ids)
}

func (m *Memory) countLevels(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.levels)), nil
}

func (m *Memory) unitsOnHand(_ context.Context, s scope) (units int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, l := range m.levels {
		if s.has(key.sku, key.at) {
			units += l.onHand
		}
	}
	return units, nil
}

// examineItself compares levels with lines; a Memory keeps no movements.
func (m *Memory) examineItself(_ context.Context, audit string, s scope) error {
	m.examine(audit, func(k levelKey) bool { return s.has(k.sku, k.at) })
	return nil
}

func (m *Memory) examineLevels(_ context.Context, audit string, keys []levelKey) error {
	m.examine(audit, func(k levelKey) bool { return slices.Contains(keys, k) })
	return nil
}

// examine examines the levels that are chosen.
func (m *Memory) examine(audit string, chosen func(levelKey) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := map[levelKey]level{}
	for _, r := range m.reservations {
		for _, line := range r.record.Lines {
			for _, a := range line.From {
				l := lines[levelKey{line.SKU, a.Location}]
				switch r.record.State {
				case cache.StateHeld:
					l.held += a.Quantity
				case cache.StateConfirmed:
					l.committed += a.Quantity - a.Fulfilled
				}
				lines[levelKey{line.SKU, a.Location}] = l
			}
		}
	}
	for key, l := range m.levels {
		if sum := lines[key]; chosen(key) && (l.held != sum.held || l.committed != sum.committed) {
			f := findingAt(KindLedgerInconsistent, cache.LevelField(key.sku, key.at), entryID{})
			f.Position, f.SKU, f.Location = "", key.sku, key.at
			f.Ledger = sideOfLevel(l)
			f.Note = fmt.Sprintf("its lines add up to held %d, committed %d", sum.held, sum.committed)
			m.audits.findings[audit][f.ID] = &f
		}
	}
}

// sideOfLevel is a level as the ledger counts it.
func sideOfLevel(l level) *AuditSide {
	side := sideOfCounts(countsOf(&l))
	side.Held = &l.held
	return side
}

func (m *Memory) listSettled(_ context.Context, audit string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.refusals {
		if r.settled {
			continue
		}
		name := r.step.ID
		if r.step.Operation {
			name = "operation " + name
		}
		f := findingAt(KindOpenRefusal, name, entryID{})
		f.Position, f.Note = "", fmt.Sprintf("%s was refused: %s", r.verb, r.reason)
		if f.Reservation = r.step.ID; r.step.Operation {
			f.Reservation, f.Name = "", name
		}
		m.audits.findings[audit][f.ID] = &f
	}
	for _, q := range m.quarantined {
		name := fmt.Sprintf("%s/%d", q.entry, q.event)
		f := findingAt(KindQuarantined, name, entryID{})
		f.Position, f.Name, f.Note = "", name, q.reason
		m.audits.findings[audit][f.ID] = &f
	}
	return nil
}
