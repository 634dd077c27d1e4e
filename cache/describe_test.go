package cache

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// change is a DescribeRequest of ord in words: "customer=c-9 order=5512 identities=card,device". An
// empty text removes.
func change(version int64, words string) DescribeRequest {
	r := DescribeRequest{ID: "ord", Version: version}
	for word := range strings.FieldsSeq(words) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "customer":
			r.Customer = &value
		case "order":
			r.Order = &value
		case "identities":
			r.Identities = append([]string{}, strings.FieldsFunc(value, func(c rune) bool { return c == ',' })...)
		default:
			panic(word)
		}
	}
	return r
}

// describing makes a change, and tells whom the reservation is for then.
func describing(version int64, words string) func(*bench) string {
	return func(b *bench) string {
		r, err := b.store.Describe(b.ctx, change(version, words))
		if err != nil {
			return toldIdentity(err)
		}
		return fmt.Sprintf("%s | for %s, order %s, %v", told(r, nil), r.Customer, r.Order, r.Identities)
	}
}

// toldIdentity returns an error in words, with the identity that would exceed a limit.
func toldIdentity(err error) string {
	if over, ok := errors.AsType[*PurchaseLimitError](err); ok {
		return toldError(err) + " by " + over.Identity
	}
	return toldError(err)
}

// limitedTo returns the directory of gift with a limit of so many TEE.
func limitedTo(most int64) func(*bench) string {
	return direct(gift("", location.Limit{ID: "drop", SKUs: []location.SKU{"TEE"}, PerCustomer: most}))
}

var (
	plainTees = calls(reserve(order("ord", "1:TEE:3")))
	twoTees   = calls(limitedTo(2), reserve(by("c-1", "ord", "1:TEE:2")))
)

const twoTeesFor = " until 10s | 1 TEE 2/2 a:2 | for "

func TestDescribe(t *testing.T) {
	for _, o := range []operation{
		{
			name: "a plain hold", stock: "TEE@a=5", given: plainTees, when: describing(1, "customer=c-9 order=5512 identities=card"),
			answer: "held v2 until 10s | 1 TEE 3/3 a:3 | for c-9, order 5512, []",
			state: `stock TEE@a 2
				level TEE@a 5 0 0 0
				ord held v2 until 10s | 1 TEE 3 a:3
				deadline 10s ord
				event describe at 0s: held v1 > ord held v2 until 10s | 1 TEE 3 a:3`,
		},
		{
			name: "repeated", stock: "TEE@a=5", given: then(plainTees, describing(1, "customer=c-9 order=5512")),
			when: describing(1, "customer=c-9 order=5512"), answer: "again held v2 until 10s | 1 TEE 3/3 a:3 | for c-9, order 5512, []",
		},
		{
			name: "what it says already", stock: "TEE@a=5", given: plainTees, when: describing(0, "customer="),
			answer: "again held v1 until 10s | 1 TEE 3/3 a:3 | for , order , []",
		},
		{
			name: "what it says already, with a version to come", stock: "TEE@a=5", given: plainTees, when: describing(2, "customer="),
			answer: "version_conflict  1",
		},
		{
			name: "another version", stock: "TEE@a=5", given: then(plainTees, describing(1, "order=1")), when: describing(1, "order=2"),
			answer: "version_conflict  2",
		},
		{name: "unknown", stock: "TEE@a=5", when: describing(0, "order=1"), answer: "not_found"},
		{
			name: "the rest of a sale that was released", stock: "TEE@a=5",
			given: then(plainTees, confirm("ord", 0), fulfill("ord", 2, "1:1"), release("ord", 0, "")), when: describing(0, "order=1"),
			answer: "released v5 | 1 TEE 3/3 a:3 fulfilled 1 | for , order 1, []",
			state: `stock TEE@a 4
				level TEE@a 4 0 0 0
				ord released v5 until 10s | 1 TEE 3 a:3(1)
				deadline 10s ord
				event describe at 0s: released v4 > ord released v5 until 10s | 1 TEE 3 a:3(1)`,
		},
	} {
		o.run(t)
	}
}

