package ledger

import "github.com/holdfast/holdfast/cache"

// PageOf makes a page of at most limit of the reservations ids, of which one more says that there is a
// next page.
func PageOf(ids []string, record func(id string) *cache.Record, limit int, now int64) (page cache.ReservationPage) {
	for i, id := range ids {
		r := record(id)
		if r == nil {
			continue
		}
		if i == limit {
			last := page.Reservations[len(page.Reservations)-1]
			page.Next = cache.ReservationCursor(last.CreatedAt.UnixMilli(), last.ID)
			break
		}
		page.Reservations = append(page.Reservations, r.Reservation(id, now))
	}
	return page
}
