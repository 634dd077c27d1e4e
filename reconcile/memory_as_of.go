package reconcile

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
)

// asOfLocked is which place of the stream the ledger is of; m.mu is held.
func (m *Memory) asOfLocked() (at asOf) {
	if m.at != nil {
		at.Position, at.there = m.at.Position, true
	}
	at.refused = len(m.openLocked(1)) > 0
	return at
}

func (m *Memory) levelsAt(_ context.Context, after levelKey, s scope, limit int) (at asOf, list []levelRow, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range m.sortedLevels() {
		if compareLevels(key, after) > 0 && s.has(key.sku, key.at) && len(list) < limit {
			list = append(list, levelRow{key, m.levels[key]})
		}
	}
	return m.asOfLocked(), list, nil
}

func (m *Memory) liveAt(_ context.Context, after liveKey, s scope, limit int) (at asOf, list []recordRow, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, r := range m.reservations {
		row := rowOf(id, r.record)
		if !resolved(r.record.State) && compareLive(row.key(), after) > 0 && s.hasRecord(&r.record) {
			list = append(list, row)
		}
	}
	slices.SortFunc(list, func(a, b recordRow) int { return compareLive(a.key(), b.key()) })
	return m.asOfLocked(), list[:min(limit, len(list))], nil
}

func compareLive(a, b liveKey) int {
	return cmp.Or(cmp.Compare(a.created, b.created), strings.Compare(a.id, b.id))
}

func (m *Memory) recordsAt(_ context.Context, ids []string) (at asOf, records map[string]cache.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	records = map[string]cache.Record{}
	for _, id := range ids {
		if r, there := m.reservations[id]; there {
			records[id] = r.record
		}
	}
	return m.asOfLocked(), records, nil
}
