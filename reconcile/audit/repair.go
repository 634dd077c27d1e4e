package audit

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

var (
	recordKinds = []ledger.FindingKind{
		ledger.KindReservationMissing, ledger.KindReservationExtra, ledger.KindReservationState,
		ledger.KindDeadlineMissing, ledger.KindDeadlineOrphaned,
	}
	counterKinds = []ledger.FindingKind{
		ledger.KindCounterDrift, ledger.KindLevelMissing, ledger.KindLevelUnknown, ledger.KindLimitDrift,
	}
	repairedKinds = slices.Concat(recordKinds, counterKinds)
)

// repair makes Redis agree with the ledger. It repairs records and deadlines first, which changes
// no counter, and checks the counters again before it repairs those. A reservation that still
// differs may change at any moment and take its counters along, so repair leaves the levels alone
// that such a reservation draws on. Finally it checks everything once more.
func (r *run) repair(ctx context.Context) error {
	if err := r.withinLimits(ctx); err != nil {
		return err
	}
	if err := r.findSharedMembers(ctx); err != nil {
		return err
	}
	for _, pass := range []struct {
		kinds []ledger.FindingKind
		items itemsOf
		point string
	}{
		{recordKinds, r.recordItems, "records repaired"},
		{counterKinds, r.counterItems, "counters repaired"},
	} {
		if err := r.repairKinds(ctx, pass.kinds, pass.items); err != nil {
			return err
		}
		r.point(pass.point)
		if err := r.checkAgain(ctx, ledger.FindingFilter{Kinds: repairedKinds}); err != nil {
			return err
		}
	}
	return r.annotateUnrepaired(ctx)
}

// withinLimits refuses a repair that would change more than the options allow.
func (r *run) withinLimits(ctx context.Context) error {
	var units int64
	for list, err := range r.findings(ctx, ledger.FindingFilter{Kinds: repairedKinds, Open: true}) {
		if err != nil {
			return err
		}
		for _, f := range r.allowed(list) {
			units = ledger.AddUnits(units, f.Units)
		}
	}
	o := &r.options
	if o.MaxUnits >= 0 && units > o.MaxUnits {
		return fmt.Errorf("%w: %d units, and --max-change allows %d; nothing was repaired: read the findings, then repeat with --max-change %d",
			ErrTooMuch, units, o.MaxUnits, units)
	}
	if o.MaxPercent <= 0 {
		return nil
	}
	_, onHand, err := r.ledger.Totals(ctx, r.scope)
	if err != nil {
		return err
	}
	if float64(units)*100 > o.MaxPercent*float64(onHand) {
		return fmt.Errorf("%w: %d of %d units on hand, and --max-change allows %s%%; nothing was repaired: read the findings, then repeat with a higher --max-change",
			ErrTooMuch, units, onHand, strconv.FormatFloat(o.MaxPercent, 'f', -1, 64))
	}
	return nil
}

// itemsOf returns the repairs of findings.
type itemsOf func(context.Context, []ledger.Finding, *conflicts) ([]shard.RepairItem, error)

// repairKinds repairs the open findings of some kinds, and waits until the ledger has applied that.
func (r *run) repairKinds(ctx context.Context, kinds []ledger.FindingKind, items itemsOf) error {
	conflicts, err := r.conflicts(ctx)
	if err != nil {
		return err
	}
	for list, err := range r.findings(ctx, ledger.FindingFilter{Kinds: kinds, Open: true}) {
		if err != nil {
			return err
		}
		todo, err := items(ctx, r.allowed(list), conflicts)
		if err != nil {
			return err
		}
		if len(todo) == 0 {
			continue
		}
		r.point("repair")
		_, err = onShard(ctx, r, func(s *shard.Conn, ctx context.Context) ([]bool, error) {
			return s.Repair(ctx, r.id, r.options.Actor, todo)
		})
		if err != nil {
			return err
		}
	}
	return r.catchUp(ctx)
}

// recordItems returns the repairs of reservations and deadlines.
func (r *run) recordItems(ctx context.Context, list []ledger.Finding, c *conflicts) ([]shard.RepairItem, error) {
	_, records, err := r.ledger.RecordsAt(ctx, reservationsOf(list))
	if err != nil {
		return nil, err
	}
	items := make([]shard.RepairItem, 0, len(list))
	for i := range list {
		f, id := &list[i], string(list[i].Seen.Name)
		if why := c.why(f); why != "" {
			r.unrepaired[f.ID] = why
			continue
		}
		record, known := records[id]
		switch f.Kind {
		case ledger.KindDeadlineMissing:
			items = append(items, shard.Watch(f.ID, id))
		case ledger.KindDeadlineOrphaned:
			items = append(items, shard.Unwatch(f.ID, id, wire.CheckpointDeadline{Member: f.Seen.Text(0).Text, Score: f.Seen.Text(1)}))
		default:
			to := &record
			if !known || ledger.Archived(&record) { // Redis keeps no record of an archived reservation
				to = nil
			}
			items = append(items, shard.SetRecord(f.ID, id, f.Seen.Text(0), to))
		}
	}
	return items, nil
}

// reservationsOf lists the reservations that findings are about.
func reservationsOf(list []ledger.Finding) (ids []string) {
	for i := range list {
		if list[i].Reservation != "" {
			ids = append(ids, list[i].Reservation)
		}
	}
	return ids
}

// counterItems returns the repairs of levels and limits.
func (r *run) counterItems(_ context.Context, list []ledger.Finding, c *conflicts) ([]shard.RepairItem, error) {
	items := make([]shard.RepairItem, 0, len(list))
	for i := range list {
		f := &list[i]
		why := c.why(f)
		if why == "" && len(c.drawing(f)) > 0 {
			why = whyEntangled
		}
		if why != "" {
			r.unrepaired[f.ID] = why
			continue
		}
		items = append(items, counterItem(f))
	}
	return items, nil
}

// counterItem returns the repair of a level or a limit.
func counterItem(f *ledger.Finding) shard.RepairItem {
	name := string(f.Seen.Name)
	at := wire.Position{Epoch: f.Entry.Epoch, Sequence: f.Entry.Sequence}
	switch {
	case f.Kind == ledger.KindLimitDrift && relative(f):
		return shard.AddToLimit(f.ID, name, at, difference(f).Available)
	case f.Kind == ledger.KindLimitDrift:
		return shard.SetLimit(f.ID, name, f.Seen.Text(0), *f.Ledger.Units)
	case relative(f):
		return shard.AddToLevel(f.ID, name, at, difference(f))
	}
	seen := wire.CheckpointLevel{Name: name, Available: f.Seen.Text(0), Counts: f.Seen.Text(1)}
	if f.Kind == ledger.KindLevelUnknown {
		return shard.SetLevel(f.ID, seen, nil)
	}
	units := countsOf(f.Ledger)
	return shard.SetLevel(f.ID, seen, &units)
}
