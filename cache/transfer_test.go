package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/location"
)

// tees transfers units of TEE.
func tees(id string, from, to location.ID, units int64) TransferRequest {
	return TransferRequest{ID: id, SKU: "TEE", From: from, To: to, Quantity: units}
}

func transfer(r TransferRequest) func(*bench) string {
	return func(b *bench) string {
		result, err := b.store.Transfer(b.ctx, r)
		if err != nil {
			return toldError(err)
		}
		text := ""
		if result.Replay {
			text = "again "
		}
		text += "at " + seconds(result.At.UnixMilli())
		for _, l := range []AdjustedLevel{result.From, result.To} {
			text += fmt.Sprintf(" | %s@%s %d held %d committed %d available %d", l.SKU, l.Location, l.OnHand, l.Held, l.Committed, l.Available)
			if l.Created {
				text += " new"
			}
		}
		return text
	}
}

var (
	threeToLyon = transfer(tees("op", "berlin", "lyon", 3))
	policy      = adjust("policy", tee(Change{SafetyStock: units(1), BackorderLimit: units(4)}))
)

var transfers = []operation{
	{
		name: "to a level", stock: "TEE@berlin=5 TEE@lyon=1", when: threeToLyon,
		answer: "at 0s | TEE@berlin 2 held 0 committed 0 available 2 | TEE@lyon 4 held 0 committed 0 available 4",
		state: `stock TEE@berlin 2
			stock TEE@lyon 4
			level TEE@berlin 2 0 0 0
			level TEE@lyon 4 0 0 0
			event transfer op at 0s | TEE@berlin on hand 5>2 safety 0>0 backorder 0>0 available 2 | TEE@lyon on hand 1>4 safety 0>0 backorder 0>0 available 4`,
	},
	{
		name: "to a location without a level", stock: "TEE@berlin=3", when: threeToLyon,
		answer: "at 0s | TEE@berlin 0 held 0 committed 0 available 0 | TEE@lyon 3 held 0 committed 0 available 3 new",
		state: `stock TEE@berlin 0
			stock TEE@lyon 3
			level TEE@berlin 0 0 0 0
			level TEE@lyon 3 0 0 0
			event transfer op at 0s | TEE@berlin on hand 3>0 safety 0>0 backorder 0>0 available 0 | TEE@lyon on hand 0>3 safety 0>0 backorder 0>0 available 3`,
	},
	{
		name: "leaves held and committed units", stock: "TEE@berlin=7", when: threeToLyon,
		given: calls(reserve(order("a", "1:TEE:2")), confirm("a", 0), reserve(order("b", "1:TEE:2"))), state: `
			stock TEE@berlin 0
			stock TEE@lyon 3
			level TEE@berlin 4 2 0 0
			level TEE@lyon 3 0 0 0
			a confirmed v2 until 10s | 1 TEE 2 berlin:2
			b held v1 until 10s | 1 TEE 2 berlin:2
			deadline 10s a
			deadline 10s b
			event transfer op at 0s | TEE@berlin on hand 7>4 safety 0>0 backorder 0>0 available 0 | TEE@lyon on hand 0>3 safety 0>0 backorder 0>0 available 3`,
		answer: "at 0s | TEE@berlin 4 held 2 committed 2 available 0 | TEE@lyon 3 held 0 committed 0 available 3 new",
	},
	{name: "more than is available", stock: "TEE@berlin=5 TEE@lyon=1", given: calls(reserve(order("a", "1:TEE:3:berlin"))), when: threeToLyon, answer: "insufficient_stock |  TEE 2 of 3"},
	{name: "more than is on hand", stock: "TEE@berlin=2", given: calls(policy), when: threeToLyon, answer: "insufficient_stock |  TEE 1 of 3"},
	{
		name: "held units, with a backorder limit", stock: "TEE@berlin=5", given: calls(policy, reserve(order("a", "1:TEE:3"))),
		when: threeToLyon, answer: "insufficient_stock |  TEE 1 of 3",
	},
	{name: "of the safety stock", stock: "TEE@berlin=3", given: calls(adjust("p", Change{SKU: "TEE", Location: "berlin", SafetyStock: units(1)})), when: threeToLyon, answer: "insufficient_stock |  TEE 2 of 3"},
	{
		name: "available below zero", stock: "TEE@berlin=3", when: threeToLyon, answer: "insufficient_stock |  TEE 0 of 3",
		given: calls(reserve(order("a", "1:TEE:3")), adjust("broken", Change{SKU: "TEE", Location: "berlin", Delta: units(-1)})),
	},
	{
		name: "units of an overdue hold", stock: "TEE@berlin=3", given: calls(reserve(order("a", "1:TEE:3")), after(11*time.Second)), when: threeToLyon,
		answer: "at 11s | TEE@berlin 0 held 0 committed 0 available 0 | TEE@lyon 3 held 0 committed 0 available 3 new",
		state: `stock TEE@berlin 0
			stock TEE@lyon 3
			level TEE@berlin 0 0 0 0
			level TEE@lyon 3 0 0 0
			a expired v2 until 10s | 1 TEE 3 berlin:3
			event expire at 11s: held v1 > a expired v2 until 10s | 1 TEE 3 berlin:3
			event transfer op at 11s | TEE@berlin on hand 3>0 safety 0>0 backorder 0>0 available 0 | TEE@lyon on hand 0>3 safety 0>0 backorder 0>0 available 3`,
	},
	{name: "from a location without a level", stock: "TEE@lyon=5", when: threeToLyon, answer: "not_found"},
	{
		name: "above the limit", stock: "TEE@berlin=5 TEE@lyon=2147483645", when: threeToLyon,
		answer: "invalid_request | /quantity would take on hand at lyon from 2147483645 over 2147483647",
	},
	{
		name: "repeated", stock: "TEE@berlin=5", given: calls(threeToLyon, after(time.Second), reserve(order("a", "1:TEE:1:lyon"))), when: threeToLyon,
		answer: "again at 0s | TEE@berlin 2 held 0 committed 0 available 2 | TEE@lyon 3 held 1 committed 0 available 2",
	},
	{
		name: "repeated after the level was removed", stock: "TEE@berlin=3", given: calls(threeToLyon, remove("", "TEE", "berlin")), when: threeToLyon,
		answer: "again at 0s | TEE@berlin 0 held 0 committed 0 available 0 | TEE@lyon 3 held 0 committed 0 available 3",
	},
	{name: "the id of another transfer", stock: "TEE@berlin=5", given: calls(transfer(tees("op", "berlin", "lyon", 2))), when: threeToLyon, answer: "id_conflict"},
	{name: "the id of another operation", stock: "TEE@berlin=5", given: calls(adjust("op", Change{SKU: "TEE", Location: "berlin", Delta: units(1)})), when: threeToLyon, answer: "id_conflict"},
	{
		name: "every fault", when: transfer(TransferRequest{From: "berlin", To: "berlin", Reason: "\x00"}),
		answer: "invalid_request | /id is required | /sku is required | /to must be another location than from | " +
			"/quantity must be from 1 to 2147483647 | /reason must not contain control characters",
	},
	{
		name: "then the units are sold from the new location", stock: "TEE@berlin=3", given: calls(threeToLyon), when: reserve(order("a", "1:TEE:3")),
		answer: "held v1 until 10s | 1 TEE 3/3 lyon:3",
		state: `stock TEE@berlin 0
			stock TEE@lyon 0
			level TEE@berlin 0 0 0 0
			level TEE@lyon 3 0 0 0
			a held v1 until 10s | 1 TEE 3 lyon:3
			deadline 10s a
			event reserve at 0s:  v0 > a held v1 until 10s | 1 TEE 3 lyon:3`,
	},
}

