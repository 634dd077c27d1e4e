package reconcile

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/location"
)

// TestAudit_TooMuch has a repair that would change more than it may change nothing.
func TestAudit_TooMuch(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	for _, o := range []AuditOptions{{Repair: true, MaxUnits: 4}, {Repair: true, MaxUnits: 5, MaxPercent: 49}} {
		done, err := i.auditor(nil).Run(t.Context(), o)
		if !errors.Is(err, ErrTooMuch) || done.State != AuditFailed {
			t.Errorf("%+v, %v", done, err)
		}
		expectFindings(t, i.ledger, done.ID, teeDrift+"open")
	}
	done := i.audit(AuditOptions{Repair: true, MaxUnits: 5, MaxPercent: 50})
	expectFindings(t, i.ledger, done.ID, teeDrift+"repaired")
	r.check()
}

// TestAudit_TooLarge has numbers that the scripts can't count with be replaced, as any other text that is no
// number, and what they come to together be more than may be changed.
func TestAudit_TooLarge(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	i.limited()
	i.buyLimited("drop", "c-1", 2)
	i.reserve("paid", "TEE", 2)
	for sku, numbers := range map[location.SKU][2]string{
		"A": {"9007199254740993", "10\x1f0\x1f0\x1f0"}, "B": {"-9223372036854775808", "10\x1f0\x1f0\x1f0"},
		"C": {"999999999999999", "99999999999999999999\x1f0\x1f0\x1f0"}, "D": {"1000000000000000", "9223372036854775807\x1f0\x1f0\x1f0"},
	} {
		i.count(sku, "berlin", 10)
		mustDo(t, i.client.HSet(t.Context(), keyStock, string(sku)+"\x1fberlin", numbers[0]).Err())
		mustDo(t, i.client.HSet(t.Context(), keyLevels, string(sku)+"\x1fberlin", numbers[1]).Err())
	}
	mustDo(t, i.client.HSet(t.Context(), keyLimits, "drop\x1fc-1", "9223372036854775807").Err())
	record, err := i.client.HGet(t.Context(), keyReservations, "paid").Result()
	mustDo(t, err)
	for n, units := range []string{"9223372036854775807", "9223372036854775807", "-9223372036854775808", "-6"} {
		text := strings.Replace(record, "\x1fberlin\x1f2\x1f", "\x1fberlin\x1f"+units+"\x1f", 1)
		mustDo(t, i.client.HSet(t.Context(), keyReservations, fmt.Sprint("extra ", n), text).Err())
	}
	done, err := i.auditor(nil).Run(t.Context(), AuditOptions{Repair: true})
	if !errors.Is(err, ErrTooMuch) || done.Drift != 10 || done.Repaired != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	p := i.plan(AuditOptions{})
	if p.Units != math.MaxInt64 {
		t.Errorf("%d units", p.Units)
	}
	if done := i.audit(AuditOptions{Repair: true, MaxUnits: -1}); done.Drift != 0 || done.Repaired != 10 {
		t.Errorf("%+v: %s", done, strings.Join(findings(t, i.ledger, done.ID), "\n"))
	}
	r.check()
}
