package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

const teeDrift = "counter_drift TEE berlin: 14 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, "

// drifted starts an instance with one hold and a counter that is 5 too high.
func drifted(r *reconciletest.Rig) *reconciletest.Instance {
	r.TB.Helper()
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	reconciletest.Must(r.TB, i.Client.HIncrBy(context.Background(), reconciletest.KeyStock, "TEE\x1fberlin", 5).Err())
	return i
}

// TestAudit_StuckRefusal reports a refused confirm that can't be undone because its level is
// unreadable. Repairing the level lets it be undone, and nothing goes back and forth.
func TestAudit_StuckRefusal(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 20).Err())
	i.Reserve("a", "TEE", 10)
	i.Confirm("a")
	i.Reserve("b", "TEE", 10)
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", "x").Err())
	if _, err := i.Store.Confirm(t.Context(), cache.TransitionRequest{ID: "b"}); !errors.Is(err, cache.ErrInsufficient) {
		t.Fatalf("confirmed: %v", err)
	}
	found := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, i.Ledger, found.ID,
		`counter_drift TEE berlin: "x", "10\x1f20\x1f0\x1f0" > -10 on hand 10 committed 20 safety 0 backorder 0, open`,
		"open_refusal b: confirmed v2 10 TEE berlin > held v1 10 TEE berlin, open")
	if found.Drift != 1 || found.Settled != 1 {
		t.Errorf("%+v", found)
	}
	repaired := i.Audit(audit.Options{Repair: true})
	if repaired.Drift != 0 || repaired.Repaired != 1 {
		t.Errorf("%+v\n%s", repaired, strings.Join(reconciletest.Findings(t, i.Ledger, repaired.ID), "\n"))
	}
	r.Await("the refused confirm is undone", 5*time.Second, func() error {
		if open, err := r.OpenRefusals(context.Background()); err != nil || open > 0 {
			return fmt.Errorf("%d open, %w", open, err)
		}
		return nil
	})
	again := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, i.Ledger, again.ID)
	r.Check()
}

// TestAudit_ReusedID finds nothing if an id was used again after its reservation was released.
func TestAudit_ReusedID(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 1)
	if _, err := i.Store.Release(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	r.Forgets("a")
	i.ReserveUnasked("a", "TEE", 2)
	r.Quiesce()
	done := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, i.Ledger, done.ID)
	r.Check()
}

// TestAudit_Quarantined reports a quarantined entry as such, not as drift.
func TestAudit_Quarantined(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	reconciletest.Must(t, i.Client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{holdfast:0}:events", ID: "1-*", Values: []any{"v", "1", "n", "x", "e", "nonsense"}}).Err())
	i.Reserve("a", "TEE", 1)
	i.Confirm("a")
	done := i.Audit(audit.Options{})
	if done.Drift != 0 || done.Settled != 1 {
		t.Errorf("%+v\n%s", done, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
	}
	r.Check()
}

// TestAudit_Negative reports a level as frozen that is negative once its drift is repaired: in the
// audit, the plan and the repair. Nothing is reserved from it until more is counted in.
func TestAudit_Negative(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	i.Reserve("too many", "TEE", 12)
	const ifRepaired = "below zero after the repair: 3 more units are held or sold than there are. Nothing is sold from it without backorder then " +
		"until units are added or released. Until the repair, Redis accepts holds for 2 more units; confirms beyond the stock are refused"
	p := plan(i, audit.Options{})
	if len(p.Repairs) != 1 || !p.Repairs[0].Frozen || p.Repairs[0].Note != ifRepaired || *p.Repairs[0].Ledger.Available != -3 {
		t.Errorf("%+v", p.Repairs)
	}
	done := apply(i, p, audit.ApplyOptions{})
	list, err := i.Ledger.AuditFindings(t.Context(), done.Audit.ID, ledger.FindingFilter{}, 10)
	if err != nil || len(list) != 1 || !list[0].Frozen || list[0].State != ledger.FindingRepaired || list[0].Note != ifRepaired {
		t.Errorf("%+v, %v", list, err)
	}
	refused := func(what string) {
		t.Helper()
		if _, err := i.Store.Reserve(t.Context(), reconciletest.Order(what, "TEE", 1)); !errors.Is(err, cache.ErrInsufficient) || i.Available("TEE") != -3 {
			t.Errorf("%s: %v, %d are available", what, err, i.Available("TEE"))
		}
	}
	refused("once it is repaired")
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", -4).Err())
	expectNote(t, i, true, "below zero: 3 more units are held or sold than there are. Nothing is sold from it without backorder until units are added or released")
	apply(i, plan(i, audit.Options{}), audit.ApplyOptions{})
	refused("repaired again")
	i.Count("TEE", "berlin", 14)
	i.Reserve("there is one", "TEE", 1)
	r.Check()

	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", -1).Err())
	expectNote(t, i, true, "below zero in Redis: nothing is sold from it without backorder until it is repaired")
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 2).Err())
	expectNote(t, i, false, "")
	i.Audit(audit.Options{Repair: true})
	r.Check()
}

