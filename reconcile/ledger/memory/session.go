package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Lock takes the lock of the shard.
func (m *Ledger) Lock(context.Context) (ledger.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held {
		return nil, ledger.ErrLocked
	}
	m.held = true
	return &session{m}, nil
}

// session is the session of a Ledger, whose reads it inherits.
type session struct{ *Ledger }

// Close releases the lock.
func (s *session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
}

// Position returns the position of the shard.
func (m *Ledger) Position(context.Context) (ledger.PositionRow, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		return ledger.PositionRow{}, false, nil
	}
	at := *m.at
	if time.Since(m.claimedAt) > ledger.ClaimFor {
		at.Claim = ""
	}
	return at, true, nil
}

// isAt reports whether p is the last applied entry; nil means that there is none.
func (m *Ledger) isAt(p *wire.Position) bool {
	if p == nil || m.at == nil {
		return p == nil && m.at == nil
	}
	return ledger.SamePosition(m.at.Position, *p)
}

func (s *session) Begin(_ context.Context, from *wire.Position, to wire.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isAt(from) {
		return ledger.ErrMoved
	}
	open, records := s.openLocked(len(s.refusals)), map[string]wire.Record{}
	for i := range open {
		if r, there := s.reservations[open[i].Step.ID]; there {
			records[open[i].Step.ID] = r.Record
		}
	}
	s.applyLocked([]ledger.Entry{ledger.SettlingEntry(to, open, records)})
	for _, r := range s.refusals {
		r.settled = true
	}
	forgottenTo := int64(0)
	if from == nil {
		s.keptFrom = to.SeenAt
	} else {
		forgottenTo = s.at.ForgottenTo
		for id, r := range s.reservations {
			if r.Record.State == cache.StateHeld && r.Record.Expires > from.SeenAt {
				r.Record.Expires += max(0, to.SeenAt-from.SeenAt)
				s.reservations[id] = r
			}
		}
	}
	s.at = &ledger.PositionRow{Position: to, ForgottenTo: forgottenTo}
	return nil
}

func (s *session) Adopt(_ context.Context, from, to wire.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isAt(&from) {
		return ledger.ErrMoved
	}
	s.at = &ledger.PositionRow{Position: to, ForgottenTo: s.at.ForgottenTo}
	return nil
}

func (s *session) Apply(_ context.Context, from, to wire.Position, entries []ledger.Entry) ([]ledger.Refusal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isAt(&from) {
		return nil, ledger.ErrMoved
	}
	refusals := s.applyLocked(entries)
	s.at.Position = to
	return refusals, nil
}

// applyLocked decides entries and writes what they change; m.mu is held.
func (m *Ledger) applyLocked(entries []ledger.Entry) []ledger.Refusal {
	events, set := ledger.EventRefs(entries), ledger.NewWorkingSet()
	t := ledger.RowKeysOf(events)
	for id := range t.Reservations {
		if r, there := m.reservations[id]; there {
			t.Add(&r.Record)
			set.Reservations[id] = &r
		}
	}
	for id := range t.Compared {
		if r, there := m.reservations[id]; there && set.Reservations[id] == nil {
			set.Reservations[id] = &r
		}
	}
	for key := range t.Levels {
		if l, there := m.levels[key]; there {
			set.Levels[key] = &l
		}
	}
	for id := range t.Operations {
		if _, there := m.operations[id]; there {
			set.Operations[id] = true
		}
	}
	for i := range entries {
		if entries[i].Fault != nil {
			m.quarantined = append(m.quarantined, entries[i].Quarantine(entries[i].Fault.Error()))
		}
	}
	for key := range t.Limits {
		set.Limits[key] = m.limits[key]
	}
	if t.Checkpoints {
		m.comparedLocked(set, t)
	}
	set.Apply(events)
	maps.Copy(m.limits, set.Limits)
	m.keepMoved(set.Movements)
	maps.Copy(m.counts, set.Counts)
	for key := range t.Levels { // one that was there may have been removed
		delete(m.levels, key)
	}
	for key, l := range set.Levels {
		m.levels[key] = *l
	}
	for id, r := range set.Reservations {
		m.reservations[id] = *r
	}
	for _, op := range set.NewOperations {
		m.operations[op.ID] = op
		m.changes = append(m.changes, ledger.Change{
			By: cache.By{Actor: op.Actor, OnBehalfOf: op.OnBehalfOf, RequestID: op.RequestID},
			At: time.UnixMilli(op.At).UTC(), Kind: ledger.ChangeStock, ID: op.ID, Verb: string(op.Verb), Reason: op.Reason,
		})
	}
	for _, done := range set.Settled {
		for _, r := range m.refusals {
			r.settled = r.settled || done.Settles(r.Step)
		}
	}
	for i := range set.Refusals {
		if !slices.ContainsFunc(m.refusals, func(r *refusal) bool { return r.Step == set.Refusals[i].Step }) {
			m.refusals = append(m.refusals, &refusal{Refusal: set.Refusals[i], settled: set.Refusals[i].SettledAt > 0})
		}
	}
	m.auditedLocked(set)
	return set.Refusals
}

