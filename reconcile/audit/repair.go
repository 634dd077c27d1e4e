package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
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
		point string
	}{{recordKinds, "records repaired"}, {counterKinds, "counters repaired"}} {
		if err := r.repairKinds(ctx, pass.kinds); err != nil {
			return err
		}
		r.point(pass.point)
		if err := r.checkAgain(ctx, ledger.FindingFilter{Kinds: repairedKinds}); err != nil {
			return err
		}
	}
	return r.annotateUnrepaired(ctx)
}

// withinLimits refuses a repair that would change more than the options allow, and notes that in
// the findings.
func (r *run) withinLimits(ctx context.Context) error {
	var units int64
	err := r.eachAllowed(ctx, func(list []ledger.Finding) error {
		for i := range list {
			units = ledger.AddUnits(units, list[i].Units)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, onHand, err := r.ledger.Totals(ctx, r.scope)
	if err != nil {
		return err
	}
	refusal := r.options.refuse(units, onHand)
	if refusal == nil {
		return nil
	}
	return errors.Join(refusal, r.eachAllowed(ctx, func(list []ledger.Finding) error {
		ids := ledger.Column(list, func(f ledger.Finding) string { return f.ID })
		return r.ledger.Annotate(ctx, r.id, ids, whyTooMuch)
	}))
}

// eachAllowed calls do for the findings that may be repaired.
func (r *run) eachAllowed(ctx context.Context, do func([]ledger.Finding) error) error {
	for list, err := range r.findings(ctx, ledger.FindingFilter{Kinds: repairedKinds, Open: true}) {
		if err != nil {
			return err
		}
		if err := do(r.allowed(list)); err != nil {
			return err
		}
	}
	return nil
}

// refuse returns an ErrTooMuch that says what to do next if a repair must not change so many units.
func (o *Options) refuse(units, onHand int64) error {
	const next = "nothing was repaired: read the findings, then repeat with --max-change"
	if o.MaxUnits >= 0 && units > o.MaxUnits {
		return fmt.Errorf("%w: %d units, and at most %d may change; %s %d (over HTTP: max_units %d)",
			ErrTooMuch, units, o.MaxUnits, next, units, units)
	}
	if o.MaxPercent <= 0 || units <= SmallChange || float64(units)*100 <= o.MaxPercent*float64(onHand) {
		return nil
	}
	enough := strconv.FormatInt(units, 10)
	if percent := math.Ceil(float64(units) * 100 / float64(onHand)); onHand > 0 && percent <= 100 {
		enough += "," + strconv.FormatFloat(percent, 'f', -1, 64)
	}
	return fmt.Errorf("%w: %d of %d units on hand, and at most %s %% may change; %s %s",
		ErrTooMuch, units, onHand, strconv.FormatFloat(o.MaxPercent, 'f', -1, 64), next, enough)
}

// repairKinds repairs the open findings of some kinds, and waits until the ledger has applied that.
func (r *run) repairKinds(ctx context.Context, kinds []ledger.FindingKind) error {
	conflicts, err := r.conflicts(ctx)
	if err != nil {
		return err
	}
	for list, err := range r.findings(ctx, ledger.FindingFilter{Kinds: kinds, Open: true}) {
		if err != nil {
			return err
		}
		todo, err := r.repairItems(ctx, r.allowed(list), conflicts)
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

// repairItems returns the repairs of findings. It leaves out those that conflict with another one.
func (r *run) repairItems(ctx context.Context, list []ledger.Finding, c *conflicts) ([]shard.RepairItem, error) {
	_, records, err := r.ledger.RecordsAt(ctx, reservationsOf(list))
	if err != nil {
		return nil, err
	}
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
		items = append(items, repairItem(f, records))
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

// repairItem returns the repair of a finding. records are the ledger's.
func repairItem(f *ledger.Finding, records map[string]wire.Record) shard.RepairItem {
	name, seen := string(f.Seen.Name), f.Seen.Text(0)
	at := wire.Position{Epoch: f.Entry.Epoch, Sequence: f.Entry.Sequence}
	switch f.Kind {
	case ledger.KindDeadlineMissing:
		return shard.Watch(f.ID, name)
	case ledger.KindDeadlineOrphaned:
		return shard.Unwatch(f.ID, name, wire.CheckpointDeadline{Member: seen.Text, Score: f.Seen.Text(1)})
	case ledger.KindReservationMissing, ledger.KindReservationExtra, ledger.KindReservationState:
		record, known := records[name]
		if !known || ledger.Archived(&record) { // Redis keeps no record of an archived reservation
			return shard.SetRecord(f.ID, name, seen, nil)
		}
		return shard.SetRecord(f.ID, name, seen, &record)
	case ledger.KindLimitDrift:
		if relative(f) {
			return shard.AddToLimit(f.ID, name, at, difference(f).Available)
		}
		return shard.SetLimit(f.ID, name, seen, *f.Ledger.Units)
	}
	if relative(f) {
		return shard.AddToLevel(f.ID, name, at, difference(f))
	}
	level := wire.CheckpointLevel{Name: name, Available: seen, Counts: f.Seen.Text(1)}
	if f.Kind == ledger.KindLevelUnknown {
		return shard.SetLevel(f.ID, level, nil)
	}
	units := countsOf(f.Ledger)
	return shard.SetLevel(f.ID, level, &units)
}
