package demo

import (
	"sync"
	"time"
)

// activeMax is the number of buyers that act at the same time. The others wait in the queue.
const activeMax = 2000

// queue holds the buyers that are ready to act. A buyer that pauses blocks no other.
type queue struct {
	waiting chan *buyer // without units
	holding chan *buyer // with units: they go first, because a checkout does not wait behind newcomers
	done    chan struct{}
	buyers  sync.WaitGroup // that have more to do
}

// serveAll lets all buyers act until none has more to do, at most width at a time. act does a
// buyer's next step and returns the pause before the one after it, if there is more to do.
func serveAll(buyers []*buyer, width int, act func(*buyer) (wait time.Duration, more bool)) {
	// A buyer is in one of the channels, once: neither ever blocks.
	q := &queue{
		waiting: make(chan *buyer, len(buyers)), holding: make(chan *buyer, len(buyers)),
		done: make(chan struct{}),
	}
	for _, b := range buyers {
		q.waiting <- b
	}
	q.buyers.Add(len(buyers))
	var workers sync.WaitGroup
	start := make(chan struct{})
	for range min(width, len(buyers)) {
		workers.Go(func() {
			<-start
			q.serve(act)
		})
	}
	close(start)
	q.buyers.Wait()
	close(q.done)
	workers.Wait()
}

// serve lets one buyer after another act until all are done.
func (q *queue) serve(act func(*buyer) (time.Duration, bool)) {
	for b := q.next(); b != nil; b = q.next() {
		wait, more := act(b)
		switch {
		case !more:
			q.buyers.Done()
		case wait == 0:
			q.add(b)
		default:
			time.AfterFunc(wait, func() { q.add(b) })
		}
	}
}

func (q *queue) add(b *buyer) {
	if b.holds {
		q.holding <- b
	} else {
		q.waiting <- b
	}
}

// next returns the next buyer, or nil if all are done.
func (q *queue) next() *buyer {
	select {
	case b := <-q.holding:
		return b
	default:
	}
	select {
	case b := <-q.holding:
		return b
	case b := <-q.waiting:
		return b
	case <-q.done:
		return nil
	}
}
