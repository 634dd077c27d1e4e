package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// load is checkouts that keep their own books of what they were told, outside of the system: they
// reserve, then confirm, release or leave; some cancel what they bought; some deliveries come in. A call
// that is answered 503 is repeated with the same id, as the contract says.
type load struct {
	tb        testing.TB
	instances []*instance
	skus      int
	running   sync.WaitGroup
	stopping  chan struct{}

	calls   atomic.Int64 // that were answered, refusals and failures included
	mu      sync.Mutex
	sold    map[string]sale   // id -> what was acknowledged as sold
	given   map[string]bool   // ids of which a cancellation was sent
	arrived map[string]string // operation -> SKU, acknowledged
	lost    int               // holds that were acknowledged, and not found later
}

type sale struct {
	sku   location.SKU
	units int64
}

func skuOf(n int) location.SKU { return location.SKU(fmt.Sprintf("SKU-%02d", n)) }

// startLoad starts callers over instances, each with its own random numbers from seed.
func startLoad(tb testing.TB, seed uint64, callers, skus int, instances ...*instance) *load {
	tb.Helper()
	l := &load{
		tb: tb, instances: instances, skus: skus, stopping: make(chan struct{}),
		sold: map[string]sale{}, given: map[string]bool{}, arrived: map[string]string{},
	}
	for n := range skus {
		instances[0].count(skuOf(n), "berlin", 400)
	}
	for n := range callers {
		l.running.Go(func() { l.shop(n, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	return l
}

func (l *load) stop() {
	close(l.stopping)
	l.running.Wait()
}

// rate is how many calls are answered a second, over a time.
func (l *load) rate(over time.Duration) float64 {
	before := l.calls.Load()
	<-time.After(over)
	return float64(l.calls.Load()-before) / over.Seconds()
}

// untilSold goes on until the callers have been told of so many sales: with fewer a run says little, and on a busy
// machine they take longer.
func (l *load) untilSold(r *rig, sales int) {
	l.tb.Helper()
	r.await("enough is sold", 30*time.Second, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.sold) < sales {
			return fmt.Errorf("%d sold of %d", len(l.sold), sales)
		}
		return nil
	})
}

// shop is one caller.
func (l *load) shop(n int, random *rand.Rand) {
	for i := 0; ; i++ {
		select {
		case <-l.stopping:
			return
		default:
		}
		at := l.instances[random.IntN(len(l.instances))]
		id, sku := fmt.Sprintf("order-%d-%d", n, i), skuOf(random.IntN(l.skus))
		sells := n%2 == 0 // the others only look: what they do needs no ledger, and goes on without it
		if sells && random.IntN(25) == 0 {
			l.deliver(at, id, sku)
			continue
		}
		r := order(id, sku, 1+random.Int64N(3))
		if random.IntN(4) == 0 {
			r.TTL = time.Second // some of which will lapse
		}
		if !l.reserve(at, r) {
			continue
		}
		switch choice := random.IntN(10); {
		case choice < 5 && sells:
			l.buy(at, r, random.IntN(3) == 0)
		case choice < 9:
			_ = l.repeat(func(ctx context.Context) error {
				_, err := at.store.Release(ctx, cache.TransitionRequest{ID: id})
				return err
			})
		}
	}
}

// repeat makes a call until it is answered with something else than 503, or it is given up.
func (l *load) repeat(call func(context.Context) error) error {
	for try := range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		err := call(ctx)
		cancel()
		l.calls.Add(1)
		if !isOneOf(err, cache.ErrUnavailable, cache.ErrRebuilding, cache.ErrNotDurable, cache.ErrBacklogFull, context.DeadlineExceeded) {
			return err
		}
		select {
		case <-l.stopping:
			return err
		case <-time.After(time.Duration(1+rand.IntN(1+min(try, 20))) * time.Millisecond):
		}
	}
	return errors.New("given up")
}

func (l *load) reserve(at *instance, r cache.ReserveRequest) bool {
	err := l.repeat(func(ctx context.Context) error {
		_, err := at.store.Reserve(ctx, r)
		return err
	})
	return err == nil
}

// buy confirms, and reserves again what turns out to be lost, as the contract says. Some cancel later.
func (l *load) buy(at *instance, r cache.ReserveRequest, cancels bool) {
	confirm := func(ctx context.Context) error {
		result, err := at.store.Confirm(ctx, cache.TransitionRequest{ID: r.ID})
		if err == nil && !result.Durable && at.ledger != nil {
			l.tb.Errorf("%s: confirmed and not durable", r.ID)
		}
		return err
	}
	err := l.repeat(confirm)
	if errors.Is(err, cache.ErrNotFound) {
		l.mu.Lock()
		l.lost++
		l.mu.Unlock()
		if !l.reserve(at, r) {
			return
		}
		err = l.repeat(confirm)
	}
	if err != nil {
		return
	}
	l.mu.Lock()
	l.sold[r.ID] = sale{r.Lines[0].SKU, r.Lines[0].Quantity}
	l.given[r.ID] = cancels
	l.mu.Unlock()
	if cancels {
		_ = l.repeat(func(ctx context.Context) error {
			_, err := at.store.Release(ctx, cache.TransitionRequest{ID: r.ID})
			return err
		})
	}
}

// deliver brings units in.
func (l *load) deliver(at *instance, id string, sku location.SKU) {
	delta := int64(20)
	err := l.repeat(func(ctx context.Context) error {
		_, err := at.store.Adjust(ctx, cache.AdjustRequest{ID: id, Reason: "delivery", Changes: []cache.Change{
			{SKU: sku, Location: "berlin", Delta: &delta},
		}})
		return err
	})
	if err == nil {
		l.mu.Lock()
		l.arrived[id] = string(sku)
		l.mu.Unlock()
	}
}

// tally is what the books of the callers and the ledger say of each other.
type tally struct {
	sold, missing, oversold, lost, deliveriesMissing int
}

// compare holds the books against the ledger.
func (l *load) compare(r *rig) tally {
	l.tb.Helper()
	ctx := context.Background()
	states := map[string]string{}
	rows, _ := r.pool.Query(ctx, `select id, state from reservations`)
	var id, state string
	if _, err := pgx.ForEachRow(rows, []any{&id, &state}, func() error { states[id] = state; return nil }); err != nil {
		l.tb.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := tally{sold: len(l.sold), lost: l.lost}
	kept := map[location.SKU]int64{}
	for id, s := range l.sold {
		switch state := states[id]; {
		case state == "confirmed":
			kept[s.sku] += s.units
		case state == "released" && l.given[id]:
		default:
			t.missing++
			l.tb.Errorf("%s was acknowledged as sold, and is %q in the ledger", id, state)
		}
	}
	rows, _ = r.pool.Query(ctx, `select sku, on_hand from levels`)
	var sku location.SKU
	var onHand int64
	if _, err := pgx.ForEachRow(rows, []any{&sku, &onHand}, func() error {
		t.oversold += int(max(0, kept[sku]-onHand))
		return nil
	}); err != nil {
		l.tb.Fatal(err)
	}
	rows, _ = r.pool.Query(ctx, `select id from operations`)
	operations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		l.tb.Fatal(err)
	}
	there := map[string]bool{}
	for _, id := range operations {
		there[id] = true
	}
	for id := range l.arrived {
		if !there[id] {
			t.deliveriesMissing++
		}
	}
	return t
}

// isOneOf reports whether err is one of targets.
func isOneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
