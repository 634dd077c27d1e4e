package cache_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// tutorialScript is the script of most tutorials: no id, no deadline, no record, no event.
const tutorialScript = `
local n = tonumber(redis.call('GET', KEYS[1]))
if n < tonumber(ARGV[1]) then return 0 end
redis.call('DECRBY', KEYS[1], ARGV[1])
return 1`

// usualScript adds Holdfast's features to the tutorial's script, for one reservation a call.
const usualScript = `
if redis.call('EXISTS', KEYS[2]) == 1 then return {'replay'} end
local n = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
if not n or n < tonumber(ARGV[2]) then return {'insufficient', tostring(n)} end
redis.call('HINCRBY', KEYS[1], ARGV[1], -ARGV[2])
redis.call('HSET', KEYS[2], 'state', 'held', 'sku', ARGV[1], 'quantity', ARGV[2], 'expires', ARGV[4], 'order', ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[3])
redis.call('XADD', KEYS[4], '*', 'id', ARGV[3], 'sku', ARGV[1], 'quantity', ARGV[2], 'state', 'held', 'order', ARGV[5])
return {'held', ARGV[4]}`

// contender is one way to reserve: prepare returns what one caller does for its i-th operation.
type contender struct {
	name    string
	callers int
	chunk   int // operations that one call of do makes
	prepare func(b *testing.B, client *redis.Client) (do func(ctx context.Context, i int) error, end func())
}

