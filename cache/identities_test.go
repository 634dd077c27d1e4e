package cache

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/location"
)

// identified is an order of a customer with identities.
func identified(customer, id, lines string, identities ...string) ReserveRequest {
	r := by(customer, id, lines)
	r.Identities = identities
	return r
}

// taking reserves, and tells the identities of the reservation, or the one that would exceed a limit.
func taking(r ReserveRequest) func(*bench) string {
	return func(b *bench) string {
		result, err := b.store.Reserve(b.ctx, r)
		if err != nil {
			return toldIdentity(err)
		}
		read, err := b.store.Reservation(b.ctx, r.ID)
		if err != nil {
			return toldError(err)
		}
		return fmt.Sprintf("%s | of %v, reads %v", told(result, nil), result.Identities, read.Identities)
	}
}

// TestReserve_Identities checks that a purchase limit counts each identity as it counts the customer.
func TestReserve_Identities(t *testing.T) {
	mine := calls(limitedTo(2), reserve(identified("c-1", "mine", "1:TEE:1", "card", "device")))
	const taken = "held v1 until 10s | 1 TEE 1/1 a:1 | of "
	for _, o := range []operation{
		{
			name: "counted", stock: "TEE@a=9", given: calls(limitedTo(2)), when: taking(identified("c-1", "ord", "1:TEE:1", "card", "c-1")),
			answer: taken + "[card c-1], reads [card c-1]",
			state: `stock TEE@a 8
				level TEE@a 9 0 0 0
				ord held v1 until 10s | 1 TEE 1 drop<=2/1 drop<=2/1 drop<=2/1 a:1
				limit drop c-1 1
				limit drop card 1
				deadline 10s ord
				event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 1 drop<=2/1 drop<=2/1 drop<=2/1 a:1`,
		},
		{
			name: "of a guest", stock: "TEE@a=9", given: calls(limitedTo(2)), when: taking(identified("", "ord", "1:TEE:1", "card")),
			answer: taken + "[card], reads [card]",
			state: `stock TEE@a 8
				level TEE@a 9 0 0 0
				ord held v1 until 10s | 1 TEE 1 drop<=2/1 drop<=2/1 a:1
				limit drop card 1
				deadline 10s ord
				event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 1 drop<=2/1 drop<=2/1 a:1`,
		},
		{
			name: "another customer with the card", stock: "TEE@a=9", given: mine, when: taking(identified("c-2", "ord", "1:TEE:2", "phone", "card")),
			answer: "purchase_limit | drop 1 of 2 by card",
		},
		{
			name: "the card as a customer", stock: "TEE@a=9", given: mine, when: taking(by("device", "ord", "1:TEE:2")),
			answer: "purchase_limit | drop 1 of 2 by device",
		},
		{
			name: "the customer as an identity", stock: "TEE@a=9", given: mine, when: taking(identified("c-2", "ord", "1:TEE:2", "c-1")),
			answer: "purchase_limit | drop 1 of 2 by c-1",
		},
		{
			name: "without a limit", stock: "TEE@a=9", given: calls(direct(gift(""))), when: taking(identified("c-1", "ord", "1:TEE:1", "card")),
			answer: taken + "[], reads []",
			state: `stock TEE@a 8
				level TEE@a 9 0 0 0
				ord held v1 until 10s | 1 TEE 1 a:1
				deadline 10s ord
				event reserve at 0s:  v0 > ord held v1 until 10s | 1 TEE 1 a:1`,
		},
		{
			name: "repeated", stock: "TEE@a=9", given: mine, when: reserve(identified("c-1", "mine", "1:TEE:1", "card", "device")),
			answer: "again held v1 until 10s | 1 TEE 1/1 a:1",
		},
		{name: "other identities", stock: "TEE@a=9", given: mine, when: reserve(identified("c-1", "mine", "1:TEE:1", "device", "card")), answer: "id_conflict"},
	} {
		o.run(t)
	}
}

