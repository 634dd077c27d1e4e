package wire

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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
)

// Recovered turns a panic into *err, which wraps ErrCorrupt, and logs its stack. Defer it in each
// goroutine of the service that reads what a server sent: a reply must not end the process.
func Recovered(err *error) {
	if cause := recover(); cause != nil {
		slog.Error("a reply could not be read; this is a defect, please report it", "panic", cause, "stack", string(debug.Stack()))
		*err = fmt.Errorf("%w: panic: %v", ErrCorrupt, cause)
	}
}
