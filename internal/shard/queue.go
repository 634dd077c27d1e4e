package shard

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/internal/breaker"
	"github.com/holdfast/holdfast/internal/wire"
)

// Request is one caller's part of a batch.
type Request interface {
	// ID is the reservation or operation it is about.
	ID() string
	// Arguments adds its part of ARGV; it numbers the levels it names in b.
	Arguments(b *Batch)
	// Weight is what it costs a script, in lines; a batch is bounded by their sum.
	Weight() int
}

// Answer is what a script said to one request.
type Answer struct {
	Status    string
	Payload   string
	Now       int64  // Unix ms, by Redis's clock
	Locations int64  // version of the list of locations at that moment
	Epoch     uint64 // of the script that answered
	Resent    string // nonce of the batch if it was sent more than once and no call before has the same id, else ""
	Seen      *Seen  // probe: what the batch saw
	Err       error  // it did not answer
}

// pending is a request on its way.
type pending struct {
	ctx     context.Context
	request Request
	state   atomic.Int32
	done    chan Answer
}

var pool = sync.Pool{New: func() any { return &pending{done: make(chan Answer, 1)} }}

const (
	stateWaiting int32 = iota
	stateSent          // in a batch: the outcome is its caller's to learn
	stateGone          // its caller left before it was sent
)

// weightMax bounds the lines of one batch of more than one request, and with them the time it keeps
// Redis.
const weightMax = 256

// lateAfter is how long after a batch was sent the next one no longer waits for its answer.
const lateAfter = 5 * time.Millisecond

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

// probeEvery is how often a request may find out whether a Redis that was down is back.
const probeEvery = 50 * time.Millisecond

func newQueue(s *Shard, verb wire.Verb) *queue {
	q := &queue{verb: verb, shard: s, redis: breaker.New(probeEvery)}
	q.wake = sync.NewCond(&q.mu)
	for range s.config.InFlightMax {
		q.workers.Go(q.work)
	}
	return q
}

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

// signal wakes a worker that is idle where there is something to be sent.
func (q *queue) signal() {
	if q.idle > 0 && q.due() {
		q.wake.Signal()
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

// Batch is the requests of one script call, and their ARGV. A worker uses one again and again.
type Batch struct {
	pending []*pending
	answers []Answer
	ids     []string
	body    []string       // what the requests add after the header, the ids and the levels
	names   []string       // levels, in order of their numbers
	numbers map[string]int // level -> its number, from 1
	used    bool

	counters []string // of purchase limits, in order of their numbers
	counted  map[string]int
}

func newBatch(size int) *Batch {
	return &Batch{
		pending: make([]*pending, 0, size), answers: make([]Answer, 0, size),
		numbers: make(map[string]int, size),
	}
}

func (b *Batch) reset() {
	clear(b.pending)
	b.pending, b.answers = b.pending[:0], b.answers[:0]
	clear(b.body)
	b.ids, b.body, b.names = b.ids[:0], b.body[:0], b.names[:0]
	clear(b.numbers)
	b.counters = b.counters[:0]
	clear(b.counted)
}

// Add adds texts to ARGV.
func (b *Batch) Add(texts ...string) { b.body = append(b.body, texts...) }

// Level numbers a level; the same one gets the same number.
func (b *Batch) Level(name string) string {
	n, ok := b.numbers[name]
	if !ok {
		b.names = append(b.names, name)
		n = len(b.names)
		b.numbers[name] = n
	}
	return strconv.Itoa(n)
}

// Counter numbers a counter of a purchase limit; the same one gets the same number.
func (b *Batch) Counter(name string) string {
	n, ok := b.counted[name]
	if !ok {
		if b.counted == nil {
			b.counted = map[string]int{}
		}
		b.counters = append(b.counters, name)
		n = len(b.counters)
		b.counted[name] = n
	}
	return strconv.Itoa(n)
}
