package memory

import (
	"context"
	"slices"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// asOfLocked returns the place in the stream that the ledger is as of; m.mu is held.
func (m *Ledger) asOfLocked() (at ledger.AsOf) {
	if m.at != nil {
		at.Position, at.There = m.at.Position, true
	}
	at.Refused = len(m.openLocked(1)) > 0
	return at
}

// LevelsAt reads a page of levels.
func (m *Ledger) LevelsAt(_ context.Context, after ledger.LevelKey, s ledger.Scope, limit int) (at ledger.AsOf, list []ledger.LevelRow, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range m.sortedLevels() {
		if ledger.CompareLevels(key, after) > 0 && s.Has(key.SKU, key.Location) && len(list) < limit {
			list = append(list, ledger.LevelRow{LevelName: key, Level: m.levels[key]})
		}
	}
	return m.asOfLocked(), list, nil
}

// LiveAt reads a page of live reservations.
func (m *Ledger) LiveAt(_ context.Context, after ledger.LiveKey, s ledger.Scope, limit int) (at ledger.AsOf, list []ledger.RecordRow, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, r := range m.reservations {
		row := ledger.RecordRowOf(id, r.Record)
		if !ledger.Resolved(r.Record.State) && ledger.CompareLive(row.Key(), after) > 0 && s.HasRecord(&r.Record) {
			list = append(list, row)
		}
	}
	slices.SortFunc(list, func(a, b ledger.RecordRow) int { return ledger.CompareLive(a.Key(), b.Key()) })
	return m.asOfLocked(), list[:min(limit, len(list))], nil
}

// RecordsAt reads reservations.
func (m *Ledger) RecordsAt(_ context.Context, ids []string) (at ledger.AsOf, records map[string]wire.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	records = map[string]wire.Record{}
	for _, id := range ids {
		if r, there := m.reservations[id]; there {
			records[id] = r.Record
		}
	}
	return m.asOfLocked(), records, nil
}
