package reconcile

import "github.com/holdfast/holdfast/cache"

// asOf is which place of the stream rows of the ledger are of, read with them at one moment.
type asOf struct {
	cache.Position
	there   bool // false: nothing was ever applied
	refused bool // a refused step is still to be undone in Redis: what differs may be as it should be
}

// levelRow is a level and its key.
type levelRow struct {
	levelKey
	level
}

// liveKey is where a live reservation stands among all, by creation.
type liveKey struct {
	created int64 // Unix ms
	id      string
}

// recordRow is a reservation, or an id that the ledger does not know.
type recordRow struct {
	id     string
	record cache.Record
	text   string // the record as Redis keeps it; "" where it is not known
}

func rowOf(id string, record cache.Record) recordRow { return recordRow{id, record, record.Encode()} }

// key is that of a live one.
func (r *recordRow) key() liveKey { return liveKey{r.record.Created, r.id} }
