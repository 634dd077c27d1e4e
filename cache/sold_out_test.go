package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// keepFor is Options.SoldOutCache in these tests.
const keepFor = 100 * time.Millisecond

// newSoldOutBench returns a bench with a sold-out cache on the test's clock, and the observer of
// its calls.
func newSoldOutBench(t testing.TB, e redistest.Engine) (*bench, *sizes) {
	t.Helper()
	told := &sizes{}
	b := newBench(t, e.Client, Options{TTL: 10 * time.Second, SoldOutCache: keepFor, Observer: told, Logger: quiet})
	b.store.soldOut.clock = func() time.Duration { return time.Hour + time.Duration(b.now-epochMillis)*time.Millisecond }
	return b, told
}

// otherProcess returns a bench on the same Redis without a sold-out cache.
func (b *bench) otherProcess() *bench {
	other := newBench(b.tb, b.client, Options{TTL: 10 * time.Second, Logger: quiet})
	other.now, other.ops = b.now, 1000
	return other
}

// probed counts the calls that a probe refused, and those that went on to reserve after one.
func (s *sizes) probed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d refused, %d went on", s.calls["probe insufficient_stock"], s.calls["probe ok"])
}

// TestSoldOut_Off checks that without Options.SoldOutCache every call is a reserve.
func TestSoldOut_Off(t *testing.T) {
	told := &sizes{}
	b := newBench(t, redistest.Engines(t)[0].Client, Options{Prefix: "off", Observer: told})
	b.stock("TEE@berlin=0")
	for i := range 3 {
		equal(t, "answer", reserve(order(fmt.Sprint(i), "1:TEE:1"))(b), "insufficient_stock | 1 TEE 0 of 1")
	}
	if _, queued := b.store.Stats().Queued[VerbProbe]; b.store.soldOut != nil || queued {
		t.Error("there is a sold-out cache")
	}
	equal(t, "how", told.probed(), "0 refused, 0 went on")
}

// TestSoldOut_Backorder checks that a line that may be backordered is taken although the line was refused
// a moment ago, and that plain lines are refused by a probe from then on too.
func TestSoldOut_Backorder(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b, told := newSoldOutBench(t, e)
		b.stock("TEE@berlin=1 MUG@berlin=0")
		equal(t, "plain", reserve(order("a", "1:TEE:2"))(b), "insufficient_stock | 1 TEE 1 of 2")
		equal(t, "backordered", reserve(backorder(order("b", "1:TEE:2")))(b), "held v1 until 10s | 1 TEE 2/2 berlin:2 backordered 1")
		equal(t, "with another line", reserve(backorder(order("c", "1:TEE:2 2:MUG:1"), "1"))(b), "insufficient_stock | 2 MUG 0 of 1")
		equal(t, "how", told.probed(), "0 refused, 0 went on")
		equal(t, "plain again", reserve(order("d", "1:TEE:2"))(b), "insufficient_stock | 1 TEE 0 of 2")
		equal(t, "how", told.probed(), "1 refused, 0 went on")
	})
}

// TestSoldOut_Options checks that New refuses times that are too short, too long or negative.
func TestSoldOut_Options(t *testing.T) {
	for keep, allowed := range map[time.Duration]bool{
		-1: false, 0: true, SoldOutCacheMin - 1: false, SoldOutCacheMin: true, SoldOutCacheMax: true, SoldOutCacheMax + 1: false,
	} {
		s, err := New(client(t, "127.0.0.1:1"), Options{SoldOutCache: keep})
		if (err == nil) != allowed {
			t.Errorf("%s: %v", keep, err)
		}
		if s != nil {
			_ = s.Close(t.Context())
		}
	}
}

