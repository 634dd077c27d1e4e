package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/location"
)

// amendments reads "line:units[:SKU[:pin]] …".
func amendments(list string) (lines []LineAmendment) {
	for item := range strings.FieldsSeq(list) {
		f := append(strings.Split(item, ":"), "", "")
		o := order("", f[0]+":X:"+f[1])
		lines = append(lines, LineAmendment{Line: f[0], Quantity: o.Lines[0].Quantity, SKU: location.SKU(f[2]), Location: location.ID(f[3])})
	}
	return lines
}

// amend calls Amend with an operation, or with a version if operation is a number.
func amend(id, operation, list string) func(*bench) string {
	return func(b *bench) string {
		r := AmendRequest{ID: id, Operation: operation, Lines: amendments(list)}
		if n, err := fmt.Sscan(operation, &r.Version); n == 1 && err == nil {
			r.Operation = ""
		}
		return told(b.store.Amend(b.ctx, r))
	}
}

// amendHeld amends a hold of 3 TEE and 2 MUG at berlin, of 5 and 4 that are there.
var amendHeld = []operation{
	{
		name: "more, fewer, one new", when: amend("ord", "chg", "1:5 2:1 3:1:CAP"), stock: stockOfTwo + " CAP@berlin=1",
		given:  held,
		answer: "held v2 until 10s | 1 TEE 5/5 berlin:5 | 2 MUG 1/1 berlin:1 | 3 CAP 1/1 berlin:1",
		state: `stock CAP@berlin 0
			stock MUG@berlin 3
			stock TEE@berlin 0
			level CAP@berlin 1 0 0 0
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 1 TEE 5 berlin:5 | 2 MUG 1 berlin:1 | 3 CAP 1 berlin:1
			deadline 10s ord
			event amend chg at 0s: held v1 > ord held v2 until 10s | 1 TEE 5 berlin:5 | 2 MUG 1 berlin:1 | 3 CAP 1 berlin:1`,
	},
	{
		name: "removed", stock: stockOfTwo, given: held, when: amend("ord", "chg", "1:0"),
		answer: "held v2 until 10s | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 5
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 2 MUG 2 berlin:2
			deadline 10s ord
			event amend chg at 0s: held v1 > ord held v2 until 10s | 2 MUG 2 berlin:2`,
	},
	{
		name: "one line's units to another", stock: "TEE@berlin=5", given: calls(reserve(order("ord", "1:TEE:4 2:TEE:1"))),
		when:   amend("ord", "chg", "2:4 1:1"),
		answer: "held v2 until 10s | 1 TEE 1/1 berlin:1 | 2 TEE 4/4 berlin:4",
		state: `stock TEE@berlin 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 1 TEE 1 berlin:1 | 2 TEE 4 berlin:4
			deadline 10s ord
			event amend chg at 0s: held v1 > ord held v2 until 10s | 1 TEE 1 berlin:1 | 2 TEE 4 berlin:4`,
	},
	{
		name: "as many as before", stock: stockOfTwo, given: held, when: amend("ord", "chg", "1:3:TEE"),
		answer: "held v2 until 10s | 1 TEE 3/3 berlin:3 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 2
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			ord held v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2
			deadline 10s ord
			event amend chg at 0s: held v1 > ord held v2 until 10s | 1 TEE 3 berlin:3 | 2 MUG 2 berlin:2`,
	},
	{
		name: "sold", stock: stockOfTwo, given: sold, when: amend("ord", "chg", "1:5 2:1"),
		answer: "confirmed v3 | 1 TEE 5/5 berlin:5 | 2 MUG 1/1 berlin:1",
		state: `stock MUG@berlin 3
			stock TEE@berlin 0
			level MUG@berlin 4 1 0 0
			level TEE@berlin 5 5 0 0
			ord confirmed v3 until 10s | 1 TEE 5 berlin:5 | 2 MUG 1 berlin:1
			deadline 10s ord
			event amend chg at 0s: confirmed v2 > ord confirmed v3 until 10s | 1 TEE 5 berlin:5 | 2 MUG 1 berlin:1`,
	},
	{
		name: "sold, to what has left", stock: stockOfTwo, given: then(sold, fulfill("ord", 2, "1:2")),
		when:   amend("ord", "chg", "1:2 2:0"),
		answer: "fulfilled v4 | 1 TEE 2/2 berlin:2 fulfilled 2",
		state: `stock MUG@berlin 4
			stock TEE@berlin 3
			level MUG@berlin 4 0 0 0
			level TEE@berlin 3 0 0 0
			ord fulfilled v4 until 10s | 1 TEE 2 berlin:2(2)
			deadline 10s ord
			event amend chg at 0s: confirmed v3 > ord fulfilled v4 until 10s | 1 TEE 2 berlin:2(2)`,
	},
	{
		name: "more after units left and came back", stock: stockOfTwo,
		given: then(sold, fulfill("ord", 2, "1:2"), func(b *bench) string {
			return told(b.store.Return(b.ctx, ReturnRequest{ID: "ret", Reservation: "ord", To: "berlin", Lines: parts("1:1")}))
		}),
		when:   amend("ord", "chg", "1:5"),
		answer: "confirmed v5 | 1 TEE 5/5 berlin:5 fulfilled 2 returned 1 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 1
			level MUG@berlin 4 2 0 0
			level TEE@berlin 4 3 0 0
			ord confirmed v5 until 10s | 1 TEE 5 berlin:5(2) back 1 | 2 MUG 2 berlin:2
			deadline 10s ord
			event amend chg at 0s: confirmed v4 > ord confirmed v5 until 10s | 1 TEE 5 berlin:5(2) back 1 | 2 MUG 2 berlin:2`,
	},
	{
		name: "repeated after another step", stock: stockOfTwo, given: then(held, amend("ord", "chg", "1:5"), confirm("ord", 0)),
		when: amend("ord", "chg", "1:5"), answer: "again confirmed v3 | 1 TEE 5/5 berlin:5 | 2 MUG 2/2 berlin:2",
	},
	{
		name: "repeated with a version", stock: stockOfTwo, given: then(held, amend("ord", "1", "1:5")),
		when: amend("ord", "1", "1:5"), answer: "again held v2 until 10s | 1 TEE 5/5 berlin:5 | 2 MUG 2/2 berlin:2",
	},
	{
		name: "the same id for another amend", stock: stockOfTwo, given: then(held, amend("ord", "chg", "1:5")),
		when: amend("ord", "chg", "1:4"), answer: "id_conflict",
	},
	{
		name: "another version", stock: stockOfTwo, given: then(held, extend("ord", time.Second, 0)),
		when: amend("ord", "1", "1:4"), answer: "version_conflict  2",
	},
	{
		name: "too many", stock: stockOfTwo, given: held, when: amend("ord", "chg", "1:6 2:5"),
		answer: "insufficient_stock | 1 TEE 5 of 6 | 2 MUG 4 of 5",
	},
	{
		name: "too many, and fewer of another", stock: stockOfTwo, given: held, when: amend("ord", "chg", "2:0 1:6"),
		answer: "insufficient_stock | 1 TEE 5 of 6",
	},
	{
		name: "after an overdue hold", stock: stockOfTwo,
		given: calls(reserve(ReserveRequest{ID: "late", TTL: time.Second, Lines: order("", "1:TEE:2").Lines}),
			reserve(order("ord", "1:TEE:3 2:MUG:2")), after(2*time.Second)),
		when:   amend("ord", "chg", "1:5"),
		answer: "held v2 until 10s | 1 TEE 5/5 berlin:5 | 2 MUG 2/2 berlin:2",
		state: `stock MUG@berlin 2
			stock TEE@berlin 0
			level MUG@berlin 4 0 0 0
			level TEE@berlin 5 0 0 0
			late expired v2 until 1s | 1 TEE 2 berlin:2
			ord held v2 until 10s | 1 TEE 5 berlin:5 | 2 MUG 2 berlin:2
			deadline 10s ord
			event expire at 2s: held v1 > late expired v2 until 1s | 1 TEE 2 berlin:2
			event amend chg at 2s: held v1 > ord held v2 until 10s | 1 TEE 5 berlin:5 | 2 MUG 2 berlin:2`,
	},
}

func TestAmend(t *testing.T) {
	for _, o := range amendHeld {
		o.run(t)
	}
}

// TestAmend_Refused checks the refusals of the lines that a reservation has, in their order.
func TestAmend_Refused(t *testing.T) {
	for _, o := range []operation{
		{name: "unknown", when: amend("no", "chg", "1:1"), answer: "not_found"},
		{name: "overdue", given: calls(after(time.Minute)), when: amend("ord", "chg", "1:1"), answer: "wrong_state expired"},
		{name: "released", given: calls(release("ord", 0, "")), when: amend("ord", "chg", "1:1"), answer: "wrong_state released"},
		{name: "fulfilled", given: calls(confirm("ord", 0), fulfill("ord", 0, "")), when: amend("ord", "chg", "1:1"), answer: "wrong_state fulfilled"},
		{name: "no SKU", when: amend("ord", "chg", "9:1"), answer: "invalid_request | /lines/0/sku is required: the reservation has no line 9"},
		{name: "no such line", when: amend("ord", "chg", "1:1 9:0:CAP"), answer: "invalid_request | /lines/1/line the reservation has no such line"},
		{
			name: "another SKU", when: amend("ord", "chg", "1:1:MUG"),
			answer: "invalid_request | /lines/0/sku is MUG, and line 1 is of TEE: remove the line, and add one with a new name",
		},
		{name: "everything removed", when: amend("ord", "chg", "1:0 2:0"), answer: "invalid_request | /lines would leave no units: release the reservation"},
		{
			name: "only a line without units left", given: calls(release("ord", 1, "2:2")), when: amend("ord", "chg", "1:0"),
			answer: "invalid_request | /lines would leave no units: release the reservation",
		},
		{
			name: "fewer than have left", given: calls(confirm("ord", 0), fulfill("ord", 2, "1:2 2:1")), when: amend("ord", "chg", "1:1 2:0"),
			answer: "already_fulfilled | 1 2 of 1 | 2 1 of 0",
		},
		{name: "a SKU that nobody has", when: amend("ord", "chg", "3:1:HAT"), answer: "unknown_stock | 3"},
		{name: "no version and no operation", when: amend("ord", "", "1:1"), answer: "invalid_request | /version is required without an operation id, so that a repeat is recognised"},
		{name: "the same line twice", when: amend("ord", "chg", "1:1 1:2"), answer: "invalid_request | /lines/1/line is \"1\", the same as line 0"},
		{
			name: "too many lines at once", when: amend("ord", "chg", linesOf("n%d:1:TEE ", AmendLinesMax+1)),
			answer: "invalid_request | /lines has 101 lines, must have from 1 to 100",
		},
	} {
		o.stock, o.given = stockOfTwo, append(calls(reserve(order("ord", "1:TEE:3 2:MUG:2"))), o.given...)
		o.run(t)
	}
}

// linesOf repeats a line with the numbers below n.
func linesOf(format string, n int) string {
	list := ""
	for i := range n {
		list += fmt.Sprintf(format, i)
	}
	return list
}

// TestAmend_TooManyLines checks that amends give a reservation no more lines than LinesMax.
func TestAmend_TooManyLines(t *testing.T) {
	o := operation{
		name: "too many", stock: "TEE@a=999", given: calls(reserve(order("ord", linesOf("%d:TEE:1 ", LinesMax-9)))),
		when: amend("ord", "chg", linesOf("n%d:1:TEE ", 10)), answer: "invalid_request | /lines would make 501 lines, at most 500 are allowed",
	}
	o.runAnswer(t)
}
