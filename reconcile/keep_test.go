package reconcile

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
)

// oldSession is a ledger with a page of what is to be forgotten for each millisecond.
type oldSession struct {
	ledger.Session
	pages int
}

func (s *oldSession) Forgettable(_ context.Context, from, _ int64, _ int) (cache.Forgettable, int64, error) {
	s.pages++
	return cache.Forgettable{}, from + 1, nil
}

func (s *oldSession) Forgotten(context.Context, int64) error { return nil }

// TestTail_ForgetsBesideApplying has what is to be forgotten, however much it is, keep nobody from applying for long:
// it goes on after the next batch, until all is forgotten.
func TestTail_ForgetsBesideApplying(t *testing.T) {
	const pages = 10*forgetRun + 1
	old := &oldSession{}
	tail := &tail{Reconciler: &Reconciler{Retention: time.Second}, session: old, appliedTo: 1000 + pages}
	tail.inspected, tail.tended = time.Now().Add(time.Hour), time.Now().Add(time.Hour)
	tail.Ledger = memory.New()
	for steps, before := 1, 0; ; steps++ {
		if err := tail.keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if old.pages == before {
			if old.pages != pages || steps != 12 {
				t.Errorf("%d pages in %d steps", old.pages, steps-1)
			}
			return
		}
		if old.pages > before+forgetRun {
			t.Fatalf("%d pages in one step", old.pages-before)
		}
		before = old.pages
	}
}
