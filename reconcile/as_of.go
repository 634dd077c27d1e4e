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
