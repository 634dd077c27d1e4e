package cache

import (
	"log/slog"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
)

// Options of a Store. The zero value works.
type Options struct {
	Prefix  string        // of every key; default "holdfast"
	TTL     time.Duration // deadline of a reservation that names none; default 10m
	TTLMax  time.Duration // longest deadline that may be asked for; default 24h
	Timeout time.Duration // one call, queueing and retries included; default 2s

	Ledger      Ledger        // where sales are durable; nil: nothing is
	DurableWait time.Duration // longest wait for it of one call, beside Timeout; default 5s

	// AwaitDirectory has what needs routing refused with ErrUnavailable until Direct is called, so that
	// nothing is taken from a wrong location before the directory is known. Default: no directory is used.
	AwaitDirectory bool

	// SoldOutCache is how long Reserve goes by what Redis has refused: meanwhile it asks a shorter question first. A
	// refusal by that is of the moment as any other, but for units of overdue holds: for so long they may not be
	// given back. From SoldOutCacheMin to SoldOutCacheMax; 0, the default: every refusal is exact.
	SoldOutCache time.Duration

	BatchMax    int // requests in one script call; default 64, at most BatchLimit
	InFlightMax int // batches of one verb under way at once, more than one only where they are full; default 3
	QueueMax    int // requests of one verb that may wait; default 16384

	Observer Observer     // told of every call and batch; default nobody
	Logger   *slog.Logger // default slog.Default()
}

// Verb names a script, as metrics and errors print it.
type Verb = wire.Verb

// The verbs.
const (
	VerbReserve  = wire.VerbReserve
	VerbProbe    = wire.VerbProbe
	VerbConfirm  = wire.VerbConfirm
	VerbRelease  = wire.VerbRelease
	VerbExtend   = wire.VerbExtend
	VerbFulfill  = wire.VerbFulfill
	VerbMove     = wire.VerbMove
	VerbReturn   = wire.VerbReturn
	VerbExpire   = wire.VerbExpire
	VerbAdjust   = wire.VerbAdjust
	VerbRemove   = wire.VerbRemove
	VerbTransfer = wire.VerbTransfer
)

// Verbs lists the verbs that a Store calls.
var Verbs = wire.Verbs

// Observer is told what a Store does. Its methods are called on the hot path: they must be quick
// and must not block.
type Observer interface {
	// Call reports one request: its outcome is "ok", "replay" or the name of the refusal, as in
	// the API's codes ("insufficient_stock", "unavailable", …).
	Call(verb Verb, outcome string, elapsed time.Duration)
	// Batch reports one script call: how many requests it carried.
	Batch(verb Verb, size int, elapsed time.Duration)
}

// Stats is a moment of a Store's queues, by verb.
type Stats struct {
	Queued   map[Verb]int // requests that wait for a batch
	InFlight map[Verb]int // batches under way
}
