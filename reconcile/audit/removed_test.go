package audit_test

import (
	"context"
	"sync"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestAudit_Removed has an audit find nothing after levels were removed and made again, units transferred,
// and units returned: what Redis counts for its own sake is no level.
func TestAudit_Removed(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Shipped(nil)
	i.Count("TEE", "lyon", 3)
	if _, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 2, "oslo")); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Store.Transfer(t.Context(), cache.TransferRequest{ID: "van", SKU: "TEE", From: "lyon", To: "oslo", Quantity: 1}); err != nil {
		t.Fatal(err)
	}
	for _, request := range []cache.RemoveRequest{{SKU: "TEE", Location: "lyon"}, {SKU: "TEE", Location: "berlin"}} {
		if _, err := i.Store.Remove(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	i.Count("TEE", "lyon", 2)
	a := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, i.Ledger, a.ID)
	r.Check()
}

// TestAudit_Remade has a level be removed and made anew between an audit's last look at it and its repair: what it
// counts now is right, and stays so.
func TestAudit_Remade(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	r.Quiesce()
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyLevels, "TEE\x1fberlin", "7\x1f0\x1f0\x1f0").Err())
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", "7").Err())
	var once sync.Once
	a := i.Auditor(func(a *audit.Auditor) {
		a.Point = func(name string) {
			if name == "repairing" {
				once.Do(func() {
					_, err := i.Store.Remove(context.Background(), cache.RemoveRequest{SKU: "TEE", Location: "berlin"})
					reconciletest.MustDo(t, err)
					i.Count("TEE", "berlin", 5)
				})
			}
		}
	})
	done, err := a.Run(t.Context(), audit.Options{Repair: true})
	if n := i.Available("TEE"); err != nil || done.Drift != 0 || done.Repaired != 0 || n != 5 {
		t.Errorf("%+v, %v, %d available", done, err, n)
	}
	r.Check()
}