// TestDescribe_Customer moves what purchase limits count to another customer.
func TestDescribe_Customer(t *testing.T) {
	for _, o := range []operation{
		{
			name: "moves what a limit counts", stock: "TEE@a=9", given: twoTees, when: describing(0, "customer=c-2"),
			answer: "held v2" + twoTeesFor + "c-2, order , []",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				ord held v2 until 10s | 1 TEE 2 drop<=2/1 a:2
				limit drop c-2 2
				deadline 10s ord
				event describe at 0s: held v1 > ord held v2 until 10s | 1 TEE 2 drop<=2/1 a:2`,
		},
		{
			name: "moves what a limit counts of a fulfilled reservation", stock: "TEE@a=9", given: then(twoTees, confirm("ord", 0), fulfill("ord", 0, "")),
			when: describing(3, "customer=c-2"), answer: "fulfilled v4 | 1 TEE 2/2 a:2 fulfilled 2 | for c-2, order , []",
			state: `stock TEE@a 7
				level TEE@a 7 0 0 0
				ord fulfilled v4 until 10s | 1 TEE 2 drop<=2/1 a:2(2)
				limit drop c-2 2
				deadline 10s ord
				event describe at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 2 drop<=2/1 a:2(2)`,
		},
		{
			name: "an expired hold counts nothing", stock: "TEE@a=9", given: then(twoTees, after(time.Minute), expire), when: describing(0, "customer=c-2"),
			answer: "expired v3" + twoTeesFor + "c-2, order , []",
			state: `stock TEE@a 9
				level TEE@a 9 0 0 0
				ord expired v3 until 10s | 1 TEE 2 drop<=2/1 a:2
				event describe at 60s: expired v2 > ord expired v3 until 10s | 1 TEE 2 drop<=2/1 a:2`,
		},
		{
			name: "a limit of the new customer", stock: "TEE@a=9", given: then(twoTees, reserve(by("c-2", "other", "1:TEE:1"))),
			when: describing(0, "customer=c-2 order=1"), answer: "purchase_limit | drop 1 of 2 by c-2",
		},
		{
			name: "a limit of the new customer, counted in an overdue hold", stock: "TEE@a=9",
			given: calls(limitedTo(2), reserve(by("c-2", "other", "1:TEE:1")), after(20*time.Second), reserve(by("c-1", "ord", "1:TEE:2"))),
			when:  describing(0, "customer=c-2"), answer: "held v2 until 30s | 1 TEE 2/2 a:2 | for c-2, order , []",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				ord held v2 until 30s | 1 TEE 2 drop<=2/1 a:2
				other expired v2 until 10s | 1 TEE 1 drop<=2/1 a:1
				limit drop c-2 2
				deadline 30s ord
				event expire at 20s: held v1 > other expired v2 until 10s | 1 TEE 1 drop<=2/1 a:1
				event describe at 20s: held v1 > ord held v2 until 30s | 1 TEE 2 drop<=2/1 a:2`,
		},
		{
			name: "an overdue hold that is expired for it", stock: "TEE@a=9",
			given: then(twoTees, after(5*time.Second), reserve(by("c-2", "other", "1:TEE:1")), after(6*time.Second)),
			when:  describing(0, "customer=c-2"), answer: "expired v3" + twoTeesFor + "c-2, order , []",
			state: `stock TEE@a 8
				level TEE@a 9 0 0 0
				ord expired v3 until 10s | 1 TEE 2 drop<=2/1 a:2
				other held v1 until 15s | 1 TEE 1 drop<=2/1 a:1
				limit drop c-2 1
				deadline 15s other
				event expire at 11s: held v1 > ord expired v2 until 10s | 1 TEE 2 drop<=2/1 a:2
				event describe at 11s: expired v2 > ord expired v3 until 10s | 1 TEE 2 drop<=2/1 a:2`,
		},
		{
			name: "a lowered limit of the same customer", stock: "TEE@a=9", given: then(twoTees, limitedTo(1)), when: describing(0, "order=1"),
			answer: "held v2" + twoTeesFor + "c-1, order 1, []",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				ord held v2 until 10s | 1 TEE 2 drop<=2/1 a:2
				limit drop c-1 2
				deadline 10s ord
				event describe at 0s: held v1 > ord held v2 until 10s | 1 TEE 2 drop<=2/1 a:2`,
		},
	} {
		o.run(t)
	}
}

// TestDescribe_Identities changes whom purchase limits count beside the customer.
func TestDescribe_Identities(t *testing.T) {
	for _, o := range []operation{
		{
			name: "identities", stock: "TEE@a=9", given: twoTees, when: describing(0, "identities=card,c-1"),
			answer: "held v2" + twoTeesFor + "c-1, order , [card c-1]",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				ord held v2 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 drop<=2/1 a:2
				limit drop c-1 2
				limit drop card 2
				deadline 10s ord
				event describe at 0s: held v1 > ord held v2 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 drop<=2/1 a:2`,
		},
		{
			name: "other identities", stock: "TEE@a=9", given: then(twoTees, describing(0, "identities=card,c-1")), when: describing(2, "identities=device customer=c-2"),
			answer: "held v3" + twoTeesFor + "c-2, order , [device]",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				ord held v3 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 a:2
				limit drop c-2 2
				limit drop device 2
				deadline 10s ord
				event describe at 0s: held v2 > ord held v3 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 a:2`,
		},
		{
			name: "an identity that was the customer counts", stock: "TEE@a=9", given: then(twoTees, describing(0, "identities=c-1")),
			when: describing(0, "customer="), answer: "held v3" + twoTeesFor + ", order , [c-1]",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				ord held v3 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 a:2
				limit drop c-1 2
				deadline 10s ord
				event describe at 0s: held v2 > ord held v3 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 a:2`,
		},
		{
			name: "a limit of an identity", stock: "TEE@a=9",
			given: calls(limitedTo(3), reserve(by("c-1", "ord", "1:TEE:2")), describing(0, "identities=card"), release("ord", 0, ""),
				reserve(by("card", "other", "1:TEE:2")), reserve(by("c-3", "next", "1:TEE:2"))),
			when: func(b *bench) string {
				id := "next"
				_, err := b.store.Describe(b.ctx, DescribeRequest{ID: id, Identities: []string{"device", "card"}})
				return toldIdentity(err)
			},
			answer: "purchase_limit | drop 2 of 3 by card",
		},
		{
			name: "nobody to count", stock: "TEE@a=9", given: twoTees, when: describing(0, "customer="),
			answer: "invalid_request | /customer is required, or identities: a purchase limit counts the reservation",
		},
		{
			name: "nobody to count, after identities", stock: "TEE@a=9", given: then(twoTees, describing(0, "identities=card customer=")),
			when: describing(0, "identities="), answer: "invalid_request | /customer is required, or identities: a purchase limit counts the reservation",
		},
	} {
		o.run(t)
	}
}

