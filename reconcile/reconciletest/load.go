package reconciletest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// full runs everything as often and as long as the campaign does.
var full = os.Getenv("HOLDFAST_FULL") != ""

// AtFull is a number of the campaign, or the one that every change is tested with.
func AtFull[T any](campaign, usually T) T {
	if full {
		return campaign
	}
	return usually
}

// SeedOf is the seed of a test: SEED, else of now. It is printed.
func SeedOf(tb testing.TB) uint64 {
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = n
	}
	tb.Logf("SEED=%d", seed)
	return seed
}

// Load is checkouts that keep their own books of what they were told, outside of the system: they
// reserve, then confirm, release or leave; some cancel what they bought; some deliveries come in. A call
// that is answered 503 is repeated with the same id, as the contract says.
type Load struct {
	tb        testing.TB
	instances []*Instance
	skus      int
	running   sync.WaitGroup
	stopping  chan struct{}

	Calls   atomic.Int64 // that were answered, refusals and failures included
	mu      sync.Mutex
	Sold    map[string]sale   // id -> what was acknowledged as sold
	given   map[string]bool   // ids of which a cancellation was sent
	Arrived map[string]string // operation -> SKU, acknowledged
	lost    int               // holds that were acknowledged, and not found later
}

type sale struct {
	SKU   location.SKU
	Units int64
}

func SKUOf(n int) location.SKU { return location.SKU(fmt.Sprintf("SKU-%02d", n)) }

