package cache

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// campaigns returns gift's directory with campaigns.
func campaigns(list ...location.Campaign) location.Directory {
	d := gift("")
	d.Campaigns = list
	return d
}

// at returns a moment of a test's clock, in ms, as a directory has it.
func at(ms int64) string { return timeText(time.UnixMilli(epochMillis + ms)) }

// drop5 is a campaign with every rule: from second 1 to second 5 at most five of TEE, and two of them for
// one customer.
func drop5() location.Campaign {
	return location.Campaign{
		ID: "drop", SKUs: []location.SKU{"TEE"}, StartsAt: at(1000), EndsAt: at(5000), Total: units(5), PerCustomer: units(2),
	}
}

// given puts a campaign into use before other calls.
func given(c location.Campaign, more ...func(*bench) string) []func(*bench) string {
	return append(calls(direct(campaigns(c))), more...)
}

func ms(n int64) func(*bench) string { return after(time.Duration(n) * time.Millisecond) }

// TestReserve_CampaignTimes checks when a campaign sells.
func TestReserve_CampaignTimes(t *testing.T) {
	const stock = "TEE@a=99 MUG@a=9 CAP@a=99"
	starts := location.Campaign{ID: "drop", SKUs: []location.SKU{"TEE"}, StartsAt: at(1000)}
	ends := location.Campaign{ID: "drop", SKUs: []location.SKU{"TEE"}, EndsAt: at(1000)}
	one := reserve(by("c-1", "one", "1:TEE:1"))
	const held = "held v1 until 11s | 1 TEE 1/1 a:1"
	for _, o := range []operation{
		{name: "a millisecond early", stock: stock, given: given(drop5(), ms(999)), when: one, answer: "not_on_sale | drop starts in 1ms"},
		{
			name: "at the start", stock: "TEE@a=99", given: given(drop5(), ms(1000)), when: one, answer: held,
			state: `stock TEE@a 98
				level TEE@a 99 0 0 0
				one held v1 until 11s | 1 TEE 1 drop<=2/1 drop of all<=5/1 a:1
				limit drop  1
				limit drop c-1 1
				deadline 11s one
				event reserve at 1s:  v0 > one held v1 until 11s | 1 TEE 1 drop<=2/1 drop of all<=5/1 a:1`,
		},
		{name: "a millisecond before the end", stock: "TEE@a=99", given: given(ends, ms(999)), when: one,
			answer: "held v1 until 10.999s | 1 TEE 1/1 a:1",
			state: `stock TEE@a 98
				level TEE@a 99 0 0 0
				one held v1 until 10.999s | 1 TEE 1 a:1
				deadline 10.999s one
				event reserve at 0.999s:  v0 > one held v1 until 10.999s | 1 TEE 1 a:1`,
		},
		{name: "at the end", stock: stock, given: given(ends, ms(1000)), when: one, answer: "not_on_sale | drop starts in 0s"},
		{name: "without an end", stock: "TEE@a=1", given: given(starts, ms(1000)), when: one, answer: held,
			state: `stock TEE@a 0
				level TEE@a 1 0 0 0
				one held v1 until 11s | 1 TEE 1 a:1
				deadline 11s one
				event reserve at 1s:  v0 > one held v1 until 11s | 1 TEE 1 a:1`,
		},
		{name: "early, as a component of a kit", stock: stock, given: given(starts), when: reserve(order("o", "1:MUG:1 2:GIFT:1")),
			answer: "not_on_sale | drop starts in 1s"},
		{name: "early, of an unknown SKU", given: given(starts), stock: "MUG@a=1", when: one, answer: "not_on_sale | drop starts in 1s"},
		{name: "early, from several locations", stock: "TEE@a=9 TEE@b=9", given: given(starts), when: one, answer: "not_on_sale | drop starts in 1s"},
		{name: "early, a repeat", stock: "TEE@a=9", given: calls(one, direct(campaigns(starts))), when: one, answer: "again held v1 until 10s | 1 TEE 1/1 a:1"},
		{name: "early, another request of the id", stock: "TEE@a=9", given: calls(one, direct(campaigns(starts))),
			when: reserve(by("c-1", "one", "1:TEE:2")), answer: "id_conflict"},
		{name: "early, a call that cannot be routed", stock: stock, given: given(drop5()), when: reserve(order("o", "1:TEE:1")),
			answer: "invalid_request | /customer is required, or identities: TEE has a purchase limit"},
	} {
		o.run(t)
	}
}

