package ledger

import (
	"context"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// The states of an audit.
const (
	AuditRunning = "running"
	AuditDone    = "done"
	AuditFailed  = "failed" // it could not go on, or a repair would have changed too much
)

// AuditLost is how long an audit may go without a sign of life. WhyLost is the failure of one that
// went longer.
const (
	AuditLost = 10 * time.Minute
	WhyLost   = "the audit sent no sign of life for 10 minutes: its process was probably stopped; start another"
)

// Audit is an audit as the ledger keeps it.
type Audit struct {
	ID         string
	State      string
	Repair     bool
	SKU        location.SKU // "": all
	Location   location.ID  // "": all
	Actor      string
	OnBehalfOf string // BeginAudit writes this and the next, and Audit does not read them
	RequestID  string
	StartedAt  time.Time // by the ledger's clock, as the next two
	SeenAt     time.Time // last sign of life
	FinishedAt time.Time // zero while it runs
	Failure    string

	Compared

	Drift    int // findings that are drift and open
	Repaired int // findings that were repaired
	Settled  int // open refusals and quarantined events
}

// Audits keeps audits and their findings, and reads what they compare. Package reconcile/audit uses
// it. Every method that does not say otherwise returns ErrNotDurable if the ledger does not answer.
type Audits interface {
	// Audit reads an audit; an empty id names the one that ended last. Refusals: ErrNotFound,
	// ErrNotDurable.
	Audit(ctx context.Context, id string) (Audit, error)

	// AuditFindings reads a page of an audit's findings in order of id. Refusals: ErrNotDurable.
	AuditFindings(ctx context.Context, id string, f FindingFilter, limit int) ([]Finding, error)

	// BeginAudit records that an audit runs. It marks audits that sent no sign of life for
	// AuditLost as failed: their process was killed. If one of them still runs, EndAudit corrects
	// its state.
	BeginAudit(ctx context.Context, a Audit) error
	// Auditing records that an audit still runs, and adds to its counts.
	Auditing(ctx context.Context, id string, more Compared) error
	// EndAudit records that an audit has ended; failure says why it failed, or is "".
	EndAudit(ctx context.Context, id, failure string) error
	// Annotate adds a note to findings.
	Annotate(ctx context.Context, audit string, findings []string, note string) error

	// LevelsAt and LiveAt read a page of the levels, and of the live reservations, of a scope, in
	// order, behind after. RecordsAt reads any reservations, and leaves out those that the ledger
	// does not know. Each returns the place in the stream that its rows are as of. None of them
	// blocks the applier.
	LevelsAt(ctx context.Context, after LevelKey, s Scope, limit int) (AsOf, []LevelRow, error)
	LiveAt(ctx context.Context, after LiveKey, s Scope, limit int) (AsOf, []RecordRow, error)
	RecordsAt(ctx context.Context, ids []string) (AsOf, map[string]wire.Record, error)

	// FilterUnknownLevels returns the keys that are no level of the ledger, FilterLive the ids of live
	// reservations, and FilterUncountedLimits the keys of limits that count nothing.
	FilterUnknownLevels(ctx context.Context, keys []LevelKey) ([]LevelKey, error)
	FilterLive(ctx context.Context, ids []string) ([]string, error)
	FilterUncountedLimits(ctx context.Context, keys []wire.LimitKey) ([]wire.LimitKey, error)

	// Totals returns how many levels a scope has, and the sum of their units on hand.
	Totals(ctx context.Context, s Scope) (levels, onHand int64, err error)

	// ExamineItself compares the ledger with itself: each level of a scope with the lines and with
	// the movements of that level, at one moment. With keys it examines those levels alone. It
	// writes what it finds as findings.
	ExamineItself(ctx context.Context, audit string, s Scope, keys ...LevelKey) error
	// ListSettled writes the open refusals and the quarantined events as findings.
	ListSettled(ctx context.Context, audit string) error
}

// FindingFilter selects findings.
type FindingFilter struct {
	After string // id
	Kinds []FindingKind
	Open  bool // open ones only
}

// Scope is the part of the stock that an audit compares.
type Scope struct {
	SKU      location.SKU // "": all
	Location location.ID  // "": all
}

// All reports whether the scope is everything.
func (s Scope) All() bool { return s == Scope{} }

// Has reports whether a level is in the scope.
func (s Scope) Has(sku location.SKU, at location.ID) bool {
	return (s.SKU == "" || s.SKU == sku) && (s.Location == "" || s.Location == at)
}

// HasRecord reports whether a reservation draws on a level in the scope.
func (s Scope) HasRecord(r *wire.Record) bool {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if s.Has(line.SKU, a.Location) {
				return true
			}
		}
	}
	return s.All()
}

// Count adds a finding to the counts.
func (a *Audit) Count(f *Finding) {
	switch {
	case f.State == FindingRepaired:
		a.Repaired++
	case f.State == FindingOpen && f.Kind.Drift():
		a.Drift++
	case f.State == FindingOpen:
		a.Settled++
	}
}
