package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Defaults of Auditor and Options.
const (
	PageDefault     = 1000 // names in one step: less than a millisecond of Redis time
	MaxUnitsDefault = 1000 // units that one repair may change
)

// SmallChange is the number of units up to which Options.MaxPercent allows every repair. A few units
// are a large share of a small stock, but no sign that the ledger is the wrong one.
const SmallChange = 50

// Auditor compares Redis with the ledger and repairs Redis. It needs a running reconciler, in this
// process or another. It is safe for concurrent use.
type Auditor struct {
	Client redis.UniversalClient
	Ledger ledger.Ledger
	Prefix string // of the keys; default "holdfast"
	Page   int    // names in one step; default PageDefault

	// Progress, if set, receives how many names were read, and how many there are.
	Progress func(done, total int64)

	// Begun, if set, is called once: with nil when the ledger has recorded the audit, or with the
	// error that prevented it.
	Begun func(err error)

	// point, if set, is called at named places of a step. Only the tests of this package set it, to
	// act or to stop a run there.
	point func(name string)
}

// Options say what to audit and whether to repair it. The zero value audits everything and repairs
// nothing.
type Options struct {
	ID       string       // default: NewID
	SKU      location.SKU // if set, audit only this SKU, without limits and orphaned deadlines
	Location location.ID  // if set, audit only this location, without limits and orphaned deadlines
	Actor    string       // who asks; recorded with each repair

	OnBehalfOf string // the person for whom the actor asks; recorded with the audit
	RequestID  string // of the call that asks; recorded with the audit

	Repair bool
	// MaxUnits is the most units that a repair may change in all. 0 is MaxUnitsDefault; a negative
	// number is no limit.
	MaxUnits int64
	// MaxPercent is the most units that a repair may change, in percent of the units on hand. It
	// does not count for a repair of SmallChange units or fewer. 0 is no limit.
	MaxPercent float64

	plan *appliedPlan // if set, check and repair only what the plan lists
}

// ErrTooMuch refuses a repair that would change more than Options allow. Nothing was repaired.
var ErrTooMuch = errors.New("the repair would change more than allowed")

// ErrStalled means that no reconciler applies the stream, or that Redis can't be reached.
var ErrStalled = errors.New("no progress")

// NewID returns a new audit id: the time and random letters.
func NewID(now time.Time) string {
	return "audit-" + now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:6])
}

// Run audits, and repairs if the options say so. It returns the audit as the ledger recorded it. If
// Run fails, the findings stay in the ledger, each repair is made whole or not at all, and it is
// safe to run again.
//
// Errors: *cache.InvalidError if the actor can't be stored; ErrTooMuch, with the findings and
// nothing repaired; ErrStalled; or the failure of Redis or the ledger.
func (a *Auditor) Run(ctx context.Context, o Options) (ledger.Audit, error) {
	r := newRun(a, o)
	defer r.disconnect()
	begun := ledger.Audit{ID: r.id, Repair: o.Repair, SKU: o.SKU, Location: o.Location, Actor: o.Actor, OnBehalfOf: o.OnBehalfOf, RequestID: o.RequestID}
	var err error
	if wrong := location.TextFault(o.Actor); wrong != "" {
		err = &cache.InvalidError{Faults: []cache.Fault{{Path: "/actor", Message: wrong}}}
	} else {
		err = a.Ledger.BeginAudit(ctx, begun)
	}
	if a.Begun != nil {
		a.Begun(err)
	}
	if err != nil {
		return begun, err
	}
	err = explain(ctx, r.all(ctx))
	failure := ""
	if err != nil {
		failure = err.Error()
	}
	ctx = context.WithoutCancel(ctx)
	if endErr := a.Ledger.EndAudit(ctx, r.id, failure); endErr != nil {
		return begun, cmp.Or(err, endErr)
	}
	done, readErr := a.Ledger.Audit(ctx, r.id)
	return done, errors.Join(err, readErr)
}

// explain says what the error of an audit means for an operator.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(err, ErrTooMuch):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("the audit was interrupted, and nothing is half repaired: run it again: %w", ctx.Err())
	default:
		return fmt.Errorf("the audit broke off, and nothing is half repaired: find the cause with `holdfast doctor`, then run it again: %w", err)
	}
}

func (a *Auditor) prefix() string { return cmp.Or(a.Prefix, "holdfast") }
