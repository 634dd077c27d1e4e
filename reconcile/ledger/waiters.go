package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/breaker"
	"github.com/holdfast/holdfast/internal/wire"
)

const (
	// pollEvery is the time between two polls. The applier in this process answers at once; the
	// poll is for the case that another process applies.
	pollEvery = 20 * time.Millisecond
	// pollAfter is how long a call waits before a poll includes it. Most are answered sooner.
	pollAfter = 10 * time.Millisecond
	// pollTimeout is how long the ledger may take to answer before it counts as down.
	pollTimeout = 2 * time.Second
	// probeEvery is the time between two probes of a ledger that is down, and probeFor how long they
	// go on after the last call.
	probeEvery = 100 * time.Millisecond
	probeFor   = 2 * time.Second
)

// Waiters are the calls that wait for the ledger to decide their step. One poll serves all of them.
// Waiters is safe for concurrent use.
type Waiters struct {
	*breaker.Breaker // of the ledger's answers
	progress

	// look returns for each awaited step errUndecided, nil, or the refusal.
	look func(ctx context.Context, list []wire.Awaited) ([]error, error)

	mu      sync.Mutex
	waiting map[subject]map[*waiter]bool
	polling bool

	called  atomic.Int64 // when a call was last refused because the ledger is down or stalled, Unix ns
	probing atomic.Bool
}

// errDown is the failure of a ledger that does not answer.
var errDown = errors.New("the ledger is down")

// Failure returns why the ledger decides nothing: it does not answer, or it is not being written. It
// returns nil if all is well.
func (w *Waiters) Failure() error {
	if !w.Healthy() {
		return errDown
	}
	if err := w.Stalled(); err != nil {
		return fmt.Errorf("the ledger is not being written: %w", err)
	}
	return nil
}

// probe asks a ledger that is down or stalled until it is well again, unless somebody asks already.
// No call waits for that. It ends if nobody calls for probeFor.
func (w *Waiters) probe() {
	if w.called.Swap(time.Now().UnixNano()); !w.probing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer w.probing.Store(false)
		for w.Failure() != nil && time.Now().UnixNano()-w.called.Load() < int64(probeFor) {
			_, _ = w.ask(make([]wire.Awaited, 1))
			time.Sleep(probeEvery)
		}
	}()
}

// ask looks at steps, and records whether the ledger answered.
func (w *Waiters) ask(list []wire.Awaited) ([]error, error) {
	results, err := w.lookSafely(list)
	if !errors.Is(err, ErrBusy) {
		w.Record(err)
	}
	return results, err
}

// errUndecided means that the ledger has not decided the step yet.
var errUndecided = errors.New("undecided")

// subject is the reservation or operation of a step.
type subject struct {
	operation bool
	id        string
}

type waiter struct {
	awaited wire.Awaited
	since   time.Time
	done    chan error
}

func (w *waiter) subject() subject { return subject{w.awaited.Operation, w.awaited.ID} }

// NewWaiters returns Waiters that poll with look. For each awaited step look returns the result of
// [Outcome], or a refusal.
func NewWaiters(look func(context.Context, []wire.Awaited) ([]error, error)) *Waiters {
	return &Waiters{Breaker: breaker.New(probeEvery), look: look, waiting: map[subject]map[*waiter]bool{}}
}

// Await waits until the ledger decides a. It returns nil if the step was applied, or the refusal.
// It returns ErrNotDurable if ctx ends first, or if the ledger is down or is not being written.
func (w *Waiters) Await(ctx context.Context, a wire.Awaited) error {
	if err := w.Failure(); err != nil {
		w.probe()
		return fmt.Errorf("%w: %w", cache.ErrNotDurable, err)
	}
	waiter := &waiter{awaited: a, since: time.Now(), done: make(chan error, 1)}
	w.add(waiter)
	select {
	case err := <-waiter.done:
		return err
	case <-ctx.Done():
		w.remove(waiter)
		return fmt.Errorf("%w: %w", cache.ErrNotDurable, ctx.Err())
	}
}

// add adds a waiter, and starts the poll if none runs.
func (w *Waiters) add(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := one.subject()
	if w.waiting[key] == nil {
		w.waiting[key] = map[*waiter]bool{}
	}
	w.waiting[key][one] = true
	if !w.polling {
		w.polling = true
		go w.poll()
	}
}

func (w *Waiters) remove(waiter *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(waiter)
}

// drop forgets a waiter. The caller holds w.mu.
func (w *Waiters) drop(waiter *waiter) {
	key := waiter.subject()
	delete(w.waiting[key], waiter)
	if len(w.waiting[key]) == 0 {
		delete(w.waiting, key)
	}
}

