package audit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestLevels_PageReadAgain reads a page of levels again that now ends earlier. The page read ahead
// begins after the old last level, and must not be used.
func TestLevels_PageReadAgain(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	var once sync.Once
	i, hold, goOn := r.HeldUp()
	i.Count("MUG", "berlin", 500)
	r.Quiesce()
	hold()
	for n := range audit.ReadBehind + 1 { // more than a reading looks at
		i.Reserve(fmt.Sprint("held-", n), "MUG", 1)
	}
	a := i.Auditor(func(a *audit.Auditor) {
		a.Page = 1
		a.At("read", func() {
			once.Do(func() {
				goOn()
				i.Count("CAP", "berlin", 5)
				r.Quiesce()
			})
		})
	})
	done, err := a.Run(context.Background(), audit.Options{})
	reconciletest.Must(t, err)
	if done.Levels != 3 || done.Drift != 0 {
		t.Errorf("%+v", done)
	}
}
