package ledger

import (
	"cmp"
	"strings"

	"github.com/holdfast/holdfast/cache"
)

// AsOf is which place of the stream rows of the ledger are of, read with them at one moment.
type AsOf struct {
	cache.Position
	There   bool // false: nothing was ever applied
	Refused bool // a refused step is still to be undone in Redis: what differs may be as it should be
}

// LevelRow is a level and its key.
type LevelRow struct {
	LevelKey
	Level
}

// LiveKey is where a live reservation stands among all, by creation.
type LiveKey struct {
	Created int64 // Unix ms
	ID      string
}

// RecordRow is a reservation, or an id that the ledger does not know.
type RecordRow struct {
	ID     string
	Record cache.Record
	Text   string // the record as Redis keeps it; "" where it is not known
}

func RowOf(id string, record cache.Record) RecordRow { return RecordRow{id, record, record.Encode()} }

// Key is that of a live one.
func (r *RecordRow) Key() LiveKey { return LiveKey{r.Record.Created, r.ID} }

func CompareLive(a, b LiveKey) int {
	return cmp.Or(cmp.Compare(a.Created, b.Created), strings.Compare(a.ID, b.ID))
}
