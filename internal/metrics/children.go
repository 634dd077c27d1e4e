package metrics

import (
	"maps"
	"sync"
	"sync/atomic"
)

// children keeps the children of a vector by their labels. Prometheus's own look-up hashes and
// compares every label under a lock; this one reads a map that is replaced when a child is new. Keys
// must come from a small set, as labels must.
type children[K comparable, C any] struct {
	create  func(K) C
	known   atomic.Pointer[map[K]C]
	growing sync.Mutex
}

func newChildren[K comparable, C any](create func(K) C) *children[K, C] {
	c := &children[K, C]{create: create}
	c.known.Store(&map[K]C{})
	return c
}

func (c *children[K, C]) of(key K) C {
	if child, ok := (*c.known.Load())[key]; ok {
		return child
	}
	c.growing.Lock()
	defer c.growing.Unlock()
	grown := maps.Clone(*c.known.Load())
	child := c.create(key) // a vector answers the same child to the same labels
	grown[key] = child
	c.known.Store(&grown)
	return child
}
