package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// moment returns a moment of Redis's clock that has passed.
func moment(r *reconciletest.Rig) time.Time {
	r.TB.Helper()
	c := r.Client()
	clock := func() time.Time {
		now, err := c.Time(context.Background()).Result()
		if err != nil {
			r.TB.Fatal(err)
		}
		return now.Truncate(time.Millisecond).UTC()
	}
	moment := clock()
	r.Await("the moment has passed", time.Second, func() error {
		if !clock().After(moment) {
			return errors.New("it has not passed")
		}
		return nil
	})
	return moment
}

// tees counts TEE in Berlin as of a moment.
func tees(id string, units int64, asOf time.Time) cache.AdjustRequest {
	return cache.AdjustRequest{ID: id, AsOf: asOf, Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}}
}

// TestScenario_AsOf checks that a count of an earlier moment treats units that left since neither
// as missing nor as present.
func TestScenario_AsOf(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	before := moment(r)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 3)
	i.Confirm("a")
	counted := moment(r)
	if _, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a", Version: 2, Lines: []cache.LineQuantity{{Line: "1", Quantity: 2}}}); err != nil {
		t.Fatal(err)
	}
	onHand := func(what string, request cache.AdjustRequest, want int64) cache.AdjustResult {
		t.Helper()
		result, err := i.Store.Adjust(t.Context(), request)
		if err != nil || result.Levels[0].OnHand != want || !result.Durable {
			t.Fatalf("%s: %+v, %v; want %d on hand", what, result, err, want)
		}
		return result
	}
	first := onHand("what was there", tees("count", 10, counted), 8)
	if l := first.Levels[0]; l.Committed != 1 || l.Available != 7 || l.Shortfall() != 0 {
		t.Errorf("%+v", l)
	}
	if again := onHand("the same again", tees("count", 10, counted), 8); !again.Replay || !again.At.Equal(first.At) {
		t.Errorf("%+v", again)
	}
	var little *cache.InsufficientError
	if _, err := i.Store.Adjust(t.Context(), tees("little", 1, counted)); !errors.As(err, &little) || little.Shortages[0] != (cache.Shortage{SKU: "TEE", Requested: 2, Available: 1}) {
		t.Errorf("less than has left since: %v", err)
	}
	onHand("one is missing", tees("short", 9, counted), 7)
	onHand("the same under another id", tees("another", 9, counted), 7)
	later := moment(r)
	delta := int64(4)
	if _, err := i.Store.Adjust(t.Context(), cache.AdjustRequest{ID: "delivery", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", Delta: &delta}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 1, "berlin")); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Store.Transfer(t.Context(), cache.TransferRequest{ID: "van", SKU: "TEE", From: "berlin", To: "lyon", Quantity: 2}); err != nil {
		t.Fatal(err)
	}
	onHand("a later count", tees("later", 7, later), 10)
	onHand("an earlier one", tees("earlier", 20, counted), 10)
	short := onHand("less than is sold", tees("stolen", 0, moment(r)), 0)
	if n := short.Levels[0].Shortfall(); n != 1 {
		t.Errorf("a shortfall of %d: %+v", n, short)
	}

	for name, c := range map[string]struct {
		request cache.AdjustRequest
		want    error
	}{
		"in the future":     {tees("f", 10, time.Now().Add(time.Hour)), cache.ErrInvalid},
		"before the ledger": {tees("b", 10, before), cache.ErrInvalid},
	} {
		if _, err := i.Store.Adjust(t.Context(), c.request); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stale, five := tees("stale", 10, counted), int64(5)
	stale.Changes[0].IfOnHand = &five
	var version *cache.VersionError
	if _, err := i.Store.Adjust(t.Context(), stale); !errors.As(err, &version) || version.Current != 0 {
		t.Errorf("if on hand is another: %v", err)
	}
	var rows int
	reconciletest.Must(t, r.Pool.QueryRow(t.Context(), `select count(*) from movements where verb = 'count' and sku = 'TEE' and on_hand <> 0`).Scan(&rows))
	if rows != 3 {
		t.Errorf("%d movements are counts", rows)
	}
}

// TestScenario_AsOfBehind checks that a count of an earlier moment waits until the ledger has every
// movement since.
func TestScenario_AsOfBehind(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 3)
	i.Confirm("a")
	counted := moment(r)
	tx, err := r.Pool.Begin(t.Context())
	reconciletest.Must(t, err)
	_, err = tx.Exec(t.Context(), `select 1 from positions for update`) // nobody can apply meanwhile
	reconciletest.Must(t, err)
	done := make(chan error, 2)
	go func() {
		_, err := i.Store.Fulfill(context.Background(), cache.TransitionRequest{ID: "a"})
		done <- err
	}()
	r.Await("it has left in Redis", 3*time.Second, func() error {
		counts, err := i.Client.HGet(context.Background(), "{holdfast:0}:levels", "TEE\x1fberlin").Result()
		if counts != "7\x1f0\x1f0\x1f0" {
			return fmt.Errorf("%q, %w", counts, err)
		}
		return nil
	})
	var result cache.AdjustResult
	go func() {
		var err error
		result, err = i.Store.Adjust(context.Background(), tees("count", 10, counted))
		done <- err
	}()
	r.Await("it asks the ledger", 3*time.Second, func() error { return asked(r, "left join lateral") })
	reconciletest.Must(t, tx.Rollback(t.Context()))
	for range 2 {
		reconciletest.Must(t, <-done)
	}
	if result.Levels[0].OnHand != 7 {
		t.Errorf("%+v, want 7 on hand", result)
	}
	r.Check()
}