// BenchmarkReserve compares Store.Reserve with other ways to reserve. It uses one real Redis and
// interleaved rounds, and flushes the server before each contender. It prints the median
// reservations per second, the median Redis main-thread CPU of a reservation, and the ratios.
//
//	go test -run '^$' -bench Reserve -benchtime 7x ./cache
func BenchmarkReserve(b *testing.B) {
	server := redistest.Start(b)
	options := redis.Options{Addr: server.Addr(), MaxRetries: -1, PoolSize: 512, DialTimeout: 5 * time.Second,
		ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	client := redis.NewClient(&options)
	defer func() { _ = client.Close() }()
	contenders := []contender{
		{"(a) tutorial script, 64 callers", 64, 1, scripted(tutorialScript, tutorialArgs)},
		{"(a) tutorial script, pipelined by 64", 4, 64, pipelined(tutorialScript, tutorialArgs)},
		{"(b) usual full-feature script, 64 callers", 64, 1, scripted(usualScript, usualArgs)},
		{"(b) usual full-feature script, 512 callers", 512, 1, scripted(usualScript, usualArgs)},
		{"(b) usual full-feature script, pipelined by 64", 4, 64, pipelined(usualScript, usualArgs)},
		{"(c) Store.Reserve, hot SKU, 64 callers", 64, 1, reserving(1, 1)},
		{"(c) Store.Reserve, hot SKU, 512 callers", 512, 1, reserving(1, 1)},
		{"(c) Store.Reserve, 1,000 SKUs, 512 callers", 512, 1, reserving(1000, 1)},
		{"(c) Store.Reserve, 3 lines, 512 callers", 512, 1, reserving(1000, 3)},
	}
	rates, cpus := make([][]float64, len(contenders)), make([][]float64, len(contenders))
	for b.Loop() {
		for i, c := range contenders {
			rate, cpu := measure(b, client, c)
			rates[i], cpus[i] = append(rates[i], rate), append(cpus[i], cpu)
		}
	}
	report(b, contenders, rates, cpus)
}

const operationsPerRound = 40_000

func measure(b *testing.B, client *redis.Client, c contender) (rate, cpuMicros float64) {
	ctx := context.Background()
	if err := client.FlushAll(ctx).Err(); err != nil {
		b.Fatal(err)
	}
	do, end := c.prepare(b, client)
	defer end()
	before, err := redistest.UsedCPU(ctx, client)
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var callers sync.WaitGroup
	started := time.Now()
	for range c.callers {
		callers.Go(func() {
			for {
				i := int(next.Add(int64(c.chunk))) - c.chunk
				if i >= operationsPerRound {
					return
				}
				if err := do(ctx, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	elapsed := time.Since(started)
	after, err := redistest.UsedCPU(ctx, client)
	if err != nil {
		b.Fatal(err)
	}
	return operationsPerRound / elapsed.Seconds(), float64((after - before).Nanoseconds()) / 1e3 / operationsPerRound
}

func tutorialArgs(int) ([]string, []any) { return []string{"stock:TEE"}, []any{1} }

func usualArgs(i int) ([]string, []any) {
	id := "ord-" + strconv.Itoa(i)
	deadline := time.Now().Add(10 * time.Minute).UnixMilli()
	return []string{"stock", "reservation:" + id, "deadlines", "events"}, []any{"TEE", 1, id, deadline, id}
}

func load(b *testing.B, client *redis.Client, script string) string {
	ctx := context.Background()
	sha, err := client.ScriptLoad(ctx, script).Result()
	if err == nil {
		err = client.Set(ctx, "stock:TEE", 1<<30, 0).Err()
	}
	if err == nil {
		err = client.HSet(ctx, "stock", "TEE", 1<<30).Err()
	}
	if err != nil {
		b.Fatal(err)
	}
	return sha
}

func scripted(script string, args func(int) ([]string, []any)) func(*testing.B, *redis.Client) (func(context.Context, int) error, func()) {
	return func(b *testing.B, client *redis.Client) (func(context.Context, int) error, func()) {
		sha := load(b, client, script)
		return func(ctx context.Context, i int) error {
			keys, argv := args(i)
			return client.EvalSha(ctx, sha, keys, argv...).Err()
		}, func() {}
	}
}

func pipelined(script string, args func(int) ([]string, []any)) func(*testing.B, *redis.Client) (func(context.Context, int) error, func()) {
	return func(b *testing.B, client *redis.Client) (func(context.Context, int) error, func()) {
		sha := load(b, client, script)
		return func(ctx context.Context, i int) error {
			_, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
				for j := range 64 {
					keys, argv := args(i + j)
					pipe.EvalSha(ctx, sha, keys, argv...)
				}
				return nil
			})
			return err
		}, func() {}
	}
}

// openLevels puts units of each SKU on sale at a location.
func openLevels(b *testing.B, store *cache.Store, at location.ID, skus int, units int64) {
	b.Helper()
	changes := make([]cache.Change, skus)
	for i := range changes {
		changes[i] = cache.Change{SKU: sku(i), Location: at, OnHand: &units}
	}
	for part := range slices.Chunk(changes, cache.ChangesMax) {
		id := fmt.Sprint("opening ", part[0].SKU, " at ", at)
		if _, err := store.Adjust(context.Background(), cache.AdjustRequest{ID: id, Changes: part}); err != nil {
			b.Fatal(err)
		}
	}
}

func reserving(skus, lines int) func(*testing.B, *redis.Client) (func(context.Context, int) error, func()) {
	return func(b *testing.B, client *redis.Client) (func(context.Context, int) error, func()) {
		store, err := cache.New(client, cache.Options{})
		if err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		openLevels(b, store, "berlin", skus, cache.QuantityMax)
		reserve := func(ctx context.Context, i int) error {
			id := "ord-" + strconv.Itoa(i)
			r := cache.ReserveRequest{ID: id, Order: id}
			for j := range lines {
				r.Lines = append(r.Lines, cache.LineRequest{Line: strconv.Itoa(j), SKU: sku((i*7 + j) % skus), Quantity: 1})
			}
			_, err := store.Reserve(ctx, r)
			return err
		}
		return reserve, func() { _ = store.Close(ctx) }
	}
}

func sku(i int) location.SKU { return location.SKU("TEE-" + strconv.Itoa(i)) }

func report(b *testing.B, contenders []contender, rates, cpus [][]float64) {
	rate, cpu := make([]float64, len(contenders)), make([]float64, len(contenders))
	for i := range contenders {
		rate[i], cpu[i] = median(rates[i]), median(cpus[i])
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "\n%d rounds of %d\treservations/s\tmin-max\tRedis CPU us\tx (b) 64\tx (a) 64\tCPU / (b) 64\t\n", len(rates[0]), operationsPerRound)
	for i, c := range contenders {
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t%.0f-%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", c.name, rate[i],
			slices.Min(rates[i]), slices.Max(rates[i]), cpu[i], rate[i]/rate[2], rate[i]/rate[0], cpu[i]/cpu[2])
	}
	_ = w.Flush()
	b.ReportMetric(rate[6], "hot512-reservations/s")
	b.ReportMetric(rate[6]/rate[2], "x-usual")
	b.ReportMetric(rate[6]/rate[0], "x-tutorial")
	b.ReportMetric(cpu[6]/cpu[2], "CPU/usual")
}

// BenchmarkStore runs only Store.Reserve, on one hot SKU with 512 callers, for a profile.
//
//	go test -run '^$' -bench Store -benchtime 300000x -cpuprofile cpu.prof ./cache
func BenchmarkStore(b *testing.B) {
	client := redis.NewClient(&redis.Options{Addr: redistest.Start(b).Addr(), MaxRetries: -1})
	defer func() { _ = client.Close() }()
	do, end := reserving(1, 1)(b, client)
	defer end()
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(512 / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(context.Background(), int(next.Add(1))); err != nil {
				b.Error(err)
			}
		}
	})
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