// poll asks the ledger until no call waits.
func (w *Waiters) poll() {
	for list, any := w.list(); any; list, any = w.list() {
		started := time.Now()
		if len(list) == 0 {
			time.Sleep(pollAfter)
			continue
		}
		awaited := make([]wire.Awaited, len(list))
		for i, waiter := range list {
			awaited[i] = waiter.awaited
		}
		results, err := w.ask(awaited)
		if errors.Is(err, ErrBusy) { // the calls wait on
			time.Sleep(pollEvery)
			continue
		}
		failure := w.Failure()
		for i, waiter := range list {
			switch {
			case err != nil:
				w.answer(waiter, fmt.Errorf("%w: %w", cache.ErrNotDurable, err))
			case !errors.Is(results[i], errUndecided):
				w.answer(waiter, results[i])
			case failure != nil:
				w.answer(waiter, fmt.Errorf("%w: %w", cache.ErrNotDurable, failure))
			}
		}
		time.Sleep(pollEvery - time.Since(started))
	}
}

// lookSafely asks the ledger for the outcomes of some steps, one for each.
func (w *Waiters) lookSafely(awaited []wire.Awaited) (results []error, err error) {
	defer wire.Recovered(&err)
	ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
	defer cancel()
	if results, err = w.look(ctx, awaited); err == nil && len(results) != len(awaited) {
		err = fmt.Errorf("the ledger answered %d outcomes of %d: %w", len(results), len(awaited), cache.ErrCorrupt)
	}
	return results, err
}

// list returns the calls that have waited for pollAfter. any is false if no call waits at all; then
// the poll ends.
func (w *Waiters) list() (list []*waiter, any bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range w.waiting {
		for waiter := range of {
			if time.Since(waiter.since) >= pollAfter {
				list = append(list, waiter)
			}
		}
	}
	w.polling = len(w.waiting) > 0
	return list, w.polling
}

// Seen records the position of the ledger as it was read: the last applied entry, and when Redis was
// checked last.
func (w *Waiters) Seen(applied, noted string) {
	w.mu.Lock()
	var longest time.Duration
	for _, of := range w.waiting {
		for waiter := range of {
			longest = max(longest, time.Since(waiter.since))
		}
	}
	w.mu.Unlock()
	w.seen(applied, noted, longest)
}

// WaitingFor counts the calls that wait for a version of a reservation.
func (w *Waiters) WaitingFor(id string, version int64) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.waiting[subject{id: id}] {
		if one.awaited.Version == version {
			n++
		}
	}
	return n
}

// answer answers a waiter, unless it has left.
func (w *Waiters) answer(waiter *waiter, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answerLocked(waiter, err)
}

// answerLocked is answer for a caller that holds w.mu.
func (w *Waiters) answerLocked(waiter *waiter, err error) {
	key := waiter.subject()
	if w.waiting[key][waiter] {
		w.drop(waiter)
		waiter.done <- err
	}
}

// Decided answers the calls that wait for the decisions of a batch.
func (w *Waiters) Decided(entries []Entry, refusals []Refusal) {
	w.Record(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return
	}
	refused := map[wire.Step]*Refusal{}
	for i := range refusals {
		r := &refusals[i]
		refused[r.Step] = r
		w.tell(r.Entry.Epoch, r.Step, "", r.Answer())
	}
	for i := range entries {
		for j := range entries[i].Events {
			e := &entries[i].Events[j]
			if step := e.Step(entries[i].Nonce); refused[step] == nil {
				w.tell(entries[i].ID.Epoch, step, e.Record.State, nil)
			}
		}
	}
}

// tell answers the calls that wait for a step of an epoch. The caller holds w.mu. An applied step
// leads to state. If the state or the epoch differs, it was another step of the same version, and
// the call is left to the poll.
func (w *Waiters) tell(epoch uint64, step wire.Step, state cache.State, err error) {
	for waiter := range w.waiting[subject{step.Operation, step.ID}] {
		a := &waiter.awaited
		if a.Epoch == epoch && a.Step == step && (err != nil || a.State == state) {
			w.answerLocked(waiter, err)
		}
	}
}

// Outcome returns the decision of an awaited step, given the ledger's epoch and its record of that
// id: nil if the step was applied, errUndecided if it may still be, or ErrNotDurable. A later
// version proves the step only if that version is impossible without it.
func Outcome(a wire.Awaited, epoch uint64, known *wire.Record) error {
	switch {
	case epoch != a.Epoch: // the ledger never decides what this epoch left undecided
		return fmt.Errorf("%w: Redis was rebuilt before the ledger decided the step", cache.ErrNotDurable)
	case known == nil || known.CreationNonce != a.CreationNonce || known.Version < a.Version:
		return errUndecided
	case known.Version == a.Version && known.State == a.State:
		return nil
	case known.Version > a.Version && (a.State != cache.StateConfirmed || known.WasConfirmed()):
		return nil
	default:
		return fmt.Errorf("%w: the ledger has applied another step with this version", cache.ErrNotDurable)
	}
}