// changingLedger is a ledger that runs then after it has answered Since.
type changingLedger struct {
	*postgres.Ledger
	then func()
}

func (l *changingLedger) Since(ctx context.Context, moment int64, levels []wire.LevelName) (cache.Since, error) {
	since, err := l.Ledger.Since(ctx, moment, levels)
	then := l.then
	if l.then = nil; then != nil {
		then()
	}
	return since, err
}

// TestScenario_AsOfDuringChange lets units leave while a count is under way, and another change
// bring on hand back to the value the ledger read. The count must notice that change, which is in force.
func TestScenario_AsOfDuringChange(t *testing.T) {
	t.Parallel()
	for name, makeUp := range map[string]func(*testing.T, *reconciletest.Instance){
		"a count": func(_ *testing.T, i *reconciletest.Instance) { i.Count("TEE", "berlin", 10) },
		"created again": func(t *testing.T, i *reconciletest.Instance) {
			_, err := i.Store.Remove(t.Context(), cache.RemoveRequest{SKU: "TEE", Location: "berlin"})
			reconciletest.Must(t, err)
			units := int64(10)
			_, err = i.Store.Adjust(t.Context(), cache.AdjustRequest{ID: "found", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", Delta: &units}}})
			reconciletest.Must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i := r.Started(nil)
			i.Reserve("a", "TEE", 2)
			i.Confirm("a")
			r.Quiesce()
			ledger := &changingLedger{Ledger: i.Ledger, then: func() {
				_, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a"})
				reconciletest.Must(t, err)
				makeUp(t, i)
			}}
			store, err := cache.New(i.Client, cache.Options{Ledger: ledger})
			reconciletest.Must(t, err)
			defer func() { reconciletest.Must(t, store.Close(context.Background())) }()
			counted := tees("late", 15, moment(r))
			result, err := store.Adjust(t.Context(), counted)
			if err != nil || result.Levels[0].OnHand != 10 || result.Levels[0].InForce == nil {
				t.Errorf("%+v, %v, want 10 on hand", result, err)
			}
			r.Check()
		})
	}
}

// asked returns nil if the last query of a session contains text.
func asked(r *reconciletest.Rig, text string) error {
	rows, _ := r.Pool.Query(context.Background(), `select query from pg_stat_activity where query like '%' || $1 || '%' and pid <> pg_backend_pid()`, text)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if len(list) == 0 {
		return fmt.Errorf("no session has sent it, %w", err)
	}
	return nil
}

// TestScenario_AsOfUnderLoad counts the same moment many times while units leave. On hand must be
// the count less what has left, in whatever order the calls arrive.
func TestScenario_AsOfUnderLoad(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Start(nil)
	i.Open(5 * time.Second)
	const orders, counts = 60, 12
	i.Count("TEE", "berlin", 1000)
	for n := range orders {
		i.Reserve(fmt.Sprint("o", n), "TEE", 1)
		i.Confirm(fmt.Sprint("o", n))
	}
	counted := moment(r)
	var group sync.WaitGroup
	var next atomic.Int64
	for range 4 {
		group.Go(func() {
			for n := next.Add(1) - 1; n < orders; n = next.Add(1) - 1 {
				if _, err := i.Store.Fulfill(context.Background(), cache.TransitionRequest{ID: fmt.Sprint("o", n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for c := range counts {
		group.Go(func() {
			r.Await("counted", 20*time.Second, func() error {
				_, err := i.Store.Adjust(context.Background(), tees(fmt.Sprint("count", c), 990, counted))
				if err != nil && !errors.Is(err, cache.ErrNotDurable) {
					t.Error(err)
					return nil
				}
				return err
			})
		})
	}
	group.Wait()
	levels, err := i.Store.Levels(t.Context(), location.SKU("TEE"))
	if err != nil || levels[0].OnHand != 990-orders {
		t.Errorf("%+v, %v; want %d on hand", levels, err, 990-orders)
	}
	r.Check()
}

// TestScenario_CountsInOrder checks that a count of an earlier moment does not replace one of a later
// moment, whichever comes first, also after a rebuild and after the level was removed.
func TestScenario_CountsInOrder(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	nine, ten := moment(r), moment(r)
	count := func(what string, request cache.AdjustRequest, want int64, inForce string) {
		t.Helper()
		got, err := i.Store.Adjust(t.Context(), request)
		if err != nil || got.Levels[0].OnHand != want {
			t.Fatalf("%s: %+v, %v; want %d on hand", what, got, err, want)
		}
		said := ""
		if c := got.Levels[0].InForce; c != nil {
			said = c.Operation + " " + c.At.String()
		}
		if said != inForce {
			t.Errorf("%s: %q is in force, want %q", what, said, inForce)
		}
	}
	count("at ten", tees("ten", 40, ten), 40, "")
	late := "ten " + ten.String()
	count("at nine", tees("nine", 50, nine), 40, late)
	count("at nine, again", tees("nine", 50, nine), 40, late)
	count("at ten, corrected", tees("corrected", 41, ten), 41, "")
	late = "corrected " + ten.String()
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	count("at nine, rebuilt", tees("rebuilt", 50, nine), 41, late)
	reconciletest.Must(t, i.Client.HDel(t.Context(), "{holdfast:0}:operations", "rebuilt").Err())
	count("the same, forgotten", tees("rebuilt", 50, nine), 41, late)
	removed, err := i.Store.Remove(t.Context(), cache.RemoveRequest{ID: "gone", SKU: "TEE", Location: "berlin"})
	reconciletest.Must(t, err)
	late = "gone " + removed.At.String()
	count("at ten, removed", tees("after", 50, ten), 0, late)
	if levels, err := i.Store.Levels(t.Context(), "TEE"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("it is there again: %+v, %v", levels, err)
	}
	delta := int64(3)
	_, err = i.Store.Adjust(t.Context(), cache.AdjustRequest{ID: "new", Changes: []cache.Change{{SKU: "TEE", Location: "berlin", Delta: &delta}}})
	reconciletest.Must(t, err)
	count("at ten, made again", tees("made", 50, ten), 3, late)
	count("now", tees("now", 7, time.Time{}), 7, "")
	count("a moment ago", tees("ago", 7, moment(r)), 7, "")
	r.Check()
}
