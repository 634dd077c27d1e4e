package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Search reads a page of reservations, the newest first.
func (m *Ledger) Search(_ context.Context, f cache.ReservationFilter, now int64) (cache.ReservationPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	created, after, _ := f.After()
	var ids []string
	for id, r := range m.reservations {
		behind := cmp.Or(cmp.Compare(r.Record.Created, created), strings.Compare(id, after)) < 0
		if behind && matches(&f, cache.ReservationOf(r.Record, id, now)) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(m.reservations[b].Record.Created, m.reservations[a].Record.Created), strings.Compare(b, a))
	})
	return ledger.ReservationPageOf(ids[:min(len(ids), f.Limit+1)], func(id string) *wire.Record {
		record := m.reservations[id].Record
		return &record
	}, f.Limit, now), nil
}

// matches reports whether a reservation meets a filter.
func matches(f *cache.ReservationFilter, r cache.Reservation) bool {
	if f.State != "" && r.State != f.State || f.Order != "" && r.Order != f.Order || f.Customer != "" && r.Customer != f.Customer {
		return false
	}
	return slices.ContainsFunc(r.Lines, func(l cache.Line) bool {
		return (f.Line == "" || l.Line == f.Line) && (f.SKU == "" || l.SKU == f.SKU || slices.ContainsFunc(l.Components, func(c cache.Component) bool { return c.SKU == f.SKU })) &&
			(f.Location == "" || slices.ContainsFunc(l.From, func(a cache.Allocation) bool { return a.Location == f.Location }))
	})
}
