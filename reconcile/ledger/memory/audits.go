package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// audits has the audits of a ledger, and their findings.
type audits struct {
	ended    string // id of the one that ended last
	audits   map[string]*ledger.Audit
	findings map[string]map[string]*ledger.Finding // audit -> id -> finding
}

func newAudits() audits {
	return audits{audits: map[string]*ledger.Audit{}, findings: map[string]map[string]*ledger.Finding{}}
}

// comparedLocked adds to a working set what an audit needs: the levels of ranges, and the refusals
// that may explain a difference, with their reservations; m.mu is held.
func (m *Ledger) comparedLocked(set *ledger.WorkingSet, t *ledger.RowKeys) {
	for _, r := range t.Ranges {
		for key, l := range m.levels {
			if ledger.CompareLevels(key, r[0]) >= 0 && ledger.CompareLevels(key, r[1]) <= 0 && set.Levels[key] == nil {
				set.Levels[key] = &l
			}
		}
	}
	set.Open = m.openLocked(len(m.refusals))
	set.Refused = map[string][]ledger.RefusedNonce{}
	for _, r := range m.refusals {
		if known, there := m.reservations[r.Step.ID]; there && !r.settled && set.Reservations[r.Step.ID] == nil {
			set.Reservations[r.Step.ID] = &known
		}
		if !r.Step.Operation {
			set.Refused[r.Step.ID] = append(set.Refused[r.Step.ID], ledger.RefusedNonce{Nonce: r.Step.CreationNonce, Open: !r.settled})
		}
	}
}

// auditedLocked writes the findings of audits; m.mu is held.
func (m *Ledger) auditedLocked(set *ledger.WorkingSet) {
	for id, n := range set.Compared {
		if a := m.audits.audits[id]; a != nil {
			a.Add(n)
		}
	}
	for i := range set.Found {
		f := &set.Found[i]
		if of := m.audits.findings[f.Audit]; of != nil {
			of[f.ID] = &f.Finding
		}
	}
	for _, c := range set.Cleared {
		switch f := m.audits.findings[c.Audit][c.Finding]; {
		case f == nil:
		case f.Kind == ledger.KindUndecided:
			delete(m.audits.findings[c.Audit], c.Finding)
		case f.State == ledger.FindingOpen:
			f.State = ledger.FindingGone
		}
	}
	for _, r := range set.Repaired {
		if f := m.audits.findings[r.Audit][r.Finding]; f != nil {
			f.State, f.RepairedAt = ledger.FindingRepaired, r.Entry.String()
		}
	}
}

// AgeAudit moves the last sign of life of an audit back in time. Tests use it.
func (m *Ledger) AgeAudit(id string, by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audits.audits[id].SeenAt = m.audits.audits[id].SeenAt.Add(-by)
}

// Audit reads an audit.
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

// BeginAudit records that an audit runs.
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
	if a.Repair {
		m.changes = append(m.changes, ledger.Change{
			By: cache.By{Actor: a.Actor, OnBehalfOf: a.OnBehalfOf, RequestID: a.RequestID},
			At: now.Truncate(time.Millisecond), Kind: ledger.ChangeAudit, ID: a.ID, Verb: "repair",
		})
	}
	m.audits.audits[a.ID], m.audits.findings[a.ID] = &a, map[string]*ledger.Finding{}
	return nil
}

// Auditing records that an audit still runs, and adds to its counts.
func (m *Ledger) Auditing(_ context.Context, id string, more ledger.Compared) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audits.audits[id].SeenAt = time.Now().UTC()
	m.audits.audits[id].Add(more)
	return nil
}

// EndAudit records that an audit has ended.
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

// Annotate adds a note to findings.
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

// FilterLive returns the ids of live reservations.
func (m *Ledger) FilterLive(_ context.Context, ids []string) (list []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if r, there := m.reservations[id]; there && !ledger.Resolved(r.Record.State) {
			list = append(list, id)
		}
	}
	return list, nil
}

// FilterUnknownLevels returns the keys that are no level of the ledger.
func (m *Ledger) FilterUnknownLevels(_ context.Context, keys []ledger.LevelKey) (list []ledger.LevelKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if _, there := m.levels[key]; !there {
			list = append(list, key)
		}
	}
	return list, nil
}

// FilterUncountedLimits returns the keys of limits that count nothing.
func (m *Ledger) FilterUncountedLimits(_ context.Context, keys []wire.LimitKey) (list []wire.LimitKey, err error) {
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
					if line.Backorder {
						l.CommittedBackorder += a.Quantity - a.Fulfilled
					}
				}
				lines[ledger.LevelKey{SKU: line.SKU, Location: a.Location}] = l
			}
		}
	}
	for key, l := range m.levels {
		chosen := s.Has(key.SKU, key.Location) && (len(keys) == 0 || slices.Contains(keys, key))
		if sum := lines[key]; chosen && (l.Held != sum.Held || l.Committed != sum.Committed || l.CommittedBackorder != sum.CommittedBackorder) {
			f := ledger.FindingAt(ledger.KindLedgerInconsistent, wire.LevelField(key.SKU, key.Location), ledger.EntryID{})
			f.Position, f.SKU, f.Location = "", key.SKU, key.Location
			f.Ledger = ledger.LedgerSide(l)
			f.Note = fmt.Sprintf("its lines add up to held %d, committed %d", sum.Held, sum.Committed)
			m.audits.findings[audit][f.ID] = &f
		}
	}
	return nil
}

// ListSettled writes the open refusals and the quarantined events as findings.
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