// TestDescribe_Parts checks that identities take no reservation over its limits.
func TestDescribe_Parts(t *testing.T) {
	d := gift("")
	for i := range 3 {
		d.Limits = append(d.Limits, location.Limit{ID: fmt.Sprint("limit", i), PerCustomer: 1000})
	}
	lines := ""
	for i := range 60 {
		lines += fmt.Sprintf("%d:TEE:1 ", i)
	}
	operation{
		name: "too many parts", stock: "TEE@a=99", given: calls(direct(d), reserve(by("c", "ord", lines))), when: describing(0, "identities=1,2"),
		answer: fmt.Sprintf("invalid_request | /identities would make %d parts, one for each purchase limit and identity, "+
			"of 8990 bytes; 500 and 32000 are allowed: send fewer identities", 60+3*3*60),
	}.run(t)
}

// TestDescribe_NoLedger checks that a store without a ledger takes no metadata.
func TestDescribe_NoLedger(t *testing.T) {
	b := newBench(t, redistest.Engines(t)[0].Client, Options{})
	value := "x"
	for _, r := range []DescribeRequest{{ID: "ord", ClearMetadata: true}, {ID: "ord", Metadata: map[string]*string{"cart": &value}}} {
		if _, err := b.store.Describe(b.ctx, r); !errors.Is(err, ErrNotDurable) {
			t.Error(err)
		}
	}
}
