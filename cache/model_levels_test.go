package cache

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// operation returns a new id for an operation.
func (p *play) operation() string {
	p.next++
	return fmt.Sprintf("op-%d", p.next)
}

// drawUnits draws units, mostly many.
func drawUnits(t *rapid.T) int64 { return 20 - rapid.Int64Range(0, 20).Draw(t, "fewer units") }

// stocked puts units at most levels.
func (p *play) stocked(t *rapid.T) {
	for _, sku := range []location.SKU{"TEE", "MUG"} {
		for _, at := range []location.ID{"berlin", "lyon"} {
			if n := drawUnits(t); n > 0 {
				p.stock(fmt.Sprintf("%s@%s=%d", sku, at, n))
				p.model.levelFor(sku, at).onHand = n
			}
		}
	}
}

func (p *play) adjust(t *rapid.T) {
	c := Change{SKU: modelSKUs.Draw(t, "sku"), Location: modelPlaces.Draw(t, "at")}
	l := p.model.Level(c.SKU, c.Location)
	n := drawUnits(t)
	var want error
	switch kind := rapid.SampledFrom([]string{"count", "delta", "policy"}).Draw(t, "kind"); {
	case kind == "count":
		c.OnHand = &n
	case kind == "delta":
		if n -= 12; n == 0 {
			n = 1
		}
		c.Delta = &n
		if l == nil && n < 0 {
			want = ErrNotFound
		} else if l != nil && l.onHand+n < 0 {
			want = ErrInsufficient
		}
	default:
		safety, backorder := n/4, n%3
		c.SafetyStock, c.BackorderLimit = &safety, &backorder
	}
	_, err := p.store.Adjust(p.ctx, AdjustRequest{ID: p.operation(), Changes: []Change{c}})
	same(t, "adjust", err, want)
	if want != nil {
		return
	}
	p.taken = true
	l = p.model.levelFor(c.SKU, c.Location)
	if c.OnHand != nil {
		l.onHand = *c.OnHand
	}
	l.onHand += deref(c.Delta)
	if c.SafetyStock != nil {
		l.safety, l.backorder = *c.SafetyStock, *c.BackorderLimit
	}
}

func (p *play) remove(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "remove") < 3 {
		t.Skip("stock is to last")
	}
	sku, at := modelSKUs.Draw(t, "sku"), modelPlaces.Draw(t, "at")
	l := p.model.Level(sku, at)
	var want error
	switch {
	case l == nil:
		want = ErrNotFound
	case l.held != 0 || l.committed != 0:
		want = ErrInUse
	}
	_, err := p.store.Remove(p.ctx, RemoveRequest{SKU: sku, Location: at})
	same(t, "remove", err, want)
	if err == nil {
		delete(p.model.levels, wire.LevelField(sku, at))
	}
}

func (p *play) transfer(t *rapid.T) {
	sku, from, to := modelSKUs.Draw(t, "sku"), location.ID("berlin"), location.ID("lyon")
	if rapid.Bool().Draw(t, "back") {
		from, to = to, from
	}
	n := rapid.Int64Range(1, 9).Draw(t, "units")
	l := p.model.Level(sku, from)
	var want error
	switch {
	case l == nil:
		want = ErrNotFound
	case min(l.onHand, l.available()-l.backorder) < n:
		want = ErrInsufficient
	}
	_, err := p.store.Transfer(p.ctx, TransferRequest{ID: p.operation(), SKU: sku, From: from, To: to, Quantity: n})
	same(t, "transfer", err, want)
	if err != nil {
		return
	}
	l.onHand -= n
	p.model.levelFor(sku, to).onHand += n
}
