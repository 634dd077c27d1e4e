package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/cache"
)

const (
	// pollEvery is how often the ledger is asked for what waits: whoever applies in this process tells
	// at once, but another process may be the one that does.
	pollEvery = 20 * time.Millisecond
	// pollAfter is how long a call has waited before it is asked for: most are told before.
	pollAfter = 10 * time.Millisecond
	// pollTimeout is how long it may take to answer before it is taken for down.
	pollTimeout = 2 * time.Second
	// probeEvery is how often a call may find out whether a ledger that was down is back.
	probeEvery = 100 * time.Millisecond
)

// Waiters are the calls that wait for the ledger to decide their step. One poll asks for all of them.
type Waiters struct {
	// look decides what it can of a list: undecided, nil or the refusal, for each.
	look func(ctx context.Context, list []cache.Awaited) ([]error, error)

	mu      sync.Mutex
	waiting map[subject]map[*waiter]bool
	polling bool

	down  atomic.Bool
	retry atomic.Int64 // while down: Unix ns from which one call may try again
}

// errUndecided is what look says of a step that the ledger has not come to.
var errUndecided = errors.New("undecided")

// subject is what a step is about.
type subject struct {
	operation bool
	id        string
}

type waiter struct {
	awaited cache.Awaited
	since   time.Time
	done    chan error
}

func NewWaiters(look func(context.Context, []cache.Awaited) ([]error, error)) *Waiters {
	return &Waiters{look: look, waiting: map[subject]map[*waiter]bool{}}
}

// Await returns once a is decided, or ctx ends, or the ledger is known to be down.
func (w *Waiters) Await(ctx context.Context, a cache.Awaited) error {
	if w.down.Load() && !w.MayProbe() {
		return fmt.Errorf("%w: the ledger is down", cache.ErrNotDurable)
	}
	waiter := &waiter{awaited: a, since: time.Now(), done: make(chan error, 1)}
	w.Add(waiter)
	select {
	case err := <-waiter.done:
		return err
	case <-ctx.Done():
		w.remove(waiter)
		return fmt.Errorf("%w: %w", cache.ErrNotDurable, ctx.Err())
	}
}

func (w *Waiters) MayProbe() bool {
	now, at := time.Now().UnixNano(), w.retry.Load()
	return now >= at && w.retry.CompareAndSwap(at, now+int64(probeEvery))
}

// Healthy says whether the ledger answered when it was last asked; noted notes that.
func (w *Waiters) Healthy() bool { return !w.down.Load() }

func (w *Waiters) Noted(err error) {
	if err != nil {
		w.retry.Store(time.Now().Add(probeEvery).UnixNano())
	}
	w.down.Store(err != nil)
}

func (w *Waiters) Add(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := subject{one.awaited.Operation, one.awaited.ID}
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

// drop forgets a waiter; w.mu is held.
func (w *Waiters) drop(waiter *waiter) {
	key := subject{waiter.awaited.Operation, waiter.awaited.ID}
	delete(w.waiting[key], waiter)
	if len(w.waiting[key]) == 0 {
		delete(w.waiting, key)
	}
}

// poll asks the ledger until nobody waits.
func (w *Waiters) poll() {
	for list, any := w.list(); any; list, any = w.list() {
		started := time.Now()
		if len(list) == 0 {
			time.Sleep(pollAfter)
			continue
		}
		awaited := make([]cache.Awaited, len(list))
		for i, waiter := range list {
			awaited[i] = waiter.awaited
		}
		ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
		results, err := w.look(ctx, awaited)
		cancel()
		w.Noted(err)
		for i, waiter := range list {
			switch {
			case err != nil:
				w.Answer(waiter, fmt.Errorf("%w: %w", cache.ErrNotDurable, err))
			case !errors.Is(results[i], errUndecided):
				w.Answer(waiter, results[i])
			}
		}
		time.Sleep(pollEvery - time.Since(started))
	}
}

// list is whoever has waited for a while; any is false where nobody waits at all, and then the poll ends.
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

func (w *Waiters) Answer(waiter *waiter, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answerLocked(waiter, err)
}

func (w *Waiters) answerLocked(waiter *waiter, err error) {
	key := subject{waiter.awaited.Operation, waiter.awaited.ID}
	if w.waiting[key][waiter] {
		w.drop(waiter)
		waiter.done <- err
	}
}

// Decided answers whoever waits for what a batch has decided.
func (w *Waiters) Decided(entries []Entry, refusals []Refusal) {
	w.Noted(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return
	}
	refused := map[cache.Step]*Refusal{}
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

// tell answers whoever waits for a step of an epoch; w.mu is held. A step that was applied leads to state; another
// state, and another epoch, is another step of the same version, and the poll finds that out.
func (w *Waiters) tell(epoch uint64, step cache.Step, state cache.State, err error) {
	for waiter := range w.waiting[subject{step.Operation, step.ID}] {
		a := &waiter.awaited
		if a.Epoch == epoch && a.Step == step && (err != nil || a.State == state) {
			w.answerLocked(waiter, err)
		}
	}
}

// shown is what the ledger says of a step, given its record of that id: a later version does only where
// it can't have come about without the step.
func DecidedAs(a cache.Awaited, epoch uint64, known *cache.Record) error {
	switch {
	case epoch != a.Epoch: // what this epoch left undecided never will be
		return fmt.Errorf("%w: Redis was rebuilt meanwhile", cache.ErrNotDurable)
	case known == nil || known.Birth != a.Birth || known.Version < a.Version:
		return errUndecided
	case known.Version == a.Version && known.State == a.State:
		return nil
	case known.Version > a.Version && (a.State != cache.StateConfirmed || wasConfirmed(known)):
		return nil
	default:
		return fmt.Errorf("%w: another step took its place", cache.ErrNotDurable)
	}
}
