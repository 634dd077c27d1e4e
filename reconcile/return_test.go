package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_Return checks that units come back once, even if Redis has forgotten the
// reservation, and also after a rebuild.
func TestScenario_Return(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Shipped(nil)
	r.Forgets("a")
	done, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 2, "lyon"))
	if err != nil || !done.Durable || done.Replay || done.Version != 4 || done.Lines[0].Returned != 2 || done.State != cache.StateFulfilled {
		t.Fatalf("%+v, %v", done, err)
	}
	r.Check()
	for _, forgotten := range []string{"nothing", "the operation", "both"} {
		if forgotten == "the operation" {
			reconciletest.Must(t, i.Client.HDel(t.Context(), "{holdfast:0}:operations", "ret").Err())
		} else if forgotten == "both" {
			r.Forgets("a")
		}
		if again, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 2, "lyon")); err != nil || !again.Replay || !again.Durable || again.Lines[0].Returned != 2 {
			t.Errorf("again, %s forgotten: %+v, %v", forgotten, again, err)
		}
	}
	if _, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 1, "lyon")); !errors.Is(err, cache.ErrIDConflict) {
		t.Errorf("another return of that id: %v", err)
	}
	if _, err := i.Store.Return(t.Context(), reconciletest.Ret("more", 2, "lyon")); !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("more than is out: %v", err)
	}
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	if rest, err := i.Store.Return(t.Context(), reconciletest.Ret("rest", 1, "berlin")); err != nil || rest.Lines[0].Returned != 3 {
		t.Errorf("the rest, rebuilt: %+v, %v", rest, err)
	}
	var named int
	reconciletest.Must(t, r.Pool.QueryRow(t.Context(), `select count(*) from movements where verb = 'return' and reservation_id = 'a' and operation_id in ('ret', 'rest')`).Scan(&named))
	levels, err := i.Store.Levels(t.Context(), "TEE")
	if err != nil || len(levels) != 2 || levels[0].OnHand != 8 || levels[1].OnHand != 2 || named != 2 {
		t.Errorf("%+v, %d movements, %v", levels, named, err)
	}
	r.Check()
}

// TestScenario_ReturnRefused lets the ledger refuse a return: its units, record and id must be
// undone in Redis.
func TestScenario_ReturnRefused(t *testing.T) {
	t.Parallel()
	for _, to := range []location.ID{"berlin", "lyon"} {
		t.Run(string(to), func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i := r.Shipped(nil)
			i.Count("TEE", "lyon", 1)
			_, err := r.Pool.Exec(t.Context(), `create function fail() returns trigger language plpgsql as
$$ begin if new.verb = 'return' then raise exception 'as if' using errcode = 'check_violation'; end if; return new; end $$;
create trigger fail before insert on movements for each row execute function fail()`)
			reconciletest.Must(t, err)
			if _, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 2, to)); !errors.Is(err, cache.ErrNotDurable) {
				t.Errorf("returned: %v", err)
			}
			r.Check()
			if known, err := i.Client.HExists(t.Context(), "{holdfast:0}:operations", "ret").Result(); err != nil || known {
				t.Errorf("its id is still taken: %v, %v", known, err)
			}
			_, err = r.Pool.Exec(t.Context(), `drop trigger fail on movements`)
			reconciletest.Must(t, err)
			if done, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 2, to)); err != nil || done.Replay || done.Lines[0].Returned != 2 {
				t.Errorf("again: %+v, %v", done, err)
			}
			r.Check()
		})
	}
}
