package keys

import (
	"crypto/subtle"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// The refusals of a key, in order of precedence.
var (
	ErrMissing  = errors.New("no key: send the header Authorization: Bearer hf_…")
	ErrMistyped = errors.New("this is not a whole key: copy it again, from hf_ to its last character")
	ErrNotRead  = errors.New("the keys could not be read yet")
	ErrUnknown  = errors.New("there is no such key")
	ErrRevoked  = errors.New("the key was revoked: ask the operator for another one")
	ErrExpired  = errors.New("the key has expired: ask the operator for another one")
)

// Ring holds the keys that a server knows. It does no I/O. The zero value knows no keys yet. It is safe
// for concurrent use.
type Ring struct {
	// Rate is how many requests a second a key may send that has no rate of its own. 0: any number.
	Rate int

	callers atomic.Pointer[map[string]*Caller] // by id
}

// Caller is a key in use. Its Key is not changed.
type Caller struct {
	Key
	use *use
}

// use counts what a key does. It outlives a change of the key.
type use struct {
	limiter *rate.Limiter // nil: no limit
	calls   atomic.Int64  // under way
}

// Replace makes list the keys of the ring.
func (r *Ring) Replace(list []Key) {
	old, next := r.callers.Load(), make(map[string]*Caller, len(list))
	for _, k := range list {
		if k.Rate == 0 {
			k.Rate = r.Rate
		}
		c := newCaller(k)
		if old != nil && (*old)[k.ID] != nil && (*old)[k.ID].Rate == k.Rate {
			c.use = (*old)[k.ID].use
		}
		next[k.ID] = c
	}
	r.callers.Store(&next)
}

// newCaller returns a caller who has not sent anything yet.
func newCaller(k Key) *Caller {
	c := &Caller{Key: k, use: &use{}}
	if k.Rate > 0 {
		c.use.limiter = rate.NewLimiter(rate.Limit(k.Rate), k.Rate)
	}
	return c
}

// Check returns the caller that a key names. Errors, in order of precedence: ErrMissing, ErrMistyped,
// ErrNotRead, ErrUnknown, ErrRevoked, ErrExpired.
func (r *Ring) Check(text string, now time.Time) (*Caller, error) {
	if text == "" {
		return nil, ErrMissing
	}
	id, err := IDOf(text)
	if err != nil {
		return nil, err
	}
	callers := r.callers.Load()
	if callers == nil {
		return nil, ErrNotRead
	}
	c, hash := (*callers)[id], HashOf(text)
	switch {
	case c == nil || subtle.ConstantTimeCompare(c.Hash[:], hash[:]) != 1:
		return nil, ErrUnknown
	case !c.RevokedAt.IsZero():
		return nil, ErrRevoked
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return nil, ErrExpired
	}
	return c, nil
}

// Allow counts one request, and reports whether the key may send it now.
func (c *Caller) Allow(now time.Time) bool {
	return c.use.limiter == nil || c.use.limiter.AllowN(now, 1)
}

// Begin counts a call under way. It reports whether the key has at most max of them; if not, it counts
// nothing. End ends the call.
func (c *Caller) Begin(max int64) bool {
	if c.use.calls.Add(1) > max {
		c.use.calls.Add(-1)
		return false
	}
	return true
}

// End ends a call that Begin has counted.
func (c *Caller) End() { c.use.calls.Add(-1) }
