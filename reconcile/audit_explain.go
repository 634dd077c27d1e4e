package reconcile

import (
	"github.com/holdfast/holdfast/cache"
)

// explained is by how much Redis differs from the ledger at one place of the stream, since refused steps are
// still to be undone there: their undoing moves both.
type explained struct {
	levels map[levelKey]cache.LevelCounts
	limits map[cache.LimitKey]int64
	// removed are the levels that a refused removal has taken out of Redis.
	removed map[levelKey]bool
}

// openNow is the refusals that are open at this place of the batch.
func (b *book) openNow() []*refusal {
	var open []*refusal
	for i := range b.open {
		r, settled := &b.open[i], false
		for _, s := range b.settled {
			settled = settled || s.settles(r.step)
		}
		if !settled {
			open = append(open, r)
		}
	}
	for i := range b.refusals {
		if r := &b.refusals[i]; r.settledAt == 0 {
			open = append(open, r)
		}
	}
	return open
}

// explain works out what open refusals explain: Redis has the record of the last refused step of a
// reservation, where the ledger has its own.
func (b *book) explain() *explained {
	ex := &explained{levels: map[levelKey]cache.LevelCounts{}, limits: map[cache.LimitKey]int64{}, removed: map[levelKey]bool{}}
	last := map[cache.Step]*refusal{}
	for _, r := range b.openNow() {
		if !r.step.Operation {
			one := cache.Step{ID: r.step.ID, Birth: r.step.Birth}
			if known := last[one]; known == nil || known.step.Version < r.step.Version {
				last[one] = r
			}
		}
		for _, d := range r.detail.Levels { // of an operation, or of a return
			key := levelKey{d.SKU, d.Location}
			ex.removed[key] = ex.removed[key] || d.Removed
			ex.add(key, cache.LevelCounts{
				Available: d.OnHand - d.SafetyStock + d.BackorderLimit, OnHand: d.OnHand,
				SafetyStock: d.SafetyStock, BackorderLimit: d.BackorderLimit,
			}, +1)
		}
	}
	for one, r := range last {
		record, err := cache.DecodeRecord(r.detail.Record)
		if err != nil {
			continue // no event that was ever read is so
		}
		ex.addRecord(&record, +1)
		if known := b.reservations[one.ID]; known != nil && known.record.Birth == one.Birth {
			before := r.before(&known.record)
			ex.addRecord(&before, -1)
		}
	}
	return ex
}

// transitionConflict is the last transition of a record whose id belongs to another reservation: its units
// were given back.
const transitionConflict = "conflict"

// addRecord adds what a record has done to its levels and limits.
func (ex *explained) addRecord(r *cache.Record, sign int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			c := cache.LevelCounts{Available: -a.Fulfilled, OnHand: -a.Fulfilled}
			switch r.State {
			case cache.StateHeld:
				c.Available = -a.Quantity
			case cache.StateConfirmed:
				c.Available, c.Committed = -a.Quantity, a.Quantity-a.Fulfilled
			}
			ex.add(levelKey{line.SKU, a.Location}, c, sign)
		}
	}
	for key, units := range r.LimitCounts() {
		ex.limits[key] += sign * units
	}
}

func (ex *explained) add(key levelKey, c cache.LevelCounts, sign int64) {
	sum := ex.levels[key]
	ex.levels[key] = sumCounts(sum, c, sign)
}

// sumCounts is a plus sign times b.
func sumCounts(a, b cache.LevelCounts, sign int64) cache.LevelCounts {
	a.Available += sign * b.Available
	a.OnHand += sign * b.OnHand
	a.Committed += sign * b.Committed
	a.SafetyStock += sign * b.SafetyStock
	a.BackorderLimit += sign * b.BackorderLimit
	return a
}
