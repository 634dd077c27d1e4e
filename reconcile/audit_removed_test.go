package reconcile

import (
	"testing"

	"github.com/holdfast/holdfast/cache"
)

// TestAudit_Removed has an audit find nothing after levels were removed and made again, units transferred,
// and units returned: what Redis counts for its own sake is no level.
func TestAudit_Removed(t *testing.T) {
	r := newRig(t)
	i := r.shipped(nil)
	i.count("TEE", "lyon", 3)
	if _, err := i.store.Return(t.Context(), ret("ret", 2, "oslo")); err != nil {
		t.Fatal(err)
	}
	if _, err := i.store.Transfer(t.Context(), cache.TransferRequest{ID: "van", SKU: "TEE", From: "lyon", To: "oslo", Quantity: 1}); err != nil {
		t.Fatal(err)
	}
	for _, request := range []cache.RemoveRequest{{SKU: "TEE", Location: "lyon"}, {SKU: "TEE", Location: "berlin"}} {
		if _, err := i.store.Remove(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	i.count("TEE", "lyon", 2)
	a := i.audit(AuditOptions{})
	expectFindings(t, i.ledger, a.ID)
	r.check()
}
