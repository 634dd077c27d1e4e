package cache

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// amendShape is the reservation that an amend meets, besides the stock of a cart: so many lines of
// the cart, each served by so many locations.
type amendShape struct {
	lines, parts int
	state        State
}

// given writes a reservation of a shape, whose lines have as many units at each location as stock
// says, and the levels' counts for it.
func (w *workbench) given(c *cart, id string, a amendShape) wire.Record {
	w.tb.Helper()
	rec := wire.Record{
		State: a.state, Version: 1, Expires: w.now + time.Hour.Milliseconds(), CreationNonce: "n", Created: w.now, Customer: "ann", Channel: "web",
	}
	for line := range a.lines {
		for i := range max(1, c.components) {
			l := wire.RecordLine{Line: strconv.Itoa(line) + c.id, SKU: c.sku(line), Requested: int64(a.parts)}
			if c.components > 0 {
				l.SKU, l.Kit = c.component(line, i), &wire.RecordKit{SKU: c.sku(line), Each: 1}
			}
			for limit := range c.limits {
				l.Limits = append(l.Limits, wire.RecordLimit{ID: "limit" + strconv.Itoa(limit) + c.id, Most: QuantityMax, Each: 1})
			}
			for place := range a.parts {
				l.From = append(l.From, wire.RecordAllocation{Location: c.place(place), Quantity: 1})
			}
			rec.Lines = append(rec.Lines, l)
		}
	}
	if err := w.client.HSet(w.ctx, w.store.keys.Reservations, id, rec.Encode()).Err(); err != nil {
		w.tb.Fatal(err)
	}
	return rec
}

// amends returns the amend that gives each line of a cart, or as many as it may change, so many units more
// than the reservation has, with all candidates.
func (w *workbench) amends(c *cart, id string, rec *wire.Record, more func(line int) int64) shard.Request {
	w.tb.Helper()
	r := &AmendRequest{ID: id, Operation: "chg-" + id, Split: c.split}
	for line := range min(c.lines, AmendLinesMax) {
		l := LineAmendment{Line: strconv.Itoa(line) + c.id, SKU: c.sku(line), Quantity: more(line)}
		for i := range rec.Lines {
			if part := &rec.Lines[i]; part.Line == l.Line && (part.Kit == nil || part.SKU == c.component(line, 0)) {
				l.Quantity += int64(len(part.From))
			}
		}
		r.Lines = append(r.Lines, l)
	}
	of, err := newAmendment(r, rec)
	if err != nil {
		w.tb.Fatal(err)
	}
	plan, err := of.plan(w.store.directory.Load().rules, &wire.Details{Split: c.split})
	if err != nil {
		w.tb.Fatalf("%s: %v", c, err)
	}
	return &transitionCall{
		verb: VerbAmend, request: &TransitionRequest{ID: id}, settled: settledAlways, operation: r.Operation, fingerprint: "f",
		amend: &amendCall{request: r, of: of, plan: plan},
	}
}

// TestWork_Amend searches for the amend that keeps Redis busy for longest: of a reservation with one
// line, with as many lines and locations as there may be, held and confirmed, alone and in a batch.
func TestWork_Amend(t *testing.T) {
	w := newWorkbench(t)
	carts(func(c *cart) {
		c.places = max(1, min(c.places, AmendCandidatesMax/c.lines/max(1, c.components)))
		for _, a := range []amendShape{
			{1, 1, StateHeld}, {c.lines, 1, StateConfirmed}, {c.lines, min(c.places, PartsMax/c.lines/max(1, c.components)), StateHeld},
		} {
			if a.lines*(max(1, c.components)*(1+c.limits)) > PartsMax || a.parts == 0 {
				continue
			}
			for _, n := range []int{1, 16} {
				var requests []shard.Request
				w.sample(VerbAmend, fmt.Sprintf("%d times %d lines of %d parts, %s, to %s", n, a.lines, a.parts, a.state, c), func() {
					w.set(c)
					requests = requests[:0]
					for i := 0; i < n && len(batchOf(requests)) == i; i++ { // until the batch is full
						id := "r" + strconv.Itoa(i) + c.id
						rec := w.given(c, id, a)
						requests = append(requests, w.amends(c, id, &rec, c.quantity))
					}
					requests = batchOf(requests)
				}, func() { w.batch(VerbAmend, requests...) })
			}
		}
	})
}

// TestWork_AmendLess searches for the amend that gives units back and keeps Redis busy for longest.
func TestWork_AmendLess(t *testing.T) {
	w := newWorkbench(t)
	for _, h := range holds {
		for _, id := range []string{"", strings.Repeat("x", 100)} {
			for _, state := range []State{StateHeld, StateConfirmed} {
				c := h.cart
				c.id, c.split = id, location.SplitUnits
				w.fit(&c)
				parts := min(c.places, PartsMax/c.lines/max(1, c.components))
				var requests []shard.Request
				w.sample(VerbAmend, fmt.Sprintf("less, %d times, %s, of %s", h.n, state, &c), func() {
					w.set(&c)
					requests = requests[:0]
					for i := range h.n {
						rid := "r" + strconv.Itoa(i) + c.id
						rec := w.given(&c, rid, amendShape{c.lines, parts, state})
						requests = append(requests, w.amends(&c, rid, &rec, func(line int) int64 { return min(0, int64(1-parts)) }))
					}
					requests = batchOf(requests)
				}, func() {
					for _, a := range w.batch(VerbAmend, requests...) {
						if a.Status != wire.StatusDone && a.Status != wire.StatusDoneDurable {
							t.Fatalf("answers %s %q to %s", a.Status, a.Payload, &c)
						}
					}
				})
			}
		}
	}
}
