package cache

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// TestWork_Reserve searches for the reserve that keeps Redis busy for longest, alone and in a batch.
func TestWork_Reserve(t *testing.T) {
	w := newWorkbench(t)
	for _, size := range [][2]int{{20, 100}, {44, 45}, {100, 20}, {500, 2}} {
		c := &cart{lines: size[0], places: size[1], split: location.SplitLines, stock: "one line a place"}
		var requests []shard.Request
		w.bounded(VerbReserve, c.String(), func() {
			w.set(c)
			requests = w.reserves(c, "r", 1)
		}, func() { w.batch(VerbReserve, requests...) })
	}
	carts(func(c *cart) {
		if !c.accepted() {
			t.Fatalf("%s would be refused", c)
		}
		for _, n := range []int{1, 256} {
			var requests []shard.Request
			if n > 1 && c.lines*c.places > 128 {
				continue // a batch has room for one of them
			}
			w.sample(VerbReserve, fmt.Sprintf("%d times %s", n, c), func() {
				w.set(c)
				requests = w.reserves(c, "r", n)
			}, func() { w.batch(VerbReserve, requests...) })
		}
	})
}

// holds lists the shapes of reservations that later steps are made of, and of how many.
var holds = []struct {
	cart
	n int
}{
	{cart{lines: 1, places: 1, stock: "plenty"}, 256},
	{cart{lines: 1, places: 1, components: 2, stock: "plenty"}, 256},
	{cart{lines: 1, places: 1, limits: 1, stock: "plenty"}, 256},
	{cart{lines: 1, places: 1, limits: 100, stock: "plenty"}, 64},
	{cart{lines: 3, places: 1, stock: "plenty"}, 64},
	{cart{lines: 100, places: 1, stock: "plenty"}, 64},
	{cart{lines: 500, places: 1, stock: "plenty"}, 8},
	{cart{lines: 25, places: 1, components: 20, stock: "plenty"}, 64},
	{cart{lines: 250, places: 1, limits: 1, stock: "plenty"}, 8},
	{cart{lines: 1, places: 500, stock: "one each", split: location.SplitUnits}, 1},
	{cart{lines: 1, places: 25, components: 20, stock: "one each", split: location.SplitUnits}, 1},
	{cart{lines: 10, places: 50, stock: "one each", split: location.SplitUnits}, 1},
}

// sendAll sends requests in as many calls as they need.
func (w *workbench) sendAll(verb Verb, list []shard.Request) {
	for len(list) > 0 {
		answers := w.batch(verb, batchOf(list)...)
		for _, a := range answers {
			if !slices.Contains([]string{wire.StatusHeld, wire.StatusDone, wire.StatusDoneDurable}, a.Status) {
				w.tb.Fatalf("%s answers %s %q", verb, a.Status, a.Payload)
			}
		}
		list = list[len(answers):]
	}
}

// steps returns a step of each of n reservations.
func (w *workbench) steps(verb Verb, c *cart, n int, version int64, parts bool) (list []shard.Request) {
	for i := range n {
		if verb == VerbMove && c.split == location.SplitUnits {
			break // all the stock is taken
		}
		r := TransitionRequest{ID: "r" + strconv.Itoa(i) + c.id, Version: version}
		if parts || verb == VerbReturn || verb == VerbUnfulfill {
			for line := range c.lines {
				r.Lines = append(r.Lines, LineQuantity{Line: strconv.Itoa(line) + c.id, Quantity: 1})
			}
		}
		call := &transitionCall{verb: verb, request: &r, settled: settledAlways}
		switch verb {
		case VerbExtend:
			list = append(list, &extendCall{request: &ExtendRequest{ID: r.ID, TTL: time.Minute}})
			continue
		case VerbMove:
			call.move = &MoveRequest{ID: r.ID, Version: version, Line: "0" + c.id, To: c.place(c.places)}
		case VerbReturn, VerbUnfulfill:
			call.operation, call.fingerprint, call.back = "ret"+r.ID, "f", &backArguments{to: c.place(c.places)}
		}
		list = append(list, call)
	}
	return list
}

// hold makes n reservations, and takes some steps of all of them.
func (w *workbench) hold(c *cart, n int, steps ...Verb) {
	more := *c // a place more than the reservations have: units move or return there
	if more.places++; c.split == location.SplitUnits {
		more.places = c.places // all the stock is taken
	}
	w.set(&more)
	direct(c.directory())(w.bench)
	for i := 0; i < n; {
		list := w.reserves(c, "r", n)[:0]
		for ; i < n && len(list) < 16; i++ {
			request := c.request("r" + strconv.Itoa(i) + c.id)
			list = append(list, w.reserveRequests([]ReserveRequest{request})...)
		}
		w.sendAll(VerbReserve, list)
	}
	for i, verb := range steps {
		w.sendAll(verb, w.steps(verb, c, n, int64(i+1), false))
	}
}

