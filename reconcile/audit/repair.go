package audit

import (
	"context"
	"fmt"
	"strconv"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

var (
	recordKinds = []ledger.FindingKind{
		ledger.KindReservationMissing, ledger.KindReservationExtra, ledger.KindReservationState, ledger.KindDeadlineMissing, ledger.KindDeadlineOrphaned,
	}
	counterKinds = []ledger.FindingKind{ledger.KindCounterDrift, ledger.KindLevelMissing, ledger.KindLevelUnknown, ledger.KindLimitDrift}
)

// repair makes Redis what the ledger says. First records and deadlines, which moves no counter; then
// counters, read anew: a record that differs may be moved by its owner at any moment, and that moves
// counters, so a level that such a record still draws on is left alone. In the end all is looked at again.
func (r *auditRun) repair(ctx context.Context) error {
	if err := r.withinLimits(ctx); err != nil {
		return err
	}
	if err := r.shareMembers(ctx); err != nil {
		return err
	}
	inconsistent, err := r.inconsistent(ctx)
	if err != nil {
		return err
	}
	err = r.repairKinds(ctx, recordKinds, func(ctx context.Context, list []ledger.Finding) ([]cache.RepairItem, error) {
		return r.recordItems(ctx, list, inconsistent)
	})
	if err != nil {
		return err
	}
	r.Point("records repaired")
	if err := r.again(ctx, ledger.FindingFilter{Kinds: append(counterKinds, recordKinds...)}); err != nil {
		return err
	}
	barred, err := r.barred(ctx, inconsistent)
	if err != nil {
		return err
	}
	err = r.repairKinds(ctx, counterKinds, func(_ context.Context, list []ledger.Finding) ([]cache.RepairItem, error) {
		return r.counterItems(list, barred), nil
	})
	if err != nil {
		return err
	}
	r.Point("counters repaired")
	if err := r.again(ctx, ledger.FindingFilter{Kinds: append(counterKinds, recordKinds...)}); err != nil {
		return err
	}
	return r.explainLeft(ctx)
}

// leave notes why a finding is not repaired.
func (r *auditRun) leave(f *ledger.Finding, why string) { r.left[f.ID] = why }

// explainLeft writes why findings were not repaired: in the end, as what is looked at again loses its note.
func (r *auditRun) explainLeft(ctx context.Context) error {
	ids := map[string][]string{}
	for id, why := range r.left {
		ids[why] = append(ids[why], id)
	}
	for why, list := range ids {
		if err := r.Ledger.Annotate(ctx, r.ID, list, why); err != nil {
			return err
		}
	}
	return nil
}

// withinLimits refuses a repair that would change too much.
func (r *auditRun) withinLimits(ctx context.Context) error {
	var units int64
	err := r.eachPage(ctx, ledger.FindingFilter{Kinds: append(counterKinds, recordKinds...), Open: true}, func(_ context.Context, list []ledger.Finding) error {
		for _, f := range r.allowed(list) {
			units = ledger.AddUnits(units, f.Units)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.MaxUnits >= 0 && units > r.MaxUnits {
		return fmt.Errorf("%w: %d units, and --max-change allows %d; nothing was repaired: read the findings, then repeat with --max-change %d",
			ErrTooMuch, units, r.MaxUnits, units)
	}
	if r.MaxPercent <= 0 {
		return nil
	}
	_, onHand, err := r.Ledger.Totals(ctx, r.scope)
	if err != nil {
		return err
	}
	if float64(units)*100 > r.MaxPercent*float64(onHand) {
		return fmt.Errorf("%w: %d of %d units on hand, and --max-change allows %s%%; nothing was repaired",
			ErrTooMuch, units, onHand, strconv.FormatFloat(r.MaxPercent, 'f', -1, 64))
	}
	return nil
}

// repairKinds repairs open findings page by page, and waits until the ledger knows.
func (r *auditRun) repairKinds(ctx context.Context, kinds []ledger.FindingKind, items func(context.Context, []ledger.Finding) ([]cache.RepairItem, error)) error {
	err := r.eachPage(ctx, ledger.FindingFilter{Kinds: kinds, Open: true}, func(ctx context.Context, list []ledger.Finding) error {
		todo, err := items(ctx, r.allowed(list))
		if err != nil || len(todo) == 0 {
			return err
		}
		r.Point("repairing")
		return r.onShard(ctx, func(ctx context.Context) error { // again with the same items: safe
			_, err := r.shard.Repair(ctx, r.ID, r.Actor, todo)
			return err
		})
	})
	if err != nil {
		return err
	}
	return r.caughtUp(ctx)
}

// caughtUp waits until the ledger has applied what was repaired.
func (r *auditRun) caughtUp(ctx context.Context) error {
	if err := r.send(ctx, cache.Marking{Audit: r.ID, How: cache.HowAgain}); err != nil {
		return err
	}
	return r.drained(ctx)
}

// recordItems is how to repair reservations and deadlines.
func (r *auditRun) recordItems(ctx context.Context, list []ledger.Finding, inconsistent map[ledger.LevelKey]bool) ([]cache.RepairItem, error) {
	_, records, err := r.Ledger.RecordsAt(ctx, reservationsOf(list))
	if err != nil {
		return nil, err
	}
	items := make([]cache.RepairItem, 0, len(list))
	for i := range list {
		f, id := &list[i], string(list[i].Seen.Name)
		if doubtful(f, inconsistent) {
			r.leave(f, whyDoubtful)
			continue
		}
		record, known := records[id]
		switch f.Kind {
		case ledger.KindDeadlineMissing:
			items = append(items, cache.Watch(f.ID, id))
		case ledger.KindDeadlineOrphaned:
			items = append(items, cache.Unwatch(f.ID, id, cache.MarkedDeadline{Member: f.Seen.Text(0).Text, Score: f.Seen.Text(1)}))
		default:
			to := &record
			if !known || ledger.Archived(&record) { // of what is archived there is nothing to write
				to = nil
			}
			items = append(items, cache.SetRecord(f.ID, id, f.Seen.Text(0), to))
		}
	}
	return items, nil
}

// Why a counter is left alone.
const (
	whyInconsistent = "not repaired: the ledger's own row disagrees with its lines or movements, see ledger_inconsistent"
	whyDoubtful     = "not repaired: the ledger's row of one of its levels disagrees with its lines or movements, see ledger_inconsistent"
	whyEntangled    = "not repaired: a reservation that differs draws on it, see its finding; repair that first"
)

// inconsistent is the levels whose row of the ledger disagrees with its lines or movements.
func (r *auditRun) inconsistent(ctx context.Context) (map[ledger.LevelKey]bool, error) {
	keys := map[ledger.LevelKey]bool{}
	err := r.eachPage(ctx, ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindLedgerInconsistent}, Open: true}, func(_ context.Context, list []ledger.Finding) error {
		for i := range list {
			keys[ledger.LevelKey{SKU: list[i].SKU, Location: list[i].Location}] = true
		}
		return nil
	})
	return keys, err
}

// barred is the levels that are not repaired, and why.
func (r *auditRun) barred(ctx context.Context, inconsistent map[ledger.LevelKey]bool) (map[ledger.LevelKey]string, error) {
	barred := map[ledger.LevelKey]string{}
	kinds := []ledger.FindingKind{ledger.KindReservationExtra, ledger.KindReservationState}
	err := r.eachPage(ctx, ledger.FindingFilter{Kinds: kinds, Open: true}, func(_ context.Context, list []ledger.Finding) error {
		for i := range list {
			for _, key := range drawsOn(&list[i]) {
				barred[key] = whyEntangled
			}
		}
		return nil
	})
	for key := range inconsistent {
		barred[key] = whyInconsistent
	}
	return barred, err
}

// counterItems is how to repair levels and limits.
func (r *auditRun) counterItems(list []ledger.Finding, barred map[ledger.LevelKey]string) []cache.RepairItem {
	items := make([]cache.RepairItem, 0, len(list))
	for i := range list {
		f := &list[i]
		if why := barred[ledger.LevelKey{SKU: f.SKU, Location: f.Location}]; why != "" && f.OfCounter() {
			r.leave(f, why)
			continue
		}
		items = append(items, counterItem(f))
	}
	return items
}

// counterItem is how to repair a level or a limit.
func counterItem(f *ledger.Finding) cache.RepairItem {
	name := string(f.Seen.Name)
	at := cache.Position{Epoch: f.Entry.Epoch, Sequence: f.Entry.Sequence}
	switch {
	case f.Kind == ledger.KindLimitDrift && relative(f):
		return cache.AddToLimit(f.ID, name, at, difference(f).Available)
	case f.Kind == ledger.KindLimitDrift:
		return cache.SetLimit(f.ID, name, f.Seen.Text(0), *f.Ledger.Units)
	case relative(f):
		return cache.AddToLevel(f.ID, name, at, difference(f))
	}
	seen := cache.MarkedLevel{Name: name, Available: f.Seen.Text(0), Counts: f.Seen.Text(1)}
	if f.Kind == ledger.KindLevelUnknown {
		return cache.SetLevel(f.ID, seen, nil)
	}
	units := countsOf(f.Ledger)
	return cache.SetLevel(f.ID, seen, &units)
}

// countsOf is a level as Redis counts it.
func countsOf(s *ledger.Side) cache.LevelCounts {
	return cache.LevelCounts{
		Available: *s.Available, OnHand: *s.OnHand, Committed: *s.Committed, SafetyStock: *s.SafetyStock,
		BackorderLimit: *s.BackorderLimit,
	}
}
