package cache

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// TestSoldOut_Bound checks that a probe misses an overdue hold for at most Options.SoldOutCache,
// counted from before the last refused reserve was sent.
func TestSoldOut_Bound(t *testing.T) {
	const due, refused = 10 * time.Second, "insufficient_stock | 1 TEE 0 of 1"
	for _, c := range []struct {
		name           string
		asked, then    time.Duration // when reserve refuses, and when it is called again
		want, probes   string
		reserveTakes   time.Duration // by the Store's clock, until it is answered
		probeTakes     time.Duration
		sweptMeanwhile bool
	}{
		{name: "not due", asked: due - 90*time.Millisecond, then: due - time.Millisecond, want: refused, probes: "1 refused, 0 went on"},
		{name: "due within the time", asked: due - time.Millisecond, then: due + 98*time.Millisecond, want: refused, probes: "1 refused, 0 went on"},
		{name: "due after the time", asked: due - time.Millisecond, then: due + 99*time.Millisecond, want: "held", probes: "0 refused, 0 went on"},
		{name: "the time ends before the probe is answered", asked: due - time.Millisecond, then: due + 98*time.Millisecond, probeTakes: time.Millisecond,
			want: "held", probes: "0 refused, 1 went on"},
		{name: "counted from before reserve was sent", asked: due - time.Millisecond, then: due + 98*time.Millisecond, reserveTakes: time.Millisecond,
			want: "held", probes: "0 refused, 0 went on"},
		{name: "swept", asked: due - time.Millisecond, then: due, sweptMeanwhile: true, want: "held", probes: "0 refused, 1 went on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
				b, told := newSoldOutBench(t, e)
				b.stock("TEE@berlin=1")
				reserve(order("ord", "1:TEE:1"))(b)
				after(c.asked)(b)
				begun, clock, took := b.store.shard.Clock, b.store.soldOut.clock, atomic.Int64{}
				b.store.shard.Clock = func() string { took.Store(int64(c.reserveTakes)); return begun() }
				b.store.soldOut.clock = func() time.Duration { return clock() + time.Duration(took.Load()) }
				equal(t, "by reserve", reserve(order("late", "1:TEE:1"))(b), refused)
				after(c.then - c.asked)(b)
				if c.sweptMeanwhile {
					equal(t, "sweep", expire(b.otherProcess()), "expired 1 more false")
				}
				reads := 0
				b.store.soldOut.clock = func() time.Duration {
					reads++
					return clock() + c.reserveTakes + time.Duration(min(reads-1, 1))*c.probeTakes // read before the probe, then after it
				}

				if got := reserve(order("later", "1:TEE:1"))(b); !strings.HasPrefix(got, c.want) {
					t.Errorf("%s, want %s", got, c.want)
				}

				equal(t, "how", told.probed(), c.probes)
			})
		})
	}
}

// TestSoldOut_Refreshed checks that the time counts from the last refusal by reserve, not by a
// probe.
func TestSoldOut_Refreshed(t *testing.T) {
	b, told := newSoldOutBench(t, redistest.Engines(t)[0])
	redistest.Engines(t)[0].Flush(t)
	b.stock("TEE@berlin=0")
	for i := range 4 {
		reserve(order(fmt.Sprint(i), "1:TEE:1"))(b)
		after(keepFor / 2)(b)
	}
	equal(t, "four calls, half the time apart", told.probed(), "2 refused, 0 went on")
}

