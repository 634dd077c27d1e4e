package bench

import (
	"slices"
	"testing"
)

func TestOrders(t *testing.T) {
	skus := skuNames(10)
	from := orders{seed: 7, prefix: "o-", skus: skus, lines: 3, copies: 2}
	seen := map[string]int{}
	var o, again order
	for i := range int64(2000) {
		from.fill(&o, i)
		from.fill(&again, i/2*2)
		if o.id != again.id || !slices.Equal(o.lines, again.lines) {
			t.Fatalf("call %d is %v, its copy %v", i, o, again)
		}
		for j, l := range o.lines {
			if j > 0 && l.sku <= o.lines[j-1].sku {
				t.Fatalf("lines are not in order: %v", o.lines)
			}
			seen[l.sku]++
		}
		if len(o.lines) != 3 {
			t.Fatalf("%d lines", len(o.lines))
		}
	}
	if len(seen) != len(skus) {
		t.Errorf("only %d of %d SKUs are ever asked for", len(seen), len(skus))
	}
}
