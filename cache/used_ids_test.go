package cache

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
)

// pagedLedger has resolved reservations, which it lists in pages of two. It counts the questions for
// one of them.
type pagedLedger struct {
	silentLedger
	ids    []string // in order
	recent []string // resolved after the first pages
	down   bool
	asked  int
}

var errDown = fmt.Errorf("%w: down", ErrNotDurable)

func (l *pagedLedger) ResolvedIDs(_ context.Context, after ResolvedCursor, _ int) ([]string, ResolvedCursor, error) {
	if l.down {
		return nil, after, errDown
	}
	if after.At > 0 && after.ID == "" {
		return l.recent, ResolvedCursor{At: after.At + 1}, nil
	}
	from := 0
	if after.ID != "" {
		from = slices.Index(l.ids, after.ID) + 1
	}
	to := min(len(l.ids), from+2)
	next := ResolvedCursor{At: 1_000_000}
	if to < len(l.ids) {
		next.ID = l.ids[to-1]
	}
	return l.ids[from:to], next, nil
}

func (l *pagedLedger) Reservation(context.Context, string) (wire.ReservationRow, error) {
	l.asked++
	if l.down {
		return wire.ReservationRow{}, errDown
	}
	return wire.ReservationRow{}, ErrNotFound
}

// TestUsedIDs asks about ids while usedIDs has read none, all, or not lately.
func TestUsedIDs(t *testing.T) {
	l := &pagedLedger{ids: []string{"a", "b", "c", "d", "e"}}
	u := newUsedIDs(l)
	now := time.Hour
	u.clock = func() time.Duration { return now }
	expect := func(when string, id string, want bool) {
		t.Helper()
		if got := u.mayHave(id); got != want {
			t.Errorf("%s: may have %s: %t", when, id, got)
		}
		u.running.Wait()
	}
	expect("before the first refresh", "new", true)
	expect("after it", "new", false)
	for _, id := range l.ids {
		expect("after it", id, true)
	}
	l.recent = []string{"f"}
	now += usedRefresh
	expect("at the second refresh", "new", false)
	expect("after it", "f", true)
	now += usedComplete
	expect("long after a refresh", "new", true)
	l.down = true
	now += usedRefresh
	expect("when a refresh begins that fails", "new", false)
	now += usedComplete
	expect("while the ledger is down", "new", false)
	expect("while the ledger is down", "a", true)
	l.down, l.recent = false, []string{"g"}
	now += usedRetry
	expect("when it answers again", "g", false)
	expect("after that", "g", true)
	u.stop()
}

// TestUsedIDs_Filter adds many ids. None may be missed, and few others may be taken for one.
func TestUsedIDs_Filter(t *testing.T) {
	f := idFilter{}
	f.seed = newUsedIDs(nil).ids.seed
	const n = 5 * filterFirst
	for i := range n {
		f.add(strconv.Itoa(i))
		f.add(strconv.Itoa(i)) // a refresh reads some again
	}
	wrong := 0
	for i := range n {
		if !f.has(strconv.Itoa(i)) {
			t.Fatalf("%d is missed", i)
		}
		if f.has("other " + strconv.Itoa(i)) {
			wrong++
		}
	}
	if parts := len(*f.parts.Load()); parts != 3 || wrong > n/200 {
		t.Errorf("%d parts, %d of %d others are taken for one", parts, wrong, n)
	}
}

// TestReserve_LedgerDown reserves while the ledger fails: the first call asks it, the next do not.
func TestReserve_LedgerDown(t *testing.T) {
	e := redistest.Engines(t)[0]
	e.Flush(t)
	b := newBench(t, e.Client, Options{})
	b.stock("TEE@berlin=5")
	l := &pagedLedger{down: true}
	b.store.options.Ledger, b.store.usedIDs = l, newUsedIDs(l)
	for i := range 3 {
		if _, err := b.store.Reserve(b.ctx, order(strconv.Itoa(i), "1:TEE:1")); err != nil {
			t.Error(err)
		}
		b.store.usedIDs.running.Wait()
	}
	if l.asked > 1 {
		t.Errorf("asked %d times", l.asked)
	}
}
