package audit_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestRepair_TooMuch repairs nothing if the repair would exceed a limit, and says so with each
// finding.
func TestRepair_TooMuch(t *testing.T) {
	t.Parallel()
	const drift = "counter_drift TEE berlin: 300 on hand 200 committed 0 safety 0 backorder 0 > 200 on hand 200 committed 0 safety 0 backorder 0, "
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("TEE", "berlin", 200)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 100).Err())
	for _, o := range []audit.Options{{Repair: true, MaxUnits: 99}, {Repair: true, MaxUnits: 100, MaxPercent: 49}} {
		done, err := i.Auditor(nil).Run(t.Context(), o)
		if !errors.Is(err, audit.ErrTooMuch) || done.State != ledger.AuditFailed {
			t.Errorf("%+v, %v", done, err)
		}
		reconciletest.ExpectFindings(t, i.Ledger, done.ID, drift+"open")
		list, err := i.Ledger.AuditFindings(t.Context(), done.ID, ledger.FindingFilter{}, 10)
		if err != nil || len(list) != 1 || list[0].Note != audit.WhyTooMuch || strings.Contains(list[0].Do(), "--repair") {
			t.Errorf("%+v, %v", list, err)
		}
	}
	done := i.Audit(audit.Options{Repair: true, MaxUnits: 100, MaxPercent: 50})
	reconciletest.ExpectFindings(t, i.Ledger, done.ID, drift+"repaired")
	r.Check()
}

// TestOptions_Refuse compares units to change with the limits of a repair. Each refusal names
// limits that allow the repair.
func TestOptions_Refuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		units, onHand, maxUnits int64
		maxPercent              float64
		next                    string // "": allowed
	}{
		{5, 104, 200, 1, ""}, {1, 1, 200, 1, ""}, {50, 0, 200, 0.1, ""}, {50, 60, 50, 1, ""}, // few units
		{51, 104, 200, 1, "51,50"}, {200, 20_000, 200, 1, ""}, {200, 19_999, 200, 1, "200,2"},
		{60, 0, 200, 1, "60"}, {60, 59, 200, 100, "60"}, {60, 60, 200, 99.5, "60,100"}, {60, 7000, 200, 0.5, "60,1"},
		{201, 1_000_000, 200, 1, "201"}, {6, 10, 5, 0, "6"}, {math.MaxInt64, 10, -1, 0, ""},
	} {
		o := audit.Options{MaxUnits: c.maxUnits, MaxPercent: c.maxPercent}
		switch err := o.Refuse(c.units, c.onHand); {
		case (err == nil) != (c.next == ""):
			t.Errorf("%+v: %v", c, err)
		case err != nil && !strings.Contains(err.Error(), "repeat with --max-change "+c.next):
			t.Errorf("%+v: %v", c, err)
		case err != nil && !errors.Is(err, audit.ErrTooMuch):
			t.Errorf("%+v: %v", c, err)
		}
		units, percent, _ := strings.Cut(c.next, ",")
		o.MaxUnits, _ = strconv.ParseInt(units, 10, 64)
		o.MaxPercent, _ = strconv.ParseFloat(percent, 64)
		if err := o.Refuse(c.units, c.onHand); c.next != "" && err != nil {
			t.Errorf("%+v: refused as it says: %v", c, err)
		}
	}
}

