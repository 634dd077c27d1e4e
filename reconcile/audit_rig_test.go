package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// auditor makes an auditor of an instance.
func (i *instance) auditor(change func(*Auditor)) *Auditor {
	a := &Auditor{Client: i.client, Ledger: i.reconciler.Ledger, Logger: i.reconciler.Logger}
	if change != nil {
		change(a)
	}
	return a
}

// audit audits, which must not fail.
func (i *instance) audit(o AuditOptions) Audit {
	i.rig.tb.Helper()
	done, err := i.auditor(nil).Run(context.Background(), o)
	if err != nil || done.State != AuditDone {
		i.rig.tb.Fatalf("%+v, %v", done, err)
	}
	return done
}

// findings lists what an audit has found, in words and in order.
func findings(tb testing.TB, l Ledger, audit string) []string {
	tb.Helper()
	var words []string
	for f := (FindingFilter{}); ; {
		list, err := l.AuditFindings(context.Background(), audit, f, 100)
		if err != nil {
			tb.Fatal(err)
		}
		if len(list) == 0 {
			slices.Sort(words)
			return words
		}
		for i := range list {
			words = append(words, describeFinding(&list[i]))
		}
		f.After = list[len(list)-1].ID
	}
}

// describeFinding is a finding in words: kind, subject, what Redis and the ledger say, and its state.
func describeFinding(f *AuditFinding) string {
	about := []string{string(f.Kind)}
	for _, text := range []string{string(f.SKU), string(f.Location), f.Reservation, f.Limit, f.Customer, f.Name} {
		if text != "" {
			about = append(about, text)
		}
	}
	return strings.Join(about, " ") + ": " + describeSide(f.Redis) + " > " + describeSide(f.Ledger) + ", " + f.State
}

func describeSide(s *AuditSide) string {
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

// expectFindings compares findings with those wanted, in any order.
func expectFindings(tb testing.TB, l Ledger, audit string, want ...string) {
	tb.Helper()
	slices.Sort(want)
	if got := findings(tb, l, audit); !slices.Equal(got, want) {
		tb.Errorf("findings of %s:\n  %s\nwant:\n  %s", audit, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// edits are keys of Redis that somebody changes by hand.
const (
	keyStock        = "{holdfast:0}:stock"
	keyLevels       = "{holdfast:0}:levels"
	keyReservations = "{holdfast:0}:reservations"
	keyLimits       = "{holdfast:0}:limits"
	keyDeadlines    = "{holdfast:0}:deadlines"
)

// mustDo has something be done, in a test or outside of one.
func mustDo(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// heldUp starts an instance whose reconciler applies nothing from hold on, until goOn.
func (r *rig) heldUp() (i *instance, hold, goOn func()) {
	r.tb.Helper()
	var held atomic.Bool
	on := make(chan struct{})
	i = r.started(func(of *Reconciler) {
		of.point = func(name string) {
			if name == "read" && held.Load() {
				<-on
			}
		}
	})
	return i, func() { held.Store(true) }, sync.OnceFunc(func() { close(on) })
}
