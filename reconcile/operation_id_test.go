package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// step is a call with the id of an operation.
type step func(context.Context, *cache.Store) (cache.Result, error)

func units(n int64) []cache.LineQuantity { return []cache.LineQuantity{{Line: "1", Quantity: n}} }

func released(operation string, n int64) step {
	return func(ctx context.Context, s *cache.Store) (cache.Result, error) {
		return s.Release(ctx, cache.TransitionRequest{ID: "a", Operation: operation, Lines: units(n)})
	}
}

func fulfilled(operation string, n int64) step {
	return func(ctx context.Context, s *cache.Store) (cache.Result, error) {
		return s.Fulfill(ctx, cache.TransitionRequest{ID: "a", Operation: operation, Lines: units(n)})
	}
}

func moved(operation string) step {
	return func(ctx context.Context, s *cache.Store) (cache.Result, error) {
		return s.Move(ctx, cache.MoveRequest{ID: "a", Operation: operation, Line: "1", To: "lyon"})
	}
}

// TestScenario_OperationID repeats steps in every order, after Redis has forgotten them, and after a
// rebuild: none is made twice.
func TestScenario_OperationID(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("TEE", "lyon", 5)
	i.Reserve("a", "TEE", 6)
	steps := []step{released("less", 1), moved("over"), fulfilled("out", 2), fulfilled("more", 1)}
	made := func(what string, version int64) {
		t.Helper()
		for n, repeat := range steps {
			again, err := repeat(t.Context(), i.Store)
			if err != nil || !again.Replay || again.Version != version {
				t.Errorf("%s, step %d: %+v, %v", what, n, again, err)
			}
		}
		r.Check()
	}
	for n, first := range steps {
		if n == 2 {
			i.Confirm("a")
		}
		if result, err := first(t.Context(), i.Store); err != nil || result.Replay {
			t.Fatalf("step %d: %+v, %v", n, result, err)
		}
	}
	made("repeated", 6)
	reconciletest.Must(t, i.Client.HDel(t.Context(), "{holdfast:0}:operations", "less", "over", "out", "more").Err())
	made("forgotten by Redis", 6)
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	made("rebuilt", 6)
	if _, err := released("less", 2)(t.Context(), i.Store); !errors.Is(err, cache.ErrIDConflict) {
		t.Errorf("the same id with other units: %v", err)
	}
	if operations := r.Number(t, `select count(*) from operations where id in ('less', 'over', 'out', 'more')`); operations != 4 {
		t.Errorf("%d operations", operations)
	}
}

// TestScenario_OperationRefused lets the ledger refuse steps that have the id of an operation. The
// id must be free again.
func TestScenario_OperationRefused(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]step{"release": released("op", 1), "fulfill": fulfilled("op", 1), "move": moved("op")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i := r.Started(nil)
			i.Count("TEE", "lyon", 5)
			i.Reserve("a", "TEE", 3)
			i.Confirm("a")
			_, err := r.Pool.Exec(t.Context(), `create function fail() returns trigger language plpgsql as
$$ begin if new.operation_id = 'op' then raise exception 'as if' using errcode = 'check_violation'; end if; return new; end $$;
create trigger fail before insert on movements for each row execute function fail()`)
			reconciletest.Must(t, err)
			if _, err := refused(t.Context(), i.Store); !errors.Is(err, cache.ErrNotDurable) {
				t.Errorf("refused: %v", err)
			}
			r.Check()
			if known, err := i.Client.HExists(t.Context(), "{holdfast:0}:operations", "op").Result(); err != nil || known {
				t.Errorf("its id is still taken: %v, %v", known, err)
			}
			_, err = r.Pool.Exec(t.Context(), `drop trigger fail on movements`)
			reconciletest.Must(t, err)
			if done, err := refused(t.Context(), i.Store); err != nil || done.Replay || !done.Durable {
				t.Errorf("again: %+v, %v", done, err)
			}
			r.Check()
		})
	}
}

// TestScenario_OperationsRefused lets the ledger refuse two steps of a hold, one upon the other. The
// ids of both must be free again, though only the last step is undone.
func TestScenario_OperationsRefused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i, hold, goOn := r.HeldUp()
	i.Count("TEE", "berlin", 10)
	i.Reserve("a", "TEE", 4)
	r.Quiesce()
	_, err := r.Pool.Exec(t.Context(), `create function fail() returns trigger language plpgsql as
$$ begin if new.operation_id = 'op-1' then raise exception 'as if' using errcode = 'check_violation'; end if; return new; end $$;
create trigger fail before insert on movements for each row execute function fail()`)
	reconciletest.Must(t, err)
	hold()
	for _, first := range []step{released("op-1", 1), released("op-2", 1)} {
		if done, err := first(t.Context(), i.Store); err != nil || done.Replay {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	goOn()
	r.Check()
	if left, err := i.Client.HMGet(t.Context(), "{holdfast:0}:operations", "op-1", "op-2").Result(); err != nil || left[0] != nil || left[1] != nil {
		t.Errorf("ids are still taken: %v, %v", left, err)
	}
	if a := r.State("a"); a.Lines[0].From[0].Quantity != 4 {
		t.Errorf("%+v", a)
	}
}
