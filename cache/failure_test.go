package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
)

// full reports whether the whole campaign runs, not its short form.
var full = os.Getenv("HOLDFAST_FULL") != ""

// rounds returns how often something runs: whole times in the campaign, short times otherwise, and a
// fifth of that with -short.
func rounds(whole, short int) int {
	switch {
	case full:
		return whole
	case testing.Short():
		return max(short/5, 1)
	}
	return short
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func client(tb testing.TB, addr string) *redis.Client {
	tb.Helper()
	c := redis.NewClient(&redis.Options{
		Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: 200 * time.Millisecond, ReadTimeout: 200 * time.Millisecond, WriteTimeout: 200 * time.Millisecond,
	})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// TestLastUnit lets 500 buyers race for one unit. One gets it, all others are told that it is sold out,
// and the count never goes below zero.
func TestLastUnit(t *testing.T) {
	const buyers = 500
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		if !e.Real {
			return // one lock around everything: there is no race
		}
		b := newBench(t, e.Client, Options{})
		for round := range rounds(1000, 50) {
			sku := fmt.Sprintf("TEE-%d", round)
			b.stock(sku + "@berlin=1")
			var won, refused atomic.Int64
			var gate, callers sync.WaitGroup
			gate.Add(1)
			for i := range buyers {
				callers.Go(func() {
					gate.Wait()
					_, err := b.store.Reserve(b.ctx, order(fmt.Sprintf("%d-%d", round, i), "1:"+sku+":1"))
					switch {
					case err == nil:
						won.Add(1)
					case errors.Is(err, ErrInsufficient):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			gate.Done()
			callers.Wait()
			if won.Load() != 1 || refused.Load() != buyers-1 {
				t.Fatalf("round %d: %d won, %d were refused", round, won.Load(), refused.Load())
			}
		}
		b.invariants()
	})
}

// TestReplyLost cuts the connection after the script ran and before its reply arrives, for each verb.
// The call is still answered, and its units move once.
func TestReplyLost(t *testing.T) {
	server := redistest.Start(t)
	proxy := faultproxy.New(t, server.Addr())
	b := newBench(t, client(t, proxy.Addr()), Options{TTL: 10 * time.Second, Timeout: 5 * time.Second, Logger: quiet})
	b.stock("TEE@berlin=10 MUG@berlin=10")
	for _, o := range []operation{
		{name: "reserve", when: reserve(order("ord", "1:TEE:3")), answer: "held v1 until 10s | 1 TEE 3/3 berlin:3"},
		{name: "extend", when: extend("ord", 20*time.Second, 1), answer: "again held v2 until 20s | 1 TEE 3/3 berlin:3"},
		{name: "partial release", when: release("ord", 2, "1:1"), answer: "again held v3 until 20s | 1 TEE 2/3 berlin:2"},
		{name: "confirm", when: confirm("ord", 0), answer: "again confirmed v4 | 1 TEE 2/3 berlin:2"},
		{name: "partial fulfill", when: fulfill("ord", 4, "1:1"), answer: "again confirmed v5 | 1 TEE 2/3 berlin:2 fulfilled 1"},
		{name: "release", when: release("ord", 0, ""), answer: "again released v6 | 1 TEE 2/3 berlin:2 fulfilled 1"},
		{name: "adjust", when: adjust("op", Change{SKU: "MUG", Location: "berlin", Delta: units(-4)}),
			answer: "at 0s | MUG@berlin 6 held 0 committed 0 safety 0 backorder 0 available 6"},
		{name: "transfer", when: transfer(TransferRequest{ID: "van", SKU: "MUG", From: "berlin", To: "lyon", Quantity: 2}),
			answer: "at 0s | MUG@berlin 4 held 0 committed 0 available 4 | MUG@lyon 2 held 0 committed 0 available 2"},
		{name: "return", when: back("ret", "lyon", "1:1"), answer: "again released v7 | 1 TEE 2/3 berlin:2 fulfilled 1 returned 1"},
		{name: "remove", when: remove("", "MUG", "lyon"), answer: "removed at 0s"},
	} {
		t.Run(o.name, func(t *testing.T) {
			cuts := proxy.Cuts()
			proxy.CutReplies(1, "evalsha")
			equal(t, "answer", o.when(b), o.answer)
			if proxy.Cuts() != cuts+1 {
				t.Error("no reply was cut")
			}
			b.invariants()
		})
	}
	equal(t, "state", b.state(99), `
		stock MUG@berlin 4
		stock TEE@berlin 9
		stock TEE@lyon 1
		level MUG@berlin 4 0 0 0
		level TEE@berlin 9 0 0 0
		level TEE@lyon 1 0 0 0
		ord released v7 until 20s | 1 TEE 3 berlin:2(1) back 1
		deadline 20s ord`)
}

// TestReplyLostOfDuplicates cuts the reply of batches in which several calls have the same id: one of
// them is told that it took the units, the others that they are replays.
func TestReplyLostOfDuplicates(t *testing.T) {
	server := redistest.Start(t)
	proxy := faultproxy.New(t, server.Addr())
	options := Options{Timeout: 5 * time.Second, InFlightMax: 1, Logger: quiet}
	b := newBench(t, client(t, proxy.Addr()), options)
	b.stock("TEE@berlin=1000")
	equal(t, "warm up", reserve(order("ord", "1:TEE:1"))(b), "held v1 until 600s | 1 TEE 1/1 berlin:1")
	for round := range 20 {
		var (
			calls sync.WaitGroup
			taken atomic.Int64
		)
		reserve := func(id string) {
			result, err := b.store.Reserve(t.Context(), ReserveRequest{
				ID: fmt.Sprint(id, round), Lines: []LineRequest{{Line: "1", SKU: "TEE", Quantity: 1}},
			})
			switch {
			case err != nil:
				t.Error(err)
			case id == "first":
				proxy.CutReplies(1, "evalsha") // of the batch that waited behind it
			case !result.Replay:
				taken.Add(1)
			}
		}
		server.Pause()
		calls.Go(func() { reserve("first") })
		for b.store.Stats().InFlight[VerbReserve] == 0 {
			runtime.Gosched()
		}
		for range 8 {
			calls.Go(func() { reserve("same") })
		}
		for b.store.Stats().Queued[VerbReserve] < 8 {
			runtime.Gosched()
		}
		server.Resume()
		calls.Wait()
		if taken.Load() != 1 {
			t.Errorf("round %d: %d calls were told that they took the units, want 1", round, taken.Load())
		}
	}
	if proxy.Cuts() == 0 {
		t.Error("no reply was cut")
	}
}

// TestRepliesLostUnderLoad cuts every few replies while many callers reserve. Each id is answered, and
// the units taken are those of the ids that were answered with success.
func TestRepliesLostUnderLoad(t *testing.T) {
	server := redistest.Start(t)
	proxy := faultproxy.New(t, server.Addr())
	b := newBench(t, client(t, proxy.Addr()), Options{Timeout: 5 * time.Second, Logger: quiet})
	b.stock("TEE@berlin=1000000")
	var taken atomic.Int64
	var callers sync.WaitGroup
	for i := range 32 {
		callers.Go(func() {
			for j := range rounds(2000, 100) {
				if i == 0 && j%5 == 0 {
					proxy.CutReplies(1, "evalsha")
				}
				id := fmt.Sprintf("%d-%d", i, j)
				for {
					_, err := b.store.Reserve(b.ctx, order(id, "1:TEE:1"))
					if err == nil {
						taken.Add(1)
						break
					}
					if !errors.Is(err, ErrUnavailable) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	callers.Wait()
	levels, err := b.store.Levels(b.ctx, "TEE")
	if err != nil {
		t.Fatal(err)
	}
	if levels[0].Held != taken.Load() || proxy.Cuts() == 0 {
		t.Errorf("held %d, told %d, with %d replies cut", levels[0].Held, taken.Load(), proxy.Cuts())
	}
	b.invariants()
}

// TestRedisGone checks that every call is answered within the time-out while Redis is gone, that no
// goroutines pile up, and that the store recovers by itself once Redis is back.
func TestRedisGone(t *testing.T) {
	calls := 5000
	if testing.Short() {
		calls = 1500
	}
	for _, fault := range []struct {
		name string
		set  func(p *faultproxy.Proxy, on bool)
	}{
		{"silent", (*faultproxy.Proxy).Blackhole},
		{"refusing", (*faultproxy.Proxy).Refuse},
	} {
		t.Run(fault.name, func(t *testing.T) {
			server := redistest.Start(t)
			proxy := faultproxy.New(t, server.Addr())
			b := newBench(t, client(t, proxy.Addr()), Options{Timeout: time.Second, Logger: quiet})
			b.stock("TEE@berlin=1000000")
			ids := make(chan int)
			var slowest atomic.Int64
			var failed, answered atomic.Int64
			var callers sync.WaitGroup
			for range 200 {
				callers.Go(func() {
					for id := range ids {
						started := time.Now()
						_, err := b.store.Reserve(b.ctx, order(strconv.Itoa(id), "1:TEE:1"))
						for d := int64(time.Since(started)); d > slowest.Load(); {
							slowest.Store(d)
						}
						switch {
						case err == nil:
							answered.Add(1)
						case errors.Is(err, ErrUnavailable):
							failed.Add(1)
						default:
							t.Error(err)
						}
					}
				})
			}
			fault.set(proxy, true)
			before := runtime.NumGoroutine()
			for id := range calls {
				ids <- id
			}
			if grown := runtime.NumGoroutine() - before; grown > 50 {
				t.Errorf("%d more goroutines", grown)
			}
			fault.set(proxy, false)
			close(ids)
			callers.Wait()
			if failed.Load() < int64(calls*4/5) {
				t.Errorf("%d of %d were refused while Redis was gone", failed.Load(), calls)
			}
			if d := time.Duration(slowest.Load()); d > 15*time.Second { // on a busy machine
				t.Errorf("the slowest answer took %s with a time-out of 1s", d)
			}
			eventually(t, func() error {
				_, err := b.store.Reserve(b.ctx, order("back", "1:TEE:1"))
				return err
			})
			for id := range calls { // all callers repeat with the same id
				if _, err := b.store.Reserve(b.ctx, order(strconv.Itoa(id), "1:TEE:1")); err != nil {
					t.Fatal(err)
				}
			}
			levels, err := b.store.Levels(b.ctx, "TEE")
			if err != nil || levels[0].Held != int64(calls+1) {
				t.Errorf("%+v, %v: want %d held", levels, err, calls+1)
			}
		})
	}
}

// eventually calls try until it succeeds, for at most a minute.
func eventually(tb testing.TB, try func() error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			tb.Fatal(err)
		}
	}
}

// TestRedisLost checks that no call succeeds on counters that are gone.
func TestRedisLost(t *testing.T) {
	for _, fault := range []struct {
		name string
		lose func(c *redis.Client, s *redistest.Server) error
		want error
	}{
		{"scripts forgotten", func(c *redis.Client, _ *redistest.Server) error {
			return c.ScriptFlush(context.Background()).Err()
		}, nil},
		{"flushed", func(c *redis.Client, _ *redistest.Server) error {
			return c.FlushAll(context.Background()).Err()
		}, ErrRebuilding},
		{"restarted empty", func(_ *redis.Client, s *redistest.Server) error {
			s.Kill()
			s.Restart()
			return nil
		}, ErrRebuilding},
		{"another epoch", func(c *redis.Client, _ *redistest.Server) error {
			return c.HSet(context.Background(), "{holdfast:0}:stock", "epoch", "0").Err()
		}, ErrRebuilding},
		{"loading", func(c *redis.Client, _ *redistest.Server) error {
			return c.HSet(context.Background(), "{holdfast:0}:stock", "gate", "loading").Err()
		}, ErrRebuilding},
		{"backlog", func(c *redis.Client, _ *redistest.Server) error {
			return c.HSet(context.Background(), "{holdfast:0}:stock", "gate", "backlog").Err()
		}, ErrBacklogFull},
		{"a higher entry id", func(c *redis.Client, _ *redistest.Server) error {
			return c.XAdd(context.Background(), &redis.XAddArgs{Stream: "{holdfast:0}:events", ID: "9-1", Values: []string{"x", "y"}}).Err()
		}, ErrRebuilding},
	} {
		t.Run(fault.name, func(t *testing.T) {
			server := redistest.Start(t)
			c := client(t, server.Addr())
			b := newBench(t, c, Options{Logger: quiet})
			b.stock("TEE@berlin=5")
			if err := fault.lose(c, server); err != nil {
				t.Fatal(err)
			}
			_, err := b.store.Reserve(b.ctx, order("ord", "1:TEE:1"))
			if !errors.Is(err, fault.want) {
				t.Errorf("reserve: %v, want %v", err, fault.want)
			}
			if fault.want == ErrBacklogFull {
				if _, err := b.store.Confirm(b.ctx, TransitionRequest{ID: "ord"}); !errors.Is(err, ErrNotFound) {
					t.Errorf("confirm: %v, must go on", err)
				}
			}
			units, _ := c.HGet(b.ctx, b.store.keys.Stock, wire.LevelField("TEE", "berlin")).Result()
			if fault.want != nil && units != "5" && units != "" {
				t.Errorf("%s available after a refusal", units)
			}
		})
	}
}

// TestOutOfMemory refuses reserve as a whole, while confirm, release and fulfill go on.
func TestOutOfMemory(t *testing.T) {
	server := redistest.Start(t)
	c := client(t, server.Addr())
	b := newBench(t, c, Options{TTL: 10 * time.Second, Timeout: 300 * time.Millisecond, Logger: quiet})
	b.stock("TEE@berlin=5")
	reserve(order("kept", "1:TEE:1"))(b)
	reserve(order("given back", "1:TEE:1"))(b)
	if err := c.ConfigSet(b.ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	before := b.state(0)
	equal(t, "reserve", reserve(order("ord", "1:TEE:1"))(b), "unavailable")
	equal(t, "state", b.state(0), before)
	eventually(t, func() error { _, err := b.store.Confirm(b.ctx, TransitionRequest{ID: "kept"}); return err })
	equal(t, "release", release("given back", 0, "")(b), "released v2 | 1 TEE 1/1 berlin:1")
	equal(t, "fulfill", fulfill("kept", 0, "")(b), "fulfilled v3 | 1 TEE 1/1 berlin:1 fulfilled 1")
	b.invariants()
}

// TestCorrupt refuses the calls that touch a stored value that is not a whole number, and no others.
func TestCorrupt(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{Logger: quiet})
		b.stock("TEE@berlin=5 MUG@berlin=5")
		e.Client.HSet(b.ctx, b.store.keys.Stock, wire.LevelField("TEE", "berlin"), "many")
		before := b.state(0)
		for _, call := range calls(reserve(order("ord", "1:TEE:1")), reserve(order("ord", "1:MUG:1 2:TEE:1")),
			adjust("op", Change{SKU: "TEE", Location: "berlin", Delta: units(1)})) {
			equal(t, "answer", call(b), "internal")
		}
		equal(t, "state", b.state(0), before)
		if _, err := b.store.Reserve(b.ctx, order("ord", "1:MUG:1")); err != nil {
			t.Error(err)
		}
		if _, err := b.store.Levels(b.ctx, "TEE"); !errors.Is(err, ErrCorrupt) {
			t.Errorf("levels: %v", err)
		}
	})
}

// TestCorruptReservation refuses the calls on a broken record, and on a level that is gone.
func TestCorruptReservation(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second, Logger: quiet})
		b.stock("TEE@berlin=5 MUG@berlin=5")
		for _, call := range calls(reserve(order("held", "1:TEE:1 2:MUG:1")), reserve(order("sold", "1:MUG:1 2:TEE:1")),
			confirm("sold", 0), reserve(order("broken", "1:MUG:1"))) {
			call(b)
		}
		k := b.store.keys
		e.Client.HSet(b.ctx, k.Reservations, "broken", "1\x1fheld")
		e.Client.HDel(b.ctx, k.Stock, wire.LevelField("TEE", "berlin"))
		e.Client.HDel(b.ctx, k.Levels, wire.LevelField("TEE", "berlin"))
		raw := func() string {
			all, err := e.Client.HGetAll(b.ctx, k.Stock).Result()
			if err != nil {
				t.Fatal(err)
			}
			more, err := e.Client.HGetAll(b.ctx, k.Reservations).Result()
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(all, more)
		}
		before := raw()
		for i, call := range calls(confirm("held", 0), release("held", 0, ""), release("sold", 0, ""), fulfill("sold", 0, ""),
			confirm("broken", 0), release("broken", 0, ""), extend("broken", time.Minute, 0), reserve(order("broken", "1:MUG:1"))) {
			if answer := call(b); answer != "internal" {
				t.Errorf("call %d: %s", i, answer)
			}
		}
		b.now += time.Minute.Milliseconds()
		if answer := expire(b); answer != "expired 0 more false" {
			t.Error(answer)
		}
		equal(t, "state", raw(), before)
	})
}
