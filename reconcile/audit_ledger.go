package reconcile

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
	auditLost = 10 * time.Minute
	whyLost   = "it was not heard of any more: whoever ran it was stopped half-way"
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
	AuditFindings(ctx context.Context, id string, f FindingFilter, limit int) ([]AuditFinding, error)

	// beginAudit has an audit run. One that was not heard of for auditLost is taken for failed: whoever ran
	// it was killed. Should it go on all the same, its end says how it ended.
	beginAudit(ctx context.Context, a Audit) error
	// auditing notes that an audit still runs, and adds to what it has compared.
	auditing(ctx context.Context, id string, more compared) error
	endAudit(ctx context.Context, id, failure string) error
	// annotate adds a note to findings.
	annotate(ctx context.Context, audit string, findings []string, note string) error

	// applied is how far the shard was applied; ok is false where nothing ever was.
	applied(ctx context.Context) (p cache.Position, ok bool, err error)
	// levelsAt and liveAt read levels, and live reservations, in order, behind after; recordsAt any reservations:
	// those that the ledger does not know are missing. Each says which place of the stream it is as of. Nobody who
	// applies waits for them.
	levelsAt(ctx context.Context, after levelKey, s scope, limit int) (asOf, []levelRow, error)
	liveAt(ctx context.Context, after liveKey, s scope, limit int) (asOf, []recordRow, error)
	recordsAt(ctx context.Context, ids []string) (asOf, map[string]cache.Record, error)
	// limitsAfter lists the limits that count something, in order, behind after.
	limitsAfter(ctx context.Context, after cache.LimitKey, limit int) ([]cache.LimitKey, error)
	// Those of some levels that the ledger does not know, of some reservations that are live, and of some limits that
	// count nothing.
	unknownLevels(ctx context.Context, keys []levelKey) ([]levelKey, error)
	live(ctx context.Context, ids []string) ([]string, error)
	unknownLimits(ctx context.Context, keys []cache.LimitKey) ([]cache.LimitKey, error)
	// recordsOf reads reservations; those that the ledger does not know are missing.
	recordsOf(ctx context.Context, ids []string) (map[string]cache.Record, error)

	countLevels(ctx context.Context) (int64, error)
	// unitsOnHand is the sum over all levels.
	unitsOnHand(ctx context.Context, s scope) (int64, error)

	// examineItself compares the ledger with itself: each level with its lines, and with its movements, at
	// one moment. What it finds is written as findings.
	examineItself(ctx context.Context, audit string, s scope) error
	// examineLevels does so with some levels alone.
	examineLevels(ctx context.Context, audit string, keys []levelKey) error
	// listSettled writes as findings the open refusals and what is in quarantine.
	listSettled(ctx context.Context, audit string) error
}

// FindingFilter says which findings are read.
type FindingFilter struct {
	After string // id
	Kinds []FindingKind
	Open  bool // only those that are open
}

// scope is what an audit is about.
type scope struct {
	sku location.SKU // "": all
	at  location.ID  // "": all
}

func (s scope) all() bool { return s == scope{} }

// has says whether a level belongs to it.
func (s scope) has(sku location.SKU, at location.ID) bool {
	return (s.sku == "" || s.sku == sku) && (s.at == "" || s.at == at)
}

// hasRecord says whether a reservation has a part that belongs to it.
func (s scope) hasRecord(r *cache.Record) bool {
	for _, line := range r.Lines {
		for _, a := range line.From {
			if s.has(line.SKU, a.Location) {
				return true
			}
		}
	}
	return s.all()
}