// expectNote expects an audit to find one thing, frozen or not, with a note.
func expectNote(t *testing.T, i *reconciletest.Instance, frozen bool, note string) {
	t.Helper()
	list, err := i.Ledger.AuditFindings(t.Context(), i.Audit(audit.Options{}).ID, ledger.FindingFilter{}, 10)
	if err != nil || len(list) != 1 || list[0].Frozen != frozen || list[0].Note != note {
		t.Errorf("%+v, %v, want %q", list, err, note)
	}
}

// TestAudit_Scope finds only what belongs to one SKU or one location, for several page sizes.
func TestAudit_Scope(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	for n := range 5 {
		i.Count(reconciletest.SKUOf(n), "lyon", 10)
		i.Reserve(fmt.Sprint("r", n), reconciletest.SKUOf(n), 1)
	}
	for n := range 5 {
		reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, string(reconciletest.SKUOf(n))+"\x1flyon", 1).Err())
		reconciletest.Must(t, i.Client.HDel(t.Context(), reconciletest.KeyReservations, fmt.Sprint("r", n)).Err())
	}
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, "SKU-03\x1fmoon", "1", "what", "1").Err())
	for _, c := range []struct {
		o    audit.Options
		want int
	}{
		{audit.Options{SKU: "SKU-03"}, 3}, {audit.Options{Location: "moon"}, 1}, {audit.Options{SKU: "SKU-03", Location: "lyon"}, 2},
		{audit.Options{Location: "berlin"}, 0}, {audit.Options{SKU: "none"}, 0}, {audit.Options{}, 12},
	} {
		for _, page := range []int{1, 2, 500} {
			done, err := i.Auditor(func(a *audit.Auditor) { a.Page = page }).Run(t.Context(), c.o)
			if err != nil || done.Drift != c.want {
				t.Errorf("%+v by %d: %+v, %v\n%s", c.o, page, done, err, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
			}
		}
	}
	done, err := i.Auditor(func(a *audit.Auditor) { a.Page = 1 }).Run(t.Context(), audit.Options{Repair: true})
	if err != nil || done.Drift != 0 || done.Repaired != 12 {
		t.Errorf("%+v, %v\n%s", done, err, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
	}
	r.Check()
}

// TestAudit_Empty audits an empty shard.
func TestAudit_Empty(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Start(nil)
	i.Open(5 * time.Second)
	done := i.Audit(audit.Options{Repair: true})
	reconciletest.ExpectFindings(t, i.Ledger, done.ID)
}

// TestAudit_Failover kills Redis, flushes the scripts, or changes the reconciler during an audit.
// The audit goes on, and finds nothing wrong.
func TestAudit_Failover(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*reconciletest.Rig, *reconciletest.Instance){
		"redis": func(r *reconciletest.Rig, _ *reconciletest.Instance) { r.Redis.Kill(); r.Redis.Restart() },
		"scripts": func(_ *reconciletest.Rig, i *reconciletest.Instance) {
			reconciletest.Must(i.Rig.TB, i.Client.ScriptFlush(context.Background()).Err())
		},
		"reconciler": func(r *reconciletest.Rig, i *reconciletest.Instance) { i.Stop(); r.Start(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t, "--appendonly", "yes")
			i := r.Started(nil)
			for n := range 20 {
				i.Count(reconciletest.SKUOf(n), "berlin", 10)
			}
			r.Quiesce()
			reads := 0
			a := i.Auditor(func(a *audit.Auditor) {
				a.Page, a.Client, a.Ledger = 1, r.Client(), postgres.New(r.Pool, 0)
				a.At("read", func() {
					if reads++; reads == 10 {
						lose(r, i)
					}
				})
			})
			done, err := a.Run(t.Context(), audit.Options{})
			if err != nil || done.Drift != 0 || done.Levels < 21 || reads < 10 {
				t.Errorf("%+v, %v\n%s", done, err, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
			}
		})
	}
}

// TestAudit_LedgerGone loses the ledger in the middle of an audit. The error says what to do, no lock
// is left, and the next audit repairs.
func TestAudit_LedgerGone(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	r.Quiesce()
	const advisory = `select count(*) from pg_locks where locktype = 'advisory'
		and database = (select oid from pg_database where datname = current_database())`
	locks := r.Number(t, advisory)
	pool := ledgertest.OpenPool(t, r.Pool.Config().ConnString())
	a := i.Auditor(func(a *audit.Auditor) {
		a.Ledger = postgres.New(pool, 0)
		a.At("checkpoint", pool.Close)
	})
	_, err := a.Run(t.Context(), audit.Options{Repair: true})
	if err == nil || !strings.HasPrefix(err.Error(), "the audit broke off, and nothing is half repaired: find the cause with `holdfast doctor`") {
		t.Error(err)
	}
	r.Await("its locks are released", 20*time.Second, func() error {
		if now := r.Number(t, advisory); now > locks {
			return fmt.Errorf("%d locks, before %d", now, locks)
		}
		return nil
	})
	if done := i.Audit(audit.Options{Repair: true}); done.Repaired != 1 || done.Drift != 0 {
		t.Errorf("%+v", done)
	}
	r.Check()
}