// TestRepair_NumbersTooLarge replaces numbers that the scripts can't count with, like any other
// unreadable text. Their sum does not overflow, and exceeds the limit.
func TestRepair_NumbersTooLarge(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	limitDrop(i)
	buyLimited(i, "drop", "c-1", 2)
	i.Reserve("paid", "TEE", 2)
	for sku, numbers := range map[location.SKU][2]string{
		"A": {"9007199254740993", "10\x1f0\x1f0\x1f0"}, "B": {"-9223372036854775808", "10\x1f0\x1f0\x1f0"},
		"C": {"999999999999999", "99999999999999999999\x1f0\x1f0\x1f0"}, "D": {"1000000000000000", "9223372036854775807\x1f0\x1f0\x1f0"},
	} {
		i.Count(sku, "berlin", 10)
		reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, string(sku)+"\x1fberlin", numbers[0]).Err())
		reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyLevels, string(sku)+"\x1fberlin", numbers[1]).Err())
	}
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyLimits, "drop\x1fc-1", "9223372036854775807").Err())
	record, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "paid").Result()
	reconciletest.Must(t, err)
	for n, units := range []string{"9223372036854775807", "9223372036854775807", "-9223372036854775808", "-6"} {
		text := strings.Replace(record, "\x1fberlin\x1f2\x1f", "\x1fberlin\x1f"+units+"\x1f", 1)
		reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, fmt.Sprint("extra ", n), text).Err())
	}
	done, err := i.Auditor(nil).Run(t.Context(), audit.Options{Repair: true})
	if !errors.Is(err, audit.ErrTooMuch) || done.Drift != 10 || done.Repaired != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	p := plan(i, audit.Options{})
	if p.Units != math.MaxInt64 {
		t.Errorf("%d units", p.Units)
	}
	if done := i.Audit(audit.Options{Repair: true, MaxUnits: -1}); done.Drift != 0 || done.Repaired != 10 {
		t.Errorf("%+v: %s", done, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
	}
	r.Check()
}

// TestRepair_Concurrent repairs one drift once though two audits see it.
func TestRepair_Concurrent(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	var both, ready sync.WaitGroup
	ready.Add(2)
	done := make([]ledger.Audit, 2)
	for n := range done {
		both.Go(func() {
			a := i.Auditor(func(a *audit.Auditor) {
				a.At("repair", func() { // both have seen it
					ready.Done()
					ready.Wait()
				})
			})
			var err error
			if done[n], err = a.Run(context.Background(), audit.Options{Repair: true}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if done[0].Repaired+done[1].Repaired != 1 || done[0].Drift+done[1].Drift != 0 {
		t.Errorf("%+v\n%+v", done[0], done[1])
	}
	r.Check()
}

// TestRepair_LostReply loses the reply of a repair. The audit sends the repair again, and it counts
// once.
func TestRepair_LostReply(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	proxy := faultproxy.New(t, r.Redis.Addr())
	proxy.CutReplies(1, "anna")
	a := i.Auditor(func(a *audit.Auditor) { a.Client = r.ClientOf(proxy.Addr()) })
	done, err := a.Run(t.Context(), audit.Options{Repair: true, Actor: "anna"})
	if err != nil || done.Drift != 0 || done.Repaired != 1 || proxy.Cuts() != 1 {
		t.Errorf("%+v, %v, %d cut", done, err, proxy.Cuts())
	}
	r.Check()
}

// TestRepair_ReleasedBeforeRepair releases a differing reservation between audit and repair. The
// release stays, and the next audit repairs what it did to the counter.
func TestRepair_ReleasedBeforeRepair(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 2)
	text, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "a").Result()
	reconciletest.Must(t, err)
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, "a", strings.Replace(text, "berlin\x1f2\x1f0", "berlin\x1f1\x1f0", 1)).Err())
	a := i.Auditor(func(a *audit.Auditor) {
		a.At("repair", func() {
			_, err := i.Store.Release(context.Background(), cache.TransitionRequest{ID: "a"})
			reconciletest.Must(t, err)
		})
	})
	if done, err := a.Run(t.Context(), audit.Options{Repair: true}); err != nil || done.Repaired != 0 {
		t.Errorf("%+v, %v\n%s", done, err, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
	}
	if read, err := i.Store.Reservation(t.Context(), "a"); err != nil || read.State != cache.StateReleased {
		t.Errorf("%+v, %v", read, err)
	}
	done := i.Audit(audit.Options{Repair: true})
	reconciletest.ExpectFindings(t, i.Ledger, done.ID,
		"counter_drift TEE berlin: 9 on hand 10 committed 0 safety 0 backorder 0 > 10 on hand 10 committed 0 safety 0 backorder 0, repaired")
	r.Check()
}

// TestRepair_SalesBeforeRepair sells between the last check and the repair, from two levels whose
// repairs share a batch. The repair adds to the counts of the moment, not to those that the audit saw.
func TestRepair_SalesBeforeRepair(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	i.Count("MUG", "berlin", 10)
	r.Quiesce()
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "MUG\x1fberlin", -4).Err())
	var once sync.Once
	a := i.Auditor(func(a *audit.Auditor) {
		a.At("repair", func() {
			once.Do(func() {
				i.Reserve("tee", "TEE", 3)
				i.Confirm("tee")
				i.Reserve("mug", "MUG", 2)
				r.Quiesce()
			})
		})
	})
	done, err := a.Run(t.Context(), audit.Options{Repair: true})
	if err != nil || done.Repaired != 2 || done.Drift != 0 || i.Available("TEE") != 6 || i.Available("MUG") != 8 {
		t.Errorf("%+v, %v, %d TEE and %d MUG are available", done, err, i.Available("TEE"), i.Available("MUG"))
	}
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID)
	r.Check()
}

