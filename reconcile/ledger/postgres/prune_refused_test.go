package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestPrune_RefusesSteps archives a reservation while one of its steps is on the way to the ledger.
// The step is refused and undone, no unit appears from nowhere, and other refusals are undone too.
func TestPrune_RefusesSteps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rests func(*testing.T, *reconciletest.Rig, *reconciletest.Instance) // resolves a, which has three shirts
		step  func(*testing.T, *reconciletest.Instance) error
		known int64 // version of a after that
		want  string
	}{
		{
			"returned", func(t *testing.T, r *reconciletest.Rig, i *reconciletest.Instance) {
				i.Reserve("a", "TEE", 3)
				i.Confirm("a")
				_, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a"})
				reconciletest.Must(t, err)
				r.Forgets("a")
			}, func(t *testing.T, i *reconciletest.Instance) error {
				_, err := i.Store.Return(t.Context(), reconciletest.Ret("ret", 2, "berlin"))
				return err
			}, 3, "6",
		},
		{
			"confirmed late", func(t *testing.T, r *reconciletest.Rig, i *reconciletest.Instance) {
				short := reconciletest.Order("a", "TEE", 3)
				short.TTL = time.Second
				_, err := i.Store.Reserve(t.Context(), short)
				reconciletest.Must(t, err)
				r.Await("it expires", 10*time.Second, func() error {
					if n, _, err := i.Store.Expire(t.Context()); err != nil || n == 0 {
						return errors.Join(err, errors.New("not yet"))
					}
					return nil
				})
				r.Quiesce()
			}, func(t *testing.T, i *reconciletest.Instance) error {
				_, err := i.Store.Confirm(t.Context(), cache.TransitionRequest{ID: "a"})
				return err
			}, 2, "9",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i, hold, goOn := r.HeldUp()
			i.Reserve("sold", "TEE", 1)
			i.Confirm("sold")
			c.rests(t, r, i)
			forgot(r, t)
			hold()
			steps := make(chan error, 1)
			go func() { steps <- c.step(t, i) }()
			i.Awaited("a", c.known+1, 1)
			_, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: time.Now().Add(time.Hour), Archive: &box{}})
			reconciletest.Must(t, err)
			goOn()
			if err := <-steps; !errors.Is(err, cache.ErrNotDurable) {
				t.Errorf("%v", err)
			}
			r.Check()
			if got := i.Client.HGet(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin").Val(); got != c.want {
				t.Errorf("%s are available, want %s", got, c.want)
			}
			reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID)
			if err := c.step(t, i); !errors.Is(err, cache.ErrIDConflict) {
				t.Errorf("again: %v", err)
			}
			reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
			i.Open(5 * time.Second)
			r.Check()
			if err := c.step(t, i); !errors.Is(err, cache.ErrNotFound) {
				t.Errorf("again, rebuilt: %v", err)
			}
		})
	}
}

// TestPrune_BesideReturn decides a return while its reservation is being archived. The decision
// from before must not be written after.
func TestPrune_BesideReturn(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Shipped(nil)
	r.Forgets("a")
	forgot(r, t)
	archived, goOn := make(chan struct{}), make(chan struct{})
	pruned, returned := make(chan error, 1), make(chan error, 1)
	go func() {
		pruned <- pgx.BeginFunc(context.Background(), r.Pool, func(tx pgx.Tx) error {
			options := postgres.PruneOptions{Before: time.Now().Add(time.Hour), Archive: &box{}}.Paged(1)
			_, err := postgres.ArchiveReservations(context.Background(), tx, &options)
			close(archived)
			<-goOn
			return err
		})
	}()
	<-archived
	go func() {
		_, err := i.Store.Return(context.Background(), reconciletest.Ret("ret", 2, "berlin"))
		returned <- err
	}()
	r.Await("the return waits for the archive", 2*time.Second, func() error {
		if r.Number(t, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == 0 {
			return errors.New("nothing waits")
		}
		return nil
	})
	close(goOn)
	reconciletest.Must(t, <-pruned)
	if err := <-returned; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("returned: %v", err)
	}
	r.Check()
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID)
}

// TestPrune_RecordEdited edits the record that Redis still has of an archived reservation. The
// ledger cannot restore it, so a repair makes Redis forget it.
func TestPrune_RecordEdited(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Shipped(nil)
	r.Quiesce()
	forgot(r, t)
	_, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: time.Now().Add(time.Hour), Archive: &box{}})
	reconciletest.Must(t, err)
	const key = "{holdfast:0}:reservations"
	edited := strings.Replace(i.Client.HGet(t.Context(), key, "a").Val(), "fulfilled\x1f3", "confirmed\x1f9", 1)
	reconciletest.Must(t, i.Client.HSet(t.Context(), key, "a", edited).Err())
	plan, _, err := i.Auditor(nil).Plan(t.Context(), audit.Options{})
	if err != nil || len(plan.Repairs) != 1 || plan.Repairs[0].Would != "remove the record from Redis" {
		t.Errorf("planned: %+v, %v", plan, err)
	}
	if done := i.Audit(audit.Options{Repair: true}); done.Drift != 0 || done.Repaired != 1 {
		t.Errorf("%+v", done)
	}
	if _, err := i.Store.Reservation(t.Context(), "a"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID)
	r.Check()
}