// TestSoldOut_Answers checks that the call after a refusal gets the answer that reserve would give,
// and whether a probe gave it.
func TestSoldOut_Answers(t *testing.T) {
	live := shop("", []location.Rank{location.RankHighestStock}, "a", "b")
	limited := func(most int64) location.Directory {
		d := shop("", nil, "a")
		d.Limits = []location.Limit{{ID: "drop", SKUs: []location.SKU{"TEE", "GIFT"}, PerCustomer: most}}
		return d
	}
	policy := adjust("policy", Change{SKU: "TEE", Location: "a", SafetyStock: units(2), BackorderLimit: units(1)})
	const byProbe, byReserve, unprobed = "1 refused, 0 went on", "0 refused, 1 went on", "0 refused, 0 went on"
	for _, c := range []struct {
		name, stock string
		given       []func(*bench) string
		first, then string         // lines; the first are refused by reserve
		split       location.Split // of the second call
		answer, how string
	}{
		{"nothing left", "TEE@a=0", nil, "1:TEE:1", "1:TEE:1", "", "insufficient_stock | 1 TEE 0 of 1", byProbe},
		{"too few left", "TEE@a=3", nil, "1:TEE:5", "1:TEE:4", "", "insufficient_stock | 1 TEE 3 of 4", byProbe},
		{"all that is left", "TEE@a=3", nil, "1:TEE:4", "1:TEE:3", "", "a:3", unprobed},
		{"less than what is left", "TEE@a=1", nil, "1:TEE:2", "1:TEE:1", "", "a:1", unprobed},
		{"below zero", "TEE@a=3", calls(reserve(order("x", "1:TEE:3")), adjust("lost", Change{SKU: "TEE", Location: "a", Delta: units(-2)})),
			"1:TEE:1", "1:TEE:1", "", "insufficient_stock | 1 TEE 0 of 1", byProbe},
		{"safety stock and backorder", "TEE@a=3", calls(policy), "1:TEE:3", "1:TEE:3", "", "insufficient_stock | 1 TEE 2 of 3", byProbe},
		{"the largest of several", "TEE@a=1 TEE@b=4", nil, "1:TEE:5", "1:TEE:5", "", "insufficient_stock | 1 TEE 4 of 5", byProbe},
		{"split never, one line", "TEE@a=1 TEE@b=4", nil, "1:TEE:5", "1:TEE:5", "never", "insufficient_stock | 1 TEE 4 of 5", byProbe},
		{"the sum of several", "TEE@a=10 TEE@b=15", nil, "1:TEE:26", "1:TEE:26", "units", "insufficient_stock | 1 TEE 25 of 26", byProbe},
		{"the sum without a negative level", "TEE@a=3 TEE@b=2",
			calls(reserve(order("x", "1:TEE:3:a")), adjust("lost", Change{SKU: "TEE", Location: "a", Delta: units(-2)})),
			"1:TEE:3", "1:TEE:3", "units", "insufficient_stock | 1 TEE 2 of 3", byProbe},
		{"most stock first", "TEE@a=1 TEE@b=4", calls(direct(live)), "1:TEE:5", "1:TEE:5", "", "insufficient_stock | 1 TEE 4 of 5", byProbe},
		{"split after a refusal without split", "TEE@a=3 TEE@b=3", nil, "1:TEE:4", "1:TEE:4", "units", "a:3 b:1", byReserve},
		{"a pin", "TEE@a=0 TEE@b=5", nil, "1:TEE:1:a", "1:TEE:1:a", "", "insufficient_stock | 1 TEE 0 of 1", byProbe},
		{"no pin after a refusal with a pin", "TEE@a=0 TEE@b=5", nil, "1:TEE:1:a", "1:TEE:1", "", "b:1", byReserve},
		{"another pin", "TEE@a=0 TEE@b=5", nil, "1:TEE:1:a", "1:TEE:1:b", "", "b:1", unprobed},
		{"one of two lines", "X@a=0 Y@b=9", nil, "1:X:1 2:Y:1", "1:X:1 2:Y:1", "", "insufficient_stock | 1 X 0 of 1", byProbe},
		{"two lines", "X@a=0 X@b=2 Y@b=1", nil, "1:X:3 2:Y:2", "1:X:3 2:Y:2", "", "insufficient_stock | 1 X 2 of 3 | 2 Y 1 of 2", byProbe},
		{"two lines, split", "X@a=1 X@b=2 Y@b=1", nil, "1:X:4 2:Y:2", "1:X:4 2:Y:2", "units", "insufficient_stock | 1 X 3 of 4 | 2 Y 1 of 2", byProbe},
		{"beside another line", "X@a=0 Y@b=9", nil, "1:X:1", "1:Y:1 2:X:1", "", "insufficient_stock | 2 X 0 of 1", byProbe},
		{"only the other line", "X@a=0 Y@b=9", nil, "1:X:1 2:Y:1", "1:Y:1", "", "b:1", unprobed},
		{"split never, two lines", "X@a=0 Y@a=1", nil, "1:X:1 2:Y:1", "1:X:1 2:Y:1", "never", "insufficient_stock | 1 X 0 of 1", unprobed},
		{"two lines of one SKU", "TEE@a=5", nil, "1:TEE:3 2:TEE:3", "1:TEE:3 2:TEE:3", "", "insufficient_stock | 2 TEE 2 of 3", unprobed},
		{"more lines than a probe takes", "A@a=0 B@a=1 C@a=1 D@a=1 E@a=1 F@a=1 G@a=1 H@a=1 I@a=1", nil, "1:A:1",
			"1:A:1 2:B:1 3:C:1 4:D:1 5:E:1 6:F:1 7:G:1 8:H:1 9:I:1", "", "insufficient_stock | 1 A 0 of 1", unprobed},
		{"a kit", "TEE@a=2 CAP@a=9", calls(direct(gift(""))), "1:GIFT:1", "1:GIFT:1", "", "insufficient_stock | 1 GIFT 0 of 1", unprobed},
		{"beside a SKU without a level", "TEE@a=0", nil, "1:TEE:1", "1:TEE:1 2:MUG:1", "", "unknown_stock | 2", byReserve},
		{"within a purchase limit", "TEE@a=0", calls(direct(limited(2))), "1:TEE:2", "1:TEE:2", "", "insufficient_stock | 1 TEE 0 of 2", byProbe},
		{"beyond a purchase limit", "TEE@a=1", calls(direct(limited(2)), reserve(bought("x", "1:TEE:1"))), "1:TEE:1", "1:TEE:2", "", "purchase_limit | drop 1 of 2", byReserve},
		{"up to a purchase limit", "TEE@a=1", calls(direct(limited(2)), reserve(bought("x", "1:TEE:1"))), "1:TEE:1", "1:TEE:1", "", "insufficient_stock | 1 TEE 0 of 1", byProbe},
	} {
		t.Run(c.name, func(t *testing.T) {
			redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
				b, told := newSoldOutBench(t, e)
				b.stock(c.stock)
				for _, call := range c.given {
					call(b)
				}
				if got := served(bought("first", c.first))(b); !strings.HasPrefix(got, "insufficient_stock") || told.probed() != unprobed {
					t.Fatalf("the first call: %s, %s", got, told.probed())
				}
				exact := b.otherProcess()
				exact.store.Direct(b.rules())
				want := exact.wouldAnswer(split(bought("then", c.then), c.split))
				before := b.state(0)

				equal(t, "answer", served(split(bought("then", c.then), c.split))(b), c.answer)

				equal(t, "what reserve would answer", want, c.answer)
				equal(t, "how", told.probed(), c.how)
				if c.how == byProbe {
					equal(t, "state", b.state(0), before)
				}
				b.invariants()
			})
		})
	}
}

