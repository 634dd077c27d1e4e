package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// Payments charges customers. Both calls must be safe to repeat with the same order id.
type Payments interface {
	Charge(ctx context.Context, order string) error
	Refund(ctx context.Context, order string) error
}

// Checkout sells orders: it reserves the units, charges the customer and confirms the sale.
type Checkout struct {
	Store    *cache.Store
	Payments Payments
	Backoff  time.Duration // before the second try of a call; doubled before each next one
}

// triesMax is how often a call is sent before the customer is asked to come back later.
const triesMax = 6

// ErrDeclined is returned if the payment fails. The units are back in sale.
var ErrDeclined = errors.New("the payment was declined")

// ErrRefunded is returned if the units were gone when the payment came. The customer has the money back.
var ErrRefunded = errors.New("sold out before the payment came; the payment was refunded")

// Place sells one order. It is safe to repeat with the same id and the same lines: units and money
// move once.
//
// Errors: *cache.InsufficientError if units are missing (nothing was reserved), ErrDeclined,
// ErrRefunded, or a failure. After a failure, call Place again with the same order.
func (c *Checkout) Place(ctx context.Context, id string, lines []cache.LineRequest) (cache.Reservation, error) {
	held, err := c.reserve(ctx, id, lines)
	if err != nil {
		return cache.Reservation{}, err
	}
	switch held.State {
	case cache.StateHeld:
	case cache.StateExpired: // confirm takes the units again if it can
	case cache.StateConfirmed, cache.StateFulfilled:
		return held, nil // an earlier call has sold it: do not charge again
	default:
		return held, fmt.Errorf("order %s is %s: start a new order", id, held.State)
	}
	if err := c.Payments.Charge(ctx, id); err != nil {
		return cache.Reservation{}, c.giveBack(ctx, id, err)
	}
	return c.confirm(ctx, id, lines)
}

// reserve holds the units of an order.
func (c *Checkout) reserve(ctx context.Context, id string, lines []cache.LineRequest) (cache.Reservation, error) {
	return c.retry(ctx, func() (cache.Result, error) {
		return c.Store.Reserve(ctx, cache.ReserveRequest{ID: id, Lines: lines, TTL: 10 * time.Minute})
	})
}

// giveBack releases the units of an order whose payment failed. If the release fails too, the units
// come back at the deadline.
func (c *Checkout) giveBack(ctx context.Context, id string, cause error) error {
	_, err := c.retry(ctx, func() (cache.Result, error) {
		return c.Store.Release(ctx, cache.TransitionRequest{ID: id})
	})
	return errors.Join(fmt.Errorf("%w: %w", ErrDeclined, cause), err)
}

// confirm makes a paid order a sale.
func (c *Checkout) confirm(ctx context.Context, id string, lines []cache.LineRequest) (cache.Reservation, error) {
	request := cache.TransitionRequest{ID: id}
	sold, err := c.retry(ctx, func() (cache.Result, error) { return c.Store.Confirm(ctx, request) })
	if errors.Is(err, cache.ErrNotFound) { // Redis lost the hold in a crash: take the units again
		if _, err = c.reserve(ctx, id, lines); err == nil {
			sold, err = c.retry(ctx, func() (cache.Result, error) { return c.Store.Confirm(ctx, request) })
		}
	}
	if errors.Is(err, cache.ErrInsufficient) { // the hold was gone, and others have bought the units
		return cache.Reservation{}, errors.Join(ErrRefunded, c.Payments.Refund(ctx, id))
	}
	return sold, err
}

// retry repeats a call while its error says that the same call may succeed later. Every call of a
// Store carries an id, so a repeat never moves units twice, even if the first try succeeded and its
// answer was lost.
func (c *Checkout) retry(ctx context.Context, call func() (cache.Result, error)) (cache.Reservation, error) {
	wait := c.Backoff
	for try := 1; ; try++ {
		result, err := call()
		if err == nil || !repeatable(err) || try == triesMax {
			return result.Reservation, err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return cache.Reservation{}, errors.Join(err, ctx.Err())
		}
	}
}

// repeatable reports whether the same call with the same id may succeed later.
func repeatable(err error) bool {
	for _, later := range []error{cache.ErrUnavailable, cache.ErrRebuilding, cache.ErrBacklogFull, cache.ErrNotDurable} {
		if errors.Is(err, later) {
			return true
		}
	}
	return false
}
