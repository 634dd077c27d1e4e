package reconcile

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
)

func (m *Memory) lock(context.Context) (session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held {
		return nil, errHeld
	}
	m.held = true
	return &memorySession{m}, nil
}

// memorySession is the session of a Memory.
type memorySession struct{ *Memory }

func (s *memorySession) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
}

func (s *memorySession) position(context.Context) (position, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		return position{}, false, nil
	}
	return *s.at, true, nil
}

// isAt says whether the position is p, as far as applying goes.
func (m *Memory) isAt(p *cache.Position) bool {
	if p == nil || m.at == nil {
		return p == nil && m.at == nil
	}
	return samePosition(m.at.Position, *p)
}

// samePosition says whether two positions are the same entry.
func samePosition(a, b cache.Position) bool {
	return a.Epoch == b.Epoch && a.Sequence == b.Sequence && a.Nonce == b.Nonce
}

func (s *memorySession) begin(_ context.Context, from *cache.Position, to cache.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isAt(from) {
		return errMoved
	}
	open, records := s.openLocked(len(s.refusals)), map[string]cache.Record{}
	for i := range open {
		if r, there := s.reservations[open[i].step.ID]; there {
			records[open[i].step.ID] = r.record
		}
	}
	s.applyLocked([]entry{settling(to, open, records)})
	for _, r := range s.refusals {
		r.settled = true
	}
	forgottenTo := int64(0)
	if from == nil {
		s.keptFrom = to.SeenAt
	} else {
		forgottenTo = s.at.forgottenTo
		for id, r := range s.reservations {
			if r.record.State == cache.StateHeld && r.record.Expires > from.SeenAt {
				r.record.Expires += max(0, to.SeenAt-from.SeenAt)
				s.reservations[id] = r
			}
		}
	}
	s.at = &position{Position: to, forgottenTo: forgottenTo}
	return nil
}

func (s *memorySession) apply(_ context.Context, from, to cache.Position, entries []entry) ([]refusal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isAt(&from) {
		return nil, errMoved
	}
	refusals := s.applyLocked(entries)
	s.at.Position = to
	return refusals, nil
}

// applyLocked decides entries and writes what they leave; m.mu is held.
func (m *Memory) applyLocked(entries []entry) []refusal {
	events, b := refs(entries), newBook()
	t := touch(events)
	for id := range t.ids {
		if r, there := m.reservations[id]; there {
			t.add(&r.record)
			b.reservations[id] = &r
		}
	}
	for id := range t.compared {
		if r, there := m.reservations[id]; there && b.reservations[id] == nil {
			b.reservations[id] = &r
		}
	}
	for key := range t.levels {
		if l, there := m.levels[key]; there {
			b.levels[key] = &l
		}
	}
	for id := range t.operations {
		if _, there := m.operations[id]; there {
			b.operations[id] = true
		}
	}
	for i := range entries {
		if entries[i].fault != nil {
			m.quarantined = append(m.quarantined, entries[i].quarantine(entries[i].fault.Error()))
		}
	}
	for key := range t.limits {
		b.limits[key] = m.limits[key]
	}
	if t.marks {
		m.comparedLocked(b, t)
	}
	b.apply(events)
	maps.Copy(m.limits, b.limits)
	m.keepMoved(b.movements)
	for key := range t.levels { // one that was there may have been removed
		delete(m.levels, key)
	}
	for key, l := range b.levels {
		m.levels[key] = *l
	}
	for id, r := range b.reservations {
		m.reservations[id] = *r
	}
	for _, op := range b.made {
		m.operations[op.id] = op
	}
	for _, done := range b.settled {
		for _, r := range m.refusals {
			r.settled = r.settled || done.settles(r.step)
		}
	}
	for i := range b.refusals {
		if !slices.ContainsFunc(m.refusals, func(r *memoryRefusal) bool { return r.step == b.refusals[i].step }) {
			m.refusals = append(m.refusals, &memoryRefusal{refusal: b.refusals[i], settled: b.refusals[i].settledAt > 0})
		}
	}
	m.auditedLocked(b)
	return b.refusals
}

// quarantine is an entry as a whole, kept for a person.
func (e *entry) quarantine(reason string) quarantined {
	return quarantined{entry: e.text, event: -1, reason: reason, body: strings.Join(e.raw, "\n")}
}

func (s *memorySession) note(_ context.Context, p cache.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isAt(&p) {
		return errMoved
	}
	s.at.Position = p
	return nil
}

func (s *memorySession) keepFrom(_ context.Context, moment int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keptFrom = max(s.keptFrom, moment)
	return nil
}

func (s *memorySession) open(_ context.Context, limit int) ([]refusal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openLocked(limit), nil
}

func (m *Memory) openLocked(limit int) []refusal {
	var list []refusal
	for _, r := range m.refusals {
		if !r.settled && len(list) < limit {
			list = append(list, r.refusal)
		}
	}
	return list
}

func (s *memorySession) settle(_ context.Context, steps []cache.Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range steps {
		step.Version++
		for _, r := range s.refusals {
			r.settled = r.settled || settlement{step: step}.settles(r.step)
		}
	}
	return nil
}

func (s *memorySession) records(_ context.Context, ids []string) (map[string]cache.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]cache.Record{}
	for _, id := range ids {
		if r, there := s.reservations[id]; there {
			found[id] = r.record
		}
	}
	return found, nil
}

