package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/breaker"
	"github.com/holdfast/holdfast/internal/wire"
)

// lateAfter is how long the next batch waits for the answer to the last one.
const lateAfter = 5 * time.Millisecond

// weightMax is the most lines in one batch, unless a single request has more. It bounds the time
// for which one script keeps Redis busy.
const weightMax = 256

// probeEvery is the time between two requests that probe a Redis that is down.
const probeEvery = 50 * time.Millisecond

// queue gathers the requests of one verb while a batch is in flight, as Nagle's algorithm gathers
// the bytes of a connection (RFC 896). It sends the waiting requests when they fill a batch, when
// no batch is in flight, or when the last batch is late. There is no timer: a request that finds
// the queue idle is sent at once, alone.
type queue struct {
	verb  wire.Verb
	shard *Shard

	mu       sync.Mutex
	wake     *sync.Cond
	waiting  []*pending
	idle     int       // workers that wait for a batch
	inFlight int       // batches
	sent     time.Time // when the last batch was sent
	closed   bool
	workers  sync.WaitGroup

	redis *breaker.Breaker      // records whether the last batch found Redis
	down  atomic.Pointer[error] // why it did not
}

func newQueue(s *Shard, verb wire.Verb) *queue {
	q := &queue{verb: verb, shard: s, redis: breaker.New(probeEvery)}
	q.wake = sync.NewCond(&q.mu)
	for range s.config.InFlightMax {
		q.workers.Go(q.work)
	}
	return q
}

// pending is a request that waits or is in a batch.
type pending struct {
	ctx     context.Context
	request Request
	state   atomic.Int32
	done    chan Answer

	maybeRan bool        // an attempt whose outcome is unknown may have run it
	timer    *time.Timer // stopped unless the caller waits
}

const (
	stateWaiting int32 = iota
	stateSent          // in a batch: its caller can't know the outcome before the answer
	stateGone          // its caller left before it was sent
)

var pool = sync.Pool{New: func() any {
	p := &pending{done: make(chan Answer, 1), timer: time.NewTimer(time.Hour)}
	p.timer.Stop()
	return p
}}

// ErrTimeout ends a call that took too long.
var ErrTimeout = fmt.Errorf("%w: no answer within the time-out", wire.ErrUnavailable)

// Do sends a request with the next batch of its verb and returns the answer. It returns
// ErrUnavailable at once if Redis is down or too many requests wait, ErrTimeout at the moment until,
// and ErrClosed after Close.
func (s *Shard) Do(ctx context.Context, until time.Time, verb wire.Verb, r Request) Answer {
	return s.queues[verb].do(ctx, until, r)
}

// do queues a request and waits for its answer, or until the moment until, or until ctx ends. If that
// is while the request waits, it is not sent. If it is later, the outcome is unknown.
func (q *queue) do(ctx context.Context, until time.Time, r Request) Answer {
	if ctx.Err() != nil {
		return Answer{Err: context.Cause(ctx)}
	}
	if !q.redis.Allow() {
		return Answer{Err: q.notSent()}
	}
	p := pool.Get().(*pending)
	p.ctx, p.request, p.maybeRan = ctx, r, false
	p.state.Store(stateWaiting)
	if err := q.push(p); err != nil {
		return Answer{Err: err}
	}
	p.timer.Reset(time.Until(until)) // a context with a deadline costs ten times as much
	var left error
	select {
	case a := <-p.done:
		p.timer.Stop()
		p.ctx, p.request = nil, nil
		pool.Put(p) // only here: if the caller left, a batch may still have it
		return a
	case <-p.timer.C:
		left = ErrTimeout
	case <-ctx.Done():
		p.timer.Stop()
		left = context.Cause(ctx)
	}
	if p.state.CompareAndSwap(stateWaiting, stateGone) {
		return Answer{Err: fmt.Errorf("not sent: %w", left)}
	}
	return Answer{Err: fmt.Errorf("outcome unknown, repeat with the same id: %w", left)}
}

func (q *queue) push(p *pending) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return wire.ErrClosed
	}
	if len(q.waiting) >= q.shard.config.QueueMax {
		return fmt.Errorf("%w: %d requests wait already", wire.ErrUnavailable, len(q.waiting))
	}
	q.waiting = append(q.waiting, p)
	q.signal()
	return nil
}

// signal wakes an idle worker if there is something to send. The caller holds q.mu.
func (q *queue) signal() {
	if q.idle > 0 && q.due() {
		q.wake.Signal()
	}
}

// due reports whether the waiting requests should be sent. The caller holds q.mu.
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
		err := q.shard.run(context.Background(), q.verb, b)
		if err == nil && len(b.pending) == 0 { // each has its answer, and Redis may not have been asked
			continue
		}
		q.finish(b, err)
		if batched := q.shard.config.Batched; batched != nil {
			batched(q.verb, len(b.pending), time.Since(started))
		}
	}
}

// take waits for the next batch and fills b with it. It returns false if the queue is closed and
// empty.
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

// fill moves waiting requests into b, up to the bounds of a batch. It returns false if all their
// callers have left. The caller holds q.mu.
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

// finish hands out the answers, and queues the requests that have none again. If there was no
// Redis, it also answers all waiting requests, so that none pile up during an outage.
func (q *queue) finish(b *Batch, err error) {
	q.shard.logRefusal(q.verb, err)
	if err == nil {
		q.redis.Record(nil)
		for i, answer := range b.answers {
			b.pending[i].done <- answer
		}
		q.again(b.pending[len(b.answers):])
		return
	}
	for _, p := range b.pending {
		p.done <- Answer{Err: err}
	}
	if !errors.Is(err, wire.ErrUnavailable) {
		return
	}
	q.down.Store(&err)
	q.redis.Record(err)
	q.mu.Lock()
	waiting := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	for _, p := range waiting {
		if p.state.CompareAndSwap(stateWaiting, stateSent) {
			p.done <- Answer{Err: q.notSent()}
		}
	}
}

// notSent returns the error of a request that is not sent because the last batch did not find Redis.
func (q *queue) notSent() error {
	if err := q.down.Load(); err != nil {
		return fmt.Errorf("not sent: %w", *err)
	}
	return wire.ErrUnavailable
}

// again puts requests that the script has not decided before those that wait.
func (q *queue) again(list []*pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range list {
		p.state.Store(stateWaiting)
	}
	q.waiting = slices.Insert(q.waiting, 0, list...)
}

// close refuses new requests. The workers finish those that wait, and end.
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
