package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// TestReservationPageOf_Lines checks that a page of large reservations ends early, and that the next
// pages have the others.
func TestReservationPageOf_Lines(t *testing.T) {
	const reservations = 50
	large := wire.Record{Created: 1, Lines: make([]wire.RecordLine, cache.LinesMax)}
	var left, want []string
	for i := range reservations {
		left = append(left, fmt.Sprintf("r%02d", i))
	}
	want = slices.Clone(left)
	var got []string
	for pages := 1; ; pages++ {
		rows, next := ledger.ReservationPageOf(left, func(id string) *wire.ReservationRow {
			return &wire.ReservationRow{ID: id, Record: large}
		}, 500)
		if lines := len(rows) * cache.LinesMax; lines > cache.ReservationPageLinesMax {
			t.Fatalf("page %d has %d lines, want at most %d", pages, lines, cache.ReservationPageLinesMax)
		}
		for _, row := range rows {
			got = append(got, row.ID)
		}
		if next == "" {
			break
		}
		if _, after, _ := wire.ReservationAfter(next); after != got[len(got)-1] {
			t.Fatalf("the next page begins after %q, want after %q", after, got[len(got)-1])
		}
		left = want[len(got):]
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages have %d reservations, want %d in order", len(got), len(want))
	}
}
