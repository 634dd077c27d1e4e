package metrics

import (
	"maps"
	"sync"
	"sync/atomic"
)

// children caches the children of a vector by their labels. Prometheus hashes and compares every
// label under a lock. This look-up only reads a map, which is replaced when there is a new child.
// Keys must come from a small set, like all labels.
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
	child := c.create(key) // a vector returns the same child for the same labels
	grown[key] = child
	c.known.Store(&grown)
	return child
}