// bought returns an order with a customer.
func bought(id, lines string) ReserveRequest {
	r := order(id, lines)
	r.Customer = "c"
	return r
}

// rules returns the rules of the Store's directory, nil without one.
func (b *bench) rules() *location.Rules {
	if l := b.store.directory.Load(); l != nil {
		return l.rules
	}
	return nil
}

// wouldAnswer returns what served would return if it asked reserve now.
func (b *bench) wouldAnswer(r ReserveRequest) string {
	b.tb.Helper()
	route, err := b.store.Route(b.ctx, r)
	if err != nil {
		b.tb.Fatal(err)
	}
	if route.Refusal != nil {
		return toldError(route.Refusal)
	}
	var result Result
	for _, l := range route.Lines {
		result.Lines = append(result.Lines, Line{From: l.WouldTake})
	}
	return from(result)
}

// TestSoldOut_Retry checks that a repeated call gets its reservation although the SKU is sold out,
// whichever process accepted it.
func TestSoldOut_Retry(t *testing.T) {
	for _, c := range []struct {
		name  string
		given []func(*bench) string
		again string // lines of the call that is made again
		want  string
	}{
		{"held", nil, "1:TEE:2", "again held v1 until 10s | 1 TEE 2/2 berlin:2"},
		{"confirmed", calls(confirm("ord", 0)), "1:TEE:2", "again confirmed v2 | 1 TEE 2/2 berlin:2"},
		{"released and sold again", calls(release("ord", 0, ""), reserve(order("other", "1:TEE:2"))),
			"1:TEE:2", "again released v2 | 1 TEE 2/2 berlin:2"},
		{"another request with that id", nil, "1:TEE:3", "id_conflict"},
	} {
		for _, accepting := range []string{"this process", "another"} {
			t.Run(c.name+", accepted by "+accepting, func(t *testing.T) {
				redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
					b, told := newSoldOutBench(t, e)
					acceptor := b
					if accepting == "another" {
						acceptor = b.otherProcess()
					}
					acceptor.stock("TEE@berlin=2")
					reserve(order("ord", "1:TEE:2"))(acceptor)
					for _, call := range c.given {
						call(acceptor)
					}
					const refused = "insufficient_stock | 1 TEE 0 of 2"
					equal(t, "by reserve", reserve(order("late", "1:TEE:2"))(b), refused)
					equal(t, "by a probe", reserve(order("later", "1:TEE:2"))(b), refused)

					equal(t, "repeated", reserve(order("ord", c.again))(b), c.want)

					equal(t, "how", told.probed(), "1 refused, 1 went on")
					equal(t, "by a probe again", reserve(order("later", "1:TEE:2"))(b), refused)
				})
			})
		}
	}
}

