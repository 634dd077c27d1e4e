package cache

import "errors"

// The errors that the packages below a Store return too.
var (
	errUnavailable = errors.New("redis is unavailable")
	errRebuilding  = errors.New("stock is being rebuilt")
	errBacklogFull = errors.New("the backlog is full")
	errNotDurable  = errors.New("not durable yet")
	errCorrupt     = errors.New("stored value is corrupt")
	errNewer       = errors.New("written by a newer version of this program")
	errClosed      = errors.New("store is closed")
)
