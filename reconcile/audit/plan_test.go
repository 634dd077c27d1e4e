package audit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestPlan plans a repair of each kind of edit, which changes nothing, and applies it. Applying it
// again changes nothing more.
func TestPlan(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	limitDrop(i)
	e := &editor{T: t, client: i.Client, random: rand.New(rand.NewPCG(reconciletest.SeedOf(t), 2))}
	var skus []string
	for n := range 16 {
		sku := fmt.Sprintf("SKU-%d", n)
		skus = append(skus, sku)
		i.Count(location.SKU(sku), "berlin", 100)
		i.Reserve(sku, location.SKU(sku), 2)
		buyLimited(i, "drop-"+sku, sku, 2)
	}
	r.Quiesce()
	for n, edit := range []func(string){
		e.onHand, e.nonsense, e.halfGone, e.gone, e.unknown, e.lost, e.extra, e.state, e.unreadable, e.limit, e.unlimited,
		e.limitNonsense, e.noDeadline, e.lateDeadline, e.orphan,
	} {
		edit(skus[n])
	}
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "SKU-15\x1fberlin", 5).Err())
	before := snapshot(r, i.Client)

	p := plan(i, audit.Options{Actor: "anna"})
	if after := snapshot(r, i.Client); after != before {
		t.Errorf("planning has changed\n%s\nto\n%s", before, after)
	}
	expectWords(t, "planned", planned(p),
		"counter_drift SKU-0 at berlin: add +7 to on hand, -2 to committed in Redis",
		"counter_drift SKU-1 at berlin: write the level in Redis: available 98",
		"counter_drift SKU-15 at berlin: add -5 to available in Redis",
		"deadline_missing SKU-12: write its deadline back into Redis",
		"deadline_missing SKU-13: write its deadline back into Redis",
		"deadline_orphaned never SKU-14: remove the deadline from Redis",
		"level_missing SKU-2 at berlin: write the level back into Redis: available 98",
		"level_missing SKU-3 at berlin: write the level back into Redis: available 98",
		"level_unknown SKU-4 at moon: remove the level from Redis",
		"limit_drift drop of SKU-10: add +2 to the limit's count in Redis",
		"limit_drift drop of SKU-11: write the limit's count in Redis: 2",
		"limit_drift drop of SKU-9: add -3 to the limit's count in Redis",
		"reservation_extra copy of SKU-6: remove the record from Redis",
		"reservation_missing SKU-5: write the record back into Redis: held, version 1",
		"reservation_state SKU-7: replace the record in Redis with the ledger's: held, version 1",
		"reservation_state SKU-8: replace the record in Redis with the ledger's: held, version 1")
	if p.Actor != "anna" || p.Prefix != "holdfast" || p.Units == 0 || p.MadeAt.IsZero() {
		t.Errorf("%+v", p)
	}

	done := apply(i, p, audit.ApplyOptions{Actor: "berta"})
	for _, word := range outcomes(done) {
		if !strings.HasSuffix(word, ": repaired") {
			t.Error(word)
		}
	}
	if done.Audit.Repaired != 16 || done.Audit.Drift != 0 || done.Audit.Actor != "berta" || !strings.HasPrefix(done.Audit.ID, p.Audit) {
		t.Errorf("%+v", done.Audit)
	}
	r.Check()
	before = snapshot(r, i.Client)

	again := apply(i, p, audit.ApplyOptions{})
	for _, word := range outcomes(again) {
		if !strings.HasSuffix(word, ": gone") {
			t.Error(word)
		}
	}
	if after := snapshot(r, i.Client); after != before || len(again.Repairs) != 16 || again.Audit.Repaired != 0 {
		t.Errorf("%+v; to apply it again has changed\n%s\nto\n%s", again.Audit, before, after)
	}
	done = apply(i, plan(i, audit.Options{}), audit.ApplyOptions{})
	if len(done.Repairs) > 0 {
		t.Errorf("nothing was to be planned: %v", outcomes(done))
	}
}

// TestPlan_Scope plans and repairs one SKU only.
func TestPlan_Scope(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	i.Count("MUG", "berlin", 10)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "MUG\x1fberlin", 1).Err())
	p := plan(i, audit.Options{SKU: "MUG"})
	expectWords(t, "planned", planned(p), "counter_drift MUG at berlin: add -1 to available in Redis")
	apply(i, p, audit.ApplyOptions{})
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID, teeDrift+"open")
}

