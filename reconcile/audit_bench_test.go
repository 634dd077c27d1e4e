package reconcile

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// BenchmarkAudit audits many levels and reservations, next to reading both sides once without comparing,
// and to a rebuild of the same. HOLDFAST_FULL has it be a million levels and 200,000 reservations.
func BenchmarkAudit(b *testing.B) {
	levels, reservations := atFull(1_000_000, 100_000), atFull(200_000, 20_000)
	r := newRig(b)
	fill(b, r, levels, reservations)
	started := time.Now()
	i := r.start(nil)
	i.open(10 * time.Minute)
	rebuilt := time.Since(started)
	for b.Loop() {
		started = time.Now()
		readBoth(b, r, i)
		read := time.Since(started)
		forgetPeak(b)
		before := peak(b)
		started = time.Now()
		done := i.audit(AuditOptions{})
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

// BenchmarkAudit_Beside reserves and confirms as fast as 256 callers can, alone and while an audit runs.
func BenchmarkAudit_Beside(b *testing.B) {
	r := newRig(b)
	fill(b, r, 100_000, 20_000)
	i := r.start(nil)
	i.open(10 * time.Minute)
	var answered atomic.Int64
	var callers sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	for n := range 256 {
		callers.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				id := fmt.Sprintf("beside-%d-%d", n, k)
				if _, err := i.store.Reserve(context.Background(), order(id, location.SKU(fmt.Sprint("SKU-", k%5000)), 1)); err == nil {
					_, _ = i.store.Confirm(context.Background(), cache.TransitionRequest{ID: id}) // waits for the ledger
				}
				answered.Add(1)
			}
		})
	}
	rate := func(during func()) float64 {
		before, started := answered.Load(), time.Now()
		during()
		return float64(answered.Load()-before) / time.Since(started).Seconds()
	}
	for b.Loop() {
		alone := rate(func() { <-time.After(3 * time.Second) })
		beside := rate(func() {
			if done := i.audit(AuditOptions{}); done.Drift != 0 {
				b.Errorf("%+v", done)
			}
		})
		alone = (alone + rate(func() { <-time.After(3 * time.Second) })) / 2
		b.ReportMetric(alone, "alone/s")
		b.ReportMetric(beside, "beside/s")
		b.ReportMetric(100*(1-beside/alone), "%fewer")
	}
	stop()
	callers.Wait()
}

// fill makes a ledger that is right in itself.
func fill(b *testing.B, r *rig, levels, reservations int) {
	b.Helper()
	for _, query := range []string{
		`insert into levels (sku, location, on_hand, held)
select 'SKU-' || n / 4, 'location-' || n % 4, 100, case when n < $2 then 2 else 0 end from generate_series(0, $1 - 1) n`,
		`insert into movements (shard, epoch, sequence, event, sku, location, on_hand, held, verb, operation_id, at)
select 0, 1, n, 0, 'SKU-' || n / 4, 'location-' || n % 4, 100, case when n < $2 then 2 else 0 end, 'adjust', 'o', now()
from generate_series(0, $1 - 1) n`,
		`insert into reservations (id, birth, state, version, created_at, expires_at, fingerprint)
select 'order-' || n, 'n' || n, 'held', 1, now(), now() + interval '10 hours' + n * interval '10 ms', 'aaaaaaaaaaaaaaaaaaaaaa'
from generate_series(0, $2 - 1) n where $1 > 0`,
		`insert into reservation_lines (reservation_id, position, line, sku, requested, locations, quantities, fulfilled, created_at)
select 'order-' || n, 1, '1', 'SKU-' || n / 4, 2, array['location-' || n % 4], array[2], array[0], now()
from generate_series(0, $2 - 1) n where $1 > 0`,
	} {
		if _, err := r.pool.Exec(context.Background(), query, levels, reservations); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := r.pool.Exec(context.Background(), `vacuum analyze`); err != nil {
		b.Fatal(err)
	}
}

// readBoth reads both sides once: HSCAN of the hashes, and select.
func readBoth(b *testing.B, r *rig, i *instance) {
	b.Helper()
	ctx := context.Background()
	for _, key := range []string{keyStock, keyLevels, keyReservations, keyLimits} {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			var err error
			if _, cursor, err = i.client.HScan(ctx, key, cursor, "", AuditPageDefault).Result(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, query := range []string{
		`select sku, location, on_hand, held, committed, safety_stock, backorder_limit from levels`,
		`select id, birth, state, version, created_at, expires_at, fingerprint, transition, channel, customer, "order" from reservations where resolved_at is null`,
		`select reservation_id, line, sku, requested, returned, locations, quantities, fulfilled from reservation_lines`,
	} {
		rows, _ := r.pool.Query(ctx, query)
		if _, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (int, error) { return len(row.RawValues()), nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// peak is the most memory that this process has had, KiB.
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

// forgetPeak has the most memory be what there is now.
func forgetPeak(b *testing.B) {
	b.Helper()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}
