package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/metrics"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// auditTimeout bounds how long a scrape of the metrics waits for the last audit.
const auditTimeout = time.Second

// audits runs audits for the API, one at a time, and stops them with the program.
type audits struct {
	auditor *audit.Auditor
	ledger  ledger.Audits
	logger  *slog.Logger
	ctx     context.Context // of the program
	group   sync.WaitGroup

	mu      sync.Mutex
	running *runningAudit // nil: none
	ended   metrics.Audit // the last one that last read
}

// runningAudit is an audit from its start until its end.
type runningAudit struct {
	id       string
	request  api.StartAudit
	recorded chan struct{} // closed when the ledger has the audit, or has refused it
	err      error         // why the ledger does not have it; read it when recorded is closed
}

// newAudits returns audits that run until ctx ends. end stops the running audit and waits for it.
func newAudits(ctx context.Context, auditor *audit.Auditor, logger *slog.Logger) (a *audits, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	a = &audits{auditor: auditor, ledger: auditor.Ledger, logger: logger, ctx: ctx}
	return a, func() { cancel(); a.group.Wait() }
}

// StartAudit implements api.Audits.
func (a *audits) StartAudit(ctx context.Context, r api.StartAudit) (contract.Audit, error) {
	running, err := a.begin(r)
	if err != nil {
		return contract.Audit{}, err
	}
	select {
	case <-running.recorded:
		err = running.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return contract.Audit{}, err
	}
	return a.Audit(ctx, running.id, "", 1)
}

// begin starts an audit, or returns the running one if its request is the same.
func (a *audits) begin(r api.StartAudit) (*runningAudit, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running != nil {
		same := r
		same.RequestID = a.running.request.RequestID
		if a.running.request != same {
			return nil, api.ErrAuditRuns
		}
		return a.running, nil
	}
	running := &runningAudit{id: audit.NewID(time.Now()), request: r, recorded: make(chan struct{})}
	a.running = running
	auditor := *a.auditor
	auditor.Begun = func(err error) { running.err = err; close(running.recorded) }
	a.group.Go(func() {
		done, err := auditor.Run(a.ctx, audit.Options{
			ID: running.id, Repair: r.Repair, Actor: r.Actor, OnBehalfOf: r.OnBehalfOf, RequestID: r.RequestID, MaxUnits: r.MaxUnits,
			SKU: location.SKU(r.SKU), Location: location.ID(r.Location),
		})
		a.logger.Info("audit ended", "id", running.id, "drift", done.Drift, "repaired", done.Repaired, "error", err)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.running = nil
	})
	return running, nil
}

// afterAdoption starts an audit of everything. If one runs already, that must do.
func (a *audits) afterAdoption() {
	if _, err := a.begin(api.StartAudit{By: cache.By{Actor: "adoption"}}); err != nil {
		a.logger.Warn("the adopted redis is not audited by itself; run holdfast reconcile audit", "error", err)
	}
}

// Audit implements api.Audits.
func (a *audits) Audit(ctx context.Context, id, after string, limit int) (contract.Audit, error) {
	found, err := a.ledger.Audit(ctx, id)
	if err != nil {
		return contract.Audit{}, err
	}
	list, err := a.ledger.AuditFindings(ctx, id, ledger.FindingFilter{After: after}, limit+1)
	if err != nil {
		return contract.Audit{}, err
	}
	out := contractAudit(&found)
	if len(list) > limit {
		list = list[:limit]
		out.NextCursor = list[limit-1].ID
	}
	for i := range list {
		out.Findings = append(out.Findings, contractFinding(&list[i]))
	}
	return out, nil
}

// contractAudit returns an audit without its findings.
func contractAudit(a *ledger.Audit) contract.Audit {
	return contract.Audit{
		ID: a.ID, State: a.State, Repair: a.Repair, Actor: a.Actor,
		SKU: string(a.SKU), Location: string(a.Location), Failure: a.Failure,
		StartedAt: contract.Time{Time: a.StartedAt}, FinishedAt: contract.Time{Time: a.FinishedAt},
		Levels: a.Levels, Reservations: a.Reservations, Limits: a.Limits, Deadlines: a.Deadlines,
		Drift: a.Drift, Repaired: a.Repaired, Findings: []contract.AuditFinding{},
	}
}

func contractFinding(f *ledger.Finding) contract.AuditFinding {
	out := contract.AuditFinding{
		ID: f.ID, Kind: string(f.Kind), State: f.State, Position: f.Position, Units: f.Units, Frozen: f.Frozen,
		SKU: string(f.SKU), Location: string(f.Location), Reservation: f.Reservation,
		Limit: f.Limit, Customer: f.Customer, Name: f.Name, Means: f.Kind.Means(), Do: f.Do(), Note: f.Note,
	}
	if f.Redis != nil { // a nil pointer in an interface would not be omitted
		out.Redis = f.Redis
	}
	if f.Ledger != nil {
		out.Ledger = f.Ledger
	}
	return out
}

// last returns the last audit that ended, for the metrics. While the ledger does not answer, it
// returns what the ledger answered last.
func (a *audits) last() metrics.Audit {
	ctx, cancel := context.WithTimeout(a.ctx, auditTimeout)
	defer cancel()
	found, err := a.ledger.Audit(ctx, "")
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.ended = metrics.Audit{
			FinishedAt: found.FinishedAt, Took: found.FinishedAt.Sub(found.StartedAt),
			Failed:   found.State == ledger.AuditFailed,
			Compared: found.Levels + found.Reservations + found.Limits + found.Deadlines,
			Drift:    found.Drift, Repaired: found.Repaired,
		}
	}
	return a.ended
}
