package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// memoryAudits is what a Memory keeps of audits.
type audits struct {
	ended    string // the one that ended last
	audits   map[string]*ledger.Audit
	findings map[string]map[string]*ledger.Finding // audit -> id -> finding
}

func newAudits() audits {
	return audits{audits: map[string]*ledger.Audit{}, findings: map[string]map[string]*ledger.Finding{}}
}

// comparedLocked reads what is compared by its place, and the refusals that explain a difference; m.mu is
// held.
func (m *Ledger) comparedLocked(b *ledger.WorkingSet, t *ledger.Touched) {
	for _, r := range t.Ranges {
		for key, l := range m.levels {
			if ledger.CompareLevels(key, r[0]) >= 0 && ledger.CompareLevels(key, r[1]) <= 0 && b.Levels[key] == nil {
				b.Levels[key] = &l
			}
		}
	}
	b.Open = m.openLocked(len(m.refusals))
	b.Refused = map[string][]ledger.RefusedBirth{}
	for _, r := range m.refusals {
		if known, there := m.reservations[r.Step.ID]; there && !r.settled && b.Reservations[r.Step.ID] == nil {
			b.Reservations[r.Step.ID] = &known
		}
		if !r.Step.Operation {
			b.Refused[r.Step.ID] = append(b.Refused[r.Step.ID], ledger.RefusedBirth{Birth: r.Step.Birth, Open: !r.settled})
		}
	}
}

// auditedLocked writes what audits have found; m.mu is held.
func (m *Ledger) auditedLocked(b *ledger.WorkingSet) {
	for id, n := range b.Compared {
		if a := m.audits.audits[id]; a != nil {
			a.Add(*n)
		}
	}
	for i := range b.Found {
		f := &b.Found[i]
		if of := m.audits.findings[f.Audit]; of != nil {
			of[f.ID] = &f.Finding
		}
	}
	for _, c := range b.Cleared {
		switch f := m.audits.findings[c.Audit][c.Finding]; {
		case f == nil:
		case f.Kind == ledger.KindUndecided:
			delete(m.audits.findings[c.Audit], c.Finding)
		case f.State == ledger.FindingOpen:
			f.State = ledger.FindingGone
		}
	}
	for _, r := range b.Repaired {
		if f := m.audits.findings[r.Audit][r.Finding]; f != nil {
			f.State, f.RepairedAt = ledger.FindingRepaired, r.Entry.String()
		}
	}
}

// AgeAudit makes an audit look as if it was last heard of that much earlier. Tests use it.
func (m *Ledger) AgeAudit(id string, by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audits.audits[id].SeenAt = m.audits.audits[id].SeenAt.Add(-by)
}

// Audit reads one.
func (m *Ledger) Audit(_ context.Context, id string) (ledger.Audit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id == "" {
		id = m.audits.ended
	}
	a := m.audits.audits[id]
	if a == nil {
		return ledger.Audit{}, fmt.Errorf("audit %q: %w", id, cache.ErrNotFound)
	}
	out := *a
	for _, f := range m.audits.findings[id] {
		out.Count(f)
	}
	return out, nil
}

// AuditFindings reads a page of findings.
func (m *Ledger) AuditFindings(_ context.Context, id string, filter ledger.FindingFilter, limit int) ([]ledger.Finding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []ledger.Finding
	for _, key := range slices.Sorted(maps.Keys(m.audits.findings[id])) {
		f := m.audits.findings[id][key]
		if key > filter.After && len(list) < limit && (!filter.Open || f.State == ledger.FindingOpen) &&
			(len(filter.Kinds) == 0 || slices.Contains(filter.Kinds, f.Kind)) {
			list = append(list, *f)
		}
	}
	return list, nil
}

func (m *Ledger) BeginAudit(_ context.Context, a ledger.Audit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC()
	for _, lost := range m.audits.audits {
		if lost.State == ledger.AuditRunning && now.Sub(lost.SeenAt) > ledger.AuditLost {
			lost.State, lost.Failure, lost.FinishedAt = ledger.AuditFailed, ledger.WhyLost, lost.SeenAt
		}
	}
	a.State, a.StartedAt, a.SeenAt = ledger.AuditRunning, now, now
	m.audits.audits[a.ID], m.audits.findings[a.ID] = &a, map[string]*ledger.Finding{}
	return nil
}