// TestSoldOut_UnitsBack checks that units which come back in any way, by this process or another,
// are sold at once.
func TestSoldOut_UnitsBack(t *testing.T) {
	rome := adjust("rome", Change{SKU: "TEE", Location: "rome", OnHand: units(2)})
	const refused, pinned = "insufficient_stock | 1 TEE 0 of 1", "1:TEE:1:berlin"
	for _, c := range []struct {
		name  string
		given []func(*bench) string
		lines string // refused before when, and then held
		when  func(*bench) string
	}{
		{"release", nil, pinned, release("ord", 0, "")},
		{"partial release", nil, pinned, release("ord", 1, "1:1")},
		{"release of a sale", calls(confirm("ord", 0)), pinned, release("ord", 0, "")},
		{"expiry", calls(after(10*time.Second - keepFor/2)), pinned, func(b *bench) string { after(keepFor / 2)(b); return expire(b) }},
		{"a move away", calls(rome), pinned, moveTo("ord", 1, "1", "rome")},
		{"a transfer", calls(rome), pinned, transfer(tees("van", "rome", "berlin", 1))},
		{"an adjustment", nil, pinned, adjust("op", Change{SKU: "TEE", Location: "berlin", Delta: units(1)})},
		{"a count", nil, pinned, adjust("op", Change{SKU: "TEE", Location: "berlin", OnHand: units(3)})},
		{"a backorder", nil, pinned, adjust("op", Change{SKU: "TEE", Location: "berlin", BackorderLimit: units(1)})},
		{"less safety stock", calls(adjust("p", Change{SKU: "TEE", Location: "berlin", SafetyStock: units(1), Delta: units(1)})), pinned,
			adjust("op", Change{SKU: "TEE", Location: "berlin", SafetyStock: units(0)})},
		{"a new location", nil, "1:TEE:1", adjust("op", Change{SKU: "TEE", Location: "oslo", OnHand: units(1)})},
		{"a return", calls(confirm("ord", 0), fulfill("ord", 0, "")), pinned, back("ret", "berlin", "1:1")},
	} {
		for _, by := range []string{"this process", "another"} {
			t.Run(c.name+" by "+by, func(t *testing.T) {
				redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
					b, told := newSoldOutBench(t, e)
					b.stock("TEE@berlin=2")
					reserve(order("ord", "1:TEE:2"))(b)
					for _, call := range c.given {
						call(b)
					}
					equal(t, "by reserve", reserve(order("late", c.lines))(b), refused)
					equal(t, "by a probe", reserve(order("later", c.lines))(b), refused)
					equal(t, "how", told.probed(), "1 refused, 0 went on")

					giver := b
					if by == "another" {
						giver = b.otherProcess()
					}
					c.when(giver)

					if got := reserve(order("lucky", c.lines))(b); !strings.HasPrefix(got, "held") {
						t.Errorf("after it: %s", got)
					}
					b.invariants()
				})
			})
		}
	}
}
