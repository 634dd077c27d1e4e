package audit_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestAudit_TooMuch has a repair that would change more than it may change nothing.
func TestAudit_TooMuch(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := drifted(r)
	for _, o := range []audit.Options{{Repair: true, MaxUnits: 4}, {Repair: true, MaxUnits: 5, MaxPercent: 49}} {
		done, err := i.Auditor(nil).Run(t.Context(), o)
		if !errors.Is(err, audit.ErrTooMuch) || done.State != ledger.AuditFailed {
			t.Errorf("%+v, %v", done, err)
		}
		reconciletest.ExpectFindings(t, i.Ledger, done.ID, teeDrift+"open")
	}
	done := i.Audit(audit.Options{Repair: true, MaxUnits: 5, MaxPercent: 50})
	reconciletest.ExpectFindings(t, i.Ledger, done.ID, teeDrift+"repaired")
	r.Check()
}

// TestAudit_TooLarge has numbers that the scripts can't count with be replaced, as any other text that is no
// number, and what they come to together be more than may be changed.
func TestAudit_TooLarge(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := drifted(r)
	limited(i)
	buyLimited(i, "drop", "c-1", 2)
	i.Reserve("paid", "TEE", 2)
	for sku, numbers := range map[location.SKU][2]string{
		"A": {"9007199254740993", "10\x1f0\x1f0\x1f0"}, "B": {"-9223372036854775808", "10\x1f0\x1f0\x1f0"},
		"C": {"999999999999999", "99999999999999999999\x1f0\x1f0\x1f0"}, "D": {"1000000000000000", "9223372036854775807\x1f0\x1f0\x1f0"},
	} {
		i.Count(sku, "berlin", 10)
		reconciletest.MustDo(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, string(sku)+"\x1fberlin", numbers[0]).Err())
		reconciletest.MustDo(t, i.Client.HSet(t.Context(), reconciletest.KeyLevels, string(sku)+"\x1fberlin", numbers[1]).Err())
	}
	reconciletest.MustDo(t, i.Client.HSet(t.Context(), reconciletest.KeyLimits, "drop\x1fc-1", "9223372036854775807").Err())
	record, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "paid").Result()
	reconciletest.MustDo(t, err)
	for n, units := range []string{"9223372036854775807", "9223372036854775807", "-9223372036854775808", "-6"} {
		text := strings.Replace(record, "\x1fberlin\x1f2\x1f", "\x1fberlin\x1f"+units+"\x1f", 1)
		reconciletest.MustDo(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, fmt.Sprint("extra ", n), text).Err())
	}
	done, err := i.Auditor(nil).Run(t.Context(), audit.Options{Repair: true})
	if !errors.Is(err, audit.ErrTooMuch) || done.Drift != 10 || done.Repaired != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	p := plan(i, audit.Options{})
	if p.Units != math.MaxInt64 {
		t.Errorf("%d units", p.Units)
	}
	if done := i.Audit(audit.Options{Repair: true, MaxUnits: -1}); done.Drift != 0 || done.Repaired != 10 {
		t.Errorf("%+v: %s", done, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
	}
	r.Check()
}