// TestWork_Steps searches for the step of reservations that keeps Redis busy for longest. A call that
// is given more than it may do answers only its first requests.
func TestWork_Steps(t *testing.T) {
	w := newWorkbench(t)
	for _, step := range []struct {
		after []Verb
		verb  Verb
		parts bool
	}{
		{nil, VerbExtend, false},
		{nil, VerbConfirm, false},
		{nil, VerbRelease, false},
		{nil, VerbRelease, true},
		{nil, VerbMove, false},
		{[]Verb{VerbConfirm}, VerbMove, false},
		{[]Verb{VerbConfirm}, VerbRelease, false},
		{[]Verb{VerbConfirm}, VerbRelease, true},
		{[]Verb{VerbConfirm}, VerbFulfill, false},
		{[]Verb{VerbConfirm}, VerbFulfill, true},
		{[]Verb{VerbConfirm, VerbFulfill}, VerbReturn, true},
		{[]Verb{VerbConfirm, VerbFulfill}, VerbUnfulfill, true},
	} {
		for _, h := range holds {
			for _, id := range []string{"", strings.Repeat("x", 100)} {
				c := h.cart
				c.id = id
				w.fit(&c)
				var requests []shard.Request
				w.sample(step.verb, fmt.Sprintf("%v of %d times %s, in parts %t", step.after, h.n, &c, step.parts), func() {
					w.hold(&c, h.n, step.after...)
					requests = batchOf(w.steps(step.verb, &c, h.n, int64(len(step.after)+1), step.parts))
				}, func() {
					for _, a := range w.batch(step.verb, requests...) {
						if a.Status != wire.StatusDone && a.Status != wire.StatusDoneDurable {
							t.Fatalf("%s answers %s %q to %s", step.verb, a.Status, a.Payload, &c)
						}
					}
				})
			}
		}
	}
}

// TestWork_Describe searches for the describe that keeps Redis busy for longest: of reservations that no
// limit counts, and of others that get as many identities as there may be.
func TestWork_Describe(t *testing.T) {
	w := newWorkbench(t)
	customer := "bob"
	var identities []string
	for i := range IdentitiesMax {
		identities = append(identities, "card"+strconv.Itoa(i))
	}
	shapes := slices.Clone(holds)
	for _, limits := range []int{1, 10, 55} {
		c := cart{places: 1, limits: limits, stock: "plenty"}
		c.lines = PartsMax / (1 + limits*(1+IdentitiesMax))
		shapes = append(shapes, struct {
			cart
			n int
		}{c, 64})
	}
	for _, h := range shapes {
		for _, id := range []string{"", strings.Repeat("x", 100)} {
			for _, named := range [][]string{nil, identities} {
				c := h.cart
				c.id = id
				w.fit(&c)
				var list []shard.Request
				w.sample(VerbDescribe, fmt.Sprintf("%d times %s, %d identities", h.n, &c, len(named)), func() {
					w.hold(&c, h.n)
					list = list[:0]
					for i := range h.n {
						r := &DescribeRequest{ID: "r" + strconv.Itoa(i) + c.id, Customer: &customer, Identities: named}
						list = append(list, &transitionCall{
							verb: VerbDescribe, request: &TransitionRequest{ID: r.ID}, settled: settledAlways, described: &description{request: r},
						})
					}
					list = batchOf(list)
				}, func() {
					for _, a := range w.batch(VerbDescribe, list...) {
						if a.Status != wire.StatusDone && (named == nil || a.Status != wire.StatusTooManyParts) {
							t.Fatalf("answers %s %q to %s", a.Status, a.Payload, &c)
						}
					}
				})
			}
		}
	}
}

