package reconcile

import (
	"context"
	"fmt"
	"strconv"

	"github.com/holdfast/holdfast/cache"
)

var (
	recordKinds = []FindingKind{
		KindReservationMissing, KindReservationExtra, KindReservationState, KindDeadlineMissing, KindDeadlineOrphaned,
	}
	counterKinds = []FindingKind{KindCounterDrift, KindLevelMissing, KindLevelUnknown, KindLimitDrift}
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
	err = r.repairKinds(ctx, recordKinds, func(ctx context.Context, list []AuditFinding) ([]cache.RepairItem, error) {
		return r.recordItems(ctx, list, inconsistent)
	})
	if err != nil {
		return err
	}
	r.point("records repaired")
	if err := r.again(ctx, FindingFilter{Kinds: append(counterKinds, recordKinds...)}); err != nil {
		return err
	}
	barred, err := r.barred(ctx, inconsistent)
	if err != nil {
		return err
	}
	err = r.repairKinds(ctx, counterKinds, func(_ context.Context, list []AuditFinding) ([]cache.RepairItem, error) {
		return r.counterItems(list, barred), nil
	})
	if err != nil {
		return err
	}
	r.point("counters repaired")
	if err := r.again(ctx, FindingFilter{Kinds: append(counterKinds, recordKinds...)}); err != nil {
		return err
	}
	return r.explainLeft(ctx)
}

// leave notes why a finding is not repaired.
func (r *auditRun) leave(f *AuditFinding, why string) { r.left[f.ID] = why }

// explainLeft writes why findings were not repaired: in the end, as what is looked at again loses its note.
func (r *auditRun) explainLeft(ctx context.Context) error {
	ids := map[string][]string{}
	for id, why := range r.left {
		ids[why] = append(ids[why], id)
	}
	for why, list := range ids {
		if err := r.Ledger.annotate(ctx, r.ID, list, why); err != nil {
			return err
		}
	}
	return nil
}

// withinLimits refuses a repair that would change too much.
func (r *auditRun) withinLimits(ctx context.Context) error {
	var units int64
	err := r.eachPage(ctx, FindingFilter{Kinds: append(counterKinds, recordKinds...), Open: true}, func(_ context.Context, list []AuditFinding) error {
		for _, f := range r.allowed(list) {
			units = addUnits(units, f.Units)
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
	onHand, err := r.Ledger.unitsOnHand(ctx, r.scope)
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
func (r *auditRun) repairKinds(ctx context.Context, kinds []FindingKind, items func(context.Context, []AuditFinding) ([]cache.RepairItem, error)) error {
	err := r.eachPage(ctx, FindingFilter{Kinds: kinds, Open: true}, func(ctx context.Context, list []AuditFinding) error {
		todo, err := items(ctx, r.allowed(list))
		if err != nil || len(todo) == 0 {
			return err
		}
		r.point("repairing")
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
func (r *auditRun) recordItems(ctx context.Context, list []AuditFinding, inconsistent map[levelKey]bool) ([]cache.RepairItem, error) {
	records, err := r.Ledger.recordsOf(ctx, reservationsOf(list))
	if err != nil {
		return nil, err
	}
	items := make([]cache.RepairItem, 0, len(list))
	for i := range list {
		f, id := &list[i], string(list[i].seen.Name)
		if f.doubtful(inconsistent) {
			r.leave(f, whyDoubtful)
			continue
		}
		record, known := records[id]
		switch f.Kind {
		case KindDeadlineMissing:
			items = append(items, cache.Watch(f.ID, id))
		case KindDeadlineOrphaned:
			items = append(items, cache.Unwatch(f.ID, id, cache.MarkedDeadline{Member: f.seen.text(0).Text, Score: f.seen.text(1)}))
		default:
			to := &record
			if !known || archived(&record) { // of what is archived there is nothing to write
				to = nil
			}
			items = append(items, cache.SetRecord(f.ID, id, f.seen.text(0), to))
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
func (r *auditRun) inconsistent(ctx context.Context) (map[levelKey]bool, error) {
	keys := map[levelKey]bool{}
	err := r.eachPage(ctx, FindingFilter{Kinds: []FindingKind{KindLedgerInconsistent}, Open: true}, func(_ context.Context, list []AuditFinding) error {
		for i := range list {
			keys[levelKey{list[i].SKU, list[i].Location}] = true
		}
		return nil
	})
	return keys, err
}

// barred is the levels that are not repaired, and why.
func (r *auditRun) barred(ctx context.Context, inconsistent map[levelKey]bool) (map[levelKey]string, error) {
	barred := map[levelKey]string{}
	kinds := []FindingKind{KindReservationExtra, KindReservationState}
	err := r.eachPage(ctx, FindingFilter{Kinds: kinds, Open: true}, func(_ context.Context, list []AuditFinding) error {
		for i := range list {
			for _, key := range list[i].drawsOn() {
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
func (r *auditRun) counterItems(list []AuditFinding, barred map[levelKey]string) []cache.RepairItem {
	items := make([]cache.RepairItem, 0, len(list))
	for i := range list {
		f := &list[i]
		if why := barred[levelKey{f.SKU, f.Location}]; why != "" && f.ofCounter() {
			r.leave(f, why)
			continue
		}
		items = append(items, f.counterItem())
	}
	return items
}

// counterItem is how to repair a level or a limit.
func (f *AuditFinding) counterItem() cache.RepairItem {
	name := string(f.seen.Name)
	at := cache.Position{Epoch: f.entry.epoch, Sequence: f.entry.sequence}
	switch {
	case f.Kind == KindLimitDrift && f.relative():
		return cache.AddToLimit(f.ID, name, at, f.difference().Available)
	case f.Kind == KindLimitDrift:
		return cache.SetLimit(f.ID, name, f.seen.text(0), *f.Ledger.Units)
	case f.relative():
		return cache.AddToLevel(f.ID, name, at, f.difference())
	}
	seen := cache.MarkedLevel{Name: name, Available: f.seen.text(0), Counts: f.seen.text(1)}
	if f.Kind == KindLevelUnknown {
		return cache.SetLevel(f.ID, seen, nil)
	}
	counts := f.Ledger.counts()
	return cache.SetLevel(f.ID, seen, &counts)
}

// counts is a level as Redis counts it.
func (s *AuditSide) counts() cache.LevelCounts {
	return cache.LevelCounts{
		Available: *s.Available, OnHand: *s.OnHand, Committed: *s.Committed, SafetyStock: *s.SafetyStock,
		BackorderLimit: *s.BackorderLimit,
	}
}
