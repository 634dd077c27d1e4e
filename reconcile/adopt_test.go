package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// followed starts a replica of the rig's Redis, and waits until the ledger has noted the history that it
// follows: a primary takes a new replication id when its first replica attaches.
func followed(t *testing.T, r *reconciletest.Rig) *redistest.Server {
	t.Helper()
	replica := r.Redis.Follower(t)
	r.Await("the ledger notes the history", 3*time.Second, func() error {
		about, err := r.Client().Info(context.Background(), "replication").Result()
		if err != nil {
			return err
		}
		var noted string
		if err := r.Pool.QueryRow(context.Background(), `select replication_id from positions`).Scan(&noted); err != nil {
			return err
		}
		if !strings.Contains(about, "master_replid:"+noted) {
			return fmt.Errorf("the ledger has %s: %s", noted, about)
		}
		return nil
	})
	r.Await("the replica has the seals", 3*time.Second, func() error {
		return replica.Client(t).HGet(context.Background(), reconciletest.KeyStock, "sealed").Err()
	})
	return replica
}

// follower returns a function that promotes a replica of the rig's Redis, and kills that.
func follower(t *testing.T, r *reconciletest.Rig) (promote func()) {
	replica := followed(t, r)
	return func() {
		t.Helper()
		replica.Promote(t, r.Redis)
		r.Redis.Kill()
		r.Redis = replica
	}
}

// patient starts an instance whose calls to Redis may take long. On a busy machine an adoption could
// otherwise fail half-way, and end in a rebuild.
func patient(r *reconciletest.Rig, change func(*reconcile.Reconciler)) *reconciletest.Instance {
	r.TB.Helper()
	client := redis.NewClient(&redis.Options{
		Addr: r.Redis.Addr(), MaxRetries: -1, DialerRetries: 1, Protocol: 2, PoolSize: 32,
		ReadTimeout: reconciletest.Busy, WriteTimeout: reconciletest.Busy, ContextTimeoutEnabled: true, DisableIdentity: true,
	})
	r.TB.Cleanup(func() { _ = client.Close() })
	i := r.StartWith(client, change)
	i.Client = client
	return i
}

// decision is what a reconciler decides first about its Redis: "adopt", "rebuild", or "" if it need do neither.
type decision struct{ first atomic.Pointer[string] }

func (d *decision) watch(r *reconcile.Reconciler) {
	r.Point = func(name string) {
		if what := strings.TrimSuffix(name, "/begun"); what == "adopt" || what == "rebuild" {
			d.first.CompareAndSwap(nil, &what)
		}
	}
}

func (d *decision) String() string {
	if what := d.first.Load(); what != nil {
		return *what
	}
	return ""
}

// adoptedOnce waits until a reconciler has counted that it adopted its Redis, and checks that it rebuilt none.
func adoptedOnce(r *reconciletest.Rig, i *reconciletest.Instance) {
	r.TB.Helper()
	r.Await("it is adopted", time.Second, func() error { // it counts after the gate is open
		if s := i.Reconciler.Stats(); s.Adopted != 1 || s.Rebuilds != 0 {
			return fmt.Errorf("%d adopted, %d rebuilt", s.Adopted, s.Rebuilds)
		}
		return nil
	})
}

