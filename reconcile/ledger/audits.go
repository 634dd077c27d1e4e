package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// The states of an audit.
const (
	AuditRunning = "running"
	AuditDone    = "done"
	AuditFailed  = "failed" // it could not go on, or it repaired nothing because too much would change
)

// AuditLost is how long an audit may be silent. Then it counts as failed, and WhyLost is its
// failure.
const (
	AuditLost = 10 * time.Minute
	WhyLost   = "the process that ran the audit stopped before the audit ended"
)

// Audit is an audit as the ledger stores it.
type Audit struct {
	ID         string
	State      string
	Repair     bool
	SKU        location.SKU // "" means all
	Location   location.ID  // "" means all
	Actor      string
	StartedAt  time.Time // by the ledger's clock, like SeenAt and FinishedAt
	SeenAt     time.Time // when it last reported
	FinishedAt time.Time // zero while it runs
	Failure    string

	Levels, Reservations, Limits, Deadlines int64 // compared

	Drift    int // open findings that are drift
	Repaired int // findings that were repaired
	Settled  int // open refusals and quarantined entries
}

// Audits stores audits and their findings, and reads what they compare.
type Audits interface {
	// Audit reads an audit; "" is the one that ended last. Errors: ErrNotFound, ErrNotDurable.
	Audit(ctx context.Context, id string) (Audit, error)

	// AuditFindings reads at most limit findings of an audit, by id, after f.After. Errors:
	// ErrNotDurable.
	AuditFindings(ctx context.Context, id string, f FindingFilter, limit int) ([]Finding, error)

	// BeginAudit stores an audit that runs. It marks audits that were silent for AuditLost as
	// failed, because their process was killed. If such an audit still ends, EndAudit says how.
	BeginAudit(ctx context.Context, a Audit) error
	// Auditing reports that an audit still runs, and adds to what it has compared.
	Auditing(ctx context.Context, id string, more Compared) error
	// EndAudit stores the end of an audit; failure is "" if it succeeded.
	EndAudit(ctx context.Context, id, failure string) error
	// Annotate adds a note to findings.
	Annotate(ctx context.Context, audit string, findings []string, note string) error

	// Applied returns the last applied entry of the shard; ok is false before the first one.
	Applied(ctx context.Context) (p cache.Position, ok bool, err error)
	// LevelsAt, LiveAt and RecordsAt return rows and the place in the stream at which they were
	// read. They don't block the applier. LevelsAt reads levels, and LiveAt live reservations, in
	// order; after is the last row of the page before. RecordsAt reads any reservations, and omits
	// those that the ledger does not know.
	LevelsAt(ctx context.Context, after LevelKey, s Scope, limit int) (AsOf, []LevelRow, error)
	LiveAt(ctx context.Context, after LiveKey, s Scope, limit int) (AsOf, []RecordRow, error)
	RecordsAt(ctx context.Context, ids []string) (AsOf, map[string]cache.Record, error)
	// LimitsAfter lists the purchase limits with a count that is not 0, in order.
	LimitsAfter(ctx context.Context, after cache.LimitKey, limit int) ([]cache.LimitKey, error)
	// UnknownLevels returns the levels among keys that the ledger does not have.
	UnknownLevels(ctx context.Context, keys []LevelKey) ([]LevelKey, error)
	// Live returns the ids of live reservations among ids.
	Live(ctx context.Context, ids []string) ([]string, error)
	// UnknownLimits returns the purchase limits among keys whose count is 0.
	UnknownLimits(ctx context.Context, keys []cache.LimitKey) ([]cache.LimitKey, error)
	// RecordsOf reads reservations. It omits those that the ledger does not know.
	RecordsOf(ctx context.Context, ids []string) (map[string]cache.Record, error)

	// CountLevels returns how many levels there are.
	CountLevels(ctx context.Context) (int64, error)
	// UnitsOnHand returns the sum of on hand over the levels of a scope.
	UnitsOnHand(ctx context.Context, s Scope) (int64, error)

	// ExamineItself compares the ledger with itself, at one moment: each level with its lines and
	// with its movements. It stores the differences as findings.
	ExamineItself(ctx context.Context, audit string, s Scope) error
	// ExamineLevels does the same for some levels.
	ExamineLevels(ctx context.Context, audit string, keys []LevelKey) error
	// ListSettled stores the open refusals and the quarantined entries as findings.
	ListSettled(ctx context.Context, audit string) error
}

// FindingFilter says which findings to read.
type FindingFilter struct {
	After string        // id of the last finding of the page before
	Kinds []FindingKind // none means all
	Open  bool          // only open findings
}

// Scope is the part of the stock that an audit compares.
type Scope struct {
	SKU      location.SKU // "" means all
	Location location.ID  // "" means all
}

// All reports whether the scope is everything.
func (s Scope) All() bool { return s == Scope{} }

// Has reports whether a level is in scope.
func (s Scope) Has(sku location.SKU, at location.ID) bool {
	return (s.SKU == "" || s.SKU == sku) && (s.Location == "" || s.Location == at)
}

// HasRecord reports whether a reservation draws on a level in scope.
func (s Scope) HasRecord(r *cache.Record) bool {
	inScope := func(key LevelKey) bool { return s.Has(key.SKU, key.Location) }
	return s.All() || slices.ContainsFunc(LevelsOf(*r), inScope)
}

// Count adds a finding to Drift, Repaired or Settled.
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

// Add adds to what the audit has compared.
func (a *Audit) Add(n Compared) {
	a.Levels += n.Levels
	a.Reservations += n.Reservations
	a.Limits += n.Limits
	a.Deadlines += n.Deadlines
}