func (s *memorySession) setAside(_ context.Context, entries []entry, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		s.quarantined = append(s.quarantined, entries[i].quarantine(reason))
	}
	return nil
}

func (s *memorySession) levels(_ context.Context, after *cache.LevelRow, limit int) ([]cache.LevelRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []cache.LevelRow
	for _, key := range s.sortedLevels() {
		if after != nil && compareLevels(key, levelKey{after.SKU, after.Location}) <= 0 || len(list) == limit {
			continue
		}
		l := s.Memory.levels[key]
		list = append(list, cache.LevelRow{
			SKU: key.sku, Location: key.at, OnHand: l.onHand, Held: l.held, Committed: l.committed,
			SafetyStock: l.safetyStock, BackorderLimit: l.backorderLimit,
		})
	}
	return list, nil
}

func (s *memorySession) live(_ context.Context, after *cache.ReservationRow, limit int) ([]cache.ReservationRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []cache.ReservationRow
	for id, r := range s.reservations {
		row := cache.ReservationRow{ID: id, Record: r.record}
		if !resolved(r.record.State) && (after == nil || byCreation(row, *after) > 0) {
			list = append(list, row)
		}
	}
	slices.SortFunc(list, byCreation)
	return list[:min(limit, len(list))], nil
}

func byCreation(a, b cache.ReservationRow) int {
	return cmp.Or(cmp.Compare(a.Record.Created, b.Record.Created), strings.Compare(a.ID, b.ID))
}

func (s *memorySession) rested(_ context.Context, from int64, limit int) (list []cache.ReservationRow, next int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, r := range s.reservations {
		if resolved(r.record.State) && r.at >= from {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.reservations[a].at, s.reservations[b].at), strings.Compare(a, b))
	})
	for _, id := range ids {
		r := s.reservations[id]
		if len(list) >= limit && r.at >= next {
			return list, next, nil
		}
		list = append(list, cache.ReservationRow{ID: id, Record: r.record})
		next = r.at + 1
	}
	return list, next, nil
}

func resolved(state cache.State) bool {
	return state == cache.StateReleased || state == cache.StateExpired || state == cache.StateFulfilled
}

func (s *memorySession) operations(_ context.Context, since int64, after string, limit int) ([]cache.OperationRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []cache.OperationRow
	for _, id := range slices.Sorted(maps.Keys(s.Memory.operations)) {
		op := s.Memory.operations[id]
		if id > after && len(list) < limit && op.at >= since {
			list = append(list, cache.OperationRow{ID: id, Birth: op.birth, Fingerprint: op.fingerprint, At: op.at})
		}
	}
	return list, nil
}

func (s *memorySession) limits(_ context.Context, after cache.LimitKey, limit int) ([]cache.LimitRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []cache.LimitRow
	for _, key := range slices.SortedFunc(maps.Keys(s.Memory.limits), compareLimits) {
		if units := s.Memory.limits[key]; units != 0 && compareLimits(key, after) > 0 && len(list) < limit {
			list = append(list, cache.LimitRow{LimitKey: key, Units: units})
		}
	}
	return list, nil
}

func (s *memorySession) forgettable(_ context.Context, from, to int64, limit int) (cache.Forgettable, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f forgettable
	for id, r := range s.reservations {
		if resolved(r.record.State) && from <= r.at && r.at < to {
			f.reservations = append(f.reservations, aged{cache.Step{ID: id, Birth: r.record.Birth, Version: r.record.Version}, r.at})
		}
	}
	for _, r := range s.refusals {
		if r.settled && !r.step.Operation && from <= r.at && r.at < to {
			f.undone = append(f.undone, aged{cache.Step{ID: r.step.ID, Birth: r.step.Birth, Version: r.step.Version + 1}, r.at})
		}
	}
	for id, op := range s.Memory.operations {
		if from <= op.at && op.at < to {
			f.operations = append(f.operations, aged{cache.Step{Operation: true, ID: id, Birth: op.birth, Version: 1}, op.at})
		}
	}
	found, upTo := f.page(to, limit)
	return found, upTo, nil
}

// forgettable is what Redis may forget, before it is cut to a page.
type forgettable struct{ reservations, undone, operations []aged }

type aged struct {
	step cache.Step
	at   int64 // Unix ms
}

// page is what was resolved before upTo: as much as limit allows, whole milliseconds.
func (f *forgettable) page(to int64, limit int) (found cache.Forgettable, upTo int64) {
	upTo = to
	byAge := func(a, b aged) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.step.ID, b.step.ID)) }
	for _, list := range [][]aged{f.reservations, f.undone, f.operations} {
		slices.SortFunc(list, byAge)
		if len(list) >= limit {
			upTo = min(upTo, list[limit-1].at+1)
		}
	}
	for _, a := range slices.Concat(f.reservations, f.undone) {
		if a.at < upTo {
			found.Reservations = append(found.Reservations, a.step)
		}
	}
	for _, a := range f.operations {
		if a.at < upTo {
			found.Operations = append(found.Operations, a.step)
		}
	}
	return found, upTo
}

func (s *memorySession) forgotten(_ context.Context, upTo int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at != nil {
		s.at.forgottenTo = upTo
	}
	return nil
}
