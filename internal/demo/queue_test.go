package demo

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestServeAll(t *testing.T) {
	const width = 50
	buyers := make([]*buyer, 500)
	for i := range buyers {
		buyers[i] = &buyer{plan: plan{tries: 1 + i%4}}
	}
	var acts, inside, most atomic.Int64
	full := make(chan struct{}) // closed once all locations are taken
	var once sync.Once
	serveAll(buyers, width, func(b *buyer) (time.Duration, bool) {
		n := inside.Add(1)
		defer inside.Add(-1)
		if n > most.Load() {
			most.Store(n)
		}
		if n == width {
			once.Do(func() { close(full) })
		}
		<-full
		acts.Add(1)
		b.tried++
		return time.Duration(b.tried%2) * time.Millisecond, b.tried < b.tries
	})
	for i, b := range buyers {
		if b.tried != b.tries {
			t.Errorf("buyer %d acted %d times, want %d", i, b.tried, b.tries)
		}
	}
	if most.Load() != width || inside.Load() != 0 {
		t.Errorf("%d at once, want %d; %d at the end", most.Load(), width, inside.Load())
	}
}

func TestServeAll_HoldersFirst(t *testing.T) {
	first, second, payer := &buyer{}, &buyer{}, &buyer{}
	var order []*buyer
	serveAll([]*buyer{first, payer, second}, 1, func(b *buyer) (time.Duration, bool) {
		order = append(order, b)
		if b == payer && !payer.holds {
			payer.holds = true
			return 0, true
		}
		return 0, false
	})
	want := []*buyer{first, payer, payer, second}
	for i := range want {
		if len(order) != len(want) || order[i] != want[i] {
			t.Fatalf("served in another order: %d acts", len(order))
		}
	}
}
