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

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// full says that tests run as often and as long as in the campaign.
var full = os.Getenv("HOLDFAST_FULL") != ""

// AtFull returns campaign if HOLDFAST_FULL is set, and usually otherwise. With -short it returns a
// quarter of usually, but at least 1.
func AtFull[T ~int | ~int64](campaign, usually T) T {
	switch {
	case full:
		return campaign
	case testing.Short():
		return max(usually/4, 1)
	}
	return usually
}

// SeedOf returns and logs the seed of a test: the variable SEED, or else the time.
func SeedOf(tb testing.TB) uint64 {
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = n
	}
	tb.Logf("SEED=%d", seed)
	return seed
}

// Load is a number of checkouts that record the answers they get, outside of the system. They
// reserve, some with backorder, then confirm, release or leave; some cancel what they bought; some deliveries arrive. A
// call that is answered 503 is repeated with the same id, as the contract says.
type Load struct {
	tb        testing.TB
	instances []*Instance
	skus      int
	running   sync.WaitGroup
	stopping  chan struct{}

	Calls   atomic.Int64 // answered calls, refusals and failures included
	mu      sync.Mutex
	Sold    map[string]sale   // id -> what was acknowledged as sold
	given   map[string]bool   // ids for which a cancellation was sent
	Arrived map[string]string // operation -> SKU, acknowledged
	lost    int               // holds that were acknowledged and not found later
	left    map[string]bool   // acknowledged holds that nobody touched again
	wrong   []string          // how confirms of holds ended that were neither there nor not found
}

type sale struct {
	SKU       location.SKU
	Units     int64
	Backorder bool
	amended   bool // to Units
	unknown   bool // an amend may have changed Units
}

// SKUOf returns the n-th SKU of a load.
func SKUOf(n int) location.SKU { return location.SKU(fmt.Sprintf("SKU-%02d", n)) }