func TestTransfer(t *testing.T) {
	for _, o := range transfers {
		o.run(t)
	}
}

// TestTransfer_Batch decides the transfers of one batch one after another.
func TestTransfer_Batch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5")
		var calls []shard.Request
		for _, r := range []TransferRequest{
			tees("a", "berlin", "lyon", 3), tees("b", "berlin", "lyon", 3), tees("c", "lyon", "oslo", 2),
			tees("a", "berlin", "lyon", 3), tees("a", "berlin", "lyon", 4), tees("d", "oslo", "berlin", 2),
		} {
			calls = append(calls, &transferCall{request: &r, fingerprint: r.fingerprint()})
		}
		var got []string
		for _, a := range b.batch(VerbTransfer, calls...) {
			got = append(got, a.Status)
		}
		equal(t, "answers", strings.Join(got, " "), "done insufficient done repeat conflict done")
		equal(t, "levels", levelsOnly(b.state(100)), "level TEE@berlin 4 0 0 0\nlevel TEE@lyon 1 0 0 0\nlevel TEE@oslo 0 0 0 0")
		known, err := b.store.readLocations(b.ctx)
		if err != nil || fmt.Sprint(known.stocked) != "[berlin lyon oslo]" || known.version != 2 {
			t.Errorf("%v, version %d, %v", known.stocked, known.version, err)
		}
	})
}

// levelsOnly returns the lines of a state that are about levels.
func levelsOnly(state string) string {
	var lines []string
	for line := range strings.Lines(state) {
		if strings.HasPrefix(line, "level ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}
