package reconcile

import (
	"context"
	"sync"
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

// TestAudit_Remade has a level be removed and made anew between an audit's last look at it and its repair: what it
// counts now is right, and stays so.
func TestAudit_Remade(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	r.quiesce()
	must(t, i.client.HSet(t.Context(), keyLevels, "TEE\x1fberlin", "7\x1f0\x1f0\x1f0").Err())
	must(t, i.client.HSet(t.Context(), keyStock, "TEE\x1fberlin", "7").Err())
	var once sync.Once
	a := i.auditor(func(a *Auditor) {
		a.point = func(name string) {
			if name == "repairing" {
				once.Do(func() {
					_, err := i.store.Remove(context.Background(), cache.RemoveRequest{SKU: "TEE", Location: "berlin"})
					mustDo(t, err)
					i.count("TEE", "berlin", 5)
				})
			}
		}
	})
	done, err := a.Run(t.Context(), AuditOptions{Repair: true})
	if n := i.available("TEE"); err != nil || done.Drift != 0 || done.Repaired != 0 || n != 5 {
		t.Errorf("%+v, %v, %d available", done, err, n)
	}
	r.check()
}