func (s *session) Note(_ context.Context, p wire.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isAt(&p) {
		return ledger.ErrMoved
	}
	s.at.Position = p
	return nil
}

func (s *session) KeepFrom(_ context.Context, moment int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keptFrom = max(s.keptFrom, moment)
	return nil
}

func (s *session) Open(_ context.Context, limit int) ([]ledger.Refusal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openLocked(limit), nil
}

func (m *Ledger) openLocked(limit int) []ledger.Refusal {
	var list []ledger.Refusal
	for _, r := range m.refusals {
		if !r.settled && len(list) < limit {
			list = append(list, r.Refusal)
		}
	}
	return list
}

func (s *session) Settle(_ context.Context, steps []wire.Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range steps {
		step.Version++
		for _, r := range s.refusals {
			r.settled = r.settled || ledger.Settlement{Step: step}.Settles(r.Step)
		}
	}
	return nil
}

func (s *session) Records(ctx context.Context, ids []string) (records map[string]wire.Record, err error) {
	_, records, err = s.RecordsAt(ctx, ids)
	return records, err
}

func (s *session) SetAside(_ context.Context, entries []ledger.Entry, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		s.quarantined = append(s.quarantined, entries[i].Quarantine(reason))
	}
	return nil
}

func (s *session) Levels(ctx context.Context, after ledger.LevelKey, limit int) (list []ledger.LevelRow, err error) {
	_, list, err = s.LevelsAt(ctx, after, ledger.Scope{}, limit)
	return list, err
}

func (s *session) Live(ctx context.Context, after ledger.LiveKey, limit int) ([]wire.ReservationRow, error) {
	_, list, err := s.LiveAt(ctx, after, ledger.Scope{}, limit)
	return ledger.Column(list, func(r ledger.RecordRow) wire.ReservationRow {
		return wire.ReservationRow{ID: r.ID, Record: r.Record}
	}), err
}

func (s *session) Rested(_ context.Context, from int64, limit int) (list []wire.ReservationRow, next int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, r := range s.reservations {
		if ledger.Resolved(r.Record.State) && r.At >= from {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.reservations[a].At, s.reservations[b].At), strings.Compare(a, b))
	})
	for _, id := range ids {
		r := s.reservations[id]
		if len(list) >= limit && r.At >= next {
			return list, next, nil
		}
		list = append(list, wire.ReservationRow{ID: id, Record: r.Record})
		next = r.At + 1
	}
	return list, next, nil
}

func (s *session) Operations(_ context.Context, since int64, after string, limit int) ([]wire.OperationRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []wire.OperationRow
	for _, id := range slices.Sorted(maps.Keys(s.Ledger.operations)) {
		op := s.Ledger.operations[id]
		if id > after && len(list) < limit && op.At >= since {
			list = append(list, wire.OperationRow{ID: id, CreationNonce: op.CreationNonce, Fingerprint: op.Fingerprint, At: op.At})
		}
	}
	return list, nil
}

// Limits reads a page of the purchase limits that count something.
func (m *Ledger) Limits(_ context.Context, after wire.LimitKey, limit int) ([]wire.LimitRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []wire.LimitRow
	for _, key := range slices.SortedFunc(maps.Keys(m.limits), ledger.CompareLimits) {
		if units := m.limits[key]; units != 0 && ledger.CompareLimits(key, after) > 0 && len(list) < limit {
			list = append(list, wire.LimitRow{LimitKey: key, Units: units})
		}
	}
	return list, nil
}

func (s *session) Forgettable(_ context.Context, from, to int64, limit int) (wire.Forgettable, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f ledger.Forgettable
	for id, r := range s.reservations {
		if ledger.Resolved(r.Record.State) && from <= r.At && r.At < to {
			f.Reservations = append(f.Reservations, ledger.Aged{Step: wire.Step{ID: id, CreationNonce: r.Record.CreationNonce, Version: r.Record.Version}, At: r.At})
		}
	}
	for _, r := range s.refusals {
		if r.settled && !r.Step.Operation && from <= r.At && r.At < to {
			f.Undone = append(f.Undone, ledger.Aged{Step: wire.Step{ID: r.Step.ID, CreationNonce: r.Step.CreationNonce, Version: r.Step.Version + 1}, At: r.At})
		}
	}
	for id, op := range s.Ledger.operations {
		if from <= op.At && op.At < to {
			f.Operations = append(f.Operations, ledger.Aged{Step: wire.Step{Operation: true, ID: id, CreationNonce: op.CreationNonce, Version: 1}, At: op.At})
		}
	}
	found, upTo := f.Page(to, limit)
	return found, upTo, nil
}

func (s *session) Forgotten(_ context.Context, upTo int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at != nil {
		s.at.ForgottenTo = upTo
	}
	return nil
}