// TestSoldOut_Forgotten checks that only the first call after units came back sends a probe.
func TestSoldOut_Forgotten(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b, told := newSoldOutBench(t, e)
		b.stock("TEE@berlin=0")
		reserve(order("late", "1:TEE:1"))(b)
		b.otherProcess().stock("TEE@berlin=2")

		equal(t, "first", reserve(order("first", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 berlin:1")
		equal(t, "second", reserve(order("second", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 berlin:1")

		equal(t, "how", told.probed(), "0 refused, 1 went on")
	})
}

// TestSoldOut_Raced checks that a refusal which is noted after its units came back refuses no call.
func TestSoldOut_Raced(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b, _ := newSoldOutBench(t, e)
		b.stock("TEE@berlin=1")
		reserve(order("ord", "1:TEE:1"))(b)
		known, err := b.store.locations(b.ctx, time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		r := order("late", "1:TEE:1")
		late := &reserveCall{request: &r, until: time.Now().Add(time.Minute)}
		if err := late.route(known.rules, time.Second); err != nil {
			t.Fatal(err)
		}
		asked := b.store.soldOut.now()
		a := b.store.sendReserve(b.ctx, late)
		equal(t, "late", a.Status, wire.StatusInsufficient)
		release("ord", 0, "")(b)
		b.store.soldOut.note(late, late.decodeInsufficient(a.Payload), asked)

		equal(t, "after the note", reserve(order("lucky", "1:TEE:1"))(b), "held v1 until 10s | 1 TEE 1/1 berlin:1")
	})
}

// TestSoldOut_Gate checks that new calls and repeats get the error of a reserve while the gate is
// closed, Redis is at another epoch or empty, or a stored value is broken.
func TestSoldOut_Gate(t *testing.T) {
	set := func(field, value string) func(*redis.Client) error {
		return func(c *redis.Client) error { return c.HSet(t.Context(), "{holdfast:0}:stock", field, value).Err() }
	}
	for _, c := range []struct {
		name string
		lose func(c *redis.Client) error
		want string // for a new id and for a repeat
	}{
		{"loading", set("gate", "loading"), "rebuilding"},
		{"stopped", set("gate", "stopped"), "rebuilding"},
		{"backlog", set("gate", "backlog"), "backlog_full"},
		{"open", set("gate", "open"), "insufficient_stock | 1 TEE 0 of 1"},
		{"a higher epoch", set("epoch", "2"), "insufficient_stock | 1 TEE 0 of 1"},
		{"a lower epoch", set("epoch", "0"), "rebuilding"},
		{"flushed", func(c *redis.Client) error { return c.FlushAll(t.Context()).Err() }, "rebuilding"},
		{"flushed with its scripts", func(c *redis.Client) error {
			return errors.Join(c.ScriptFlush(t.Context()).Err(), c.FlushAll(t.Context()).Err())
		}, "rebuilding"},
		{"scripts forgotten", func(c *redis.Client) error { return c.ScriptFlush(t.Context()).Err() }, "insufficient_stock | 1 TEE 0 of 1"},
		{"a replica", func(c *redis.Client) error { return c.Do(t.Context(), "replicaof", "127.0.0.1", "1").Err() }, "unavailable"},
		{"a count that is no number", set(wire.LevelField("TEE", "berlin"), "many"), "internal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := client(t, redistest.Start(t).Addr())
			b, told := newSoldOutBench(t, redistest.Engine{Client: r})
			b.stock("TEE@berlin=1")
			reserve(order("ord", "1:TEE:1"))(b)
			reserve(order("late", "1:TEE:1"))(b)
			if err := c.lose(r); err != nil {
				t.Fatal(err)
			}

			equal(t, "new id", reserve(order("new", "1:TEE:1"))(b), c.want)

			retried := "again held v1 until 10s | 1 TEE 1/1 berlin:1"
			if !strings.HasPrefix(c.want, "insufficient") && c.want != "internal" {
				retried = c.want
			}
			equal(t, "retry", reserve(order("ord", "1:TEE:1"))(b), retried)
			if told.calls["probe insufficient_stock"]+told.calls["probe ok"]+told.calls["probe "+c.want] < 2 {
				t.Errorf("a call sent no probe: %v", told.calls)
			}
		})
	}
}

// TestSoldOut_OneSlot checks that two SKUs in one slot do not refuse each other.
func TestSoldOut_OneSlot(t *testing.T) {
	e := redistest.Engines(t)[0]
	e.Flush(t)
	b, told := newSoldOutBench(t, e)
	slot := func(sku string) *soldOutSlot {
		return b.store.soldOut.slot(&reserveLine{levels: []string{wire.LevelField(location.SKU(sku), "berlin")}})
	}
	twin := ""
	for i := 0; twin == ""; i++ {
		if sku := fmt.Sprintf("MUG-%d", i); slot(sku) == slot("TEE") {
			twin = sku
		}
	}
	b.stock("TEE@berlin=0 " + twin + "@berlin=1")
	reserve(order("late", "1:TEE:1"))(b)

	equal(t, "the other", reserve(order("ord", "1:"+twin+":1"))(b), "held v1 until 10s | 1 "+twin+" 1/1 berlin:1")
	equal(t, "how", told.probed(), "0 refused, 1 went on")
	equal(t, "none left", reserve(order("late", "1:"+twin+":1"))(b), "insufficient_stock | 1 "+twin+" 0 of 1")
}

// TestSoldOut_Memory checks that noting and looking up a refusal allocates nothing.
func TestSoldOut_Memory(t *testing.T) {
	m := newSoldOut(time.Second)
	r := order("ord", "1:TEE:1")
	c := &reserveCall{request: &r}
	if err := c.route(location.Implicit([]location.ID{"berlin"}), time.Second); err != nil {
		t.Fatal(err)
	}
	refusal := &InsufficientError{Shortages: []Shortage{{Line: "1", SKU: "TEE", Requested: 1}}}
	allocated := testing.AllocsPerRun(10*soldOutSlots, func() {
		m.note(c, refusal, m.now())
		if m.refusedAt(c) == 0 {
			t.Error("the refusal is not remembered")
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// TestSoldOut_UnderLoad reserves, releases and repeats on two Stores with sold-out caches at once.
// It checks that an accepted id is never refused and that the units add up.
func TestSoldOut_UnderLoad(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		if !e.Real {
			return
		}
		told := &sizes{}
		var stores [2]*Store
		for i := range stores {
			b := newBench(t, e.Client, Options{SoldOutCache: 20 * time.Millisecond, Observer: told, Logger: quiet})
			b.store.shard.Clock = func() string { return "" }
			stores[i] = b.store
			if i == 0 {
				b.stock("TEE@berlin=20 MUG@berlin=10")
			}
		}
		var accepted, givenBack atomic.Int64
		var callers sync.WaitGroup
		for i := range 32 {
			callers.Go(func() {
				for j := range rounds(2000, 150) {
					mine, other := stores[i%2], stores[(i+j)%2]
					r := order(fmt.Sprintf("%d-%d", i, j), "1:TEE:1 2:MUG:1")
					if j%3 > 0 {
						r.Lines = r.Lines[:1]
					}
					_, err := mine.Reserve(t.Context(), r)
					if errors.Is(err, ErrInsufficient) {
						continue
					}
					accepted.Add(1)
					again, err2 := other.Reserve(t.Context(), r)
					if err != nil || err2 != nil || !again.Replay {
						t.Errorf("%s: %v, repeated %+v, %v", r.ID, err, again, err2)
						return
					}
					if j%2 == 0 {
						givenBack.Add(1)
						_, err = other.Release(t.Context(), TransitionRequest{ID: r.ID})
					}
					if again, err2 = mine.Reserve(t.Context(), r); err != nil || err2 != nil || !again.Replay {
						t.Errorf("%s: %v, repeated %+v, %v", r.ID, err, again, err2)
						return
					}
				}
			})
		}
		callers.Wait()
		levels, err := stores[0].Levels(t.Context(), "TEE")
		if err != nil || levels[0].Held != accepted.Load()-givenBack.Load() || levels[0].Available < 0 {
			t.Errorf("%+v, %v: %d accepted, %d given back", levels, err, accepted.Load(), givenBack.Load())
		}
		if told.calls["probe insufficient_stock"] == 0 {
			t.Errorf("a probe refused no call: %v", told.calls)
		}
		(&bench{tb: t, ctx: t.Context(), store: stores[0], client: e.Client}).invariants()
	})
}

// TestSoldOut_Model is TestModel with a sold-out cache that forgets when a hold falls due, so that
// every answer is that of the model.
func TestSoldOut_Model(t *testing.T) {
	told := &sizes{}
	playUntil(t, func() bool { return told.calls["probe insufficient_stock"] > 0 }, func() {
		runModel(t, Options{TTL: 10 * time.Second, SoldOutCache: SoldOutCacheMin, Observer: told}, func(p *play) {
			p.store.soldOut.clock = func() time.Duration {
				due := 1
				for _, r := range p.model.reservations {
					if r.deadline <= p.now {
						due++
					}
				}
				return time.Duration(due) * SoldOutCacheMin
			}
		})
	})
}

// playUntil plays random histories at least once, and again while they have not shown what they are
// for. Few histories may miss it by chance.
func playUntil(t *testing.T, shown func() bool, play func()) {
	for range 20 {
		play()
		if shown() || t.Failed() {
			return
		}
	}
	t.Error("20 rounds of random histories did not show what they are for")
}

// TestSoldOut_Exact compares the refusals of probes, among random calls, with what reserve would
// answer. They may differ only if a hold fell due after the last refusal by reserve, within
// Options.SoldOutCache.
func TestSoldOut_Exact(t *testing.T) {
	e := redistest.Engines(t)[1]
	told := &sizes{}
	late := 0
	shown := func() bool { return late > 0 && told.calls["probe insufficient_stock"] > 0 }
	history := func(rt *rapid.T) {
		e.Flush(t)
		b := newBench(t, e.Client, Options{SoldOutCache: SoldOutCacheMax, Observer: told, Logger: quiet})
		b.store.soldOut.clock = func() time.Duration { return time.Hour + time.Duration(b.now-epochMillis)*time.Millisecond }
		defer func() { _ = b.store.Close(b.ctx) }()
		b.stock("TEE@a=3 TEE@b=2 MUG@b=2 CAP@a=0")
		skus := rapid.SampledFrom([]location.SKU{"TEE", "TEE", "MUG", "CAP"})
		exactAt := int64(0)   // when reserve last refused, after it had reclaimed all overdue units
		var deadlines []int64 // of the holds
		for i := range rapid.IntRange(5, 30).Draw(rt, "calls") {
			r := ReserveRequest{ID: fmt.Sprint(i), TTL: time.Second, Split: rapid.SampledFrom([]location.Split{"never", "lines", "units"}).Draw(rt, "split")}
			for line := range rapid.IntRange(1, 2).Draw(rt, "lines") {
				r.Lines = append(r.Lines, LineRequest{Line: fmt.Sprint(line), SKU: skus.Draw(rt, "sku"), Quantity: rapid.Int64Range(1, 4).Draw(rt, "units")})
			}
			b.now += rapid.Int64Range(0, 300).Draw(rt, "ms")
			due := slices.ContainsFunc(deadlines, func(d int64) bool { return exactAt < d && d <= b.now })
			want := b.wouldAnswer(r)
			probed := told.calls["probe insufficient_stock"]

			got := served(r)(b)

			refused := strings.HasPrefix(got, "insufficient_stock")
			switch byProbe := told.calls["probe insufficient_stock"] > probed; {
			case !byProbe && refused:
				exactAt = b.now
			case !byProbe:
				deadlines = append(deadlines, b.now+r.TTL.Milliseconds())
			case got == want:
			case due && refused && b.now-exactAt < SoldOutCacheMax.Milliseconds():
				late++
			default:
				rt.Fatalf("%+v: %s, want %s, %d ms after reserve refused", r, got, want, b.now-exactAt)
			}
			if rapid.IntRange(0, 5).Draw(rt, "release") == 0 {
				_, _ = b.store.Release(b.ctx, TransitionRequest{ID: fmt.Sprint(rapid.IntRange(0, i).Draw(rt, "which"))})
			}
		}
		b.invariants()
	}
	playUntil(t, shown, func() { rapid.Check(t, history) })
}
