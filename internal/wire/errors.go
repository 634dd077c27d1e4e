package wire

import "errors"

// The errors that the shards and the ledger return as well as a Store. Package cache exports them.
var (
	ErrUnavailable = errors.New("redis is unavailable")
	ErrRebuilding  = errors.New("stock is being rebuilt")
	ErrBacklogFull = errors.New("the backlog is full")
	ErrNotDurable  = errors.New("not durable yet")
	ErrCorrupt     = errors.New("stored value is corrupt")
	ErrNewer       = errors.New("written by a newer version of this program")
	ErrClosed      = errors.New("store is closed")
)