// TestPlan_Inconsistent leaves a level whose row of the ledger disagrees with its movements, also
// if that happened after the plan.
func TestPlan_Inconsistent(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	r.Quiesce()
	first := plan(i, audit.Options{})
	if _, err := r.Pool.Exec(t.Context(), `insert into movements (shard, epoch, sequence, event, sku, location, on_hand, held, verb, operation_id, at)
values (0, 1, 0, 0, 'TEE', 'berlin', 1, 0, 'adjust', 'o', now())`); err != nil {
		t.Fatal(err)
	}
	done := apply(i, first, audit.ApplyOptions{})
	expectWords(t, "applied", outcomes(done), "counter_drift TEE at berlin: left, "+audit.WhyInconsistent)
	expectWords(t, "planned", planned(plan(i, audit.Options{})),
		"counter_drift TEE at berlin: "+audit.WhyInconsistent,
		"ledger_inconsistent TEE at berlin: "+audit.WhyNeverRepaired[ledger.KindLedgerInconsistent])
	if n := i.Available("TEE"); n != 14 {
		t.Errorf("%d are available in redis, want the 14 from before", n)
	}
}

// TestPlan_Embedded plans and repairs with the embedded engine and the ledger in memory.
func TestPlan_Embedded(t *testing.T) {
	t.Parallel()
	i := embedded(t)
	i.Count("TEE", "berlin", 10)
	i.Reserve("lost", "TEE", 1)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 4).Err())
	reconciletest.Must(t, i.Client.HDel(t.Context(), reconciletest.KeyReservations, "lost").Err())
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, "TEE\x1fmoon", "4").Err())
	p := plan(i, audit.Options{})
	expectWords(t, "planned", planned(p),
		"counter_drift TEE at berlin: add -4 to available in Redis", "level_unknown TEE at moon: remove the level from Redis",
		"reservation_missing lost: write the record back into Redis: held, version 1")
	deleteRepairs(p, t, ledger.KindLevelUnknown)
	done := apply(i, p, audit.ApplyOptions{})
	expectWords(t, "applied", outcomes(done), "counter_drift TEE at berlin: repaired", "reservation_missing lost: repaired")
	expectWords(t, "again", outcomes(apply(i, p, audit.ApplyOptions{})), "counter_drift TEE at berlin: gone", "reservation_missing lost: gone")
	if found := i.Audit(audit.Options{}); found.Drift != 1 || i.Available("TEE") != 9 {
		t.Errorf("%+v, %d are available", found, i.Available("TEE"))
	}
}

// TestPlan_Settled leaves quarantined entries out of a plan: they are no drift.
func TestPlan_Settled(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	reconciletest.Must(t, i.Client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{holdfast:0}:events", ID: "1-*", Values: []any{"v", "1", "n", "x", "e", "nonsense"}}).Err())
	p := plan(i, audit.Options{})
	expectWords(t, "planned", planned(p), "counter_drift TEE at berlin: add -5 to available in Redis")
	expectWords(t, "applied", outcomes(apply(i, p, audit.ApplyOptions{})), "counter_drift TEE at berlin: repaired")
	r.Check()
}

// TestPlan_TooLong refuses more findings than a plan holds, also if they take several pages.
func TestPlan_TooLong(t *testing.T) {
	t.Parallel()
	const most = audit.PageDefault + 1 // more than are read at once
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Begun()
		b.Apply(b.Entry(ledgertest.CheckpointEvent(wire.Checkpoint{Levels: manyLevels(most)})))
		a := &audit.Auditor{Ledger: b.Ledger}
		if found, err := a.Drift(t.Context(), "a-1", most); err != nil || len(found) != most {
			t.Errorf("%d, %v", len(found), err)
		}
		b.Apply(b.Entry(ledgertest.CheckpointEvent(wire.Checkpoint{Levels: []wire.CheckpointLevel{ledgertest.TeeAt(1, 1, 0)}})))
		if _, err := a.Drift(t.Context(), "a-1", most); !errors.Is(err, audit.ErrPlanTooLong) {
			t.Error(err)
		}
	})
}

// manyLevels returns levels that no ledger has.
func manyLevels(n int) []wire.CheckpointLevel {
	list := slices.Repeat([]wire.CheckpointLevel{ledgertest.TeeAt(1, 1, 0)}, n)
	for i := range list {
		list[i].Name = fmt.Sprintf("SKU-%d\x1fberlin", i)
	}
	return list
}
