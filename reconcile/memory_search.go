package reconcile

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/cache"
)

// Search reads a page of reservations.
func (m *Memory) Search(_ context.Context, f cache.ReservationFilter, now int64) (cache.ReservationPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	created, after, _ := f.After()
	var ids []string
	for id, r := range m.reservations {
		behind := cmp.Or(cmp.Compare(r.record.Created, created), strings.Compare(id, after)) < 0
		if behind && matches(&f, r.record.Reservation(id, now)) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(m.reservations[b].record.Created, m.reservations[a].record.Created), strings.Compare(b, a))
	})
	return pageOf(ids[:min(len(ids), f.Limit+1)], func(id string) *cache.Record {
		record := m.reservations[id].record
		return &record
	}, f.Limit, now), nil
}

// matches says whether a reservation is one of those that are searched for.
func matches(f *cache.ReservationFilter, r cache.Reservation) bool {
	if f.State != "" && r.State != f.State || f.Order != "" && r.Order != f.Order || f.Customer != "" && r.Customer != f.Customer {
		return false
	}
	return slices.ContainsFunc(r.Lines, func(l cache.Line) bool {
		return (f.Line == "" || l.Line == f.Line) && (f.SKU == "" || l.SKU == f.SKU || slices.ContainsFunc(l.Components, func(c cache.Component) bool { return c.SKU == f.SKU })) &&
			(f.Location == "" || slices.ContainsFunc(l.From, func(a cache.Allocation) bool { return a.Location == f.Location }))
	})
}
