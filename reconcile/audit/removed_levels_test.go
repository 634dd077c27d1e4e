package audit_test

import (
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestAudit_RemovedLevels finds nothing after levels were removed and made again, and units
// transferred and returned. The counts that Redis keeps for itself are no levels.
func TestAudit_RemovedLevels(t *testing.T) {
	t.Parallel()
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