// TestAdopt_Everything promotes a replica with holds, sales, purchase limits, an open refusal, a repaired
// level, and entries that the ledger has not applied. It must be adopted, and everything must go on.
func TestAdopt_Everything(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	stop := reconciletest.NewStop(t, "refused")
	one := r.Start(func(r *reconcile.Reconciler) { r.Point = stop.Point })
	one.Open(5 * time.Second)
	d := ledgertest.Warehouses("berlin")
	d.Limits = []location.Limit{{ID: "drop", SKUs: []location.SKU{"TEE"}, PerCustomer: 3}}
	rules, err := location.Compile(d)
	reconciletest.Must(t, err)
	one.Store.Direct(rules)
	one.Count("TEE", "berlin", 20)
	one.Count("MUG", "berlin", 10)
	drift := func(units int64) { // by hand
		reconciletest.Must(t, r.Client().HIncrBy(t.Context(), reconciletest.KeyStock, "MUG\x1fberlin", units).Err())
	}
	drift(+2)
	if done := one.Audit(audit.Options{Repair: true}); done.Repaired != 1 {
		t.Fatalf("%+v", done)
	}
	promote := follower(t, r)
	take := func(i *reconciletest.Instance, id, customer string) error {
		order := reconciletest.Order(id, "TEE", 2)
		order.Customer = customer
		_, err := i.Store.Reserve(context.Background(), order)
		return err
	}
	reconciletest.Must(t, take(one, "held", "c-1"))
	reconciletest.Must(t, take(one, "sold", "c-2"))
	one.Confirm("sold")
	drift(+1) // Redis has eleven
	one.Reserve("refused", "MUG", 11)
	if _, err := one.Store.Confirm(t.Context(), cache.TransitionRequest{ID: "refused"}); !errors.Is(err, cache.ErrInsufficient) {
		t.Fatalf("confirmed units that do not exist: %v", err)
	}
	stop.Wait(t) // before it undoes that
	reconciletest.Must(t, take(one, "waits", "c-3"))
	promote()
	_, err = r.Pool.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and application_name = 'holdfast reconciler'`)
	reconciletest.Must(t, err)

	told := 0
	two := patient(r, func(r *reconcile.Reconciler) { r.Adopted = func() { told++ } })
	two.Open(10 * time.Second)
	stop.LetGo()
	two.Store.Direct(rules)
	adoptedOnce(r, two)
	two.Confirm("held")
	two.Confirm("waits")
	for _, customer := range []string{"c-1", "c-2", "c-3"} {
		if err := take(two, "more-"+customer, customer); !errors.Is(err, cache.ErrPurchaseLimit) {
			t.Errorf("%s has more than the limit: %v", customer, err)
		}
	}
	r.Await("the refusal is undone", 5*time.Second, func() error {
		if record := r.State("refused"); record.State != cache.StateExpired {
			return fmt.Errorf("%+v", record)
		}
		return nil
	})
	if done := two.Audit(audit.Options{Repair: true}); done.Repaired != 1 {
		t.Errorf("the unit by hand: %+v", done)
	}
	units := int64(20)
	count := cache.AdjustRequest{ID: "as of", AsOf: moment(r), Changes: []cache.Change{{SKU: "TEE", Location: "berlin", OnHand: &units}}}
	r.Await("it is counted as of a moment", 5*time.Second, func() error {
		_, err := two.Store.Adjust(context.Background(), count)
		return err
	})
	r.Check()
	if done := two.Audit(audit.Options{}); done.Drift != 0 {
		t.Errorf("%+v", done)
	}
	if two.Stop(); told != 1 {
		t.Errorf("Adopted was called %d times", told)
	}
}

// TestAdopt_Overdue adopts a Redis that was away for an hour. A hold that fell due meanwhile keeps its units
// for an hour more, and then expires.
func TestAdopt_Overdue(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	one := r.Started(nil)
	promote := follower(t, r)
	for _, id := range []string{"confirmed", "left"} {
		one.Reserve(id, "TEE", 5)
	}
	r.Quiesce()
	one.Stop()
	promote()
	_, err := r.Pool.Exec(t.Context(), `update positions set seen_at = seen_at - interval '1 hour'`)
	reconciletest.Must(t, err)
	c := r.Client()
	until := moment(r).Add(-time.Minute).UnixMilli() // the deadlines of the holds are an hour from now
	reconciletest.Must(t, c.HSet(t.Context(), reconciletest.KeyStock, "expire_until", until).Err())
	two := patient(r, nil)
	two.Open(10 * time.Second)
	adoptedOnce(r, two)
	grace, err := c.HGet(t.Context(), reconciletest.KeyStock, "grace_until").Int64()
	if left := time.UnixMilli(grace).Sub(moment(r)); err != nil || left < 50*time.Minute || left > 2*time.Hour {
		t.Errorf("deadlines wait for %v, %v", left, err)
	}
	waits := two.Reconciler.Stats().Epoch
	r.Await("housekeeping runs", 3*time.Second, func() error { // it trims the entries of the epoch before
		first, err := c.XRangeN(context.Background(), "{holdfast:0}:events", "-", "+", 1).Result()
		if err == nil && !strings.HasPrefix(first[0].ID, fmt.Sprint(waits, "-")) {
			err = errors.New(first[0].ID)
		}
		return err
	})
	if got, err := c.HGet(t.Context(), reconciletest.KeyStock, "expire_until").Int64(); err != nil || got != until {
		t.Errorf("expire_until is %d, %v: want %d", got, err, until)
	}
	two.Confirm("confirmed")
	reconciletest.Must(t, c.HSet(t.Context(), reconciletest.KeyStock, "grace_until", until).Err())
	r.Await("deadlines take effect again", 3*time.Second, func() error {
		got, err := c.HGet(context.Background(), reconciletest.KeyStock, "expire_until").Int64()
		if err == nil && got == until {
			err = errors.New("not yet")
		}
		return err
	})
	r.Check()
}

// TestAdopt_Damaged promotes a replica that lacks a key, as one that was promoted while it loaded a snapshot,
// and one with an entry that no script wrote. Both must be rebuilt.
func TestAdopt_Damaged(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string][]any{
		"a key lacks":      {"del", reconciletest.KeyReservations},
		"a foreign entry":  {"xadd", "{holdfast:0}:events", "1-1000000", "n", ""},
		"a later epoch":    {"xadd", "{holdfast:0}:events", "9-1", "n", "x"},
		"the last applied": {"del", "{holdfast:0}:events"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			one := r.Started(nil)
			promote := follower(t, r)
			one.Reserve("a", "TEE", 3)
			one.Confirm("a")
			one.Reserve("b", "TEE", 2)
			r.Quiesce()
			one.Stop()
			promote()
			reconciletest.Must(t, r.Client().Do(t.Context(), edit...).Err())
			var d decision
			two := r.Start(d.watch)
			two.Open(10 * time.Second)
			if got := d.String(); got != "rebuild" && (got != "adopt" || two.Reconciler.Stats().Adopted > 0) {
				t.Errorf("decides to %s", got)
			}
			two.Confirm("b")
			r.Check()
		})
	}
}

// TestAdopt_Killed kills a reconciler at each place of an adoption. The next one adopts again if the ledger
// does not have the new epoch, else it rebuilds, and nothing at all is left to do after the last step.
func TestAdopt_Killed(t *testing.T) {
	if testing.Short() {
		t.Skip("a process and a server for each place")
	}
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("PROBE", "berlin", 10_000)
	for round := range reconciletest.AtFull(20, 1) {
		for _, c := range []struct{ point, want string }{
			{"adopt/begun", "adopt"},
			{"adopt/closed", "adopt"},
			{"adopt/drained", "adopt"},
			{"adopt/moved", "rebuild"},
			{"adopt/scripts", "rebuild"},
			{"adopt/open", ""},
		} {
			promote := follower(t, r)
			id := func(what string) string { return fmt.Sprint(what, "-", c.point, "-", round) }
			i.Reserve(id("sold"), "PROBE", 1)
			i.Confirm(id("sold"))
			i.Stop()
			i.ReserveUnasked(id("held"), "PROBE", 2) // the ledger has not applied this one
			promote()
			child := startChildUntil(r, c.point, 1)
			select {
			case <-child.ended:
			case <-time.After(10*time.Second + reconciletest.Busy):
				t.Fatalf("it is not killed at %s", c.point)
			}
			var d decision
			i = r.Start(d.watch)
			i.Open(10 * time.Second)
			if got := d.String(); got != c.want {
				t.Errorf("killed at %s: the next decides to %q, want %q", c.point, got, c.want)
			}
			i.Confirm(id("held"))
			r.Check()
		}
	}
}

// TestAdopt_DuringRebuild promotes a replica at each step of a rebuild. What is loaded by then must never be
// adopted, even if a reconciler that was paused has sealed it.
func TestAdopt_DuringRebuild(t *testing.T) {
	if testing.Short() {
		t.Skip("a server for each chunk")
	}
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("PROBE", "berlin", 1000)
	for n := range reservationsOfTwoChunks {
		i.Reserve(fmt.Sprint("held-", n), "PROBE", 1)
	}
	r.Quiesce()
	i.Stop()
	steps := 0
	for step, more := int64(1), true; more; step++ {
		stop := newStepStop(step)
		i = r.Start(func(r *reconcile.Reconciler) { r.Point = stop.point })
		i.Open(5 * time.Second)
		promote := follower(t, r)
		stop.armed.Store(true)
		reconciletest.Must(t, r.Client().FlushAll(t.Context()).Err())
		select {
		case more = <-stop.reached:
		case <-time.After(10*time.Second + reconciletest.Busy):
			t.Fatal("it is not rebuilt")
		}
		if more {
			steps++
			sealByHand(t, i)
			promote()
			close(stop.goOn)
		}
		i.Stop()
		var d decision
		next := r.Start(d.watch)
		next.Open(10 * time.Second)
		if got := d.String(); more && got != "rebuild" {
			t.Errorf("promoted at step %d: decides to %q", step, got)
		}
		r.Check()
		next.Stop()
	}
	if steps < 5 {
		t.Errorf("a rebuild has only %d steps", steps)
	}
}

// stepStop pauses a rebuild after one of its steps: a chunk, or all of them.
type stepStop struct {
	step    int64
	armed   atomic.Bool
	steps   atomic.Int64
	reached chan bool // true at the step, false if the rebuild ended before
	goOn    chan struct{}
}

func newStepStop(step int64) *stepStop {
	return &stepStop{step: step, reached: make(chan bool, 2), goOn: make(chan struct{})}
}

func (s *stepStop) point(name string) {
	if !s.armed.Load() || name != "chunk" && name != "loaded" {
		return
	}
	switch n := s.steps.Add(1); {
	case n == s.step:
		s.reached <- true
		<-s.goOn
	case n < s.step && name == "loaded":
		s.reached <- false
	}
}

// reservationsOfTwoChunks is more than the first chunk of a rebuild has.
const reservationsOfTwoChunks = 30

// sealByHand seals a Redis as the reconciler does when it has found it whole.
func sealByHand(t *testing.T, i *reconciletest.Instance) {
	conn, err := shard.Open(context.Background(), i.Client, reconcile.PrefixDefault, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	if _, err := conn.Damage(context.Background()); err != nil {
		t.Error(err)
	}
}
