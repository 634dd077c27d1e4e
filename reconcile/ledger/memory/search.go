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
func (m *Ledger) Search(_ context.Context, f cache.ReservationFilter, now int64) (rows []wire.ReservationRow, next string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	created, after, _ := wire.ReservationAfter(f.Cursor)
	var ids []string
	for id, r := range m.reservations {
		behind := cmp.Or(cmp.Compare(r.Record.Created, created), strings.Compare(id, after)) < 0
		if behind && strings.HasPrefix(id, f.IDPrefix) && matches(&f, &r.Record, now) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(m.reservations[b].Record.Created, m.reservations[a].Record.Created), strings.Compare(b, a))
	})
	rows, next = ledger.ReservationPageOf(ids, func(id string) *wire.ReservationRow {
		r := m.reservations[id]
		row := r.Row(id)
		return &row
	}, f.Limit)
	return rows, next, nil
}

// matches reports whether a reservation meets a filter at now, Unix ms.
func matches(f *cache.ReservationFilter, r *wire.Record, now int64) bool {
	state := r.State
	if state == cache.StateHeld && r.Expires <= now {
		state = cache.StateExpired
	}
	if f.State != "" && state != f.State || f.Order != "" && r.Order != f.Order || f.Customer != "" && r.Customer != f.Customer {
		return false
	}
	if len(f.Channels) > 0 && !slices.Contains(f.Channels, r.Channel) {
		return false
	}
	return slices.ContainsFunc(r.Lines, func(l wire.RecordLine) bool {
		return (f.Line == "" || l.Line == f.Line) && (f.SKU == "" || l.SKU == f.SKU || l.Kit != nil && l.Kit.SKU == f.SKU) &&
			(f.Location == "" || slices.ContainsFunc(l.From, func(a wire.RecordAllocation) bool { return a.Location == f.Location }))
	})
}
