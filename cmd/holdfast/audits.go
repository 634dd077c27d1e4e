package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/metrics"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// audits starts audits for the API, one at a time, and ends them with the program.
type audits struct {
	auditor *audit.Auditor
	ledger  ledger.Audits
	logger  *slog.Logger
	ctx     context.Context // of the program
	under   sync.WaitGroup

	mu      sync.Mutex
	running string // id; "" while none runs
	asked   api.StartAudit
}

// newAudits starts audits by auditor until ctx ends; end ends those under way, and waits for them.
func newAudits(ctx context.Context, auditor *audit.Auditor) (a *audits, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	a = &audits{auditor: auditor, ledger: auditor.Ledger, logger: auditor.Logger, ctx: ctx}
	return a, func() { cancel(); a.wait() }
}

// StartAudit see api.Audits.
func (a *audits) StartAudit(ctx context.Context, r api.StartAudit) (contract.Audit, error) {
	id, begun, err := a.begin(r)
	if err != nil {
		return contract.Audit{}, err
	}
	if begun != nil {
		select {
		case err = <-begun:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return contract.Audit{}, err
	}
	return a.Audit(ctx, id, "", 1)
}

// begin begins an audit, or says which of the same request runs. What it returns answers once the audit is
// known to the ledger.
func (a *audits) begin(r api.StartAudit) (id string, begun chan error, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running != "" {
		if a.asked != r {
			return "", nil, api.ErrAuditRuns
		}
		return a.running, nil, nil
	}
	id, begun = audit.NewID(time.Now()), make(chan error, 1)
	a.running, a.asked = id, r
	one := *a.auditor
	one.Begun = func(err error) { begun <- err }
	a.under.Go(func() {
		done, err := one.Run(a.ctx, audit.Options{
			ID: id, Repair: r.Repair, SKU: location.SKU(r.SKU), Location: location.ID(r.Location), Actor: r.Actor, MaxUnits: r.MaxUnits,
		})
		a.logger.Info("audit ended", "id", id, "drift", done.Drift, "repaired", done.Repaired, "error", err)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.running = ""
	})
	return id, begun, nil
}

// wait waits until what runs has ended, as it does when ctx has.
func (a *audits) wait() { a.under.Wait() }

// Audit see api.Audits.
func (a *audits) Audit(ctx context.Context, id, after string, limit int) (contract.Audit, error) {
	found, err := a.ledger.Audit(ctx, id)
	if err != nil {
		return contract.Audit{}, err
	}
	list, err := a.ledger.AuditFindings(ctx, id, ledger.FindingFilter{After: after}, limit+1)
	if err != nil {
		return contract.Audit{}, err
	}
	out := contract.Audit{
		ID: found.ID, State: found.State, Repair: found.Repair, SKU: string(found.SKU), Location: string(found.Location), Actor: found.Actor,
		StartedAt: contract.Time{Time: found.StartedAt}, FinishedAt: contract.Time{Time: found.FinishedAt}, Failure: found.Failure,
		Levels: found.Levels, Reservations: found.Reservations, Limits: found.Limits, Deadlines: found.Deadlines,
		Drift: found.Drift, Repaired: found.Repaired, Findings: []contract.AuditFinding{},
	}
	if len(list) > limit {
		list = list[:limit]
		out.NextCursor = list[limit-1].ID
	}
	for i := range list {
		out.Findings = append(out.Findings, shownFinding(&list[i]))
	}
	return out, nil
}

func shownFinding(f *ledger.Finding) contract.AuditFinding {
	out := contract.AuditFinding{
		ID: f.ID, Kind: string(f.Kind), State: f.State, SKU: string(f.SKU), Location: string(f.Location), Reservation: f.Reservation,
		Limit: f.Limit, Customer: f.Customer, Name: f.Name, Position: f.Position, Units: f.Units, Frozen: f.Frozen, Means: f.Kind.Means(), Do: f.Do(), Note: f.Note,
	}
	if f.Redis != nil {
		out.Redis = f.Redis
	}
	if f.Ledger != nil {
		out.Ledger = f.Ledger
	}
	return out
}

// auditTimeout bounds what a scrape waits for the last audit.
const auditTimeout = time.Second

// last is the audit that ended last, for metrics; ok is false where there is none, or nobody answers.
func (a *audits) last() (last metrics.Audit, ok bool) {
	ctx, cancel := context.WithTimeout(a.ctx, auditTimeout)
	defer cancel()
	found, err := a.ledger.Audit(ctx, "")
	if err != nil {
		return metrics.Audit{}, false
	}
	return metrics.Audit{
		FinishedAt: found.FinishedAt, Took: found.FinishedAt.Sub(found.StartedAt), Failed: found.State == ledger.AuditFailed,
		Compared: found.Levels + found.Reservations + found.Limits + found.Deadlines, Drift: found.Drift, Repaired: found.Repaired,
	}, true
}
