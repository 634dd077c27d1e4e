package audit_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// BenchmarkAudit compares an audit with reading both sides once, and with a rebuild. HOLDFAST_FULL
// sets a million levels and 200,000 reservations.
func BenchmarkAudit(b *testing.B) {
	levels, reservations := reconciletest.AtFull(1_000_000, 100_000), reconciletest.AtFull(200_000, 20_000)
	r := reconciletest.NewRig(b)
	fill(b, r, levels, reservations)
	started := time.Now()
	i := r.Start(nil)
	i.Open(10 * time.Minute)
	rebuilt := time.Since(started)
	for b.Loop() {
		started = time.Now()
		readBoth(b, r, i)
		read := time.Since(started)
		resetPeak(b)
		before := peak(b)
		started = time.Now()
		done := i.Audit(audit.Options{})
		took := time.Since(started)
		if done.Drift != 0 || done.Levels != int64(levels) || done.Reservations != int64(reservations) {
			b.Fatalf("%+v", done)
		}
		b.ReportMetric(rebuilt.Seconds(), "rebuild-s")
		b.ReportMetric(float64(levels)/rebuilt.Seconds(), "rebuild-levels/s")
		b.ReportMetric(read.Seconds(), "read-s")
		b.ReportMetric(took.Seconds(), "audit-s")
		b.ReportMetric(took.Seconds()/read.Seconds(), "audit/read")
		b.ReportMetric(float64(peak(b)-before)/1024, "MB-more")
		b.ReportMetric(float64(peak(b))/1024, "MB-peak")
	}
}

// BenchmarkAudit_Beside measures how much audits slow down 256 callers that reserve and confirm.
// Audits run one after another, and are held in every other window of half a second. Each pair of
// windows is adjacent, so that a change in the speed of the machine cancels out. HOLDFAST_CONTROL
// runs no audit, and so shows the error of the measurement.
func BenchmarkAudit_Beside(b *testing.B) {
	const window, pairs = 500 * time.Millisecond, 120
	r := reconciletest.NewRig(b)
	fill(b, r, reconciletest.AtFull(1_000_000, 100_000), reconciletest.AtFull(200_000, 20_000))
	i := r.Start(nil)
	i.Open(10 * time.Minute)
	ctx, stop := context.WithCancel(context.Background())
	var answered, steps atomic.Int64
	var working sync.WaitGroup
	for n := range 256 {
		working.Go(func() { sell(ctx, i.Store, fmt.Sprint("beside-", n), &answered) })
	}
	var held sync.RWMutex // locked: the audit waits after its step
	held.Lock()
	if os.Getenv("HOLDFAST_CONTROL") == "" {
		working.Go(func() { auditInLoop(ctx, i, &held, &steps) })
	}
	rate := func() float64 {
		before, started := answered.Load(), time.Now()
		<-time.After(window)
		return float64(answered.Load()-before) / time.Since(started).Seconds()
	}
	running := func() float64 {
		held.Unlock()
		defer held.Lock()
		return rate()
	}
	<-time.After(3 * time.Second) // until all callers are at work
	for b.Loop() {
		var beside, alone []float64
		for n := range pairs {
			if n%2 == 0 {
				alone, beside = append(alone, rate()), append(beside, running())
			} else {
				beside, alone = append(beside, running()), append(alone, rate())
			}
		}
		fewer, plusMinus, median := compareRates(alone, beside)
		b.ReportMetric(fewer, "%fewer")
		b.ReportMetric(plusMinus, "±%fewer")
		b.ReportMetric(median, "%fewer-median")
		b.ReportMetric(total(alone)/pairs, "alone/s")
		b.ReportMetric(total(beside)/pairs, "beside/s")
		b.ReportMetric(float64(steps.Swap(0)), "steps")
	}
	stop()
	held.Unlock()
	working.Wait()
}

// sell reserves and confirms one order after another. A confirm waits for the ledger.
func sell(ctx context.Context, store *cache.Store, name string, answered *atomic.Int64) {
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%s-%d", name, n)
		if _, err := store.Reserve(context.Background(), reconciletest.Order(id, location.SKU(fmt.Sprint("SKU-", n%5000)), 1)); err == nil {
			_, _ = store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
		}
		answered.Add(1)
	}
}

