package shard

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/breaker"
	"github.com/holdfast/holdfast/internal/wire"
)

// lateAfter is how long after a batch was sent the next one no longer waits for its answer.
const lateAfter = 5 * time.Millisecond

// weightMax bounds the lines of one batch of more than one request, and with them the time it keeps
// Redis.
const weightMax = 256

// probeEvery is how often a request may find out whether a Redis that was down is back.
const probeEvery = 50 * time.Millisecond

// queue gathers the requests of one verb while a batch is in flight, as Nagle's algorithm does with the
// bytes of a connection (RFC 896): what waits is sent when it fills a batch, or when nothing is in flight,
// or what is in flight is late. There is no timer: a request that meets an idle queue goes at once, alone.
type queue struct {
	verb  wire.Verb
	shard *Shard

	mu       sync.Mutex
	wake     *sync.Cond
	waiting  []*pending
	idle     int
	inFlight int
	sent     time.Time // when the last batch was
	closed   bool
	workers  sync.WaitGroup

	redis *breaker.Breaker // records whether the last batch found Redis
}

func newQueue(s *Shard, verb wire.Verb) *queue {
	q := &queue{verb: verb, shard: s, redis: breaker.New(probeEvery)}
	q.wake = sync.NewCond(&q.mu)
	for range s.config.InFlightMax {
		q.workers.Go(q.work)
	}
	return q
}

// pending is a request on its way.
type pending struct {
	ctx     context.Context
	request Request
	state   atomic.Int32
	done    chan Answer
}

const (
	stateWaiting int32 = iota
	stateSent          // in a batch: the outcome is its caller's to learn
	stateGone          // its caller left before it was sent
)

var pool = sync.Pool{New: func() any { return &pending{done: make(chan Answer, 1)} }}

// do queues a request and waits for its answer, or until ctx ends. A request whose context has ended
// before it was sent is not sent.
func (q *queue) do(ctx context.Context, r Request) Answer {
	if err := ctx.Err(); err != nil {
		return Answer{Err: err}
	}
	if !q.redis.Allow() {
		return Answer{Err: wire.ErrUnavailable}
	}
	p := pool.Get().(*pending)
	p.ctx, p.request = ctx, r
	p.state.Store(stateWaiting)
	if err := q.push(p); err != nil {
		return Answer{Err: err}
	}
	select {
	case a := <-p.done:
		p.ctx, p.request = nil, nil
		pool.Put(p) // only here: one whose caller left may still be in a batch
		return a
	case <-ctx.Done():
		if p.state.CompareAndSwap(stateWaiting, stateGone) {
			return Answer{Err: fmt.Errorf("not sent: %w", ctx.Err())}
		}
		return Answer{Err: fmt.Errorf("outcome unknown, repeat with the same id: %w", ctx.Err())}
	}
}

func (q *queue) push(p *pending) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return wire.ErrClosed
	}
	if len(q.waiting) >= q.shard.config.QueueMax {
		return fmt.Errorf("%w: %d requests are waiting already", wire.ErrUnavailable, len(q.waiting))
	}
	q.waiting = append(q.waiting, p)
	q.signal()
	return nil
}

// signal wakes a worker that is idle where there is something to be sent.
func (q *queue) signal() {
	if q.idle > 0 && q.due() {
		q.wake.Signal()
	}
}

// due says that what waits is to be sent.
func (q *queue) due() bool {
	switch {
	case len(q.waiting) == 0:
		return false
	case q.inFlight == 0 || len(q.waiting) >= q.shard.config.BatchMax:
		return true
	default:
		return time.Since(q.sent) > lateAfter
	}
}

// work runs batches until the queue is closed and empty.
func (q *queue) work() {
	b := newBatch(q.shard.config.BatchMax)
	for q.take(b) {
		started := time.Now()
		err := q.shard.run(q.verb, b)
		q.finish(b, err)
		if batched := q.shard.config.Batched; batched != nil {
			batched(q.verb, len(b.pending), time.Since(started))
		}
	}
}

// take fills b with the requests that wait, up to its bounds; false says that none will come.
func (q *queue) take(b *Batch) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.used {
		q.inFlight--
	}
	b.reset()
	for !q.due() || !q.fill(b) {
		if q.closed && len(q.waiting) == 0 {
			q.wake.Broadcast()
			return false
		}
		if !q.due() {
			q.idle++
			q.wake.Wait()
			q.idle--
		}
	}
	q.inFlight++
	q.sent = time.Now()
	b.used = true
	q.signal()
	return true
}

// fill moves into b what waits; false says that nobody waits for any of it any more.
func (q *queue) fill(b *Batch) bool {
	n, weight := 0, 0
	for n < len(q.waiting) && len(b.pending) < q.shard.config.BatchMax {
		p := q.waiting[n]
		w := p.request.Weight()
		if len(b.pending) > 0 && weight+w > weightMax {
			break
		}
		n++
		if p.ctx.Err() == nil && p.state.CompareAndSwap(stateWaiting, stateSent) {
			b.pending = append(b.pending, p)
			weight += w
		}
	}
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	return len(b.pending) > 0
}

// finish hands out the answers. Where there was no Redis, whatever waits is told at once, so that an
// outage piles nothing up.
func (q *queue) finish(b *Batch, err error) {
	if err == nil {
		q.redis.Record(nil)
		for i, p := range b.pending {
			p.done <- b.answers[i]
		}
		return
	}
	for _, p := range b.pending {
		p.done <- Answer{Err: err}
	}
	if !isUnavailable(err) {
		return
	}
	q.redis.Record(err)
	q.mu.Lock()
	waiting := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	for _, p := range waiting {
		if p.state.CompareAndSwap(stateWaiting, stateSent) {
			p.done <- Answer{Err: wire.ErrUnavailable}
		}
	}
}

// close lets the workers finish what waits, then end.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wake.Broadcast()
}

func (q *queue) depth() (waiting, inFlight int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting), q.inFlight
}
