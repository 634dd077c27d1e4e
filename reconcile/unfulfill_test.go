package reconcile_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

func unship(id string, n int64, to location.ID) cache.UnfulfillRequest {
	return cache.UnfulfillRequest{ID: id, Reservation: "a", To: to, Lines: units(n)}
}

// TestScenario_Unfulfill checks that units come back to their reservation once, even if Redis has
// forgotten it, and also after a rebuild.
func TestScenario_Unfulfill(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Shipped(nil)
	r.Forgets("a")
	done, err := i.Store.Unfulfill(t.Context(), unship("un", 2, "lyon"))
	if err != nil || !done.Durable || done.Replay || done.Version != 4 || done.Lines[0].Fulfilled != 1 || done.State != cache.StateConfirmed {
		t.Fatalf("%+v, %v", done, err)
	}
	r.Check()
	if _, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, forgotten := range []string{"nothing", "the operation", "both"} {
		if forgotten == "the operation" {
			reconciletest.Must(t, i.Client.HDel(t.Context(), "{holdfast:0}:operations", "un").Err())
		} else if forgotten == "both" {
			r.Forgets("a")
		}
		if again, err := i.Store.Unfulfill(t.Context(), unship("un", 2, "lyon")); err != nil || !again.Replay || !again.Durable || again.State != cache.StateFulfilled {
			t.Errorf("again, %s forgotten: %+v, %v", forgotten, again, err)
		}
	}
	if _, err := i.Store.Unfulfill(t.Context(), unship("un", 1, "lyon")); !errors.Is(err, cache.ErrIDConflict) {
		t.Errorf("another unfulfill of that id: %v", err)
	}
	if _, err := i.Store.Unfulfill(t.Context(), unship("more", 4, "lyon")); !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("more than is out: %v", err)
	}
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	if rest, err := i.Store.Unfulfill(t.Context(), unship("rest", 2, "")); err != nil || rest.Lines[0].Fulfilled != 1 || rest.State != cache.StateConfirmed {
		t.Errorf("the rest, rebuilt: %+v, %v", rest, err)
	}
	r.Check()
	if named := r.Number(t, `select count(*) from movements where verb = 'unfulfill' and reservation_id = 'a' and operation_id in ('un', 'rest')`); named != 2 {
		t.Errorf("%d movements", named)
	}
}

// TestScenario_UnfulfillRefused lets the ledger refuse an unfulfill: its units, record and id must
// be undone in Redis, whether they came back to the location that they left from, to another, or to
// one without a level.
func TestScenario_UnfulfillRefused(t *testing.T) {
	t.Parallel()
	for _, to := range []location.ID{"", "lyon", "oslo"} {
		t.Run("to "+string(to), func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i := r.Shipped(nil)
			i.Count("TEE", "lyon", 1)
			i.Count("TEE", "berlin", 0)
			_, err := i.Store.Remove(t.Context(), cache.RemoveRequest{SKU: "TEE", Location: "berlin"})
			reconciletest.Must(t, err)
			_, err = r.Pool.Exec(t.Context(), `create function fail() returns trigger language plpgsql as
$$ begin if new.verb = 'unfulfill' then raise exception 'as if' using errcode = 'check_violation'; end if; return new; end $$;
create trigger fail before insert on movements for each row execute function fail()`)
			reconciletest.Must(t, err)
			if _, err := i.Store.Unfulfill(t.Context(), unship("un", 2, to)); !errors.Is(err, cache.ErrNotDurable) {
				t.Errorf("unfulfilled: %v", err)
			}
			r.Check()
			if a := r.State("a"); a.State != cache.StateFulfilled || a.Lines[0].From[0].Fulfilled != 3 {
				t.Errorf("%+v", a)
			}
			if known, err := i.Client.HExists(t.Context(), "{holdfast:0}:operations", "un").Result(); err != nil || known {
				t.Errorf("its id is still taken: %v, %v", known, err)
			}
			_, err = r.Pool.Exec(t.Context(), `drop trigger fail on movements`)
			reconciletest.Must(t, err)
			if done, err := i.Store.Unfulfill(t.Context(), unship("un", 2, to)); err != nil || done.Replay || done.Lines[0].Fulfilled != 1 {
				t.Errorf("again: %+v, %v", done, err)
			}
			r.Check()
		})
	}
}

// TestScenario_UnfulfillRaced unfulfills and ships again while others try to buy the units: nobody
// gets them, because they are never available in between.
func TestScenario_UnfulfillRaced(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Shipped(nil)
	i.Reserve("rest", "TEE", 7)
	stop := make(chan struct{})
	var buyers sync.WaitGroup
	for n := range 2 {
		buyers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := i.Store.Reserve(t.Context(), reconciletest.Order("thief-"+string(rune('a'+n)), "TEE", 1)); err == nil {
					t.Error("a thief has a unit")
					return
				}
			}
		})
	}
	for n := range 5 {
		id := string(rune('0' + n))
		if _, err := i.Store.Unfulfill(t.Context(), unship("un-"+id, 3, "")); err != nil {
			t.Fatal(err)
		}
		if _, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a", Operation: "out-" + id}); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	buyers.Wait()
	r.Check()
}