// auditInLoop runs one audit after another, and holds it after each step while held is locked.
func auditInLoop(ctx context.Context, i *reconciletest.Instance, held *sync.RWMutex, steps *atomic.Int64) {
	for ctx.Err() == nil {
		a := i.Auditor(func(a *audit.Auditor) {
			a.At("step end", func() {
				held.RLock()
				defer held.RUnlock()
				steps.Add(1)
			})
		})
		if done, err := a.Run(ctx, audit.Options{}); ctx.Err() == nil && (err != nil || done.Drift != 0) {
			i.Rig.TB.Errorf("%+v, %v", done, err)
		}
	}
}

// compareRates returns how many percent lower beside is than alone, in all, with its standard
// error, and the median of the pairs.
func compareRates(alone, beside []float64) (fewer, standardError, median float64) {
	n := float64(len(alone))
	fewer = 100 * (1 - total(beside)/total(alone))
	var squares float64
	percent := make([]float64, len(alone))
	for i := range alone {
		residual := beside[i] - alone[i]*(1-fewer/100) // of a ratio of sums: Cochran, Sampling Techniques, 2.11
		squares += residual * residual
		percent[i] = 100 * (1 - beside[i]/alone[i])
	}
	slices.Sort(percent)
	return fewer, 100 * math.Sqrt(squares/(n*(n-1))) / (total(alone) / n), percent[len(percent)/2]
}

func total(list []float64) (sum float64) {
	for _, x := range list {
		sum += x
	}
	return sum
}

// fill makes a consistent ledger.
func fill(b *testing.B, r *reconciletest.Rig, levels, reservations int) {
	b.Helper()
	for _, query := range []string{
		`insert into levels (sku, location, on_hand, held)
select 'SKU-' || n / 4, 'location-' || n % 4, 1000000, case when n < $2 then 2 else 0 end from generate_series(0, $1 - 1) n`,
		`insert into movements (shard, epoch, sequence, event, sku, location, on_hand, held, verb, operation_id, at)
select 0, 1, n, 0, 'SKU-' || n / 4, 'location-' || n % 4, 1000000, case when n < $2 then 2 else 0 end, 'adjust', 'o', now()
from generate_series(0, $1 - 1) n`,
		`insert into reservations (id, birth, state, version, created_at, expires_at, fingerprint)
select 'order-' || n, 'n' || n, 'held', 1, now(), now() + interval '10 hours' + n * interval '10 ms', 'aaaaaaaaaaaaaaaaaaaaaa'
from generate_series(0, $2 - 1) n where $1 > 0`,
		`insert into reservation_lines (reservation_id, position, line, sku, requested, locations, quantities, fulfilled, created_at)
select 'order-' || n, 1, '1', 'SKU-' || n / 4, 2, array['location-' || n % 4], array[2], array[0], now()
from generate_series(0, $2 - 1) n where $1 > 0`,
	} {
		if _, err := r.Pool.Exec(context.Background(), query, levels, reservations); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := r.Pool.Exec(context.Background(), `vacuum analyze`); err != nil {
		b.Fatal(err)
	}
}

// readBoth reads both sides once, with HSCAN and select.
func readBoth(b *testing.B, r *reconciletest.Rig, i *reconciletest.Instance) {
	b.Helper()
	ctx := context.Background()
	for _, key := range []string{reconciletest.KeyStock, reconciletest.KeyLevels, reconciletest.KeyReservations, reconciletest.KeyLimits} {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			var err error
			if _, cursor, err = i.Client.HScan(ctx, key, cursor, "", audit.PageDefault).Result(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, query := range []string{
		`select sku, location, on_hand, held, committed, safety_stock, backorder_limit from levels`,
		`select id, birth, state, version, created_at, expires_at, fingerprint, transition, channel, customer, "order" from reservations where resolved_at is null`,
		`select reservation_id, line, sku, requested, returned, locations, quantities, fulfilled from reservation_lines`,
	} {
		rows, _ := r.Pool.Query(ctx, query)
		if _, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (int, error) { return len(row.RawValues()), nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// peak returns the peak memory of this process, in KiB.
func peak(b *testing.B) (kib int64) {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib
		}
	}
	return 0
}

// resetPeak resets the peak memory to what is in use now.
func resetPeak(b *testing.B) {
	b.Helper()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}
