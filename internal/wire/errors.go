package wire

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// The errors that the shards and the ledger return as well as a Store. Package cache exports them.
var (
	ErrUnavailable = errors.New("redis is unavailable")
	ErrRefused     = fmt.Errorf("%w: it refuses the call, nothing was changed", ErrUnavailable)
	ErrRebuilding  = errors.New("stock is being rebuilt")
	ErrBacklogFull = errors.New("the backlog is full")
	ErrNotDurable  = errors.New("not durable yet")
	ErrCorrupt     = errors.New("stored value is corrupt")
	ErrNewer       = errors.New("written by a newer version of this program")
	ErrClosed      = errors.New("store is closed")

	ErrExpiredRequest = errors.New("expired request")
)

// ExpiredRequestError refuses a request that came after its NotAfter. It is ErrExpiredRequest.
type ExpiredRequestError struct {
	NotAfter time.Time
	Now      time.Time // by the clock of this process
}

func (e *ExpiredRequestError) Error() string {
	const format = "2006-01-02T15:04:05.000Z07:00"
	return fmt.Sprintf("%s: not_after was %s, and the server's clock says %s: this call changed nothing",
		ErrExpiredRequest, e.NotAfter.UTC().Format(format), e.Now.UTC().Format(format))
}

// Unwrap makes errors.Is(err, ErrExpiredRequest) true.
func (e *ExpiredRequestError) Unwrap() error { return ErrExpiredRequest }

// Expired returns an *ExpiredRequestError if now is after notAfter, else nil. A zero notAfter never
// passes. It compares wall clocks: a monotonic one stands still while the machine sleeps.
func Expired(notAfter, now time.Time) error {
	if notAfter.IsZero() || !now.Round(0).After(notAfter) {
		return nil
	}
	return &ExpiredRequestError{NotAfter: notAfter, Now: now}
}

// Recovered turns a panic into *err, which wraps ErrCorrupt, and logs its stack. Defer it in each
// goroutine of the service that reads what a server sent: a reply must not end the process.
func Recovered(err *error) {
	if cause := recover(); cause != nil {
		slog.Error("a reply could not be read; this is a defect, please report it", "panic", cause, "stack", string(debug.Stack()))
		*err = fmt.Errorf("%w: panic: %v", ErrCorrupt, cause)
	}
}
