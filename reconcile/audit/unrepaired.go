package audit

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Why a finding is not repaired.
const (
	whyInconsistent = ledger.NotRepaired + "the ledger's row of this level disagrees with its lines or movements; correct the row first, see finding ledger_inconsistent"
	whyDoubtful     = ledger.NotRepaired + "the ledger's row of one of its levels disagrees with its lines or movements; correct the row first, see finding ledger_inconsistent"
	whyEntangled    = ledger.NotRepaired + "a reservation that differs draws on this level; repair that reservation first, see its finding"
	whyTooMuch      = ledger.NotRepaired + "all repairs together exceed --max-change (over HTTP: max_units); raise it, or apply a plan with fewer repairs"

	// Only if a plan is applied:
	whyChanged   = ledger.NotRepaired + "it has changed since the plan; plan again"
	whyDeleted   = ledger.NotRepaired + "it is not in the plan"
	whyShared    = ledger.NotRepaired + "Redis stores it together with a deadline that is not in the plan; plan again and keep both"
	whyMeanwhile = ledger.NotRepaired + "another repair was in progress; apply the plan again"
)

// whyNeverRepaired holds the reason for each kind of finding that is never repaired.
var whyNeverRepaired = map[ledger.FindingKind]string{
	ledger.KindLedgerInconsistent: ledger.NotRepaired + "the fault is in the ledger, not in Redis; correct the row in `levels` to match its movements, then plan again",
	ledger.KindUndecided:          ledger.NotRepaired + "refusals came and went during every check; plan again",
}

// annotateUnrepaired records why findings were not repaired. It runs last, because checking a
// finding again removes its note.
func (r *run) annotateUnrepaired(ctx context.Context) error {
	ids := map[string][]string{}
	for id, why := range r.unrepaired {
		ids[why] = append(ids[why], id)
	}
	for why, list := range ids {
		if err := r.ledger.Annotate(ctx, r.id, list, why); err != nil {
			return err
		}
	}
	return nil
}

// conflicts are the levels that open findings keep from being repaired.
type conflicts struct {
	inconsistent map[ledger.LevelKey]bool     // the ledger's row disagrees with its lines or movements
	drawnOn      map[ledger.LevelKey][]string // findings of reservations that differ and draw on the level
}

func newConflicts() *conflicts {
	return &conflicts{inconsistent: map[ledger.LevelKey]bool{}, drawnOn: map[ledger.LevelKey][]string{}}
}

// conflicts reads the conflicts among this audit's open findings.
func (r *run) conflicts(ctx context.Context) (*conflicts, error) {
	c := newConflicts()
	kinds := []ledger.FindingKind{ledger.KindLedgerInconsistent, ledger.KindReservationExtra, ledger.KindReservationState}
	for list, err := range r.findings(ctx, ledger.FindingFilter{Kinds: kinds, Open: true}) {
		if err != nil {
			return nil, err
		}
		for i := range list {
			c.add(&list[i])
		}
	}
	return c, nil
}

// add notes the conflicts that an open finding causes.
func (c *conflicts) add(f *ledger.Finding) {
	switch f.Kind {
	case ledger.KindLedgerInconsistent:
		c.inconsistent[ledger.LevelKey{SKU: f.SKU, Location: f.Location}] = true
	case ledger.KindReservationExtra, ledger.KindReservationState:
		for _, key := range drawsOn(f) {
			c.drawnOn[key] = append(c.drawnOn[key], f.ID)
		}
	}
}

// drawsOn lists the levels that the record in Redis draws on.
func drawsOn(f *ledger.Finding) []ledger.LevelKey {
	record, err := wire.DecodeRecord(f.Seen.Text(0).Text)
	if err != nil {
		return nil
	}
	return ledger.LevelsOf(record)
}

// why returns why the ledger's side of a finding can't be trusted, or "" if it can. A reservation
// can't if any of its levels is inconsistent: perhaps somebody changed the ledger's lines, and the
// ledger would refuse to expire the repaired record.
func (c *conflicts) why(f *ledger.Finding) string {
	switch {
	case f.IsLevelDrift() && c.inconsistent[ledger.LevelKey{SKU: f.SKU, Location: f.Location}]:
		return whyInconsistent
	case hasUnitsOf(f.Redis, c.inconsistent) || hasUnitsOf(f.Ledger, c.inconsistent):
		return whyDoubtful
	default:
		return ""
	}
}

// drawing lists the findings of reservations that draw on the level of a finding.
func (c *conflicts) drawing(f *ledger.Finding) []string {
	if !f.IsLevelDrift() {
		return nil
	}
	return c.drawnOn[ledger.LevelKey{SKU: f.SKU, Location: f.Location}]
}

// hasUnitsOf says whether a record has units of one of some levels. Names may contain spaces, so a
// text may name several levels: one of them is enough.
func hasUnitsOf(s *ledger.Side, levels map[ledger.LevelKey]bool) bool {
	if s == nil || len(levels) == 0 {
		return false
	}
	for _, part := range s.From {
		_, name, _ := strings.Cut(part, " ")
		for at := range name {
			if name[at] == ' ' && levels[ledger.LevelKey{SKU: location.SKU(name[:at]), Location: location.ID(name[at+1:])}] {
				return true
			}
		}
	}
	return false
}

// examineBeyondScope also checks the ledger's rows of levels that are out of scope but belong to a
// reservation with a finding. The ledger's side of that reservation is right only if no row of its
// levels contradicts the movements.
func (r *run) examineBeyondScope(ctx context.Context) error {
	if r.scope.All() {
		return nil
	}
	beyond := map[ledger.LevelKey]bool{}
	for list, err := range r.findings(ctx, ledger.FindingFilter{Kinds: recordKinds, Open: true}) {
		if err != nil {
			return err
		}
		_, records, err := r.ledger.RecordsAt(ctx, reservationsOf(list))
		if err != nil {
			return err
		}
		for i := range list {
			for _, key := range append(drawsOn(&list[i]), ledger.LevelsOf(records[list[i].Reservation])...) {
				if !r.scope.Has(key.SKU, key.Location) {
					beyond[key] = true
				}
			}
		}
	}
	if len(beyond) == 0 {
		return nil
	}
	return r.ledger.ExamineItself(ctx, r.id, ledger.Scope{}, slices.Collect(maps.Keys(beyond))...)
}