// TestWork_Expire searches for the overdue holds that keep Redis busy for longest: if they expire, if
// they are confirmed after that, and if a large reservation reclaims their units.
func TestWork_Expire(t *testing.T) {
	w := newWorkbench(t)
	for _, h := range holds {
		c := h.cart
		overdue := func() {
			w.hold(&c, h.n)
			w.sendAll(VerbExtend, w.steps(VerbExtend, &c, h.n, 1, false)) // packs many into one member
			w.now += 2 * time.Minute.Milliseconds()
		}
		w.sample(VerbExpire, c.String(), overdue, func() { expire(w.bench) })
		for _, verb := range []Verb{VerbConfirm, VerbMove} {
			w.sample(verb, "of expired ones, "+c.String(), func() {
				overdue()
				for more := verb == VerbConfirm; more; {
					_, more, _ = w.store.Expire(w.ctx)
				}
			}, func() { w.batch(verb, batchOf(w.steps(verb, &c, h.n, 0, false))...) })
		}
		for _, size := range [][2]int{{1, 500}, {4, 500}, {20, 100}, {250, 1}, {400, 1}} {
			big := cart{lines: size[0], places: size[1], stock: "nothing", split: location.SplitUnits, late: size[1] == 1, id: "b"}
			var requests []shard.Request
			w.sample(VerbReserve, "of "+big.String()+", after "+c.String(), func() {
				overdue()
				stock := []any{}
				for line := range big.lines {
					for place := range big.places {
						stock = append(stock, wire.LevelField(big.sku(line), big.place(place)), 0)
					}
				}
				if err := w.client.HSet(w.ctx, w.store.keys.Stock, stock...).Err(); err != nil {
					t.Fatal(err)
				}
				direct(big.directory())(w.bench)
				requests = w.reserves(&big, "big", 1)
			}, func() { w.batch(VerbReserve, requests...) })
		}
	}
}

// TestWork_Operations searches for the operation on levels that keeps Redis busy for longest.
func TestWork_Operations(t *testing.T) {
	w := newWorkbench(t)
	units := int64(1000)
	change := func(i int, id string, c Change) Change {
		c.SKU, c.Location = location.SKU("s"+id), location.ID("l"+strconv.Itoa(i)+id)
		return c
	}
	for _, id := range []string{"", strings.Repeat("x", 29)} { // ChangesBytesMax allows no longer ones
		c := cart{lines: 1, places: 1000, stock: "plenty", id: id}
		for _, known := range []bool{false, true} {
			for _, n := range []int{1, 64, ChangesMax} {
				for name, one := range map[string]Change{
					"count": {OnHand: &units}, "delta": {Delta: &units}, "all": {OnHand: &units, SafetyStock: &units, BackorderLimit: &units},
				} {
					request := AdjustRequest{ID: "op", Reason: "r" + id, Actor: "a"}
					for i := range n {
						ch := change(i, id, one)
						if known {
							ch.SKU = c.sku(0)
						}
						request.Changes = append(request.Changes, ch)
					}
					call := &adjustCall{request: &request, fingerprint: "f"}
					w.sample(VerbAdjust, fmt.Sprintf("%s of %d levels, known %t, ids %d bytes", name, n, known, len(id)),
						func() { w.set(&c) }, func() { w.batch(VerbAdjust, call) })
					w.sample(VerbAdjust, fmt.Sprintf("again, %s of %d levels, known %t, ids %d bytes", name, n, known, len(id)),
						func() {}, func() { w.batch(VerbAdjust, call) })
				}
			}
		}
		for verb, one := range map[Verb]func(i int) shard.Request{
			VerbTransfer: func(i int) shard.Request {
				return &transferCall{request: &TransferRequest{ID: "t" + strconv.Itoa(i), SKU: c.sku(0), From: c.place(i), To: c.place(i + 1), Quantity: 1}, fingerprint: "f"}
			},
			VerbRemove: func(i int) shard.Request {
				return &removeCall{request: &RemoveRequest{ID: "t" + strconv.Itoa(i), SKU: c.sku(0), Location: c.place(i)}, fingerprint: "f"}
			},
		} {
			var list []shard.Request
			for i := range 256 {
				list = append(list, one(i))
			}
			w.sample(verb, fmt.Sprintf("a batch, ids %d bytes", len(id)), func() { w.set(&c) }, func() { w.batch(verb, batchOf(list)...) })
		}
	}
}

// TestWork_Reads searches for the read that keeps Redis busy for longest.
func TestWork_Reads(t *testing.T) {
	w := newWorkbench(t)
	for _, c := range []cart{{lines: 1, places: 1000, stock: "plenty"}, {lines: 10, places: 200, stock: "plenty"}, {lines: 2, places: 50, components: 20, stock: "plenty"}} {
		var probes []shard.Request
		w.sample(VerbProbe, c.String(), func() {
			w.set(&c)
			if probes == nil {
				for _, r := range w.reserves(&c, "p", 64) {
					probes = append(probes, probeCall{r.(*reserveCall)})
				}
			}
		}, func() { w.batch(VerbProbe, batchOf(probes)...) })
		request := AvailabilityRequest{}
		for i := range min(AvailabilityMax, AvailabilityLevelsMax/c.places/max(1, c.components)) {
			request.SKUs = append(request.SKUs, c.sku(i))
		}
		w.sample("availability", c.String(), func() {}, func() {
			if _, err := w.store.Availability(w.ctx, request); err != nil {
				t.Fatal(err)
			}
		})
		w.sample("levels", c.String(), func() {}, func() {
			if _, err := w.store.Levels(w.ctx, c.sku(0)); err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
		})
	}
}
