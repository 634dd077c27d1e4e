package reconcile

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
)

// oldSession is a ledger session that has one page to forget for each millisecond.
type oldSession struct {
	ledger.Session
	pages int
}

func (s *oldSession) Forgettable(_ context.Context, from, _ int64, _ int) (wire.Forgettable, int64, error) {
	s.pages++
	return wire.Forgettable{}, from + 1, nil
}

func (s *oldSession) Forgotten(context.Context, int64) error { return nil }

// TestHousekeeping_ForgetsInParts checks that forgetting never keeps the applier from applying for
// long: however much there is to forget, it goes on after the next batch, until everything is
// forgotten.
func TestHousekeeping_ForgetsInParts(t *testing.T) {
	const pages = 10*forgetRuns + 1
	old := &oldSession{}
	a := &applier{Reconciler: &Reconciler{Retention: time.Second}, session: old, appliedTo: 1000 + pages}
	a.checked, a.housekept = time.Now().Add(time.Hour), time.Now().Add(time.Hour)
	a.Ledger = memory.New()
	for steps, before := 1, 0; ; steps++ {
		if err := a.housekeeping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if old.pages == before {
			if old.pages != pages || steps != 12 {
				t.Errorf("%d pages in %d steps", old.pages, steps-1)
			}
			return
		}
		if old.pages > before+forgetRuns {
			t.Fatalf("%d pages in one step", old.pages-before)
		}
		before = old.pages
	}
}