// StartLoad counts in 400 units of each SKU and starts callers, each with its own random numbers
// from seed.
func StartLoad(tb testing.TB, seed uint64, callers, skus int, instances ...*Instance) *Load {
	tb.Helper()
	l := &Load{
		tb: tb, instances: instances, skus: skus, stopping: make(chan struct{}),
		Sold: map[string]sale{}, given: map[string]bool{}, Arrived: map[string]string{}, left: map[string]bool{},
	}
	for n := range skus {
		instances[0].Count(SKUOf(n), "berlin", 400)
	}
	for n := range callers {
		l.running.Go(func() { l.shop(n, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	return l
}

// Stop stops the callers and waits for them.
func (l *Load) Stop() {
	close(l.stopping)
	l.running.Wait()
}

// Rate returns how many calls are answered per second, measured for a while.
func (l *Load) Rate(over time.Duration) float64 {
	before := l.Calls.Load()
	<-time.After(over)
	return float64(l.Calls.Load()-before) / over.Seconds()
}

// Answered waits until n more calls are answered: a fault without calls would prove nothing.
func (l *Load) Answered(r *Rig, n int64) {
	l.tb.Helper()
	until := l.Calls.Load() + n
	r.Await("enough calls are answered", 10*time.Second, func() error {
		if got := l.Calls.Load(); got < until {
			return fmt.Errorf("%d of %d are missing", until-got, n)
		}
		return nil
	})
}

// UntilSold waits until the callers have the given number of sales: a run with fewer says little.
func (l *Load) UntilSold(r *Rig, sales int) {
	l.tb.Helper()
	r.Await("enough is sold", 30*time.Second, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.Sold) < sales {
			return fmt.Errorf("%d of %d are sold", len(l.Sold), sales)
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
		sells := n%2 == 0 // the others never confirm: their calls need no ledger, and go on without it
		if sells && random.IntN(25) == 0 {
			l.deliver(at, id, sku)
			continue
		}
		r := Order(id, sku, 1+random.Int64N(3))
		if random.IntN(4) == 0 {
			r.TTL = time.Second // some of these expire
		}
		r.Lines[0].Backorder = random.IntN(8) == 0
		if !l.Reserve(at, r) {
			continue
		}
		switch choice := random.IntN(10); {
		case choice < 5 && sells:
			l.buy(at, r, random.IntN(3) == 0)
			if random.IntN(3) == 0 {
				l.amend(at, id, 1+random.Int64N(3))
			}
		case choice < 9:
			_ = l.repeat(func(ctx context.Context) error {
				_, err := at.Store.Release(ctx, cache.TransitionRequest{ID: id})
				return err
			})
		case r.TTL == time.Hour:
			l.mu.Lock()
			l.left[id] = true
			l.mu.Unlock()
		}
	}
}

// repeat repeats a call while the answer is 503, at most 100 times.
func (l *Load) repeat(call func(context.Context) error) error {
	for try := range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		err := call(ctx)
		cancel()
		l.Calls.Add(1)
		if !IsOneOf(err, unanswered...) {
			return err
		}
		select {
		case <-l.stopping:
			return err
		case <-time.After(time.Duration(1+rand.IntN(1+min(try, 20))) * time.Millisecond):
		}
	}
	return errGivenUp
}

var errGivenUp = errors.New("given up")

// unanswered lists the errors of a call whose outcome is unknown, or that can be repeated.
var unanswered = []error{
	cache.ErrUnavailable, cache.ErrRebuilding, cache.ErrNotDurable, cache.ErrBacklogFull, context.DeadlineExceeded, errGivenUp,
}

// Reserve reports whether r is held.
func (l *Load) Reserve(at *Instance, r cache.ReserveRequest) bool {
	err := l.repeat(func(ctx context.Context) error {
		_, err := at.Store.Reserve(ctx, r)
		return err
	})
	return err == nil
}

// buy confirms a reservation. If it was lost it reserves again first, as the contract says. Some
// cancel later.
func (l *Load) buy(at *Instance, r cache.ReserveRequest, cancels bool) {
	confirm := func(ctx context.Context) error {
		result, err := at.Store.Confirm(ctx, cache.TransitionRequest{ID: r.ID})
		if err == nil && !result.Durable && at.Ledger != nil {
			l.tb.Errorf("%s is confirmed, but not durable", r.ID)
		}
		return err
	}
	err := l.repeat(confirm)
	if r.TTL == time.Hour && err != nil && !IsOneOf(err, append(unanswered, cache.ErrNotFound)...) {
		l.mu.Lock()
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %v", r.ID, err))
		l.mu.Unlock()
	}
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
	l.Sold[r.ID] = sale{SKU: r.Lines[0].SKU, Units: r.Lines[0].Quantity, Backorder: r.Lines[0].Backorder}
	l.given[r.ID] = cancels
	l.mu.Unlock()
	if cancels {
		_ = l.repeat(func(ctx context.Context) error {
			_, err := at.Store.Release(ctx, cache.TransitionRequest{ID: r.ID})
			return err
		})
	}
}

// amend changes the units of a sale that is not given back.
func (l *Load) amend(at *Instance, id string, units int64) {
	l.mu.Lock()
	_, sold := l.Sold[id]
	sold = sold && !l.given[id]
	l.mu.Unlock()
	if !sold {
		return
	}
	err := l.repeat(func(ctx context.Context) error {
		result, err := at.Store.Amend(ctx, cache.AmendRequest{
			ID: id, Operation: "chg-" + id, Lines: []cache.LineAmendment{{Line: "1", Quantity: units}},
		})
		if err == nil && !result.Durable && at.Ledger != nil {
			l.tb.Errorf("%s is amended, but not durable", id)
		}
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.Sold[id]
	switch {
	case err == nil:
		s.Units, s.amended = units, true
	case !errors.Is(err, cache.ErrInsufficient): // it may have been made: the smaller number is sold
		s.Units, s.unknown = min(s.Units, units), true
	}
	l.Sold[id] = s
}

// deliver counts in a delivery of 20 units.
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

// tally is the result of comparing the answers to the callers with the ledger.
type tally struct {
	Sold, Missing, Oversold, Lost, DeliveriesMissing int
}

// Wrong returns the errors of confirms of holds that were neither there nor not found. There must be none.
func (l *Load) Wrong() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.wrong)
}

// Compare compares the answers to the callers with the ledger.
func (l *Load) Compare(r *Rig) tally {
	l.tb.Helper()
	states := r.pairs(`select id, state from reservations`)
	l.mu.Lock()
	defer l.mu.Unlock()
	t := tally{Sold: len(l.Sold), Lost: l.lost}
	for id := range l.left {
		if _, there := states[id]; !there {
			t.Lost++
		}
	}
	kept := map[location.SKU]int64{}
	units := r.pairs(`select reservation_id, (select sum(q) from unnest(quantities) q)::text from reservation_lines`)
	for id, s := range l.Sold {
		if s.amended && !s.unknown && units[id] != strconv.FormatInt(s.Units, 10) {
			t.Missing++
			l.tb.Errorf("%s was acknowledged as amended to %d, and has %s in the ledger", id, s.Units, units[id])
		}
		switch state := states[id]; {
		case state == "confirmed" && s.Backorder: // there may be fewer units
		case state == "confirmed":
			kept[s.SKU] += s.Units
		case state == "released" && l.given[id]:
		default:
			t.Missing++
			l.tb.Errorf("%s was acknowledged as sold, and is %q in the ledger", id, state)
		}
	}
	for sku, text := range r.pairs(`select sku, on_hand::text from levels`) {
		onHand, err := strconv.ParseInt(text, 10, 64)
		Must(l.tb, err)
		t.Oversold += int(max(0, kept[location.SKU(sku)]-onHand))
	}
	operations := r.pairs(`select id, '' from operations`)
	for id := range l.Arrived {
		if _, there := operations[id]; !there {
			t.DeliveriesMissing++
		}
	}
	return t
}

// IsOneOf reports whether err is one of targets.
func IsOneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
