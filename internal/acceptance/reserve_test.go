package acceptance

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestReserve(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) { p.check(t, reserveTable) })
}

const twoLines = `{"id": "$o", "lines": [{"line": "1", "sku": "$A", "quantity": %d}, {"line": "2", "sku": "$%s", "quantity": %d}]}`

var reserveTable = []scenario{
	{
		name:  "every field",
		given: []step{level("$A", "berlin", 5)},
		when: reserve(`{"id": "$o", "channel": "web", "customer": "c-9", "order": "5512",
			"ship_to": {"country": "DE", "region": "BE", "postal_code": "10115", "latitude": 52.5, "longitude": 13.4},
			"ttl_seconds": 600, "split": "lines", "metadata": {"cart": "…"},
			"lines": [{"line": "1", "sku": "$A", "quantity": 2, "location": "berlin"}]}`).
			is(201, `{"id": "$o", "state": "held", "version": 1, "expires_at": "<time>", "created_at": "<time>",
				"channel": "web", "customer": "c-9", "order": "5512",
				"lines": [{"line": "1", "sku": "$A", "quantity": 2, "requested": 2, "fulfilled": 0, "returned": 0,
					"from": [{"location": "berlin", "quantity": 2}]}]}`).
			with("Location", "/v1/reservations/$o").with("Idempotent-Replay", "").
			with("Content-Type", "application/json").with("Retry-After", ""),
		then: []step{
			level("$B", "berlin", 1), // answered by the ledger, which then has the reservation too
			read("$o").is(200, `{"id": "$o", "state": "held", "version": 1, "expires_at": "<time>", "created_at": "<time>",
				"channel": "web", "customer": "c-9", "order": "5512", "metadata": {"cart": "…"},
				"ship_to": {"country": "DE", "region": "BE", "postal_code": "10115", "latitude": 52.5, "longitude": 13.4},
				"lines": [`+line("1", "$A", 2, 2, 0, "berlin")+`]}`).
				with("Idempotent-Replay", "").with("Content-Type", "application/json"),
			stocked("$A", "berlin", [6]int{5, 2, 0, 0, 0, 3}),
		},
	},
	{
		name:  "only what is required",
		given: []step{level("$A", "berlin", 5)},
		when:  hold("$o", "$A", 5).is(201, reservation("$o", "held", 1, line("1", "$A", 5, 5, 0, "berlin"), "")),
		then:  []step{stocked("$A", "berlin", [6]int{5, 5, 0, 0, 0, 0})},
	},
	{
		name:  "none of the lines where one is short",
		given: []step{level("$A", "berlin", 5), level("$B", "berlin", 1)},
		when: reserve(fmt.Sprintf(twoLines, 2, "B", 3)).refused(409, "insufficient_stock",
			`"shortages": [{"line": "2", "sku": "$B", "requested": 3, "available": 1}]`),
		then: []step{
			stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5}),
			stocked("$B", "berlin", [6]int{1, 0, 0, 0, 0, 1}),
			read("$o").refused(404, "not_found", ""),
		},
	},
	{
		name:  "every short line is listed",
		given: []step{level("$A", "berlin", 5), level("$B", "berlin", 0)},
		when: reserve(fmt.Sprintf(twoLines, 6, "B", 1)).refused(409, "insufficient_stock",
			`"shortages": [{"line": "1", "sku": "$A", "requested": 6, "available": 5}, {"line": "2", "sku": "$B", "requested": 1, "available": 0}]`),
	},
	{
		name:  "lines of one SKU are together never given more than there is",
		given: []step{level("$A", "berlin", 5)},
		when: reserve(fmt.Sprintf(twoLines, 3, "A", 3)).refused(409, "insufficient_stock",
			`"shortages": [{"line": "2", "sku": "$A", "requested": 3, "available": 2}]`),
		then: []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})},
	},
	{
		name:  "lines of one SKU together take all there is",
		given: []step{level("$A", "berlin", 5)},
		when: reserve(fmt.Sprintf(twoLines, 3, "A", 2)).is(201, reservation("$o", "held", 1,
			line("1", "$A", 3, 3, 0, "berlin")+","+line("2", "$A", 2, 2, 0, "berlin"), "")),
		then: []step{stocked("$A", "berlin", [6]int{5, 5, 0, 0, 0, 0})},
	},
	{
		name: "safety stock is not sold, a backorder limit is",
		given: []step{
			put("/v1/stock/$A/berlin", `{"id": "$p", "on_hand": 5, "safety_stock": 4, "backorder_limit": 2}`).is(201, ""),
			hold("$first", "$A", 3),
		},
		when: hold("$o", "$A", 1).refused(409, "insufficient_stock",
			`"shortages": [{"line": "1", "sku": "$A", "requested": 1, "available": 0}]`),
	},
	{
		name:  "a SKU that nobody has",
		given: []step{level("$A", "berlin", 5)},
		when:  reserve(fmt.Sprintf(twoLines, 1, "none", 1)).refused(409, "unknown_stock", `"lines": ["2"]`),
		then:  []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})},
	},
	{
		name: "every unknown SKU is named",
		when: reserve(fmt.Sprintf(twoLines, 1, "none", 1)).refused(409, "unknown_stock", `"lines": ["1", "2"]`),
	},
}

