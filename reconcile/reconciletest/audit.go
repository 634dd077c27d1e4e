package reconciletest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Auditor returns an auditor of the instance. change, if not nil, sets it up.
func (i *Instance) Auditor(change func(*audit.Auditor)) *audit.Auditor {
	a := &audit.Auditor{Client: i.Client, Ledger: i.Reconciler.Ledger}
	if change != nil {
		change(a)
	}
	return a
}

// Audit runs an audit, which must succeed.
func (i *Instance) Audit(o audit.Options) ledger.Audit {
	i.Rig.TB.Helper()
	done, err := i.Auditor(nil).Run(context.Background(), o)
	if err != nil || done.State != ledger.AuditDone {
		i.Rig.TB.Fatalf("%+v, %v", done, err)
	}
	return done
}

// Findings returns the findings of an audit in words, sorted.
func Findings(tb testing.TB, l ledger.Ledger, audit string) []string {
	tb.Helper()
	var words []string
	for f := (ledger.FindingFilter{}); ; {
		list, err := l.AuditFindings(context.Background(), audit, f, 100)
		if err != nil {
			tb.Fatal(err)
		}
		if len(list) == 0 {
			slices.Sort(words)
			return words
		}
		for i := range list {
			words = append(words, DescribeFinding(&list[i]))
		}
		f.After = list[len(list)-1].ID
	}
}

// DescribeFinding returns a finding in words: kind, subject, the values in Redis and in the ledger,
// state.
func DescribeFinding(f *ledger.Finding) string {
	about := []string{string(f.Kind)}
	for _, text := range []string{string(f.SKU), string(f.Location), f.Reservation, f.Limit, f.Customer, f.Name} {
		if text != "" {
			about = append(about, text)
		}
	}
	return strings.Join(about, " ") + ": " + describeSide(f.Redis) + " > " + describeSide(f.Ledger) + ", " + f.State
}

func describeSide(s *ledger.Side) string {
	if s == nil {
		return "nothing"
	}
	var parts []string
	number := func(name string, n *int64) {
		if n != nil {
			parts = append(parts, fmt.Sprintf("%s%d", name, *n))
		}
	}
	number("", s.Available)
	number("on hand ", s.OnHand)
	number("held ", s.Held)
	number("committed ", s.Committed)
	number("safety ", s.SafetyStock)
	number("backorder ", s.BackorderLimit)
	number("", s.Units)
	if s.State != "" {
		parts = append(parts, fmt.Sprintf("%s v%d %s", s.State, s.Version, strings.Join(s.From, ", ")))
	}
	if s.Text != "" {
		parts = append(parts, s.Text)
	}
	return strings.Join(parts, " ")
}

// ExpectFindings compares the findings of an audit with the wanted ones, in any order.
func ExpectFindings(tb testing.TB, l ledger.Ledger, audit string, want ...string) {
	tb.Helper()
	slices.Sort(want)
	if got := Findings(tb, l, audit); !slices.Equal(got, want) {
		tb.Errorf("findings of %s:\n  %s\nwant:\n  %s", audit, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// The keys of Redis that tests edit by hand.
const (
	KeyStock        = "{holdfast:0}:stock"
	KeyLevels       = "{holdfast:0}:levels"
	KeyReservations = "{holdfast:0}:reservations"
	KeyLimits       = "{holdfast:0}:limits"
	KeyDeadlines    = "{holdfast:0}:deadlines"
)

// HeldUp is Started with a reconciler that applies nothing after hold is called, until goOn is
// called.
func (r *Rig) HeldUp() (i *Instance, hold, goOn func()) {
	r.TB.Helper()
	var held atomic.Bool
	on := make(chan struct{})
	i = r.Started(func(of *reconcile.Reconciler) {
		of.Point = func(name string) {
			if name == "read" && held.Load() {
				<-on
			}
		}
	})
	return i, func() { held.Store(true) }, sync.OnceFunc(func() { close(on) })
}
