package ledger

import (
	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// expected is the difference between Redis and the ledger that open refusals explain: Redis still
// has the effect of a refused step, until the step is undone.
type expected struct {
	levels  map[LevelKey]wire.LevelCounts
	limits  map[wire.LimitKey]int64
	removed map[LevelKey]bool // levels that a refused removal has taken out of Redis
}

// expected returns the difference at this place of the stream. Redis has the record of the last
// refused step of a reservation, and the ledger has its own.
func (w *WorkingSet) expected() *expected {
	ex := &expected{levels: map[LevelKey]wire.LevelCounts{}, limits: map[wire.LimitKey]int64{}, removed: map[LevelKey]bool{}}
	last := map[wire.Step]*Refusal{}
	for _, r := range w.openNow() {
		if !r.Step.Operation {
			one := wire.Step{ID: r.Step.ID, CreationNonce: r.Step.CreationNonce}
			if known := last[one]; known == nil || known.Step.Version < r.Step.Version {
				last[one] = r
			}
		}
		for _, d := range r.Detail.Levels { // of an operation, or of a return
			key := LevelKey{SKU: d.SKU, Location: d.Location}
			ex.removed[key] = ex.removed[key] || d.Removed
			ex.add(key, wire.LevelCounts{
				Available: d.OnHand - d.SafetyStock + d.BackorderLimit, OnHand: d.OnHand,
				SafetyStock: d.SafetyStock, BackorderLimit: d.BackorderLimit,
			}, +1)
		}
	}
	for one, r := range last {
		record, err := wire.DecodeRecord(r.Detail.Record)
		if err != nil {
			continue // never: it was read from an event
		}
		ex.addRecord(&record, +1)
		if known := w.Reservations[one.ID]; known != nil && known.Record.CreationNonce == one.CreationNonce {
			before := r.before(&known.Record)
			ex.addRecord(&before, -1)
		}
	}
	return ex
}

// addRecord adds sign times the effect of a record on its levels and limits.
func (ex *expected) addRecord(r *wire.Record, sign int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			c := wire.LevelCounts{Available: -a.Fulfilled, OnHand: -a.Fulfilled}
			switch r.State {
			case cache.StateHeld:
				c.Available = -a.Quantity
			case cache.StateConfirmed:
				c.Available, c.Committed = -a.Quantity, a.Quantity-a.Fulfilled
			}
			ex.add(LevelKey{SKU: line.SKU, Location: a.Location}, c, sign)
		}
	}
	for key, units := range r.LimitCounts() {
		ex.limits[key] += sign * units
	}
}

// add adds sign times c to the difference of a level.
func (ex *expected) add(key LevelKey, c wire.LevelCounts, sign int64) {
	sum := ex.levels[key]
	ex.levels[key] = SumCounts(sum, c, sign)
}