func (m *Ledger) Auditing(_ context.Context, id string, more ledger.Compared) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audits.audits[id].SeenAt = time.Now().UTC()
	m.audits.audits[id].Add(more)
	return nil
}

func (m *Ledger) EndAudit(_ context.Context, id, failure string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.audits.audits[id]
	m.audits.ended = id
	a.State, a.Failure, a.FinishedAt = ledger.AuditDone, failure, time.Now().UTC()
	if failure != "" {
		a.State = ledger.AuditFailed
	}
	return nil
}

func (m *Ledger) Annotate(_ context.Context, audit string, findings []string, note string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range findings {
		if f := m.audits.findings[audit][id]; f != nil {
			f.Note = strings.TrimPrefix(f.Note+"; "+note, "; ")
		}
	}
	return nil
}

func (m *Ledger) Live(_ context.Context, ids []string) (list []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if r, there := m.reservations[id]; there && !ledger.Resolved(r.Record.State) {
			list = append(list, id)
		}
	}
	return list, nil
}

func (m *Ledger) UnknownLevels(_ context.Context, keys []ledger.LevelKey) (list []ledger.LevelKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if _, there := m.levels[key]; !there {
			list = append(list, key)
		}
	}
	return list, nil
}

func (m *Ledger) UnknownLimits(_ context.Context, keys []cache.LimitKey) (list []cache.LimitKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if m.limits[key] == 0 {
			list = append(list, key)
		}
	}
	return list, nil
}

// Totals counts levels and their units on hand.
func (m *Ledger) Totals(_ context.Context, s ledger.Scope) (levels, onHand int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, l := range m.levels {
		if s.Has(key.SKU, key.Location) {
			levels++
			onHand += l.OnHand
		}
	}
	return levels, onHand, nil
}

// ExamineItself compares levels with lines. A memory ledger keeps no movements.
func (m *Ledger) ExamineItself(_ context.Context, audit string, s ledger.Scope, keys ...ledger.LevelKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := map[ledger.LevelKey]ledger.Level{}
	for _, r := range m.reservations {
		for _, line := range r.Record.Lines {
			for _, a := range line.From {
				l := lines[ledger.LevelKey{SKU: line.SKU, Location: a.Location}]
				switch r.Record.State {
				case cache.StateHeld:
					l.Held += a.Quantity
				case cache.StateConfirmed:
					l.Committed += a.Quantity - a.Fulfilled
				}
				lines[ledger.LevelKey{SKU: line.SKU, Location: a.Location}] = l
			}
		}
	}
	for key, l := range m.levels {
		chosen := s.Has(key.SKU, key.Location) && (len(keys) == 0 || slices.Contains(keys, key))
		if sum := lines[key]; chosen && (l.Held != sum.Held || l.Committed != sum.Committed) {
			f := ledger.FindingAt(ledger.KindLedgerInconsistent, cache.LevelField(key.SKU, key.Location), ledger.EntryID{})
			f.Position, f.SKU, f.Location = "", key.SKU, key.Location
			f.Ledger = ledger.SideOfLevel(l)
			f.Note = fmt.Sprintf("its lines add up to held %d, committed %d", sum.Held, sum.Committed)
			m.audits.findings[audit][f.ID] = &f
		}
	}
	return nil
}

func (m *Ledger) ListSettled(_ context.Context, audit string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.refusals {
		if r.settled {
			continue
		}
		name := r.Step.ID
		if r.Step.Operation {
			name = "operation " + name
		}
		f := ledger.FindingAt(ledger.KindOpenRefusal, name, ledger.EntryID{})
		f.Position, f.Note = "", fmt.Sprintf("%s was refused: %s", r.Verb, r.Reason)
		if f.Reservation = r.Step.ID; r.Step.Operation {
			f.Reservation, f.Name = "", name
		}
		m.audits.findings[audit][f.ID] = &f
	}
	for _, q := range m.quarantined {
		name := fmt.Sprintf("%s/%d", q.Entry, q.Event)
		f := ledger.FindingAt(ledger.KindQuarantined, name, ledger.EntryID{})
		f.Position, f.Name, f.Note = "", name, q.Reason
		m.audits.findings[audit][f.ID] = &f
	}
	return nil
}