// TestReturn_FreesLimit returns units of a campaign that counts no returned ones, and of one that does.
func TestReturn_FreesLimit(t *testing.T) {
	most, total := int64(2), int64(3)
	lent := func(frees bool) func(*bench) string {
		return direct(campaigns(location.Campaign{ID: "drop", SKUs: []location.SKU{"TEE"}, PerCustomer: &most, Total: &total, FreesOnReturn: frees}))
	}
	shipped := func(frees bool) []func(*bench) string {
		return calls(lent(frees), reserve(identified("c-1", "ord", "1:TEE:2", "card")), confirm("ord", 0), fulfill("ord", 0, ""))
	}
	const answer = "fulfilled v4 | 1 TEE 2/2 a:2 fulfilled 2 returned 1"
	for _, o := range []operation{
		{
			name: "frees", stock: "TEE@a=9", given: shipped(true), when: back("ret", "a", "1:1"), answer: answer,
			state: `stock TEE@a 8
				level TEE@a 8 0 0 0
				ord fulfilled v4 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 drop of all<=3/1 a:2(2) back 1
				limit drop  1
				limit drop c-1 1
				limit drop card 1
				deadline 10s ord
				event return ret TEE@a 7>8 (8) at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 drop of all<=3/1 a:2(2) back 1`,
		},
		{
			name: "does not free", stock: "TEE@a=9", given: shipped(false), when: back("ret", "a", "1:1"), answer: answer,
			state: `stock TEE@a 8
				level TEE@a 8 0 0 0
				ord fulfilled v4 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 drop of all<=3/1 a:2(2) back 1
				limit drop  2
				limit drop c-1 2
				limit drop card 2
				deadline 10s ord
				event return ret TEE@a 7>8 (8) at 0s: fulfilled v3 > ord fulfilled v4 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 drop of all<=3/1 a:2(2) back 1`,
		},
		{
			name: "frees what a describe moves", stock: "TEE@a=9", given: then(shipped(true), back("ret", "a", "1:1")), when: describing(0, "customer=c-2 identities="),
			answer: "fulfilled v5 | 1 TEE 2/2 a:2 fulfilled 2 returned 1 | for c-2, order , []",
			state: `stock TEE@a 8
				level TEE@a 8 0 0 0
				ord fulfilled v5 until 10s | 1 TEE 2 drop<=2/1 drop of all<=3/1 a:2(2) back 1
				limit drop  1
				limit drop c-2 1
				deadline 10s ord
				event describe at 0s: fulfilled v4 > ord fulfilled v5 until 10s | 1 TEE 2 drop<=2/1 drop of all<=3/1 a:2(2) back 1`,
		},
		{
			name: "a sale after it", stock: "TEE@a=9", given: then(shipped(true), back("ret", "a", "1:1"), reserve(by("c-1", "next", "1:TEE:1"))),
			when: taking(by("c-1", "ord2", "1:TEE:1")), answer: "purchase_limit | drop 2 of 2 by c-1",
		},
	} {
		o.run(t)
	}
}

// TestAmend_Identities takes more units for a guest, whose identities a purchase limit counts.
func TestAmend_Identities(t *testing.T) {
	amending := func(units int64) func(*bench) string {
		return func(b *bench) string {
			r, err := b.store.Amend(b.ctx, AmendRequest{ID: "ord", Operation: fmt.Sprint("op", units), Lines: []LineAmendment{{Line: "1", Quantity: units}}})
			if err != nil {
				return toldIdentity(err)
			}
			return fmt.Sprintf("%s | of %v", told(r, nil), r.Identities)
		}
	}
	guest := calls(limitedTo(2), reserve(identified("", "ord", "1:TEE:1", "card")))
	for _, o := range []operation{
		{
			name: "more", stock: "TEE@a=9", given: guest, when: amending(2), answer: "held v2 until 10s | 1 TEE 2/2 a:2 | of [card]",
			state: `stock TEE@a 7
				level TEE@a 9 0 0 0
				ord held v2 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 a:2
				limit drop card 2
				deadline 10s ord
				event amend op2 at 0s: held v1 > ord held v2 until 10s | 1 TEE 2 drop<=2/1 drop<=2/1 a:2`,
		},
		{name: "too many", stock: "TEE@a=9", given: guest, when: amending(3), answer: "purchase_limit | drop 1 of 2 by card"},
	} {
		o.run(t)
	}
}
