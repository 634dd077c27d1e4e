package demo

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// answer is the answer to one copy of a call.
type answer struct {
	result cache.Result
	err    error
	at     time.Time
}

// reply combines the answers to all copies of a call.
type reply struct {
	success    *answer     // one that succeeded, preferably not a replay; or nil
	granted    int         // successes that were not replays
	refused    bool        // a copy was refused because stock was short
	state      cache.State // of the reservation, if a copy was refused because of it
	unknown    error       // a copy got no answer: its outcome is unknown
	unexpected error       // an error that should not happen
}

// send sends the copies of a call at the same moment, as an impatient client does, and counts the
// answers.
func (s *sale) send(copies int, skus []location.SKU, call func() (cache.Result, error)) reply {
	answers := make([]answer, copies)
	send := func(i int) {
		result, err := call()
		answers[i] = answer{result, err, time.Now()}
	}
	var others sync.WaitGroup
	for i := 1; i < copies; i++ {
		others.Go(func() { send(i) })
	}
	send(0)
	others.Wait()
	var r reply
	for i := range answers {
		r.add(&answers[i])
		s.count(&answers[i], skus)
	}
	return r
}

func (r *reply) add(a *answer) {
	var wrong *cache.WrongStateError
	switch {
	case a.err == nil:
		if !a.result.Replay {
			r.granted++
		}
		if r.success == nil || r.success.result.Replay && !a.result.Replay {
			r.success = a
		}
	case errors.Is(a.err, cache.ErrInsufficient):
		r.refused = true
	case errors.As(a.err, &wrong):
		r.state = wrong.State
	case isUnknown(a.err):
		r.unknown = a.err
	default:
		r.unexpected = a.err
	}
}

// isUnknown reports whether the outcome of a call is unknown, so that it must be repeated with the
// same id.
func isUnknown(err error) bool {
	return errors.Is(err, cache.ErrUnavailable) || errors.Is(err, cache.ErrRebuilding) ||
		errors.Is(err, cache.ErrBacklogFull) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded)
}

func (s *sale) count(a *answer, skus []location.SKU) {
	if isUnknown(a.err) {
		return
	}
	s.tally.requests.Add(1)
	if a.err == nil && a.result.Replay {
		s.tally.replays.add(skus)
	}
}
