package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/faultproxy"
)

const teeDrift = "counter_drift TEE berlin: 14 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, "

// drifted is an instance with one hold, and a counter that says 5 too many.
func (r *rig) drifted() *instance {
	r.tb.Helper()
	i := r.started(nil)
	i.reserve("held", "TEE", 1)
	mustDo(r.tb, i.client.HIncrBy(context.Background(), keyStock, "TEE\x1fberlin", 5).Err())
	return i
}

// TestAudit_Twice has two audits that see one drift repair it once.
func TestAudit_Twice(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	var both, ready sync.WaitGroup
	ready.Add(2)
	done := make([]Audit, 2)
	for n := range done {
		both.Go(func() {
			a := i.auditor(func(a *Auditor) {
				a.point = func(name string) {
					if name == "repairing" { // both have seen it
						ready.Done()
						ready.Wait()
					}
				}
			})
			var err error
			if done[n], err = a.Run(context.Background(), AuditOptions{Repair: true}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if done[0].Repaired+done[1].Repaired != 1 || done[0].Drift+done[1].Drift != 0 {
		t.Errorf("%+v\n%+v", done[0], done[1])
	}
	r.check()
}

// TestAudit_LostReply has the reply of a repair be lost, and the repair be sent again.
func TestAudit_LostReply(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	proxy := faultproxy.New(t, r.redis.Addr())
	proxy.CutReplies(1, "anna")
	a := i.auditor(func(a *Auditor) { a.Client = r.clientOf(proxy.Addr()) })
	done, err := a.Run(t.Context(), AuditOptions{Repair: true, Actor: "anna"})
	if err != nil || done.Drift != 0 || done.Repaired != 1 || proxy.Cuts() != 1 {
		t.Errorf("%+v, %v, %d cut", done, err, proxy.Cuts())
	}
	r.check()
}

// TestAudit_Moves has the owner of a reservation that differs release it between the audit and the repair: what
// it made of it stays, and what that did to the counter is the next audit's.
func TestAudit_Moves(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("a", "TEE", 2)
	text, err := i.client.HGet(t.Context(), keyReservations, "a").Result()
	must(t, err)
	must(t, i.client.HSet(t.Context(), keyReservations, "a", strings.Replace(text, "berlin\x1f2\x1f0", "berlin\x1f1\x1f0", 1)).Err())
	a := i.auditor(func(a *Auditor) {
		a.point = func(name string) {
			if name == "repairing" {
				_, err := i.store.Release(context.Background(), cache.TransitionRequest{ID: "a"})
				mustDo(t, err)
			}
		}
	})
	if done, err := a.Run(t.Context(), AuditOptions{Repair: true}); err != nil || done.Repaired != 0 {
		t.Errorf("%+v, %v\n%s", done, err, strings.Join(findings(t, i.ledger, done.ID), "\n"))
	}
	if read, err := i.store.Reservation(t.Context(), "a"); err != nil || read.State != cache.StateReleased {
		t.Errorf("%+v, %v", read, err)
	}
	done := i.audit(AuditOptions{Repair: true})
	expectFindings(t, i.ledger, done.ID,
		"counter_drift TEE berlin: 9 on hand 10 committed 0 safety 0 backorder 0 > 10 on hand 10 committed 0 safety 0 backorder 0, repaired")
	r.check()
}

// TestAudit_StuckRefusal has a refused confirm that can't be undone, since its level is broken: it is
// reported as itself, the level is repaired to what the undoing starts from, and nothing goes back and forth.
func TestAudit_StuckRefusal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	must(t, i.client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", 20).Err())
	i.reserve("a", "TEE", 10)
	i.confirm("a")
	i.reserve("b", "TEE", 10)
	must(t, i.client.HSet(t.Context(), keyStock, "TEE\x1fberlin", "x").Err())
	if _, err := i.store.Confirm(t.Context(), cache.TransitionRequest{ID: "b"}); !errors.Is(err, cache.ErrInsufficient) {
		t.Fatalf("confirmed: %v", err)
	}
	found := i.audit(AuditOptions{})
	expectFindings(t, i.ledger, found.ID,
		`counter_drift TEE berlin: "x", "10\x1f20\x1f0\x1f0" > -10 on hand 10 committed 20 safety 0 backorder 0, open`,
		"open_refusal b: confirmed v2 10 TEE berlin > held v1 10 TEE berlin, open")
	if found.Drift != 1 || found.Settled != 1 {
		t.Errorf("%+v", found)
	}
	repaired := i.audit(AuditOptions{Repair: true})
	if repaired.Drift != 0 || repaired.Repaired != 1 {
		t.Errorf("%+v\n%s", repaired, strings.Join(findings(t, i.ledger, repaired.ID), "\n"))
	}
	r.await("the refused confirm is undone", 5*time.Second, func() error {
		if open, err := r.openRefusals(context.Background()); err != nil || open > 0 {
			return fmt.Errorf("%d open, %w", open, err)
		}
		return nil
	})
	again := i.audit(AuditOptions{})
	expectFindings(t, i.ledger, again.ID)
	r.check()
}

// TestAudit_Conflict has an id that was used again, whose reservation was given back, be no finding.
func TestAudit_Conflict(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("a", "TEE", 1)
	if _, err := i.store.Release(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	r.forgets("a")
	i.reserve("a", "TEE", 2)
	r.quiesce()
	done := i.audit(AuditOptions{})
	expectFindings(t, i.ledger, done.ID)
	r.check()
}

// TestAudit_Quarantined has what is never applied be reported as itself, and be no drift.
func TestAudit_Quarantined(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	must(t, i.client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{holdfast:0}:events", ID: "1-*", Values: []any{"v", "1", "n", "x", "e", "nonsense"}}).Err())
	i.reserve("a", "TEE", 1)
	i.confirm("a")
	done := i.audit(AuditOptions{})
	if done.Drift != 0 || done.Settled != 1 {
		t.Errorf("%+v\n%s", done, strings.Join(findings(t, i.ledger, done.ID), "\n"))
	}
	r.check()
}

// TestAudit_Negative has a level that is below zero once its drift is repaired be said to be frozen, by the
// audit, the plan and what was repaired: from then on nothing is reserved there, until more is counted in.
func TestAudit_Negative(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	i.reserve("too many", "TEE", 12)
	const ifRepaired = "below zero once it is repaired: 3 units more are held or sold than there are; nothing is sold from it then, until " +
		"more is counted in or given back. Until it is repaired, Redis lets 2 more be held, and what is too much is not confirmed"
	p := i.plan(AuditOptions{})
	if len(p.Repairs) != 1 || !p.Repairs[0].Frozen || p.Repairs[0].Note != ifRepaired || *p.Repairs[0].Ledger.Available != -3 {
		t.Errorf("%+v", p.Repairs)
	}
	done := i.apply(p, ApplyOptions{})
	list, err := i.ledger.AuditFindings(t.Context(), done.Audit.ID, FindingFilter{}, 10)
	if err != nil || len(list) != 1 || !list[0].Frozen || list[0].State != FindingRepaired || list[0].Note != ifRepaired {
		t.Errorf("%+v, %v", list, err)
	}
	refused := func(what string) {
		t.Helper()
		if _, err := i.store.Reserve(t.Context(), order(what, "TEE", 1)); !errors.Is(err, cache.ErrInsufficient) || i.available("TEE") != -3 {
			t.Errorf("%s: %v, %d are available", what, err, i.available("TEE"))
		}
	}
	refused("once it is repaired")
	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", -4).Err())
	expectNote(t, i, true, "below zero: 3 units more are held or sold than there are; nothing is sold from it until more is counted in or given back")
	i.apply(i.plan(AuditOptions{}), ApplyOptions{})
	refused("repaired again")
	i.count("TEE", "berlin", 14)
	i.reserve("there is one", "TEE", 1)
	r.check()

	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", -1).Err())
	expectNote(t, i, true, "below zero in Redis: nothing is sold from it until it is repaired")
	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", 2).Err())
	expectNote(t, i, false, "")
	i.audit(AuditOptions{Repair: true})
	r.check()
}

// expectNote has an audit find one thing, frozen or not, with a note.
func expectNote(t *testing.T, i *instance, frozen bool, note string) {
	t.Helper()
	list, err := i.ledger.AuditFindings(t.Context(), i.audit(AuditOptions{}).ID, FindingFilter{}, 10)
	if err != nil || len(list) != 1 || list[0].Frozen != frozen || list[0].Note != note {
		t.Errorf("%+v, %v, want %q", list, err, note)
	}
}

// TestAudit_Scope has an audit of one SKU, or one location, find only what belongs to it; page by page.
func TestAudit_Scope(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	for n := range 5 {
		i.count(skuOf(n), "lyon", 10)
		i.reserve(fmt.Sprint("r", n), skuOf(n), 1)
	}
	for n := range 5 {
		must(t, i.client.HIncrBy(t.Context(), keyStock, string(skuOf(n))+"\x1flyon", 1).Err())
		must(t, i.client.HDel(t.Context(), keyReservations, fmt.Sprint("r", n)).Err())
	}
	must(t, i.client.HSet(t.Context(), keyStock, "SKU-03\x1fmoon", "1", "what", "1").Err())
	for _, c := range []struct {
		o    AuditOptions
		want int
	}{
		{AuditOptions{SKU: "SKU-03"}, 3}, {AuditOptions{Location: "moon"}, 1}, {AuditOptions{SKU: "SKU-03", Location: "lyon"}, 2},
		{AuditOptions{Location: "berlin"}, 0}, {AuditOptions{SKU: "none"}, 0}, {AuditOptions{}, 12},
	} {
		for _, page := range []int{1, 2, 500} {
			done, err := i.auditor(func(a *Auditor) { a.Page = page }).Run(t.Context(), c.o)
			if err != nil || done.Drift != c.want {
				t.Errorf("%+v by %d: %+v, %v\n%s", c.o, page, done, err, strings.Join(findings(t, i.ledger, done.ID), "\n"))
			}
		}
	}
	done, err := i.auditor(func(a *Auditor) { a.Page = 1 }).Run(t.Context(), AuditOptions{Repair: true})
	if err != nil || done.Drift != 0 || done.Repaired != 12 {
		t.Errorf("%+v, %v\n%s", done, err, strings.Join(findings(t, i.ledger, done.ID), "\n"))
	}
	r.check()
}

// TestAudit_Nothing has nothing be audited.
func TestAudit_Nothing(t *testing.T) {
	r := newRig(t)
	i := r.start(nil)
	i.open(5 * time.Second)
	done := i.audit(AuditOptions{Repair: true})
	expectFindings(t, i.ledger, done.ID)
}

// TestAudit_Killed has an audit end half-way, at each of its points: nothing is half repaired, and the next
// one repairs what is left.
func TestAudit_Killed(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"marked", "repairing", "records repaired", "counters repaired"} {
		t.Run(point, func(t *testing.T) {
			r := newRig(t)
			i := r.drifted()
			must(t, i.client.HDel(t.Context(), keyReservations, "held").Err())
			ctx, kill := context.WithCancel(t.Context())
			a := i.auditor(func(a *Auditor) {
				a.point = func(name string) {
					if name == point {
						kill()
					}
				}
			})
			if done, err := a.Run(ctx, AuditOptions{Repair: true}); !errors.Is(err, context.Canceled) || done.State != AuditFailed {
				t.Fatalf("%+v, %v", done, err)
			}
			done := i.audit(AuditOptions{Repair: true})
			if done.Drift != 0 {
				t.Errorf("%+v\n%s", done, strings.Join(findings(t, i.ledger, done.ID), "\n"))
			}
			r.check()
		})
	}
}

// TestAudit_Lost has Redis die, and the reconciler change hands, while an audit runs: it goes on, and what
// it finds is right.
func TestAudit_Lost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*rig, *instance){
		"redis":      func(r *rig, _ *instance) { r.redis.Kill(); r.redis.Restart() },
		"scripts":    func(_ *rig, i *instance) { mustDo(i.rig.tb, i.client.ScriptFlush(context.Background()).Err()) },
		"reconciler": func(r *rig, i *instance) { i.stop(); r.start(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "--appendonly", "yes")
			i := r.started(nil)
			for n := range 20 {
				i.count(skuOf(n), "berlin", 10)
			}
			r.quiesce()
			steps := 0
			a := i.auditor(func(a *Auditor) {
				a.Page, a.Client, a.Ledger = 1, r.client(), NewPostgres(r.pool, 0)
				a.point = func(name string) {
					if steps++; name == "read" && steps == 10 {
						lose(r, i)
					}
				}
			})
			done, err := a.Run(t.Context(), AuditOptions{})
			if err != nil || done.Drift != 0 || done.Levels < 21 {
				t.Errorf("%+v, %v\n%s", done, err, strings.Join(findings(t, i.ledger, done.ID), "\n"))
			}
		})
	}
}

// embedded is the embedded engine over a ledger in memory.
func embedded(t *testing.T) *instance {
	t.Helper()
	engine := miniredis.RunT(t)
	r := &rig{tb: t}
	client := r.clientOf(engine.Addr()).WithTimeout(5 * time.Second) // it compiles scripts in Go, with a race detector
	memory := NewMemory()
	store, err := cache.New(client, cache.Options{Ledger: memory})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	applier := &Reconciler{Client: client, Ledger: memory}
	go func() { ended <- applier.Run(ctx) }()
	t.Cleanup(func() { stop(); must(t, errors.Join(<-ended, store.Close(context.Background()))) })
	r.await("the gate is open", 20*time.Second, func() error { return store.Ready(context.Background()) })
	return &instance{rig: r, store: store, client: client, reconciler: applier}
}

// TestAudit_Embedded has the embedded engine and the ledger in memory be audited and repaired.
func TestAudit_Embedded(t *testing.T) {
	i := embedded(t)
	client, memory := i.client, i.reconciler.Ledger
	i.count("TEE", "berlin", 10)
	i.limited()
	for _, id := range []string{"held", "lost", "forever", "changed"} {
		i.buyLimited(id, id, 1)
	}
	must(t, client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", 4).Err())
	must(t, client.HSet(t.Context(), keyStock, "TEE\x1fmoon", "4").Err())
	must(t, client.HDel(t.Context(), keyReservations, "lost").Err())
	must(t, client.HIncrBy(t.Context(), keyLimits, "drop\x1fheld", 4).Err())
	must(t, client.ZRem(t.Context(), keyDeadlines, "forever").Err())
	must(t, client.ZAdd(t.Context(), keyDeadlines, redis.Z{Score: 1e13, Member: "nobody\x1fheld"}).Err())
	text, err := client.HGet(t.Context(), keyReservations, "changed").Result()
	must(t, err)
	must(t, client.HSet(t.Context(), keyReservations, "changed", strings.Replace(text, "held", "expired", 1)).Err())
	found := i.audit(AuditOptions{})
	if found.Drift != 7 {
		t.Errorf("%+v\n%s", found, strings.Join(findings(t, memory, found.ID), "\n"))
	}
	repaired := i.audit(AuditOptions{Repair: true})
	again := i.audit(AuditOptions{Repair: true})
	if repaired.Drift != 0 || repaired.Repaired != 7 || again.Repaired != 0 || again.Drift != 0 {
		t.Errorf("%+v\n%+v\n%s", repaired, again, strings.Join(findings(t, memory, repaired.ID), "\n"))
	}
}
