package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// measuredLedger is a ledger that can be away, and that measures the batches it applies.
type measuredLedger struct {
	*postgres.Ledger
	away atomic.Bool

	mu      sync.Mutex
	batches []measure
}

type measure struct{ events, bytes, last int } // last: bytes of the last entry

var errAway = errors.New("away, for a test")

func (l *measuredLedger) Lock(ctx context.Context) (ledger.Session, error) {
	if l.away.Load() {
		return nil, errAway
	}
	s, err := l.Ledger.Lock(ctx)
	return &measuredSession{s, l}, err
}

type measuredSession struct {
	ledger.Session
	ledger *measuredLedger
}

func (s *measuredSession) Apply(ctx context.Context, from, to wire.Position, entries []ledger.Entry) ([]ledger.Refusal, error) {
	if s.ledger.away.Load() {
		return nil, errAway
	}
	var m measure
	for i := range entries {
		m.last = 0
		for _, text := range entries[i].Raw {
			m.last += len(text)
		}
		m.bytes += m.last
		m.events += len(entries[i].Events)
	}
	s.ledger.mu.Lock()
	s.ledger.batches = append(s.ledger.batches, m)
	s.ledger.mu.Unlock()
	return s.Session.Apply(ctx, from, to, entries)
}

// TestReconciler_BoundsBatches lets large reservations wait for the ledger, between small ones. A
// batch must be bounded by its bytes, or the memory of the process follows the size of an order.
func TestReconciler_BoundsBatches(t *testing.T) {
	t.Parallel()
	const bytesMax, eventsMax = 1 << 20, 1000
	r := reconciletest.NewRig(t)
	l := &measuredLedger{Ledger: postgres.New(r.Pool, 0)}
	i := r.Started(func(r *reconcile.Reconciler) { r.Ledger = l })
	long := func(name string, n int) string { return fmt.Sprint(name, n, strings.Repeat("x", 100)) }
	count := cache.AdjustRequest{ID: "count"}
	units := int64(1_000_000)
	large := cache.ReserveRequest{TTL: time.Hour}
	for n := range 100 {
		sku := location.SKU(long("sku", n))
		count.Changes = append(count.Changes, cache.Change{SKU: sku, Location: "berlin", OnHand: &units})
		large.Lines = append(large.Lines, cache.LineRequest{Line: long("line", n), SKU: sku, Quantity: 1})
	}
	_, err := i.Store.Adjust(t.Context(), count)
	reconciletest.Must(t, err)
	i.Count("MUG", "berlin", units)
	r.Quiesce()
	l.away.Store(true)
	for n := range 80 {
		for m := range 4 {
			i.Reserve(fmt.Sprint("small", n, "-", m), "MUG", 1)
		}
		large.ID = fmt.Sprint("large", n)
		_, err := i.Store.Reserve(t.Context(), large)
		reconciletest.Must(t, err)
	}
	l.away.Store(false)
	r.Check()
	var all measure
	for _, m := range l.batches {
		if m.events-1 >= eventsMax || m.bytes-m.last >= bytesMax {
			t.Errorf("a batch of %d events and %d bytes, the last entry has %d", m.events, m.bytes, m.last)
		}
		all.bytes += m.bytes
	}
	if all.bytes < 3*bytesMax/2 {
		t.Errorf("only %d bytes waited: this proves nothing", all.bytes)
	}
}
