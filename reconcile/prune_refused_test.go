package reconcile

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
)

// TestPrune_RefusesSteps has a reservation be archived while a step of it is on its way to the ledger: the step is
// refused and undone, no unit is made up, and other refusals are undone beside it.
func TestPrune_RefusesSteps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rests func(*testing.T, *rig, *instance) // has a, of three shirts, come to rest
		step  func(*testing.T, *instance) error
		known int64 // version that a has then
		want  string
	}{
		{
			"returned", func(t *testing.T, r *rig, i *instance) {
				i.reserve("a", "TEE", 3)
				i.confirm("a")
				_, err := i.store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a"})
				must(t, err)
				r.forgets("a")
			}, func(t *testing.T, i *instance) error {
				_, err := i.store.Return(t.Context(), ret("ret", 2, "berlin"))
				return err
			}, 3, "6",
		},
		{
			"confirmed late", func(t *testing.T, r *rig, i *instance) {
				short := order("a", "TEE", 3)
				short.TTL = time.Second
				_, err := i.store.Reserve(t.Context(), short)
				must(t, err)
				r.await("it expires", 10*time.Second, func() error {
					if n, _, err := i.store.Expire(t.Context()); err != nil || n == 0 {
						return errors.Join(err, errors.New("not yet"))
					}
					return nil
				})
				r.quiesce()
			}, func(t *testing.T, i *instance) error {
				_, err := i.store.Confirm(t.Context(), cache.TransitionRequest{ID: "a"})
				return err
			}, 2, "9",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			i, hold, goOn := r.heldUp()
			i.reserve("sold", "TEE", 1)
			i.confirm("sold")
			c.rests(t, r, i)
			r.forgot(t)
			hold()
			steps := make(chan error, 1)
			go func() { steps <- c.step(t, i) }()
			i.awaited("a", c.known+1, 1)
			_, err := i.ledger.Prune(t.Context(), PruneOptions{Before: time.Now().Add(time.Hour), Archive: &box{}})
			must(t, err)
			goOn()
			if err := <-steps; !errors.Is(err, cache.ErrNotDurable) {
				t.Errorf("%v", err)
			}
			r.check()
			if got := i.client.HGet(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin").Val(); got != c.want {
				t.Errorf("%s are available, want %s", got, c.want)
			}
			expectFindings(t, i.ledger, i.audit(AuditOptions{}).ID)
			if err := c.step(t, i); !errors.Is(err, cache.ErrIDConflict) {
				t.Errorf("again: %v", err)
			}
			must(t, i.client.FlushAll(t.Context()).Err())
			i.open(5 * time.Second)
			r.check()
			if err := c.step(t, i); !errors.Is(err, cache.ErrNotFound) {
				t.Errorf("again, rebuilt: %v", err)
			}
		})
	}
}

// TestPrune_BesideReturn has a return be decided while its reservation is being archived: what was decided before is
// not written after.
func TestPrune_BesideReturn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.shipped(nil)
	r.forgets("a")
	r.forgot(t)
	archived, goOn := make(chan struct{}), make(chan struct{})
	pruned, returned := make(chan error, 1), make(chan error, 1)
	go func() {
		pruned <- pgx.BeginFunc(context.Background(), r.pool, func(tx pgx.Tx) error {
			_, err := archiveReservations(context.Background(), tx, &PruneOptions{Before: time.Now().Add(time.Hour), Archive: &box{}, page: 1})
			close(archived)
			<-goOn
			return err
		})
	}()
	<-archived
	go func() {
		_, err := i.store.Return(context.Background(), ret("ret", 2, "berlin"))
		returned <- err
	}()
	r.await("the return waits for the archive", 2*time.Second, func() error {
		if r.number(t, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == 0 {
			return errors.New("nothing waits")
		}
		return nil
	})
	close(goOn)
	must(t, <-pruned)
	if err := <-returned; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("returned: %v", err)
	}
	r.check()
	expectFindings(t, i.ledger, i.audit(AuditOptions{}).ID)
}

// TestPrune_RecordEdited has the record that Redis still has of an archived reservation be edited by hand: there is
// nothing to make it again from, so a repair has Redis forget it.
func TestPrune_RecordEdited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.shipped(nil)
	r.quiesce()
	r.forgot(t)
	_, err := i.ledger.Prune(t.Context(), PruneOptions{Before: time.Now().Add(time.Hour), Archive: &box{}})
	must(t, err)
	const key = "{holdfast:0}:reservations"
	edited := strings.Replace(i.client.HGet(t.Context(), key, "a").Val(), "fulfilled\x1f3", "confirmed\x1f9", 1)
	must(t, i.client.HSet(t.Context(), key, "a", edited).Err())
	plan, _, err := i.auditor(nil).Plan(t.Context(), AuditOptions{})
	if err != nil || len(plan.Repairs) != 1 || plan.Repairs[0].Would != "take the record out of Redis" {
		t.Errorf("planned: %+v, %v", plan, err)
	}
	if done := i.audit(AuditOptions{Repair: true}); done.Drift != 0 || done.Repaired != 1 {
		t.Errorf("%+v", done)
	}
	if _, err := i.store.Reservation(t.Context(), "a"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	expectFindings(t, i.ledger, i.audit(AuditOptions{}).ID)
	r.check()
}
