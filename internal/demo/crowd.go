package demo

import (
	"sync"
	"time"
)

// crowdMax is how many buyers are at the counter at once; the others stand behind them.
const crowdMax = 2000

// crowd is buyers that act until none has more to do, at most so many of them at once. A buyer that
// waits keeps nobody else from acting.
type crowd struct {
	line   chan *buyer // who wants units, newcomers and those who try again
	paying chan *buyer // who has units goes first: a checkout is not behind the queue at the door
	left   chan struct{}
	inside sync.WaitGroup
}

// admit lets all buyers in together and returns when the last one has left. act does a buyer's next
// thing and says after which wait there is more to do.
func admit(buyers []*buyer, width int, act func(*buyer) (wait time.Duration, more bool)) {
	// A buyer is in one of the channels, once: neither is ever full.
	c := &crowd{
		line: make(chan *buyer, len(buyers)), paying: make(chan *buyer, len(buyers)),
		left: make(chan struct{}),
	}
	for _, b := range buyers {
		c.line <- b
	}
	c.inside.Add(len(buyers))
	var counters sync.WaitGroup
	doors := make(chan struct{})
	for range min(width, len(buyers)) {
		counters.Go(func() {
			<-doors
			c.serve(act)
		})
	}
	close(doors)
	c.inside.Wait()
	close(c.left)
	counters.Wait()
}

// serve serves one buyer after another until all have left.
func (c *crowd) serve(act func(*buyer) (time.Duration, bool)) {
	for b := c.next(); b != nil; b = c.next() {
		wait, more := act(b)
		switch {
		case !more:
			c.inside.Done()
		case wait == 0:
			c.enter(b)
		default:
			time.AfterFunc(wait, func() { c.enter(b) })
		}
	}
}

func (c *crowd) enter(b *buyer) {
	if b.holds {
		c.paying <- b
	} else {
		c.line <- b
	}
}

// next is whose turn it is; nil where all have left.
func (c *crowd) next() *buyer {
	select {
	case b := <-c.paying:
		return b
	default:
	}
	select {
	case b := <-c.paying:
		return b
	case b := <-c.line:
		return b
	case <-c.left:
		return nil
	}
}
