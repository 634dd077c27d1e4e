package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// BenchmarkLedger compares in one run, in turns: events applied per second, for one hot SKU and for
// many; raw COPY of the same rows into the same tables; and the design it replaces, one transaction
// per call that updates the hot row.
func BenchmarkLedger(b *testing.B) {
	const rounds, turn = 3, 2 * time.Second
	figures := map[string][]float64{}
	note := func(name string, perSecond float64) { figures[name] = append(figures[name], perSecond) }
	for b.Loop() {
		for range rounds {
			for _, skus := range []int{1, 10_000} {
				note(fmt.Sprintf("applied events/s, %d SKUs", skus), applied(b, skus, turn))
			}
			note("COPY, the rows of as many events/s", copied(b, turn))
			for _, connections := range []int{8, 32} {
				note(fmt.Sprintf("update of a hot row, calls/s, %d connections", connections), updated(b, connections, turn))
			}
			note("durable confirms/s, 64 callers, 1 SKU", confirmedPerSecond(b, turn, false))
			note("the same, the reconciler just started", confirmedPerSecond(b, turn, true))
		}
	}
	for name, list := range figures {
		slices.Sort(list)
		fmt.Printf("%-50s median %8.0f  (%.0f to %.0f)\n", name, list[len(list)/2], list[0], list[len(list)-1])
	}
}

// applied returns how many events are applied per second, in batches of 1,000.
func applied(tb testing.TB, skus int, turn time.Duration) float64 {
	pool := ledgertest.OpenLedger(tb)
	l := &ledgertest.Bench{TB: tb, Ledger: postgres.New(pool, 0), Pool: pool}
	s, err := l.Ledger.Lock(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	l.Session = s
	l.Begin(nil, 1)
	stock(l, skus)
	orders, events := 0, 0
	began := time.Now()
	for time.Since(began) < turn {
		l.Apply(sales(l, &orders, skus, 500))
		events += 1000
	}
	return float64(events) / time.Since(began).Seconds()
}

// stock counts in the levels that sales uses.
func stock(b *ledgertest.Bench, skus int) {
	for from := 0; from < skus; from += 1000 {
		e := wire.Event{Verb: cache.VerbAdjust, ID: fmt.Sprint("count", from), Fingerprint: "f"}
		for n := from; n < min(skus, from+1000); n++ {
			e.Levels = append(e.Levels, wire.LevelEvent{SKU: location.SKU(fmt.Sprint("SKU", n)), Location: "berlin", OnHandAfter: 1 << 30})
		}
		b.Apply(b.Entry(e))
	}
}

// sales returns an entry of orders that are held and confirmed.
func sales(b *ledgertest.Bench, n *int, skus, orders int) ledger.Entry {
	events := make([]wire.Event, 0, 2*orders)
	for range orders {
		*n++
		id := fmt.Sprintf("order-%09d", *n)
		held := ledgertest.Born(id, ledgertest.Reserved(1), "n")
		held.Record.Lines = slices.Clone(held.Record.Lines)
		held.Record.Lines[0].SKU = location.SKU(fmt.Sprint("SKU", (*n*7919)%skus))
		held.Record.Order, held.Record.Customer = id, fmt.Sprint("customer", *n%1000)
		sold := held
		sold.Verb, sold.StateBefore, sold.VersionBefore = cache.VerbConfirm, cache.StateHeld, 1
		sold.Record.State, sold.Record.Version = cache.StateConfirmed, 2
		events = append(events, held, sold)
	}
	return b.Entry(events...)
}

// copied returns for how many events COPY writes the rows per second: for each order a reservation,
// a line and two movements, in transactions of 500 orders like the batches above.
func copied(tb testing.TB, turn time.Duration) float64 {
	ctx := context.Background()
	pool := ledgertest.OpenLedger(tb)
	now := time.Now()
	orders := 0
	began := time.Now()
	for time.Since(began) < turn {
		var reservations, lines, movements [][]any
		for range 500 {
			orders++
			id := fmt.Sprintf("order-%09d", orders)
			reservations = append(reservations, []any{id, "n", "confirmed", 2, now, now, "f", id, fmt.Sprint("customer", orders%1000)})
			lines = append(lines, []any{id, 1, "1", "SKU0", 1, []string{"berlin"}, []int64{1}, []int64{0}, now})
			for event := range 2 {
				movements = append(movements, []any{0, 1, orders, event, "SKU0", "berlin", 1, "reserve", id, now})
			}
		}
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err1 := tx.CopyFrom(ctx, pgx.Identifier{"reservations"}, []string{"id", "birth", "state", "version", "created_at", "expires_at", "fingerprint", "order", "customer"}, pgx.CopyFromRows(reservations))
			_, err2 := tx.CopyFrom(ctx, pgx.Identifier{"reservation_lines"}, []string{"reservation_id", "position", "line", "sku", "requested", "locations", "quantities", "fulfilled", "created_at"}, pgx.CopyFromRows(lines))
			_, err3 := tx.CopyFrom(ctx, pgx.Identifier{"movements"}, []string{"shard", "epoch", "sequence", "event", "sku", "location", "held", "verb", "reservation_id", "at"}, pgx.CopyFromRows(movements))
			return errors.Join(err1, err2, err3)
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return float64(2*orders) / time.Since(began).Seconds()
}

// updated returns how many transactions per second take a unit from one row.
func updated(tb testing.TB, connections int, turn time.Duration) float64 {
	ctx := context.Background()
	config := ledgertest.OpenLedger(tb).Config().Copy()
	config.MaxConns = int32(connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, `create table stock (sku text primary key, qty bigint not null); insert into stock values ('TEE', 1 << 30)`); err != nil {
		tb.Fatal(err)
	}
	var n atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range connections {
		all.Go(func() {
			for time.Since(began) < turn {
				if _, err := pool.Exec(ctx, `update stock set qty = qty - 1 where sku = 'TEE' and qty >= 1`); err != nil {
					tb.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	return float64(n.Load()) / time.Since(began).Seconds()
}

// confirmedPerSecond returns how many confirms per second are answered as durable. Their holds were
// made before: by this process, which remembers them, or, if restarted is true, by the one before
// it.
func confirmedPerSecond(tb testing.TB, turn time.Duration, restarted bool) float64 {
	const callers, holds = 64, 60_000
	r := reconciletest.NewRig(tb)
	i := r.Start(nil)
	defer i.Stop()
	i.Open(5 * time.Second)
	i.Count("TEE", "berlin", holds)
	each(tb, callers, holds, func(n int) error {
		_, err := i.Store.Reserve(context.Background(), reconciletest.Order(fmt.Sprint("o", n), "TEE", 1))
		return err
	})
	r.Quiesce()
	if restarted {
		i.Stop()
		i = r.Start(nil)
		i.Open(5 * time.Second)
		defer i.Stop()
	}
	var n atomic.Int64
	began := time.Now()
	each(tb, callers, holds, func(k int) error {
		if time.Since(began) > turn {
			return nil
		}
		n.Add(1)
		_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: fmt.Sprint("o", k)})
		return err
	})
	return float64(n.Load()) / min(time.Since(began), turn).Seconds()
}

// each calls f with 0 to n-1, from several callers at once.
func each(tb testing.TB, callers, n int, f func(int) error) {
	tb.Helper()
	var all sync.WaitGroup
	var next atomic.Int64
	for range callers {
		all.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				if err := f(k); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
