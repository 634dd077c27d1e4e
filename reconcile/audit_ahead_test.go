package reconcile

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// TestAudit_ReadAgain has a page of levels that is read again end before it did: the page that was read ahead begins
// behind what is no longer its last, and is not the next one.
func TestAudit_ReadAgain(t *testing.T) {
	r := newRig(t)
	var once sync.Once
	i, hold, goOn := r.heldUp()
	i.count("MUG", "berlin", 500)
	r.quiesce()
	hold()
	for n := range readBehind + 1 { // more than a reading looks at
		i.reserve(fmt.Sprint("held-", n), "MUG", 1)
	}
	a := i.auditor(func(a *Auditor) {
		a.Page = 1
		a.point = func(name string) {
			if name == "read" {
				once.Do(func() {
					goOn()
					i.count("CAP", "berlin", 5)
					r.quiesce()
				})
			}
		}
	})
	done, err := a.Run(context.Background(), AuditOptions{})
	must(t, err)
	if done.Levels != 3 || done.Drift != 0 {
		t.Errorf("%+v", done)
	}
}