// No other table shares the program, so it has no locations but those of these scenarios.
func TestReserveFromOneLocation(t *testing.T) {
	const from = `{"id": "$o", %s "lines": [{"line": "1", "sku": "$A", "quantity": 2%s}]}`
	pinned := func(at string) step { return reserve(fmt.Sprintf(from, "", `, "location": "`+at+`"`)) }
	picked := func(at string) step { return reserve(fmt.Sprintf(from, `"pickup": "`+at+`",`, "")) }
	both := []step{level("$A", "berlin", 5), level("$A", "lyon", 5)}
	rejected := func(s step, pairs ...string) step {
		var list []string
		for _, pair := range pairs {
			at, reason, _ := strings.Cut(pair, " ")
			list = append(list, `{"line": "1", "location": "`+at+`", "reason": "`+reason+`"}`)
		}
		return s.refused(409, "no_location", `"rejected": [`+strings.Join(list, ",")+`]`)
	}
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "no pin", given: both, when: hold("$o", "$A", 2).is(201, reservation("$o", "held", 1, line("1", "$A", 2, 2, 0, "berlin"), ""))},
			{name: "pin", given: both, when: pinned("lyon").is(201, reservation("$o", "held", 1, line("1", "$A", 2, 2, 0, "lyon"), ""))},
			{
				name: "pin where there are too few", given: []step{level("$A", "berlin", 5), level("$A", "lyon", 1)},
				when: pinned("lyon").refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "$A", "requested": 2, "available": 1}]`),
			},
			{
				name: "pin where there is no level", given: []step{level("$A", "berlin", 5)},
				when: rejected(pinned("lyon"), "berlin not_pin", "lyon no_level"),
				then: []step{stocked("$A", "berlin", [6]int{5, 0, 0, 0, 0, 5})},
			},
			{
				name: "pin that nobody knows", given: both,
				when: rejected(pinned("nowhere"), "berlin not_pin", "lyon not_pin", "nowhere unknown_location"),
			},
			{name: "pickup", given: both, when: picked("lyon").is(201, reservation("$o", "held", 1, line("1", "$A", 2, 2, 0, "lyon"), ""))},
			{
				name: "pickup where there is no level", given: []step{level("$A", "berlin", 5)},
				when: rejected(picked("lyon"), "berlin not_pickup", "lyon no_level"),
			},
			{
				name: "pickup that nobody knows", given: both,
				when: rejected(picked("nowhere"), "berlin not_pickup", "lyon not_pickup", "nowhere unknown_location"),
			},
			{
				name: "pin elsewhere than pickup", given: both,
				when: rejected(reserve(fmt.Sprintf(from, `"pickup": "lyon",`, `, "location": "berlin"`)), "berlin not_pickup", "lyon not_pin"),
			},
			{
				name: "pickup and ship_to", given: both,
				when: reserve(fmt.Sprintf(from, `"pickup": "lyon", "ship_to": {"country": "DE"},`, "")).
					refused(422, "invalid_request", `"errors": [{"path": "/pickup", "message": "<text>"}]`),
			},
		})
	})
}

// If several things are wrong with a call, the answer is the first in this order.
func TestPrecedence(t *testing.T) {
	const unknownField, tooMany, pin = `"qty": 1,`, `"quantity": 0`, `, "location": "lyon"`
	body := func(extra, quantity, pin, sku string) step {
		return reserve(`{"id": "$o",` + extra + `"lines": [{"line": "1", "sku": "$A", ` + quantity + pin + `}, {"line": "2", "sku": "` + sku + `", "quantity": 9}]}`)
	}
	given := []step{level("$A", "berlin", 5), level("$B", "berlin", 1)}
	used := []step{given[0], given[1], hold("$o", "$A", 1)}
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "seed", when: level("$S", "lyon", 1)},
			{
				name: "malformed before invalid", given: used,
				when: body(unknownField, tooMany, pin, "$none").refused(400, "malformed", `"errors": [{"path": "/qty", "message": "<text>"}]`),
			},
			{
				name: "invalid before conflict", given: used,
				when: body("", tooMany, pin, "$none").refused(422, "invalid_request", `"errors": [{"path": "/lines/0/quantity", "message": "<text>"}]`),
			},
			{
				name: "conflict before unknown stock", given: used,
				when: body("", `"quantity": 1`, pin, "$none").refused(409, "id_conflict", ""),
			},
			{
				name: "unknown stock before no location", given: given,
				when: body("", `"quantity": 1`, pin, "$none").refused(409, "unknown_stock", `"lines": ["2"]`),
			},
			{
				name: "no location before insufficient stock", given: given,
				when: body("", `"quantity": 1`, pin, "$B").refused(409, "no_location",
					`"rejected": [{"line": "1", "location": "berlin", "reason": "not_pin"}, {"line": "1", "location": "lyon", "reason": "no_level"}]`),
			},
			{
				name: "insufficient stock last", given: given,
				when: body("", `"quantity": 1`, "", "$B").refused(409, "insufficient_stock",
					`"shortages": [{"line": "2", "sku": "$B", "requested": 9, "available": 1}]`),
			},
		})
	})
}

func TestDeadlineOfANewReservation(t *testing.T) {
	t.Parallel()
	p := start(t, "--reservation-ttl=90s", "--reservation-ttl-max=2h")
	p.do(t, "given", level("A", "berlin", 9))
	for ttl, want := range map[string]time.Duration{
		"":                     90 * time.Second,
		`"ttl_seconds": null,`: 90 * time.Second,
		`"ttl_seconds": 1,`:    time.Second,
		`"ttl_seconds": 7200,`: 2 * time.Hour,
	} {
		before := time.Now()
		got := decoded(t, p.do(t, "when", reserve(`{"id": "o`+want.String()+fmt.Sprint(len(ttl))+`", `+ttl+
			`"lines": [{"line": "1", "sku": "A", "quantity": 1}]}`)).body)
		created, expires := moment(t, got, "created_at"), moment(t, got, "expires_at")
		if expires.Sub(created) != want {
			t.Errorf("%q: from %v to %v, want exactly %v", ttl, created, expires, want)
		}
		if created.Before(before.Add(-time.Second)) || created.After(time.Now().Add(time.Second)) {
			t.Errorf("%q: created at %v, it is %v", ttl, created, before)
		}
	}
	for _, ttl := range []string{"0", "-1", "7201", "99999999999999999999"} {
		p.do(t, "when", reserve(`{"id": "x", "ttl_seconds": `+ttl+`, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`).
			refused(422, "invalid_request", `"errors": [{"path": "/ttl_seconds", "message": "<text>"}]`))
	}
}

// If many customers want the last unit at the same moment, exactly one gets it, and the others are told that
// it is gone. If many callers send the same id at once, there is one reservation.
func TestAtOnce(t *testing.T) {
	const customers = 24
	eachEngine(t, func(t *testing.T, p *program) {
		race := func(id func(int) string, sku string) map[int]int {
			var all sync.WaitGroup
			statuses := make(chan int, customers)
			for i := range customers {
				all.Go(func() {
					s := hold(id(i), sku, 1)
					got := p.send(t, s)
					if got.status == http.StatusConflict {
						p.do(t, "when", s.refused(409, "insufficient_stock",
							`"shortages": [{"line": "1", "sku": "`+sku+`", "requested": 1, "available": 0}]`))
					}
					statuses <- got.status
				})
			}
			all.Wait()
			count := map[int]int{}
			for range customers {
				count[<-statuses]++
			}
			return count
		}
		p.do(t, "given", level("last", "berlin", 1))
		if got := race(func(i int) string { return fmt.Sprint("customer-", i) }, "last"); got[201] != 1 || got[409] != customers-1 {
			t.Errorf("for one unit: %v", got)
		}
		p.do(t, "then", stocked("last", "berlin", [6]int{1, 1, 0, 0, 0, 0}))

		p.do(t, "given", level("many", "berlin", customers))
		if got := race(func(int) string { return "one" }, "many"); got[201] != 1 || got[200] != customers-1 {
			t.Errorf("with one id: %v", got)
		}
		p.do(t, "then", stocked("many", "berlin", [6]int{customers, 1, 0, 0, 0, customers - 1}))
	})
}