// TestReserve_CampaignUnits checks how many units a campaign sells, and what gives units back.
func TestReserve_CampaignUnits(t *testing.T) {
	const stock = "TEE@a=99 MUG@a=9 CAP@a=99"
	total := location.Campaign{ID: "drop", SKUs: []location.SKU{"TEE", "GIFT"}, Total: units(5)}
	one, other := reserve(by("c-1", "one", "1:TEE:1")), reserve(by("c-2", "other", "1:TEE:1"))
	for _, o := range []operation{
		{name: "too many for a customer", stock: stock, given: given(drop5(), ms(1000), one), when: reserve(by("c-1", "o", "1:TEE:2")),
			answer: "purchase_limit | drop 1 of 2"},
		{name: "too many for all", stock: stock, given: given(total, reserve(order("x", "1:TEE:4"))), when: reserve(order("o", "1:TEE:2")),
			answer: "campaign_sold_out | drop 4 of 5"},
		{name: "all that is left", stock: "TEE@a=9", given: given(total, reserve(order("x", "1:TEE:4"))), when: reserve(order("o", "1:TEE:1")),
			answer: "held v1 until 10s | 1 TEE 1/1 a:1",
			state: `stock TEE@a 4
				level TEE@a 9 0 0 0
				o held v1 until 10s | 1 TEE 1 drop of all<=5/1 a:1
				x held v1 until 10s | 1 TEE 4 drop of all<=5/1 a:4
				limit drop  5
				deadline 10s o
				deadline 10s x
				event reserve at 0s:  v0 > o held v1 until 10s | 1 TEE 1 drop of all<=5/1 a:1`,
		},
		{name: "kits count as kits", stock: stock, given: given(total, reserve(order("x", "1:GIFT:4"))), when: reserve(order("o", "1:GIFT:2")),
			answer: "campaign_sold_out | drop 4 of 5"},
		{name: "before a shortage", stock: "TEE@a=4", given: given(total), when: reserve(order("o", "1:TEE:6")), answer: "campaign_sold_out | drop 0 of 5"},
		{name: "after no location", stock: "TEE@d=9", given: given(total), when: reserve(order("o", "1:TEE:6")),
			answer: "no_location | 1 a no_level | 1 b no_level | 1 c no_level | 1 d not_in_channel"},
		{
			name: "a release gives back", stock: "TEE@a=9", given: given(total, reserve(order("x", "1:TEE:4"))), when: release("x", 1, "1:3"),
			answer: "held v2 until 10s | 1 TEE 1/4 a:1",
			state: `stock TEE@a 8
				level TEE@a 9 0 0 0
				x held v2 until 10s | 1 TEE 4 drop of all<=5/1 a:1
				limit drop  1
				deadline 10s x
				event release at 0s: held v1 > x held v2 until 10s | 1 TEE 4 drop of all<=5/1 a:1`,
		},
		{
			name: "an overdue hold gives back on demand", stock: "TEE@a=9",
			given: given(total, reserve(order("x", "1:TEE:4")), after(time.Minute)), when: reserve(order("o", "1:TEE:2")),
			answer: "held v1 until 70s | 1 TEE 2/2 a:2",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				o held v1 until 70s | 1 TEE 2 drop of all<=5/1 a:2
				x expired v2 until 10s | 1 TEE 4 drop of all<=5/1 a:4
				limit drop  2
				deadline 70s o
				event expire at 60s: held v1 > x expired v2 until 10s | 1 TEE 4 drop of all<=5/1 a:4
				event reserve at 60s:  v0 > o held v1 until 70s | 1 TEE 2 drop of all<=5/1 a:2`,
		},
		{
			name: "a hold is paid after the end", stock: "TEE@a=9", given: given(drop5(), ms(1000), one, ms(4000)), when: confirm("one", 0),
			answer: "confirmed v2 | 1 TEE 1/1 a:1",
			state: `stock TEE@a 8
				level TEE@a 9 1 0 0
				one confirmed v2 until 11s | 1 TEE 1 drop<=2/1 drop of all<=5/1 a:1
				limit drop  1
				limit drop c-1 1
				deadline 11s one
				event confirm at 5s: held v1 > one confirmed v2 until 11s | 1 TEE 1 drop<=2/1 drop of all<=5/1 a:1`,
		},
		{
			name: "an expired hold is paid after the end", stock: "TEE@a=9", given: given(drop5(), ms(1000), one, after(time.Minute), expire),
			when: confirm("one", 0), answer: "confirmed v3 | 1 TEE 1/1 a:1",
			state: `stock TEE@a 8
				level TEE@a 9 1 0 0
				one confirmed v3 until 11s | 1 TEE 1 drop<=2/1 drop of all<=5/1 a:1
				limit drop  1
				limit drop c-1 1
				event confirm at 61s: expired v2 > one confirmed v3 until 11s | 1 TEE 1 drop<=2/1 drop of all<=5/1 a:1`,
		},
		{name: "an expired hold is paid when all is sold", stock: stock,
			given: given(total, reserve(order("x", "1:TEE:4")), after(time.Minute), expire, reserve(order("o", "1:TEE:2"))),
			when:  confirm("x", 0), answer: "campaign_sold_out | drop 2 of 5"},
		{name: "a customer gives units back, and may have as many again", stock: stock,
			given: given(drop5(), ms(1000), one, other, reserve(by("c-1", "two", "1:TEE:1")), release("one", 0, "")),
			when:  reserve(by("c-1", "late", "1:TEE:2")), answer: "purchase_limit | drop 1 of 2"},
	} {
		o.run(t)
	}
}

// TestReserve_Campaigns checks requests that several campaigns count.
func TestReserve_Campaigns(t *testing.T) {
	day := location.Campaign{ID: "day", StartsAt: at(2000), EndsAt: at(9000)}
	tees := location.Campaign{ID: "tees", SKUs: []location.SKU{"TEE"}, StartsAt: at(5000), EndsAt: at(7000), Total: units(3)}
	caps := location.Campaign{ID: "caps", SKUs: []location.SKU{"CAP"}, Total: units(1)}
	const stock = "TEE@a=9 CAP@a=9 MUG@a=9"
	for _, c := range []struct {
		at          int64 // ms
		lines, what string
	}{
		{1000, "1:MUG:1", "not_on_sale | day starts in 1s"},
		{1000, "1:MUG:1 2:TEE:1", "not_on_sale | tees starts in 4s"},
		{2000, "1:MUG:1", "a:1"},
		{2000, "1:MUG:1 2:TEE:1", "not_on_sale | tees starts in 3s"},
		{5000, "1:MUG:1 2:TEE:3", "a:1, a:3"},
		{5000, "1:TEE:4 2:CAP:2", "campaign_sold_out | tees 0 of 3"},
		{5000, "1:CAP:2 2:TEE:4", "campaign_sold_out | caps 0 of 1"},
		{5000, "1:GIFT:1", "a:1"},
		{7000, "1:MUG:1 2:TEE:1", "not_on_sale | tees starts in 0s"},
		{7000, "1:MUG:1", "a:1"},
		{9000, "1:MUG:1", "not_on_sale | day starts in 0s"},
	} {
		operation{
			name: fmt.Sprint(c.lines, " at ", c.at), stock: stock, when: served(order("o", c.lines)), answer: c.what,
			given: calls(direct(campaigns(day, tees, caps)), after(time.Duration(c.at)*time.Millisecond)),
		}.runAnswer(t)
	}
}

// TestRoute_Campaign checks that a dry run knows a campaign's times and total.
func TestRoute_Campaign(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@a=99")
		direct(campaigns(drop5()))(b)
		buy := by("c-9", "", "1:TEE:1")
		equal(t, "early", b.wouldAnswer(buy), "not_on_sale | drop starts in 1s")
		b.now += 1000
		equal(t, "at the start", b.wouldAnswer(buy), "a:1")
		for i := range 5 {
			equal(t, "buyer", served(by(fmt.Sprint("c-", i), fmt.Sprint("o", i), "1:TEE:1"))(b), "a:1")
		}
		equal(t, "sold out", b.wouldAnswer(buy), "campaign_sold_out | drop 5 of 5")
		b.now += 4000
		equal(t, "at the end", b.wouldAnswer(buy), "not_on_sale | drop starts in 0s")
	})
}

// TestSoldOut_Campaign checks that a probe refuses during a campaign, and never after its end.
func TestSoldOut_Campaign(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b, told := newSoldOutBench(t, e)
		b.stock("TEE@a=0")
		c := drop5()
		c.EndsAt = at(1001)
		direct(campaigns(c))(b)
		buy := func(id string) string { return served(bought(id, "1:TEE:1"))(b) }
		equal(t, "early", buy("0"), "not_on_sale | drop starts in 1s")
		b.now += 1000
		equal(t, "by reserve", buy("1"), "insufficient_stock | 1 TEE 0 of 1")
		equal(t, "by a probe", buy("2"), "insufficient_stock | 1 TEE 0 of 1")
		equal(t, "how", told.probed(), "1 refused, 0 went on")
		b.now++
		equal(t, "at the end", buy("3"), "not_on_sale | drop starts in 0s")
		equal(t, "how", told.probed(), "1 refused, 1 went on")
	})
}

// TestReserve_CampaignStart sends two thousand buyers before the start and as many at it, or ten
// thousand with HOLDFAST_FULL: none is sold anything before, and together they get the total and no
// more.
func TestReserve_CampaignStart(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		buyers := rounds(10_000, 2_000)
		if e.Name != "redis" { // the others are slower
			buyers = 1_000
		}
		total := buyers / 8
		b := newBench(t, e.Client, Options{TTL: time.Hour, Timeout: time.Minute})
		b.stock("TEE@a=100000")
		direct(campaigns(location.Campaign{ID: "drop", StartsAt: at(1000), Total: units(int64(total))}))(b)
		for _, round := range []struct {
			at                      int64
			early, sold, outOfStock int
		}{{999, buyers, 0, 0}, {1000, 0, total, buyers - total}} {
			b.now = epochMillis + round.at
			answers := b.crowd(buyers, func(id string) error { return b.buy(id) })
			if got := answers["not_on_sale"]; got != round.early {
				t.Errorf("at %d: %d are early, want %d", round.at, got, round.early)
			}
			if got := answers["ok"]; got != round.sold {
				t.Errorf("at %d: %d are sold, want %d", round.at, got, round.sold)
			}
			if got := answers["campaign_sold_out"]; got != round.outOfStock {
				t.Errorf("at %d: %d are out of stock, want %d: %v", round.at, got, round.outOfStock, answers)
			}
		}
		b.invariants()
	})
}

func (b *bench) buy(id string) error {
	_, err := b.store.Reserve(b.ctx, order(id, "1:TEE:1"))
	return err
}

// crowd makes a call for each of n ids at once, and counts the outcomes.
func (b *bench) crowd(n int, call func(id string) error) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	answers := map[string]int{}
	for i := range n {
		all.Go(func() {
			outcome := outcomeOf(call(fmt.Sprint("o", i)))
			mu.Lock()
			defer mu.Unlock()
			answers[outcome]++
		})
	}
	all.Wait()
	return answers
}

// TestReserve_CampaignClock lets buyers wait for a start by the clock of Redis: each asks until the
// campaign has started. The start is a moment in which many ask.
func TestReserve_CampaignClock(t *testing.T) {
	buyers, total := rounds(10_000, 2_000), 100
	e := redistest.Engines(t)[0]
	for _, one := range redistest.Engines(t) {
		if one.Name == "redis" {
			e = one
		}
	}
	e.Flush(t)
	b := newBench(t, e.Client, Options{TTL: time.Hour, Timeout: time.Minute})
	b.stock("TEE@a=100000")
	b.store.shard.Clock = func() string { return "" }
	now, err := e.Client.Time(b.ctx).Result()
	if err != nil {
		t.Fatal(err)
	}
	start := now.Add(500 * time.Millisecond).Truncate(time.Millisecond)
	direct(campaigns(location.Campaign{ID: "drop", StartsAt: timeText(start), Total: units(int64(total))}))(b)
	var early, wrong atomic.Int64
	answers := b.crowd(buyers, func(id string) error {
		for {
			result, err := b.store.Reserve(b.ctx, order(id, "1:TEE:1"))
			var closed *NotOnSaleError
			switch {
			case errors.As(err, &closed):
				if early.Add(1); closed.Wait() <= 0 || !closed.StartsAt.Equal(start) {
					wrong.Add(1)
				}
			case err == nil && result.CreatedAt.Before(start):
				wrong.Add(1)
				return nil
			case !errors.Is(err, ErrUnavailable): // else it is safe to repeat
				return err
			}
		}
	})
	t.Logf("%d calls came early", early.Load())
	if wrong.Load() > 0 || answers["ok"] != total || answers["campaign_sold_out"] != buyers-total {
		t.Errorf("%v, %d wrong", answers, wrong.Load())
	}
}
