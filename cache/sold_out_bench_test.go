package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
)

// sale is one case of BenchmarkSoldOut.
type sale struct {
	name    string
	callers int
	skus    int
	units   int64 // of each SKU
	keep    time.Duration
}

// BenchmarkSoldOut compares refusals by reserve with refusals by a probe, and measures what the
// sold-out cache costs a call that succeeds. It uses one real Redis and interleaved rounds. It
// prints the median calls per second, the median Redis main-thread CPU of a call, and its ratio to
// the CPU without the cache.
//
//	go test -run '^$' -bench SoldOut -benchtime 7x ./cache
func BenchmarkSoldOut(b *testing.B) {
	server := redistest.Start(b)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, PoolSize: 64, ReadTimeout: 5 * time.Second})
	defer func() { _ = client.Close() }()
	var sales []sale
	for _, l := range []sale{
		{"refused, 1 SKU, 64 callers", 64, 1, 0, 0}, {"refused, 1 SKU, 512 callers", 512, 1, 0, 0},
		{"refused, 1,000 SKUs, 512 callers", 512, 1000, 0, 0}, {"held, 1 SKU, 512 callers", 512, 1, cache.QuantityMax, 0},
	} {
		cached := l
		cached.name, cached.keep = "  100ms", 100*time.Millisecond
		sales = append(sales, l, cached)
	}
	rates, cpus := make([][]float64, len(sales)), make([][]float64, len(sales))
	for b.Loop() {
		for i, l := range sales {
			rate, cpu := measure(b, client, contender{l.name, l.callers, 1, l.prepare})
			rates[i], cpus[i] = append(rates[i], rate), append(cpus[i], cpu)
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "\n%d rounds of %d\tcalls/s\tRedis CPU us\tx exact\t\n", len(rates[0]), operationsPerRound)
	for i, l := range sales {
		cpu := median(cpus[i])
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t\n", l.name, median(rates[i]), cpu, cpu/median(cpus[i&^1]))
	}
	_ = w.Flush()
	b.ReportMetric(median(cpus[3])/median(cpus[2]), "CPU/exact")
}

// prepare creates the levels.
func (l sale) prepare(b *testing.B, client *redis.Client) (do func(ctx context.Context, i int) error, end func()) {
	store, err := cache.New(client, cache.Options{SoldOutCache: l.keep})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	openLevels(b, store, "berlin", l.skus, l.units)
	reserve := func(ctx context.Context, i int) error {
		id := "ord-" + strconv.Itoa(i)
		_, err := store.Reserve(ctx, cache.ReserveRequest{
			ID: id, Order: id, Lines: []cache.LineRequest{{Line: "1", SKU: sku(i * 7 % l.skus), Quantity: 1}},
		})
		if l.units == 0 && errors.Is(err, cache.ErrInsufficient) {
			return nil
		}
		return err
	}
	return reserve, func() { _ = store.Close(ctx) }
}