// StartLoad starts callers over instances, each with its own random numbers from seed.
func StartLoad(tb testing.TB, seed uint64, callers, skus int, instances ...*Instance) *Load {
	tb.Helper()
	l := &Load{
		tb: tb, instances: instances, skus: skus, stopping: make(chan struct{}),
		Sold: map[string]sale{}, given: map[string]bool{}, Arrived: map[string]string{},
	}
	for n := range skus {
		instances[0].Count(SKUOf(n), "berlin", 400)
	}
	for n := range callers {
		l.running.Go(func() { l.shop(n, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	return l
}

func (l *Load) Stop() {
	close(l.stopping)
	l.running.Wait()
}

// Rate is how many calls are answered a second, over a time.
func (l *Load) Rate(over time.Duration) float64 {
	before := l.Calls.Load()
	<-time.After(over)
	return float64(l.Calls.Load()-before) / over.Seconds()
}

// UntilSold goes on until the callers have been told of so many sales: with fewer a run says little, and on a busy
// machine they take longer.
func (l *Load) UntilSold(r *Rig, sales int) {
	l.tb.Helper()
	r.Await("enough is sold", 30*time.Second, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.Sold) < sales {
			return fmt.Errorf("%d sold of %d", len(l.Sold), sales)
		}
		return nil
	})
}

// shop is one caller.
func (l *Load) shop(n int, random *rand.Rand) {
	for i := 0; ; i++ {
		select {
		case <-l.stopping:
			return
		default:
		}
		at := l.instances[random.IntN(len(l.instances))]
		id, sku := fmt.Sprintf("order-%d-%d", n, i), SKUOf(random.IntN(l.skus))
		sells := n%2 == 0 // the others only look: what they do needs no ledger, and goes on without it
		if sells && random.IntN(25) == 0 {
			l.deliver(at, id, sku)
			continue
		}
		r := Order(id, sku, 1+random.Int64N(3))
		if random.IntN(4) == 0 {
			r.TTL = time.Second // some of which will lapse
		}
		if !l.Reserve(at, r) {
			continue
		}
		switch choice := random.IntN(10); {
		case choice < 5 && sells:
			l.buy(at, r, random.IntN(3) == 0)
		case choice < 9:
			_ = l.repeat(func(ctx context.Context) error {
				_, err := at.Store.Release(ctx, cache.TransitionRequest{ID: id})
				return err
			})
		}
	}
}

// repeat makes a call until it is answered with something else than 503, or it is given up.
func (l *Load) repeat(call func(context.Context) error) error {
	for try := range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		err := call(ctx)
		cancel()
		l.Calls.Add(1)
		if !IsOneOf(err, cache.ErrUnavailable, cache.ErrRebuilding, cache.ErrNotDurable, cache.ErrBacklogFull, context.DeadlineExceeded) {
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

func (l *Load) Reserve(at *Instance, r cache.ReserveRequest) bool {
	err := l.repeat(func(ctx context.Context) error {
		_, err := at.Store.Reserve(ctx, r)
		return err
	})
	return err == nil
}

// buy confirms, and reserves again what turns out to be lost, as the contract says. Some cancel later.
func (l *Load) buy(at *Instance, r cache.ReserveRequest, cancels bool) {
	confirm := func(ctx context.Context) error {
		result, err := at.Store.Confirm(ctx, cache.TransitionRequest{ID: r.ID})
		if err == nil && !result.Durable && at.Ledger != nil {
			l.tb.Errorf("%s: confirmed and not durable", r.ID)
		}
		return err
	}
	err := l.repeat(confirm)
	if errors.Is(err, cache.ErrNotFound) {
		l.mu.Lock()
		l.lost++
		l.mu.Unlock()
		if !l.Reserve(at, r) {
			return
		}
		err = l.repeat(confirm)
	}
	if err != nil {
		return
	}
	l.mu.Lock()
	l.Sold[r.ID] = sale{r.Lines[0].SKU, r.Lines[0].Quantity}
	l.given[r.ID] = cancels
	l.mu.Unlock()
	if cancels {
		_ = l.repeat(func(ctx context.Context) error {
			_, err := at.Store.Release(ctx, cache.TransitionRequest{ID: r.ID})
			return err
		})
	}
}

// deliver brings units in.
func (l *Load) deliver(at *Instance, id string, sku location.SKU) {
	delta := int64(20)
	err := l.repeat(func(ctx context.Context) error {
		_, err := at.Store.Adjust(ctx, cache.AdjustRequest{ID: id, Reason: "delivery", Changes: []cache.Change{
			{SKU: sku, Location: "berlin", Delta: &delta},
		}})
		return err
	})
	if err == nil {
		l.mu.Lock()
		l.Arrived[id] = string(sku)
		l.mu.Unlock()
	}
}

// tally is what the books of the callers and the ledger say of each other.
type tally struct {
	Sold, Missing, Oversold, Lost, DeliveriesMissing int
}

// Compare holds the books against the ledger.
func (l *Load) Compare(r *Rig) tally {
	l.tb.Helper()
	ctx := context.Background()
	states := map[string]string{}
	rows, _ := r.Pool.Query(ctx, `select id, state from reservations`)
	var id, state string
	if _, err := pgx.ForEachRow(rows, []any{&id, &state}, func() error { states[id] = state; return nil }); err != nil {
		l.tb.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := tally{Sold: len(l.Sold), Lost: l.lost}
	kept := map[location.SKU]int64{}
	for id, s := range l.Sold {
		switch state := states[id]; {
		case state == "confirmed":
			kept[s.SKU] += s.Units
		case state == "released" && l.given[id]:
		default:
			t.Missing++
			l.tb.Errorf("%s was acknowledged as sold, and is %q in the ledger", id, state)
		}
	}
	rows, _ = r.Pool.Query(ctx, `select sku, on_hand from levels`)
	var sku location.SKU
	var onHand int64
	if _, err := pgx.ForEachRow(rows, []any{&sku, &onHand}, func() error {
		t.Oversold += int(max(0, kept[sku]-onHand))
		return nil
	}); err != nil {
		l.tb.Fatal(err)
	}
	rows, _ = r.Pool.Query(ctx, `select id from operations`)
	operations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		l.tb.Fatal(err)
	}
	there := map[string]bool{}
	for _, id := range operations {
		there[id] = true
	}
	for id := range l.Arrived {
		if !there[id] {
			t.DeliveriesMissing++
		}
	}
	return t
}

// IsOneOf reports whether err is one of targets.
func IsOneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
