package cache

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
)

// Verb names a script. Metrics and errors print it.
type Verb = wire.Verb

// The verbs of a Store.
const (
	VerbReserve   = wire.VerbReserve
	VerbProbe     = wire.VerbProbe // what Reserve sends first to a line that was refused, with Options.SoldOutCache
	VerbConfirm   = wire.VerbConfirm
	VerbRelease   = wire.VerbRelease
	VerbExtend    = wire.VerbExtend
	VerbFulfill   = wire.VerbFulfill
	VerbMove      = wire.VerbMove
	VerbReturn    = wire.VerbReturn
	VerbUnfulfill = wire.VerbUnfulfill
	VerbDescribe  = wire.VerbDescribe
	VerbAmend     = wire.VerbAmend
	VerbExpire    = wire.VerbExpire
	VerbAdjust    = wire.VerbAdjust
	VerbRemove    = wire.VerbRemove
	VerbTransfer  = wire.VerbTransfer
)

// Verbs lists the verbs of a Store, for an Observer that prepares one metric for each. Do not
// change it.
var Verbs = wire.Verbs

// Observer is told what a Store does. Its methods run on the hot path, by many goroutines at once:
// they must be quick and must not block.
type Observer interface {
	// Call reports one request. Its outcome is "ok", "replay" if the request was answered before,
	// or the code that the HTTP API has for the error, such as "insufficient_stock" or
	// "unavailable".
	Call(verb Verb, outcome string, elapsed time.Duration)
	// Batch reports one script call and the number of requests it carried.
	Batch(verb Verb, size int, elapsed time.Duration)
}

// observe reports one call to the observer.
func (s *Store) observe(verb Verb, started time.Time, replay bool, err error) {
	if s.options.Observer == nil {
		return
	}
	outcome := outcomeOf(err)
	if err == nil && replay {
		outcome = "replay"
	}
	s.options.Observer.Call(verb, outcome, time.Since(started))
}

// outcomeOf returns the HTTP API's code for an error: "ok" for nil, "internal" for an error without
// a code.
func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return "internal"
}

var outcomes = []struct {
	err  error
	name string
}{
	{ErrInsufficient, "insufficient_stock"},
	{ErrInvalid, "invalid_request"},
	{ErrNotFound, "not_found"},
	{ErrWrongState, "wrong_state"},
	{ErrVersionConflict, "version_conflict"},
	{ErrIDConflict, "id_conflict"},
	{ErrUnknownStock, "unknown_stock"},
	{ErrNoLocation, "no_location"},
	{ErrNotOnSale, "not_on_sale"},
	{ErrPurchaseLimit, "purchase_limit"},
	{ErrCampaignSoldOut, "campaign_sold_out"},
	{ErrInUse, "in_use"},
	{ErrExpiredRequest, "expired_request"},
	{ErrFulfilled, "already_fulfilled"},
	{ErrNotDurable, "not_durable_yet"},
	{ErrRebuilding, "rebuilding"},
	{ErrBacklogFull, "backlog_full"},
	{ErrCorrupt, "internal"},
	{ErrUnavailable, "unavailable"},
	{ErrClosed, "unavailable"},
	{context.Canceled, "unavailable"},
	{context.DeadlineExceeded, "unavailable"},
}
