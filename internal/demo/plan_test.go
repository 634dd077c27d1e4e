package demo

import (
	"reflect"
	"testing"

	"github.com/holdfast/holdfast/location"
)

func TestDrawPlan_Seed(t *testing.T) {
	other := 0
	for n := range 200 {
		if !reflect.DeepEqual(drawPlan(7, n), drawPlan(7, n)) {
			t.Fatalf("buyer %d has two plans", n)
		}
		if !reflect.DeepEqual(drawPlan(7, n), drawPlan(8, n)) {
			other++
		}
	}
	if other < 190 {
		t.Errorf("another seed changed only %d of 200 plans", other)
	}
}

// TestDrawPlan_Mix checks that every kind of buyer occurs.
func TestDrawPlan_Mix(t *testing.T) {
	const n = 2000
	choices, copies, lines := map[choice]int{}, map[int]int{}, map[int]int{}
	splits := map[location.Split]int{}
	patient, collecting, pinned := 0, 0, 0
	for i := range n {
		p := drawPlan(1, i)
		choices[p.choice]++
		copies[p.copies]++
		lines[len(p.request.Lines)]++
		if p.tries > 1 {
			patient++
		}
		if p.collects {
			collecting++
		}
		splits[p.request.Split]++
		if p.request.Lines[0].Location != "" {
			pinned++
		}
		for _, line := range p.request.Lines {
			if line.Quantity < 1 || line.Quantity > quantityMax {
				t.Fatalf("buyer %d wants %d units", i, line.Quantity)
			}
		}
		if p.choice == late && p.think <= ttl || p.choice != late && p.think >= ttl {
			t.Fatalf("buyer %d makes choice %d after %v", i, p.choice, p.think)
		}
	}
	if choices[confirms] <= n/2 || min(choices[late], choices[abandons], choices[releases]) < n/20 {
		t.Errorf("choices %v: most should confirm, and some do each other thing", choices)
	}
	if min(copies[2], copies[3]) < n/40 || copies[1]+copies[2]+copies[3] != n {
		t.Errorf("copies %v", copies)
	}
	if min(lines[1], lines[2], lines[3]) < n/20 || lines[1]+lines[2]+lines[3] != n {
		t.Errorf("lines %v", lines)
	}
	if min(splits[location.SplitUnits], splits[location.SplitNever]) < n/20 || splits[""] < n/2 {
		t.Errorf("splits %v", splits)
	}
	if patient < n/4 || collecting < n/8 || pinned < n/8 {
		t.Errorf("%d patient, %d collecting, %d pinned", patient, collecting, pinned)
	}
}

func TestNewStock(t *testing.T) {
	for _, units := range []int64{1, 2, 3, 499, 500, 1_000_000} {
		stock := newStock(units)
		for _, sku := range allSKUs {
			want := max(1, units/2)
			if sku == hotSKU {
				want = units
			}
			var got int64
			for _, p := range locations {
				got += stock[Level{sku, p.id}]
			}
			if got != want {
				t.Errorf("%d units of %s, want %d", got, sku, want)
			}
		}
		if n := len(stock.changes()); n != len(allSKUs)*len(locations) {
			t.Errorf("%d changes", n)
		}
	}
}
