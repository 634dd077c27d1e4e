package demo

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// answer is what one copy of a call was told, and when.
type answer struct {
	result cache.Result
	err    error
	at     time.Time
}

// verdict is what the copies of one call were told, taken together.
type verdict struct {
	served  *answer     // one that succeeded, the one that was no replay if there is one; or nil
	granted int         // that succeeded and were no replays
	refused bool        // a copy was refused for want of stock
	state   cache.State // what the reservation is, where that is why a copy was refused
	unknown error       // a copy was not answered: its outcome is unknown
	odd     error       // what should not happen
}

// volley sends the copies of one call at once, as an impatient client does, and counts the answers.
func (s *sale) volley(copies int, skus []location.SKU, call func() (cache.Result, error)) verdict {
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
	var v verdict
	for i := range answers {
		v.add(&answers[i])
		s.count(&answers[i], skus)
	}
	return v
}

func (v *verdict) add(a *answer) {
	var wrong *cache.WrongStateError
	switch {
	case a.err == nil:
		if !a.result.Replay {
			v.granted++
		}
		if v.served == nil || v.served.result.Replay && !a.result.Replay {
			v.served = a
		}
	case errors.Is(a.err, cache.ErrInsufficient):
		v.refused = true
	case errors.As(a.err, &wrong):
		v.state = wrong.State
	case isUnknown(a.err):
		v.unknown = a.err
	default:
		v.odd = a.err
	}
}

// isUnknown says that nobody knows what became of a call: repeat it with the same id.
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
