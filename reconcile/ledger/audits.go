package ledger

import (
	"context"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// The states of an audit.
const (
	AuditRunning = "running"
	AuditDone    = "done"
	AuditFailed  = "failed" // it could not go on, or repaired nothing since too much would change
)

// What becomes of an audit that nobody has ended.
const (
	AuditLost = 10 * time.Minute
	WhyLost   = "it was not heard of any more: whoever ran it was stopped half-way"
)

// Audit is an audit as the ledger keeps it.
type Audit struct {
	ID         string
	State      string
	Repair     bool
	SKU        location.SKU // "": all
	Location   location.ID  // "": all
	Actor      string
	StartedAt  time.Time // by the ledger's clock, as the next two
	SeenAt     time.Time // when it last was known to run
	FinishedAt time.Time // zero while it runs
	Failure    string

	Levels, Reservations, Limits, Deadlines int64 // compared

	Drift    int // findings that are drift and open
	Repaired int // findings that were repaired
	Settled  int // open refusals, and what is in quarantine
}

// Audits keeps audits and what they have found.
type Audits interface {
	// Audit reads an audit; "" is the one that ended last. Refusals: ErrNotFound, ErrNotDurable.
	Audit(ctx context.Context, id string) (Audit, error)

	// AuditFindings reads findings of an audit in order of id, behind after. Refusals: ErrNotDurable.
	AuditFindings(ctx context.Context, id string, f FindingFilter, limit int) ([]Finding, error)

	// beginAudit has an audit run. One that was not heard of for auditLost is taken for failed: whoever ran
	// it was killed. Should it go on all the same, its end says how it ended.
	BeginAudit(ctx context.Context, a Audit) error
	// auditing notes that an audit still runs, and adds to what it has compared.
	Auditing(ctx context.Context, id string, more Compared) error
	EndAudit(ctx context.Context, id, failure string) error
	// annotate adds a note to findings.
	Annotate(ctx context.Context, audit string, findings []string, note string) error

	// applied is how far the shard was applied; ok is false where nothing ever was.
	Applied(ctx context.Context) (p cache.Position, ok bool, err error)
	// levelsAt and liveAt read levels, and live reservations, in order, behind after; recordsAt any reservations:
	// those that the ledger does not know are missing. Each says which place of the stream it is as of. Nobody who
	// applies waits for them.
	LevelsAt(ctx context.Context, after LevelKey, s Scope, limit int) (AsOf, []LevelRow, error)
	LiveAt(ctx context.Context, after LiveKey, s Scope, limit int) (AsOf, []RecordRow, error)
	RecordsAt(ctx context.Context, ids []string) (AsOf, map[string]cache.Record, error)
	// limitsAfter lists the limits that count something, in order, behind after.
	LimitsAfter(ctx context.Context, after cache.LimitKey, limit int) ([]cache.LimitKey, error)
	// Those of some levels that the ledger does not know, of some reservations that are live, and of some limits that
	// count nothing.
	UnknownLevels(ctx context.Context, keys []LevelKey) ([]LevelKey, error)
	Live(ctx context.Context, ids []string) ([]string, error)
	UnknownLimits(ctx context.Context, keys []cache.LimitKey) ([]cache.LimitKey, error)
	// recordsOf reads reservations; those that the ledger does not know are missing.
	RecordsOf(ctx context.Context, ids []string) (map[string]cache.Record, error)

	CountLevels(ctx context.Context) (int64, error)
	// unitsOnHand is the sum over all levels.
	UnitsOnHand(ctx context.Context, s Scope) (int64, error)

	// examineItself compares the ledger with itself: each level with its lines, and with its movements, at
	// one moment. What it finds is written as findings.
	ExamineItself(ctx context.Context, audit string, s Scope) error
	// examineLevels does so with some levels alone.
	ExamineLevels(ctx context.Context, audit string, keys []LevelKey) error
	// listSettled writes as findings the open refusals and what is in quarantine.
	ListSettled(ctx context.Context, audit string) error
}

// FindingFilter says which findings are read.
type FindingFilter struct {
	After string // id
	Kinds []FindingKind
	Open  bool // only those that are open
}

// Scope is what an audit is about.
type Scope struct {
	SKU      location.SKU // "": all
	Location location.ID  // "": all
}

func (s Scope) All() bool { return s == Scope{} }

// Has says whether a level belongs to it.
func (s Scope) Has(sku location.SKU, at location.ID) bool {
	return (s.SKU == "" || s.SKU == sku) && (s.Location == "" || s.Location == at)
}

// HasRecord says whether a reservation has a part that belongs to it.
func (s Scope) HasRecord(r *cache.Record) bool {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if s.Has(line.SKU, a.Location) {
				return true
			}
		}
	}
	return s.All()
}

// Count counts a finding.
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

// Add adds to what was compared.
func (a *Audit) Add(n Compared) {
	a.Levels += n.Levels
	a.Reservations += n.Reservations
	a.Limits += n.Limits
	a.Deadlines += n.Deadlines
}