// embedded starts the embedded engine with a ledger in memory.
func embedded(t *testing.T) *reconciletest.Instance {
	t.Helper()
	engine := miniredis.RunT(t)
	r := &reconciletest.Rig{TB: t}
	client := r.ClientOf(engine.Addr()).WithTimeout(5 * time.Second) // it compiles scripts in Go, with a race detector
	memory := memory.New()
	store, err := cache.New(client, cache.Options{Ledger: memory})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	applier := &reconcile.Reconciler{Client: client, Ledger: memory}
	go func() { ended <- applier.Run(ctx) }()
	t.Cleanup(func() { stop(); reconciletest.Must(t, errors.Join(<-ended, store.Close(context.Background()))) })
	r.Await("the gate is open", 20*time.Second, func() error { return store.Ready(context.Background()) })
	return &reconciletest.Instance{Rig: r, Store: store, Client: client, Reconciler: applier}
}

// TestAudit_Campaign edits each kind of counter that a campaign has: the total, an identity and a customer.
// The audit finds each with its difference, and a repair sets it right.
func TestAudit_Campaign(t *testing.T) {
	t.Parallel()
	i := embedded(t)
	memory, most := i.Reconciler.Ledger, int64(9)
	rules, err := location.Compile(location.Directory{
		Locations: []location.Location{{ID: "berlin"}}, Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: []location.ID{"berlin"}}},
		Campaigns: []location.Campaign{{ID: "drop", SKUs: []location.SKU{"DROP"}, PerCustomer: &most, Total: &most, FreesOnReturn: true}},
	})
	reconciletest.Must(t, err)
	i.Store.Direct(rules)
	i.Count("DROP", "berlin", 50)
	for id, units := range map[string]int64{"a": 2, "b": 3} {
		order := reconciletest.Order(id, "DROP", units)
		order.Customer, order.Identities = id, []string{"card"}
		_, err := i.Store.Reserve(t.Context(), order)
		reconciletest.Must(t, err)
	}
	edits := map[string]int64{"drop\x1f": -2, "drop\x1fcard": 1, "drop\x1fa": 4}
	for counter, by := range edits {
		reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyLimits, counter, by).Err())
	}
	found := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, memory, found.ID,
		"limit_drift drop: 3 > 5, open", "limit_drift drop a: 6 > 2, open", "limit_drift drop card: 6 > 5, open")
	repaired, again := i.Audit(audit.Options{Repair: true}), i.Audit(audit.Options{})
	if repaired.Repaired != 3 || again.Drift != 0 {
		t.Errorf("%+v\n%+v", repaired, again)
	}
	for counter, want := range map[string]string{"drop\x1f": "5", "drop\x1fcard": "5", "drop\x1fa": "2", "drop\x1fb": "3"} {
		if got, err := i.Client.HGet(t.Context(), reconciletest.KeyLimits, counter).Result(); got != want || err != nil {
			t.Errorf("%q counts %s, want %s, %v", counter, got, want, err)
		}
	}
}

// TestAudit_Embedded audits and repairs the embedded engine and the ledger in memory.
func TestAudit_Embedded(t *testing.T) {
	t.Parallel()
	i := embedded(t)
	client, memory := i.Client, i.Reconciler.Ledger
	i.Count("TEE", "berlin", 10)
	limitDrop(i)
	for _, id := range []string{"held", "lost", "forever", "changed"} {
		buyLimited(i, id, id, 1)
	}
	reconciletest.Must(t, client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 4).Err())
	reconciletest.Must(t, client.HSet(t.Context(), reconciletest.KeyStock, "TEE\x1fmoon", "4").Err())
	reconciletest.Must(t, client.HDel(t.Context(), reconciletest.KeyReservations, "lost").Err())
	reconciletest.Must(t, client.HIncrBy(t.Context(), reconciletest.KeyLimits, "drop\x1fheld", 4).Err())
	reconciletest.Must(t, client.ZRem(t.Context(), reconciletest.KeyDeadlines, "forever").Err())
	reconciletest.Must(t, client.ZAdd(t.Context(), reconciletest.KeyDeadlines, redis.Z{Score: 1e13, Member: "nobody\x1fheld"}).Err())
	text, err := client.HGet(t.Context(), reconciletest.KeyReservations, "changed").Result()
	reconciletest.Must(t, err)
	reconciletest.Must(t, client.HSet(t.Context(), reconciletest.KeyReservations, "changed", strings.Replace(text, "held", "expired", 1)).Err())
	found := i.Audit(audit.Options{})
	if found.Drift != 7 {
		t.Errorf("%+v\n%s", found, strings.Join(reconciletest.Findings(t, memory, found.ID), "\n"))
	}
	repaired := i.Audit(audit.Options{Repair: true})
	again := i.Audit(audit.Options{Repair: true})
	if repaired.Drift != 0 || repaired.Repaired != 7 || again.Repaired != 0 || again.Drift != 0 {
		t.Errorf("%+v\n%+v\n%s", repaired, again, strings.Join(reconciletest.Findings(t, memory, repaired.ID), "\n"))
	}
}
