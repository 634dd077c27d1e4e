package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// expired is Started, with an expired reservation a of three TEE that Redis has forgotten.
func expired(t *testing.T, r *reconciletest.Rig) *reconciletest.Instance {
	t.Helper()
	i := r.Started(nil)
	_, err := i.Store.Reserve(t.Context(), soon("a", "TEE", 3))
	reconciletest.Must(t, err)
	r.Await("it expires", 10*time.Second, func() error {
		n, _, err := i.Store.Expire(t.Context())
		if err == nil && n == 0 {
			return errors.New("not yet")
		}
		return err
	})
	r.Forgets("a")
	return i
}

// soon returns an order whose deadline is in a second.
func soon(id string, sku location.SKU, units int64) cache.ReserveRequest {
	r := reconciletest.Order(id, sku, units)
	r.TTL = time.Second
	return r
}

func confirmed(t *testing.T, i *reconciletest.Instance, id string) (cache.Result, error) {
	t.Helper()
	return i.Store.Confirm(t.Context(), cache.TransitionRequest{ID: id})
}

// TestScenario_ConfirmForgotten confirms an expired reservation that Redis has forgotten: it takes
// its units again, also after a rebuild.
func TestScenario_ConfirmForgotten(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := expired(t, r)
	var version *cache.VersionError
	if _, err := i.Store.Confirm(t.Context(), cache.TransitionRequest{ID: "a", Version: 1}); !errors.As(err, &version) || version.Current != 2 {
		t.Errorf("of another version: %v", err)
	}
	done, err := confirmed(t, i, "a")
	if err != nil || !done.Durable || done.Replay || done.Version != 3 || done.State != cache.StateConfirmed {
		t.Fatalf("%+v, %v", done, err)
	}
	if again, err := confirmed(t, i, "a"); err != nil || !again.Replay || again.Version != 3 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if n := i.Available("TEE"); n != 7 {
		t.Errorf("%d are available", n)
	}
	r.Check()
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	if again, err := confirmed(t, i, "a"); err != nil || !again.Replay || again.Version != 3 {
		t.Errorf("again, rebuilt: %+v, %v", again, err)
	}
	if n := i.Available("TEE"); n != 7 {
		t.Errorf("%d are available, rebuilt", n)
	}
	r.Check()
}

// TestScenario_ConfirmForgottenShort sells the units of a forgotten reservation. Its confirm is
// refused and takes none of them.
func TestScenario_ConfirmForgottenShort(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := expired(t, r)
	i.Reserve("b", "TEE", 8)
	i.Confirm("b")
	for range 2 {
		var short *cache.InsufficientError
		if _, err := confirmed(t, i, "a"); !errors.As(err, &short) || len(short.Shortages) != 1 || short.Shortages[0] != (cache.Shortage{Line: "1", SKU: "TEE", Requested: 3, Available: 2}) {
			t.Errorf("confirmed: %v", err)
		}
	}
	if got, err := i.Store.Reservation(t.Context(), "a"); err != nil || got.State != cache.StateExpired || got.Version != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if known := i.Client.HExists(t.Context(), "{holdfast:0}:reservations", "a").Val(); known {
		t.Error("Redis has it again")
	}
	r.Check()
}

// TestScenario_ConfirmForgottenRefused lets the ledger refuse the confirm of a forgotten
// reservation, of which Redis takes units that the ledger lacks. Redis gives them back.
func TestScenario_ConfirmForgottenRefused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := expired(t, r)
	reconciletest.Must(t, r.Pool.QueryRow(t.Context(), `update levels set on_hand = 2 where sku = 'TEE' returning 1`).Scan(new(int)))
	if _, err := confirmed(t, i, "a"); !errors.Is(err, cache.ErrInsufficient) {
		t.Errorf("confirmed: %v", err)
	}
	r.Await("it is undone", 5*time.Second, func() error {
		if got, err := i.Store.Reservation(t.Context(), "a"); err != nil || got.State != cache.StateExpired || got.Version != 4 {
			return errors.Join(err, errors.New("not yet"))
		}
		return nil
	})
	reconciletest.Must(t, r.Pool.QueryRow(t.Context(), `update levels set on_hand = 10 where sku = 'TEE' returning 1`).Scan(new(int)))
	r.Quiesce()
	if done, err := confirmed(t, i, "a"); err != nil || done.Version != 5 {
		t.Errorf("confirmed when there are units: %+v, %v", done, err)
	}
	r.Check()
}

// TestScenario_ReserveForgotten reserves with ids that Redis has forgotten and the ledger knows. No
// units are taken: the same request is a repeat, another one a conflict.
func TestScenario_ReserveForgotten(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	first := expired(t, r)
	first.Reserve("b", "TEE", 1)
	first.Confirm("b")
	if _, err := first.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "b"}); err != nil {
		t.Fatal(err)
	}
	r.Forgets("b")
	i := r.Start(func(r *reconcile.Reconciler) { r.Retention = time.Hour }) // it has read no ids yet
	for _, c := range []struct {
		request cache.ReserveRequest
		want    cache.State // "": a conflict
	}{
		{soon("a", "TEE", 3), cache.StateExpired},
		{soon("a", "TEE", 2), ""},
		{reconciletest.Order("b", "TEE", 1), cache.StateFulfilled},
		{reconciletest.Order("b", "TEE", 9), ""},
	} {
		got, err := i.Store.Reserve(t.Context(), c.request)
		switch {
		case c.want == "" && !errors.Is(err, cache.ErrIDConflict):
			t.Errorf("another %s: %+v, %v", c.request.ID, got, err)
		case c.want != "" && (err != nil || !got.Replay || got.State != c.want):
			t.Errorf("%s again: %+v, %v", c.request.ID, got, err)
		}
	}
	if n := i.Available("TEE"); n != 9 {
		t.Errorf("%d are available", n)
	}
	if done, err := confirmed(t, i, "a"); err != nil || done.State != cache.StateConfirmed {
		t.Errorf("confirmed: %+v, %v", done, err)
	}
	if got, err := i.Store.Reserve(t.Context(), soon("a", "TEE", 3)); err != nil || !got.Replay || got.State != cache.StateConfirmed {
		t.Errorf("again after the confirm: %+v, %v", got, err)
	}
	var wrong *cache.WrongStateError
	if _, err := confirmed(t, i, "b"); !errors.As(err, &wrong) || wrong.State != cache.StateFulfilled {
		t.Errorf("confirmed what was fulfilled: %v", err)
	}
	r.Check()
}
