package audit

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Settle has what open refusals may explain looked at again, until they are undone.
func (r *auditRun) Settle(ctx context.Context) error {
	for round := range settleRounds {
		if round > 0 {
			if err := pauseFor(ctx, settlePause); err != nil {
				return err
			}
		}
		left, err := r.Ledger.AuditFindings(ctx, r.ID, ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindUndecided}, Open: true}, 1)
		if err != nil || len(left) == 0 {
			return err
		}
		if err := r.again(ctx, ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindUndecided}, Open: true}); err != nil {
			return err
		}
	}
	return nil
}

// again has what was found looked at again, and waits until it is compared.
func (r *auditRun) again(ctx context.Context, f ledger.FindingFilter) error {
	return r.eachPage(ctx, f, func(ctx context.Context, list []ledger.Finding) error {
		m := markingOf(list)
		m.How = cache.HowAgain
		if err := r.mark(ctx, m); err != nil {
			return err
		}
		return r.drained(ctx)
	})
}

// markingOf has what was found looked at; what was found within the ledger is not in Redis.
func markingOf(list []ledger.Finding) (m cache.Marking) {
	for i := range list {
		name := string(list[i].Seen.Name)
		switch list[i].Seen.Part {
		case ledger.PartLevel:
			m.Levels = append(m.Levels, name)
		case ledger.PartReservation:
			m.Reservations = append(m.Reservations, name)
		case ledger.PartLimit:
			m.Limits = append(m.Limits, name)
		case ledger.PartDeadline:
			m.Deadlines = append(m.Deadlines, list[i].Seen.Text(0).Text)
		}
	}
	return m
}

// eachPage hands findings to take, page by page.
func (r *auditRun) eachPage(ctx context.Context, f ledger.FindingFilter, take func(context.Context, []ledger.Finding) error) error {
	for {
		list, err := r.Ledger.AuditFindings(ctx, r.ID, f, min(r.Page, repairsMax))
		if err != nil || len(list) == 0 {
			return err
		}
		if err := take(ctx, list); err != nil {
			return err
		}
		f.After = list[len(list)-1].ID
	}
}
