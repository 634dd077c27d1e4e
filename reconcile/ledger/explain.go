package ledger

import "github.com/holdfast/holdfast/cache"

// explained is by how much Redis differs from the ledger at one place of the stream, since refused steps are
// still to be undone there: their undoing moves both.
type explained struct {
	levels map[LevelKey]cache.LevelCounts
	limits map[cache.LimitKey]int64
	// removed are the levels that a refused removal has taken out of Redis.
	removed map[LevelKey]bool
}

// openNow is the refusals that are open at this place of the batch.
func (b *WorkingSet) openNow() []*Refusal {
	var open []*Refusal
	for i := range b.Open {
		r, settled := &b.Open[i], false
		for _, s := range b.Settled {
			settled = settled || s.Settles(r.Step)
		}
		if !settled {
			open = append(open, r)
		}
	}
	for i := range b.Refusals {
		if r := &b.Refusals[i]; r.SettledAt == 0 {
			open = append(open, r)
		}
	}
	return open
}

// explain works out what open refusals explain: Redis has the record of the last refused step of a
// reservation, where the ledger has its own.
func (b *WorkingSet) explain() *explained {
	ex := &explained{levels: map[LevelKey]cache.LevelCounts{}, limits: map[cache.LimitKey]int64{}, removed: map[LevelKey]bool{}}
	last := map[cache.Step]*Refusal{}
	for _, r := range b.openNow() {
		if !r.Step.Operation {
			one := cache.Step{ID: r.Step.ID, Birth: r.Step.Birth}
			if known := last[one]; known == nil || known.Step.Version < r.Step.Version {
				last[one] = r
			}
		}
		for _, d := range r.Detail.Levels { // of an operation, or of a return
			key := LevelKey{d.SKU, d.Location}
			ex.removed[key] = ex.removed[key] || d.Removed
			ex.Add(key, cache.LevelCounts{
				Available: d.OnHand - d.SafetyStock + d.BackorderLimit, OnHand: d.OnHand,
				SafetyStock: d.SafetyStock, BackorderLimit: d.BackorderLimit,
			}, +1)
		}
	}
	for one, r := range last {
		record, err := cache.DecodeRecord(r.Detail.Record)
		if err != nil {
			continue // no event that was ever read is so
		}
		ex.addRecord(&record, +1)
		if known := b.Reservations[one.ID]; known != nil && known.Record.Birth == one.Birth {
			before := r.before(&known.Record)
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
			ex.Add(LevelKey{line.SKU, a.Location}, c, sign)
		}
	}
	for key, units := range r.LimitCounts() {
		ex.limits[key] += sign * units
	}
}

func (ex *explained) Add(key LevelKey, c cache.LevelCounts, sign int64) {
	sum := ex.levels[key]
	ex.levels[key] = SumCounts(sum, c, sign)
}

// SumCounts is a plus sign times b.
func SumCounts(a, b cache.LevelCounts, sign int64) cache.LevelCounts {
	a.Available += sign * b.Available
	a.OnHand += sign * b.OnHand
	a.Committed += sign * b.Committed
	a.SafetyStock += sign * b.SafetyStock
	a.BackorderLimit += sign * b.BackorderLimit
	return a
}