// TestRepair_TwiceInBatch repairs one level by two additions in one batch, while a sale is not
// applied yet. The second addition builds on the first, and an audit finds nothing afterwards.
func TestRepair_TwiceInBatch(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	list, err := i.Ledger.AuditFindings(t.Context(), i.Audit(audit.Options{}).ID, ledger.FindingFilter{}, 10)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	i.Reserve("later", "TEE", 1)
	conn, err := shard.Open(t.Context(), i.Client, "holdfast", 0)
	reconciletest.Must(t, err)
	defer conn.Close()
	reconciletest.Must(t, conn.LoadKnown(t.Context(), i.Ledger))
	part := func(units int64) shard.RepairItem {
		at := wire.Position{Epoch: list[0].Entry.Epoch, Sequence: list[0].Entry.Sequence}
		return shard.AddToLevel(list[0].ID, "TEE\x1fberlin", at, wire.LevelCounts{Available: units})
	}
	done, err := conn.Repair(t.Context(), "by-hand", "anna", []shard.RepairItem{part(-2), part(-3)})
	if err != nil || !slices.Equal(done, []bool{true, true}) || i.Available("TEE") != 8 {
		t.Errorf("%v, %v, %d are available", done, err, i.Available("TEE"))
	}
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID)
	r.Check()
}

// stops lists the points of a repair at which tests end it: with -short, only the middle one.
func stops() []string {
	points := []string{"records repaired", "checkpoint", "repair", "counters repaired"}
	return points[:reconciletest.AtFull(len(points), len(points))]
}

// TestRepair_Cancelled cancels an audit at each of its points. Each repair is whole or not made,
// and the next audit repairs the rest.
func TestRepair_Cancelled(t *testing.T) {
	t.Parallel()
	for _, point := range stops() {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i := drifted(r)
			reconciletest.Must(t, i.Client.HDel(t.Context(), reconciletest.KeyReservations, "held").Err())
			ctx, kill := context.WithCancel(t.Context())
			a := i.Auditor(func(a *audit.Auditor) {
				a.At(point, func() {
					kill()
				})
			})
			if done, err := a.Run(ctx, audit.Options{Repair: true}); !errors.Is(err, context.Canceled) || done.State != ledger.AuditFailed ||
				!strings.HasPrefix(done.Failure, "the audit was interrupted, and nothing is half repaired: run it again") {
				t.Fatalf("%+v, %v", done, err)
			}
			done := i.Audit(audit.Options{Repair: true})
			if done.Drift != 0 {
				t.Errorf("%+v\n%s", done, strings.Join(reconciletest.Findings(t, i.Ledger, done.ID), "\n"))
			}
			r.Check()
		})
	}
}

// TestRepair_LevelMadeAgain removes a level and makes it again between the last check and the
// repair. The new count is right, and stays.
func TestRepair_LevelMadeAgain(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	r.Quiesce()
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyLevels, "TEE\x1fberlin", "7\x1f0\x1f0\x1f0").Err())
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", "7").Err())
	var once sync.Once
	a := i.Auditor(func(a *audit.Auditor) {
		a.At("repair", func() {
			once.Do(func() {
				_, err := i.Store.Remove(context.Background(), cache.RemoveRequest{SKU: "TEE", Location: "berlin"})
				reconciletest.Must(t, err)
				i.Count("TEE", "berlin", 5)
			})
		})
	})
	done, err := a.Run(t.Context(), audit.Options{Repair: true})
	if n := i.Available("TEE"); err != nil || done.Drift != 0 || done.Repaired != 0 || n != 5 {
		t.Errorf("%+v, %v, %d available", done, err, n)
	}
	r.Check()
}
